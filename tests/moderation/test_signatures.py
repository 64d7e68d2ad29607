"""Moderators at signatures: the queue, one opened on record, search without names in addresses, nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from app.actions.alarms import raise_alarms
from app.core.clock import utc_now
from app.models import Record, Signature
from app.models.signatures import WAITS
from app.queries.alarms import list_alarms
from app.queries.moderation import read_cursor
from app.rules.bursts import Finding
from app.rules.integrity import Judgement
from app.rules.sets import Conditions
from tests.actions.signers import HELD, find_campaign, rolled_up, sign
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from tests.stage import Stage

pytestmark = on_one_database
AT = "/en/moderation/signatures/libraries"


class Room:
    """A campaign with signatures, and a moderator."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.slug = stage.campaign()
        self.moderator = stage.organiser("moderator@example.org", role="moderator")
        self.signed = 0

    def sign(self, **values: Any) -> UUID:  # noqa: ANN401 - as the action's
        self.signed += 1
        how = {"slug": self.slug, "number": self.signed, "keyring": self.stage.keyring, "now": utc_now(), **values}
        return self.stage.write(sign, **how)

    def get(self, path: str = "") -> Page:
        response = self.moderator.get(f"{AT}{path}")
        assert response.status_code == 200, response.text
        return Page(response.text)

    def post(self, path: str, data: Any) -> httpx.Response:  # noqa: ANN401 - as the stage's
        return self.moderator.post(f"/en/moderation/signatures/libraries{path}", data)

    def shown(self, page: Page) -> list[str]:
        """Return the signatures that a page lists, in its order."""
        return [found[1] for link in page.links if (found := re.search(r"/one/([0-9a-f]{32})$", link))]

    def count(self) -> int:
        """Return the count, after seeing that it is that of the rows."""
        total, rows = self.stage.write(rolled_up, slug=self.slug, now=utc_now())
        assert total == rows
        return total

    def lines(self, what: str) -> list[dict[str, Any]]:
        return self.stage.read(
            lambda session: list(session.scalars(select(Record.details).where(Record.what == what).order_by(Record.id)))
        )


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


def test_the_queue_shows_reasons_and_no_names_and_takes_several_at_once(room: Room, stage: Stage) -> None:
    held = [room.sign(judgement=HELD, name=f"Chan Dara {letter}") for letter in "ABC"]
    room.sign(judgement=HELD, is_confirmed=False)
    room.sign()
    assert room.count() == 1
    campaigns = room.moderator.get("/en/moderation/signatures")
    assert "3 signatures wait to be looked at" in Page(campaigns.text).words
    page = room.get()
    assert room.shown(page) == [each.hex for each in held], "the oldest first, and none unconfirmed"
    assert "Far too many forms from one internet address" in page.words
    assert "Dara" not in page.words
    nothing = room.post("", [("action", "honest")])
    assert nothing.status_code == 422
    assert "Tick at least one signature" in nothing.text
    no_rule = room.post("", [("action", "remove"), ("signature", held[2].hex)])
    assert no_rule.status_code == 422
    assert ("signature", held[2].hex) in Page(no_rule.text).ticked
    assert room.post("", [("action", "burn"), ("signature", held[2].hex)]).status_code == 400
    assert room.post("", [("action", "honest"), ("signature", "x")]).status_code == 404
    done = room.post("", [("action", "honest"), *[("signature", each.hex) for each in held[:2]]])
    assert done.status_code == 303
    assert room.count() == 3
    again = room.post("", [("action", "remove"), ("rule", "other"), *[("signature", each.hex) for each in held[1:]]])
    words = Page(room.moderator.get(again.headers["location"]).text).words
    assert "1 signature was decided. 1 other had been decided by somebody else" in words
    assert "Nothing waits." in words
    assert room.count() == 3, "the second moderator's old page undid nothing"
    assert [line["moved"] for line in room.lines("signatures_restored")] == [2]
    assert room.lines("signatures_removed") == [{"signatures": [held[2].hex], "rule": "other", "moved": 1}]
    assert "Nothing waits." in Page(room.moderator.get("/en/moderation/signatures").text).words


def test_the_queue_turns_its_pages(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.queries.moderation.PAGE", 2)
    held = [room.sign(judgement=HELD).hex for _ in range(5)]
    seen: list[str] = []
    path = ""
    for _ in range(3):
        page = room.get(path)
        seen += room.shown(page)
        onward = [link for link in page.links if "?after=" in link]
        path = onward[0].removeprefix(AT) if onward else ""
    assert (seen, path) == (held, "")
    assert room.shown(room.get("?after=nonsense")) == held[:2]
    assert read_cursor("99999999999999999999-00") is None


def test_one_signature_is_opened_on_record(room: Room, stage: Stage) -> None:
    signature_id = room.sign(judgement=Judgement("quarantined", 60, ("address_limit", "gone_since")), name="ចាន់ ដារ៉ា")
    path = f"/one/{signature_id.hex}"
    page = room.get(path)
    assert "ចាន់ ដារ៉ា" in page.words
    assert "signer-1@example.org" in page.words
    assert "gone_since" in page.words, "a sign that is not used any more shows as it is"
    assert room.lines("signature_opened") == [{"signature": signature_id.hex}]
    address = stage.write(find_campaign, slug=room.slug, keyring=stage.keyring)[1].index("address", "203.0.113.7").hex()
    assert f"{AT}/set?address={address}" in page.links
    assert room.post(path, {"action": "remove", "seen": "quarantined"}).status_code == 422
    honest = room.post(path, {"action": "honest", "seen": "quarantined"})
    assert room.count() == 1
    assert "It was decided." in Page(room.moderator.get(honest.headers["location"]).text).words
    stale = room.post(path, {"action": "remove", "rule": "other", "seen": "quarantined"})
    words = Page(room.moderator.get(stale.headers["location"]).text).words
    assert "somebody else has decided in the meantime" in words
    assert "by you" in words
    stage.sql_write("UPDATE signatures SET state = 'withdrawn', name = NULL, email = NULL")
    page = room.get(path)
    assert "Not kept any more" in page.words
    assert "Take it out" not in page.words
    assert room.moderator.get(f"{AT}/one/{'0' * 32}").status_code == 404
    assert room.moderator.get(f"{AT}/one/x").status_code == 404


def test_somebody_is_found_and_stands_in_no_address(room: Room) -> None:
    sokha = room.sign(name="សុខ សុភា")
    dara = room.sign(name="Chan Dara", locale="fr")

    def found(**typed: str) -> list[str]:
        answer = room.post("/search", typed)
        assert answer.status_code == 303, answer.text
        location = answer.headers["location"]
        assert not any(word in unquote(location) for word in ("signer", "Dara", "សុភា"))
        return room.shown(Page(room.moderator.get(location).text))

    assert found(email="Signer-1@example.org") == [sokha.hex]
    assert found(email="nobody@example.org") == []
    assert found(name="dara chan") == [dara.hex]
    assert found(name="Dara") == []
    assert found(part="dar") == [dara.hex]
    assert found(part="សុភា") == [sokha.hex]
    assert found(part="សុភា", locale="fr") == []
    assert found(locale="fr") == [dara.hex]
    assert sorted(found(address="203.0.113.7", domain="example.org")) == sorted([sokha.hex, dara.hex])
    by = [(line["by"], line["found"]) for line in room.lines("signatures_searched")]
    assert by == [
        (["email"], 1), (["email"], 0), (["name"], 1), (["name"], 0), (["part"], 1), (["part"], 1), (["part"], 0),
    ]  # fmt: skip
    nothing = room.post("/search", {})
    assert nothing.status_code == 422
    assert "Say what to look for" in nothing.text
    assert room.post("/search", {"name": "\u200b"}).status_code == 422
    wrong = Page(room.post("/search", {"email": "x", "address": "my house", "country": "KH"}).text)
    assert {field for field, _ in wrong.summary} == {"email", "address"}
    assert wrong.fields["country"] == ["KH"]
    for query in ("part=00", "email=zz", "score_from=many"):
        assert room.moderator.get(f"{AT}/search?{query}").status_code == 404


def test_names_are_searched_a_bounded_number_at_a_time(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.queries.moderation.SCAN", 2)
    monkeypatch.setattr("app.queries.moderation.PAGE", 2)
    for _ in range(5):
        room.sign(name="Chan Dara")
    wanted = room.sign(name="Meas Vibol").hex
    location = room.post("/search", {"part": "vibol"}).headers["location"]
    seen: set[str] = set()
    rounds = 0
    while location:
        rounds += 1
        page = Page(room.moderator.get(location).text)
        assert (
            "2 names were looked at" in page.words or "was looked at" in page.words or "Nothing was found" in page.words
        )
        seen |= {link[-32:] for link in page.links if "/one/" in link}
        location = next((link for link in page.links if "after=" in link), "")
    assert (seen, rounds) == ({wanted}, 4)
    assert [line["looked_at"] for line in room.lines("signatures_searched")] == [2, 2, 2, 0]
    everything = room.post("/search", {"country": "CA"}).headers["location"]
    assert any("after=" in link for link in Page(room.moderator.get(everything).text).links)


def test_nothing_is_looked_for_once_the_key_is_gone(room: Room, stage: Stage) -> None:
    signature_id = room.sign()
    part = room.post("/search", {"part": "sok"}).headers["location"]
    stage.sql_write("DELETE FROM campaign_keys")
    for field in ("email", "name", "address"):
        typed = {"email": "a@example.org", "name": "Sok", "address": "203.0.113.7"}[field]
        answer = room.post("/search", {field: typed})
        assert answer.status_code == 422
        assert "key is gone" in answer.text
    assert "Nothing was found." in Page(room.moderator.get(part).text).words
    assert "Not kept any more" in room.get(f"/one/{signature_id.hex}").words


def test_it_is_all_in_three_languages_and_for_moderators_alone(room: Room, stage: Stage) -> None:
    signature_id = room.sign(judgement=HELD)
    organiser = stage.organiser("somebody@example.org")
    for path in ("", "/libraries", "/libraries/search", f"/libraries/one/{signature_id.hex}"):
        for locale in ("km", "en", "fr"):
            address = f"/{locale}/moderation/signatures{path}"
            assert room.moderator.get(address).status_code == 200
            assert organiser.get(address).status_code == 404
    opened = room.moderator.get("/en/moderation/signatures?slug=%20Libraries")
    assert opened.headers["location"] == AT
    assert room.moderator.get("/en/moderation/signatures/nothing").status_code == 404
    assert room.moderator.get("/en/moderation/signatures/NOTHING").status_code == 404


def test_a_moderator_of_the_team_sees_and_decides_nothing_of_that_campaign(room: Room, stage: Stage) -> None:
    held = room.sign(judgement=HELD, name="Hun Sen")
    other = room.sign(name="Hun Sen")
    insider = stage.organiser("insider@example.org", role="moderator")
    stage.join(room.slug, insider)
    proposed = {"c_standing": "quarantined", "action": "remove", "rule": "other", "because": "x", "once": "a" * 32}
    assert room.post("/set/propose", proposed).status_code == 303
    findings = [Finding("quick", 300, 1000, Conditions(standing="counted"), {"seconds": 10})]
    campaign_id, _ = stage.read(find_campaign, slug=room.slug, keyring=stage.keyring)
    stage.write(raise_alarms, campaign_id=campaign_id, findings=findings, now=utc_now())
    (alarm,) = stage.read(list_alarms, keyring=stage.keyring)
    at_set, at_alarm, pair = f"/sets/{'a' * 32}", f"/alarms/{alarm.id.hex}", f"{held.hex}-{other.hex}"
    signatures, pairs = f"/signatures/{room.slug}", f"/pairs/{room.slug}"
    seen = (
        signatures, f"{signatures}/search", f"{signatures}/one/{held.hex}", f"{signatures}/set",
        pairs, f"{pairs}/{pair}", at_set, at_alarm,
    )  # fmt: skip
    moderation = "/en/moderation"
    assert room.moderator.get(f"{moderation}{at_set}").status_code == 200
    assert room.moderator.get(f"{moderation}{at_alarm}").status_code == 200
    for path in seen:
        assert insider.get(f"{moderation}{path}").status_code == 404, path
    done = (
        (signatures, {"action": "honest", "signature": held.hex}), (f"{signatures}/search", {"name": "Hun Sen"}),
        (f"{signatures}/one/{held.hex}", {"action": "honest", "seen": "quarantined"}), (f"{signatures}/set", {}),
        (f"{signatures}/set/propose", proposed), (f"{pairs}/{pair}", {"action": "keep"}), (at_alarm, {}),
        *((f"{at_set}/{verb}", {}) for verb in ("approve", "decline", "stop", "reverse")),
        ("/names", {"action": "off", "campaign": room.slug, "name": "Hun Sen"}),
        ("/names", {"action": "show", "seen": "held", "signature": other.hex}),
    )  # fmt: skip
    for path, data in done:
        assert insider.post(f"{moderation}{path}", data).status_code == 404, path
    stage.sql_write("UPDATE signatures SET name_check = 'held', is_name_shown = TRUE")
    assert "Hun Sen" in room.moderator.get(f"{moderation}/names").text
    assert "Hun Sen" not in insider.get(f"{moderation}/names").text
    refused = [line for line in room.lines("refused") if line.get("because") == "of_team"]
    assert len(refused) == len(seen) + len(done)
    assert stage.sql("SELECT standing, count(*) FROM signatures GROUP BY standing ORDER BY standing") == [
        ("counted", 1),
        ("quarantined", 1),
    ]


def test_what_waits_is_found_by_its_index(stage: Stage) -> None:
    stage.campaign()
    statement = select(Signature.id).where(Signature.campaign_id == uuid4(), WAITS).order_by(Signature.created_at)
    compiled = str(statement.compile(dialect=sqlite.dialect()))
    plan = stage.sql("EXPLAIN QUERY PLAN " + compiled.replace("?", "'x'"))
    assert "ix_signatures_quarantined" in plan[0][3]
    assert "TEMP B-TREE" not in str(plan)
