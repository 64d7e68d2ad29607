"""News to signers in the workspace: written, previewed, tried, sent off once a day, stopped; nobody's address shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import update as change

from app.core.clock import utc_now
from app.i18n import as_locale
from app.jobs.fan_out import fan_out
from app.mail.kinds import KINDS
from app.models import Campaign
from app.web.workspace.updates import roughly
from tests.signers import insert_signers
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.orm import Session

    from tests.stage import Letter, Organiser, Stage

TEXTS: Final = {
    "title_en": "We met the minister",
    "body_en": "She listened.\n\nMore soon.",
    "title_km": "យើងបានជួបរដ្ឋមន្ត្រី",
    "body_km": "លោកស្រីបានស្ដាប់។",
}


class Newsroom:
    """An owner and a campaign with so many signers who want news."""

    def __init__(self, stage: Stage, readers: int = 3) -> None:
        self.stage = stage
        self.slug = stage.campaign()
        self.owner = stage.organiser()
        stage.join(self.slug, self.owner)
        self.at = f"/en/workspace/campaigns/{self.slug}/updates"
        self.emails = [f"reader{number}@example.org" for number in range(readers)]
        if readers:
            stage.write(insert_signers, slug=self.slug, emails=self.emails, keyring=stage.keyring, now=utc_now())

    def write(self, by: Organiser | None = None, **changes: str) -> str:
        """Write news and return its address."""
        answer = self.post_new(by, **changes)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removesuffix("/send")

    def post_new(self, by: Organiser | None = None, **changes: str) -> httpx.Response:
        return (by or self.owner).post(f"{self.at}/new", {"once": uuid4().hex, **TEXTS, **changes})

    def try_out(self, update: str, version: int = 1, **changes: str) -> httpx.Response:
        return self.owner.post(f"{update}/try", {"version": str(version), "once": uuid4().hex, **changes})

    def send(self, update: str, version: int = 1) -> httpx.Response:
        return self.owner.post(f"{update}/send", {"version": str(version)})

    def fan_out(self) -> None:
        while self.stage.run(fan_out(self.stage.background)):
            pass

    def leave(self) -> list[Letter]:
        """Let all letters leave, and return those to readers."""
        self.fan_out()
        letters = self.stage.deliver()
        self.fan_out()
        return [letter for letter in letters if str(letter.mail["To"]) != self.owner.email]

    def see(self, path: str, by: Organiser | None = None) -> str:
        answer = (by or self.owner).get(path)
        assert answer.status_code == 200
        return Page(answer.text).words


def _stop(session: Session) -> None:
    """Stop the campaign, whoever does."""
    session.execute(change(Campaign).values(state="stopped"))


@pytest.fixture
def room(stage: Stage) -> Newsroom:
    return Newsroom(stage)


def test_news_goes_from_writing_to_every_reader_once(room: Newsroom) -> None:
    assert "Nothing was written yet." in room.see(room.at)
    update = room.write()
    words = room.see(f"{update}/send")
    assert "She listened." in words
    assert "Not written in this language. These readers get it in English, and are told so." in words, "no French yet"
    assert "First send this version to yourself." in words
    assert room.try_out(update).headers["location"] == f"{update}/send?done=tried"
    assert "It is on its way to you" in room.see(f"{update}/send?done=tried")
    trials = room.stage.letters_to(room.owner.email)
    assert [letter.mail["Content-Language"] for letter in trials] == ["en", "km"]
    assert all("trial" in trials[0].text and "/unsubscribe/" not in letter.text for letter in trials)
    assert "Who will get it: fewer than 5" in room.see(f"{update}/send")
    sent = room.send(update)
    assert (sent.status_code, sent.headers["location"]) == (303, update)
    assert "Being sent" in room.see(update)
    # The second press, and the page from before opened with the back button: nothing is queued twice.
    assert room.send(update).status_code == 303
    assert room.owner.get(f"{update}/send").headers["location"] == update
    letters = room.leave()
    assert sorted(str(letter.mail["To"]) for letter in letters) == room.emails
    assert len(room.leave()) == len(letters)
    words = room.see(update)
    assert "Sent" in words
    assert "Delivered so far: fewer than 5" in words
    assert not any(email in page for email in room.emails for page in (words, room.see(room.at)))
    what = room.stage.sql("SELECT what, count(*) FROM records WHERE what LIKE 'update_%' GROUP BY what ORDER BY what")
    assert what == [("update_queued", 1), ("update_tried", 1)]


@on_one_database
def test_each_reader_gets_their_language_or_is_told_why_not(room: Newsroom) -> None:
    for locale in ("km", "fr"):
        email = f"{locale}@example.org"
        room.stage.write(
            insert_signers, slug=room.slug, emails=[email], keyring=room.stage.keyring, now=utc_now(), locale=locale
        )
    update = room.write(body_en="Look:\n\n<script>alert(1)</script> {{ 7*7 }}")
    room.try_out(update)
    room.send(update)
    letters = {str(letter.mail["To"]): letter for letter in room.leave()}
    khmer, french, english = (letters[f"{name}@example.org"] for name in ("km", "fr", "reader0"))
    assert TEXTS["body_km"] in khmer.text
    assert "Look:" in french.text
    assert '<div lang="en">' in french.html
    told = "This news is not in your language yet."
    assert told not in english.text
    assert told not in khmer.text
    assert "&lt;script&gt;" in english.html
    assert "<script>" in english.text
    for letter, locale in ((khmer, "km"), (french, "fr"), (english, "en")):
        assert letter.mail["Subject"] == KINDS["update"].subject.say(as_locale(locale))
        assert "Khmer books" not in str(letter.mail["Subject"])
        assert letter.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        link = str(letter.mail["List-Unsubscribe"])[1:-1]
        assert re.fullmatch(rf"http://127.0.0.1:8000/{locale}/unsubscribe/[\w-]{{43}}", link)
        assert f"\r\nList-Unsubscribe: <{link}>\r\n".encode() in letter.raw, "no encoded words: RFC 8058, 3.1"
        assert link in letter.text
        assert link in letter.html


@on_one_database
def test_news_needs_its_source_language_and_whole_texts(room: Newsroom) -> None:
    answer = room.post_new(title_en="", title_fr="Nouvelles", body_km="", title_km="x" * 201)
    assert answer.status_code == 422
    page = Page(answer.text)
    assert {"#title_en", "#body_fr", "#title_km"} <= set(page.links)
    assert "She listened." in answer.text, "what was typed is kept"
    assert room.post_new(body_en="x" * 4001).status_code == 422
    assert room.post_new(body_en="x" * 2001 + "\n" + "x" * 2001).status_code == 422
    assert room.owner.post(f"{room.at}/new", {**TEXTS, "once": "nonsense"}).status_code == 400
    assert room.stage.sql("SELECT count(*) FROM updates") == [(0,)]
    update = room.write()
    bad = room.owner.post(update, {**TEXTS, "body_en": "", "version": "1"})
    assert bad.status_code == 422
    assert 'name="version" value="1"' in bad.text


def test_the_form_sent_twice_makes_one_draft(room: Newsroom) -> None:
    once = uuid4().hex
    first, second = (room.post_new(once=once) for _ in range(2))
    assert first.headers["location"] == second.headers["location"]
    changed = room.post_new(once=once, body_en="She listened again.")
    assert changed.status_code == 303, "the back button, then more words"
    assert room.stage.sql("SELECT version FROM updates") == [(2,)]
    late = room.post_new(once=once, body_en="Written over.")
    assert late.status_code == 409
    assert "She listened again." in late.text
    assert "Written over." in late.text
    other = Newsroom.__new__(Newsroom)
    other.stage, other.owner = room.stage, room.owner
    elsewhere = room.stage.campaign(slug="schools")
    room.stage.join(elsewhere, room.owner)
    other.at = f"/en/workspace/campaigns/{elsewhere}/updates"
    assert other.post_new(once=once).status_code == 404, "an id of another campaign"


def test_two_people_on_one_draft_lose_no_word(room: Newsroom) -> None:
    update = room.write()
    assert room.owner.get(update).status_code == 200
    assert room.owner.post(update, {**TEXTS, "version": "1"}).status_code == 303, "nothing changed"
    assert room.owner.post(update, {**TEXTS, "body_en": "Mine.", "version": "1"}).status_code == 303
    second = room.owner.post(update, {**TEXTS, "body_en": "Yours.", "version": "1"})
    assert second.status_code == 409
    assert "Yours." in second.text
    assert "Mine." in second.text
    assert 'name="version" value="2"' in second.text
    assert room.owner.post(update, {**TEXTS, "body_en": "Yours.", "version": "2"}).status_code == 303
    assert "Yours." in room.see(f"{update}/send")
    assert room.owner.post(update, {**TEXTS, "body_en": "Stale.", "version": "x"}).status_code == 409
    room.try_out(update, version=3)
    room.send(update, version=3)
    late = room.owner.post(update, {**TEXTS, "body_en": "Too late.", "version": "3"})
    assert late.status_code == 409
    assert "Too late." in late.text
    assert "Save and preview" not in late.text


def test_only_the_version_that_was_tried_is_sent(room: Newsroom) -> None:
    update = room.write()
    refused = room.send(update)
    assert refused.status_code == 409
    assert "First send this version to yourself." in refused.text
    assert room.try_out(update, once="x").status_code == 400
    once = uuid4().hex
    for _ in range(2):
        assert room.try_out(update, once=once).status_code == 303
    assert len(room.stage.letters_to(room.owner.email)) == 2, "one for each language, however often it is pressed"
    room.owner.post(update, {**TEXTS, "body_en": "Changed.", "version": "1"})
    assert room.try_out(update, version=1).status_code == 409
    assert room.send(update, version=1).status_code == 409
    assert room.send(update, version=2).status_code == 409
    room.try_out(update, version=2)
    assert room.send(update, version=2).status_code == 303


def test_one_piece_of_news_a_day(room: Newsroom) -> None:
    first, second = room.write(), room.write(title_en="Again")
    for each in (first, second):
        room.try_out(each)
    room.send(first)
    refused = room.send(second)
    assert refused.status_code == 409
    assert "Signers get one piece of news a day at most." in refused.text
    later = utc_now() + timedelta(days=1)
    with time_machine.travel(later - timedelta(minutes=1), tick=True):
        room.owner = room.stage.organiser()  # the proof of who one is has grown too old
        assert room.send(second).status_code == 409
    with time_machine.travel(later, tick=True):
        assert room.send(second).status_code == 303
    assert room.stage.sql("SELECT state FROM updates") == [("queued",), ("queued",)]


@on_one_database
def test_nothing_is_sent_before_it_is_public_after_it_was_stopped_or_to_nobody(stage: Stage) -> None:
    room = Newsroom(stage, readers=0)
    update = room.write()
    room.try_out(update)
    assert "No confirmed signer has asked for news yet." in room.send(update).text
    stage.write(insert_signers, slug=room.slug, emails=["h@example.org"], keyring=stage.keyring, now=utc_now())
    stage.sql_write("UPDATE signatures SET standing = 'quarantined'")
    assert "No confirmed signer has asked for news yet." in room.send(update).text, "what is held is not told"
    stage.write(insert_signers, slug=room.slug, emails=["a@example.org"], keyring=stage.keyring, now=utc_now())
    stage.write(_stop)
    assert "You can write news now." in room.see(room.at)
    refused = room.send(update)
    assert refused.status_code == 409
    assert "It can be sent while this campaign is public." in refused.text
    assert stage.sql("SELECT state FROM updates") == [("draft",)]


@on_one_database
def test_a_campaign_stopped_in_between_sends_no_more(room: Newsroom) -> None:
    update = room.write()
    room.try_out(update)
    room.send(update)
    room.fan_out()
    room.stage.write(_stop)
    assert room.leave() == []


def test_stopping_drops_what_waits(room: Newsroom) -> None:
    update = room.write()
    assert room.owner.post(f"{update}/stop").status_code == 409, "a draft"
    room.try_out(update)
    room.send(update)
    room.fan_out()
    for _ in range(2):
        assert room.owner.post(f"{update}/stop").headers["location"] == update
    assert "Stopped" in room.see(update)
    assert room.leave() == []
    assert room.send(update).status_code == 409, "what was stopped is not sent again"
    assert room.stage.sql("SELECT state, count(*) FROM letters WHERE kind = 'update' GROUP BY state") == [
        ("dropped", 3)
    ]
    assert room.stage.sql("SELECT count(*) FROM records WHERE what = 'update_stopped'") == [(1,)]


@on_one_database
def test_what_was_sent_cannot_be_stopped_tried_or_thrown_away(room: Newsroom) -> None:
    update = room.write()
    room.try_out(update)
    room.send(update)
    room.leave()
    for step in ("stop", "discard"):
        assert room.owner.post(f"{update}/{step}").status_code == 409
    assert room.try_out(update).status_code == 409
    assert room.stage.sql("SELECT state FROM updates") == [("sent",)]


def test_a_draft_is_thrown_away(room: Newsroom) -> None:
    update = room.write()
    assert room.owner.post(f"{update}/discard").headers["location"] == f"{room.at}?done=discarded"
    assert "The draft is gone." in room.see(f"{room.at}?done=discarded")
    assert room.owner.get(update).status_code == 404
    assert room.owner.post(update, {**TEXTS, "version": "1"}).status_code == 404


@on_one_database
def test_an_editor_writes_and_an_owner_sends(room: Newsroom) -> None:
    editor = room.stage.organiser("editor@example.org")
    room.stage.join(room.slug, editor, "editor")
    update = room.write(editor)
    assert "Somebody who is responsible for this campaign sends it off." in room.see(f"{update}/send", editor)
    assert editor.post(f"{update}/send", {"version": "1"}).status_code == 404
    assert editor.post(f"{update}/stop").status_code == 404
    assert editor.post(f"{update}/try", {"version": "1", "once": uuid4().hex}).status_code == 303
    assert room.send(update).status_code == 303
    assert "Stop sending" in room.see(update)
    assert "Stop sending" not in room.see(update, editor)
    for role in ("translator", "viewer"):
        room.stage.join(room.slug, editor, role)
        assert editor.get(room.at).status_code == 404
        assert editor.get(update).status_code == 404


@on_one_database
def test_news_of_another_campaign_does_not_exist_and_that_is_on_record(room: Newsroom) -> None:
    update = room.write().rpartition("/")[2]
    elsewhere = room.stage.campaign(slug="schools")
    room.stage.join(elsewhere, room.owner)
    at = f"/en/workspace/campaigns/{elsewhere}/updates"
    assert room.owner.get(f"{at}/{update}").status_code == 404
    assert room.owner.get(f"{at}/nonsense").status_code == 404
    for step in ("try", "send", "stop", "discard"):
        assert room.owner.post(f"{at}/{update}/{step}", {"version": "1", "once": update}).status_code == 404
    assert room.stage.sql("SELECT count(*) FROM records WHERE what = 'refused'") == [(6,)]


@on_one_database
def test_pages_are_there_in_three_languages(room: Newsroom) -> None:
    update = room.write()
    for locale in ("km", "fr"):
        for path in (room.at, f"{room.at}/new", update, f"{update}/send"):
            assert room.owner.get(f"/{locale}{path[3:]}").status_code == 200


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, 0), (4, 0), (5, 5), (9, 5), (14, 10), (99, 95), (104, 100), (1049, 1000), (9_999, 9900), (12_345, 12_000)],
)
def test_numbers_of_people_are_rounded(number: int, said: int) -> None:
    assert roughly(number) == said
