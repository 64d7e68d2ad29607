"""How fast signatures come: by day in the campaign's own zone, and when a threshold is reached if it goes on so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What a pace is taken from.
WINDOW_DAYS: Final = 7
#: Days that are shown one by one; what was before is shown by weeks.
DAYS_SHOWN: Final = 30
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pace:
    """What is expected. ``reached_on`` is None where nobody signed of late; ``is_in_time`` means before closing."""

    missing: int
    recent: int
    days: int  # that `recent` was counted over
    reached_on: date | None
    is_in_time: bool


def find_pace(*, count: int, needed: int, recent: int, days: int, today: date, last_day: date | None) -> Pace | None:
    """Return when ``needed`` is reached if signatures go on as in the last ``days``; None once it is.

    Whole days, rounded up: on that day, and not on the one before, as many as are missing will have come.
    """
    missing = needed - count
    if missing <= 0:
        return None
    if recent <= 0:
        return Pace(missing, 0, days, None, is_in_time=False)
    wait = -(-missing * days // recent)
    try:
        reached_on = today + timedelta(days=wait)
    except OverflowError:  # further off than calendars go
        return Pace(missing, recent, days, None, is_in_time=False)
    return Pace(missing, recent, days, reached_on, is_in_time=last_day is None or reached_on <= last_day)


@dataclass(frozen=True, slots=True)
class Period:
    """A day, or several that are shown as one; ``numbers`` by language."""

    first: date
    last: date
    numbers: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All languages together."""
        return sum(self.numbers.values())

    @property
    def is_day(self) -> bool:
        """Whether it is a single day."""
        return self.first == self.last


def spread_over_days(
    counted: Iterable[tuple[datetime, str, int]], *, zone: str, today: date
) -> tuple[list[Period], list[Period]]:
    """Return ``(days, weeks)``, newest first, of what was ``counted``: a moment, a language and a number each.

    The last thirty days up to ``today`` one by one, none before the first that has any; what was before by weeks that
    begin on Monday, the newest of which ends where the days begin. Days without any are there, with nought.
    """
    clock = ZoneInfo(zone)
    by_day: dict[date, dict[str, int]] = {}
    for moment, locale, number in counted:
        numbers = by_day.setdefault(moment.astimezone(clock).date(), {})
        numbers[locale] = numbers.get(locale, 0) + number
    if not by_day:
        return [], []
    first, last = min(by_day), max(today, *by_day)
    first_shown = max(first, last - (DAYS_SHOWN - 1) * _ONE_DAY)
    days = [Period(day, day, by_day.get(day, {})) for day in _days_back(last, first_shown)]
    weeks = []
    end = first_shown - _ONE_DAY
    while end >= first:
        begin = max(first, end - end.weekday() * _ONE_DAY)
        weeks.append(Period(begin, end, _add_up(by_day, begin, end)))
        end = begin - _ONE_DAY
    return days, weeks


def _days_back(last: date, first: date) -> list[date]:
    return [last - number * _ONE_DAY for number in range((last - first).days + 1)]


def _add_up(by_day: Mapping[date, Mapping[str, int]], begin: date, end: date) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for day in _days_back(end, begin):
        for locale, number in by_day.get(day, {}).items():
            numbers[locale] = numbers.get(locale, 0) + number
    return numbers
