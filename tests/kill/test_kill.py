"""Processes die at any moment: what was answered is kept, and what is promised at a count happens once.

``script/faults`` runs this with more people and more deaths; a run of the whole suite has fewer.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import sys
import time
from datetime import timedelta
from email import message_from_bytes
from typing import TYPE_CHECKING, Any, Final

import pytest
from sqlalchemy import insert, select, text, update

from app.actions.campaigns import Publication, import_campaign
from app.actions.signing import Signer, confirm_by_token, request_signature
from app.core import tokens
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import WrappedKey, open_keyring
from app.jobs.background import Background
from app.jobs.deliver_mail import deliver_mail
from app.mail.transport import MailboxTransport
from app.models import CampaignKey, Edition, Letter, Token
from app.rendering import pages
from app.rules.campaign_file import parse_campaign_file
from app.settings import Settings
from tests.kill.company import Company, Crowd
from tests.stage import small_campaign

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.db import Database
    from app.core.keys import Keyring

AT_ONCE: Final = int(os.environ.get("TEST_KILL_PEOPLE", "60"))
TWICE: Final = AT_ONCE // 5  # of those, so many press in two windows
THRESHOLD: Final = AT_ONCE * 5 // 3
BEFORE: Final = THRESHOLD - 1
BY_HAND: Final = AT_ONCE // 3  # of those before, so many through the servers; the rest with the action itself
ROUNDS: Final = int(os.environ.get("TEST_KILL_ROUNDS", "1"))  # in each, a server and a worker die
SETTLING_SECONDS: Final = 60.0
LONGEST_PAUSE: Final = 1.2
COMPANIES: Final = {"sqlite": {"servers": 1, "workers": 1}, "postgresql": {"servers": 2, "workers": 2}}


@pytest.mark.slow
def test_killed_processes_lose_no_confirmation_and_cross_a_threshold_once(database_url: str, tmp_path: Path) -> None:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")
    settings = Settings(database_url=database_url, keys_dir=tmp_path / "keys")
    asyncio.run(_kill_and_look(settings, tmp_path, random.Random(seed)))


async def _kill_and_look(settings: Settings, folder: Path, chance: random.Random) -> None:
    database, keyring = open_database(settings.database_url), open_keyring(settings.keys_dir)
    slug, links = await database.write(_prepare, keyring=keyring, now=utc_now())
    environment = {
        "HATTHALEKHA_DATABASE_URL": settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "HATTHALEKHA_BASE_URL": settings.base_url,
    }
    company = Company(environment, folder, **COMPANIES[settings.database_url.partition(":")[0]])
    crowd = Crowd(company.ports, chance)
    started = time.monotonic()
    try:
        assert await crowd.count(slug) == 0
        # As fast as this machine can start processes, and no faster: they should get to work between their deaths.
        pause = min((time.monotonic() - started) / len(company.members), LONGEST_PAUSE)
        await asyncio.gather(*(crowd.press(token) for token in links[:BY_HAND]))
        assert await crowd.count(slug) == BY_HAND
        await database.write(_confirm, links=links[BY_HAND:BEFORE], now=utc_now())
        assert await database.read(_rows, "SELECT count(*) FROM crossings") == [(0,)]
        within = pause * ROUNDS * 2
        await asyncio.gather(
            company.kill_at_random(chance, pause, ROUNDS),
            *(crowd.press(token, within=within) for token in links[BEFORE:] + links[-TWICE:]),
        )
        await _settle(database)
        confirmed = len(links)
        assert await crowd.count(slug) == confirmed
    finally:
        company.stop()
    sys.stdout.write(
        f"{company.kills} kills, {len(crowd.answered)} answers, {crowd.lost_connections} connections lost, "
        f"{time.monotonic() - started:.1f} s\n"
    )
    assert company.kills == ROUNDS * 2
    assert crowd.other_statuses <= {503}
    assert set(crowd.answered) == {*links[:BY_HAND], *links[BEFORE:]}
    # A worker may have appended to the log in its last second, and owed letters about that which it could not send.
    await database.write(_end_leases, now=utc_now())
    await deliver_mail(Background(settings, database, keyring, pages(), MailboxTransport(settings.mailbox_dir)))
    await _check_tables(database, confirmed)
    [(letters,)] = await database.read(_rows, "SELECT count(*) FROM letters WHERE signature_id IS NULL")
    _check_letters(settings.mailbox_dir, letters)
    await database.close()


async def _settle(database: Database) -> None:
    """Wait until nothing is left to count or to send."""
    deadline = time.monotonic() + SETTLING_SECONDS
    while time.monotonic() < deadline:
        # The five minutes for which a dead worker still holds a letter are let pass.
        await database.write(_end_leases, now=utc_now())
        await asyncio.sleep(0.2)
        left = await database.read(
            _rows,
            "SELECT (SELECT count(*) FROM count_events), (SELECT count(*) FROM letters WHERE state = 'queued'), "
            "(SELECT count(*) FROM crossings)",
        )
        if left == [(0, 0, 1)]:
            return
    raise AssertionError(f"events, letters left to send, crossings: {left}")


async def _check_tables(database: Database, confirmed: int) -> None:
    states = await database.read(_rows, "SELECT state, count(*) FROM signatures GROUP BY state")
    assert states == [("confirmed", confirmed)]
    assert await database.read(_rows, "SELECT signatures FROM campaign_counts") == [(confirmed,)]
    crossings = await database.read(_rows, "SELECT signatures, reached_at FROM crossings")
    assert len(crossings) == 1
    assert THRESHOLD <= crossings[0][0] <= confirmed
    assert await database.read(_rows, "SELECT reached_at FROM thresholds") == [crossings[0][1:]]
    owed = "SELECT kind, state, count(*) FROM letters WHERE kind LIKE 'crossing%' GROUP BY kind, state ORDER BY kind"
    assert await database.read(_rows, owed) == [("crossing_office", "sent", 1), ("crossing_organiser", "sent", 1)]
    # Workers append to the log now and then, and may be killed while they do.
    [(logged,)] = await database.read(_rows, "SELECT count(*) FROM signatures WHERE is_logged")
    sizes = await database.read(_rows, "SELECT tree, size FROM log_trees ORDER BY tree DESC")
    leaves = await database.read(_rows, "SELECT tree, count(*) FROM log_leaves GROUP BY tree ORDER BY tree DESC")
    assert dict(sizes).get("signed", 0) == dict(leaves).get("signed", 0) == logged
    last = await database.read(_rows, "SELECT signatures FROM checkpoints ORDER BY number DESC LIMIT 1")
    assert last == ([(logged,)] if logged else [])


def _check_letters(mailbox: Path, letters: int) -> None:
    """See that both got each letter that was owed, about the crossing or with a checkpoint, and copies are the same."""
    copies: dict[str, set[tuple[str, bytes]]] = {}
    for path in (mailbox / "new").iterdir():
        raw = path.read_bytes()
        mail = message_from_bytes(raw)
        copies.setdefault(str(mail["To"]), set()).add((str(mail["Message-ID"]), raw))
    each = letters // 2
    assert {to: len(different) for to, different in copies.items()} == {
        "organiser@example.org": each,
        "office@example.org": each,
    }


def _prepare(session: Session, *, keyring: Keyring, now: datetime) -> tuple[str, list[str]]:
    """Make a campaign and people who have their letters; return its slug and their confirmation tokens."""
    label = {"en": "It is presented"}
    document = small_campaign() | {"thresholds": [{"signatures": THRESHOLD, "label": label}]}
    file = parse_campaign_file(json.dumps(document).encode())
    campaign_id = import_campaign(session, file=file, keyring=keyring, now=now, publication=Publication(30))
    for number in range(BEFORE + AT_ONCE):
        _sign(session, campaign_id, number, keyring=keyring, now=now)
    session.execute(update(Letter).values(state="sent", written_at=now, sent_at=now, attempts=1))
    letters = session.execute(select(Letter.id, Letter.signature_id)).all()
    links = [tokens.make_token(keyring.tokens, "confirm", letter.id) for letter in letters]
    session.execute(
        insert(Token),
        [
            {
                "hash": tokens.hash_token("confirm", link),
                "purpose": "confirm",
                "letter_id": letter.id,
                "signature_id": letter.signature_id,
                "created_at": now,
                "expires_at": now + timedelta(days=7),
            }
            for letter, link in zip(letters, links, strict=True)
        ],
    )
    return file.slug, links


def _sign(session: Session, campaign_id: UUID, number: int, *, keyring: Keyring, now: datetime) -> None:
    stored = session.scalars(select(CampaignKey)).one()
    request_signature(
        session,
        campaign_id=campaign_id,
        edition_id=session.scalars(select(Edition.id)).one(),
        locale="en",
        signer=Signer(
            name="សុខ សុភា",
            email=f"signer-{number}@example.org",
            country="CA",
            subdivision="CA-BC",
            postal_code="V3B 1A1",
            phone=None,
            claims=("citizen_of:CA",),
            is_name_shown=False,
            wants_updates=False,
        ),
        key=keyring.data_key(campaign_id, stored.version, WrappedKey(stored.root_version, stored.sealed)),
        now=now,
    )


def _confirm(session: Session, *, links: list[str], now: datetime) -> None:
    for link in links:
        confirm_by_token(session, token=link, now=now)


def _end_leases(session: Session, *, now: datetime) -> None:
    session.execute(update(Letter).where(Letter.state == "queued", Letter.due_at > now).values(due_at=now))


def _rows(session: Session, statement: str) -> list[Any]:
    return [tuple(row) for row in session.execute(text(statement))]
