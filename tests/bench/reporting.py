"""Measure a report of many signatures: ``python -m tests.bench.reporting [--signatures N] [--database KIND]``.

The command runs in a process of its own, as an operator starts it, on a database that nothing has read before. It is
to take less than a minute and 200 MB for a million signatures; a report that takes more ends this with status 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sqlalchemy import func, insert, select, text, update

from app.actions.campaigns import Publication, import_campaign
from app.core import migrations
from app.core.clock import utc_now
from app.core.db import dialect_of, open_database
from app.core.keys import Keyring, open_keyring
from app.models import Campaign, CampaignCount, Checkpoint, Signature
from app.proofs.notes import write_checkpoint
from app.queries.log import list_signers, name_origin
from app.rules.campaign_file import parse_campaign_file
from tests.bench.processes import ROOT
from tests.postgres import PostgresServer
from tests.reporting import insert_forms
from tests.stage import small_campaign

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOST_SECONDS: Final = 60
MOST_MEGABYTES: Final = 200
BASE_URL: Final = "https://hatthalekha.example"
SEED: Final = 1000
#: What no two rows may share, made by each database.
NEW: Final = {
    "sqlite": {"id": "lower(hex(randomblob(16)))", "email_index": "randomblob(32)"},
    "postgresql": {"id": "gen_random_uuid()", "email_index": "decode(md5(random()::text), 'hex')"},
}


def main() -> None:
    """Measure on each database, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signatures", type=int, default=1_000_000)
    parser.add_argument("--database", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    is_good = True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.database in {None, "sqlite"}:
            is_good &= measure(f"sqlite:///{folder / 'reporting.db'}", folder / "sqlite", options.signatures)
        if options.database in {None, "postgresql"}:
            with PostgresServer(durable=True) as server:
                server.create_database("reporting")
                is_good &= measure(server.dsn("reporting"), folder / "postgresql", options.signatures)
    sys.exit(0 if is_good else 1)


def measure(url: str, folder: Path, number: int) -> bool:
    """Print how long the report of ``number`` signatures took and what memory; tell whether that is little enough."""
    migrations.upgrade(url)
    slug = asyncio.run(fill(url, open_keyring(folder / "keys"), number))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HATTHALEKHA_")}
    environment |= {
        "HATTHALEKHA_DATABASE_URL": url,
        "HATTHALEKHA_KEYS_DIR": str(folder / "keys"),
        "HATTHALEKHA_BASE_URL": BASE_URL,
    }
    command = [sys.executable, "-m", "app", "report", slug, "--out", str(folder / "report")]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    _, status, used = os.wait4(process.pid, 0)  # which alone tells the memory of this one process
    seconds, megabytes = time.perf_counter() - began, used.ru_maxrss / 1024
    assert process.stdout is not None
    said = process.stdout.read().decode().splitlines()
    kind = url.partition(":")[0]
    print(f"{kind}: {seconds:.1f} s, {megabytes:.0f} MB, status {status}: {said[:1]}")
    return status == 0 and seconds < MOST_SECONDS and megabytes < MOST_MEGABYTES


async def fill(url: str, keyring: Keyring, number: int) -> str:
    """Import a campaign, put ``number`` signatures into it that the log counts, and return its slug."""
    database = open_database(url)
    file = parse_campaign_file(json.dumps(small_campaign()).encode())
    now = utc_now()
    await database.write(import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30))

    def seed(session: Session) -> None:
        insert_forms(session, slug=file.slug, number=min(SEED, number), keyring=keyring, until=now, is_logged=True)

    await database.write(seed)
    left = number - SEED
    while left > 0:
        left -= await database.write(_copy_rows, most=left)
    await database.write(_sign_log, slug=file.slug, number=number, keyring=keyring)
    if url.startswith("postgresql"):
        await database.write(_analyze)
    await database.close()
    return file.slug


def _analyze(session: Session) -> None:
    """Let the database know what a server that has been running for a while knows."""
    session.execute(text("ANALYZE"))


def _copy_rows(session: Session, *, most: int) -> int:
    """Double the signatures, or add as many as are missing."""
    columns = [column.name for column in Signature.__table__.columns]
    new = NEW[dialect_of(session)]
    chosen = ", ".join(new.get(name, name) for name in columns)
    copied: Any = session.execute(
        text(f"INSERT INTO signatures ({', '.join(columns)}) SELECT {chosen} FROM signatures LIMIT :most"),  # noqa: S608 - our own names
        {"most": most},
    )
    return int(copied.rowcount)


def _sign_log(session: Session, *, slug: str, number: int, keyring: Keyring) -> None:
    """Write the checkpoint that these signatures would have; no report reads the tree behind it."""
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    assert session.scalar(select(func.count()).select_from(Signature)) == number
    session.execute(update(CampaignCount).values(signatures=number))
    host = BASE_URL.partition("://")[2]
    signers = list_signers(keyring, host=host)
    notes = {
        f"{tree}_note": write_checkpoint(name_origin(host, slug, tree), size, bytes(32), signers)
        for tree, size in (("signed", number), ("removed", 0))
    }
    session.execute(
        insert(Checkpoint),
        {
            "id": uuid4(),
            "campaign_id": campaign_id,
            "number": 1,
            "made_at": utc_now(),
            "signatures": number,
            "signed_size": number,
            "removed_size": 0,
            **notes,
        },
    )


if __name__ == "__main__":
    main()
