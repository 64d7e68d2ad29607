"""Offices as their staff reach them, and as the team that invited them sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, and_, select

from app.core.tokens import hash_token
from app.models import Account, Campaign, Edition, Letter, Office, OfficeStaff, Record, Token, open_account_key
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring


@dataclass(frozen=True, slots=True)
class InvitedStaff:
    """Whom a link belongs to."""

    staff_id: UUID
    campaign_id: UUID


@dataclass(frozen=True, slots=True)
class OfficeLink:
    """What an invitation says to whom it was sent."""

    staff_id: UUID
    campaign_id: UUID
    slug: str
    kind: str
    reference: str | None
    titles: Mapping[str, str]
    source_locale: str
    timezone: str
    organiser_name: str
    office_name: str
    expires_at: datetime  # when the office's way in ends
    locale: str


@dataclass(frozen=True, slots=True)
class OfficeCampaign:
    """A campaign as somebody of an office reaches it."""

    id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    titles: Mapping[str, str]
    opens_at: datetime | None
    closes_at: datetime | None
    office_id: UUID
    office_name: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class StaffRow:
    """Somebody of an office, for the team that invited them."""

    id: UUID
    email: str | None  # None once removed
    locale: str
    state: str
    invited_at: datetime
    joined_at: datetime | None
    has_failed: bool  # the last letter could not be delivered


@dataclass(frozen=True, slots=True)
class OfficeRow:
    """An office, for the team that invited it."""

    id: UUID
    name: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    is_living: bool
    staff: tuple[StaffRow, ...]


@dataclass(frozen=True, slots=True)
class OfficeUse:
    """A line of the record about an office, and whose account it was."""

    at: datetime
    what: str
    email: str | None
    details: Mapping[str, Any]


#: What of the record is about offices.
OFFICE_LINES: Final = (
    "office_invited", "office_joined", "office_opened", "office_report_made", "office_downloaded", "office_removed",
    "office_revoked",
)  # fmt: skip
REFUSALS_SHOWN: Final = 20


def is_living(now: datetime) -> ColumnElement[bool]:
    """Return the condition for offices that still have a way in."""
    return and_(Office.revoked_at.is_(None), Office.expires_at > now)


def find_invited(session: Session, *, token: str, now: datetime) -> InvitedStaff | None:
    """Return whom a link invites, or None: never ours, used, too old, taken back."""
    row = session.execute(
        select(OfficeStaff.id, Office.campaign_id)
        .join(Office, Office.id == OfficeStaff.office_id)
        .join(Campaign, Campaign.id == Office.campaign_id)
        .join(Letter, Letter.subject_id == OfficeStaff.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(
            Token.hash == hash_token("office", token),
            Token.purpose == "office",
            Token.expires_at > now,
            OfficeStaff.state == "invited",
            Campaign.state.in_(PUBLIC_STATES),
            is_living(now),
        )
    ).first()
    return None if row is None else InvitedStaff(row.id, row.campaign_id)


def find_dead_link(session: Session, *, token: str) -> InvitedStaff | None:
    """Return whom a link invited once, whatever became of it since; None for one that was never ours."""
    row = session.execute(
        select(OfficeStaff.id, Office.campaign_id)
        .join(Office, Office.id == OfficeStaff.office_id)
        .join(Letter, Letter.subject_id == OfficeStaff.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("office", token), Token.purpose == "office")
    ).first()
    return None if row is None else InvitedStaff(row.id, row.campaign_id)


def find_office_link(session: Session, *, token: str, now: datetime) -> OfficeLink | None:
    """Return what a link's page says, or None, as above."""
    invited = find_invited(session, token=token, now=now)
    if invited is None:
        return None
    row = session.execute(
        select(Campaign, Office, OfficeStaff)
        .join(Office, Office.campaign_id == Campaign.id)
        .join(OfficeStaff, OfficeStaff.office_id == Office.id)
        .where(OfficeStaff.id == invited.staff_id)
    ).one()
    campaign = row.Campaign
    return OfficeLink(
        staff_id=invited.staff_id,
        campaign_id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        reference=campaign.reference,
        titles=_titles(session, campaign.id),
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        organiser_name=campaign.organiser_name,
        office_name=row.Office.name,
        expires_at=row.Office.expires_at,
        locale=row.OfficeStaff.locale,
    )


def list_office_campaigns(session: Session, *, account_id: UUID, now: datetime) -> list[OfficeCampaign]:
    """Return the campaigns whose counts an account may see, the newest invitation first; no other exists for it."""
    rows = session.execute(
        select(Campaign, Office)
        .join(Office, Office.campaign_id == Campaign.id)
        .join(OfficeStaff, OfficeStaff.office_id == Office.id)
        .where(
            OfficeStaff.account_id == account_id,
            OfficeStaff.state == "joined",
            Campaign.state.in_(PUBLIC_STATES),
            is_living(now),
        )
        .order_by(Office.created_at.desc(), Office.id)
    ).all()
    return [_read_campaign(session, row.Campaign, row.Office) for row in rows]


def list_offices(session: Session, *, campaign_id: UUID, keyring: Keyring, now: datetime) -> list[OfficeRow]:
    """Return the offices of a campaign with their staff, the newest first."""
    key = open_account_key(session, keyring=keyring)
    last_letter = (
        select(Letter.state)
        .where(Letter.kind == "office_invitation", Letter.subject_id == OfficeStaff.id)
        .order_by(Letter.created_at.desc(), Letter.id)
        .limit(1)
        .scalar_subquery()
    )
    staff: dict[UUID, list[StaffRow]] = {}
    for row in session.execute(
        select(OfficeStaff, last_letter.label("letter"))
        .join(Office, Office.id == OfficeStaff.office_id)
        .where(Office.campaign_id == campaign_id)
        .order_by(OfficeStaff.invited_at, OfficeStaff.id)
    ):
        each = row.OfficeStaff
        email = None if key is None or each.email is None else key.open("office_staff.email", each.id, each.email)
        has_failed = row.letter in {"failed", "bounced"}
        staff.setdefault(each.office_id, []).append(
            StaffRow(each.id, email, each.locale, each.state, each.invited_at, each.joined_at, has_failed)
        )
    offices = session.scalars(
        select(Office).where(Office.campaign_id == campaign_id).order_by(Office.created_at.desc(), Office.id)
    )
    return [
        OfficeRow(
            id=office.id,
            name=office.name,
            created_at=office.created_at,
            expires_at=office.expires_at,
            revoked_at=office.revoked_at,
            is_living=office.revoked_at is None and office.expires_at > now,
            staff=tuple(staff.get(office.id, ())),
        )
        for office in offices
    ]


def list_office_uses(session: Session, *, campaign_id: UUID, keyring: Keyring, limit: int = 100) -> list[OfficeUse]:
    """Return what offices did, what was done with them, and who was turned away, the latest first.

    Of those who were turned away a few alone: whoever knocks often hides nothing.
    """
    key = open_account_key(session, keyring=keyring)
    about = (
        select(Record.id, Record.at, Record.what, Record.details, Account)
        .outerjoin(Account, Account.id == Record.account_id)
        .where(Record.campaign_id == campaign_id)
        .order_by(Record.id.desc())
    )
    used = session.execute(about.where(Record.what.in_(OFFICE_LINES)).limit(limit)).all()
    refused = session.execute(about.where(Record.what == "office_refused").limit(REFUSALS_SHOWN)).all()
    return [
        OfficeUse(
            row.at,
            row.what,
            None
            if key is None or row.Account is None
            else key.open("accounts.email", row.Account.id, row.Account.email),
            row.details,
        )
        for row in sorted((*used, *refused), key=lambda row: row.id, reverse=True)
    ]


def _read_campaign(session: Session, campaign: Campaign, office: Office) -> OfficeCampaign:
    return OfficeCampaign(
        id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        titles=_titles(session, campaign.id),
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        office_id=office.id,
        office_name=office.name,
        expires_at=office.expires_at,
    )


def _titles(session: Session, campaign_id: UUID) -> Mapping[str, str]:
    """Return the titles of what people sign: a draft's are its team's own."""
    texts = session.scalars(
        select(Edition.texts).where(Edition.campaign_id == campaign_id).order_by(Edition.number.desc()).limit(1)
    ).one()
    return {locale: text["title"] for locale, text in texts.items()}
