"""PostgreSQL: what may be tried again is; what cannot be reached is said to be so, and works once it is back."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from app.core.db import DatabaseUnavailableError, PostgresDatabase
from app.models import LetterQuota
from tests.conftest import plain
from tests.postgres import free_port
from tests.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from tests.postgres import PostgresServer

ON_POSTGRES = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
SENTENCES = {"km": "សេវា", "en": "The service is busy", "fr": "Le service"}


def _read_letters(session: Session) -> list[int]:
    return list(session.execute(text("SELECT letters FROM letter_quotas ORDER BY hash")).scalars())


def _insert_quotas(session: Session, *, rows: list[dict[str, Any]]) -> None:
    session.execute(insert(LetterQuota), rows)


def _break_connections(session: Session) -> None:
    session.execute(
        text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
             "AND pid <> pg_backend_pid()")
    )  # fmt: skip


@ON_POSTGRES
def test_a_deadlock_is_run_again_and_both_succeed(stage: Stage) -> None:
    rows = [{"hash": bytes([number]), "day": date(2026, 3, 1), "letters": 0} for number in (1, 2)]
    stage.write(_insert_quotas, rows=rows)
    runs = []

    def add_to_both(session: Session, *, first: int, second: int) -> None:
        runs.append(first)
        for number in (first, second):
            session.execute(
                text("UPDATE letter_quotas SET letters = letters + 1 WHERE hash = :hash"), {"hash": bytes([number])}
            )
            session.execute(text("SELECT pg_sleep(0.2)"))

    async def cross() -> None:
        await asyncio.gather(
            stage.database.write(add_to_both, first=1, second=2), stage.database.write(add_to_both, first=2, second=1)
        )

    stage.run(cross())
    assert stage.read(_read_letters) == [2, 2]
    assert len(runs) > 2


@ON_POSTGRES
def test_a_serialization_failure_is_run_again(stage: Stage) -> None:
    runs = []

    def fail_twice(session: Session) -> str:
        runs.append(1)
        session.execute(insert(LetterQuota), {"hash": b"h", "day": date(2026, 3, 1), "letters": 1})
        if len(runs) < 3:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$"))
        return "done"

    assert stage.write(fail_twice) == "done"
    assert stage.read(_read_letters) == [1]


@ON_POSTGRES
def test_connections_that_died_in_the_pool_are_replaced(stage: Stage) -> None:
    async def use_several() -> None:
        await asyncio.gather(*(stage.database.read(_read_letters) for _ in range(6)))

    for call in (stage.database.write, stage.database.read):
        stage.run(use_several())
        other = PostgresDatabase(stage.settings.database_url)
        stage.run(other.write(_break_connections))
        stage.run(other.close())
        assert stage.run(call(_read_letters)) == []
    stage.run(use_several())
    other = PostgresDatabase(stage.settings.database_url)
    stage.run(other.write(_break_connections))
    stage.run(other.close())
    assert stage.get("/readyz").status_code == 200


@ON_POSTGRES
def test_a_caller_that_gives_up_leaves_nothing_behind(stage: Stage) -> None:
    def write_slowly(session: Session) -> None:
        session.execute(insert(LetterQuota), {"hash": b"h", "day": date(2026, 3, 1), "letters": 1})
        session.execute(text("SELECT pg_sleep(10)"))

    async def give_up() -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                await stage.database.write(write_slowly)

    stage.run(give_up())
    assert stage.read(_read_letters) == []


class _Gate:
    """A port that leads to the server, or nowhere."""

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self._open: list[Any] = []

    async def raise_(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)

    async def drop(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        await asyncio.sleep(0.05)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        self._open += [writer, back]
        await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_a_server_that_goes_is_said_to_be_gone_and_works_when_it_is_back(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = plain(postgres.create_database("test_gate", template="template_migrated"))
    gate = _Gate(urlsplit(url).port or 5432)
    stage = Stage(url.replace(f":{urlsplit(url).port}/", f":{gate.port}/"), tmp_path)
    stage.run(gate.raise_())
    slug = stage.campaign()
    assert stage.sign(slug).status_code == 303
    (letter,) = stage.deliver()
    stage.run(gate.drop())
    for work in (stage.write, stage.read):
        with pytest.raises(DatabaseUnavailableError):
            work(_read_letters)
    assert stage.get("/livez").status_code == 200
    assert stage.get("/readyz").status_code == 503
    stage.house.shelf._entries.clear()
    for locale, sentence in SENTENCES.items():
        for answer in (
            stage.get(f"/{locale}/campaigns/{slug}"),
            stage.sign(slug, locale=locale, email="other@example.org", browser=stage.new_browser()),
            stage.post(f"/{locale}/confirm/{letter.token('confirm')}", {"signing": "1"}),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert f'lang="{locale}"' in answer.text
            assert sentence in answer.text
    assert stage.get(f"/api/v1/campaigns/{slug}").headers["content-type"] == "application/problem+json"
    stage.run(gate.raise_())
    assert stage.get("/readyz").status_code == 200
    assert stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"}).status_code == 303
    assert stage.count(slug) == 1
    stage.run(gate.drop())
    stage.close()
    postgres.drop_database("test_gate")


def test_a_database_that_is_not_there_is_unavailable(postgres: PostgresServer) -> None:
    database = PostgresDatabase(plain(postgres.url("nowhere")))
    with asyncio.Runner() as runner:
        for call in (database.read, database.write):
            with pytest.raises(DatabaseUnavailableError):
                runner.run(call(_read_letters))
        runner.run(database.close())


@ON_POSTGRES
def test_a_broken_constraint_reaches_whoever_broke_it(stage: Stage) -> None:
    with pytest.raises(IntegrityError, match="pk_letter_quotas"):
        stage.write(_insert_quotas, rows=[{"hash": b"1", "day": date(2026, 1, 1), "letters": 1}] * 2)
