"""Names in a list stand where readers of each language look for them: CLDR's order, and for Khmer the dictionary's.

``organisations.json`` holds 200 names a language, of our own making, as CLDR orders them. Two other builds of ICU have
it so, too: the one in PostgreSQL here, and the one in Node (ICU 78), by hand.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from app.i18n import LOCALES, Locale
from app.i18n.collation import collation_key

if TYPE_CHECKING:
    from tests.stage import Stage

ORGANISATIONS: Final[dict[Locale, list[str]]] = json.loads(Path(__file__).with_name("organisations.json").read_text())
NAMES_IN_POSTGRESQL: Final[dict[Locale, str]] = {"km": "km-KH-x-icu", "en": "en-CA-x-icu", "fr": "fr-CA-x-icu"}

# The order of Chuon Nath's dictionary, written down without ICU: consonants, with ឫ ឬ after រ and ឭ ឮ after ល; then
# vowels; then subscripts. Independent vowels stand where អ with that vowel would; a robat is a រ before its letter;
# all other signs count for nothing.
CONSONANTS: Final = "កខគឃងចឆជឈញដឋឌឍណតថទធនបផពភមយរឫឬលឭឮវឝឞសហឡអ"
VOWELS: Final = [
    "ា", "ិ", "ី", "ឹ", "ឺ", "ុ", "ូ", "ួ", "ើ", "ឿ", "ៀ", "េ", "ែ", "ៃ", "ោ", "ៅ",
    "ុំ", "ំ", "ាំ", "ះ", "ិះ", "ុះ", "េះ", "ោះ",
]  # fmt: skip
INDEPENDENT: Final = {
    "ឥ": "អិ", "ឦ": "អី", "ឧ": "អុ", "ឩ": "អូ", "ឪ": "អូវ", "ឯ": "អែ", "ឰ": "អៃ", "ឱ": "អោ", "ឲ": "អោ", "ឳ": "អៅ",
}  # fmt: skip
COENG, ROBAT = "\u17d2", "\u17cc"
SIGNS: Final = "៉៊់៍័៏៎៑៝ៈ"

#: Words that show each of these rules, in that order.
WORDS: Final = [
    "ក", "កក", "កង", "កម្ពុជា", "ករ", "កល", "កវី", "កា", "កាក", "កាច់", "កាន់", "ការ", "កាល", "កិច្ច",
    "កីឡា", "កឹង", "កុមារ", "កូន", "កួច", "កើត", "កៀក", "កេរ", "កែ", "កៃ", "កោង", "កៅអី", "កុំ",
    "កំណើត", "កាំ", "កាំបិត", "កុះ", "កោះ", "ក្ងាន", "ក្ដី", "ក្បាល", "ក្មេង", "ក្រុង", "ក្លាយ", "ខ",
    "ខាង", "ខែ", "ខ្ញុំ", "ខ្មែរ", "គ", "ឃ", "ង", "ច", "ឆ", "ជ", "ឈ", "ញ", "ដ", "ឋ", "ឌ", "ឍ", "ណ",
    "ត", "ថ", "ទ", "ធ", "ន", "បទ", "បាន", "បុណ្យ", "ប្រទេស", "ផ", "ព", "ភ", "ម", "យ", "រថ", "រៀន",
    "រំដួល", "រុះ", "ឫស", "ឬ", "លលក", "លាង", "ល្អ", "ឭ", "ឮ", "វត្ត", "សប្បាយ", "សាលា", "សំបុត្រ",
    "ស្រុក", "ហៅ", "ឡាន", "អង្គ", "អាទិត្យ", "ឥត", "ឦសាន", "ឧត្តម", "ឩន", "ឯក", "ឱកាស", "អំពី", "អ្នក",
]  # fmt: skip


def dictionary_key(word: str) -> list[int]:
    """Return the place of a word by the rules above."""
    for sign, spelt in INDEPENDENT.items():
        word = word.replace(sign, spelt)
    letters = [letter for letter in word if letter not in SIGNS]
    key: list[int] = []
    while letters:
        letter = letters.pop(0)
        if letters[:1] == [ROBAT]:
            key += [CONSONANTS.index("រ"), 100]
            del letters[0]
        if letter == COENG:
            key.append(100)
        elif letter in CONSONANTS:
            key.append(CONSONANTS.index(letter))
        else:
            while letters and letter + letters[0] in VOWELS:
                letter += letters.pop(0)
            key.append(50 + VOWELS.index(letter))
    return key


@pytest.mark.parametrize("locale", LOCALES)
def test_two_hundred_names_stand_in_the_order_of_cldr_however_they_came(locale: Locale) -> None:
    expected = ORGANISATIONS[locale]
    assert len(expected) == len(set(expected)) == 200
    shuffled = random.Random(locale).sample(expected, len(expected))
    assert shuffled != expected
    assert sorted(shuffled, key=lambda name: collation_key(name, locale)) == expected


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_another_build_of_icu_has_the_same_order(stage: Stage) -> None:
    known = {row[0] for row in stage.sql("SELECT collname FROM pg_collation")}
    if not known.issuperset(NAMES_IN_POSTGRESQL.values()):
        pytest.skip("this PostgreSQL was built without ICU")
    for locale, collation in NAMES_IN_POSTGRESQL.items():
        names = json.dumps(sorted(ORGANISATIONS[locale]))
        given = "json_array_elements_text(CAST(:names AS json)) AS given(name)"
        rows = stage.sql(f'SELECT name FROM {given} ORDER BY name COLLATE "{collation}"', names=names)  # noqa: S608 - ours
        assert [name for (name,) in rows] == ORGANISATIONS[locale]


def test_khmer_stands_in_the_order_of_the_dictionary() -> None:
    for words in (ORGANISATIONS["km"], WORDS):
        assert words == sorted(words, key=dictionary_key), "the rules of the dictionary"
        assert words == sorted(sorted(words), key=lambda word: collation_key(word, "km"))


def test_signs_decide_only_between_words_that_are_else_the_same() -> None:
    assert sorted(["កក់", "កកាយ", "កក"], key=lambda word: collation_key(word, "km")) == ["កក", "កក់", "កកាយ"]
    assert sorted(["Côté", "Cote", "Coté", "Côte"], key=lambda word: collation_key(word, "fr")) == [
        "Cote", "Côte", "Coté", "Côté",
    ]  # fmt: skip
    assert sorted(["Résumé", "resume", "Resume"], key=lambda word: collation_key(word, "en")) == [
        "resume", "Resume", "Résumé",
    ]  # fmt: skip
