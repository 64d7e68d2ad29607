"""Pages to read: the first page, a campaign, the plain pages, and what they link to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.core.clock import utc_now
from app.queries.campaigns import find_count, list_campaigns
from app.queries.editions import count_present
from app.queries.names import has_names
from app.web import campaign_page
from app.web.language import visitor_locale
from app.web.marks import form_mark
from app.web.public import views
from app.web.public.endorsing_form import can_endorse, endorse_context
from app.web.public.pictures import card_path
from app.web.public.signing_form import VIA
from app.web.public.weighing import wants_proof

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale
    from app.web.house import House, ShelvedCampaign

SEARCH_LENGTH: Final = 200
PLAIN_PAGES: Final = ("privacy", "accessibility", "about")


class Reading:
    """Routes that change nothing."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        plain = [Route(f"/{{locale}}/{name}", self.plain_page, name=name) for name in PLAIN_PAGES]
        self.routes = [
            Route("/", self.first_choice),
            Route("/c/{slug}", self.short_link),
            Route("/{locale}/", self.home),
            Route("/{locale}", self.without_slash),
            Route("/{locale}/campaigns/{slug}", self.campaign),
            Route("/{locale}/campaigns/{slug}/qr.svg", self.qr_code),
            *plain,
        ]

    async def first_choice(self, request: Request) -> Response:
        """Go to the first page in the visitor's language."""
        return self._to_visitor(request, "/")

    async def short_link(self, request: Request) -> Response:
        """Go to the campaign in the visitor's language; the mark of a link goes along."""
        await views.find_shelved(self._house, request)
        via = request.query_params.get("via", "")
        query = f"?via={via}" if VIA.fullmatch(via) else ""
        return self._to_visitor(request, f"/campaigns/{request.path_params['slug']}{query}")

    async def without_slash(self, request: Request) -> Response:
        """Take an address of which the last slash was lost on the way to its page."""
        return RedirectResponse(f"/{views.locale_of(request)}/", 308)

    async def home(self, request: Request) -> Response:
        """List open campaigns, then closed ones; ``?q=`` searches them."""
        locale, now = views.locale_of(request), utc_now()
        search = request.query_params.get("q", "").strip()[:SEARCH_LENGTH]
        found = await self._house.database.read(list_campaigns)
        cards = [views.card_of(each, locale, now) for each in found if not search or views.matches(each, search)]
        return views.show(
            self._house,
            "public/home.html",
            locale,
            "/",
            search=search,
            open_campaigns=[card for card in cards if card.state in {"open", "scheduled"}],
            closed_campaigns=[card for card in cards if card.state not in {"open", "scheduled"}],
        )

    async def campaign(self, request: Request) -> Response:
        """Show a campaign with its form, or why it cannot be signed."""
        locale, now = views.locale_of(request), utc_now()
        shelved = await views.find_shelved(self._house, request)
        # The text may be a second old; the count is what it is, also to somebody who has just confirmed.
        counted = await self._house.database.read(find_count, slug=shelved.campaign.slug)
        campaign = shelved.campaign if counted is None else shelved.campaign.counted_again(*counted)
        present = None
        if campaign.present_since is not None and campaign.takes_individuals:
            present = await self._house.database.read(
                count_present, campaign_id=campaign.id, since=campaign.present_since
            )
        is_paused = (await self._house.switchboard.find()).is_signing_paused(campaign.id)
        is_signable = views.can_sign(shelved, now) and not is_paused
        return views.show(
            self._house,
            "public/campaign.html",
            locale,
            f"/campaigns/{campaign.slug}",
            has_names=await self._has_names(shelved),
            card_path=card_path(campaign, locale, now),
            **self._endorsing(shelved, locale, now, is_paused=is_paused),
            **campaign_page.campaign_context(
                self._house,
                campaign,
                locale,
                now,
                has_form=is_signable,
                present=present,
                wants_proof=is_signable and await wants_proof(self._house, campaign.id, now),
                is_paused=is_paused,
                districts=await self._house.districts.find_for(campaign),
            ),
        )

    def _endorsing(self, shelved: ShelvedCampaign, locale: Locale, now: datetime, *, is_paused: bool) -> dict[str, Any]:
        if is_paused or not can_endorse(shelved, now):
            return {}
        made = form_mark(self._house.keyring, shelved.campaign.id, now)
        return endorse_context(shelved.campaign, locale, made=made)

    async def _has_names(self, shelved: ShelvedCampaign) -> bool:
        if shelved.key is None or shelved.campaign.state == "stopped" or not shelved.campaign.takes_individuals:
            return False
        return await self._house.database.read(has_names, campaign_id=shelved.campaign.id)

    async def qr_code(self, request: Request) -> Response:
        """Draw the short link as a QR code."""
        views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        drawing = campaign_page.draw_qr_code(self._house, shelved.campaign.slug)
        return Response(drawing, media_type="image/svg+xml")

    async def plain_page(self, request: Request) -> Response:
        """Show privacy, accessibility or about."""
        name = request.url.path.rpartition("/")[2]
        return views.show(self._house, f"public/{name}.html", views.locale_of(request), f"/{name}")

    def _to_visitor(self, request: Request, path: str) -> Response:
        locale = visitor_locale(request.scope, self._house.settings.default_locale)
        return RedirectResponse(f"/{locale}{path}", 303, {"Vary": "Accept-Language, Cookie"})
