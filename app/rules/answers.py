"""The answer clock: when an answer to a petition that was presented in the House of Commons is due.

The House's rule is 45 calendar days after presentation (its Standing Order 36(8)). Where the House does not sit on
that day, it is the next day on which it sits: e-1746 was presented on 7 December 2018, the 45th day was 21 January
2019, and the answer came on 28 January 2019, the day on which the House sat again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

ANSWER_AFTER: Final = timedelta(days=45)
_ONE_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5


@dataclass(frozen=True, slots=True)
class Adjournment:
    """A time in which the House does not sit: the days after ``last_sitting``, until ``resumes``, which is one."""

    last_sitting: date
    resumes: date
    source: str


#: Those that are known. Organisers set the date themselves where another stands in the way.
ADJOURNMENTS: Final = (
    Adjournment(
        date(2018, 12, 13),
        date(2019, 1, 28),
        "House of Commons, petition e-1746: presented on 7 December 2018, answered on 28 January 2019",
    ),
)


def is_sitting_day(day: date, adjournments: Iterable[Adjournment] = ADJOURNMENTS) -> bool:
    """Tell whether the House may sit on ``day``: a weekday outside every adjournment that is known."""
    is_adjourned = any(each.last_sitting < day < each.resumes for each in adjournments)
    return day.weekday() < _SATURDAY and not is_adjourned


def answer_due_on(presented_on: date, adjournments: Iterable[Adjournment] = ADJOURNMENTS) -> date:
    """Return the day by which an answer is due."""
    known = tuple(adjournments)
    day = presented_on + ANSWER_AFTER
    while not is_sitting_day(day, known):
        day += _ONE_DAY
    return day
