"""What changed from one text to another: no word invented, none lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.rules.differences import MOST_CHANGES, Piece, compare_words

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
    assert all(one.kind != other.kind for one, other in pairwise(pieces))


@given(texts)
def test_equal_texts_are_one_piece_at_most(text: str) -> None:
    assert compare_words(text, text) == ((Piece("same", text),) if text else ())


@given(texts, texts, texts)
def test_what_both_begin_and_end_with_stays(start: str, middle: str, end: str) -> None:
    pieces = compare_words(f"{start}|{end}", f"{start}|{middle}|{end}")
    assert join(pieces, "removed") == ""
    assert len(join(pieces, "added")) == len(middle) + 1


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


def pairs(old: str, new: str) -> list[tuple[str, str]]:
    """Return what went and what came, as plain pairs."""
    return [(piece.kind, piece.text) for piece in compare_words(old, new)]


def test_too_many_changes_are_told_line_by_line() -> None:
    kept, many, few = "kept as it was\n", "a . b .\n" * 300, "c ; d ;\n" * 200
    assert pairs(many + kept + "one", few + kept + "two") == [
        ("removed", many),
        ("added", few),
        ("same", kept),
        ("removed", "one"),
        ("added", "two"),
    ]


def test_texts_that_have_nothing_in_common_are_told_whole() -> None:
    old = " ".join(f"one{number}" for number in range(MOST_CHANGES)) + "."
    new = "\n".join(f"two{number}" for number in range(MOST_CHANGES)) + "!"
    assert pairs(old, new) == [("removed", old), ("added", new)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ក ខ " * 350, "ខ ក គ " * 235),
        ("ក" * 50_000, "ខ" + "ក" * 49_998 + "គ"),
        ("a b " * 25_000, "b a c " * 16_000),
        ("".join(chr(0x1780 + number % 30) for number in range(100_000)), "ក" * 100_000),
    ],
)
def test_long_texts_with_much_in_common_are_compared_to_their_end(old: str, new: str) -> None:
    """Word by word they would take minutes; what hangs is ended by pytest's faulthandler."""
    pieces = compare_words(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new
