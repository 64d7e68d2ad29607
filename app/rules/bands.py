"""Bands of counts, for pictures: a card says "More than 250", and is drawn anew only when the count leaves its band.

A picture is kept by whoever has seen it, for weeks where a messenger keeps it: what it says must stay true.
"""

from __future__ import annotations

from typing import Final

#: What a band may begin with, in tens, hundreds, thousands and so on.
_MARKS: Final = (10, 15, 20, 25, 30, 40, 50, 75)
#: The first mark. Below it a number would rather keep people from signing.
FIRST_MARK: Final = 25


def find_mark(count: int) -> int | None:
    """Return the highest mark that ``count`` has passed, None where it has passed none: 251 has passed 250."""
    passed, scale = None, 1
    while FIRST_MARK * scale < count or _MARKS[0] * scale < count:
        for mark in _MARKS:
            if FIRST_MARK <= mark * scale < count:
                passed = mark * scale
        scale *= 10
    return passed
