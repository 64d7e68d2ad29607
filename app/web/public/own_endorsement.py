"""An organisation's own page: how it stands, its picture, its letter of authority, who speaks for it, withdrawing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.actions import endorsing
from app.actions.endorsing import EndorsementLinkUnknown, EndorsementMoved, HandedOverLately, TextMoved
from app.core import tokens
from app.core.clock import utc_now
from app.documents import pictures, scans
from app.documents.pictures import PictureRefused, redraw_logo
from app.documents.scan_pages import PAGES
from app.documents.scans import redraw_letter
from app.i18n import Message, message
from app.queries.endorsements import find_own_endorsement
from app.queries.logos import find_own_logo
from app.rendering import choose_part
from app.rules.organisations import KINDS
from app.rules.places import country_name
from app.web.forms import UPLOAD_BYTES, Form, read_form
from app.web.public import views
from app.web.public.endorsing_form import LIVING, read_representative
from app.web.routes import show_and_post
from app.web.uploads import DailyUploads, draw_in_turn, read_upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from app.queries.endorsements import OwnEndorsement
    from app.web.house import House
    from app.web.uploads import Upload

ACTIONS: Final = frozenset({"withdraw", "renew", "remove_logo", "hand_over"})
#: What the page says was done.
DONE: Final = frozenset({*ACTIONS, "logo", "authority"})
FIELDS: Final = ("edition", "logo", "logo_consent", "letter", "representative", "role", "email")
MEGABYTE: Final = 1024 * 1024
_CHANGED: Final = message("The text has changed since you opened this page. Read it again, then sign.")
_CHOOSE: Final = message("Choose a picture")
_CHOOSE_LETTER: Final = message("Choose a PDF or a picture")
#: Logos that one organisation sends in a day, and letters of authority.
UPLOADS_A_DAY: Final = 20
_ENOUGH: Final = message("Many files came for this organisation today. Please send the next one tomorrow.")
_LATELY: Final = message("Somebody was named a moment ago, or several times today. Try again in a minute, or tomorrow.")


@dataclass(frozen=True, slots=True)
class _Faults:
    """What is wrong with what was sent, by field, and what was typed."""

    errors: Mapping[str, Message] = field(default_factory=dict)
    form: Form | None = None
    status_code: int = 422


class OwnEndorsementPage:
    """Routes of the link in an organisation's letters."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self._uploads = DailyUploads(UPLOADS_A_DAY)
        own = "/{locale}/endorsement/{token}"
        self.routes = [
            show_and_post(f"{own}/logo", self.picture, self.take_logo),
            show_and_post(f"{own}/authority", self.lead_back, self.take_letter),
            show_and_post(own, self.show, self.act),
        ]

    async def show(self, request: Request) -> Response:
        """Show how the organisation stands. Changes nothing, whoever opens it."""
        done = request.query_params.get("done")
        return self._show(request, await self._find(request), done=done if done in DONE else None)

    async def act(self, request: Request) -> Response:
        """Withdraw (which asks once more), sign the present text, remove the picture, or name who speaks next."""
        own, form = await self._find(request), await read_form(request)
        action = form.text("action")
        if action not in ACTIONS:
            raise HTTPException(400)
        if action == "withdraw" and "sure" not in form and own.state in {"asked", *LIVING}:
            return self._show(request, own, asks=True)
        try:
            faults = await self._act(request, action, form)
        except EndorsementMoved:
            # Pressed twice, or ended in another window: the page says how it stands.
            return self._show(request, await self._find(request), _Faults(status_code=409))
        except EndorsementLinkUnknown:
            raise HTTPException(404) from None
        if faults:
            return self._show(request, await self._find(request), _Faults(faults, form))
        return self._lead_on(request, own, action)

    async def _act(self, request: Request, action: str, form: Form) -> dict[str, Message]:
        """Do what was pressed; return what is wrong with each field."""
        token, now, write = request.path_params["token"], utc_now(), self._house.database.write
        if action == "withdraw":
            await write(endorsing.withdraw_endorsement, token=token, now=now)
        elif action == "remove_logo":
            await write(endorsing.remove_logo, token=token, now=now)
        elif action == "renew":
            try:
                await write(endorsing.renew_endorsement, token=token, shown=form.text("edition"), now=now)
            except TextMoved:
                return {"edition": _CHANGED}
        else:
            (representative, role, email), errors = read_representative(form)
            if errors:
                return errors
            try:
                await write(
                    endorsing.hand_over_endorsement,
                    token=token,
                    representative=representative,
                    role=role,
                    email=email,
                    keyring=self._house.keyring,
                    now=now,
                )
            except HandedOverLately:
                return {"email": _LATELY}
        return {}

    # Pictures

    async def take_logo(self, request: Request) -> Response:
        """Draw a picture anew and keep it, with the consent that comes with it."""
        own = await self._find(request)
        if own.state not in LIVING:
            return self._show(request, own, _Faults(status_code=409))
        if self._uploads.is_spent((own.endorsement_id, "logo"), utc_now().date()):
            return self._show(request, own, _Faults({"logo": _ENOUGH}, status_code=429))
        upload = await self._read(request, own, "logo")
        sent, errors = upload.file("logo"), dict[str, Message]()
        if sent is None:
            errors["logo"] = _CHOOSE
        if "logo_consent" not in upload.form:
            errors["logo_consent"] = message("Tick the box to say that this picture may be shown")
        if sent is None or errors:
            return self._show(request, own, _Faults(errors))
        try:
            drawn = await draw_in_turn(redraw_logo, sent)
        except PictureRefused as refusal:
            return self._show(request, own, _Faults({"logo": refusal.message}))
        try:
            await self._house.database.write(
                endorsing.keep_logo,
                token=request.path_params["token"],
                picture=drawn.content,
                width=drawn.width,
                height=drawn.height,
                now=utc_now(),
            )
        except EndorsementMoved:
            return self._show(request, await self._find(request), _Faults(status_code=409))
        return self._lead_on(request, own, "logo")

    async def _read(self, request: Request, own: OwnEndorsement, field: str) -> Upload:
        """Read a body and count it; one that broke off, or came while too many were read, counts for nothing."""
        upload = await read_upload(request)
        self._uploads.count((own.endorsement_id, field), utc_now().date())
        return upload

    async def take_letter(self, request: Request) -> Response:
        """Draw a letter of authority anew and keep it, sealed, for a moderator to read."""
        own = await self._find(request)
        if own.state != "waiting" or own.proof is not None:
            return self._show(request, own, _Faults(status_code=409))
        if self._uploads.is_spent((own.endorsement_id, "letter"), utc_now().date()):
            return self._show(request, own, _Faults({"letter": _ENOUGH}, status_code=429))
        sent = (await self._read(request, own, "letter")).file("letter")
        if sent is None:
            return self._show(request, own, _Faults({"letter": _CHOOSE_LETTER}))
        try:
            drawn = await draw_in_turn(redraw_letter, sent)
        except PictureRefused as refusal:
            return self._show(request, own, _Faults({"letter": refusal.message}))
        try:
            await self._house.database.write(
                endorsing.send_authority_letter,
                token=request.path_params["token"],
                content=drawn,
                media_type="image/jpeg",
                keyring=self._house.keyring,
                now=utc_now(),
            )
        except EndorsementMoved:
            return self._show(request, await self._find(request), _Faults(status_code=409))
        return self._lead_on(request, own, "authority")

    async def picture(self, request: Request) -> Response:
        """Give the organisation's picture as it is kept, to whoever holds the link."""
        await self._find(request)
        found = await self._house.database.read(find_own_logo, token=request.path_params["token"])
        if found is None:
            raise HTTPException(404)
        return Response(found, media_type="image/png")

    async def lead_back(self, request: Request) -> Response:
        """Lead whoever opens the address of a form to its page."""
        await self._find(request)
        return RedirectResponse(f"/{views.locale_of(request)}/endorsement/{request.path_params['token']}", 303)

    # The page

    async def _find(self, request: Request) -> OwnEndorsement:
        views.locale_of(request)
        token, own = request.path_params["token"], None
        if tokens.TOKEN_FORM.fullmatch(token):
            own = await self._house.database.read(find_own_endorsement, token=token, keyring=self._house.keyring)
        if own is None:
            raise HTTPException(404)
        return own

    def _lead_on(self, request: Request, own: OwnEndorsement, done: str) -> Response:
        self._house.forget(own.campaign.slug)
        token = request.path_params["token"]
        return RedirectResponse(f"/{views.locale_of(request)}/endorsement/{token}?done={done}", 303)

    def _show(
        self,
        request: Request,
        own: OwnEndorsement,
        faults: _Faults | None = None,
        *,
        done: str | None = None,
        asks: bool = False,
    ) -> Response:
        locale, campaign, said = views.locale_of(request), own.campaign, own.said
        errors = {} if faults is None else faults.errors
        kind = KINDS.get(said.kind or "")
        return views.show(
            self._house,
            "public/own_endorsement.html",
            locale,
            f"/endorsement/{request.path_params['token']}",
            status_code=200 if faults is None else faults.status_code,
            own=own,
            campaign=campaign,
            title=choose_part(campaign.titles, locale, campaign.source_locale),
            country=country_name(said.country, locale) if said.country else "",
            kind="" if kind is None else kind.say(locale),
            errors=[(name, errors[name].say(locale)) for name in FIELDS if name in errors],
            values={} if faults is None or faults.form is None else faults.form.typed(),
            done=done,
            asks=asks,
            accepted={"logo": pictures.ACCEPTED, "letter": scans.ACCEPTED},
            pages=PAGES,
            megabytes=UPLOAD_BYTES // MEGABYTE,
        )
