"""Letters over real SMTP: what arrives, and what happens where the relay will not, cannot, or does not answer."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import time_machine

from app.core.clock import utc_now
from app.i18n import as_locale
from app.jobs.deliver_mail import _deliver_share, deliver_mail
from app.mail import letters, outbox, transport
from app.mail.kinds import KINDS
from tests.stage import good_form, on_one_database

if TYPE_CHECKING:
    from tests.mail.conftest import Post

SPOKEN = {"km": "សៀវភៅខ្មែរ", "en": "Khmer books", "fr": "Des livres khmers"}


@on_one_database
@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_a_letter_arrives_in_the_language_of_the_form_as_text_and_html(post: Post, locale: str) -> None:
    slug = post.stage.campaign()
    before = utc_now().replace(microsecond=0)
    post.stage.sign(slug, locale=locale)
    (letter,) = post.deliver()
    mail = letter.mail
    assert (letter.sender, letter.recipients) == ("no-reply@localhost", ("sokha@example.org",))
    assert mail["Content-Language"] == locale
    assert mail["Subject"] == KINDS["confirm"].subject.say(as_locale(locale))
    assert mail["From"].addresses[0].addr_spec == "no-reply@localhost"
    assert before <= parsedate_to_datetime(mail["Date"]) <= utc_now()
    assert mail["Message-ID"].endswith("@localhost>")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    for kind in ("plain", "html"):
        body = letter.part(kind)
        assert f"http://127.0.0.1:8000/{locale}/confirm/" in body
        for other in {"km", "en", "fr"} - {locale}:
            assert f"http://127.0.0.1:8000/{other}/confirm/" in body
    assert f'lang="{locale}"' in letter.part("html")
    assert SPOKEN[locale] in letter.part("plain"), "the title"
    assert max(len(line) for line in letter.raw.split(b"\r\n")) <= 998, "RFC 5322, 2.1.1"
    letter.raw.decode("ascii")


@on_one_database
def test_links_are_built_from_base_url_alone(post: Post) -> None:
    slug = post.stage.campaign()
    post.stage.sign(slug, browser=None)
    forged = {"host": "127.0.0.1:8000", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    post.stage.post(f"/en/campaigns/{slug}/check-email", {"again": "1", "email": "sokha@example.org"}, headers=forged)
    (letter,) = post.deliver()
    links = [word for word in letter.part("plain").split() if "://" in word]
    assert links
    assert all(link.startswith("http://127.0.0.1:8000") for link in links)
    assert "evil.example" not in letter.raw.decode()


def test_a_relay_that_refuses_for_six_hours_gets_the_same_letters_later(post: Post) -> None:
    slug, start = post.stage.campaign(), utc_now()
    post.relay.mood = "RCPT 451"
    for number in range(3):
        post.stage.sign(slug, email=f"signer{number}@example.org", browser=post.stage.new_browser())
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(18):
            clock.shift(timedelta(minutes=20))
            assert post.deliver() == []
        attempts = post.stage.sql("SELECT state, attempts, last_fault, due_at - due_at FROM letters")
        assert {(state, fault) for state, _, fault, _ in attempts} == {("queued", "451")}
        assert all(5 <= tries <= 15 for _, tries, _, _ in attempts), "further and further apart"
        post.relay.mood = "take"
        clock.shift(timedelta(hours=1))
        arrived = post.deliver()
    assert sorted(letter.recipients[0] for letter in arrived) == [f"signer{number}@example.org" for number in range(3)]
    assert {parsedate_to_datetime(letter.mail["Date"]) for letter in arrived} == {
        (start + timedelta(minutes=20)).replace(microsecond=0)
    }
    assert post.stage.sql("SELECT DISTINCT state, last_fault FROM letters") == [("sent", None)]
    token = arrived[0].part("plain").partition("/en/confirm/")[2][:43]
    assert post.stage.post(f"/en/confirm/{token}", {"signing": "yes"}).status_code == 303


@on_one_database
@pytest.mark.parametrize("mood", ["hang", "hang up"])
def test_a_relay_silent_after_the_letter_gets_the_same_bytes_again(
    post: Post, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SECONDS", 0.3)
    post.stage.sign(post.stage.campaign())
    post.relay.mood = mood
    assert len(post.deliver()) == 1
    assert post.stage.sql("SELECT state FROM letters") == [("queued",)]
    post.relay.mood = "take"
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        first, second = post.deliver()
        assert first.raw == second.raw
        assert first.mail["Message-ID"] == second.mail["Message-ID"]
        assert len(post.deliver()) == 2
    assert post.stage.sql("SELECT state FROM letters") == [("sent",)]


@on_one_database
@pytest.mark.parametrize("mood", ["RCPT 550", "DATA 554"])
def test_a_letter_refused_for_ever_is_not_tried_again(post: Post, mood: str) -> None:
    post.stage.sign(post.stage.campaign())
    post.relay.mood = mood
    post.deliver()
    assert post.stage.sql("SELECT state, last_fault, attempts FROM letters") == [("failed", mood[-3:], 1)]
    post.relay.mood = "take"
    with time_machine.travel(utc_now() + timedelta(days=1), tick=True):
        assert post.deliver() == []


@on_one_database
@pytest.mark.parametrize("mood", ["MAIL 550", "MAIL 530", "RCPT 421"])
def test_a_relay_that_will_have_none_of_our_letters_gets_them_once_it_is_mended(post: Post, mood: str) -> None:
    post.stage.sign(post.stage.campaign())
    post.relay.mood = mood
    post.deliver()
    assert post.stage.sql("SELECT state FROM letters") == [("queued",)]
    post.relay.mood = "take"
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        assert len(post.deliver()) == 1


@on_one_database
def test_a_login_that_fails_puts_letters_off(post: Post) -> None:
    post.relay.wants_login = base64.b64encode(b"\0user\0p@ss").decode()
    post.stage.sign(post.stage.campaign())
    post.use(f"smtp://user:wrong@127.0.0.1:{post.relay.port}")
    assert post.deliver() == []
    assert post.stage.sql("SELECT state, last_fault FROM letters") == [("queued", "SMTPAuthenticationError")]
    post.use(f"smtp://user:p%40ss@127.0.0.1:{post.relay.port}")
    with time_machine.travel(utc_now() + timedelta(hours=2), tick=True):
        assert len(post.deliver()) == 1


@on_one_database
def test_a_relay_that_is_away_puts_letters_off(post: Post) -> None:
    slug = post.stage.campaign()
    post.use("smtp://127.0.0.1:1")
    for number in range(6):
        post.stage.sign(slug, email=f"signer{number}@example.org", browser=post.stage.new_browser())
    post.deliver()
    kept = post.stage.sql("SELECT DISTINCT state, attempts, last_fault FROM letters")
    assert kept == [("queued", 1, "SMTPConnectError")]


def test_a_letter_is_given_up_three_days_after_its_first_try(post: Post) -> None:
    post.stage.sign(post.stage.campaign())
    post.relay.mood = "RCPT 451"
    start = utc_now()
    with time_machine.travel(start, tick=False) as clock:
        post.deliver()
        clock.move_to(start + timedelta(days=3) - timedelta(seconds=1))
        post.deliver()
        assert post.stage.sql("SELECT state FROM letters") == [("queued",)]
        clock.shift(timedelta(hours=2))
        post.deliver()
        assert post.stage.sql("SELECT state FROM letters") == [("failed",)]


def test_a_letter_that_cannot_be_written_does_not_hold_up_the_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = post.stage.campaign()
    for number in range(4):
        post.stage.sign(slug, email=f"signer{number}@example.org", browser=post.stage.new_browser())
    write = letters.write_letter

    def write_all_but_one(letter: outbox.OwedLetter, **options: object) -> object:
        if letter.recipient == "signer0@example.org":
            raise LookupError
        return write(letter, **options)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr("app.jobs.deliver_mail.write_letter", write_all_but_one)
    assert len(post.deliver()) == 3
    assert post.stage.sql("SELECT last_fault FROM letters WHERE state = 'queued'") == [("LookupError",)]


def test_a_sender_too_slow_for_its_lease_leaves_the_rest_to_others(post: Post) -> None:
    post.stage.sign(post.stage.campaign())
    with time_machine.travel(utc_now(), tick=False) as clock:
        owed = post.stage.write(outbox.claim_letters, keyring=post.stage.keyring, now=utc_now(), limit=32)
        assert [letter.held_until for letter in owed] == [utc_now() + outbox.LEASE]
        assert post.deliver() == [], "held by another"
        clock.shift(outbox.LEASE)
        assert len(post.deliver()) == 1, "taken over"
        post.stage.run(_deliver_share(post.background, owed))
        assert len(post.relay.deliveries) == 1, "not sent by the one who came too late"


@on_one_database
def test_an_address_that_smuggles_is_refused_at_the_form(post: Post) -> None:
    slug = post.stage.campaign()
    for email in (
        "a@b.com\nBcc: victim@example.org",
        "a@b.com\r\nSubject: x",
        "a@b.com\0",
        "a@b.com, victim@example.org",
        "a@b.com;victim@example.org",
        "<a@b.com> <victim@example.org>",
        "a@b.com>\nRCPT TO:<victim@example.org",
    ):
        assert post.stage.sign(slug, email=email).status_code == 422, email
    assert post.deliver() == []


@on_one_database
def test_a_name_with_controls_adds_no_header_and_no_recipient(post: Post) -> None:
    slug = post.stage.campaign()
    names = ("Sok\r\nBcc: victim@example.org", "Sok\nX: y", "Sok\0Chan", "Sok\x1bChan")
    taken = []
    for number, name in enumerate(names):
        email = f"signer{number}@example.org"
        answer = post.stage.sign(slug, name=name, email=email, browser=post.stage.new_browser())
        assert answer.status_code in {303, 422}
        taken += [email] if answer.status_code == 303 else []
    letters = post.deliver()
    assert sorted(letter.recipients for letter in letters) == [(email,) for email in taken]
    assert taken
    for letter in letters:
        assert "Bcc" not in letter.mail
        assert "X" not in letter.mail


@on_one_database
def test_a_domain_in_khmer_is_written_to_in_ascii(post: Post) -> None:
    assert post.stage.sign(post.stage.campaign(), email="sokha@ខ្មែរ.com").status_code == 303
    (letter,) = post.deliver()
    (recipient,) = letter.recipients
    assert recipient.startswith("sokha@xn--")
    assert recipient.isascii()


def test_two_deliverers_at_once_send_each_letter_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.deliver_mail.BATCH", 4)  # none of them takes all
    slug = post.stage.campaign()

    async def sign_all() -> None:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        async with asyncio.TaskGroup() as group:
            for number in range(14):
                body = urlencode(good_form() | {"email": f"signer{number}@example.org"}, doseq=True).encode()
                browser = post.stage.new_browser()
                group.create_task(browser.post(f"/en/campaigns/{slug}/sign", content=body, headers=headers))

    async def deliver_twice() -> None:
        await asyncio.gather(*(deliver_mail(post.background) for _ in range(4)))

    post.stage.run(sign_all())
    post.stage.run(deliver_twice())
    arrived = post.deliver()
    assert len(arrived) == len({letter.recipients for letter in arrived}) == 14
