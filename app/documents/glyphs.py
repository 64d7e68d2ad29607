"""Which signs our fonts can draw."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import Final

from app.documents.typesetting import FONTS

#: Stands where no font of ours has a sign.
UNKNOWN: Final = "\ufffd"
# What Unicode calls Default_Ignorable_Code_Point, as far as it is text: signs that are there and not seen.
_UNSEEN: Final = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8),
    (0x1D173, 0x1D17A),
)  # fmt: skip
# Of those, what chooses among forms that our fonts do not have: after some letters it would want a glyph of its own.
_NEEDLESS: Final = re.compile("[\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]")


def replace_unknown(text: str) -> str:
    """Return ``text`` with U+FFFD for every sign that no font of ours has.

    One such sign would cost everybody else the tags of the whole document, which need a glyph for each.
    """
    if text.isascii():
        return text
    return "".join(sign if _is_known(sign) else UNKNOWN for sign in _NEEDLESS.sub("", text))


@cache
def known_signs() -> frozenset[int]:
    """Return the code points that at least one of our fonts has a glyph for, read once a process."""
    # Imported here, so that what makes no document starts without it.
    from fontTools.ttLib import TTFont

    signs: set[int] = set()
    for path in sorted(FONTS.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            signs.update(font.getBestCmap())
    return frozenset(signs)


@lru_cache(maxsize=4096)
def _is_known(sign: str) -> bool:
    code = ord(sign)
    if sign in "\n\t" or any(first <= code <= last for first, last in _UNSEEN):
        return True
    if unicodedata.category(sign) == "Co":
        # Means nothing that two people have agreed on, and has no place in a document that is to be read aloud.
        return False
    return code in known_signs() or all(ord(part) in known_signs() for part in unicodedata.normalize("NFD", sign))
