"""Who is asking: the account behind a session, and its place in a campaign's team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import Account, AccountSession, Campaign, Member, open_account_key
from app.queries.drafts import find_draft_titles
from app.rules.permissions import Membership, Role

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account and the session it came with; ``role`` is that of the service, not of a team."""

    account_id: UUID
    session_id: UUID
    email: str
    name: str | None
    role: str
    locale: str
    proven_at: datetime
    seen_at: datetime
    has_second_step: bool  # an authenticator is set up


@dataclass(frozen=True, slots=True)
class TeamCampaign:
    """A campaign as somebody of its team reaches it: what every page of the workspace says of it."""

    id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    form: str
    promised_locales: tuple[str, ...]
    opens_at: datetime | None
    closes_at: datetime | None
    titles: Mapping[str, str]
    membership: Membership


def find_signed_in(session: Session, *, secret_hash: bytes, keyring: Keyring, now: datetime) -> SignedIn | None:
    """Return who is signed in with a session's secret, or None for an ended session or a disabled account."""
    row = session.execute(
        select(Account, AccountSession)
        .join(AccountSession, AccountSession.account_id == Account.id)
        .where(AccountSession.hash == secret_hash, AccountSession.expires_at > now, Account.state == "active")
    ).first()
    key = None if row is None else open_account_key(session, keyring=keyring)
    if row is None or key is None:
        return None
    account = row.Account
    return SignedIn(
        account_id=account.id,
        session_id=row.AccountSession.id,
        email=key.open("accounts.email", account.id, account.email),
        name=None if account.name is None else key.open("accounts.name", account.id, account.name),
        role=account.role,
        locale=account.locale,
        proven_at=row.AccountSession.proven_at,
        seen_at=row.AccountSession.seen_at,
        has_second_step=account.totp_confirmed_at is not None,
    )


def find_team_campaign(session: Session, *, account_id: UUID, slug: str) -> TeamCampaign | None:
    """Return a campaign for somebody of its team; for everybody else it does not exist."""
    row = session.execute(
        select(Campaign, Member)
        .join(Member, Member.campaign_id == Campaign.id)
        .where(Campaign.slug == slug, Member.account_id == account_id)
    ).first()
    if row is None:
        return None
    campaign = row.Campaign
    return TeamCampaign(
        id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        form=campaign.form,
        promised_locales=tuple(campaign.promised_locales),
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        titles=find_draft_titles(session, campaign_ids=[campaign.id]).get(campaign.id, {}),
        membership=Membership(Role(row.Member.role), frozenset(row.Member.locales)),
    )


def find_campaign_id(session: Session, *, slug: str) -> UUID | None:
    """Return a campaign's id whoever asks, for the record alone."""
    return session.scalar(select(Campaign.id).where(Campaign.slug == slug))
