"""Typing what stands on sheets: a grid for one sheet, a second reading of a sample, pictures of sheets.

The grid wants no script and no mouse: Tab goes to the next field; Enter saves and goes on at the first empty line, and
where nothing new was typed to the next sheet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.actions import paper
from app.actions.paper import BatchNotOpen, LineChanged, token_of
from app.i18n import message
from app.queries.paper import find_photo, find_sample, list_lines, list_sheets
from app.rules.normalise import Refused
from app.rules.paper import LINES, Reading, read_line
from app.rules.permissions import Permission
from app.web.gate import Page
from app.web.uploads import draw_in_turn, read_upload
from app.web.workspace.paper import HERE, find, find_key, show_ended
from app.web.workspace.updates import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.keys import DataKey
    from app.i18n import Message
    from app.queries.paper import Batch, TypedLine
    from app.rules.paper import Place
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
NEXT: Final = "next"
VOID: Final = "-"
_SHEET: Final = re.compile(r"[1-9][0-9]{0,2}")
_PLACE: Final = re.compile(r"([1-9][0-9]{0,2})\.([1-9][0-9]?)")
_SHOWN: Final = re.compile(r"([1-9][0-9]?):([0-9a-f]{12})")
_AT_SHEET: Final = HERE + "/{number}/sheets/{sheet}"
_AT_PHOTO: Final = f"{_AT_SHEET}/photo"
_AT_AGAIN: Final = HERE + "/{number}/again"


@dataclass(frozen=True, slots=True)
class _Typed:
    """What a grid holds: as typed, as read, and what is wrong with a line."""

    values: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[int, Reading | None] = field(default_factory=dict)
    errors: Mapping[int, Message] = field(default_factory=dict)


async def show_sheet(visit: Visit) -> Response:
    """Show the lines of a sheet."""
    batch, sheet, key = await _find(visit)
    return await _show_sheet(visit, batch, sheet, key)


async def save_sheet(visit: Visit) -> Response:
    """Save the lines of a sheet, and go on."""
    form = await visit.read_form()
    batch, sheet, key = await _find(visit)
    if batch.way != "entered":
        await refuse(visit, _AT_SHEET)
    typed = _read(form)
    before = await visit.house.database.read(list_lines, batch=batch, sheet=sheet, key=key)
    try:
        # What is right is saved, whatever is wrong with another line: somebody types fast and looks up late.
        lost = await visit.house.database.write(
            paper.save_lines,
            campaign_id=visit.campaign.id,
            number=batch.number,
            sheet=sheet,
            lines=typed.lines,
            shown={int(line): token for line, token in _SHOWN.findall(form.text("shown"))},
            key=key,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except BatchNotOpen:
        return await show_ended(visit, batch.number, typed=_tell(typed))
    if lost or typed.errors:
        status_code = UNPROCESSABLE if typed.errors else CONFLICT
        return await _show_sheet(visit, batch, sheet, key, typed=typed, lost=lost, status_code=status_code)
    is_done = {line: each.reading for line, each in before.items()} == {
        line: reading for line, reading in typed.lines.items() if reading is not None
    }
    here = f"/campaigns/{visit.campaign.slug}/paper/{batch.number}"
    if not (is_done or NEXT in form):
        return visit.go(f"{here}/sheets/{sheet}")
    return visit.go(here if sheet == batch.sheets else f"{here}/sheets/{sheet + 1}")


async def show_again(visit: Visit) -> Response:
    """Show the lines of the sample that this person may type."""
    batch, key = await _find_batch(visit, _AT_AGAIN)
    return await _show_again(visit, batch, key, {}, {})


async def save_again(visit: Visit) -> Response:
    """Keep a second reading of lines."""
    form = await visit.read_form()
    batch, key = await _find_batch(visit, _AT_AGAIN)
    lines: dict[Place, Reading] = {}
    errors: dict[Place, Message] = {}
    for name in form.typed():
        match = _PLACE.fullmatch(name.removeprefix("n"))
        if match is None or not name.startswith("n"):
            continue
        place = (int(match[1]), int(match[2]))
        try:
            reading = read_line(form.text(name), form.text(f"c{match[0]}"))
        except Refused as refusal:
            errors[place] = refusal.message
            continue
        if reading is not None:
            lines[place] = reading
    try:
        await visit.house.database.write(
            paper.type_again,
            campaign_id=visit.campaign.id,
            number=batch.number,
            lines=lines,
            key=key,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    if errors:
        return await _show_again(visit, batch, key, form.typed(), errors, status_code=UNPROCESSABLE)
    here = f"/campaigns/{visit.campaign.slug}/paper/{batch.number}"
    return visit.go(f"{here}/again" if lines else here)


async def settle(visit: Visit) -> Response:
    """Take one of two readings of a line."""
    form = await visit.read_form()
    batch, key = await _find_batch(visit, f"{HERE}/{{number}}/settle")
    match = _PLACE.fullmatch(form.text("place"))
    if match is None:
        raise HTTPException(400)
    try:
        await visit.house.database.write(
            paper.settle_line,
            campaign_id=visit.campaign.id,
            number=batch.number,
            place=(int(match[1]), int(match[2])),
            token=form.text("right"),
            key=key,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    except LineChanged:
        pass  # the page shows what the line says now
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}")


async def show_photo(visit: Visit) -> Response:
    """Give the picture of a sheet, to those who type and to no cache."""
    batch, sheet, key = await _find(visit, _AT_PHOTO)
    content = await visit.house.database.read(
        find_photo, campaign_id=visit.campaign.id, number=batch.number, sheet=sheet, key=key
    )
    if content is None:
        raise HTTPException(404)
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(content, media_type="image/jpeg", headers=headers)


async def keep_photo(visit: Visit) -> Response:
    """Keep the picture of a sheet, drawn anew."""
    # Imported here: few pages draw.
    from app.documents.pictures import PictureRefused, redraw_photo

    batch, sheet, key = await _find(visit, _AT_PHOTO)
    upload = await read_upload(visit.request)
    visit.guard.check(upload.form)
    content = upload.file("photo")
    if content is None:
        missing = message("Choose a picture of the sheet")
        return await _show_sheet(visit, batch, sheet, key, refusal=missing, status_code=UNPROCESSABLE)
    try:
        drawn = await draw_in_turn(redraw_photo, content)
        await visit.house.database.write(
            paper.keep_photo,
            campaign_id=visit.campaign.id,
            number=batch.number,
            sheet=sheet,
            content=drawn,
            key=key,
            now=visit.now,
        )
    except PictureRefused as refusal:
        return await _show_sheet(visit, batch, sheet, key, refusal=refusal.message, status_code=UNPROCESSABLE)
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}/sheets/{sheet}")


async def remove_photo(visit: Visit) -> Response:
    """Destroy the picture of a sheet."""
    await visit.read_form()
    batch, sheet, _ = await _find(visit)
    try:
        await visit.house.database.write(
            paper.remove_photo, campaign_id=visit.campaign.id, number=batch.number, sheet=sheet
        )
    except BatchNotOpen:
        return await show_ended(visit, batch.number)
    return visit.go(f"/campaigns/{visit.campaign.slug}/paper/{batch.number}/sheets/{sheet}")


async def _find_batch(visit: Visit, address: str) -> tuple[Batch, DataKey]:
    """Return an open batch that is typed, and the key of what it says; 404, on record, for any other.

    One that has just ended says so to whoever was typing.
    """
    batch = await find(visit, address)
    key = await find_key(visit)
    if key is None or (batch.state != "open" and visit.request.method != "POST"):
        await refuse(visit, address)
    return batch, key


async def _find(visit: Visit, address: str = _AT_SHEET) -> tuple[Batch, int, DataKey]:
    batch, key = await _find_batch(visit, address)
    typed = visit.request.path_params["sheet"]
    if not _SHEET.fullmatch(typed) or int(typed) > batch.sheets:
        await refuse(visit, address)
    return batch, int(typed), key


def _read(form: Form) -> _Typed:
    lines: dict[int, Reading | None] = {}
    errors: dict[int, Message] = {}
    for line in range(1, LINES + 1):
        try:
            lines[line] = read_line(form.text(f"n{line}"), form.text(f"c{line}"))
        except Refused as refusal:
            errors[line] = refusal.message
    return _Typed(form.typed(), lines, errors)


def _tell(typed: _Typed) -> list[str]:
    """Return what was typed, a line for each, to be copied."""
    lines = (f"{typed.values.get(f'n{line}', '')} {typed.values.get(f'c{line}', '')}" for line in range(1, LINES + 1))
    return [line.strip() for line in lines if line.strip()]


async def _show_sheet(
    visit: Visit,
    batch: Batch,
    sheet: int,
    key: DataKey,
    *,
    typed: _Typed | None = None,
    lost: frozenset[int] = frozenset(),
    refusal: Message | None = None,
    status_code: int = 200,
) -> Response:
    database = visit.house.database
    saved = await database.read(list_lines, batch=batch, sheet=sheet, key=key)
    sheets = await database.read(list_sheets, batch=batch)
    values = _values_of(saved)
    if typed is not None:
        values |= {
            name: value
            for name, value in typed.values.items()
            if name[1:].isdecimal() and int(name[1:]) in (lost | typed.errors.keys())
        }
    errors = {} if typed is None else {line: text.say(visit.locale) for line, text in typed.errors.items()}
    return visit.show(
        "workspace/paper_sheet.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/paper/{batch.number}/sheets/{sheet}",
        batch=batch,
        sheet=sheets[sheet - 1],
        lines=range(1, LINES + 1),
        saved=saved,
        values=values,
        errors=errors,
        lost=lost,
        refusal=None if refusal is None else refusal.say(visit.locale),
        shown=" ".join(f"{line}:{token_of(each.row_id)}" for line, each in saved.items()),
        at=_where_to_go_on(saved, errors, lost),
    )


def _values_of(saved: Mapping[int, TypedLine]) -> dict[str, str]:
    values = {}
    for line, each in saved.items():
        values[f"n{line}"] = VOID if each.reading.name is None else each.reading.name
        values[f"c{line}"] = each.reading.postal_code
    return values


def _where_to_go_on(saved: Mapping[int, TypedLine], errors: Mapping[int, str], lost: frozenset[int]) -> int:
    """Return the line that has the focus: the first that is wrong, else the one after all that are typed."""
    wrong = errors.keys() | lost
    if wrong:
        return min(wrong)
    return min(max(saved, default=0) + 1, LINES)


async def _show_again(
    visit: Visit,
    batch: Batch,
    key: DataKey,
    values: Mapping[str, str],
    errors: Mapping[Place, Message],
    *,
    status_code: int = 200,
) -> Response:
    sample = await visit.house.database.read(find_sample, batch=batch, account_id=visit.signed_in.account_id, key=key)
    return visit.show(
        "workspace/paper_again.html",
        status_code=status_code,
        path=f"/workspace/campaigns/{visit.campaign.slug}/paper/{batch.number}/again",
        batch=batch,
        sample=sample,
        values=values,
        errors={place: text.say(visit.locale) for place, text in errors.items()},
        at=min(errors, default=next(iter(sample.for_you), None)),
    )


_NEEDS: Final = Permission.ENTER_PAPER
PAGES: Final[tuple[Page, ...]] = (
    Page(_AT_SHEET, show_sheet, save_sheet, needs=_NEEDS),
    Page(_AT_AGAIN, show_again, save_again, needs=_NEEDS),
    Page(f"{HERE}/{{number}}/settle", post=settle, needs=_NEEDS),
    Page(_AT_PHOTO, show_photo, keep_photo, needs=_NEEDS),
    Page(f"{_AT_PHOTO}/remove", post=remove_photo, needs=_NEEDS),
)
