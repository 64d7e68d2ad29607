"""Removals in the open, refusals with their reasons, and what fell below a number that was announced."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import time_machine

from app.actions import life
from app.actions.standing import change_standing, note_day
from app.core.clock import utc_now
from app.queries import integrity as queries
from app.queries.figures import get_figures
from app.rules.refusals import REFUSAL_RULES
from tests.actions.lives import campaign_id, put, row
from tests.actions.test_snapshots import sign_many
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from uuid import UUID

    import pytest

    from tests.stage import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ADDRESS = "/api/v1/campaigns/libraries/integrity"


def ids(stage: Stage) -> list[UUID]:
    from sqlalchemy import select

    from app.models import Signature

    return list(stage.read(lambda session: session.scalars(select(Signature.id).order_by(Signature.id)).all()))


def move(stage: Stage, which: list[UUID], to: str, rule: str) -> None:
    stage.write(
        change_standing,
        campaign_id=campaign_id(stage),
        signature_ids=which,
        to=to,
        rule=rule,
        now=utc_now(),
    )
    stage.roll_up()


def fresh(stage: Stage, path: str) -> Any:  # noqa: ANN401 - an answer
    stage.house.cache.forget("libraries")
    stage.house.shelf._entries.clear()
    return stage.get(path)


def test_a_day_is_published_when_it_has_ended_by_rule_and_never_whose(stage: Stage) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        stage.campaign(open_for=100)
        sign_many(stage, "libraries", {"CA-ON": 9}, at=NOON - DAY)
        stage.roll_up()
        which = ids(stage)
        move(stage, which[:6], "removed", "scripted")
        move(stage, which[6:7], "quarantined", "mailbox")
        stage.write(note_day, campaign_id=campaign_id(stage), rule="limits", now=utc_now(), held=5)
        # What was taken out under the same rule is no cover for the one that was held.
        stage.write(note_day, campaign_id=campaign_id(stage), rule="scripted", now=utc_now(), held=1)
        today = fresh(stage, ADDRESS).json()
        assert (today["days"], today["counted_through"]) == ([], "2026-03-01")
        assert today["totals"] == {"held": 0, "removed": 0, "restored": 0}
        clock.move_to(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
        assert fresh(stage, ADDRESS).json()["days"] == []
        clock.move_to(datetime(2026, 3, 3, tzinfo=UTC))
        move(stage, which[:2], "counted", "scripted")
        answer = fresh(stage, ADDRESS)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "max-age" in answer.headers["cache-control"]
        said = answer.json()
        assert said["counted_through"] == "2026-03-02"
        nothing = {"held": 0, "removed": 0, "restored": 0}
        assert said["days"] == [
            {"day": "2026-03-02", "rule": "limits", **nothing, "held": 5},
            {"day": "2026-03-02", "rule": "scripted", **nothing, "removed": 6},
        ]
        assert said["totals"] == {"held": 5, "removed": 6, "restored": 0}
        assert set(said) == {"campaign", "as_of", "counted_through", "days", "totals"}
        clock.shift(DAY)
        assert fresh(stage, ADDRESS).json() | {"as_of": 0} == said | {"as_of": 0, "counted_through": "2026-03-03"}
        move(stage, which[2:6], "counted", "scripted")
        clock.shift(DAY)
        more = fresh(stage, ADDRESS).json()
        assert more["days"] == [*said["days"], {"day": "2026-03-04", "rule": "scripted", **nothing, "restored": 6}]
        assert more["totals"] == {"held": 5, "removed": 6, "restored": 6}
        for locale in ("km", "en", "fr"):
            page = fresh(stage, f"/{locale}/campaigns/libraries/counting")
            assert page.status_code == 200
        listed = Page(stage.get("/en/counting").text)
        assert "/en/campaigns/libraries/counting" in listed.links
        assert "Held back: 5. Taken out: 6. Put back: 6." in listed.words
        words = Page(stage.get("/en/campaigns/libraries/counting").text).words
        assert "2 March 2026 Sent by a program 0 6 0" in words
        assert "Total 5 6 6" in words
        life_of: dict[str, Any] = {"slug": "libraries", "because": "x", "now": utc_now()}
        stage.write(life.stop_campaign, **life_of)
        assert fresh(stage, ADDRESS).status_code == 200
    put(stage, state="refused")
    for path in (ADDRESS, "/en/campaigns/libraries/counting", "/api/v1/campaigns/Nothing/integrity"):
        assert fresh(stage, path).status_code == 404
    assert "libraries" not in stage.get("/fr/counting").text


@on_one_database
def test_one_try_a_day_in_a_quiet_campaign_shows_nothing_until_five_have_come_together(stage: Stage) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        stage.campaign(open_for=100)
        seen = []
        for _ in range(7):
            stage.write(note_day, campaign_id=campaign_id(stage), rule="mailbox", now=utc_now(), held=1)
            clock.shift(DAY)
            said = fresh(stage, ADDRESS).json()
            seen.append([(day["day"], day["held"]) for day in said["days"]])
            assert said["totals"]["held"] == sum(held for _, held in seen[-1])
            stage.house.cache._entries.clear()
            assert ("libraries" in stage.get("/en/counting").text) == bool(seen[-1])
        assert seen == [[]] * 4 + [[("2026-03-06", 5)]] * 3
        pages = (fresh(stage, f"/{locale}/campaigns/libraries/counting") for locale in ("km", "en", "fr"))
        assert all(page.status_code == 200 for page in pages)


def test_a_crossing_stands_and_pages_say_when_the_count_fell_below_it(stage: Stage) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        stage.campaign(open_for=100)
        owner = stage.organiser()
        stage.join("libraries", owner)
        sign_many(stage, "libraries", {"CA-ON": 3}, at=NOON)
        which = ids(stage)
        move(stage, which[:1], "quarantined", "duplicate")
        move(stage, which[:1], "counted", "duplicate")
        counts = "/api/v1/campaigns/libraries/count"
        assert fresh(stage, counts).json()["thresholds"][0]["fell_below_at"] is None
        clock.shift(3 * DAY)
        move(stage, which[:1], "removed", "duplicate")
        threshold = fresh(stage, counts).json()["thresholds"][0]
        fell = "2026-03-05T12:00:00Z"
        assert (threshold["reached_at"] is not None, threshold["fell_below_at"], threshold["regained_at"]) == (
            True,
            fell,
            None,
        )
        pages = ("/en/campaigns/libraries", "/en/campaigns/libraries/counting")
        for path in pages:
            words = Page(fresh(stage, path).text).words
            assert "the count fell below it on 5 March 2026." in words
            assert "It was reached again" not in words
        clock.shift(DAY)
        move(stage, which[:1], "counted", "duplicate")
        whole = fresh(stage, "/api/v1/campaigns/libraries").json()["thresholds"][0]
        assert (whole["fell_below_at"], whole["regained_at"]) == (fell, "2026-03-06T12:00:00Z")
        assert {"reached_at", "labels", "signatures"} < set(whole)
        shown = [fresh(stage, path).text for path in pages]
        shown.append(owner_page(stage, owner))
        for text in shown:
            assert "It was reached again on 6 March 2026." in Page(text).words


def owner_page(stage: Stage, owner: Any) -> str:  # noqa: ANN401 - an organiser
    return str(owner.get("/en/workspace/campaigns/libraries").text)


def test_figures_of_a_team_show_the_sum_of_what_is_not_counted_and_nothing_smaller(stage: Stage) -> None:
    stage.campaign()
    owner = stage.organiser()
    stage.join("libraries", owner)
    sign_many(stage, "libraries", {"CA-ON": 30}, at=utc_now() - DAY)
    stage.roll_up()
    confirmed = ids(stage)
    sign_many(stage, "libraries", {"CA-ON": 7}, at=utc_now() - DAY, state="pending")
    for held, removed in ((4, 4), (5, 9), (9, 11)):
        move(stage, confirmed, "counted", "other")
        move(stage, confirmed[:held], "quarantined", "other")
        move(stage, confirmed[held : held + removed], "removed", "other")
        figures = stage.read(get_figures, campaign_id=campaign_id(stage), now=utc_now())
        funnel, count = figures.funnel, 30 - held - removed
        assert fresh(stage, "/api/v1/campaigns/libraries/count").json()["signatures"] == count
        assert (funnel.forms, funnel.counted, funnel.uncounted) == (37, count, 37 - count)
        table = Page(owner_page(stage, owner)).words.partition("What became of each form")[2].partition("By place")[0]
        shown = [int(number) for number in re.findall(r"\d+", table)]
        # Forms, letters accepted, refused and come back, what is not counted, what is.
        assert shown == [37, 0, 0, 0, 37 - count, count]


def test_refusals_are_published_with_their_rule_and_a_title_only_where_allowed(stage: Stage) -> None:
    moderator = stage.organiser("moderator@example.org", role="moderator")
    owner = stage.organiser()
    assert "No text has been refused so far." in stage.get("/en/refusals").text
    for slug, rule, is_titled in (("libraries", "hatred", True), ("another", "other", False)):
        draft(stage, {}, slug=slug, sponsor=None, closes_on="2099-01-01")
        stage.join(slug, owner)
        who: dict[str, Any] = {"campaign_id": campaign_id(stage, slug), "now": utc_now()}
        stage.write(life.submit_campaign, account_id=owner.account_id, **who)
        path = f"/en/moderation/reviews/{slug}/refuse"
        without = moderator.post(path, {"reason": "No words for this", "rule": "dislike", "is_titled": "yes"})
        assert (without.status_code, "No words for this" in without.text) == (422, True)
        assert Page(without.text).faults["rule"].endswith("Choose the rule")
        form = {"reason": "PRIVATE", "rule": rule} | ({"is_titled": "yes"} if is_titled else {})
        assert moderator.post(path, form).status_code == 303
    assert (row(stage).refused_rule, row(stage).is_refusal_titled, row(stage, "another").refused_rule) == (
        "hatred",
        True,
        "other",
    )
    page = stage.get("/en/refusals?a")
    words = Page(page.text).words
    assert words.count("Khmer books in every library") == 1
    assert "Without its title" in words
    assert str(REFUSAL_RULES["hatred"].say("en")) in words
    assert "PRIVATE" not in page.text
    # What a team makes of it afterwards is a text of its own; that it was refused stays.
    stage.write(
        life.move_campaign, campaign_id=campaign_id(stage), name="rework", account_id=owner.account_id, now=utc_now()
    )
    reworked = Page(stage.get("/en/refusals?b").text).words
    assert "Khmer books" not in reworked
    assert reworked.count("Without its title") == 2


@on_one_database
def test_a_refusal_lifted_on_appeal_says_so_and_lists_have_pages(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        slug = stage.campaign(small_campaign(f"refused-{number}"))
        put(stage, slug, state="refused", refused_at=NOON + number * DAY, refused_rule="gone", is_refusal_titled=False)
    stage.sql_write(
        "INSERT INTO appeals (id, campaign_id, against, text, state, created_at)"
        " SELECT id, id, 'refused', 'x', 'granted', refused_at FROM campaigns WHERE slug = 'refused-4'"
    )
    first = Page(stage.get("/en/refusals").text)
    assert first.words.count("Lifted on appeal") == 1
    assert "For another reason, which its team was told." in first.words
    assert "/en/refusals?page=2" in first.links
    assert {"/en/refusals?page=1", "/en/refusals?page=3"} <= set(Page(stage.get("/en/refusals?page=2").text).links)
    for bad in ("0", "4", "x", "", "999999", "-1", "१"):
        assert stage.get(f"/en/refusals?page={bad}").status_code == 404
