"""Workers die while a set of signatures is applied and taken back: the count is exact after each, and pages stay fast.

``script/faults sets`` runs this with 100,000 signatures, and looks at pages meanwhile; a run of the whole suite has
fewer, and no pages.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import statistics
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from sqlalchemy import func, insert, select

from app.actions import sets
from app.actions.accounts import find_or_create_account
from app.actions.campaigns import Publication, import_campaign
from app.actions.counting import roll_up_count
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import open_keyring
from app.models import CountEvent, Decision, Signature, is_counted
from app.queries.sets import count_set, find_set
from app.rules.campaign_file import parse_campaign_file
from app.rules.sets import Conditions
from app.settings import Settings
from tests.kill.company import Company, ask
from tests.signers import insert_signers
from tests.stage import good_form, small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.db import Database
    from app.core.keys import Keyring

SIGNATURES: Final = int(os.environ.get("TEST_SET_SIGNATURES", "2500"))
KILLS: Final = int(os.environ.get("TEST_SET_KILLS", "1"))
IS_LONG: Final = SIGNATURES > 10_000
OTHERS: Final = SIGNATURES // 10
WORKERS: Final = 2 if IS_LONG else 1
PATIENCE: Final = 60.0 + SIGNATURES / 100
AT_ONCE: Final = 5000
LOOKS_BEFORE: Final = 300


class Visitors:
    """People who open the campaign's page, ask for its count and sign, one after another; how long each takes."""

    def __init__(self, port: int, slug: str) -> None:
        """Know where to look."""
        self._port = port
        self._requests = {
            "page": (f"GET /en/campaigns/{slug}", b""),
            "count": (f"GET /api/v1/campaigns/{slug}/count", b""),
            "sign": (f"POST /fr/campaigns/{slug}/sign", b""),
        }
        self.seconds: dict[str, list[float]] = {name: [] for name in self._requests}
        self._signed = 0

    async def look(self, rounds: int | None = None) -> None:
        """Look so many times, or until it is cancelled."""
        number = 0
        while rounds is None or number < rounds:
            number += 1
            await self._ask("page")
            await self._ask("count")
            if number % 10 == 0:
                await self._ask("sign")
            await asyncio.sleep(0.01)

    async def count(self) -> int:
        """Return the count as the JSON door tells it, once its cache has been made anew."""
        await asyncio.sleep(1.2)
        signatures: int = json.loads((await ask(self._port, *self._requests["count"]))[1])["signatures"]
        return signatures

    def say(self, when: str) -> None:
        """Print how long it took, and begin anew."""
        figures = [f"{name} {_figures(taken)}" for name, taken in self.seconds.items() if taken]
        sys.stdout.write(f"  {when}: {'; '.join(figures)}\n")
        self.seconds = {name: [] for name in self._requests}

    async def _ask(self, name: str) -> None:
        line, body = self._requests[name]
        if name == "sign":
            self._signed += 1
            form = {**good_form(), "email": f"late-{self._signed}@example.org"}
            body = urlencode(form, doseq=True).encode()
        started = time.perf_counter()
        status, content = await ask(self._port, line, body)
        self.seconds[name].append(time.perf_counter() - started)
        # All are at one address: after a while they are asked for a proof of work.
        wanted = {HTTPStatus.SEE_OTHER, HTTPStatus.UNPROCESSABLE_ENTITY} if name == "sign" else {HTTPStatus.OK}
        assert status in wanted, content[:500]


def _figures(taken: list[float]) -> str:
    ordered = sorted(taken)
    median, late = statistics.median(ordered) * 1000, ordered[len(ordered) * 99 // 100] * 1000
    return f"{len(taken)} times, p50 {median:.1f} ms, p99 {late:.1f} ms, longest {ordered[-1] * 1000:.0f} ms"


@pytest.mark.slow
def test_a_set_survives_the_death_of_its_workers_and_the_count_is_exact(database_url: str, tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    sys.stdout.write(f"\n{database_url.partition(':')[0]}, {SIGNATURES} signatures, seed {seed}\n")
    settings = Settings(database_url=database_url, keys_dir=tmp_path / "keys")
    asyncio.run(_kill_and_look(settings, tmp_path, random.Random(seed)))


async def _kill_and_look(settings: Settings, folder: Path, chance: random.Random) -> None:
    database, keyring = open_database(settings.database_url), open_keyring(settings.keys_dir)
    campaign_id, slug, moderators = await _prepare(database, keyring)
    company = Company(_environment(settings), folder, servers=int(IS_LONG), workers=WORKERS)
    visitors = Visitors(company.ports[0], slug) if IS_LONG else None
    every = SIGNATURES + OTHERS
    try:
        if visitors is not None:
            await _until_served(visitors)
            visitors.seconds = {name: [] for name in visitors.seconds}
            await visitors.look(LOOKS_BEFORE)
            visitors.say("before")
        assert await _count(database, campaign_id) == every
        set_id = await _propose(database, campaign_id, moderators)
        for what, begin, left, decisions in (
            ("set aside", sets.approve_set, OTHERS, SIGNATURES),
            ("taken back", sets.reverse_set, every, 2 * SIGNATURES),
        ):
            looking = None if visitors is None else asyncio.create_task(visitors.look())
            kills, started = company.kills, time.monotonic()
            if begin is sets.reverse_set:
                await database.write(begin, set_id=set_id, account_id=moderators[0], now=utc_now())
            await database.write(begin, set_id=set_id, account_id=moderators[1], now=utc_now())
            if IS_LONG or begin is sets.approve_set:
                await _kill_in_the_middle(database, company, set_id, chance)
            await _until(lambda: _is_over(database, set_id))
            seconds = time.monotonic() - started
            if looking is not None and visitors is not None:
                looking.cancel()
                await asyncio.wait([looking])
                assert looking.cancelled() or looking.exception() is None, looking.exception()
                visitors.say(f"while it is {what}")
                await _until(lambda: _is_rolled_up(database))
                assert await visitors.count() == left
            count = await _count(database, campaign_id)
            sys.stdout.write(f"  {what}: {seconds:.1f} s, {company.kills - kills} SIGKILLs, count {count}\n")
            assert count == left
            assert await database.read(_count_decisions, set_id=set_id) == decisions, "nothing is decided twice"
    finally:
        company.stop()
    found = await database.read(find_set, set_id=set_id)
    assert found is not None
    assert (found.state, found.changed) == ("reversed", 0)
    assert company.kills == (1 + IS_LONG) * KILLS * WORKERS
    await database.close()


async def _prepare(database: Database, keyring: Keyring) -> tuple[UUID, str, tuple[UUID, UUID]]:
    """Make a campaign, its signatures in the count, and two moderators."""
    file = parse_campaign_file(json.dumps(small_campaign()).encode())
    now = utc_now()
    campaign_id = await database.write(
        import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30)
    )
    for locale, number in (("en", SIGNATURES), ("fr", OTHERS)):
        for first in range(0, number, AT_ONCE):
            emails = [f"{locale}-{each}@example.org" for each in range(first, min(first + AT_ONCE, number))]
            await database.write(insert_signers, slug=file.slug, emails=emails, keyring=keyring, now=now, locale=locale)
    event = {"campaign_id": campaign_id, "change": SIGNATURES + OTHERS, "at": now}
    await database.write(_add_event, event=event)
    moderators = [
        await database.write(
            find_or_create_account, email=email, locale="en", keyring=keyring, now=now, role="moderator"
        )
        for email in ("first@example.org", "second@example.org")
    ]
    return campaign_id, file.slug, (moderators[0], moderators[1])


async def _propose(database: Database, campaign_id: UUID, moderators: tuple[UUID, UUID]) -> UUID:
    conditions, set_id, now = Conditions(locale="en"), uuid4(), utc_now()
    started = time.monotonic()
    size = await database.read(count_set, campaign_id=campaign_id, conditions=conditions, now=now)
    sys.stdout.write(f"  counted before: {size.moved} in {(time.monotonic() - started) * 1000:.0f} ms\n")
    assert (size.total, size.counted, size.moved) == (SIGNATURES,) * 3
    await database.write(
        sets.create_set,
        set_id=set_id,
        campaign_id=campaign_id,
        conditions=conditions,
        action="quarantine",
        rule="scripted",
        because="All of them within a minute.",
        expected=size.moved,
        account_id=moderators[0],
        now=now,
    )
    return set_id


async def _kill_in_the_middle(database: Database, company: Company, set_id: UUID, chance: random.Random) -> None:
    """Kill every worker at once, each time after some more was done, and start them again."""
    workers = company.members[-WORKERS:]
    for kill in range(KILLS):
        share = SIGNATURES * (kill + chance.uniform(0.2, 0.8)) / (KILLS + 1)
        await _until(lambda share=share: _has_walked(database, set_id, share))  # type: ignore[misc]  # bound at once
        for member in workers:
            member.kill()
        for member in workers:
            member.start()


async def _has_walked(database: Database, set_id: UUID, share: float) -> bool:
    found = await database.read(find_set, set_id=set_id)
    return found is not None and (found.walked >= share or not found.is_working)


async def _is_over(database: Database, set_id: UUID) -> bool:
    found = await database.read(find_set, set_id=set_id)
    return found is not None and not found.is_working


async def _is_rolled_up(database: Database) -> bool:
    return not await database.read(lambda session: session.scalars(select(func.count(CountEvent.id))).one())


async def _until(is_true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await is_true():
        assert time.monotonic() < deadline, "it takes too long"
        await asyncio.sleep(0.02)


async def _until_served(visitors: Visitors) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            return await visitors.look(1)
        except OSError:
            await asyncio.sleep(0.2)
    raise AssertionError("nobody serves")


async def _count(database: Database, campaign_id: UUID) -> int:
    """Return the count, rolled up, after seeing that it is that of the rows."""
    total = await database.write(roll_up_count, campaign_id=campaign_id, now=utc_now())
    rows = await database.read(_count_rows, campaign_id=campaign_id)
    assert total == rows
    return total


def _add_event(session: Session, *, event: dict[str, Any]) -> None:
    session.execute(insert(CountEvent), event)


def _count_rows(session: Session, *, campaign_id: UUID) -> int:
    return session.scalars(select(func.count()).where(Signature.campaign_id == campaign_id, is_counted())).one()


def _count_decisions(session: Session, *, set_id: UUID) -> int:
    return session.scalars(select(func.count(Decision.id)).where(Decision.set_id == set_id)).one()


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "HATTHALEKHA_DATABASE_URL": settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "HATTHALEKHA_BASE_URL": settings.base_url,
    }
