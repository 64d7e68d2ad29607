"""Fixtures: a stage on each database."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from fastapi.dependencies.utils import get_dependant
from hypothesis import HealthCheck, settings
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from app.core import migrations
from tests.postgres import PostgresServer
from tests.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fastapi.dependencies.models import Dependant
    from sqlalchemy import Dialect, Engine

_numbers = itertools.count()

# How long an example takes says more of the other test processes than of the one that it is in.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_collection_finish() -> None:
    """Look for garbage less often, and never again among the modules and tests, which stay to the end.

    Without this every sixth second goes into that.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """Keep log lines out of the way, whatever the test before has set up; tests of logging say otherwise."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())


@pytest.fixture(scope="session", autouse=True)
def _compile_once() -> Iterator[None]:
    """Let the engines of all tests share what they compile.

    Each test has a database and so engines of its own, which spent a third of a short test on making SQL of the same
    statements again. A dialect knows its database only after a first connection: until then an engine keeps its own.
    """
    shared: dict[type[Dialect], Dialect] = {}
    compiled: dict[type[Dialect], dict[object, object]] = {}

    def share(engine: Engine) -> None:
        kind = type(engine.dialect)
        known = shared.setdefault(kind, engine.dialect)
        if getattr(known, "default_schema_name", None) is None:
            shared[kind] = engine.dialect
        else:
            engine.dialect = known
        engine.update_execution_options(compiled_cache=compiled.setdefault(kind, {}))

    with pytest.MonkeyPatch.context() as patch:
        for dialect in (SQLiteDialect_pysqlite, PGDialect_asyncpg):
            patch.setattr(dialect, "engine_created", share)  # SQLAlchemy's hook for an engine that was made
        yield


@pytest.fixture(scope="session", autouse=True)
def _read_signatures_once() -> Iterator[None]:
    """Let the applications of all tests share what FastAPI reads out of the signatures of their endpoints.

    Each test has an application of its own, whose routes are the same but for the house that their methods belong to.
    Reading them was more than half of making it.
    """
    known: dict[tuple[object, ...], Dependant] = {}

    def remember(*, path: str, call: Callable[..., Any], **described: Any) -> Dependant:  # noqa: ANN401 - FastAPI's own
        method = getattr(call, "__func__", None)
        if method is None:
            return get_dependant(path=path, call=call, **described)
        key = (path, method, *sorted(described.items()))
        if key not in known:
            known[key] = get_dependant(path=path, call=call, **described)
        return dataclasses.replace(known[key], call=call)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastapi.routing.get_dependant", remember)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a real PostgreSQL with a migrated template, one for each test process."""
    with PostgresServer() as server:
        migrations.upgrade(plain(server.create_database("template_migrated")))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Make a fresh, migrated database of each kind."""
    if request.param == "sqlite":
        path = tmp_path / "hatthalekha.db"
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    yield plain(server.create_database(name, template="template_migrated"))
    server.drop_database(name)


@pytest.fixture
def stage(database_url: str, tmp_path: Path) -> Iterator[Stage]:
    """Open the application on each database."""
    opened = Stage(database_url, tmp_path)
    yield opened
    opened.close()


def plain(url: str) -> str:
    """Return a database address as our settings write it."""
    return url.replace("postgresql+asyncpg://", "postgresql://")
