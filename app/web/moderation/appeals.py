"""Appeals of teams whose campaign was refused or stopped: read, and decided by somebody else than who decided first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from app.actions.appeals import AppealSettled, DecidedFirst, decide_appeal
from app.actions.campaigns import CampaignCannotMove
from app.actions.life import ReviewerIsOfTeam
from app.i18n import Message, message
from app.queries.appeals import find_appeal, list_appeals
from app.queries.life import find_shown_texts
from app.rules.appeals import may_decide
from app.rules.normalise import Refused
from app.rules.permissions import StaffPermission
from app.rules.refusals import say_refusal
from app.web.gate import Page
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, read_id
from app.web.moderation.reviews import can_operate
from app.web.reasons import read_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.queries.appeals import JudgedAppeal
    from app.web.gate import Visit

DECISIONS: Final = ("granted", "upheld")
_NOTES: Final[Mapping[type[Exception], Message]] = {
    AppealSettled: message("Nothing was done: somebody has decided it in the meantime, or the campaign moved on."),
    CampaignCannotMove: message("Nothing was done: somebody has decided it in the meantime, or the campaign moved on."),
    DecidedFirst: message("You decided first, so somebody else decides the appeal."),
    ReviewerIsOfTeam: message("You are of its team, so somebody else decides."),
}


async def show_list(visit: Visit) -> Response:
    """Show appeals that this person may decide, those that wait first."""
    done = visit.request.query_params.get("done")
    found = await visit.house.database.read(list_appeals, account_id=visit.signed_in.account_id)
    return visit.show(
        "moderation/appeals.html",
        appeals=[each for each in found if may_decide(visit.signed_in.role, each.against)],
        done=done if done in DECISIONS else None,
        can_operate=can_operate(visit),
    )


async def show(visit: Visit) -> Response:
    """Show one appeal, with what was decided first and why."""
    return await _show(visit, await _find(visit))


async def decide(visit: Visit) -> Response:
    """Grant it or uphold the decision, with an answer."""
    form = await visit.read_form()
    appeal = await _find(visit)
    decision, answer, errors = form.text("decision"), "", []
    if decision not in DECISIONS:
        errors.append(("decision", message("Choose how you decide").say(visit.locale)))
    try:
        answer = read_reason(form.text("answer"), is_required=decision != "granted")
    except Refused as refusal:
        errors.append(("answer", refusal.message.say(visit.locale)))
    if errors:
        return await _show(visit, appeal, UNPROCESSABLE, errors=errors, typed=form.typed())
    try:
        await visit.house.database.write(
            decide_appeal,
            appeal_id=appeal.id,
            is_granted=decision == "granted",
            answer=answer,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except tuple(_NOTES) as fact:
        return await _show(visit, await _find(visit), CONFLICT, note=_NOTES[type(fact)].say(visit.locale))
    visit.house.forget(appeal.slug)
    return visit.go(f"/appeals?done={decision}")


async def _find(visit: Visit) -> JudgedAppeal:
    appeal_id = read_id(visit.request.path_params["appeal"])
    found = await visit.house.database.read(find_appeal, appeal_id=appeal_id, account_id=visit.signed_in.account_id)
    if found is None or not may_decide(visit.signed_in.role, found.against):
        raise HTTPException(404)
    return found


async def _show(
    visit: Visit,
    appeal: JudgedAppeal,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    note: str | None = None,
) -> Response:
    texts = await visit.house.database.read(find_shown_texts, campaign_id=appeal.campaign_id)
    return visit.show(
        "moderation/appeal.html",
        status_code=status_code,
        appeal=appeal,
        texts=texts,
        rule=None if appeal.rule is None else say_refusal(appeal.rule).say(visit.locale),
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed or {},
        note=note,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/appeals", show_list, needs=StaffPermission.REVIEW),
    Page("/appeals/{appeal}", show, decide, StaffPermission.REVIEW, is_grave=True),
)
