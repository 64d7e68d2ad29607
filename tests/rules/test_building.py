"""Rules from plain choices: every rule of their shape and back, whatever is half finished, whatever is pressed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.building import (
    JOINS,
    KINDS,
    MOST_CONDITIONS,
    MOST_GROUPS,
    Choices,
    Condition,
    Group,
    as_fields,
    choices_of,
    faults_of,
    press,
    read_choices,
    rule_of,
)
from app.rules.eligibility import parse_rule, rule_as_data, who_can_sign
from app.rules.starting import PRESETS

COUNTRY = st.sampled_from(["CA", "KH", "US", "FR", "AU"])
PLACES = {
    "citizen": COUNTRY, "permanent": COUNTRY, "living": COUNTRY, "province": st.sampled_from(["CA-BC", "US-NY"]),
}  # fmt: skip


@st.composite
def conditions(draw: st.DrawFn, *, is_finished: bool = False) -> Condition:
    kind = draw(st.sampled_from(KINDS))
    if kind == "organisation":
        return Condition(kind)
    if kind == "age":
        numbers = st.integers(1, 120).map(str)
        return Condition(kind, age=draw(numbers if is_finished else numbers | st.sampled_from(["", "0", "121", "old"])))
    places = st.lists(PLACES[kind], unique=True, min_size=int(is_finished), max_size=3)
    return Condition(kind, tuple(draw(places)))


@st.composite
def choices(draw: st.DrawFn, *, is_finished: bool = False) -> Choices:
    one = conditions(is_finished=is_finished)
    least = 2 if is_finished else 0  # a group of one is the one, and so no group any more
    group = st.builds(Group, st.sampled_from(JOINS), st.lists(one, min_size=least, max_size=3).map(tuple))
    items = st.lists(one | group, min_size=least, max_size=MOST_GROUPS)
    return Choices(draw(st.sampled_from(JOINS)), tuple(draw(items)))


@given(choices(is_finished=True))
@settings(max_examples=60, deadline=None)
def test_finished_choices_make_a_rule_that_gives_them_back(made: Choices) -> None:
    rule = rule_of(made)
    assert rule is not None
    assert faults_of(made) == {}
    assert choices_of(rule) == made
    assert parse_rule(rule_as_data(rule)) == rule


@given(choices())
@settings(max_examples=60, deadline=None)
def test_whatever_is_half_finished_goes_through_the_form_and_its_finished_part_can_be_said(made: Choices) -> None:
    fields = as_fields(made)
    assert read_choices(fields) == made
    assert len(fields) <= 64 - 10, "the rest of the page has fields, too"
    rule = rule_of(made)
    assert rule is not None or faults_of(made)
    if rule is not None:
        assert all(who_can_sign(rule, locale) for locale in ("km", "en", "fr"))


FIELD = st.from_regex(r"(i\d{1,2}(-\d{1,2})?-(kind|joins|add|places|more|age))|who|add", fullmatch=True)
TYPED = st.sampled_from([*KINDS, *JOINS, "CA", "CA-BC", "18", "kept", "x", ""])


@given(st.dictionaries(FIELD, TYPED), st.text(max_size=12))
@settings(max_examples=100, deadline=None)
def test_fields_that_nobody_made_are_read_within_the_limits(fields: dict[str, str], button: str) -> None:
    read = read_choices(fields)
    pressed = press(read, button)
    for each in (read, pressed):
        assert sum(len(item.conditions) if isinstance(item, Group) else 1 for item in each.items) <= MOST_CONDITIONS
        assert sum(isinstance(item, Group) for item in each.items) <= MOST_GROUPS
        assert read_choices(as_fields(each)) == each


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_fills_the_form(name: str) -> None:
    countries = ("CA", "US") if PRESETS[name].has_countries else ()
    rule = PRESETS[name].make(countries)
    filled = choices_of(rule)
    assert filled is not None
    assert rule_of(filled) == rule


@pytest.mark.parametrize(
    "data",
    [
        {"any_of": [{}, {"citizen_of": ["CA"]}]},
        {"any_of": [{"all_of": [{"any_of": [{"citizen_of": ["CA"]}]}]}]},
        {"any_of": [{"minimum_age": age} for age in range(1, MOST_CONDITIONS + 2)]},
        {"any_of": [{"all_of": [{"minimum_age": age}]} for age in range(1, MOST_GROUPS + 2)]},
    ],
)
def test_a_rule_of_another_shape_has_no_choices(data: dict[str, Any]) -> None:
    assert choices_of(parse_rule(data)) is None


def test_what_is_chosen_in_a_list_counts_whatever_is_pressed() -> None:
    read = read_choices({
        "who": "anyone", "add": "age", "i0-kind": "citizen", "i0-places": "CA XX CA", "i0-more": "FR",
        "i1-joins": "all", "i1-add": "organisation",
    })  # fmt: skip
    assert read == Choices(
        "any", (Condition("citizen", ("CA", "FR")), Group("all", (Condition("organisation"),)), Condition("age"))
    )


def test_more_than_there_is_room_for_is_left_out() -> None:
    rows = {f"i{number}-kind": "organisation" for number in range(16)}
    assert len(read_choices(rows | {"add": "age"}).items) == MOST_CONDITIONS
    groups = {f"i{number}-joins": "any" for number in range(16)}
    assert len(read_choices(groups).items) == MOST_GROUPS


def test_buttons_add_and_take_away() -> None:
    start = Choices("anyone", (Condition("citizen", ("CA", "FR")),))
    grouped = press(start, "group")
    assert grouped == Choices("any", (*start.items, Group("all")))
    filled = read_choices(as_fields(grouped) | {"i1-add": "province", "i1-0-more": "CA-BC"})
    filled = read_choices(as_fields(filled) | {"i1-0-more": "CA-BC"})
    assert filled.items[1] == Group("all", (Condition("province", ("CA-BC",)),))
    assert press(filled, "drop:0:FR").items[0] == Condition("citizen", ("CA",))
    assert press(filled, "drop:1.0:CA-BC").items[1] == Group("all", (Condition("province"),))
    assert press(filled, "remove:1.0").items[1] == Group("all")
    assert press(filled, "remove:0").items == filled.items[1:]
    for nothing in ("remove:9", "remove:0.0", "remove:1.7", "drop:1:CA", "remove:x", "remove:", "save", ""):
        assert press(filled, nothing) == filled
    full = Choices("all", tuple(Group("any") for _ in range(MOST_GROUPS)))
    assert press(full, "group") == full
    assert press(Choices("all"), "group").items == (Group("any"),)


def test_what_is_missing_is_said_where_it_is() -> None:
    def faults(who: str, *items: Condition | Group) -> list[str]:
        return list(faults_of(Choices(who, items)))

    assert faults("") == ["who"]
    assert faults("anyone") == faults("kept", Condition("age")) == []
    assert faults("all") == ["add"]
    group = Group("any", (Condition("organisation"), Condition("province")))
    found = faults("any", Condition("citizen"), Condition("age", age="0"), group, Group("any"))
    assert found == ["i0-more", "i1-age", "i2-1-more", "i3-add"]
    assert faults("any", Condition("age", age="១៨")) == []
    assert rule_of(Choices("kept")) is None
