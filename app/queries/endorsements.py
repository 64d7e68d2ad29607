"""Organisations that sign: what a link in their letters shows, what the team and moderators see, their signs."""

from __future__ import annotations

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from app import models as tables
from app.core.tokens import hash_token
from app.queries.drafts import find_draft
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.core.tokens import Purpose

_KINDS_OF_LETTERS = ("endorse", "endorsement_notice", "endorsement_again")


@dataclass(frozen=True, slots=True)
class EndorsedCampaign:
    """The campaign that an organisation signs, as pages behind its links name it; ``titles`` by locale."""

    id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    timezone: str
    signatories: str
    organiser_name: str
    titles: Mapping[str, str]
    edition_number: int | None  # of the current text
    edition_hash: str | None
    is_public: bool

    @property
    def takes_individuals(self) -> bool:
        """Whether people sign it, too."""
        return self.signatories == "both"


@dataclass(frozen=True, slots=True)
class Said:
    """What an organisation said of itself, and who speaks for it; these are None once they are forgotten."""

    name: str
    names: Mapping[str, str]
    acronym: str | None
    country: str | None
    kind: str | None
    website: str | None
    representative: str | None
    role: str | None
    email: str | None


@dataclass(frozen=True, slots=True)
class EndorseLink:
    """What the page behind the link that confirms shows.

    For a successor ``said`` names them as who speaks. ``is_confirmed``: this link has done what it is for.
    """

    endorsement_id: UUID
    state: str
    said: Said
    edition_number: int | None  # of the text that the form showed
    is_successor: bool
    is_confirmed: bool
    is_expired: bool
    campaign: EndorsedCampaign


@dataclass(frozen=True, slots=True)
class OwnEndorsement:
    """An organisation's own page.

    ``again`` is the number of the current text where that says something else than what the organisation has said yes
    to. ``authority`` is the state of its last letter of authority, with ``authority_because`` where that was refused.
    """

    endorsement_id: UUID
    state: str
    said: Said
    locale: str
    proof: str | None
    because: str | None
    position: int | None
    asked_at: datetime
    decided_at: datetime | None
    edition_number: int | None
    newest_number: int | None  # the newest text that it has said yes to
    again: int | None
    successor: str | None  # who is to speak for it once they confirm
    is_disputed: bool
    logo: str | None  # SHA-256
    authority: str | None
    authority_because: str | None
    campaign: EndorsedCampaign


@dataclass(frozen=True, slots=True)
class TeamEndorsement:
    """An organisation as the team sees it. ``resembles``: the domain or the name of one that it can be taken for."""

    id: UUID
    state: str
    said: Said
    proof: str | None
    domain: str | None
    resembles: str | None
    position: int | None
    edition_number: int | None
    is_present: bool  # it said yes to the present text, or to one of the same substance
    is_disputed: bool
    because: str | None
    authority: str | None  # the state of its last letter of authority
    asked_at: datetime
    proven_at: datetime | None
    decided_at: datetime | None
    ended_at: datetime | None
    logo: str | None


@dataclass(frozen=True, slots=True)
class WaitingLetter:
    """A letter of authority that a moderator has to read, with what the form said."""

    id: UUID
    endorsement_id: UUID
    state: str
    sent_at: datetime
    media_type: str
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    endorsement_state: str
    resembles: str | None
    said: Said


@dataclass(frozen=True, slots=True)
class ReadLetter:
    """A letter of authority with its content; None once it is decided, or forgotten."""

    letter: WaitingLetter
    content: bytes | None


def find_endorse_link(session: Session, *, token: str, keyring: Keyring, now: datetime) -> EndorseLink | None:
    """Return what a link that confirms shows, or None where no letter of ours holds it any more."""
    row = _find_by_token(session, "endorse", token)
    if row is None:
        return None
    endorsement, campaign = row.Endorsement, row.Campaign
    about, which = row.dedupe_key.split(":")[2:4]
    key = tables.open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
    said = _said(endorsement, key)
    is_confirmed = endorsement.state in {"waiting", "accepted", "declined"}
    if about == "successor":
        successor = _successor(endorsement, key)
        if successor is not None and successor["id"] != which:
            return None
        is_confirmed = successor is None
        if successor is not None:
            said = _said(endorsement, key, successor)
    return EndorseLink(
        endorsement_id=endorsement.id,
        state=endorsement.state,
        said=said,
        edition_number=row.number,
        is_successor=about == "successor",
        is_confirmed=is_confirmed,
        is_expired=not is_confirmed and row.expires_at is not None and row.expires_at <= now,
        campaign=_campaign(session, campaign),
    )


def find_own_endorsement(session: Session, *, token: str, keyring: Keyring) -> OwnEndorsement | None:
    """Return an organisation's own page by a link in its letters, or None."""
    row = _find_by_token(session, "endorsement", token)
    if row is None:
        return None
    endorsement, campaign = row.Endorsement, row.Campaign
    key = tables.open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
    successor = _successor(endorsement, key)
    shown = _campaign(session, campaign)
    newest = max(row.number or 0, _renewed(session, endorsement.id)) or None
    since = _present_since(session, campaign.id)
    is_asked = endorsement.state in {"waiting", "accepted"} and (newest or 0) < since
    authority = _last_letter(session, endorsement.id)
    return OwnEndorsement(
        endorsement_id=endorsement.id,
        state=endorsement.state,
        said=_said(endorsement, key),
        locale=endorsement.locale,
        proof=endorsement.proof,
        because=endorsement.because,
        position=endorsement.position,
        asked_at=endorsement.asked_at,
        decided_at=endorsement.decided_at,
        edition_number=row.number,
        newest_number=newest,
        again=shown.edition_number if is_asked else None,
        successor=None if successor is None else successor["representative"],
        is_disputed=endorsement.disputed_at is not None,
        logo=session.scalar(select(tables.Logo.sha256).where(tables.Logo.endorsement_id == endorsement.id)),
        authority=None if authority is None else authority.state,
        authority_because=None if authority is None else authority.because,
        campaign=shown,
    )


def list_team_endorsements(
    session: Session, *, campaign_id: UUID, keyring: Keyring, only: UUID | None = None
) -> list[TeamEndorsement]:
    """Return the organisations that a campaign's team sees: those that wait first, then by when they asked.

    What no mailbox has confirmed, or nobody in time, is not among them, nor is what says nothing any more. Where
    ``only`` is given, nothing is opened of others.
    """
    key = tables.open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    since = _present_since(session, campaign_id)
    endorsement, edition = tables.Endorsement, tables.Edition
    renewed = aliased(tables.Edition)
    renewed_number = (
        select(func.max(renewed.number))
        .join(tables.EndorsementRenewal, tables.EndorsementRenewal.edition_id == renewed.id)
        .where(tables.EndorsementRenewal.endorsement_id == endorsement.id)
        .scalar_subquery()
    )
    chosen = () if only is None else (endorsement.id == only,)
    rows = session.execute(
        select(endorsement, edition.number, renewed_number.label("renewed"), tables.Logo.sha256)
        .outerjoin(edition, edition.id == endorsement.edition_id)
        .outerjoin(tables.Logo, tables.Logo.endorsement_id == endorsement.id)
        .where(endorsement.campaign_id == campaign_id, _is_shown_to_team(), *chosen)
        .order_by(endorsement.state != "waiting", endorsement.position, endorsement.asked_at, endorsement.id)
    ).all()
    authority = _letter_states(session, campaign_id)
    return [
        TeamEndorsement(
            id=each.id,
            state=each.state,
            said=_said(each, key),
            proof=each.proof,
            domain=each.domain,
            resembles=each.resembles,
            position=each.position,
            edition_number=max(number or 0, renewed or 0) or None,
            is_present=max(number or 0, renewed or 0) >= since,
            is_disputed=each.disputed_at is not None,
            because=each.because,
            authority=authority.get(each.id),
            asked_at=each.asked_at,
            proven_at=each.proven_at,
            decided_at=each.decided_at,
            ended_at=each.ended_at,
            logo=logo,
        )
        for each, number, renewed, logo in rows
    ]


def list_authority_letters(session: Session, *, account_id: UUID) -> list[WaitingLetter]:
    """Return the letters of authority that nobody has decided, oldest first. Nothing that was sealed is opened.

    None of a campaign whose team the account is of: somebody else looks at these.
    """
    own = select(tables.Member.campaign_id).where(tables.Member.account_id == account_id)
    waiting = (tables.AuthorityLetter.state == "waiting", tables.Endorsement.campaign_id.not_in(own))
    rows = session.execute(_LETTERS.where(*waiting).order_by(tables.AuthorityLetter.sent_at, tables.AuthorityLetter.id))
    return [_waiting_letter(session, row, None) for row in rows]


def find_authority_letter(session: Session, *, letter_id: UUID, keyring: Keyring) -> ReadLetter | None:
    """Return a letter of authority with its content, or None where there is none, or another took its place."""
    row = session.execute(_LETTERS.where(tables.AuthorityLetter.id == letter_id)).first()
    if row is None:
        return None
    key, sealed = _key(session, row.Campaign.id, keyring), row.AuthorityLetter.content
    content = None
    if key is not None and sealed is not None:
        content = b64decode(key.open("authority_letters.content", letter_id, sealed))
    return ReadLetter(_waiting_letter(session, row, key), content)


def find_logo(session: Session, *, slug: str, sha256: str) -> bytes | None:
    """Return the picture of an organisation that has signed a published campaign, or None."""
    return session.scalar(
        select(tables.Logo.content)
        .join(tables.Endorsement, tables.Endorsement.id == tables.Logo.endorsement_id)
        .join(tables.Campaign, tables.Campaign.id == tables.Endorsement.campaign_id)
        .where(
            tables.Campaign.slug == slug,
            tables.Campaign.state.in_(PUBLIC_STATES),
            tables.Endorsement.state == "accepted",
            tables.Logo.sha256 == sha256,
        )
        .limit(1)
    )


_LETTERS = (
    select(tables.AuthorityLetter, tables.Endorsement, tables.Campaign)
    .join(tables.Endorsement, tables.Endorsement.id == tables.AuthorityLetter.endorsement_id)
    .join(tables.Campaign, tables.Campaign.id == tables.Endorsement.campaign_id)
)


def _waiting_letter(session: Session, row: Any, key: DataKey | None) -> WaitingLetter:  # noqa: ANN401 - a row
    letter, endorsement, campaign = row.AuthorityLetter, row.Endorsement, row.Campaign
    return WaitingLetter(
        id=letter.id,
        endorsement_id=endorsement.id,
        state=letter.state,
        sent_at=letter.sent_at,
        media_type=letter.media_type,
        slug=campaign.slug,
        titles=_campaign(session, campaign).titles,
        source_locale=campaign.source_locale,
        endorsement_state=endorsement.state,
        resembles=endorsement.resembles,
        said=_said(endorsement, key),
    )


def _key(session: Session, campaign_id: UUID, keyring: Keyring) -> DataKey | None:
    return tables.open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)


def _is_shown_to_team() -> ColumnElement[bool]:
    endorsement = tables.Endorsement
    is_kept = endorsement.state.in_(("waiting", "accepted", "declined", "removed"))
    # One that was withdrawn before its mailbox confirmed never reached the team.
    was_confirmed = or_(endorsement.proven_at.is_not(None), endorsement.position.is_not(None))
    return and_(endorsement.name != "", or_(is_kept, and_(endorsement.state == "withdrawn", was_confirmed)))


def _find_by_token(session: Session, purpose: Purpose, token: str) -> Any:  # noqa: ANN401 - a row, or None
    return session.execute(
        select(
            tables.Endorsement,
            tables.Campaign,
            tables.Edition.number,
            tables.Letter.dedupe_key,
            tables.Token.expires_at,
        )
        .join(tables.Letter, tables.Letter.subject_id == tables.Endorsement.id)
        .join(tables.Token, tables.Token.letter_id == tables.Letter.id)
        .join(tables.Campaign, tables.Campaign.id == tables.Endorsement.campaign_id)
        .outerjoin(tables.Edition, tables.Edition.id == tables.Endorsement.edition_id)
        .where(
            tables.Token.hash == hash_token(purpose, token),
            tables.Token.purpose == purpose,
            tables.Letter.kind.in_(_KINDS_OF_LETTERS),
            tables.Endorsement.name != "",
        )
    ).first()


def _said(endorsement: tables.Endorsement, key: DataKey | None, successor: Mapping[str, str] | None = None) -> Said:
    def opened(column: str) -> str | None:
        sealed: bytes | None = getattr(endorsement, column)
        if key is None or sealed is None:
            return None
        return key.open(f"endorsements.{column}", endorsement.id, sealed)

    columns = ("representative", "role", "email")
    speaks: Mapping[str, str | None] = successor or {column: opened(column) for column in columns}
    return Said(
        name=endorsement.name,
        names=endorsement.names,
        acronym=endorsement.acronym,
        country=endorsement.country,
        kind=endorsement.kind,
        website=endorsement.website,
        representative=speaks["representative"],
        role=speaks["role"],
        email=speaks["email"],
    )


def _successor(endorsement: tables.Endorsement, key: DataKey | None) -> dict[str, str] | None:
    if key is None or endorsement.successor is None:
        return None
    found: dict[str, str] = json.loads(key.open("endorsements.successor", endorsement.id, endorsement.successor))
    return found


def _campaign(session: Session, campaign: tables.Campaign) -> EndorsedCampaign:
    current = session.execute(
        select(tables.Edition.number, tables.Edition.hash, tables.Edition.texts)
        .where(tables.Edition.campaign_id == campaign.id)
        .order_by(tables.Edition.number.desc())
        .limit(1)
    ).first()
    if current is None:
        drafts = find_draft(session, campaign_id=campaign.id)
        titles = {str(locale): text.title for locale, text in drafts.items() if text.title}
    else:
        titles = {locale: text["title"] for locale, text in current.texts.items()}
    return EndorsedCampaign(
        id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        timezone=campaign.timezone,
        signatories=campaign.signatories,
        organiser_name=campaign.organiser_name,
        titles=titles or {campaign.source_locale: campaign.slug},
        edition_number=None if current is None else current.number,
        edition_hash=None if current is None else current.hash,
        is_public=campaign.state in PUBLIC_STATES,
    )


def _present_since(session: Session, campaign_id: UUID) -> int:
    """Return the edition that last changed the substance, or 0."""
    found = session.scalar(
        select(func.max(tables.Edition.number)).where(
            tables.Edition.campaign_id == campaign_id,
            tables.Edition.is_substantive.is_(True),
            tables.Edition.number > 1,
        )
    )
    return found or 0


def _renewed(session: Session, endorsement_id: UUID) -> int:
    found = session.scalar(
        select(func.max(tables.Edition.number))
        .join(tables.EndorsementRenewal, tables.EndorsementRenewal.edition_id == tables.Edition.id)
        .where(tables.EndorsementRenewal.endorsement_id == endorsement_id)
    )
    return found or 0


def _last_letter(session: Session, endorsement_id: UUID) -> tables.AuthorityLetter | None:
    return session.scalars(
        select(tables.AuthorityLetter)
        .where(tables.AuthorityLetter.endorsement_id == endorsement_id)
        .order_by(tables.AuthorityLetter.sent_at.desc(), tables.AuthorityLetter.id)
        .limit(1)
    ).first()


def _letter_states(session: Session, campaign_id: UUID) -> dict[UUID, str]:
    """Return the state of each organisation's last letter of authority."""
    rows: Sequence[Any] = session.execute(
        select(tables.AuthorityLetter.endorsement_id, tables.AuthorityLetter.state)
        .join(tables.Endorsement, tables.Endorsement.id == tables.AuthorityLetter.endorsement_id)
        .where(tables.Endorsement.campaign_id == campaign_id)
        .order_by(tables.AuthorityLetter.sent_at)
    ).all()
    return {row.endorsement_id: row.state for row in rows}
