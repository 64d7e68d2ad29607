"""The steps of a campaign: where it stands, who moves it, what was done; in a browser of each of its team."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from sqlalchemy import update

from app.actions.life import approve_campaign, refuse_campaign, send_back_campaign, stop_campaign
from app.actions.sponsoring import dissolve_parliament
from app.core.clock import utc_now
from app.models import AccountSession, Campaign
from app.queries.accounts import find_campaign_id
from app.queries.life import find_review_version
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.stage import Organiser, Stage

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
STEPS_PAGE = "/en/workspace/campaigns/libraries/steps"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon in Ottawa."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def owner_of(stage: Stage, slug: str = "libraries") -> Organiser:
    owner = stage.organiser()
    stage.join(slug, owner)
    return owner


def move(owner: Organiser, name: str, **fields: str) -> httpx.Response:
    return owner.post(STEPS_PAGE, {"move": name, **fields})


def judge(stage: Stage, name: str, because: str = "") -> None:
    """Decide on the campaign in review, as a moderator."""
    campaign_id = stage.read(find_campaign_id, slug="libraries")
    assert campaign_id is not None
    account_id = stage.organiser("moderator@example.org", role="moderator").account_id
    values: dict[str, Any] = {"campaign_id": campaign_id, "account_id": account_id, "now": utc_now()}
    if name == "approve":
        version = stage.read(find_review_version, campaign_id=campaign_id)
        stage.write(approve_campaign, version=version, **values)
        return
    stage.write(send_back_campaign if name == "send_back" else refuse_campaign, because=because, **values)


def see(owner: Organiser, locale: str = "en") -> str:
    response = owner.get(STEPS_PAGE.replace("/en/", f"/{locale}/"))
    assert response.status_code == 200, response.text
    return Page(response.text).words


def put(stage: Stage, **values: object) -> None:
    stage.write(lambda session: session.execute(update(Campaign).values(**values)))


def test_an_owner_brings_a_campaign_from_draft_to_answered(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None, closes_on="2026-03-20")
    owner = owner_of(stage)
    assert "Everything that review needs is there." in see(owner)
    response = move(owner, "submit")
    assert (response.status_code, response.headers["location"]) == (303, STEPS_PAGE)
    assert "A moderator reads it" in see(owner)
    assert move(owner, "recall").status_code == 303
    assert move(owner, "submit").status_code == 303
    judge(stage, "approve")
    assert stage.get("/en/campaigns/libraries").status_code == 200
    seen = see(owner)
    assert "Signing ends by itself at the end of 20 March 2026, Toronto time. 18 days left." in seen
    assert move(owner, "close").status_code == 303
    stage.house.shelf._entries.clear()
    assert "Signing ended on 2 March 2026." in Page(stage.get("/en/campaigns/libraries").text).words
    assert "Open it again" in see(owner)
    assert move(owner, "reopen").status_code == 303
    clock.move_to(NOON + 30 * DAY)
    owner = owner_of(stage)
    assert "Signing ended on 20 March 2026." in see(owner)
    assert "Open it again" not in see(owner)
    assert move(owner, "present", presented_on="2026-03-30", presented_by="A. Member").status_code == 303
    assert "An answer is due by 14 May 2026." in see(owner)
    assert move(owner, "answer_date", due_on="2026-05-19").status_code == 303
    assert "An answer is due by 19 May 2026." in see(owner)
    assert "That day is past." not in see(owner)
    clock.move_to(NOON + 100 * DAY)
    owner = owner_of(stage)
    assert "That day is past." in see(owner)
    assert move(owner, "unpresent").status_code == 303
    assert move(owner, "present", presented_on="2026-03-30", presented_by="A. Member").status_code == 303
    assert move(owner, "answer", answered_on="2026-05-19").status_code == 303
    assert "It was answered on 19 May 2026." in see(owner)
    assert move(owner, "unanswer").status_code == 303
    for locale in ("km", "fr"):
        assert see(owner, locale)


@on_one_database
def test_the_record_names_the_team_and_not_the_moderators(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    owner = owner_of(stage)
    move(owner, "submit")
    judge(stage, "send_back", because="Say <b>whom</b> it asks")
    response = owner.get(STEPS_PAGE)
    seen = Page(response.text).words
    assert "by those who run this site" in seen
    assert "owner@example.org" not in seen  # addresses of a team are for its owners, on the page of the team alone
    owner.post("/en/workspace/account", {"name": "Chan Dara", "locale": "en"})
    assert "by Chan Dara" in Page(owner.get(STEPS_PAGE).text).words
    assert "moderator@example.org" not in seen
    assert "Say &lt;b&gt;whom&lt;/b&gt; it asks" in response.text


@on_one_database
def test_a_refused_campaign_is_taken_up_again(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    owner = owner_of(stage)
    move(owner, "submit")
    judge(stage, "refuse", because="It insults people")
    assert "It insults people" in see(owner)
    assert move(owner, "rework").status_code == 303
    assert "Send it for review" in see(owner)


@on_one_database
def test_what_is_missing_is_listed_with_links_and_422(stage: Stage) -> None:
    draft(stage, {"km": {"requests": []}}, sponsor=None)
    put(stage, supporters_needed=5)
    owner = owner_of(stage)
    assert "Before it can be sent for review, this is missing:" in see(owner)
    assert "Send it for review" not in see(owner)
    response = move(owner, "submit")
    page = Page(response.text)
    assert response.status_code == 422
    assert "It was not sent for review: this is still missing." in page.words
    assert "0 of 5 supporters have confirmed." in page.words
    assert "/en/workspace/campaigns/libraries/supporters" in page.links
    assert any("/en/workspace/campaigns/libraries/text#part-" in link for link in page.links)


def test_a_stale_page_is_told_what_changed(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    assert move(owner, "close").status_code == 303
    response = move(owner, "close")
    assert response.status_code == 409
    assert "Nothing was done: the campaign has moved in the meantime." in Page(response.text).words
    assert move(owner, "approve").status_code == 400
    assert move(owner, "stop").status_code == 400


@on_one_database
def test_extending_offers_the_durations_of_the_house(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.campaign(open_for=30)
    owner = owner_of(stage)
    seen = see(owner)
    assert "1 May 2026 (60 days in all)" in seen
    assert "(30 days in all)" not in seen
    wrong = move(owner, "extend", last_day="2026-05-02")
    assert wrong.status_code == 422
    assert "Choose one of the last days that are possible" in Page(wrong.text).words
    assert move(owner, "extend", last_day="next week").status_code == 422
    assert move(owner, "extend", last_day="2026-05-01").status_code == 303
    assert "Signing was extended. The last day to sign is 1 May 2026." in see(owner)


@on_one_database
def test_extending_another_form_takes_any_day_within_a_year(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.campaign(open_for=30)
    put(stage, form="free")
    owner = owner_of(stage)
    assert "After 1 April 2026, and at the latest on 2 March 2027." in see(owner)
    assert move(owner, "extend", last_day="2027-03-03").status_code == 422
    assert move(owner, "extend", last_day="2026-04-02").status_code == 303


@on_one_database
def test_what_was_typed_is_kept_when_a_presentation_is_incomplete(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    move(owner, "close")
    page = Page(move(owner, "present", presented_on="2199-01-01", presented_by="").text)
    assert page.faults["presented_by"].endswith("Enter who presented it")
    assert page.fields["presented_on"] == ["2199-01-01"]
    page = Page(move(owner, "present", presented_on="", presented_by="A. Member").text)
    assert page.fields["presented_by"] == ["A. Member"]
    assert "presented_on" in page.faults
    late = move(owner, "present", presented_on="2199-01-01", presented_by="A. Member")
    assert late.status_code == 422
    too_long = move(owner, "present", presented_on="2026-01-01", presented_by="x" * 300)
    assert "presented_by" in Page(too_long.text).faults


@on_one_database
def test_an_answer_date_before_the_presentation_is_refused(stage: Stage) -> None:
    stage.campaign()
    put(stage, form="free")
    owner = owner_of(stage)
    assert move(owner, "answer_date", due_on="2026-05-19").status_code == 409
    move(owner, "close")
    today = utc_now().date() - timedelta(days=0)
    put(stage, opens_at=utc_now() - 3 * DAY)
    day = (today - DAY).isoformat()
    assert move(owner, "present", presented_on=day, presented_by="A. Member").status_code == 303
    assert "An answer is due" not in see(owner)
    assert move(owner, "answer_date", due_on=day).status_code == 422
    assert move(owner, "answer_date", due_on="2199-05-19").status_code == 303


@on_one_database
def test_a_stopped_campaign_says_why_and_stands_where_it_stood(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    put(stage, opens_at=None)
    stage.write(stop_campaign, slug="libraries", because="A forged mandate", now=utc_now())
    today = utc_now().date()
    stops: tuple[tuple[dict[str, object], str], ...] = (
        ({}, "Open for signature"),
        ({"closes_at": utc_now() - SECOND}, "Closed"),
        ({"presented_on": today}, "Presented"),
        ({"answered_on": today}, "Answered"),
    )
    for dates, step in stops:
        put(stage, stopped_at=utc_now(), **dates)
        response = owner.get(STEPS_PAGE)
        assert "A forged mandate" in response.text
        assert f'aria-current="step"><b>{step}</b>' in response.text


@on_one_database
def test_others_of_the_team_see_the_steps_and_move_nothing(stage: Stage) -> None:
    stage.campaign()
    for role in ("editor", "translator", "viewer"):
        somebody = stage.organiser(f"{role}@example.org")
        stage.join("libraries", somebody, role, ["km"])
        seen = see(somebody)
        assert "Only owners move a campaign." in seen
        assert "End signing now" not in seen
        assert move(somebody, "close").status_code == 404
    assert stage.sql("SELECT state FROM campaigns") == [("open",)]


@on_one_database
def test_moves_ask_who_one_is_where_that_was_not_proven_lately(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    long_ago = utc_now() - timedelta(minutes=11)
    stage.write(lambda session: session.execute(update(AccountSession).values(proven_at=long_ago)))
    assert move(owner, "close").status_code == 200
    assert stage.sql("SELECT state FROM campaigns") == [("open",)]


@on_one_database
def test_every_state_has_a_page(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    past, to_come = utc_now() - 5 * DAY, utc_now() + 5 * DAY
    standings: tuple[tuple[str, dict[str, object]], ...] = (
        ("scheduled", {"opens_at": to_come}),
        ("scheduled", {"opens_at": to_come, "closes_at": None}),
        ("open", {"opens_at": past, "closes_at": None}),
        ("closed", {"opens_at": past, "closes_at": None}),
        ("review", {}),
        ("refused", {}),
    )
    said = set()
    for state, dates in standings:
        put(stage, state=state, **dates)
        assert see(owner, "km")
        assert see(owner, "fr")
        said.add(see(owner).partition("What happens next")[2].partition("What was done")[0])
    assert len(said) == len(standings) - 1  # the two that are scheduled say the same


@on_one_database
def test_a_dissolution_says_that_another_member_must_be_asked(stage: Stage) -> None:
    stage.campaign()
    owner = owner_of(stage)
    note = "Parliament was dissolved, and no Member carries it any more."
    assert note not in see(owner)
    stage.write(dissolve_parliament, dissolved_on=utc_now().date() + DAY, now=utc_now())
    assert note in see(owner)
    assert "A. Member no longer carries it. Signing goes on." in see(owner)
