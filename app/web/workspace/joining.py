"""Invitations into a team, opened from a letter."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.actions.signing_in import Browser
from app.actions.teams import InvitationEnded, accept_invitation, answer_own_invitation, decline_invitation
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import as_locale
from app.queries.teams import find_invitation
from app.rules.devices import name_device
from app.web.forms import read_form
from app.web.routes import show_and_post
from app.web.sessions import find_visitor, new_secret, session_cookie, write_session_cookies

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.routing import Route

    from app.i18n import Locale
    from app.queries.accounts import SignedIn
    from app.queries.teams import Invited
    from app.web.house import House


class Joining:
    """Routes."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [show_and_post("/{locale}/workspace/invitation/{token}", self.show, self.answer)]

    async def show(self, request: Request) -> Response:
        """Show who invites, and into what. Changes nothing, whoever opens it and however often."""
        now = utc_now()
        invited = await self._find(request)
        return self._show(request, invited, await find_visitor(self._house, request, now), now)

    async def answer(self, request: Request) -> Response:
        """Join or decline, once."""
        locale, now = _locale_of(request), utc_now()
        form = await read_form(request)
        invited, visitor = await self._find(request), await find_visitor(self._house, request, now)
        if not invited.is_open(now):
            return self._show(request, invited, visitor, now)
        is_theirs = _is_of(invited, visitor)
        if not is_theirs and "invited" not in form:
            return self._show(request, invited, visitor, now, tick_missing=True)
        try:
            if "decline" in form:
                await self._house.database.write(decline_invitation, token=request.path_params["token"], now=now)
                return RedirectResponse(request.url.path, 303)
            if visitor is not None and is_theirs:
                await self._house.database.write(
                    answer_own_invitation,
                    invitation_id=invited.id,
                    account_id=visitor.account_id,
                    accepts=True,
                    now=now,
                )
                return RedirectResponse(f"/{locale}/workspace/campaigns/{invited.slug}", 303)
            return await self._accept(request, locale, now)
        except InvitationEnded:
            # Answered in another window just now, or by an account that is disabled.
            return self._show(request, await self._find(request), visitor, now, has_ended=True)

    async def _accept(self, request: Request, locale: Locale, now: datetime) -> Response:
        """Join with the mailbox that the link proves, and be signed in with it."""
        browser = Browser(
            secret=new_secret(),
            device=name_device(request.headers.get("user-agent", "")),
            old_secret=request.cookies.get(session_cookie(self._house.settings)),
        )
        joined = await self._house.database.write(
            accept_invitation,
            token=request.path_params["token"],
            locale=locale,
            browser=browser,
            keyring=self._house.keyring,
            now=now,
        )
        path = f"/{locale}/workspace/campaigns/{joined.slug}"
        if not joined.is_signed_in:
            # A letter does not stand in for the second step.
            return RedirectResponse(f"/{locale}/workspace/sign-in?{urlencode({'next': path})}", 303)
        response = RedirectResponse(path, 303)
        write_session_cookies(response, browser.secret, joined.account_id, self._house)
        return response

    async def _find(self, request: Request) -> Invited:
        _locale_of(request)
        invited = None
        token = request.path_params["token"]
        if tokens.TOKEN_FORM.fullmatch(token):
            invited = await self._house.database.read(find_invitation, token=token, keyring=self._house.keyring)
        if invited is None:
            raise HTTPException(404)
        return invited

    def _show(
        self,
        request: Request,
        invited: Invited,
        visitor: SignedIn | None,
        now: datetime,
        *,
        tick_missing: bool = False,
        has_ended: bool = False,
    ) -> Response:
        is_open = invited.is_open(now) and not has_ended
        is_answered = invited.state in {"accepted", "declined"}
        status = 200 if is_open or is_answered else 410
        locale = _locale_of(request)
        content = self._house.pages.render(
            "workspace/joining.html",
            locale,
            path=f"/workspace/invitation/{request.path_params['token']}",
            base_url=self._house.settings.base_url,
            invited=invited,
            is_open=is_open,
            needs_tick=not _is_of(invited, visitor),
            is_somebody_else=visitor is not None and not _is_of(invited, visitor),
            tick_missing=tick_missing,
        )
        return HTMLResponse(content, 422 if tick_missing else status)


def _is_of(invited: Invited, visitor: SignedIn | None) -> bool:
    """Tell whether whoever is signed in has the address that was invited."""
    return visitor is not None and visitor.account_id == invited.account_id


def _locale_of(request: Request) -> Locale:
    try:
        return as_locale(request.path_params["locale"])
    except ValueError:
        raise HTTPException(404) from None
