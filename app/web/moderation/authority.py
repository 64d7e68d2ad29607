"""Letters of authority: what says who may sign for an organisation, read by a moderator and accepted or refused.

The list opens nothing that was sealed. The page of a letter opens what the form said of who speaks, and the letter
itself is another page: every such look is on record.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.actions.endorsing import AuthorityMoved, decide_authority_letter
from app.actions.records import record
from app.i18n import message
from app.queries.endorsements import find_authority_letter, list_authority_letters
from app.rules.normalise import Refused
from app.rules.organisations import KINDS, website_domain
from app.rules.permissions import StaffPermission
from app.rules.places import country_name
from app.web.gate import Page
from app.web.moderation.choosing import CONFLICT, UNPROCESSABLE, read_id, seek_campaign
from app.web.moderation.reviews import can_operate
from app.web.reasons import REASON_LIMIT, read_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.queries.endorsements import ReadLetter
    from app.web.gate import Visit

DECISIONS: Final = ("accepted", "refused")
#: What a browser shows as a picture. Anything else is downloaded.
PICTURES: Final = frozenset({"image/png", "image/jpeg"})


async def show_list(visit: Visit) -> Response:
    """Show the letters that wait, the oldest first."""
    done = visit.request.query_params.get("done")
    return visit.show(
        "moderation/authority.html",
        letters=await visit.house.database.read(list_authority_letters, account_id=visit.signed_in.account_id),
        done=done if done in DECISIONS else None,
        can_operate=can_operate(visit),
    )


async def show(visit: Visit) -> Response:
    """Show one letter beside what the form said."""
    return await _show(visit, *await _find(visit))


async def show_file(visit: Visit) -> Response:
    """Give the letter itself: a picture that we drew of it. On record."""
    read, campaign_id = await _find(visit)
    if read.content is None:
        raise HTTPException(404)
    await _record(visit, "authority_letter_read", read, campaign_id)
    is_picture = read.letter.media_type in PICTURES
    headers = {
        "cache-control": "no-store",
        "content-disposition": "inline" if is_picture else "attachment",
        "x-content-type-options": "nosniff",
    }
    media_type = read.letter.media_type if is_picture else "application/octet-stream"
    return Response(read.content, media_type=media_type, headers=headers)


async def decide(visit: Visit) -> Response:
    """Accept the letter as proof, or refuse it with a reason that the representative reads."""
    form = await visit.read_form()
    (read, campaign_id), decision, because = await _find(visit), form.text("decision"), ""
    errors = []
    if decision not in DECISIONS:
        errors.append(("decision", message("Choose how you decide").say(visit.locale)))
    try:
        because = read_reason(form.text("because"), is_required=decision == "refused")
    except Refused as refusal:
        errors.append(("because", refusal.message.say(visit.locale)))
    if errors:
        return await _show(visit, read, campaign_id, UNPROCESSABLE, errors=errors, typed=form.typed())
    try:
        await visit.house.database.write(
            decide_authority_letter,
            letter_id=read.letter.id,
            is_accepted=decision == "accepted",
            because=because,
            account_id=visit.signed_in.account_id,
            now=visit.now,
        )
    except AuthorityMoved:
        return await _show(visit, *await _find(visit), CONFLICT, is_stale=True)
    return visit.go(f"/authority?done={decision}")


PAGES: Final[tuple[Page, ...]] = (
    Page("/authority", show_list, needs=StaffPermission.MODERATE),
    Page("/authority/{letter}", show, decide, StaffPermission.MODERATE),
    Page("/authority/{letter}/file", show_file, needs=StaffPermission.MODERATE),
)


async def _find(visit: Visit) -> tuple[ReadLetter, UUID]:
    """Return the letter in the address. Raises HTTPException 404: also, on record, for its campaign's team."""
    letter_id = read_id(visit.request.path_params["letter"])
    read = await visit.house.database.read(find_authority_letter, letter_id=letter_id, keyring=visit.house.keyring)
    campaign = None if read is None else await seek_campaign(visit, read.letter.slug)
    if read is None or campaign is None:
        raise HTTPException(404)
    return read, campaign.id


async def _record(visit: Visit, what: str, read: ReadLetter, campaign_id: UUID) -> None:
    await visit.house.database.write(
        record,
        what=what,
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=campaign_id,
        details={"letter": read.letter.id.hex},
    )


async def _show(
    visit: Visit,
    read: ReadLetter,
    campaign_id: UUID,
    status_code: int = 200,
    *,
    errors: Sequence[tuple[str, str]] = (),
    typed: Mapping[str, str] | None = None,
    is_stale: bool = False,
) -> Response:
    await _record(visit, "authority_letter_opened", read, campaign_id)
    return visit.show(
        "moderation/authority_one.html",
        status_code=status_code,
        letter=read.letter,
        is_readable=read.content is not None,
        is_picture=read.letter.media_type in PICTURES,
        domain=website_domain(read.letter.said.website),
        kinds={name: words.say(visit.locale) for name, words in KINDS.items()},
        country_name=partial(country_name, locale=visit.locale),
        can_operate=can_operate(visit),
        errors=errors,
        typed=typed or {},
        is_stale=is_stale,
        longest=REASON_LIMIT,
    )
