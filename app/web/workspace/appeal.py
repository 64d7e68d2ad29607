"""An appeal of the owners of a campaign that was refused or stopped: once against each refusal and each stop."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions.appeals import AppealedBefore, NothingToAppeal, file_appeal
from app.i18n import Message, message
from app.queries.appeals import find_standing
from app.rules.appeals import LONGEST
from app.rules.normalise import Refused
from app.rules.permissions import Permission
from app.rules.questions import clean_paragraphs
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
_ONCE: Final = re.compile(r"[0-9a-f]{32}")
_NOTES: Final[Mapping[type[Exception], Message]] = {
    NothingToAppeal: message("Nothing was sent: the campaign has moved in the meantime."),
    AppealedBefore: message("Nothing was sent: there is an appeal against this decision."),
}


async def show(visit: Visit) -> Response:
    """Show what can be appealed against, and what became of earlier appeals."""
    return await _show(visit)


async def send(visit: Visit) -> Response:
    """Send an appeal to those who may decide it."""
    form = await visit.read_form()
    once = form.text("once")
    if not _ONCE.fullmatch(once):
        raise HTTPException(400)
    try:
        text = clean_paragraphs(form.text("text"), limit=LONGEST)
        if not text:
            raise Refused(message("Write why the decision should be changed"))  # noqa: TRY301 - told like the other
    except Refused as refusal:
        errors = [("text", refusal.message.say(visit.locale))]
        return await _show(visit, UNPROCESSABLE, errors=errors, typed=form.typed())
    try:
        await visit.house.database.write(
            file_appeal,
            appeal_id=UUID(hex=once),
            campaign_id=visit.campaign.id,
            text=text,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except tuple(_NOTES) as fact:
        return await _show(visit, CONFLICT, note=_NOTES[type(fact)].say(visit.locale), typed=form.typed())
    return visit.go(f"/campaigns/{visit.campaign.slug}/appeal?sent")


async def _show(
    visit: Visit,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    note: str | None = None,
) -> Response:
    typed = typed or {}
    return visit.show(
        "workspace/appeal.html",
        status_code=status_code,
        standing=await visit.house.database.read(find_standing, campaign_id=visit.campaign.id),
        errors=errors,
        typed=typed,
        note=note,
        is_sent="sent" in visit.request.query_params,
        once=typed.get("once") or uuid4().hex,
    )


PAGES: Final[tuple[Page, ...]] = (Page("/campaigns/{slug}/appeal", show, send, Permission.MOVE),)
