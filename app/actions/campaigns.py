"""Campaigns: made, and imported from a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select

from app.actions.accounts import find_or_create_account
from app.actions.drafts import freeze_edition, write_draft
from app.actions.records import record
from app.models import (
    Addressee,
    Campaign,
    CampaignCount,
    CampaignKey,
    Endorsement,
    Member,
    Sponsor,
    Threshold,
)
from app.rules.eligibility import rule_as_data
from app.rules.life import opening_instants, start_of_day, state_by_dates
from app.rules.organisations import organisation_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.rules.campaign_file import CampaignFile


class SlugTaken(Exception):
    """A campaign of this name exists."""


class CampaignNotFound(Exception):
    """There is no campaign of this name."""


class CampaignCannotMove(Exception):
    """The campaign's state does not allow this move; the message is that state."""


@dataclass(frozen=True, slots=True)
class Publication:
    """How an imported campaign is published: by the file's dates, or open from now for some days."""

    open_for: int | None = None


def import_campaign(
    session: Session,
    *,
    file: CampaignFile,
    keyring: Keyring,
    now: datetime,
    owner_email: str | None = None,
    publication: Publication | None = None,
    owner_id: UUID | None = None,
    campaign_id: UUID | None = None,
) -> UUID:
    """Create a campaign from a file and return its id. Raises SlugTaken.

    Without ``publication`` it is a draft; with it, its first edition is frozen. ``owner_id`` is the account of a team
    that brought the file; else an operator did, and the account of ``owner_email``, or of the file's organiser, owns
    the campaign. The sponsor of a file that an operator imports counts as having accepted, and no other; likewise its
    organisations count as having signed, and those of a file that a team brought are left out.
    """
    if session.scalar(select(Campaign.id).where(Campaign.slug == file.slug)) is not None:
        raise SlugTaken(file.slug)
    email = owner_email or file.organiser.email
    owner = owner_id or find_or_create_account(
        session, email=email, locale=file.source_locale, keyring=keyring, now=now
    )
    campaign_id = campaign_id or uuid4()
    opens_at, closes_at, state = _dates_and_state(file, publication, now)
    key = insert_campaign(
        session,
        campaign_id=campaign_id,
        owner_id=owner,
        organiser_email=email,
        keyring=keyring,
        now=now,
        columns={
            "slug": file.slug,
            "kind": file.kind,
            "state": state,
            "reference": file.reference or None,
            "source_locale": file.source_locale,
            "timezone": file.timezone,
            "opens_at": opens_at,
            "closes_at": closes_at,
            "asks": sorted(file.asks),
            "signatories": file.signatories,
            "organiser_name": file.organiser.name,
            "eligibility": rule_as_data(file.eligibility),
            "form": form_of(file),
            "promised_locales": sorted(file.texts),
            "supporters_needed": 0,
        },
    )
    _insert_parts(session, campaign_id, file)
    left_out = len(file.endorsements)
    if owner_id is None:
        _insert_endorsements(session, campaign_id, file, now)
        left_out = 0
    write_draft(session, campaign_id=campaign_id, texts=file.texts, now=now, account_id=owner_id)
    if state != "draft":
        # The file's own texts, which a half-written language may be part of: what was published is what is signed.
        freeze_edition(session, campaign_id=campaign_id, texts=file.texts, now=now)
    _insert_sponsor(session, campaign_id, file, key, now, is_accepted=owner_id is None)
    details = {"state": state} | ({"endorsements_left_out": left_out} if left_out else {})
    record(session, what="imported", now=now, account_id=owner_id, campaign_id=campaign_id, details=details)
    return campaign_id


def insert_campaign(
    session: Session,
    *,
    campaign_id: UUID,
    owner_id: UUID,
    organiser_email: str,
    keyring: Keyring,
    now: datetime,
    columns: Mapping[str, Any],
) -> DataKey:
    """Add a campaign with its data key, its count of nought and its owner, and return the key.

    ``columns`` are the rest of its row.
    """
    wrapped = keyring.new_data_key(campaign_id)
    key = keyring.data_key(campaign_id, 1, wrapped)
    session.execute(
        insert(Campaign),
        {
            **columns,
            "id": campaign_id,
            "organiser_email": key.seal("campaigns.organiser_email", campaign_id, organiser_email),
            "created_at": now,
            "settings_version": 1,
        },
    )
    session.execute(
        insert(CampaignKey),
        {
            "campaign_id": campaign_id,
            "version": 1,
            "root_version": wrapped.root_version,
            "sealed": wrapped.sealed,
            "created_at": now,
        },
    )
    session.execute(insert(CampaignCount), {"campaign_id": campaign_id, "signatures": 0, "counted_at": now})
    owner = {"campaign_id": campaign_id, "account_id": owner_id, "role": "owner", "locales": [], "joined_at": now}
    session.execute(insert(Member), owner)
    return key


def _dates_and_state(
    file: CampaignFile, publication: Publication | None, now: datetime
) -> tuple[datetime | None, datetime | None, str]:
    if publication is not None and publication.open_for is not None:
        last_day = now.astimezone(ZoneInfo(file.timezone)).date() + timedelta(days=publication.open_for)
        return now, start_of_day(last_day + timedelta(days=1), file.timezone), "open"
    opens_at, closes_at = opening_instants(file.opens_on, file.closes_on, file.timezone)
    if publication is None:
        return opens_at, closes_at, "draft"
    return opens_at, closes_at, state_by_dates(opens_at, closes_at, now)


def form_of(file: CampaignFile) -> str:
    """Return whose form a campaign's text is held against: a petition within Canada is for the House of Commons."""
    is_within_canada = any(addressee.country == "CA" for addressee in file.addressees)
    return "commons" if file.kind == "petition" and is_within_canada else "free"


def _insert_parts(session: Session, campaign_id: UUID, file: CampaignFile) -> None:
    parts: dict[Any, list[dict[str, Any]]] = {
        Addressee: [
            {
                "campaign_id": campaign_id,
                "position": position,
                "names": dict(each.name),
                "country": each.country,
                "salutations": {},
            }
            for position, each in enumerate(file.addressees)
        ],
        Threshold: [
            {"id": uuid4(), "campaign_id": campaign_id, "signatures": each.signatures, "labels": dict(each.label)}
            for each in file.thresholds
        ],
    }
    for table, rows in parts.items():
        if rows:
            session.execute(insert(table), rows)


def _insert_endorsements(session: Session, campaign_id: UUID, file: CampaignFile, now: datetime) -> None:
    rows: list[dict[str, Any]] = [
        {
            "id": uuid4(),
            "campaign_id": campaign_id,
            "state": "accepted",
            "position": position,
            "name": each.name,
            "names": {},
            "name_key": organisation_key(each.name),
            "proof": "file",
            "locale": file.source_locale,
            "asked_at": now,
            "decided_at": now,
            "acronym": each.acronym or None,
            "country": each.country or None,
        }
        for position, each in enumerate(file.endorsements)
    ]
    if rows:
        session.execute(insert(Endorsement), rows)


def _insert_sponsor(
    session: Session, campaign_id: UUID, file: CampaignFile, key: DataKey, now: datetime, *, is_accepted: bool
) -> None:
    if file.sponsor is None:
        return
    email = file.sponsor.email
    sponsor_id = uuid4()
    session.execute(
        insert(Sponsor),
        {
            "id": sponsor_id,
            "campaign_id": campaign_id,
            "state": "accepted" if is_accepted else "proposed",
            "locale": "fr" if file.source_locale == "fr" else "en",
            "answered_at": now if is_accepted else None,
            "name": file.sponsor.name,
            "titles": dict(file.sponsor.title),
            "district": file.sponsor.district or None,
            "party": file.sponsor.party or None,
            "email": key.seal("sponsors.email", sponsor_id, email) if email else None,
        },
    )
