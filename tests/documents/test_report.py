"""The report as a PDF: everything said comes out again in three languages, whatever people wrote and however much."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pypdfium2
import pytest

from app.documents.blocks import list_lines
from app.documents.report import PARTS, typeset_report, write_part
from app.i18n import say
from app.rules.places import COUNTRIES, SUBDIVISIONS
from app.rules.reports import FORMAT
from tests.documents.figures import (
    HOSTILE,
    days,
    make_breakdown,
    make_campaign,
    make_figures,
    place,
)
from tests.documents.reading import is_accessible, read_attachments, read_outline, read_pages, read_text, squeeze

if TYPE_CHECKING:
    from app.i18n import Locale


def list_sentences(figures: dict[str, Any], locale: Locale) -> list[str]:
    """Return what the part in ``locale`` says, a cell of a table each."""
    part = write_part(figures, locale)
    title = part["title"] if isinstance(part["title"], str) else part["title"]["text"]
    lines = [line for block in part["blocks"] for line in list_lines(block) if set(line) != {"-"}]
    return [part["heading"], title, part["dates"], *(cell for line in lines for cell in line.split("\t"))]


def test_every_sentence_comes_out_of_the_document() -> None:
    """Khmer, too, as whoever copies it gets it: readers put its letters together from the text beside each cluster."""
    figures = make_figures()
    made = typeset_report(figures)
    found = read_text(made)
    for locale in PARTS:
        sentences = list_sentences(figures, locale)
        assert len(sentences) > 100
        assert [sentence for sentence in sentences if squeeze(sentence) not in found] == []
    assert is_accessible(made)


def test_parts_stand_one_after_another_with_pages_of_their_own() -> None:
    made = typeset_report(make_figures())
    pages = [squeeze(page) for page in read_pages(made)]
    assert len(pages) == 9
    for at, (page, number) in enumerate((page, number) for page in ("en", "fr", "km") for number in (1, 2, 3)):
        shown = {"1": "១", "2": "២", "3": "៣"} if page == "km" else {}
        values = {name: shown.get(text, text) for name, text in (("page", str(number)), ("pages", "3"))}
        assert squeeze(say(page, "Page %(page)s of %(pages)s", **values)) in pages[at]  # type: ignore[arg-type]
    titles = [title for level, title in read_outline(made) if level == 0]
    assert titles == [write_part(make_figures(), locale)["heading"] for locale in PARTS]
    assert len(read_outline(made)) == 3 * 10


def test_what_nobody_may_overlook_stands_on_the_first_page_of_each_part() -> None:
    pages = [squeeze(page) for page in read_pages(typeset_report(make_figures()))]
    for first, locale in zip((0, 3, 6), PARTS, strict=True):
        (warned,) = (block for block in write_part(make_figures(), locale)["blocks"] if block["is"] == "statements")
        assert len(warned["items"]) == 3
        assert all(squeeze(sentence) in pages[first] for sentence in warned["items"])


def test_same_figures_make_the_same_bytes() -> None:
    assert typeset_report(make_figures()) == typeset_report(make_figures())


def test_reports_do_not_pile_up_in_memory() -> None:
    """Without forgetting, a dozen reports keep 300 MB."""
    typeset_report(make_figures())
    before = read_memory()
    for number in range(4, 16):
        typeset_report(make_figures(number=number, signatures=600 + number))
    assert read_memory() - before < 100_000_000


def read_memory() -> int:
    """Return how many bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_figures_and_plain_text_are_inside() -> None:
    counts = b'{"format": "whatever bytes the report has"}\n'
    attached = read_attachments(typeset_report(make_figures(), counts=counts))
    assert attached["counts.json"] == counts
    text = attached["report.txt"].decode()
    assert "612 verified signatures as of 22 November 2026, 1:00 p.m. (Toronto time)" in text
    assert "02" * 32 in text
    written = read_attachments(typeset_report(make_figures()))["counts.json"]
    assert json.loads(written)["format"] == FORMAT


def test_document_says_what_it_is() -> None:
    opened = pypdfium2.PdfDocument(typeset_report(make_figures()))
    assert opened.get_metadata_value("Title").startswith("Verified count report no. 3 / ")
    assert opened.get_metadata_value("Author") == "signatures.example"
    assert opened.get_metadata_value("CreationDate").startswith("D:20261122180400")
    assert opened.get_page_size(0) == (612, 792)
    opened.close()


def test_what_people_wrote_is_no_markup() -> None:
    campaign = make_campaign(
        titles={"km": HOSTILE},
        organiser=HOSTILE,
        reference=None,
        sponsor={"name": HOSTILE, "titles": {}, "district": None, "party": HOSTILE},
        addressees=[{"names": {"fr": HOSTILE}, "country": None}],
    )
    goal = {"signatures": 5, "labels": {"en": HOSTILE}, "reached_at": None, "fell_below_at": None, "regained_at": None}
    made = typeset_report(make_figures(campaign=campaign, thresholds=[goal]))
    assert read_text(made).count(squeeze(HOSTILE)) == 3 * 6
    assert is_accessible(made)


def test_letters_that_no_font_has_do_not_stop_the_report() -> None:
    campaign = make_campaign(titles={"en": "Peace 😀 שלום عدل 和平", "xx": "never shown"})
    made = typeset_report(make_figures(campaign=campaign))
    assert not is_accessible(made)
    assert read_text(made).count("Peace") == 3


def test_smallest_report_has_two_pages_a_part() -> None:
    """No breakdown, threshold, sponsor, official petition or end; one signature."""
    campaign = make_campaign(sponsor=None, official=None, addressees=[], closes_at=None, kind="joint_statement")
    way = [{"step": "forms_received", "forms": 1}, {"step": "verified", "forms": 1}]
    figures = make_figures(
        campaign=campaign, signatures=1, supersedes=None, thresholds=[], breakdown=None, editions=[], way=way
    )
    made = typeset_report(figures)
    assert len(read_pages(made)) == 6
    assert squeeze("There is no breakdown yet.") in read_text(made)
    assert squeeze("1 verified signature as of") in read_text(made)


def test_snapshot_that_counted_by_province_alone_is_shown() -> None:
    """As the first snapshots did."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("CountrySignatures", "LanguageSignatures", "DaySignatures", "DistrictSignatures"), ()
    )
    made = typeset_report(make_figures(breakdown=make_breakdown(**nothing)))
    titles = [title for _, title in read_outline(made)]
    assert "By province and territory" in titles
    assert "By country" not in titles
    assert is_accessible(made)


def test_campaign_without_dates_or_official_count_is_told() -> None:
    official = {"number": "e-9999", "url": "https://official.example", "signatures": None, "counted_on": None}
    campaign = make_campaign(opens_at=None, official=official, kind="open_letter")
    found = read_text(typeset_report(make_figures(campaign=campaign)))
    assert squeeze("There is an official petition, e-9999, which is counted apart and is not part of") in found
    assert "Openletter" in found


@pytest.mark.parametrize("host", ["a" * 63 + "." + "b" * 63 + ".example:8443"])
def test_largest_report_keeps_everything_on_its_pages(host: str) -> None:
    """Every country, 120 days, all 343 districts, words without an end: nothing is left out and nothing sticks out."""
    breakdown = make_breakdown(
        ProvinceSignatures=[place("Province", code, 90_000) for code in SUBDIVISIONS["CA"]],
        CountrySignatures=[place("Country", code, 1_000) for code in sorted(COUNTRIES)],
        DaySignatures=days(120, 1_000),
        DistrictSignatures=[
            {"District": str(at), "Name": {"en": f"District—{at}."}, "SignatureCount": 400} for at in range(343)
        ],
    )
    campaign = make_campaign(titles={"en": "Long " * 60 + "W" * 300}, organiser="M" * 400)
    figures = make_figures(
        campaign=campaign, breakdown=breakdown, signatures=1_234_567, base_url=f"https://{host}", keys=["k" * 250]
    )
    made = typeset_report(figures)
    found = read_text(made)
    assert [at for at in range(343) if found.count(f"District—{at}.") < 3] == []
    assert "k" * 250 in found
    assert "W" * 300 in found
    assert list_wide_pages(made) == []
    assert len(read_pages(made)) < 60


def list_wide_pages(document: bytes) -> list[int]:
    """Return the pages on which a letter stands in the margin or outside the page."""
    opened = pypdfium2.PdfDocument(document)
    wide = []
    for at, page in enumerate(opened):
        text = page.get_textpage()
        boxes = [text.get_charbox(one) for one in range(text.count_chars())]
        if any(right > 612 - 54 or left < 54 for left, bottom, right, top in boxes if right > left):
            wide.append(at)
    opened.close()
    return wide
