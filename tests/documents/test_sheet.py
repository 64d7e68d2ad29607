"""Sheets for ink: the House of Commons' form keeps its rules at every length, the free one speaks three languages."""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest
import zxingcpp

from app.documents.sheet import (
    SIZES,
    NoCommonsForm,
    NoRoomForSignatures,
    Sheet,
    commons_locale,
    name_sheet,
    typeset_sheet,
    write_commons_sheet,
    write_free_sheet,
)
from app.rules.starting import KNOWN_ADDRESSEES
from app.rules.texts import CampaignText
from tests.documents.figures import HOSTILE
from tests.documents.reading import is_accessible, read_pages, read_text, squeeze
from tests.documents.test_card import TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from app.i18n import Locale

#: Shades below this are ink, and this is the height of a line that a hand can write in: half a pixel is a point.
_INK, _HAND = 160, 48
URL = "https://signatures.example/c/libraries"
TEXTS: Mapping[str, CampaignText] = {
    "en": CampaignText(
        title="Libraries in every district",
        recitals=("Reading is for everybody; and", "libraries close."),
        declaration="We, the undersigned, residents of Canada, call upon the House of Commons to:",
        requests=("Open the libraries on Sundays; and", "Buy books in Khmer."),
    ),
    "fr": CampaignText(
        title="Des bibliothèques dans chaque circonscription",
        recitals=("La lecture est pour tout le monde.",),
        requests=("Ouvrir les bibliothèques le dimanche.",),
    ),
    "km": CampaignText(title="បណ្ណាល័យនៅគ្រប់មណ្ឌល", requests=("បើកបណ្ណាល័យនៅថ្ងៃអាទិត្យ។",), body="អត្ថបទ\n\nទីពីរ"),
}
HOUSE = [(KNOWN_ADDRESSEES["house"].names, "CA")]


def make_sheet(**changes: Any) -> Sheet:  # noqa: ANN401 - the sheet's own
    """Return what a sheet is made from, with ``changes``."""
    values: dict[str, Any] = {
        "kind": "petition",
        "texts": TEXTS,
        "source_locale": "en",
        "addressees": HOUSE,
        "organiser": "Khmer Association",
        "url": URL,
        "paper_return": "Wat Phnom Ottawa\n12 Elm Street",
    }
    return Sheet(**{**values, **changes})


def _count_lines(document: bytes, page: int = 0) -> int:
    """Return how many lines for signatures a page has: equal gaps, of room for a hand, down an empty column."""
    opened = pypdfium2.PdfDocument(document)
    try:
        picture = opened[page].render(scale=2).to_pil().convert("L")
    finally:
        opened.close()
    column = round(picture.width * 0.4)
    pixels = picture.crop((column, 0, column + 1, picture.height))
    dark = [y for y, shade in enumerate(pixels.tobytes()) if shade < _INK]
    strokes = [y for y, above in zip(dark, [-9, *dark], strict=False) if y - above > 1]
    gaps = [below - above for above, below in pairwise(strokes)]
    runs = [len(list(run)) for is_line, run in groupby(gap >= _HAND for gap in gaps) if is_line]
    return max(runs, default=0)


def _words(count: int) -> CampaignText:
    """Return a text whose recitals and requests have ``count`` words together."""
    words = [f"word{at}" for at in range(count)]
    half = max(len(words) // 2, 1)
    recitals = tuple(" ".join(words[at : min(at + 40, half)]) for at in range(0, half, 40))
    return CampaignText(title="Words", recitals=recitals, requests=(" ".join(words[half:]) or "Act",))


# The House's form


@pytest.mark.parametrize("size", SIZES)
def test_a_sheet_for_the_house_has_the_whole_text_and_room_to_sign_on_its_first_page(size: str) -> None:
    made = typeset_sheet(write_commons_sheet(make_sheet(), "en", size))
    opened = pypdfium2.PdfDocument(made)
    assert opened[0].get_size() == pytest.approx(SIZES[size], abs=0.5)
    opened.close()
    first, second = read_pages(made)
    text = TEXTS["en"]
    for part in ("Petition to the House of Commons", "Whereas:", text.title, text.declaration, *text.recitals):
        assert squeeze(part) in squeeze(first)
    for page in (first, second):
        for part in (text.title, *text.requests, "Name (please print)", "Signature", "Address", "postal code"):
            assert squeeze(part) in squeeze(page)
    assert _count_lines(made) + _count_lines(made, 1) >= 25
    assert is_accessible(made)


def test_a_sheet_for_the_house_says_nothing_but_the_petition() -> None:
    made = typeset_sheet(write_commons_sheet(make_sheet(), "en", "letter"))
    said = read_text(made)
    for foreign in ("signatures.example", "Wat", "Khmer Association", "Hatthalekha", TEXTS["km"].title):
        assert squeeze(foreign) not in said
    opened = pypdfium2.PdfDocument(made)
    assert not any(found.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE for page in opened for found in page.get_objects())
    opened.close()


def test_a_sheet_for_the_house_in_french_calls_upon_whom_it_addresses() -> None:
    said = read_text(typeset_sheet(write_commons_sheet(make_sheet(), "fr", "letter")))
    declared = "Nous, soussignés, citoyens et résidents du Canada, prions la Chambre des communes de :"
    for part in (
        "Pétition à la Chambre des communes",
        "Attendu que :",
        declared,
        "lettres moulées",
        "ville et province",
    ):
        assert squeeze(part) in said
    government = [(KNOWN_ADDRESSEES["government"].names, "CA")]
    sheet = write_commons_sheet(make_sheet(addressees=government), "fr", "letter")
    assert sheet["heading"] == "Pétition au gouvernement du Canada"


@pytest.mark.parametrize(
    ("addressees", "heading"),
    [
        ([({"en": "Minister of Foreign Affairs"}, "CA")], "Petition to: Minister of Foreign Affairs"),
        ([*HOUSE, ({"en": "Jane Doe, M.P."}, "CA")], "Petition to: House of Commons of Canada; Jane Doe, M.P."),
        ([*HOUSE, ({"en": "Senate of Australia"}, "AU")], "Petition to the House of Commons"),
    ],
)
def test_a_sheet_for_the_house_names_canadian_addressees(
    addressees: Sequence[tuple[Mapping[str, str], str]], heading: str
) -> None:
    assert write_commons_sheet(make_sheet(addressees=addressees), "en", "letter")["heading"] == heading


@pytest.mark.parametrize("count", [5, 60, 120, 250, 400, 600])
@pytest.mark.parametrize("size", ["letter", "legal"])
def test_no_length_of_a_text_takes_the_room_for_signatures(count: int, size: str) -> None:
    text = _words(count)
    data = write_commons_sheet(make_sheet(texts={"en": text}), "en", size)
    made = typeset_sheet(data)
    opened = pypdfium2.PdfDocument(made)
    paper = opened[0].get_size()
    opened.close()
    if count <= 400:
        assert paper == pytest.approx(SIZES[size], abs=0.5)
    first = squeeze(read_pages(made)[0])
    for part in (*text.recitals, *text.requests):
        assert squeeze(part) in first
    assert _count_lines(made) >= (5 if count <= 250 else 3)


def test_a_longer_text_takes_larger_paper_and_too_long_a_one_gets_no_sheet() -> None:
    made = typeset_sheet(write_commons_sheet(make_sheet(texts={"en": _words(1500)}), "en", "letter"))
    opened = pypdfium2.PdfDocument(made)
    assert opened[0].get_size() == pytest.approx(SIZES["tabloid"], abs=0.5)
    opened.close()
    assert _count_lines(made) >= 3
    for count in (2400, 9000):
        with pytest.raises(NoRoomForSignatures):
            typeset_sheet(write_commons_sheet(make_sheet(texts={"en": _words(count)}), "en", "tabloid"))


@pytest.mark.parametrize(
    ("changes", "locale", "expected"),
    [
        ({}, "km", "en"),
        ({}, "fr", "fr"),
        ({"texts": {"en": TEXTS["en"], "fr": CampaignText(title="Titre seul")}}, "fr", "en"),
        ({"texts": {"km": TEXTS["km"]}}, "km", None),
        ({"kind": "open_letter"}, "en", None),
        ({"addressees": [({"en": "Kingdom of Cambodia"}, "KH")]}, "en", None),
        ({"addressees": []}, "en", None),
    ],
)
def test_the_house_takes_english_or_french_and_petitions_to_it(
    changes: dict[str, Any],
    locale: Locale,
    expected: str | None,
) -> None:
    if expected is None:
        with pytest.raises(NoCommonsForm):
            commons_locale(make_sheet(**changes), locale)
    else:
        assert commons_locale(make_sheet(**changes), locale) == expected


# The free one


@pytest.mark.parametrize("size", SIZES)
def test_the_free_sheet_is_in_three_languages_with_the_text_overleaf(size: str) -> None:
    made = typeset_sheet(write_free_sheet(make_sheet(), size))
    first, second = (squeeze(page) for page in read_pages(made))
    for text in TEXTS.values():
        assert squeeze(text.title) in first
        for part in (text.title, *text.recitals, *text.requests):
            assert squeeze(part) in second
    for part in ("Wat Phnom Ottawa", "12 Elm Street", "signatures.example/c/libraries", "Name", "Nom", "ឈ្មោះ"):
        assert squeeze(part) in first
    assert _count_lines(made) >= 9
    assert is_accessible(made)
    opened = pypdfium2.PdfDocument(made)
    assert [found.text for found in zxingcpp.read_barcodes(opened[0].render(scale=3).to_pil())] == [URL]
    opened.close()


@pytest.mark.parametrize("length", [5, 300])
@pytest.mark.parametrize("paragraphs", [0, 60])
def test_the_free_sheet_keeps_room_for_signatures_whatever_its_text(length: int, paragraphs: int) -> None:
    texts = {
        locale: CampaignText(title=(title * 9)[:length].strip(), body="\n\n".join([title * 4] * paragraphs))
        for locale, title in TITLES.items()
    }
    made = typeset_sheet(write_free_sheet(make_sheet(texts=texts, kind="open_letter"), "letter"))
    pages = read_pages(made)
    assert _count_lines(made) >= 9
    assert (len(pages) > 2) == bool(paragraphs)
    assert "overleaf" in pages[0] or not paragraphs
    assert squeeze(TITLES["km"]) in squeeze("".join(pages)) or not paragraphs


@pytest.mark.parametrize("words", [HOSTILE, "<script>{{7*7}}</script>", "x" * 900, "\u202eabc\x00def", "😀"])
def test_what_people_write_stays_text(words: str) -> None:
    text = CampaignText(title=words[:300], recitals=(words,), declaration=words, requests=(words,), body=words)
    sheet = make_sheet(
        texts={"en": text}, organiser=words[:200], paper_return=words, addressees=[({"en": words[:200]}, "CA")]
    )
    expected = squeeze(words.replace("\u202e", "").replace("\x00", ""))
    for data in (write_commons_sheet(sheet, "en", "letter"), write_free_sheet(sheet, "letter")):
        made = typeset_sheet(data)
        assert read_text(made).count(expected) >= 4 or words == "😀"
        assert _count_lines(made) >= 3


def test_the_same_sheet_has_the_same_bytes_and_state() -> None:
    data = [write_free_sheet(make_sheet(), "letter"), write_commons_sheet(make_sheet(), "en", "letter")]
    for each in data:
        assert typeset_sheet(each) == typeset_sheet(each)
    assert len({name_sheet(each) for each in (*data, write_free_sheet(make_sheet(paper_return=""), "letter"))}) == 3
