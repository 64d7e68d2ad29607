"""Moderators at names: what is held is opened on record, decided for several at once, taken off a list by its words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from app.core.clock import utc_now
from app.jobs.check_names import check_names
from app.models import Record
from app.web.moderation import names as door
from tests.actions.test_names import Hall
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from tests.stage import Stage

pytestmark = on_one_database
AT = "/en/moderation/names"


@pytest.fixture
def hall(stage: Stage) -> Hall:
    return Hall(stage)


def test_held_names_are_opened_on_record_and_decided_together(stage: Stage, hall: Hall) -> None:
    old = utc_now() - timedelta(days=5)
    joke, other, fine = hall.sign("Hun Sen", old), hall.sign("Nobody", old), hall.sign("Sok (Canada)", old)
    hall.sign("Chan Thy", old)
    stage.run(check_names(stage.background))
    moderator = stage.organiser("moderator@example.org", role="moderator")
    page = Page(moderator.get(AT).text)
    for name in ("Hun Sen", "Nobody", "Sok (Canada)"):
        assert name in page.words
    assert "Chan Thy" not in page.words
    looks = stage.read(lambda session: session.scalars(select(Record).where(Record.what == "names_opened")).all())
    assert [set(each.details["signatures"]) for each in looks] == [{joke.hex, other.hex, fine.hex}]
    nothing = moderator.post(AT, {"action": "refuse", "seen": "held"})
    assert nothing.status_code == 422
    assert Page(nothing.text).faults["ticked"].endswith("Tick at least one name")
    refusal = [("action", "refuse"), ("seen", "held"), ("signature", joke.hex), ("signature", other.hex)]
    assert moderator.post(AT, refusal).headers["location"] == f"{AT}?done=2"
    assert "2 names were decided" in Page(moderator.get(f"{AT}?done=2").text).words
    assert moderator.post(AT, {"action": "show", "seen": "held", "signature": fine.hex}).is_redirect
    stage.run(check_names(stage.background))
    assert sorted(hall.names()) == ["Chan Thy", "Sok (Canada)"]
    refused = Page(moderator.get(f"{AT}?check=refused").text)
    assert "Hun Sen" in refused.words
    again = moderator.post(AT, {"action": "show", "seen": "refused", "signature": other.hex})
    assert again.headers["location"] == f"{AT}?done=1&check=refused"
    stage.run(check_names(stage.background))
    assert "Nobody" in hall.names()
    for bad in ({"action": "dance", "seen": "held"}, {"action": "show", "seen": "cleared"}):
        assert moderator.post(AT, bad).status_code == 400
    assert moderator.post(AT, {"action": "show", "seen": "held", "signature": "x"}).status_code == 404
    for locale in ("km", "fr"):
        assert moderator.get(f"/{locale}/moderation/names").status_code == 200


def test_a_name_that_shows_is_taken_off_by_its_words_however_it_is_spelt(stage: Stage, hall: Hall) -> None:
    hall.sign("Chan Thy", utc_now() - timedelta(days=5))
    stage.run(check_names(stage.background))
    moderator = stage.organiser("moderator@example.org", role="moderator")

    def take_off(campaign: str, name: str) -> dict[str, str]:
        return Page(moderator.post(AT, {"action": "off", "campaign": campaign, "name": name}).text).faults

    assert list(take_off("nowhere", "Chan Thy")) == ["campaign"]
    assert list(take_off("No Slug", "")) == ["campaign"]
    assert list(take_off("libraries", "Somebody Else")) == list(take_off("libraries", "")) == ["name"]
    assert list(take_off("libraries", "x" * 5000)) == ["name"]
    assert hall.names() == ["Chan Thy"]
    hall.sign("Not Shown", is_shown=False)
    stage.sql_write("UPDATE signatures SET name_check = 'cleared'")
    assert list(take_off("libraries", "Not Shown")) == ["name"], "no list has it, so none tells of it"
    sought = select(Record.details).where(Record.what == "name_sought")
    assert stage.read(lambda session: session.scalars(sought).all()) == [{"found": 0}] * 2
    assert take_off("libraries", "CHAN  thy") == {}
    assert hall.names() == []


def test_a_long_queue_has_pages(stage: Stage, hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LOOK", 1)
    for name in ("Hun Sen", "Nobody"):
        hall.sign(name)
    stage.run(check_names(stage.background))
    moderator = stage.organiser("moderator@example.org", role="moderator")
    further = [link for link in Page(moderator.get(AT).text).links if "after=" in link]
    seen = [Page(moderator.get(path).text).words for path in (AT, *further)]
    assert [sum(name in words for words in seen) for name in ("Hun Sen", "Nobody")] == [1, 1]
    stage.sql_write("DELETE FROM campaign_keys")
    assert "(erased)" in Page(moderator.get(AT).text).words
