"""Who may sign: a rule as data, the reasons against a signer, what a form asks, and the rule in words.

The language of rules is a public contract (shared/real-campaigns/README.md). Whatever a rule's shape, it is first
brought to a *meaning*: groups flattened, places merged, repetition removed. Judging, asking and speaking all work on
that meaning, so two rules that say the same thing differ in nothing that a signer can see but the order of places.

The sentences follow shared/design/glossary.md, section 4. They are built here, since each language orders them in its
own way; the words they are built from stand in three tables, one a language, for whoever reviews them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, assert_never

from app.i18n.catalogues import Locale, Message, message, say
from app.i18n.formats import format_number, khmer_digits
from app.rules.places import COUNTRIES, both, country_of, either, in_places, is_subdivision, of_places, place_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

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


# What a rule means

_Kind = Literal["citizen", "permanent", "living", "age", "organisation"]
_KINDS: Final[tuple[_Kind, ...]] = ("citizen", "permanent", "living", "age", "organisation")


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One condition. Countries come before subdivisions among the places that people live in."""

    kind: _Kind
    places: tuple[str, ...] = ()
    age: int = 0


@dataclass(frozen=True, slots=True)
class _Group:
    """Two conditions or more, of which every one holds or any one is enough; members have the other kind of group."""

    is_all: bool
    members: tuple[_Meaning, ...]


_Meaning = _Leaf | _Group
_ANYONE: Final = _Group(is_all=True, members=())


@lru_cache(maxsize=256)
def _meaning(rule: Rule) -> _Meaning:  # noqa: PLR0911 - one for each kind of rule
    """Return what ``rule`` means."""
    match rule:
        case AnyOf(rules):
            return _any_of([_meaning(one) for one in rules])
        case AllOf(rules):
            return _all_of([_meaning(one) for one in rules])
        case CitizenOf(countries):
            return _Leaf("citizen", tuple(dict.fromkeys(countries)))
        case PermanentResidentOf(countries):
            return _Leaf("permanent", tuple(dict.fromkeys(countries)))
        case ResidentOf(places) | ResidentIn(places):
            return _Leaf("living", _places_lived_in(places))
        case MinimumAge(age):
            return _Leaf("age", age=age)
        case IsOrganisation():
            return _Leaf("organisation")
        case Anyone():
            return _ANYONE
    assert_never(rule)


def _any_of(members: Sequence[_Meaning]) -> _Meaning:
    """Return the meaning of one being enough: conditions of a kind become one."""
    if _ANYONE in members:
        return _ANYONE
    flat = _flatten(members, is_all=False)
    merged: dict[_Kind, _Leaf] = {}
    for one in flat:
        if isinstance(one, _Leaf):
            merged[one.kind] = _either_leaf(merged.get(one.kind, one), one)
    return _group([*merged.values(), *(one for one in flat if isinstance(one, _Group))], is_all=False)


def _all_of(members: Sequence[_Meaning]) -> _Meaning:
    """Return the meaning of every one holding: conditions that another one implies go."""
    flat = _flatten(members, is_all=True)
    kept: list[_Meaning] = []
    for index, one in enumerate(flat):
        others = [*kept, *flat[index + 1 :]]
        if not (isinstance(one, _Leaf) and any(isinstance(other, _Leaf) and _implies(other, one) for other in others)):
            kept.append(one)
    return _group(kept, is_all=True)


def _flatten(members: Sequence[_Meaning], *, is_all: bool) -> list[_Meaning]:
    """Return ``members``, with those of an inner group of the same kind in its place."""
    flat: list[_Meaning] = []
    for one in members:
        flat += one.members if isinstance(one, _Group) and one.is_all == is_all else (one,)
    return flat


def _group(members: Sequence[_Meaning], *, is_all: bool) -> _Meaning:
    """Return ``members`` as a group in the order in which sentences name them, or the only one."""
    distinct: dict[object, _Meaning] = {}
    for one in members:
        distinct.setdefault(_key(one), one)
    ordered = sorted(distinct.values(), key=_rank)
    return ordered[0] if len(ordered) == 1 else _Group(is_all, tuple(ordered))


def _key(one: _Meaning) -> object:
    """Return something equal for meanings that differ in order alone."""
    if isinstance(one, _Leaf):
        return one.kind, frozenset(one.places), one.age
    return one.is_all, frozenset(_key(member) for member in one.members)


def _rank(one: _Meaning) -> int:
    """Return where a sentence names it: citizens first, organisations last."""
    if isinstance(one, _Leaf):
        return _KINDS.index(one.kind)
    return min(_rank(member) for member in one.members)


def _places_lived_in(places: Sequence[str]) -> tuple[str, ...]:
    """Return ``places`` without repetition, countries first, and no subdivision of a country that is there."""
    countries = [place for place in dict.fromkeys(places) if place in COUNTRIES]
    parts = [place for place in dict.fromkeys(places) if place not in COUNTRIES and country_of(place) not in countries]
    return (*countries, *parts)


def _either_leaf(one: _Leaf, other: _Leaf) -> _Leaf:
    """Return the condition that holds where one of two, of the same kind, does."""
    if one.kind == "living":
        return _Leaf("living", _places_lived_in((*one.places, *other.places)))
    return _Leaf(one.kind, tuple(dict.fromkeys((*one.places, *other.places))), min(one.age, other.age))


def _implies(one: _Leaf, other: _Leaf) -> bool:
    """Tell whether ``other`` holds for everyone for whom ``one`` does."""
    if one.kind != other.kind:
        return False
    if one.kind == "living":
        return all(place in other.places or country_of(place) in other.places for place in one.places)
    return set(one.places) <= set(other.places) and one.age >= other.age


# Judging

_AGE_CLAIM: Final = re.compile(r"minimum_age:([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class _Reason(Message):
    """A sentence about a condition, which each language puts in its own words."""

    condition: _Meaning = _ANYONE

    def say(self, locale: Locale) -> str:
        """Return the sentence in ``locale``."""
        return say(locale, self.sentence, condition=_requirement(self.condition, locale))


def reasons_against(rule: Rule, signer: Signer) -> tuple[Message, ...]:
    """Return why ``signer`` may not sign, in whole sentences; none for one who may.

    There is a reason for each condition of which every one must hold, and a single one where any is enough.
    """
    meaning = _meaning(rule)
    conditions = meaning.members if isinstance(meaning, _Group) and meaning.is_all else (meaning,)
    return tuple(_Reason(_sentence(one), condition=one) for one in conditions if not _holds(one, signer))


def _holds(one: _Meaning, signer: Signer) -> bool:
    """Tell whether a condition holds for ``signer``."""
    if isinstance(one, _Group):
        results = (_holds(member, signer) for member in one.members)
        return all(results) if one.is_all else any(results)
    match one.kind:
        case "citizen":
            return any(f"citizen_of:{country}" in signer.claims for country in one.places)
        case "permanent":
            return any(f"permanent_resident_of:{country}" in signer.claims for country in one.places)
        case "living":
            return signer.country in one.places or _lives_in_part(signer, one.places)
        case "age":
            return any(int(found[1]) >= one.age for claim in signer.claims if (found := _AGE_CLAIM.fullmatch(claim)))
        case "organisation":
            return signer.is_organisation
    assert_never(one.kind)


def _lives_in_part(signer: Signer, places: tuple[str, ...]) -> bool:
    """Tell whether the signer's province or state is among ``places``."""
    part = signer.subdivision
    return part is not None and country_of(part) == signer.country and part in places


def _sentence(one: _Meaning) -> str:
    """Return the sentence that says what is missing."""
    kinds = _kinds(one)
    if kinds == {"living"}:
        reason = message("To sign, you must %(condition)s. That is not the place you gave.")
    elif kinds == {"organisation"}:
        reason = message("Only organisations can sign this. You are signing for yourself.")
    elif kinds <= {"citizen", "permanent"}:
        reason = message("To sign, you must %(condition)s. You have not told us that you are.")
    elif kinds == {"age"}:
        reason = message("To sign, you must %(condition)s. You have not told us that you are old enough.")
    else:
        reason = message("To sign, you must %(condition)s. What you told us does not show it.")
    return reason.sentence


def _kinds(one: _Meaning) -> set[_Kind]:
    """Return the kinds of condition in a meaning."""
    if isinstance(one, _Leaf):
        return {one.kind}
    return set().union(*(_kinds(member) for member in one.members))


# Asking


@lru_cache(maxsize=256)
def claims_of(rule: Rule) -> tuple[str, ...]:
    """Return what a form must ask: citizenships, permanent residences, ages, each in alphabetical or rising order.

    Residence is never among them: it comes from the country and subdivision that everyone gives. What cannot change
    the outcome is not asked.
    """
    leaves = _leaves(_meaning(rule))
    citizen = {f"citizen_of:{country}" for one in leaves if one.kind == "citizen" for country in one.places}
    permanent = {f"permanent_resident_of:{place}" for one in leaves if one.kind == "permanent" for place in one.places}
    ages = {one.age for one in leaves if one.kind == "age"}
    return (*sorted(citizen), *sorted(permanent), *(f"minimum_age:{age}" for age in sorted(ages)))


def claim_label(claim: str, locale: Locale) -> str:
    """Return the words beside a claim's box; ValueError for what is no claim.

    They go on from one legend, whatever the claim: "Are you:", « Avez-vous : » (and so French names what one has), and
    «តើលោកអ្នកជា៖».
    """
    key, _, value = claim.partition(":")
    if claim == "permanent_resident_of:CA":
        return say(locale, "a permanent resident of Canada")
    if key == "citizen_of" and value in COUNTRIES:
        return say(locale, "a citizen %(of_country)s", of_country=of_places([value], locale))
    if key == "permanent_resident_of" and value in COUNTRIES:
        where = in_places([value], locale) if locale == "fr" else of_places([value], locale)
        return say(locale, "a permanent resident %(of_country)s", of_country=where)
    if _AGE_CLAIM.fullmatch(claim) and LOWEST_AGE <= int(value) <= HIGHEST_AGE:
        return say(locale, "aged %(age)s or over", age=format_number(int(value), locale))
    raise ValueError(claim)


def _leaves(one: _Meaning) -> list[_Leaf]:
    """Return every condition in a meaning."""
    if isinstance(one, _Leaf):
        return [one]
    return [leaf for member in one.members for leaf in _leaves(member)]


# Speaking. A condition has three faces: the *people* who meet it (citizens of Canada; French leaves out «personnes»,
# which is said once), the *condition* in a list (citizen of Canada), and what one must *do* (be a citizen of Canada).


@dataclass(frozen=True, slots=True)
class _Face:
    """The words of one face; ``%`` stands for places or an age.

    ``shared`` is what a citizenship and a permanent residence say once for both. ``every`` and ``one`` open a list that
    stands inside a sentence.
    """

    citizen: str
    permanent: str
    living: str
    age: str
    organisation: str
    every: str
    one: str
    shared: str = ""

    def phrase(self, leaf: _Leaf, locale: Locale) -> str:
        """Return the words for one condition."""
        match leaf.kind:
            case "citizen":
                return self.citizen.replace("%", of_places(leaf.places, locale))
            case "permanent":
                # French has no "resident of"; Khmer names places alike in both.
                where = of_places(leaf.places, locale) if locale == "en" else in_places(leaf.places, locale)
                return self.permanent.replace("%", where)
            case "living":
                return self.living.replace("%", in_places(leaf.places, locale))
            case "age":
                return self.age.replace("%", format_number(leaf.age, locale))
            case "organisation":
                return self.organisation
        assert_never(leaf.kind)


_ENGLISH_PEOPLE: Final = _Face(
    citizen="citizens %",
    permanent="permanent residents %",
    living="people living %",
    age="people aged % or over",
    organisation="organisations",
    every="people who meet all of these conditions",
    one="people who meet one of these conditions",
)
_ENGLISH_CONDITION: Final = _Face(
    citizen="citizen %",
    permanent="permanent resident %",
    living="living %",
    age="aged % or over",
    organisation="signing for an organisation",
    every="meeting all of these conditions",
    one="meeting one of these conditions",
)
_ENGLISH_DEED: Final = _Face(
    citizen="be a citizen %",
    permanent="be a permanent resident %",
    living="live %",
    age="be % or over",
    organisation="sign for an organisation",
    every="meet all of these conditions",
    one="meet one of these conditions",
    shared="be a ",
)
_FRENCH_PEOPLE: Final = _Face(
    citizen="ayant la citoyenneté %",
    permanent="ayant la résidence permanente %",
    living="vivant %",
    age="âgées de % ans ou plus",
    organisation="organismes",
    every="remplissant toutes ces conditions",
    one="remplissant l’une de ces conditions",
    shared="ayant ",
)
_FRENCH_DEED: Final = _Face(
    citizen="avoir la citoyenneté %",
    permanent="avoir la résidence permanente %",
    living="vivre %",
    age="avoir % ans ou plus",
    organisation="signer au nom d’un organisme",
    every="remplir toutes ces conditions",
    one="remplir l’une de ces conditions",
    shared="avoir ",
)
_KHMER_PEOPLE: Final = _Face(
    citizen="ពលរដ្ឋ%",
    permanent="អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅ%",
    living="អ្នករស់នៅ%",
    age="អ្នកមានអាយុចាប់ពី % ឆ្នាំឡើងទៅ",
    organisation="អង្គការ និងសមាគម",
    every="អ្នកដែលបំពេញលក្ខខណ្ឌទាំងអស់នេះ",
    one="អ្នកដែលបំពេញលក្ខខណ្ឌណាមួយខាងក្រោម",
)
_KHMER_DEED: Final = _Face(
    citizen="ជាពលរដ្ឋ%",
    permanent="ជាអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅ%",
    living="រស់នៅ%",
    age="មានអាយុចាប់ពី % ឆ្នាំឡើងទៅ",
    organisation="ចុះហត្ថលេខាក្នុងនាមអង្គការ ឬសមាគម",
    every="បំពេញលក្ខខណ្ឌទាំងអស់នេះ",
    one="បំពេញលក្ខខណ្ឌណាមួយខាងក្រោម",
    shared="ជា",
)
_PEOPLE: Final[Mapping[Locale, _Face]] = {"en": _ENGLISH_PEOPLE, "fr": _FRENCH_PEOPLE, "km": _KHMER_PEOPLE}
_CONDITION: Final[Mapping[Locale, _Face]] = {"en": _ENGLISH_CONDITION, "fr": _FRENCH_DEED, "km": _KHMER_DEED}
_DEED: Final[Mapping[Locale, _Face]] = {"en": _ENGLISH_DEED, "fr": _FRENCH_DEED, "km": _KHMER_DEED}
_ANYONE_SAID: Final[Mapping[Locale, str]] = {"en": "anyone", "fr": "tout le monde", "km": "អ្នកណាក៏ចុះហត្ថលេខាបាន"}
_ALL_OF: Final[Mapping[Locale, str]] = {
    "en": "all of these: ",
    "fr": "toutes ces conditions\u00a0: ",
    "km": "លក្ខខណ្ឌទាំងអស់នេះ៖ ",
}


_BASED: Final[Mapping[Locale, str]] = {
    "en": "organisations based %",
    "fr": "organismes établis %",
    "km": "អង្គការ និងសមាគម ដែលមានទីតាំងនៅ%",
}


def who_can_sign(rule: Rule, locale: Locale) -> str:
    """Return who may sign, without a capital at its start or a stop at its end: the caller knows what is around it."""
    meaning = _meaning(rule)
    if meaning == _ANYONE:
        return _ANYONE_SAID[locale]
    if isinstance(meaning, _Group) and not meaning.is_all:
        return _any_people(meaning, locale)
    if isinstance(meaning, _Group) and not _is_simple(meaning):
        return _ALL_OF[locale] + _list(meaning, _CONDITION[locale], locale, "")
    return _people(meaning, locale, "")


def _requirement(one: _Meaning, locale: Locale) -> str:
    """Return what one must do to meet a condition."""
    return _item(one, _DEED[locale], locale, "")


def _any_people(group: _Group, locale: Locale) -> str:
    """Return the people of whom any may sign."""
    persons = [one for one in group.members if isinstance(one, _Leaf) and one.kind != "organisation"]
    groups = [one for one in group.members if isinstance(one, _Group)]
    if len(persons) == len(group.members):
        return _house_people(group, locale) or _persons(persons, locale)
    if not groups and locale == "en":
        phrases = _phrases(persons, _ENGLISH_PEOPLE, both, "en")
        return both([*phrases, _ENGLISH_PEOPLE.organisation], "en")
    parts = [_persons(persons, locale)] if persons else []
    parts += [_people(one, locale, f"{number}.") for number, one in enumerate(groups, len(parts) + 1)]
    if len(persons) + len(groups) < len(group.members):
        parts.append(_PEOPLE[locale].organisation)
    if locale == "km":
        return _numbered(parts, "")
    if locale == "fr":
        return "; ".join(parts)
    return f"{'; '.join(parts[:-1])}; and {parts[-1]}"


def _house_people(group: _Group, locale: Locale) -> str:
    """Return the House of Commons' own words for citizens and residents of one country; empty for anyone else."""
    if [one.kind for one in _leaves(group)] != ["citizen", "living"]:
        return ""
    citizens, residents = _leaves(group)
    if citizens.places != residents.places or len(citizens.places) > 1:
        return ""
    if locale == "en":
        return f"residents {of_places(citizens.places, locale)}, and citizens wherever they live"
    living, citizenship = (_PEOPLE[locale].phrase(one, locale) for one in (residents, citizens))
    if locale == "fr":
        return f"personnes {living}, ou {citizenship} où qu’elles vivent"
    return f"{living} និង{citizenship} ទោះរស់នៅទីណាក៏ដោយ"


def _persons(leaves: Sequence[_Leaf], locale: Locale) -> str:
    """Return the people who meet one of several plain conditions."""
    face = _PEOPLE[locale]
    if locale == "fr":
        return "personnes " + either(_phrases(leaves, face, either, locale), locale)
    return both(_phrases(leaves, face, both, locale), locale)


def _people(one: _Meaning, locale: Locale, number: str) -> str:
    """Return the people who meet a condition, or every one of several; ``number`` opens those of a list in it."""
    if isinstance(one, _Leaf):
        return _PEOPLE[locale].organisation if one.kind == "organisation" else _persons([one], locale)
    if not _is_simple(one):
        those = _opened_list(one, _PEOPLE[locale].every, _CONDITION[locale], locale, number)
        return f"personnes {those}" if locale == "fr" else those
    leaves = _leaves(one)
    if leaves[-1].kind == "organisation":
        return _BASED[locale].replace("%", in_places(leaves[0].places, locale))
    if locale == "fr":
        return "personnes " + both([_FRENCH_PEOPLE.phrase(leaf, locale) for leaf in leaves], locale)
    if locale == "en":
        return _english_people(leaves)
    head, *rest = leaves
    return (
        f"{_KHMER_PEOPLE.phrase(head, locale)} ដែល{both([_KHMER_DEED.phrase(leaf, locale) for leaf in rest], locale)}"
    )


def _english_people(leaves: Sequence[_Leaf]) -> str:
    """Return people who meet plain conditions of different kinds: Canadian citizens living in France."""
    head, *rest = leaves
    more = both([_ENGLISH_CONDITION.phrase(leaf, "en") for leaf in rest], "en")
    if head.kind == "living":
        return f"{_ENGLISH_PEOPLE.phrase(head, 'en')} and {more}"
    adjective = place_forms(head.places[0], "en").adjective
    if head.kind == "citizen" and rest[0].kind == "living" and len(head.places) == 1 and adjective:
        return f"{adjective} citizens {more}"
    return f"{_ENGLISH_PEOPLE.phrase(head, 'en')} {more}"


def _is_simple(group: _Group) -> bool:
    """Tell whether conditions that must all hold read well as one phrase: at most one of a kind, and one status."""
    kinds = [one.kind for one in group.members if isinstance(one, _Leaf)]
    if len(kinds) < len(group.members) or len(set(kinds)) < len(kinds):
        return False
    if "organisation" in kinds:
        return kinds == ["living", "organisation"]
    return not {"citizen", "permanent"} <= set(kinds)


def _item(one: _Meaning, face: _Face, locale: Locale, number: str) -> str:
    """Return a condition, plain or of several; ``number`` opens those of a list in it."""
    if isinstance(one, _Leaf):
        return face.phrase(one, locale)
    leaves = [member for member in one.members if isinstance(member, _Leaf)]
    if len(leaves) < len(one.members):
        return _opened_list(one, face.every if one.is_all else face.one, face, locale, number)
    join = both if one.is_all else either
    return join(_phrases(leaves, face, join, locale), locale)


def _opened_list(group: _Group, opening: str, face: _Face, locale: Locale, number: str) -> str:
    """Return a list that stands inside a sentence or another list."""
    inner = _list(group, face, locale, number)
    return f"{opening}៖ {inner}" if locale == "km" else f"{opening} ({inner})"


def _list(group: _Group, face: _Face, locale: Locale, number: str) -> str:
    """Return the conditions of a group: parted by semicolons, in Khmer numbered (១) (២), and inside (២.១) (២.២)."""
    if locale != "km":
        return "; ".join(_item(one, face, locale, "") for one in group.members)
    items = [_item(one, face, locale, f"{number}{index}.") for index, one in enumerate(group.members, 1)]
    return _numbered(items, number)


def _numbered(items: Sequence[str], number: str) -> str:
    """Return Khmer ``items`` as a numbered list."""
    return " ".join(f"({khmer_digits(f'{number}{index}')}) {item}" for index, item in enumerate(items, 1))


def _phrases(
    leaves: Sequence[_Leaf], face: _Face, join: Callable[[Sequence[str], Locale], str], locale: Locale
) -> list[str]:
    """Return a phrase for each condition; a citizenship and a permanent residence share what they have in common.

    They come first, when there are both. English shares the places (citizens and permanent residents of Canada), French
    the verb (ayant la citoyenneté canadienne ou la résidence permanente au Canada), Khmer the ជា of a condition.
    """
    phrases = [face.phrase(one, locale) for one in leaves]
    if [one.kind for one in leaves[:2]] != ["citizen", "permanent"]:
        return phrases
    first, second, *rest = phrases
    if locale == "en":
        if leaves[0].places != leaves[1].places:
            return phrases
        first = first.removesuffix(f" {of_places(leaves[0].places, locale)}")
    elif not face.shared:
        return phrases
    halves = [first.removeprefix(face.shared), second.removeprefix(face.shared)]
    return [face.shared + join(halves, locale), *rest]
