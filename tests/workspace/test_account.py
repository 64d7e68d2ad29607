"""A person's own account: what it is called, how it proves who it is, where it is signed in."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyotp
import time_machine

from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.rules.devices import name_device
from app.web.sessions import session_cookie
from tests.stage import on_one_database
from tests.workspace.test_sign_in import AT as SIGN_IN
from tests.workspace.test_sign_in import EMAIL, add_authenticator, ask, link_of

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

AT = "/en/workspace/account"
PROVE = "/en/workspace/prove"
LATER = timedelta(minutes=11)


def hidden(page: str) -> list[tuple[str, str]]:
    """Return the hidden fields of a page, each once."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return list(dict.fromkeys((unescape(name), unescape(value)) for name, value in found))


def prove(somebody: Organiser, fields: list[tuple[str, str]], **proof: str) -> httpx.Response:
    """Send the page that asks for proof, with what waits in it."""
    # Not through the organiser, who would add the token that the page has already.
    kept = [pair for pair in fields if pair[0] != "form_token"]
    return somebody.post(PROVE, [*kept, *((f"proof_{name}", value) for name, value in proof.items())])


def set_up_authenticator(somebody: Organiser) -> pyotp.TOTP:
    """Set an authenticator up through the pages."""
    answer = somebody.post(f"{AT}/authenticator/start")
    assert answer.headers["location"] == f"{AT}/authenticator"
    page = somebody.get(f"{AT}/authenticator").text
    match = re.search(r"translate=\"no\">([A-Z2-7 ]{32,})</b>", page)
    assert match is not None
    return pyotp.TOTP(match[1].replace(" ", ""))


def letters_about(stage: Stage, text: str) -> int:
    """Return how many letters to the account say so."""
    return sum(text in letter.text for letter in stage.letters_to(EMAIL))


# Name and language


def test_name_and_language_are_kept(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    answer = somebody.post(AT, {"name": " សុខ  សុភា ", "locale": "km"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}?saved")
    page = somebody.get(f"{AT}?saved").text
    assert 'value="សុខ សុភា"' in page
    assert "Saved." in page
    assert re.search(r'value="km"[^>]* selected', page)
    (name,) = stage.sql("SELECT name FROM accounts")[0]
    assert "សុខ".encode() not in bytes(name)
    assert somebody.post(AT, {"name": "", "locale": "fr"}).status_code == 303
    assert stage.sql("SELECT name, locale FROM accounts") == [(None, "fr")]


@on_one_database
def test_a_bad_name_is_shown_again_and_a_bad_language_refused(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    answer = somebody.post(AT, {"name": "www.example.org", "locale": "fr"})
    assert answer.status_code == 422
    assert 'value="www.example.org"' in answer.text
    assert re.search(r'value="fr"[^>]* selected', answer.text)
    assert somebody.post(AT, {"name": "Sokha", "locale": "xx"}).status_code == 400


# Proving again


def test_a_grave_step_waits_for_a_code_by_letter_and_then_happens(stage: Stage) -> None:
    somebody, other = stage.organiser(EMAIL), stage.organiser(EMAIL)
    with time_machine.travel(utc_now() + LATER, tick=True):
        page = somebody.post(f"{AT}/sessions/end-others", {"note": 'a "quoted" ខ្មែរ'})
        assert page.status_code == 200
        assert other.get(AT).status_code == 200
        fields = hidden(page.text)
        assert ("note", 'a "quoted" ខ្មែរ') in fields
        assert ("proof_action", f"{AT}/sessions/end-others") in fields
        page = prove(somebody, fields, send="yes")
        assert page.status_code == 200
        (letter,) = stage.letters_to(EMAIL)
        assert "/sign-in/" not in letter.text
        wrong = prove(somebody, hidden(page.text), letter_code=f"{(int(letter.code) + 1) % 10**6:06}")
        assert wrong.status_code == 422
        assert ("note", 'a "quoted" ខ្មែរ') in hidden(wrong.text)
        assert "6 digits of the newest email" in wrong.text
        answer = prove(somebody, hidden(wrong.text), letter_code=f"{letter.code[:3]} {letter.code[3:]}")
        assert (answer.status_code, answer.headers["location"]) == (307, f"{AT}/sessions/end-others")
        # What a browser does with a 307: the same body, once more.
        again = stage.post(answer.headers["location"], answer.request.content, browser=somebody.browser)
        assert again.status_code == 303
        assert other.get(AT).status_code == 404
        assert prove(somebody, [], letter_code=letter.code).status_code == 422


@on_one_database
def test_with_nothing_waiting_one_comes_back_to_the_account(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    with time_machine.travel(utc_now() + LATER, tick=True):
        assert "For ten minutes nothing asks again" in somebody.get(PROVE).text
        prove(somebody, [], send="yes")
        (letter,) = stage.letters_to(EMAIL)
        answer = prove(somebody, [("proof_action", "https://elsewhere.example/")], letter_code=letter.code)
        assert (answer.status_code, answer.headers["location"]) == (303, AT)
        assert somebody.post(f"{AT}/authenticator/start").status_code == 303
        assert [row[0] for row in stage.sql("SELECT what FROM records")] == ["proven"]


def test_with_an_authenticator_the_letter_proves_nothing(stage: Stage) -> None:
    totp, somebody = add_authenticator(stage, codes=["ab01-cd23-ef45"]), stage.organiser(EMAIL)
    stage.deliver()
    before = len(stage.letters())
    with time_machine.travel(utc_now() + LATER, tick=True):
        page = somebody.post(f"{AT}/recovery-codes/new")
        assert 'name="proof_send"' not in page.text
        assert prove(somebody, [], send="yes").status_code == 200
        assert len(stage.deliver()) == before
        assert prove(somebody, [], letter_code="123456").status_code == 422
        assert stage.sql("SELECT count(*) FROM records WHERE what = 'not_proven'") == [(1,)]
        assert prove(somebody, [], credential="{}").status_code == 422
        assert prove(somebody, [], code="12").status_code == 422
        answer = prove(somebody, hidden(page.text), code=totp.now())
        assert (answer.status_code, answer.headers["location"]) == (307, f"{AT}/recovery-codes/new")
    with time_machine.travel(utc_now() + LATER * 2, tick=True):
        assert prove(somebody, [], recovery="ab01-cd23-ef45").headers["location"] == AT


def test_a_code_by_letter_is_of_this_account_and_of_this_quarter_of_an_hour(stage: Stage) -> None:
    somebody, other = stage.organiser(EMAIL), stage.organiser("other@example.org")
    prove(somebody, [], send="yes")
    (letter,) = stage.letters_to(EMAIL)
    other.browser.cookies.set("hatthalekha_proof", somebody.browser.cookies["hatthalekha_proof"])
    assert prove(other, [], letter_code=letter.code).status_code == 422
    prove(somebody, [], send="yes")
    letter = stage.letters_to(EMAIL)[-1]
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert prove(somebody, [], letter_code=letter.code).status_code == 422
    for _ in range(6):
        prove(somebody, [], send="yes")
    assert len(stage.letters_to(EMAIL)) == 6


# The authenticator and recovery codes


def test_an_authenticator_is_set_up_and_gives_recovery_codes_once(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    assert somebody.get(f"{AT}/authenticator").headers["location"] == AT
    assert somebody.get(f"{AT}/authenticator/qr.svg").status_code == 404
    totp = set_up_authenticator(somebody)
    drawing = somebody.get(f"{AT}/authenticator/qr.svg")
    assert drawing.headers["content-type"].startswith("image/svg+xml")
    assert drawing.headers["cache-control"] == "no-store"
    assert stage.get(f"{AT}/authenticator/qr.svg", browser=stage.new_browser()).status_code == 404
    # Until a code confirms it, it asks nothing.
    ask(stage)
    assert stage.post(link_of(stage.letters_to(EMAIL)[-1])).headers["location"] == "/en/workspace"
    wrong = somebody.post(f"{AT}/authenticator", {"code": f"{(int(totp.now()) + 1) % 10**6:06}"})
    assert wrong.status_code == 422
    answer = somebody.post(f"{AT}/authenticator", {"code": totp.now()})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{AT}/recovery-codes")
    codes = re.findall(r"<code>([0-9a-z-]+)</code>", somebody.get(f"{AT}/recovery-codes").text)
    assert len(set(codes)) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){2}", code) for code in codes)
    assert "10 codes are left" in somebody.get(AT).text
    assert somebody.post(f"{AT}/recovery-codes").headers["location"] == AT
    assert somebody.get(f"{AT}/recovery-codes").headers["location"] == AT
    assert letters_about(stage, "An authenticator app was added") == 1
    for path in ("authenticator/start", "authenticator"):
        assert somebody.post(f"{AT}/{path}", {"code": totp.now()}).headers["location"] == AT
    assert somebody.get(f"{AT}/authenticator").headers["location"] == AT
    stored = stage.sql("SELECT hash FROM recovery_codes")
    assert not any(code.encode() in bytes(row[0]) for row in stored for code in codes)


@on_one_database
def test_a_secret_is_shown_only_to_who_has_just_proven_who_they_are(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    set_up_authenticator(somebody)
    with time_machine.travel(utc_now() + LATER, tick=True):
        assert somebody.get(f"{AT}/authenticator").headers["location"] == AT
        assert somebody.get(f"{AT}/authenticator/qr.svg").status_code == 404


def test_each_code_of_an_authenticator_works_once_and_half_a_minute_early_or_late(stage: Stage) -> None:
    totp, somebody = add_authenticator(stage), stage.organiser(EMAIL)
    moment = utc_now().replace(second=10) + timedelta(minutes=1)
    with time_machine.travel(moment, tick=False):
        for seconds, status in ((-60, 422), (60, 422), (-30, 303), (-30, 422), (30, 303), (0, 422)):
            code = totp.at(moment + timedelta(seconds=seconds))
            assert prove(somebody, [], code=code).status_code == status, seconds


def test_new_recovery_codes_replace_the_old(stage: Stage) -> None:
    add_authenticator(stage, codes=["ab01-cd23-ef45"])
    somebody = stage.organiser(EMAIL)
    answer = somebody.post(f"{AT}/recovery-codes/new")
    assert answer.headers["location"] == f"{AT}/recovery-codes"
    (first, *_) = re.findall(r"<code>([0-9a-z-]+)</code>", somebody.get(f"{AT}/recovery-codes").text)
    assert prove(somebody, [], recovery="ab01-cd23-ef45").status_code == 422
    assert prove(somebody, [], recovery=first).status_code == 303
    assert "9 codes are left" in somebody.get(AT).text
    assert letters_about(stage, "New recovery codes were made") == 1
    other = stage.organiser("other@example.org")
    other.browser.cookies.set("hatthalekha_recovery", somebody.browser.cookies["hatthalekha_recovery"])
    assert other.get(f"{AT}/recovery-codes").headers["location"] == AT
    assert other.post(f"{AT}/recovery-codes/new").headers["location"] == AT
    with time_machine.travel(utc_now() + timedelta(minutes=16), tick=True):
        assert somebody.get(f"{AT}/recovery-codes").headers["location"] == AT


def test_without_a_second_step_no_recovery_codes_are_left(stage: Stage) -> None:
    totp, somebody = add_authenticator(stage), stage.organiser(EMAIL)
    assert somebody.post(f"{AT}/authenticator/remove").headers["location"] == AT
    assert somebody.post(f"{AT}/authenticator/remove").headers["location"] == AT
    assert letters_about(stage, "The authenticator app was removed") == 1
    assert stage.sql("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert prove(somebody, [], code=totp.now()).status_code == 422
    ask(stage)
    letter = next(each for each in reversed(stage.letters_to(EMAIL)) if "/sign-in/" in each.text)
    assert stage.post(link_of(letter)).headers["location"] == "/en/workspace"
    # A code for what is gone confirms nothing.
    assert somebody.post(f"{AT}/authenticator", {"code": totp.now()}).headers["location"] == AT


# Passkeys, as far as no browser is needed: the rest is in tests/browser/test_passkeys.py


@on_one_database
def test_passkeys_want_a_host_with_a_name(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    assert somebody.post(f"{AT}/passkeys/start").headers["location"] == f"{AT}/passkeys"
    assert "data-passkey" not in somebody.get(f"{AT}/passkeys").text
    assert "which is a number" in somebody.get(AT).text
    assert somebody.post(f"{AT}/passkeys/options").status_code == 404
    assert somebody.post(f"{PROVE}/options").status_code == 404
    assert somebody.post(f"{AT}/passkeys", {"credential": "{}"}).status_code == 422
    named: dict[str, Any] = {"headers": {"host": "localhost:8000"}}
    assert "data-passkey" in somebody.get(f"{AT}/passkeys", **named).text
    options = somebody.post(f"{AT}/passkeys/options", **named).json()
    assert options["rp"] == {"id": "localhost", "name": "Hatthalekha"}
    assert options["attestation"] == "none"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert somebody.post(f"{PROVE}/options", **named).status_code == 200
    for credential in ("", "{}", "[1]", "null", '{"response": {"clientDataJSON": 1}}'):
        answer = somebody.post(f"{AT}/passkeys", {"credential": credential, "label": "My phone"}, **named)
        assert answer.status_code == 422
        assert 'value="My phone"' in answer.text
    # Nothing of ours, and nothing of nobody's: there is nothing to see that either way.
    for path in (f"{uuid4()}", f"{uuid4()}/remove"):
        assert somebody.post(f"{AT}/passkeys/{path}", {"label": "x"}).headers["location"] == AT
    assert somebody.post(f"{AT}/passkeys/none/remove").status_code == 404


def test_challenges_are_forgotten(stage: Stage) -> None:
    stage.post(f"{SIGN_IN}/passkey/options", headers={"host": "localhost:8000"})
    assert stage.sql("SELECT count(*) FROM challenges") == [(1,)]
    stage.run(forget_all(stage.database, now=utc_now() + timedelta(days=2)))
    assert stage.sql("SELECT count(*) FROM challenges") == [(0,)]


# Sessions


def test_sessions_are_listed_and_ended(stage: Stage) -> None:
    here, there, elsewhere = stage.organiser(EMAIL), stage.organiser(EMAIL), stage.organiser(EMAIL)
    stranger = stage.organiser("other@example.org")
    page = here.get(AT).text
    ends = re.findall(rf'action="{AT}/sessions/([0-9a-f-]+)/end"', page)
    assert len(ends) == 3
    assert page.count("This one") == 1
    (own,) = re.findall(r"This one.*?sessions/([0-9a-f-]+)/end", page, re.DOTALL)[:1]
    one = next(each for each in ends if each != own)
    assert stranger.post(f"{AT}/sessions/{one}/end").status_code == 303
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(4,)]
    assert here.post(f"{AT}/sessions/{one}/end").headers["location"] == AT
    assert [each.get(AT).status_code for each in (there, elsewhere)].count(404) == 1
    assert here.post(f"{AT}/sessions/end-others").headers["location"] == AT
    assert [each.get(AT).status_code for each in (here, there, elsewhere)] == [200, 404, 404]
    assert here.post(f"{AT}/sessions/{own}/end").headers["location"] == SIGN_IN
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(1,)]


@on_one_database
def test_signing_out_ends_the_session_and_its_cookie(stage: Stage) -> None:
    somebody = stage.organiser(EMAIL)
    secret = somebody.browser.cookies[session_cookie(stage.settings)]
    answer = somebody.post("/en/workspace/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, SIGN_IN)
    assert answer.headers["clear-site-data"] == '"cache"'
    somebody.browser.cookies.set(session_cookie(stage.settings), secret)
    assert somebody.get(AT).status_code == 404


def test_a_session_lasts_thirty_days_and_is_noted_as_seen(stage: Stage) -> None:
    somebody, start = stage.organiser(EMAIL), utc_now()
    seen = stage.sql("SELECT seen_at FROM account_sessions")
    somebody.get(AT)
    assert stage.sql("SELECT seen_at FROM account_sessions") == seen
    with time_machine.travel(start + timedelta(minutes=6), tick=True):
        somebody.get(AT)
        assert stage.sql("SELECT seen_at FROM account_sessions") != seen
    with time_machine.travel(start + timedelta(days=29), tick=True):
        assert somebody.get(AT).status_code == 200
    with time_machine.travel(start + timedelta(days=31), tick=True):
        assert somebody.get(AT).status_code == 404
        stage.run(forget_all(stage.database, now=utc_now()))
        assert stage.sql("SELECT count(*) FROM account_sessions") == [(0,)]


def test_devices_are_named_in_two_words() -> None:
    chrome = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36"
    safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Safari/604.1"
    assert name_device(chrome) == "Chrome, Android"
    assert name_device(chrome.replace("Mobile", "SamsungBrowser/23.0 Mobile")) == "Samsung Internet, Android"
    assert name_device(safari) == "Safari, iPhone"
    assert name_device("Mozilla/5.0 (Windows NT 10.0; rv:121.0) Gecko Firefox/121.0") == "Firefox, Windows"
    assert name_device("curl/8.5 (Linux)") == "Linux"
    assert name_device("<script>") == ""
