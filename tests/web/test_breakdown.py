"""The breakdown by place as anyone may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.jobs.take_snapshots import take_snapshots
from app.models import Campaign
from tests.actions.test_snapshots import set_all, sign_many
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
    assert answer.json() == {"campaign": slug, "snapshot": None, "as_of": None, "signatures": None, "cells": []}


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
def test_what_is_not_public_has_no_breakdown(stage: Stage) -> None:
    slug = stage.campaign()
    set_all(stage, Campaign, state="draft")
    for name in (slug, "nobody", "NOT-A-SLUG"):
        answer = stage.get(f"/api/v1/campaigns/{name}/breakdown")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
