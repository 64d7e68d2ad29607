"""Moderators at the switches: what each does to pages, in every process within two seconds, and what is on record."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
import time_machine

from app.core.clock import utc_now
from app.web.sessions import session_cookie
from tests.actions.lives import campaign_id, lines, put, row
from tests.kill.company import PATIENCE, Company
from tests.stage import good_form, on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from pathlib import Path

    from app.rules.switches import Switches
    from tests.stage import Organiser, Stage

pytestmark = on_one_database
AT = "/en/moderation/switches"
CAMPAIGN = "/en/campaigns/libraries"
EFFECTIVE_SECONDS = 2.0
LOCALES = ("km", "en", "fr")


@pytest.fixture
def moderator(stage: Stage) -> Organiser:
    """Sign a moderator in, with a campaign."""
    stage.campaign()
    return stage.organiser("moderator@example.org", role="moderator")


def turn_on(moderator: Organiser, kind: str, **typed: str) -> httpx.Response:
    form = {"kind": kind, "because": "An attack since noon", "once": uuid4().hex, **typed}
    return moderator.post(AT, form)


def turn_off(moderator: Organiser) -> None:
    found = moderator.stage.sql("SELECT id FROM switches WHERE off_at IS NULL")
    for (switch,) in found:
        assert moderator.post(f"{AT}/{switch}/off").headers["location"] == AT


def see(stage: Stage, path: str) -> Page:
    stage.house.cache.forget("libraries")
    stage.house.shelf._entries.clear()
    return Page(stage.get(path).text)


def test_a_pause_of_signing_is_told_in_three_languages_and_ends(stage: Stage, moderator: Organiser) -> None:
    stage.sign("libraries", email="early@example.org")
    closes_at = row(stage).closes_at
    answer = turn_on(moderator, "pause_signing", campaign="libraries")
    assert (answer.status_code, answer.headers["location"]) == (303, AT)
    for locale in LOCALES:
        page = see(stage, f"/{locale}/campaigns/libraries")
        assert "name" not in page.fields
        assert page.lang == locale
        assert stage.sign("libraries", locale=locale).status_code == 409
    assert "Signing pauses for the time being." in see(stage, CAMPAIGN).words
    assert "Signing pauses for the time being." in Page(stage.sign("libraries").text).words
    # Whoever signed before confirms, however long after the date on which it would have closed.
    now, day = utc_now(), timedelta(days=1)
    put(stage, opens_at=now - 9 * day, closes_at=now - 3 * day, paused_at=now - 4 * day)
    stage.move_by_dates()
    (letter,) = stage.letters_to("early@example.org")
    confirmed = stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
    assert (confirmed.status_code, stage.count("libraries")) == (303, 1)
    assert "On since" in Page(moderator.get(AT).text).words
    turn_off(moderator)
    assert "name" in see(stage, CAMPAIGN).fields
    assert stage.sign("libraries", email="late@example.org").status_code == 303
    assert "Until" in see(stage, CAMPAIGN).words
    assert row(stage).closes_at != closes_at
    past = Page(moderator.get(AT).text).words
    assert "Nothing is on." in past
    assert "An attack since noon" in past
    owner = stage.organiser()
    stage.join("libraries", owner)
    steps = Page(owner.get("/en/workspace/campaigns/libraries/steps").text).words
    assert "Signing was paused for a while by those who run this site." in steps


def test_a_pause_of_creation_keeps_what_was_typed(stage: Stage, moderator: Organiser) -> None:
    turn_on(moderator, "pause_creation")
    owner = stage.organiser()
    stage.join("libraries", owner)
    said = "No new campaigns can be started for the time being."
    start = owner.get("/en/workspace/start")
    assert said in Page(start.text).words
    tried = owner.post("/en/workspace/start", {"title": "Buses at night", "once": uuid4().hex})
    assert (tried.status_code, Page(tried.text).fields["title"]) == (422, ["Buses at night"])
    assert said in Page(tried.text).words
    assert said in Page(owner.get("/en/workspace/import").text).words
    imported = owner.post("/en/workspace/import", {"file": "{}", "once": uuid4().hex})
    assert (imported.status_code, said in Page(imported.text).words) == (422, True)
    copied = owner.post("/en/workspace/campaigns/libraries/copy", {"once": uuid4().hex})
    assert (copied.status_code, said in Page(copied.text).words) == (422, True)
    assert stage.sql("SELECT count(*) FROM campaigns") == [(1,)]
    turn_off(moderator)
    assert said not in Page(owner.get("/en/workspace/start").text).words
    assert owner.post("/en/workspace/campaigns/libraries/copy", {"once": uuid4().hex}).status_code == 303


def test_a_proof_of_work_and_slowing_are_switched(stage: Stage, moderator: Organiser) -> None:
    assert turn_on(moderator, "proof", campaign="libraries").status_code == 303
    assert any("proof.js" in script for script in see(stage, CAMPAIGN).scripts)
    assert turn_on(moderator, "slow_network", network=" 2001:db8::/៣២ ").status_code == 303
    assert turn_on(moderator, "slow_country", country="FR").status_code == 303
    board = stage.house.switchboard
    board.forget()

    async def ask_at_once() -> tuple[Switches, Switches]:
        return await asyncio.gather(board.find(), board.find())

    switches, same = stage.run(ask_at_once())
    assert switches is same
    assert not switches.is_slowed(country="CA", address="a socket")
    assert switches.wants_proof(campaign_id(stage))
    assert switches.is_slowed(country="CA", address="2001:db8:fff::1")
    assert switches.is_slowed(country="FR", address=None)
    for locale in LOCALES:
        page = moderator.get(AT.replace("/en/", f"/{locale}/"))
        assert (page.status_code, "2001:db8::/32" in page.text) == (200, True)
    turn_off(moderator)
    assert lines(stage).count("switched_off") == 3
    assert not any("proof.js" in script for script in see(stage, CAMPAIGN).scripts)


@pytest.mark.parametrize(
    ("kind", "typed", "field"),
    [
        ("", {}, "kind"),
        ("pause_signing", {"campaign": "nowhere"}, "campaign"),
        ("proof", {"campaign": "No slug\x7f"}, "campaign"),
        ("pause_creation", {"campaign": "libraries"}, "campaign"),
        ("slow_country", {}, "country"),
        ("slow_network", {"network": "somewhere"}, "network"),
        ("slow_network", {"network": "203.0.113.7/24"}, "network"),
        ("slow_network", {"network": "10.0.0.0/7"}, "network"),
        ("slow_network", {"network": "2001::/19"}, "network"),
        ("slow_network", {"network": "::ffff:203.0.113.0/120"}, "network"),
        ("pause_signing", {"because": " "}, "because"),
    ],
)
def test_a_fault_is_named_and_what_was_typed_kept(
    stage: Stage, moderator: Organiser, kind: str, typed: dict[str, str], field: str
) -> None:
    answer = turn_on(moderator, kind, **typed)
    page = Page(answer.text)
    assert (answer.status_code, set(page.faults)) == (422, {field})
    assert [name for name, _ in page.summary] == [field]
    assert all(page.fields[name] == [value] for name, value in typed.items() if name != "because")
    assert stage.sql("SELECT count(*) FROM switches") == [(0,)]


def test_a_switch_is_on_once_and_a_stale_page_is_told(stage: Stage, moderator: Organiser) -> None:
    once = uuid4().hex
    assert turn_on(moderator, "pause_signing", once=once).status_code == 303
    assert turn_on(moderator, "pause_signing", once=once).status_code == 303, "the same form again"
    again = turn_on(moderator, "pause_signing")
    assert (again.status_code, "this is on already" in Page(again.text).words) == (409, True)
    ((switch,),) = stage.sql("SELECT id FROM switches")
    turn_off(moderator)
    late = moderator.post(f"{AT}/{switch}/off")
    assert (late.status_code, "in the meantime" in Page(late.text).words) == (409, True)
    assert moderator.post(f"{AT}/nonsense/off").status_code == 404
    stage.sql_write("UPDATE switches SET scope = :gone", gone=uuid4().hex)
    assert "a campaign that is gone" in Page(moderator.get(AT).text).words


def test_a_switch_takes_a_moderator_and_a_fresh_proof(stage: Stage, moderator: Organiser) -> None:
    somebody = stage.organiser("somebody@example.org")
    assert somebody.get(AT).status_code == 404
    assert turn_on(somebody, "pause_signing").status_code == 404
    with time_machine.travel(utc_now() + timedelta(minutes=11), tick=True):
        assert turn_on(moderator, "pause_signing").status_code == 200
        assert stage.sql("SELECT count(*) FROM switches") == [(0,)]


@pytest.mark.slow
def test_a_switch_holds_in_another_process_within_two_seconds(
    stage: Stage, moderator: Organiser, tmp_path: Path
) -> None:
    settings = stage.settings
    environment = {
        "HATTHALEKHA_DATABASE_URL": settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "HATTHALEKHA_BASE_URL": settings.base_url,
    }
    cookie = session_cookie(settings)
    headers = {"cookie": f"{cookie}={moderator.browser.cookies[cookie]}"}
    company = Company(environment, tmp_path, servers=2, workers=0)
    try:
        one, other = (httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) for port in company.ports)
        with one, other:
            for browser in (one, other):
                _wait_for(browser)
            form = {"form_token": moderator.form_token, "kind": "pause_signing", "because": "x", "once": uuid4().hex}
            assert other.post(f"{CAMPAIGN}/sign", data=good_form()).status_code == 303
            assert one.post(AT, data=form, headers=headers).status_code == 303
            turned = time.monotonic()
            # Whatever it knows was asked for again and again until now.
            while other.post(f"{CAMPAIGN}/sign", data=good_form()).status_code != 409:
                assert time.monotonic() - turned < EFFECTIVE_SECONDS
            while "Signing pauses for the time being." not in other.get(CAMPAIGN).text:
                assert time.monotonic() - turned < EFFECTIVE_SECONDS
    finally:
        company.stop()


def _wait_for(browser: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if browser.get(CAMPAIGN).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("no server")
