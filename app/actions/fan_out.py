"""Fan-out: letters that many signers are owed because of one row, in chunks, whatever dies in between.

There are three such rows:

- an update that is ``queued`` owes ``update`` to who had confirmed by ``queued_at`` and wants updates;
- a response with ``told_at`` owes ``response`` to who had confirmed by then and wants updates;
- an edition after the first that ``is_substantive`` owes ``edition_changed`` to who signed an *earlier* one and had
  confirmed when it was made (``created_at``), whether or not they want updates. Its ``asked_at`` is when all were owed.

Whoever wants letters to go out writes that row, in the transaction of the decision, and nothing more: the background
work (``app/jobs/fan_out.py``) finds it. Each step owes up to `CHUNK` letters, to signatures in the order of their ids,
and moves ``reached_id`` to the last of them in the same transaction; `END` there says that all are owed. A letter's
dedupe key is ``<kind>:<row>:<signature>``, its ``subject_id`` the row and its ``signature_id`` the signer, in whose
language it is. What it says, and whether its signer is still to get it, is for its kind's ``prepare`` in ``app/mail``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import and_, func, or_, select, update

from app.core.db import dialect_of, insert_if_absent
from app.models import Edition, Letter, Response, Signature, Update

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Table
    from sqlalchemy.orm import InstrumentedAttribute, Session

CHUNK: Final = 500
#: Where a cursor stands once every letter is owed: after the last id that there can be.
END: Final = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class FanOut:
    """One kind of row that owes letters: where it says so, and to whom."""

    kind: str
    table: type[Update | Response | Edition]
    asked_at: InstrumentedAttribute[Any]
    is_asked: ColumnElement[bool]
    is_chosen: Callable[[UUID, UUID], ColumnElement[bool]]  # which of the campaign's confirmed signatures
    ended_at: str | None = None  # the column that takes the moment at which all letters were owed


def _who_want_news(_subject_id: UUID, _campaign_id: UUID) -> ColumnElement[bool]:
    return Signature.wants_updates.is_(True)


def _who_signed_before(subject_id: UUID, campaign_id: UUID) -> ColumnElement[bool]:
    number = select(Edition.number).where(Edition.id == subject_id).scalar_subquery()
    return Signature.edition_id.in_(
        select(Edition.id).where(Edition.campaign_id == campaign_id, Edition.number < number)
    )


FAN_OUTS: Final = {
    each.kind: each
    for each in (
        FanOut("update", Update, Update.queued_at, Update.state == "queued", _who_want_news),
        FanOut(
            "response",
            Response,
            Response.told_at,
            and_(Response.told_at.is_not(None), Response.removed_at.is_(None)),
            _who_want_news,
        ),
        FanOut(
            "edition_changed",
            Edition,
            Edition.created_at,
            and_(Edition.is_substantive.is_(True), Edition.number > 1),
            _who_signed_before,
            "asked_at",
        ),
    )
}


def list_fan_outs(session: Session) -> list[tuple[str, UUID]]:
    """Return the rows that still owe letters, as kind and id."""
    found: list[tuple[str, UUID]] = []
    for each in FAN_OUTS.values():
        ids = session.scalars(select(each.table.id).where(each.is_asked, _owes_more(each)).order_by(each.asked_at))
        found += [(each.kind, subject_id) for subject_id in ids]
    return found


def is_outbox_full(session: Session, *, now: datetime) -> bool:
    """Tell whether a chunk of letters or more waits to be sent: owing further ones would only lengthen the queue."""
    waiting = select(Letter.id).where(Letter.state == "queued", Letter.due_at <= now).limit(CHUNK).subquery()
    return session.scalars(select(func.count()).select_from(waiting)).one() >= CHUNK


def fan_out(session: Session, *, kind: str, subject_id: UUID, now: datetime) -> int:
    """Owe the next letters of one row and move its cursor; return how many there were.

    Workers side by side do no harm: one holds the row, and the others find nothing to do.
    """
    spec = FAN_OUTS[kind]
    table = spec.table
    subject = session.execute(
        select(table.campaign_id, table.reached_id, spec.asked_at.label("asked_at"))
        .where(table.id == subject_id, spec.is_asked, _owes_more(spec))
        .with_for_update(skip_locked=True, key_share=True)
    ).first()
    if subject is None:
        return 0
    signers = _list_signers(session, spec, subject_id, subject)
    if signers:
        session.execute(
            insert_if_absent(cast("Table", Letter.__table__), dialect_of(session)),
            [_as_letter(kind, subject_id, subject.campaign_id, signer, now) for signer in signers],
        )
    is_end = len(signers) < CHUNK
    moved: dict[str, Any] = {"reached_id": END if is_end else signers[-1].id}
    if is_end and spec.ended_at is not None:
        moved[spec.ended_at] = now
    session.execute(update(table).where(table.id == subject_id).values(moved))
    return len(signers)


def _owes_more(spec: FanOut) -> ColumnElement[bool]:
    return or_(spec.table.reached_id.is_(None), spec.table.reached_id != END)


def _list_signers(session: Session, spec: FanOut, subject_id: UUID, subject: Row[Any]) -> Sequence[Row[UUID, str]]:
    """Return the next signatures. Somebody who confirmed after the decision is not written to about it."""
    statement = select(Signature.id, Signature.locale).where(
        Signature.campaign_id == subject.campaign_id,
        Signature.state == "confirmed",
        Signature.confirmed_at <= subject.asked_at,
        spec.is_chosen(subject_id, subject.campaign_id),
    )
    if subject.reached_id is not None:
        statement = statement.where(Signature.id > subject.reached_id)
    return session.execute(statement.order_by(Signature.id).limit(CHUNK)).all()


def _as_letter(kind: str, subject_id: UUID, campaign_id: UUID, signer: Row[UUID, str], now: datetime) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "kind": kind,
        "campaign_id": campaign_id,
        "subject_id": subject_id,
        "signature_id": signer.id,
        "locale": signer.locale,
        "dedupe_key": f"{kind}:{subject_id}:{signer.id}",
        "state": "queued",
        "due_at": now,
        "attempts": 0,
        "created_at": now,
    }
