"""Signing in: a letter with a link and a code, alike for everybody, once; and the second step after it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyotp
import time_machine

from app.actions.accounts import disable_account, find_or_create_account
from app.actions.second_step import confirm_authenticator, start_authenticator
from app.actions.signing_in import ask_to_sign_in
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.web.proving import own_path
from app.web.sessions import session_cookie
from app.web.workspace import sign_in
from tests.stage import on_one_database

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import httpx
    import pytest

    from tests.stage import Letter, Stage

AT = "/en/workspace/sign-in"
EMAIL = "sokha@example.org"


def shape(answer: httpx.Response) -> tuple[Any, ...]:
    """Return all that a watcher can compare: status, bytes, header names in order, and values but those sealed."""
    headers = [(name, len(value) if name == "set-cookie" else value) for name, value in answer.headers.multi_items()]
    return answer.status_code, answer.content, headers


def ask(stage: Stage, email: str = EMAIL, *, browser: httpx.AsyncClient | None = None, **fields: str) -> httpx.Response:
    """Ask for a letter."""
    return stage.post(AT, {"email": email, **fields}, browser=browser)


def link_of(letter: Letter) -> str:
    """Return the path of the letter's link in English."""
    return f"{AT}/{letter.token('sign-in')}"


def is_signed_in(stage: Stage, browser: httpx.AsyncClient) -> bool:
    """Tell whether the browser sees its account."""
    return stage.get("/en/workspace/account", browser=browser).status_code == 200


def add_authenticator(stage: Stage, email: str = EMAIL, *, codes: Sequence[str] = ()) -> pyotp.TOTP:
    """Set an authenticator up, with a code of a minute ago."""
    account_id = stage.write(
        find_or_create_account, email=email, locale="en", keyring=stage.keyring, now=utc_now(), role="organiser"
    )
    secret = pyotp.random_base32()
    before = utc_now() - timedelta(minutes=1)
    stage.write(start_authenticator, account_id=account_id, secret=secret, keyring=stage.keyring, now=before)
    stage.write(
        confirm_authenticator,
        account_id=account_id,
        code=pyotp.TOTP(secret).at(before),
        codes=codes or ["0000-0000-0000"],
        keyring=stage.keyring,
        now=before,
    )
    return pyotp.TOTP(secret)


def test_a_new_organiser_signs_in_by_the_link_and_the_account_is_made_only_then(stage: Stage) -> None:
    answer = ask(stage, " Sokha@Example.org ", next="/en/workspace/account")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/check-email")
    (letter,) = stage.letters_to("Sokha@example.org")
    assert stage.sql("SELECT count(*) FROM accounts") == [(0,)]
    assert "15 minutes" in letter.text
    assert letter.mail["Subject"] == "A message about your request"
    for _ in range(3):
        page = stage.get(link_of(letter))
        assert page.status_code == 200
        assert "I asked to sign in" not in page.text
        assert stage.run(stage.browser.head(link_of(letter))).status_code == 200
    assert stage.sql("SELECT count(*) FROM accounts") == [(0,)]
    answer = stage.post(link_of(letter))
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/workspace/account")
    page = stage.get("/en/workspace/account")
    assert "Sokha@example.org" in page.text
    assert stage.sql("SELECT role, state, locale FROM accounts") == [("organiser", "active", "en")]
    assert [row[0] for row in stage.sql("SELECT what FROM records")] == ["signed_in"]


def test_known_unknown_disabled_and_too_many_look_alike(stage: Stage) -> None:
    for email in (EMAIL, "gone@example.org"):
        stage.write(find_or_create_account, email=email, locale="en", keyring=stage.keyring, now=utc_now())
    stage.write(disable_account, email="gone@example.org", keyring=stage.keyring, now=utc_now())
    answers, pages = [], []
    for email in ("news@example.org", EMAIL, "gone@example.org", *["many@example.org"] * 7):
        browser = stage.new_browser()
        answers.append(shape(ask(stage, email, browser=browser)))
        pages.append(shape(stage.get(f"{AT}/check-email", browser=browser)))
    assert answers[0][0] == 303
    assert answers == [answers[0]] * 10
    assert {page[0] for page in pages} == {200}
    stage.deliver()
    assert len(stage.letters_to("many@example.org")) == 5
    assert len(stage.letters_to(EMAIL)) == len(stage.letters_to("news@example.org")) == 1
    assert stage.letters_to("gone@example.org") == []
    assert stage.sql("SELECT count(*) FROM letters WHERE state = 'dropped'") == [(1,)]


def test_fifty_requests_at_once_make_five_letters(stage: Stage) -> None:
    async def storm() -> None:
        import asyncio

        await asyncio.gather(
            *(
                stage.database.write(
                    ask_to_sign_in, email=EMAIL, locale="en", next_path=None, keyring=stage.keyring, now=utc_now()
                )
                for _ in range(50)
            )
        )

    stage.run(storm())
    assert len(stage.letters_to(EMAIL)) == 5


def test_letters_go_to_the_address_that_the_account_has_proven(stage: Stage) -> None:
    stage.organiser("som.sokha@gmail.com")
    ask(stage, "SomSokha+x@gmail.com")
    assert len(stage.letters_to("som.sokha@gmail.com")) == 1
    assert len(stage.letters()) == 1


def ask_for_more_than_a_day_has(stage: Stage, day: datetime) -> None:
    """Ask twelve times in somebody's name, in a browser that was never signed in, as fast as requests are taken."""
    for number in range(3):
        with time_machine.travel(day + timedelta(minutes=20 * number), tick=True):
            for _ in range(4):
                stage.write(
                    ask_to_sign_in, email=EMAIL, locale="en", next_path=None, keyring=stage.keyring, now=utc_now()
                )
            stage.deliver()


def test_a_day_has_ten_letters_of_an_address(stage: Stage) -> None:
    day = utc_now().replace(hour=10, minute=0, second=0)
    ask_for_more_than_a_day_has(stage, day)
    assert len(stage.letters()) == 10
    with time_machine.travel(day + timedelta(days=1), tick=True):
        # What waited until the next day is worth nothing then.
        assert len(stage.deliver()) == 10


def test_whoever_asks_in_an_organisers_name_does_not_keep_them_out(stage: Stage) -> None:
    home = stage.new_browser()
    day = utc_now().replace(hour=10, minute=0, second=0)
    with time_machine.travel(day - timedelta(days=1), tick=True):
        ask(stage, browser=home)
        stage.post(link_of(stage.letters_to(EMAIL)[-1]), browser=home)
        somebody = stage.organiser(EMAIL)
    ask_for_more_than_a_day_has(stage, day)
    with time_machine.travel(day + timedelta(hours=1), tick=True):
        for _ in range(6):
            ask(stage)  # as many as may wait at a time, by somebody else
        before = len(stage.letters_to(EMAIL))
        # In the browser that was signed in before there is room of its own, and none there for other addresses.
        home.cookies.delete(session_cookie(stage.settings))
        ask(stage, browser=home)
        letter = stage.letters_to(EMAIL)[-1]
        assert stage.post(f"{AT}/check-email", {"code": letter.code}, browser=home).status_code == 303
        # So there is for whoever is signed in, to prove who they are.
        somebody.post("/en/workspace/prove", {"proof_send": "yes"})
        assert len(stage.letters_to(EMAIL)) == before + 2
        ask(stage, "other@example.org", browser=home)
        assert stage.sql("SELECT count(*) FROM sign_in_requests WHERE asker_id IS NOT NULL") == [(2,)]


def test_letters_of_campaigns_leave_room_to_sign_in(stage: Stage) -> None:
    slugs = [stage.campaign(slug=f"campaign-{number}") for number in range(4)]
    day = (utc_now() + timedelta(days=1)).replace(hour=10, minute=0, second=0)
    for number in range(3):
        with time_machine.travel(day + timedelta(minutes=5 * number), tick=True):
            for slug in slugs:
                stage.sign(slug, email=EMAIL, browser=stage.new_browser())
            stage.deliver()
    with time_machine.travel(day + timedelta(hours=1), tick=True):
        # The last two wait for tomorrow: from all campaigns an address gets ten in a day.
        assert len(stage.letters_to(EMAIL)) == 10
        ask(stage)
        assert "/sign-in/" in stage.letters_to(EMAIL)[-1].text


@on_one_database
def test_signing_out_forgets_whose_browser_it_was(stage: Stage) -> None:
    ask(stage)
    stage.post(link_of(stage.letters_to(EMAIL)[-1]))
    assert "hatthalekha_device" in stage.browser.cookies
    token = re.search(r'name="form_token" value="([^"]+)"', stage.get("/en/workspace/account").text)
    assert token is not None
    stage.post("/en/workspace/sign-out", {"form_token": token[1]})
    assert "hatthalekha_device" not in stage.browser.cookies
    assert session_cookie(stage.settings) not in stage.browser.cookies


def test_a_link_works_once_and_pressing_twice_is_no_fault(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    assert stage.post(link_of(letter)).status_code == 303
    again = stage.post(link_of(letter))
    assert (again.status_code, again.headers["location"]) == (303, "/en/workspace")
    stranger = stage.new_browser()
    for answer in (
        stage.post(link_of(letter), {"asked": "yes"}, browser=stranger),
        stage.get(link_of(letter), browser=stranger),
    ):
        assert answer.status_code == 410
        assert EMAIL not in answer.text
        assert 'action="/en/workspace/sign-in"' in answer.text
    assert not is_signed_in(stage, stranger)
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(1,)]


def test_expired_and_unknown_links_offer_a_new_letter(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert stage.get(link_of(letter)).status_code == 410
        assert stage.post(link_of(letter)).status_code == 410
    token = letter.token("sign-in")
    for unknown in (token[:-1] + ("A" if token[-1] != "A" else "B"), "short", "a" * 43):
        for answer in (stage.get(f"{AT}/{unknown}"), stage.post(f"{AT}/{unknown}", {"asked": "yes"})):
            assert answer.status_code == 404
            assert 'action="/en/workspace/sign-in"' in answer.text
    with time_machine.travel(utc_now() + timedelta(days=2), tick=True):
        stage.run(forget_all(stage.database, now=utc_now()))
        assert stage.sql("SELECT count(*) FROM sign_in_requests") == [(0,)]
        assert stage.get(link_of(letter)).status_code == 410


@on_one_database
def test_another_browser_ticks_a_box_first(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    scanner = stage.new_browser()
    page = stage.get(link_of(letter), browser=scanner)
    assert "I asked to sign in" in page.text
    assert "checked" not in page.text
    answer = stage.post(link_of(letter), browser=scanner)
    assert answer.status_code == 422
    assert "Tick the box" in answer.text
    assert not is_signed_in(stage, scanner)
    assert stage.post(link_of(letter), {"asked": "yes"}, browser=scanner).status_code == 303
    assert is_signed_in(stage, scanner)


def test_the_code_signs_in_the_browser_that_asked(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    assert EMAIL in stage.get(f"{AT}/check-email").text
    khmer = letter.code.translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩"))
    answer = stage.post(f"{AT}/check-email", {"code": f"{khmer[:3]} {khmer[3:]}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/workspace")
    assert is_signed_in(stage, stage.browser)
    assert stage.post(link_of(letter), {"asked": "yes"}, browser=stage.new_browser()).status_code == 410


def test_five_wrong_codes_end_the_code_and_not_the_link(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    wrong = f"{(int(letter.code) + 1) % 10**6:06}"
    for typed in (wrong, wrong, "", "abc", wrong, letter.code):
        answer = stage.post(f"{AT}/check-email", {"code": typed})
        assert answer.status_code == 422
    assert stage.post(link_of(letter)).status_code == 303


@on_one_database
def test_a_code_needs_the_cookie_and_lasts_fifteen_minutes(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    stranger = stage.new_browser()
    for answer in (
        stage.get(f"{AT}/check-email", browser=stranger),
        stage.post(f"{AT}/check-email", {"code": letter.code}, browser=stranger),
    ):
        assert (answer.status_code, answer.headers["location"]) == (303, AT)
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert stage.post(f"{AT}/check-email", {"code": letter.code}).headers["location"] == AT
    other = stage.new_browser()
    ask(stage, "other@example.org", browser=other)
    assert stage.post(f"{AT}/check-email", {"code": letter.code}, browser=other).status_code == 422


def test_another_letter_can_be_asked_for(stage: Stage) -> None:
    ask(stage, next="/en/workspace/account")
    answer = stage.post(f"{AT}/check-email", {"again": "yes"})
    assert answer.headers["location"] == f"{AT}/check-email?sent"
    assert "another email" in stage.get(answer.headers["location"]).text
    letters = stage.letters_to(EMAIL)
    assert len(letters) == 2
    newest = stage.post(f"{AT}/check-email", {"code": letters[1].code})
    assert newest.headers["location"] == "/en/workspace/account"


@on_one_database
def test_a_sealed_cookie_that_was_changed_is_none(stage: Stage) -> None:
    ask(stage)
    (letter,) = stage.letters_to(EMAIL)
    sealed = bytearray(urlsafe_b64decode(stage.browser.cookies["hatthalekha_sign_in"]))
    sealed[40] ^= 1
    browser = stage.new_browser()
    browser.cookies.set("hatthalekha_sign_in", urlsafe_b64encode(bytes(sealed)).decode())
    assert stage.get(f"{AT}/check-email", browser=browser).headers["location"] == AT
    # Nor does one of our cookies pass for another.
    browser.cookies.set("hatthalekha_second_step", stage.browser.cookies["hatthalekha_sign_in"])
    assert stage.get(f"{AT}/second-step", browser=browser).headers["location"] == AT
    assert letter.code


@on_one_database
def test_next_leads_nowhere_else(stage: Stage) -> None:
    elsewhere = (
        "//elsewhere.example", "https://elsewhere.example/en/workspace", "/en/about", "/en/workspace/../about",
        "/en/workspace//x", "/xx/workspace", "/en/workspacex", "/en/workspace\\x", "/en/workspace/" + "a" * 400, "",
    )  # fmt: skip
    assert [path for path in elsewhere if own_path(path) is not None] == []
    for path in elsewhere[:2]:
        assert f'name="next" value="{path}"' not in stage.get(AT, params={"next": path}).text
        ask(stage, next=path)
        answer = stage.post(link_of(stage.letters_to(EMAIL)[-1]))
        assert (answer.status_code, answer.headers["location"]) == (303, "/en/workspace"), path
    page = stage.get(AT, params={"next": "/fr/moderation/campaigns/a-b"})
    assert 'name="next" value="/fr/moderation/campaigns/a-b"' in page.text


@on_one_database
def test_a_bad_address_is_shown_again(stage: Stage) -> None:
    answer = ask(stage, "sokha@example", next="/en/workspace/account")
    assert answer.status_code == 422
    assert 'value="sokha@example"' in answer.text
    assert 'value="/en/workspace/account"' in answer.text
    assert stage.get("/xx/workspace/sign-in").status_code == 404
    for path in ("", "/check-email", f"/{'a' * 43}", "/second-step", "/passkey", "/passkey/options"):
        assert stage.post(f"/xx/workspace/sign-in{path}").status_code == 404, path


@on_one_database
def test_each_sign_in_has_a_secret_of_its_own_and_ends_the_one_before(stage: Stage) -> None:
    secrets = []
    for _ in range(2):
        ask(stage)
        letter = stage.letters_to(EMAIL)[-1]
        stage.post(link_of(letter))
        secrets.append(stage.browser.cookies[session_cookie(stage.settings)])
    assert secrets[0] != secrets[1]
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(1,)]
    planted = stage.new_browser()
    planted.cookies.set(session_cookie(stage.settings), "a secret that somebody else knows")
    ask(stage, browser=planted)
    answer = stage.post(link_of(stage.letters_to(EMAIL)[-1]), browser=planted)
    assert answer.headers["set-cookie"].startswith(session_cookie(stage.settings))
    assert "a secret that somebody" not in str(answer.headers)


def test_a_disabled_account_is_let_in_nowhere(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    totp = add_authenticator(stage, "second@example.org")
    browsers = [stage.new_browser() for _ in range(3)]
    ask(stage, browser=browsers[0])
    ask(stage, "second@example.org", browser=browsers[1])
    letters = [stage.letters_to(email)[-1] for email in (EMAIL, "second@example.org")]
    ask(stage, "second@example.org", browser=browsers[2])
    third = stage.letters_to("second@example.org")[-1]
    assert stage.post(link_of(third), browser=browsers[2]).headers["location"].endswith("/second-step")
    for email in (EMAIL, "second@example.org"):
        stage.write(disable_account, email=email, keyring=stage.keyring, now=utc_now())
    assert somebody.get("/en/workspace/account").status_code == 404
    for browser, letter in zip(browsers, letters, strict=False):
        assert stage.post(f"{AT}/check-email", {"code": letter.code}, browser=browser).status_code == 422
        assert stage.get(link_of(letter), browser=browser).status_code == 410
        assert stage.post(link_of(letter), browser=browser).status_code == 410
    late = stage.post(f"{AT}/second-step", {"code": totp.now()}, browser=browsers[2])
    assert late.status_code == 422
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(0,)]


# The second step


def test_the_letter_alone_is_not_enough_where_there_is_an_authenticator(stage: Stage) -> None:
    totp = add_authenticator(stage)
    ask(stage, next="/en/workspace/account")
    letter = next(each for each in stage.letters_to(EMAIL) if "/sign-in/" in each.text)
    answer = stage.post(link_of(letter))
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/second-step")
    assert not is_signed_in(stage, stage.browser)
    page = stage.get(f"{AT}/second-step")
    assert 'name="code"' in page.text
    assert 'name="recovery"' in page.text
    wrong = stage.post(f"{AT}/second-step", {"code": f"{(int(totp.now()) + 1) % 10**6:06}"})
    assert wrong.status_code == 422
    assert "After five wrong ones" in wrong.text
    code = totp.now()
    answer = stage.post(f"{AT}/second-step", {"code": f"{code[:3]} {code[3:]}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/en/workspace/account")
    assert is_signed_in(stage, stage.browser)
    # Half a sign-in is used up, and the same code works in no other browser.
    assert stage.get(f"{AT}/second-step").headers["location"] == AT
    other = stage.new_browser()
    ask(stage, browser=other)
    stage.post(link_of(stage.letters_to(EMAIL)[-1]), browser=other)
    assert stage.post(f"{AT}/second-step", {"code": code}, browser=other).status_code == 422


def test_a_recovery_code_stands_in_once(stage: Stage) -> None:
    add_authenticator(stage, codes=["ab01-cd23-ef45", "gh67-jk89-mn01"])

    def sign_in_with(typed: str) -> int:
        browser = stage.new_browser()
        ask(stage, browser=browser)
        letter = [each for each in stage.letters_to(EMAIL) if "/sign-in/" in each.text][-1]
        stage.post(link_of(letter), browser=browser)
        return stage.post(f"{AT}/second-step", {"recovery": typed}, browser=browser).status_code

    # As it is read from paper: letters for digits, capitals, no hyphens.
    assert sign_in_with("AbO1 cd23 EF45") == 303
    assert sign_in_with("ab01-cd23-ef45") == 422
    assert sign_in_with("gh67-jk89-mn02") == 422
    assert sign_in_with("gh67-jk89-mn01") == 303
    told = [each for each in stage.letters_to(EMAIL) if "A recovery code of your account was used" in each.text]
    assert len(told) == 2
    assert told[0].mail["Subject"] == "A message about your account"


def test_five_wrong_codes_lock_the_second_step_for_a_quarter_of_an_hour(stage: Stage) -> None:
    totp = add_authenticator(stage)
    start = utc_now()
    ask(stage)
    stage.post(link_of(stage.letters_to(EMAIL)[-1]))
    for typed in ({"code": "000000"}, {"recovery": "x"}, {"code": ""}, {"code": "1"}, {"recovery": "y"}):
        if typed.get("code") != totp.now():
            assert stage.post(f"{AT}/second-step", typed).status_code == 422
    assert stage.post(f"{AT}/second-step", {"code": totp.now()}).status_code == 422
    assert stage.post(f"{AT}/second-step", {"recovery": "0000-0000-0000"}).status_code == 422
    with time_machine.travel(start + timedelta(minutes=16), tick=True):
        ask(stage)
        stage.post(link_of(stage.letters_to(EMAIL)[-1]))
        assert stage.post(f"{AT}/second-step", {"code": totp.now()}).status_code == 303


@on_one_database
def test_half_a_sign_in_ends_after_fifteen_minutes(stage: Stage) -> None:
    totp = add_authenticator(stage)
    ask(stage)
    stage.post(link_of(stage.letters_to(EMAIL)[-1]))
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert stage.post(f"{AT}/second-step", {"code": totp.now()}).headers["location"] == AT
        assert stage.post(f"{AT}/second-step/options").status_code == 404


@on_one_database
def test_passkeys_are_offered_where_the_host_has_a_name(stage: Stage) -> None:
    assert "data-passkey" not in stage.get(AT).text
    assert stage.post(f"{AT}/passkey/options").status_code == 404
    assert stage.post(f"{AT}/passkey", {"credential": "{}"}).status_code == 422
    named = {"host": "localhost:8000"}
    assert "data-passkey" in stage.get(AT, headers=named).text
    answer = stage.post(f"{AT}/passkey/options", headers=named)
    assert answer.status_code == 200
    assert answer.json()["rpId"] == "localhost"
    assert answer.json()["userVerification"] == "required"
    assert answer.json()["allowCredentials"] == []
    for credential in ("", "{}", "[]", "null", "{", '{"response": {"clientDataJSON": "AAAA"}}', "x" * 5000):
        wrong = stage.post(f"{AT}/passkey", {"credential": credential}, headers=named)
        assert wrong.status_code == 422, credential
        assert "This passkey was not accepted" in wrong.text


@on_one_database
def test_every_answer_that_could_tell_waits_a_little(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = []

    async def noticing() -> None:
        pauses.append(1)

    monkeypatch.setattr(sign_in, "pause", noticing)
    add_authenticator(stage)
    ask(stage)
    letter = stage.letters_to(EMAIL)[-1]
    stage.post(f"{AT}/check-email", {"code": "000000"})
    stage.post(f"{AT}/check-email", {"again": "yes"})
    stage.post(link_of(letter), {"asked": "yes"})
    stage.post(f"{AT}/second-step", {"code": "000000"})
    assert len(pauses) == 4


def test_a_letter_that_says_nothing_any_more_is_dropped(stage: Stage) -> None:
    ask(stage, "late@example.org")
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        assert stage.letters_to("late@example.org") == []
    request_id = stage.write(
        ask_to_sign_in, email=EMAIL, locale="km", next_path=None, keyring=stage.keyring, now=utc_now()
    )
    assert stage.sql("SELECT count(*) FROM letters WHERE state = 'queued'") == [(1,)]
    (letter,) = stage.letters_to(EMAIL)
    assert letter.mail["Content-Language"] == "km"
    assert "/en/workspace/sign-in/" in letter.text
    assert "/fr/workspace/sign-in/" in letter.html
    assert request_id != uuid4()
