"""To whom a letter was handed over, when, by what way, whether they said so and what came back."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import lettering
from app.actions.lettering import (
    DeliveryChanged,
    DeliveryNotFound,
    HandedOver,
    UnknownDatedEdition,
    fingerprint_delivery,
)
from app.i18n import message
from app.queries.lettering import list_recipients
from app.queries.letters import list_dated_editions, list_deliveries
from app.rules.campaign_file import MAX_NAME
from app.rules.deliveries import WAYS
from app.rules.life import local_day
from app.rules.permissions import Permission
from app.web.gate import Page
from app.web.reasons import read_day
from app.web.workspace.campaign_form import Reading, say_errors
from app.web.workspace.home import read_id
from app.web.workspace.updates import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from starlette.responses import Response

    from app.queries.letters import Delivery
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
#: No dated edition: a letter that was printed elsewhere, or as it stood on a day.
NONE: Final = "none"
DONE: Final = frozenset({"recorded", "changed", "removed"})
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
_HERE: Final = "/campaigns/{slug}/deliveries"


async def show_list(visit: Visit) -> Response:
    """Show to whom the letter was handed over."""
    done = visit.request.query_params.get("done")
    found = await visit.house.database.read(list_deliveries, campaign_id=visit.campaign.id)
    return visit.show(
        "workspace/deliveries.html",
        path=f"/workspace/campaigns/{visit.campaign.slug}/deliveries",
        deliveries=found[::-1],
        ways=_ways(visit),
        done=done if done in DONE else None,
    )


async def show_new(visit: Visit) -> Response:
    """Show an empty form."""
    return await _show_form(visit, None, {"once": uuid4().hex, "number": await _newest(visit)}, {})


async def create(visit: Visit) -> Response:
    """Note that a letter was handed over."""
    form = await visit.read_form()
    delivery_id = read_id(form, "once")
    delivery, errors = _read(visit, form)
    if delivery is None:
        return await _show_form(visit, None, form.typed(), errors, status_code=UNPROCESSABLE)
    try:
        await _do(visit, lettering.record_delivery, delivery_id, delivery=delivery)
    except UnknownDatedEdition:
        return await _show_form(visit, None, form.typed(), _unknown_edition(visit), status_code=UNPROCESSABLE)
    except DeliveryChanged:
        return await _show_conflict(visit, delivery_id, form)
    return _go(visit, "recorded")


async def show(visit: Visit) -> Response:
    """Show a delivery to be changed."""
    delivery = await _find(visit)
    return await _show_form(visit, delivery, _values_of(delivery), {})


async def change(visit: Visit) -> Response:
    """Change what is noted of a delivery, over what was shown."""
    form = await visit.read_form()
    current = await _find(visit)
    delivery, errors = _read(visit, form)
    if delivery is None:
        return await _show_form(visit, current, form.typed(), errors, status_code=UNPROCESSABLE)
    try:
        await _do(visit, lettering.change_delivery, current.id, delivery=delivery, shown=form.text("shown"))
    except UnknownDatedEdition:
        return await _show_form(visit, current, form.typed(), _unknown_edition(visit), status_code=UNPROCESSABLE)
    except DeliveryChanged:
        return await _show_conflict(visit, current.id, form)
    return _go(visit, "changed")


async def remove(visit: Visit) -> Response:
    """Take a delivery off the list."""
    await visit.read_form()
    delivery = await _find(visit)
    await _do(visit, lettering.remove_delivery, delivery.id)
    return _go(visit, "removed")


PAGES: Final[tuple[Page, ...]] = (
    Page(_HERE, show_list, create, needs=Permission.READ, post_needs=Permission.RESPOND),
    Page(f"{_HERE}/new", show_new, None, needs=Permission.RESPOND),
    Page(f"{_HERE}/{{delivery}}", show, change, needs=Permission.RESPOND),
    Page(f"{_HERE}/{{delivery}}/remove", None, remove, needs=Permission.RESPOND),
)


async def _do(visit: Visit, action: Any, delivery_id: UUID, **more: Any) -> None:  # noqa: ANN401 - each action's own
    """Do something to a delivery; 404 where somebody has just removed it, or it is another campaign's."""
    try:
        await visit.house.database.write(
            action,
            delivery_id=delivery_id,
            campaign_id=visit.campaign.id,
            account_id=visit.signed_in.account_id,
            now=visit.now,
            **more,
        )
    except DeliveryNotFound:
        raise HTTPException(404) from None


def _go(visit: Visit, done: str) -> Response:
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/deliveries?done={done}")


async def _find(visit: Visit, delivery_id: UUID | None = None) -> Delivery:
    """Return the delivery in the address, or of this id; 404, on record, for one that this campaign does not have."""
    said = visit.request.path_params.get("delivery", "")
    if delivery_id is None and _ID.fullmatch(said):
        delivery_id = UUID(said)
    found = await visit.house.database.read(list_deliveries, campaign_id=visit.campaign.id)
    delivery = next((each for each in found if each.id == delivery_id), None)
    if delivery is None:
        await refuse(visit, f"{_HERE}/{{delivery}}")
    return delivery


async def _newest(visit: Visit) -> str:
    dated = await visit.house.database.read(list_dated_editions, slug=visit.campaign.slug)
    return str(dated[0].number) if dated else NONE


def _read(visit: Visit, form: Form) -> tuple[HandedOver | None, dict[str, str]]:
    """Return what was typed, or None and what is wrong with it."""
    reading = Reading(form)
    recipient = reading.line("recipient", MAX_NAME, message("Enter to whom it was handed over"))
    today = local_day(visit.now, visit.campaign.timezone)
    delivered_on = read_day(form.text("delivered_on"))
    if delivered_on is None or delivered_on > today:
        reading.errors["delivered_on"] = message("Choose the day on which it was handed over, today or before")
    way = reading.choice("way", WAYS, message("Choose how it was handed over"))
    number = form.text("number")
    if number != NONE and not _NUMBER.fullmatch(number):
        reading.errors["number"] = message("Choose which letter was handed over")
    later = {name: _read_later(reading, name, delivered_on, today) for name in ("acknowledged_on", "answered_on")}
    if reading.errors or delivered_on is None:
        return None, say_errors(reading.errors, visit.locale)
    return HandedOver(None if number == NONE else int(number), recipient, delivered_on, way, **later), {}


def _read_later(reading: Reading, name: str, delivered_on: date | None, today: date) -> date | None:
    """Return a day that may be missing, and is otherwise from the delivery to today."""
    if not reading.form.text(name).strip():
        return None
    day = read_day(reading.form.text(name))
    if day is None or day > today or (delivered_on is not None and day < delivered_on):
        reading.errors[name] = message("Choose a day from the delivery to today, or leave it empty")
    return day


def _unknown_edition(visit: Visit) -> dict[str, str]:
    return {"number": message("Choose which letter was handed over").say(visit.locale)}


def _values_of(delivery: Delivery) -> dict[str, str]:
    said = _handed_over(delivery)
    values = {name: str(value or "") for name, value in asdict(said).items()}
    return values | {"number": str(delivery.number or NONE), "shown": fingerprint_delivery(said)}


def _handed_over(delivery: Delivery) -> HandedOver:
    return HandedOver(
        delivery.number,
        delivery.recipient,
        delivery.delivered_on,
        delivery.way,
        delivery.acknowledged_on,
        delivery.answered_on,
    )


def _ways(visit: Visit) -> dict[str, str]:
    return {name: words.say(visit.locale) for name, words in WAYS.items()}


async def _show_conflict(visit: Visit, delivery_id: UUID, form: Form) -> Response:
    """Show what was typed beside what is saved; saving again then means it."""
    saved = await _find(visit, delivery_id)
    typed = {**form.typed(), "shown": fingerprint_delivery(_handed_over(saved))}
    return await _show_form(visit, saved, typed, {}, saved=saved, status_code=CONFLICT)


async def _show_form(
    visit: Visit,
    delivery: Delivery | None,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    *,
    saved: Delivery | None = None,
    status_code: int = 200,
) -> Response:
    database, campaign = visit.house.database, visit.campaign
    recipients = await database.read(list_recipients, campaign_id=campaign.id)
    return visit.show(
        "workspace/deliveries_write.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{campaign.slug}/deliveries/{'new' if delivery is None else delivery.id.hex}",
        delivery=delivery,
        values=values,
        errors=errors,
        saved=saved,
        ways=_ways(visit),
        dated=await database.read(list_dated_editions, slug=campaign.slug),
        recipients=[each.names.get(visit.locale) or next(iter(each.names.values())) for each in recipients],
        no_edition=NONE,
        name_limit=MAX_NAME,
        today=local_day(visit.now, campaign.timezone).isoformat(),
    )
