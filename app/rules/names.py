"""Does a name look like keys pressed at random, for its script? A small reason to look, never to refuse.

Names are judged by what no name of their script has, and not by what most have: it is better to miss nine inventions
than to hold one grandmother for a machine. For Khmer, only sequences that its orthography cannot build. For scripts
that nobody here can judge, nothing but one sign held down.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final

from app.rules.khmer import without_invisible

# In English, French, German, Polish, Vietnamese or Khmer in Latin letters, several letters write one consonant.
_ONE_CONSONANT: Final = re.compile("sch|tch|[cgkpstwz]h|ng|ck")
# Y is a vowel in Przybylski, and in Nguyen. Six consonants in a row are in no name that we know of (Mkrtchyan has four
# and Hirschsprung five, once written so).
_CONSONANTS: Final = re.compile("[bcdfghjklmnpqrstvwxzC]{6,}")
_HELD_DOWN: Final = re.compile(r"([^\W\d_])\1{3,}")
_OVER_AND_OVER: Final = re.compile(r"(\w{3,5})\1{2,}|(\w{2})\2{3,}")
_LETTERS_IN_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn")
_KEYS_IN_A_ROW: Final = 5  # Doherty has four
_ROWS: Final = frozenset(
    row[start : start + _KEYS_IN_A_ROW]
    for letters in _LETTERS_IN_ROWS
    for row in (letters, letters[::-1])
    for start in range(len(row) - _KEYS_IN_A_ROW + 1)
)
_RISES: Final = 3  # from small to capital inside one word: McDonald has one

_WORD: Final = re.compile(r"[^\W\d_]+")
_LATIN_WORD: Final = re.compile("[a-z]+")

_COENG: Final = "\u17d2"
_VOWELS: Final = "\u17b6-\u17c5"
# What no Khmer syllable can be: a subscript sign twice, or with nothing to write below, or with a vowel after it; more
# than three subscripts; a vowel or sign with no letter to stand on; four vowels on one letter (three are typed where
# one and a shifter are meant: u for the shifter, and e and ii for oe).
_IMPOSSIBLE_KHMER: Final = re.compile(
    f"{_COENG}{_COENG}|{_COENG}(?![\u1780-\u17b3])|(?:{_COENG}[\u1780-\u17b3]){{4,}}|[{_VOWELS}]{{4,}}"
    "|(?:^|[^\u1780-\u17d3])[\u17b6-\u17d3]"
)


def looks_random(name: str) -> bool:
    """Tell whether ``name``, cleaned, has what no name of its script has."""
    text = without_invisible(name)
    if _HELD_DOWN.search(text) or _OVER_AND_OVER.search(text.casefold()) or _IMPOSSIBLE_KHMER.search(text):
        return True
    return any(_looks_random_in_latin(word) for word in _WORD.findall(unicodedata.normalize("NFC", text)))


def _looks_random_in_latin(word: str) -> bool:
    if sum(before.islower() and after.isupper() for before, after in pairwise(word)) >= _RISES:
        return True
    plain = word.casefold() if word.isascii() else _without_accents(word)
    if not _LATIN_WORD.fullmatch(plain):
        return False
    if _CONSONANTS.search(_ONE_CONSONANT.sub("C", plain)):
        return True
    return any(plain[start : start + _KEYS_IN_A_ROW] in _ROWS for start in range(len(plain) - _KEYS_IN_A_ROW + 1))


def _without_accents(word: str) -> str:
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(each for each in apart if not unicodedata.combining(each)).replace("\u0111", "d")
