"""An attack on everything that is published in numbers, and weaker rules that it breaks.

Who attacks knows all rules, every snapshot so far with all its margins, every report with its way from forms to
signatures, and reads the live count as often as they like. So they know how many people there are at the moment of
each snapshot, and what was published of them before. What they do not know are the numbers that are not shown, how a
lot fell, and which places there are where nobody is seen.

They go through all numbers that there could be: each way in which so many people can be spread over the cells. Of each
they work out what would have been published, for every lot. What is left are the numbers that fit what was published
in truth. A hidden number is *recovered* where all that fit agree on it, and it is not nought. Numbers that are shown
with an old value are hidden, too: what has changed since is recovered where all that fit agree.

One snapshot after another is enough, since a snapshot rests on nothing but the numbers of its moment and what was
published before: any numbers that fit each of them are a history that fits all. A number that lies between two
moments is a live count, and says how many came and left, not who they are.

Nobody is helped by margins of the same people either: all that two of them have in common is their total, which is
known. Districts lie in provinces, which are cells of another margin; there both are attacked together.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import islice, product
from typing import TYPE_CHECKING, Protocol

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.rules.suppression import (
    SMALLEST,
    SMALLEST_WITHIN,
    STEPS,
    Breakdown,
    break_down,
    divide,
    divide_districts,
    look_back,
    settle_way,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from app.rules.suppression import Lot, Past

Numbers = dict[str, int]
#: What somebody reads: the cells that are shown, by name.
Shown = tuple[tuple[str, int], ...]

NAMES = "abcd"


class Publish(Protocol):
    """A way to publish numbers."""

    def __call__(self, counts: Numbers, *, lot: Lot) -> Mapping[str, int]:
        """Return what is shown of them."""


class _Lots:
    """Lots that fall as they are told, and then on the first."""

    def __init__(self, told: Sequence[int]) -> None:
        self.fallen: list[tuple[int, int]] = []  # each lot, and among how many it was drawn
        self._told = told

    def __call__(self, weights: Sequence[float]) -> int:
        number = len(self.fallen)
        fell = self._told[number] if number < len(self._told) else 0
        self.fallen.append((fell, len(weights)))
        return fell


def publications(counts: Numbers, publish: Publish) -> set[Shown]:
    """Return everything that could be published of ``counts``, one for each way in which lots can fall."""
    waiting: list[list[int]] = [[]]
    found: set[Shown] = set()
    while waiting:
        told = waiting.pop()
        lots = _Lots(told)
        found.add(tuple(sorted(publish(counts, lot=lots).items())))
        fallen = [fell for fell, _ in lots.fallen]
        for number, (_, among) in enumerate(lots.fallen):
            if number >= len(told):
                waiting += [[*fallen[:number], other] for other in range(1, among)]
    return found


def recovered(candidates: Iterable[Numbers], publish: Publish, of: Shown | None = None) -> list[tuple[Shown, str, int]]:
    """Return the hidden numbers that are known to whoever tries all ``candidates``: what was published, cell, number.

    Of every publication that there could be; of one alone where it is given.
    """
    fitting: dict[Shown, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for counts in candidates:
        for shown in publications(counts, publish):
            if of is None or shown == of:
                for name, number in counts.items():
                    fitting[shown][name].add(number)
    return [
        (shown, name, number)
        for shown, numbers in fitting.items()
        for name, possible in numbers.items()
        for number in possible
        if len(possible) == 1 and number != 0 and number != dict(shown).get(name, 0)
    ]


def spreads(total: int, names: Sequence[str]) -> Iterator[Numbers]:
    """Yield every way to spread ``total`` people over ``names``."""
    if len(names) == 1:
        yield {names[0]: total}
        return
    for number in range(total + 1):
        for others in spreads(total - number, names[1:]):
            yield {names[0]: number, **others}


# Margins, of which everybody knows all values: languages, days, editions


def strong(counts: Numbers, *, lot: Lot, past: Past[str], turn: int, stays: str | None) -> Mapping[str, int]:
    return divide(counts, past, lot=lot, values=sorted(counts), turn=turn, stays=stays).cells


@settings(max_examples=50, deadline=None)
@given(
    st.integers(2, 4).flatmap(
        lambda size: st.lists(
            st.fixed_dictionaries({name: st.sampled_from([0, 1, 3, 4, 5, 6, 8, 9, 11, 13]) for name in NAMES[:size]}),
            min_size=1,
            max_size=3,
        )
    ),
    st.sampled_from(["day", "language"]),
    st.randoms(use_true_random=False),
)
def test_no_hidden_number_of_a_margin_is_recovered(history: list[Numbers], by: str, luck: random.Random) -> None:
    published: list[Mapping[str, int]] = []
    for turn, drawn in enumerate(history):
        # So many that there is a snapshot, and so few that all can be tried.
        missing = max(0, 20 - sum(drawn.values()))
        counts = {**drawn, "a": drawn["a"] + missing}
        total = min(sum(counts.values()), 30)
        publish = partial(strong, past=look_back(published), turn=turn, stays=max(counts) if by == "day" else None)
        assert recovered(spreads(total, sorted(counts)), publish) == []
        if total == sum(counts.values()):
            published.append(publish(counts, lot=lambda weights: luck.choices(range(len(weights)), weights)[0]))


def _merge_small_ones_alone(counts: Numbers, *, lot: Lot, past: Past[str]) -> Mapping[str, int]:
    """Show what is five at least, whatever is left over."""
    return {name: number for name, number in counts.items() if number >= SMALLEST}


def _take_no_steps(counts: Numbers, *, lot: Lot, past: Past[str]) -> Mapping[str, int]:
    """Merge as a first publication does, each time anew: what was shown before may move by one."""
    return divide(counts, look_back([]), lot=lot, values=sorted(counts)).cells


def _merge_the_smallest(counts: Numbers, *, lot: Lot, past: Past[str]) -> Mapping[str, int]:
    """Merge the smallest instead of drawing lots."""
    return divide(
        counts,
        past,
        lot=lambda weights: list(weights).index(max(weights)),
        values=sorted(counts),
        turn=len(past.latest),
    ).cells


def _forget_rooms(counts: Numbers, *, lot: Lot, past: Past[str]) -> Mapping[str, int]:
    """Take the steps, and ask only that the rest is five at least."""
    return divide(counts, past, lot=lot, values=None, turn=len(past.latest)).cells


@pytest.mark.parametrize(
    ("weak", "before", "total", "names"),
    [
        (_merge_small_ones_alone, {}, 24, "abc"),
        (_merge_the_smallest, {}, 20, "abc"),
        (_forget_rooms, {"a": 12, "b": 9}, 33, "abc"),
    ],
)
def test_the_attack_recovers_numbers_from_weaker_rules(
    weak: Callable[..., Mapping[str, int]], before: Numbers, total: int, names: str
) -> None:
    past = look_back([before])
    assert recovered(spreads(total, names), partial(weak, past=past))
    kept = partial(strong, past=past, turn=len(before), stays=None)
    assert recovered(spreads(total, names), kept) == []


def test_the_attack_sees_one_person_come_where_there_are_no_steps() -> None:
    """Two snapshots, between which one person signed in a language and twenty in another."""
    first, second = {"a": 30, "b": 11, "c": 9}, {"a": 50, "b": 12, "c": 9}
    weak: list[Mapping[str, int]] = []
    held: list[Mapping[str, int]] = []
    for turn, counts in enumerate((first, second)):
        weak.append(_take_no_steps(counts, lot=_Lots([]), past=look_back(weak)))
        held.append(strong(counts, lot=_Lots([]), past=look_back(held), turn=turn, stays=None))
    assert weak[1]["b"] - weak[0]["b"] == 1
    assert all(held[1][name] - held[0][name] not in range(1, SMALLEST) for name in held[1])


# Places and the districts in them


Whole = dict[str, int]
PROVINCES = {"35001": "CA-ON", "35002": "CA-ON", "35003": "CA-ON"}
#: Who said where in Ontario they live, who did not, and who lives elsewhere.
PEOPLE = ("35001", "35002", "35003", "CA-ON", "CA-QC", "FR")


def _show_both(
    counts: Whole,
    *,
    lot: Lot,
    places: Past[tuple[str, str | None]],
    districts: Past[str],
    turn: int,
    is_weak: bool = False,
) -> Mapping[str, int]:
    within = {code: counts[code] for code in PROVINCES}
    by_place = break_down(
        {
            ("CA", "CA-ON"): counts["CA-ON"] + sum(within.values()),
            ("CA", "CA-QC"): counts["CA-QC"],
            ("FR", None): counts["FR"],
        },
        places,
        turn=turn,
        lot=lot,
    )
    if is_weak:
        shown: Mapping[str, int] = {code: number for code, number in within.items() if number >= SMALLEST_WITHIN}
    else:
        shown = divide_districts(
            within, districts, provinces=PROVINCES, places=by_place, places_before=places.latest
        ).cells
    names = {("CA", "CA-ON"): "all of CA-ON", ("CA", "CA-QC"): "CA-QC", ("FR", None): "FR", ("CA", None): "CA"}
    return {**{names[place]: number for place, number in by_place.cells.items()}, **shown}


def _near(counts: Whole, reach: int) -> Iterator[Whole]:
    """Yield numbers near the true ones, with the same total."""
    *most, last = counts
    for moves in product(range(-reach, reach + 1), repeat=len(most)):
        near = {name: counts[name] + move for name, move in zip(most, moves, strict=True)}
        near[last] = counts[last] - sum(moves)
        if min(near.values()) >= 0:
            yield near


def _moved(counts: Whole) -> Iterator[Whole]:
    """Yield the true numbers, and those with one or two people elsewhere."""
    yield counts
    for here, there, people in product(counts, counts, (1, 2)):
        if here != there and counts[here] >= people:
            yield {**counts, here: counts[here] - people, there: counts[there] + people}


def _within_ontario(counts: Whole, shown: Mapping[str, int]) -> Iterator[Whole]:
    """Yield every way in which the people of Ontario may live there, for all that is shown of its districts."""
    seen = [name for name in PROVINCES if name in shown]
    hidden = [name for name in (*PROVINCES, "CA-ON") if name not in shown]
    total = sum(counts[name] for name in (*seen, *hidden))
    for moves in product(range(1 - SMALLEST, SMALLEST), repeat=len(seen)):
        near = {name: shown[name] + move for name, move in zip(seen, moves, strict=True)}
        left = total - sum(near.values())
        if left >= 0:
            yield from ({**counts, **near, **spread} for spread in spreads(left, hidden))


def _sometimes(*numbers: int) -> st.SearchStrategy[int]:
    return st.sampled_from(numbers)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "35001": _sometimes(0, 3, 19, 20, 21, 24, 26, 40),
                "35002": _sometimes(0, 1, 18, 20, 22, 27),
                "35003": _sometimes(0, 2, 19, 23),
                "CA-ON": _sometimes(0, 1, 2, 19, 20, 21, 60),
                "CA-QC": _sometimes(0, 2, 4, 5, 12, 30),
                "FR": _sometimes(1, 3, 4, 9, 31),
            }
        ).filter(lambda counts: sum(counts.values()) >= 20),
        min_size=1,
        max_size=2,
    )
)
@example([{"35001": 24, "35002": 18, "35003": 23, "CA-ON": 1, "CA-QC": 0, "FR": 9}])  # 23 or 19, which is not nearby
def test_no_hidden_number_of_a_district_is_recovered(history: list[Whole]) -> None:
    places: list[Mapping[tuple[str, str | None], int]] = []
    districts: list[Mapping[str, int]] = []
    names = {"all of CA-ON": ("CA", "CA-ON"), "CA-QC": ("CA", "CA-QC"), "FR": ("FR", None), "CA": ("CA", None)}
    for turn, counts in enumerate(history):
        publish = partial(_show_both, places=look_back(places), districts=look_back(districts), turn=turn)
        shown = publish(counts, lot=_Lots([]))
        read = tuple(sorted(shown.items()))
        # All numbers there could be are too many: those nearby, and then all within the province, until two fit.
        left, others = _small(recovered(_moved(counts), publish, read)), _within_ontario(counts, shown)
        while left and (some := list(islice(others, 500))):
            found = recovered([counts, *some], publish, read)
            left = [each for each in left if each in found]
        assert left == []
        places.append({names[name]: number for name, number in shown.items() if name in names})
        districts.append({name: number for name, number in shown.items() if name in PROVINCES})


def _small(found: list[tuple[Shown, str, int]]) -> list[tuple[Shown, str, int]]:
    """Return what must not be known of Ontario.

    Anybody may live where nobody is seen, so only Ontario is asked for here; places have a test of their own. That
    twenty or more of Ontario are in no district that is shown is what may be known.
    """
    return [each for each in found if each[1] in PROVINCES or (each[1] == "CA-ON" and each[2] < SMALLEST_WITHIN)]


def test_the_attack_recovers_who_named_no_district_where_nothing_is_left_over() -> None:
    """Forty-two people in Ontario, of whom two districts have forty-one: one person is in neither."""
    counts = {"35001": 21, "35002": 20, "35003": 0, "CA-ON": 1, "CA-QC": 30, "FR": 25}
    publish = partial(_show_both, places=look_back([]), districts=look_back([]), turn=0)
    weak = partial(publish, is_weak=True)
    shown = tuple(sorted(weak(counts, lot=_Lots([])).items()))
    nobody_else = [each for each in _near(counts, 2) if each["35003"] == 0]
    assert (shown, "CA-ON", 1) in recovered(nobody_else, weak, shown)
    assert dict(shown)["all of CA-ON"] - dict(shown)["35001"] - dict(shown)["35002"] == 1
    held = publish(counts, lot=_Lots([]))
    assert (held["35001"], "35002" in held) == (21, False)
    assert recovered(nobody_else, publish, tuple(sorted(held.items()))) == []


# The way from the forms received to the verified signatures


def _walk(counts: Numbers, *, lot: Lot, before: Numbers) -> Mapping[str, int]:
    return {step: -number for step, number in settle_way(counts, before, 100)[1:-1] if step != "other"}


@pytest.mark.parametrize("before", [{}, {"not_confirmed": 9}, {"not_confirmed": 7, "withdrawn": 5}])
@pytest.mark.parametrize("total", [1, 5, 9, 12])
def test_no_hidden_step_of_the_way_is_recovered(before: Numbers, total: int) -> None:
    assert recovered(spreads(total, STEPS), partial(_walk, before=before)) == []


@given(
    st.fixed_dictionaries(dict.fromkeys(STEPS, st.integers(0, 30))),
    st.fixed_dictionaries({}, optional=dict.fromkeys(STEPS, st.integers(5, 30))),
    st.integers(0, 1000),
)
def test_the_way_adds_up_and_no_step_moves_by_less_than_five(now: Numbers, before: Numbers, verified: int) -> None:
    way = settle_way(now, before, verified)
    (first, forms), *between, (last, counted) = way
    assert (first, forms, last, counted) == ("forms_received", verified + sum(now.values()), "verified", verified)
    assert forms + sum(number for _, number in between) == verified
    assert all(number < 0 for _, number in between)
    for step, number in between:
        if step != "other":
            assert -number >= SMALLEST
            assert step not in before or -number == before[step] or abs(-number - before[step]) >= SMALLEST


def test_a_removal_between_two_reports_is_not_told_from_a_withdrawal() -> None:
    """Of sixty forms one more was removed: the next report says the same of every step, whichever it was."""
    now = {"not_confirmed": 40, "not_eligible": 12, "removed": 3, "withdrawn": 3, "in_progress": 2}
    first = dict(settle_way(now, {}, 540))
    assert first["not_confirmed"] == -40
    assert first["other"] == -8
    for step in STEPS:
        later = {**now, step: now.get(step, 0) + 1}
        assert dict(settle_way(later, first, 539)) == {**first, "other": -9, "verified": 539}


def test_a_breakdown_is_a_fact() -> None:
    """What is published cannot be changed afterwards."""
    with pytest.raises(AttributeError):
        Breakdown(20, {}, 20).rest = 1  # type: ignore[misc]
