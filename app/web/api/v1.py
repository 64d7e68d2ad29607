"""``/api/v1``: campaigns and their counts, for anyone, without names."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, HTTPException, Query

from app.core.clock import utc_now
from app.i18n import LOCALES
from app.queries.campaigns import find_count, list_campaigns
from app.rules.eligibility import rule_as_data, who_can_sign
from app.rules.life import state_by_dates
from app.web.api import shapes

if TYPE_CHECKING:
    from datetime import datetime

    from app.queries.campaigns import Campaign, CampaignCard
    from app.web.house import House

USUAL_LIMIT: Final = 50
MOST: Final = 100
CURSOR: Final = "after:"


class Api:
    """Routes of the JSON door."""

    def __init__(self, house: House) -> None:
        """Take what the answers need."""
        self._house = house
        self.router = APIRouter(prefix="/api/v1")
        for path, endpoint, shape in (
            ("/campaigns", self.list_campaigns, shapes.CampaignPage),
            ("/campaigns/{slug}", self.get_campaign, shapes.CampaignShape),
            ("/campaigns/{slug}/count", self.get_count, shapes.CountShape),
        ):
            self.router.add_api_route(path, endpoint, methods=["GET"], response_model=shape)

    async def list_campaigns(
        self, cursor: str | None = None, limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL_LIMIT
    ) -> shapes.CampaignPage:
        """Open campaigns first, then closed ones."""
        after = None if cursor is None else _read_cursor(cursor)
        found = await self._house.database.read(list_campaigns, after=after, limit=limit + 1)
        now, base_url = utc_now(), self._house.settings.base_url
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = f"{base_url}/api/v1/campaigns?cursor={_write_cursor(found[-1].slug)}&limit={limit}"
        lines = [shapes.CampaignLine(**_line(each, base_url, now), titles=dict(each.titles)) for each in found]
        return shapes.CampaignPage(campaigns=lines, next=following)

    async def get_campaign(self, slug: str) -> shapes.CampaignShape:
        """One campaign with its texts in every language that it has."""
        shelved = await self._house.shelf.find(slug)
        if shelved is None:
            raise HTTPException(404)
        campaign = shelved.campaign
        return shapes.CampaignShape(
            **_line(campaign, self._house.settings.base_url, utc_now()),
            titles={locale: text.title for locale, text in campaign.texts.items()},
            reference=campaign.reference,
            source_locale=campaign.source_locale,
            timezone=campaign.timezone,
            signatories=campaign.signatories,
            organiser=campaign.organiser_name,
            edition=shapes.EditionShape(number=campaign.edition_number, hash=campaign.edition_hash),
            texts={locale: text.as_data() for locale, text in campaign.texts.items()},
            addressees=[shapes.AddresseeShape.model_validate(each) for each in campaign.addressees],
            sponsor=None if campaign.sponsor is None else shapes.SponsorShape.model_validate(campaign.sponsor),
            eligibility=shapes.EligibilityShape(
                rule=rule_as_data(campaign.rule),
                sentences={locale: who_can_sign(campaign.rule, locale) for locale in LOCALES},
            ),
            thresholds=[shapes.ThresholdShape.model_validate(each) for each in campaign.thresholds],
            endorsements=[shapes.EndorsementShape.model_validate(each) for each in campaign.endorsements],
            responses=[],
        )

    async def get_count(self, slug: str) -> shapes.CountShape:
        """The count so far, events that are not rolled up included."""
        found = await self._house.database.read(find_count, slug=slug)
        if found is None:
            raise HTTPException(404)
        signatures, thresholds = found
        return shapes.CountShape(
            campaign=slug,
            signatures=signatures,
            as_of=utc_now(),
            thresholds=[shapes.ReachedShape.model_validate(each) for each in thresholds],
        )


def _line(campaign: Campaign | CampaignCard, base_url: str, now: datetime) -> dict[str, object]:
    is_dated = campaign.state in {"scheduled", "open"}
    return {
        "slug": campaign.slug,
        "kind": campaign.kind,
        "state": state_by_dates(campaign.opens_at, campaign.closes_at, now) if is_dated else campaign.state,
        "opens_at": campaign.opens_at,
        "closes_at": campaign.closes_at,
        "signatures": campaign.signatures,
        "url": f"{base_url}/c/{campaign.slug}",
    }


def _write_cursor(slug: str) -> str:
    return urlsafe_b64encode(f"{CURSOR}{slug}".encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> str:
    try:
        text = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)).decode("ascii")
    except (ValueError, binascii.Error):
        raise HTTPException(400, "cursor is not one that this service gave") from None
    if not text.startswith(CURSOR):
        raise HTTPException(400, "cursor is not one that this service gave")
    return text.removeprefix(CURSOR)
