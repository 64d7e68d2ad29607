"""What a parliament, a minister or a member answered: recorded, corrected, removed, and told to signers who asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import and_, select, update

from app.actions.life import record_answered
from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Response

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

KINDS: Final = ("resolution", "government", "statement", "other")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says and who gave it; ``language`` is a BCP 47 tag, ``url`` that of the document."""

    kind: str
    body: str
    answered_on: date
    language: str
    title: str
    text: str
    url: str | None


class ResponseNotFound(Exception):
    """No such answer belongs to this campaign, or it was removed."""


class ResponseChanged(Exception):
    """Somebody else corrected the answer since it was shown."""


class ResponseToldAlready(Exception):
    """It was decided before to tell signers."""


def record_response(
    session: Session,
    *,
    response_id: UUID,
    campaign_id: UUID,
    answer: Answer,
    account_id: UUID,
    now: datetime,
    is_awaited: bool = False,
) -> None:
    """Keep an answer, once for each ``response_id``.

    One that ``is_awaited`` moves a presented campaign to answered. Raises CampaignCannotMove, DateRefused; where the
    form came before and said something else, ResponseChanged, or ResponseNotFound as `correct_response` does.
    """
    kept = session.connection().execute(
        insert_if_absent(cast("Table", Response.__table__), dialect_of(session)),
        {
            "id": response_id,
            "campaign_id": campaign_id,
            **asdict(answer),
            "created_by": account_id,
            "created_at": now,
        },
    )
    if kept.rowcount != 1:
        # The form came twice: as it was, which changes nothing, or changed in between, over nothing that was shown.
        correct_response(
            session,
            response_id=response_id,
            campaign_id=campaign_id,
            answer=answer,
            shown="",
            account_id=account_id,
            now=now,
        )
        return
    details = {"response": str(response_id), "kind": answer.kind}
    record(session, what="response_recorded", now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    if is_awaited:
        record_answered(
            session, campaign_id=campaign_id, answered_on=answer.answered_on, account_id=account_id, now=now
        )


def correct_response(
    session: Session,
    *,
    response_id: UUID,
    campaign_id: UUID,
    answer: Answer,
    shown: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Change what an answer says, if it still says what was ``shown`` (its `fingerprint`).

    Raises ResponseNotFound, ResponseChanged.
    """
    current = session.scalars(select(Response).where(_is_living(campaign_id, response_id)).with_for_update()).first()
    if current is None:
        raise ResponseNotFound
    before = Answer(**{name: getattr(current, name) for name in asdict(answer)})
    if fingerprint(before) != shown:
        if before == answer:
            return  # the same correction, sent twice
        raise ResponseChanged
    if before == answer:
        return
    session.execute(update(Response).where(Response.id == response_id).values(**asdict(answer)))
    changed = [name for name, value in asdict(answer).items() if value != getattr(before, name)]
    details = {"response": str(response_id), "changed": changed}
    record(session, what="response_corrected", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def remove_response(session: Session, *, response_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take an answer off the page; what was decided about it stays on record. Raises ResponseNotFound."""
    removed = session.scalar(
        update(Response).where(_is_living(campaign_id, response_id)).values(removed_at=now).returning(Response.id)
    )
    if removed is None:
        raise ResponseNotFound
    details = {"response": str(response_id)}
    record(session, what="response_removed", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def tell_signers(session: Session, *, response_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Decide, once, that signers who asked for news are told; background work owes the letters.

    Raises ResponseNotFound, ResponseToldAlready.
    """
    decided = session.scalar(
        update(Response)
        .where(_is_living(campaign_id, response_id), Response.told_at.is_(None))
        .values(told_at=now, reached_id=None)
        .returning(Response.id)
    )
    if decided is None:
        if session.scalar(select(Response.id).where(_is_living(campaign_id, response_id))) is None:
            raise ResponseNotFound
        raise ResponseToldAlready
    details = {"response": str(response_id)}
    record(session, what="response_told", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def fingerprint(answer: Answer) -> str:
    """Return a short digest of what an answer says: a form names what it was made from."""
    said = json.dumps(asdict(answer), default=str, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _is_living(campaign_id: UUID, response_id: UUID) -> ColumnElement[bool]:
    return and_(Response.id == response_id, Response.campaign_id == campaign_id, Response.removed_at.is_(None))
