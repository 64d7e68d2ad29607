"""Khmer spelling variants made equal, for comparing and searching only: what a person typed is never changed.

One Khmer syllable can be typed in several orders and with several characters that look the same, and neither NFC nor
NFKC merges them. A syllable is taken apart here (base, subscripts, robat, shifter, vowels, signs) and put together in
one order. Sources: The Unicode Standard, chapter 16.4 (Khmer) and the notes of its code chart; SIL, "Khmer Encoding
Structure"; design/glossary.md, section 5, rule 3.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Final

_COENG: Final = "\u17d2"
_DA, _TA, _YO, _RO, _QA = "\u178a", "\u178f", "\u1799", "\u179a", "\u17a2"
_AA, _II, _U, _OE, _E, _OO, _NIKAHIT = "\u17b6", "\u17b8", "\u17bb", "\u17be", "\u17c1", "\u17c4", "\u17c6"
_MUUSIKATOAN, _TRIISAP, _ROBAT = "\u17c9", "\u17ca", "\u17cc"
_REPETITION: Final = "\u17d7"
_WORD_JOINER: Final = "\u2060"

# i, ii, y, yy, oe, ya: what pushes a shifter down, where it then looks like u.
_ABOVE: Final = frozenset("\u17b7\u17b8\u17b9\u17ba\u17be\u17bf")
# Robat and shifters stand before the vowels, whose code points come first.
_FIRST_MARKS: Final = {_ROBAT: 0, _MUUSIKATOAN: 1, _TRIISAP: 2}

# Deprecated or variant letters, each with what the Unicode code chart says of it (17B2 is "a variant of 17B1"), and
# QOO spelled out, so that all three spellings of the word for "give" are built of the same letters.
_LETTERS: Final = str.maketrans(
    {
        "\u17a3": _QA,
        "\u17a4": _QA + _AA,
        "\u17a8": "\u17a7\u1780",
        "\u17b1": _QA + _OO,
        "\u17b2": _QA + _OO,
    }
)
_BASES: Final = "\u1780-\u17b3"
_MARKS: Final = "\u17b6-\u17d1\u17d3"
_HAS_KHMER: Final = re.compile("[\u1780-\u17d3]")
# A base that bears one mark is in order already; a coeng outside any syllable subscripts nothing and goes.
_SYLLABLE: Final = re.compile(
    f"[{_BASES}](?:[{_MARKS}{_COENG}]|(?<={_COENG})[{_BASES}]){{2,}}|(?<![{_BASES}{_MARKS}{_COENG}]){_COENG}+"
    f"|{_COENG}+(?![{_BASES}])"
)
# Dictionaries have both spellings of such words (glossary: sapt; also chan, ratn, sak): samyok sannya before a cluster.
_OPTIONAL_SAMYOK: Final = re.compile(f"\u17d0(?=[{_BASES}]{_COENG})")

# Unicode's Default_Ignorable_Code_Point, and atthacan (17DD), which is obsolete and which NFKD would push into a coeng.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u17dd\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# Letters that Unicode does not decompose and that people leave out for want of a key.
_LATIN: Final = str.maketrans(
    {"\u0111": "d", "\u0142": "l", "\u00f8": "o", "\u00e6": "ae", "\u0153": "oe", "\u0131": "i"}
)
_ACCENTS: Final = re.compile("(?<=[a-z])[\u0300-\u036f]+")
# ``\w`` is false for marks of any script, so the callback looks again; the modifier letters are typed as apostrophes.
_BETWEEN_WORDS: Final = re.compile("[^\\w\u0300-\u036f\u1780-\u17d3]|[_\u02bb\u02bc]")
_ASCII_BETWEEN_WORDS: Final = re.compile("[^0-9a-z]+")
_OTHER_DIGIT: Final = re.compile(r"[^\D0-9]")
_UNJOINED_REPETITION: Final = re.compile(f"(?<=[^\\s{_WORD_JOINER}]){_REPETITION}")


def comparison_key(text: str) -> str:
    """Return a text that is equal for the spellings one person uses for one name. Never shown, never raises.

    Case, accents on Latin letters, invisible characters, punctuation, kinds of digits and Khmer typing order make no
    difference. ``comparison_key(comparison_key(text)) == comparison_key(text)``.
    """
    if text.isascii():
        return _ASCII_BETWEEN_WORDS.sub(" ", text.lower()).strip()
    text = _BETWEEN_WORDS.sub(_space_unless_mark, to_latin_digits(caseless(text)))
    if has_khmer(text):
        text = _in_khmer_order(text)
    text = _ACCENTS.sub("", text.translate(_LATIN))
    return unicodedata.normalize("NFC", " ".join(text.split()).replace(" " + _REPETITION, _REPETITION))


def sort_key(text: str) -> str:
    """Return a key that lists names in nearly the order of a Khmer dictionary, accents and case aside.

    Code points are in dictionary order once syllables are: consonants, then vowels, then subscripts.
    """
    return f"{comparison_key(text)}\0{text}"


def caseless(text: str) -> str:
    """Return ``text`` without case, compatibility forms (full-width letters) or invisible characters, decomposed."""
    text = without_invisible(text)
    # Twice: Unicode, definition D146, compatibility caseless match.
    for _ in range(2):
        text = unicodedata.normalize("NFKD", text.casefold())
    return text


def without_invisible(text: str) -> str:
    """Return ``text`` without zero-width, bidirectional and other characters that nobody sees."""
    return _INVISIBLE.sub("", text)


def has_khmer(text: str) -> bool:
    """Tell whether ``text`` has a Khmer letter or mark."""
    return _HAS_KHMER.search(text) is not None


def to_latin_digits(text: str) -> str:
    """Return ``text`` with the decimal digits of Khmer and of any other script as 0 to 9."""
    if text.isascii():
        return text
    return _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


def join_repetition(text: str) -> str:
    """Return ``text`` for display: a line never breaks before the repetition sign, which belongs to its word."""
    return _UNJOINED_REPETITION.sub(_WORD_JOINER + _REPETITION, text)


def _space_unless_mark(character: re.Match[str]) -> str:
    """Return the mark of another script as it is, and a space for whatever is neither letter, digit nor mark."""
    return character[0] if unicodedata.category(character[0]).startswith("M") else " "


def _in_khmer_order(text: str) -> str:
    text = _SYLLABLE.sub(lambda syllable: _canonical_syllable(syllable[0]), text.translate(_LETTERS))
    return _OPTIONAL_SAMYOK.sub("", text)


@lru_cache(maxsize=4096)
def _canonical_syllable(syllable: str) -> str:
    """Return one syllable in order: base, subscripts with RO last, robat, shifter, vowels, signs, each of them once."""
    base, subscripts, marks = _taken_apart(syllable)
    _merge_split_vowels(marks)
    _merge_shifters(marks)
    ordered = "".join(sorted(marks, key=lambda mark: (_FIRST_MARKS.get(mark, 3), mark)))
    if base == _QA and subscripts == [_YO] and _OO in marks:
        return base + ordered + _YO
    return base + "".join(_COENG + letter for letter in subscripts) + ordered


def _taken_apart(syllable: str) -> tuple[str, list[str], set[str]]:
    """Return the base, the letters written below it and the marks. Only a coeng on nothing has no base."""
    base = "" if syllable[0] == _COENG else syllable[0]
    subscripts: dict[str, None] = {}
    marks: set[str] = set()
    for before, character in pairwise(syllable):
        if character == _COENG:
            continue
        if before == _COENG and character < _AA:
            # Subscript DA and TA are drawn alike, and people type either.
            subscripts[_TA if character == _DA else character] = None
        else:
            marks.add(character)
    # RO is drawn to the left, wherever it was typed among the subscripts.
    return base, sorted(subscripts, key=lambda letter: letter == _RO), marks


def _merge_split_vowels(marks: set[str]) -> None:
    """Make one vowel of the two halves that look like it."""
    for halves, whole in (({_E, _II}, _OE), ({_E, _AA}, _OO)):
        if halves <= marks:
            marks -= halves
            marks.add(whole)


def _merge_shifters(marks: set[str]) -> None:
    """Make one of the shifters and of u where a vowel above pushes the shifter down: all three look the same there."""
    is_pushed_down = not marks.isdisjoint(_ABOVE) or {_AA, _NIKAHIT} <= marks
    lookalikes = marks & {_U, _MUUSIKATOAN, _TRIISAP}
    if is_pushed_down and lookalikes:
        marks -= lookalikes
        marks.add(_TRIISAP)
