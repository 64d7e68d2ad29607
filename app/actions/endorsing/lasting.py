"""What a change of the text owes to organisations, and what time takes away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select, update

from app.actions.endorsing.rows import NO_DETAILS, forget_pictures
from app.actions.endorsing.telling import ask_again
from app.models import AuthorityLetter, Endorsement, Letter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

UNCONFIRMED_KEPT: Final = timedelta(days=14)
#: For how long it is still known who spoke for an organisation that was declined or removed: they are told why.
ENDED_KEPT: Final = timedelta(days=14)
CHUNK: Final = 500


def ask_endorsers_again(session: Session, *, campaign_id: UUID, now: datetime) -> int:
    """Owe a letter to every organisation that signed a text of another substance, once a text; return to how many."""
    return ask_again(session, campaign_id, now)


def expire_endorsements(session: Session, *, now: datetime) -> int:
    """End forms that no mailbox confirmed in 14 days, and empty what is held of those that ended; return how many.

    Who is to speak for an organisation next, and has not confirmed in 14 days, is forgotten too. ``CHUNK``: there may
    be more to do.
    """
    unconfirmed = (Endorsement.state == "asked", Endorsement.asked_at <= now - UNCONFIRMED_KEPT)
    expired = _empty(session, unconfirmed, state="expired", ended_at=now)
    ended = (
        Endorsement.state.in_(("declined", "removed")),
        Endorsement.ended_at <= now - ENDED_KEPT,
        Endorsement.email.is_not(None),
    )
    emptied = _empty(session, ended)
    for endorsement_id in emptied:
        forget_pictures(session, endorsement_id)
    _forget_successors(session, now)
    return max(len(expired), len(emptied))


def forget_endorsers(session: Session, *, campaign_id: UUID) -> None:
    """Empty what is held of all who spoke for organisations; the organisations stay. Their key is destroyed."""
    session.execute(update(Endorsement).where(Endorsement.campaign_id == campaign_id).values(**NO_DETAILS))
    own = select(Endorsement.id).where(Endorsement.campaign_id == campaign_id)
    session.execute(
        update(AuthorityLetter)
        .where(AuthorityLetter.endorsement_id.in_(own), AuthorityLetter.content.is_not(None))
        .values(content=None)
        .execution_options(synchronize_session=False)
    )


def _empty(session: Session, which: Sequence[ColumnElement[bool]], **values: object) -> Sequence[UUID]:
    due = select(Endorsement.id).where(*which).limit(CHUNK)
    return session.scalars(
        update(Endorsement)
        # Said twice: a row that somebody confirms or restores in this very moment is left alone.
        .where(Endorsement.id.in_(due), *which)
        .values(**values, **NO_DETAILS)
        .returning(Endorsement.id)
        .execution_options(synchronize_session=False)
    ).all()


def _forget_successors(session: Session, now: datetime) -> None:
    # Held first, and looked at then: somebody may be named in this very moment.
    named = session.scalars(
        select(Endorsement.id).where(Endorsement.successor.is_not(None)).with_for_update(key_share=True)
    ).all()
    recently = exists().where(
        Letter.campaign_id == Endorsement.campaign_id,
        Letter.kind == "endorse",
        Letter.subject_id == Endorsement.id,
        Letter.dedupe_key.contains(":successor:"),
        Letter.created_at > now - UNCONFIRMED_KEPT,
    )
    session.execute(
        update(Endorsement)
        .where(Endorsement.id.in_(named), ~recently)
        .values(successor=None)
        .execution_options(synchronize_session=False)
    )
