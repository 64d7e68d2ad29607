"""How many forms may come from one place: a hall never crosses, whoever stuffs does."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.integrity import QUARANTINED_FROM, WEIGHTS
from app.rules.limits import (
    LONGEST_MINUTES,
    PRESSURE,
    SIGNALS,
    SLOWED,
    SLOWED_PART,
    WINDOWS,
    is_counted_by_domain,
    is_pressed,
    list_crossed,
    list_subjects,
    minute_of,
)

EVENING = minute_of(datetime(2026, 11, 22, 22, tzinfo=UTC))  # a Canadian evening, with midnight (UTC) in the middle


def first_crossing(kind: str, minutes: list[int], *, part: int = 1) -> int | None:
    """Count forms as they come; return how many had come when the first crossed."""
    hits: Counter[int] = Counter()
    for number, minute in enumerate(sorted(minutes), 1):
        hits[minute] += 1
        if list_crossed(kind, hits, minute, part=part):  # type: ignore[arg-type]  # one of the kinds
            return number
    return None


@st.composite
def halls(draw: st.DrawFn) -> list[int]:
    """Draw 200 arrivals within three hours, ten a minute at the busiest."""
    order = draw(st.permutations(range(180)))
    left, minutes = 200, []
    for minute in order:
        number = min(left, draw(st.integers(0, 10)))
        minutes += [EVENING + minute] * number
        left -= number
    for minute in order:  # whoever is left comes where there is room
        room = 10 - minutes.count(EVENING + minute)
        minutes += [EVENING + minute] * min(room, left)
        left -= min(room, left)
    return minutes


@settings(max_examples=15, deadline=None)
@given(halls())
def test_limits_a_hall_of_200_in_an_evening_never_crosses(minutes: list[int]) -> None:
    assert len(minutes) == 200
    assert first_crossing("address", minutes) is None
    assert first_crossing("network", minutes) is None


def test_limits_a_hall_that_signs_as_fast_as_it_can_does_not_cross() -> None:
    assert first_crossing("address", [EVENING + number // 10 for number in range(200)]) is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, LONGEST_MINUTES - 2), min_size=400, max_size=400))
def test_limits_400_from_an_address_in_a_day_cross_before_the_301st(minutes: list[int]) -> None:
    crossed_at = first_crossing("address", [EVENING + minute for minute in minutes])
    assert crossed_at is not None
    assert crossed_at <= 301


@pytest.mark.parametrize(("hours", "most"), [(1, 121), (6, 251), (20, 301)])
def test_limits_a_thousand_from_one_address_cross_early(hours: int, most: int) -> None:
    crossed_at = first_crossing("address", [EVENING + number * hours * 60 // 1000 for number in range(1000)])
    assert crossed_at is not None
    assert crossed_at <= most


def test_limits_a_drip_of_thirty_an_hour_crosses_on_its_first_day() -> None:
    crossed_at = first_crossing("address", [EVENING + number * 2 for number in range(720)])
    assert crossed_at == 301


def test_limits_slowed_allow_a_tenth() -> None:
    minutes = [EVENING + number for number in range(60)]
    assert first_crossing("address", minutes) is None
    assert first_crossing("address", minutes, part=SLOWED_PART) == 26
    assert first_crossing("address", [EVENING] * 30, part=SLOWED_PART) == 13


def test_limits_an_address_alone_quarantines_and_nothing_else_does() -> None:
    reaching = {kind for kind, signal in SIGNALS.items() if WEIGHTS[signal] >= QUARANTINED_FROM}
    assert reaching == {"address"}
    assert WEIGHTS[SLOWED] < QUARANTINED_FROM
    assert WEIGHTS[SIGNALS["network"]] + WEIGHTS[SIGNALS["domain"]] >= QUARANTINED_FROM


def test_limits_a_network_takes_four_times_its_addresses() -> None:
    for narrow, wide in zip(WINDOWS["address"], WINDOWS["network"], strict=True):
        assert (wide.minutes, wide.most) == (narrow.minutes, narrow.most * 4)


@pytest.mark.parametrize(
    ("address", "prefixes"),
    [
        ("203.0.113.7", ["203.0.113.7", "203.0.113.0/24"]),
        ("::ffff:203.0.113.7", ["203.0.113.7", "203.0.113.0/24"]),
        ("2001:db8:1:2:3:4:5:6", ["2001:db8:1:2::/64", "2001:db8:1::/48"]),
        ("unix", []),
        ("127.0.0.1", []),
        ("172.18.0.1", []),
        ("::1", []),
        ("fd00::1", []),
        (None, []),
    ],
)
def test_subjects_are_prefixes_and_domains(address: str | None, prefixes: list[str]) -> None:
    assert [text for _, text in list_subjects(address, "example.org")] == [*prefixes, "example.org"]
    assert [text for _, text in list_subjects(address, "gmail.com")] == prefixes


@pytest.mark.parametrize(
    "domain", ["gmail.com", "hotmail.ca", "yahoo.fr", "icloud.com", "proton.me", "privaterelay.appleid.com",
               "mozmail.com", "somebody.anonaddy.com", "duck.com"]
)  # fmt: skip
def test_domains_of_crowds_and_relays_are_not_counted(domain: str) -> None:
    assert not is_counted_by_domain(domain)


def test_pressure_comes_with_twenty_in_ten_minutes_and_stays_an_hour() -> None:
    hits = {EVENING + minute: 2 for minute in range(PRESSURE.minutes)}
    last = max(hits)
    assert not is_pressed({**hits, last: 1}, last)
    assert is_pressed(hits, last)
    assert is_pressed(hits, last + 60)
    assert not is_pressed(hits, last + 61)
    assert not is_pressed({EVENING + minute: 1 for minute in range(60)}, EVENING + 60)
