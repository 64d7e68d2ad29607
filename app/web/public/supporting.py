"""The private link through which a campaign gathers its first supporters, and each supporter's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.actions import supporting
from app.actions.supporting import Asked, NotGathering, SupporterNotFound, WordingChanged
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import Message, message
from app.queries.supporters import find_own_support, find_supported_campaign
from app.rendering import choose_part
from app.rules import normalise
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import Refused
from app.rules.texts import localise
from app.web.forms import Form, read_form
from app.web.pausing import pause
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.supporters import OwnSupport, SupportedCampaign
    from app.rules.texts import Part
    from app.web.house import House

FIELDS: Final = ("name", "email", "consent")
CHANGED: Final = message("The text has changed since you opened this page. Read it again.")


class Supporting:
    """Routes of the private link and of the link in a supporter's letter."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [
            show_and_post("/{locale}/support/{token}", self.show, self.ask),
            show_and_post("/{locale}/support/confirm/{token}", self.show_own, self.act),
        ]

    async def show(self, request: Request) -> Response:
        """Show the text and the form."""
        campaign = await self._find(request)
        if campaign.state in PUBLIC_STATES:
            return self._lead_to_campaign(request, campaign)
        return self._show(request, campaign, is_asked="asked" in request.query_params)

    async def ask(self, request: Request) -> Response:
        """Keep a supporter and owe the letter: 303 whoever it is, 422 with every fault, 409 where none are taken."""
        campaign = await self._find(request)
        form = await read_form(request)
        if campaign.state in PUBLIC_STATES:
            return self._lead_to_campaign(request, campaign)
        if "switch" in form:
            return self._show(request, campaign, form=form)
        locale = views.locale_of(request)
        asked, errors = _read(form, locale)
        if asked is None:
            return self._show(request, campaign, form=form, errors=errors)
        try:
            await self._keep(campaign, asked)
        except NotGathering:
            return self._show(request, await self._find(request), is_refused=True)
        except WordingChanged:
            return self._show(request, await self._find(request), form=form, errors={"text": CHANGED})
        return RedirectResponse(f"/{locale}/support/{request.path_params['token']}?asked", 303)

    async def _keep(self, campaign: SupportedCampaign, asked: Asked) -> None:
        if campaign.key is None:
            raise NotGathering(campaign.state)
        await self._house.database.write(
            supporting.request_support, campaign_id=campaign.id, asked=asked, key=campaign.key, now=utc_now()
        )
        await pause()

    async def show_own(self, request: Request) -> Response:
        """Show a supporter what they are asked to confirm. Changes nothing, whoever opens it and however often."""
        own = await self._find_own(request)
        return self._show_own(request, own, done=request.query_params.get("done"))

    async def act(self, request: Request) -> Response:
        """Confirm or withdraw; withdrawing asks once more."""
        own, form = await self._find_own(request), await read_form(request)
        token, database = request.path_params["token"], self._house.database
        action = form.text("action")
        if action not in {"confirm", "withdraw"}:
            raise HTTPException(400)
        try:
            if action == "withdraw":
                if "sure" not in form and own.state != "withdrawn":
                    return self._show_own(request, own, asks=True)
                await database.write(supporting.withdraw_support, token=token)
            elif "reading" not in form and _can_confirm(own):
                return self._show_own(request, own, error=message("Tick the box to say that you have read the text"))
            else:
                await database.write(
                    supporting.confirm_support, token=token, wording=form.text("wording"), now=utc_now()
                )
        except (NotGathering, SupporterNotFound):
            # Handed in, withdrawn or forgotten in the meantime: the page says how it stands.
            return self._show_own(request, await self._find_own(request), status_code=409)
        except WordingChanged:
            return self._show_own(request, await self._find_own(request), error=CHANGED)
        return RedirectResponse(f"/{views.locale_of(request)}/support/confirm/{token}?done={action}", 303)

    async def _find(self, request: Request) -> SupportedCampaign:
        views.locale_of(request)
        campaign = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            campaign = await self._house.database.read(
                find_supported_campaign, token=request.path_params["token"], keyring=self._house.keyring
            )
        if campaign is None:
            raise HTTPException(404)
        return campaign

    async def _find_own(self, request: Request) -> OwnSupport:
        views.locale_of(request)
        own = None
        if tokens.TOKEN_FORM.fullmatch(request.path_params["token"]):
            own = await self._house.database.read(
                find_own_support, token=request.path_params["token"], keyring=self._house.keyring
            )
        if own is None:
            raise HTTPException(404)
        return own

    def _lead_to_campaign(self, request: Request, campaign: SupportedCampaign) -> Response:
        return RedirectResponse(f"/{views.locale_of(request)}/campaigns/{campaign.slug}", 303)

    def _show(
        self,
        request: Request,
        campaign: SupportedCampaign,
        *,
        form: Form | None = None,
        errors: dict[str, Message] | None = None,
        is_asked: bool = False,
        is_refused: bool = False,
    ) -> Response:
        locale = views.locale_of(request)
        spoken = [(name, error.say(locale)) for name, error in (errors or {}).items()]
        values = {} if form is None else form.typed()
        return views.show(
            self._house,
            "public/support.html",
            locale,
            f"/support/{request.path_params['token']}",
            status_code=409 if is_refused else 422 if errors else 200,
            campaign=campaign,
            title=_title(campaign, locale),
            text=localise(campaign.texts, locale, campaign.source_locale),
            values={name: values.get(name, "") for name in FIELDS},
            errors=spoken,
            is_asked=is_asked,
            is_gathering=campaign.state == "draft" and campaign.key is not None,
        )

    def _show_own(
        self,
        request: Request,
        own: OwnSupport,
        *,
        error: Message | None = None,
        asks: bool = False,
        done: str | None = None,
        status_code: int = 200,
    ) -> Response:
        locale, campaign = views.locale_of(request), own.campaign
        return views.show(
            self._house,
            "public/support_confirm.html",
            locale,
            f"/support/confirm/{request.path_params['token']}",
            status_code=422 if error is not None else status_code,
            own=own,
            campaign=campaign,
            title=_title(campaign, locale),
            text=localise(campaign.texts, locale, campaign.source_locale),
            error=None if error is None else error.say(locale),
            asks=asks,
            done=done if done in {"confirm", "withdraw"} else None,
            can_confirm=_can_confirm(own),
            is_public=campaign.state in PUBLIC_STATES,
        )


def _can_confirm(own: OwnSupport) -> bool:
    """Tell whether pressing the button would change anything."""
    is_open = own.state == "pending" or (own.state == "confirmed" and not own.is_present_wording)
    return is_open and own.name is not None and own.campaign.state == "draft"


def _title(campaign: SupportedCampaign, locale: Locale) -> Part[str] | None:
    """Return the title, or None while there is none in any language."""
    titles = {name: text.title for name, text in campaign.texts.items() if text.title}
    return choose_part(titles, locale, campaign.source_locale) if titles else None


def _read(form: Form, locale: Locale) -> tuple[Asked | None, dict[str, Message]]:
    """Return what the form says, cleaned, or None and what is wrong with each field."""
    errors: dict[str, Message] = {}

    def field(name: str, clean: Callable[[str], str]) -> str:
        try:
            return clean(form.text(name))
        except Refused as refusal:
            errors[name] = refusal.message
            return ""

    name, email = field("name", normalise.clean_name), field("email", normalise.clean_email)
    if "consent" not in form:
        errors["consent"] = message("Tick the box to say that you have read how your details are used")
    return (None, errors) if errors else (Asked(name, email, locale, form.text("wording")), {})
