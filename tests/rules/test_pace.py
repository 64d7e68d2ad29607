"""How fast signatures come, and when a threshold is reached if it goes on so."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.rules.pace import DAYS_SHOWN, Pace, Period, find_pace, spread_over_days

TODAY = date(2026, 5, 20)
ZONES = st.sampled_from(["America/Toronto", "Asia/Phnom_Penh", "Asia/Kathmandu", "America/St_Johns"])
MOMENTS = st.datetimes(datetime(2025, 11, 1), datetime(2026, 5, 20), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
COUNTED = st.lists(st.tuples(MOMENTS, st.sampled_from(["km", "en", "fr"]), st.integers(1, 50)), max_size=60)
AMOUNTS = st.integers(1, 100_000)


def test_the_pace_of_a_week_says_when() -> None:
    pace = find_pace(count=342, needed=500, recent=70, days=7, today=TODAY, last_day=date(2026, 6, 5))
    assert pace == Pace(158, 70, 7, date(2026, 6, 5), is_in_time=True)
    late = find_pace(count=341, needed=500, recent=70, days=7, today=TODAY, last_day=date(2026, 6, 4))
    assert late == Pace(159, 70, 7, date(2026, 6, 5), is_in_time=False)


def test_what_is_reached_has_no_pace() -> None:
    assert find_pace(count=500, needed=500, recent=1, days=7, today=TODAY, last_day=None) is None


def test_where_nobody_signs_there_is_no_day() -> None:
    assert find_pace(count=1, needed=5, recent=0, days=7, today=TODAY, last_day=None) == Pace(4, 0, 7, None, False)  # noqa: FBT003 - as read
    endless = find_pace(count=0, needed=10**9, recent=1, days=7, today=TODAY, last_day=None)
    assert endless is not None
    assert (endless.reached_on, endless.is_in_time) == (None, False)


@given(missing=AMOUNTS, recent=AMOUNTS, days=st.integers(1, 7))
def test_the_day_is_the_first_on_which_enough_have_come(missing: int, recent: int, days: int) -> None:
    pace = find_pace(count=0, needed=missing, recent=recent, days=days, today=TODAY, last_day=None)
    assert pace is not None
    assert pace.reached_on is not None
    wait = (pace.reached_on - TODAY).days
    assert wait >= 1
    assert wait * recent >= missing * days > (wait - 1) * recent
    faster = find_pace(count=0, needed=missing, recent=recent + 1, days=days, today=TODAY, last_day=None)
    assert faster is not None
    assert faster.reached_on is not None
    assert faster.reached_on <= pace.reached_on


@given(COUNTED, ZONES)
def test_days_and_weeks_hold_every_signature_once(counted: list[tuple[datetime, str, int]], zone: str) -> None:
    days, weeks = spread_over_days(counted, zone=zone, today=TODAY)
    periods = [*days, *weeks]
    assert sum(period.total for period in periods) == sum(number for _, _, number in counted)
    assert all(each.is_day for each in days)
    assert len(days) <= DAYS_SHOWN
    # Newest first, without a gap and without anything twice.
    for later, earlier in pairwise(periods):
        assert later.first - earlier.last == timedelta(days=1)
    for moment, locale, _ in counted:
        day = moment.astimezone(ZoneInfo(zone)).date()
        assert [locale in each.numbers for each in periods if each.first <= day <= each.last] == [True]
    assert all(week.first.weekday() == 0 for week in weeks[:-1])


def test_days_are_those_of_the_campaign() -> None:
    moment = datetime(2026, 5, 20, 1, 30, tzinfo=UTC)
    [first, second], _ = spread_over_days([(moment, "km", 2)], zone="America/Toronto", today=TODAY)
    assert (first.first, first.total) == (date(2026, 5, 20), 0)
    assert second == Period(date(2026, 5, 19), date(2026, 5, 19), {"km": 2})
    assert spread_over_days([], zone="UTC", today=TODAY) == ([], [])
