"""The outbox: which letters are due, who may send them now, and what became of them.

Claiming a letter commits, before anything leaves, the hashes of its links and code and the moment that is its Date. A
sender that dies leaves a letter whose claim runs out; whoever takes it over writes the same letter, byte for byte.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.core.keys import KeysUnusableError, SealBrokenError, WrappedKey, keyed_hash
from app.models import (
    Campaign,
    CampaignKey,
    Crossing,
    Edition,
    Letter,
    LetterQuota,
    QuotaSalt,
    Signature,
    Sponsor,
    Threshold,
    Token,
)
from app.rules.life import CONFIRMING_GRACE, is_confirming_open
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

    from app.core.keys import CampaignKey as OpenKey
    from app.core.keys import Keyring

LEASE: Final = timedelta(minutes=5)
LINK_WORKS: Final = timedelta(days=7)
CODE_WORKS: Final = timedelta(hours=24)
LETTERS_WITH_WORKING_LINKS: Final = 3
DAILY_FROM_A_CAMPAIGN: Final = 3
DAILY_FROM_ALL: Final = 10
GIVE_UP_AFTER: Final = timedelta(days=3)
LONGEST_DELAY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Links:
    """The secrets of a letter to a signer, made anew each time it is sent and kept nowhere."""

    confirm: str | None
    manage: str
    code: str | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class CrossingNews:
    """What a letter about a threshold reports; ``labels`` by locale."""

    signatures: int
    threshold: int
    labels: Mapping[str, str]
    reached_at: datetime


@dataclass(frozen=True, slots=True)
class OwedLetter:
    """A claimed letter with all that writing it takes; ``titles`` by locale.

    From ``held_until`` on, another may send it.
    """

    id: UUID
    kind: str
    locale: str
    recipient: str
    written_at: datetime
    held_until: datetime
    campaign_slug: str
    source_locale: str
    timezone: str
    reference: str | None
    titles: Mapping[str, str]
    links: Links | None
    news: CrossingNews | None


def claim_letters(session: Session, *, keyring: Keyring, now: datetime, limit: int) -> list[OwedLetter]:
    """Take up to ``limit`` letters that are due; nobody else sends them for five minutes."""
    due = session.scalars(
        select(Letter)
        .where(Letter.state == "queued", Letter.due_at <= now)
        .order_by(Letter.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    claimed = []
    for letter in due:
        try:
            owed = _claim(session, letter, keyring, now)
        except (SealBrokenError, KeysUnusableError) as fault:
            # A key that is missing stops the letters that need it, and not those behind them.
            letter.last_fault = type(fault).__name__
            letter.due_at = now + LONGEST_DELAY
            continue
        if owed is not None:
            claimed.append(owed)
    return claimed


def mark_sent(session: Session, *, letter_id: UUID, now: datetime) -> None:
    """Record that the relay took the letter."""
    session.execute(
        update(Letter)
        .where(Letter.id == letter_id, Letter.state == "queued")
        .values(state="sent", sent_at=now, last_fault=None)
    )


def mark_refused(session: Session, *, letter_id: UUID, fault: str) -> None:
    """Record that the relay will never take the letter."""
    session.execute(
        update(Letter).where(Letter.id == letter_id, Letter.state == "queued").values(state="failed", last_fault=fault)
    )


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


def _claim(session: Session, letter: Letter, keyring: Keyring, now: datetime) -> OwedLetter | None:
    row = session.execute(
        select(Campaign, CampaignKey, Edition.texts)
        .join(CampaignKey, CampaignKey.campaign_id == Campaign.id)
        .join(Edition, Edition.campaign_id == Campaign.id)
        .where(Campaign.id == letter.campaign_id)
        .order_by(CampaignKey.version.desc(), Edition.number.desc())
        .limit(1)
    ).first()
    if row is None:  # the campaign's key is destroyed, and with it every address
        letter.state = "dropped"
        return None
    stored = row.CampaignKey
    key = keyring.campaign_key(row.Campaign.id, stored.version, WrappedKey(stored.root_version, stored.sealed))
    if letter.signature_id is None:
        return _claim_crossing(session, letter, row, key=key, now=now)
    return _claim_signing(session, letter, row, key=key, keyring=keyring, now=now)


def _claim_signing(
    session: Session, letter: Letter, row: Row[Any], *, key: OpenKey, keyring: Keyring, now: datetime
) -> OwedLetter | None:
    campaign = row.Campaign
    signature = session.get_one(Signature, letter.signature_id)
    expected = "pending" if letter.kind == "confirm" else "confirmed"
    is_too_late = letter.kind == "confirm" and not is_confirming_open(
        campaign.state, campaign.opens_at, campaign.closes_at, now
    )
    if signature.state != expected or signature.email is None or is_too_late:
        # Confirmed by an earlier letter, withdrawn, expired, the campaign over: there is nothing to say any more.
        letter.state = "dropped"
        return None
    address = key.open("signatures.email", signature.id, signature.email)
    if letter.attempts == 0 and not _has_quota(session, keyring, campaign.id, address, now=now):
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time.min, tzinfo=UTC)
        letter.due_at = tomorrow + timedelta(seconds=secrets.randbelow(3600))
        return None
    _take(letter, now)
    written_at = cast("datetime", letter.written_at)
    links = _make_links(session, letter, keyring, written_at, campaign.closes_at)
    return _owed(letter, row, address, links=links)


def _claim_crossing(
    session: Session, letter: Letter, row: Row[Any], *, key: OpenKey, now: datetime
) -> OwedLetter | None:
    campaign = row.Campaign
    if letter.kind == "crossing_organiser":
        address = key.open("campaigns.organiser_email", campaign.id, campaign.organiser_email)
    else:
        sponsor = session.get(Sponsor, campaign.id)
        if sponsor is None or sponsor.email is None:
            letter.state = "dropped"
            return None
        address = key.open("sponsors.email", campaign.id, sponsor.email)
    _take(letter, now)
    crossing, threshold = session.execute(
        select(Crossing, Threshold)
        .join(Threshold, Threshold.id == Crossing.threshold_id)
        .where(Crossing.id == letter.crossing_id)
    ).one()
    news = CrossingNews(crossing.signatures, threshold.signatures, threshold.labels, crossing.reached_at)
    return _owed(letter, row, address, news=news)


def _take(letter: Letter, now: datetime) -> None:
    letter.attempts += 1
    letter.due_at = now + LEASE
    if letter.written_at is None:
        letter.written_at = now.replace(microsecond=0)


def _owed(
    letter: Letter, row: Row[Any], address: str, *, links: Links | None = None, news: CrossingNews | None = None
) -> OwedLetter:
    return OwedLetter(
        id=letter.id,
        kind=letter.kind,
        locale=letter.locale,
        recipient=address,
        written_at=cast("datetime", letter.written_at),
        held_until=letter.due_at,
        campaign_slug=row.Campaign.slug,
        source_locale=row.Campaign.source_locale,
        timezone=row.Campaign.timezone,
        reference=row.Campaign.reference,
        titles={locale: text["title"] for locale, text in row.texts.items()},
        links=links,
        news=news,
    )


def _make_links(
    session: Session, letter: Letter, keyring: Keyring, written_at: datetime, closes_at: datetime | None
) -> Links:
    signature_id = cast("UUID", letter.signature_id)
    manage = tokens.make_token(keyring.tokens, "manage", letter.id)
    kept: list[tuple[bytes, str, datetime | None]] = [(tokens.hash_token("manage", manage), "manage", None)]
    confirm = code = valid_until = None
    if letter.kind == "confirm":
        confirm = tokens.make_token(keyring.tokens, "confirm", letter.id)
        code = tokens.make_code(keyring.codes, letter.id)
        valid_until = written_at + LINK_WORKS
        if closes_at is not None:
            valid_until = min(valid_until, closes_at + CONFIRMING_GRACE)
        kept += [
            (tokens.hash_token("confirm", confirm), "confirm", valid_until),
            (tokens.hash_code(keyring.codes, signature_id, code), "code", min(written_at + CODE_WORKS, valid_until)),
        ]
    statement = insert_if_absent(cast("Table", Token.__table__), dialect_of(session))
    for hashed, purpose, expires_at in kept:
        session.execute(
            statement,
            {
                "hash": hashed,
                "purpose": purpose,
                "letter_id": letter.id,
                "signature_id": signature_id,
                "created_at": written_at,
                "expires_at": expires_at,
            },
        )
    if letter.attempts == 1:
        _end_old_links(session, signature_id, written_at)
    return Links(confirm, manage, code, valid_until)


def _end_old_links(session: Session, signature_id: UUID, now: datetime) -> None:
    """Leave the links of the last three letters working."""
    session.flush()
    working = (
        select(Letter.id)
        .where(Letter.signature_id == signature_id, Letter.written_at.is_not(None))
        .order_by(Letter.written_at.desc(), Letter.created_at.desc())
        .limit(LETTERS_WITH_WORKING_LINKS)
    )
    old = (Token.signature_id == signature_id, Token.letter_id.not_in(working))
    session.execute(update(Token).where(*old, Token.purpose == "confirm").values(expires_at=now))
    session.execute(delete(Token).where(*old, Token.purpose != "confirm"))


def _has_quota(session: Session, keyring: Keyring, campaign_id: UUID, address: str, *, now: datetime) -> bool:
    """Count this letter against what the address may get today, from this campaign and from all; False where full.

    What is counted is a keyed hash whose key dies with the day's salt, so that the numbers can never be read back. The
    campaign comes first: what it has no room for must not use up the room of the others.
    """
    today = now.date()
    key = keyed_hash(keyring.quotas, _salt_of(session, today))
    mailbox = canonical_email(address).encode()
    return _use_quota(
        session, keyed_hash(key, mailbox, campaign_id.bytes), today, DAILY_FROM_A_CAMPAIGN
    ) and _use_quota(session, keyed_hash(key, mailbox), today, DAILY_FROM_ALL)


def _salt_of(session: Session, today: object) -> bytes:
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
