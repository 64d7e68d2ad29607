"""The editor of three columns: each part in each language, its state, its history."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from app.actions import drafts
from app.actions.drafts import BoxName, BoxNotFound, Conflict, ListFull, Saved, TextLocked
from app.i18n import LOCALES, Message, message
from app.i18n.formats import format_time
from app.queries.drafts import find_account_name, find_board, find_history
from app.rules.campaign_file import MAX_LIST
from app.rules.differences import compare_words
from app.rules.drafts import LISTS, SINGLE_PARTS, WRITABLE_STATES, Group, box_key, clean_text, limit_of
from app.rules.permissions import Permission
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from app.queries.drafts import History
    from app.rules.differences import Piece
    from app.rules.drafts import Board
    from app.web.forms import Form
    from app.web.gate import Visit

#: Where the text of a campaign is, after the workspace's door.
TEXT: Final = "/campaigns/{slug}/text"


@dataclass(frozen=True, slots=True)
class Clash:
    """A box in which two people wrote: the words that were typed, and those that were faster."""

    box: BoxName
    mine: str
    theirs: Conflict
    by: str | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Posted:
    """What a form of the editor says of one box."""

    box: BoxName
    text: str
    version: int
    is_ready: bool
    is_reviewed: bool
    source_seen: int | None  # the version of the source that stood beside it


async def show_text(visit: Visit) -> Response:
    """Show the draft, all of it or what is missing, in all languages or some."""
    return await _show(visit)


async def save_group(visit: Visit) -> Response:
    """Save the boxes of one group: 303, or 422 with what was typed where something stands in the way."""
    form = await visit.read_form()
    saved = await _save(visit, form)
    return saved or _go_on(visit, form)


async def arrange(visit: Visit) -> Response:
    """Save what was typed in a group, then move or remove its item; or add one, or bring one back."""
    form = await visit.read_form()
    saved = await _save(visit, form)
    if saved is not None:
        return saved
    write, campaign_id = visit.house.database.write, visit.campaign.id
    done: dict[str, Any] = {"account_id": visit.signed_in.account_id, "now": visit.now}
    what, item = form.text("arrange"), _uuid(form.text("item") or form.text("once"))
    if item is None:
        raise HTTPException(404)
    try:
        if what == "add":
            await write(drafts.add_item, campaign_id=campaign_id, item_id=item, kind=form.text("kind"), **done)
        elif what == "remove":
            await write(drafts.remove_item, campaign_id=campaign_id, item_id=item, **done)
        elif what == "bring_back":
            await write(drafts.bring_back_item, campaign_id=campaign_id, item_id=item, **done)
        elif what in _STEPS:
            await write(drafts.move_item, campaign_id=campaign_id, item_id=item, step=_STEPS[what])
        else:
            raise HTTPException(404)
    except BoxNotFound:
        return await _say_removed(visit, form, item)
    except TextLocked:
        return await _show(visit, status_code=422, notice=LOCKED)
    except ListFull:
        return await _show(visit, status_code=422, notice=FULL)
    return _go_on(visit, form)


async def _say_removed(visit: Visit, form: Form, item: UUID) -> Response:
    """Answer whoever arranges an item that somebody has removed meanwhile; 404 for one that never was."""
    board = await visit.house.database.read(find_board, campaign_id=visit.campaign.id, keyring=visit.house.keyring)
    if item not in {group.item_id for group in board.removed}:
        raise HTTPException(404)
    if form.text("arrange") == "remove":
        return _go_on(visit, form)
    return await _show(visit, status_code=422, notice=REMOVED)


async def autosave(visit: Visit) -> Response:
    """Save one box and answer as JSON: 200, 409 with what another wrote or where the text is locked, 422."""
    form = await visit.read_form()
    posted = next(iter(_read(form)), None)
    if posted is None or not visit.campaign.membership.can_write(posted.box.locale):
        raise HTTPException(404)
    fault = _fault_of(posted)
    if fault is not None:
        return JSONResponse({"message": fault.say(visit.locale)}, 422)
    try:
        answer = await _write(visit, posted)
    except TextLocked:
        return JSONResponse({"message": LOCKED.say(visit.locale)}, 409)
    except BoxNotFound:
        return JSONResponse({"message": GONE.say(visit.locale)}, 409)
    if isinstance(answer, Conflict):
        by = await _name(visit, answer.changed_by)
        pieces = await asyncio.to_thread(compare_words, answer.text, posted.text)
        return JSONResponse(
            {
                "version": answer.version,
                "text": answer.text,
                "is_ready": answer.is_ready,
                "pieces": [[each.kind, each.text] for each in pieces],
                "message": _say_clash(by).say(visit.locale),
            },
            409,
        )
    at = format_time(visit.now, visit.campaign.timezone, visit.locale)
    said = message("Saved at %(time)s", time=at)
    return JSONResponse(
        {
            "version": answer.version,
            "part": None if answer.part_id is None else str(answer.part_id),
            "is_ready": answer.is_ready,
            "message": said.say(visit.locale),
        }
    )


async def show_history(visit: Visit) -> Response:
    """Show what a box said in each version, and who wrote it."""
    return await _show_history(visit)


async def restore(visit: Visit) -> Response:
    """Make an older version the newest."""
    form = await visit.read_form()
    history, revision_id = await _find_history(visit), _uuid(form.text("revision"))
    if revision_id is None or not visit.campaign.membership.can_write(history.locale):
        raise HTTPException(404)
    part_id = UUID(visit.request.path_params["part"])
    try:
        answer = await visit.house.database.write(
            drafts.restore_revision,
            campaign_id=visit.campaign.id,
            part_id=part_id,
            revision_id=revision_id,
            shown_version=_number(form.text("version")),
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except TextLocked:
        return await _show_history(visit, status_code=422, notice=LOCKED)
    except BoxNotFound:
        raise HTTPException(404) from None
    if isinstance(answer, Conflict):
        return await _show_history(visit, status_code=422, notice=NEWER)
    return visit.go(f"/campaigns/{visit.campaign.slug}/text/{part_id}/history")


PAGES: Final[tuple[Page, ...]] = (
    Page(TEXT, show_text, save_group, needs=Permission.READ, post_needs=Permission.WRITE),
    Page(TEXT + "/items", post=arrange, needs=Permission.ARRANGE),
    Page(TEXT + "/part", post=autosave, needs=Permission.WRITE),
    Page(TEXT + "/{part}/history", show_history, restore, needs=Permission.READ, post_needs=Permission.WRITE),
)

LOCKED: Final = message("The text cannot be changed now: it is being reviewed, or the campaign is over.")
GONE: Final = message("This part was removed by somebody of your team. Your words are kept on this page: copy them.")
REMOVED: Final = message("This part was removed by somebody of your team. It can be brought back.")
NEWER: Final = message(
    "Somebody has written in this part since you opened this page. Look at the newest version first."
)
FULL: Final = message("This list is too long: at most %(limit)s items.", limit=MAX_LIST)
_STEPS: Final = {"up": -1, "down": 1}


def _say_clash(by: str | None) -> Message:
    if by is None:
        return message("Somebody of your team changed this part while you were writing.")
    return message("%(name)s changed this part while you were writing.", name=by)


async def _show(
    visit: Visit,
    *,
    status_code: int = 200,
    notice: Message | None = None,
    typed: Mapping[str, Posted] | None = None,
    faults: Mapping[str, str] | None = None,
    clashes: tuple[Clash, ...] = (),
) -> Response:
    board = await visit.house.database.read(find_board, campaign_id=visit.campaign.id, keyring=visit.house.keyring)
    query = visit.request.query_params
    chosen = tuple(each for each in LOCALES if each in query.get("languages", "").split(","))
    is_todo = query.get("show") == "todo"
    # What the gate read may be older than what the action met.
    is_open = visit.campaign.state in WRITABLE_STATES and notice is not LOCKED
    writable = frozenset(each for each in LOCALES if is_open and visit.campaign.membership.can_write(each))
    boxes = {box.key for group in (*board.groups, *board.others) for box in group.boxes if box.locale in writable}
    return visit.show(
        "workspace/text.html",
        status_code=status_code,
        board=board,
        groups=_todo(board.groups, chosen or LOCALES) if is_todo else board.groups,
        todo=_count_todo(board),
        is_todo=is_todo,
        shown=chosen or LOCALES,
        is_filtered=bool(chosen),
        writable=writable,
        is_arrangeable=is_open and visit.can(Permission.ARRANGE),
        is_open=is_open,
        once=uuid4().hex,
        notice=None if notice is None else notice.say(visit.locale),
        typed=typed or {},
        stranded=[each for key, each in (typed or {}).items() if key not in boxes and each.text],
        faults=faults or {},
        clashes=clashes,
        query=str(query),
    )


def _todo(groups: tuple[Group, ...], shown: tuple[str, ...]) -> tuple[Group, ...]:
    """Return the groups in which something is missing or to be looked at in one of the ``shown`` languages."""
    return tuple(
        group
        for group in groups
        if any(
            box.locale in shown and box.state != "ready" and (group.kind == "title" or any(each.text for each in row))
            for row in group.rows
            for box in row
        )
    )


def _count_todo(board: Board) -> int:
    return sum(each.missing + each.to_review for each in board.completeness)


async def _save(visit: Visit, form: Form) -> Response | None:
    """Save the boxes of a form; return a page where not everything could be kept as it was typed."""
    faults: dict[str, str] = {}
    clashes: list[Clash] = []
    # The source first: a translation that comes along is made ready against what it says now.
    found = sorted(_read(form), key=lambda each: each.box.locale != visit.campaign.source_locale)
    posted = [each for each in found if visit.campaign.membership.can_write(each.box.locale)]
    # Whoever writes the source in the same form has seen what it says now.
    own_source: dict[str, int] = {}
    for each in posted:
        fault = _fault_of(each)
        if fault is not None:
            faults[_key(each.box)] = fault.say(visit.locale)
            continue
        try:
            answer = await _write(visit, replace(each, source_seen=own_source.get(each.box.name, each.source_seen)))
        except TextLocked:
            return await _show(visit, status_code=422, notice=LOCKED, typed=_by_key(posted))
        except BoxNotFound:
            return await _show(visit, status_code=422, notice=GONE, typed=_by_key(posted))
        if isinstance(answer, Conflict):
            by = await _name(visit, answer.changed_by)
            pieces = await asyncio.to_thread(compare_words, answer.text, each.text)
            clashes.append(Clash(each.box, each.text, answer, by, pieces))
        elif each.box.locale == visit.campaign.source_locale:
            own_source[each.box.name] = answer.version
    if not faults and not clashes:
        return None
    # What was saved is shown as it was saved, and so is what was faster: what it met has a form of its own.
    refused = [each for each in posted if _key(each.box) in faults]
    return await _show(visit, status_code=422, typed=_by_key(refused), faults=faults, clashes=tuple(clashes))


async def _write(visit: Visit, posted: Posted) -> Saved | Conflict:
    return await visit.house.database.write(
        drafts.save_box,
        campaign_id=visit.campaign.id,
        box=posted.box,
        text=posted.text,
        is_ready=posted.is_ready,
        is_reviewed=posted.is_reviewed,
        source_seen=posted.source_seen,
        shown_version=posted.version,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )


def _read(form: Form) -> list[Posted]:
    """Return the boxes of a form: ``text.NAME.LOCALE`` with ``version.…``, ``ready.…`` and ``reviewed.…``.

    ``source.NAME`` is the version of the source that stood beside them.
    """
    raw_item = form.text("item")
    item_id = _uuid(raw_item)
    if raw_item and item_id is None:
        raise HTTPException(404)
    known = {name for _, names in LISTS.values() for name in names} if item_id else set(SINGLE_PARTS)
    found = []
    for name in sorted(known):
        for locale in LOCALES:
            key = f"{name}.{locale}"
            if f"text.{key}" not in form:
                continue
            found.append(
                Posted(
                    BoxName(name, locale, item_id),
                    clean_text(name, form.text(f"text.{key}")),
                    _number(form.text(f"version.{key}")),
                    f"ready.{key}" in form,
                    f"reviewed.{key}" in form,
                    _number(form.text(f"source.{name}")) if f"source.{name}" in form else None,
                )
            )
    return found


def _fault_of(posted: Posted) -> Message | None:
    limit = limit_of(posted.box.name)
    if len(posted.text) <= limit:
        return None
    return message(
        "This is too long: %(length)s characters, and at most %(limit)s fit. Shorten it and save again.",
        length=len(posted.text),
        limit=limit,
    )


async def _show_history(visit: Visit, *, status_code: int = 200, notice: Message | None = None) -> Response:
    history = await _find_history(visit)
    return visit.show(
        "workspace/history.html",
        status_code=status_code,
        history=history,
        is_whole=_is_whole(visit),
        can_restore=visit.campaign.state in WRITABLE_STATES and visit.campaign.membership.can_write(history.locale),
        notice=None if notice is None else notice.say(visit.locale),
    )


async def _find_history(visit: Visit) -> History:
    """Return the page of a history that the address asks for; 404 where this campaign has no such box."""
    part_id, before = _uuid(visit.request.path_params["part"]), _number(visit.request.query_params.get("before", ""))
    history = None
    if part_id is not None:
        history = await visit.house.database.read(
            find_history,
            campaign_id=visit.campaign.id,
            part_id=part_id,
            keyring=visit.house.keyring,
            before=before if before > 0 else None,
            is_whole=_is_whole(visit),
        )
    if history is None:
        raise HTTPException(404)
    return history


def _is_whole(visit: Visit) -> bool:
    return visit.request.query_params.get("show") == "all"


async def _name(visit: Visit, account_id: UUID | None) -> str | None:
    return await visit.house.database.read(find_account_name, account_id=account_id, keyring=visit.house.keyring)


def _go_on(visit: Visit, form: Form) -> Response:
    """Return to the place of the page where the form stands."""
    query, place = form.text("query"), form.text("place")
    kept = f"?{query}" if query and _is_own_query(query) else ""
    anchor = f"#{place}" if place.replace("-", "").isalnum() and place.isascii() else ""
    return visit.go(f"/campaigns/{visit.campaign.slug}/text{kept}{anchor}")


def _is_own_query(query: str) -> bool:
    return all(character.isascii() and (character.isalnum() or character in "=&,%") for character in query)


def _by_key(posted: list[Posted]) -> dict[str, Posted]:
    return {_key(each.box): each for each in posted}


def _key(box: BoxName) -> str:
    return box_key(box.name, box.locale, box.item_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1  # noqa: PLR2004 - far more than there are
