"""Migrations: bring a database to the newest schema, and tell whether it is there."""

from __future__ import annotations

import asyncio
import os
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine

from app.core.db import DatabaseUnavailableError, exclusive, open_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.config import Config
    from sqlalchemy import Connection, MetaData
    from sqlalchemy.orm import Session

ROOT = Path(__file__).resolve().parents[2]


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``. Raises DatabaseUnavailableError."""
    run_on_database(url, partial(_command, "upgrade", revision))


def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` back to ``revision``; what the newer tables held is lost."""
    run_on_database(url, partial(_command, "downgrade", revision))


def find_drift(url: str, metadata: MetaData) -> list[str]:
    """Return how the database at ``url`` differs from the tables of ``metadata``, a line for each difference."""
    found: list[str] = []

    def compare(connection: Connection) -> None:
        from alembic.autogenerate import compare_metadata
        from alembic.migration import MigrationContext

        context = MigrationContext.configure(connection)
        revision = context.get_current_revision()
        if revision != newest_revision():
            # Its tables differ, too, and each of them would only say the same again.
            found.append(f"the database stands at {revision or 'nothing'}, and the code expects {newest_revision()}")
            return
        found.extend(" ".join(str(each).split()) for each in compare_metadata(context, metadata))

    run_on_database(url, compare)
    return found


@cache
def newest_revision() -> str:
    """Return the revision that this code expects."""
    from alembic.script import ScriptDirectory

    return str(ScriptDirectory.from_config(_config()).get_current_head())


def is_current(session: Session, *, newest: str) -> bool:
    """Tell whether the database stands at ``newest``."""
    try:
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest
    except DBAPIError as fault:
        if fault.connection_invalidated:  # no answer at all, and `core.db` knows what to do about that
            raise
        return False


def run_on_database(url: str, work: Callable[[Connection], None]) -> None:
    """Run ``work`` on a connection of its own, in one transaction, while no other process writes.

    Raises DatabaseUnavailableError, from what stood in the way.
    """
    try:
        if url.startswith("sqlite:///"):
            _run_on_sqlite(Path(url.removeprefix("sqlite:///")), work)
        else:
            asyncio.run(_run_on_postgres(url, work))
    except (OSError, OperationalError) as fault:
        raise DatabaseUnavailableError from fault


def _run_on_sqlite(path: Path, work: Callable[[Connection], None]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's, seen through SQLAlchemy
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    lock = open_lock(path)
    try:
        with exclusive(lock), engine.begin() as connection:
            work(connection)
    finally:
        engine.dispose()
        os.close(lock)


async def _run_on_postgres(url: str, work: Callable[[Connection], None]) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    try:
        async with engine.begin() as connection:
            # Two servers that start together migrate one after the other.
            await connection.execute(text("SELECT pg_advisory_xact_lock(4857116)"))
            await connection.run_sync(work)
    finally:
        await engine.dispose()


def _command(name: str, revision: str, connection: Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    getattr(command, name)(config, revision)


def _config() -> Config:
    # Imported here, since a server that only asks for the newest revision starts without the rest of Alembic.
    from alembic.config import Config

    return Config(ROOT / "alembic.ini")
