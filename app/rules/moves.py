"""The moves of a campaign's life as data: from which states, to which, who makes them, what undoes them.

`Standing` is how a campaign stands; `can_move` and `make_move` are all that decides, and an action writes down what
they return. The clock has moves of its own: `settle`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.rules.life import closing_after, last_day, local_day, start_of_day, state_by_dates
from app.rules.permissions import Permission, StaffPermission

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: How long after closing early it can be taken back.
REOPENS_WITHIN: Final = timedelta(hours=24)
#: For how many days the House of Commons keeps an e-petition open (its guide to e-petitions).
COMMONS_DAYS: Final = (30, 60, 90, 120)
#: How far away the last day of any other campaign may be put.
FURTHEST_LAST_DAY: Final = timedelta(days=365)
#: How far away the end of an embargo may be put.
FURTHEST_EMBARGO: Final = timedelta(days=365)
_ONE_DAY: Final = timedelta(days=1)

_RUNNING: Final = frozenset({"scheduled", "open", "closed", "presented", "answered"})
#: The states in which a campaign has a page of its own.
PUBLIC_STATES: Final = _RUNNING | {"stopped"}
STATES: Final = PUBLIC_STATES | {"draft", "review", "embargoed", "refused"}


class MoveRefused(Exception):
    """The state or the dates do not allow this move; the message is the state."""


class ClosingPast(Exception):
    """The date on which signing was to end has come before it began."""


class DateRefused(Exception):
    """A date that this move cannot have."""


@dataclass(frozen=True, slots=True)
class Move:
    """One move: the states that it ``leaves`` and may reach, and what it needs. ``undo`` names the move back."""

    name: str
    leaves: frozenset[str]
    reaches: frozenset[str]
    needs: Permission | StaffPermission
    is_grave: bool = True
    needs_reason: bool = False
    undo: str | None = None


_BY_DATES: Final = frozenset({"scheduled", "open", "closed"})


def _moves(*moves: Move) -> Mapping[str, Move]:
    return {move.name: move for move in moves}


def _states(*names: str) -> frozenset[str]:
    return frozenset(names)


_TEAM: Final = Permission.MOVE
_REVIEW: Final = StaffPermission.REVIEW
_OPERATE: Final = StaffPermission.OPERATE
MOVES: Final = _moves(
    Move("submit", _states("draft"), _states("review"), _TEAM, undo="recall"),
    Move("recall", _states("review"), _states("draft"), _TEAM, is_grave=False, undo="submit"),
    Move("approve", _states("review"), _states("scheduled", "open", "embargoed"), _REVIEW, is_grave=False),
    Move(
        "send_back",
        _states("review", "embargoed"),
        _states("draft"),
        _REVIEW,
        is_grave=False,
        needs_reason=True,
        undo="submit",
    ),
    # What has been seen cannot be made unseen: nothing undoes a release.
    Move("release", _states("embargoed"), _states("scheduled", "open"), _TEAM),
    Move("call_off", _states("embargoed"), _states("draft"), _TEAM),
    Move("refuse", _states("review"), _states("refused"), _REVIEW, needs_reason=True, undo="rework"),
    Move("rework", _states("refused"), _states("draft"), _TEAM, is_grave=False),
    Move("readmit", _states("refused"), _states("review"), _REVIEW, undo="refuse"),
    Move("close", _states("scheduled", "open"), _states("closed"), _TEAM, undo="reopen"),
    Move("reopen", _states("closed"), _states("scheduled", "open"), _TEAM, undo="close"),
    Move("extend", _states("open"), _states("open"), _TEAM),
    Move("present", _states("closed"), _states("presented"), _TEAM, undo="unpresent"),
    Move("unpresent", _states("presented"), _states("closed"), _TEAM, undo="present"),
    Move("answer", _states("presented"), _states("answered"), _TEAM, undo="unanswer"),
    Move("unanswer", _states("answered"), _states("presented"), _TEAM, undo="answer"),
    Move("stop", _RUNNING, _states("stopped"), _OPERATE, needs_reason=True, undo="resume"),
    Move("resume", _states("stopped"), _BY_DATES | {"presented", "answered"}, _OPERATE, undo="stop"),
)
#: What the clock does, as the record names it.
EMBARGO_ENDED: Final = "embargo_ended"
OPENED_BY_DATE: Final = "opened_by_date"
CLOSED_BY_DATE: Final = "closed_by_date"
#: An approval that nobody sees yet, as the record names it; and another end of its embargo.
APPROVED_UNSEEN: Final = "approved_unseen"
EMBARGO_MOVED: Final = "embargo_moved"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: its state and the dates that decide. ``form`` as in the campaign."""

    state: str
    timezone: str
    form: str = "free"
    opens_at: datetime | None = None  # in a draft: when it is wished to open
    closes_at: datetime | None = None
    open_for_days: int | None = None  # in a draft: how long, where no closing date is wished
    closed_early_at: datetime | None = None
    planned_opens_at: datetime | None = None
    planned_closes_at: datetime | None = None
    presented_on: date | None = None
    answered_on: date | None = None
    embargo_until: datetime | None = None  # under embargo, the planned dates are those that were wished


@dataclass(frozen=True, slots=True)
class Choice:
    """What a move is told beside its name: the last day of an extension, the day of a presentation or answer."""

    day: date | None = None


def settle(standing: Standing, now: datetime) -> Standing:
    """Return how it stands once the clock's moves that are due are made."""
    if standing.state == "embargoed":
        is_due = standing.embargo_until is not None and standing.embargo_until <= now
        return _appear(standing, now) if is_due else standing
    if standing.state not in {"scheduled", "open"}:
        return standing
    by_dates = state_by_dates(standing.opens_at, standing.closes_at, now)
    if standing.state == "open" and by_dates == "scheduled":
        return standing  # opened by hand before its date
    return replace(standing, state=by_dates)


def can_move(name: str, standing: Standing, now: datetime) -> bool:
    """Tell whether a move may be made now, whoever makes it."""
    settled = settle(standing, now)
    if settled.state not in MOVES[name].leaves:
        return False
    if name == "extend":
        return bool(extension_days(settled, now)) or latest_last_day(settled, now) is not None
    return name != "reopen" or _can_reopen(settled, now)


def list_moves(standing: Standing, needs: Permission | StaffPermission, now: datetime) -> list[Move]:
    """Return the moves that somebody with a permission may make now, in the order of a campaign's life."""
    return [move for move in MOVES.values() if move.needs is needs and can_move(move.name, standing, now)]


def make_move(name: str, standing: Standing, now: datetime, choice: Choice | None = None) -> Standing:
    """Return how it stands after a move. Raises MoveRefused, DateRefused, ClosingPast."""
    settled = settle(standing, now)
    if not can_move(name, standing, now):
        raise MoveRefused(settled.state)
    return _MAKE[name](settled, now, choice or Choice())


def move_embargo(standing: Standing, until: datetime, now: datetime) -> Standing:
    """Return how it stands once its embargo ends at another moment.

    Raises MoveRefused, DateRefused for a moment that is past or too far away, ClosingPast.
    """
    settled = settle(standing, now)
    if settled.state != "embargoed":
        raise MoveRefused(settled.state)
    if not now < until <= now + FURTHEST_EMBARGO:
        raise DateRefused
    return _opening(replace(settled, embargo_until=until), until)


def extension_days(standing: Standing, now: datetime) -> list[tuple[int, date]]:
    """Return the durations that the House's form still leaves, each with its last day."""
    if standing.form != "commons" or standing.opens_at is None or standing.closes_at is None:
        return []
    found = []
    for days in COMMONS_DAYS:
        closes_at = closing_after(standing.opens_at, days, standing.timezone)
        if closes_at > max(now, standing.closes_at):
            found.append((days, last_day(closes_at, standing.timezone)))
    return found


def latest_last_day(standing: Standing, now: datetime) -> date | None:
    """Return the furthest last day that a campaign of no body's form may be given; None where it may get no later."""
    if standing.form == "commons" or standing.closes_at is None:
        return None
    latest = local_day(now, standing.timezone) + FURTHEST_LAST_DAY
    return latest if latest > last_day(standing.closes_at, standing.timezone) else None


def _can_reopen(standing: Standing, now: datetime) -> bool:
    planned, closed_at = standing.planned_closes_at, standing.closed_early_at
    return closed_at is not None and now - closed_at < REOPENS_WITHIN and (planned is None or planned > now)


def _to(state: str) -> Callable[[Standing, datetime, Choice], Standing]:
    def make(standing: Standing, _now: datetime, _choice: Choice) -> Standing:
        return replace(standing, state=state)

    return make


def _approve(standing: Standing, now: datetime, _choice: Choice) -> Standing:
    wished = replace(standing, planned_opens_at=standing.opens_at, planned_closes_at=standing.closes_at)
    if standing.embargo_until is not None and standing.embargo_until > now:
        return replace(_opening(wished, standing.embargo_until), state="embargoed")
    return _appear(_opening(wished, now), now)


def _opening(standing: Standing, earliest: datetime) -> Standing:
    """Return it with the dates that were wished, but no opening before ``earliest``. Raises ClosingPast."""
    opens_at = max(standing.planned_opens_at or earliest, earliest)
    closes_at = standing.planned_closes_at
    if standing.open_for_days is not None:
        closes_at = closing_after(opens_at, standing.open_for_days, standing.timezone)
    if closes_at is not None and closes_at <= opens_at:
        raise ClosingPast
    return replace(standing, opens_at=opens_at, closes_at=closes_at)


def _appear(standing: Standing, now: datetime) -> Standing:
    """Return it in public, as its dates say; what was wished is no plan any more."""
    state = state_by_dates(standing.opens_at, standing.closes_at, now)
    return replace(standing, state=state, planned_opens_at=None, planned_closes_at=None)


def _release(standing: Standing, now: datetime, _choice: Choice) -> Standing:
    return _appear(replace(_opening(standing, now), embargo_until=now), now)


def _back_to_draft(standing: Standing, _now: datetime, _choice: Choice) -> Standing:
    if standing.state != "embargoed":
        return replace(standing, state="draft")
    return replace(
        standing,
        state="draft",
        opens_at=standing.planned_opens_at,
        closes_at=standing.planned_closes_at,
        planned_opens_at=None,
        planned_closes_at=None,
    )


def _close(standing: Standing, now: datetime, _choice: Choice) -> Standing:
    has_opened = standing.opens_at is not None and standing.opens_at < now
    return replace(
        standing,
        state="closed",
        opens_at=standing.opens_at if has_opened else None,  # what never opened has no opening before its closing
        closes_at=now,
        closed_early_at=now,
        planned_opens_at=standing.opens_at,
        planned_closes_at=standing.closes_at,
    )


def _reopen(standing: Standing, now: datetime, _choice: Choice) -> Standing:
    opens_at, closes_at = standing.planned_opens_at, standing.planned_closes_at
    return replace(
        standing,
        state=state_by_dates(opens_at, closes_at, now),
        opens_at=opens_at,
        closes_at=closes_at,
        closed_early_at=None,
        planned_opens_at=None,
        planned_closes_at=None,
    )


def _extend(standing: Standing, now: datetime, choice: Choice) -> Standing:
    day, latest = choice.day, latest_last_day(standing, now)
    assert standing.closes_at is not None  # noqa: S101 - or there was nothing to extend
    if latest is None:
        is_allowed = day in {each for _, each in extension_days(standing, now)}
    else:
        is_allowed = day is not None and last_day(standing.closes_at, standing.timezone) < day <= latest
    if day is None or not is_allowed:
        raise DateRefused
    return replace(standing, closes_at=start_of_day(day + _ONE_DAY, standing.timezone))


def _present(standing: Standing, now: datetime, choice: Choice) -> Standing:
    opened = None if standing.opens_at is None else local_day(standing.opens_at, standing.timezone)
    day = _past_day(choice.day, opened, standing.timezone, now)
    return replace(standing, state="presented", presented_on=day)


def _unpresent(standing: Standing, _now: datetime, _choice: Choice) -> Standing:
    return replace(standing, state="closed", presented_on=None)


def _answer(standing: Standing, now: datetime, choice: Choice) -> Standing:
    day = _past_day(choice.day, standing.presented_on, standing.timezone, now)
    return replace(standing, state="answered", answered_on=day)


def _unanswer(standing: Standing, _now: datetime, _choice: Choice) -> Standing:
    return replace(standing, state="presented", answered_on=None)


def _resume(standing: Standing, now: datetime, _choice: Choice) -> Standing:
    if standing.answered_on is not None:
        return replace(standing, state="answered")
    if standing.presented_on is not None:
        return replace(standing, state="presented")
    return replace(standing, state=state_by_dates(standing.opens_at, standing.closes_at, now))


def _past_day(day: date | None, earliest: date | None, zone: str, now: datetime) -> date:
    """Return a day on which something happened; DateRefused for one to come, or before it could."""
    if day is None or day > local_day(now, zone) or (earliest is not None and day < earliest):
        raise DateRefused
    return day


_MAKE: Final[Mapping[str, Callable[[Standing, datetime, Choice], Standing]]] = {
    "submit": _to("review"),
    "recall": _to("draft"),
    "approve": _approve,
    "send_back": _back_to_draft,
    "release": _release,
    "call_off": _back_to_draft,
    "refuse": _to("refused"),
    "rework": _to("draft"),
    "readmit": _to("review"),
    "close": _close,
    "reopen": _reopen,
    "extend": _extend,
    "present": _present,
    "unpresent": _unpresent,
    "answer": _answer,
    "unanswer": _unanswer,
    "stop": _to("stopped"),
    "resume": _resume,
}
