"""Workers die while an update is sent: every signer gets it, and twice only what died between relay and database.

``script/faults`` runs this with 10,000 signers; a run of the whole suite has fewer.
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
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from app.actions.accounts import find_or_create_account
from app.actions.campaigns import Publication, import_campaign
from app.actions.updates import queue_update, try_update
from app.core.clock import utc_now
from app.core.db import Database, open_database
from app.core.keys import open_keyring
from app.jobs.background import Background
from app.jobs.deliver_mail import CONNECTIONS, deliver_mail
from app.jobs.fan_out import fan_out
from app.mail import outbox
from app.mail.transport import RelayTransport
from app.models import Letter, Update
from app.rendering import pages
from app.rules.campaign_file import parse_campaign_file
from app.settings import Settings
from tests.kill.company import Company
from tests.mail.relay import Delivery, Relay
from tests.signers import insert_signers
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

SIGNERS: Final = int(os.environ.get("TEST_UPDATE_SIGNERS", "80"))
KILLS: Final = int(os.environ.get("TEST_UPDATE_KILLS", "1"))
WORKERS: Final = 2
PATIENCE: Final = 60.0 + SIGNERS / 10


class Sink(Relay):
    """A relay that knows when it took what."""

    def __init__(self) -> None:
        """Take everything."""
        super().__init__()
        self.deliveries = self.taken = _Noting()

    @property
    def copies(self) -> Counter[str]:
        """How often each letter came, by its Message-ID."""
        return self.taken.copies


class _Noting(list[Delivery]):
    """A list that notes the moment of each addition, and counts what comes again."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[float] = []
        self.copies: Counter[str] = Counter()

    def append(self, delivery: Delivery) -> None:
        super().append(delivery)
        self.moments.append(time.perf_counter())
        self.copies[_message_id(delivery)] += 1


def _message_id(delivery: Delivery) -> str:
    return delivery.raw.partition(b"Message-ID: <")[2].partition(b"@")[0].decode()


@pytest.mark.slow
def test_an_update_reaches_everybody_once_though_workers_are_killed(database_url: str, tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")
    settings = Settings(database_url=database_url, keys_dir=tmp_path / "keys")
    asyncio.run(_kill_and_look(settings, tmp_path, random.Random(seed)))


async def _kill_and_look(settings: Settings, folder: Path, chance: random.Random) -> None:
    database, sink = await _prepare(settings)
    company = Company(_environment(settings, sink), folder, servers=0, workers=WORKERS)
    recorded: list[tuple[set[str], Counter[str]]] = []
    try:
        for kill in range(KILLS):
            # Somewhere in the middle: each time after some more have left.
            share = SIGNERS * (kill + chance.uniform(0.2, 0.8)) / (KILLS + 1)
            await _until(lambda share=share: len(sink.taken) >= share)  # type: ignore[misc]  # bound at once
            for member in company.members:
                member.kill()
            # What the dead still had on the wire arrives.
            await asyncio.sleep(0.3)
            recorded.append((await database.read(_list_sent), Counter(sink.copies)))
            await database.write(_end_leases, now=utc_now())
            for member in company.members:
                member.start()
        await _until(lambda: len(sink.copies) == SIGNERS)
        await _until_sent(database)
    finally:
        company.stop()
        await sink.stop()
    await _check(database, sink, recorded, company.kills)
    await database.close()


async def _check(database: Database, sink: Sink, recorded: list[tuple[set[str], Counter[str]]], kills: int) -> None:
    copies = sink.copies
    letters: dict[str, set[tuple[str, bytes]]] = {}
    for delivery in sink.taken:
        (recipient,) = delivery.recipients
        letters.setdefault(recipient, set()).add((_message_id(delivery), delivery.raw))
    assert set(letters) == {_email(number) for number in range(SIGNERS)}, "everybody"
    assert {len(different) for different in letters.values()} == {1}, "one Message-ID each, and the same bytes"
    twice = sum(copies.values()) - SIGNERS
    for sent, before in recorded:
        assert all(copies[letter] == before[letter] for letter in sent), "nothing recorded as sent goes again"
    assert kills == KILLS * WORKERS
    assert twice <= kills * CONNECTIONS
    assert await database.read(_states) == [("sent", SIGNERS)]
    sys.stdout.write(f"{SIGNERS} signers, {kills} kills, {twice} letters twice\n")


@pytest.mark.slow
def test_the_moment_between_the_relay_and_the_database_is_short(database_url: str, tmp_path: Path) -> None:
    settings = Settings(database_url=database_url, keys_dir=tmp_path / "keys")
    window, seconds = asyncio.run(_measure(settings))
    window.sort()
    median, worst = statistics.median(window) * 1000, window[len(window) * 99 // 100] * 1000
    sys.stdout.write(f"{SIGNERS / seconds:.0f} letters/s; median {median:.1f} ms, p99 {worst:.1f} ms until recorded\n")
    assert len(window) == SIGNERS
    assert median < 1000, "or a worker that dies sends whole batches again"


async def _measure(settings: Settings) -> tuple[list[float], float]:
    """Send an update from this process; return how long each letter was taken and not recorded, and all of it took."""
    database, sink = await _prepare(settings)
    watched = _Watched(database)
    background = Background(
        settings, watched, open_keyring(settings.keys_dir), pages(), RelayTransport(f"smtp://127.0.0.1:{sink.port}")
    )
    started = time.perf_counter()
    while await fan_out(background) or await deliver_mail(background):
        pass
    seconds = time.perf_counter() - started
    await asyncio.sleep(0.2)  # until the last connections are closed
    await sink.stop()
    await database.close()
    taken = {_message_id(each): moment for each, moment in zip(sink.taken, sink.taken.moments, strict=True)}
    return [watched.recorded[letter] - moment for letter, moment in taken.items()], seconds


class _Watched(Database):
    """A database that notes when a letter was recorded as sent, its transaction over."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.recorded: dict[str, float] = {}

    async def write(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - passes on whatever it is
        answer = await self._database.write(work, *args, **kwargs)
        if work is outbox.mark_sent:
            self.recorded[kwargs["letter_id"].hex] = time.perf_counter()
        return answer

    async def read(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the same
        return await self._database.read(work, *args, **kwargs)

    async def close(self) -> None:
        await self._database.close()


async def _prepare(settings: Settings) -> tuple[Database, Sink]:
    """Make a campaign, its signers, and an update that is sent off; and listen for what comes."""
    database, keyring = open_database(settings.database_url), open_keyring(settings.keys_dir)
    await database.write(_make, keyring=keyring, now=utc_now())
    return database, await Sink().start()


def _make(session: Session, *, keyring: Keyring, now: datetime) -> None:
    file = parse_campaign_file(json.dumps(small_campaign()).encode())
    campaign_id = import_campaign(session, file=file, keyring=keyring, now=now, publication=Publication(30))
    account_id = find_or_create_account(session, email="owner@example.org", locale="en", keyring=keyring, now=now)
    emails = [_email(number) for number in range(SIGNERS)]
    insert_signers(session, slug=file.slug, emails=emails, keyring=keyring, now=now)
    update_id = uuid4()
    body = "She listened to all of us.\n\n" * 20
    session.add(
        Update(
            id=update_id,
            campaign_id=campaign_id,
            texts={"en": {"title": "We met the minister", "body": body}},
            state="draft",
            version=1,
            created_at=now,
            recipients=0,
        )
    )
    session.flush()
    shown: dict[str, Any] = {
        "update_id": update_id,
        "campaign_id": campaign_id,
        "version": 1,
        "account_id": account_id,
        "now": now,
    }
    try_update(session, once="test", **shown)
    # The author has read it: only the letters to signers are looked at here.
    session.execute(update(Letter).values(state="sent", written_at=now, sent_at=now))
    queue_update(session, **shown)


def _email(number: int) -> str:
    return f"signer-{number}@example.org"


def _environment(settings: Settings, sink: Sink) -> dict[str, str]:
    return {
        "HATTHALEKHA_DATABASE_URL": settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "HATTHALEKHA_BASE_URL": settings.base_url,
        "HATTHALEKHA_SMTP_URL": f"smtp://127.0.0.1:{sink.port}",
    }


async def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < deadline, "it takes too long"
        await asyncio.sleep(0.02)


async def _until_sent(database: Database) -> None:
    deadline = time.monotonic() + PATIENCE
    while await database.read(lambda session: session.scalars(select(Update.state)).one()) != "sent":
        assert time.monotonic() < deadline, "the update is not said to be sent"
        await asyncio.sleep(0.2)


def _end_leases(session: Session, *, now: datetime) -> None:
    """Let the five minutes pass for which the dead still hold letters. All are dead: nobody living loses a claim."""
    session.execute(update(Letter).where(Letter.state == "queued", Letter.due_at > now).values(due_at=now))


def _list_sent(session: Session) -> set[str]:
    ids: list[UUID] = list(session.scalars(select(Letter.id).where(Letter.state == "sent", Letter.kind == "update")))
    return {letter_id.hex for letter_id in ids}


def _states(session: Session) -> list[tuple[str, int]]:
    rows = session.execute(select(Letter.state, func.count()).where(Letter.kind == "update").group_by(Letter.state))
    return [(state, number) for state, number in rows]
