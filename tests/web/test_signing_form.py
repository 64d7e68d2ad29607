"""What people type into the form, in three languages: taken as they mean it, or given back with what to mend."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.stage import REAL_CAMPAIGNS, good_form, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage import Stage

VARIANTS = REAL_CAMPAIGNS.parent / "data" / "khmer-variants.json"
EMPTY: dict[str, Any] = {"name": "", "email": "", "country": "", "subdivision": "", "postal_code": "", "phone": ""}


def variants(kind: str) -> list[Any]:
    """Return the cases of the shared list; where it is absent, a few of its kind."""
    if not VARIANTS.exists():
        few: dict[str, list[Any]] = {
            "names_accepted": ["ចាន់ ច័ន្ទ\u200bបូរី", "Marie-Ève O’Neil", "陳大文"],
            "names_refused": ["<b>x</b>", "http://x.y", "123", "   "],
            "postal": [{"typed": "h៣z ២y៧", "kept": "H3Z 2Y7"}, {"typed": "D1A 1A1", "kept": None}],
            "phone": [{"typed": "(៥១៤) ៥៥៥-០១២៣", "kept": "+15145550123"}],
            "email": [{"typed": "\u200bsokha＠Example．org ", "kept": "sokha@example.org"}],
        }
        return few[kind]
    found: list[Any] = json.loads(VARIANTS.read_text())[kind]
    return found


@pytest.fixture(scope="module")
def asking(site: Stage) -> str:
    return site.campaign(small_campaign("asks-everything"), asks=["postal_code", "phone"])


def stored(site: Stage, asking: str, who: str, **fields: str) -> str:
    """Sign, and return the signer's own page."""
    person = Person(site, asking, f"{who}@example.org")
    sent = {"phone": "+1 514 555 0123", **fields}
    answer = person.sign(**sent)
    if answer.status_code == 422 and (checked := Page(answer.text).fields.get("checked")):
        # A code of another province is asked once more, and taken when the same form comes again.
        answer = person.sign(**sent, checked=checked[0])
    assert answer.status_code == 303, Page(answer.text).summary
    address = fields.get("email", person.email)
    letter = site.letters_to("".join(address.replace("＠", "@").replace("．", ".").lower().strip().strip("\u200b")))[-1]
    return Page(site.get(f"/en/signature/{letter.token('signature')}").text).words


@pytest.mark.parametrize("name", variants("names_accepted"))
def test_a_name_is_kept_as_its_owner_writes_it(site: Stage, asking: str, name: str) -> None:
    number = variants("names_accepted").index(name)
    assert " ".join(name.split()) in stored(site, asking, f"name{number}", name=name)


@pytest.mark.parametrize("name", variants("names_refused"))
def test_what_is_no_name_is_given_back(site: Stage, asking: str, name: str) -> None:
    answer = site.sign(asking, name=name, phone="+1 514 555 0123")
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [field for field, _ in page.summary] == ["name"]
    assert page.fields["name"] == [name]


@pytest.mark.parametrize("case", variants("postal"))
def test_a_postal_code_is_read_as_it_is_typed(site: Stage, asking: str, case: dict[str, str | None]) -> None:
    typed = case["typed"]
    assert typed is not None
    if case["kept"] is None:
        answer = site.sign(asking, postal_code=typed, phone="+1 514 555 0123")
        assert answer.status_code == 422
        assert [field for field, _ in Page(answer.text).summary] == ["postal_code"]
        return
    number = variants("postal").index(case)
    assert case["kept"] in stored(site, asking, f"postal{number}", postal_code=typed)


@pytest.mark.parametrize("case", variants("phone"))
def test_a_telephone_number_is_read_as_it_is_typed(site: Stage, asking: str, case: dict[str, str]) -> None:
    number = variants("phone").index(case)
    assert case["kept"] in stored(site, asking, f"phone{number}", phone=case["typed"])


@pytest.mark.parametrize("case", variants("email"))
def test_an_address_is_read_as_it_is_typed(site: Stage, asking: str, case: dict[str, str]) -> None:
    assert case["kept"] in stored(site, asking, "unused", email=case["typed"])


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_faults_are_listed_and_stand_beside_their_fields(site: Stage, asking: str, locale: str) -> None:
    answer = site.sign(asking, locale=locale, **EMPTY, claims=None, consent=None)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.lang == locale
    # Country first: what depends on it cannot be judged without it.
    assert [field for field, _ in page.summary] == ["name", "email", "country", "consent"]
    for field, words in page.summary:
        assert page.faults[field].endswith(words)
    assert page.invalid == {"name", "email", "country", "consent"}
    if locale == "km":
        assert all(re.search("[ក-៹]", words) for _, words in page.summary)
    if locale == "fr":
        assert "Choisissez" in " ".join(words for _, words in page.summary) or "Veuillez" in page.words


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_everything_is_kept_when_one_thing_is_wrong(site: Stage, asking: str, locale: str) -> None:
    typed = {
        "name": 'សេង  សុភ័ណ "O\'Neil" <b>',
        "email": "sokha@example",
        "country": "US",
        "subdivision": "US-CA",
        "postal_code": "9810",
        "phone": "12",
    }
    sent: dict[str, Any] = {**typed, "claims": ["citizen_of:CA"], "show_name": "yes", "updates": "", "consent": "on"}
    for answer, status in (
        (site.sign(asking, locale=locale, **sent), 422),
        (site.sign(asking, locale=locale, **sent, switch=locale), 200),
    ):
        page = Page(answer.text)
        assert answer.status_code == status
        assert page.lang == locale
        assert {name: page.fields[name] for name in typed} == {name: [value] for name, value in typed.items()}
        assert page.fields["locale"] == [locale]
        assert page.ticked == {
            ("claims", "citizen_of:CA"),
            ("show_name", "yes"),
            ("updates", "yes"),
            ("consent", "yes"),
        }
    # The switch finds no fault yet: nobody has pressed "sign".
    assert page.summary == []
    assert page.faults == {}


def test_the_form_as_served_signs_without_a_script(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    page = Page(person.get(f"/fr/campaigns/{person.slug}").text)
    hidden = {name: page.fields[name][0] for name in ("edition", "locale")}
    assert page.ticked == set()
    fields = {**good_form(), **hidden, "email": person.email}
    assert person.post(f"/fr/campaigns/{person.slug}/sign", fields).status_code == 303


def test_a_text_that_was_not_shown_is_not_signed(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    answer = person.sign(edition="0" * 64)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.summary == [("edition", "The text has changed since you opened this page. Read it again, then sign.")]
    assert "We, the undersigned, ask for" in page.words
    assert person.sign(edition=page.fields["edition"][0]).status_code == 303


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"country": "FR", "subdivision": "elsewhere", "postal_code": "75013"}, {}),
        ({"country": "FR", "subdivision": "", "postal_code": ""}, {}),
        ({"country": "FR", "subdivision": "CA-BC", "postal_code": "75013"}, {"subdivision"}),
        ({"country": "CA", "subdivision": "US-CA"}, {"subdivision"}),
        ({"country": "CA", "subdivision": "elsewhere"}, {"subdivision"}),
        ({"country": "XX", "subdivision": "CA-BC"}, {"country"}),
        ({"country": "Canada"}, {"country"}),
        ({"claims": None}, {"claims"}),
        ({"claims": ["citizen_of:KH", "minimum_age:18"]}, {"claims"}),
        ({"claims": ["permanent_resident_of:CA", "permanent_resident_of:CA"]}, {}),
        ({"consent": None}, {"consent"}),
        ({"postal_code": ""}, {"postal_code"}),
    ],
)
def test_where_one_lives_and_what_one_declares_are_checked(
    site: Stage, asking: str, fields: dict[str, Any], faults: set[str] | dict[str, str]
) -> None:
    answer = site.sign(asking, phone="+1 514 555 0123", browser=site.new_browser(), **fields)
    assert answer.status_code == (422 if faults else 303)
    assert {field for field, _ in Page(answer.text).summary} == set(faults)


def test_a_reason_about_the_province_stands_beside_the_province(site: Stage) -> None:
    slug = site.campaign(small_campaign("of-a-province"), eligibility={"resident_in": ["CA-QC"]})
    assert [field for field, _ in Page(site.sign(slug, claims=None).text).summary] == ["subdivision"]
    abroad = site.sign(slug, claims=None, country="FR", subdivision="elsewhere", postal_code="")
    assert [field for field, _ in Page(abroad.text).summary] == ["country"]
    assert site.sign(slug, claims=None, subdivision="CA-QC", postal_code="H3Z 2Y7").status_code == 303


def test_a_campaign_that_cannot_be_signed_says_so_and_keeps_nothing(site: Stage) -> None:
    later = site.campaign(small_campaign("not-yet"), open_for=None, opens_on="2090-01-01", closes_on="2090-02-01")
    for locale, said in (("en", "Signing opens on"), ("fr", "signature"), ("km", "ហត្ថលេខា")):
        for fields in ({}, {"switch": "fr"}):
            answer = site.post(f"/{locale}/campaigns/{later}/sign", {**good_form(), **fields})
            assert answer.status_code == 409
            assert said in answer.text
            assert 'name="email"' not in answer.text
    assert site.post("/en/campaigns/nothing/sign", good_form()).status_code == 404
    assert site.sql(
        "SELECT count(*) FROM signatures s JOIN campaigns c ON c.id = s.campaign_id WHERE slug = 'not-yet'"
    ) == [(0,)]
