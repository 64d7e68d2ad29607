"""Who is asking: the account behind a session, and its place in a campaign's team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.core.tokens import hash_token
from app.models import (
    Account,
    AccountSession,
    Campaign,
    Letter,
    Member,
    Passkey,
    RecoveryCode,
    SignInRequest,
    Token,
    open_account_key,
    open_account_name,
)
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
        name=open_account_name(key, account.id, account.name),
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


@dataclass(frozen=True, slots=True)
class SignInLink:
    """What a link in a letter would do; ``account_id`` is None for an address without an account."""

    request_id: UUID | None
    account_id: UUID | None
    is_alive: bool


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    """A passkey as its owner knows it."""

    id: UUID
    label: str
    created_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnSession:
    """A browser in which somebody is signed in."""

    id: UUID
    device: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class SecondStep:
    """What an account has beside its mailbox."""

    passkeys: tuple[OwnPasskey, ...]
    has_authenticator: bool
    recovery_codes: int  # that were not used yet

    @property
    def is_needed(self) -> bool:
        """Whether signing in asks for more than the mailbox."""
        return self.has_authenticator or bool(self.passkeys)


def find_sign_in_link(session: Session, *, token: str, now: datetime) -> SignInLink | None:
    """Return what a link is for, or None for one that no letter held."""
    row = session.execute(
        select(Letter.subject_id, Token.expires_at)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("sign_in", token), Token.purpose == "sign_in")
    ).first()
    if row is None:
        return None
    request = session.get(SignInRequest, row.subject_id)
    if request is None:
        return SignInLink(None, None, is_alive=False)
    account = session.execute(
        select(Account.id, Account.state).where(Account.email_index == request.email_index)
    ).first()
    is_open = account is None or account.state == "active"
    return SignInLink(
        request.id,
        None if account is None else account.id,
        is_alive=request.used_at is None and row.expires_at > now and is_open,
    )


def find_second_step(session: Session, *, account_id: UUID) -> SecondStep:
    """Return what an account has set up."""
    passkeys = session.execute(
        select(Passkey.id, Passkey.label, Passkey.created_at, Passkey.used_at)
        .where(Passkey.account_id == account_id)
        .order_by(Passkey.created_at)
    )
    confirmed_at = session.scalar(select(Account.totp_confirmed_at).where(Account.id == account_id))
    codes = session.scalars(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    ).one()
    return SecondStep(
        tuple(OwnPasskey(row.id, row.label, row.created_at, row.used_at) for row in passkeys),
        confirmed_at is not None,
        codes,
    )


def list_sessions(session: Session, *, account_id: UUID, now: datetime) -> list[OwnSession]:
    """Return where an account is signed in, the last used first."""
    rows = session.execute(
        select(AccountSession.id, AccountSession.device, AccountSession.created_at, AccountSession.seen_at)
        .where(AccountSession.account_id == account_id, AccountSession.expires_at > now)
        .order_by(AccountSession.seen_at.desc())
    )
    return [OwnSession(row.id, row.device, row.created_at, row.seen_at) for row in rows]


def find_unconfirmed_secret(session: Session, *, account_id: UUID, keyring: Keyring) -> str | None:
    """Return the secret of an authenticator that is being set up; of one that asks already it is never shown."""
    account = session.execute(
        select(Account.totp_secret).where(Account.id == account_id, Account.totp_confirmed_at.is_(None))
    ).first()
    key = open_account_key(session, keyring=keyring)
    if account is None or account.totp_secret is None or key is None:
        return None
    return key.open("accounts.totp_secret", account_id, account.totp_secret)
