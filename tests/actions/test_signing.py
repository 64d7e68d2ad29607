"""Signing, confirming and counting, with real commits on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
import time_machine

from app.actions.own_signature import SignatureNotFound, erase_signature, set_name_shown, withdraw_signature
from app.actions.signing import request_another_letter_by_token
from app.core.clock import utc_now
from app.core.keys import open_keyring
from app.queries.campaigns import is_keyring_ours
from tests.stage import good_form, small_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stage import Stage


def test_a_signature_goes_from_form_to_count(stage: Stage) -> None:
    slug = stage.campaign()
    signed = stage.sign(slug, locale="km")
    assert (signed.status_code, signed.headers["location"]) == (303, f"/km/campaigns/{slug}/check-email")
    assert stage.count(slug) == 0
    (letter,) = stage.letters_to("sokha@example.org")
    assert letter.mail["Content-Language"] == "km"
    confirmed = stage.post(f"/km/confirm/{letter.token('confirm')}")
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, f"/km/campaigns/{slug}/signed")
    assert stage.count(slug) == 1
    again = stage.post(f"/km/confirm/{letter.token('confirm')}")
    assert (again.status_code, again.headers["location"]) == (303, f"/km/campaigns/{slug}/signed")
    assert stage.count(slug) == 1


def test_fifty_parallel_forms_of_one_address_are_one_signature_and_one_letter(stage: Stage) -> None:
    slug = stage.campaign()

    async def sign_fifty_times() -> list[int]:
        browsers = [stage.new_browser() for _ in range(50)]
        body = urlencode(good_form(), doseq=True).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        path = f"/en/campaigns/{slug}/sign"
        answers = await asyncio.gather(*(each.post(path, content=body, headers=headers) for each in browsers))
        return [answer.status_code for answer in answers]

    assert stage.run(sign_fifty_times()) == [303] * 50
    assert stage.sql("SELECT count(*) FROM signatures") == [(1,)]
    assert len(stage.letters_to("sokha@example.org")) == 1
    with time_machine.travel(utc_now() + timedelta(minutes=10), tick=True):
        assert len(stage.letters_to("sokha@example.org")) == 1


def test_what_changed_in_another_campaign_is_not_asked_of_a_signer(stage: Stage) -> None:
    other, slug = stage.campaign(small_campaign("other")), stage.campaign(small_campaign())
    stage.sql_write(
        "UPDATE editions SET number = 2, is_substantive = TRUE "
        "WHERE campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)",
        slug=other,
    )
    stage.sign(slug)
    stage.post(f"/en/confirm/{stage.deliver()[0].token('confirm')}")
    assert stage.count(slug) == 1
    assert stage.sql("SELECT 1 FROM letters WHERE kind = 'edition_changed'") == []


def test_fifty_parallel_forms_of_two_names_at_a_mailbox_of_two_are_two_signatures(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sql_write("UPDATE campaigns SET people_per_mailbox = 2")

    async def sign_fifty_times() -> list[int]:
        forms = [good_form() | {"name": ("សុខ សុភា", "ចាន់ ដារ៉ា")[number % 2]} for number in range(50)]
        headers = {"content-type": "application/x-www-form-urlencoded"}
        path = f"/en/campaigns/{slug}/sign"
        answers = await asyncio.gather(
            *(
                stage.new_browser().post(path, content=urlencode(form, doseq=True).encode(), headers=headers)
                for form in forms
            )
        )
        return [answer.status_code for answer in answers]

    assert stage.run(sign_fifty_times()) == [303] * 50
    assert stage.sql("SELECT slot, version, count(*) FROM signatures GROUP BY 1, 2 ORDER BY 1") == [
        (1, 1, 1),
        (2, 1, 1),
    ]
    assert stage.sql("SELECT count(*) FROM letters WHERE signature_id IS NOT NULL") == [(2,)]
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        for letter in stage.letters_to("sokha@example.org"):
            stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
    assert stage.count(slug) == 2


def test_a_third_name_at_a_mailbox_of_two_takes_nobodys_place(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sql_write("UPDATE campaigns SET people_per_mailbox = 2")
    rows = "SELECT slot, version, state FROM signatures ORDER BY slot, version"
    stage.sign(slug, name="Sok Sokha", email="s.okha+x@gmail.com")
    stage.sign(slug, name="An Invention", email="sokha@gmail.com")
    stage.sign(slug, name="SOKHA  Sok", email="sokha@googlemail.com")  # the first name, spelt otherwise
    assert stage.sql(rows) == [(1, 1, "pending"), (1, 2, "pending"), (2, 1, "pending")]
    first = stage.letters_to("s.okha+x@gmail.com")[0]
    stage.post(f"/en/confirm/{first.token('confirm')}", {"signing": "yes"})
    # A day later, since a mailbox gets three letters a day.
    with time_machine.travel(utc_now() + timedelta(days=1), tick=True):
        # Whoever invented the second name does not keep the other person of this mailbox from signing.
        stage.sign(slug, name="Chan Dara", email="sokha@gmail.com")
        second = stage.letters_to("sokha@gmail.com")[-1]
        stage.sign(slug, name="Sok Sokha", email="sokha@gmail.com")
        assert stage.sql(rows) == [
            (1, 1, "confirmed"),
            (1, 2, "pending"),
            (2, 1, "pending"),
            (2, 2, "pending"),
        ]
        assert "Chan Dara" in stage.get(f"/en/confirm/{second.token('confirm')}").text
        stage.post(f"/en/confirm/{second.token('confirm')}", {"signing": "yes"})
        stage.sign(slug, name="Yet Another", email="sokha@gmail.com")
    assert stage.sql("SELECT slot, state FROM signatures ORDER BY slot, state") == [
        (1, "confirmed"),
        (1, "pending"),
        (2, "confirmed"),
        (2, "superseded"),
    ]
    assert stage.count(slug) == 2


def test_both_people_of_a_mailbox_are_sent_their_letters_again(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sql_write("UPDATE campaigns SET people_per_mailbox = 2")
    stage.sign(slug, name="Sok Sokha")
    stage.sign(slug, name="Chan Dara")
    later = utc_now() + timedelta(minutes=10)
    with time_machine.travel(later, tick=True):
        assert len(stage.letters_to("sokha@example.org")) == 2
        stage.post(
            f"/en/campaigns/{slug}/check-email",
            {"again": "yes", "email": "sokha@example.org"},
            browser=stage.new_browser(),
        )
        assert len(stage.letters_to("sokha@example.org")) == 3
    with time_machine.travel(later + timedelta(minutes=2), tick=True):
        assert len(stage.letters_to("sokha@example.org")) == 3  # three a day to an address
    waiting = stage.sql("SELECT s.slot, s.letters FROM signatures s ORDER BY s.slot")
    assert waiting == [(1, 2), (2, 2)]


def test_parallel_presses_of_two_letters_of_one_signature_count_once(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    stage.deliver()
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        stage.sign(slug)
        letters = stage.letters_to("sokha@example.org")
    assert len(letters) == 2

    async def press() -> set[tuple[int, str]]:
        body, headers = b"signing=yes", {"content-type": "application/x-www-form-urlencoded"}
        paths = [f"/en/confirm/{letter.token('confirm')}" for letter in letters] * 10
        answers = await asyncio.gather(
            *(stage.new_browser().post(path, content=body, headers=headers) for path in paths)
        )
        return {(answer.status_code, answer.headers["location"]) for answer in answers}

    assert stage.run(press()) == {(303, f"/en/campaigns/{slug}/signed")}
    assert stage.count(slug) == 1


def test_each_letter_confirms_the_version_it_was_sent_for(stage: Stage) -> None:
    """A framer's second form changes nothing in the first."""
    slug = stage.campaign()
    stage.sign(slug, name="សុខ សុភា")
    (mine,) = stage.letters_to("sokha@example.org")
    stage.sign(slug, name="Somebody Else", show_name="yes")
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        other = stage.letters_to("sokha@example.org")[1]
    assert "Somebody Else" in stage.get(f"/en/confirm/{other.token('confirm')}").text
    stage.post(f"/en/confirm/{mine.token('confirm')}", {"signing": "yes"})
    assert "សុខ សុភា" in stage.get(f"/en/signature/{mine.token('signature')}").text
    # The other letter leads to the same page and counts nothing.
    pressed = stage.post(f"/en/confirm/{other.token('confirm')}", {"signing": "yes"})
    assert pressed.status_code == 303
    assert stage.count(slug) == 1
    assert stage.sql("SELECT count(*) FROM signatures WHERE state = 'confirmed' AND is_name_shown") == [(0,)]


def test_a_later_version_that_is_confirmed_takes_the_place_of_the_first(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug, name="Sokha")
    stage.sign(slug, name="Sokha Som")
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        first, second = stage.letters_to("sokha@example.org")
        assert stage.post(f"/en/confirm/{second.token('confirm')}", {"signing": "yes"}).status_code == 303
        assert stage.post(f"/en/confirm/{first.token('confirm')}", {"signing": "yes"}).status_code == 303
    assert stage.sql("SELECT state, version FROM signatures ORDER BY state") == [("confirmed", 1), ("superseded", 1)]
    assert stage.count(slug) == 1


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [("A.B+x@gmail.com", "ab@gmail.com", 1), ("a.b@example.org", "ab@example.org", 2)],
)
def test_addresses_of_one_mailbox_are_one_person(stage: Stage, first: str, second: str, rows: int) -> None:
    slug = stage.campaign()
    for email in (first, second):
        stage.sign(slug, email=email)
        stage.post(f"/en/confirm/{stage.deliver()[-1].token('confirm')}", {"signing": "yes"})
    assert stage.count(slug) == rows


def test_a_known_address_gets_a_letter_that_says_so_and_the_same_answer(stage: Stage) -> None:
    slug = stage.campaign()
    new = stage.sign(slug, browser=stage.new_browser())
    (letter,) = stage.letters_to("sokha@example.org")
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        known = stage.sign(slug, browser=stage.new_browser())
        assert (new.status_code, new.headers["location"], new.content) == (
            known.status_code,
            known.headers["location"],
            known.content,
        )
        assert [len(each) for each in new.headers.get_list("set-cookie")] == [
            len(each) for each in known.headers.get_list("set-cookie")
        ]
        said = stage.letters_to("sokha@example.org")
    assert len(said) == 2
    assert "/confirm/" not in said[1].text
    assert stage.count(slug) == 1


def test_a_threshold_is_crossed_once_and_tells_organiser_and_office_once(stage: Stage) -> None:
    slug = stage.campaign()
    tokens = []
    for number in range(4):
        stage.sign(slug, email=f"signer{number}@example.org", browser=stage.new_browser())
        tokens.append(stage.deliver()[-1].token("confirm"))
    for token in tokens[:3]:
        stage.post(f"/en/confirm/{token}", {"signing": "yes"})
        stage.roll_up()
        stage.roll_up()
    assert len(stage.letters_to("organiser@example.org")) == 1
    assert len(stage.letters_to("office@example.org")) == 1
    reached = stage.sql("SELECT reached_at FROM thresholds")
    manage = stage.letters_to("signer0@example.org")[0].token("signature")
    stage.post(f"/en/signature/{manage}", {"action": "withdraw", "sure": "yes"})
    stage.roll_up()
    assert stage.count(slug) == 2
    stage.post(f"/en/confirm/{tokens[3]}", {"signing": "yes"})
    stage.roll_up()
    assert stage.count(slug) == 3
    assert stage.sql("SELECT reached_at FROM thresholds") == reached
    assert stage.sql("SELECT count(*) FROM crossings") == [(1,)]
    assert len(stage.letters_to("organiser@example.org")) == 1


def test_those_who_withdrew_may_sign_again(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.letters_to("sokha@example.org")
    stage.post(f"/en/confirm/{letter.token('confirm')}")
    stage.post(f"/en/signature/{letter.token('signature')}", {"action": "withdraw", "sure": "yes"})
    assert stage.count(slug) == 0
    assert stage.sql("SELECT name, email, phone, postal_code FROM signatures") == [(None, None, None, None)]
    stage.sign(slug)
    again = stage.letters_to("sokha@example.org")[1]
    stage.post(f"/en/confirm/{again.token('confirm')}")
    assert stage.count(slug) == 1


def test_erasing_a_form_that_was_not_mine_forgets_the_address(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.letters_to("sokha@example.org")
    asked = stage.post(f"/en/signature/{letter.token('signature')}", {"action": "erase"})
    assert asked.status_code == 200
    assert stage.sql("SELECT state FROM signatures") == [("pending",)]
    before = stage.sql("SELECT email_index FROM signatures")
    stage.post(f"/en/signature/{letter.token('signature')}", {"action": "erase", "sure": "yes"})
    assert stage.sql("SELECT state, email FROM signatures") == [("disowned", None)]
    assert stage.sql("SELECT email_index FROM signatures") != before
    assert stage.get(f"/en/confirm/{letter.token('confirm')}").status_code == 404
    assert stage.get(f"/en/signature/{letter.token('signature')}").status_code == 200


def test_a_sixth_form_of_one_address_makes_no_further_version(stage: Stage) -> None:
    slug = stage.campaign()
    for number in range(6):
        assert stage.sign(slug, name=f"Sokha {'abcdef'[number]}").status_code == 303
    assert stage.sql("SELECT version FROM signatures ORDER BY version") == [(1,), (2,), (3,), (4,), (5,)]


def test_a_code_typed_again_gives_the_same_page_and_counts_once(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.letters_to("sokha@example.org")
    for _ in range(2):
        answer = stage.post(f"/en/campaigns/{slug}/check-email", {"code": letter.code})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/en/campaigns/{slug}/signed")
    assert stage.count(slug) == 1


def test_a_link_that_nobody_sent_changes_nothing(stage: Stage) -> None:
    stage.campaign()
    for change in (
        partial(set_name_shown, token="x" * 43, is_name_shown=True),
        partial(withdraw_signature, token="x" * 43, now=utc_now()),
        partial(erase_signature, token="x" * 43, now=utc_now()),
    ):
        with pytest.raises(SignatureNotFound):
            stage.write(change)
    assert not stage.write(request_another_letter_by_token, token="x" * 43, locale="en", now=utc_now())


def test_keys_of_another_installation_are_known_as_such(stage: Stage, tmp_path: Path) -> None:
    assert stage.read(is_keyring_ours, keyring=stage.keyring)
    stage.campaign()
    assert stage.read(is_keyring_ours, keyring=stage.keyring)
    assert not stage.read(is_keyring_ours, keyring=open_keyring(tmp_path / "other"))
