"""The link in an office's invitation: what it leads to, and joining once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.actions.offices import OfficeLinkDead, join_office
from app.actions.records import record
from app.actions.signing_in import Browser
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import as_locale
from app.queries.offices import find_dead_link, find_office_link
from app.rules.devices import name_device
from app.web.forms import read_form
from app.web.gate import NOTED_EVERY
from app.web.routes import show_and_post
from app.web.sessions import find_visitor, new_secret, session_cookie, write_session_cookies

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from starlette.requests import Request
    from starlette.routing import Route

    from app.i18n import Locale
    from app.queries.offices import OfficeLink
    from app.web.house import House


class Joining:
    """Routes of an invitation's link. They need no session, and lead to one."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        # When a dead link was last put on record, by its campaign: a row for each press would be anybody's to write.
        self._noted: dict[UUID | None, datetime] = {}
        self.routes: list[Route] = [show_and_post("/{locale}/office/invitation/{token}", self.show, self.join)]

    async def show(self, request: Request) -> Response:
        """Say who invites, and to what. Changes nothing, whoever opens it and however often."""
        locale, now = _locale_of(request), utc_now()
        link = await self._find(request, now)
        return await self._refuse(request, locale, now) if link is None else self._show(request, locale, link)

    async def join(self, request: Request) -> Response:
        """Join, once. Programs that check letters press buttons, and tick no box."""
        locale, now = _locale_of(request), utc_now()
        form = await read_form(request)
        link = await self._find(request, now)
        if link is None:
            return await self._refuse(request, locale, now)
        if "sure" not in form:
            return self._show(request, locale, link, is_tick_missing=True)
        browser = Browser(
            secret=new_secret(),
            device=name_device(request.headers.get("user-agent", "")),
            old_secret=request.cookies.get(session_cookie(self._house.settings)),
        )
        try:
            joined = await self._house.database.write(
                join_office,
                token=request.path_params["token"],
                browser=browser,
                keyring=self._house.keyring,
                now=now,
            )
        except OfficeLinkDead:
            return await self._refuse(request, locale, now)
        path = f"/{locale}/office/campaigns/{joined.slug}"
        if not joined.is_signed_in:
            visitor = await find_visitor(self._house, request, now)
            is_here = visitor is not None and visitor.account_id == joined.account_id
            leads_to = path if is_here else f"/{locale}/workspace/sign-in?{urlencode({'next': path})}"
            return RedirectResponse(leads_to, 303)
        response = RedirectResponse(path, 303)
        write_session_cookies(response, browser.secret, joined.account_id, self._house)
        return response

    async def _find(self, request: Request, now: datetime) -> OfficeLink | None:
        token = request.path_params["token"]
        if not tokens.TOKEN_FORM.fullmatch(token):
            return None
        return await self._house.database.read(find_office_link, token=token, now=now)

    async def _refuse(self, request: Request, locale: Locale, now: datetime) -> Response:
        token, dead = request.path_params["token"], None
        if tokens.TOKEN_FORM.fullmatch(token):
            dead = await self._house.database.read(find_dead_link, token=token)
        campaign_id = None if dead is None else dead.campaign_id
        last = self._noted.get(campaign_id)
        if last is None or now - last >= NOTED_EVERY:
            self._noted[campaign_id] = now
            details = {"method": request.method, "address": "/invitation/{token}"}
            await self._house.database.write(
                record, what="office_refused", now=now, campaign_id=campaign_id, details=details
            )
        return self._show_dead(request, locale)

    def _show(self, request: Request, locale: Locale, link: OfficeLink, *, is_tick_missing: bool = False) -> Response:
        return self._render("office/invitation.html", request, locale, 422 if is_tick_missing else 200,
                            link=link, is_tick_missing=is_tick_missing)  # fmt: skip

    def _show_dead(self, request: Request, locale: Locale) -> Response:
        return self._render("office/invitation_dead.html", request, locale, 404)

    def _render(
        self,
        template: str,
        request: Request,
        locale: Locale,
        status: int,
        **context: object,
    ) -> Response:
        content = self._house.pages.render(
            template,
            locale,
            path=f"/office/invitation/{request.path_params['token']}",
            base_url=self._house.settings.base_url,
            **context,
        )
        return HTMLResponse(content, status)


def _locale_of(request: Request) -> Locale:
    try:
        return as_locale(request.path_params["locale"])
    except ValueError:
        raise HTTPException(404) from None
