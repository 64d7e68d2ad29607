"""What a change of the text owes to organisations, and what time takes away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, delete, exists, func, or_, select, update

from app.actions.endorsing.rows import LIVING, NO_DETAILS, NOTHING_SAID, forget_pictures
from app.actions.endorsing.telling import ask_again
from app.models import AuthorityLetter, Campaign, Endorsement, Letter, Record
from app.rules.moves import MOVES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

UNCONFIRMED_KEPT: Final = timedelta(days=14)
#: For how long an organisation waits for a team that decides nothing.
UNDECIDED_KEPT: Final = timedelta(days=90)
#: For how long they are held of a campaign that went back to its draft, or was refused, and is not published again.
UNPUBLISHED_KEPT: Final = timedelta(days=90)
_UNPUBLISHED: Final = frozenset({"draft", "refused"})
_BACK: Final = tuple(
    move.name for move in MOVES.values() if move.reaches & _UNPUBLISHED and not move.leaves <= _UNPUBLISHED
)
#: For how long it is still known who spoke for an organisation that was declined or removed: they are told why.
ENDED_KEPT: Final = timedelta(days=14)
CHUNK: Final = 500


def ask_endorsers_again(session: Session, *, campaign_id: UUID, now: datetime) -> int:
    """Owe a letter to every organisation that signed a text of another substance, once a text; return to how many."""
    return ask_again(session, campaign_id, now)


def expire_endorsements(session: Session, *, now: datetime) -> int:
    """Take away what time takes away of organisations; return how many at most. ``CHUNK``: there may be more to do.

    Forms that no mailbox confirmed in 14 days go, as does what else ended before it signed; of one that was declined or
    withdrew, the row stays and says nothing. Who spoke for one that ended is forgotten after 14 days. Nobody waits for
    a team for longer than 90 days, or for a campaign that is not published again. Who is to speak for an organisation
    next, and has not confirmed in 14 days, is forgotten too.
    """
    changed = [
        *(_delete_unconfirmed(session, now), _end_undecided(session, now)),
        *(*_end_unpublished(session, now), *_empty_ended(session, now)),
    ]
    _forget_successors(session, now)
    return max(changed)


def _delete_unconfirmed(session: Session, now: datetime) -> int:
    unconfirmed = and_(Endorsement.state == "asked", Endorsement.asked_at <= now - UNCONFIRMED_KEPT)
    expired = and_(Endorsement.state == "expired", Endorsement.ended_at <= now - ENDED_KEPT)
    due = (or_(unconfirmed, expired), Endorsement.position.is_(None))
    ids = select(Endorsement.id).where(*due).limit(CHUNK)
    deleted = session.scalars(
        delete(Endorsement)
        # Said twice: a row that somebody confirms in this very moment is left alone.
        .where(Endorsement.id.in_(ids), *due)
        .returning(Endorsement.id)
        .execution_options(synchronize_session=False)
    )
    return len(deleted.all())


def _end_undecided(session: Session, now: datetime) -> int:
    since = func.coalesce(Endorsement.proven_at, Endorsement.asked_at)
    waits = (Endorsement.state == "waiting", since <= now - UNDECIDED_KEPT)
    return _forget(session, _empty(session, waits, state="expired", ended_at=now))


def _end_unpublished(session: Session, now: datetime) -> tuple[int, int]:
    lately = exists().where(
        Record.campaign_id == Campaign.id, Record.what.in_(_BACK), Record.at > now - UNPUBLISHED_KEPT
    )
    campaigns = select(Campaign.id).where(
        Campaign.state.in_(_UNPUBLISHED), Campaign.created_at <= now - UNPUBLISHED_KEPT, ~lately
    )
    there = Endorsement.campaign_id.in_(campaigns)
    waits = (there, Endorsement.state.in_(("asked", "waiting")))
    ended = _forget(session, _empty(session, waits, state="expired", ended_at=now))
    return ended, len(_empty(session, (there, Endorsement.state.in_(LIVING), Endorsement.email.is_not(None))))


def _empty_ended(session: Session, now: datetime) -> tuple[int, int]:
    is_past = Endorsement.ended_at <= now - ENDED_KEPT
    spoken_for = (Endorsement.state.in_(("declined", "removed")), is_past, Endorsement.email.is_not(None))
    emptied = _forget(session, _empty(session, spoken_for))
    never_signed = (Endorsement.state.in_(("declined", "withdrawn")), Endorsement.position.is_(None))
    named = (*never_signed, is_past, Endorsement.name != "")
    return emptied, len(_empty(session, named, **NOTHING_SAID))


def _forget(session: Session, ids: Sequence[UUID]) -> int:
    for endorsement_id in ids:
        forget_pictures(session, endorsement_id)
    return len(ids)


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
