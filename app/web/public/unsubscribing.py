"""Ending the letters with news, in one click and without a sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.updates import SubscriptionNotFound, set_subscription
from app.core import tokens
from app.queries.updates import find_subscription
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.web.house import House


class Unsubscribing:
    """Routes."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [
            show_and_post("/{locale}/unsubscribe/{token}", self.show, self.unsubscribe),
            Route("/{locale}/unsubscribe/{token}/undo", self.undo, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show a button, and change nothing: whatever reads letters before people do opens links."""
        return await self._show(request)

    async def unsubscribe(self, request: Request) -> Response:
        """Send no more news, whoever posts this address and whatever is in it: a mailbox provider, or our own page.

        Answered at once and not with a redirect, which RFC 8058 rules out.
        """
        await self._set(request, is_wanted=False)
        return await self._show(request)

    async def undo(self, request: Request) -> Response:
        """Send news again: the button was pressed by mistake."""
        await self._set(request, is_wanted=True)
        return RedirectResponse(f"/{views.locale_of(request)}/unsubscribe/{request.path_params['token']}", 303)

    async def _set(self, request: Request, *, is_wanted: bool) -> None:
        views.locale_of(request)
        token = request.path_params["token"]
        if not tokens.TOKEN_FORM.fullmatch(token):
            raise HTTPException(404)
        try:
            await self._house.database.write(set_subscription, token=token, is_wanted=is_wanted)
        except SubscriptionNotFound:
            raise HTTPException(404) from None

    async def _show(self, request: Request) -> Response:
        locale, token = views.locale_of(request), request.path_params["token"]
        subscription = None
        if tokens.TOKEN_FORM.fullmatch(token):
            subscription = await self._house.database.read(find_subscription, token=token)
        shelved = None if subscription is None else await self._house.shelf.find(subscription.slug)
        if subscription is None or shelved is None:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/unsubscribe.html",
            locale,
            f"/unsubscribe/{token}",
            campaign=shelved.campaign,
            title=views.title_of(shelved.campaign, locale),
            subscription=subscription,
        )
