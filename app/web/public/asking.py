"""A visitor's question to a team; neither sees the other's address."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4, uuid5

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.actions.asking import Asked, TooManyQuestions, ask_question
from app.core.clock import utc_now
from app.i18n import Message, message
from app.rules.normalise import Refused, clean_email, clean_name
from app.rules.questions import LONGEST, clean_paragraphs
from app.web.forms import Form, read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.core.keys import DataKey
    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.house import House

_ONCE: Final = re.compile(r"[0-9a-f]{32}")


class Asking:
    """Routes."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [show_and_post("/{locale}/campaigns/{slug}/ask", self.show, self.ask)]

    async def show(self, request: Request) -> Response:
        """Show the form, or that a question is on its way."""
        locale, (campaign, _) = views.locale_of(request), await self._find(request)
        return self._show(campaign, locale, is_sent="sent" in request.query_params)

    async def ask(self, request: Request) -> Response:
        """Keep a question: 303, or 422 with everything that is wrong; in another language where that was pressed."""
        locale, (campaign, key) = views.locale_of(request), await self._find(request)
        form = await read_form(request)
        if "switch" in form:
            return self._show(campaign, locale, form)
        asked, errors = _read(form)
        if asked is None:
            return self._show(campaign, locale, form, errors)
        try:
            await self._house.database.write(
                ask_question,
                question_id=_question_id(form.text("once"), campaign.slug, asked),
                campaign_id=campaign.id,
                asked=asked,
                locale=locale,
                key=key,
                now=utc_now(),
            )
        except TooManyQuestions:
            fault = message("No more questions can be taken today. Send it again tomorrow.")
            return self._show(campaign, locale, form, {"question": fault})
        return RedirectResponse(f"/{locale}/campaigns/{campaign.slug}/ask?sent", 303)

    async def _find(self, request: Request) -> tuple[Campaign, DataKey]:
        """Return the campaign and its key; 404 where nobody answers any more, stopped or long closed."""
        shelved = await views.find_shelved(self._house, request)
        if shelved.key is None or shelved.campaign.state == "stopped":
            raise HTTPException(404)
        return shelved.campaign, shelved.key

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
            "public/ask.html",
            locale,
            f"/campaigns/{campaign.slug}/ask",
            status_code=422 if errors else 200,
            campaign=campaign,
            title=views.title_of(campaign, locale),
            values=values,
            errors=[(field, error.say(locale)) for field, error in (errors or {}).items()],
            once=values.get("once") or uuid4().hex,
            is_sent=is_sent,
        )


def _question_id(once: str, slug: str, asked: Asked) -> UUID:
    """Return the id of what a form asks: the same where it comes twice, another where it was changed in between."""
    if not _ONCE.fullmatch(once):
        return uuid4()
    return uuid5(UUID(once), f"{slug}\n{asked.name}\n{asked.email}\n{asked.text}")


def _read(form: Form) -> tuple[Asked | None, dict[str, Message]]:
    """Return what was typed, cleaned, or None and what is wrong with each field."""
    errors: dict[str, Message] = {}
    cleaned: dict[str, str] = {}
    for field, clean in (("name", clean_name), ("email", clean_email), ("question", _clean_question)):
        try:
            cleaned[field] = clean(form.text(field))
        except Refused as refusal:
            errors[field] = refusal.message
    if "consent" not in form:
        errors["consent"] = message("Tick the box to say that you have read how your details are used")
    return (None, errors) if errors else (Asked(cleaned["name"], cleaned["email"], cleaned["question"]), errors)


def _clean_question(raw: str) -> str:
    text = clean_paragraphs(raw, limit=LONGEST)
    if not text:
        raise Refused(message("Write your question"))
    return text
