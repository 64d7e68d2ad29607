"""Organisations in the workspace: what proves them, whom they resemble, accepted, declined with a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from app.core.clock import utc_now
from app.models import AuthorityLetter, Endorsement, Logo
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.letters import add_endorsement, campaign_id, open_letter

if TYPE_CHECKING:
    from uuid import UUID

    from tests.stage import Organiser, Stage

HERE = "/en/workspace/campaigns/libraries/endorsements"
REASON = "We know of no office of yours.\nPlease write to us."


def owned(stage: Stage, role: str = "owner") -> Organiser:
    slug, somebody = open_letter(stage), stage.organiser()
    stage.join(slug, somebody, role)
    return somebody


def state_of(stage: Stage, endorsement_id: UUID) -> tuple[str, str | None]:
    row = stage.read(
        lambda session: session.execute(
            select(Endorsement.state, Endorsement.because).where(Endorsement.id == endorsement_id)
        ).one()
    )
    return row.state, row.because


def test_an_organisation_that_is_accepted_stands_on_the_page(stage: Stage) -> None:
    owner = owned(stage)
    waits = add_endorsement(stage, acronym="TL", names={"km": "វត្តបឹង"})
    listed = owner.get(HERE)
    assert "1 organisation waits." in Page(listed.text).words
    assert "2 organisations have signed." in Page(listed.text).words
    one = f"{HERE}/{waits.hex}"
    assert one in Page(listed.text).links
    words = Page(owner.get(one).text).words
    for said in (
        "Temple of the Lake (TL)",
        "វត្តបឹង",
        "Canada",
        "Religious organisation",
        "https://temple.example",
        "Sok Dara",
        "Director",
        "dara@temple.example",
        "Proven by its domain. Somebody opened our email in a mailbox at temple.example",
        "Edition 1",
    ):
        assert said in words, said
    assert "Look twice" not in words
    for _ in range(2):  # pressed twice
        answer = owner.post(one, {"decision": "accepted"})
        assert (answer.status_code, answer.headers["location"]) == (303, f"{HERE}?done=accepted")
    assert state_of(stage, waits) == ("accepted", None)
    assert "3 organisations have signed." in Page(owner.get(f"{HERE}?done=accepted").text).words
    page = stage.get("/km/campaigns/libraries").text
    assert "វត្តបឹង" in page or "Temple of the Lake" in page
    assert "dara@temple.example" not in page
    assert "Accept this organisation" not in owner.get(one).text


def test_one_that_is_declined_is_told_why_in_these_words(stage: Stage) -> None:
    owner = owned(stage)
    waits = add_endorsement(stage)
    one = f"{HERE}/{waits.hex}"
    for because in ("", "  ", "x" * 10_000):
        said = owner.post(one, {"decision": "declined", "because": because})
        assert (said.status_code, list(Page(said.text).faults)) == (422, ["because"])
    assert owner.post(one, {"decision": "perhaps"}).status_code == 422
    assert state_of(stage, waits)[0] == "waiting"
    said = owner.post(one, {"decision": "declined", "because": REASON})
    assert said.headers["location"] == f"{HERE}?done=declined"
    assert state_of(stage, waits) == ("declined", REASON)
    assert "We know of no office of yours." in Page(owner.get(one).text).words
    [letter] = stage.letters_to("dara@temple.example")
    assert "We know of no office of yours." in letter.text
    assert "Temple of the Lake" not in stage.get("/en/campaigns/libraries").text


@on_one_database
@pytest.mark.parametrize(
    ("authority", "said"),
    [
        (None, "It was asked to send a letter of authority"),
        ("waiting", "Moderators have yet to read it."),
        ("refused", "The moderators did not accept its letter of authority."),
    ],
)
def test_what_is_not_proven_can_be_declined_and_not_accepted(stage: Stage, authority: str | None, said: str) -> None:
    owner = owned(stage)
    waits = add_endorsement(stage, proof=None)
    if authority is not None:
        row = {"id": waits, "endorsement_id": waits, "media_type": "image/png", "state": authority}
        stage.write(lambda session: session.execute(insert(AuthorityLetter), {**row, "sent_at": utc_now()}))
    one = f"{HERE}/{waits.hex}"
    page = owner.get(one)
    assert said in Page(page.text).words
    assert "Accept this organisation" not in page.text
    refused = owner.post(one, {"decision": "accepted"})
    assert refused.status_code == 409
    assert "nothing shows yet that somebody of this organisation asks" in refused.text
    assert owner.post(one, {"decision": "declined", "because": "No."}).status_code == 303


@on_one_database
def test_whom_it_resembles_is_said_in_the_list_and_on_its_page(stage: Stage) -> None:
    owner = owned(stage)
    waits = add_endorsement(stage, domain="temp1e.example", resembles="temple.example")
    assert "Look twice: it can be taken for another organisation." in owner.get(HERE).text
    words = Page(owner.get(f"{HERE}/{waits.hex}").text).words
    assert "It is at temp1e.example. An organisation that has signed on this site is like it by its name" in words


@on_one_database
def test_what_somebody_else_decided_first_is_said(stage: Stage) -> None:
    owner = owned(stage)
    other = stage.organiser("other@example.org")
    stage.join("libraries", other)
    waits = add_endorsement(stage)
    one = f"{HERE}/{waits.hex}"
    assert other.post(one, {"decision": "accepted"}).status_code == 303
    said = owner.post(one, {"decision": "declined", "because": REASON})
    assert said.status_code == 409
    assert "somebody else decided it, or the organisation withdrew" in said.text
    again = add_endorsement(stage, email="another@temple.example")
    taken = owner.post(f"{HERE}/{again.hex}", {"decision": "accepted"})
    assert taken.status_code == 409
    assert "an organisation of this name has signed already" in taken.text


@on_one_database
def test_only_owners_see_who_speaks_for_an_organisation(stage: Stage) -> None:
    editor = owned(stage, "editor")
    waits = add_endorsement(stage)
    assert editor.get(HERE).status_code == 404
    assert editor.post(f"{HERE}/{waits.hex}", {"decision": "accepted"}).status_code == 404
    assert f'href="{HERE}"' not in editor.get("/en/workspace/campaigns/libraries").text
    assert state_of(stage, waits)[0] == "waiting"


@on_one_database
def test_another_campaigns_organisation_is_not_there(stage: Stage) -> None:
    owner = owned(stage)
    open_letter(stage, slug="another")
    foreign = add_endorsement(stage, "another")
    for name in (foreign.hex, "x", str(foreign)):
        assert owner.get(f"{HERE}/{name}").status_code == 404
        assert owner.post(f"{HERE}/{name}", {"decision": "accepted"}).status_code == 404
    assert campaign_id(stage, "another") != campaign_id(stage)


@on_one_database
@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{7*7}}", '#read("/etc/passwd")', "\u202egnp"])
def test_what_looks_like_code_is_shown_as_text(stage: Stage, text: str) -> None:
    owner = owned(stage)
    waits = add_endorsement(stage, name=text, name_key=text, representative=text, role=text, acronym=text)
    for address in (HERE, f"{HERE}/{waits.hex}"):
        page = owner.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "{{7*7}}" in page.text or "{{" not in text
    assert owner.post(f"{HERE}/{waits.hex}", {"decision": "declined", "because": text}).status_code == 303
    assert "<script>alert" not in owner.get(f"{HERE}/{waits.hex}").text


@on_one_database
def test_a_picture_is_taken_down_by_owners_and_on_record(stage: Stage) -> None:
    owner = owned(stage)
    one = add_endorsement(stage, state="accepted", position=9, decided_at=utc_now())
    picture = {"content": b"PNG", "sha256": "a" * 64, "width": 1, "height": 1}
    stage.write(lambda session: session.add(Logo(endorsement_id=one, consented_at=utc_now(), **picture)))
    assert "Take the logo down" in owner.get(f"{HERE}/{one.hex}").text
    assert owner.post(f"{HERE}/{one.hex}/logo").status_code == 303
    assert stage.sql("SELECT count(*) FROM logos") == [(0,)]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'endorsement_logo_removed'") == [(1,)]
    assert "Take the logo down" not in owner.get(f"{HERE}/{one.hex}").text
