"""Moderators at sets: counted first, proposed, approved by somebody else, stopped, taken back, told what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from app.core.clock import utc_now
from app.jobs.apply_sets import apply_sets
from tests.actions.signers import HELD, find_campaign, rolled_up, sign
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

pytestmark = on_one_database
AT = "/en/moderation/signatures/libraries"


class Room:
    """A campaign with five signatures from one address and one from another, and two moderators."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.slug = stage.campaign()
        self.first = stage.organiser("first@example.org", role="moderator")
        self.second = stage.organiser("second@example.org", role="moderator")
        self.id, self.key = stage.write(find_campaign, slug=self.slug, keyring=stage.keyring)
        how: dict[str, Any] = {"slug": self.slug, "keyring": stage.keyring, "now": utc_now()}
        for number in range(5):
            stage.write(sign, number=number, address="198.51.100.1", **how)
        stage.write(sign, number=5, address="203.0.113.1", judgement=HELD, **how)

    def choose(self, **typed: str) -> Page:
        """Choose, and return the page that counts."""
        answer = self.first.post(f"{AT}/set", typed)
        assert answer.status_code == 303, answer.text
        return Page(self.first.get(answer.headers["location"]).text)

    def propose(self, page: Page, **typed: str) -> httpx.Response:
        hidden = {name: page.fields[name][0] for name in page.fields if name.startswith("c_") or name == "once"}
        data = {**hidden, "action": "remove", "rule": "scripted", "because": "All within a minute.", **typed}
        return self.first.post(f"{AT}/set/propose", data)

    def count(self) -> int:
        """Return the count, after seeing that it is that of the rows."""
        total, rows = self.stage.write(rolled_up, slug=self.slug, now=utc_now())
        assert total == rows
        return total

    def work(self) -> None:
        while self.stage.run(apply_sets(self.stage.background)):
            pass


def words(somebody: Organiser, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text
    return Page(somebody.get(answer.headers["location"]).text).words


@pytest.fixture
def room(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setattr("app.jobs.apply_sets.BREATH", 0)
    return Room(stage)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make few signatures many."""
    for module in ("app.actions.sets", "app.rules.sets", "app.web.moderation.sets"):
        monkeypatch.setattr(f"{module}.LARGE", 4)


def test_a_set_is_counted_before_anything_happens(room: Room, stage: Stage) -> None:
    page = room.choose(network="198.51.100.77/24", standing="counted")
    assert "5 signatures. 5 of them are in the count now." in page.words
    assert page.fields["c_network"] == [room.key.index("network", "198.51.100.0/24").hex()]
    assert "198.51.100" not in " ".join(page.links), "what was typed stands in no address"
    assert room.count() == 5
    answer = room.propose(page)
    assert room.propose(page).headers["location"] == answer.headers["location"], "pressed twice"
    assert "Begins at once" in words(room.first, answer)
    room.work()
    assert room.count() == 0
    done = words(room.first, answer)
    assert "Applied" in done
    assert "5 of about 5 looked at; 5 are changed." in done
    back = room.first.post(answer.headers["location"] + "/reverse", {})
    assert back.status_code == 303
    room.work()
    assert room.count() == 5
    assert "Taken back" in words(room.first, back)
    late = room.first.post(answer.headers["location"] + "/stop", {})
    assert late.status_code == 409
    assert "the set has moved in the meantime" in Page(late.text).words
    assert "Taken back" in Page(room.first.get("/en/moderation/sets").text).words


@pytest.mark.usefixtures("small")
def test_a_large_one_takes_two(room: Room, stage: Stage) -> None:
    answer = room.propose(room.choose(address="198.51.100.1"))
    at = answer.headers["location"]
    assert "so somebody else approves it" in words(room.first, answer)
    alone = room.first.post(f"{at}/approve", {})
    assert alone.status_code == 409
    assert "this takes a second moderator" in Page(alone.text).words
    assert "Being applied" not in words(room.second, room.second.post(f"{at}/approve", {}))
    room.work()
    assert room.count() == 0
    assert "You asked for it" in words(room.first, room.first.post(f"{at}/reverse", {}))
    assert "Another moderator asked for it" in Page(room.second.get(at).text).words
    assert "Being taken back" in words(room.second, room.second.post(f"{at}/reverse", {}))
    assert "Stopped before its end" in words(room.first, room.first.post(f"{at}/stop", {}))
    assert "It is large, so" in Page(room.second.get(at).text).words
    for somebody in (room.second, room.first):
        somebody.post(f"{at}/reverse", {})
    room.work()
    assert room.count() == 5
    declined = room.propose(room.choose(address="198.51.100.1")).headers["location"]
    assert "Turned down" in words(room.second, room.second.post(f"{declined}/decline", {}))


def test_to_approve_and_to_take_back_one_proves_who_one_is(room: Room, stage: Stage) -> None:
    at = room.propose(room.choose(address="198.51.100.1")).headers["location"]
    stage.sql_write("UPDATE account_sessions SET proven_at = created_at - 36000000000")
    for what in ("approve", "reverse"):
        answer = room.second.post(f"{at}/{what}", {})
        assert answer.status_code == 200
        assert "Being" not in Page(answer.text).words
    assert room.second.post(f"{at}/stop", {}).status_code == 303, "to stop is never held up"


def test_what_is_missing_is_said_and_what_was_typed_is_kept(room: Room) -> None:
    nothing = room.first.post(f"{AT}/set", {})
    assert nothing.status_code == 422
    assert "Choose at least one condition" in nothing.text
    wrong = room.first.post(f"{AT}/set", {"network": "10.0.0.0/8", "score_from": "60"})
    assert wrong.status_code == 422
    page = Page(wrong.text)
    assert (page.fields["network"], page.fields["score_from"]) == (["10.0.0.0/8"], ["60"])
    chosen = room.choose(score_from="60")
    assert "1 signature. 0 of them are in the count now." in chosen.words
    blank = room.propose(chosen, action="", rule="", because="")
    assert blank.status_code == 422
    assert {field for field, _ in Page(blank.text).summary} == {"action", "because"}
    ruleless = room.propose(chosen, rule="because")
    assert {field for field, _ in Page(ruleless.text).summary} == {"rule"}
    idle = room.propose(chosen, action="quarantine")
    assert "There is nothing that this would change" in Page(idle.text).words
    assert "All within a minute." in idle.text
    for changed in ({"c_weather": "fine"}, {"c_score_from": ""}):
        assert room.propose(chosen, **changed).status_code == 400
    assert room.propose(chosen, once="x").status_code == 404
    restored = room.propose(chosen, action="restore", rule="", alarm=uuid4().hex)
    room.work()
    assert "Applied" in words(room.first, restored)
    assert room.count() == 6


def test_it_is_all_in_three_languages_and_for_moderators_alone(room: Room, stage: Stage) -> None:
    set_id = room.propose(room.choose(score_from="60", country="CA", subdivision="CA-BC")).headers["location"][-32:]
    organiser = stage.organiser("somebody@example.org")
    for path in ("/sets", f"/sets/{set_id}", "/signatures/libraries/set?score_from=60&signal=honeypot&locale=km"):
        for locale in ("km", "en", "fr"):
            address = f"/{locale}/moderation{path}"
            assert room.first.get(address).status_code == 200
            assert organiser.get(address).status_code == 404
    assert room.first.get(f"/en/moderation/sets/{'0' * 32}").status_code == 404
    assert room.first.post(f"/en/moderation/sets/{'0' * 32}/stop", {}).status_code == 404
    assert room.first.get(f"{AT}/set?weather=fine").status_code == 200
    assert room.first.get(f"{AT}/set?locale=tlh").status_code == 404
    assert "There is no set yet" not in Page(room.first.get("/en/moderation/sets").text).words
