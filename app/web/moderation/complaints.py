"""What visitors reported of campaigns: listed, read one by one, and settled with what came of it.

The list opens nothing. Reading a report opens what was sealed, and every such look goes on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from app.actions.complaints import ComplaintSettled, settle_complaint
from app.actions.records import record
from app.i18n import message
from app.queries.complaints import find_complaint, list_complaints
from app.rules.complaints import OUTCOMES, REASONS
from app.rules.moves import PUBLIC_STATES
from app.rules.permissions import StaffPermission
from app.web.gate import Page
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, read_id
from app.web.moderation.reviews import can_operate
from app.web.routes import read_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from app.queries.complaints import OpenedComplaint
    from app.web.gate import Visit


async def show_list(visit: Visit) -> Response:
    """Show reports: open ones first, the oldest first; ``?page=`` goes on."""
    page = read_page(visit.request)
    complaints = await visit.house.database.read(list_complaints, page=page)
    if page > complaints.pages:
        raise HTTPException(404)
    return visit.show(
        "moderation/complaints.html",
        complaints=complaints,
        page=page,
        reasons={name: words.say(visit.locale) for name, words in REASONS.items()},
        outcomes={name: words.say(visit.locale) for name, words in OUTCOMES.items()},
        is_done="done" in visit.request.query_params,
        can_operate=can_operate(visit),
    )


async def show(visit: Visit) -> Response:
    """Show one report, opened: on record."""
    return await _show(visit, await _find(visit))


async def settle(visit: Visit) -> Response:
    """Put a report aside with what came of it."""
    form = await visit.read_form()
    complaint = await _find(visit)
    outcome = form.text("outcome")
    if outcome not in OUTCOMES:
        errors = [("outcome", message("Choose what came of it").say(visit.locale))]
        return await _show(visit, complaint, UNPROCESSABLE, errors=errors)
    try:
        await visit.house.database.write(
            settle_complaint,
            complaint_id=complaint.listed.id,
            outcome=outcome,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except ComplaintSettled:
        return await _show(visit, await _find(visit), CONFLICT, is_stale=True)
    return visit.go("/complaints?done")


async def _find(visit: Visit) -> OpenedComplaint:
    complaint_id = read_id(visit.request.path_params["complaint"])
    found = await visit.house.database.read(find_complaint, complaint_id=complaint_id, keyring=visit.house.keyring)
    if found is None:
        raise HTTPException(404)
    return found


async def _show(
    visit: Visit,
    complaint: OpenedComplaint,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    is_stale: bool = False,
) -> Response:
    await visit.house.database.write(
        record,
        what="complaint_read",
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=complaint.campaign_id,
        details={"complaint": complaint.listed.id.hex},
    )
    return visit.show(
        "moderation/complaint.html",
        status_code=status_code,
        complaint=complaint,
        listed=complaint.listed,
        reason=REASONS[complaint.listed.reason].say(visit.locale),
        outcomes=[(name, words.say(visit.locale)) for name, words in OUTCOMES.items()],
        is_public=complaint.campaign_state in PUBLIC_STATES,
        can_operate=can_operate(visit),
        errors=errors,
        is_stale=is_stale,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/complaints", show_list, needs=StaffPermission.MODERATE),
    Page("/complaints/{complaint}", show, settle, StaffPermission.MODERATE),
)
