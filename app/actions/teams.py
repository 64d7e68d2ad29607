"""Teams: people are invited by mail, join, change roles and leave; a campaign is never without an owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import delete, func, select, update

from app.actions.accounts import find_or_create_account, make_account_key
from app.actions.records import record
from app.actions.signing_in import admit_account, needs_second_step
from app.core.db import dialect_of, insert_if_absent
from app.core.tokens import hash_token
from app.mail.outbox import owe_letter
from app.models import (
    Account,
    Campaign,
    Invitation,
    Letter,
    Member,
    Token,
    open_account_key,
    open_campaign_key,
)
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

    from app.actions.signing_in import Browser
    from app.core.keys import Keyring

INVITATION_LASTS: Final = timedelta(days=7)
#: What one account may send in a day: a team's work, and no use to whoever would fill strangers' mailboxes.
INVITATIONS_A_DAY: Final = 30
LETTERS_AN_INVITATION: Final = 3
_ONE_DAY: Final = timedelta(days=1)


class AlreadyMember(Exception):
    """Whoever was invited is in the team already."""


class AlreadyInvited(Exception):
    """The address has an invitation that was not answered yet."""


class TooManyInvitations(Exception):
    """As many letters were sent as an account may send in a day, or as one invitation may take."""


class InvitationEnded(Exception):
    """It was answered, taken back, or is too old; or there never was one."""


class LastOwner(Exception):
    """A campaign needs an owner: this one is its last."""


class NotAllowedAnyMore(Exception):
    """Whoever asks is not an owner by now."""


class MemberNotFound(Exception):
    """Nobody of this team, or nobody any more."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Who joined what, and whether that browser is signed in now; if not, the account has a second step of its own."""

    account_id: UUID
    slug: str
    is_signed_in: bool


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom an invitation is for: an address, a role, and the languages that a translator writes."""

    email: str
    role: str
    locales: Sequence[str]
    locale: str  # of the letter


def invite(
    session: Session,
    *,
    invitation_id: UUID,
    campaign_id: UUID,
    account_id: UUID,
    guest: Guest,
    keyring: Keyring,
    now: datetime,
) -> None:
    """Ask an address into a team; the same ``invitation_id`` again changes nothing.

    Raises AlreadyMember, AlreadyInvited, TooManyInvitations, NotAllowedAnyMore.
    """
    _lock_team(session, campaign_id)
    _see_owner(session, campaign_id, account_id)
    if session.get(Invitation, invitation_id) is not None:
        return
    key = make_account_key(session, keyring=keyring, now=now)
    email_index = key.index("email", canonical_email(guest.email))
    members = select(Account.id).join(Member, Member.account_id == Account.id).where(Member.campaign_id == campaign_id)
    if session.scalar(members.where(Account.email_index == email_index)) is not None:
        raise AlreadyMember
    waiting = select(Invitation.id).where(
        Invitation.campaign_id == campaign_id, Invitation.email_index == email_index, *_waiting(now)
    )
    if session.scalar(waiting) is not None:
        raise AlreadyInvited
    sent_today = select(func.count()).where(Invitation.invited_by == account_id, Invitation.created_at > now - _ONE_DAY)
    if session.scalars(sent_today).one() >= INVITATIONS_A_DAY:
        raise TooManyInvitations
    session.add(
        Invitation(
            id=invitation_id,
            campaign_id=campaign_id,
            email_index=email_index,
            email=key.seal("invitations.email", invitation_id, guest.email),
            role=guest.role,
            locales=list(guest.locales),
            state="sent",
            locale=guest.locale,
            invited_by=account_id,
            created_at=now,
            expires_at=now + INVITATION_LASTS,
        )
    )
    session.flush()
    _owe_invitation(session, invitation_id, campaign_id, locale=guest.locale, number=1, now=now)
    record(
        session,
        what="invited",
        now=now,
        account_id=account_id,
        campaign_id=campaign_id,
        details={"role": guest.role, "locales": list(guest.locales)},
    )


def invite_again(session: Session, *, invitation_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Send an invitation once more, good for another week. Raises InvitationEnded, TooManyInvitations."""
    _lock_team(session, campaign_id)
    _see_owner(session, campaign_id, account_id)
    letters = session.scalars(
        select(func.count()).where(Letter.kind == "invitation", Letter.subject_id == invitation_id)
    ).one()
    if letters >= LETTERS_AN_INVITATION:
        raise TooManyInvitations
    locale = session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.campaign_id == campaign_id, Invitation.state == "sent")
        .values(expires_at=now + INVITATION_LASTS)
        .returning(Invitation.locale)
    )
    if locale is None:
        raise InvitationEnded
    _owe_invitation(session, invitation_id, campaign_id, locale=locale, number=letters + 1, now=now)
    record(session, what="invited_again", now=now, account_id=account_id, campaign_id=campaign_id)


def take_back_invitation(
    session: Session, *, invitation_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime
) -> None:
    """End an invitation that was not answered. Raises InvitationEnded."""
    _lock_team(session, campaign_id)
    _see_owner(session, campaign_id, account_id)
    revoked = session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, Invitation.campaign_id == campaign_id, Invitation.state == "sent")
        .values(state="revoked", answered_at=now)
        .returning(Invitation.id)
    )
    if revoked is None:
        raise InvitationEnded
    record(session, what="invitation_taken_back", now=now, account_id=account_id, campaign_id=campaign_id)


def accept_invitation(
    session: Session, *, token: str, locale: str, browser: Browser, keyring: Keyring, now: datetime
) -> Joined:
    """Take an invitation up: whoever has its link has the mailbox, and needs no other proof. Raises InvitationEnded.

    The account is made where there is none, and signed in, unless it has a second step: a letter does not stand in for
    that one.
    """
    invitation = _answer(session, _find_by_token(session, token, now), "accepted", now)
    key = make_account_key(session, keyring=keyring, now=now)
    email = key.open("invitations.email", invitation.id, invitation.email)
    account_id = find_or_create_account(session, email=email, locale=locale, keyring=keyring, now=now)
    if session.scalar(select(Account.state).where(Account.id == account_id)) != "active":
        raise InvitationEnded
    slug = _join(session, invitation, account_id, now)
    if needs_second_step(session, account_id=account_id):
        return Joined(account_id, slug, is_signed_in=False)
    admit_account(session, account_id=account_id, browser=browser, by="invitation", now=now)
    return Joined(account_id, slug, is_signed_in=True)


def decline_invitation(session: Session, *, token: str, now: datetime) -> None:
    """Say no to an invitation. Raises InvitationEnded."""
    _decline(session, _find_by_token(session, token, now), None, now)


def answer_own_invitation(
    session: Session, *, invitation_id: UUID, account_id: UUID, accepts: bool, now: datetime
) -> str | None:
    """Answer an invitation to the address of who is signed in; return where they joined. Raises InvitationEnded."""
    own = session.scalar(
        select(Invitation.id)
        .join(Account, Account.email_index == Invitation.email_index)
        .where(Invitation.id == invitation_id, Account.id == account_id)
    )
    if own is None:
        raise InvitationEnded
    if not accepts:
        _decline(session, own, account_id, now)
        return None
    return _join(session, _answer(session, own, "accepted", now), account_id, now)


def change_role(
    session: Session,
    *,
    campaign_id: UUID,
    account_id: UUID,
    member_id: UUID,
    role: str,
    locales: Sequence[str],
    keyring: Keyring,
    now: datetime,
) -> None:
    """Give somebody of the team another role. Raises LastOwner, MemberNotFound, NotAllowedAnyMore."""
    _lock_team(session, campaign_id)
    _see_owner(session, campaign_id, account_id)
    if role != "owner":
        _see_another_owner(session, campaign_id, member_id)
    changed = session.scalar(
        update(Member)
        .where(Member.campaign_id == campaign_id, Member.account_id == member_id)
        .values(role=role, locales=list(locales))
        .returning(Member.account_id)
    )
    if changed is None:
        raise MemberNotFound
    if role != "owner":
        _pass_on_address(session, campaign_id, member_id, keyring)
    details = {"member": member_id.hex, "role": role, "locales": list(locales)}
    record(session, what="role_changed", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def remove_member(
    session: Session, *, campaign_id: UUID, account_id: UUID, member_id: UUID, keyring: Keyring, now: datetime
) -> None:
    """Take somebody out of the team, and tell them. Raises LastOwner, MemberNotFound, NotAllowedAnyMore."""
    _lock_team(session, campaign_id)
    _see_owner(session, campaign_id, account_id)
    _take_out(session, campaign_id, member_id, keyring)
    details = {"member": member_id.hex}
    record(session, what="member_removed", now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    member = session.get_one(Account, member_id)
    _tell(session, member, campaign_id, event=f"removed:{now.timestamp()}", subject_id=member_id, now=now)


def leave_team(session: Session, *, campaign_id: UUID, account_id: UUID, keyring: Keyring, now: datetime) -> None:
    """Leave a team, and tell its owners. Raises LastOwner, MemberNotFound."""
    _lock_team(session, campaign_id)
    _take_out(session, campaign_id, account_id, keyring)
    record(session, what="left", now=now, account_id=account_id, campaign_id=campaign_id)
    _tell_owners(session, campaign_id, f"left:{account_id}:{now.timestamp()}", account_id, now)


# Steps


def _lock_team(session: Session, campaign_id: UUID) -> None:
    """Let one change of a team pass at a time: what the next one sees is what this one leaves.

    Signatures refer to the campaign, too, and pass this lock. SQLite has one writer anyhow.
    """
    session.execute(select(Campaign.id).where(Campaign.id == campaign_id).with_for_update(key_share=True))


def _see_owner(session: Session, campaign_id: UUID, account_id: UUID) -> None:
    role = session.scalar(select(Member.role).where(Member.campaign_id == campaign_id, Member.account_id == account_id))
    if role != "owner":
        raise NotAllowedAnyMore


def _see_another_owner(session: Session, campaign_id: UUID, leaver: UUID) -> None:
    """Raise LastOwner where ``leaver`` is the only owner who can still sign in."""
    owners = [account.id for account in _owners(session, campaign_id)]
    if owners == [leaver]:
        raise LastOwner


def _owners(session: Session, campaign_id: UUID) -> list[Account]:
    return list(
        session.scalars(
            select(Account)
            .join(Member, Member.account_id == Account.id)
            .where(Member.campaign_id == campaign_id, Member.role == "owner", Account.state == "active")
            .order_by(Member.joined_at, Account.id)
        )
    )


def _take_out(session: Session, campaign_id: UUID, member_id: UUID, keyring: Keyring) -> None:
    _see_another_owner(session, campaign_id, member_id)
    removed = session.scalar(
        delete(Member)
        .where(Member.campaign_id == campaign_id, Member.account_id == member_id)
        .returning(Member.account_id)
    )
    if removed is None:
        raise MemberNotFound
    _pass_on_address(session, campaign_id, member_id, keyring)


def _pass_on_address(session: Session, campaign_id: UUID, leaver: UUID, keyring: Keyring) -> None:
    """Give the campaign another owner's address where letters to its team went to one who is no owner any more."""
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    accounts = open_account_key(session, keyring=keyring)
    campaign = session.get_one(Campaign, campaign_id)
    account = session.get_one(Account, leaver)
    heirs = _owners(session, campaign_id)
    if key is None or accounts is None or not heirs:
        return
    kept = key.open("campaigns.organiser_email", campaign_id, campaign.organiser_email)
    if canonical_email(kept) != canonical_email(accounts.open("accounts.email", leaver, account.email)):
        return
    email = accounts.open("accounts.email", heirs[0].id, heirs[0].email)
    session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(organiser_email=key.seal("campaigns.organiser_email", campaign_id, email))
    )


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Invitation.state == "sent", Invitation.expires_at > now


def _find_by_token(session: Session, token: str, now: datetime) -> UUID:
    invitation_id = session.scalar(
        select(Letter.subject_id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("invitation", token), Token.purpose == "invitation", Token.expires_at > now)
    )
    if invitation_id is None:
        raise InvitationEnded
    return invitation_id


def _answer(session: Session, invitation_id: UUID, state: str, now: datetime) -> Invitation:
    answered = session.scalar(
        update(Invitation)
        .where(Invitation.id == invitation_id, *_waiting(now))
        .values(state=state, answered_at=now)
        .returning(Invitation.id)
    )
    if answered is None:
        raise InvitationEnded
    return session.get_one(Invitation, invitation_id)


def _decline(session: Session, invitation_id: UUID, account_id: UUID | None, now: datetime) -> None:
    invitation = _answer(session, invitation_id, "declined", now)
    record(session, what="declined", now=now, account_id=account_id, campaign_id=invitation.campaign_id)
    _tell_owners(session, invitation.campaign_id, f"declined:{invitation_id}", invitation_id, now)


def _join(session: Session, invitation: Invitation, account_id: UUID, now: datetime) -> str:
    """Put somebody into the team; who is in it already keeps their role."""
    session.execute(
        insert_if_absent(cast("Table", Member.__table__), dialect_of(session)),
        {
            "campaign_id": invitation.campaign_id,
            "account_id": account_id,
            "role": invitation.role,
            "locales": invitation.locales,
            "joined_at": now,
        },
    )
    details = {"role": invitation.role, "locales": invitation.locales}
    record(session, what="joined", now=now, account_id=account_id, campaign_id=invitation.campaign_id, details=details)
    _tell_owners(session, invitation.campaign_id, f"joined:{invitation.id}", invitation.id, now, besides=account_id)
    return session.scalars(select(Campaign.slug).where(Campaign.id == invitation.campaign_id)).one()


def _owe_invitation(
    session: Session, invitation_id: UUID, campaign_id: UUID, *, locale: str, number: int, now: datetime
) -> None:
    owe_letter(
        session,
        kind="invitation",
        dedupe_key=f"invitation:{invitation_id}:{number}",
        locale=locale,
        now=now,
        campaign_id=campaign_id,
        subject_id=invitation_id,
    )


def _tell_owners(
    session: Session, campaign_id: UUID, event: str, subject_id: UUID, now: datetime, *, besides: UUID | None = None
) -> None:
    for owner in _owners(session, campaign_id):
        if owner.id != besides:
            _tell(session, owner, campaign_id, event=event, subject_id=subject_id, now=now)


def _tell(
    session: Session, account: Account, campaign_id: UUID, *, event: str, subject_id: UUID, now: datetime
) -> None:
    owe_letter(
        session,
        kind="team_notice",
        dedupe_key=f"team_notice:{event}:{account.id}",
        locale=account.locale,
        now=now,
        campaign_id=campaign_id,
        account_id=account.id,
        subject_id=subject_id,
    )
