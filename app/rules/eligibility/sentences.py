"""A rule in words: who may sign, and what one must do to, as each of three languages orders it.

A condition has three faces: the *people* who meet it (citizens of Canada; French leaves out «personnes», which is said
once), the *condition* in a list (citizen of Canada), and what one must *do* (be a citizen of Canada). The sentences
follow shared/design/glossary.md, section 4. The words that they are built from stand in tables, for whoever reviews
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from app.i18n.formats import format_number, khmer_digits
from app.rules.eligibility.meaning import (
    ANYONE,
    NOBODY,
    ORGANISATION,
    Group,
    Leaf,
    Meaning,
    all_of,
    any_of,
    leaves_of,
    meaning_of,
)
from app.rules.places import both, either, in_places, of_places, place_forms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.i18n.catalogues import Locale
    from app.rules.eligibility.language import Rule


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

    def phrase(self, leaf: Leaf, locale: Locale) -> str:
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
_NOBODY_SAID: Final[Mapping[Locale, str]] = {
    "en": "nobody, since these conditions cannot be met together",
    "fr": "personne, car ces conditions ne peuvent pas être réunies",
    "km": "គ្មានអ្នកណាទេ ព្រោះលក្ខខណ្ឌទាំងនេះមិនអាចបំពេញព្រមគ្នាបាន",
}
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
    meaning = meaning_of(rule)
    if meaning == ANYONE:
        return _ANYONE_SAID[locale]
    if meaning == NOBODY:
        return _NOBODY_SAID[locale]
    told = _organisations_apart(meaning)
    if isinstance(told, Group) and told.is_all and not _is_simple(told):
        return _ALL_OF[locale] + _list(told, _CONDITION[locale], locale, "")
    return _all_people(told, locale)


def those_who_can_sign(rule: Rule, locale: Locale) -> str:
    """Return the people who may sign under a rule that admits some: for the end of a sentence that leads up to them."""
    return _all_people(_organisations_apart(meaning_of(rule)), locale)


def requirement(one: Meaning, locale: Locale) -> str:
    """Return what one must do to meet a condition; nothing can be done for one that nobody meets."""
    if one == NOBODY:
        return ""
    return _item(one, _DEED[locale], locale, "")


def _organisations_apart(meaning: Meaning) -> Meaning:
    """Return a meaning in which people and organisations of the same places are spoken of one after the other.

    "Citizens living in Canada; and organisations based in Canada" reads better than one list of what each must be.
    """
    if not isinstance(meaning, Group) or not meaning.is_all:
        return meaning
    where = [one for one in meaning.members if isinstance(one, Leaf) and one.kind == "living"]
    choices = [one for one in meaning.members if isinstance(one, Group) and ORGANISATION in one.members]
    if (len(where), len(choices), len(meaning.members)) != (1, 1, 2):
        return meaning
    people = any_of([one for one in choices[0].members if one != ORGANISATION])
    return any_of([all_of([people, *where]), all_of([*where, ORGANISATION])])


def _all_people(meaning: Meaning, locale: Locale) -> str:
    """Return the people who may sign."""
    if isinstance(meaning, Group) and not meaning.is_all:
        return _any_people(meaning, locale)
    return _people(meaning, locale, "")


def _any_people(group: Group, locale: Locale) -> str:
    """Return the people of whom any may sign."""
    persons = [one for one in group.members if isinstance(one, Leaf) and one.kind != "organisation"]
    groups = [one for one in group.members if isinstance(one, Group)]
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


def _house_people(group: Group, locale: Locale) -> str:
    """Return the House of Commons' own words for citizens and residents of one country; empty for anyone else."""
    if [one.kind for one in leaves_of(group)] != ["citizen", "living"]:
        return ""
    citizens, residents = leaves_of(group)
    if citizens.places != residents.places or len(citizens.places) > 1:
        return ""
    if locale == "en":
        return f"residents {of_places(citizens.places, locale)}, and citizens wherever they live"
    living, citizenship = (_PEOPLE[locale].phrase(one, locale) for one in (residents, citizens))
    if locale == "fr":
        return f"personnes {living}, ou {citizenship} où qu’elles vivent"
    return f"{living} និង{citizenship} ទោះរស់នៅទីណាក៏ដោយ"


def _persons(leaves: Sequence[Leaf], locale: Locale) -> str:
    """Return the people who meet one of several plain conditions."""
    face = _PEOPLE[locale]
    if locale == "fr":
        return "personnes " + either(_phrases(leaves, face, either, locale), locale)
    return both(_phrases(leaves, face, both, locale), locale)


def _people(one: Meaning, locale: Locale, number: str) -> str:
    """Return the people who meet a condition, or every one of several; ``number`` opens those of a list in it."""
    if isinstance(one, Leaf):
        return _PEOPLE[locale].organisation if one.kind == "organisation" else _persons([one], locale)
    if not _is_simple(one):
        those = _opened_list(one, _PEOPLE[locale].every, _CONDITION[locale], locale, number)
        return f"personnes {those}" if locale == "fr" else those
    leaves = leaves_of(one)
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


def _english_people(leaves: Sequence[Leaf]) -> str:
    """Return people who meet plain conditions of different kinds: Canadian citizens living in France."""
    head, *rest = leaves
    more = both([_ENGLISH_CONDITION.phrase(leaf, "en") for leaf in rest], "en")
    if head.kind == "living":
        return f"{_ENGLISH_PEOPLE.phrase(head, 'en')} and {more}"
    adjective = place_forms(head.places[0], "en").adjective
    if head.kind == "citizen" and rest[0].kind == "living" and len(head.places) == 1 and adjective:
        return f"{adjective} citizens {more}"
    return f"{_ENGLISH_PEOPLE.phrase(head, 'en')} {more}"


def _is_simple(group: Group) -> bool:
    """Tell whether conditions that must all hold read well as one phrase: at most one of a kind, and one status."""
    kinds = [one.kind for one in group.members if isinstance(one, Leaf)]
    if len(kinds) < len(group.members) or len(set(kinds)) < len(kinds):
        return False
    if "organisation" in kinds:
        return kinds == ["living", "organisation"]
    return not {"citizen", "permanent"} <= set(kinds)


def _item(one: Meaning, face: _Face, locale: Locale, number: str) -> str:
    """Return a condition, plain or of several; ``number`` opens those of a list in it."""
    if isinstance(one, Leaf):
        return face.phrase(one, locale)
    leaves = [member for member in one.members if isinstance(member, Leaf)]
    if len(leaves) < len(one.members):
        return _opened_list(one, face.every if one.is_all else face.one, face, locale, number)
    join = both if one.is_all else either
    return join(_phrases(leaves, face, join, locale), locale)


def _opened_list(group: Group, opening: str, face: _Face, locale: Locale, number: str) -> str:
    """Return a list that stands inside a sentence or another list."""
    inner = _list(group, face, locale, number)
    return f"{opening}៖ {inner}" if locale == "km" else f"{opening} ({inner})"


def _list(group: Group, face: _Face, locale: Locale, number: str) -> str:
    """Return the conditions of a group: parted by semicolons, in Khmer numbered (១) (២), and inside (២.១) (២.២)."""
    if locale != "km":
        return "; ".join(_item(one, face, locale, "") for one in group.members)
    items = [_item(one, face, locale, f"{number}{index}.") for index, one in enumerate(group.members, 1)]
    return _numbered(items, number)


def _numbered(items: Sequence[str], number: str) -> str:
    """Return Khmer ``items`` as a numbered list."""
    return " ".join(f"({khmer_digits(f'{number}{index}')}) {item}" for index, item in enumerate(items, 1))


def _phrases(
    leaves: Sequence[Leaf], face: _Face, join: Callable[[Sequence[str], Locale], str], locale: Locale
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
