"""Moderators: what waits, what they read, how they decide, and what they may not judge."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from app.actions.life import move_campaign, submit_campaign
from app.core.clock import utc_now
from app.models import AccountSession, Campaign, TextPart
from app.queries.accounts import find_campaign_id
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from tests.stage import Organiser, Stage

REVIEW = "/en/moderation/reviews/libraries"


def told(stage: Stage, address: str) -> str:
    """Return every letter to an address so far, in whatever order those of one moment were sent."""
    return "\n".join(letter.text for letter in stage.letters_to(address))


class Room:
    """A campaign in review, its owner and a moderator."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        draft(stage, {}, sponsor=None, closes_on="2099-01-01")
        self.owner = stage.organiser(locale="fr")
        stage.join("libraries", self.owner)
        self.moderator = stage.organiser("moderator@example.org", role="moderator")
        self.submit()

    @property
    def id(self) -> UUID:
        found = self.stage.read(find_campaign_id, slug="libraries")
        assert found is not None
        return found

    def submit(self) -> None:
        self.stage.write(submit_campaign, campaign_id=self.id, account_id=self.owner.account_id, now=utc_now())

    def recall(self) -> None:
        values: dict[str, Any] = {"campaign_id": self.id, "account_id": self.owner.account_id, "now": utc_now()}
        self.stage.write(move_campaign, name="recall", **values)

    def see(self, path: str = REVIEW) -> Page:
        response = self.moderator.get(path)
        assert response.status_code == 200, response.text
        return Page(response.text)

    def approve(self, somebody: Organiser | None = None, version: str | None = None) -> httpx.Response:
        chosen = self.see().fields["version"][0] if version is None else version
        return (somebody or self.moderator).post(REVIEW, {"decision": "approve", "version": chosen})

    def state(self) -> str:
        return str(self.stage.sql("SELECT state FROM campaigns")[0][0])


def test_a_moderator_reads_what_waits_and_publishes_it(stage: Stage) -> None:
    room = Room(stage)
    listed = room.see("/en/moderation")
    assert "Khmer books in every library" in listed.words
    assert REVIEW in listed.links
    page = room.see()
    for text in ("Khmer books in every library", "Des livres khmers partout", "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ"):
        assert text in page.words
    assert "Government of Canada" in page.words
    assert stage.get("/en/campaigns/libraries").status_code == 404
    response = room.approve()
    assert (response.status_code, response.headers["location"]) == (303, "/en/moderation?done=approve")
    assert stage.get("/en/campaigns/libraries").status_code == 200
    assert "It is published." in room.see("/en/moderation?done=approve").words
    for letter in stage.letters_to("owner@example.org"):
        assert "/fr/workspace/campaigns/libraries/steps" in letter.text
        assert letter.mail["Content-Language"] == "fr"


@pytest.mark.parametrize(("name", "path", "state"), [("send_back", "", "draft"), ("refuse", "/refuse", "refused")])
def test_a_reason_is_needed_and_reaches_the_team(stage: Stage, name: str, path: str, state: str) -> None:
    room = Room(stage)
    fields = {"decision": name, "rule": "private_people", "reason": " "}
    without = room.moderator.post(REVIEW + path, fields)
    assert without.status_code == 422
    assert Page(without.text).faults[f"{name}_reason"].endswith("Write the reason")
    long = room.moderator.post(REVIEW + path, {**fields, "reason": "x" * 2500})
    assert (long.status_code, "x" * 2500 in long.text) == (422, True)
    response = room.moderator.post(REVIEW + path, {**fields, "reason": "It names\na private person"})
    assert response.headers["location"] == f"/en/moderation?done={name}"
    assert room.state() == state
    assert "Its team gets the reason." in room.see(f"/en/moderation?done={name}").words
    assert "> It names\n> a private person" in told(stage, "owner@example.org")
    assert "It names" in room.owner.get("/en/workspace/campaigns/libraries/steps").text


@on_one_database
def test_a_second_look_shows_why_it_was_sent_back(stage: Stage) -> None:
    room = Room(stage)
    room.moderator.post(REVIEW, {"decision": "send_back", "reason": "Say whom it asks"})
    room.submit()
    assert "Say whom it asks" in room.see().words


def test_what_changed_since_it_was_opened_is_read_again(stage: Stage) -> None:
    room = Room(stage)
    version = room.see().fields["version"][0]
    stage.write(
        lambda session: session.execute(
            update(TextPart).where(TextPart.name == "title", TextPart.locale == "en").values(text="Another title")
        )
    )
    response = room.approve(version=version)
    assert response.status_code == 409
    assert "changed since you opened this page" in response.text
    assert "Another title" in response.text
    assert room.state() == "review"
    assert room.approve().status_code == 303


@on_one_database
def test_what_lacks_something_cannot_be_approved(stage: Stage) -> None:
    room = Room(stage)
    version = room.see().fields["version"][0]
    stage.write(lambda session: session.execute(update(Campaign).values(supporters_needed=5)))
    page = room.see()
    assert "0 of 5 supporters have confirmed." in page.words
    assert "version" not in page.fields
    assert room.approve(version=version).status_code == 409


@on_one_database
def test_a_moderator_of_the_team_may_not_decide(stage: Stage) -> None:
    room = Room(stage)
    version = room.see().fields["version"][0]
    stage.join("libraries", room.moderator, "viewer")
    page = room.see()
    assert "You are of its team, so somebody else reviews it." in page.words
    assert "version" not in page.fields
    for response in (
        room.approve(version=version),
        room.moderator.post(REVIEW, {"decision": "send_back", "reason": "x"}),
        room.moderator.post(f"{REVIEW}/refuse", {"rule": "other", "reason": "x"}),
    ):
        assert response.status_code == 409
        assert "You are of its team, so somebody else reviews it." in response.text
    assert room.state() == "review"


@on_one_database
def test_a_decision_that_came_too_late_is_told(stage: Stage) -> None:
    room = Room(stage)
    version = room.see().fields["version"][0]
    room.recall()
    for response in (
        room.approve(version=version),
        room.moderator.post(REVIEW, {"decision": "send_back", "reason": "x"}),
        room.moderator.post(f"{REVIEW}/refuse", {"rule": "other", "reason": "x"}),
    ):
        assert response.status_code == 409
        assert "does not wait for review any more" in response.text
    assert room.moderator.get(REVIEW).status_code == 404
    assert room.moderator.get("/en/moderation/reviews/NO_SLUG").status_code == 404
    room.submit()
    assert room.moderator.post(REVIEW, {"decision": "dance"}).status_code == 400


def test_of_two_moderators_one_decides(stage: Stage) -> None:
    """The second had the page when the first pressed: what it reads stands still, what it writes is refused."""
    room = Room(stage)
    second = stage.organiser("second@example.org", role="moderator")
    version = room.see().fields["version"][0]
    presses = [
        each.browser.post(REVIEW, data={"decision": "approve", "version": version, "form_token": each.form_token})
        for each in (room.moderator, second)
    ]

    async def both() -> list[int]:
        return sorted(answer.status_code for answer in await asyncio.gather(*presses))

    assert stage.run(both()) == [303, 409]
    assert stage.sql("SELECT count(*) FROM editions") == [(1,)]


@on_one_database
def test_refusing_asks_who_one_is_and_approving_does_not(stage: Stage) -> None:
    room = Room(stage)
    long_ago = utc_now() - timedelta(minutes=11)
    stage.write(lambda session: session.execute(update(AccountSession).values(proven_at=long_ago)))
    assert room.moderator.post(f"{REVIEW}/refuse", {"rule": "other", "reason": "x"}).status_code == 200
    assert room.state() == "review"
    assert room.approve().status_code == 303


@on_one_database
def test_nobody_else_comes_in(stage: Stage) -> None:
    room = Room(stage)
    for path in ("/en/moderation", REVIEW):
        assert room.owner.get(path).status_code == 404
        assert stage.get(path).status_code == 404
    assert room.owner.post(REVIEW, {"decision": "approve", "version": ""}).status_code == 404
    assert room.moderator.get("/en/moderation/campaigns").status_code == 404


@on_one_database
def test_a_campaign_with_every_setting_is_shown_in_three_languages(stage: Stage) -> None:
    more = {
        "requests": ["x"], "recitals": ["y"], "body": "z", "salutation": "a", "closing": "b", "call_to_sign": "c",
        "faq": [{"question": "q?", "answer": "a."}], "how_to_sign": ["one"],
    }  # fmt: skip
    slug = draft(
        stage,
        {"en": more, "km": more, "fr": {"title": "Titre"}},
        endorsements=[{"name": "Friends"}],
        opens_on="2098-01-01",
        closes_on="2099-01-01",
    )
    operator = stage.organiser("operator@example.org", role="operator")

    def see_with(**values: object) -> None:
        stage.write(lambda session: session.execute(update(Campaign).values(**values)))
        for locale in ("km", "en", "fr"):
            assert operator.get(f"/{locale}/moderation/reviews/{slug}").status_code == 200
            assert operator.get(f"/{locale}/moderation").status_code == 200

    see_with(state="review", refused_because="before")
    see_with(open_for_days=30, submitted_at=utc_now())
    stage.write(lambda session: session.execute(update(TextPart).values(text="")))
    see_with(open_for_days=None, opens_at=None, closes_at=None)
