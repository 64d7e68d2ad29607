"""What changed from one text to another, word by word, in three scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: A space, a Latin word, a number, a Khmer letter with what stands on it (Khmer puts no space between words), any sign.
_WORD: Final = re.compile(
    r"\s+|[^\W\d_\u1780-\u17ff]+|\d+|[\u1780-\u17b3][\u17b4-\u17d3\u17dd\u200c\u200d]*|.", re.DOTALL
)

#: Texts that differ in more words than this are shown line by line, or whole: nobody reads so many changes one by one.
#: Comparing takes a quarter of a second at this, whatever the texts are.
MOST_CHANGES: Final = 800


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that stayed (``same``), came (``added``) or went (``removed``)."""

    kind: str
    text: str


@lru_cache(maxsize=256)
def compare_words(old: str, new: str) -> tuple[Piece, ...]:
    """Return what went and what came, word by word; where that would be too much, line by line, or all at once."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old_middle, new_middle = before[start : len(before) - end], after[start : len(after) - end]
    changes = _changes(old_middle, new_middle)
    if changes is None:
        changes = _changes(_lines(old_middle), _lines(new_middle))
    if changes is None:
        changes = [("removed", "".join(old_middle)), ("added", "".join(new_middle))]
    same_before, same_after = "".join(before[:start]), "".join(before[len(before) - end :])
    return tuple(_joined([("same", same_before), *changes, ("same", same_after)]))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    differing = (place for place, (left, right) in enumerate(zip(one, other, strict=False)) if left != right)
    return next(differing, min(len(one), len(other)))


def _lines(words: Sequence[str]) -> list[str]:
    return "".join(words).splitlines(keepends=True)


def _changes(before: Sequence[str], after: Sequence[str]) -> list[tuple[str, str]] | None:
    """Return the fewest changes, or None for more than MOST_CHANGES (E. Myers, "An O(ND) difference algorithm", 1986).

    What it costs hangs on the number of changes. ``difflib`` takes minutes for a text of which the words repeat.
    """
    furthest = {1: 0}
    trail = []
    for changes in range(min(MOST_CHANGES, len(before) + len(after)) + 1):
        trail.append(dict(furthest))
        for diagonal in range(-changes, changes + 1, 2):
            place = _next_place(furthest, diagonal, changes)
            while place < len(before) and place - diagonal < len(after) and before[place] == after[place - diagonal]:
                place += 1
            furthest[diagonal] = place
            if place >= len(before) and place - diagonal >= len(after):
                return list(_walk_back(before, after, trail))[::-1]
    return None


def _next_place(furthest: dict[int, int], diagonal: int, changes: int) -> int:
    """Return where a diagonal begins: below its upper neighbour, or to the right of its lower one."""
    if _is_added(furthest, diagonal, changes):
        return furthest[diagonal + 1]
    return furthest[diagonal - 1] + 1


def _is_added(furthest: dict[int, int], diagonal: int, changes: int) -> bool:
    if diagonal == -changes:
        return True
    return diagonal != changes and furthest[diagonal - 1] < furthest[diagonal + 1]


def _walk_back(
    before: Sequence[str], after: Sequence[str], trail: Sequence[dict[int, int]]
) -> Iterator[tuple[str, str]]:
    """Yield what happened to each word, last first."""
    old, new = len(before), len(after)
    for changes in range(len(trail) - 1, -1, -1):
        furthest, diagonal = trail[changes], old - new
        is_added = _is_added(furthest, diagonal, changes)
        from_old = furthest[diagonal + 1 if is_added else diagonal - 1]
        from_new = from_old - (diagonal + 1 if is_added else diagonal - 1)
        while old > from_old + (not is_added) or (changes == 0 and old > 0):
            old, new = old - 1, new - 1
            yield "same", before[old]
        if changes:
            yield ("added", after[new - 1]) if is_added else ("removed", before[old - 1])
        old, new = from_old, from_new


def _joined(changes: Sequence[tuple[str, str]]) -> Iterator[Piece]:
    """Yield the pieces; of words that were replaced, those that went come first."""
    kept = {"removed": "", "added": ""}
    same = ""
    for kind, text in changes:
        if kind != "same":
            if same:
                yield Piece("same", same)
                same = ""
            kept[kind] += text
            continue
        if not text:
            continue
        yield from (Piece(each, words) for each, words in kept.items() if words)
        kept = {"removed": "", "added": ""}
        same += text
    yield from (Piece(each, words) for each, words in kept.items() if words)
    if same:
        yield Piece("same", same)
