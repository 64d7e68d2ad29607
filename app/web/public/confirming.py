"""Confirming: the link in the letter shows; one press counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions import signing
from app.actions.signing import ConfirmationRefused, Confirmed
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import say
from app.queries.campaigns import find_count
from app.queries.editions import find_edition
from app.queries.signatures import find_newest_letter, find_own_signature
from app.rules.eligibility import claim_label
from app.rules.life import is_confirming_open
from app.rules.texts import localise
from app.web import campaign_page
from app.web.cookies import SigningNote, read_signing_cookie, write_signing_cookie
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.queries.signatures import OwnSignature
    from app.web.house import House, ShelvedCampaign


class Confirming:
    """Routes of the confirmation link and of the page after it."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [
            show_and_post("/{locale}/confirm/{token}", self.show, self.confirm),
            Route("/{locale}/campaigns/{slug}/signed", self.signed),
        ]

    async def show(self, request: Request) -> Response:
        """Show what is about to be signed. Changes nothing, whoever opens it and however often."""
        return await self._show(request, await self._find(request), utc_now())

    async def confirm(self, request: Request) -> Response:
        """Count the signature once; the same answer when repeated."""
        locale, now = views.locale_of(request), utc_now()
        form = await read_form(request)
        if "again" in form:
            return await self._send_again(request, now)
        if "signing" not in form:
            own = await self._find(request)
            if own.state == "pending" and not own.is_link_dead(now) and self._needs_tick(request, own, form, now):
                return await self._show(request, own, now, tick_missing=True)
        try:
            confirmed = await self._house.database.write(
                signing.confirm_by_token, token=request.path_params["token"], now=now
            )
        except ConfirmationRefused:
            # Withdrawn, too late, or ended in another window just now: the page says how it stands.
            return await self._show(request, await self._find(request), now, status_code=409)
        self._house.cache.forget(confirmed.campaign_slug)
        response = RedirectResponse(f"/{locale}/campaigns/{confirmed.campaign_slug}/signed", 303)
        shelved = await self._house.shelf.find(confirmed.campaign_slug)
        email = await self._email_of(request, confirmed, shelved, now)
        if shelved is not None and email is not None:
            note = SigningNote(shelved.campaign.id, confirmed.signature_id, email, is_confirmed=True)
            write_signing_cookie(response, note, keyring=self._house.keyring, settings=self._house.settings, now=now)
        return response

    async def _email_of(
        self, request: Request, confirmed: Confirmed, shelved: ShelvedCampaign | None, now: datetime
    ) -> str | None:
        """Return the address for the note. An old link still leads to the thanks, but makes nobody the signer."""
        if confirmed.email is not None and shelved is not None and shelved.key is not None:
            return shelved.key.open("signatures.email", confirmed.signature_id, confirmed.email)
        own = await self._find(request)
        return None if own.is_link_dead(now) else own.email or ""

    async def signed(self, request: Request) -> Response:
        """Say thank you: the count so far, what happens next, how to share, and the signer's own page."""
        locale, now = views.locale_of(request), utc_now()
        shelved = await views.find_shelved(self._house, request)
        campaign = shelved.campaign
        counted = await self._house.database.read(find_count, slug=campaign.slug)
        signatures, thresholds = counted or (campaign.signatures, campaign.thresholds)
        note = read_signing_cookie(request, keyring=self._house.keyring, now=now)
        manage_path = None
        if note is not None and note.is_confirmed and note.campaign_id == campaign.id:
            manage_path = await self._manage_path(note.signature_id, locale)
        return views.show(
            self._house,
            "public/signed.html",
            locale,
            f"/campaigns/{campaign.slug}/signed",
            campaign=campaign.counted_again(signatures, thresholds),
            title=views.title_of(campaign, locale),
            manage_path=manage_path,
            **campaign_page.dates_of(campaign, now),
            **campaign_page.sharing(self._house, campaign, locale),
        )

    async def _find(self, request: Request) -> OwnSignature:
        views.locale_of(request)
        own = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            own = await self._house.database.read(
                find_own_signature,
                token=request.path_params["token"],
                purpose="confirm",
                keyring=self._house.keyring,
            )
        if own is None:
            raise HTTPException(404)
        return own

    async def _show(
        self, request: Request, own: OwnSignature, now: datetime, *, status_code: int = 200, tick_missing: bool = False
    ) -> Response:
        locale, token = views.locale_of(request), request.path_params["token"]
        campaign = await self._campaign_of(own)
        is_closed = _is_closed(campaign, now)
        is_dead = own.is_link_dead(now)
        if own.state in {"expired", "disowned"} or (own.state == "pending" and is_dead and not is_closed):
            return self._show_expired(request)
        if own.state == "pending" and is_dead:
            return self._show_too_late(locale)
        # What was read is what is confirmed, whatever the text says by now.
        read = None
        if own.edition_hash != campaign.edition_hash:
            read = await self._house.database.read(find_edition, campaign_id=campaign.id, number=own.edition_number)
        texts = campaign.texts if read is None else read.texts
        text = localise(texts, locale, campaign.source_locale)
        return views.show(
            self._house,
            "public/confirm.html",
            locale,
            f"/confirm/{token}",
            status_code=422 if tick_missing else status_code,
            campaign=campaign,
            title=text.title,
            text=text,
            read_number=None if read is None else read.number,
            has_newer_text=read is not None and read.superseded_at is not None,
            name=own.name or "",
            place=views.place_name(own.country, own.subdivision, locale),
            claims=[claim_label(claim, locale) for claim in own.claims],
            shows_name=own.is_name_shown,
            needs_tick=self._needs_tick(request, own, None, now),
            tick_missing=tick_missing,
            manage_path=("" if is_dead else await self._manage_path(own.id, locale)) or "",
            is_confirmed=own.state in {"confirmed", "superseded"},
            is_withdrawn=own.state == "withdrawn",
            is_closed=is_closed,
        )

    def _show_too_late(self, locale: Locale) -> Response:
        """Say that the time to confirm is over, and nothing of whose signature or to what."""
        return views.show(
            self._house,
            "public/error.html",
            locale,
            "/",
            status_code=410,
            status=410,
            heading=say(locale, "It is too late to confirm"),
            explanation=say(
                locale, "Signing has ended, and so has the time to confirm. This signature does not count."
            ),
            hint=None,
        )

    def _show_expired(self, request: Request, *, sent_again: bool = False) -> Response:
        return views.show(
            self._house,
            "public/confirm_expired.html",
            views.locale_of(request),
            f"/confirm/{request.path_params['token']}",
            status_code=410,
            sent_again=sent_again,
        )

    async def _send_again(self, request: Request, now: datetime) -> Response:
        own = await self._find(request)
        if own.state != "pending" or _is_closed(await self._campaign_of(own), now):
            # There is no letter that would help: the page says how it stands.
            return await self._show(request, own, now)
        await self._house.database.write(
            signing.request_another_letter_by_token,
            token=request.path_params["token"],
            locale=views.locale_of(request),
            now=now,
        )
        return self._show_expired(request, sent_again=True)

    def _needs_tick(self, request: Request, own: OwnSignature, form: Form | None, now: datetime) -> bool:
        """Tell whether this browser must still say that a person is signing: scanners press buttons, too."""
        if form is not None and "signing" in form:
            return False
        note = read_signing_cookie(request, keyring=self._house.keyring, now=now)
        return note is None or note.signature_id != own.id

    async def _campaign_of(self, own: OwnSignature) -> Campaign:
        shelved = await self._house.shelf.find(own.campaign_slug)
        if shelved is None:
            raise HTTPException(404)
        return shelved.campaign

    async def _manage_path(self, signature_id: UUID, locale: str) -> str | None:
        letter = await self._house.database.read(find_newest_letter, signature_id=signature_id)
        if letter is None:
            return None
        return f"/{locale}/signature/{tokens.make_token(self._house.keyring.tokens, 'manage', letter)}"


def _is_closed(campaign: Campaign, now: datetime) -> bool:
    return not is_confirming_open(campaign.state, campaign.opens_at, campaign.closes_at, now)
