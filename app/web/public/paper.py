"""Signing in ink, for people without an e-mail address: how it is done, the sheet, where it is to be brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.core.clock import utc_now
from app.queries.paper import find_return
from app.rules.eligibility import who_can_sign
from app.web import campaign_page
from app.web.public import views

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.web.house import House


class Paper:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the page needs."""
        self._house = house
        self.routes: list[Route] = [Route("/{locale}/campaigns/{slug}/paper", self.show)]

    async def show(self, request: Request) -> Response:
        """Say how to sign in ink; 404 where individuals do not sign, or nobody does any more."""
        locale, now = views.locale_of(request), utc_now()
        campaign = (await views.find_shelved(self._house, request)).campaign
        if not campaign.takes_individuals or campaign.state == "stopped":
            raise HTTPException(404)
        is_to_commons = campaign.kind == "petition" and "CA" in {each.country for each in campaign.addressees}
        return views.show(
            self._house,
            "public/paper.html",
            locale,
            f"/campaigns/{campaign.slug}/paper",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            who_can_sign=who_can_sign(campaign.rule, locale),
            paper_return=await self._house.database.read(find_return, campaign_id=campaign.id),
            # The House of Commons takes no other language, and its form has none.
            has_commons=is_to_commons and bool({"en", "fr"} & campaign.texts.keys()),
            is_open=campaign_page.is_signable(campaign, now),
            is_over=campaign_page.status_of(campaign, now) == "closed",
            asks_code="postal_code" in campaign.asks,
        )
