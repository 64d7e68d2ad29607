"""Operators: every campaign, stopped, resumed, given another owner where the owners are gone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, update

from app.models import Account, Member, TextPart
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from tests.stage import Organiser, Stage

LIST = "/en/moderation/campaigns"
PAGE = f"{LIST}/libraries"


def told(stage: Stage, address: str) -> str:
    """Return every letter to an address so far, in whatever order those of one moment were sent."""
    return "\n".join(letter.text for letter in stage.letters_to(address))


@pytest.fixture
def operator(stage: Stage) -> Organiser:
    """Sign an operator in, with a campaign to look after."""
    stage.campaign()
    return stage.organiser("operator@example.org", role="operator")


def test_an_operator_searches_every_campaign(stage: Stage, operator: Organiser) -> None:
    draft(stage, {"en": {"title": "Buses at night"}}, slug="night-buses", sponsor=None)
    everything = Page(operator.get(LIST).text)
    assert {PAGE, f"{LIST}/night-buses"} <= set(everything.links)
    for search, found in (("buses", 1), ("NIGHT-buses", 1), ("សៀវភៅខ្មែរ", 2), ("elephants", 0)):
        page = Page(operator.get(LIST, params={"q": search}).text)
        assert sum(link.startswith(f"{LIST}/") for link in page.links) == found
    assert "Nothing was found." in page.words
    stage.write(lambda session: session.execute(delete(TextPart)))
    assert "night-buses" in Page(operator.get(LIST).text).words
    assert operator.get(f"{LIST}/night-buses").status_code == 200


@on_one_database
def test_a_long_list_says_that_it_is_cut(stage: Stage, operator: Organiser, monkeypatch: pytest.MonkeyPatch) -> None:
    draft(stage, {}, slug="second", sponsor=None)
    assert "There are more." not in operator.get(LIST).text
    monkeypatch.setattr("app.web.moderation.campaigns.SHOWN", 1)
    assert "There are more." in operator.get(LIST).text


@on_one_database
def test_stopping_needs_a_reason_that_the_owners_get(stage: Stage, operator: Organiser) -> None:
    without = operator.post(PAGE, {"action": "stop", "reason": ""})
    assert without.status_code == 422
    assert Page(without.text).faults["reason"].endswith("Write the reason")
    assert operator.post(PAGE, {"action": "stop", "reason": "A forged mandate"}).headers["location"] == PAGE
    assert "Stopped" in Page(stage.get("/en/campaigns/libraries").text).words
    assert "A forged mandate" in operator.get(PAGE).text
    assert "> A forged mandate" in told(stage, "organiser@example.org")
    again = operator.post(PAGE, {"action": "stop", "reason": "A forged mandate"})
    assert (again.status_code, "has moved in the meantime" in again.text) == (409, True)
    assert operator.post(PAGE, {"action": "resume"}).status_code == 303
    stage.house.shelf._entries.clear()
    assert stage.sign("libraries").status_code == 303
    assert operator.post(PAGE, {"action": "resume"}).status_code == 409
    assert operator.post(PAGE, {"action": "dance"}).status_code == 400


def test_campaigns_whose_owners_are_gone_are_found(stage: Stage, operator: Organiser) -> None:
    assert PAGE not in Page(operator.get(f"{LIST}?gone=yes").text).links
    stage.write(
        lambda session: session.execute(
            update(Account).where(Account.id != operator.account_id).values(state="disabled")
        )
    )
    assert PAGE in Page(operator.get(f"{LIST}?gone=yes").text).links
    assert "The owners are gone" in operator.get(PAGE).text
    stage.write(lambda session: session.execute(delete(Member)))
    assert "Never" in Page(operator.get(PAGE).text).words


def test_another_owner_is_invited_and_the_old_ones_are_told(stage: Stage, operator: Organiser) -> None:
    once = Page(operator.get(PAGE).text).fields["once"][0]
    bad = operator.post(PAGE, {"action": "rehome", "once": once, "email": "nobody", "locale": "de"})
    assert (bad.status_code, set(Page(bad.text).faults)) == (422, {"email", "locale"})
    assert Page(bad.text).fields["once"] == [once]
    fields = {"action": "rehome", "once": once, "email": "heir@example.org", "locale": "fr"}
    for _ in range(2):
        assert operator.post(PAGE, fields).status_code == 303
    (letter,) = stage.letters_to("heir@example.org")
    assert letter.mail["Content-Language"] == "fr"
    assert re.search(r"/fr/workspace/invitation/[\w-]{43}", letter.text)
    assert len(stage.letters_to("organiser@example.org")) == 1
    assert stage.sql("SELECT role, state FROM invitations") == [("owner", "sent")]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'rehomed'") == [(1,)]
    assert operator.post(PAGE, {**fields, "once": "short"}).status_code == 400


def test_somebody_of_the_team_owns_it_at_once(stage: Stage, operator: Organiser) -> None:
    editor = stage.organiser("editor@example.org")
    stage.join("libraries", editor, "editor")
    fields = {"action": "rehome", "once": "0" * 32, "email": "Editor@example.org", "locale": "en"}
    assert operator.post(PAGE, fields).status_code == 303
    assert stage.sql("SELECT count(*) FROM members WHERE role = 'owner'") == [(2,)]
    # Pressed twice, or for somebody who owns it already: nothing changes, and nobody is told again.
    for once in ("0" * 32, "1" * 32):
        assert operator.post(PAGE, {**fields, "once": once}).status_code == 303
    assert stage.sql("SELECT count(*) FROM invitations") == [(0,)]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'rehomed'") == [(1,)]
    assert len(stage.letters_to("editor@example.org")) == 1


@on_one_database
def test_nobody_else_comes_in(stage: Stage, operator: Organiser) -> None:
    for role in ("organiser", "moderator"):
        somebody = stage.organiser(f"{role}@example.com", role=role)
        stage.join("libraries", somebody)
        for path in (LIST, PAGE):
            assert somebody.get(path).status_code == 404
        assert somebody.post(PAGE, {"action": "stop", "reason": "x"}).status_code == 404
    for path in (f"{LIST}/nowhere", f"{LIST}/NO_SLUG"):
        assert operator.get(path).status_code == 404
        assert operator.post(path, {"action": "resume"}).status_code == 404


@on_one_database
def test_pages_exist_in_three_languages(operator: Organiser) -> None:
    for locale in ("km", "en", "fr"):
        for path in (LIST, PAGE):
            assert operator.get(path.replace("/en/", f"/{locale}/")).status_code == 200
