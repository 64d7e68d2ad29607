"""An embargo: until when nobody else sees the letter, and the private link through which its signatories do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from starlette.exceptions import HTTPException

from app.actions import embargo
from app.actions.campaigns import CampaignCannotMove
from app.actions.embargo import EmbargoChanged
from app.core import tokens
from app.i18n import LOCALES, Message, message
from app.queries.previews import get_embargo
from app.rules.embargo import read_moment, write_moment
from app.rules.moves import PUBLIC_STATES, ClosingPast, DateRefused
from app.rules.permissions import Permission
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from app.queries.previews import Embargo
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
DONE: Final = frozenset({"set", "taken_away", "moved", "made", "renewed", "stale"})
_WRONG: Final[Mapping[type[Exception], Message]] = {
    DateRefused: message("Choose a moment to come, within a year"),
    ClosingPast: message(
        "Signing would end before it begins: choose an earlier moment, or call it off and move the last day"
    ),
}
_UNREADABLE: Final = message("Enter the day and the time at which it is to appear")


async def show(visit: Visit) -> Response:
    """Show until when nobody sees it, and the link."""
    return await _show(visit)


async def act(visit: Visit) -> Response:
    """Set, move or take away the embargo, or make the link anew."""
    form = await visit.read_form()
    action = form.text("action")
    at = f"/campaigns/{visit.campaign.slug}/embargo"
    try:
        if action == "renew":
            done = await _renew(visit, form)
        elif action == "take_away":
            done = await _set(visit, form, None)
        elif action == "save":
            found = await visit.house.database.read(get_embargo, campaign_id=visit.campaign.id)
            until = read_moment(form.text("day"), form.text("time"), found.timezone)
            if until is None:
                return await _show(visit, UNPROCESSABLE, form=form, error=_UNREADABLE)
            done = await _set(visit, form, until)
        else:
            raise HTTPException(400)
    except (DateRefused, ClosingPast) as fact:
        return await _show(visit, UNPROCESSABLE, form=form, error=_WRONG[type(fact)])
    except (EmbargoChanged, CampaignCannotMove):
        return await _show(visit, CONFLICT, has_moved=True)
    return await _show(visit, asks=True) if done is None else visit.go(f"{at}?done={done}")


async def _set(visit: Visit, form: Form, until: datetime | None) -> str:
    """Set when it appears: a draft's owners and editors; once it is approved, owners alone."""
    database = visit.house.database
    found = await database.read(get_embargo, campaign_id=visit.campaign.id)
    who: dict[str, Any] = {"campaign_id": visit.campaign.id, "account_id": visit.signed_in.account_id, "now": visit.now}
    shown = _shown_moment(form.text("shown"))
    if found.state != "embargoed":
        await database.write(embargo.set_embargo, shown=shown, until=until, **who)
        return "taken_away" if until is None else "set"
    if until is None or not visit.can(Permission.MOVE):
        raise HTTPException(400)
    await database.write(embargo.postpone_embargo, shown=shown, until=until, **who)
    return "moved"


async def _renew(visit: Visit, form: Form) -> str | None:
    """Make the link; None where somebody who would end the present one is to be asked first."""
    shown = _link_id(form.text("link"))
    if shown is not None and "sure" not in form:
        return None
    is_made = await visit.house.database.write(
        embargo.renew_preview_link,
        campaign_id=visit.campaign.id,
        shown=shown,
        tokens_key=visit.house.keyring.tokens,
        account_id=visit.signed_in.account_id,
        now=visit.now,
    )
    return "stale" if not is_made else "made" if shown is None else "renewed"


async def _show(
    visit: Visit,
    status_code: int = 200,
    *,
    form: Form | None = None,
    error: Message | None = None,
    asks: bool = False,
    has_moved: bool = False,
) -> Response:
    found = await visit.house.database.read(get_embargo, campaign_id=visit.campaign.id)
    day, clock = ("", "") if found.until is None else write_moment(found.until, found.timezone)
    done = visit.request.query_params.get("done")
    is_unseen = found.state == "embargoed"
    return visit.show(
        "workspace/embargo.html",
        status_code=status_code,
        embargo=found,
        values={"day": day, "time": clock} if form is None else form.typed(),
        shown="" if found.until is None else str(_microseconds(found.until)),
        errors=[] if error is None else [("day", error.say(visit.locale))],
        can_set=found.state == "draft" or (is_unseen and visit.can(Permission.MOVE)),
        is_unseen=is_unseen,
        is_public=found.state in PUBLIC_STATES,
        is_past=found.until is not None and found.until <= visit.now,
        links=_links(visit, found),
        link_id="" if found.link_id is None else found.link_id.hex,
        asks=asks,
        has_moved=has_moved,
        done=done if done in DONE else None,
    )


def _links(visit: Visit, found: Embargo) -> list[tuple[str, str]]:
    if found.link_id is None:
        return []
    token = tokens.make_token(visit.house.keyring.tokens, "preview", found.link_id)
    return [(each, f"{visit.house.settings.base_url}/{each}/preview/{token}") for each in LOCALES]


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _shown_moment(typed: str) -> datetime | None:
    """Return the moment that the page showed; None where there was none. Raises HTTPException 400."""
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= _DIGITS):
        raise HTTPException(400)
    return datetime.fromtimestamp(int(typed) // 1_000_000, UTC).replace(microsecond=int(typed) % 1_000_000)


def _link_id(typed: str) -> UUID | None:
    """Return what the link on the page was made from; None where there was none. Raises HTTPException 400."""
    try:
        return UUID(hex=typed) if typed else None
    except ValueError:
        raise HTTPException(400) from None


#: Microseconds since 1970 until the year 5138.
_DIGITS: Final = 17

PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/embargo", show=show, post=act, needs=Permission.SET_UP, is_grave=True),
)
