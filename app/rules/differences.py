"""What changed from one text to another, word by word, in three scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

#: A space, a Latin word, a number, a Khmer letter with what stands on it (Khmer puts no space between words), any sign.
_WORD: Final = re.compile(
    r"\s+|[^\W\d_\u1780-\u17ff]+|\d+|[\u1780-\u17b3][\u17b4-\u17d3\u17dd\u200c\u200d]*|.", re.DOTALL
)

#: Comparing takes as long as the words of one text times those of the other: about a fifth of a second at this.
MOST_STEPS: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed (``same``), came (``added``) or went (``removed``)."""

    kind: str
    text: str


@lru_cache(maxsize=1024)
def compare_words(old: str, new: str) -> tuple[Piece, ...]:
    """Return what went and what came, word by word; where texts are too long and too different for that, line by line.

    Comparing takes the product of the two lengths, and nobody reads a thousand changed words one by one.
    """
    before, after = _WORD.findall(old), _WORD.findall(new)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    middle_before, middle_after = before[start : len(before) - end], after[start : len(after) - end]
    if len(middle_before) * len(middle_after) > MOST_STEPS:
        middle_before = "".join(middle_before).splitlines(keepends=True)
        middle_after = "".join(middle_after).splitlines(keepends=True)
    if len(middle_before) * len(middle_after) > MOST_STEPS:
        middle_before, middle_after = ["".join(middle_before)], ["".join(middle_after)]
    pieces = [Piece("same", "".join(before[:start]))]
    for kind, low, high, first, last in SequenceMatcher(
        None, middle_before, middle_after, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", "".join(middle_before[low:high])))
            continue
        pieces.append(Piece("removed", "".join(middle_before[low:high])))
        pieces.append(Piece("added", "".join(middle_after[first:last])))
    pieces.append(Piece("same", "".join(before[len(before) - end :])))
    return _joined(pieces)


def _common(one: list[str], other: list[str]) -> int:
    differing = (place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differing, min(len(one), len(other)))


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    for piece in pieces:
        if found and found[-1].kind == piece.kind:
            found[-1] = Piece(piece.kind, found[-1].text + piece.text)
        elif piece.text:
            found.append(piece)
    return tuple(found)
