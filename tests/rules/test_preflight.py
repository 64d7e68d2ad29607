"""The pre-flight: what the House of Commons would refuse and what publishing asks, found with its place and source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.rules.campaign_file import parse_campaign_file
from app.rules.eligibility import Anyone, parse_rule
from app.rules.preflight import (
    PAPER_REMINDERS,
    Body,
    CheckedAddressee,
    CheckedPart,
    CheckedThreshold,
    CheckInput,
    Finding,
    OpenCampaign,
    Severity,
    count_words,
    findings,
    parts_of,
    say_count,
)
from app.rules.preflight import words as looking
from app.rules.preflight.commons import GIVEN
from app.rules.preflight.publishing import similarity
from app.rules.texts import CampaignText
from tests.stage import REAL_CAMPAIGNS

OPENS, CLOSES = date(2026, 6, 1), date(2026, 9, 29)
TEXTS = {
    "en": CampaignText(
        title="Khmer books in every library",
        recitals=("Many children learn Khmer at home;", "Libraries hold few books in Khmer;"),
        declaration="We, the undersigned, citizens and residents of Canada, call upon the Government of Canada to:",
        requests=("Help libraries to buy books in Khmer;", "Support the teachers of Khmer."),
    ),
    "fr": CampaignText(
        title="Des livres khmers dans chaque bibliothèque",
        recitals=("Bien des enfants apprennent le khmer à la maison;", "Les bibliothèques ont peu de livres en khmer;"),
        declaration="Nous, soussignés, citoyens et résidents du Canada, prions le gouvernement du Canada de :",
        requests=("Aider les bibliothèques à acheter des livres en khmer;", "Appuyer les enseignantes de khmer."),
    ),
    "km": CampaignText(
        title="សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ",
        recitals=("កុមារជាច្រើនរៀនខ្មែរនៅផ្ទះ", "បណ្ណាល័យមានសៀវភៅខ្មែរតិច"),
        declaration="ពួកយើងខ្ញុំ ដែលបានចុះហត្ថលេខាខាងក្រោម សូមអំពាវនាវដល់រដ្ឋាភិបាលកាណាដា ដើម្បី៖",
        requests=("ជួយបណ្ណាល័យទិញសៀវភៅខ្មែរ", "គាំទ្រគ្រូបង្រៀនភាសាខ្មែរ"),
    ),
}
CLEAN = CheckInput(
    kind="petition",
    form="commons",
    source_locale="en",
    promised_locales=("en", "fr", "km"),
    parts=parts_of(TEXTS),
    today=date(2026, 5, 1),
    addressees=(
        CheckedAddressee({"en": "Government of Canada", "fr": "Gouvernement du Canada", "km": "រដ្ឋាភិបាលកាណាដា"}, "CA"),
    ),
    thresholds=(CheckedThreshold(500, {"en": "It is presented", "fr": "Elle est présentée", "km": "ដាក់ជូនសភា"}),),
    eligibility=parse_rule({"any_of": [{"resident_of": ["CA"]}, {"citizen_of": ["CA"]}]}),
    opens_on=OPENS,
    closes_on=CLOSES,
    supporters_needed=5,
    supporters_confirmed=5,
    sponsor_state="accepted",
    sponsor_tries=1,
)


def changed(locale: str = "en", **parts: object) -> CheckInput:
    """Return the clean campaign with parts of one language changed."""
    return replace(CLEAN, parts=parts_of({**TEXTS, locale: replace(TEXTS[locale], **parts)}))  # type: ignore[arg-type]  # parts by name


def found(check: CheckInput, code: str) -> list[Finding]:
    return [each for each in findings(check) if each.code == code]


def the(check: CheckInput, code: str) -> Finding:
    (finding,) = found(check, code)
    return finding


def test_a_text_with_none_of_these_is_clean() -> None:
    assert findings(CLEAN) == []
    assert [(count.locale, count.words, count.is_over) for count in count_words(CLEAN)] == [
        ("en", 24, False),
        ("fr", 31, False),
    ]
    assert say_count(count_words(CLEAN)[0]).say("en") == "24 of 250 words"


def test_e1746_as_published_is_found_what_the_house_would_find() -> None:
    file = parse_campaign_file((REAL_CAMPAIGNS / "e-1746.json").read_bytes())
    check = CheckInput(
        kind=file.kind,
        form="commons",
        source_locale=file.source_locale,
        promised_locales=("en",),
        parts=parts_of(file.texts),
        today=date(2018, 6, 20),
        addressees=tuple(CheckedAddressee(each.name, each.country) for each in file.addressees),
        thresholds=tuple(CheckedThreshold(each.signatures, each.label) for each in file.thresholds),
        eligibility=file.eligibility,
        opens_on=file.opens_on,
        closes_on=file.closes_on,
        sponsor_state="accepted",
        sponsor_tries=1,
    )
    # 237 words of 250, no address, no reference, no demand, an addressee that it takes, 120 days: as the House took it.
    assert [(count.locale, count.words) for count in count_words(check)] == [("en", 237), ("fr", 0)]
    assert [(each.code, each.severity, each.place.path) for each in findings(check)] == [
        ("supporters", Severity.REFUSES, "/supporters"),
        ("translated_by_the_house", Severity.ADVISES, "/text"),
        ("eligibility", Severity.ADVISES, "/settings"),
    ]
    assert all(each.body is Body.COMMONS_E and each.source.url for each in findings(check))
    # A day after its end, publishing it here waits for another date; its French is in part only.
    late = replace(check, today=date(2018, 10, 25), promised_locales=("en", "fr", "km"))
    assert [(each.code, each.place.say("en")) for each in findings(late) if each.blocks] == [
        ("missing", "Recital 1, Français"),
        ("closing_date", "Dates"),
    ]


# Words -------------------------------------------------------------------------------------------------------------

WORD = st.text(alphabet="abcdéèçœABCD0123", min_size=1, max_size=9)
SPACE = st.sampled_from([" ", "  ", "\n", "\n\n", "\t", "\u00a0", "\u202f", " — ", " « ", " : ", "\u200b "])


@given(st.lists(st.tuples(WORD, SPACE)), st.randoms())
def test_counting_is_stable_under_spacing_and_order(pairs: list[tuple[str, str]], random: object) -> None:
    text = "".join(word + space for word, space in pairs)
    assert looking.count_words(text) == len(pairs)
    shuffled = [word for word, _ in pairs]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert looking.count_words(" ".join(shuffled)) == len(pairs)


@given(st.text(), st.text())
def test_counting_adds_up_and_is_never_negative(one: str, other: str) -> None:
    assert looking.count_words(one) >= 0
    assert looking.count_words(f"{one} {other}") == looking.count_words(one) + looking.count_words(other)


@pytest.mark.parametrize("locale", ["en", "fr"])
@pytest.mark.parametrize("recitals", [1, 100])
def test_250_words_are_taken_and_251_are_not(locale: str, recitals: int) -> None:
    def check(total: int) -> CheckInput:
        lines = ("mot " * recitals, "mot " * (total - recitals))
        return changed(locale, recitals=(lines[0], "—"), requests=(lines[1], "–"))

    assert found(check(250), "words") == []
    finding = the(check(251), "words")
    assert (finding.body, finding.severity, finding.place.locale) == (Body.COMMONS_E, Severity.REFUSES, locale)
    assert "251" in finding.message.say("en")
    assert "២៥១" in finding.message.say("km")
    assert "250 words" not in finding.advice.say("en")
    assert (finding.source.url or "").startswith("https://www.ourcommons.ca/")


def test_khmer_words_are_not_counted() -> None:
    assert found(changed("km", recitals=("ពាក្យ " * 300, "ខ")), "words") == []


# Addresses and other documents -------------------------------------------------------------------------------------

ADDRESSES = (
    "https://example.org/petition",
    "http://198.51.100.7",
    "www.example.org",
    "example.org/abc",
    "example.org",
    "EXAMPLE.ORG",
    "youtu.be/abc123",
    "t.me/khmer",
    "petitions.noscommunes.ca",
    "gov.kh",
    "ftp://files.example",
)


@pytest.mark.parametrize("name", sorted(GIVEN))
@given(
    address=st.sampled_from(ADDRESSES),
    locale=st.sampled_from(LOCALES),
    around=st.sampled_from(["{}", "({}).", "a {} b"]),
)
def test_a_web_address_in_any_part_is_found_with_its_place(name: str, address: str, locale: str, around: str) -> None:
    text = around.format(address)
    attribute = {"recital": "recitals", "request": "requests"}.get(name, name)
    value = ("Fine;", text) if attribute != name else text
    finding = the(changed(locale, **{attribute: value}), "web_address")
    assert (finding.place.name, finding.place.locale) == (name, locale)
    assert finding.place.number == (2 if attribute != name else 0)
    assert address in finding.message.say("fr")
    assert finding.severity is (Severity.ADVISES if locale == "km" else Severity.REFUSES)


@pytest.mark.parametrize(
    "text",
    [
        "We love Canada.We also love Cambodia.",
        "Canada.Ca va.",
        "The U.S. and the U.N. agree, e.g. in 1991.",
        "Section 3.1 and 12.5 per cent",
        "and/or",
        "Le Canada.Nous aimons",
        "M. Sok et Mme. Chan",
        "រដ្ឋាភិបាល។សូម",
    ],
)
def test_the_end_of_a_sentence_is_no_address(text: str) -> None:
    assert looking.find_web_address(text) is None


def test_an_email_address_is_found_once_and_as_what_it_is() -> None:
    check = changed("fr", requests=("Écrire à bureau@example.org.", "Deux"))
    assert "bureau@example.org" in the(check, "email").message.say("en")
    assert found(check, "web_address") == []


@pytest.mark.parametrize(
    "text",
    [
        "See attached the list",
        "as the annex A says",
        "in the attached report",
        "described in appendix 2",
        "killed in 1975 [1]",
        "killed in the war¹",
        "le document ci-joint",
        "la liste en annexe",
        "voir l’annexe B",
        "les pièces jointes",
        "voir la note de bas de page",
    ],
)
def test_a_reference_to_another_document_is_found(text: str) -> None:
    for locale in ("en", "fr"):
        finding = the(changed(locale, recitals=(text, "Two")), "reference")
        assert (finding.severity, finding.place.number) == (Severity.REFUSES, 1)


@pytest.mark.parametrize(
    "text", ["La Russie annexe la Crimée", "an area of 12 km²", "attached to their language", "²", "exhibit courage"]
)
def test_words_that_only_look_like_references_are_none(text: str) -> None:
    assert looking.find_reference(text) is None


# Demands -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "part", "text"),
    [
        ("en", "declaration", "We, the undersigned, demand that the Government of Canada:"),
        ("en", "declaration", "We, the undersigned, insist that the Government of Canada:"),
        ("en", "declaration", "We require the Government of Canada to:"),
        ("en", "declaration", "The Government of Canada must:"),
        ("en", "requests", "The Government of Canada must act now"),
        ("en", "requests", "Must act now"),
        ("en", "requests", "We demand books"),
        ("en", "recitals", "We strongly demand action"),
        ("fr", "declaration", "Nous, soussignés, exigeons du gouvernement du Canada de :"),
        ("fr", "declaration", "Nous réclamons du gouvernement :"),
        ("fr", "declaration", "Nous sommons le gouvernement de :"),
        ("fr", "declaration", "Le gouvernement doit :"),
        ("fr", "requests", "Le gouvernement du Canada doit agir"),
        ("fr", "requests", "Vous devez agir"),
        ("fr", "requests", "Nous exigeons des livres"),
        ("fr", "body", "Nous mettons en demeure le gouvernement"),
    ],
)
def test_a_demand_is_found_in_english_and_french(locale: str, part: str, text: str) -> None:
    value = (text, "Two") if part.endswith("s") else text
    finding = the(changed(locale, **{part: value}), "demand")
    assert (finding.severity, finding.place.locale, finding.place.name) == (Severity.REFUSES, locale, part.rstrip("s"))
    assert finding.source.name.say("en").startswith("House of Commons")


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Demand the release of prisoners"),
        ("en", "Require banks to answer"),
        ("fr", "Exiger la libération des prisonniers"),
        ("km", "ទាមទារឲ្យដោះលែងអ្នកទោស"),
    ],
)
def test_a_request_that_begins_with_a_demand_is_looked_at_twice(locale: str, text: str) -> None:
    finding = the(changed(locale, requests=(text, "Two")), "demand")
    assert (finding.severity, finding.place.number) == (Severity.ADVISES, 1)


def test_a_khmer_demand_is_advice_since_the_house_does_not_read_it() -> None:
    assert the(changed("km", declaration="ពួកយើងខ្ញុំសូមទាមទារ៖"), "demand").severity is Severity.ADVISES


@pytest.mark.parametrize(
    ("locale", "part", "text"),
    [
        ("en", "recitals", "Elections must be free and fair"),
        ("en", "recitals", "Libraries demand much work"),
        ("en", "requests", "Adopt a law under which employers must report every year"),
        ("en", "declaration", "We, the undersigned, in order to protect democracy, call upon the House of Commons to:"),
        ("fr", "recitals", "Les élections doivent être libres"),
        ("fr", "declaration", "Nous, soussignés, sommes inquiets et prions le gouvernement du Canada de :"),
        ("fr", "requests", "Consacrer une somme aux bibliothèques"),
        ("km", "recitals", "ប្រជាជនទាមទារសេរីភាព"),
    ],
)
def test_what_is_no_demand_is_left_alone(locale: str, part: str, text: str) -> None:
    value = (text, "Two") if part.endswith("s") else text
    assert found(changed(locale, **{part: value}), "demand") == []


def test_disrespect_is_advice() -> None:
    for locale, text in (("en", "the dictator and his henchmen"), ("fr", "le dictateur"), ("km", "ជនផ្ដាច់ការ")):
        assert the(changed(locale, recitals=(text, "Two")), "language").severity is Severity.ADVISES


# Form --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "country", "severity"),
    [
        ({"en": "House of Commons"}, "CA", None),
        ({"fr": "Chambre des communes"}, "CA", None),
        ({"en": "Minister of Foreign Affairs"}, "CA", None),
        ({"fr": "Ministre des Affaires étrangères"}, "CA", None),
        ({"en": "A. Somebody, Member of Parliament for Ottawa, Ontario"}, "CA", None),
        ({"en": "Senate of Canada"}, "CA", Severity.REFUSES),
        ({"fr": "Sénat du Canada"}, "CA", Severity.REFUSES),
        ({"en": "Minister of Education of Ontario"}, "CA", Severity.REFUSES),
        ({"en": "Government of Cambodia"}, "KH", Severity.REFUSES),
        ({"en": "Friends of Libraries"}, "CA", Severity.ADVISES),
        ({"km": "រដ្ឋាភិបាលកាណាដា"}, "CA", Severity.ADVISES),
    ],
)
def test_addressees_are_those_that_the_house_allows(
    names: dict[str, str], country: str, severity: Severity | None
) -> None:
    check = replace(CLEAN, promised_locales=("en",), addressees=(*CLEAN.addressees, CheckedAddressee(names, country)))
    of_the_house = [each for each in found(check, "addressee") if each.body is Body.COMMONS_E]
    assert [each.severity for each in of_the_house] == ([] if severity is None else [severity])
    assert all(each.place.number == 2 for each in of_the_house)


def test_nobody_addressed_is_found_by_both() -> None:
    assert [(each.body, each.severity) for each in found(replace(CLEAN, addressees=()), "addressee")] == [
        (Body.PLATFORM, Severity.ADVISES),
        (Body.COMMONS_E, Severity.REFUSES),
    ]
    statement = replace(CLEAN, kind="joint_statement", form="free", addressees=())
    assert findings(statement) == []


@pytest.mark.parametrize("days", [30, 60, 90, 120])
def test_the_periods_of_the_house_are_fine(days: int) -> None:
    assert findings(replace(CLEAN, closes_on=OPENS + timedelta(days=days))) == []
    assert findings(replace(CLEAN, opens_on=None, closes_on=None, open_for=days)) == []


def test_another_period_is_refused_and_an_unknown_one_is_not() -> None:
    assert "45" in the(replace(CLEAN, open_for=45), "period").message.say("en")
    assert the(replace(CLEAN, closes_on=OPENS + timedelta(days=31)), "period").severity is Severity.REFUSES
    assert the(replace(CLEAN, closes_on=None), "period").severity is Severity.REFUSES
    assert the(replace(CLEAN, opens_on=None), "period").severity is Severity.ADVISES


def test_supporters_and_sponsor_are_needed() -> None:
    assert "4" in the(replace(CLEAN, supporters_confirmed=4), "supporters").message.say("en")
    assert the(replace(CLEAN, sponsor_state="asked"), "sponsor").severity is Severity.ADVISES
    for state in (None, "proposed", "declined", "expired", "left"):
        assert the(replace(CLEAN, sponsor_state=state), "sponsor").severity is Severity.REFUSES
    assert "5 tries" in the(replace(CLEAN, sponsor_state="declined", sponsor_tries=5), "sponsor").advice.say("en")


def test_the_rule_of_the_house_is_compared_by_whom_it_takes() -> None:
    same, wider = [{"citizen_of": ["CA"]}, {"resident_of": ["CA"]}], {"permanent_resident_of": ["CA"]}
    for rules in (same, [*same, wider]):
        assert found(replace(CLEAN, eligibility=parse_rule({"any_of": rules})), "eligibility") == []
    narrower = replace(CLEAN, eligibility=parse_rule({"citizen_of": ["CA"]}))
    assert "Fewer" in the(narrower, "eligibility").message.say("en")
    assert "may not sign there" in the(replace(CLEAN, eligibility=Anyone()), "eligibility").message.say("en")
    assert "Fewer" in the(replace(CLEAN, signatories="organisations"), "eligibility").message.say("en")


def test_a_text_in_neither_official_language_is_refused_on_both_forms() -> None:
    check = replace(CLEAN, source_locale="km", promised_locales=("km",), parts=parts_of({"km": TEXTS["km"]}))
    assert [each.body for each in found(check, "official_language")] == [Body.COMMONS_E, Body.COMMONS_PAPER]
    half = changed("en", requests=TEXTS["en"].requests[:1])
    assert the(half, "translated_by_the_house").place.locale == "en"
    opinion = replace(CLEAN, parts=parts_of({"en": CampaignText(title="Books", recitals=("They are good",))}))
    assert the(opinion, "no_request").severity is Severity.REFUSES


def test_parts_that_the_form_has_no_place_for_may_stay() -> None:
    finding = the(changed("en", body="More about it."), "extra_part")
    assert (finding.severity, finding.place.name) == (Severity.ADVISES, "body")


def test_paper_and_low_thresholds() -> None:
    low = replace(CLEAN, thresholds=(CheckedThreshold(20, CLEAN.thresholds[0].labels),))
    assert [each.body for each in found(low, "threshold")] == [Body.COMMONS_E, Body.COMMONS_PAPER]
    long = changed("en", body="word " * 460)
    assert the(long, "paper_length").body is Body.COMMONS_PAPER
    assert len(PAPER_REMINDERS) == 5
    assert all(reminder.message.say("en") and reminder.source.name for reminder in PAPER_REMINDERS)


# The platform ------------------------------------------------------------------------------------------------------


def test_what_publishing_waits_for() -> None:
    no_title = changed("en", title="")
    assert the(no_title, "title").blocks
    nothing = replace(CLEAN, form="free", parts=parts_of({"en": CampaignText(title="Books")}), promised_locales=("en",))
    assert [each.code for each in findings(nothing)] == ["empty"]
    assert [each.code for each in findings(replace(CLEAN, promised_locales=()))] == ["languages"]
    without_km = replace(CLEAN, parts=parts_of({name: TEXTS[name] for name in ("en", "fr")}))
    assert (the(without_km, "language_missing").place.locale, the(without_km, "language_missing").blocks) == (
        "km",
        True,
    )
    past = replace(CLEAN, today=date(2026, 9, 30))
    assert the(past, "closing_date").blocks
    assert "29 September 2026" in the(past, "closing_date").message.say("en")
    assert not the(replace(CLEAN, today=CLOSES), "closing_date").blocks
    two_places = parse_rule({"all_of": [{"resident_of": ["CA"]}, {"resident_of": ["FR"]}]})
    assert the(replace(CLEAN, eligibility=two_places), "nobody").blocks
    backwards = replace(CLEAN, opens_on=date(2026, 10, 1))
    assert the(backwards, "closing_date").blocks
    unsaid = replace(CLEAN, thresholds=(CheckedThreshold(500, {"en": "It is presented", "fr": " "}),))
    assert [(each.place.locale, each.blocks) for each in found(unsaid, "threshold")] == [("fr", True), ("km", True)]


def test_a_missing_declaration_and_an_unnamed_addressee_are_advice() -> None:
    silent = {locale: replace(text, declaration="") for locale, text in TEXTS.items()}
    assert not the(replace(CLEAN, parts=parts_of(silent)), "declaration").blocks
    addressee = CheckedAddressee({"en": "Government of Canada"}, "CA")
    unnamed = found(replace(CLEAN, addressees=(addressee,)), "addressee")
    assert [(each.place.locale, each.blocks) for each in unnamed] == [("fr", False), ("km", False)]


def test_parts_that_are_missing_or_not_ready_are_counted_and_the_first_is_named() -> None:
    items = [uuid4(), uuid4()]
    parts = [
        CheckedPart("request", locale, "One", kind="request", position=place * 10, item_id=item)
        for place, item in enumerate(items)
        for locale in ("en", "fr")
    ]
    titles = [CheckedPart("title", locale, "Books") for locale in ("en", "fr")]
    check = replace(CLEAN, form="free", promised_locales=("en", "fr"), parts=(*titles, *parts[:-1]))
    finding = the(check, "missing")
    assert (finding.place.path, finding.place.say("en")) == (
        f"/text#part-{items[1]}-request-fr",
        "Request 2, Français",
    )
    unready = [replace(part, is_ready=False) for part in parts[2:]]
    behind = replace(parts[1], is_behind=True)
    check = replace(check, parts=(*titles, parts[0], behind, *unready))
    assert [(each.place.number, each.place.locale, each.blocks) for each in found(check, "not_ready")] == [
        (2, "en", True),
        (2, "fr", True),
    ]
    assert the(check, "behind").place.path == f"/text#part-{items[0]}-request-fr"
    assert not the(check, "behind").blocks


def test_a_list_that_the_original_does_not_have_is_missed_by_nobody() -> None:
    assert found(changed("km", how_to_sign=("ចុច",)), "missing") == []
    pressed = found(changed("en", how_to_sign=("Press",)), "missing")
    assert [each.place.locale for each in pressed] == ["fr", "km"]
    # One that a language has in part would be left out of it whole.
    assert the(changed("fr", requests=TEXTS["fr"].requests[:1]), "missing").place.say("en") == "Request 2, Français"


def test_similar_open_campaigns_are_named_in_any_language() -> None:
    others = (
        OpenCampaign("books", {"en": "Khmer books for every library!"}),
        OpenCampaign("livres", {"fr": "Des livres khmers dans chaque bibliotheque"}),
        OpenCampaign("roads", {"en": "Better roads in Battambang", "km": "ផ្លូវល្អ"}),
        OpenCampaign("km-books", {"km": "សៀវភៅខ្មែរ គ្រប់បណ្ណាល័យ"}),
    )
    similar = found(replace(CLEAN, open_campaigns=others), "similar")
    assert {slug for each in similar for slug in each.links} == {"books", "livres", "km-books"}
    assert not any(each.blocks for each in similar)
    assert any("Khmer books for every library!" in each.message.say("fr") for each in similar)


@given(st.text(), st.text())
def test_similarity_is_even_handed(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0 <= similarity(one, other) <= 1
    assert similarity(one, one) in {0.0, 1.0}


# Whatever the text -------------------------------------------------------------------------------------------------

ANY_TEXT = st.builds(
    CampaignText,
    title=st.text(),
    recitals=st.lists(st.text(), max_size=3).map(tuple),
    declaration=st.text(),
    requests=st.lists(st.text(), max_size=3).map(tuple),
    body=st.text(),
    salutation=st.text(),
    closing=st.text(),
)


@given(
    st.dictionaries(st.sampled_from(LOCALES), ANY_TEXT),
    st.sampled_from(["commons", "free"]),
    st.sets(st.sampled_from(LOCALES)),
)
def test_findings_never_raise_and_speak_three_languages(
    texts: dict[str, CampaignText],
    form: str,
    promised: set[str],
) -> None:
    check = replace(CLEAN, parts=parts_of(texts), form=form, promised_locales=tuple(sorted(promised)))
    for each in findings(check):
        for locale in LOCALES:
            assert each.message.say(locale)
            assert each.advice.say(locale)
            assert each.source.name.say(locale)
            assert each.place.say(locale)
        assert each.blocks == (each.severity is Severity.BLOCKS)
        assert not each.blocks or each.body is Body.PLATFORM


@pytest.mark.parametrize("piece", ["ក", "a", "-", "a.", "a@", "www.", "'", "Canada ' ", "see the ", "¹", "[ ", "nous "])
def test_a_long_text_without_any_space_is_read_to_its_end(piece: str) -> None:
    """Patterns that go back over what they read would take hours; what hangs is ended by pytest's faulthandler."""
    text = "government " + piece * (20_000 // len(piece))
    check = changed("en", requests=(text,), declaration=text, body=text * 2)
    assert all(each.message.say("km") for each in findings(check))


def test_a_text_that_does_not_go_to_the_house_is_held_to_none_of_its_rules() -> None:
    letter = replace(changed("en", requests=("We demand books, see www.example.org", "Two")), form="free")
    assert findings(letter) == []
    assert findings(replace(CLEAN, kind="open_letter", open_for=45)) == []
