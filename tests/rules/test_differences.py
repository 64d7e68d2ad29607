"""What changed from one text to another: no word invented, none lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.differences import MOST_STEPS, Piece, compare_words

#: Words of the three languages, signs, spaces that show and one that does not, and whatever else there is.
words = st.sampled_from(
    [
        "books",
        "école",
        "2026",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\u200b",
        "សៀវភៅ",
        "ខ្មែរ",
        "គ្រប់",
        "។",
        "៖",
        ",",
        "«\u00a0",
        "😀",
    ]
)
texts = st.one_of(st.lists(words, max_size=30).map("".join), st.text(max_size=60))


def join(pieces: tuple[Piece, ...], *kinds: str) -> str:
    """Return what the pieces of some kinds say together."""
    return "".join(piece.text for piece in pieces if piece.kind in kinds)


@given(texts, texts)
@example("", "")
@example("ក\u200bខ", "កខ")
@example("a\r\nb", "a\nb")
def test_both_texts_can_be_read_in_the_pieces(old: str, new: str) -> None:
    pieces = compare_words(old, new)
    assert join(pieces, "same", "removed") == old
    assert join(pieces, "same", "added") == new
    assert all(piece.text for piece in pieces)
    assert all(one.kind != other.kind for one, other in zip(pieces, pieces[1:], strict=False))


@given(texts)
def test_equal_texts_are_one_piece_at_most(text: str) -> None:
    assert compare_words(text, text) == ((Piece("same", text),) if text else ())


@given(texts, texts, texts)
def test_what_both_begin_and_end_with_stays(start: str, middle: str, end: str) -> None:
    pieces = compare_words(f"{start} {end}", f"{start} {middle} {end}")
    assert join(pieces, "removed") == ""
    assert join(pieces, "same", "added") == f"{start} {middle} {end}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("Khmer books", "Khmer good books", (("same", "Khmer "), ("added", "good "), ("same", "books"))),
        ("3 books", "30 books", (("removed", "3"), ("added", "30"), ("same", " books"))),
        # Khmer puts no space between words: one letter with its marks is what changes.
        ("សៀវភៅ", "សៀវភេ", (("same", "សៀវ"), ("removed", "ភៅ"), ("added", "ភេ"))),
        ("ខ្មែរ", "ខ្មែរ។", (("same", "ខ្មែរ"), ("added", "។"))),
    ],
)
def test_words_are_compared_and_not_letters(old: str, new: str, expected: tuple[tuple[str, str], ...]) -> None:
    assert tuple((piece.kind, piece.text) for piece in compare_words(old, new)) == expected


def test_texts_too_long_for_words_are_compared_by_lines() -> None:
    old = "".join(f"line {number} of the old text\n" for number in range(300))
    new = "".join(f"line {number} of the {'new' if number % 50 == 0 else 'old'} text\n" for number in range(300))
    assert len(old.split()) * len(new.split()) > MOST_STEPS
    pieces = compare_words("X\n" + old + "end of old", "Y\n" + new + "end of new")
    assert join(pieces, "same", "removed") == "X\n" + old + "end of old"
    assert join(pieces, "same", "added") == "Y\n" + new + "end of new"
    # A line that changed went and came as a whole, and all others stayed.
    assert "line 50 of the old text\n" in [piece.text for piece in pieces if piece.kind == "removed"]
    assert join(pieces, "same").count("\n") == 294


@pytest.mark.parametrize("sign", ["ក", "\n", "word "])
def test_the_longest_texts_are_compared_as_wholes(sign: str) -> None:
    length = 100_000 // len(sign)
    old, new = "A" + sign * length + "B", "C" + ("ខ" + sign) * (length // 2) + "D"
    pieces = compare_words(old, new)
    assert join(pieces, "same", "removed") == old
    assert join(pieces, "same", "added") == new
