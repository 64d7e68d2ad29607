"""The organisations under a text, with what shows that they signed; and a form for whoever says that one did not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4, uuid5

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.complaints import Reported, report_campaign
from app.core.clock import utc_now
from app.i18n import Message, message
from app.rules.complaints import LONGEST, NOT_AUTHORISED
from app.rules.normalise import Refused, clean_email
from app.rules.organisations import KINDS
from app.rules.origins import place_of
from app.rules.places import country_name
from app.rules.questions import clean_paragraphs
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign, Endorsement
    from app.web.house import House

_ONCE: Final = re.compile(r"[0-9a-f]{32}")
#: Organisations to a page.
PAGE: Final = 200
_START: Final = re.compile(r"[1-9][0-9]{0,3}00")
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,5}")


class Disputing:
    """Routes."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        organisations = "/{locale}/campaigns/{slug}/organisations"
        self.routes: list[Route] = [
            Route(organisations, self.list_organisations, methods=["GET"]),
            # As with names, where a page begins is in the path, so that each is kept for a second.
            Route(f"{organisations}/{{after}}", self.list_organisations, methods=["GET"]),
            show_and_post(f"{organisations}/{{position}}/dispute", self.show, self.dispute),
        ]

    async def list_organisations(self, request: Request) -> Response:
        """Show who has signed, when, which text, and how that was proven; two hundred to a page."""
        locale, campaign = views.locale_of(request), (await views.find_shelved(self._house, request)).campaign
        start = _read_start(request)
        found = campaign.endorsements[start : start + PAGE]
        if not found:
            raise HTTPException(404)
        return views.show(
            self._house,
            "public/organisations.html",
            locale,
            f"/campaigns/{campaign.slug}/organisations" + (f"/{start}" if start else ""),
            campaign=campaign,
            title=views.title_of(campaign, locale),
            found=found,
            is_later=start > 0,
            after=start + PAGE if start + PAGE < len(campaign.endorsements) else None,
            countries={each.country: country_name(each.country, locale) for each in found if each.country},
            kinds={word: kind.say(locale) for word, kind in KINDS.items()},
        )

    async def show(self, request: Request) -> Response:
        """Show the form, or thanks."""
        campaign, organisation = await self._find(request)
        return self._show(request, campaign, organisation, is_sent="sent" in request.query_params)

    async def dispute(self, request: Request) -> Response:
        """Keep what somebody says: 303, or 422 with everything that is wrong; in another language where pressed."""
        locale, (campaign, organisation) = views.locale_of(request), await self._find(request)
        form = await read_form(request)
        if "switch" in form:
            return self._show(request, campaign, organisation, form)
        reported, errors = _read(form)
        if reported is None:
            return self._show(request, campaign, organisation, form, errors)
        await self._house.database.write(
            report_campaign,
            complaint_id=_complaint_id(form.text("once"), organisation, reported),
            campaign_id=campaign.id,
            reported=reported,
            locale=locale,
            address=place_of(request.client.host if request.client else None).address,
            keyring=self._house.keyring,
            now=utc_now(),
            endorsement_id=organisation.id,
        )
        return RedirectResponse(f"/{locale}{_path(campaign, organisation)}?sent", 303)

    async def _find(self, request: Request) -> tuple[Campaign, Endorsement]:
        views.locale_of(request)
        campaign = (await views.find_shelved(self._house, request)).campaign
        typed = request.path_params["position"]
        position = int(typed) if _POSITION.fullmatch(typed) else None
        organisation = next((each for each in campaign.endorsements if each.position == position), None)
        if organisation is None:
            raise HTTPException(404)
        return campaign, organisation

    def _show(
        self,
        request: Request,
        campaign: Campaign,
        organisation: Endorsement,
        form: Form | None = None,
        errors: dict[str, Message] | None = None,
        *,
        is_sent: bool = False,
    ) -> Response:
        locale: Locale = views.locale_of(request)
        values = {} if form is None else form.typed()
        return views.show(
            self._house,
            "public/dispute.html",
            locale,
            _path(campaign, organisation),
            status_code=422 if errors else 200,
            campaign=campaign,
            organisation=organisation,
            title=views.title_of(campaign, locale),
            values=values,
            errors=[(field, error.say(locale)) for field, error in (errors or {}).items()],
            once=values.get("once") or uuid4().hex,
            is_sent=is_sent,
        )


def _read_start(request: Request) -> int:
    """Return after how many organisations a page begins; 404 where none can."""
    typed = request.path_params.get("after")
    if typed is None:
        return 0
    if not _START.fullmatch(typed) or int(typed) % PAGE:
        raise HTTPException(404)
    return int(typed)


def _path(campaign: Campaign, organisation: Endorsement) -> str:
    return f"/campaigns/{campaign.slug}/organisations/{organisation.position}/dispute"


def _complaint_id(once: str, organisation: Endorsement, reported: Reported) -> UUID:
    """Return the id of what a form says: the same where it comes twice, another where it was changed in between."""
    if not _ONCE.fullmatch(once):
        return uuid4()
    return uuid5(UUID(once), f"{organisation.id}\n{reported.email}\n{reported.text}")


def _read(form: Form) -> tuple[Reported | None, dict[str, Message]]:
    """Return what was typed, cleaned, or None and what is wrong with each field."""
    errors: dict[str, Message] = {}
    text, email = "", ""
    try:
        text = clean_paragraphs(form.text("words"), limit=LONGEST)
        if not text:
            errors["words"] = message("Write how you know that it did not sign")
    except Refused as refusal:
        errors["words"] = refusal.message
    try:
        # Unlike a report of a campaign, somebody has to be asked before an organisation is marked.
        email = clean_email(form.text("email"))
    except Refused as refusal:
        errors["email"] = refusal.message
    return (None, errors) if errors else (Reported(NOT_AUTHORISED, text, email), errors)
