"""The federal district in the signing form: optional, by province, what the signer says and nothing else."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any, Final

import pytest

from app.actions import signing
from app.actions.districts import load_districts
from app.core.clock import utc_now
from app.queries.turned_away import count_turned_away
from app.web import districts as shelf
from tests.actions.lives import campaign_id
from tests.districts import FEW, as_many_as_canada_has, offer
from tests.stage import good_form, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from app.web.districts import Districts
    from tests.stage import Stage

#: What districts may add, compressed: to a campaign's page, and to the page that offers those of one province.
MOST_ON_A_FIRST_VISIT: Final = 300
MOST_ON_THE_NEXT_PAGE: Final = 3_500
LOCALES: Final = ("km", "en", "fr")


@pytest.fixture(scope="module")
def asking(site: Stage) -> Iterator[str]:
    """Open a campaign that asks, on a stage with a few districts."""
    offer(site)
    yield site.campaign(small_campaign("asks-district"), asks=["postal_code", "district"])
    offer(site, ())


def kept(site: Stage, slug: str, email: str) -> list[str | None]:
    """Return the district of the newest form of an address."""
    person = Person(site, slug, email)
    page = site.get(f"/en/signature/{person.letter().token('signature')}?download")
    return [page.json()["district"], (page.json()["district_names"] or {}).get("fr")]


def forms_turned_away(site: Stage, slug: str) -> int:
    return site.read(count_turned_away, campaign_id=campaign_id(site, slug))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_campaign_has_a_box_and_no_list(site: Stage, asking: str, locale: str) -> None:
    page = Page(site.get(f"/{locale}/campaigns/{asking}").text)
    assert "district" not in page.fields
    assert ("say_district", "yes") not in page.ticked
    assert 'name="say_district"' in site.get(f"/{locale}/campaigns/{asking}").text


@pytest.mark.parametrize(
    ("locale", "group", "name"),
    [
        ("en", "British Columbia", "Vancouver East"),
        ("fr", "Colombie-Britannique", "Vancouver-Est"),
        ("km", "ប្រ៊ីធីសកូឡុំប៊ី (British Columbia)", "Vancouver East"),
    ],
)
def test_the_list_of_the_province_comes_next_and_all_else_is_kept(
    site: Stage, asking: str, locale: str, group: str, name: str
) -> None:
    person = Person(site, asking, f"next-{locale}@example.org")
    answer = person.sign(locale=locale, say_district="yes", show_name="yes")
    assert answer.status_code == 200
    page = Page(answer.text)
    field = answer.text.partition('<select id="district"')[2].partition("</select>")[0]
    language = ' lang="en"' if locale == "km" else ""
    assert f'<optgroup label="{group}">' in field
    assert f'<option value="59035"{language}>{name}</option>' in field
    assert field.count("<optgroup") == 1
    assert " required" not in field
    assert [address for address, _ in page.summary] == ["district"]
    assert page.fields["name"] == [good_form()["name"]]
    assert {("consent", "yes"), ("show_name", "yes")} <= page.ticked
    assert not person.letters()
    assert person.sign(locale=locale, say_district="yes", district="59035").status_code == 303
    assert kept(site, asking, person.email) == ["59035", "Vancouver-Est"]


def test_a_form_with_faults_has_the_list_as_well(site: Stage, asking: str) -> None:
    answer = site.sign(asking, say_district="yes", name="")
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [name for name, _ in page.summary] == ["name"]
    assert page.fields["district"] == [""]
    # Where the province is at fault, the box stays ticked, and the list comes once it is right.
    page = Page(site.sign(asking, say_district="yes", subdivision="").text)
    assert ("say_district", "yes") in page.ticked
    assert "district" not in page.fields


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"country": "FR", "subdivision": "elsewhere", "postal_code": "75013"}, id="abroad"),
        # A list of a few provinces is loaded.
        pytest.param({"subdivision": "CA-NU", "postal_code": "X0A 0H0"}, id="no list of the province"),
    ],
)
def test_the_box_holds_up_nobody_for_whom_there_is_no_list(site: Stage, asking: str, fields: dict[str, str]) -> None:
    person = Person(site, asking, f"box-{fields['subdivision'].lower()}@example.org")
    assert person.sign(say_district="yes", **fields).status_code == 303
    assert kept(site, asking, person.email) == [None, None]


def test_only_a_campaign_that_asks_has_the_field_and_only_with_a_list(site: Stage, asking: str, slug: str) -> None:
    assert "say_district" not in site.get(f"/en/campaigns/{slug}").text
    quiet = Person(site, slug, "quiet@example.org")
    assert quiet.sign(district="59008").status_code == 303
    assert kept(site, slug, quiet.email) == [None, None]
    offer(site, ())
    try:
        site.house.cache.forget(asking)
        assert "say_district" not in site.get(f"/en/campaigns/{asking}").text
        assert Person(site, asking, "early@example.org").sign(district="59008").status_code == 303
    finally:
        offer(site)
        site.house.cache.forget(asking)


def test_a_district_is_kept_and_shown_to_its_signer_alone(site: Stage, asking: str) -> None:
    person = Person(site, asking, "chooses@example.org")
    assert person.sign(district="59035").status_code == 303
    assert kept(site, asking, person.email) == ["59035", "Vancouver-Est"]
    token = person.letter().token("signature")
    for locale, shown in (("en", "Vancouver East"), ("fr", "Vancouver-Est"), ("km", "Vancouver East")):
        assert shown in Page(site.get(f"/{locale}/signature/{token}").text).words
    # A later list without it takes nothing from the signer.
    offer(site, FEW[:1])
    try:
        assert "Vancouver East" in Page(site.get(f"/en/signature/{token}").text).words
    finally:
        offer(site)


def test_no_answer_is_an_answer(site: Stage, asking: str) -> None:
    for number, district in enumerate((None, "", "  ")):
        person = Person(site, asking, f"silent{number}@example.org")
        assert person.sign(district=district).status_code == 303
        assert kept(site, asking, person.email) == [None, None]
        page = site.get(f"/en/signature/{person.letter().token('signature')}").text
        assert "Federal electoral district" not in page


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ("35109", "This federal electoral district is not in the province that you chose."),
        ("59099", "Choose your federal electoral district from the list"),
        ("<b>\0", "Choose your federal electoral district from the list"),
    ],
)
def test_a_district_that_cannot_be_is_sent_back_beside_its_field(
    site: Stage, asking: str, chosen: str, fault: str
) -> None:
    answer = site.sign(asking, email="elsewhere@example.org", say_district="yes", district=chosen)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [name for name, _ in page.summary] == ["district"]
    assert page.faults["district"].startswith(f"Error: {fault}")
    assert "district" in page.invalid
    assert page.fields["district"] == [""]
    assert page.fields["subdivision"] == ["CA-BC"]


def test_a_province_that_is_missing_is_the_only_fault(site: Stage, asking: str) -> None:
    page = Page(site.sign(asking, subdivision="", district="35109").text)
    assert [name for name, _ in page.summary] == ["subdivision"]


@pytest.mark.parametrize(
    "home", [{"country": "US", "subdivision": "US-WA", "postal_code": "98101"},
             {"country": "FR", "subdivision": "elsewhere", "postal_code": "75013"}]
)  # fmt: skip
def test_whoever_lives_elsewhere_says_none(site: Stage, asking: str, home: dict[str, str]) -> None:
    person = Person(site, asking, f"abroad-{home['country'].lower()}@example.org")
    for district in ("59008", "no code"):
        assert person.sign(district=district, **home).status_code == 303
    assert kept(site, asking, person.email) == [None, None]


def test_it_is_never_worked_out_from_a_postal_code(site: Stage, asking: str) -> None:
    person = Person(site, asking, "coded@example.org")
    assert person.sign(postal_code="V3B 1A1").status_code == 303
    assert kept(site, asking, person.email) == [None, None]


def test_a_choice_survives_a_change_of_language(site: Stage, asking: str) -> None:
    page = Page(site.sign(asking, locale="fr", say_district="yes", district="59035", switch="fr").text)
    assert page.fields["district"] == ["59035"]


def test_a_list_is_read_again_after_a_while(site: Stage, asking: str, monkeypatch: pytest.MonkeyPatch) -> None:
    site.get(f"/en/campaigns/{asking}?x=1")
    site.write(load_districts, districts=FEW[:1], now=utc_now())
    try:
        assert site.sign(asking, email="stale@example.org", district="59035").status_code == 303
        monkeypatch.setattr(shelf, "SECONDS", 0.0)
        assert site.sign(asking, email="fresh@example.org", district="59035").status_code == 422
    finally:
        offer(site)


def test_whoever_comes_while_the_list_is_read_waits_for_the_same(site: Stage, asking: str) -> None:
    async def find_twice() -> list[Districts]:
        shelved = await site.house.shelf.find(asking)
        assert shelved is not None
        site.house.districts.forget()
        return await asyncio.gather(*(site.house.districts.find_for(shelved.campaign) for _ in range(2)))

    first, second = site.run(find_twice())
    assert first is second
    assert set(first.by_code) == {each.code for each in FEW}


@pytest.mark.parametrize("locale", LOCALES)
def test_all_of_canada_is_light(site: Stage, asking: str, locale: str) -> None:
    everywhere = as_many_as_canada_has()
    assert len(everywhere) == 343
    weights = []
    for districts in ((), everywhere):
        offer(site, districts)
        site.house.cache.forget(asking)
        page = site.get(f"/{locale}/campaigns/{asking}", headers={"accept-encoding": "identity"})
        # Ontario has the longest list.
        form = site.sign(asking, locale=locale, say_district="yes", subdivision="CA-ON", postal_code="M5V 3L9", name="")
        weights.append([len(gzip.compress(each.content, 6, mtime=0)) for each in (page, form)])
    offer(site)
    site.house.cache.forget(asking)
    added = [after - before for before, after in zip(*weights, strict=True)]
    assert 0 < added[0] < MOST_ON_A_FIRST_VISIT
    assert 1_000 < added[1] < MOST_ON_THE_NEXT_PAGE


# Forms of people who may not sign ---------------------------------------------------------------------------------


def test_a_whole_form_of_somebody_who_may_not_sign_is_counted(site: Stage, slug: str) -> None:
    for forms in (1, 2):
        assert site.sign(slug, claims=None).status_code == 422
        assert forms_turned_away(site, slug) == forms
    assert site.count(slug) == 0


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({}, id="eligible"),
        pytest.param({"claims": None, "email": "no address"}, id="mistyped as well"),
        pytest.param({"claims": None, "consent": None}, id="not agreed"),
        pytest.param({"claims": None, "country": ""}, id="no country"),
        pytest.param({"claims": None, "switch": "fr"}, id="another language"),
        pytest.param({"claims": None, "edition": "0" * 64}, id="under another text"),
    ],
)
def test_other_forms_are_not(site: Stage, slug: str, fields: dict[str, Any]) -> None:
    site.sign(slug, **fields)
    assert forms_turned_away(site, slug) == 0


def test_the_page_comes_whatever_befalls_the_count(site: Stage, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Session, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(signing, "note_turned_away", fail)
    answer = site.sign(slug, claims=None)
    assert answer.status_code == 422
    assert Page(answer.text).summary
    monkeypatch.undo()
    assert forms_turned_away(site, slug) == 0


def test_a_form_in_three_languages_says_why(site: Stage, asking: str) -> None:
    for locale in LOCALES:
        answer = site.sign(asking, locale=locale, **(good_form() | {"district": "35109"}))
        assert Page(answer.text).faults["district"]
