"""The life of a campaign: where it stands, what comes next, and the moves that its team may make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from app.actions import life
from app.actions.campaigns import CampaignCannotMove
from app.actions.life import NotReady
from app.i18n import Message, message
from app.queries.life import get_life, list_lacks
from app.queries.sponsoring import list_member_names
from app.rules.life import days_left, last_day, local_day
from app.rules.moves import (
    MOVES,
    PUBLIC_STATES,
    Choice,
    DateRefused,
    Standing,
    extension_days,
    latest_last_day,
    list_moves,
    make_move,
    settle,
)
from app.rules.normalise import Refused
from app.rules.permissions import Permission
from app.web.gate import Page
from app.web.reasons import read_day, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.responses import Response

    from app.rules.preflight import Finding
    from app.web.forms import Form
    from app.web.gate import Visit

CONFLICT: Final = 409
UNPROCESSABLE: Final = 422
#: The line of steps, in their order.
STEPS: Final = ("draft", "review", "open", "closed", "presented", "answered")
#: States that are no step of their own stand at one.
_STANDS_AT: Final[Mapping[str, str]] = {"scheduled": "review", "embargoed": "review", "refused": "review"}
_TEAM_MOVES: Final = frozenset(name for name, move in MOVES.items() if move.needs is Permission.MOVE)
#: A presentation and an answer are recorded with a day, and an extension with another.
_DAYS: Final[Mapping[str, tuple[str, Message]]] = {
    "extend": ("last_day", message("Choose one of the last days that are possible")),
    "present": ("presented_on", message("Enter the day on which it was presented: after it opened, and not to come")),
    "answer": ("answered_on", message("Enter the day of the answer: after it was presented, and not to come")),
    "answer_date": ("due_on", message("Enter a day after that of the presentation")),
}


#: What an owner may do with a letter that nobody sees yet.
_EMBARGO: Final[Mapping[str, Callable[..., None]]] = {
    "release": life.release_campaign,
    "call_off": life.call_off_campaign,
}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a post that changed nothing: faults by field, what is missing, and what was typed."""

    status_code: int = 200
    errors: Sequence[tuple[str, Message]] = ()
    lacks: Sequence[Finding] = ()
    has_moved: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)


async def show(visit: Visit) -> Response:
    """Show where the campaign stands."""
    return await _show(visit, _Outcome())


async def move(visit: Visit) -> Response:
    """Make the move that the form names."""
    form = await visit.read_form()
    name = form.text("move")
    if name not in _TEAM_MOVES | {"answer_date"}:
        raise HTTPException(400)
    try:
        await _make(visit, name, form)
    except NotReady as fact:
        return await _show(visit, _Outcome(UNPROCESSABLE, lacks=fact.lacks))
    except _BadForm as fact:
        return await _show(visit, _Outcome(UNPROCESSABLE, errors=fact.errors, typed=form.typed()))
    except DateRefused:
        return await _show(visit, _Outcome(UNPROCESSABLE, errors=[_DAYS[name]], typed=form.typed()))
    except CampaignCannotMove:
        return await _show(visit, _Outcome(CONFLICT, has_moved=True))
    visit.house.forget(visit.campaign.slug)
    return visit.go(f"/campaigns/{visit.campaign.slug}/steps")


class _BadForm(Exception):
    def __init__(self, errors: Sequence[tuple[str, Message]]) -> None:
        super().__init__(len(errors))
        self.errors = errors


async def _make(visit: Visit, name: str, form: Form) -> None:
    database = visit.house.database
    who: dict[str, Any] = {"campaign_id": visit.campaign.id, "account_id": visit.signed_in.account_id, "now": visit.now}
    if name == "submit":
        await database.write(life.submit_campaign, **who)
        return
    if name in _EMBARGO:
        await database.write(_EMBARGO[name], **who)
        return
    if name not in _DAYS:
        await database.write(life.move_campaign, name=name, **who)
        return
    day = read_day(form.text(_DAYS[name][0]))
    errors = [] if day is not None else [_DAYS[name]]
    by = ""
    if name == "present":
        try:
            by = read_line(form.text("presented_by"), message("Enter who presented it"))
        except Refused as refusal:
            errors.append(("presented_by", refusal.message))
    if day is None or errors:
        raise _BadForm(errors)
    if name == "present":
        await database.write(life.present_campaign, presented_on=day, presented_by=by, **who)
    elif name == "answer":
        await database.write(life.record_answered, answered_on=day, **who)
    elif name == "answer_date":
        await database.write(life.set_answer_due, due_on=day, **who)
    else:
        await database.write(life.move_campaign, name=name, choice=Choice(day), **who)


async def _show(visit: Visit, outcome: _Outcome) -> Response:
    database, campaign, keyring = visit.house.database, visit.campaign, visit.house.keyring
    course = await database.read(get_life, campaign_id=campaign.id, keyring=keyring)
    standing = settle(course.standing, visit.now)
    lacks: Sequence[Finding] = outcome.lacks
    if standing.state == "draft" and not lacks:
        lacks = await database.read(list_lacks, campaign_id=campaign.id, now=visit.now)
    possible = list_moves(standing, Permission.MOVE, visit.now) if visit.can(Permission.MOVE) else []
    return visit.show(
        "workspace/steps.html",
        status_code=outcome.status_code,
        course=course,
        standing=standing,
        steps=_steps(standing, visit.now),
        lacks=lacks,
        was_refused=bool(outcome.lacks),
        has_moved=outcome.has_moved,
        errors=[(name, fault.say(visit.locale)) for name, fault in outcome.errors],
        typed=outcome.typed,
        moves=[each.name for each in possible],
        can_move=visit.can(Permission.MOVE),
        is_public=standing.state in PUBLIC_STATES,
        members=await database.read(list_member_names, campaign_id=campaign.id),
        **_dates(standing, visit.now),
    )


def _steps(standing: Standing, now: datetime) -> list[tuple[str, bool, bool]]:
    """Return each step, whether it was taken, and whether the campaign stands there: one that is stopped, as before."""
    state = make_move("resume", standing, now).state if standing.state == "stopped" else standing.state
    at = STEPS.index(_STANDS_AT.get(state, state))
    return [(step, number < at, number == at) for number, step in enumerate(STEPS)]


def _dates(standing: Standing, now: datetime) -> dict[str, Any]:
    zone, closes_at = standing.timezone, standing.closes_at
    return {
        "today": local_day(now, zone),
        "opens_day": None if standing.opens_at is None else local_day(standing.opens_at, zone),
        "last_day": None if closes_at is None else last_day(closes_at, zone),
        "days_left": None if closes_at is None else days_left(closes_at, zone, now),
        "extensions": extension_days(standing, now),
        "latest_day": latest_last_day(standing, now),
    }


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/steps", show, move, Permission.READ, Permission.MOVE, is_grave=True),
)
