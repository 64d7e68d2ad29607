"""What a rule means, whatever its shape: rules with the same meaning get one and the same form.

It is reached in two steps. The first goes by shape: groups flattened, places merged, repetition and what another
condition implies removed. The second goes by meaning. For each place that the rule names, and for everywhere else, it
finds every least set of things that together are enough to sign there. Rules have no "not", so those sets are unique,
and rules mean the same exactly where they agree on them. From the sets the rule is built again: what stands for itself
is parted by "or", then by "and", and what can be parted by neither is listed in the shorter of its two ways. Rules so
tangled that the sets would be more than ``MOST_WAYS`` keep the form of the first step, which judges as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, assert_never

from app.rules.eligibility.language import (
    AllOf,
    AnyOf,
    Anyone,
    CitizenOf,
    IsOrganisation,
    MinimumAge,
    PermanentResidentOf,
    ResidentIn,
    ResidentOf,
    Rule,
)
from app.rules.places import COUNTRIES, country_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

Kind = Literal["citizen", "permanent", "living", "age", "organisation"]
KINDS: Final[tuple[Kind, ...]] = ("citizen", "permanent", "living", "age", "organisation")
#: Pairs looked at in one step. Rules that people write have under ten; comparing this many takes some milliseconds.
MOST_WAYS: Final = 512


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition. Countries come before subdivisions among the places that people live in."""

    kind: Kind
    places: tuple[str, ...] = ()
    age: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Two conditions or more, of which every one holds or any one is enough; members have the other kind of group."""

    is_all: bool
    members: tuple[Meaning, ...]


Meaning = Leaf | Group
ANYONE: Final = Group(is_all=True, members=())
#: Conditions that nobody meets together: one lives in one place, so nobody lives in Canada and in France.
NOBODY: Final = Group(is_all=False, members=())
ORGANISATION: Final = Leaf("organisation")
#: The place that no rule names.
_ELSEWHERE: Final = ""


@lru_cache(maxsize=256)
def meaning_of(rule: Rule) -> Meaning:
    """Return what ``rule`` means; places of one kind stand in the order in which the rule first names them."""
    plain = _plain(rule)
    try:
        simplest = _simplest(plain)
    except _Tangled:
        simplest = plain
    return _in_order_of(simplest, _plain_places(rule))


def leaves_of(one: Meaning) -> list[Leaf]:
    """Return every condition in a meaning."""
    if isinstance(one, Leaf):
        return [one]
    return [leaf for member in one.members for leaf in leaves_of(member)]


def kinds_of(one: Meaning) -> set[Kind]:
    """Return the kinds of condition in a meaning."""
    return {leaf.kind for leaf in leaves_of(one)}


def is_at(place: str, leaf: Leaf) -> bool:
    """Tell whether who lives at ``place`` lives in one of the places of ``leaf``."""
    return place in leaf.places or country_of(place) in leaf.places


def enough_anywhere(one: Meaning, *, is_organisation: bool) -> set[Leaf]:
    """Return the conditions, but for places, that can decide for somebody somewhere."""
    places = {_ELSEWHERE, *(place for leaf in leaves_of(one) if leaf.kind == "living" for place in leaf.places)}
    return set().union(*(enough_at(one, place, is_organisation=is_organisation) for place in places))


def enough_at(one: Meaning, place: str, *, is_organisation: bool) -> set[Leaf]:
    """Return the conditions that can decide for whoever lives at ``place``; every one where there are too many."""
    try:
        ways = _ways(_split(one), place, 1)
    except _Tangled:
        return {leaf for leaf in leaves_of(one) if leaf.kind not in {"living", "organisation"}}
    # An organisation has that condition behind it; for a person, what asks for it is no way.
    least = _least(
        (leaves - {ORGANISATION}, level) for leaves, level in ways if is_organisation or ORGANISATION not in leaves
    )
    ages = {Leaf("age", age=level) for _, level in least if level != _NO_AGE}
    return ages.union(*(leaves for leaves, _ in least))


def takes_organisations_at(one: Meaning, place: str) -> bool:
    """Tell whether organisations at ``place`` may sign for what they are, and not as anyone might."""
    try:
        return any(ORGANISATION in leaves for leaves, _ in _ways(_split(one), place, 1))
    except _Tangled:
        return ORGANISATION in leaves_of(one)


# By shape


def _plain(rule: Rule) -> Meaning:  # noqa: PLR0911 - one for each kind of rule
    match rule:
        case AnyOf(rules):
            return any_of([_plain(one) for one in rules])
        case AllOf(rules):
            return all_of([_plain(one) for one in rules])
        case CitizenOf(countries):
            return Leaf("citizen", tuple(sorted(set(countries))))
        case PermanentResidentOf(countries):
            return Leaf("permanent", tuple(sorted(set(countries))))
        case ResidentOf(places) | ResidentIn(places):
            return Leaf("living", _lived_in(places))
        case MinimumAge(age):
            return Leaf("age", age=age)
        case IsOrganisation():
            return ORGANISATION
        case Anyone():
            return ANYONE
    assert_never(rule)


def any_of(members: Sequence[Meaning]) -> Meaning:
    """Return the meaning of one being enough: conditions of a kind become one."""
    if ANYONE in members:
        return ANYONE
    flat = _flatten(members, is_all=False)
    merged: dict[Kind, Leaf] = {}
    for one in flat:
        if isinstance(one, Leaf):
            merged[one.kind] = _either_leaf(merged.get(one.kind, one), one)
    return _group([*merged.values(), *(one for one in flat if isinstance(one, Group))], is_all=False)


def all_of(members: Sequence[Meaning]) -> Meaning:
    """Return the meaning of every one holding: conditions that another one implies go."""
    flat = _flatten(members, is_all=True)
    kept: list[Meaning] = []
    for index, one in enumerate(flat):
        others = [*kept, *flat[index + 1 :]]
        if not (isinstance(one, Leaf) and any(isinstance(other, Leaf) and _implies(other, one) for other in others)):
            kept.append(one)
    return _group(kept, is_all=True)


def _flatten(members: Sequence[Meaning], *, is_all: bool) -> list[Meaning]:
    """Return ``members``, with those of an inner group of the same kind in its place."""
    flat: list[Meaning] = []
    for one in members:
        flat += one.members if isinstance(one, Group) and one.is_all == is_all else (one,)
    return flat


def _group(members: Sequence[Meaning], *, is_all: bool) -> Meaning:
    """Return ``members`` as a group in the order in which sentences name them, or the only one."""
    ordered = sorted(set(members), key=_rank)
    return ordered[0] if len(ordered) == 1 else Group(is_all, tuple(ordered))


def _rank(one: Meaning) -> tuple[object, ...]:
    """Return where a sentence names it: citizens first, organisations last, and the plain before the composed."""
    leaves = leaves_of(one)
    first = min((KINDS.index(leaf.kind) for leaf in leaves), default=len(KINDS))
    return first, len(leaves), [(KINDS.index(leaf.kind), leaf.places, leaf.age) for leaf in leaves], repr(one)


def _lived_in(places: Iterable[str]) -> tuple[str, ...]:
    """Return ``places`` once each, countries first, and no subdivision of a country that is there."""
    countries = sorted(COUNTRIES.intersection(places))
    parts = sorted(place for place in set(places) - COUNTRIES if country_of(place) not in countries)
    return (*countries, *parts)


def _either_leaf(one: Leaf, other: Leaf) -> Leaf:
    """Return the condition that holds where one of two, of the same kind, does."""
    if one.kind == "living":
        return Leaf("living", _lived_in((*one.places, *other.places)))
    return Leaf(one.kind, tuple(sorted({*one.places, *other.places})), min(one.age, other.age))


def _implies(one: Leaf, other: Leaf) -> bool:
    """Tell whether ``other`` holds for everyone for whom ``one`` does."""
    if one.kind != other.kind:
        return False
    if one.kind == "living":
        return all(is_at(place, other) for place in one.places)
    return set(one.places) <= set(other.places) and one.age >= other.age


# By meaning. A *way* is a set of conditions, places left out, with the age that it asks. Read forwards (sign 1) the
# ways are sets that are enough to sign; read backwards (sign -1) "any" and "all" change places, and so do "enough" and
# "needed": each way is a set of which at least one must hold. Ages then count downwards, so that in both directions a
# larger level asks more.

_Way = tuple[frozenset[Leaf], int]
_Terms = frozenset[frozenset[Leaf]]
_NO_AGE: Final = -1000


class _Tangled(Exception):
    """More ways than are worth looking at."""


def _simplest(plain: Meaning) -> Meaning:
    """Return the one form of everything that means what ``plain`` does."""
    terms = _merge(_cover(_split(plain), 1))
    if not terms:
        return NOBODY
    return ANYONE if frozenset() in terms else _shape(terms)


def _shape(terms: _Terms) -> Meaning:
    """Return the form of a meaning, given the sets that are enough."""
    if len(terms) == 1 and len(next(iter(terms))) == 1:
        return next(iter(next(iter(terms))))
    parts = _parted(terms)
    if len(parts) > 1:
        return any_of([_shape(part) for part in parts])
    clauses = _cover(_of_sets(terms, is_all=False), -1)
    parts = _parted(clauses)
    if len(parts) > 1:
        return all_of([_shape(_cover(_of_sets(part, is_all=True), 1)) for part in parts])
    if sum(map(len, clauses)) < sum(map(len, terms)):
        return all_of([any_of(list(clause)) for clause in clauses])
    return any_of([all_of(list(term)) for term in terms])


def _of_sets(sets: _Terms, *, is_all: bool) -> Meaning:
    """Return the meaning of sets of conditions: all of any of them, or any of all of them."""
    return Group(is_all, tuple(Group(not is_all, tuple(one)) for one in sets))


def _parted(sets: _Terms) -> list[_Terms]:
    """Return ``sets`` in parts that share no condition. Where one lives is one condition, and so is one's age."""
    parts: list[tuple[set[object], set[frozenset[Leaf]]]] = []
    for one in sets:
        named: set[object] = {leaf if leaf.kind in {"citizen", "permanent"} else leaf.kind for leaf in one}
        gathered = {one}
        for part in [part for part in parts if part[0] & named]:
            parts.remove(part)
            named |= part[0]
            gathered |= part[1]
        parts.append((named, gathered))
    return [frozenset(gathered) for _, gathered in parts]


def _cover(one: Meaning, sign: int) -> _Terms:
    """Return the sets of conditions that are enough (sign 1), or of which one is needed (sign -1), places included.

    A way that is least somewhere is said with the places where it is, or with none where it is least everywhere else.
    Backwards it is said with the places where it is not needed.
    """
    living = [leaf for leaf in leaves_of(one) if leaf.kind == "living"]
    places = {_ELSEWHERE, *(place for leaf in living for place in leaf.places)}
    known: dict[tuple[bool, ...], list[_Way]] = {}
    at: dict[str, list[_Way]] = {}
    for place in places:
        alike = tuple(is_at(place, leaf) for leaf in living)
        if alike not in known:
            known[alike] = _ways(one, place, sign)
        at[place] = known[alike]
    found = set()
    for way in {way for ways in known.values() for way in ways}:
        if sign > 0:
            where = {place for place in places if way in at[place]}
        else:
            where = {place for place in places if not any(_asks_no_more(other, way) for other in at[place])}
        leaves, level = way
        if level != _NO_AGE:
            leaves |= {Leaf("age", age=sign * level)}
        if where and _ELSEWHERE not in where:
            leaves |= {Leaf("living", _lived_in(where))}
        found.add(leaves)
    return frozenset(found)


def _ways(one: Meaning, place: str, sign: int) -> list[_Way]:
    """Return the least ways of a meaning for whoever lives at ``place``."""
    if isinstance(one, Leaf):
        if one.kind == "living":
            return [(frozenset(), _NO_AGE)] if is_at(place, one) == (sign > 0) else []
        return [(frozenset(), sign * one.age)] if one.kind == "age" else [(frozenset({one}), _NO_AGE)]
    lists = [_ways(member, place, sign) for member in one.members]
    if one.is_all != (sign > 0):
        return _least([way for ways in lists for way in ways])
    joined: list[_Way] = [(frozenset(), _NO_AGE)]
    for ways in lists:
        if len(joined) * len(ways) > MOST_WAYS:
            raise _Tangled
        joined = _least([(left | right, max(low, high)) for left, low in joined for right, high in ways])
    return joined


def _least(ways: Iterable[_Way]) -> list[_Way]:
    """Return those of ``ways`` that ask no more than any other."""
    kept: list[_Way] = []
    for way in sorted(set(ways), key=lambda each: (len(each[0]), each[1])):
        if not any(_asks_no_more(other, way) for other in kept):
            kept.append(way)
        if len(kept) > MOST_WAYS:
            raise _Tangled
    return kept


def _asks_no_more(one: _Way, other: _Way) -> bool:
    """Tell whether whoever meets ``other`` meets ``one``."""
    return one[0] <= other[0] and one[1] <= other[1]


def _split(one: Meaning) -> Meaning:
    """Return a meaning whose conditions name the same countries or no country in common.

    Countries that always stand together stay together: a list of fifty is one condition and not fifty.
    """
    leaves = {leaf for leaf in leaves_of(one) if leaf.kind in {"citizen", "permanent"}}
    alike: dict[tuple[Kind, frozenset[Leaf]], list[str]] = {}
    for kind, country in sorted({(leaf.kind, country) for leaf in leaves for country in leaf.places}):
        within = frozenset(leaf for leaf in leaves if leaf.kind == kind and country in leaf.places)
        alike.setdefault((kind, within), []).append(country)
    pieces: dict[Leaf, list[Meaning]] = {}
    for (kind, within), countries in alike.items():
        for leaf in within:
            pieces.setdefault(leaf, []).append(Leaf(kind, tuple(countries)))
    return _each_leaf(one, lambda leaf: Group(is_all=False, members=tuple(pieces.get(leaf, [leaf]))))


def _merge(terms: _Terms) -> _Terms:
    """Return ``terms`` with countries in one condition wherever any of them does what any other does."""
    alike: dict[tuple[Kind, _Terms], list[Leaf]] = {}
    for leaf in {leaf for term in terms for leaf in term if leaf.kind in {"citizen", "permanent"}}:
        beside = frozenset(term - {leaf} for term in terms if leaf in term)
        alike.setdefault((leaf.kind, beside), []).append(leaf)
    whole: dict[Leaf, Leaf] = {}
    for (kind, _), leaves in alike.items():
        places = tuple(sorted(place for leaf in leaves for place in leaf.places))
        whole |= dict.fromkeys(leaves, Leaf(kind, places))
    return frozenset(frozenset(whole.get(leaf, leaf) for leaf in term) for term in terms)


# Order of places


def _plain_places(rule: Rule) -> Mapping[Kind, Mapping[str, int]]:
    """Return where each place first stands in the rule, by kind of condition."""
    found: dict[Kind, dict[str, int]] = {"citizen": {}, "permanent": {}, "living": {}}

    def walk(one: Rule) -> None:
        match one:
            case AnyOf(rules) | AllOf(rules):
                for member in rules:
                    walk(member)
            case CitizenOf(places):
                note("citizen", places)
            case PermanentResidentOf(places):
                note("permanent", places)
            case ResidentOf(places) | ResidentIn(places):
                note("living", places)
            case _:
                pass

    def note(kind: Kind, places: tuple[str, ...]) -> None:
        for place in places:
            found[kind].setdefault(place, len(found[kind]))

    walk(rule)
    return found


def _in_order_of(one: Meaning, order: Mapping[Kind, Mapping[str, int]]) -> Meaning:
    """Return a meaning whose places stand in ``order``, countries before subdivisions."""

    def ordered(leaf: Leaf) -> Leaf:
        first = order.get(leaf.kind, {})
        return replace(leaf, places=tuple(sorted(leaf.places, key=lambda place: (len(place) > 2, first[place]))))  # noqa: PLR2004 - the length of a country's code

    return _each_leaf(one, ordered)


def _each_leaf(one: Meaning, change: Callable[[Leaf], Meaning]) -> Meaning:
    """Return a meaning with each of its conditions changed."""
    if isinstance(one, Leaf):
        return change(one)
    return Group(one.is_all, tuple(_each_leaf(member, change) for member in one.members))
