"""Counts that pick nobody out: small cells merged, and nothing to be worked out by subtraction or in time.

What is broken down is always one number of people, whose total is published beside it: by place, and by *margins* such
as language, day or federal district. What is published are cells, and a rest. Page, JSON door, office, report and
workspace show the same, and nothing finer exists.

- A cell is shown from five on, within a province from twenty on. A smaller one goes into the rest; a province into its
  country's others first.
- A cell moves by nothing or by five at least, and keeps its old number until then; the difference is in the rest.
  What counts is the number that was shown last, however long ago, so that nobody can wait for it to come back.
- The rest is nothing, or five at least. Where it would be less, the first publication merges a cell more, drawn by lot,
  a small one likelier: were it the smallest, a tie would tell. Each later one shows all numbers as they were shown
  before, so that what came since is in the rest.
- So that a rest of one or two does not hold everything back for ever, each publication leaves one of the largest cells
  as it was, by its turn and whatever the numbers are.
- Where the cells of a group would all have to be as full as hidden ones can be, the group is not shown: each could be
  worked out.
- A district is shown only where its province is, and where twenty people of the province are in none that is shown.
  Who named no district is never counted apart, and may be any number.

What is decided rests on what was published before, on what is published now, and on lots. So whoever knows these rules
learns no more than whoever does not: for each hidden cell another number would have led to the same publications.
``tests/rules/test_suppression_attack.py`` tries all other numbers there are.

What this does not hide is the live count, which anybody may read at any moment: whoever reads it often sees how many
came in an hour, less how many left. It says nothing about who they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from app.rules.places import SUBDIVISIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    #: Takes weights and returns the position of one, drawn by them.
    Lot = Callable[[Sequence[float]], int]

#: The smallest number that is shown, and the smallest step that a shown number takes.
SMALLEST: Final = 5
#: The smallest number that is shown of anything finer than a province, and that a province has left over beside them.
SMALLEST_WITHIN: Final = 20
#: What the cells of a group must be able to hold beyond what is said of them, so that no one of them is known.
ROOM: Final = 2
#: How many cells take turns in staying as they were.
IN_TURN: Final = 3

#: A country, and a subdivision or None.
Place = tuple[str, str | None]
Value = TypeVar("Value")

#: What becomes of forms that are not in the verified count, in the order of a report.
STEPS: Final = (
    "not_confirmed", "not_eligible", "duplicates", "quarantined", "withdrawn", "removed", "in_progress",
)  # fmt: skip
#: In which order steps are merged where one must be: by what is least missed, and never by how many there are.
_MERGED_FIRST: Final = (
    "in_progress", "not_confirmed", "duplicates", "not_eligible", "withdrawn", "removed", "quarantined",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breakdown(Generic[Value]):
    """What may be published: ``cells`` and ``rest`` add up to ``total``."""

    total: int
    cells: Mapping[Value, int]
    rest: int


@dataclass(frozen=True, slots=True)
class Past(Generic[Value]):
    """What was published before: the number that each cell was shown with last, and the cells that were shown last."""

    shown: Mapping[Value, int]
    latest: Mapping[Value, int]


def look_back(published: Iterable[Mapping[Value, int]]) -> Past[Value]:
    """Return what is to be known of earlier publications, from their cells, oldest first."""
    shown: dict[Value, int] = {}
    latest: Mapping[Value, int] = {}
    for cells in published:
        shown |= cells
        latest = cells or latest
    return Past(shown, latest)


def break_down(counts: Mapping[Place, int], past: Past[Place], *, turn: int, lot: Lot) -> Breakdown[Place]:
    """Return what may be published of ``counts`` by place. ``turn`` is the number of the publication."""
    stays = _find_stay(past, turn)
    cells: dict[Place, int] = {}
    for country in sorted({country for country, _ in (*counts, *past.shown)}):
        cells |= _break_down_country(country, counts, past, stays)
    # Somebody may always live where nobody is seen: there are more countries than cells.
    return _settle(sum(counts.values()), cells, past, room=inf, merge=partial(_draw, lot))


def divide(
    counts: Mapping[Value, int],
    past: Past[Value],
    *,
    lot: Lot,
    turn: int = 0,
    values: Collection[Value] | None = None,
    stays: Value | None = None,
) -> Breakdown[Value]:
    """Return what may be published of ``counts`` by language, day or the like.

    ``values`` are all that anybody can have, None where nobody knows them all. ``stays`` is the value that is left as
    it was shown, or unshown; without it the largest ones take turns.
    """
    stays = _find_stay(past, turn) if stays is None else stays
    domain = {*counts, *past.shown} if values is None else values
    cells, rooms = _step_all(counts, past, domain)
    total = sum(counts.values())
    if stays is None:
        room = inf if values is None else sum(rooms.values())
        return _settle(total, cells, past, room=room, merge=partial(_draw, lot))
    others = inf if values is None else sum(room for value, room in rooms.items() if value != stays)
    if others < ROOM:
        # All others are known; so would be the one that stays. It says nothing only where it hides nothing.
        is_whole = total == sum(cells.values())
        return Breakdown(total, cells, 0) if is_whole else _show_again(total, past)
    cells.pop(stays, None)
    if stays in past.latest:
        cells[stays] = past.latest[stays]
    return _settle(total, cells, past, room=inf, merge=partial(_draw, lot))


def divide_districts(
    counts: Mapping[str, int],
    past: Past[str],
    *,
    provinces: Mapping[str, str],
    places: Breakdown[Place],
    places_before: Mapping[Place, int],
) -> Breakdown[str]:
    """Return what may be published of ``counts`` by district, beside ``places`` and what was shown of them before.

    ``provinces`` says where each district is; one that it does not name is not shown. The districts of a province whose
    number has not moved do not move either.
    """
    cells: dict[str, int] = {}
    for province in sorted(set(provinces.values())):
        place = (province[:2], province)
        if place not in places.cells:
            continue
        own = [code for code in {*counts, *past.shown} if provinces.get(code) == province]
        steps = {code: _step(past.shown.get(code, 0), counts.get(code, 0), SMALLEST_WITHIN) for code in own}
        if places_before.get(place) == places.cells[place]:
            steps = {code: past.latest.get(code, 0) for code in own}
        shown = {code: number for code, number in steps.items() if number}
        # Here the smallest may go: whoever lives there may as well have named no district.
        while shown and places.cells[place] - sum(shown.values()) < SMALLEST_WITHIN:
            del shown[min(shown, key=lambda code: (shown[code], code))]
        cells |= shown
    rest = places.total - sum(cells.values())
    if rest < SMALLEST_WITHIN:
        return Breakdown(places.total, {}, places.total)
    return Breakdown(places.total, cells, rest)


def settle_way(now: Mapping[str, int], before: Mapping[str, int], verified: int) -> list[tuple[str, int]]:
    """Return the way from the forms received to the verified signatures, small steps merged into ``other``.

    ``now`` are the forms at each of ``STEPS``, ``before`` what the last report showed of them (without ``other``, and
    without a sign or with one), ``verified`` the count. Both ends are exact, what lies between is below nought, and all
    add up: forms received, steps, other, verified.
    """
    total = sum(now.values())
    shown = {step: abs(before[step]) for step in STEPS if step in before}
    past = Past(shown, shown)
    cells, rooms = _step_all(now, past, STEPS)
    settled = _settle(total, cells, past, room=sum(rooms.values()), merge=_merge_in_order)
    way = [("forms_received", verified + total)]
    way += [(step, -settled.cells[step]) for step in STEPS if step in settled.cells]
    if settled.rest:
        way.append(("other", -settled.rest))
    return [*way, ("verified", verified)]


def gather(numbers: Iterable[int]) -> list[int]:
    """Return what is shown of each of ``numbers``, one after another: nothing until five have come together, then all.

    What is shown does not change when more numbers follow.
    """
    shown, waiting = [], 0
    for number in numbers:
        waiting += number
        step = _step(0, waiting, SMALLEST)
        shown.append(step)
        waiting -= step
    return shown


def _find_stay(past: Past[Value], turn: int) -> Value | None:
    """Return which of the largest cells stays as it was at this turn; at one turn of each round, none does."""
    largest = sorted(past.latest, key=lambda value: (-past.latest[value], str(value)))[:IN_TURN]
    place = turn % (len(largest) + 1)
    return largest[place] if place < len(largest) else None


def _break_down_country(
    country: str, counts: Mapping[Place, int], past: Past[Place], stays: Place | None
) -> dict[Place, int]:
    """Return the cells of a country: its subdivisions, and the others of it or the whole under None."""
    subdivisions = SUBDIVISIONS.get(country, {})
    own = [(country, subdivision) for subdivision in subdivisions]
    shown, rooms = _step_all(counts, past, own)
    # What came since to the cell that stays is in the rest, not among its country's others.
    seen = {**shown, stays: counts.get(stays, 0)} if stays in rooms else shown
    whole = sum(number for place, number in counts.items() if place[0] == country)
    is_all_listed = whole == sum(counts.get(place, 0) for place in own)
    # Whoever named no subdivision may be any number.
    room = sum(room for place, room in rooms.items() if place != stays) if own and is_all_listed else inf
    others = _step(past.shown.get((country, None), 0), whole - sum(seen.values()), SMALLEST)
    if stays == (country, None):
        others = past.latest[stays]
    elif stays in rooms:
        shown[stays] = past.latest[stays]
    if others and others <= room - ROOM:
        shown[country, None] = others
    return shown


def _step_all(
    counts: Mapping[Value, int], past: Past[Value], values: Iterable[Value]
) -> tuple[dict[Value, int], dict[Value, float]]:
    """Return the cells that are shown by themselves, and how many each value can add to the rest at most."""
    cells: dict[Value, int] = {}
    rooms: dict[Value, float] = {}
    for value in values:
        before = past.shown.get(value, 0)
        step = _step(before, counts.get(value, 0), SMALLEST)
        if step:
            cells[value] = step
        rooms[value] = _room(before, step)
    return cells, rooms


def _step(before: int, now: int, floor: int) -> int:
    """Return what is shown of a cell, 0 where nothing is: the old value until it has moved by five."""
    if before and abs(now - before) < SMALLEST:
        return before
    return now if now >= floor else 0


def _room(before: int, step: int) -> int:
    """Return the most that a cell can add to what is merged, for all that is published of it."""
    if step == 0:
        return min(SMALLEST - 1, before - SMALLEST) if before else SMALLEST - 1
    return SMALLEST - 1 if step == before else 0


def _settle(
    total: int,
    cells: dict[Value, int],
    past: Past[Value],
    *,
    room: float,
    merge: Callable[[Mapping[Value, int]], Value],
) -> Breakdown[Value]:
    """Return the cells with a rest that tells nothing, those that were shown before where there is none such.

    ``room`` is the most that the rest can hold. In the first publication cells are merged as ``merge`` says.
    """
    rest = total - sum(cells.values())
    while rest != 0 and not SMALLEST <= rest <= room - ROOM:
        if past.shown:
            return _show_again(total, past)
        if not cells:
            break
        rest += cells.pop(merge(cells))
        room = inf
    return Breakdown(total, cells, rest)


def _show_again(total: int, past: Past[Value]) -> Breakdown[Value]:
    """Return what was shown last, with the rest that it has now; nothing but the total where there is no such rest."""
    rest = total - sum(past.latest.values())
    return Breakdown(total, past.latest, rest) if rest == 0 or rest >= SMALLEST else Breakdown(total, {}, total)


def _draw(lot: Lot, cells: Mapping[Value, int]) -> Value:
    """Return a cell by lot, one of half the size four times as likely."""
    values = sorted(cells, key=str)
    return values[lot([cells[value] ** -2 for value in values])]


def _merge_in_order(cells: Mapping[str, int]) -> str:
    return min(cells, key=_MERGED_FIRST.index)
