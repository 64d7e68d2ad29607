"""Signs that our fonts have, read from the fonts."""

from __future__ import annotations

import unicodedata

from app.documents.glyphs import UNKNOWN, known_signs, replace_unknown


def test_fonts_have_the_letters_of_three_languages_and_what_stands_for_the_others() -> None:
    khmer = "".join(chr(code) for code in range(0x1780, 0x17F0) if unicodedata.category(chr(code)) != "Cn")
    for text in ("Québec, œuvre – « ça »…", "Nguyễn Thị Ánh", "Ağaoğlu Łukasz", khmer, UNKNOWN, "a\tb\nc\u200b"):
        assert replace_unknown(text) == text
    assert replace_unknown("Ünlü 和 😀\ue000.") == f"Ünlü {UNKNOWN} {UNKNOWN}{UNKNOWN}."
    # What asks for another form of the sign before it, where our fonts have one form of each.
    assert replace_unknown("Pri\u1e6d\ufe00am\ufeff \U000e0100Kaur\ufe0f") == "Pri\u1e6dam Kaur"
    assert ord("和") not in known_signs()
