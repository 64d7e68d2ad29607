"""Counts by place that pick nobody out: small cells merged, and nothing to be worked out by subtraction or in time.

A *place* is a country and a subdivision, or a country alone: whoever lives there and is in no cell of their own. What
is published are cells, a rest, and their total; the page, the JSON door and the workspace show the same.

- A cell is shown from five on. A smaller one goes up: a province into its country's others, a country into the rest.
- From one snapshot to the next a cell moves by nothing or by five at least. Until then it keeps its old value, and the
  difference goes up as well: whoever watches a village sees nobody come or leave.
- The rest is nothing, or five at least; otherwise the smallest cells go into it until it is.
- The others of a country are not shown where the cells among them would all have to be as full as a hidden cell can
  be, for then each could be worked out.

What is decided rests on what was published before and on what is published now, so that whoever knows these rules
learns no more than whoever does not: for each hidden cell somebody could be elsewhere, and the same would be published.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Final

from app.rules.places import SUBDIVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: The smallest number that is shown, and the smallest step that a shown number takes.
SMALLEST: Final = 5
#: What the cells of a group must be able to hold beyond what is said of them, so that no one of them is known.
ROOM: Final = 2

#: A country, and a subdivision or None.
Place = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What may be published: ``cells`` and ``rest`` add up to ``total``."""

    total: int
    cells: Mapping[Place, int]
    rest: int


def break_down(counts: Mapping[Place, int], shown_before: Mapping[Place, int]) -> Breakdown:
    """Return what may be published of ``counts``, after a snapshot that showed ``shown_before`` (its cells, no rest).

    Of a total below five nothing can be made: the rest is then nothing, and the caller publishes nothing.
    """
    total = sum(counts.values())
    shown: dict[Place, int] = {}
    for country in sorted({country for country, _ in (*counts, *shown_before)}):
        shown |= _break_down_country(country, counts, shown_before)
    rest = total - sum(shown.values())
    while shown and rest != 0 and rest < SMALLEST:
        smallest = min(shown, key=lambda place: (shown[place], place[0], place[1] or ""))
        rest += shown.pop(smallest)
    return Breakdown(total, shown, rest if rest >= SMALLEST else 0)


def gather(numbers: Iterable[int]) -> list[int]:
    """Return what is shown of each of ``numbers``, one after another: nothing until five have come together, then all.

    What is shown does not change when more numbers follow.
    """
    shown, waiting = [], 0
    for number in numbers:
        waiting += number
        step = _step(0, waiting)
        shown.append(step)
        waiting -= step
    return shown


def _break_down_country(
    country: str, counts: Mapping[Place, int], shown_before: Mapping[Place, int]
) -> dict[Place, int]:
    """Return the cells of a country: its subdivisions, and the others of it or the whole under None."""
    subdivisions = SUBDIVISIONS.get(country, {})
    shown: dict[Place, int] = {}
    room: float = 0
    for subdivision in subdivisions:
        place = (country, subdivision)
        before, now = shown_before.get(place, 0), counts.get(place, 0)
        step = _step(before, now)
        if step:
            shown[place] = step
        room += _room(before, step)
    whole = sum(number for place, number in counts.items() if place[0] == country)
    is_all_listed = whole == sum(counts.get((country, each), 0) for each in subdivisions)
    if not (subdivisions and is_all_listed):
        room = inf  # whoever named no subdivision may be any number
    others = _step(shown_before.get((country, None), 0), whole - sum(shown.values()))
    if others and others <= room - ROOM:
        shown[country, None] = others
    return shown


def _step(before: int, now: int) -> int:
    """Return what is shown of a cell, 0 where nothing is: the old value until it has moved by five."""
    if abs(now - before) < SMALLEST:
        return before
    return now if now >= SMALLEST else 0


def _room(before: int, step: int) -> int:
    """Return the most that a subdivision can add to the others of its country, for all that is published of it."""
    if step == 0:
        return min(SMALLEST - 1, before - SMALLEST) if before else SMALLEST - 1
    return SMALLEST - 1 if step == before else 0
