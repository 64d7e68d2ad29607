"""Khmer spelling variants: what is one name, and what is not."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.khmer import caseless, comparison_key, has_khmer, join_repetition, sort_key, to_latin_digits

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ROOT.parent / "shared" / "data" / "khmer-variants.json"
NOT_HERE = "../shared/data/khmer-variants.json is not on this machine"

# Every Khmer character, what hides between them, and a little of what is typed beside them.
KHMER = [chr(point) for point in range(0x1780, 0x17FA) if unicodedata.category(chr(point)) != "Cn"]
khmer_texts = st.text(st.sampled_from([*KHMER, *"\u200b\u200c\u200d\u2060 -aÉ\u03011'"]), max_size=20)
# A few letters make the order of marks matter far more often than the whole block does.
syllables = st.text(st.sampled_from("កសអដតរយឱឲ្្្៊៉ុីើេាំ័៌៝឵"), max_size=10)
any_texts = st.one_of(st.text(st.characters(), max_size=40), khmer_texts, syllables)


def variants(*kinds: str) -> list[Any]:
    """Return the pairs of the data file, or one that is skipped and says why."""
    if not VARIANTS.exists():
        return [pytest.param("", "", marks=pytest.mark.skip(reason=NOT_HERE))]
    data = json.loads(VARIANTS.read_text("utf-8"))
    return [pytest.param(pair["a"], pair["b"], id=f"{kind}: {pair['why']}") for kind in kinds for pair in data[kind]]


@pytest.mark.parametrize(("one", "other"), variants("same", "hard"))
def test_comparison_key_of_shared_variants_is_equal(one: str, other: str) -> None:
    assert comparison_key(one) == comparison_key(other)


@pytest.mark.parametrize(("one", "other"), variants("different"))
def test_comparison_key_of_shared_different_names_differs(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


@pytest.mark.parametrize(
    "spellings",
    [
        pytest.param(["ឲ្យ", "ឱ្យ", "អោយ", "អោ្យ", "អេា្យ", "ឲយ"], id="give"),
        pytest.param(["ទូរសព្ទ", "ទូរស័ព្ទ"], id="telephone"),
        pytest.param(["ច័ន្ទ", "ចន្ទ"], id="samyok before a cluster"),
        pytest.param(["ស្ត្រី", "ស្រ្តី", "ស្ដ្រី", "ស្រ្ដី", "ស្ត្រ្រី"], id="subscripts"),
        pytest.param(["ស៊ើ", "សុើ", "សេុី", "សុេី", "ស៊ុើ"], id="shifter and split vowel"),
        pytest.param(["ស៊ាំ", "សុាំ", "សំុា"], id="shifter before aam"),
        pytest.param(["ធម៌", "ធម៌៌", "ធម\u200b៌"], id="robat"),
        pytest.param(["ក្ក", "ក្្ក", "\u17d2ក្ក"], id="coeng that subscripts nothing"),
        pytest.param(["ឨ", "ឧក"], id="obsolete quk"),
        pytest.param(["ឤ", "អា", "\u17a3ា"], id="deprecated independent vowels"),
        pytest.param(["សំខាន់ៗ", "សំខាន់ ៗ", "សំខាន់\u2060ៗ"], id="repetition"),
        pytest.param(["Łukasz ŻAK-Nowak", "lukasz  zak nowak", "Łukasz, Żak_Nowak"], id="Polish"),
        pytest.param(["Nguyễn Văn Đức", "nguyen van duc", "NGUYỄN VĂN ĐỨC"], id="Vietnamese"),
        pytest.param(["O’Neil", "O'Neil", "oʼneil"], id="apostrophes"),
        pytest.param(["Strauß", "STRAUSS"], id="sharp s"),
        pytest.param(["9", "៩", "９", "٩"], id="digits"),
    ],
)
def test_comparison_key_of_spellings_of_one_word_is_equal(spellings: list[str]) -> None:
    assert len({comparison_key(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("ខ្ញុំ", "ខ្ញ៊ំ", id="u before nikahit alone is a vowel"),
        pytest.param("ហ៊ុន", "ហ៉ុន", id="shifters that are not pushed down differ"),
        pytest.param("ជ័យ", "ជយ", id="samyok before a plain letter is spelling"),
        pytest.param("ក្ខ", "កខ", id="a subscript is not a letter"),
        pytest.param("ក្សក", "ក្កស", id="order of letters"),
        pytest.param("ក ខ", "កខ", id="a space is kept"),
        pytest.param("किम", "कम", id="marks of other scripts are kept"),
        pytest.param("й", "и", id="accents outside Latin are letters"),
        pytest.param("陳大文", "陈大文", id="Chinese"),
    ],
)
def test_comparison_key_of_different_words_differs(one: str, other: str) -> None:
    assert comparison_key(one) != comparison_key(other)


def test_comparison_key_with_punctuation_only_is_empty() -> None:
    assert comparison_key(" …—!\u200b") == comparison_key("--") == comparison_key("") == ""


@given(any_texts)
def test_comparison_key_twice_is_comparison_key(text: str) -> None:
    once = comparison_key(text)
    assert comparison_key(once) == once


@given(any_texts, st.data())
def test_comparison_key_with_zero_width_space_put_in_is_the_same(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    assert comparison_key(text[:place] + "\u200b" + text[place:]) == comparison_key(text)


@given(st.permutations("ី៊ំ"), st.permutations(["្ត", "្រ"]))
def test_comparison_key_with_marks_in_any_order_is_the_same(marks: list[str], subscripts: list[str]) -> None:
    assert comparison_key("ស" + "".join([*subscripts, *marks])) == comparison_key("ស្ត្រ៊ីំ")


@given(st.text(st.characters(max_codepoint=127)))
def test_comparison_key_of_ascii_is_what_the_long_way_gives(text: str) -> None:
    assert comparison_key(text) == comparison_key(text + "\u2060")


@given(any_texts)
def test_caseless_twice_is_caseless(text: str) -> None:
    assert caseless(caseless(text)) == caseless(text)


def test_sort_key_lists_in_dictionary_order() -> None:
    words = ["ក", "កក", "កា", "កិច្ច", "កៅស៊ូ", "ក្បាល", "ក្រុម", "ខ", "បារាំង", "អូស្ត្រាលី"]
    backwards = words[::-1]
    assert sorted(backwards, key=sort_key) == words


def test_sort_key_of_accented_names_stands_with_their_letter() -> None:
    assert sorted(["Zambie", "États-Unis", "Espagne"], key=sort_key) == ["Espagne", "États-Unis", "Zambie"]


@pytest.mark.parametrize(("text", "expected"), [("កឹម", True), ("ខ Sok", True), ("Sok ៗ", False), ("", False)])
def test_has_khmer_finds_letters(text: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table above
    assert has_khmer(text) is expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("០១២៣៤៥៦៧៨៩", "0123456789"), ("h៣z ２Ｙ７", "h3z 2Ｙ7"), ("٣४", "34"), ("123", "123"), ("ក²", "ក²")],
)
def test_to_latin_digits_of_other_digits(typed: str, expected: str) -> None:
    assert to_latin_digits(typed) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ផ្សេងៗ ៗ", "ផ្សេង\u2060ៗ ៗ"),
        ("ផ្សេង\u2060ៗ", "ផ្សេង\u2060ៗ"),
        ("ៗ", "ៗ"),
        ("ក", "ក"),
    ],
)
def test_join_repetition_joins_it_to_its_word(text: str, expected: str) -> None:
    assert join_repetition(text) == expected


@given(any_texts)
def test_join_repetition_changes_nothing_that_is_compared(text: str) -> None:
    assert join_repetition(join_repetition(text)) == join_repetition(text)
    assert comparison_key(join_repetition(text)) == comparison_key(text)
