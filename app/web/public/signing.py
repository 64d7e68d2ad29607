"""Signing: the form, what it means, and the page that says to look into the mailbox."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions import signing
from app.core.clock import utc_now
from app.core.logs import get_logger
from app.i18n import Message, message
from app.mail.kinds import KINDS
from app.queries.campaigns import find_campaign
from app.queries.editions import find_bound_edition
from app.rules import normalise
from app.rules.eligibility import who_can_sign
from app.rules.khmer import to_latin_digits
from app.rules.normalise import Refused
from app.web import campaign_page, marks
from app.web.cookies import (
    SigningNote,
    forget_signing_cookie,
    read_signing_cookie,
    write_locale_cookie,
    write_signing_cookie,
)
from app.web.districts import SAYS
from app.web.forms import Form, read_form
from app.web.pausing import pause
from app.web.public import views
from app.web.public.signing_form import ReadForm, read_edition, read_signer, read_via
from app.web.public.weighing import wants_proof, weigh

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.house import House, ShelvedCampaign

REPEATED: Final = frozenset({"claims"})
BOXES: Final = ("show_name", "updates", "consent", SAYS)
NOT_READ: Final = ReadForm(None)
#: What is said to whoever brings no proof of work while one is wanted. Nothing of what was typed is at fault.
WAIT: Final = {"wait": message("Many people are signing right now. Wait about ten seconds, then press “Sign” again")}


@dataclass(frozen=True, slots=True)
class _Came:
    """What a form says of its page: the hash of the text above it, and the mark of the link that led there."""

    edition: str
    via: str


class Signing:
    """Routes of the signing form and of what follows it."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [
            Route("/{locale}/campaigns/{slug}/sign", self.sign, methods=["POST"]),
            Route("/{locale}/campaigns/{slug}/check-email", self.check_email, methods=["GET"]),
            Route("/{locale}/campaigns/{slug}/check-email", self.answer_check_email, methods=["POST"]),
        ]

    async def sign(self, request: Request) -> Response:
        """Keep a form as a pending signature: 303, or 422 with every fault, or 409 where it is not open."""
        now = utc_now()
        locale = views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        form = await read_form(request, repeated=REPEATED)
        campaign = shelved.campaign
        if not await self._is_open(shelved, now) or shelved.key is None:
            return await self._show_not_open(campaign, locale, now)
        came = _Came(read_edition(form, campaign), read_via(form, request, campaign.slug))
        if "switch" in form:
            return await self._show_form(campaign, locale, form, came, now)
        edition_id = await self._find_edition_id(campaign, came.edition, now)
        districts = await self._house.districts.find_for(campaign)
        read = read_signer(form, campaign, is_text_current=edition_id is not None, districts=districts)
        if read.signer is None or edition_id is None:
            if edition_id is None:
                campaign, came = await self._read_again(campaign), replace(came, edition="")
            response = await self._show_form(campaign, locale, form, came, now, read=read)
            if read.is_turned_away:
                # The answer is on its way by then: it waits for nothing, and nothing that befalls this reaches it.
                response.background = BackgroundTask(self._note_turned_away, campaign.id)
            return response
        if read.wants_district:
            return await self._show_form(campaign, locale, form, came, now, read=read)
        origin = await weigh(
            self._house,
            request,
            form,
            campaign_id=campaign.id,
            signer=read.signer,
            is_postal_code_odd=bool(read.doubted),
            now=now,
        )
        if origin.judgement.outcome == "ask_again":
            return await self._show_form(campaign, locale, form, came, now, read=replace(read, errors=WAIT))
        signature_id = await self._house.database.write(
            signing.request_signature,
            campaign_id=campaign.id,
            edition_id=edition_id,
            locale=locale,
            signer=read.signer,
            key=shelved.key,
            now=now,
            source=came.via or None,
            origin=origin,
            people=campaign.people_per_mailbox,
        )
        return await self._go_to_mailbox(
            campaign, locale, SigningNote(campaign.id, signature_id, read.signer.email), now
        )

    async def _note_turned_away(self, campaign_id: UUID) -> None:
        try:
            await self._house.database.write(signing.note_turned_away, campaign_id=campaign_id)
        except Exception as fault:  # noqa: BLE001 - it is a count, and its form has been answered
            get_logger().error("a form that was turned away was not counted", error=type(fault).__name__)

    async def _go_to_mailbox(self, campaign: Campaign, locale: Locale, note: SigningNote, now: datetime) -> Response:
        response = RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/check-email", 303)
        write_signing_cookie(response, note, keyring=self._house.keyring, settings=self._house.settings, now=now)
        write_locale_cookie(response, locale, settings=self._house.settings)
        await pause()
        return response

    async def _is_open(self, shelved: ShelvedCampaign, now: datetime) -> bool:
        switches = await self._house.switchboard.find()
        return views.can_sign(shelved, now) and not switches.is_signing_paused(shelved.campaign.id)

    async def _find_edition_id(self, campaign: Campaign, shown: str, now: datetime) -> UUID | None:
        """Return the edition that the form binds to, or None where its text can no longer be signed.

        Only another hash than the current one asks the database: one that was superseded just now, or one that is so
        new that this process has not read it yet.
        """
        if shown == campaign.edition_hash:
            return campaign.edition_id
        bound = await self._house.database.read(find_bound_edition, campaign_id=campaign.id, shown=shown, now=now)
        return None if bound is None else bound.id

    async def _read_again(self, campaign: Campaign) -> Campaign:
        """Return the campaign as it is in this moment: what is kept here may be a second older than its text."""
        return await self._house.database.read(find_campaign, slug=campaign.slug) or campaign

    async def check_email(self, request: Request) -> Response:
        """Say what happens next, the same whoever signed."""
        shelved = await views.find_shelved(self._house, request)
        return self._show_check_email(request, shelved.campaign, sent_again="sent" in request.query_params)

    async def answer_check_email(self, request: Request) -> Response:
        """Take a code, a wish for another letter, or the next person on this device."""
        locale, now = views.locale_of(request), utc_now()
        shelved = await views.find_shelved(self._house, request)
        campaign = shelved.campaign
        form = await read_form(request)
        if "next" in form:
            response = RedirectResponse(f"/{locale}/campaigns/{campaign.slug}#sign", 303)
            forget_signing_cookie(response, settings=self._house.settings)
            # Whatever pages this browser keeps, it shall not show them to the next person.
            response.headers["Clear-Site-Data"] = '"cache"'
            return response
        if "again" in form:
            await self._send_again(request, shelved, form, locale, now)
            await pause()
            return RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/check-email?sent", 303)
        return await self._confirm_with_code(request, shelved, form, locale, now)

    async def _send_again(
        self, request: Request, shelved: ShelvedCampaign, form: Form, locale: Locale, now: datetime
    ) -> None:
        database, note = self._house.database, self._note(request, shelved.campaign, now)
        if note is not None:
            await database.write(signing.owe_another_letter, signature_id=note.signature_id, locale=locale, now=now)
            return
        email = _email_or_none(form.text("email"))
        if email is not None and shelved.key is not None:
            await database.write(
                signing.request_another_letter_by_email,
                campaign_id=shelved.campaign.id,
                email=email,
                locale=locale,
                key=shelved.key,
                now=now,
            )

    async def _confirm_with_code(
        self, request: Request, shelved: ShelvedCampaign, form: Form, locale: Locale, now: datetime
    ) -> Response:
        campaign, database = shelved.campaign, self._house.database
        note = self._note(request, campaign, now)
        email = None if note is not None else _email_or_none(form.text("email"))
        code = "".join(to_latin_digits(form.text("code")).split())
        signature_ids: tuple[Any, ...] = () if note is None else (note.signature_id,)
        if email is not None and shelved.key is not None:
            signature_ids = await database.read(
                signing.list_living_signatures, campaign_id=campaign.id, email=email, key=shelved.key
            )
        confirmed = None
        if code.isdecimal() and len(code) == 6:  # noqa: PLR2004 - six digits
            confirmed = await database.write(
                signing.confirm_by_code,
                campaign_id=campaign.id,
                signature_ids=signature_ids,
                code=code,
                codes_key=self._house.keyring.codes,
                now=now,
            )
        if confirmed is None:
            await pause()
            error = message("This code is not right or no longer works. Enter the 6 digits of the newest email")
            return self._show_check_email(request, campaign, code_error=error, address=form.text("email"))
        self._house.cache.forget(campaign.slug)
        response = RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/signed", 303)
        address = email or (note.email if note else "")
        done = SigningNote(campaign.id, confirmed.signature_id, address, is_confirmed=True)
        write_signing_cookie(response, done, keyring=self._house.keyring, settings=self._house.settings, now=now)
        return response

    def _note(self, request: Request, campaign: Campaign, now: datetime) -> SigningNote | None:
        note = read_signing_cookie(request, keyring=self._house.keyring, now=now)
        return note if note is not None and note.campaign_id == campaign.id else None

    async def _show_form(
        self,
        campaign: Campaign,
        locale: Locale,
        form: Form,
        came: _Came,
        now: datetime,
        *,
        read: ReadForm = NOT_READ,
    ) -> Response:
        spoken = [(field, error.say(locale)) for field, error in read.errors.items()]
        # A box is ticked by being there, whatever it says.
        values = form.typed() | {box: "yes" for box in BOXES if box in form}
        keyring, made, waited = self._house.keyring, form.text("made"), form.text("waited")
        if not marks.is_waiting(keyring, campaign.id, waited, now):
            waited = marks.wait_mark(keyring, campaign.id, now) if read.errors is WAIT else ""
        if marks.read_form_mark(keyring, campaign.id, made) is None:
            made = marks.form_mark(keyring, campaign.id, now)
        return views.show(
            self._house,
            "public/sign.html",
            locale,
            f"/campaigns/{campaign.slug}/sign",
            status_code=422 if spoken else 200,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            wants_district=read.wants_district,
            helps=[way.say(locale) for way in read.helps],
            who_can_sign=who_can_sign(campaign.rule, locale),
            **campaign_page.sharing(self._house, campaign, locale),
            form=campaign_page.signing_form(
                campaign,
                locale,
                made=made,
                values=values,
                claims=form.texts("claims"),
                errors=spoken,
                edition=came.edition,
                via=came.via,
                checked=read.doubted or form.text("checked"),
                waited=waited,
                wants_proof=await wants_proof(self._house, campaign.id, now),
                districts=await self._house.districts.find_for(campaign),
            ),
        )

    async def _show_not_open(self, campaign: Campaign, locale: Locale, now: datetime) -> Response:
        switches = await self._house.switchboard.find()
        return views.show(
            self._house,
            "public/not_open.html",
            locale,
            f"/campaigns/{campaign.slug}",
            status_code=409,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            status=campaign_page.status_of(campaign, now, is_paused=switches.is_signing_paused(campaign.id)),
            **campaign_page.dates_of(campaign, now),
        )

    def _show_check_email(
        self,
        request: Request,
        campaign: Campaign,
        *,
        code_error: Message | None = None,
        sent_again: bool = False,
        address: str | None = None,
    ) -> Response:
        locale = views.locale_of(request)
        note = self._note(request, campaign, utc_now())
        return views.show(
            self._house,
            "public/check_email.html",
            locale,
            f"/campaigns/{campaign.slug}/check-email",
            status_code=422 if code_error else 200,
            address=note.email if note else address,
            asks_address=note is None,
            sender=self._house.settings.mail_from,
            subject=KINDS["confirm"].subject.say(locale),
            code_error=None if code_error is None else code_error.say(locale),
            sent_again=sent_again,
        )


def _email_or_none(typed: str) -> str | None:
    try:
        return normalise.clean_email(typed)
    except Refused:
        return None
