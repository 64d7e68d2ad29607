"""The life of a campaign in time: when it opens and closes, and what may still be done at a given moment.

Dates belong to the organiser and are read in the campaign's own zone (an IANA name); instants are UTC. Signing and
confirming are judged by these instants and not by the flag that a job moves, so a job that is late changes nothing.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

DatedState = Literal["scheduled", "open", "closed"]

#: How long after closing a signature that was given in time may still be confirmed.
CONFIRMING_GRACE: Final = timedelta(hours=24)

#: How long a member's office has to answer: the House of Commons' own rule for e-petitions.
ASKING_LASTS: Final = timedelta(days=30)

#: The states in which the dates decide; in every other nothing is open, whatever they say.
SIGNABLE_STATES: Final = frozenset({"scheduled", "open"})
CONFIRMABLE_STATES: Final = frozenset({"scheduled", "open", "closed"})
_ONE_DAY: Final = timedelta(days=1)
_ONE_SECOND: Final = timedelta(seconds=1)
_SMALLEST_STEP: Final = timedelta(microseconds=1)


def opening_instants(
    opens_on: date | None, closes_on: date | None, zone: str
) -> tuple[datetime | None, datetime | None]:
    """Return ``(opens_at, closes_at)`` in UTC; None where there is no date.

    Signing is open from the start of ``opens_on`` to the end of ``closes_on``, that is to the start of the day after,
    both as the clocks of ``zone`` show them. ``closes_at`` itself is no longer open.
    """
    opens_at = None if opens_on is None else start_of_day(opens_on, zone)
    closes_at = None if closes_on is None else start_of_day(closes_on + _ONE_DAY, zone)
    return opens_at, closes_at


def start_of_day(day: date, zone: str) -> datetime:
    """Return the first instant of ``day`` in ``zone``, in UTC.

    That is midnight, but where the clocks jump over midnight it is the first moment that they do show. Where midnight
    comes twice, it is the earlier.
    """
    clock = ZoneInfo(zone)
    midnight = datetime.combine(day, time.min, tzinfo=clock)
    before = midnight.astimezone(UTC)
    after = midnight.replace(fold=1).astimezone(UTC)
    if after >= before:  # midnight exists, once or twice
        return before
    # Midnight falls into a gap, whose end lies between what the new offset and the old one make of it.
    step = (before - after) // _ONE_SECOND
    low, high = 0, step
    while low < high:
        middle = (low + high) // 2
        if (after + middle * _ONE_SECOND).astimezone(clock).date() >= day:
            high = middle
        else:
            low = middle + 1
    return after + low * _ONE_SECOND


def state_by_dates(opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> DatedState:
    """Return the state that the dates alone give a published campaign."""
    if closes_at is not None and now >= closes_at:
        return "closed"
    if opens_at is not None and now < opens_at:
        return "scheduled"
    return "open"


def is_signing_open(state: str, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether a request that arrived at ``now`` may sign.

    A campaign still marked as scheduled is open from its first instant. No opening date: from publication. No closing
    date: for as long as nobody closes it.
    """
    return state in SIGNABLE_STATES and state_by_dates(opens_at, closes_at, now) == "open"


def is_confirming_open(state: str, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether a signature given in time may be confirmed at ``now``: until 24 hours after closing.

    A campaign marked as closed that has no closing date was closed by hand, at once and without the grace.
    """
    if state not in CONFIRMABLE_STATES or (state == "closed" and closes_at is None):
        return False
    until = None if closes_at is None else closes_at + CONFIRMING_GRACE
    return state_by_dates(opens_at, until, now) == "open"


def last_day(closes_at: datetime, zone: str) -> date:
    """Return the last day on which one can sign, as a calendar in ``zone`` shows it."""
    return (closes_at.astimezone(UTC) - _SMALLEST_STEP).astimezone(ZoneInfo(zone)).date()


def days_left(closes_at: datetime, zone: str, now: datetime) -> int:
    """Return the whole days from today to the last day: 0 on the last day and ever after."""
    return max(0, (last_day(closes_at, zone) - now.astimezone(ZoneInfo(zone)).date()).days)


def closing_after(opens_at: datetime, days: int, zone: str) -> datetime:
    """Return when a campaign closes that is open for ``days`` from the day of its opening: at the end of the last."""
    opening_day = opens_at.astimezone(ZoneInfo(zone)).date()
    return start_of_day(opening_day + timedelta(days=days + 1), zone)


def local_day(moment: datetime, zone: str) -> date:
    """Return the day that a calendar in ``zone`` shows at ``moment``."""
    return moment.astimezone(ZoneInfo(zone)).date()
