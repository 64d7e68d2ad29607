"""The builder of who may sign: every button without script, the live sentence, what is saved, what is frozen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.stage import Organiser, Stage, on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.test_home import column, started
from tests.workspace.test_settings import AT, SLUG, save, set_state

if TYPE_CHECKING:
    import httpx

pytestmark = on_one_database
SIGNING = f"{AT}/{SLUG}/settings/signing"


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Bring the owner of a draft that has the House's rule."""
    somebody = stage.organiser()
    started(somebody)
    return somebody


def fields_of(page: Page) -> dict[str, Any]:
    """Return a form as a browser would send it, but for its radio buttons and ticked boxes."""
    names = {"form_token", "who"} | {name for name in page.fields if name.endswith("-joins")}
    return {name: values[0] for name, values in page.fields.items() if name not in names}


def test_a_rule_is_put_together_button_by_button_without_script(stage: Stage, owner: Organiser) -> None:
    def press(do: str, **changes: str) -> Page:
        response = owner.post(SIGNING, {**state, **changes, "do": do})
        assert response.status_code == 200, response.text
        page = Page(response.text)
        assert "Error" not in page.title
        state.update(fields_of(page))
        state.update({name: value for name, value in changes.items() if name == "who" or name.endswith("-joins")})
        return page

    page = Page(owner.get(SIGNING).text)
    state: dict[str, Any] = {**fields_of(page), "who": "any", "signatories": "individuals"}
    assert (state["i0-kind"], state["i0-places"], state["i1-kind"]) == ("living", "CA", "citizen")
    assert "Residents of Canada, and citizens wherever they live" in page.words
    for _ in range(2):
        press("remove:0")
        for name in [
            name for name in state if name.startswith("i") and name not in {"i0-kind", "i0-places", "i0-more"}
        ]:
            del state[name]
    for name in ("i0-kind", "i0-places", "i0-more"):
        state.pop(name, None)
    page = press("add", add="citizen")
    assert "Nobody yet" in page.words
    press("more:0", **{"i0-more": "KH"})
    page = press("more:0", **{"i0-more": "LA"})
    assert "Citizens of Cambodia or Laos" in page.words
    assert "Personnes ayant la citoyenneté cambodgienne ou laotienne" in page.words
    press("drop:0:LA")
    press("group")
    page = press("add:1", **{"i1-joins": "any", "i1-add": "province"})
    assert "Province or state" in page.words
    press("more:1.0", **{"i1-0-more": "CA-BC", "i1-joins": "any"})
    page = press("add:1", **{"i1-add": "age", "i1-joins": "any", "who": "all"})
    page = press("show", **{"i1-1-age": "១៨", "i1-joins": "any", "who": "all"})
    assert "18 or over" in page.words
    assert column(stage, SLUG, "eligibility") == {"any_of": [{"resident_of": ["CA"]}, {"citizen_of": ["CA"]}]}
    response = owner.post(SIGNING, {**state, "do": "save", "share_mailbox": "yes"})
    assert response.is_redirect, Page(response.text).faults
    assert column(stage, SLUG, "eligibility") == {
        "all_of": [{"citizen_of": ["KH"]}, {"any_of": [{"resident_in": ["CA-BC"]}, {"minimum_age": 18}]}]
    }
    assert column(stage, SLUG, "people_per_mailbox") == 2
    settings = Page(owner.get(f"{AT}/{SLUG}/settings").text)
    assert "Two people may share a mailbox Yes" in settings.words
    assert ("share_mailbox", "yes") in Page(owner.get(SIGNING).text).ticked
    assert save(owner, "signing", {**state, "share_mailbox": "yes"}, shown="2").is_redirect
    assert column(stage, SLUG, "settings_version") == 2, "what is saved already is no change"


def test_a_preset_fills_the_builder_and_saves_nothing(stage: Stage, owner: Organiser) -> None:
    typed = {"settings_version": "1", "signatories": "both", "asks": "phone", "who": "anyone"}
    for name, said in (
        ("cambodians", "Cambodian citizens living in Canada or the United States"),
        ("anyone", "Anyone"),
        ("organisations", "Organisations"),
        ("residents", "Nobody yet"),
        ("nonsense", "Anyone"),
    ):
        page = Page(owner.post(SIGNING, {**typed, "do": f"fill:{name}"}).text)
        assert said in page.words, name
        assert ("asks", "phone") in page.ticked
    assert column(stage, SLUG, "settings_version") == 1


def test_what_is_missing_is_named_and_everything_typed_is_kept(owner: Organiser) -> None:
    typed = {
        "who": "all", "signatories": "individuals", "i0-kind": "age", "i0-age": "old", "i1-kind": "province",
        "i2-joins": "any",
    }  # fmt: skip
    response = save(owner, "signing", typed)
    page = Page(response.text)
    assert response.status_code == 422
    assert [name for name, _ in page.summary] == ["i0-age", "i1-more", "i2-add"]
    assert page.fields["i0-age"] == ["old"]
    assert page.faults["i0-age"].endswith("Enter a whole number from 1 to 120")
    assert [name for name, _ in Page(save(owner, "signing", {"signatories": "both"}).text).summary] == ["who"]


def test_a_page_that_grew_old_between_two_buttons_says_so_when_it_is_saved(owner: Organiser) -> None:
    old = {"settings_version": "1", "signatories": "individuals", "who": "anyone"}
    assert save(owner, "signing", {"signatories": "both", "who": "anyone"}).is_redirect
    page = Page(owner.post(SIGNING, {**old, "do": "show"}).text)
    assert page.fields["settings_version"] == ["1"], "pressing a button reads nobody's newer settings"
    response = owner.post(SIGNING, {**old, "do": "save", "who": "any", "i0-kind": "age", "i0-age": "18"})
    assert response.status_code == 422
    assert "Somebody else was faster" in response.text


def test_the_live_sentence_is_that_of_the_form_and_saves_nothing(stage: Stage, owner: Organiser) -> None:
    def ask(**fields: str) -> httpx.Response:
        return owner.post(f"/km/workspace/campaigns/{SLUG}/settings/signing/preview", fields)

    said = json.loads(ask(who="any", **{"i0-kind": "permanent", "i0-more": "CA", "i1-kind": "age"}).text)
    assert said["who"]["en"] == "Permanent residents of Canada"
    assert said["who"]["km"] == "អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា"
    assert len(said["asked"]) == 1
    assert json.loads(ask(who="any").text)["asked"] == []
    assert column(stage, SLUG, "settings_version") == 1
    set_state(stage, "open")
    assert ask(who="anyone").status_code == 409
    frozen = owner.post(SIGNING, {"settings_version": "1", "who": "anyone", "do": "fill:anyone", "reference": "Words"})
    assert frozen.status_code == 422
    assert "This cannot be changed any more" in frozen.text


def test_a_rule_of_many_layers_is_said_live_and_replaced_only_when_another_is_chosen(stage: Stage) -> None:
    rule = {"all_of": [{"citizen_of": ["CA"]}, {"any_of": [{"all_of": [{"minimum_age": 18}]}]}]}
    stage.campaign(small_campaign(), eligibility=rule)
    set_state(stage, "draft")
    owner = stage.organiser("organiser@example.org")
    page = Page(owner.get(f"{AT}/libraries/settings/signing").text)
    assert page.words.count("Citizens of Canada aged 18 or over") == 2
    preview = owner.post(f"{AT}/libraries/settings/signing/preview", {"who": "kept"})
    assert json.loads(preview.text)["who"]["en"] == "Citizens of Canada aged 18 or over"
    for locale in ("km", "fr"):
        assert owner.get(f"/{locale}/workspace/campaigns/libraries/settings/signing").status_code == 200
