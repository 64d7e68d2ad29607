"""Ending news in one click, as RFC 8058 has it: from anywhere, without a cookie, and never by opening a link."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.core import tokens
from app.core.clock import utc_now
from app.mail.outbox import owe_letter
from app.models import Campaign, Letter, Response
from tests.signers import insert_signers
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Stage

ONE_CLICK = b"List-Unsubscribe=One-Click"


class Reader:
    """A signer who wants news, and got a letter with it."""

    def __init__(self, stage: Stage, email: str = "sokha@example.org", locale: str = "en") -> None:
        self.stage = stage
        self.slug = stage.campaign()
        (self.signature,) = stage.write(
            insert_signers, slug=self.slug, emails=[email], keyring=stage.keyring, now=utc_now(), locale=locale
        )
        stage.write(_tell, slug=self.slug, signature_id=self.signature, locale=locale, now=utc_now())
        (self.letter,) = stage.letters_to(email)
        self.path = str(self.letter.mail["List-Unsubscribe"])[1:-1].removeprefix(stage.settings.base_url)

    @property
    def state(self) -> tuple[str, bool]:
        """The signature's state, and whether it gets news."""
        ((state, wants_updates),) = self.stage.sql("SELECT state, wants_updates FROM signatures")
        return state, bool(wants_updates)


def _tell(session: Session, *, slug: str, signature_id: UUID, locale: str, now: datetime) -> None:
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    response = Response(
        id=uuid4(),
        campaign_id=campaign_id,
        kind="government",
        body="Minister of Books",
        answered_on=now.date(),
        language="en",
        title="The government agrees",
        text="There will be books.",
        url="https://example.org/answer",
        created_at=now,
        told_at=now,
    )
    session.add(response)
    owe_letter(
        session,
        kind="response",
        dedupe_key="test",
        locale=locale,
        now=now,
        campaign_id=campaign_id,
        signature_id=signature_id,
        subject_id=response.id,
    )


@pytest.fixture
def reader(stage: Stage) -> Reader:
    return Reader(stage)


@on_one_database
def test_the_letter_with_a_response_says_what_was_answered_and_how_to_stop(reader: Reader) -> None:
    letter = reader.letter
    for part in (letter.text, letter.html):
        for said in (
            "Minister of Books",
            "The government agrees",
            "There will be books.",
            "https://example.org/answer",
        ):
            assert said in part
        assert reader.path in part
    assert "signed" not in str(letter.mail["Subject"])
    assert letter.mail["List-Unsubscribe-Post"] == ONE_CLICK.decode()


def test_a_post_from_anywhere_without_cookies_ends_the_news_and_keeps_the_signature(reader: Reader) -> None:
    sent: tuple[dict[str, str], ...] = (
        {},
        {"sec-fetch-site": "cross-site", "origin": "https://mail.example.com"},
        {"origin": "null"},
        {"content-type": "multipart/form-data; boundary=b"},
    )
    for headers in sent:
        assert reader.state == ("confirmed", True)
        for _ in range(2):
            answer = reader.stage.post(reader.path, ONE_CLICK, browser=reader.stage.new_browser(), headers=headers)
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
            assert "You get no more news" in answer.text
            assert reader.state == ("confirmed", False)
        reader.stage.sql_write("UPDATE signatures SET wants_updates = true")


@on_one_database
def test_opening_the_link_changes_nothing(reader: Reader) -> None:
    for method in ("GET", "HEAD"):
        answer = reader.stage.run(reader.stage.browser.request(method, f"{reader.path}?List-Unsubscribe=One-Click"))
        assert answer.status_code == 200
    page = reader.stage.get(reader.path)
    assert "no-store" in page.headers["cache-control"]
    assert "sokha@example.org" not in page.text
    assert Page(page.text).title.startswith("Stop these emails?")
    assert reader.state == ("confirmed", True)


def test_a_press_by_mistake_is_undone_from_our_own_page_alone(reader: Reader) -> None:
    reader.stage.post(reader.path, ONE_CLICK)
    undo = f"{reader.path}/undo"
    assert reader.stage.post(undo, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert reader.state == ("confirmed", False)
    answer = reader.stage.post(undo, headers={"sec-fetch-site": "same-origin"})
    assert (answer.status_code, answer.headers["location"]) == (303, reader.path)
    assert reader.state == ("confirmed", True)


@on_one_database
def test_a_link_that_was_never_sent_is_404(reader: Reader) -> None:
    token = reader.path.rpartition("/")[2]
    manage = tokens.make_token(reader.stage.keyring.tokens, "manage", _letter_id(reader.stage))
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), manage, "x" * 43, "short"):
        for path in (f"/en/unsubscribe/{wrong}", f"/en/unsubscribe/{wrong}/undo"):
            assert reader.stage.post(path).status_code == 404
        assert reader.stage.get(f"/en/unsubscribe/{wrong}").status_code == 404
    assert reader.stage.post(f"/de/unsubscribe/{token}").status_code == 404
    assert reader.state == ("confirmed", True)


def _letter_id(stage: Stage) -> UUID:
    return stage.read(lambda session: session.scalars(select(Letter.id)).one())


@on_one_database
def test_only_this_path_is_open_to_other_sites(reader: Reader) -> None:
    token = reader.path.rpartition("/")[2]
    from_elsewhere = {"sec-fetch-site": "cross-site"}
    for path in (
        f"/en/signature/{token}",
        f"/en/confirm/{token}",
        f"/en/unsubscribe/{token}/undo",
        "/en/unsubscribe/x",
    ):
        assert reader.stage.post(path, ONE_CLICK, headers=from_elsewhere).status_code == 403, path


def test_the_links_still_work_after_withdrawing_and_bring_nothing_back(reader: Reader) -> None:
    stage = reader.stage
    stage.write(lambda session: session.connection().exec_driver_sql("UPDATE signatures SET state = 'withdrawn'"))
    assert "We send you no news about this." in stage.get(reader.path).text
    assert stage.post(reader.path, ONE_CLICK).status_code == 200
    assert stage.post(f"{reader.path}/undo").status_code == 303
    assert "We send you no news about this." in stage.get(reader.path).text


@on_one_database
@pytest.mark.parametrize("locale", ["km", "fr"])
def test_the_page_is_in_the_language_of_the_letter(stage: Stage, locale: str) -> None:
    reader = Reader(stage, locale=locale)
    assert reader.path.startswith(f"/{locale}/")
    assert Page(stage.get(reader.path).text).lang == locale


def test_news_that_is_no_longer_wanted_or_true_is_dropped(stage: Stage) -> None:
    slug = stage.campaign()
    emails = [f"reader{number}@example.org" for number in range(3)]
    ids = stage.write(insert_signers, slug=slug, emails=emails, keyring=stage.keyring, now=utc_now())
    stage.write(_tell, slug=slug, signature_id=ids[0], locale="en", now=utc_now())
    stage.write(lambda session: session.connection().exec_driver_sql("UPDATE signatures SET wants_updates = false"))
    assert stage.deliver() == []
    stage.write(lambda session: session.connection().exec_driver_sql("UPDATE signatures SET wants_updates = true"))
    stage.write(
        lambda session: session.connection().exec_driver_sql(
            "UPDATE letters SET state = 'queued', dedupe_key = 'once more'"
        )
    )
    stage.write(lambda session: session.query(Response).update({"removed_at": utc_now()}))
    assert stage.deliver() == []
    assert stage.sql("SELECT state FROM letters") == [("dropped",)]


def test_a_signer_turns_news_on_and_off_on_their_own_page(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.deliver()
    path = f"/en/signature/{letter.token('signature')}"
    for action, said, wants in (
        ("news", "You will get news by email.", True),
        ("no_news", "Your signature stays.", False),
    ):
        answer = stage.post(path, {"action": action})
        assert answer.headers["location"] == f"{path}?done={action}"
        assert said in stage.get(answer.headers["location"]).text
        assert stage.sql("SELECT wants_updates FROM signatures") == [(wants,)]
    stage.post(path, {"action": "erase", "sure": "yes"})
    assert stage.post(path, {"action": "news"}).status_code == 200
    assert stage.sql("SELECT wants_updates FROM signatures") == [(False,)]
