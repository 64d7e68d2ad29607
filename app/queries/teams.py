"""Teams: who works on what, who was asked to, and the campaigns of one person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.core.tokens import hash_token
from app.models import Account, Campaign, Invitation, Letter, Member, Token, open_account_key, open_account_name
from app.queries.campaigns import SIGNATURES_SO_FAR
from app.queries.drafts import find_draft_titles
from app.rules.permissions import Membership, Role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring


@dataclass(frozen=True, slots=True)
class MyCampaign:
    """A campaign of somebody's team, as a line of their first page."""

    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    titles: Mapping[str, str]
    membership: Membership
    signatures: int


@dataclass(frozen=True, slots=True)
class TeamMember:
    """Somebody of a team. The address is for owners."""

    account_id: UUID
    name: str | None
    email: str
    role: str
    locales: tuple[str, ...]
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """An invitation that was not answered yet; ``is_over`` once it is too old."""

    id: UUID
    email: str
    role: str
    locales: tuple[str, ...]
    expires_at: datetime
    is_over: bool
    has_failed: bool  # the last letter could not be delivered


@dataclass(frozen=True, slots=True)
class Invited:
    """What an invitation says to whom it was sent."""

    id: UUID
    campaign_id: UUID
    slug: str
    kind: str
    reference: str | None
    source_locale: str
    timezone: str
    titles: Mapping[str, str]
    role: str
    locales: tuple[str, ...]
    inviter: str | None
    account_id: UUID | None  # of the address that was invited, where it has one already
    state: str
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Tell whether it can be answered."""
        return self.state == "sent" and now < self.expires_at


def list_my_campaigns(session: Session, *, account_id: UUID) -> list[MyCampaign]:
    """Return the campaigns in whose team an account is, newest first."""
    rows = session.execute(
        select(Campaign, Member, SIGNATURES_SO_FAR)
        .join(Member, Member.campaign_id == Campaign.id)
        .where(Member.account_id == account_id)
        .order_by(Campaign.created_at.desc(), Campaign.slug)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.Campaign.id for row in rows])
    return [
        MyCampaign(
            slug=row.Campaign.slug,
            kind=row.Campaign.kind,
            state=row.Campaign.state,
            reference=row.Campaign.reference,
            source_locale=row.Campaign.source_locale,
            titles=titles.get(row.Campaign.id, {}),
            membership=Membership(Role(row.Member.role), frozenset(row.Member.locales)),
            signatures=row.signatures,
        )
        for row in rows
    ]


def list_members(session: Session, *, campaign_id: UUID, keyring: Keyring) -> list[TeamMember]:
    """Return a campaign's team, in the order in which they came."""
    key = open_account_key(session, keyring=keyring)
    rows = session.execute(
        select(Member, Account)
        .join(Account, Account.id == Member.account_id)
        .where(Member.campaign_id == campaign_id)
        .order_by(Member.joined_at, Account.id)
    )
    return [
        TeamMember(
            account_id=row.Account.id,
            name=open_account_name(key, row.Account.id, row.Account.name),
            email=_open(key, "accounts.email", row.Account.id, row.Account.email),
            role=row.Member.role,
            locales=tuple(row.Member.locales),
            joined_at=row.Member.joined_at,
        )
        for row in rows
    ]


def list_sent_invitations(
    session: Session, *, campaign_id: UUID, keyring: Keyring, now: datetime
) -> list[SentInvitation]:
    """Return the invitations into a team that nobody has answered, oldest first."""
    key = open_account_key(session, keyring=keyring)
    last_state = (
        select(Letter.state)
        .where(Letter.kind == "invitation", Letter.subject_id == Invitation.id)
        .order_by(Letter.created_at.desc(), Letter.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Invitation, last_state.label("letter"))
        .where(Invitation.campaign_id == campaign_id, Invitation.state == "sent")
        .order_by(Invitation.created_at, Invitation.id)
    )
    return [
        SentInvitation(
            id=row.Invitation.id,
            email=_open(key, "invitations.email", row.Invitation.id, row.Invitation.email),
            role=row.Invitation.role,
            locales=tuple(row.Invitation.locales),
            expires_at=row.Invitation.expires_at,
            is_over=row.Invitation.expires_at <= now,
            has_failed=row.letter in {"failed", "bounced"},
        )
        for row in rows
    ]


def list_my_invitations(session: Session, *, account_id: UUID, keyring: Keyring, now: datetime) -> list[Invited]:
    """Return the invitations to an account's address that can still be answered."""
    ids = session.scalars(
        select(Invitation.id)
        .join(Account, Account.email_index == Invitation.email_index)
        .where(Account.id == account_id, Invitation.state == "sent", Invitation.expires_at > now)
        .order_by(Invitation.created_at, Invitation.id)
    ).all()
    return [_read_invitation(session, each, keyring) for each in ids]


def find_invitation(session: Session, *, token: str, keyring: Keyring) -> Invited | None:
    """Return the invitation that a letter's link belongs to, in whatever state, or None."""
    row = session.execute(
        select(Letter.subject_id, Token.expires_at)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("invitation", token), Token.purpose == "invitation")
    ).first()
    if row is None:
        return None
    invitation = _read_invitation(session, row.subject_id, keyring)
    # Each letter's link has its own week, though the invitation may have got another since.
    return replace(invitation, expires_at=min(invitation.expires_at, row.expires_at))


def _read_invitation(session: Session, invitation_id: UUID, keyring: Keyring) -> Invited:
    row = session.execute(
        select(Invitation, Campaign, Account)
        .join(Campaign, Campaign.id == Invitation.campaign_id)
        .join(Account, Account.id == Invitation.invited_by)
        .where(Invitation.id == invitation_id)
    ).one()
    invitation, campaign = row.Invitation, row.Campaign
    account_id = session.scalar(select(Account.id).where(Account.email_index == invitation.email_index))
    return Invited(
        id=invitation.id,
        campaign_id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        titles=find_draft_titles(session, campaign_ids=[campaign.id]).get(campaign.id, {}),
        role=invitation.role,
        locales=tuple(invitation.locales),
        inviter=open_account_name(open_account_key(session, keyring=keyring), row.Account.id, row.Account.name),
        account_id=account_id,
        state=invitation.state,
        expires_at=invitation.expires_at,
    )


def _open(key: DataKey | None, place: str, row: UUID, sealed: bytes) -> str:
    assert key is not None  # noqa: S101 - what it sealed is there, and so is the key
    return key.open(place, row, sealed)
