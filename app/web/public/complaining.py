"""Report this campaign: a form at the foot of its pages. The answer is the same whatever becomes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4, uuid5

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.complaints import Reported, report_campaign
from app.core.clock import utc_now
from app.i18n import Message, message
from app.rules.complaints import LONGEST, REASONS
from app.rules.normalise import Refused, clean_email
from app.rules.origins import place_of
from app.rules.questions import clean_paragraphs
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.house import House

_ONCE: Final = re.compile(r"[0-9a-f]{32}")


class Complaining:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [show_and_post("/{locale}/campaigns/{slug}/report", self.show, self.report)]

    async def show(self, request: Request) -> Response:
        """Show the form, or thanks."""
        locale, campaign = views.locale_of(request), (await views.find_shelved(self._house, request)).campaign
        return self._show(campaign, locale, is_sent="sent" in request.query_params)

    async def report(self, request: Request) -> Response:
        """Keep a report: 303, or 422 with everything that is wrong; in another language where that was pressed."""
        locale, campaign = views.locale_of(request), (await views.find_shelved(self._house, request)).campaign
        form = await read_form(request)
        if "switch" in form:
            return self._show(campaign, locale, form)
        reported, errors = _read(form)
        if reported is None:
            return self._show(campaign, locale, form, errors)
        await self._house.database.write(
            report_campaign,
            complaint_id=_complaint_id(form.text("once"), campaign.slug, reported),
            campaign_id=campaign.id,
            reported=reported,
            locale=locale,
            address=place_of(request.client.host if request.client else None).address,
            keyring=self._house.keyring,
            now=utc_now(),
        )
        return RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/report?sent", 303)

    def _show(
        self,
        campaign: Campaign,
        locale: Locale,
        form: Form | None = None,
        errors: dict[str, Message] | None = None,
        *,
        is_sent: bool = False,
    ) -> Response:
        values = {} if form is None else form.typed()
        return views.show(
            self._house,
            "public/complain.html",
            locale,
            f"/campaigns/{campaign.slug}/report",
            status_code=422 if errors else 200,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            reasons=[(name, words.say(locale)) for name, words in REASONS.items()],
            values=values,
            errors=[(field, error.say(locale)) for field, error in (errors or {}).items()],
            once=values.get("once") or uuid4().hex,
            is_sent=is_sent,
        )


def _complaint_id(once: str, slug: str, reported: Reported) -> UUID:
    """Return the id of what a form says: the same where it comes twice, another where it was changed in between."""
    if not _ONCE.fullmatch(once):
        return uuid4()
    return uuid5(UUID(once), f"{slug}\n{reported.reason}\n{reported.email}\n{reported.text}")


def _read(form: Form) -> tuple[Reported | None, dict[str, Message]]:
    """Return what was typed, cleaned, or None and what is wrong with each field."""
    errors: dict[str, Message] = {}
    reason, text, email = form.text("reason"), "", ""
    if reason not in REASONS:
        errors["reason"] = message("Choose what is wrong")
    try:
        text = clean_paragraphs(form.text("words"), limit=LONGEST)
    except Refused as refusal:
        errors["words"] = refusal.message
    if reason == "other" and not text and "words" not in errors:
        errors["words"] = message("Write what is wrong")
    if form.text("email").strip():
        try:
            email = clean_email(form.text("email"))
        except Refused as refusal:
            errors["email"] = refusal.message
    return (None, errors) if errors else (Reported(reason, text, email), errors)
