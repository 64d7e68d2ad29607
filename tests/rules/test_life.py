"""When a campaign opens and closes, where clocks change and where midnight is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.life import (
    days_left,
    is_confirming_open,
    is_signing_open,
    last_day,
    opening_instants,
    start_of_day,
    state_by_dates,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OPENS = at("2026-03-01T05:00")
CLOSES = at("2026-03-31T04:00")
INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("zone", "opens_on", "closes_on", "opens_at", "closes_at"),
    [
        # The campaign that the House of Commons published: 120 days, and one change of clocks outside it.
        ("America/Toronto", "2018-06-26", "2018-10-24", "2018-06-26T04:00", "2018-10-25T04:00"),
        # Opens in winter time and closes in summer time; then the other way.
        ("America/Toronto", "2026-03-07", "2026-03-08", "2026-03-07T05:00", "2026-03-09T04:00"),
        ("America/Toronto", "2026-10-31", "2026-11-01", "2026-10-31T04:00", "2026-11-02T05:00"),
        # No change of clocks in Cambodia.
        ("Asia/Phnom_Penh", "2026-04-14", "2026-04-16", "2026-04-13T17:00", "2026-04-16T17:00"),
        # Clocks go from 24:00 to 01:00: the day begins at one o'clock.
        ("America/Havana", "2026-03-08", "2026-03-08", "2026-03-08T05:00", "2026-03-09T04:00"),
        ("Asia/Beirut", "2026-03-29", "2026-03-29", "2026-03-28T22:00", "2026-03-29T21:00"),
        # Midnight comes twice: the earlier.
        ("America/Havana", "2026-11-01", "2026-11-01", "2026-11-01T04:00", "2026-11-02T05:00"),
        # A whole day that a country left out: there is none of it, and the next begins at once.
        ("Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
        # A jump that begins before midnight: the day begins at half past.
        ("America/Toronto", "1919-03-31", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00"),
    ],
)
def test_opening_instants_follow_the_clocks_of_the_zone(
    zone: str, opens_on: str, closes_on: str, opens_at: str, closes_at: str
) -> None:
    dates = date.fromisoformat(opens_on), date.fromisoformat(closes_on)
    assert opening_instants(*dates, zone) == (at(opens_at), at(closes_at))


def test_opening_instants_without_dates_are_none() -> None:
    assert opening_instants(None, None, "UTC") == (None, None)


@given(
    day=st.dates(date(1990, 1, 2), date(2100, 1, 1)),
    zone=st.sampled_from(
        ["UTC", "America/Toronto", "America/Havana", "Asia/Beirut", "Asia/Phnom_Penh", "Australia/Lord_Howe"]
    ),
)
def test_start_of_day_is_its_first_instant(day: date, zone: str) -> None:
    start = start_of_day(day, zone)
    assert start.tzinfo is UTC
    assert start.astimezone(ZoneInfo(zone)).date() == day
    assert (start - INSTANT).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)


@pytest.mark.parametrize(
    ("opens_at", "closes_at", "now", "state"),
    [
        (OPENS, CLOSES, OPENS - INSTANT, "scheduled"),
        (OPENS, CLOSES, OPENS, "open"),
        (OPENS, CLOSES, CLOSES - INSTANT, "open"),
        (OPENS, CLOSES, CLOSES, "closed"),
        (None, CLOSES, OPENS - INSTANT, "open"),
        (OPENS, None, CLOSES, "open"),
        (None, None, CLOSES, "open"),
    ],
)
def test_state_by_dates(opens_at: datetime | None, closes_at: datetime | None, now: datetime, state: str) -> None:
    assert state_by_dates(opens_at, closes_at, now) == state


@pytest.mark.parametrize(
    ("state", "now", "expected"),
    [
        ("scheduled", OPENS - INSTANT, False),
        ("scheduled", OPENS, True),  # the job that opens is late
        ("open", CLOSES - INSTANT, True),
        ("open", CLOSES, False),  # the job that closes is late
        ("closed", OPENS, False),
        ("stopped", OPENS, False),
        ("draft", OPENS, False),
        ("review", OPENS, False),
    ],
)
def test_signing_is_open_by_dates_in_the_states_that_dates_move(*, state: str, now: datetime, expected: bool) -> None:
    assert is_signing_open(state, OPENS, CLOSES, now) is expected


@pytest.mark.parametrize(
    ("state", "closes_at", "now", "expected"),
    [
        ("open", CLOSES, CLOSES - INSTANT, True),
        ("open", CLOSES, CLOSES, True),
        ("closed", CLOSES, CLOSES + timedelta(hours=24) - INSTANT, True),
        ("closed", CLOSES, CLOSES + timedelta(hours=24), False),
        ("scheduled", CLOSES, OPENS - INSTANT, False),
        ("scheduled", CLOSES, OPENS, True),
        ("open", None, CLOSES, True),
        ("closed", None, CLOSES, False),  # closed by hand
        ("stopped", CLOSES, OPENS, False),
    ],
)
def test_confirming_is_open_a_day_longer(
    *, state: str, closes_at: datetime | None, now: datetime, expected: bool
) -> None:
    assert is_confirming_open(state, OPENS, closes_at, now) is expected


def test_last_day_is_the_one_before_the_closing_instant() -> None:
    assert last_day(at("2018-10-25T04:00"), "America/Toronto") == date(2018, 10, 24)
    assert last_day(at("2018-10-25T04:01"), "America/Toronto") == date(2018, 10, 25)
    # Closed at 03:30 in summer time, on the day after the clocks changed.
    assert last_day(at("2026-03-09T04:00"), "America/Toronto") == date(2026, 3, 8)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        ("2018-10-12T12:00", 12),
        ("2018-10-24T03:59", 1),
        ("2018-10-24T04:00", 0),  # the last day
        ("2018-10-25T03:59", 0),
        ("2018-12-01T00:00", 0),
    ],
)
def test_days_left_count_calendar_days_of_the_zone(now: str, days: int) -> None:
    assert days_left(at("2018-10-25T04:00"), "America/Toronto", at(now)) == days
