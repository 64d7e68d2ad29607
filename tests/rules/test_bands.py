"""Bands of counts: what a card says stays true, and changes seldom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.bands import FIRST_MARK, find_mark


@pytest.mark.parametrize(
    ("count", "mark"),
    [
        (0, None), (1, None), (25, None), (26, 25), (30, 25), (31, 30), (75, 50), (76, 75), (100, 75), (101, 100),
        (250, 200), (251, 250), (343, 300), (1000, 750), (1001, 1000), (12_345, 10_000), (6_100_000, 5_000_000),
    ],
)  # fmt: skip
def test_a_mark_is_passed_by_one_more(count: int, mark: int | None) -> None:
    assert find_mark(count) == mark


@given(st.integers(0, 10**9))
def test_more_than_the_mark_is_always_true_and_never_far_off(count: int) -> None:
    mark = find_mark(count)
    if mark is None:
        assert count <= FIRST_MARK
    else:
        assert mark < count <= mark * 5 / 3


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_marks_rise_with_the_count(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert (find_mark(low) or 0) <= (find_mark(high) or 0)


def test_a_million_signatures_change_a_card_some_forty_times() -> None:
    assert len({find_mark(count) for count in range(0, 1_000_000, 5)}) < 45
