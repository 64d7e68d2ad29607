"""The page on which a member's office accepts or declines to carry a petition, and later may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.actions import sponsoring
from app.actions.campaigns import CampaignCannotMove
from app.actions.sponsoring import ASKABLE_STATES, ShownTextChanged, SponsorLinkUnknown, SponsorMoved
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import Message, message
from app.queries.sponsoring import find_sponsor_link
from app.rules.eligibility import who_can_sign
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import Refused
from app.rules.texts import localise
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.reasons import read_reason
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from app.queries.sponsoring import SponsorLink
    from app.web.house import House

ACTIONS: Final = ("accept", "decline", "leave")
GONE: Final = 410
CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
CHANGED: Final = message("The text has changed since you opened this page. Read it again.")


class Sponsoring:
    """Routes of the link in a letter to an office."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [show_and_post("/{locale}/sponsor/{token}", self.show, self.answer)]

    async def show(self, request: Request) -> Response:
        """Show the petition and how the Member stands to it. Changes nothing, whoever opens it."""
        now = utc_now()
        return self._show(request, await self._find(request, now), now)

    async def answer(self, request: Request) -> Response:
        """Take the office's answer: 303 to the page that says so; the same again when repeated."""
        now = utc_now()
        link = await self._find(request, now)
        form = await read_form(request)
        action = form.text("action")
        if action not in ACTIONS:
            raise HTTPException(400)
        if link.is_expired:
            return self._show(request, link, now)
        errors = {}
        if "sure" not in form:
            # Programs that check letters press buttons, and tick no box.
            errors["sure"] = message("Tick the box to say that you answer for the Member")
        try:
            because = read_reason(form.text("reason"), is_required=False)
        except Refused as refusal:
            because = ""
            errors["reason"] = refusal.message
        if errors:
            return self._show(request, link, now, status_code=UNPROCESSABLE, errors=errors, form=form)
        try:
            await self._answer(request, action, form.text("text"), because, now)
        except (SponsorMoved, CampaignCannotMove, SponsorLinkUnknown):
            return self._show(request, await self._find(request, now), now, status_code=CONFLICT)
        except ShownTextChanged:
            errors = {"text": CHANGED}
            link = await self._find(request, now)
            return self._show(request, link, now, status_code=CONFLICT, errors=errors, form=form)
        self._house.cache.forget(link.slug)
        token = request.path_params["token"]
        return RedirectResponse(f"/{views.locale_of(request)}/sponsor/{token}", 303)

    async def _answer(self, request: Request, action: str, text_hash: str, because: str, now: datetime) -> None:
        token, database = request.path_params["token"], self._house.database
        if action == "accept":
            await database.write(sponsoring.accept_sponsorship, token=token, text_hash=text_hash, now=now)
        elif action == "decline":
            await database.write(sponsoring.decline_sponsorship, token=token, because=because, now=now)
        else:
            await database.write(sponsoring.leave_sponsorship, token=token, because=because, now=now)

    async def _find(self, request: Request, now: datetime) -> SponsorLink:
        views.locale_of(request)
        token, link = request.path_params["token"], None
        if tokens.TOKEN_FORM.fullmatch(token):
            link = await self._house.database.read(find_sponsor_link, token=token, keyring=self._house.keyring, now=now)
        if link is None or link.asking.state == "proposed":
            raise HTTPException(404)
        return link

    def _show(
        self,
        request: Request,
        link: SponsorLink,
        now: datetime,
        *,
        status_code: int = 200,
        errors: Mapping[str, Message] | None = None,
        form: Form | None = None,
    ) -> Response:
        locale, token = views.locale_of(request), request.path_params["token"]
        if link.is_expired:
            return views.show(self._house, "public/sponsor_expired.html", locale, f"/sponsor/{token}", status_code=GONE)
        asking = link.asking
        has_lapsed = asking.state == "asked" and asking.expires_at is not None and asking.expires_at <= now
        is_askable = link.state in ASKABLE_STATES
        return views.show(
            self._house,
            "public/sponsor.html",
            locale,
            f"/sponsor/{token}",
            status_code=status_code,
            link=link,
            asking=asking,
            text=localise(link.texts, locale, link.source_locale),
            who_can_sign=who_can_sign(link.rule, locale),
            can_answer=asking.state == "asked" and is_askable and not has_lapsed,
            can_leave=asking.state == "accepted" and is_askable,
            is_public=link.state in PUBLIC_STATES,
            has_conflict=status_code == CONFLICT,
            errors={name: fault.say(locale) for name, fault in (errors or {}).items()},
            reason="" if form is None else form.text("reason"),
        )
