"""The private link to a letter under embargo: the letter as it will be, and the form by which organisations sign it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.campaigns import CampaignCannotMove
from app.actions.embargo import request_in_private
from app.actions.endorsing import TextMoved
from app.core import tokens
from app.core.clock import utc_now
from app.queries.letters import find_advance_letter
from app.queries.previews import find_private_letter
from app.rules.life import is_signing_open
from app.rules.origins import place_of
from app.rules.texts import localise
from app.web.advance import show_advance_copy
from app.web.forms import Form, read_form
from app.web.pausing import pause
from app.web.public import views
from app.web.public.endorsing_form import endorse_context, read_asked
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from app.actions.endorsing import Asked
    from app.i18n import Message
    from app.queries.previews import PrivateLetter
    from app.web.house import House

#: Neither a browser nor anything between keeps it, and no search finds it.
_HEADERS: Final = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}


class Previewing:
    """Routes of the private link."""

    def __init__(self, house: House) -> None:
        """Take what the page needs."""
        self._house = house
        self.routes = [
            Route("/{locale}/preview/{token}/letter.pdf", self.show_copy, methods=["GET"]),
            show_and_post("/{locale}/preview/{token}", self.show, self.endorse),
        ]

    async def show(self, request: Request) -> Response:
        """Show the letter and the form; once everybody sees it, lead to its page."""
        letter = await self._find(request)
        if letter.is_public:
            return self._lead_to_campaign(request, letter)
        has_form = await self._takes_forms(letter)
        return self._show(request, letter, has_form=has_form, is_asked="asked" in request.query_params)

    async def show_copy(self, request: Request) -> Response:
        """Show the letter as a PDF; once everybody sees it, lead to the one that everybody has."""
        letter = await self._find(request)
        locale, campaign = views.locale_of(request), letter.campaign
        advance = await self._house.database.read(
            find_advance_letter, campaign_id=campaign.id, base_url=self._house.settings.base_url, now=utc_now()
        )
        if letter.is_public or advance is None:
            return RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/letter.pdf", 303, _HEADERS)
        return await show_advance_copy(self._house, campaign.id, advance, locale)

    async def endorse(self, request: Request) -> Response:
        """Keep a form and owe the letter: 303 whoever it is, 422 with every fault.

        A form that was opened under embargo and sent after it is taken all the same.
        """
        letter = await self._find(request)
        form = await read_form(request)
        if not _is_open(letter):
            return self._lead_to_campaign(request, letter)
        if not await self._takes_forms(letter):
            return self._show(request, letter, has_form=False, status_code=409)
        if "switch" in form:
            return self._show(request, letter, form=form)
        return await self._take(request, letter, form)

    async def _take(self, request: Request, letter: PrivateLetter, form: Form) -> Response:
        locale, campaign = views.locale_of(request), letter.campaign
        is_current = form.text("edition") == campaign.edition_hash
        asked, errors = read_asked(form, campaign, locale, is_text_current=is_current)
        if asked is None:
            return self._show(request, letter, form=form, errors=errors)
        try:
            await self._keep(request, letter, asked)
        except CampaignCannotMove:
            # It was called off, or signing has ended, while this was on its way.
            return self._lead_to_campaign(request, await self._find(request))
        except TextMoved:
            letter = await self._find(request)
            _, errors = read_asked(form, letter.campaign, locale, is_text_current=False)
            return self._show(request, letter, form=form, errors=errors)
        return RedirectResponse(f"/{locale}/preview/{request.path_params['token']}?asked", 303, _HEADERS)

    async def _keep(self, request: Request, letter: PrivateLetter, asked: Asked) -> None:
        assert letter.key is not None  # noqa: S101 - what its caller has seen to
        await self._house.database.write(
            request_in_private,
            campaign_id=letter.campaign.id,
            edition_id=letter.campaign.edition_id,
            asked=asked,
            key=letter.key,
            address=place_of(request.client.host if request.client else None).address,
            keyring=self._house.keyring,
            now=utc_now(),
        )
        await pause()

    async def _find(self, request: Request) -> PrivateLetter:
        views.locale_of(request)
        letter = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            letter = await self._house.database.read(
                find_private_letter, token=request.path_params["token"], keyring=self._house.keyring
            )
        if letter is None:
            raise HTTPException(404)
        return letter

    async def _takes_forms(self, letter: PrivateLetter) -> bool:
        switches = await self._house.switchboard.find()
        is_paused = switches.is_signing_paused(letter.campaign.id)
        return letter.campaign.takes_organisations and letter.key is not None and not is_paused

    def _lead_to_campaign(self, request: Request, letter: PrivateLetter) -> Response:
        return RedirectResponse(f"/{views.locale_of(request)}/campaigns/{letter.campaign.slug}", 303, _HEADERS)

    def _show(
        self,
        request: Request,
        letter: PrivateLetter,
        *,
        form: Form | None = None,
        errors: Mapping[str, Message] | None = None,
        has_form: bool = True,
        is_asked: bool = False,
        status_code: int = 200,
    ) -> Response:
        locale, campaign = views.locale_of(request), letter.campaign
        path = f"/preview/{request.path_params['token']}"
        response = views.show(
            self._house,
            "public/preview.html",
            locale,
            path,
            status_code=422 if errors else status_code,
            campaign=campaign,
            text=localise(campaign.texts, locale, campaign.source_locale),
            embargo_until=letter.embargo_until,
            is_asked=is_asked,
            has_form=has_form,
            **endorse_context(campaign, locale, action=path, form=form, errors=errors),
        )
        response.headers.update(_HEADERS)
        return response


def _is_open(letter: PrivateLetter) -> bool:
    campaign = letter.campaign
    return not letter.is_public or is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, utc_now())
