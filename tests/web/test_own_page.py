"""The signer's own page: see, show, hide, withdraw, erase, download, before and after each other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import time_machine
from sqlalchemy import update
from sqlalchemy.util import await_only

from app.actions.own_signature import erase_signature
from app.actions.signing import confirm_by_token
from app.core.clock import utc_now
from app.core.db import dialect_of
from app.models import Campaign
from tests.stage import small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from sqlalchemy.orm import Session

    from tests.stage import Stage

NAME = "សុខ សុភា"


class Owner:
    """Somebody on their own page."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self.path = f"/en/signature/{person.letter().token('signature')}"

    def press(self, action: str, **fields: str) -> httpx.Response:
        return self.person.post(self.path, {"action": action, **fields})

    def see(self) -> str:
        answer = self.person.get(self.path)
        assert answer.status_code == 200
        return Page(answer.text).words


def test_each_press_does_what_it_says_and_twice_no_more(stage: Stage) -> None:
    person = Person(stage, stage.campaign(), "sokha@example.org")
    person.sign()
    owner = Owner(person)
    person.confirm()
    assert "Your name in public Not shown" in owner.see()
    for action, said in (("show", "Shown"), ("show", "Shown"), ("hide", "Not shown"), ("hide", "Not shown")):
        pressed = owner.press(action)
        assert (pressed.status_code, pressed.headers["location"]) == (303, f"{owner.path}?done={action}")
        assert f"Your name in public {said}" in owner.see()
    asked = owner.press("withdraw")
    assert asked.status_code == 200
    assert "Withdraw your signature?" in asked.text
    assert stage.count(person.slug) == 1
    assert owner.press("withdraw", sure="yes").status_code == 303
    assert stage.count(person.slug) == 0
    # Pressed again: the page says how it stands, asks nothing, and counts nothing.
    again = [owner.press("withdraw", sure="yes"), owner.press("withdraw"), owner.press("show")]
    assert {answer.status_code for answer in again} == {200}
    assert not any("?</h2>" in answer.text for answer in again)
    assert stage.count(person.slug) == 0
    assert "Withdrawn" in owner.see()
    assert NAME not in owner.see()
    assert person.email not in owner.see()
    assert owner.press("erase", sure="yes").status_code == 303
    assert owner.press("erase", sure="yes").status_code == 303
    assert stage.count(person.slug) == 0
    assert person.confirm().status_code == 404


def test_erasing_while_somebody_confirms_leaves_nothing(stage: Stage) -> None:
    person = Person(stage, stage.campaign(), "sokha@example.org")
    person.sign()
    letter = person.letter()

    def confirm_slowly(session: Session) -> None:
        confirm_by_token(session, token=letter.token("confirm"), now=utc_now())
        if dialect_of(session) == "postgresql":  # SQLite lets only one write at a time
            await_only(asyncio.sleep(0.2))

    async def both() -> None:
        confirming = asyncio.create_task(stage.database.write(confirm_slowly))
        await asyncio.sleep(0.1)
        await stage.database.write(erase_signature, token=letter.token("signature"), now=utc_now())
        await confirming

    stage.run(both())
    assert stage.sql("SELECT state, name, email FROM signatures") == [("withdrawn", None, None)]
    assert person.count() == 0


def test_erasing_a_counted_signature_takes_it_out(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    owner = Owner(person)
    person.confirm()
    assert "Erase these details?" in owner.press("erase").text
    assert person.count() == 1
    owner.press("erase", sure="yes")
    assert person.count() == 0
    assert NAME not in owner.see()
    assert NAME not in person.get(f"{owner.path}?download").text
    person.sign()
    assert len(person.letters()) == 2
    assert person.confirm().status_code == 303
    assert person.count() == 1


def test_withdrawing_works_after_closing_and_lowers_the_count(site: Stage) -> None:
    person = Person(site, site.campaign(small_campaign("soon-closed"), open_for=1), "closed@example.org")
    person.sign()
    owner = Owner(person)
    person.confirm()
    with time_machine.travel(utc_now() + timedelta(days=60), tick=True):
        site.move_by_dates()
        assert owner.press("withdraw", sure="yes").status_code == 303
        assert person.count() == 0


def test_the_download_holds_what_is_held(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign(locale="km", updates="yes")
    path = Owner(person).path
    person.confirm()
    answer = person.get(f"{path}?download")
    assert answer.headers["content-disposition"] == 'attachment; filename="my-signature.json"'
    assert answer.headers["cache-control"] == "no-store"
    held = answer.json()
    assert (held["name"], held["email"], held["locale"], held["state"]) == (NAME, person.email, "km", "confirmed")
    assert (held["country"], held["subdivision"], held["claims"]) == ("CA", "CA-BC", ["citizen_of:CA"])
    assert (held["wants_updates"], held["is_name_shown"]) == (True, False)
    assert held["created_at"].endswith("Z")
    assert held["confirmed_at"].endswith("Z")
    assert set(held) >= {"phone", "postal_code", "edition_number", "edition_hash", "ended_at"}


def test_another_action_is_no_action(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    owner = Owner(person)
    assert [owner.press(action).status_code for action in ("", "confirm", "WITHDRAW")] == [400] * 3
    assert person.get(f"{owner.path}?action=erase&sure=yes").status_code == 200
    assert "Waiting to be confirmed" in owner.see()


def test_erasing_says_nothing_of_another_signature(site: Stage, somebody: Callable[[], Person]) -> None:
    first, second = somebody(), somebody()
    for person in (first, second):
        person.sign()
        person.confirm()
    Owner(first).press("erase", sure="yes")
    assert "Confirmed" in Owner(second).see()
    assert second.count() == 1


def test_links_of_a_campaign_that_was_taken_back_lead_nowhere(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign(country="FR", subdivision="elsewhere", postal_code="75013")
    owner, link = Owner(person), f"/en/confirm/{person.letter().token('confirm')}"
    assert "Where you live France" in owner.see()
    taken_back = update(Campaign).where(Campaign.slug == person.slug).values(state="refused")
    site.write(lambda session: session.execute(taken_back))
    site.house.shelf._entries.clear()
    assert [person.get(path).status_code for path in (owner.path, link)] == [404, 404]
