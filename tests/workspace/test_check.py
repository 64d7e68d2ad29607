"""The pre-flight in the workspace: as a page, as JSON beside the text, and what the query makes of a draft."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from app.actions.campaigns import import_campaign
from app.core.clock import utc_now
from app.models import Campaign, Sponsor, TextItem, TextPart
from app.queries.checks import find_check
from app.rules import preflight
from app.rules.campaign_file import parse_campaign_file
from tests.stage import REAL_CAMPAIGNS, on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.rules.preflight import CheckInput
    from tests.stage import Stage

#: What a page says does not hang on the database; what is written and raced for is tested on both.


def campaign_id(stage: Stage, slug: str) -> UUID:
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())


def look(stage: Stage, slug: str) -> CheckInput:
    return stage.read(find_check, campaign_id=campaign_id(stage, slug), now=utc_now())


@on_one_database
def test_e1746_is_shown_by_body_with_places_sources_and_words(stage: Stage) -> None:
    file = parse_campaign_file((REAL_CAMPAIGNS / "e-1746.json").read_bytes())
    stage.write(import_campaign, file=file, keyring=stage.keyring, now=utc_now())
    owner = stage.organiser()
    stage.join("e-1746", owner)
    answer = owner.get("/en/workspace/campaigns/e-1746/check")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert "237 of 250 words" in page.words
    assert "The closing date is past: 24 October 2018." in page.words
    assert "Supporters who have confirmed: 0. The House of Commons asks for 5." in page.words
    first = stage.sql("SELECT id FROM text_items WHERE kind = 'recital' AND position = 0")[0][0]
    assert f"/en/workspace/campaigns/e-1746/text#part-{UUID(str(first))}-recital-fr" in page.links
    assert "https://www.ourcommons.ca/procedure/procedure-and-practice-3/ch_22_4-e.html" in page.links
    assert "House of Commons, paper petition" in page.words
    assert "At least 25 people sign in ink" in page.words
    for locale in ("km", "fr"):
        assert owner.get(f"/{locale}/workspace/campaigns/e-1746/check").status_code == 200


@on_one_database
def test_the_data_beside_the_text_says_the_same(stage: Stage) -> None:
    slug = draft(stage, {"en": {"requests": ["The Government of Canada must act, see www.example.org"]}})
    owner = stage.organiser()
    stage.join(slug, owner)
    answer = owner.get(f"/fr/workspace/campaigns/{slug}/check.json")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    data = answer.json()
    assert [count["locale"] for count in data["counts"]] == ["en", "fr"]
    assert data["counts"][0]["words"] == 8
    by_code = {each["code"]: each for each in data["findings"]}
    item = stage.sql("SELECT id FROM text_items WHERE kind = 'request'")[0][0]
    anchor = f"part-{UUID(str(item))}-request-en"
    assert by_code["web_address"]["anchor"] == anchor
    assert by_code["web_address"]["address"] == f"/fr/workspace/campaigns/{slug}/text#{anchor}"
    assert (by_code["demand"]["body"], by_code["demand"]["severity"]) == ("commons_e", "refuses")
    assert data["blocks"] == 0
    assert data["summary"]
    assert set(by_code["demand"]) == {
        *("code", "body", "body_name", "severity", "severity_name", "place", "anchor", "address"),
        *("message", "advice", "source", "links"),
    }


@on_one_database
def test_a_letter_to_another_state_is_held_to_the_platform_alone(stage: Stage) -> None:
    slug = draft(stage, {}, kind="open_letter", addressees=[{"name": {"en": "A ministry"}, "country": "KH"}])
    owner = stage.organiser()
    stage.join(slug, owner)
    page = Page(owner.get(f"/en/workspace/campaigns/{slug}/check").text)
    assert "House of Commons" not in page.words
    assert "Nothing stands in the way of publishing here." in page.words
    data = owner.get(f"/en/workspace/campaigns/{slug}/check.json").json()
    assert data["counts"] == []
    assert {each["body"] for each in data["findings"]} == {"platform"}


@on_one_database
def test_nothing_found_is_said(stage: Stage) -> None:
    names = {"en": "A ministry", "fr": "Un ministère", "km": "ក្រសួង"}
    slug = draft(stage, {}, kind="open_letter", addressees=[{"name": names, "country": "KH"}])
    owner = stage.organiser()
    stage.join(slug, owner)
    assert "Nothing was found." in Page(owner.get(f"/en/workspace/campaigns/{slug}/check").text).words
    data = owner.get(f"/en/workspace/campaigns/{slug}/check.json").json()
    assert (data["findings"], data["summary"]) == ([], "Nothing was found.")


@on_one_database
def test_what_is_needed_before_publishing_is_counted(stage: Stage) -> None:
    slug = draft(stage, {})
    stage.write(lambda session: session.execute(update(TextPart).where(TextPart.locale == "fr").values(is_ready=False)))
    owner = stage.organiser()
    stage.join(slug, owner)
    assert "1 thing is needed before publishing." in Page(owner.get(f"/en/workspace/campaigns/{slug}/check").text).words
    data = owner.get(f"/en/workspace/campaigns/{slug}/check.json").json()
    assert (data["blocks"], data["summary"]) == (1, "Something is needed before publishing.")


@on_one_database
def test_everybody_of_the_team_may_look_and_nobody_else(stage: Stage) -> None:
    slug = draft(stage, {})
    somebody, stranger = stage.organiser("a@example.org"), stage.organiser("b@example.org")
    for role in ("owner", "editor", "translator", "viewer"):
        stage.join(slug, somebody, role, ["fr"])
        for name in ("check", "check.json"):
            assert somebody.get(f"/en/workspace/campaigns/{slug}/{name}").status_code == 200, role
    for name in ("check", "check.json"):
        assert stranger.get(f"/en/workspace/campaigns/{slug}/{name}").status_code == 404
        assert stage.get(f"/en/workspace/campaigns/{slug}/{name}").status_code == 404


def test_the_query_reads_states_of_parts_and_of_sponsors(stage: Stage) -> None:
    slug = draft(stage, {}, sponsor=None)
    its_id = campaign_id(stage, slug)
    now = utc_now()

    def work(session: Session) -> None:
        session.execute(update(TextPart).where(TextPart.locale == "en", TextPart.name == "title").values(version=3))
        session.execute(update(TextPart).where(TextPart.locale == "km").values(is_ready=False))
        session.execute(update(TextItem).values(removed_at=now))
        common: dict[str, Any] = {"campaign_id": its_id, "name": "A. Member", "titles": {}, "locale": "en"}
        rows = [
            {"state": "declined", "asked_at": now - timedelta(days=9), "answered_at": now - timedelta(days=8)},
            {"state": "expired", "asked_at": now - timedelta(days=40), "answered_at": None},
        ]
        for row in rows:
            session.execute(insert(Sponsor), {"id": uuid4(), **common, **row})

    stage.write(work)
    check = look(stage, slug)
    assert (check.sponsor_state, check.sponsor_tries) == ("declined", 2)
    assert {part.name for part in check.parts} == {"title", "declaration"}
    states = {(part.name, part.locale): (part.is_ready, part.is_behind) for part in check.parts}
    assert states["title", "en"] == (True, False)
    assert states["title", "fr"] == (True, True)
    assert states["declaration", "fr"] == (True, False)
    assert states["declaration", "km"] == (False, False)
    asked = {"state": "asked", "asked_at": now, "campaign_id": its_id, "name": "B", "titles": {}, "locale": "en"}
    stage.write(lambda session: session.execute(insert(Sponsor), {"id": uuid4(), **asked}))
    assert (look(stage, slug).sponsor_state, look(stage, slug).sponsor_tries) == ("asked", 3)


def test_a_draft_alone_has_no_sponsor_and_no_dates(stage: Stage) -> None:
    slug = draft(stage, {}, sponsor=None)
    check = look(stage, slug)
    assert (check.sponsor_state, check.sponsor_tries, check.opens_on, check.closes_on) == (None, 0, None, None)
    dated = draft(stage, {}, slug="dated", opens_on="2030-06-01", closes_on="2030-09-29")
    check = look(stage, dated)
    assert [str(check.opens_on), str(check.closes_on)] == ["2030-06-01", "2030-09-29"]
    assert "period" not in {each.code for each in preflight.findings(check)}


def test_similar_campaigns_that_are_open_are_found_and_no_others(stage: Stage) -> None:
    stage.campaign(small_campaign("shelves"))
    stage.campaign({**small_campaign("over"), "opens_on": "2020-01-01", "closes_on": "2020-02-01"}, open_for=None)
    slug = draft(stage, {}, slug="libraries")
    draft(stage, {}, slug="another-draft")
    found = [each for each in preflight.findings(look(stage, slug)) if each.code == "similar"]
    assert [dict(each.links) for each in found] == [{"shelves": "Khmer books in every library"}]
    owner = stage.organiser()
    stage.join(slug, owner)
    page = Page(owner.get(f"/en/workspace/campaigns/{slug}/check").text)
    assert "/en/campaigns/shelves" in page.links
