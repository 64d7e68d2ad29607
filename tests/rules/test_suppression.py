"""Counts by place: nothing small is shown, and nothing hidden can be worked out, not even by who knows the rules."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.rules.places import COUNTRIES, SUBDIVISIONS
from app.rules.suppression import SMALLEST, Breakdown, Place, break_down, gather

if TYPE_CHECKING:
    from collections.abc import Iterator

STATES: list[Place] = [("AU", code) for code in SUBDIVISIONS["AU"]]
PLACES: list[Place] = [*STATES, ("AU", None), ("FR", None), ("DE", None), ("KH", None)]
#: Nobody ever lives there in these examples; whoever attacks cannot know it.
SPARE: list[Place] = [(code, None) for code in sorted(COUNTRIES - {"AU", "FR", "DE", "KH", *SUBDIVISIONS})]
#: Numbers on both sides of every edge, and full states often.
NUMBERS = st.one_of(st.sampled_from([0, 0, 1, 3, 4, 4, 4, 4, 5, 6, 8, 9, 10, 14]), st.integers(0, 40))
COUNTS = st.fixed_dictionaries({}, optional=dict.fromkeys(PLACES, NUMBERS)).filter(lambda c: sum(c.values()) >= 20)
HISTORIES = st.lists(COUNTS, min_size=1, max_size=4)

Counts = dict[Place, int]
FULL: Counts = dict.fromkeys(STATES, 4)


def publish(history: list[Counts]) -> list[Breakdown]:
    published: list[Breakdown] = []
    for counts in history:
        published.append(break_down(counts, published[-1].cells if published else {}))
    return published


@given(HISTORIES)
def test_no_shown_number_is_small_and_all_add_up(history: list[Counts]) -> None:
    for counts, shown in zip(history, publish(history), strict=True):
        assert all(number >= SMALLEST for number in shown.cells.values())
        assert shown.rest == 0 or shown.rest >= SMALLEST
        assert shown.total == sum(counts.values()) == sum(shown.cells.values()) + shown.rest


@given(HISTORIES)
def test_a_cell_moves_by_nothing_or_by_five(history: list[Counts]) -> None:
    published = publish(history)
    for before, after in pairwise(published):
        for place in {*before.cells, *after.cells}:
            move = abs(after.cells.get(place, 0) - before.cells.get(place, 0))
            assert move == 0 or move >= SMALLEST


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
# All of a country's places are as full as hidden ones can be; all but one; full ones beside one that is shown.
@example([FULL])
@example([{**FULL, STATES[0]: 3}])
@example([{**FULL, STATES[0]: 30, STATES[1]: 30}])
@example([{**FULL, **dict.fromkeys(STATES[:6], 30)}])
@example([{**dict.fromkeys(STATES[:7], 30), STATES[7]: 4}, {**dict.fromkeys(STATES[:7], 36), STATES[7]: 4}])
# A group that shrank round a number that it kept.
@example([{**dict.fromkeys(STATES[:5], 40), **dict.fromkeys(STATES[5:], 4)}, {**FULL, **dict.fromkeys(STATES[:6], 46)}])
# Two cells that go into the rest, since others kept more than they have.
@example(
    [
        {("KH", None): 8, STATES[7]: 20},
        {STATES[0]: 5, ("KH", None): 4, ("DE", None): 8, STATES[7]: 23},
    ]
)
@example(
    [
        {("AU", "AU-WA"): 9, ("FR", None): 1, ("AU", "AU-SA"): 3, ("KH", None): 6, ("AU", "AU-NSW"): 1},
        {("KH", None): 4, ("AU", None): 3, ("AU", "AU-WA"): 4, ("AU", "AU-VIC"): 4, ("AU", "AU-TAS"): 10},
    ]
)
# One person alone, and a cell of five that goes with them.
@example([{STATES[0]: 30, ("FR", None): 1}])
@example([{STATES[0]: 14, STATES[1]: 5, ("FR", None): 1}])
@example([{STATES[0]: 14, STATES[1]: 5, ("AU", None): 1}])
def test_a_hidden_cell_could_always_be_another_number(history: list[Counts]) -> None:
    """Somebody who knows every snapshot and every rule still cannot tell how many live in a hidden place."""
    before: Counts = {}
    for counts, shown in zip(history, publish(history), strict=True):
        for place, people in counts.items():
            if people == 0 or place in shown.cells:
                continue
            # What comes later rests on what was published alone: where this is the same, so is all that follows.
            alternatives = _alternatives(counts, place, shown)
            assert any(break_down(other, before) == shown for other in alternatives), (place, counts, shown)
        before = dict(shown.cells)


def _alternatives(counts: Counts, place: Place, shown: Breakdown) -> Iterator[Counts]:
    """Yield data with the same total and another number in ``place``."""
    here = counts[place]
    for people in (1, 2):
        for other in (SPARE[0], *PLACES):
            there = counts.get(other, 0)
            if other != place and here >= people:
                yield {**counts, place: here - people, other: there + people}
            if other != place and there >= people:
                yield {**counts, place: here + people, other: there - people}
    yield _plainest(counts, place, shown)


def _plainest(counts: Counts, place: Place, shown: Breakdown) -> Counts:
    """Return data in which shown numbers are true and all others live where nobody is seen: at most four in each."""
    plain = {each: number for each, number in shown.cells.items() if each != ("AU", None)}
    others = shown.cells.get(("AU", None), 0)
    # Who names no state may be any number, but only where somebody does so in truth: a form may always ask for it.
    if counts.get(("AU", None), 0) and place != ("AU", None):
        plain["AU", None] = others
    else:
        for state in (*(each for each in STATES if each not in shown.cells and each != place), place):
            plain[state] = others if state == place else min(others, 4)
            others -= plain[state]
    return plain | dict.fromkeys(SPARE[: shown.rest // 4], 4) | {SPARE[-1]: shown.rest % 4}


@pytest.mark.parametrize(
    ("counts", "cells", "rest"),
    [
        # Provinces that are small go together; a small country goes with what is left over.
        (
            {("CA", "CA-ON"): 40, ("CA", "CA-BC"): 3, ("CA", "CA-AB"): 4, ("FR", None): 8},
            {("CA", "CA-ON"): 40, ("CA", None): 7, ("FR", None): 8},
            0,
        ),
        # Two people in France: the smallest cell goes with them, or they could be counted by subtraction.
        (
            {("CA", "CA-ON"): 40, ("CA", "CA-BC"): 9, ("FR", None): 2},
            {("CA", "CA-ON"): 40},
            11,
        ),
        # Countries whose provinces nobody names here are one cell.
        ({("FR", "FR-75"): 12, ("FR", "FR-13"): 10}, {("FR", None): 22}, 0),
        # Nothing but small cells.
        ({(code, None): 2 for code in ("FR", "DE", "KH", "TH", "JP", "VN", "LA", "BE", "CH", "IT")}, {}, 20),
        # Too few for anything.
        ({("FR", None): 3}, {}, 0),
    ],
)
def test_a_first_snapshot(counts: Counts, cells: Counts, rest: int) -> None:
    shown = break_down(counts, {})
    assert (dict(shown.cells), shown.rest) == (cells, rest)


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(0, 30))
def test_numbers_gather_to_five_at_least_and_what_was_shown_stays(numbers: list[int], until: int) -> None:
    shown = gather(numbers)
    assert all(each == 0 or each >= SMALLEST for each in shown)
    assert 0 <= sum(numbers) - sum(shown) < SMALLEST
    assert gather(numbers[:until]) == shown[:until]


def test_a_cell_keeps_its_number_until_it_has_moved_by_five() -> None:
    before: Counts = {("CA", "CA-ON"): 40, ("FR", None): 10, ("DE", None): 20}
    counts: Counts = {("CA", "CA-ON"): 44, ("FR", None): 4, ("DE", None): 26}
    shown = break_down(counts, before)
    # Four more in Ontario are in the rest, and France, which lost six, with them.
    assert dict(shown.cells) == {("CA", "CA-ON"): 40, ("DE", None): 26}
    assert shown.rest == 8


def test_people_who_left_are_not_shown_as_less_than_nobody() -> None:
    before: Counts = {("CA", "CA-ON"): 40, ("CA", "CA-QC"): 12}
    shown = break_down({("CA", "CA-ON"): 37, ("CA", "CA-QC"): 12}, before)
    assert (dict(shown.cells), shown.rest) == ({("CA", "CA-ON"): 40}, 9)
