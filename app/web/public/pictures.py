"""What a campaign is shared as: the card that messengers show, a poster for a hall, sheets to be signed in ink.

Each is made once for what it says, by whichever process is asked first (app/web/printing.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from app.core.clock import utc_now
from app.documents.card import Card, draw_card, name_card, write_card
from app.documents.poster import SIZES as POSTER_SIZES
from app.documents.poster import Poster, name_poster, typeset_poster, write_poster
from app.documents.sheet import SIZES as SHEET_SIZES
from app.documents.sheet import (
    NoCommonsForm,
    NoRoomForSignatures,
    Sheet,
    commons_locale,
    name_sheet,
    typeset_sheet,
    write_commons_sheet,
    write_free_sheet,
)
from app.queries.paper import find_return
from app.rules.life import state_by_dates
from app.web import campaign_page
from app.web.public import views

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.house import House

#: Seconds for which whoever has one need not ask again. Messengers keep a card for days whatever we say.
_FRESH: Final = 300
_PNG: Final = "image/png"
_PDF: Final = "application/pdf"
_FIRST_SIZE: Final = "letter"
_KINDS: Final = frozenset({"commons", "free"})
#: Texts that are known to leave no room on the form, of which this process remembers as many.
_REMEMBERED: Final = 200


@dataclass(frozen=True, slots=True)
class _Order:
    """What the printer is asked for."""

    name: str
    state: str
    make: Callable[[], bytes]
    media_type: str


class Pictures:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what pictures and documents need."""
        self._house = house
        self._without_room: set[str] = set()
        self.routes: list[Route] = [
            Route("/{locale}/campaigns/{slug}/card.png", self.card),
            Route("/{locale}/campaigns/{slug}/poster.pdf", self.poster),
            Route("/{locale}/campaigns/{slug}/paper.pdf", self.paper),
        ]

    async def card(self, request: Request) -> Response:
        """Draw the card; the same for all counts of one band."""
        locale = views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        data = describe_card(campaign, locale, utc_now())
        order = _Order(f"card/{locale}", name_card(data), partial(draw_card, data), _PNG)
        return await self._answer(request, campaign, order)

    async def poster(self, request: Request) -> Response:
        """Set the poster on paper of ``?size=``; 404 for a campaign that was stopped."""
        views.locale_of(request)  # the poster is in all of them, and the address in one
        campaign = (await views.find_shelved(self._house, request)).campaign
        size = _choose(request, "size", POSTER_SIZES, _FIRST_SIZE)
        if campaign.state == "stopped":
            raise HTTPException(404)
        data = write_poster(_describe_poster(self._house, campaign, utc_now()), size)
        order = _Order(f"poster/{size}", name_poster(data), partial(typeset_poster, data), _PDF)
        return await self._answer(request, campaign, order)

    async def paper(self, request: Request) -> Response:
        """Set a sheet of ``?kind=`` on paper of ``?size=``.

        Where the kind is not said, a petition to a Canadian addressee gets the House of Commons' form, which takes no
        other language than English and French, and everything else the free sheet; so does a text that leaves no
        room for signatures on that form. Asked for by name, the form is 404 there; any sheet is where individuals do
        not sign.
        """
        locale = views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        size = _choose(request, "size", SHEET_SIZES, _FIRST_SIZE)
        if campaign.state == "stopped" or not campaign.takes_individuals:
            raise HTTPException(404)
        sheet = await self._describe_sheet(campaign)
        kind = _choose(request, "kind", _KINDS, _usual_kind(sheet, locale))
        if kind == "commons":
            answer = await self._answer_commons(request, campaign, sheet, locale, size)
            if answer is not None:
                return answer
            if "kind" in request.query_params:
                raise HTTPException(404)
        data = write_free_sheet(sheet, size)
        order = _Order(f"sheet/free/all/{size}", name_sheet(data), partial(typeset_sheet, data), _PDF)
        return await self._answer(request, campaign, order)

    async def _answer_commons(
        self, request: Request, campaign: Campaign, sheet: Sheet, locale: Locale, size: str
    ) -> Response | None:
        """Answer with the House of Commons' form, or None where there is none, or no room on it for signatures."""
        try:
            data = write_commons_sheet(sheet, locale, size)
        except (NoCommonsForm, NoRoomForSignatures):
            return None
        state = name_sheet(data)
        if state in self._without_room:
            return None
        try:
            order = _Order(f"sheet/commons/{data['lang']}/{size}", state, partial(typeset_sheet, data), _PDF)
            return await self._answer(request, campaign, order)
        except NoRoomForSignatures:
            # Finding that out costs a second: not again for the same text.
            if len(self._without_room) >= _REMEMBERED:
                self._without_room.clear()
            self._without_room.add(state)
            return None

    async def _describe_sheet(self, campaign: Campaign) -> Sheet:
        return Sheet(
            kind=campaign.kind,
            texts=campaign.texts,
            source_locale=campaign.source_locale,
            addressees=[(each.names, each.country) for each in campaign.addressees],
            organiser=campaign.organiser_name,
            url=_short_link(self._house, campaign),
            paper_return=await self._house.database.read(find_return, campaign_id=campaign.id),
        )

    async def _answer(self, request: Request, campaign: Campaign, order: _Order) -> Response:
        headers = {"ETag": views.tag_of(order.state), "Cache-Control": f"public, max-age={_FRESH}"}
        if views.has_already(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        content = await self._house.printer.find(
            campaign_id=campaign.id, name=order.name, state=order.state, media_type=order.media_type, make=order.make
        )
        if order.media_type == _PDF:
            file = request.url.path.rpartition("/")[2]
            headers["Content-Disposition"] = f'inline; filename="{campaign.slug}-{file}"'
        return Response(content, media_type=order.media_type, headers=headers)


def describe_card(campaign: Campaign, locale: Locale, now: datetime) -> dict[str, Any]:
    """Return what a campaign's card says, as `name_card` and `draw_card` take it."""
    return write_card(
        Card(
            title=views.title_of(campaign, locale),
            kind=campaign.kind,
            reference=campaign.reference,
            status=_status_of(campaign, now),
            people=campaign.signatures if campaign.takes_individuals else None,
            organisations=len(campaign.endorsements) if campaign.takes_organisations else None,
        ),
        locale,
    )


def card_path(campaign: Campaign, locale: Locale, now: datetime) -> str:
    """Return where a campaign's card is: elsewhere once it says something else, since messengers keep what they saw."""
    state = name_card(describe_card(campaign, locale, now))
    return f"/{locale}/campaigns/{campaign.slug}/card.png?v={state[:12]}"


def _describe_poster(house: House, campaign: Campaign, now: datetime) -> Poster:
    is_over = _status_of(campaign, now) == "closed"
    return Poster(
        titles={locale: text.title for locale, text in campaign.texts.items()},
        organiser=campaign.organiser_name,
        url=_short_link(house, campaign),
        last_day=None if is_over else campaign_page.dates_of(campaign, now)["last_day"],
        takes_individuals=campaign.takes_individuals and not is_over,
    )


def _status_of(campaign: Campaign, now: datetime) -> str:
    """Return scheduled, open, closed or stopped, by the dates and not by a flag."""
    if campaign.state in {"scheduled", "open"}:
        return state_by_dates(campaign.opens_at, campaign.closes_at, now)
    return "stopped" if campaign.state == "stopped" else "closed"


def _usual_kind(sheet: Sheet, locale: Locale) -> str:
    try:
        commons_locale(sheet, locale)
    except NoCommonsForm:
        return "free"
    return "commons"


def _short_link(house: House, campaign: Campaign) -> str:
    return f"{house.settings.base_url}/c/{campaign.slug}"


def _choose(request: Request, key: str, known: Mapping[str, object] | frozenset[str], usual: str) -> str:
    """Return what the query says of ``key``; 404 for what nobody knows."""
    chosen = request.query_params.get(key, usual)
    if chosen not in known:
        raise HTTPException(404)
    return chosen
