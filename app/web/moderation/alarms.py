"""Alarms: what looks unusual, with a way to the very set; and pairs of signatures that may be one person's.

No list shows a name. A pair's own page opens both sides, and every such look goes on record.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from app.actions.alarms import (
    OUTCOMES,
    AlarmNotFound,
    AlarmSettled,
    PairSettled,
    keep_both,
    settle_alarm,
    take_one_out,
)
from app.actions.records import record
from app.i18n import Message, message
from app.i18n.formats import format_number, language_name
from app.queries.alarms import find_alarm, find_pair, list_alarms, list_flagged, list_pairs
from app.rules.khmer import comparison_key
from app.rules.permissions import StaffPermission
from app.rules.places import country_name
from app.rules.sets import MARK_LENGTH, STANDING_WORDS, say_conditions
from app.web.gate import Page
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, as_query, find_campaign, read_id
from app.web.moderation.reviews import can_operate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from starlette.responses import Response

    from app.i18n import Locale
    from app.queries.alarms import OpenedSide, ShownAlarm
    from app.queries.moderation import JudgedCampaign
    from app.web.gate import Visit

_OUTCOMES: Final[Mapping[str, Message]] = {
    "harmless": message("Nothing is wrong: people signed"),
    "acted": message("It was an attack, and something was done about it"),
    "unclear": message("It cannot be told"),
}


async def show_list(visit: Visit) -> Response:
    """Show alarms, open ones first, and where pairs wait."""
    alarms = await visit.house.database.read(list_alarms, keyring=visit.house.keyring)
    return visit.show(
        "moderation/alarms.html",
        open=[each for each in alarms if each.state == "open"],
        settled=[each for each in alarms if each.state != "open"],
        outcomes=_outcomes(visit.locale),
        flagged=await visit.house.database.read(list_flagged),
        can_operate=can_operate(visit),
    )


async def show(visit: Visit) -> Response:
    """Show one alarm: what was found, the way to its set, and how to settle it."""
    return await _show(visit)


async def settle(visit: Visit) -> Response:
    """Settle an alarm with what came of it."""
    form = await visit.read_form()
    outcome, alarm_id = form.text("outcome"), (await _find_alarm(visit)).id
    if outcome not in OUTCOMES:
        error = message("Choose what came of it").say(visit.locale)
        return await _show(visit, UNPROCESSABLE, errors=[("outcome", error)])
    who: dict[str, Any] = {"account_id": visit.signed_in.account_id, "now": visit.now}
    try:
        await visit.house.database.write(settle_alarm, alarm_id=alarm_id, outcome=outcome, **who)
    except AlarmNotFound:
        raise HTTPException(404) from None
    except AlarmSettled:
        note = message("Nothing was done: somebody has settled this in the meantime.").say(visit.locale)
        return await _show(visit, CONFLICT, note=note)
    return visit.go("/alarms")


async def show_pairs(visit: Visit) -> Response:
    """Show the pairs of a campaign that wait."""
    return await _show_pairs(visit, await find_campaign(visit))


async def show_pair(visit: Visit) -> Response:
    """Show both sides of a pair, opened; the look goes on record."""
    return await _show_pair(visit, await find_campaign(visit))


async def settle_pair(visit: Visit) -> Response:
    """Keep both, or take one out."""
    campaign = await find_campaign(visit)
    form = await visit.read_form()
    action = form.text("action")
    ids = _read_pair(visit)
    who: dict[str, Any] = {"campaign_id": campaign.id, "account_id": visit.signed_in.account_id, "now": visit.now}
    removed = {f"remove-{each.hex}": each for each in ids}
    if action != "keep" and action not in removed:
        error = message("Choose what to do with them").say(visit.locale)
        return await _show_pair(visit, campaign, UNPROCESSABLE, errors=[("action", error)])
    pair: dict[str, Any] = {"signature_id": ids[0], "other_id": ids[1]}
    try:
        if action == "keep":
            await visit.house.database.write(keep_both, **pair, **who)
        else:
            await visit.house.database.write(take_one_out, removed_id=removed[action], **pair, **who)
    except PairSettled:
        note = message("Nothing was done: somebody has settled this pair in the meantime.").say(visit.locale)
        return await _show_pairs(visit, campaign, CONFLICT, note=note)
    visit.house.forget(campaign.slug)
    return visit.go(f"/pairs/{campaign.slug}")


async def _find_alarm(visit: Visit) -> ShownAlarm:
    """Return the alarm in the address. Raises HTTPException 404: also, on record, for one of one's own campaign."""
    alarm_id = read_id(visit.request.path_params["alarm"])
    alarm = await visit.house.database.read(find_alarm, alarm_id=alarm_id, keyring=visit.house.keyring)
    if alarm is None:
        raise HTTPException(404)
    await find_campaign(visit, alarm.slug)
    return alarm


async def _show(
    visit: Visit, status_code: int = 200, *, note: str | None = None, errors: Sequence[tuple[str, str]] = ()
) -> Response:
    locale = visit.locale
    alarm = await _find_alarm(visit)
    return visit.show(
        "moderation/alarm.html",
        status_code=status_code,
        path=f"/moderation/alarms/{alarm.id.hex}",
        alarm=alarm,
        asked=say_conditions(alarm.conditions, locale),
        sets=_sets(alarm, locale),
        outcomes=_outcomes(locale),
        note=note,
        errors=errors,
        can_operate=can_operate(visit),
    )


def _outcomes(locale: Locale) -> dict[str, str]:
    return {code: words.say(locale) for code, words in _OUTCOMES.items()}


def _sets(alarm: ShownAlarm, locale: Locale) -> list[tuple[str, str, str]]:
    """Return the way to each set: its mark where there are several, how many it held, and its address."""
    at = f"/{locale}/moderation/signatures/{alarm.slug}/set"
    groups = alarm.figures.get("groups") or [[None, alarm.figures["count"]]]
    found = []
    for mark, count in groups:
        named: dict[str, Any] = {} if mark is None else {alarm.kind: mark}
        query = as_query(replace(alarm.conditions, **named), alarm=alarm.id.hex)
        found.append(("" if mark is None else f"#{mark[:MARK_LENGTH]}", format_number(count, locale), at + query))
    return found


async def _show_pairs(
    visit: Visit, campaign: JudgedCampaign, status_code: int = 200, *, note: str | None = None
) -> Response:
    return visit.show(
        "moderation/alarm_pairs.html",
        status_code=status_code,
        path=f"/moderation/pairs/{campaign.slug}",
        campaign=campaign,
        pairs=await visit.house.database.read(list_pairs, campaign_id=campaign.id),
        note=note,
        can_operate=can_operate(visit),
    )


async def _show_pair(
    visit: Visit, campaign: JudgedCampaign, status_code: int = 200, *, errors: Sequence[tuple[str, str]] = ()
) -> Response:
    one, other = _read_pair(visit)
    found = await visit.house.database.read(
        find_pair, campaign_id=campaign.id, signature_id=one, other_id=other, keyring=visit.house.keyring
    )
    if found is None:
        raise HTTPException(404)
    await visit.house.database.write(
        record,
        what="pair_opened",
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=campaign.id,
        details={"signatures": [one.hex, other.hex]},
    )
    return visit.show(
        "moderation/alarm_pair.html",
        status_code=status_code,
        path=f"/moderation/pairs/{campaign.slug}/{one.hex}-{other.hex}",
        campaign=campaign,
        pair=found,
        at_pair=f"{one.hex}-{other.hex}",
        lines=_compare(found.sides, visit.locale),
        errors=errors,
        can_operate=can_operate(visit),
    )


def _read_pair(visit: Visit) -> tuple[UUID, UUID]:
    one, _, other = visit.request.path_params["pair"].partition("-")
    return read_id(one), read_id(other)


def _compare(sides: tuple[OpenedSide, OpenedSide], locale: Locale) -> list[tuple[str, str, str, bool]]:
    """Return what both sides say, line by line, and whether it is the same, however it is spelt."""

    def say(side: OpenedSide) -> list[tuple[Message, str]]:
        return [
            (message("Name"), side.name),
            (message("Postal code"), side.postal_code),
            (message("Email"), side.email),
            (message("Country"), country_name(side.country, locale)),
            (message("Province, territory or state"), side.subdivision or "–"),
            (message("Language"), language_name(side.locale, locale)),
            (message("How it stands with us"), STANDING_WORDS[side.standing].say(locale)),
        ]

    first, second = (say(side) for side in sides)
    return [
        (label.say(locale), one, other, comparison_key(one) == comparison_key(other))
        for (label, one), (_, other) in zip(first, second, strict=True)
    ]


PAGES: Final[tuple[Page, ...]] = (
    Page("/alarms", show_list, needs=StaffPermission.MODERATE),
    Page("/alarms/{alarm}", show, settle, StaffPermission.MODERATE),
    Page("/pairs/{slug}", show_pairs, needs=StaffPermission.MODERATE),
    Page("/pairs/{slug}/{pair}", show_pair, settle_pair, StaffPermission.MODERATE),
)
