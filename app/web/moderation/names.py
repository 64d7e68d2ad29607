"""Names that wait for a look before they show, names that were refused, and taking one off a list.

Names are opened here because deciding about them is the whole of it. Each such look goes on record.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from app.actions.names import decide_names
from app.actions.records import record
from app.i18n import message
from app.queries.moderation import has_own, name_hash
from app.queries.names import LOOK, list_names_to_look, list_shown_under
from app.rules.name_check import language_of
from app.rules.normalise import NAME_LIMIT, Refused, clean_line
from app.rules.permissions import StaffPermission
from app.web.gate import Page
from app.web.moderation.choosing import ID, UNPROCESSABLE, find_key, read_id, refuse_own, seek_campaign
from app.web.moderation.reviews import can_operate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from starlette.responses import Response

    from app.queries.names import NameToLook
    from app.web.forms import Form
    from app.web.gate import Visit

_CHECKS: Final = ("held", "refused")
_REPEATED: Final = frozenset({"signature"})
_SHOWN_DIGITS: Final = 4


async def show_names(visit: Visit) -> Response:
    """Show names that are held, or those that were refused, with the campaigns they were signed on."""
    return await _show(visit)


async def decide(visit: Visit) -> Response:
    """Let the ticked names show, or not; or take a name that shows off its list."""
    form = await visit.read_form(repeated=_REPEATED)
    action = form.text("action")
    if action == "off":
        return await _take_off(visit, form)
    seen = form.text("seen")
    if action not in {"show", "refuse"} or seen not in _CHECKS:
        raise HTTPException(400)
    ids = [read_id(text) for text in form.texts("signature")]
    if not ids:
        return await _show(visit, errors={"ticked": message("Tick at least one name").say(visit.locale)}, check=seen)
    if await visit.house.database.read(has_own, signature_ids=ids, account_id=visit.signed_in.account_id):
        await refuse_own(visit)
    await _decide(visit, ids, seen, is_shown=action == "show")
    return visit.go(f"/names?done={len(ids)}" + ("" if seen == "held" else f"&check={seen}"))


async def _take_off(visit: Visit, form: Form) -> Response:
    """Take a name off the list of a campaign, whoever has it: it is found by its hash, and opened for nobody.

    The try goes on record whatever comes of it: whether somebody signed is as much as a name.
    """
    errors: dict[str, str] = {}
    found = await seek_campaign(visit, form.text("campaign").strip().lower())
    key = None if found is None else await find_key(visit, found.id)
    if found is None or key is None:
        errors["campaign"] = message("There is no such campaign, or its names are erased").say(visit.locale)
    ids: list[UUID] = []
    try:
        name = clean_line(form.text("name"), limit=NAME_LIMIT)
        if name and found is not None and key is not None:
            ids = await visit.house.database.read(
                list_shown_under, campaign_id=found.id, name_hash=name_hash(key, name)
            )
            await visit.house.database.write(
                record,
                what="name_sought",
                now=visit.now,
                account_id=visit.signed_in.account_id,
                campaign_id=found.id,
                details={"found": len(ids)},
            )
        if not ids and not errors:
            errors["name"] = message("No name on that list is written so").say(visit.locale)
    except Refused as refusal:
        errors["name"] = refusal.message.say(visit.locale)
    if errors:
        return await _show(visit, errors=errors, typed=form.typed())
    await _decide(visit, ids, "cleared", is_shown=False)
    return visit.go(f"/names?done={len(ids)}")


async def _decide(visit: Visit, ids: Sequence[UUID], seen: str, *, is_shown: bool) -> None:
    slugs = await visit.house.database.write(
        decide_names,
        signature_ids=ids,
        seen=seen,
        is_shown=is_shown,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )
    for slug in slugs:
        visit.house.forget(slug)


async def _show(
    visit: Visit,
    *,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None,
    check: str | None = None,
) -> Response:
    query = visit.request.query_params
    check = check or ("refused" if query.get("check") == "refused" else "held")
    after = query.get("after", "")
    found = await visit.house.database.read(
        list_names_to_look,
        check=check,
        keyring=visit.house.keyring,
        after=read_id(after) if ID.fullmatch(after) else None,
        account_id=visit.signed_in.account_id,
    )
    shown = found[:LOOK]
    await _note_look(visit, shown)
    done = query.get("done", "")
    return visit.show(
        "moderation/names.html",
        status_code=UNPROCESSABLE if errors else 200,
        path="/moderation/names",
        names=shown,
        language_of=language_of,
        check=check,
        further=shown[-1].signature_id.hex if len(found) > LOOK else None,
        done=int(done) if done.isascii() and done.isdigit() and len(done) <= _SHOWN_DIGITS else None,
        can_operate=can_operate(visit),
        errors=errors or {},
        typed=typed or {},
    )


async def _note_look(visit: Visit, shown: Sequence[NameToLook]) -> None:
    """Put on record whose names were opened, a line for each campaign."""
    ordered = sorted(shown, key=lambda each: each.campaign_id)
    for campaign_id, names in groupby(ordered, key=lambda each: each.campaign_id):
        await visit.house.database.write(
            record,
            what="names_opened",
            now=visit.now,
            account_id=visit.signed_in.account_id,
            campaign_id=campaign_id,
            details={"signatures": [each.signature_id.hex for each in names]},
        )


PAGES: Final[tuple[Page, ...]] = (Page("/names", show_names, decide, StaffPermission.MODERATE),)
