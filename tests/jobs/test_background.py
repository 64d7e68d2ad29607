"""Background work: loops that outlive their faults, and dates that open and close campaigns."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from sqlalchemy import insert, select, text

from app.core.clock import utc_now
from app.core.db import open_database
from app.jobs import background as loops
from app.jobs.background import run_background
from app.jobs.roll_up_counts import roll_up_counts
from app.models import Campaign, CountEvent
from tests.stage import on_one_database, small_campaign

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.orm import Session

    from tests.stage import Stage


@on_one_database
def test_a_loop_that_fails_goes_on_and_so_do_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "REST_AFTER_FAULT", 0.01)
    rounds = {"failing": 0, "working": 0}

    async def failing(_: loops.Background) -> bool:
        rounds["failing"] += 1
        raise LookupError

    async def working(_: loops.Background) -> bool:
        rounds["working"] += 1
        return rounds["working"] % 5 != 0

    monkeypatch.setattr(loops, "LOOPS", ((failing, 0.01), (working, 0.01)))

    async def run_a_while() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await run_background(stage.background)

    stage.run(run_a_while())
    assert rounds["failing"] > 2
    assert rounds["working"] > 10


def test_background_work_counts_and_sends_by_itself(stage: Stage) -> None:
    slug = stage.campaign()

    async def live() -> None:
        work = asyncio.create_task(run_background(stage.background))
        try:
            await _until(lambda: asyncio.sleep(0, bool(stage.letters())))
            token = stage.letters()[0].token("confirm")
            headers = {"content-type": "application/x-www-form-urlencoded"}
            await stage.browser.post(f"/en/confirm/{token}", content=b"signing=1", headers=headers)
            await _until(lambda: stage.database.read(_is_rolled_up))
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    stage.sign(slug)
    stage.run(live())
    assert stage.sql("SELECT signatures FROM campaign_counts") == [(1,)]


async def _until(ask: Callable[[], Awaitable[bool]]) -> None:
    is_so = await ask()
    for _ in range(200):
        if is_so:
            return
        await asyncio.sleep(0.05)
        is_so = await ask()
    raise AssertionError("it never came")


def _is_rolled_up(session: Session) -> bool:
    return not session.execute(text("SELECT 1 FROM count_events")).all()


def test_campaigns_open_and_close_by_their_dates(stage: Stage) -> None:
    today = utc_now().date()
    document = small_campaign() | {
        "opens_on": str(today + timedelta(days=2)),
        "closes_on": str(today + timedelta(days=3)),
    }
    slug = stage.campaign(document, open_for=None)

    def state_after(days: int) -> str:
        with time_machine.travel(utc_now() + timedelta(days=days), tick=True):
            stage.move_by_dates()
        state: str = stage.sql("SELECT state FROM campaigns WHERE slug = :slug", slug=slug)[0][0]
        return state

    assert [state_after(days) for days in (0, 3, 10)] == ["scheduled", "open", "closed"]


def test_two_rollers_at_once_count_every_event_once(stage: Stage) -> None:
    slug = stage.campaign()

    def confirm_some(session: Session, *, change: int) -> None:
        session.execute(
            insert(CountEvent), {"campaign_id": session.scalar(select(Campaign.id)), "change": change, "at": utc_now()}
        )

    async def roll_at_once() -> None:
        others = [open_database(stage.settings.database_url) for _ in range(2)]
        rollers = [dataclasses.replace(stage.background, database=each) for each in (stage.database, *others)]
        for _ in range(10):
            await asyncio.gather(
                *(stage.database.write(confirm_some, change=1 if number else -1) for number in range(4)),
                *(roll_up_counts(roller) for roller in rollers),
            )
        await roll_up_counts(stage.background)
        await asyncio.gather(*(other.close() for other in others))

    stage.run(roll_at_once())
    assert stage.sql("SELECT signatures FROM campaign_counts") == [(20,)]
    assert stage.sql("SELECT count(*) FROM crossings") == [(1,)]
    assert stage.sql("SELECT kind, count(*) FROM letters GROUP BY kind ORDER BY kind") == [
        ("crossing_office", 1),
        ("crossing_organiser", 1),
    ]
    assert stage.count(slug) == 20


def test_a_campaign_that_cannot_be_counted_does_not_stop_the_others(stage: Stage) -> None:
    broken, sound = stage.campaign(slug="broken"), stage.campaign(slug="sound")
    for slug in (broken, sound):
        stage.sign(slug, browser=stage.new_browser())
        stage.post(f"/en/confirm/{stage.deliver()[-1].token('confirm')}", {"signing": "yes"})
    stage.write(
        lambda session: session.execute(
            text("DELETE FROM campaign_counts WHERE campaign_id = (SELECT id FROM campaigns WHERE slug = 'broken')")
        )
    )
    stage.roll_up()
    assert stage.sql("SELECT signatures FROM campaign_counts") == [(1,)]
