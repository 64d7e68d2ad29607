"""Moderators at alarms: what they say, the way to the set, settling; and pairs, opened on record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.actions.alarms import flag_pairs, raise_alarms
from app.core.clock import utc_now
from app.rules.bursts import KINDS, Finding
from app.rules.sets import Conditions
from tests.actions.signers import find_campaign
from tests.actions.test_alarms import add_signers
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from app.rules.bursts import Kind
    from tests.stage import Organiser, Stage

pytestmark = on_one_database
AT = "/en/moderation/alarms"
LOCALES = ("km", "en", "fr")
MORE: dict[str, Any] = {
    "quick": {"seconds": 10}, "same_delay": {"seconds": 90}, "steps": {"seconds": 30}, "drip": {"seconds": 120},
    "script": {"script": "cyrillic"}, "burst": {"usual": 31},
}  # fmt: skip


class Room:
    """A campaign with five signatures from one address, a moderator and what can be raised."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.campaign()
        self.moderator = stage.organiser("moderator@example.org", role="moderator")
        self.campaign_id, self.key = stage.write(find_campaign, slug="libraries", keyring=stage.keyring)
        self.mark = self.key.index("address", "203.0.113.7").hex()
        self.now = utc_now()

    def sign(self, people: list[dict[str, Any]]) -> list[UUID]:
        return self.stage.write(add_signers, stage=self.stage, people=people, at=self.now - timedelta(minutes=5))

    def raise_one(self, kind: Kind, **more: Any) -> str:  # noqa: ANN401 - figures
        begins = self.now - timedelta(hours=1)
        conditions = Conditions(confirmed_from=begins, confirmed_to=self.now, address=self.mark)
        finding = Finding(kind, 1234, 5000, conditions, more or MORE.get(kind, {}))
        self.stage.write(raise_alarms, campaign_id=self.campaign_id, findings=[finding], now=self.now)
        ((alarm,),) = self.stage.sql("SELECT id FROM alarms WHERE kind = :kind", kind=kind)
        return f"{AT}/{alarm}"

    def see(self, path: str) -> Page:
        answer = self.moderator.get(path)
        assert answer.status_code == 200, answer.text
        return Page(answer.text)


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


def test_every_kind_says_its_figures_in_three_languages(room: Room) -> None:
    groups = {"groups": [[room.mark, 1234], ["ab" * 32, 300]], "of_groups": 2, "in_groups": 1534}
    paths = {
        kind: room.raise_one(kind, **(groups if kind in {"address", "network", "domain"} else {})) for kind in KINDS
    }
    for locale in LOCALES:
        everything = room.see(AT.replace("/en/", f"/{locale}/"))
        assert everything.lang == locale
        assert sum("/alarms/" in link for link in everything.links) == len(KINDS)
    for kind, path in paths.items():
        page = room.see(path)
        assert "1,234" in page.words, kind
        assert "%(" not in page.words
        assert [link for link in page.links if f"alarm={path.rpartition('/')[2]}" in link]
    words = room.see(paths["address"]).words
    assert "1,234 of the newest 5,000 signatures came from one internet address." in words
    assert "There are 2 such addresses, with 1,534 signatures in all." in words
    assert "At this time of day there are usually 31." in room.see(paths["burst"]).words
    room.stage.sql_write("DELETE FROM alarms")
    assert "too new" in room.see(room.raise_one("burst", none=0)).words


def test_an_alarm_leads_to_the_very_set(room: Room) -> None:
    room.sign([{"address": "203.0.113.7"}] * 5 + [{}] * 3)
    page = room.see(room.raise_one("address", groups=[[room.mark, 5]], of_groups=1, in_groups=5))
    (link,) = [link for link in page.links if "/set?" in link]
    found = room.see(link)
    assert "5 signatures. 5 of them are in the count now." in found.words.replace("  ", " ")
    assert found.fields["c_address"] == [room.mark]
    assert len(found.fields["alarm"][0]) == 32


def test_an_alarm_is_settled_once_with_what_came_of_it(room: Room) -> None:
    path = room.raise_one("quick")
    without = room.moderator.post(path, {})
    assert (without.status_code, set(Page(without.text).faults)) == (422, {"outcome"})
    assert room.moderator.post(path, {"outcome": "harmless"}).headers["location"] == AT
    late = room.moderator.post(path, {"outcome": "acted"})
    assert (late.status_code, "in the meantime" in Page(late.text).words) == (409, True)
    assert "Nothing is wrong: people signed" in room.see(path).words
    words = room.see(AT).words
    assert "Nothing unusual waits for you." in words
    assert "Settled" in words
    assert room.moderator.post(f"{AT}/{uuid4().hex}", {"outcome": "acted"}).status_code == 404
    assert room.moderator.get(f"{AT}/{uuid4().hex}").status_code == 404
    assert room.moderator.get(f"{AT}/nonsense").status_code == 404


def pair_of(room: Room) -> tuple[str, UUID, UUID]:
    first, second, _ = room.sign(
        [
            {"name": "ស្រី ប៊ុនថា", "postal_code": "V3B 1A1", "email": "one@example.org"},
            {"name": "ស្រី  ប៊ុនថា", "postal_code": "V3B 1A1", "email": "two@example.org"},
            {"name": "Sok Sopha", "postal_code": "V3B 1A1"},
        ]
    )
    since = room.now - timedelta(hours=1)
    room.stage.write(flag_pairs, campaign_id=room.campaign_id, since=since, after=None, now=room.now)
    return f"/en/moderation/pairs/libraries/{second.hex}-{first.hex}", first, second


def looks(room: Room) -> int:
    ((found,),) = room.stage.sql("SELECT count(*) FROM records WHERE what = 'pair_opened'")
    return int(found)


def test_a_pair_is_opened_on_record_and_one_is_taken_out(room: Room) -> None:
    path, first, second = pair_of(room)
    assert "/en/moderation/pairs/libraries" in room.see(AT).links
    listed = room.see("/en/moderation/pairs/libraries")
    assert path in listed.links
    assert "ប៊ុនថា" not in listed.words
    assert looks(room) == 0
    page = room.see(path)
    assert {"one@example.org", "two@example.org", "ប៊ុនថា"} <= set(page.words.split())
    assert looks(room) == 1
    wrong = room.moderator.post(path, {"action": "dance"})
    assert (wrong.status_code, set(Page(wrong.text).faults)) == (422, {"action"})
    assert room.moderator.post(path, {"action": f"remove-{first.hex}"}).status_code == 303
    assert room.stage.sql("SELECT standing FROM signatures WHERE id = :id", id=first.hex) == [("removed",)]
    assert room.stage.sql("SELECT standing FROM signatures WHERE id = :id", id=second.hex) == [("counted",)]
    assert "Settled: it is one person." in room.see(path).words
    late = room.moderator.post(path, {"action": "keep"})
    assert (late.status_code, "in the meantime" in Page(late.text).words) == (409, True)
    assert "No pair waits here." in room.see("/en/moderation/pairs/libraries").words


def test_both_of_a_pair_are_kept(room: Room) -> None:
    path, first, second = pair_of(room)
    for locale in LOCALES:
        assert room.see(path.replace("/en/", f"/{locale}/")).lang == locale
    assert room.moderator.post(path, {"action": "keep"}).status_code == 303
    assert "Settled: they are two people." in room.see(path).words
    room.stage.sql_write("UPDATE signatures SET state = 'withdrawn' WHERE id = :id", id=second.hex)
    assert room.moderator.get(path).status_code == 404
    for bad in (f"{second.hex}-{uuid4().hex}", first.hex, "nonsense"):
        assert room.moderator.get(f"/en/moderation/pairs/libraries/{bad}").status_code == 404


def test_nobody_else_comes_here(room: Room) -> None:
    somebody: Organiser = room.stage.organiser("somebody@example.org")
    path, *_ = pair_of(room)
    for each in (AT, room.raise_one("quick"), "/en/moderation/pairs/libraries", path):
        assert somebody.get(each).status_code == 404
    assert looks(room) == 0
