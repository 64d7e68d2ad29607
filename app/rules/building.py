"""Who may sign, put together from plain choices: conditions of which any or all hold, one level of groups deep.

Choices are what a form holds, finished or not; a rule is what is saved. Every rule of this shape has its choices, and
they give it back. A rule of another shape, which came from a file, has none: it is kept as it is, or replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.rules.eligibility import (
    HIGHEST_AGE,
    LOWEST_AGE,
    AllOf,
    AnyOf,
    Anyone,
    CitizenOf,
    IsOrganisation,
    MinimumAge,
    PermanentResidentOf,
    ResidentIn,
    ResidentOf,
)
from app.rules.khmer import to_latin_digits
from app.rules.places import COUNTRIES, is_subdivision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from app.i18n import Message
    from app.rules.eligibility import Rule

#: The kinds of conditions, in the order in which they are offered.
KINDS: Final = ("citizen", "permanent", "living", "province", "age", "organisation")
KINDS_WITH_PLACES: Final = frozenset({"citizen", "permanent", "living", "province"})
#: Anyone, any of the conditions, all of them; or the rule that is saved, where it has no plain choices.
WHO: Final = ("anyone", "any", "all", "kept")
JOINS: Final = ("any", "all")
#: As many as a form has room for.
MOST_CONDITIONS: Final = 12
MOST_GROUPS: Final = 4
_LONGEST_AGE: Final = 3
_LONGEST_PLACES: Final = 4000
_BUILT: Final[Mapping[str, Callable[[tuple[str, ...]], Rule]]] = {
    "citizen": CitizenOf,
    "permanent": PermanentResidentOf,
    "living": ResidentOf,
    "province": ResidentIn,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition as it stands in the form. ``age`` is what was typed."""

    kind: str
    places: tuple[str, ...] = ()
    age: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that stand for one: any of them holds, or all of them do."""

    joins: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form says of who may sign. ``who`` is one of `WHO`, or nothing."""

    who: str
    items: tuple[Condition | Group, ...] = ()

    @property
    def is_full(self) -> bool:
        """Whether no condition can be added."""
        return _number_of_conditions(self.items) >= MOST_CONDITIONS

    @property
    def has_room_for_group(self) -> bool:
        """Whether a group can be added."""
        return not self.is_full and sum(isinstance(item, Group) for item in self.items) < MOST_GROUPS


# Choices and rules


def choices_of(rule: Rule) -> Choices | None:
    """Return the choices that make ``rule``, or None where there are none."""
    if isinstance(rule, Anyone):
        return Choices("anyone")
    if not isinstance(rule, AnyOf | AllOf):
        condition = _condition_of(rule)
        return None if condition is None else Choices("any", (condition,))
    items = tuple(_item_of(one) for one in rule.rules)
    found = tuple(item for item in items if item is not None)
    choices = Choices(_joins_of(rule), found)
    is_too_much = (
        _number_of_conditions(found) > MOST_CONDITIONS or sum(isinstance(item, Group) for item in found) > MOST_GROUPS
    )
    return None if is_too_much or len(found) < len(items) else choices


def rule_of(choices: Choices) -> Rule | None:
    """Return the rule that the finished part of ``choices`` makes; None where nothing is finished."""
    if choices.who == "anyone":
        return Anyone()
    if choices.who not in JOINS:
        return None
    rules: list[Rule | None] = []
    for item in choices.items:
        if isinstance(item, Condition):
            rules.append(_rule_of_condition(item))
        else:
            rules.append(_joined(item.joins, [_rule_of_condition(one) for one in item.conditions]))
    return _joined(choices.who, rules)


def faults_of(choices: Choices) -> dict[str, Message]:
    """Return what is still missing, by the field where it is."""
    if choices.who not in WHO:
        return {"who": message("Choose who may sign")}
    if choices.who not in JOINS:
        return {}
    if not choices.items:
        return {"add": message("Add at least one condition")}
    faults: dict[str, Message] = {}
    for number, item in enumerate(choices.items):
        if isinstance(item, Condition):
            faults |= _fault_of(item, f"i{number}")
            continue
        if not item.conditions:
            faults[f"i{number}-add"] = message("Add a condition to this group, or remove the group")
        for inner, one in enumerate(item.conditions):
            faults |= _fault_of(one, f"i{number}-{inner}")
    return faults


def _condition_of(rule: Rule) -> Condition | None:  # noqa: PLR0911 - one for each kind of rule
    match rule:
        case CitizenOf(places):
            return Condition("citizen", _once(places))
        case PermanentResidentOf(places):
            return Condition("permanent", _once(places))
        case ResidentOf(places):
            return Condition("living", _once(places))
        case ResidentIn(places):
            return Condition("province", _once(places))
        case MinimumAge(age):
            return Condition("age", age=str(age))
        case IsOrganisation():
            return Condition("organisation")
        case _:
            return None


def _item_of(rule: Rule) -> Condition | Group | None:
    if not isinstance(rule, AnyOf | AllOf):
        return _condition_of(rule)
    conditions = [_condition_of(one) for one in rule.rules]
    found = tuple(one for one in conditions if one is not None)
    return Group(_joins_of(rule), found) if len(found) == len(conditions) else None


def _joins_of(rule: AnyOf | AllOf) -> str:
    return "any" if isinstance(rule, AnyOf) else "all"


def _rule_of_condition(condition: Condition) -> Rule | None:
    if condition.kind == "organisation":
        return IsOrganisation()
    if condition.kind == "age":
        age = _age_of(condition.age)
        return None if age is None else MinimumAge(age)
    return _BUILT[condition.kind](condition.places) if condition.places else None


def _joined(joins: str, rules: Sequence[Rule | None]) -> Rule | None:
    found = tuple(one for one in rules if one is not None)
    if len(found) < 2:  # noqa: PLR2004 - one needs no joining
        return found[0] if found else None
    return AnyOf(found) if joins == "any" else AllOf(found)


def _fault_of(condition: Condition, field: str) -> dict[str, Message]:
    if _rule_of_condition(condition) is not None:
        return {}
    if condition.kind == "age":
        reason = message("Enter a whole number from %(least)s to %(most)s", least=LOWEST_AGE, most=HIGHEST_AGE)
        return {f"{field}-age": reason}
    if condition.kind == "province":
        return {f"{field}-more": message("Choose at least one province or state")}
    return {f"{field}-more": message("Choose at least one country")}


def _age_of(typed: str) -> int | None:
    digits = to_latin_digits(typed).strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _LONGEST_AGE):
        return None
    return int(digits) if LOWEST_AGE <= int(digits) <= HIGHEST_AGE else None


def _number_of_conditions(items: Sequence[Condition | Group]) -> int:
    return sum(len(item.conditions) if isinstance(item, Group) else 1 for item in items)


def _once(places: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(places))


# Choices and the fields of a form


def as_fields(choices: Choices) -> dict[str, str]:
    """Return ``choices`` as fields, such that `read_choices` gives them back."""
    fields = {"who": choices.who}
    for number, item in enumerate(choices.items):
        if isinstance(item, Condition):
            fields |= _fields_of(item, f"i{number}")
            continue
        fields[f"i{number}-joins"] = item.joins
        for inner, one in enumerate(item.conditions):
            fields |= _fields_of(one, f"i{number}-{inner}")
    return fields


def read_choices(fields: Mapping[str, str]) -> Choices:
    """Return what fields say; what is none of ours is left out.

    A place that is chosen in a list and a kind that is chosen to be added are taken, whatever was pressed.
    """
    items: list[Condition | Group] = []
    for number in range(MOST_CONDITIONS + MOST_GROUPS):
        condition = _read_condition(fields, f"i{number}")
        joins = fields.get(f"i{number}-joins")
        if condition is not None:
            items.append(condition)
        elif joins in JOINS:
            inner = [_read_condition(fields, f"i{number}-{each}") for each in range(MOST_CONDITIONS)]
            group = Group(joins, tuple(one for one in inner if one is not None))
            added = fields.get(f"i{number}-add")
            items.append(replace(group, conditions=(*group.conditions, Condition(added))) if added in KINDS else group)
    who = fields.get("who", "")
    added = fields.get("add")
    if added in KINDS:
        items.append(Condition(added))
        # Whoever adds a condition does not mean "anyone".
        who = who if who in JOINS else "any"
    return Choices(who if who in WHO else "", _within_limits(items))


def press(choices: Choices, button: str) -> Choices:
    """Return ``choices`` after a button of the form: ``group``, ``remove:0``, ``remove:0.1``, ``drop:0.1:CA-BC``.

    Any other button, and one of a row that is not there any more, changes nothing.
    """
    verb, _, rest = button.partition(":")
    position, _, place = rest.partition(":")
    if verb == "group" and choices.has_room_for_group:
        who = choices.who if choices.who in JOINS else "any"
        return Choices(who, (*choices.items, Group("all" if who == "any" else "any")))
    if verb == "remove":
        return _at(choices, position, lambda _: ())
    if verb == "drop":
        return _at(choices, position, lambda item: (_without(item, place),))
    return choices


def _fields_of(condition: Condition, prefix: str) -> dict[str, str]:
    fields = {f"{prefix}-kind": condition.kind}
    if condition.kind in KINDS_WITH_PLACES:
        fields[f"{prefix}-places"] = " ".join(condition.places)
    elif condition.kind == "age":
        fields[f"{prefix}-age"] = condition.age
    return fields


def _read_condition(fields: Mapping[str, str], prefix: str) -> Condition | None:
    kind = fields.get(f"{prefix}-kind")
    if kind not in KINDS:
        return None
    if kind == "age":
        return Condition(kind, age=fields.get(f"{prefix}-age", "").strip())
    if kind == "organisation":
        return Condition(kind)
    is_known = is_subdivision if kind == "province" else COUNTRIES.__contains__
    listed = [*fields.get(f"{prefix}-places", "")[:_LONGEST_PLACES].split(), fields.get(f"{prefix}-more", "")]
    return Condition(kind, _once([place for place in listed if is_known(place)]))


def _within_limits(items: Sequence[Condition | Group]) -> tuple[Condition | Group, ...]:
    kept: list[Condition | Group] = []
    conditions = groups = 0
    for item in items:
        if isinstance(item, Condition):
            if conditions < MOST_CONDITIONS:
                kept.append(item)
                conditions += 1
        elif groups < MOST_GROUPS:
            shown = item.conditions[: MOST_CONDITIONS - conditions]
            kept.append(replace(item, conditions=shown))
            conditions += len(shown)
            groups += 1
    return tuple(kept)


Item = Condition | Group


def _at(choices: Choices, position: str, change: Callable[[Item], tuple[Item, ...]]) -> Choices:
    """Return ``choices`` with what stands at ``position`` changed: a number, or one in a group as in ``0.1``."""
    outer, _, inner = position.partition(".")
    number = _index(outer, len(choices.items))
    if number is None:
        return choices
    item = choices.items[number]
    changed: tuple[Item, ...]
    if not inner:
        changed = change(item)
    elif isinstance(item, Group) and (at := _index(inner, len(item.conditions))) is not None:
        of_group = tuple(one for one in change(item.conditions[at]) if isinstance(one, Condition))
        changed = (replace(item, conditions=(*item.conditions[:at], *of_group, *item.conditions[at + 1 :])),)
    else:
        changed = (item,)
    return replace(choices, items=(*choices.items[:number], *changed, *choices.items[number + 1 :]))


def _index(typed: str, length: int) -> int | None:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 3 and int(typed) < length else None  # noqa: PLR2004 - no list is so long


def _without(item: Item, place: str) -> Item:
    if isinstance(item, Group):
        return item
    return replace(item, places=tuple(each for each in item.places if each != place))
