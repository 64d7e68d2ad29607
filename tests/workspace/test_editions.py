"""Correcting a published text: what the draft changes is shown, and published once, as it was shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from app.models import Campaign
from tests.editions import write_part
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

#: What a page says does not hang on the database; what is written and raced for is tested on both.
NOTE = {"note_km": "កែអក្ខរាវិរុទ្ធ", "note_en": "A word was misspelt", "note_fr": "Un mot était mal écrit"}


def form_of(page: httpx.Response, **fields: str) -> dict[str, Any]:
    """Return the form as the page holds it, filled in."""
    hidden = Page(page.text).fields
    shown = {name: hidden[name][0] for name in ("edition", "draft")}
    return {**shown, "kind": "correction", **NOTE, **fields}


class Team:
    """A small campaign with an owner who is signed in."""

    def __init__(self, stage: Stage, **changes: Any) -> None:  # noqa: ANN401 - a file's own
        self.stage = stage
        self.slug = stage.campaign(small_campaign(), **changes)
        self.owner = stage.organiser()
        stage.join(self.slug, self.owner)
        self.path = f"/en/workspace/campaigns/{self.slug}/editions"

    def correct(self, **fields: str) -> httpx.Response:
        return self.owner.post(self.path, form_of(self.owner.get(self.path), **fields))

    def editions(self) -> list[Any]:
        return self.stage.sql("SELECT number, is_substantive, hash FROM editions ORDER BY number")


@pytest.fixture
def team(stage: Stage) -> Team:
    return Team(stage)


@on_one_database
def test_the_page_shows_what_the_draft_changes_in_each_language(stage: Stage, team: Team) -> None:
    page = Page(team.owner.get(team.path).text)
    assert "The draft says exactly what edition 1 says." in page.words
    assert "draft" not in page.fields
    write_part(stage, team.slug, "request", "en", "more books")
    write_part(stage, team.slug, "title", "km", "សៀវភៅខ្មែរគ្រប់សាលា")
    page = Page(team.owner.get(team.path).text)
    assert "Request 1, English" in page.words
    assert "[put in:] more" in page.words
    assert "Title, ខ្មែរ" in page.words
    assert "Body" not in page.words


def test_a_correction_makes_one_edition_and_the_page_shows_it(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    answer = team.correct()
    assert (answer.status_code, answer.headers["location"]) == (303, f"{team.path}?published=2")
    assert [row[:2] for row in team.editions()] == [(1, False), (2, False)]
    assert "Edition 2 is published." in Page(team.owner.get(answer.headers["location"]).text).words
    record = stage.sql("SELECT what, account_id FROM records WHERE what = 'publish_edition'")
    assert len(record) == 1
    public = Page(stage.get(f"/en/campaigns/{team.slug}/editions").text).words
    assert "A word was misspelt" in public


@on_one_database
def test_pressing_twice_makes_one_edition(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    form = form_of(team.owner.get(team.path))
    first, second = team.owner.post(team.path, form), team.owner.post(team.path, form)
    assert first.headers["location"] == second.headers["location"]
    assert len(team.editions()) == 2
    # With the published text in hand there is nothing left to publish.
    again = {**form, "edition": form["draft"]}
    answer = team.owner.post(team.path, again)
    assert answer.status_code == 422
    assert "There is nothing to publish" in Page(answer.text).words
    assert len(team.editions()) == 2


def test_two_owners_make_one_edition_and_the_second_is_told(stage: Stage, team: Team) -> None:
    other = stage.organiser("other@example.org")
    stage.join(team.slug, other)
    write_part(stage, team.slug, "request", "en", "more books")
    form = form_of(other.get(team.path))
    assert team.correct().status_code == 303
    answer = other.post(team.path, form)
    assert answer.status_code == 422
    assert "Somebody else has published an edition meanwhile" in Page(answer.text).words
    assert len(team.editions()) == 2


@on_one_database
def test_a_draft_that_moved_on_is_shown_again_with_what_was_typed(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    form = form_of(team.owner.get(team.path))
    write_part(stage, team.slug, "request", "en", "even more books")
    answer = team.owner.post(team.path, form)
    assert answer.status_code == 422
    assert "[put in:] even more" in Page(answer.text).words
    assert NOTE["note_km"] in answer.text
    assert Page(answer.text).fields["draft"] != [form["draft"]]
    assert len(team.editions()) == 1


@on_one_database
def test_kind_and_note_are_wanted(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    cases = (
        ({"kind": ""}, ["kind"]),
        ({"kind": "else"}, ["kind"]),
        ({"note_km": " ", "note_fr": ""}, ["note_km", "note_fr"]),
        ({"note_en": "x" * 1001}, ["note_en"]),
    )
    form = form_of(team.owner.get(team.path))
    for fields, faults in cases:
        answer = team.owner.post(team.path, {**form, **fields})
        assert answer.status_code == 422
        assert [field for field, _ in Page(answer.text).summary] == faults
    assert len(team.editions()) == 1
    # A language that is not promised needs no note.
    stage.write(lambda session: session.execute(update(Campaign).values(promised_locales=["en", "km"])))
    assert team.correct(note_fr="").status_code == 303


@on_one_database
def test_a_promised_language_that_would_lose_a_part_holds_the_edition_up(stage: Stage, team: Team) -> None:
    for text in ("", "  "):
        write_part(stage, team.slug, "request", "km", text)
        page = Page(team.owner.get(team.path).text)
        assert "Missing: Request, ខ្មែរ" in page.words
        answer = team.correct()
        assert answer.status_code == 422
        assert "must be complete" in Page(answer.text).summary[0][1]
    assert len(team.editions()) == 1


@on_one_database
def test_a_text_of_which_nothing_is_left_is_no_edition(stage: Stage, team: Team) -> None:
    for name in ("title", "declaration", "request"):
        for locale in ("km", "en", "fr"):
            write_part(stage, team.slug, name, locale, "")
    assert "Missing: Title, English Title, Français Title, ខ្មែរ" in Page(team.owner.get(team.path).text).words
    assert team.correct().status_code == 422
    assert len(team.editions()) == 1


@on_one_database
def test_a_part_that_is_not_ready_holds_the_edition_up(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "fr", "plus de livres", is_ready=False)
    assert "Not marked as ready: Request 1, Français" in Page(team.owner.get(team.path).text).words
    assert team.correct().status_code == 422
    write_part(stage, team.slug, "request", "fr", "plus de livres")
    assert team.correct().status_code == 303


@on_one_database
def test_a_translation_that_is_behind_is_pointed_out_and_does_not_hold_anything_up(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    page = Page(team.owner.get(team.path).text)
    assert "the original has changed since the translation was made ready" in page.words
    assert "Request 1, ខ្មែរ" in page.words
    # The House of Commons' form is advised against, and not blocked.
    assert "the text of a petition that is open cannot be changed" in page.words
    assert team.correct().status_code == 303


@on_one_database
def test_a_language_that_lacked_parts_before_does_not_hold_a_correction_up(stage: Stage) -> None:
    texts: dict[str, Any] = small_campaign()["texts"]
    del texts["fr"]["requests"]
    team = Team(stage, texts=texts)
    write_part(stage, team.slug, "request", "en", "more books")
    assert team.correct().status_code == 303


@on_one_database
def test_only_before_closing_can_a_text_be_changed(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    form = form_of(team.owner.get(team.path))
    stage.write(lambda session: session.execute(update(Campaign).values(state="closed")))
    page = Page(team.owner.get(team.path).text)
    assert "can be changed only before signing opens and while it is open" in page.words
    assert "draft" not in page.fields
    answer = team.owner.post(team.path, form)
    assert answer.status_code == 422
    assert "signing is not open" in Page(answer.text).words
    assert len(team.editions()) == 1


@on_one_database
def test_a_campaign_that_never_opened_has_no_editions(stage: Stage) -> None:
    slug, owner = draft(stage, {}), stage.organiser()
    stage.join(slug, owner)
    path = f"/en/workspace/campaigns/{slug}/editions"
    assert "There is no edition yet." in Page(owner.get(path).text).words
    answer = owner.post(path, {"edition": "", "draft": "", "kind": "correction", **NOTE})
    assert answer.status_code == 422
    # One that waits without an edition has nothing to correct.
    stage.write(lambda session: session.execute(update(Campaign).values(state="scheduled")))
    assert owner.post(path, {"edition": "", "draft": "", "kind": "correction", **NOTE}).status_code == 422
    assert stage.sql("SELECT count(*) FROM editions") == [(0,)]


@on_one_database
def test_others_of_the_team_see_and_cannot_publish(stage: Stage, team: Team) -> None:
    write_part(stage, team.slug, "request", "en", "more books")
    form = form_of(team.owner.get(team.path))
    for role, sees_figures in (("editor", True), ("translator", False), ("viewer", True)):
        member: Organiser = stage.organiser(f"{role}@example.org")
        stage.join(team.slug, member, role, ["km"])
        page = Page(member.get(team.path).text)
        assert "[put in:] more" in page.words
        assert "Only an owner of the campaign can publish an edition." in page.words
        assert ("Confirmed signatures bound to it" in page.words) is sees_figures
        assert member.post(team.path, form).status_code == 404
    assert len(team.editions()) == 1
    # What an address says was published is only believed as a number.
    for published in ("7", "x", "1234567", "²"):
        assert team.owner.get(f"{team.path}?published={published}").status_code == 200
