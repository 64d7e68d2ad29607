"""Organisations whose signature is disputed: marked in public, taken out with a reason, brought back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from app.actions.endorsing import (
    EndorsementMoved,
    SignedAlready,
    mark_disputed,
    remove_endorsement,
    restore_endorsement,
)
from app.actions.records import record
from app.i18n import message
from app.queries.disputes import find_judged_endorsement, list_disputes
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import Refused
from app.rules.organisations import KINDS
from app.rules.permissions import StaffPermission
from app.rules.places import country_name
from app.web.gate import Page
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, read_id, seek_campaign
from app.web.moderation.reviews import can_operate
from app.web.reasons import REASON_LIMIT, read_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.responses import Response

    from app.queries.disputes import JudgedEndorsement
    from app.web.gate import Visit

#: What a moderator can do; what a page says was done, by the same words.
ACTIONS: Final = ("dispute", "undispute", "remove", "restore")
_MOVED: Final = message("Nothing was done: it stands otherwise in the meantime. This is how it stands now.")
_SIGNED: Final = message("Nothing was done: an organisation of this name has signed in the meantime.")


async def show_list(visit: Visit) -> Response:
    """Show organisations that are reported, disputed or taken out."""
    return visit.show(
        "moderation/endorsements.html",
        disputes=await visit.house.database.read(list_disputes, account_id=visit.signed_in.account_id),
        can_operate=can_operate(visit),
    )


async def show(visit: Visit) -> Response:
    """Show one organisation, with who speaks for it."""
    return await _show(visit, await _find(visit))


async def act(visit: Visit) -> Response:
    """Mark it as disputed or no longer, take it out, or bring it back."""
    form = await visit.read_form()
    found, action, because = await _find(visit), form.text("action"), ""
    if action not in ACTIONS:
        raise HTTPException(400)
    if action == "remove":
        try:
            because = read_reason(form.text("because"), is_required=True)
        except Refused as refusal:
            errors = [("because", refusal.message.say(visit.locale))]
            return await _show(visit, found, UNPROCESSABLE, errors=errors, typed=form.typed())
    try:
        await _act(visit, found, action, because)
    except (EndorsementMoved, SignedAlready) as fact:
        note = (_SIGNED if isinstance(fact, SignedAlready) else _MOVED).say(visit.locale)
        return await _show(visit, await _find(visit), CONFLICT, note=note, typed=form.typed())
    visit.house.forget(found.slug)
    return visit.go(f"/endorsements/{found.endorsement.id.hex}?done={action}")


PAGES: Final[tuple[Page, ...]] = (
    Page("/endorsements", show_list, needs=StaffPermission.MODERATE),
    Page("/endorsements/{endorsement}", show, act, StaffPermission.MODERATE, is_grave=True),
)


async def _act(visit: Visit, found: JudgedEndorsement, action: str, because: str) -> None:
    database = visit.house.database
    account_id, now, endorsement_id = visit.signed_in.account_id, visit.now, found.endorsement.id
    if action == "remove":
        await database.write(
            remove_endorsement, endorsement_id=endorsement_id, because=because, account_id=account_id, now=now
        )
    elif action == "restore":
        await database.write(restore_endorsement, endorsement_id=endorsement_id, account_id=account_id, now=now)
    else:
        await database.write(
            mark_disputed,
            endorsement_id=endorsement_id,
            is_disputed=action == "dispute",
            account_id=account_id,
            now=now,
        )


async def _find(visit: Visit) -> JudgedEndorsement:
    """Return the organisation in the address. Raises HTTPException 404: also, on record, for its campaign's team."""
    endorsement_id = read_id(visit.request.path_params["endorsement"])
    found = await visit.house.database.read(
        find_judged_endorsement, endorsement_id=endorsement_id, keyring=visit.house.keyring
    )
    if found is None or await seek_campaign(visit, found.slug) is None:
        raise HTTPException(404)
    return found


async def _show(
    visit: Visit,
    found: JudgedEndorsement,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    note: str | None = None,
) -> Response:
    # Who speaks for it was sealed: each look is on record.
    await visit.house.database.write(
        record,
        what="endorsement_read",
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=found.campaign_id,
        details={"endorsement": str(found.endorsement.id)},
    )
    done = visit.request.query_params.get("done")
    return visit.show(
        "moderation/endorsement.html",
        status_code=status_code,
        found=found,
        endorsement=found.endorsement,
        kinds={name: words.say(visit.locale) for name, words in KINDS.items()},
        country_name=partial(country_name, locale=visit.locale),
        is_public=found.campaign_state in PUBLIC_STATES,
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed or {},
        note=note,
        done=done if done in ACTIONS else None,
        longest=REASON_LIMIT,
    )
