"""Earlier editions, what changed, and renewing a signature after a change of substance."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.editions import EditionMoved, RenewalRefused, renew_signature
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import say
from app.queries.campaigns import find_campaign
from app.queries.editions import find_asked_again, find_edition, list_editions
from app.queries.signatures import find_newest_letter
from app.rules.texts import localise
from app.web import campaign_page
from app.web.changes import describe_changes
from app.web.cookies import read_signing_cookie
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.queries.editions import AskedAgain, Edition
    from app.web.changes import ShownChange
    from app.web.house import House


class Editions:
    """Routes of editions, and of the link that asks a signer again."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [
            Route("/{locale}/campaigns/{slug}/editions", self.show_all),
            Route("/{locale}/campaigns/{slug}/editions/{number}", self.show_one),
            show_and_post("/{locale}/renew/{token}", self.ask, self.renew),
        ]

    async def show_all(self, request: Request) -> Response:
        """List every edition, the newest first, with what changed in it."""
        locale = views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        editions = await self._house.database.read(list_editions, campaign_id=campaign.id)
        changes = [await _changes(before, each, locale) for before, each in pairwise([None, *editions])]
        return views.show(
            self._house,
            "public/editions.html",
            locale,
            f"/campaigns/{campaign.slug}/editions",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            editions=[*zip(reversed(editions), reversed(changes), strict=True)],
        )

    async def show_one(self, request: Request) -> Response:
        """Show one edition as it was read, marked where another has taken its place."""
        locale, number = views.locale_of(request), request.path_params["number"]
        campaign = (await views.find_shelved(self._house, request)).campaign
        edition = None
        if number.isascii() and number.isdigit() and len(number) < 6:  # noqa: PLR2004 - fits a column
            edition = await self._house.database.read(find_edition, campaign_id=campaign.id, number=int(number))
        if edition is None:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/editions_one.html",
            locale,
            f"/campaigns/{campaign.slug}/editions/{edition.number}",
            campaign=campaign,
            edition=edition,
            text=localise(edition.texts, locale, campaign.source_locale),
        )

    async def ask(self, request: Request) -> Response:
        """Show what changed since somebody signed, and the new text. Changes nothing, whoever opens it."""
        return await self._show(request, await self._find(request), utc_now())

    async def renew(self, request: Request) -> Response:
        """Keep a signer's yes to the text that was shown, once; the same answer when repeated."""
        now, form = utc_now(), await read_form(request)
        if self._needs_tick(request, asked := await self._find(request), form, now):
            return await self._show(request, asked, now, fault="signing")
        token = request.path_params["token"]
        try:
            await self._house.database.write(renew_signature, token=token, shown=form.text("edition"), now=now)
        except EditionMoved:
            return await self._show(request, asked, now, fault="edition")
        except RenewalRefused:
            # Withdrawn, too late, or ended in another window just now: the page says how it stands.
            return await self._show(request, await self._find(request), now, status_code=409)
        self._house.cache.forget(asked.campaign_slug)
        return RedirectResponse(f"/{views.locale_of(request)}/renew/{token}", 303)

    async def _find(self, request: Request) -> AskedAgain:
        views.locale_of(request)
        asked = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            asked = await self._house.database.read(find_asked_again, token=request.path_params["token"])
        if asked is None:
            raise HTTPException(404)
        return asked

    async def _show(
        self,
        request: Request,
        asked: AskedAgain,
        now: datetime,
        *,
        fault: str | None = None,
        status_code: int = 200,
    ) -> Response:
        locale = views.locale_of(request)
        # Not what is kept for a second: which text is signed here hangs on it.
        campaign = await self._house.database.read(find_campaign, slug=asked.campaign_slug)
        if campaign is None:
            raise HTTPException(404)
        is_renewed = asked.bound_number >= (campaign.present_since or 1)
        can_renew = asked.state == "confirmed" and not is_renewed
        if can_renew and (asked.is_link_dead(now) or campaign_page.status_of(campaign, now) != "open"):
            return self._show_too_late(locale)
        signed = await self._house.database.read(find_edition, campaign_id=asked.campaign_id, number=asked.bound_number)
        return views.show(
            self._house,
            "public/renew.html",
            locale,
            f"/renew/{request.path_params['token']}",
            status_code=422 if fault else status_code,
            campaign=campaign,
            text=localise(campaign.texts, locale, campaign.source_locale),
            signed=signed,
            changes=await _changes(signed, campaign, locale) if can_renew else [],
            can_renew=can_renew,
            is_renewed=is_renewed,
            needs_tick=self._needs_tick(request, asked, None, now),
            fault=fault,
            manage_path=await self._manage_path(asked, locale) if can_renew else None,
        )

    def _show_too_late(self, locale: Locale) -> Response:
        """Say that the time to answer is over, and nothing of whose signature or to what."""
        return views.show(
            self._house,
            "public/error.html",
            locale,
            "/",
            status_code=410,
            status=410,
            heading=say(locale, "It is too late to sign the new text"),
            explanation=say(
                locale, "This link no longer works. Your signature stays with the text that you read, and it counts."
            ),
            hint=None,
        )

    def _needs_tick(self, request: Request, asked: AskedAgain, form: Form | None, now: datetime) -> bool:
        """Tell whether this browser must still say that a person is signing: scanners press buttons, too."""
        if form is not None and "signing" in form:
            return False
        note = read_signing_cookie(request, keyring=self._house.keyring, now=now)
        return note is None or note.signature_id != asked.signature_id

    async def _manage_path(self, asked: AskedAgain, locale: str) -> str | None:
        letter = await self._house.database.read(find_newest_letter, signature_id=asked.signature_id)
        if letter is None:
            return None
        return f"/{locale}/signature/{tokens.make_token(self._house.keyring.tokens, 'manage', letter)}"


async def _changes(before: Edition | None, after: Edition | Campaign | None, locale: Locale) -> list[ShownChange]:
    if before is None or after is None:
        return []
    # Comparing long texts takes a while, and others are waiting for their pages.
    return await asyncio.to_thread(describe_changes, before.texts, after.texts, locale)
