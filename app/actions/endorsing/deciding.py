"""What teams and moderators decide of organisations and of their letters of authority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select, update

from app.actions.endorsing.rows import (
    LIVING,
    AuthorityMoved,
    EndorsementMoved,
    NotProven,
    forget_pictures,
    lock_campaign,
    move_endorsement,
    read_endorsement,
    see_that_alone,
    see_that_unremoved,
    see_that_unsigned,
)
from app.actions.endorsing.telling import ask_again, note, notify, tell_team
from app.models import AuthorityLetter, Endorsement, Logo

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session


def decide_endorsement(
    session: Session,
    *,
    campaign_id: UUID,
    endorsement_id: UUID,
    is_accepted: bool,
    because: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Accept an organisation, which signs with that and gets its place in the order of signing, or decline it.

    ``because`` is what its representative reads where it is declined. The same person pressing twice decides once.
    Raises NotProven, EndorsementMoved (somebody else decided, it was withdrawn, or is not of this campaign),
    SignedAlready, RemovedBefore.
    """
    lock_campaign(session, campaign_id)
    endorsement = read_endorsement(session, endorsement_id, campaign_id)
    reaches = "accepted" if is_accepted else "declined"
    if endorsement.state == reaches and endorsement.decided_by == account_id:
        return
    if endorsement.state != "waiting":
        raise EndorsementMoved(endorsement.state)
    values: dict[str, Any] = {"state": reaches, "decided_at": now, "decided_by": account_id, "because": None}
    if is_accepted:
        if endorsement.proof is None:
            raise NotProven
        see_that_unsigned(session, endorsement)
        see_that_unremoved(session, endorsement)
        values["position"] = _next_position(session, campaign_id)
    else:
        values |= {"because": because or None, "ended_at": now}
    move_endorsement(session, endorsement, ("waiting",), **values)
    line = note(session, endorsement, f"endorsement_{reaches}", now=now, account_id=account_id)
    notify(session, endorsement, reaches, line, now)
    if is_accepted:
        # The text may have changed while it waited.
        ask_again(session, campaign_id, now, endorsement_id)
    else:
        forget_pictures(session, endorsement.id)


def take_logo_down(
    session: Session, *, campaign_id: UUID, endorsement_id: UUID, account_id: UUID, now: datetime
) -> None:
    """Delete the picture of an organisation of a campaign, where it has one. Raises EndorsementMoved."""
    endorsement = read_endorsement(session, endorsement_id, campaign_id)
    removed = session.scalar(delete(Logo).where(Logo.endorsement_id == endorsement.id).returning(Logo.endorsement_id))
    if removed is not None:
        note(session, endorsement, "endorsement_logo_removed", now=now, account_id=account_id)


def decide_authority_letter(
    session: Session, *, letter_id: UUID, is_accepted: bool, because: str, account_id: UUID, now: datetime
) -> None:
    """Settle whether a letter shows who may sign; it is emptied with that. The same press again changes nothing.

    Accepted, it is the organisation's proof, and the team is told that it can decide. Raises AuthorityMoved.
    """
    reaches = "accepted" if is_accepted else "refused"
    decided = session.scalar(
        update(AuthorityLetter)
        .where(AuthorityLetter.id == letter_id, AuthorityLetter.state == "waiting")
        .values(state=reaches, content=None, decided_at=now, decided_by=account_id, because=because or None)
        .returning(AuthorityLetter.endorsement_id)
        .execution_options(synchronize_session=False)
    )
    if decided is None:
        same = (AuthorityLetter.id == letter_id, AuthorityLetter.decided_by == account_id)
        if session.scalar(select(AuthorityLetter.state).where(*same)) == reaches:
            return
        raise AuthorityMoved
    endorsement = read_endorsement(session, decided)
    if is_accepted:
        session.execute(
            update(Endorsement)
            .where(Endorsement.id == decided, Endorsement.state.in_(LIVING), Endorsement.proof.is_(None))
            .values(proof="letter")
            .execution_options(synchronize_session=False)
        )
    line = note(session, endorsement, f"authority_letter_{reaches}", now=now, account_id=account_id)
    if endorsement.state != "waiting":
        return
    notify(session, endorsement, f"letter_{reaches}", line, now)
    if is_accepted:
        tell_team(session, endorsement, "waiting", line, now)


def mark_disputed(
    session: Session, *, endorsement_id: UUID, is_disputed: bool, account_id: UUID, now: datetime
) -> None:
    """Say in public that members of the organisation dispute its signature, or no longer; twice is once.

    Raises EndorsementMoved where it is no public signature.
    """
    marked = session.scalar(
        update(Endorsement)
        .where(
            Endorsement.id == endorsement_id,
            Endorsement.state == "accepted",
            Endorsement.disputed_at.is_(None) if is_disputed else Endorsement.disputed_at.is_not(None),
        )
        .values(disputed_at=now if is_disputed else None)
        .returning(Endorsement.id)
        .execution_options(synchronize_session=False)
    )
    endorsement = read_endorsement(session, endorsement_id)
    if marked is None:
        if endorsement.state != "accepted":
            raise EndorsementMoved(endorsement.state)
        return
    what = "endorsement_disputed" if is_disputed else "endorsement_undisputed"
    line = note(session, endorsement, what, now=now, account_id=account_id)
    if is_disputed:
        notify(session, endorsement, "disputed", line, now)


def remove_endorsement(
    session: Session, *, endorsement_id: UUID, because: str, account_id: UUID, now: datetime
) -> None:
    """Take an organisation out, as a moderator does; ``because`` goes to its representative. Raises EndorsementMoved.

    Its place in the order of signing stays its own, and it can be brought back.
    """
    lock_campaign(session, read_endorsement(session, endorsement_id).campaign_id)
    endorsement = read_endorsement(session, endorsement_id)
    if endorsement.state == "removed" and endorsement.decided_by == account_id:
        return
    move_endorsement(
        session, endorsement, LIVING,
        state="removed", because=because or None, ended_at=now, decided_by=account_id,
    )  # fmt: skip
    line = note(session, endorsement, "endorsement_removed", now=now, account_id=account_id)
    notify(session, endorsement, "removed", line, now)
    tell_team(session, endorsement, "removed", line, now)


def restore_endorsement(session: Session, *, endorsement_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take a removal back: it stands again where it stood. Raises EndorsementMoved, SignedAlready."""
    lock_campaign(session, read_endorsement(session, endorsement_id).campaign_id)
    endorsement = read_endorsement(session, endorsement_id)
    reaches = "waiting" if endorsement.position is None else "accepted"
    if endorsement.state == reaches:
        return
    if endorsement.state != "removed":
        raise EndorsementMoved(endorsement.state)
    if reaches == "accepted":
        see_that_unsigned(session, endorsement)
    elif endorsement.email_index is None:
        raise EndorsementMoved(endorsement.state)  # nobody is left whom a decision could reach
    else:
        see_that_alone(session, endorsement, endorsement.email_index)
    move_endorsement(session, endorsement, ("removed",), state=reaches, because=None, ended_at=None)
    line = note(session, endorsement, "endorsement_restored", now=now, account_id=account_id)
    notify(session, endorsement, "restored", line, now)


def _next_position(session: Session, campaign_id: UUID) -> int:
    highest = session.scalar(select(func.max(Endorsement.position)).where(Endorsement.campaign_id == campaign_id))
    return 0 if highest is None else highest + 1
