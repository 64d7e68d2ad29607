"""Lines of sheets: what may be typed, which are typed again, which count."""

from __future__ import annotations

import pytest

from app.rules.normalise import Refused
from app.rules.paper import Reading, choose_sample, judge_lines, person_key, read_line


@pytest.mark.parametrize(
    ("name", "code", "reading"),
    [
        ("Sok  Sophea", "v3b1a1", Reading("Sok Sophea", "V3B 1A1")),
        ("សុខ សុភា", "៩៨១០១", Reading("សុខ សុភា", "98101")),
        ("Anne", "sw1a 1aa", Reading("Anne", "SW1A 1AA")),
        ("Anne", "", Reading("Anne")),
        ("-", "V3B 1A1", Reading(None)),
        ("–", "", Reading(None)),
        (" ", "", None),
        ("\u202eSok", "", Reading("Sok")),
        ("Sok\x00", "", Reading("Sok")),
    ],
)
def test_a_line_is_read_as_it_is_typed(name: str, code: str, reading: Reading | None) -> None:
    assert read_line(name, code) == reading


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("<script>alert(1)</script>", ""),
        ("{{7*7}}", ""),
        ('#read("/etc/passwd")', ""),
        ("$x$", ""),
        ("", "V3B 1A1"),
        ("x" * 10_000, ""),
        ("Sok", "x" * 10_000),
        ("Sok", "no digits"),
        ("Sok", "<b>1"),
        ("Sok", "#panic(1)"),
    ],
)
def test_what_is_no_line_is_refused(name: str, code: str) -> None:
    with pytest.raises(Refused):
        read_line(name, code)


def test_the_same_person_is_the_same_however_they_are_typed() -> None:
    assert person_key(Reading("Sok Sophea", "V3B 1A1")) == person_key(Reading("SOPHEA SOK", "v3b1a1"))
    assert person_key(Reading("សុខ សុភា")) == person_key(Reading("សុខសុភា"))
    assert person_key(Reading("Sok", "V3B 1A1")) != person_key(Reading("Sok", "V3B 1A2"))
    assert person_key(Reading("Sok", "V3B 1A1")) != person_key(Reading("Sok"))


def test_one_line_in_so_many_is_typed_again_and_one_at_least() -> None:
    places = [(sheet, line) for sheet in (2, 1) for line in range(1, 11)]
    assert choose_sample(places, 5) == [(1, 5), (1, 10), (2, 5), (2, 10)]
    assert choose_sample(places[:3], 5) == [(2, 3)]
    assert choose_sample(places, 0) == []
    assert choose_sample([], 5) == []


def test_the_first_line_of_a_person_is_the_one_that_may_count() -> None:
    people = {(1, 1): b"a", (1, 2): b"b", (1, 3): b"a", (1, 4): None, (1, 5): b"c", (1, 6): b"b", (2, 1): b"d"}
    assert judge_lines(dict(reversed(people.items())), elsewhere={b"c"}) == {
        (1, 1): "counted",
        (1, 2): "counted",
        (1, 3): "repeated",
        (1, 4): "invalid",
        (1, 5): "repeated",
        (1, 6): "repeated",
        (2, 1): "counted",
    }
