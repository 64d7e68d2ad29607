"""A text in three languages, some of it missing, and the name of an edition."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.texts import CampaignText, Question, edition_hash, localise, paragraphs

FULL = CampaignText(
    title="Title",
    recitals=("One;", "Two."),
    declaration="We call upon:",
    requests=("Do.",),
    body="A\n\nB",
    salutation="Dear all,",
    closing="Yours,",
    call_to_sign="Sign.",
    faq=(Question("Who?", "All."),),
    how_to_sign=("Read.",),
)
KHMER = CampaignText(title="ចំណងជើង", call_to_sign="សូមចុះហត្ថលេខា។")
lines = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
texts = st.builds(
    CampaignText,
    title=lines,
    recitals=st.lists(lines).map(tuple),
    declaration=lines,
    body=lines,
    faq=st.lists(st.builds(Question, lines, lines)).map(tuple),
)


@given(texts)
def test_data_gives_the_text_back(text: CampaignText) -> None:
    assert CampaignText.from_data(text.as_data()) == text


def test_data_leaves_out_what_is_empty() -> None:
    assert CampaignText("Title").as_data() == {"title": "Title"}
    assert CampaignText.from_data({}) == CampaignText("")
    assert CampaignText.from_data(FULL.as_data()) == FULL


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"title": 1}, "title"),
        ({"recitals": "One"}, "recitals"),
        ({"requests": ["One", None]}, "requests"),
        ({"faq": ["Who?"]}, "faq"),
        ({"faq": [{"question": 1}]}, "question"),
    ],
)
def test_data_of_another_shape_is_refused(data: dict[str, object], key: str) -> None:
    with pytest.raises(ValueError, match=key):
        CampaignText.from_data(data)


def test_localised_in_its_own_language_is_whole() -> None:
    shown = localise({"en": FULL, "km": KHMER}, "en", "en")
    assert (shown.title.value, shown.title.locale) == ("Title", "en")
    assert not shown.is_missing
    assert not shown.is_partial


def test_localised_takes_what_is_missing_from_the_source() -> None:
    shown = localise({"en": FULL, "km": KHMER}, "km", "en")
    assert (shown.title.value, shown.title.locale) == ("ចំណងជើង", "km")
    assert (shown.recitals.value, shown.recitals.locale) == (("One;", "Two."), "en")
    assert (shown.faq.value, shown.faq.locale) == ((Question("Who?", "All."),), "en")
    assert shown.is_partial
    assert not shown.is_missing


def test_localised_misses_nothing_that_the_source_lacks() -> None:
    shown = localise({"en": CampaignText("Title"), "km": KHMER}, "en", "en")
    assert not shown.call_to_sign
    assert (shown.call_to_sign.value, shown.call_to_sign.locale) == ("", "en")
    assert not shown.is_partial
    # Its own readers see it all the same, and readers of a third language do not.
    assert localise({"en": CampaignText("Title"), "km": KHMER}, "km", "en").call_to_sign.value == "សូមចុះហត្ថលេខា។"
    assert not localise({"en": CampaignText("Title"), "km": KHMER}, "fr", "en").call_to_sign


def test_localised_in_a_language_without_text_is_missing() -> None:
    for absent in ({"en": FULL}, {"en": FULL, "fr": CampaignText("")}):
        shown = localise(absent, "fr", "en")
        assert shown.is_missing
        assert not shown.is_partial
        assert shown.title.locale == "en"


def test_localised_without_source_takes_any_language() -> None:
    shown = localise({"km": KHMER, "fr": CampaignText("Titre")}, "en", "en")
    assert (shown.title.value, shown.title.locale) == ("Titre", "fr")
    assert (shown.call_to_sign.value, shown.call_to_sign.locale) == ("សូមចុះហត្ថលេខា។", "km")


def test_edition_hash_is_over_canonical_json() -> None:
    canonical = '{"en":{"title":"Title"},"km":{"call_to_sign":"សូមចុះហត្ថលេខា។","title":"ចំណងជើង"}}'
    expected = hashlib.sha256(canonical.encode()).hexdigest()
    assert edition_hash({"km": KHMER, "en": CampaignText("Title")}) == expected
    assert edition_hash({"en": CampaignText("Title"), "km": KHMER}) == expected


@given(texts, texts)
def test_edition_hash_differs_where_texts_do(one: CampaignText, other: CampaignText) -> None:
    assert (edition_hash({"en": one}) == edition_hash({"en": other})) == (one == other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        (" \n\n ", ()),
        ("one", ("one",)),
        ("one\ntwo", ("one\ntwo",)),
        ("one\n\ntwo", ("one", "two")),
        ("one\n \t\n\n\ntwo\n\n", ("one", "two")),
        ("one\r\n\r\ntwo", ("one", "two")),
        ("one\r\rtwo", ("one", "two")),
    ],
)
def test_paragraphs_are_parted_by_blank_lines(text: str, expected: tuple[str, ...]) -> None:
    assert paragraphs(text) == expected
