"""The signer's own page: see what is held, show or hide the name, turn news on or off, withdraw, download, erase."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.actions import own_signature
from app.actions.own_signature import SignatureNotFound
from app.core import tokens
from app.core.clock import utc_now
from app.queries.editions import list_renewals
from app.queries.signatures import find_own_signature
from app.rules.eligibility import claim_label
from app.rules.places import country_name
from app.web.forms import read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.queries.editions import Renewed
    from app.queries.signatures import OwnSignature
    from app.web.house import House

ACTIONS: Final = frozenset({"show", "hide", "news", "no_news", "withdraw", "erase"})
GRAVE: Final = frozenset({"withdraw", "erase"})


class OwnPage:
    """Routes of the signer's own page."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [
            show_and_post("/{locale}/signature/{token}", self.show, self.act),
        ]

    async def show(self, request: Request) -> Response:
        """Show what is held; ``?download`` gives it as a file."""
        own = await self._find(request)
        if "download" in request.query_params:
            return _download(own, await self._list_renewals(own))
        done = request.query_params.get("done")
        return await self._show(request, own, done=done if done in ACTIONS else None)

    async def act(self, request: Request) -> Response:
        """Show or hide the name, turn news on or off, withdraw or erase; the grave ones ask once more."""
        own = await self._find(request)
        form = await read_form(request)
        action = form.text("action")
        if action not in ACTIONS:
            raise HTTPException(400)
        # What has ended already has nothing left to ask about: the page says how it stands.
        if action in GRAVE and "sure" not in form and own.ended_at is None:
            return await self._show(request, own, asks=action)
        token, now, database = request.path_params["token"], utc_now(), self._house.database
        try:
            if action == "withdraw":
                await database.write(own_signature.withdraw_signature, token=token, now=now)
            elif action == "erase":
                await database.write(own_signature.erase_signature, token=token, now=now)
            elif action in {"news", "no_news"}:
                await database.write(own_signature.set_wants_updates, token=token, wants_updates=action == "news")
            else:
                await database.write(own_signature.set_name_shown, token=token, is_name_shown=action == "show")
        except SignatureNotFound:
            # Pressed twice, or ended in another window: the page says how it stands.
            return await self._show(request, await self._find(request))
        self._house.forget(own.campaign_slug)
        return RedirectResponse(f"/{views.locale_of(request)}/signature/{token}?done={action}", 303)

    async def _find(self, request: Request) -> OwnSignature:
        views.locale_of(request)
        own = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            own = await self._house.database.read(
                find_own_signature,
                token=request.path_params["token"],
                purpose="manage",
                keyring=self._house.keyring,
            )
        if own is None:
            raise HTTPException(404)
        return own

    async def _list_renewals(self, own: OwnSignature) -> list[Renewed]:
        return await self._house.database.read(list_renewals, signature_id=own.id)

    async def _show(
        self, request: Request, own: OwnSignature, *, done: str | None = None, asks: str | None = None
    ) -> Response:
        locale = views.locale_of(request)
        shelved = await self._house.shelf.find(own.campaign_slug)
        if shelved is None:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/signature.html",
            locale,
            f"/signature/{request.path_params['token']}",
            campaign=shelved.campaign,
            title=views.title_of(shelved.campaign, locale),
            signature=own,
            renewals=await self._list_renewals(own),
            country=country_name(own.country, locale),
            subdivision=views.subdivision_name(own.subdivision, locale),
            claims=[claim_label(claim, locale) for claim in own.claims],
            done=done,
            asks=asks,
        )


def _download(own: OwnSignature, renewals: list[Renewed]) -> Response:
    content = {
        name: _in_utc(value) if isinstance(value, datetime) else value
        for name, value in dataclasses.asdict(own).items()
        if name not in {"id", "link_expires_at"}
    }
    content["renewals"] = [{"edition_number": each.number, "at": _in_utc(each.at)} for each in renewals]
    return JSONResponse(content, headers={"Content-Disposition": 'attachment; filename="my-signature.json"'})


def _in_utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
