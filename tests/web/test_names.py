"""The list of names in a browser, kept from search engines; and the box for those who cannot sign."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from app.core.clock import utc_now
from app.jobs.check_names import check_names
from app.queries import names as queries
from tests.actions.test_names import Hall
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from tests.stage import Stage

pytestmark = on_one_database
AT = "/en/campaigns/libraries"


@pytest.fixture
def hall(stage: Stage) -> Hall:
    return Hall(stage)


def shown(page: Page) -> list[tuple[str, str]]:
    """Return the names on a page with their languages."""
    return [(language, word) for language, word in page.in_language if language in {"km", "und-Latn"} and " " in word]


def test_names_are_listed_each_in_its_script_and_found_from_the_campaign(stage: Stage, hall: Hall) -> None:
    page = Page(stage.get(f"{AT}/names").text)
    assert "No names are shown at present." in page.words
    assert f"{AT}/names" not in Page(stage.get(AT).text).links
    for name in ("សុខ សុភា", "Chan Thy"):
        hall.sign(name, utc_now() - timedelta(days=5))
    stage.run(check_names(stage.background))
    stage.house.cache.forget(hall.slug)
    response = stage.get(f"{AT}/names")
    assert response.headers["x-robots-tag"] == "noindex, noarchive"
    assert '<meta name="robots" content="noindex, noarchive">' in response.text
    assert response.headers["cache-control"] == "public, max-age=1"
    page = Page(response.text)
    assert set(shown(page)) == {("km", "សុខ សុភា"), ("und-Latn", "Chan Thy")}
    assert f"{AT}/names" in Page(stage.get(AT).text).links
    for locale in ("km", "fr"):
        assert "Chan Thy" in stage.get(f"/{locale}/campaigns/libraries/names").text


def test_a_long_list_has_pages_and_addresses_of_nothing_are_not_there(
    stage: Stage, hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    for name in ("Chan Thy", "Sok Dara", "Meas Bopha"):
        hall.sign(name, utc_now() - timedelta(days=5))
    stage.run(check_names(stage.background))
    first = Page(stage.get(f"{AT}/names").text)
    further = [link for link in first.links if link.startswith(f"{AT}/names/")]
    assert further == [f"{AT}/names/2"]
    second = Page(stage.get(further[0]).text)
    assert len(shown(first)) == 2
    assert {name for _, name in shown(first) + shown(second)} == {"Chan Thy", "Sok Dara", "Meas Bopha"}
    assert f"{AT}/names" in second.links
    for nothing in ("0", "1", "02", "3", "4", "x", "-1", "²", "9" * 10):
        assert stage.get(f"{AT}/names/{nothing}").status_code == 404
    stage.sql_write("DELETE FROM campaign_keys")
    monkeypatch.setattr("app.web.house.SHELF_SECONDS", 0)
    stage.house.cache.forget(hall.slug)
    assert "No names are shown at present." in stage.get(f"{AT}/names").text
    assert f"{AT}/names" not in Page(stage.get(AT).text).links


def test_a_campaign_that_was_stopped_or_that_organisations_sign_has_no_list(stage: Stage) -> None:
    stage.campaign(small_campaign("letter"), signatories="organisations")
    assert stage.get("/en/campaigns/letter/names").status_code == 404
    stage.campaign()
    stage.sql_write("UPDATE campaigns SET state = 'stopped'")
    assert stage.get(f"{AT}/names").status_code == 404
    assert f"{AT}/names" not in Page(stage.get(AT).text).links


def test_hiding_ones_name_takes_it_off_the_list_at_once(stage: Stage, hall: Hall) -> None:
    hall.sign("Chan Thy", utc_now() - timedelta(days=5))
    stage.run(check_names(stage.background))
    assert "Chan Thy" in stage.get(f"{AT}/names").text
    stage.sign(hall.slug, show_name="yes")
    letter = stage.letters_to("sokha@example.org")[0]
    own = f"/en/signature/{letter.token('signature')}"
    assert "It is shown once it has been checked, together with others." in stage.get(own).text
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    stage.sql_write("UPDATE signatures SET confirmed_at = (SELECT min(confirmed_at) FROM signatures)")
    stage.run(check_names(stage.background))
    stage.house.cache.forget(hall.slug)
    assert "សុខ សុភា" in stage.get(f"{AT}/names").text
    assert stage.post(own, {"action": "hide"}).is_redirect
    page = stage.get(f"{AT}/names").text
    assert "សុខ សុភា" not in page
    assert "Chan Thy" in page


def test_who_cannot_sign_is_told_who_can_why_and_how_to_help(stage: Stage) -> None:
    stage.campaign(signatories="both")
    page = Page(stage.sign("libraries", claims=None).text)
    assert "If you cannot sign, you can still help" in page.words
    assert "Citizens and permanent residents of Canada" in page.words
    assert "ask it to sign" in page.words
    assert f"{AT}/ask" in page.links
    assert any(link.startswith("https://t.me/") for link in page.links)
    other = Page(stage.sign("libraries", name="").text)
    assert "you can still help" not in other.words, "a slip of another kind"
    for locale in ("km", "fr"):
        assert stage.sign("libraries", locale=locale, claims=None).status_code == 422
