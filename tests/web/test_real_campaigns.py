"""The campaigns that were really run: their texts as published, shown in three languages, signed by whom they ask."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from app.i18n import as_locale, say
from app.rules.khmer import without_invisible
from tests.stage import REAL_CAMPAIGNS
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx

    from tests.stage import Stage

NAMES = (
    "e-1746",
    "overseas-vote",
    "senate-election-2024-open-letter",
    "parliaments-2023-open-letter",
    "joint-statement-2023",
)
LETTERS = NAMES[2:]
LOCALES = ("km", "en", "fr")
NO_TEXT = "This text is not available in this language yet. It is shown in English."
NOT_ALL = (
    "Some parts of this text are not available in English yet. They are shown in the language they were written in."
)
pytestmark = pytest.mark.skipif(not REAL_CAMPAIGNS.exists(), reason=f"{REAL_CAMPAIGNS} is not here")


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    return {name: json.loads((REAL_CAMPAIGNS / f"{name}.json").read_text()) for name in NAMES}


@pytest.fixture(scope="module")
def opened(site: Stage, documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Import all five, open from now; return their slugs."""
    return {name: site.campaign(document, open_for=30) for name, document in documents.items()}


def plain(text: str) -> str:
    """Return words without what only breaks lines."""
    return " ".join(without_invisible(text).replace("\u00a0", " ").split())


def parts_of(text: dict[str, Any]) -> list[str]:
    """Return every piece of prose in a text of a campaign file."""
    parts = [text["title"], *text.get("recitals", ()), *text.get("requests", ()), *text.get("how_to_sign", ())]
    parts += [text.get(name, "") for name in ("declaration", "body", "salutation", "closing", "call_to_sign")]
    parts += [part for each in text.get("faq", ()) for part in (each["question"], each["answer"])]
    return [piece for part in parts for piece in part.split("\n") if piece.strip()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_word_is_shown_in_the_language_or_marked(
    site: Stage, opened: dict[str, str], documents: dict[str, dict[str, Any]], name: str, locale: str
) -> None:
    texts = documents[name]["texts"]
    answer = site.get(f"/{locale}/campaigns/{opened[name]}")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.lang == locale
    by_language: dict[str, str] = {}
    for language, words in page.in_language:
        by_language[language] = by_language.get(language, "") + " " + plain(words)
    squeezed = {language: words.replace(" ", "") for language, words in by_language.items()}
    text, source = texts.get(locale, {}), texts[documents[name]["source_locale"]]
    for piece in parts_of({"title": "", **text}):
        assert plain(piece).replace(" ", "") in squeezed[locale]
    missing = {key: value for key, value in source.items() if key not in text}
    for piece in parts_of({"title": "", **missing}):
        assert plain(piece).replace(" ", "") in squeezed[documents[name]["source_locale"]]
    said = plain(page.words)
    assert (plain(say(as_locale(locale), NO_TEXT)) in said) == (locale not in texts)
    assert (plain(say(as_locale(locale), NOT_ALL)) in said) == ((name, locale) == ("e-1746", "fr"))


@pytest.mark.parametrize("name", LETTERS)
def test_a_letter_of_organisations_lists_them_in_order_and_cannot_be_signed(
    site: Stage, opened: dict[str, str], documents: dict[str, dict[str, Any]], name: str
) -> None:
    slug = opened[name]
    for locale in LOCALES:
        answer = site.get(f"/{locale}/campaigns/{slug}")
        listed = answer.text.partition('<ol class="ask orgs')[2].partition("</ol>")[0]
        shown = [plain(Page(f"<html lang=en>{each}").words) for each in listed.split("<li>")[1:]]
        expected = [
            plain(each["name"]) + (f" ({each['acronym']})" if each.get("acronym") else "")
            for each in documents[name]["endorsements"]
        ]
        assert shown == expected
        assert f"/campaigns/{slug}/sign" not in answer.text
        refused = site.sign(slug, locale=locale)
        assert (refused.status_code, Page(refused.text).lang) == (409, locale)
    assert len(site.get(f"/api/v1/campaigns/{slug}").json()["endorsements"]) == len(documents[name]["endorsements"])


def person_form(**fields: Any) -> dict[str, Any]:  # noqa: ANN401 - form fields
    return {"phone": "+1 514 555 0123", "postal_code": "V3B 1A1", **fields}


@pytest.mark.parametrize(
    ("name", "fields", "fault"),
    [
        ("e-1746", {"claims": ["citizen_of:CA"]}, None),
        ("e-1746", {"claims": ["permanent_resident_of:CA"]}, None),
        (
            "e-1746",
            {"claims": ["citizen_of:CA"], "country": "FR", "subdivision": "elsewhere", "postal_code": "75013"},
            None,
        ),
        ("e-1746", {"claims": None}, "claims"),
        ("e-1746", {"claims": ["citizen_of:KH"]}, "claims"),
        ("overseas-vote", {"claims": ["citizen_of:KH"]}, None),
        (
            "overseas-vote",
            {"claims": ["citizen_of:KH"], "country": "US", "subdivision": "US-CA", "postal_code": "98101"},
            None,
        ),
        ("overseas-vote", {"claims": None}, "claims"),
        (
            "overseas-vote",
            {"claims": ["citizen_of:KH"], "country": "FR", "subdivision": "elsewhere", "postal_code": "75013"},
            "country",
        ),
        (
            "overseas-vote",
            {"claims": ["citizen_of:KH"], "country": "AU", "subdivision": "AU-NSW", "postal_code": "2000"},
            "country",
        ),
    ],
)
def test_those_it_asks_may_sign_and_others_learn_why_not(
    site: Stage, opened: dict[str, str], name: str, fields: dict[str, Any], fault: str | None
) -> None:
    reasons = set()
    for locale in LOCALES:
        answer = site.sign(opened[name], locale=locale, browser=site.new_browser(), **person_form(**fields))
        if fault is None:
            assert answer.status_code == 303, Page(answer.text).summary
            continue
        page = Page(answer.text)
        assert (answer.status_code, page.lang) == (422, locale)
        assert [field for field, _ in page.summary] == [fault]
        assert page.faults[fault].endswith(page.summary[0][1])
        reasons.add(page.summary[0][1])
    assert len(reasons) == (0 if fault is None else 3)


def test_both_reasons_are_given_where_there_are_two(site: Stage, opened: dict[str, str]) -> None:
    elsewhere = {"country": "FR", "subdivision": "elsewhere", "postal_code": "75013"}
    answer = site.sign(opened["overseas-vote"], claims=None, browser=site.new_browser(), **elsewhere)
    assert [field for field, _ in Page(answer.text).summary] == ["claims", "country"]


def test_by_its_own_dates_the_petition_of_2018_is_closed(site: Stage, documents: dict[str, dict[str, Any]]) -> None:
    slug = site.campaign({**documents["e-1746"], "slug": "e-1746-by-dates"}, open_for=None)
    told = site.get(f"/api/v1/campaigns/{slug}").json()
    assert (told["state"], told["opens_at"], told["closes_at"]) == (
        "closed",
        "2018-06-26T04:00:00Z",
        "2018-10-25T04:00:00Z",
    )
    days = {"km": "ថ្ងៃទី២៤ ខែតុលា ឆ្នាំ២០១៨", "en": "24 October 2018", "fr": "24 octobre 2018"}
    for locale, day in days.items():
        answers: list[httpx.Response] = [
            site.get(f"/{locale}/campaigns/{slug}"),
            site.sign(slug, locale=locale, **person_form()),
        ]
        assert [answer.status_code for answer in answers] == [200, 409]
        for answer in answers:
            assert plain(day) in plain(Page(answer.text).words)
            assert 'name="email"' not in answer.text


@pytest.mark.parametrize("locale", LOCALES)
def test_they_are_found_however_they_are_spelt(site: Stage, opened: dict[str, str], locale: str) -> None:
    assert opened
    for search, name in (
        ("e-1746", "e-1746"),
        ("E 1746", "e-1746"),
        ("overseas VOTE", "overseas-vote"),
        ("ការបោះឆ្នោត", "e-1746"),
        ("ការ\u200bបោះ\u200bឆ្នោត", "e-1746"),
        ("elections libres", "e-1746"),
    ):
        found = site.get(f"/{locale}/", params={"q": search}).text
        assert f"/{locale}/campaigns/{opened[name]}" in found, search
    assert "/campaigns/" not in site.get(f"/{locale}/", params={"q": "zzzz"}).text.partition("<main")[2]
