"""The poster: every language, a code that a telephone reads, strips with the link, one page of any size."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import zxingcpp

from app.documents.poster import SIZES, Poster, name_poster, typeset_poster, write_poster
from app.i18n.formats import format_date
from tests.documents.figures import HOSTILE
from tests.documents.reading import is_accessible, read_pages, squeeze
from tests.documents.test_card import TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "https://signatures.example/c/e-1746"


def make_poster(**changes: Any) -> Poster:  # noqa: ANN401 - the poster's own
    """Return a poster, with ``changes``."""
    values: dict[str, Any] = {
        "titles": {locale: title.strip() for locale, title in TITLES.items()},
        "organiser": "សមាគមខ្មែរ Khmer Association",
        "url": URL,
        "last_day": date(2026, 12, 24),
        "takes_individuals": True,
    }
    return Poster(**{**values, **changes})


def _say(poster: Poster, size: str = "letter") -> tuple[bytes, str]:
    made = typeset_poster(write_poster(poster, size))
    (page,) = read_pages(made)
    return made, squeeze(page)


def _read_codes(document: bytes) -> list[str]:
    opened = pypdfium2.PdfDocument(document)
    try:
        return [found.text for found in zxingcpp.read_barcodes(opened[0].render(scale=1.5).to_pil())]
    finally:
        opened.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_poster_is_one_page_in_three_languages_with_a_code_that_can_be_read(size: str) -> None:
    made, said = _say(make_poster(), size)
    opened = pypdfium2.PdfDocument(made)
    width, height = opened[0].get_size()
    opened.close()
    assert (width, height) == pytest.approx(SIZES[size], abs=0.5)
    for title in TITLES.values():
        assert squeeze(title) in said
    for locale in ("km", "en", "fr"):
        assert squeeze(format_date(date(2026, 12, 24), locale)) in said
    assert squeeze("សមាគមខ្មែរ Khmer Association") in said
    # Once in large letters, and on every strip.
    assert said.count(squeeze("signatures.example/c/e-1746")) == 9
    assert _read_codes(made) == [URL]
    assert is_accessible(made)


def _lengths(length: int) -> Mapping[str, str]:
    return {locale: (title * 90)[:length].strip() for locale, title in TITLES.items()}


@pytest.mark.parametrize("length", [5, 300, 5000])
def test_titles_of_any_length_leave_the_code_readable(length: int) -> None:
    url = "https://petitions.overseas-cambodians.example/c/" + "a-very-long-name-of-a-campaign" * 2
    made, said = _say(make_poster(titles=_lengths(length), url=url))
    assert _read_codes(made) == [url]
    if length == 300:
        assert squeeze(_lengths(300)["km"]) in said
        assert squeeze(_lengths(300)["fr"]) in said


def test_a_poster_says_only_what_holds() -> None:
    _, said = _say(make_poster(titles={"en": "Joint Statement"}, last_day=None, takes_individuals=False))
    assert "Scanandread" in said
    assert "Scanandsign" not in said
    assert "sheetofpaper" not in said


@pytest.mark.parametrize("words", [HOSTILE, "<script>{{7*7}}</script>", "x" * 300, "\u202eabc\x00def"])
def test_what_people_write_stays_text(words: str) -> None:
    _, said = _say(make_poster(titles={"en": words}, organiser=words))
    expected = squeeze(words.replace("\u202e", "").replace("\x00", ""))
    assert said.count(expected) >= 2


def test_the_same_poster_has_the_same_bytes_and_state() -> None:
    one, other = write_poster(make_poster(), "a4"), write_poster(make_poster(), "letter")
    assert typeset_poster(one) == typeset_poster(one)
    assert name_poster(one) != name_poster(other)
