"""How it is going: the count, its pace, the funnel, places and links; before that, what to do next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import time_machine
from sqlalchemy import select, update

from app.core.clock import utc_now
from app.i18n.formats import format_number
from app.jobs.take_snapshots import take_snapshots
from app.models import Campaign, Letter, Member, Signature
from app.rules.reports import STEPS
from app.web.workspace import overview
from tests.actions.test_snapshots import publish_another, set_all, sign_many
from tests.reporting import append, files_of, issue, sign, sign_in_every_way
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    import pytest
    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage


def owned(stage: Stage, role: str = "owner", **changes: Any) -> tuple[str, str, Organiser]:  # noqa: ANN401 - as in a campaign file
    slug, somebody = stage.campaign(**changes), stage.organiser()
    stage.join(slug, somebody, role)
    return slug, f"/en/workspace/campaigns/{slug}", somebody


def set_campaign(stage: Stage, **values: object) -> None:
    set_all(stage, Campaign, **values)


def words(answer_text: str) -> str:
    return Page(answer_text).words


@on_one_database
def test_a_new_campaign_says_that_nobody_signed_yet(stage: Stage) -> None:
    _, here, owner = owned(stage)
    page = owner.get(here)
    assert page.status_code == 200
    said = words(page.text)
    assert "Nobody has confirmed a signature yet." in said
    assert "Places are shown from twenty signatures on" in said
    assert "Nobody has signed in the last day." in said
    assert "30 days left" in said
    assert "style=" not in page.text
    set_campaign(stage, opens_at=None)
    assert "Nobody has signed in the last day." in words(owner.get(here).text)


def test_the_count_its_pace_and_its_days_are_shown(stage: Stage) -> None:
    slug, here, owner = owned(
        stage, thresholds=[{"signatures": 80, "label": {"en": "It is presented"}}], timezone="Asia/Phnom_Penh"
    )
    now = utc_now()
    set_campaign(stage, opens_at=now - timedelta(days=60))
    sign_many(stage, slug, {"CA-ON": 25}, at=now - timedelta(days=40), locale="fr")
    sign_many(stage, slug, {"CA-ON": 10}, at=now - timedelta(days=8))
    with time_machine.travel(now - timedelta(days=7), tick=True):
        stage.run(take_snapshots(stage.background))
    sign_many(stage, slug, {"CA-ON": 21}, at=now - timedelta(days=2))
    said = words(owner.get(here).text)
    assert "24 more needed to reach 80" in said
    assert "Signatures in the last 7 days: 21" in said
    # 21 in seven days: 24 more take eight.
    assert "If it goes on so, 80 are reached on about" in said
    assert "Earlier weeks" in said
    assert "French 25 Khmer 10" in said
    stage.run(take_snapshots(stage.background))
    # Only a day that lies back is counted apart, and what is shown says of when it is.
    assert "those of snapshot 2 of" in words(owner.get(here).text)
    set_campaign(stage, closes_at=now + timedelta(days=3))
    assert "If it goes on so, 80 are not reached before it closes." in words(owner.get(here).text)


@on_one_database
def test_the_pace_of_the_first_weeks_counts_from_the_opening(stage: Stage) -> None:
    slug, here, owner = owned(stage, thresholds=[{"signatures": 50, "label": {"en": "It is presented"}}])
    set_campaign(stage, opens_at=utc_now() - timedelta(days=3))
    sign_many(stage, slug, {"CA-ON": 21})
    stage.run(take_snapshots(stage.background))
    # The snapshot of a moment ago is no measure.
    assert "Signatures in the last 3 days: 21" in words(owner.get(here).text)
    set_campaign(stage, opens_at=utc_now() - timedelta(minutes=3))
    assert "Signatures on the last day: 21" in words(owner.get(here).text)


def test_days_are_those_of_the_zone(stage: Stage) -> None:
    """Kathmandu's clocks are a quarter off: ten minutes past six in the evening in London is still the day there."""
    slug, here, owner = owned(stage, timezone="Asia/Kathmandu")
    for minute, number in ((10, 7), (20, 30)):
        moment = datetime(2026, 5, 20, 18, minute, tzinfo=UTC)
        set_campaign(stage, opens_at=datetime(2026, 5, 20, 12, tzinfo=UTC))
        sign_many(stage, slug, {"CA-ON": number}, at=moment)
    with time_machine.travel(datetime(2026, 5, 21, 12, tzinfo=UTC), tick=True):
        stage.run(take_snapshots(stage.background))
    said = words(owner.get(here).text)
    assert "Thursday, 21 May 30" in said or "21 May 30" in said
    assert "20 May 7" in said


@on_one_database
def test_small_days_are_added_together(stage: Stage) -> None:
    slug, here, owner = owned(stage, timezone="UTC")
    start = datetime(2026, 5, 1, 12, tzinfo=UTC)
    set_campaign(stage, opens_at=start)
    for day, number in enumerate((30, 2, 12, 4)):
        sign_many(stage, slug, {"CA-ON": number}, at=start + timedelta(days=day))
    with time_machine.travel(start + timedelta(days=5), tick=True):
        stage.run(take_snapshots(stage.background))
    said = words(owner.get(here).text)
    assert "3 May 12" in said
    assert "1 May 30" in said
    assert "The last day, and days that are too small to be shown 6" in said
    assert "2 May 2" not in said
    assert "4 May 4" not in said


@on_one_database
def test_below_twenty_nothing_is_broken_down(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 19}, source="temple")
    said = words(owner.get(here).text)
    assert "19 confirmed signatures so far" in said
    assert "Days are shown from twenty signatures on" in said
    assert "By language of the page" not in said
    assert "temple 19" not in said


def test_the_funnel_follows_each_form_to_its_end(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    people = [Person(stage, slug, f"signer{number}@example.org") for number in range(5)]
    for person in people:
        person.sign()
    stage.deliver()
    for person in people[:3]:
        person.confirm()
    # One asks for another letter: the first alone counts.
    people[3].post(f"/en/campaigns/{slug}/check-email", {"again": "yes"})
    people[0].post(f"/en/signature/{people[0].letter().token('signature')}", {"action": "withdraw", "sure": "yes"})

    def come_back(session: Session) -> None:
        first = Letter.dedupe_key.like("signature:%:1")
        letters = session.scalars(select(Letter.id).where(first).order_by(Letter.created_at)).all()
        session.execute(update(Letter).where(Letter.id == letters[3]).values(state="bounced"))
        session.execute(update(Letter).where(Letter.id == letters[4]).values(state="failed"))

    stage.write(come_back)
    said = words(owner.get(here).text)
    for line in (
        "Forms received 5",
        "Letters accepted for delivery 4",
        "takes none 1",
        "Letters that came back later 1",
        "Forms that are not counted 3",
        "Signatures counted 2",
    ):
        assert line in said
    assert "From forms received to verified signatures" not in said


def test_the_way_is_that_of_the_latest_report_and_stands_still(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    with patch("app.documents.report.typeset_report", lambda *_, **__: b"%PDF"):
        issue(stage, slug)
    told = json.loads(files_of(stage, slug, 1)["counts.json"])["way"]
    lines = [f"{STEPS[each['step']].say('en')} {format_number(each['forms'], 'en')}" for each in told]
    before = owner.get(here)
    assert f"/en/campaigns/{slug}/reports/1" in Page(before.text).links
    way = f"Step Forms {' '.join(lines)}"
    assert way in words(before.text)
    forms = told[0]["forms"]
    assert f"Forms that are not counted {forms - 60} Signatures counted 60" in words(before.text)
    # One more is taken out: the sum alone moves.
    sign(stage, slug, 1, standing="removed")
    said = words(owner.get(here).text)
    assert way in said
    assert f"Forms that are not counted {forms - 59} Signatures counted 60" in said
    for locale in ("km", "fr"):
        assert owner.get(here.replace("/en/", f"/{locale}/")).status_code == 200


def test_small_places_and_rare_links_are_added_together(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 30}, source="temple")
    sign_many(stage, slug, {"CA-QC": 3, "CA-BC": 4, "US-CA": 9}, source=None)
    sign_many(stage, slug, {"FR": 4}, source="aunt-sophea")
    sign_many(stage, slug, {"AU": 3}, source="uncle-dara")
    stage.run(take_snapshots(stage.background))
    said = words(owner.get(here).text)
    assert "Ontario 30" in said
    assert "California 9" in said
    assert "Elsewhere, and what is too small to be shown 7" in said
    assert "Total 53" in said
    assert "temple 30 Without a mark 16 Other links, and what is too small to be shown 7" in said
    for hidden in ("France", "Australia", "British Columbia", "sophea", "dara"):
        assert hidden not in said


@on_one_database
def test_whole_countries_and_the_others_of_one_are_named(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 30, "CA-QC": 3, "CA-BC": 4, "FR": 8})
    stage.run(take_snapshots(stage.background))
    said = words(owner.get(here).text)
    assert "Ontario 30 France 8 Canada: other places 7 Total 45" in said


def test_editions_are_counted_apart(stage: Stage) -> None:
    slug, here, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 30})
    sign_many(stage, slug, {"CA-ON": 12}, edition_id=publish_another(stage))
    assert "Edition 1" not in words(owner.get(here).text)
    stage.run(take_snapshots(stage.background))
    assert "Edition 1 30 Edition 2 12" in words(owner.get(here).text)


@on_one_database
def test_after_closing_the_days_end_with_the_last_signature(stage: Stage) -> None:
    slug, here, _ = owned(stage)
    sign_many(stage, slug, {"CA-ON": 6})
    with time_machine.travel(utc_now() + timedelta(days=100), tick=True):
        stage.move_by_dates()
        somebody = stage.organiser("later@example.org")
        stage.join(slug, somebody, "viewer")
        page = somebody.get(here).text
    said = words(page)
    assert page.count("<time") < 10
    assert "If it goes on so" not in said
    assert "days left" not in said


@on_one_database
def test_the_answer_clock_runs_after_presentation(stage: Stage) -> None:
    _, here, owner = owned(stage, timezone="UTC")
    today = utc_now().date()
    set_campaign(stage, state="presented", presented_on=today - timedelta(days=45))
    for due_in, said in ((3, "3 days left"), (-1, "1 day late"), (-4, "4 days late")):
        set_campaign(stage, answer_due_on=today + timedelta(days=due_in))
        assert said in words(owner.get(here).text)
    set_campaign(stage, state="answered", answered_on=today)
    shown = words(owner.get(here).text)
    assert "4 days late" not in shown
    assert "Answered on" in shown


@on_one_database
def test_a_campaign_is_open_from_its_first_instant_though_no_job_has_marked_it(stage: Stage) -> None:
    _, here, owner = owned(stage)
    assert "days left" in words(owner.get(here).text)
    set_campaign(stage, state="scheduled", opens_at=utc_now() - timedelta(minutes=1))
    assert "days left" in words(owner.get(here).text)
    set_campaign(stage, opens_at=utc_now() + timedelta(minutes=1))
    assert "days left" not in words(owner.get(here).text)


@on_one_database
def test_a_stopped_campaign_says_so_and_offers_no_link(stage: Stage) -> None:
    slug, here, owner = owned(stage, thresholds=[])
    sign_many(stage, slug, {"CA-ON": 3})
    set_campaign(stage, state="stopped", stopped_because="a court", closes_at=None)
    page = owner.get(here).text
    assert "Signing was stopped by those who run this site." in page
    assert "/c/libraries" not in page


@on_one_database
def test_a_campaign_of_organisations_has_no_figures_of_people(stage: Stage) -> None:
    _, here, owner = owned(stage, signatories="organisations", thresholds=[], open_for=None)
    said = words(owner.get(here).text)
    assert "Signatures over time" not in said
    assert "None: it is open until you close it" in said


@on_one_database
def test_a_link_with_a_mark_has_a_code_to_scan(stage: Stage) -> None:
    _, here, owner = owned(stage)
    marked = owner.get(here, params={"via": " Temple in Montréal "}).text
    assert 'value="http://127.0.0.1:8000/c/libraries?via=temple-in-montr-al"' in marked
    assert '<svg class="qrcode"' in marked
    khmer = owner.get(here, params={"via": "វត្ត"}).text
    assert "Enter Latin letters or digits" in khmer
    assert "?via=" not in khmer


@on_one_database
def test_a_translator_sees_what_is_left_and_no_figure(stage: Stage) -> None:
    slug, here, translator = owned(stage, "translator")
    sign_many(stage, slug, {"CA-ON": 1234})
    set_all(stage, Member, locales=["km"])
    page = translator.get(here)
    said = words(page.text)
    assert "What is left to translate" in said
    assert "Khmer 3 of 3" in said
    assert "French" not in said.partition("What is left to translate")[2]
    assert "1,234" not in said


@on_one_database
def test_a_draft_says_what_to_do_next(stage: Stage) -> None:
    data = small_campaign()
    data["texts"]["km"].pop("declaration")
    _, here, owner = owned(stage, **data)
    set_campaign(stage, state="draft", supporters_needed=5, opens_at=None, closes_at=None)
    said = words(owner.get(here).text)
    assert "What to do next" in said
    assert "Khmer 2 of 3" in said
    assert "English 3 of 3" in said
    assert "0 of 5 supporters have confirmed." in said
    assert "Submit it for review" in said


@on_one_database
def test_what_waits_or_was_refused_is_said(stage: Stage) -> None:
    _, here, owner = owned(stage)
    for state, said in (("review", "is in review"), ("refused", "was refused")):
        set_campaign(stage, state=state)
        assert said in words(owner.get(here).text)


@on_one_database
def test_figures_that_took_long_are_kept_for_a_while(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    slug, here, owner = owned(stage)
    monkeypatch.setattr(overview, "WORTH_KEEPING", 0.0)
    monkeypatch.setattr(overview, "KEPT_TIMES", 10**6)
    sign_many(stage, slug, {"CA-ON": 3})
    assert "Forms received 3" in words(owner.get(here).text)
    sign_many(stage, slug, {"CA-ON": 2})
    said = words(owner.get(here).text)
    assert "Forms received 3" in said
    assert "5 confirmed signatures so far" in said


@on_one_database
def test_numbers_are_khmer_in_khmer(stage: Stage) -> None:
    slug, _, owner = owned(stage)
    sign_many(stage, slug, {"CA-ON": 27})
    assert "២៧" in owner.get(f"/km/workspace/campaigns/{slug}").text
    assert stage.sql("SELECT count(*) FROM signatures") == [(27,)]
    assert stage.read(lambda session: session.scalars(select(Signature.locale).distinct()).all()) == ["km"]
