"""A visitor's question: it reaches the team, the answer comes back, and neither side sees an address."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import time_machine
from sqlalchemy import delete, update

from app.actions import asking, retention
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Account, Campaign, CampaignKey
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx
    import pytest

    from tests.stage import Organiser, Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
VISITOR = "dara@example.org"
HOSTILE = '<script>alert(1)</script> {{7*7}} %(name)s\n\n=HYPERLINK("x")\n\u202ereversed'


def ask(stage: Stage, slug: str, *, locale: str = "en", **fields: Any) -> httpx.Response:  # noqa: ANN401 - form fields
    """Send a good question, with ``fields`` changed; None leaves a field out."""
    good = {"name": "ដារ៉ា", "email": VISITOR, "question": "Where can I sign on paper?", "consent": "yes"}
    form = {name: value for name, value in {**good, **fields}.items() if value is not None}
    return stage.post(f"/{locale}/campaigns/{slug}/ask", form)


def team(stage: Stage, slug: str) -> Organiser:
    """Put an owner who reads French into the team."""
    owner = stage.organiser("owner@example.org", locale="fr")
    stage.join(slug, owner)
    return owner


def everything(letter: Any) -> str:  # noqa: ANN401 - a letter
    return f"{letter.mail}\n{letter.text}\n{letter.html}"


def test_a_question_goes_to_the_team_and_its_answer_comes_back(stage: Stage) -> None:
    slug = stage.campaign()
    owner = team(stage, slug)
    for locale in ("km", "en", "fr"):
        _ask_and_answer(stage, slug, owner, locale)


def _ask_and_answer(stage: Stage, slug: str, owner: Organiser, locale: str) -> None:
    visitor = f"dara-{locale}@example.org"
    page = Page(stage.get(f"/{locale}/campaigns/{slug}/ask").text)
    answer = ask(stage, slug, locale=locale, email=visitor, once=page.fields["once"][0])
    assert (answer.status_code, answer.headers["location"]) == (303, f"/{locale}/campaigns/{slug}/ask?sent")
    sent = stage.get(answer.headers["location"])
    assert sent.status_code == 200
    assert "once" not in Page(sent.text).fields
    letter = stage.letters_to("owner@example.org")[-1]
    assert letter.mail["Content-Language"] == "fr"
    assert "> Where can I sign on paper?" in letter.text
    assert "ដារ៉ា" in letter.html
    assert visitor not in everything(letter)
    assert f"/fr/workspace/campaigns/{slug}/questions" in letter.text
    path = f"/en/workspace/campaigns/{slug}/questions"
    page_of_team = owner.get(path)
    assert visitor not in page_of_team.text
    (question,) = Page(page_of_team.text).fields["question"]
    answered = owner.post(path, {"question": question, "action": "answer", "text": "At the temple.\n\nOn Sunday."})
    assert answered.headers["location"] == f"{path}?done=answered"
    (reply,) = stage.letters_to(visitor)
    assert reply.mail["Content-Language"] == locale
    assert "> At the temple." in reply.text
    assert f"/{locale}/campaigns/{slug}/ask" in reply.text
    assert "owner@example.org" not in everything(reply)
    assert "organiser@example.org" not in everything(reply)


def test_what_is_asked_is_sealed(stage: Stage) -> None:
    slug = stage.campaign()
    ask(stage, slug)
    ((name, email, text),) = stage.sql("SELECT name, email, text FROM questions")
    for sealed, plain in ((name, "ដារ៉ា"), (email, VISITOR), (text, "paper")):
        assert plain.encode() not in bytes(sealed)


@on_one_database
def test_hostile_text_is_literal_everywhere(stage: Stage) -> None:
    slug = stage.campaign()
    owner = team(stage, slug)
    assert ask(stage, slug, question=HOSTILE).status_code == 303
    (letter,) = stage.letters_to("owner@example.org")
    path = f"/en/workspace/campaigns/{slug}/questions"
    page = owner.get(path)
    for html in (letter.html, page.text):
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{7*7}} %(name)s" in html
        assert "\u202e" not in html
    owner.post(path, {"question": Page(page.text).fields["question"][0], "action": "answer", "text": HOSTILE})
    (reply,) = stage.letters_to(VISITOR)
    assert "<script>alert" not in reply.html
    assert "> <script>alert(1)</script> {{7*7}} %(name)s" in reply.text


FAULTS: tuple[tuple[dict[str, Any], list[str]], ...] = (
    ({"name": "", "email": "", "question": " ", "consent": None}, ["name", "email", "question", "consent"]),
    ({"name": "http://x.y"}, ["name"]),
    ({"email": "a@b"}, ["email"]),
    ({"email": "a@b.com\nBcc: c@d.com"}, ["email"]),
    ({"question": "ក" * 4001}, ["question"]),
    ({"question": "line\n" * 801}, ["question"]),
)


@on_one_database
def test_faults_are_told_and_everything_is_kept(stage: Stage) -> None:
    slug = stage.campaign()
    for fields, faults in FAULTS:
        answer = ask(stage, slug, once="0" * 32, **fields)
        page = Page(answer.text)
        assert answer.status_code == 422
        assert [field for field, _ in page.summary] == faults
        assert page.fields["once"] == ["0" * 32]
        if "question" not in faults:
            assert "Where can I sign on paper?" in answer.text
    assert stage.sql("SELECT count(*) FROM questions") == [(0,)]


@on_one_database
def test_the_language_changes_and_what_was_typed_stays(stage: Stage) -> None:
    slug = stage.campaign()
    answer = ask(stage, slug, locale="fr", switch="fr", email="half@")
    page = Page(answer.text)
    assert (answer.status_code, page.lang, page.summary) == (200, "fr", [])
    assert page.fields["email"] == ["half@"]
    assert "Where can I sign on paper?" in answer.text
    assert ("consent", "yes") in page.ticked


@on_one_database
def test_the_longest_question_in_khmer_fits(stage: Stage) -> None:
    assert ask(stage, stage.campaign(), question="ក" * 4000).status_code == 303


def test_a_form_sent_twice_is_one_question(stage: Stage) -> None:
    slug = stage.campaign()
    team(stage, slug)
    for _ in range(3):
        assert ask(stage, slug, once="a" * 32).status_code == 303
    assert stage.sql("SELECT count(*) FROM questions") == [(1,)]
    assert len(stage.letters_to("owner@example.org")) == 1
    # A client that sends no mark of the form has asked as often as it sent.
    assert ask(stage, slug, once="odd").status_code == 303
    assert stage.sql("SELECT count(*) FROM questions") == [(2,)]


def test_what_was_changed_after_going_back_is_not_lost(stage: Stage) -> None:
    slug, other = stage.campaign(), stage.campaign(small_campaign("other"))
    for campaign, changes in (
        (slug, {}),
        (slug, {"question": "And by post?"}),
        (slug, {"email": "mended@example.org"}),
        (slug, {"name": "Dara"}),
        (other, {}),
    ):
        for _ in range(2):
            assert ask(stage, campaign, once="a" * 32, **changes).status_code == 303
    assert stage.sql("SELECT count(*) FROM questions") == [(5,)]


def test_an_address_asks_five_times_a_day(stage: Stage) -> None:
    slug = stage.campaign()
    other = stage.campaign(small_campaign("other"))
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            assert ask(stage, slug).status_code == 303
        for address in (VISITOR, "DARA@example.org"):
            refused = ask(stage, slug, email=address)
            assert refused.status_code == 422
            assert "No more questions can be taken today" in Page(refused.text).summary[0][1]
            assert "Where can I sign on paper?" in refused.text
        assert ask(stage, slug, email="else@example.org").status_code == 303
        assert ask(stage, other).status_code == 303
        clock.shift(timedelta(hours=24))
        assert ask(stage, slug).status_code == 303


def test_many_at_once_do_not_slip_past_the_limit(stage: Stage) -> None:
    import asyncio

    slug = stage.campaign()
    form = {"name": "Dara", "email": VISITOR, "question": "Why?", "consent": "yes"}

    async def all_at_once() -> list[int]:
        posts = (stage.browser.post(f"/en/campaigns/{slug}/ask", data=form) for _ in range(12))
        return [answer.status_code for answer in await asyncio.gather(*posts)]

    assert sorted(stage.run(all_at_once())) == [303] * 5 + [422] * 7
    assert stage.sql("SELECT count(*) FROM questions") == [(5,)]


@on_one_database
def test_a_flood_waits_in_the_workspace_and_then_is_refused(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "WITH_LETTERS", 2)
    monkeypatch.setattr(asking, "FOR_A_CAMPAIGN", 4)
    slug = stage.campaign()
    team(stage, slug)
    answers = [ask(stage, slug, email=f"{number}@example.org").status_code for number in range(5)]
    assert answers == [303] * 4 + [422]
    assert len(stage.letters_to("owner@example.org")) == 2


def test_only_who_may_answer_gets_the_letter(stage: Stage) -> None:
    slug = stage.campaign()
    for role in ("owner", "editor", "translator", "viewer"):
        stage.join(slug, stage.organiser(f"{role}@example.org"), role, ["km"])
    ask(stage, slug)
    # In the meantime one became a viewer, and another account was disabled; the file's own organiser is an owner, too.
    stage.join(slug, stage.organiser("editor@example.org"), "viewer")
    disabled = stage.organiser("owner@example.org").account_id
    stage.write(lambda session: session.execute(update(Account).where(Account.id == disabled).values(state="disabled")))
    assert [letter.mail["To"] for letter in stage.deliver()] == ["organiser@example.org"]
    states = stage.sql("SELECT state FROM letters WHERE kind = 'question' ORDER BY state")
    assert states == [("dropped",), ("dropped",), ("sent",)]


@on_one_database
def test_a_settled_question_is_carried_to_nobody(stage: Stage) -> None:
    slug = stage.campaign()
    owner = team(stage, slug)
    ask(stage, slug)
    path = f"/en/workspace/campaigns/{slug}/questions"
    question = Page(owner.get(path).text).fields["question"][0]
    owner.post(path, {"question": question, "action": "close"})
    assert stage.letters_to("owner@example.org") == []


@on_one_database
def test_where_nobody_answers_nothing_is_asked(stage: Stage) -> None:
    slug = stage.campaign()
    assert f"/en/campaigns/{slug}/ask" in Page(stage.get(f"/en/campaigns/{slug}").text).links
    assert stage.get("/en/campaigns/nothing/ask").status_code == 404
    stage.write(lambda session: session.execute(update(Campaign).values(state="stopped")))
    stage.house.shelf._entries.clear()
    stage.house.cache.forget(slug)
    assert stage.get(f"/en/campaigns/{slug}/ask").status_code == 404
    assert ask(stage, slug).status_code == 404
    assert f"/en/campaigns/{slug}/ask" not in Page(stage.get(f"/en/campaigns/{slug}").text).links
    stage.write(lambda session: session.execute(update(Campaign).values(state="closed")))
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    stage.house.shelf._entries.clear()
    assert ask(stage, slug).status_code == 404


def test_questions_are_erased_ninety_days_after_the_answer_and_after_180_in_any_case(stage: Stage) -> None:
    erased = "SELECT count(*) FROM questions WHERE text IS NULL"
    with time_machine.travel(NOON, tick=False) as clock:
        slug = stage.campaign(open_for=300)
        owner = team(stage, slug)
        for number in range(3):
            ask(stage, slug, email=f"{number}@example.org")
        path = f"/en/workspace/campaigns/{slug}/questions"
        questions = Page(owner.get(path).text).fields["question"]
        clock.shift(timedelta(days=10))
        owner = stage.organiser("owner@example.org")
        owner.post(path, {"question": questions[0], "action": "answer", "text": "Yes"})
        owner.post(path, {"question": questions[1], "action": "close"})
        for days, gone in ((99.9, 0), (100, 2), (179.9, 2), (180, 3)):
            clock.move_to(NOON + timedelta(days=days))
            stage.run(forget_all(stage.database, now=utc_now()))
            assert stage.sql(erased) == [(gone,)], days
        assert stage.sql("SELECT DISTINCT name, email, text, answer, email_index FROM questions") == [(None,) * 5]
        assert sorted(stage.sql("SELECT state FROM questions")) == [("answered",), ("closed",), ("closed",)]
        page = Page(stage.organiser("owner@example.org").get(path).text)
        assert "(erased)" in page.words
        assert "question" not in page.fields


def test_more_than_a_chunk_is_erased_in_one_run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    slug = stage.campaign()
    for number in range(5):
        ask(stage, slug, email=f"{number}@example.org")
    stage.run(forget_all(stage.database, now=utc_now() + timedelta(days=180)))
    assert stage.sql("SELECT count(*) FROM questions WHERE email IS NOT NULL") == [(0,)]


@on_one_database
def test_letters_about_an_erased_question_are_dropped(stage: Stage) -> None:
    slug = stage.campaign()
    owner = team(stage, slug)
    ask(stage, slug)
    ask(stage, slug, email="else@example.org")
    path = f"/en/workspace/campaigns/{slug}/questions"
    question = Page(owner.get(path).text).fields["question"][0]
    owner.post(path, {"question": question, "action": "answer", "text": "Yes"})
    stage.run(forget_all(stage.database, now=utc_now() + timedelta(days=180)))
    assert stage.deliver() == []
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    assert stage.deliver() == []
