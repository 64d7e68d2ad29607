"""A draft as the pre-flight sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, or_, select

from app.i18n import LOCALES
from app.models import Addressee, Campaign, Edition, Sponsor, TextItem, TextPart, Threshold
from app.queries.supporters import count_supporters
from app.rules.drafts import is_behind
from app.rules.eligibility import parse_rule
from app.rules.life import last_day, local_day
from app.rules.preflight import CheckedAddressee, CheckedPart, CheckedThreshold, CheckInput, OpenCampaign

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: States of an asking that used up one of the tries.
_TRIED = ("asked", "accepted", "declined", "expired", "withdrawn", "left")


def find_check(session: Session, *, campaign_id: UUID, now: datetime) -> CheckInput:
    """Return what the pre-flight needs to know of a campaign's draft."""
    campaign = session.get_one(Campaign, campaign_id)
    zone = campaign.timezone
    supporters = count_supporters(session, campaign_id=campaign_id)
    sponsor_state, sponsor_tries = _find_sponsor(session, campaign_id)
    return CheckInput(
        kind=campaign.kind,
        form=campaign.form,
        source_locale=campaign.source_locale,
        promised_locales=tuple(campaign.promised_locales),
        parts=list_checked_parts(session, campaign_id=campaign_id, source_locale=campaign.source_locale),
        today=local_day(now, zone),
        addressees=tuple(
            CheckedAddressee(each.names, each.country)
            for each in session.scalars(
                select(Addressee).where(Addressee.campaign_id == campaign_id).order_by(Addressee.position)
            )
        ),
        thresholds=tuple(
            CheckedThreshold(each.signatures, each.labels)
            for each in session.scalars(
                select(Threshold).where(Threshold.campaign_id == campaign_id).order_by(Threshold.signatures)
            )
        ),
        eligibility=parse_rule(campaign.eligibility),
        signatories=campaign.signatories,
        opens_on=None if campaign.opens_at is None else local_day(campaign.opens_at, zone),
        closes_on=None if campaign.closes_at is None else last_day(campaign.closes_at, zone),
        open_for=campaign.open_for_days,
        embargo_on=None if campaign.embargo_until is None else local_day(campaign.embargo_until, zone),
        is_embargo_past=campaign.embargo_until is not None and campaign.embargo_until <= now,
        supporters_needed=supporters.needed,
        supporters_confirmed=supporters.confirmed,
        sponsor_state=sponsor_state,
        sponsor_tries=sponsor_tries,
        open_campaigns=_list_open(session, campaign_id, now),
    )


def list_checked_parts(session: Session, *, campaign_id: UUID, source_locale: str) -> tuple[CheckedPart, ...]:
    """Return every box of a draft that was ever written in, and how it stands; removed items are left out."""
    rows = session.execute(
        select(TextPart, TextItem.kind, TextItem.position)
        .outerjoin(TextItem, TextItem.id == TextPart.item_id)
        .where(TextPart.campaign_id == campaign_id, TextItem.removed_at.is_(None))
    ).all()
    sources = {
        (row.TextPart.name, row.TextPart.item_id): row.TextPart.version
        for row in rows
        if row.TextPart.locale == source_locale
    }
    return tuple(
        CheckedPart(
            name=row.TextPart.name,
            locale=row.TextPart.locale,
            text=row.TextPart.text,
            is_ready=row.TextPart.is_ready,
            is_behind=row.TextPart.locale != source_locale
            and is_behind(
                sources.get((row.TextPart.name, row.TextPart.item_id)),
                row.TextPart.source_version,
                is_ready=row.TextPart.is_ready,
            ),
            kind=row.kind,
            position=row.position,
            item_id=row.TextPart.item_id,
        )
        for row in rows
    )


def _find_sponsor(session: Session, campaign_id: UUID) -> tuple[str | None, int]:
    """Return how the latest asking stands, and how many members were asked."""
    states = session.scalars(
        select(Sponsor.state)
        .where(Sponsor.campaign_id == campaign_id)
        .order_by(func.coalesce(Sponsor.answered_at, Sponsor.asked_at).desc().nulls_first())
    ).all()
    living = next((state for state in ("accepted", "asked", "proposed") if state in states), None)
    return living or next(iter(states), None), sum(state in _TRIED for state in states)


def _list_open(session: Session, campaign_id: UUID, now: datetime) -> tuple[OpenCampaign, ...]:
    newer = select(func.max(Edition.number)).where(Edition.campaign_id == Campaign.id).correlate(Campaign)
    titles = [Edition.texts[locale]["title"].as_string().label(locale) for locale in LOCALES]
    rows = session.execute(
        select(Campaign.slug, *titles)
        .join(Edition, Edition.campaign_id == Campaign.id)
        .where(
            Campaign.id != campaign_id,
            Campaign.state == "open",
            _is_not_over(now),
            Edition.number == newer.scalar_subquery(),
        )
        .order_by(Campaign.slug)
    )
    return tuple(
        OpenCampaign(slug, {locale: title for locale, title in zip(LOCALES, found, strict=True) if title})
        for slug, *found in rows
    )


def _is_not_over(now: datetime) -> ColumnElement[bool]:
    return or_(Campaign.closes_at.is_(None), Campaign.closes_at > now)
