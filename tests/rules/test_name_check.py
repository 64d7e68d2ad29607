"""Names before they show: ordinary ones are cleared in any spelling, others wait for a person; when they show."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.rules.name_check import check_name, language_of, showing_moments
from tests.rules.test_names import KHMER_FAMILIES, KHMER_GIVEN


def test_ordinary_khmer_names_are_cleared() -> None:
    held = [
        name
        for family in KHMER_FAMILIES
        for given in KHMER_GIVEN[::5]
        if check_name(name := f"{family} {given}") != "cleared"
    ]
    assert held == []
    assert check_name("សុខសុភា") == "cleared"


@pytest.mark.parametrize(
    "name",
    [
        "Sok Sopha", "CHHIM Sereypheap", "Nguyễn Thị Bích Phượng", "Marie-Ève Tremblay-O’Neil", "J. R. R. Tolkien",
        "Li", "Phat Dung", "Justin Sok", "Hun Sokha", "Chea Sophal", "Dick Long", "Sam An", "Joe Chan",
    ],
)  # fmt: skip
def test_ordinary_names_are_cleared(name: str) -> None:
    assert check_name(name) == "cleared"


@pytest.mark.parametrize(
    "name",
    [
        "Hun Sen", "sen HUN", "Dictator Hun Sen", "ហ៊ុន សែន", "ហ៊ុនសែន", "សម្ដេចហ៊ុនសែន", "នួន ជា", "Fuck You", "ជនក្បត់",
        "សុខ ចោរ", "A", "សុខ Sopha", "陳大文", "Sok " + "Sopha " * 6, "qwertyuiop", "Nobody", "Down With The Regime",
        "R2", "Sok (Canada)",
    ],
)  # fmt: skip
def test_mockery_slogans_and_what_nobody_here_can_judge_wait_for_a_person(name: str) -> None:
    assert check_name(name) == "held"


def test_a_name_is_read_in_its_script() -> None:
    names = ("សុខ សុភា", "Sok Sopha", "สมชาย", "陳大文", "សុខ Sopha", "…")
    assert [language_of(name) for name in names] == ["km", "und-Latn", "th", "zh", "und", "und"]


def test_names_show_at_the_full_hour_or_after_a_whole_day() -> None:
    moments = showing_moments(datetime(2026, 11, 22, 13, 47, 5, tzinfo=UTC))
    assert moments.hour == datetime(2026, 11, 22, 13, tzinfo=UTC)
    assert moments.day == datetime(2026, 11, 22, tzinfo=UTC)
    assert moments.old == datetime(2026, 11, 21, tzinfo=UTC)
