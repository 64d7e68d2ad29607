"""The team's side of visitors' questions: answered once, closed, never with an address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete

from app.models import CampaignKey
from app.queries import questions as shown
from tests.stage import on_one_database
from tests.web.html import Page
from tests.web.test_asking import VISITOR, ask, team

if TYPE_CHECKING:
    from tests.stage import Organiser, Stage


@pytest.fixture
def slug(stage: Stage) -> str:
    return stage.campaign()


@pytest.fixture
def path(slug: str) -> str:
    return f"/en/workspace/campaigns/{slug}/questions"


@pytest.fixture
def owner(stage: Stage, slug: str) -> Organiser:
    return team(stage, slug)


def newest(owner: Organiser, path: str) -> str:
    """Return the id of the last open question on the page."""
    return Page(owner.get(path).text).fields["question"][-1]


@on_one_database
def test_nothing_was_asked_yet(owner: Organiser, path: str) -> None:
    assert "Nobody has asked anything yet." in Page(owner.get(path).text).words


def test_an_answer_is_sent_once(stage: Stage, slug: str, owner: Organiser, path: str) -> None:
    ask(stage, slug)
    form = {"question": newest(owner, path), "action": "answer", "text": "At the temple."}
    first, second = owner.post(path, form), owner.post(path, form)
    assert first.headers["location"] == second.headers["location"] == f"{path}?done=answered"
    assert "Your answer is on its way" in Page(owner.get(f"{path}?done=answered").text).words
    other = owner.post(path, {**form, "text": "At the hall."})
    assert other.status_code == 422
    assert "answered or closed before" in Page(other.text).words
    assert "At the hall." in Page(other.text).words
    assert owner.post(path, {**form, "action": "close"}).status_code == 422
    assert len(stage.letters_to(VISITOR)) == 1
    page = Page(owner.get(path).text)
    assert "At the temple." in page.words
    assert "question" not in page.fields
    assert stage.sql("SELECT what FROM records WHERE what LIKE '%question'") == [("answer_question",)]


def test_a_question_is_closed_without_an_answer(stage: Stage, slug: str, owner: Organiser, path: str) -> None:
    ask(stage, slug)
    form = {"question": newest(owner, path), "action": "close", "text": "half an answer"}
    for _ in range(2):
        assert owner.post(path, form).headers["location"] == f"{path}?done=closed"
    late = owner.post(path, {**form, "action": "answer"})
    assert late.status_code == 422
    assert "half an answer" in Page(late.text).words
    assert stage.letters_to(VISITOR) == []
    assert stage.sql("SELECT what FROM records WHERE what LIKE '%question'") == [("close_question",)]


@on_one_database
def test_an_answer_that_cannot_be_sent_is_kept(stage: Stage, slug: str, owner: Organiser, path: str) -> None:
    ask(stage, slug)
    question = newest(owner, path)
    for text, said in (("", "Write an answer"), (" \n ", "Write an answer"), ("x" * 4001, "Shorten this to")):
        answer = owner.post(path, {"question": question, "action": "answer", "text": text})
        assert answer.status_code == 422
        ((field, fault),) = Page(answer.text).summary
        assert field == f"answer-{question}"
        assert fault.startswith(said)
        assert text.strip() in answer.text


@on_one_database
def test_what_no_button_says_is_a_bad_request(owner: Organiser, path: str) -> None:
    forms: tuple[dict[str, str], ...] = (
        {"action": "burn", "question": "0" * 32},
        {"action": "close", "question": "x"},
        {},
    )
    for form in forms:
        assert owner.post(path, form).status_code == 400


@on_one_database
def test_a_question_of_another_campaign_is_out_of_reach(stage: Stage, slug: str, owner: Organiser, path: str) -> None:
    from tests.stage import small_campaign

    other = stage.campaign(small_campaign("other"))
    ask(stage, other)
    stage.join(other, stage.organiser("else@example.org"))
    question = newest(stage.organiser("else@example.org"), f"/en/workspace/campaigns/{other}/questions")
    for action in ("answer", "close"):
        answer = owner.post(path, {"question": question, "action": action, "text": "Yes"})
        assert answer.status_code == 422
    assert stage.sql("SELECT state FROM questions") == [("open",)]
    assert VISITOR not in owner.get(path).text


def test_open_questions_come_first_and_pages_hold_the_rest(
    stage: Stage, slug: str, owner: Organiser, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown, "PAGE", 2)
    for number in range(5):
        ask(stage, slug, email=f"{number}@example.org", question=f"Question {number}?")
    first = Page(owner.get(path).text)
    owner.post(path, {"question": first.fields["question"][0], "action": "close"})
    words = Page(owner.get(path).text).words
    assert "4 questions wait for an answer." in words
    assert words.index("Question 1?") < words.index("Question 2?")
    last = Page(owner.get(f"{path}?page=3").text)
    assert "Question 0?" in last.words
    # An answer that is too long comes back even where its question stands on another page by now.
    question = Page(owner.get(f"{path}?page=2").text).fields["question"][-1]
    back = owner.post(path, {"question": question, "action": "answer", "text": "y" * 4001})
    assert "y" * 4001 in back.text
    for odd in ("0", "x", "999999"):
        assert "Question 1?" in Page(owner.get(f"{path}?page={odd}").text).words


@on_one_database
def test_without_the_key_nothing_can_be_read_or_answered(stage: Stage, slug: str, owner: Organiser, path: str) -> None:
    ask(stage, slug)
    question = newest(owner, path)
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    assert "(erased)" in Page(owner.get(path).text).words
    answer = owner.post(path, {"question": question, "action": "answer", "text": "Yes"})
    assert answer.status_code == 422


@on_one_database
def test_others_of_the_team_see_no_questions(stage: Stage, slug: str, path: str) -> None:
    for role in ("translator", "viewer"):
        member = stage.organiser(f"{role}@example.org")
        stage.join(slug, member, role, ["km"])
        assert member.get(path).status_code == 404
        assert member.post(path, {"action": "close", "question": "0" * 32}).status_code == 404
