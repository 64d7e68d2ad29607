"""Signing and confirming: a form becomes a pending signature and a letter; one press, or a code, makes it count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import and_, bindparam, case, exists, insert, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from app.actions.own_signature import NO_DETAILS
from app.actions.standing import note_day
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import LIVING_STATES, Campaign, CountEvent, Decision, Edition, Letter, Signature, Token, TurnedAway
from app.rules.integrity import CLEAN, HELD_BEFORE, WEIGHTS, Judgement, rule_of
from app.rules.life import CONFIRMABLE_STATES, CONFIRMING_GRACE
from app.rules.normalise import canonical_email, mail_domain, name_keys

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

LETTERS_A_SIGNATURE: Final = 5
VERSIONS: Final = 5
BETWEEN_LETTERS: Final = timedelta(seconds=60)
CODE_TRIES_A_DAY: Final = 5
SLOTS: Final = (1, 2)

_signatures: Table = cast("Table", Signature.__table__)
_letters: Table = cast("Table", Letter.__table__)
_turned_away: Table = cast("Table", TurnedAway.__table__)
# Made once, and executed on the connection itself: a statement that is built for each call, or that goes through the
# ORM, costs more than running it.
_INSERT_LETTER: Final = insert(_letters)
_INSERT_EVENT: Final = insert(cast("Table", CountEvent.__table__))


@dataclass(frozen=True, slots=True)
class Signer:
    """What a person said about themselves in a form, cleaned."""

    name: str
    email: str
    country: str
    subdivision: str | None
    postal_code: str | None
    phone: str | None
    claims: tuple[str, ...]
    is_name_shown: bool
    wants_updates: bool
    district: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a form came from, as far as that is kept (hashed, with the campaign's key), and what it was judged to be.

    ``address``: an IPv4 address or an IPv6 /64; ``network``: an IPv4 /24 or an IPv6 /48.
    """

    address: str | None = None
    network: str | None = None
    judgement: Judgement = CLEAN


UNKNOWN_ORIGIN: Final = Origin()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A signature is counted, by this press or by an earlier one."""

    signature_id: UUID
    campaign_slug: str
    email: bytes | None = None  # sealed; from the press that counted it alone


class ConfirmationRefused(Exception):
    """Nothing was counted: the link or code is unknown, too old, used up, or the campaign no longer takes it."""


def request_signature(
    session: Session,
    *,
    campaign_id: UUID,
    edition_id: UUID,
    locale: str,
    signer: Signer,
    key: DataKey,
    now: datetime,
    source: str | None = None,
    origin: Origin = UNKNOWN_ORIGIN,
    people: int = 1,
) -> UUID:
    """Keep a form as a pending signature, owe the letter that asks to confirm it, and return the signature's id.

    The same form again, whether pressed twice or sent fifty times at once, is the same signature and no further letter
    within a minute. A form that says something else makes another version. An address that has signed already gets a
    letter that says so. Whoever sent the form is told the same in every case. ``source`` is the mark of the link that
    led here; it says nothing about the person, and the same form by another link is the same form. ``origin`` is where
    the form came from and what that made of it; whoever sent it is told the same in every case. ``people`` is how many
    may sign from one mailbox: where they are two, another name is another person, until both places are taken.
    """
    row = new_signature_row(
        campaign_id=campaign_id,
        edition_id=edition_id,
        locale=locale,
        signer=signer,
        key=key,
        now=now,
        source=source,
        origin=origin,
    )
    return _keep(session, row, people=people, now=now)


def request_another_letter_by_email(
    session: Session, *, campaign_id: UUID, email: str, locale: str, key: DataKey, now: datetime
) -> None:
    """Owe the letter of whoever has this address again, where there is somebody."""
    living = _living_rows(session, campaign_id, key.index("email", canonical_email(email)))
    newest = {each.slot: each.id for each in living}
    # Where two people have the address, nobody knows which of them asks: the second letter follows the first.
    for place, signature_id in enumerate(newest.values()):
        owe_another_letter(session, signature_id=signature_id, locale=locale, now=now + place * BETWEEN_LETTERS)


def request_another_letter_by_token(session: Session, *, token: str, locale: str, now: datetime) -> bool:
    """Owe the letter of an old confirmation link again; False where no such link was ever sent."""
    signature_id = session.scalar(
        select(Token.signature_id).where(Token.hash == tokens.hash_token("confirm", token), Token.purpose == "confirm")
    )
    if signature_id is None:
        return False
    owe_another_letter(session, signature_id=signature_id, locale=locale, now=now)
    return True


def note_turned_away(session: Session, *, campaign_id: UUID) -> None:
    """Count a form whose sender may not sign. Nothing else is kept of it."""
    dialect = postgresql if dialect_of(session) == "postgresql" else sqlite
    statement = dialect.insert(_turned_away).values(campaign_id=campaign_id, forms=1)
    more = {"forms": _turned_away.c.forms + 1}
    session.execute(statement.on_conflict_do_update(index_elements=["campaign_id"], set_=more))


def confirm_by_token(session: Session, *, token: str, now: datetime) -> Confirmed:
    """Count the signature that ``token`` was sent for, once. Raises ConfirmationRefused."""
    values = _confirm_values(now, hash=tokens.hash_token("confirm", token))
    confirmed = session.connection().execute(_CONFIRM_BY_TOKEN, values).first()
    if confirmed is not None:
        return _count(session, confirmed, now)
    already = session.execute(
        select(Signature.id, Campaign.slug)
        .join(Token, Token.signature_id == Signature.id)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .where(Token.hash == tokens.hash_token("confirm", token), Token.purpose == "confirm", _is_counted_elsewhere())
    ).first()
    if already is None:
        raise ConfirmationRefused
    return Confirmed(already.id, already.slug)


def confirm_by_code(
    session: Session, *, campaign_id: UUID, signature_ids: tuple[UUID, ...], code: str, codes_key: bytes, now: datetime
) -> Confirmed | None:
    """Count the one of ``signature_ids`` that was sent ``code``; None, after five wrong tries a day too."""
    for signature_id in signature_ids:
        if not use_code_try(session, campaign_id=campaign_id, signature_id=signature_id, now=now):
            continue
        is_right = session.scalar(
            select(Token.letter_id).where(
                Token.hash == tokens.hash_code(codes_key, signature_id, code),
                Token.purpose == "code",
                Token.signature_id == signature_id,
                Token.expires_at > now,
            )
        )
        if is_right is None:
            continue
        values = _confirm_values(now, confirmed_id=signature_id)
        confirmed = session.connection().execute(_CONFIRM_BY_ID, values).first()
        if confirmed is not None:
            return _count(session, confirmed, now)
        already = session.execute(
            select(Signature.id, Campaign.slug)
            .join(Campaign, Campaign.id == Signature.campaign_id)
            .where(Signature.id == signature_id, _is_counted_elsewhere())
        ).first()
        if already is not None:
            return Confirmed(already.id, already.slug)
    return None


def list_living_signatures(session: Session, *, campaign_id: UUID, email: str, key: DataKey) -> tuple[UUID, ...]:
    """Return the ids of the living signatures of an address, for a code typed where no cookie came along."""
    return tuple(each.id for each in _living_rows(session, campaign_id, key.index("email", canonical_email(email))))


def owe_another_letter(session: Session, *, signature_id: UUID, locale: str, now: datetime) -> None:
    """Owe a further letter to a living signature: at most five, a minute apart, one waiting at a time."""
    current = session.execute(
        select(_signatures).where(_signatures.c.id == signature_id, _signatures.c.state.in_(LIVING_STATES))
    ).first()
    if current is None or current.last_letter_at > now:
        return
    due_at = max(now, current.last_letter_at + BETWEEN_LETTERS)
    number = session.scalar(
        update(_signatures)
        .where(
            _signatures.c.id == signature_id,
            _signatures.c.state == current.state,
            _signatures.c.letters == current.letters,
            _signatures.c.letters < LETTERS_A_SIGNATURE,
        )
        .values(letters=_signatures.c.letters + 1, last_letter_at=due_at)
        .returning(_signatures.c.letters)
    )
    if number is not None:
        kind = "already_signed" if current.state == "confirmed" else "confirm"
        _owe_letter(session, {**current._mapping, "locale": locale}, number=number, due_at=due_at, kind=kind)  # noqa: SLF001 - SQLAlchemy's public name for it


def new_signature_row(
    *,
    campaign_id: UUID,
    edition_id: UUID,
    locale: str,
    signer: Signer,
    key: DataKey,
    now: datetime,
    source: str | None = None,
    origin: Origin = UNKNOWN_ORIGIN,
) -> dict[str, Any]:
    """Return a pending signature as its table keeps it: what is personal sealed, what is compared hashed."""
    signature_id = uuid4()
    name_alone, name_and_code = name_keys(signer.name, signer.postal_code)
    details = (
        signer.name, signer.email, signer.country, signer.subdivision or "", signer.postal_code or "",
        signer.phone or "", " ".join(signer.claims), str(signer.is_name_shown), str(signer.wants_updates),
        str(edition_id),
        # Only where there is one: whoever gives none sends the same form as before districts were asked.
        *((signer.district,) if signer.district else ()),
    )  # fmt: skip

    def seal(column: str, text: str | None) -> bytes | None:
        return None if text is None else key.seal(f"signatures.{column}", signature_id, text)

    return {
        "id": signature_id,
        "campaign_id": campaign_id,
        "edition_id": edition_id,
        "locale": locale,
        "state": "pending",
        "standing": "quarantined" if origin.judgement.outcome == "quarantined" else "counted",
        "version": 1,
        "slot": 1,
        "email_index": key.index("email", canonical_email(signer.email)),
        "details_index": key.index("details", "\0".join(details)),
        "person_index": key.index("person", name_and_code),
        "domain_index": key.index("domain", mail_domain(signer.email)),
        "name_index": key.index("name", name_alone),
        "address_index": None if origin.address is None else key.index("address", origin.address),
        "network_index": None if origin.network is None else key.index("network", origin.network),
        "score": origin.judgement.score,
        "signals": list(origin.judgement.signals),
        "name": seal("name", signer.name),
        "email": seal("email", signer.email),
        "phone": seal("phone", signer.phone),
        "postal_code": seal("postal_code", signer.postal_code),
        "country": signer.country,
        "subdivision": signer.subdivision,
        "district": signer.district,
        "claims": list(signer.claims),
        "is_logged": False,
        "is_name_shown": signer.is_name_shown,
        "wants_updates": signer.wants_updates,
        "source": source,
        "created_at": now,
        "letters": 1,
        "last_letter_at": now,
        "code_tries": 0,
    }


def _keep(session: Session, row: dict[str, Any], *, people: int, now: datetime) -> UUID:
    # Where one person signs from a mailbox, whatever lives there stands in the way of the insert: nothing needs to be
    # looked up first.
    if people == 1 and _insert_signature(session, row):
        _owe_letter(session, row, number=1, due_at=now)
        return cast("UUID", row["id"])
    living = _living_rows(session, row["campaign_id"], row["email_index"])
    slot = 1 if people == 1 else _slot_for(row, living)
    beside = living if people == 1 else [each for each in living if each.slot == slot]
    known = next((each for each in beside if each.state == "confirmed"), None) or next(
        (each for each in beside if each.details_index == row["details_index"]), None
    )
    if known is None and len(beside) < VERSIONS:
        row["slot"] = slot
        # The lowest that is free: one in the middle may have been erased.
        row["version"] = min(set(range(1, VERSIONS + 1)) - {each.version for each in beside})
        row["last_letter_at"] = max([now, *(each.last_letter_at + BETWEEN_LETTERS for each in living)])
        if not _insert_signature(session, row):
            # Somebody was faster, or what stood in the way has just ended: it is all as if the form came only now.
            return _keep(session, {**row, "slot": 1, "version": 1, "last_letter_at": now}, people=people, now=now)
        _owe_letter(session, row, number=1, due_at=row["last_letter_at"])
        return cast("UUID", row["id"])
    known = known or beside[-1]
    if known.last_letter_at <= now - BETWEEN_LETTERS:
        owe_another_letter(session, signature_id=known.id, locale=row["locale"], now=now)
    return cast("UUID", known.id)


def _slot_for(row: dict[str, Any], living: list[Row[Any]]) -> int:
    """Return the place of a form at a mailbox of two: its name's own, else a free one, else one not confirmed yet.

    The last is for the third name: whoever sends forms with invented ones to somebody's address keeps neither of those
    who have it from signing.
    """
    for each in living:
        # What was kept before names were compared may be anybody's.
        if each.name_index in {None, row["name_index"]}:
            return cast("int", each.slot)
    taken = [each.slot for each in living]
    confirmed = {each.slot for each in living if each.state == "confirmed"}
    # An empty place comes first, then the one with fewer forms.
    return min(SLOTS, key=lambda slot: (slot in confirmed, taken.count(slot), slot if slot not in taken else -slot))


def _insert_signature(session: Session, row: dict[str, Any]) -> bool:
    return session.connection().execute(insert_if_absent(_signatures, dialect_of(session)), row).rowcount == 1


def _owe_letter(session: Session, row: Any, *, number: int, due_at: datetime, kind: str = "confirm") -> None:  # noqa: ANN401 - a row or what will be one
    session.connection().execute(
        _INSERT_LETTER,
        {
            "id": uuid4(),
            "kind": kind,
            "campaign_id": row["campaign_id"],
            "signature_id": row["id"],
            "locale": row["locale"],
            "dedupe_key": f"signature:{row['id'].hex}:{number}",
            "state": "queued",
            "due_at": due_at,
            "attempts": 0,
            "created_at": due_at,
        },
    )


def _living_rows(session: Session, campaign_id: UUID, email_index: bytes) -> list[Row[Any]]:
    return list(
        session.execute(
            select(_signatures)
            .where(
                _signatures.c.campaign_id == campaign_id,
                _signatures.c.email_index == email_index,
                _signatures.c.state.in_(LIVING_STATES),
            )
            .order_by(_signatures.c.slot, _signatures.c.created_at, _signatures.c.version)
        )
    )


_other = aliased(Signature, name="other")


def _is_counted_elsewhere() -> Any:  # noqa: ANN401 - an SQL condition
    """Tell whether this signature, or another version of it, is confirmed."""
    return or_(
        Signature.state == "confirmed",
        and_(
            Signature.state.in_(("pending", "superseded")),
            exists().where(
                _other.campaign_id == Signature.campaign_id,
                _other.email_index == Signature.email_index,
                _other.slot == Signature.slot,
                _other.state == "confirmed",
            ),
        ),
    )


def _in_words(state: str) -> Any:  # noqa: ANN401 - an SQL expression
    # Not as a parameter: SQLite would plan again at each execution, PostgreSQL too, since what is bound decides whether
    # a partial index can be used.
    return literal_column(f"'{state}'")


def _confirmed(column: str) -> Any:  # noqa: ANN401 - an SQL expression
    # What comes back is written for SQLite without the names of tables: in a subquery, a column that both have would be
    # compared with itself.
    return literal_column(f"signatures.{column}")


_own_edition = aliased(Edition, name="own_edition")


def _changed_since() -> Any:  # noqa: ANN401 - an SQL expression
    """Return the newest edition that changed the substance of what a signature was given for, or NULL."""
    own = select(_own_edition.number).where(_own_edition.id == _confirmed("edition_id")).scalar_subquery()
    return (
        select(Edition.id)
        .where(Edition.campaign_id == _confirmed("campaign_id"), Edition.is_substantive.is_(True), Edition.number > own)
        .order_by(Edition.number.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )


def _was_held() -> Any:  # noqa: ANN401 - an SQL expression
    """Tell whether this mailbox confirmed one that was set aside or taken out, and withdrew it.

    What nobody confirmed says nothing of the mailbox: anybody can send a form with somebody's address.
    """
    return exists().where(
        _other.campaign_id == _confirmed("campaign_id"),
        _other.email_index == _confirmed("email_index"),
        _other.slot == _confirmed("slot"),
        _other.state == _in_words("withdrawn"),
        _other.standing != _in_words("counted"),
    )


def _confirm_statement(which: Any) -> Any:  # noqa: ANN401 - SQL going in and out
    """Build the guarded update: pending, sent by this link, its campaign still counting, no other version counted."""
    return (
        update(_signatures)
        .where(
            which,
            _signatures.c.state == _in_words("pending"),
            exists().where(
                Campaign.id == _signatures.c.campaign_id,
                Campaign.state.in_([_in_words(state) for state in sorted(CONFIRMABLE_STATES)]),
                or_(
                    and_(Campaign.closes_at.is_(None), Campaign.state != _in_words("closed")),
                    Campaign.closes_at > bindparam("closed_after", type_=Campaign.closes_at.type),
                ),
            ),
            ~exists().where(
                _other.campaign_id == _signatures.c.campaign_id,
                _other.email_index == _signatures.c.email_index,
                _other.slot == _signatures.c.slot,
                _other.state == _in_words("confirmed"),
            ),
        )
        .values(state=_in_words("confirmed"), confirmed_at=bindparam("now", type_=_signatures.c.confirmed_at.type))
        .returning(
            _signatures.c.id,
            _signatures.c.campaign_id,
            _signatures.c.email_index,
            _signatures.c.slot,
            _signatures.c.version,
            _signatures.c.email,
            _signatures.c.locale,
            _signatures.c.standing,
            _signatures.c.signals,
            select(Campaign.slug).where(Campaign.id == _confirmed("campaign_id")).scalar_subquery().label("slug"),
            _changed_since().label("changed_edition_id"),
            _was_held().label("was_held"),
        )
    )


_CONFIRM_BY_TOKEN: Final = _confirm_statement(
    _signatures.c.id
    == select(Token.signature_id)
    .where(
        Token.hash == bindparam("hash", type_=Token.hash.type),
        Token.purpose == _in_words("confirm"),
        Token.expires_at > bindparam("now", type_=Token.expires_at.type),
    )
    .scalar_subquery()
)
_CONFIRM_BY_ID: Final = _confirm_statement(
    # Not called "id": SQLAlchemy keeps the names of the columns for what is set.
    _signatures.c.id == bindparam("confirmed_id", type_=_signatures.c.id.type)
)


def _confirm_values(now: datetime, **which: object) -> dict[str, object]:
    return {"now": now, "closed_after": now - CONFIRMING_GRACE, **which}


def _count(session: Session, confirmed: Row[Any], now: datetime) -> Confirmed:
    is_counted = confirmed.standing == "counted" and not (confirmed.was_held and _hold_again(session, confirmed, now))
    if is_counted:
        session.connection().execute(_INSERT_EVENT, {"campaign_id": confirmed.campaign_id, "change": 1, "at": now})
    if confirmed.version > 1:
        _supersede_other_versions(session, confirmed, now)
    if not is_counted and confirmed.standing != "removed":
        # Its signer is told "confirmed" like everyone. After the other versions: signatures are locked before days.
        rule = session.scalar(
            select(Decision.rule).where(Decision.signature_id == confirmed.id).order_by(Decision.id.desc()).limit(1)
        )
        rule = rule or rule_of(confirmed.signals)
        note_day(session, campaign_id=confirmed.campaign_id, rule=rule, now=now, held=1)
    if confirmed.changed_edition_id is not None:
        # Who had confirmed before the change was asked then; this signer is asked now.
        owe_letter(
            session,
            kind="edition_changed",
            dedupe_key=f"edition_changed:{confirmed.changed_edition_id}:{confirmed.id}",
            locale=confirmed.locale,
            now=now,
            campaign_id=confirmed.campaign_id,
            signature_id=confirmed.id,
            subject_id=confirmed.changed_edition_id,
        )
    return Confirmed(confirmed.id, confirmed.slug, confirmed.email)


def _hold_again(session: Session, confirmed: Row[Any], now: datetime) -> bool:
    """Set aside what comes after one that was not counted; False where a person has looked at this very one."""
    is_looked_at = exists().where(Decision.signature_id == confirmed.id, Decision.account_id.is_not(None))
    if session.scalar(select(is_looked_at)):
        return False
    signals = [HELD_BEFORE, *confirmed.signals]
    session.execute(
        update(_signatures)
        .where(_signatures.c.id == confirmed.id)
        .values(
            standing="quarantined", score=_signatures.c.score + WEIGHTS[HELD_BEFORE], signals=signals, judged_at=now
        )
    )
    decision = {"before": "counted", "after": "quarantined", "rule": rule_of(signals), "at": now}
    session.execute(insert(Decision), {"signature_id": confirmed.id, **decision})
    return True


def _supersede_other_versions(session: Session, confirmed: Row[Any], now: datetime) -> None:
    # The counted row becomes the first version, so that the same address meets it at its first insert ever after.
    session.execute(
        update(_signatures)
        .where(
            _signatures.c.campaign_id == confirmed.campaign_id,
            _signatures.c.email_index == confirmed.email_index,
            _signatures.c.slot == confirmed.slot,
            _signatures.c.state == "pending",
        )
        .values(state="superseded", ended_at=now, **NO_DETAILS)
    )
    session.execute(update(_signatures).where(_signatures.c.id == confirmed.id).values(version=1))


def use_code_try(session: Session, *, campaign_id: UUID, signature_id: UUID, now: datetime) -> bool:
    """Use one of the tries that a signature has for a code today; False where none is left."""
    today = now.date()
    is_new_day = or_(_signatures.c.code_day.is_(None), _signatures.c.code_day != today)
    return (
        session.scalar(
            update(_signatures)
            .where(
                _signatures.c.id == signature_id,
                _signatures.c.campaign_id == campaign_id,
                or_(is_new_day, _signatures.c.code_tries < CODE_TRIES_A_DAY),
            )
            .values(code_day=today, code_tries=case((is_new_day, 1), else_=_signatures.c.code_tries + 1))
            .returning(_signatures.c.id)
        )
        is not None
    )
