"""``/api/v1``: campaigns and their counts, for anyone, without names."""

from __future__ import annotations

import re
from base64 import b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, HTTPException, Query, Response

from app.core.clock import utc_now
from app.i18n import LOCALES
from app.queries.campaigns import find_count, list_campaigns
from app.queries.figures import find_public_breakdown
from app.queries.integrity import find_removals
from app.queries.paper import count_public_paper
from app.rules.eligibility import rule_as_data, who_can_sign
from app.rules.life import state_by_dates
from app.web.api import shapes
from app.web.cache import SECONDS
from app.web.house import SLUG

if TYPE_CHECKING:
    from app.queries.campaigns import Campaign, CampaignCard
    from app.queries.figures import Breakdown
    from app.web.house import House

USUAL_LIMIT: Final = 50
MOST: Final = 100
#: Where a page ended: when the campaign was made, in microseconds since 1970, and its slug. Neither ever changes, so
#: nothing is lost or repeated when campaigns open, close or are added between two pages.
CURSOR: Final = re.compile(r"([0-9]{1,17}):([a-z0-9-]{1,64})")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
PROBLEM: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": description,
        "content": {"application/problem+json": {"schema": shapes.Problem.model_json_schema()}},
    }
    for status, description in (
        ("4XX", "400: a bad parameter, 404: no such campaign, 405: another method than GET (RFC 9457)"),
        ("503", "The database cannot be reached; Retry-After says when to come back (RFC 9457)"),
    )
}


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
            ("/campaigns/{slug}/breakdown", self.get_breakdown, shapes.BreakdownShape),
            ("/campaigns/{slug}/integrity", self.get_integrity, shapes.IntegrityShape),
        ):
            self.router.add_api_route(path, endpoint, methods=["GET"], response_model=shape, responses=PROBLEM)
            # Not in one route with GET: each method is an operation of the description, and this one says nothing new.
            self.router.add_api_route(path, endpoint, methods=["HEAD"], response_model=None, include_in_schema=False)

    async def list_campaigns(
        self,
        response: Response,
        cursor: str | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL_LIMIT,
    ) -> shapes.CampaignPage:
        """List published campaigns, newest first."""
        # The page cache says this of its own pages; one with a cursor does not go through it.
        response.headers["Cache-Control"] = f"public, max-age={SECONDS:.0f}"
        after = None if cursor is None else _read_cursor(cursor)
        found = await self._house.database.read(list_campaigns, after=after, limit=limit + 1)
        now, base_url = utc_now(), self._house.settings.base_url
        following = None
        if len(found) > limit:
            found = found[:limit]
            following = f"{base_url}/api/v1/campaigns?cursor={_write_cursor(found[-1])}&limit={limit}"
        lines = [shapes.CampaignLine(**_line(each, base_url, now), titles=dict(each.titles)) for each in found]
        return shapes.CampaignPage(campaigns=lines, next=following)

    async def get_campaign(self, slug: str) -> shapes.CampaignShape:
        """Give a campaign with its texts in every language that it has."""
        shelved = await self._house.shelf.find(slug)
        if shelved is None:
            raise HTTPException(404)
        counted = await self._house.database.read(find_count, slug=slug)
        campaign = shelved.campaign if counted is None else shelved.campaign.counted_again(*counted)
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
            responses=[shapes.ResponseShape.model_validate(each) for each in campaign.responses],
            paper=campaign.paper,
        )

    async def get_count(self, slug: str) -> shapes.CountShape:
        """Count the signatures so far, events that are not rolled up included."""
        found = await self._house.database.read(find_count, slug=slug) if SLUG.fullmatch(slug) else None
        if found is None:
            raise HTTPException(404)
        signatures, thresholds = found
        return shapes.CountShape(
            campaign=slug,
            signatures=signatures,
            paper=await self._house.database.read(count_public_paper, slug=slug),
            as_of=utc_now(),
            thresholds=[shapes.ReachedShape.model_validate(each) for each in thresholds],
        )

    async def get_breakdown(self, slug: str) -> shapes.BreakdownShape:
        """Count by place, language, day and district, as of the latest snapshot; what is small is hidden, and changes.

        Days are those of the campaign's time zone. Districts are what signers said themselves; none is inferred.
        """
        database = self._house.database
        found = await database.read(find_public_breakdown, slug=slug) if SLUG.fullmatch(slug) else None
        if found is None:
            raise HTTPException(404)
        [breakdown] = found
        return _break_down(slug, breakdown)

    async def get_integrity(self, slug: str) -> shapes.IntegrityShape:
        """Tell how many signatures each rule held back, took out and gave back on each day; never whose.

        Only days that have ended (UTC) are there, so that nobody can try out with made-up signatures what is noticed.
        """
        now = utc_now()
        found = await self._house.database.read(find_removals, slug=slug, now=now) if SLUG.fullmatch(slug) else None
        if found is None:
            raise HTTPException(404)
        return shapes.IntegrityShape(
            campaign=slug,
            as_of=now,
            counted_through=found.counted_through,
            days=[shapes.RemovalDayShape.model_validate(each) for each in found.days],
            totals=shapes.NumbersShape.model_validate(found.totals),
        )


def _break_down(slug: str, found: Breakdown | None) -> shapes.BreakdownShape:
    if found is None:
        nothing: dict[str, Any] = {"cells": [], "languages": [], "days": [], "districts": []}
        return shapes.BreakdownShape(campaign=slug, snapshot=None, as_of=None, signatures=None, **nothing)
    districts = []
    for share in found.margins["district"]:
        known = found.districts.get(share.value or "")
        districts.append(
            shapes.DistrictShareShape(
                district=share.value,
                names=None if known is None else dict(known.names),
                province=None if known is None else known.province,
                signatures=share.signatures,
            )
        )
    return shapes.BreakdownShape(
        campaign=slug,
        snapshot=found.number,
        as_of=found.taken_at,
        signatures=found.signatures,
        cells=[shapes.CellShape.model_validate(each) for each in found.cells],
        languages=[
            shapes.LanguageShareShape(language=share.value, signatures=share.signatures)
            for share in found.margins["language"]
        ],
        days=[
            shapes.DayShareShape(
                day=None if share.value is None else date.fromisoformat(share.value), signatures=share.signatures
            )
            for share in found.margins["day"]
        ],
        districts=districts,
    )


def _line(campaign: Campaign | CampaignCard, base_url: str, now: datetime) -> dict[str, Any]:
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


def _write_cursor(last: CampaignCard) -> str:
    made_at = (last.created_at - EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(f"{made_at}:{last.slug}".encode()).rstrip(b"=").decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True).decode("ascii")
    except ValueError:
        text = ""
    place = CURSOR.fullmatch(text)
    if place is None:
        raise HTTPException(400, "cursor: not one that this service gave")
    return EPOCH + timedelta(microseconds=int(place[1])), place[2]
