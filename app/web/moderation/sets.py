"""Sets of signatures: counted, proposed, approved, watched while they are applied, stopped, reversed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import sets
from app.actions.sets import SecondPersonNeeded, SetMoved, SetNotFound
from app.i18n import Message, message
from app.queries.sets import count_set, count_standings, find_set, list_sets
from app.rules.integrity import REMOVAL_RULES
from app.rules.normalise import Refused
from app.rules.permissions import StaffPermission
from app.rules.sets import (
    LARGE,
    STANDING_AFTER,
    STANDING_WORDS,
    ConditionsUnreadable,
    is_grave,
    parse_conditions,
    read_conditions,
    say_conditions,
    say_rule,
)
from app.web.gate import Page
from app.web.moderation.choosing import (
    CONFLICT,
    ID,
    UNPROCESSABLE,
    as_query,
    as_typed,
    conditions_of,
    find_campaign,
    find_key,
    list_choices,
    list_rules,
    read_id,
)
from app.web.moderation.reviews import can_operate
from app.web.reasons import read_reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from starlette.responses import Response

    from app.queries.moderation import JudgedCampaign
    from app.queries.sets import ShownSet
    from app.rules.sets import Conditions
    from app.web.forms import Form
    from app.web.gate import Visit

_NOTES: Final[Mapping[type[Exception], Message]] = {
    SetMoved: message("Nothing was done: the set has moved in the meantime. This is how it stands now."),
    SecondPersonNeeded: message("Nothing was done: this takes a second moderator."),
}
#: What is said of a set by its action, before and while it is done.
ACTIONS: Final[Mapping[str, Message]] = {
    "quarantine": message("Set them aside to be checked"),
    "remove": message("Take them out of the count"),
    "restore": message("Count them"),
}


async def show_list(visit: Visit) -> Response:
    """Show the sets of all campaigns, what waits for somebody first."""
    return visit.show(
        "moderation/sets.html",
        sets=await visit.house.database.read(list_sets),
        actions=_actions(visit),
        can_operate=can_operate(visit),
    )


async def show_builder(visit: Visit) -> Response:
    """Show the form of conditions; and, where the address has some, how many fulfil them and what to do with them."""
    return await _show_builder(visit, await find_campaign(visit), conditions_of(visit))


async def choose(visit: Visit) -> Response:
    """Take conditions, and go to what they hold."""
    campaign = await find_campaign(visit)
    form = await visit.read_form()
    key = await find_key(visit, campaign.id)
    conditions, faults = read_conditions(form.typed(), None if key is None else key.index)
    errors = [(name, fault.say(visit.locale)) for name, fault in faults]
    if not (conditions or errors):
        errors.append(("sent_from", message("Choose at least one condition").say(visit.locale)))
    if errors:
        return await _show_builder(visit, campaign, None, UNPROCESSABLE, errors=errors, typed=form.typed())
    return visit.go(f"/signatures/{campaign.slug}/set{as_query(conditions, alarm=form.text('alarm'))}")


async def propose(visit: Visit) -> Response:
    """Make the set that was shown and counted."""
    campaign = await find_campaign(visit)
    form = await visit.read_form()
    conditions, action = _read_chosen(form), form.text("action")
    because, errors = "", []
    if action not in STANDING_AFTER:
        errors.append(("action", message("Choose what to do with them").say(visit.locale)))
    if action in {"quarantine", "remove"} and form.text("rule") not in REMOVAL_RULES:
        errors.append(("rule", message("Choose why it is taken out").say(visit.locale)))
    try:
        because = read_reason(form.text("because"), is_required=True)
    except Refused as refusal:
        errors.append(("because", refusal.message.say(visit.locale)))
    if not errors:
        set_id = read_id(form.text("once"))
        if await _create(visit, campaign, conditions, form, because=because, set_id=set_id):
            return visit.go(f"/sets/{set_id.hex}")
        errors.append(("action", message("There is nothing that this would change").say(visit.locale)))
    return await _show_builder(visit, campaign, conditions, UNPROCESSABLE, errors=errors, typed=form.typed())


async def show(visit: Visit) -> Response:
    """Show one set: what it holds, how far it has come, and what can be done."""
    return await _show_set(visit)


def _doing(work: Callable[..., object]) -> Callable[[Visit], Awaitable[Response]]:
    """Return the handler that does ``work`` with the set in the address."""

    async def do(visit: Visit) -> Response:
        await visit.read_form()
        set_id = (await _find_set(visit)).id
        who = {"account_id": visit.signed_in.account_id, "now": visit.now}
        try:
            await visit.house.database.write(work, set_id=set_id, **who)
        except SetNotFound:
            raise HTTPException(404) from None
        except (SetMoved, SecondPersonNeeded) as fact:
            return await _show_set(visit, CONFLICT, note=_NOTES[type(fact)].say(visit.locale))
        return visit.go(f"/sets/{set_id.hex}")

    return do


def _read_chosen(form: Form) -> Conditions:
    """Return the conditions that the page showed, from its hidden fields. Raises HTTPException 400."""
    names = [name for name in form.typed() if name.startswith("c_")]
    try:
        conditions = parse_conditions({name.removeprefix("c_"): form.text(name) for name in names})
    except ConditionsUnreadable:
        raise HTTPException(400) from None
    if not conditions:
        raise HTTPException(400)
    return conditions


async def _create(
    visit: Visit, campaign: JudgedCampaign, conditions: Conditions, form: Form, *, because: str, set_id: UUID
) -> bool:
    """Make the set; False where it would move nothing."""
    database, action, alarm = visit.house.database, form.text("action"), form.text("alarm")
    size = await database.read(count_set, campaign_id=campaign.id, conditions=conditions, now=visit.now, action=action)
    if not size.moved and await database.read(find_set, set_id=set_id) is None:
        return False
    await database.write(
        sets.create_set,
        set_id=set_id,
        campaign_id=campaign.id,
        conditions=conditions,
        action=action,
        rule="other" if action == "restore" else form.text("rule"),
        because=because,
        expected=size.moved,
        account_id=visit.signed_in.account_id,
        now=visit.now,
        alarm_id=UUID(hex=alarm) if ID.fullmatch(alarm) else None,
    )
    return True


async def _show_builder(
    visit: Visit,
    campaign: JudgedCampaign,
    conditions: Conditions | None,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
) -> Response:
    typed = typed or {}
    shown: dict[str, Any] = {"size": None, "standings": (), "asked": (), "chosen": {}}
    if conditions:
        asked: dict[str, Any] = {"campaign_id": campaign.id, "conditions": conditions, "now": visit.now}
        found = await visit.house.database.read(count_standings, **asked)
        shown = {
            "size": await visit.house.database.read(count_set, **asked),
            "standings": [(words.say(visit.locale), found.get(code, 0)) for code, words in STANDING_WORDS.items()],
            "asked": say_conditions(conditions, visit.locale),
            "chosen": conditions.as_json(),
        }
    return visit.show(
        "moderation/set_builder.html",
        status_code=status_code,
        path=f"/moderation/signatures/{campaign.slug}/set",
        campaign=campaign,
        large=LARGE,
        choices=list_choices(visit.locale),
        rules=list_rules(visit.locale),
        actions=_actions(visit),
        once=typed.get("once") or uuid4().hex,
        alarm=typed.get("alarm") or visit.request.query_params.get("alarm", "")[:32],
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed if conditions is None else {**as_typed(conditions), **typed},
        **shown,
    )


async def _find_set(visit: Visit) -> ShownSet:
    """Return the set in the address. Raises HTTPException 404: also, on record, for a set of one's own campaign."""
    found = await visit.house.database.read(find_set, set_id=read_id(visit.request.path_params["set_id"]))
    if found is None:
        raise HTTPException(404)
    await find_campaign(visit, found.slug)
    return found


async def _show_set(visit: Visit, status_code: int = 200, *, note: str | None = None) -> Response:
    found = await _find_set(visit)
    return visit.show(
        "moderation/set.html",
        status_code=status_code,
        path=f"/moderation/sets/{found.id.hex}",
        set=found,
        asked=say_conditions(found.conditions, visit.locale),
        query=as_query(found.conditions),
        action=ACTIONS[found.action].say(visit.locale),
        rule=say_rule(found.rule, visit.locale),
        is_large=is_grave(found.changed),
        can_operate=can_operate(visit),
        note=note,
    )


def _actions(visit: Visit) -> dict[str, str]:
    return {code: words.say(visit.locale) for code, words in ACTIONS.items()}


PAGES: Final[tuple[Page, ...]] = (
    Page("/sets", show_list, needs=StaffPermission.MODERATE),
    Page("/signatures/{slug}/set", show_builder, choose, StaffPermission.MODERATE),
    Page("/signatures/{slug}/set/propose", None, propose, StaffPermission.MODERATE),
    Page("/sets/{set_id}", show, needs=StaffPermission.MODERATE),
    Page("/sets/{set_id}/approve", None, _doing(sets.approve_set), StaffPermission.MODERATE, is_grave=True),
    Page("/sets/{set_id}/decline", None, _doing(sets.decline_set), StaffPermission.MODERATE),
    Page("/sets/{set_id}/stop", None, _doing(sets.stop_set), StaffPermission.MODERATE),
    Page("/sets/{set_id}/reverse", None, _doing(sets.reverse_set), StaffPermission.MODERATE, is_grave=True),
)
