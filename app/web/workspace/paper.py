"""Sheets signed in ink: batches registered, closed and removed; where sheets are to be brought.

Typing what stands on them is ``paper_typing.py``.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions import paper
from app.actions.paper import (
    OPEN_KEPT,
    BatchNotFound,
    BatchNotOpen,
    NothingTyped,
    PaperNotTaken,
    ReturnChanged,
    SampleUnfinished,
    SheetsTyped,
    token_of,
)
from app.i18n import message
from app.models import open_campaign_key
from app.queries.campaigns import find_any_campaign
from app.queries.editions import list_edition_lines
from app.queries.paper import count_paper, find_batch, find_return, find_sample, list_batches, list_sheets
from app.rules.khmer import to_latin_digits
from app.rules.life import local_day
from app.rules.normalise import Refused, clean_line
from app.rules.paper import (
    KINDS,
    LINES,
    MOST_SHEETS,
    MOST_STATED,
    PAPER_STATES,
    PLACE_LIMIT,
    REASONS,
    RETURN_LIMIT,
    SAMPLES,
    WAYS,
    Registered,
)
from app.rules.permissions import Permission
from app.rules.questions import clean_paragraphs
from app.web.gate import Page
from app.web.reasons import read_day
from app.web.workspace.updates import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.core.keys import DataKey
    from app.i18n import Message
    from app.queries.paper import Batch, Sample, Sheet
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
HERE: Final = "/campaigns/{slug}/paper"
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}")
_FIELDS: Final = ("kind", "way", "edition", "collected_on", "place", "sheets", "stated", "sample")


@dataclass(frozen=True, slots=True)
class _Typed:
    """What the form of a batch holds, what is wrong with it, and what it says where nothing is."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[tuple[str, Message]] = ()
    registered: Registered | None = None


async def show_list(visit: Visit) -> Response:
    """Show every batch, what the closed ones come to, and where sheets are to be brought."""
    return await _show_list(visit)


async def save_return(visit: Visit) -> Response:
    """Save where sheets are to be brought."""
    form = await visit.read_form()
    shown = form.text("shown").replace("\r\n", "\n").strip()
    try:
        text = clean_paragraphs(form.text("paper_return"), limit=RETURN_LIMIT)
    except Refused as refusal:
        return await _show_list(visit, typed=form, error=refusal.message, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            paper.save_return,
            campaign_id=visit.campaign.id,
            text=text,
            shown=shown,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except ReturnChanged:
        return await _show_list(visit, typed=form, is_changed=True, status_code=CONFLICT)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper")


async def show_new(visit: Visit) -> Response:
    """Show an empty form."""
    return await _show_form(visit, None, _Typed(), once=uuid4().hex)


async def register(visit: Visit) -> Response:
    """Register a batch."""
    form = await visit.read_form()
    once, typed = form.text("once"), _read(visit, form)
    if not _ID.fullmatch(once):
        raise HTTPException(400)
    if typed.registered is None:
        return await _show_form(visit, None, typed, once=once, status_code=UNPROCESSABLE)
    try:
        number = await visit.house.database.write(
            paper.register_batch,
            batch_id=UUID(once),
            campaign_id=visit.campaign.id,
            registered=typed.registered,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except PaperNotTaken:
        return await _show_list(visit, status_code=CONFLICT)
    except BatchNotFound:
        await refuse(visit, f"{HERE}/new")
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{number}")


async def show_batch(visit: Visit) -> Response:
    """Show a batch: its sheets, its sample, and what can be done with it."""
    return await _show_batch(visit, await find(visit, HERE + "/{number}"))


async def show_change(visit: Visit) -> Response:
    """Show what was said of an open batch, to be corrected."""
    batch = await find(visit, HERE + "/{number}/change")
    if batch.state != "open":
        return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}")
    return await _show_form(visit, batch, _Typed(_values_of(batch)))


async def change(visit: Visit) -> Response:
    """Correct what was said of an open batch."""
    form = await visit.read_form()
    batch = await find(visit, HERE + "/{number}/change")
    typed = _read(visit, form, batch)
    if typed.registered is None:
        return await _show_form(visit, batch, typed, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            paper.change_batch,
            campaign_id=visit.campaign.id,
            number=batch.number,
            registered=typed.registered,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except SheetsTyped as fact:
        wrong = ("sheets", message("Something is typed of sheet %(number)s already", number=fact.args[0]))
        return await _show_form(visit, batch, _Typed(typed.values, [wrong]), status_code=UNPROCESSABLE)
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    except BatchNotFound:
        await refuse(visit, HERE + "/{number}/change")
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}")


async def close(visit: Visit) -> Response:
    """Close a batch, for ever."""
    form = await visit.read_form()
    batch = await find(visit, HERE + "/{number}/close")
    errors: list[tuple[str, Message]] = []
    counted = None
    if batch.way == "counted":
        counted = _read_number(form, "counted", MOST_STATED, errors, message("Enter how many signatures count"))
    if "sure" not in form:
        errors.append(("sure", message("Tick the box to say that this batch is complete")))
    if errors:
        return await _show_batch(visit, batch, errors=errors, typed=form, status_code=UNPROCESSABLE)
    try:
        await visit.house.database.write(
            paper.close_batch,
            campaign_id=visit.campaign.id,
            number=batch.number,
            key=await find_key(visit),
            counted=counted,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    except NothingTyped:
        errors.append(("sure", message("Nothing is typed of this batch yet")))
    except SampleUnfinished:
        errors.append(
            ("sure", message("Lines are still to be typed a second time, or two people read one differently"))
        )
    if errors:
        batch = await find(visit, HERE + "/{number}/close")
        return await _show_batch(visit, batch, errors=errors, typed=form, status_code=CONFLICT)
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}")


async def remove(visit: Visit) -> Response:
    """Take a batch out of the count."""
    form = await visit.read_form()
    batch = await find(visit, HERE + "/{number}/remove")
    because = form.text("because")
    if because not in REASONS:
        wrong = [("because", message("Choose why it is removed"))]
        return await _show_batch(visit, batch, errors=wrong, typed=form, status_code=UNPROCESSABLE)
    # Removed before: the page says so.
    with suppress(BatchNotOpen):
        await visit.house.database.write(
            paper.remove_batch,
            campaign_id=visit.campaign.id,
            number=batch.number,
            because=because,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}")


async def find(visit: Visit, address: str) -> Batch:
    """Return the batch in the address; 404, on record, for one that this campaign does not have."""
    typed, batch = visit.request.path_params["number"], None
    if _NUMBER.fullmatch(typed):
        batch = await visit.house.database.read(find_batch, campaign_id=visit.campaign.id, number=int(typed))
    if batch is None:
        await refuse(visit, address)
    return batch


async def find_key(visit: Visit) -> DataKey | None:
    """Return the campaign's key, or None once it was destroyed."""
    return await visit.house.database.read(
        open_campaign_key, campaign_id=visit.campaign.id, keyring=visit.house.keyring
    )


async def show_ended(visit: Visit, number: int, *, typed: Sequence[str] = ()) -> Response:
    """Say that a batch is not open any more; what was typed meanwhile is shown, to be copied."""
    batch = await visit.house.database.read(find_batch, campaign_id=visit.campaign.id, number=number)
    assert batch is not None  # noqa: S101 - no batch ever goes
    return await _show_batch(visit, batch, lost=typed, has_ended=True, status_code=CONFLICT)


async def _show_list(
    visit: Visit,
    *,
    typed: Form | None = None,
    error: Message | None = None,
    is_changed: bool = False,
    status_code: int = 200,
) -> Response:
    database, campaign_id = visit.house.database, visit.campaign.id
    saved = await database.read(find_return, campaign_id=campaign_id)
    return visit.show(
        "workspace/paper.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/paper",
        batches=await database.read(list_batches, campaign_id=campaign_id),
        counted=await database.read(count_paper, campaign_id=campaign_id),
        is_taken=await _is_taken(visit),
        saved=saved,
        paper_return=saved if typed is None else typed.text("paper_return"),
        error=None if error is None else error.say(visit.locale),
        is_changed=is_changed,
        limit=RETURN_LIMIT,
    )


async def _is_taken(visit: Visit) -> bool:
    """Tell whether sheets can be registered as the campaign stands."""
    if visit.campaign.state not in PAPER_STATES:
        return False
    campaign = await visit.house.database.read(find_any_campaign, campaign_id=visit.campaign.id)
    return campaign is not None and campaign.takes_individuals


async def _show_form(
    visit: Visit, batch: Batch | None, typed: _Typed, *, once: str = "", status_code: int = 200
) -> Response:
    here = "new" if batch is None else f"{batch.number}/change"
    return visit.show(
        "workspace/paper_form.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/paper/{here}",
        batch=batch,
        values=typed.values,
        errors=[(name, text.say(visit.locale)) for name, text in typed.errors],
        fields=_FIELDS,
        once=once,
        editions=[
            each.number for each in await visit.house.database.read(list_edition_lines, campaign_id=visit.campaign.id)
        ],
        samples=SAMPLES,
        most={"sheets": MOST_SHEETS, "stated": MOST_STATED, "place": PLACE_LIMIT},
        today=local_day(visit.now, visit.campaign.timezone).isoformat(),
    )


async def _show_batch(
    visit: Visit,
    batch: Batch,
    *,
    errors: Sequence[tuple[str, Message]] = (),
    typed: Form | None = None,
    lost: Sequence[str] = (),
    has_ended: bool = False,
    status_code: int = 200,
) -> Response:
    database = visit.house.database
    sample: Sample | None = None
    sheets: Sequence[Sheet] = ()
    if batch.state == "open":
        key = await find_key(visit)
        sheets = await database.read(list_sheets, batch=batch)
        if key is not None and batch.way == "entered":
            sample = await database.read(find_sample, batch=batch, account_id=visit.signed_in.account_id, key=key)
    return visit.show(
        "workspace/paper_batch.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/paper/{batch.number}",
        batch=batch,
        sheets=sheets,
        sample=sample,
        token_of=token_of,
        until=batch.registered_at + OPEN_KEPT,
        lines=LINES,
        reasons=REASONS,
        errors=[(name, text.say(visit.locale)) for name, text in errors],
        values={} if typed is None else typed.typed(),
        lost=lost,
        has_ended=has_ended,
    )


def _read(visit: Visit, form: Form, batch: Batch | None = None) -> _Typed:
    values = {name: form.text(name) for name in _FIELDS}
    if batch is not None:
        values |= {"kind": batch.kind, "way": batch.way}
    errors: list[tuple[str, Message]] = []
    if values["kind"] not in KINDS:
        errors.append(("kind", message("Choose which sheets they are")))
    if values["way"] not in WAYS:
        errors.append(("way", message("Choose how they are counted")))
    collected_on = read_day(values["collected_on"])
    is_past = collected_on is None or collected_on <= local_day(visit.now, visit.campaign.timezone)
    if (values["collected_on"].strip() and collected_on is None) or not is_past:
        errors.append(("collected_on", message("Choose the day when they were signed, today or before")))
    place = ""
    try:
        place = clean_line(values["place"], limit=PLACE_LIMIT)
    except Refused as refusal:
        errors.append(("place", refusal.message))
    sheets = _read_number(form, "sheets", MOST_SHEETS, errors, message("Enter how many sheets there are"), least=1)
    stated = _read_number(form, "stated", MOST_STATED, errors, message("Enter how many signatures are on them"))
    # What is not in the form as it was served is somebody's own: it is read as nothing.
    sample = int(values["sample"]) if values["sample"] in {str(each) for each in SAMPLES} else 0
    edition = int(values["edition"]) if _NUMBER.fullmatch(values["edition"]) else None
    if errors or sheets is None or stated is None:
        return _Typed(values, errors)
    registered = Registered(values["kind"], values["way"], edition, collected_on, place, sheets, stated, sample)
    return _Typed(values, registered=registered)


def _read_number(
    form: Form, name: str, most: int, errors: list[tuple[str, Message]], missing: Message, *, least: int = 0
) -> int | None:
    typed = to_latin_digits(form.text(name)).strip()
    if not typed:
        errors.append((name, missing))
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= len(str(most)) and least <= int(typed) <= most):
        errors.append((name, message("Enter a number from %(least)s to %(most)s", least=least, most=most)))
        return None
    return int(typed)


def _values_of(batch: Batch) -> dict[str, Any]:
    return {
        "kind": batch.kind,
        "way": batch.way,
        "edition": str(batch.edition_number or ""),
        "collected_on": "" if batch.collected_on is None else batch.collected_on.isoformat(),
        "place": batch.place,
        "sheets": str(batch.sheets),
        "stated": str(batch.stated),
        "sample": str(batch.sample),
    }


_NEEDS: Final = Permission.ENTER_PAPER
PAGES: Final[tuple[Page, ...]] = (
    Page(HERE, show_list, needs=_NEEDS),
    Page(f"{HERE}/return", post=save_return, needs=_NEEDS),
    Page(f"{HERE}/new", show_new, register, needs=_NEEDS),
    Page(f"{HERE}/{{number}}", show_batch, needs=_NEEDS),
    Page(f"{HERE}/{{number}}/change", show_change, change, needs=_NEEDS),
    Page(f"{HERE}/{{number}}/close", post=close, needs=_NEEDS),
    Page(f"{HERE}/{{number}}/remove", post=remove, needs=_NEEDS, is_grave=True),
)
