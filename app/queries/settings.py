"""A campaign's settings, as its team sees and changes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.models import Addressee, Campaign, Threshold, open_campaign_key
from app.rules.eligibility import parse_rule
from app.rules.life import last_day

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.eligibility import Rule


@dataclass(frozen=True, slots=True)
class SettingsAddressee:
    """Whom a campaign speaks to; names by locale."""

    names: Mapping[str, str]
    country: str


@dataclass(frozen=True, slots=True)
class SettingsThreshold:
    """What is promised at a number; labels by locale."""

    signatures: int
    labels: Mapping[str, str]
    reached_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """What a campaign is, besides its words. ``version`` goes with every form that changes it."""

    version: int
    state: str
    slug: str
    kind: str
    form: str
    reference: str | None
    organiser_name: str
    organiser_email: str  # empty once the campaign's key is destroyed
    source_locale: str
    promised_locales: tuple[str, ...]
    supporters_needed: int
    addressees: tuple[SettingsAddressee, ...]
    signatories: str
    rule: Rule
    people_per_mailbox: int
    asks: frozenset[str]
    open_for_days: int | None
    opens_on: date | None
    closes_on: date | None
    timezone: str
    thresholds: tuple[SettingsThreshold, ...]


def find_settings(session: Session, *, campaign_id: UUID, keyring: Keyring) -> CampaignSettings:
    """Return the settings of a campaign that the gate has found."""
    campaign = session.get_one(Campaign, campaign_id)
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    addressees = session.scalars(
        select(Addressee).where(Addressee.campaign_id == campaign_id).order_by(Addressee.position)
    )
    thresholds = session.scalars(
        select(Threshold).where(Threshold.campaign_id == campaign_id).order_by(Threshold.signatures)
    )
    zone = campaign.timezone
    return CampaignSettings(
        version=campaign.settings_version,
        state=campaign.state,
        slug=campaign.slug,
        kind=campaign.kind,
        form=campaign.form,
        reference=campaign.reference,
        organiser_name=campaign.organiser_name,
        organiser_email=""
        if key is None
        else key.open("campaigns.organiser_email", campaign_id, campaign.organiser_email),
        source_locale=campaign.source_locale,
        promised_locales=tuple(campaign.promised_locales),
        supporters_needed=campaign.supporters_needed,
        addressees=tuple(SettingsAddressee(each.names, each.country) for each in addressees),
        signatories=campaign.signatories,
        rule=parse_rule(campaign.eligibility),
        people_per_mailbox=campaign.people_per_mailbox,
        asks=frozenset(campaign.asks),
        open_for_days=campaign.open_for_days,
        opens_on=None if campaign.opens_at is None else campaign.opens_at.astimezone(ZoneInfo(zone)).date(),
        closes_on=None if campaign.closes_at is None else last_day(campaign.closes_at, zone),
        timezone=zone,
        thresholds=tuple(SettingsThreshold(each.signatures, each.labels, each.reached_at) for each in thresholds),
    )
