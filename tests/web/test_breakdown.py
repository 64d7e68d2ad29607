"""The breakdown by place as anyone may read it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.core.clock import utc_now
from app.jobs.take_snapshots import take_snapshots
from app.models import Campaign
from tests.actions.test_snapshots import load_districts, set_all, sign_many
from tests.stage import on_one_database

if TYPE_CHECKING:
    from tests.stage import Stage


@on_one_database
def test_before_a_snapshot_there_are_no_cells(stage: Stage) -> None:
    slug = stage.campaign()
    sign_many(stage, slug, {"CA-ON": 19})
    stage.run(take_snapshots(stage.background))
    answer = stage.get(f"/api/v1/campaigns/{slug}/breakdown")
    assert answer.status_code == 200
    nothing: dict[str, object] = {"cells": [], "languages": [], "days": [], "districts": []}
    assert answer.json() == {"campaign": slug, "snapshot": None, "as_of": None, "signatures": None, **nothing}


def test_the_latest_snapshot_is_told_and_not_the_live_count(stage: Stage) -> None:
    slug = stage.campaign()
    sign_many(stage, slug, {"CA-ON": 40, "CA-QC": 3, "CA-BC": 4, "US-CA": 9, "FR": 6})
    stage.run(take_snapshots(stage.background))
    sign_many(stage, slug, {"CA-ON": 1})
    answer = stage.get(f"/api/v1/campaigns/{slug}/breakdown")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "public, max-age=1"
    told = answer.json()
    assert told["as_of"].endswith("Z")
    assert (told["campaign"], told["snapshot"], told["signatures"]) == (slug, 1, 62)
    assert told["cells"] == [
        {"country": "CA", "subdivision": "CA-ON", "signatures": 40},
        {"country": "US", "subdivision": "US-CA", "signatures": 9},
        {"country": "CA", "subdivision": None, "signatures": 7},
        {"country": "FR", "subdivision": None, "signatures": 6},
    ]


@on_one_database
def test_languages_days_and_districts_are_told_with_the_names_of_districts(stage: Stage) -> None:
    slug = stage.campaign(timezone="UTC")
    load_districts(stage)
    yesterday = utc_now() - timedelta(days=1)
    sign_many(stage, slug, {"CA-ON": 30}, at=yesterday, district="35075")
    sign_many(stage, slug, {"CA-ON": 21}, at=yesterday, locale="en")
    sign_many(stage, slug, {"CA-ON": 9}, at=yesterday + timedelta(days=1), locale="fr", district="35076")
    stage.run(take_snapshots(stage.background))
    told = stage.get(f"/api/v1/campaigns/{slug}/breakdown").json()
    assert told["languages"] == [
        {"language": "km", "signatures": 30},
        {"language": "en", "signatures": 21},
        {"language": "fr", "signatures": 9},
    ]
    assert told["days"] == [
        {"day": yesterday.date().isoformat(), "signatures": 51},
        {"day": (yesterday + timedelta(days=1)).date().isoformat(), "signatures": 9},
    ]
    assert told["districts"] == [
        {
            "district": "35075",
            "names": {"en": "Ottawa Centre", "fr": "Ottawa-Centre"},
            "province": "CA-ON",
            "signatures": 30,
        },
        {"district": None, "names": None, "province": None, "signatures": 30},
    ]


@on_one_database
def test_what_is_not_public_has_no_breakdown(stage: Stage) -> None:
    slug = stage.campaign()
    set_all(stage, Campaign, state="draft")
    for name in (slug, "nobody", "NOT-A-SLUG"):
        answer = stage.get(f"/api/v1/campaigns/{name}/breakdown")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
