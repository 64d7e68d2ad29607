"""How counting works, removals in the open, and refusals of campaigns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.core.clock import utc_now
from app.queries.integrity import find_removals, list_campaigns_with_removals, list_refusals
from app.rules.refusals import REFUSAL_RULES, say_refusal
from app.rules.sets import say_rule
from app.web.public import views
from app.web.routes import read_page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.web.house import House


class Counting:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [
            Route("/{locale}/counting", self.explain),
            Route("/{locale}/campaigns/{slug}/counting", self.show_removals),
            Route("/{locale}/refusals", self.show_refusals),
        ]

    async def explain(self, request: Request) -> Response:
        """Say in plain words how signatures are counted, and of which campaigns some were taken out."""
        locale = views.locale_of(request)
        campaigns = await self._house.database.read(list_campaigns_with_removals, now=utc_now())
        return views.show(self._house, "public/counting.html", locale, "/counting", campaigns=campaigns)

    async def show_removals(self, request: Request) -> Response:
        """Show what was held back, taken out and given back of one campaign, by rule and day."""
        locale = views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        removals = await self._house.database.read(find_removals, slug=campaign.slug, now=utc_now())
        if removals is None:  # gone since it was shelved
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/counting_campaign.html",
            locale,
            f"/campaigns/{campaign.slug}/counting",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            removals=removals,
            days=[(each, say_rule(each.rule, locale)) for each in reversed(removals.days)],
        )

    async def show_refusals(self, request: Request) -> Response:
        """Show which campaigns were refused, and under which rule; ``?page=`` goes on."""
        locale, page = views.locale_of(request), read_page(request)
        refusals = await self._house.database.read(list_refusals, page=page)
        if page > refusals.pages:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/refusals.html",
            locale,
            "/refusals",
            refusals=[(each, say_refusal(each.rule).say(locale)) for each in refusals.listed],
            rules=[words.say(locale) for words in REFUSAL_RULES.values()],
            page=page,
            pages=refusals.pages,
        )
