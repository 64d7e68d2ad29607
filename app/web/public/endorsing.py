"""Organisations sign: the form, the link that confirms it, and the pictures of those that have signed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions import endorsing
from app.actions.endorsing import EndorsementLinkExpired, EndorsementLinkUnknown, EndorsementMoved, NotConfirmable
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import Message, message
from app.mail.kinds import KINDS
from app.queries.campaigns import find_campaign
from app.queries.editions import find_bound_edition
from app.queries.endorsements import find_endorse_link, find_logo
from app.rendering import choose_part
from app.rules.origins import place_of
from app.rules.places import country_name
from app.web import campaign_page, marks
from app.web.cookies import write_locale_cookie
from app.web.forms import Form, read_form
from app.web.pausing import pause
from app.web.public import views
from app.web.public.endorsing_form import LIVING, can_endorse, endorse_context, endorsing_status, read_asked
from app.web.public.signing_form import read_edition, read_via
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from starlette.requests import Request

    from app.queries.campaigns import Campaign
    from app.queries.endorsements import EndorseLink
    from app.web.house import House, ShelvedCampaign

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
#: A picture can be taken down.
FRESH: Final = "public, max-age=3600"


class Endorsing:
    """Routes of the form and of the link that confirms it."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        campaign = "/{locale}/campaigns/{slug}"
        self.routes = [
            show_and_post(f"{campaign}/endorse", self.show, self.endorse),
            Route(f"{campaign}/endorse/check-email", self.check_email, methods=["GET"]),
            Route(f"{campaign}/logos/{{sha256}}.png", self.logo, methods=["GET"]),
            show_and_post("/{locale}/endorsement/confirm/{token}", self.show_link, self.confirm),
        ]

    # The form

    async def show(self, request: Request) -> Response:
        """Show the form by itself, or that none can be sent now."""
        now, shelved = utc_now(), await views.find_shelved(self._house, request)
        if not await self._is_open(shelved, now):
            return await self._show_not_open(request, shelved.campaign, now)
        return self._show_form(request, shelved.campaign, None, now, via=request.query_params.get("via", ""))

    async def endorse(self, request: Request) -> Response:
        """Keep an organisation's form: 303, or 422 with every fault, or 409 where it cannot sign now."""
        now, locale = utc_now(), views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        form, campaign = await read_form(request), shelved.campaign
        if not await self._is_open(shelved, now) or shelved.key is None:
            return await self._show_not_open(request, campaign, now)
        # A form that names no text was under none: an organisation signs what was shown.
        shown = read_edition(form, campaign) if form.text("edition") else ""
        via = read_via(form, request, campaign.slug)
        if "switch" in form:
            return self._show_form(request, campaign, form, now, edition=shown or None, via=via)
        edition_id = await self._find_edition_id(campaign, shown, now)
        asked, errors = read_asked(form, campaign, locale, is_text_current=edition_id is not None, via=via)
        if edition_id is None:
            campaign, shown = await self._read_again(campaign), ""
        if asked is None or edition_id is None:
            return self._show_form(request, campaign, form, now, errors=errors, edition=shown or None, via=via)
        await self._house.database.write(
            endorsing.take_form,
            campaign_id=campaign.id,
            edition_id=edition_id,
            asked=asked,
            key=shelved.key,
            address=place_of(request.client.host if request.client else None).address,
            keyring=self._house.keyring,
            now=now,
        )
        await pause()
        response = RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/endorse/check-email", 303)
        write_locale_cookie(response, locale, settings=self._house.settings)
        return response

    async def check_email(self, request: Request) -> Response:
        """Say what happens next, the same whoever sent the form."""
        locale, campaign = views.locale_of(request), (await views.find_shelved(self._house, request)).campaign
        return views.show(
            self._house,
            "public/endorse_check_email.html",
            locale,
            f"/campaigns/{campaign.slug}/endorse/check-email",
            campaign=campaign,
            title=views.title_of(campaign, locale),
            sender=self._house.settings.mail_from,
            subject=KINDS["endorse"].subject.say(locale),
        )

    async def _is_open(self, shelved: ShelvedCampaign, now: datetime) -> bool:
        switches = await self._house.switchboard.find()
        return can_endorse(shelved, now) and not switches.is_signing_paused(shelved.campaign.id)

    async def _find_edition_id(self, campaign: Campaign, shown: str, now: datetime) -> UUID | None:
        """Return the edition that the form binds to, or None where its text can no longer be signed."""
        if shown == campaign.edition_hash:
            return campaign.edition_id
        bound = await self._house.database.read(find_bound_edition, campaign_id=campaign.id, shown=shown, now=now)
        return None if bound is None else bound.id

    async def _read_again(self, campaign: Campaign) -> Campaign:
        return await self._house.database.read(find_campaign, slug=campaign.slug) or campaign

    def _show_form(
        self,
        request: Request,
        campaign: Campaign,
        form: Form | None,
        now: datetime,
        *,
        errors: Mapping[str, Message] | None = None,
        edition: str | None = None,
        via: str = "",
    ) -> Response:
        locale = views.locale_of(request)
        return views.show(
            self._house,
            "public/endorse.html",
            locale,
            f"/campaigns/{campaign.slug}/endorse",
            status_code=422 if errors else 200,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            **endorse_context(
                campaign,
                locale,
                made=marks.form_mark(self._house.keyring, campaign.id, now),
                form=form,
                errors=errors,
                edition=edition,
                via=via,
            ),
        )

    async def _show_not_open(self, request: Request, campaign: Campaign, now: datetime) -> Response:
        locale, switches = views.locale_of(request), await self._house.switchboard.find()
        return views.show(
            self._house,
            "public/not_open.html",
            locale,
            f"/campaigns/{campaign.slug}",
            status_code=409,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            status=endorsing_status(campaign, now, is_paused=switches.is_signing_paused(campaign.id)),
            **campaign_page.dates_of(campaign, now),
        )

    # The link that confirms

    async def show_link(self, request: Request) -> Response:
        """Show what is about to be signed, or taken over. Changes nothing, whoever opens it and however often."""
        return self._show_link(request, await self._find_link(request))

    async def confirm(self, request: Request) -> Response:
        """Confirm: 303 to the page that says so; the same again when pressed twice."""
        link, form = await self._find_link(request), await read_form(request)
        if link.is_expired:
            return self._show_link(request, link)
        token, locale = request.path_params["token"], views.locale_of(request)
        if "sure" not in form and _can_confirm(link):
            # Programs that check letters press buttons, and tick no box.
            error = message("Tick the box to say that you may sign for the organisation")
            return self._show_link(request, link, error=error)
        try:
            await self._house.database.write(
                endorsing.confirm_endorsement, token=token, keyring=self._house.keyring, now=utc_now()
            )
        except (EndorsementMoved, NotConfirmable, EndorsementLinkExpired):
            return self._show_link(request, await self._find_link(request), status_code=409)
        except EndorsementLinkUnknown:
            raise HTTPException(404) from None
        return RedirectResponse(f"/{locale}/endorsement/confirm/{token}", 303)

    async def _find_link(self, request: Request) -> EndorseLink:
        views.locale_of(request)
        token, link = request.path_params["token"], None
        if tokens.TOKEN_FORM.fullmatch(token):
            link = await self._house.database.read(
                find_endorse_link, token=token, keyring=self._house.keyring, now=utc_now()
            )
        if link is None:
            raise HTTPException(404)
        return link

    def _show_link(
        self, request: Request, link: EndorseLink, *, error: Message | None = None, status_code: int = 200
    ) -> Response:
        locale, token, campaign = views.locale_of(request), request.path_params["token"], link.campaign
        if link.is_expired:
            status_code = 410
        return views.show(
            self._house,
            "public/endorse_confirm.html",
            locale,
            f"/endorsement/confirm/{token}",
            status_code=status_code if error is None else 422,
            link=link,
            campaign=campaign,
            title=choose_part(campaign.titles, locale, campaign.source_locale),
            country=country_name(link.said.country, locale) if link.said.country else "",
            can_confirm=_can_confirm(link),
            error=None if error is None else error.say(locale),
        )

    # Its picture

    async def logo(self, request: Request) -> Response:
        """Give the picture of an organisation that has signed: its address is its content, so it never changes."""
        views.locale_of(request)
        sha256, found = request.path_params["sha256"], None
        shelved = await views.find_shelved(self._house, request)
        if _SHA256.fullmatch(sha256):
            found = await self._house.database.read(find_logo, slug=shelved.campaign.slug, sha256=sha256)
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="image/png", headers={"Cache-Control": FRESH})


def _can_confirm(link: EndorseLink) -> bool:
    """Tell whether pressing the button would change anything."""
    living = LIVING if link.is_successor else ("asked",)
    return link.state in living and not (link.is_confirmed or link.is_expired)
