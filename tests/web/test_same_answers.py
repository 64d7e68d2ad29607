"""Whoever signs, and whatever is known of them, the answer is the same; and cookies tell nobody anything."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

import time_machine

from app.core.clock import utc_now
from app.main import build_house, create_app
from app.settings import Settings
from app.web import limits, pausing
from app.web.cookies import SIGNING_COOKIE
from tests.stage import Stage, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx
    import pytest

ADDRESSES = ["a@example.org", f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.org"]


def shape(answer: httpx.Response) -> tuple[Any, ...]:
    """Return all that a watcher can compare: status, bytes, header names in order, and values but those sealed."""
    headers = [(name, len(value) if name == "set-cookie" else value) for name, value in answer.headers.multi_items()]
    return answer.status_code, answer.content, headers


def test_new_pending_confirmed_and_withdrawn_look_alike(stage: Stage) -> None:
    slug = stage.campaign()
    answers, pages = {}, {}

    def sign(case: str, **fields: str) -> None:
        browser = stage.new_browser()
        answers[case] = shape(stage.sign(slug, browser=browser, **fields))
        pages[case] = shape(stage.get(f"/en/campaigns/{slug}/check-email", browser=browser))

    sign("new")
    sign("pending")
    sign("another version", name="Somebody Else")
    owner = Person(stage, slug, "sokha@example.org")
    letter = owner.letters()[0]
    owner.confirm()
    sign("confirmed")
    owner.post(f"/en/signature/{letter.token('signature')}", {"action": "withdraw", "sure": "yes"})
    sign("withdrawn")
    first = answers["new"]
    assert first[0] == 303
    assert all(each == first for each in answers.values()), answers
    assert all(each == pages["new"] for each in pages.values())


def test_another_letter_is_promised_to_known_and_unknown_alike(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    person.letter()
    path = f"/km/campaigns/{person.slug}/check-email"
    stranger = site.new_browser()
    answers = [
        shape(site.post(path, {"again": "yes", "email": email}, browser=stranger))
        for email in (person.email, "nobody@example.org", "no address")
    ]
    assert answers[0][0] == 303
    assert answers.count(answers[0]) == 3
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        assert len(person.letters()) == 2


def test_every_answer_that_could_tell_waits_a_little(
    site: Stage, somebody: Callable[[], Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is timed is a database's noise; this holds that the pause is on every path, and never the same."""
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def noticing(seconds: float) -> None:
        if seconds != limits.SECONDS:  # what is shared of them now and then holds up no answer
            pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", noticing)
    person = somebody()
    person.sign()
    person.sign()
    person.answer_code("000000")
    person.answer_code("000000", email="nobody@example.org")
    person.post(f"/en/campaigns/{person.slug}/check-email", {"again": "yes"})
    monkeypatch.undo()
    assert len(pauses) == 5
    assert all(0 <= pause <= pausing.LONGEST_SECONDS for pause in pauses)
    assert len(set(pauses)) > 1


def test_the_cookie_is_sealed_and_of_one_length(site: Stage, somebody: Callable[[], Person]) -> None:
    values = []
    for number, email in enumerate([*ADDRESSES, ADDRESSES[0]]):
        person = somebody()
        answer = person.sign(email=email, name="សុខ" if number else "Sokha Seng", locale=("km", "fr", "en")[number])
        jar = SimpleCookie(answer.headers.get_list("set-cookie")[0])[SIGNING_COOKIE]
        assert (jar["httponly"], jar["samesite"], jar["path"], jar["secure"]) == (True, "lax", "/", "")
        assert jar.value not in values
        assert email.encode() not in urlsafe_b64decode(jar.value)
        assert answer.headers["set-cookie"].count('"') == 0
        values.append(jar.value)
    assert len({len(value) for value in values}) == 1


def test_cookies_are_kept_to_https_where_we_are(database_folder: Path) -> None:
    settings = Settings(
        database_url=f"sqlite:///{database_folder}/hatthalekha.db",
        keys_dir=database_folder / "keys",
        base_url="https://sign.example.org",
    )
    stage = Stage(settings.database_url, database_folder)
    slug = stage.campaign()
    stage.settings, stage.app = settings, create_app(build_house(settings), with_background=False)
    browser = stage.new_browser()
    answer = stage.sign(slug, browser=browser)
    assert [("Secure" in each, "SameSite=lax" in each) for each in answer.headers.get_list("set-cookie")] == [
        (True, True)
    ] * 2
    chosen = stage.get("/fr/?chosen", browser=browser)
    assert "Secure" in chosen.headers["set-cookie"]
    assert chosen.headers["strict-transport-security"].startswith("max-age=")
    assert stage.get("/km/", browser=browser, headers={"host": "127.0.0.1:8000"}).status_code == 400
    assert stage.get("/km/", browser=browser, headers={"host": "sign.example.org:443"}).status_code == 200
    posted = stage.post(
        f"/en/campaigns/{slug}/check-email", {"next": "1"}, browser=browser, headers={"origin": settings.base_url}
    )
    assert "Secure" in posted.headers["set-cookie"]
    foreign = stage.post("/en/x", browser=browser, headers={"origin": "http://127.0.0.1:8000"})
    assert foreign.status_code == 403
    stage.close()


def test_a_cookie_that_is_not_ours_is_no_cookie(
    site: Stage, somebody: Callable[[], Person], database_folder: Path
) -> None:
    person = somebody()
    person.sign()
    path = f"/en/campaigns/{person.slug}/check-email"
    assert person.email in person.get(path).text
    good = person.browser.cookies[SIGNING_COOKIE]
    foreign = Stage(f"sqlite:///{database_folder}/hatthalekha.db", database_folder)  # other keys
    slug = foreign.campaign(small_campaign(person.slug))
    forged = foreign.sign(slug, email="other@example.org").cookies[SIGNING_COOKIE]
    foreign.close()
    plain = urlsafe_b64encode(json.dumps([person.slug, person.email]).encode()).decode()
    for value in ("", "x", good[:-4], good[:-1] + ("A" if good[-1] != "A" else "B"), forged, plain, "A" * len(good)):
        answer = site.get(path, browser=site.new_browser(), headers={"cookie": f"{SIGNING_COOKIE}={value}"})
        assert answer.status_code == 200
        assert 'name="email"' in answer.text
        assert "@example.org" not in answer.text.partition("<main")[2]
    with time_machine.travel(utc_now() + timedelta(hours=24, seconds=2), tick=True):
        assert person.email not in site.get(path, headers={"cookie": f"{SIGNING_COOKIE}={good}"}).text


def test_the_next_person_finds_nothing_of_the_last(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    path = f"/fr/campaigns/{person.slug}/check-email"
    assert 'name="email"' not in person.get(path).text
    answer = person.post(path, {"next": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/fr/campaigns/{person.slug}#sign")
    assert answer.headers["clear-site-data"] == '"cache"'
    assert SIGNING_COOKIE not in person.browser.cookies
    page = person.get(path)
    assert 'name="email"' in page.text
    assert person.email not in page.text
    assert Page(person.get(f"/fr/campaigns/{person.slug}").text).fields["email"] == [""]
    # The letter of the last person works as before, in any browser.
    assert person.confirm().status_code == 303


def test_only_a_browser_that_confirmed_gets_the_way_to_the_signature(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    victim = somebody()
    victim.sign()
    thanks = f"/en/campaigns/{victim.slug}/signed"
    assert "/signature/" not in victim.get(thanks).text
    victim.confirm()
    assert "/signature/" in victim.get(thanks).text
    framer = Person(site, victim.slug, victim.email)
    framer.sign()
    for path in (thanks, f"/en/campaigns/{victim.slug}/check-email", f"/en/campaigns/{victim.slug}"):
        assert "/signature/" not in framer.get(path).text
    assert framer.answer_code("123456").status_code == 422
    assert "/signature/" not in framer.get(thanks).text
    other = Person(site, site.campaign(small_campaign(f"{victim.slug}-other")), victim.email)
    other.browser = victim.browser
    assert "/signature/" not in other.get(f"/en/campaigns/{other.slug}/signed").text
