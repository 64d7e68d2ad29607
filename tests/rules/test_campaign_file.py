"""The campaign file: the real ones and ours are taken, and a bad one is refused with every fault and its place."""

from __future__ import annotations

import copy
import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n.catalogues import LOCALES
from app.rules.campaign_file import (
    MAX_BODY,
    MAX_FILE_BYTES,
    MAX_LIST,
    MAX_PARAGRAPH,
    MAX_TITLE,
    Addressee,
    BadCampaignFile,
    CampaignFile,
    Endorsement,
    Organiser,
    Sponsor,
    Threshold,
    campaign_as_data,
    is_zone,
    parse_campaign_file,
)
from app.rules.eligibility import AllOf, CitizenOf, IsOrganisation, MinimumAge
from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "real-campaigns"
DEMONSTRATION = sorted((ROOT / "app" / "actions" / "demonstration").glob("*.json"))
NOT_HERE = "../shared/real-campaigns is not on this machine"


def real_files() -> list[Any]:
    """Return the real campaigns, or one parameter that is skipped and says why."""
    if not REAL.exists():
        return [pytest.param(Path(), marks=pytest.mark.skip(reason=NOT_HERE))]
    return [pytest.param(path, id=path.stem) for path in sorted(REAL.glob("*.json"))]


GOOD: dict[str, Any] = {
    "format": "hatthalekha-campaign/1",
    "slug": "a-campaign",
    "kind": "petition",
    "reference": "e-1",
    "source_locale": "en",
    "timezone": "America/Toronto",
    "opens_on": "2026-06-26",
    "closes_on": "2026-10-24",
    "asks": ["postal_code", "phone"],
    "signatories": "both",
    "organiser": {"name": "A Circle", "email": "organiser@example.org"},
    "addressees": [{"name": {"en": "A Ministry", "km": "ក្រសួង"}, "country": "EU"}],
    "sponsor": {
        "name": "A Member",
        "title": {"en": "Member of Parliament"},
        "district": "A–B",
        "party": "Independent",
        "email": "mp@example.org",
    },
    "eligibility": {"all_of": [{"citizen_of": ["CA"]}, {"minimum_age": 18}]},
    "thresholds": [{"signatures": 500, "label": {"en": "It is carried"}}],
    "texts": {
        "en": {
            "title": "A title",
            "recitals": ["One;"],
            "declaration": "We:",
            "requests": ["Do."],
            "body": "A\n\nB",
            "salutation": "Dear all,",
            "closing": "Yours,",
            "call_to_sign": "Sign.",
            "faq": [{"question": "Who?", "answer": "All."}],
            "how_to_sign": ["Read."],
        },
        "km": {"title": "ចំណងជើង"},
    },
    "endorsements": [{"name": "An NGO", "acronym": "NGO", "country": "KH"}, {"name": "Another"}],
}
PARSED = CampaignFile(
    slug="a-campaign",
    kind="petition",
    reference="e-1",
    source_locale="en",
    timezone="America/Toronto",
    opens_on=date(2026, 6, 26),
    closes_on=date(2026, 10, 24),
    asks=frozenset({"postal_code", "phone"}),
    signatories="both",
    organiser=Organiser("A Circle", "organiser@example.org"),
    addressees=(Addressee({"en": "A Ministry", "km": "ក្រសួង"}, "EU"),),
    sponsor=Sponsor("A Member", {"en": "Member of Parliament"}, "A–B", "Independent", "mp@example.org"),
    eligibility=AllOf((CitizenOf(("CA",)), MinimumAge(18))),
    thresholds=(Threshold(500, {"en": "It is carried"}),),
    texts={
        "en": CampaignText(
            title="A title",
            recitals=("One;",),
            declaration="We:",
            requests=("Do.",),
            body="A\n\nB",
            salutation="Dear all,",
            closing="Yours,",
            call_to_sign="Sign.",
            faq=(Question("Who?", "All."),),
            how_to_sign=("Read.",),
        ),
        "km": CampaignText("ចំណងជើង"),
    },
    endorsements=(Endorsement("An NGO", "NGO", "KH"), Endorsement("Another")),
)
LEAST: dict[str, Any] = {
    "format": "hatthalekha-campaign/1",
    "slug": "abc",
    "kind": "joint_statement",
    "source_locale": "km",
    "timezone": "UTC",
    "signatories": "organisations",
    "organiser": {"name": "A", "email": "a@b.org"},
    "addressees": [],
    "eligibility": {"organisation": True},
    "thresholds": [],
    "texts": {"km": {"title": "ក"}},
}


def encoded(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def faults_of(raw: bytes) -> list[tuple[str, str]]:
    with pytest.raises(BadCampaignFile) as caught:
        parse_campaign_file(raw)
    return [(fault.place, fault.message.say("en")) for fault in caught.value.faults]


def test_a_full_file_is_read_and_written_back() -> None:
    assert parse_campaign_file(encoded(GOOD)) == PARSED
    assert campaign_as_data(PARSED) == GOOD


def test_what_may_be_absent_may_be_absent() -> None:
    campaign = parse_campaign_file(encoded(LEAST))
    assert campaign.asks == {"postal_code"}
    assert campaign.eligibility == IsOrganisation()
    assert (campaign.reference, campaign.opens_on, campaign.closes_on, campaign.sponsor) == (None, None, None, None)
    assert campaign_as_data(campaign) == LEAST | {"asks": ["postal_code"], "endorsements": []}


def test_empty_texts_are_as_good_as_absent_ones() -> None:
    data = LEAST | {
        "reference": "",
        "sponsor": {"name": "A", "party": ""},
        "texts": {"km": {"title": "ក", "body": "", "faq": []}},
    }
    campaign = parse_campaign_file(encoded(data))
    assert campaign.reference is None
    assert campaign.sponsor == Sponsor("A", {})
    assert campaign_as_data(campaign)["sponsor"] == {"name": "A"}
    assert campaign.texts["km"] == CampaignText("ក")


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_campaign_file(b"\xef\xbb\xbf" + encoded(GOOD)) == PARSED


@pytest.mark.parametrize("path", [*real_files(), *(pytest.param(path, id=path.stem) for path in DEMONSTRATION)])
def test_real_and_demonstration_files_are_taken_and_round_trip(path: Path) -> None:
    campaign = parse_campaign_file(path.read_bytes())
    assert parse_campaign_file(encoded(campaign_as_data(campaign))) == campaign


@pytest.mark.skipif(not REAL.exists(), reason=NOT_HERE)
def test_a_real_file_is_read_as_it_was_published() -> None:
    campaign = parse_campaign_file((REAL / "e-1746.json").read_bytes())
    assert (campaign.opens_on, campaign.closes_on) == (date(2018, 6, 26), date(2018, 10, 24))
    assert campaign.asks == {"postal_code", "phone"}
    assert campaign.thresholds[0].signatures == 500
    assert len(campaign.texts["km"].how_to_sign) == 5
    assert not campaign.texts["fr"].recitals


def test_demonstration_is_complete_in_three_languages() -> None:
    campaigns = [parse_campaign_file(path.read_bytes()) for path in DEMONSTRATION]
    assert {campaign.kind for campaign in campaigns} == {"petition", "open_letter"}
    for campaign in campaigns:
        parts = [set(campaign.texts[locale].as_data()) for locale in LOCALES]
        assert parts[0] == parts[1] == parts[2]
        lengths = [
            [len(getattr(campaign.texts[locale], name)) for name in ("recitals", "requests", "faq", "how_to_sign")]
            for locale in LOCALES
        ]
        assert lengths[0] == lengths[1] == lengths[2]
        assert all(set(one.name) == set(LOCALES) for one in campaign.addressees)
        assert all(set(one.label) == set(LOCALES) for one in campaign.thresholds)


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in DEMONSTRATION])
def test_demonstration_keeps_the_typography_of_its_languages(path: Path) -> None:
    texts = json.loads(path.read_text("utf-8"))["texts"]
    khmer, french = (json.dumps(texts[locale], ensure_ascii=False) for locale in ("km", "fr"))
    assert "\u200b" not in khmer
    assert not re.search(r" [។៖៕ៗ]", khmer)
    assert not re.search(r"[\u1780-\u17b3]\u17d2\u178a\u17d2|អោយ|ស្ត[ីា]|សេចក្តី", khmer)
    assert not re.search(r"(?<![0-9A-Za-z])[0-9]", khmer)  # prose has Khmer digits
    assert not re.search(r" [:;?!]|\u202f", french.replace('": ', ""))


def changed(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return what sets the value at a dotted path."""

    def change(data: dict[str, Any]) -> None:
        *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
        inner: Any = data
        for key in parents:
            inner = inner[key]
        inner[last] = value

    return change


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.pop(key)


NO_OBJECT = "This must be an object, in braces."
NO_LIST = "This must be a list, in square brackets."
NO_TEXT = "This must be text, in quotation marks."
EMPTY = "This is empty."
MISSING = "This is missing."
NOT_PART = "This key is not part of the format."
NO_EMAIL = "This must be an e-mail address, such as name@example.org."
NO_DATE = "This must be a date written as 2026-10-24."
NO_ZONE = "This must be the name of a time zone, such as America/Toronto."
NO_SLUG = "This must be 3 to 64 small Latin letters, digits or hyphens."
NO_COUNTRY = "This must be a country of ISO 3166-1 in two capital letters, such as CA."
NO_COUNTRY_OR_UNION = "This must be a country of ISO 3166-1 in two capital letters, such as CA, or EU."
NO_LANGUAGE = "This needs a text in at least one language: km, en or fr."
NO_NUMBER = "This must be a whole number from 1 to 100000000."
ONE_LINE = "This must be on one line."


@pytest.mark.parametrize(
    ("change", "place", "sentence"),
    [
        (changed("format", "hatthalekha-campaign/2"), "format", "This must be one of: hatthalekha-campaign/1."),
        (without("format"), "format", MISSING),
        (without("texts"), "texts", MISSING),
        (without("eligibility"), "eligibility", MISSING),
        (changed("colour", "red"), "colour", NOT_PART),
        (changed("col\nour", "red"), "'col\\nour'", NOT_PART),
        (changed("slug", "ab"), "slug", NO_SLUG),
        (changed("slug", "A-Campaign"), "slug", NO_SLUG),
        (changed("slug", "a" * 65), "slug", NO_SLUG),
        (changed("slug", "abc\n"), "slug", NO_SLUG),
        (changed("slug", 7), "slug", NO_SLUG),
        (changed("kind", "letter"), "kind", "This must be one of: petition, open_letter, joint_statement."),
        (changed("kind", ["petition"]), "kind", "This must be one of: petition, open_letter, joint_statement."),
        (changed("reference", None), "reference", NO_TEXT),
        (changed("reference", "x" * 101), "reference", "This is too long: at most 100 characters."),
        (changed("source_locale", "de"), "source_locale", "This must be one of: km, en, fr."),
        (changed("source_locale", "fr"), "texts", "There is no text in the source language, fr."),
        (changed("timezone", "Toronto"), "timezone", NO_ZONE),
        (changed("timezone", "../../etc/passwd"), "timezone", NO_ZONE),
        (changed("opens_on", "2026-13-01"), "opens_on", NO_DATE),
        (changed("opens_on", "20260626"), "opens_on", NO_DATE),
        (changed("opens_on", "0001-01-01"), "opens_on", NO_DATE),
        (changed("closes_on", 20261024), "closes_on", NO_DATE),
        (changed("closes_on", "9999-12-31"), "closes_on", NO_DATE),
        (changed("closes_on", "2026-06-25"), "closes_on", "The closing date is before the opening date."),
        (changed("asks", "phone"), "asks", NO_LIST),
        (changed("asks", ["phone", "shoe_size"]), "asks[1]", "This must be one of: postal_code, phone, district."),
        (changed("asks", ["phone", "phone"]), "asks[1]", "This is there twice."),
        (changed("signatories", "all"), "signatories", "This must be one of: individuals, organisations, both."),
        (changed("organiser", "A Circle"), "organiser", NO_OBJECT),
        (changed("organiser", {"name": "A Circle"}), "organiser.email", MISSING),
        (changed("organiser.name", " "), "organiser.name", EMPTY),
        (changed("organiser.name", "A\nB"), "organiser.name", ONE_LINE),
        (changed("organiser.email", "nobody"), "organiser.email", NO_EMAIL),
        (changed("organiser.email", "a@b.org\nBcc: c@d.org"), "organiser.email", NO_EMAIL),
        (changed("organiser.email", "a@b"), "organiser.email", NO_EMAIL),
        (changed("organiser.email", f"{'a' * 250}@b.org"), "organiser.email", NO_EMAIL),
        (changed("addressees", {}), "addressees", NO_LIST),
        (changed("addressees.0.name", {}), "addressees[0].name", NO_LANGUAGE),
        (changed("addressees.0.name", {"en": ""}), "addressees[0].name.en", EMPTY),
        (changed("addressees.0.name.de", "Ein Amt"), "addressees[0].name.de", NOT_PART),
        (changed("addressees.0.name", "A Ministry"), "addressees[0].name", NO_OBJECT),
        (changed("addressees.0.country", "XX"), "addressees[0].country", NO_COUNTRY_OR_UNION),
        (changed("sponsor", None), "sponsor", NO_OBJECT),
        (changed("sponsor.name", ""), "sponsor.name", EMPTY),
        (changed("sponsor.title", {}), "sponsor.title", NO_LANGUAGE),
        (changed("sponsor.email", ""), "sponsor.email", NO_EMAIL),
        (
            changed("eligibility.all_of.1.minimum_age", 0),
            "eligibility.all_of[1].minimum_age",
            "This must be a whole number from 1 to 120.",
        ),
        (changed("eligibility", None), "eligibility", "This must be a rule: an object in braces."),
        (changed("thresholds.0.signatures", 0), "thresholds[0].signatures", NO_NUMBER),
        (changed("thresholds.0.signatures", 1.5), "thresholds[0].signatures", NO_NUMBER),
        (changed("thresholds.0.signatures", value=True), "thresholds[0].signatures", NO_NUMBER),
        (changed("thresholds.0.signatures", 10**9), "thresholds[0].signatures", NO_NUMBER),
        (changed("thresholds.0", {"signatures": 5}), "thresholds[0].label", MISSING),
        (changed("thresholds.0.label", {}), "thresholds[0].label", NO_LANGUAGE),
        (
            lambda data: data["thresholds"].append(data["thresholds"][0]),
            "thresholds[1].signatures",
            "Another threshold has this number.",
        ),
        (changed("texts", []), "texts", NO_OBJECT),
        (changed("texts.de", {"title": "Titel"}), "texts.de", NOT_PART),
        (changed("texts.km", {}), "texts.km.title", MISSING),
        (changed("texts.km.title", ""), "texts.km.title", EMPTY),
        (
            changed("texts.km.title", "x" * (MAX_TITLE + 1)),
            "texts.km.title",
            "This is too long: at most 300 characters.",
        ),
        (changed("texts.km.title", "a\nb"), "texts.km.title", ONE_LINE),
        (changed("texts.km.recitals", ["ក", "ខ", 3]), "texts.km.recitals[2]", NO_TEXT),
        (changed("texts.km.requests", ["ក", " \n"]), "texts.km.requests[1]", EMPTY),
        (
            changed("texts.km.requests", ["x" * (MAX_PARAGRAPH + 1)]),
            "texts.km.requests[0]",
            "This is too long: at most 20000 characters.",
        ),
        (changed("texts.km.how_to_sign", "Read."), "texts.km.how_to_sign", NO_LIST),
        (
            changed("texts.km.how_to_sign", ["x"] * (MAX_LIST + 1)),
            "texts.km.how_to_sign",
            "This list is too long: at most 200 items.",
        ),
        (
            changed("texts.km.body", "x" * (MAX_BODY + 1)),
            "texts.km.body",
            "This is too long: at most 100000 characters.",
        ),
        (changed("texts.km.faq", [{"question": "Who?"}]), "texts.km.faq[0].answer", MISSING),
        (changed("texts.km.faq", [{"question": "", "answer": "a"}]), "texts.km.faq[0].question", EMPTY),
        (changed("texts.km.subtitle", "x"), "texts.km.subtitle", NOT_PART),
        (
            changed("texts.km.body", "bell \a"),
            "texts.km.body",
            "This has a character that text cannot hold: U+0007.",
        ),
        (changed("texts.km.body", "a\r\nb"), "texts.km.body", "This has a character that text cannot hold: U+000D."),
        (
            changed("texts.en.recitals.0", "a\u202eb"),
            "texts.en.recitals[0]",
            "This has a character that text cannot hold: U+202E.",
        ),
        (changed("endorsements", [{}]), "endorsements[0].name", MISSING),
        (changed("endorsements", [{"name": "A", "country": "EU"}]), "endorsements[0].country", NO_COUNTRY),
        (changed("endorsements", [{"name": "A", "site": "x"}]), "endorsements[0].site", NOT_PART),
    ],
)
def test_a_bad_file_is_refused_with_the_place(
    change: Callable[[dict[str, Any]], None], place: str, sentence: str
) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    assert faults_of(encoded(data)) == [(place, sentence)]


def test_every_fault_is_named_at_once_and_in_three_languages() -> None:
    data = copy.deepcopy(GOOD) | {"slug": "!", "timezone": "", "colour": 1}
    data["texts"]["en"]["recitals"] = ["", 5]
    assert faults_of(encoded(data)) == [
        ("colour", NOT_PART),
        ("texts.en.recitals[0]", EMPTY),
        ("texts.en.recitals[1]", NO_TEXT),
        ("slug", NO_SLUG),
        ("timezone", NO_ZONE),
    ]
    with pytest.raises(BadCampaignFile, match="slug: This must be 3 to 64") as caught:
        parse_campaign_file(encoded(data))
    for fault in caught.value.faults:
        sentences = {fault.message.say(locale) for locale in LOCALES}
        assert len(sentences) == 3


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"\xff\xfe{}", "The file is not UTF-8 text: byte 1 cannot be read."),
        (b"", "The file is not JSON: see line 1, column 1."),
        (b'{\n "slug": }', "The file is not JSON: see line 2, column 10."),
        (b"[]", NO_OBJECT),
        (b"[" * 100_000, "The file is not a campaign: it is nested too deeply or has a huge number."),
        (b"9" * 10_000, "The file is not a campaign: it is nested too deeply or has a huge number."),
        (b" " * (MAX_FILE_BYTES + 1), "The file is too large: at most 2000000 bytes."),
    ],
)
def test_what_is_no_file_at_all_is_refused_whole(raw: bytes, sentence: str) -> None:
    assert faults_of(raw) == [("", sentence)]


def test_what_json_readers_let_pass_is_refused_with_its_place() -> None:
    raw = encoded(GOOD).replace(b'"party": "Independent"', b'"party": "Independent", "party": "None"')
    assert faults_of(raw) == [("sponsor.party", "This key is there twice.")]
    raw = encoded(GOOD).replace(b'"signatures": 500', b'"signatures": NaN')
    assert faults_of(raw) == [("thresholds[0].signatures", NO_NUMBER)]
    raw = encoded(GOOD).replace(b"A Circle", b"A \\ud800 Circle")
    assert faults_of(raw) == [("organiser.name", "This has a character that text cannot hold: U+D800.")]


def test_a_list_that_is_too_long_is_not_read_to_its_end() -> None:
    data = copy.deepcopy(GOOD) | {"addressees": [{}] * 1000}
    assert len(faults_of(encoded(data))) == 1 + 2 * MAX_LIST


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("UTC", True),
        ("America/Toronto", True),
        ("America/Argentina/Buenos_Aires", True),
        ("Etc/GMT+5", True),
        ("America", False),
        ("america/toronto", False),
        ("America/", False),
        ("/etc/passwd", False),
        ("Nowhere/Else", False),
        ("", False),
    ],
)
def test_is_zone(*, name: str, expected: bool) -> None:
    assert is_zone(name) is expected


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["en", "CA", "phone"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*GOOD, "name", "title", "country", "en", "any_of", "label"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(GOOD)), JSON))
def test_any_json_is_taken_or_refused_and_nothing_else(changes: dict[str, object]) -> None:
    try:
        campaign = parse_campaign_file(json.dumps(GOOD | changes).encode())
    except BadCampaignFile:
        return
    assert parse_campaign_file(encoded(campaign_as_data(campaign))) == campaign


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(raw: bytes) -> None:
    assert faults_of(raw)
