"""The language of rules (shared/real-campaigns/README.md): a rule from JSON data and back, and who is judged by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from app.i18n.catalogues import Message, message
from app.rules.places import COUNTRIES, is_subdivision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MOST_NESTED: Final = 8
LOWEST_AGE: Final = 1
HIGHEST_AGE: Final = 120

# The rules


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the rules is enough. Never empty."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of the rules holds. Never empty."""

    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class CitizenOf:
    """A citizen of one of the countries (ISO 3166-1 alpha-2)."""

    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PermanentResidentOf:
    """A permanent resident of one of the countries."""

    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResidentOf:
    """Whoever lives in one of the countries."""

    countries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResidentIn:
    """Whoever lives in one of the subdivisions (ISO 3166-2)."""

    subdivisions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MinimumAge:
    """Whoever is so many years old, or older."""

    age: int


@dataclass(frozen=True, slots=True)
class IsOrganisation:
    """An organisation, through its representative."""


@dataclass(frozen=True, slots=True)
class Anyone:
    """No condition at all."""


Rule = AnyOf | AllOf | CitizenOf | PermanentResidentOf | ResidentOf | ResidentIn | MinimumAge | IsOrganisation | Anyone


@dataclass(frozen=True, slots=True)
class Signer:
    """What a form said of whoever signs: residence, and what was declared (``citizen_of:CA``).

    A subdivision of another country than ``country`` says nothing.
    """

    country: str
    subdivision: str | None
    claims: frozenset[str]
    is_organisation: bool = False


# From data and back


class RuleFault(ValueError):
    """Data that is no rule. ``place`` and ``message`` are the first fault's, ``faults`` has all of them."""

    def __init__(self, faults: Sequence[tuple[str, Message]]) -> None:
        self.faults = tuple(faults)
        self.place, self.message = self.faults[0]
        super().__init__(f"{self.place}: {self.message.sentence}")


def parse_rule(data: object, place: str = "eligibility") -> Rule:
    """Return the rule that JSON ``data`` means; RuleFault, with every fault, if it means none."""
    faults: list[tuple[str, Message]] = []
    rule = _read(data, place, 0, faults)
    if faults:
        raise RuleFault(faults)
    return rule


def rule_as_data(rule: Rule) -> dict[str, object]:  # noqa: PLR0911 - one for each kind of rule
    """Return ``rule`` as JSON data, such that `parse_rule` gives it back."""
    match rule:
        case AnyOf(rules):
            return {"any_of": [rule_as_data(one) for one in rules]}
        case AllOf(rules):
            return {"all_of": [rule_as_data(one) for one in rules]}
        case CitizenOf(countries):
            return {"citizen_of": list(countries)}
        case PermanentResidentOf(countries):
            return {"permanent_resident_of": list(countries)}
        case ResidentOf(countries):
            return {"resident_of": list(countries)}
        case ResidentIn(subdivisions):
            return {"resident_in": list(subdivisions)}
        case MinimumAge(age):
            return {"minimum_age": age}
        case IsOrganisation():
            return {"organisation": True}
        case Anyone():
            return {}
    assert_never(rule)


_KEYS: Final = frozenset(
    {
        "any_of",
        "all_of",
        "citizen_of",
        "permanent_resident_of",
        "resident_of",
        "resident_in",
        "minimum_age",
        "organisation",
    }
)


def _read(data: object, place: str, depth: int, faults: list[tuple[str, Message]]) -> Rule:
    """Return the rule at ``place``; what is wrong goes into ``faults``, and the rule is then of no use."""
    if data == {}:
        return Anyone()
    if not isinstance(data, dict):
        reason = message("This must be a rule: an object in braces.")
    elif len(data) > 1:
        reason = message("A rule has one key. Join several rules with all_of or any_of.")
    elif not _KEYS.issuperset(data):
        reason = message("This is no kind of rule. There are: %(keys)s.", keys=", ".join(sorted(_KEYS)))
    else:
        key, value = next(iter(data.items()))
        return _read_kind(key, value, f"{place}.{key}", depth, faults)
    faults.append((place, reason))
    return Anyone()


def _read_kind(key: str, value: object, place: str, depth: int, faults: list[tuple[str, Message]]) -> Rule:
    """Return the rule that ``key`` and ``value`` make."""
    if key in {"any_of", "all_of"}:
        return _read_group(key, value, place, depth, faults)
    if key == "minimum_age":
        return _read_age(value, place, faults)
    if key != "organisation":
        return _read_places(key, value, place, faults)
    if value is not True:
        faults.append((place, message("This must be true.")))
    return IsOrganisation()


def _read_group(key: str, value: object, place: str, depth: int, faults: list[tuple[str, Message]]) -> Rule:
    """Return any_of or all_of."""
    if depth == MOST_NESTED:
        faults.append((place, message("Rules may be nested %(most)s deep at most.", most=MOST_NESTED)))
        return Anyone()
    items = _items(value, place, faults)
    rules = tuple(_read(one, f"{place}[{index}]", depth + 1, faults) for index, one in enumerate(items))
    return AnyOf(rules) if key == "any_of" else AllOf(rules)


def _read_age(value: object, place: str, faults: list[tuple[str, Message]]) -> Rule:
    """Return a minimum age."""
    if isinstance(value, int) and not isinstance(value, bool) and LOWEST_AGE <= value <= HIGHEST_AGE:
        return MinimumAge(value)
    reason = message("This must be a whole number from %(least)s to %(most)s.", least=LOWEST_AGE, most=HIGHEST_AGE)
    faults.append((place, reason))
    return Anyone()


def _read_places(key: str, value: object, place: str, faults: list[tuple[str, Message]]) -> Rule:
    """Return one of the rules that list places."""
    is_known: Callable[[str], bool] = is_subdivision if key == "resident_in" else COUNTRIES.__contains__
    if key == "resident_in":
        reason = message("This must be a subdivision of ISO 3166-2, such as CA-BC.")
    else:
        reason = message("This must be a country of ISO 3166-1 in two capital letters, such as CA.")
    found: list[str] = []
    for index, one in enumerate(_items(value, place, faults)):
        if isinstance(one, str) and is_known(one):
            found.append(one)
        else:
            faults.append((f"{place}[{index}]", reason))
    places = tuple(found)
    match key:
        case "citizen_of":
            return CitizenOf(places)
        case "permanent_resident_of":
            return PermanentResidentOf(places)
        case "resident_of":
            return ResidentOf(places)
        case _:
            return ResidentIn(places)


def _items(value: object, place: str, faults: list[tuple[str, Message]]) -> list[object]:
    """Return the items of a list that must not be empty."""
    if isinstance(value, list) and value:
        return value
    faults.append((place, message("This must be a list with at least one item.")))
    return []
