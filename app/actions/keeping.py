"""Keeping documents and pictures: each is made once for a state of its campaign, by whoever claims it first.

A claim is a row without content. Processes share nothing else, so the database decides who makes a document; whoever
loses waits until the content is there. The row of a maker that died is taken over after a while.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, func, or_, select, update

from app.core.db import dialect_of, insert_if_absent
from app.models import KeptDocument

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import CursorResult, Table
    from sqlalchemy.orm import Session

#: After which a claim counts as its maker's who died: the longest letter takes a fifth of it.
CLAIM_LASTS: Final = timedelta(seconds=30)


def claim_document(
    session: Session,
    *,
    campaign_id: UUID,
    name: str,
    state: str,
    media_type: str,
    is_permanent: bool,
    now: datetime,
) -> bool:
    """Tell whether the caller is to make a document; if not, it is made already, or somebody else is at it."""
    inserted = _run(
        session,
        insert_if_absent(cast("Table", KeptDocument.__table__), dialect_of(session)),
        {
            "campaign_id": campaign_id,
            "name": name,
            "state": state,
            "media_type": media_type,
            "content": None,
            "claimed_at": now,
            "made_at": None,
            "is_permanent": is_permanent,
        },
    )
    if inserted:
        return True
    taken_over = (
        update(KeptDocument)
        .filter_by(campaign_id=campaign_id, name=name, state=state)
        .where(KeptDocument.content.is_(None), KeptDocument.claimed_at <= now - CLAIM_LASTS)
        .values(claimed_at=now)
    )
    return _run(session, taken_over) > 0


def keep_document(
    session: Session, *, campaign_id: UUID, name: str, state: str, content: bytes, now: datetime
) -> bytes:
    """Keep what was made and return what is kept: another's, where they took the claim over and were faster.

    Older states of the same name go, unless they are permanent; this one goes where a newer one was made meanwhile.
    """
    kept = _run(
        session,
        update(KeptDocument)
        .filter_by(campaign_id=campaign_id, name=name, state=state)
        .where(KeptDocument.content.is_(None))
        .values(content=content, made_at=now),
    )
    if not kept:
        found = select(KeptDocument.content).filter_by(campaign_id=campaign_id, name=name, state=state)
        return session.scalars(found).one_or_none() or content
    newest = (
        select(func.max(KeptDocument.claimed_at))
        .filter_by(campaign_id=campaign_id, name=name)
        .where(KeptDocument.content.is_not(None))
        .scalar_subquery()
    )
    # One that somebody is making now stays: whoever waits for it would have to make it again.
    is_done = or_(KeptDocument.content.is_not(None), KeptDocument.claimed_at <= now - CLAIM_LASTS)
    session.execute(
        delete(KeptDocument)
        .filter_by(campaign_id=campaign_id, name=name, is_permanent=False)
        .where(KeptDocument.claimed_at < newest, is_done)
        .execution_options(synchronize_session=False)
    )
    return content


def give_up_document(session: Session, *, campaign_id: UUID, name: str, state: str) -> None:
    """Let go of a claim whose document could not be made, so that nobody waits for it."""
    session.execute(
        delete(KeptDocument)
        .filter_by(campaign_id=campaign_id, name=name, state=state)
        .where(KeptDocument.content.is_(None))
        .execution_options(synchronize_session=False)
    )


def _run(session: Session, statement: Any, values: Any = None) -> int:  # noqa: ANN401 - as SQLAlchemy takes them
    """Return how many rows ``statement`` changed."""
    return cast("CursorResult[Any]", session.execute(statement, values)).rowcount
