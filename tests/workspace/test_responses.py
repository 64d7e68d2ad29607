"""What was answered: recorded, corrected, removed, shown to everybody, told to the signers who asked."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.actions.responses import ResponseNotFound, remove_response, tell_signers
from app.core.clock import utc_now
from app.jobs.fan_out import fan_out
from app.models import Campaign, Letter, Record
from app.models import Response as Stored
from app.queries.responses import find_response
from app.web.workspace import responses as pages
from tests.actions.test_snapshots import set_all, sign_many
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.stage import Organiser, Stage

TODAY = date(2026, 1, 5)
RESOLUTION = """The European Parliament,

– having regard to its previous resolutions on Cambodia,
– having regard to the Universal Declaration of Human Rights,

A. whereas libraries matter;
B. whereas books do too;

1. Calls on the Commission to act;
2. Instructs its President to forward this resolution."""


def answer(**changes: str | None) -> dict[str, Any]:
    data = {
        "once": uuid4().hex,
        "kind": "resolution",
        "body": "European Parliament",
        "answered_on": TODAY.isoformat(),
        "language": "en",
        "other_language": "",
        "title": "Resolution on libraries",
        "text": RESOLUTION,
        "url": "https://www.europarl.europa.eu/doc/1_EN.html",
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}


def owned(stage: Stage, role: str = "owner") -> tuple[str, str, Organiser]:
    slug, somebody = stage.campaign(), stage.organiser()
    stage.join(slug, somebody, role)
    return slug, f"/en/workspace/campaigns/{slug}/responses", somebody


def stored(stage: Stage) -> list[Stored]:
    return stage.read(lambda session: list(session.scalars(select(Stored).order_by(Stored.created_at))))


def recorded(stage: Stage) -> list[str]:
    return stage.read(
        lambda session: list(
            session.scalars(select(Record.what).where(Record.what.like("response%")).order_by(Record.id))
        )
    )


def present(stage: Stage) -> None:
    """Mark the campaign as presented some days before the answer."""
    set_all(stage, Campaign, state="presented", presented_on=TODAY - timedelta(days=20), answer_due_on=TODAY)


def test_an_answer_stands_on_the_page_and_in_the_json(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    assert "No answer is recorded yet." in owner.get(here).text
    form = Page(owner.get(f"{here}/new").text)
    assert "awaited" not in form.fields
    said = owner.post(here, answer(once=form.fields["once"][0], language="fr", title="Résolution"))
    assert (said.status_code, said.headers["location"]) == (303, here)
    [kept] = stored(stage)
    assert kept.created_by == owner.account_id
    page = stage.get(f"/km/campaigns/{slug}")
    assert '<h3 lang="fr">Résolution</h3>' in page.text
    # Clauses stay lines of their own, and what is long is folded.
    assert "– having regard to its previous resolutions on Cambodia,<br>– having regard" in page.text
    assert "<p>1. Calls on the Commission to act;<br>2. Instructs" in page.text
    assert 'rel="noopener noreferrer"' in page.text
    assert "(www.europarl.europa.eu)" in page.text
    told = stage.get(f"/api/v1/campaigns/{slug}").json()["responses"]
    assert told == [
        {
            "kind": "resolution",
            "body": "European Parliament",
            "date": "2026-01-05",
            "language": "fr",
            "title": "Résolution",
            "text": RESOLUTION,
            "url": "https://www.europarl.europa.eu/doc/1_EN.html",
        }
    ]
    assert "Résolution" in owner.get(here).text
    assert recorded(stage) == ["response_recorded"]


@on_one_database
def test_an_answer_in_markup_is_shown_as_it_is_written(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    owner.post(here, answer(title="<script>alert(1)</script>", text="{{ 7*7 }} <b>", url=""))
    page = stage.get(f"/en/campaigns/{slug}").text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "{{ 7*7 }} &lt;b&gt;" in page


def test_a_form_sent_twice_records_one_answer(stage: Stage) -> None:
    _, here, owner = owned(stage)
    form = answer()
    for _ in range(2):
        assert owner.post(here, form).status_code == 303
    assert len(stored(stage)) == 1
    assert recorded(stage) == ["response_recorded"]
    assert owner.post(here, answer(once="nothing")).status_code == 400
    # Changed after going back: shown beside what is recorded, and kept once that is meant.
    form["title"] = "Better"
    changed = owner.post(here, form)
    page = Page(changed.text)
    assert changed.status_code == 409
    assert page.fields["title"] == ["Better"]
    assert "Resolution on libraries" in page.words
    [kept] = stored(stage)
    one = f"{here}/{kept.id.hex}"
    assert f'action="{one}"' in changed.text
    assert owner.post(one, {**form, "shown": page.fields["shown"][0]}).status_code == 303
    assert [kept.title for kept in stored(stage)] == ["Better"]
    owner.post(f"{one}/remove")
    assert owner.post(here, form).status_code == 404


WRONG: tuple[tuple[dict[str, str], str, str], ...] = (
    ({"kind": "gift"}, "kind", "Choose what kind of answer it is"),
    ({"body": " "}, "body", "Enter who answered"),
    ({"body": "x" * 201}, "body", "Shorten"),
    ({"answered_on": "yesterday"}, "answered_on", "Choose the day of the answer, today or before"),
    ({"answered_on": "2999-01-01"}, "answered_on", "Choose the day of the answer, today or before"),
    ({"language": ""}, "language", "Choose the language of the answer"),
    ({"language": "other"}, "other_language", "Enter a language code, such as vi or pt-BR"),
    ({"title": ""}, "title", "Enter a title for the answer"),
    ({"text": "", "url": ""}, "text", "Enter the text, or the link to the document"),
    ({"text": "x" * 20_001}, "text", "Shorten"),
    ({"url": "http://example.org/a"}, "url", "Enter an address that begins with https://"),
    ({"url": "https://user@example.org/"}, "url", "Enter an address that begins with https://"),
    ({"url": "https://[broken"}, "url", "Enter an address that begins with https://"),
    ({"url": "javascript:alert(1)"}, "url", "Enter an address that begins with https://"),
    ({"url": "https://example.org:8080/"}, "url", "Enter an address that begins with https://"),
)


@on_one_database
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(stage: Stage) -> None:
    _, here, owner = owned(stage)
    for changes, field, said in WRONG:
        page = owner.post(here, answer(**changes))
        assert page.status_code == 422, changes
        shown = Page(page.text)
        assert [name for name, _ in shown.summary] == [field]
        assert said in shown.summary[0][1]
        if field != "title":
            assert shown.fields["title"] == ["Resolution on libraries"]
    assert stored(stage) == []


@on_one_database
def test_twenty_thousand_khmer_letters_fit(stage: Stage) -> None:
    _, here, owner = owned(stage)
    text = "ក" * 19_999
    assert owner.post(here, answer(text=text)).status_code == 303
    assert [kept.text for kept in stored(stage)] == [text]
    assert owner.post(here, answer(text="ក" * 40_000)).status_code == 422
    assert owner.post(here, answer(text="ក" * 120_000)).status_code == 413


@on_one_database
def test_another_language_is_named_by_its_code(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    owner.post(here, answer(language="other", other_language="VI"))
    [kept] = stored(stage)
    assert kept.language == "vi"
    assert "Vietnamese" in stage.get(f"/en/campaigns/{slug}").text
    shown = Page(owner.get(f"{here}/{kept.id.hex}").text)
    assert (shown.fields["language"], shown.fields["other_language"]) == (["other"], ["vi"])


def test_the_answer_that_was_awaited_ends_the_waiting(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    present(stage)
    assert "Answer due" in stage.get(f"/en/campaigns/{slug}").text
    assert 'name="awaited"' in owner.get(f"{here}/new").text
    early = answer(awaited="yes", answered_on=(TODAY - timedelta(days=21)).isoformat())
    refused = owner.post(here, early)
    assert refused.status_code == 422
    assert Page(refused.text).summary == [("answered_on", "Choose a day from the presentation to today")]
    assert stored(stage) == []
    assert owner.post(here, answer(awaited="yes")).status_code == 303
    assert stage.sql("SELECT state FROM campaigns") == [("answered",)]


@on_one_database
def test_an_editor_records_an_answer_and_moves_nothing(stage: Stage) -> None:
    _, here, editor = owned(stage, "editor")
    present(stage)
    assert 'name="awaited"' not in editor.get(f"{here}/new").text
    assert editor.post(here, answer(awaited="yes")).status_code == 303
    assert stage.sql("SELECT state FROM campaigns") == [("presented",)]


def test_a_campaign_that_moved_on_records_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, here, owner = owned(stage)
    # Whoever is a moment late: the page still believes that the campaign waits.
    monkeypatch.setattr(pages, "_can_be_awaited", lambda _: True)
    said = owner.post(here, answer(awaited="yes"))
    assert said.status_code == 409
    assert "no longer waiting for an answer" in said.text
    assert "Resolution on libraries" in said.text
    assert stored(stage) == []


def test_an_answer_is_corrected_over_what_was_shown(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    one = f"{here}/{kept.id.hex}"
    shown = Page(owner.get(one).text).fields["shown"][0]
    assert owner.post(one, answer(shown=shown, title="Better")).status_code == 303
    # The same once more, by the back button: nothing is written.
    assert owner.post(one, answer(shown=shown, title="Better")).status_code == 303
    assert "Better" in stage.get(f"/en/campaigns/{slug}").text
    late = owner.post(one, answer(shown=shown, title="Another"))
    assert late.status_code == 409
    assert "Somebody else was faster" in late.text
    page = Page(late.text)
    assert page.fields["title"] == ["Another"]
    assert "Better" in page.words
    assert owner.post(one, answer(shown=page.fields["shown"][0], title="Another")).status_code == 303
    again = Page(owner.get(one).text).fields["shown"][0]
    assert owner.post(one, answer(shown=again, title="Another")).status_code == 303
    assert owner.post(one, answer(shown=again, title="")).status_code == 422
    assert [kept.title for kept in stored(stage)] == ["Another"]
    assert recorded(stage) == ["response_recorded", "response_corrected", "response_corrected"]


def test_an_answer_that_was_removed_is_gone_from_the_page_and_kept_on_record(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    assert owner.post(f"{here}/{kept.id.hex}/remove").status_code == 303
    assert "Resolution on libraries" not in stage.get(f"/en/campaigns/{slug}").text
    assert stage.get(f"/api/v1/campaigns/{slug}").json()["responses"] == []
    for way in ("", "/remove", "/tell"):
        assert owner.post(f"{here}/{kept.id.hex}{way}", answer()).status_code == 404
    assert owner.get(f"{here}/nothing").status_code == 404
    assert [one.removed_at is not None for one in stored(stage)] == [True]
    assert recorded(stage) == ["response_recorded", "response_removed"]


def test_signers_who_asked_are_told_once(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 7}, wants_updates=True)
    owner.post(here, answer())
    [kept] = stored(stage)
    assert "About 5 signers asked for news." in owner.get(here).text
    for _ in range(2):
        assert owner.post(f"{here}/{kept.id.hex}/tell").status_code == 303
    [told] = stored(stage)
    assert told.told_at is not None
    assert told.reached_id is None
    assert "Signers are told" in owner.get(here).text
    assert recorded(stage) == ["response_recorded", "response_told"]
    stage.run(fan_out(stage.background))
    assert "letters have gone out" not in owner.get(here).text
    set_all(stage, Letter, state="sent")
    assert "About 5 letters have gone out." in owner.get(here).text


@on_one_database
def test_nobody_is_told_of_a_campaign_that_is_not_public(stage: Stage) -> None:
    _, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    set_all(stage, Campaign, state="stopped")
    assert owner.post(f"{here}/{kept.id.hex}/tell").status_code == 409
    assert [one.told_at for one in stored(stage)] == [None]


@on_one_database
def test_others_may_do_less(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    other = stage.organiser("other@example.org")
    for role in ("editor", "viewer", "translator"):
        stage.join(slug, other, role)
        assert other.get(here).status_code == (404 if role == "translator" else 200)
        may_respond = role == "editor"
        assert other.get(f"{here}/new").status_code == (200 if may_respond else 404)
        assert other.post(here, answer()).status_code == (303 if may_respond else 404)
        assert other.post(f"{here}/{kept.id.hex}/tell").status_code == 404
        assert re.search(r"/tell\b", other.get(here).text) is None


@on_one_database
def test_what_another_campaign_was_answered_is_not_here(stage: Stage) -> None:
    _, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    other = stage.campaign(small_campaign("other"))
    stage.join(other, owner)
    there = f"/en/workspace/campaigns/{other}/responses/{kept.id.hex}"
    assert owner.get(there).status_code == 404
    assert owner.post(f"{there}/remove").status_code == 404


@on_one_database
def test_an_answer_that_somebody_has_just_removed_is_not_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and doing."""
    slug, here, owner = owned(stage)
    owner.post(here, answer())
    [kept] = stored(stage)
    campaign_id = stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())
    found = stage.read(find_response, campaign_id=campaign_id, response_id=kept.id)

    async def find_late(_: object) -> object:
        return found

    owner.post(f"{here}/{kept.id.hex}/remove")
    monkeypatch.setattr(pages, "_find", find_late)
    for way in ("", "/remove", "/tell"):
        assert owner.post(f"{here}/{kept.id.hex}{way}", answer(shown="0" * 32)).status_code == 404


@on_one_database
def test_a_form_that_hides_its_length_is_measured_all_the_same(stage: Stage) -> None:
    slug, _, _ = owned(stage)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(7):
            yield b"x" * 10_000

    browser = stage.new_browser()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    sent = stage.run(browser.post(f"/en/campaigns/{slug}/sign", content=pieces(), headers=headers))
    assert sent.status_code == 413


def test_an_action_on_what_is_gone_says_so(stage: Stage) -> None:
    slug, _, owner = owned(stage)
    campaign_id: UUID = stage.read(
        lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    )
    who = {"campaign_id": campaign_id, "account_id": owner.account_id, "now": utc_now()}
    for action in (tell_signers, remove_response):
        with pytest.raises(ResponseNotFound):
            stage.write(action, response_id=uuid4(), **who)  # type: ignore[arg-type]  # of each action alike
