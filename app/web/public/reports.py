"""The public page of a verified count report: where its QR code leads, and what to compare a copy of it with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.queries.reports import MANIFEST, find_report, list_reports
from app.web.public import views

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.web.house import House

#: As the page cache knows them.
NUMBER: Final = re.compile(r"[1-9][0-9]{0,4}")


class Reports:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [
            Route("/{locale}/campaigns/{slug}/reports", self.list),
            Route("/{locale}/campaigns/{slug}/reports/{number}", self.show),
        ]

    async def list(self, request: Request) -> Response:
        """Show which reports of a campaign were issued."""
        locale = views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        return views.show(
            self._house,
            "public/reports.html",
            locale,
            f"/campaigns/{campaign.slug}/reports",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            reports=await self._house.database.read(list_reports, slug=campaign.slug) or [],
        )

    async def show(self, request: Request) -> Response:
        """Show what one report says, whether a later one supersedes it, and the SHA-256 of each of its files."""
        locale = views.locale_of(request)
        number = request.path_params["number"]
        if not NUMBER.fullmatch(number):
            raise HTTPException(404)
        campaign = (await views.find_shelved(self._house, request)).campaign
        report = await self._house.database.read(find_report, slug=campaign.slug, number=int(number))
        if report is None:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/report.html",
            locale,
            f"/campaigns/{campaign.slug}/reports/{number}",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            report=report,
            manifest=next((part for part in report.parts if part.name == MANIFEST), None),
        )
