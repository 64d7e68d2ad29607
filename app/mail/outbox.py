"""The outbox: which letters are due, who may send them now, and what became of them.

Claiming a letter commits, before anything leaves, the hashes of its links and code and the moment that is its Date. A
sender that dies leaves a letter whose claim runs out; whoever takes it over writes the same letter, byte for byte.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.core.keys import KeysUnusableError, SealBrokenError, keyed_hash
from app.mail.desk import DAILY_FROM_ALL, Desk, Prepared
from app.mail.kinds import KINDS
from app.models import Letter, LetterQuota, QuotaSalt, Signature, Token
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.core.tokens import Purpose

LEASE: Final = timedelta(minutes=5)
LETTERS_WITH_WORKING_LINKS: Final = 3
GIVE_UP_AFTER: Final = timedelta(days=3)
LONGEST_DELAY: Final = timedelta(hours=1)
CODES: Final = frozenset({"code", "sign_in_code", "receipt_code"})
#: Letters that go to many at once: whoever waits for a link or a code goes before them.
TO_MANY: Final = ("update", "response", "edition_changed")
#: How many letters in a row may come back from an address before no more news is sent to it.
BOUNCES_IN_A_ROW: Final = 3
#: Letters of whose links only the last three work.
SIGNING: Final = ("confirm", "already_signed")


@dataclass(frozen=True, slots=True)
class OwedLetter:
    """A claimed letter with all that writing it takes; ``links`` are addresses after the language, tokens in place.

    From ``held_until`` on, another may send it.
    """

    id: UUID
    kind: str
    locale: str
    recipient: str
    written_at: datetime
    held_until: datetime
    context: Mapping[str, Any]
    links: Mapping[str, str]
    one_click: str | None


def owe_letter(
    session: Session,
    *,
    kind: str,
    dedupe_key: str,
    locale: str,
    now: datetime,
    campaign_id: UUID | None = None,
    account_id: UUID | None = None,
    signature_id: UUID | None = None,
    crossing_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> None:
    """Owe a letter, once for each ``dedupe_key``."""
    session.execute(
        insert_if_absent(cast("Table", Letter.__table__), dialect_of(session)),
        {
            "id": uuid4(),
            "kind": kind,
            "campaign_id": campaign_id,
            "account_id": account_id,
            "signature_id": signature_id,
            "crossing_id": crossing_id,
            "subject_id": subject_id,
            "locale": locale,
            "dedupe_key": dedupe_key,
            "state": "queued",
            "due_at": now,
            "attempts": 0,
            "created_at": now,
        },
    )


def claim_letters(session: Session, *, keyring: Keyring, now: datetime, limit: int) -> list[OwedLetter]:
    """Take up to ``limit`` letters that are due; nobody else sends them for five minutes."""
    due = session.scalars(
        select(Letter)
        .where(Letter.state == "queued", Letter.due_at <= now)
        .order_by(Letter.kind.in_(TO_MANY), Letter.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claimed = []
    desk = Desk(keyring, now)
    for letter in due:
        try:
            owed = _claim(session, letter, desk)
        except (SealBrokenError, KeysUnusableError) as fault:
            # A key that is missing stops the letters that need it, and not those behind them.
            _wait_for_key(letter, type(fault).__name__, now)
            continue
        if owed is not None:
            claimed.append(owed)
    return claimed


def mark_sent(session: Session, *, letter_id: UUID, now: datetime) -> None:
    """Record that the relay took the letter, even where somebody stopped it in that very moment."""
    session.execute(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state.in_(("queued", "dropped")))
        .values(state="sent", sent_at=now, last_fault=None)
    )


def mark_refused(session: Session, *, letter_id: UUID, fault: str) -> None:
    """Record that the relay will never take the letter."""
    refused = session.execute(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state == "queued")
        .values(state="failed", last_fault=fault)
        .returning(Letter.signature_id)
    ).first()
    if refused is not None:
        _end_news(session, refused.signature_id)


def mark_bounced(session: Session, *, letter_id: UUID, fault: str) -> bool:
    """Record that the letter came back from further on; False where that changes nothing.

    One that is still queued was taken by the relay all the same, and whoever sent it died before saying so.
    """
    bounced = session.execute(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state.in_(("sent", "queued")), Letter.written_at.is_not(None))
        .values(state="bounced", last_fault=fault)
        .returning(Letter.signature_id)
    ).first()
    if bounced is None:
        return False
    _end_news(session, bounced.signature_id)
    return True


def put_off(session: Session, *, letter_id: UUID, fault: str, now: datetime) -> None:
    """Try the letter again later, each time after twice as long and an hour at most; give it up after three days.

    Those are days since it was first tried: what its quota held back for longer has not failed yet.
    """
    letter = session.get(Letter, letter_id)
    if letter is None or letter.state != "queued":
        return
    letter.last_fault = fault
    if letter.written_at is not None and letter.written_at <= now - GIVE_UP_AFTER:
        letter.state = "failed"
        return
    letter.due_at = now + min(timedelta(seconds=30) * 2 ** min(letter.attempts, 10), LONGEST_DELAY)


def _wait_for_key(letter: Letter, fault: str, now: datetime) -> None:
    """Try again in an hour what no key opens; give it up after three days.

    A letter that was never written is counted from when it was owed. Its quota may have held it back for longer: one
    that meets this fault for the first time has failed once, and gets its hour.
    """
    is_old = (letter.written_at or letter.created_at) <= now - GIVE_UP_AFTER
    if is_old and letter.last_fault == fault:
        letter.state = "failed"
    letter.last_fault = fault
    letter.due_at = now + LONGEST_DELAY


def _end_news(session: Session, signature_id: UUID | None) -> None:
    """Send no more news to a signer whose last three letters came back for ever.

    A relay that wants none of our mail (5.7, policy) says nothing of the address.
    """
    if signature_id is None:
        return
    faults = session.scalars(
        select(case((Letter.state == "sent", ""), else_=func.coalesce(Letter.last_fault, "")))
        .where(Letter.signature_id == signature_id, Letter.state.in_(("sent", "failed", "bounced")))
        .order_by(Letter.written_at.desc(), Letter.id)
        .limit(BOUNCES_IN_A_ROW)
    ).all()
    if sum(fault.startswith("5") and not fault.startswith("5.7") for fault in faults) == BOUNCES_IN_A_ROW:
        session.execute(update(Signature).where(Signature.id == signature_id).values(wants_updates=False))


def _claim(session: Session, letter: Letter, desk: Desk) -> OwedLetter | None:
    keyring, now = desk.keyring, desk.now
    prepared = KINDS[letter.kind].prepare(session, letter, desk)
    if prepared is None:
        letter.state = "dropped"
        return None
    is_first = letter.attempts == 0
    if is_first and prepared.daily is not None and not _has_quota(session, keyring, letter, prepared, now=now):
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time.min, tzinfo=UTC)
        letter.due_at = tomorrow + timedelta(seconds=secrets.randbelow(3600))
        return None
    letter.attempts += 1
    letter.due_at = now + LEASE
    if letter.written_at is None:
        letter.written_at = now.replace(microsecond=0)
    made, context = _make_secrets(session, letter, prepared, keyring)
    if is_first and letter.kind in SIGNING:
        _end_old_links(session, cast("UUID", letter.signature_id), letter.written_at)
    links = {name: path.format_map(made) for name, path in prepared.links.items()}
    return OwedLetter(
        id=letter.id,
        kind=letter.kind,
        locale=letter.locale,
        recipient=prepared.recipient,
        written_at=letter.written_at,
        held_until=letter.due_at,
        context={**prepared.context, **context},
        links=links,
        one_click=None if prepared.one_click is None else links[prepared.one_click],
    )


def _make_secrets(
    session: Session, letter: Letter, prepared: Prepared, keyring: Keyring
) -> tuple[dict[str, str], dict[str, Any]]:
    """Keep the hashes of the letter's tokens; return these, and what its templates say of code and time."""
    written_at = cast("datetime", letter.written_at)
    owner = letter.signature_id or letter.subject_id
    made: dict[str, str] = {}
    context: dict[str, Any] = {}
    statement = insert_if_absent(cast("Table", Token.__table__), dialect_of(session))
    for secret in prepared.secrets:
        ends = [] if secret.until is None else [secret.until]
        ends += [] if secret.works_for is None else [written_at + secret.works_for]
        expires_at = min(ends, default=None)
        if secret.purpose in CODES:
            code = context["code"] = tokens.make_code(keyring.codes, letter.id)
            hashed = tokens.hash_code(keyring.codes, cast("UUID", owner), code)
        else:
            purpose = cast("Purpose", secret.purpose)
            made[purpose] = tokens.make_token(keyring.tokens, purpose, letter.id)
            hashed = tokens.hash_token(purpose, made[purpose])
            if expires_at is not None:
                context["valid_until"] = expires_at
        session.execute(
            statement,
            {
                "hash": hashed,
                "purpose": secret.purpose,
                "letter_id": letter.id,
                "signature_id": letter.signature_id,
                "created_at": written_at,
                "expires_at": expires_at,
            },
        )
    return made, context


def _end_old_links(session: Session, signature_id: UUID, now: datetime) -> None:
    """Leave the links of the last three letters working."""
    session.flush()
    working = (
        select(Letter.id)
        .where(Letter.signature_id == signature_id, Letter.written_at.is_not(None), Letter.kind.in_(SIGNING))
        .order_by(Letter.written_at.desc(), Letter.created_at.desc())
        .limit(LETTERS_WITH_WORKING_LINKS)
    )
    old = (Token.signature_id == signature_id, Token.letter_id.not_in(working))
    session.execute(update(Token).where(*old, Token.purpose == "confirm").values(expires_at=now))
    session.execute(delete(Token).where(*old, Token.purpose.in_(("manage", "code"))))


def _has_quota(session: Session, keyring: Keyring, letter: Letter, prepared: Prepared, *, now: datetime) -> bool:
    """Count this letter against what the address may get today, from this campaign and from all; False where full.

    What is counted is a keyed hash whose key dies with the day's salt, so that the numbers can never be read back. The
    campaign comes first: what it has no room for must not use up the room of the others.
    """
    today, daily = now.date(), cast("int", prepared.daily)
    key = keyed_hash(keyring.quotas, salt_of(session, today))
    mailbox = canonical_email(prepared.recipient).encode()
    if prepared.pool is not None:
        return _use_quota(session, keyed_hash(key, mailbox, b"pool", prepared.pool.bytes), today, daily)
    campaign = cast("UUID", letter.campaign_id).bytes
    return _use_quota(session, keyed_hash(key, mailbox, campaign), today, daily) and _use_quota(
        session, keyed_hash(key, mailbox), today, DAILY_FROM_ALL
    )


def salt_of(session: Session, today: object) -> bytes:
    """Return the salt of a day, making it where there is none."""
    salt = session.scalar(select(QuotaSalt.salt).where(QuotaSalt.day == today))
    if salt is not None:
        return salt
    session.execute(
        insert_if_absent(cast("Table", QuotaSalt.__table__), dialect_of(session)),
        {"day": today, "salt": secrets.token_bytes(32)},
    )
    return session.scalars(select(QuotaSalt.salt).where(QuotaSalt.day == today)).one()


def _use_quota(session: Session, hashed: bytes, today: object, limit: int) -> bool:
    module = postgresql if dialect_of(session) == "postgresql" else sqlite
    statement = module.insert(LetterQuota).values(hash=hashed, day=today, letters=1)
    used = session.scalar(
        statement.on_conflict_do_update(
            index_elements=[LetterQuota.hash],
            set_={"letters": LetterQuota.letters + 1},
            where=LetterQuota.letters < limit,
        ).returning(LetterQuota.letters)
    )
    return used is not None
