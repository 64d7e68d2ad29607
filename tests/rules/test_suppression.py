"""Counts by place: nothing small is shown, and nothing hidden can be worked out, not even by who knows the rules."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.rules.places import COUNTRIES, SUBDIVISIONS
from app.rules.suppression import (
    SMALLEST,
    Breakdown,
    Past,
    Place,
    break_down,
    divide,
    divide_districts,
    gather,
    look_back,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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


def fall_on_the_likeliest(weights: Sequence[float]) -> int:
    """Draw no lot: merge the smallest cell."""
    return list(weights).index(max(weights))


def publish(history: list[Counts]) -> list[Breakdown[Place]]:
    published: list[Breakdown[Place]] = []
    for turn, counts in enumerate(history, 1):
        past = look_back([each.cells for each in published])
        published.append(break_down(counts, past, turn=turn, lot=fall_on_the_likeliest))
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
    published = publish(history)
    for turn, (counts, shown) in enumerate(zip(history, published, strict=True), 1):
        past = look_back([each.cells for each in published[: turn - 1]])
        for place, people in counts.items():
            if people == 0 or place in shown.cells:
                continue
            # What comes later rests on what was published alone: where this is the same, so is all that follows.
            alternatives = _alternatives(counts, place, shown)
            assert any(
                break_down(other, past, turn=turn, lot=fall_on_the_likeliest) == shown for other in alternatives
            ), (place, counts, shown)


def _alternatives(counts: Counts, place: Place, shown: Breakdown[Place]) -> Iterator[Counts]:
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


def _plainest(counts: Counts, place: Place, shown: Breakdown[Place]) -> Counts:
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
        ({("FR", None): 3}, {}, 3),
    ],
)
def test_a_first_snapshot(counts: Counts, cells: Counts, rest: int) -> None:
    shown = break_down(counts, look_back([]), turn=1, lot=fall_on_the_likeliest)
    assert (dict(shown.cells), shown.rest) == (cells, rest)


@given(st.lists(st.integers(0, 12), max_size=30), st.integers(0, 30))
def test_numbers_gather_to_five_at_least_and_what_was_shown_stays(numbers: list[int], until: int) -> None:
    shown = gather(numbers)
    assert all(each == 0 or each >= SMALLEST for each in shown)
    assert 0 <= sum(numbers) - sum(shown) < SMALLEST
    assert gather(numbers[:until]) == shown[:until]


def show_next(counts: Counts, *before: Counts, turn: int = 0) -> tuple[Counts, int]:
    shown = break_down(counts, look_back(before), turn=turn, lot=fall_on_the_likeliest)
    return dict(shown.cells), shown.rest


ONTARIO: Place = ("CA", "CA-ON")
QUEBEC: Place = ("CA", "CA-QC")
FRANCE: Place = ("FR", None)
GERMANY: Place = ("DE", None)
KEEP_NONE = 3  # the turn at which none of three cells stays as it was


def test_a_cell_keeps_its_number_until_it_has_moved_by_five() -> None:
    before: Counts = {ONTARIO: 40, FRANCE: 10, GERMANY: 20}
    # Four more in Ontario are in the rest, and France, which lost six, with them.
    shown = show_next({ONTARIO: 44, FRANCE: 4, GERMANY: 26}, before, turn=KEEP_NONE)
    assert shown == ({ONTARIO: 40, GERMANY: 26}, 8)


def test_the_largest_cells_take_turns_in_staying_as_they_were() -> None:
    before: Counts = {ONTARIO: 40, FRANCE: 10, GERMANY: 20}
    counts: Counts = {ONTARIO: 60, FRANCE: 20, GERMANY: 40}
    shown = [show_next(counts, before, turn=turn) for turn in range(5)]
    assert shown == [
        ({**counts, ONTARIO: 40}, 20),
        ({**counts, GERMANY: 20}, 20),
        ({**counts, FRANCE: 10}, 10),
        (counts, 0),
        ({**counts, ONTARIO: 40}, 20),
    ]


def test_a_number_that_was_not_shown_for_a_while_comes_back_as_it_was_or_five_away() -> None:
    first: Counts = {ONTARIO: 60, FRANCE: 12, GERMANY: 20}
    second: Counts = {ONTARIO: 60, GERMANY: 20}
    counts: Counts = {ONTARIO: 60, FRANCE: 13, GERMANY: 30}
    # There is one more than is shown, so nothing moves.
    assert show_next(counts, first, second, turn=2) == (second, 23)
    assert show_next({**counts, QUEBEC: 4}, first, second, turn=2) == ({**first, GERMANY: 30}, 5)


def test_people_who_left_are_not_shown_as_less_than_nobody() -> None:
    before: Counts = {ONTARIO: 40, QUEBEC: 12}
    assert show_next({ONTARIO: 37, QUEBEC: 12}, before, turn=2) == ({}, 49)


def test_the_others_of_a_country_say_nothing_of_a_place_that_stays() -> None:
    """Eight more in Ontario are in the rest, and not among other places in Canada."""
    before: Counts = {ONTARIO: 60, QUEBEC: 30, ("CA", None): 7}
    counts: Counts = {ONTARIO: 68, QUEBEC: 30, ("CA", "CA-BC"): 4, ("CA", "CA-AB"): 3}
    assert show_next(counts, before, turn=0) == ({**before, ONTARIO: 60}, 8)
    # The others are a cell like any, and have their turn.
    grown: Counts = {**counts, ("CA", "CA-SK"): 4, ("CA", "CA-MB"): 4}
    assert show_next(grown, before, turn=2) == ({**before, ONTARIO: 68}, 8)
    assert show_next(grown, before, turn=3) == ({**before, ONTARIO: 68, ("CA", None): 15}, 0)


def test_values_that_are_all_known_are_shown_whole_or_as_before() -> None:
    def show(
        counts: dict[str, int], *before: dict[str, int], turn: int = 0, stays: str | None = None
    ) -> tuple[dict[str, int], int]:
        past = look_back(before)
        shown = divide(counts, past, lot=fall_on_the_likeliest, values=("en", "km"), turn=turn, stays=stays)
        return dict(shown.cells), shown.rest

    assert show({"km": 30, "en": 9}) == ({"km": 30, "en": 9}, 0)
    assert show({"km": 40, "en": 19}, {"km": 30, "en": 9}, turn=0) == ({"km": 40, "en": 19}, 0)
    # The rest would be Khmer's two, so nothing is shown that is new.
    assert show({"km": 32, "en": 19}, {"km": 30, "en": 9}, turn=0) == ({"km": 30, "en": 9}, 12)
    # Nothing has been shown of it, and it stays so.
    assert show({"km": 20, "en": 4}, stays="km") == ({}, 24)


# Districts


WITHIN = {"35001": "CA-ON", "35002": "CA-ON", "24001": "CA-QC"}


def show_districts(
    counts: dict[str, int], places: Counts, places_before: Counts | None = None, *before: dict[str, int], total: int = 0
) -> tuple[dict[str, int], int]:
    past: Past[str] = look_back(before)
    whole = Breakdown(total or sum(places.values()), places, 0)
    shown = divide_districts(counts, past, provinces=WITHIN, places=whole, places_before=places_before or {})
    return dict(shown.cells), shown.rest


def test_districts_are_shown_from_twenty_on_in_provinces_that_are() -> None:
    counts = {"35001": 30, "35002": 19, "24001": 25, "99001": 40}
    assert show_districts(counts, {ONTARIO: 100, QUEBEC: 60}) == ({"35001": 30, "24001": 25}, 105)
    assert show_districts(counts, {ONTARIO: 100}) == ({"35001": 30}, 70)


def test_twenty_people_of_a_province_are_in_no_district_that_is_shown() -> None:
    counts = {"35001": 30, "35002": 21}
    assert show_districts(counts, {ONTARIO: 71})[0] == counts
    assert show_districts(counts, {ONTARIO: 70})[0] == {"35001": 30}
    assert show_districts(counts, {ONTARIO: 49})[0] == {}


def test_districts_stay_while_the_number_of_their_province_does() -> None:
    before = {"35001": 30}
    assert show_districts({"35001": 50, "35002": 40}, {ONTARIO: 120}, {ONTARIO: 120}, before)[0] == before
    assert show_districts({"35001": 50, "35002": 40}, {ONTARIO: 130}, {ONTARIO: 120}, before)[0] == {
        "35001": 50,
        "35002": 40,
    }
    assert show_districts({"35001": 33}, {ONTARIO: 130}, {ONTARIO: 120}, before)[0] == before


def test_no_districts_are_shown_where_places_say_more_than_there_are() -> None:
    """Ontario is shown as it was before many left."""
    assert show_districts({"35001": 30}, {ONTARIO: 90}, {ONTARIO: 40}, total=45) == ({}, 45)
