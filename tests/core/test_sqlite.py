"""SQLite: one durable commit for many callers, each told the truth about its own part."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from app.core.db import DatabaseUnavailableError, SqliteDatabase
from app.models import LetterQuota, QuotaSalt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

DAY = date(2026, 3, 1)


@pytest.fixture
def path(tmp_path: Path, sqlite_template: Path) -> Path:
    copy = tmp_path / "some.db"
    copy.write_bytes(sqlite_template.read_bytes())
    return copy


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as opened:
        yield opened


def _add(session: Session, *, number: int, then: str = "") -> int:
    session.execute(insert(LetterQuota), {"hash": number.to_bytes(4), "day": DAY, "letters": number})
    if then == "raise":
        raise LookupError(number)
    if then == "break a constraint":
        session.execute(insert(LetterQuota), {"hash": number.to_bytes(4), "day": DAY, "letters": 0})
    if then == "break a constraint at the flush":
        session.add(LetterQuota(hash=number.to_bytes(4), day=DAY, letters=0))
    return number


def _swell(session: Session, *, day: int) -> None:
    session.execute(insert(QuotaSalt), {"day": date(2026, 3, day), "salt": b"x" * 200_000})


def _count(session: Session) -> int:
    counted: int = session.execute(text("SELECT count(*) FROM letter_quotas")).scalar_one()
    return counted


def _in_one_batch(runner: asyncio.Runner, database: SqliteDatabase, calls: list[dict[str, Any]]) -> list[Any]:
    """Run ``_add`` for each of ``calls`` while the writer waits, so that they fall into one batch."""
    holds, may_go = threading.Event(), threading.Event()

    def hold(_: Session) -> None:
        holds.set()
        may_go.wait(10)

    async def run() -> list[Any]:
        holding = asyncio.create_task(database.write(hold))
        await asyncio.to_thread(holds.wait, 10)
        waiting = [asyncio.create_task(database.write(_add, **call)) for call in calls]
        await asyncio.sleep(0)
        may_go.set()
        await asyncio.gather(holding, return_exceptions=True)
        return await asyncio.gather(*waiting, return_exceptions=True)

    return runner.run(run())


@pytest.mark.parametrize("then", ["raise", "break a constraint", "break a constraint at the flush"])
def test_a_call_that_fails_fails_alone(path: Path, runner: asyncio.Runner, then: str) -> None:
    database = SqliteDatabase(path)
    calls = [{"number": number, "then": then if number % 10 == 3 else ""} for number in range(60)]
    answers = _in_one_batch(runner, database, calls)
    expected = LookupError if then == "raise" else IntegrityError
    for number, answer in enumerate(answers):
        assert isinstance(answer, expected) if number % 10 == 3 else answer == number
    assert runner.run(database.read(_count)) == 54
    runner.run(database.close())


def test_a_full_disk_fails_the_whole_batch_and_leaves_nothing_half_done(path: Path, runner: asyncio.Runner) -> None:
    database = SqliteDatabase(path)
    pages = runner.run(database.write(lambda session: session.execute(text("PRAGMA page_count")).scalar_one()))
    runner.run(database.write(lambda session: session.execute(text(f"PRAGMA max_page_count={pages + 8}")).scalar_one()))

    async def fill() -> list[Any]:
        adding = [database.write(_add, number=number) for number in range(5)]
        return await asyncio.gather(*adding, database.write(_swell, day=1), return_exceptions=True)

    answers = runner.run(fill())
    assert isinstance(answers[-1], DatabaseUnavailableError)
    kept = [answer for answer in answers[:-1] if not isinstance(answer, BaseException)]
    assert {type(answer) for answer in answers[:-1] if isinstance(answer, BaseException)} <= {DatabaseUnavailableError}
    assert runner.run(database.read(_count)) == len(kept)
    assert runner.run(database.write(_add, number=99)) == 99, "there is room for little things"
    assert runner.run(database.read(_count)) == len(kept) + 1
    runner.run(database.close())


def test_a_commit_that_fails_fails_every_caller(
    path: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = SqliteDatabase(path)
    runner.run(database.write(_add, number=1))
    dialect = database._write_engine.dialect

    def refuse(connection: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(dialect, "do_commit", refuse)
    answers = _in_one_batch(runner, database, [{"number": number} for number in range(2, 30)])
    assert {type(answer) for answer in answers} == {DatabaseUnavailableError}
    monkeypatch.undo()
    assert runner.run(database.read(_count)) == 1
    assert runner.run(database.write(_add, number=2)) == 2
    assert runner.run(database.read(_count)) == 2
    runner.run(database.close())


def test_a_checkpoint_that_fails_takes_nothing_back(
    path: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = SqliteDatabase(path)

    def refuse(_: SqliteDatabase) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(SqliteDatabase, "_checkpoint_when_due", refuse)
    assert runner.run(database.write(_add, number=1)) == 1
    assert runner.run(database.read(_count)) == 1
    runner.run(database.close())


@pytest.mark.parametrize("holder", ["our lock", "the database"])
def test_another_process_that_holds_the_lock_delays_and_does_not_fail(
    path: Path, runner: asyncio.Runner, holder: str
) -> None:
    database = SqliteDatabase(path)
    runner.run(database.write(_add, number=1))
    hold = {
        "our lock": "import fcntl; lock = open(sys.argv[1] + '.lock', 'r+'); fcntl.flock(lock, fcntl.LOCK_EX)",
        "the database": "import sqlite3; db = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "db.execute('BEGIN IMMEDIATE')",
    }[holder]
    code = f"import sys; {hold}; print('held', flush=True); sys.stdin.readline()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"

        async def write_meanwhile() -> tuple[bool, list[int]]:
            writing = asyncio.gather(*(database.write(_add, number=number) for number in (2, 3)))
            await asyncio.sleep(0.5)
            has_waited = not writing.done()
            assert await database.read(_count) == 1, "readers do not wait"
            process.communicate("go\n")
            return has_waited, await writing

        assert runner.run(write_meanwhile()) == (True, [2, 3])
    runner.run(database.close())


def test_a_caller_that_gives_up_waiting_harms_nobody(path: Path, runner: asyncio.Runner) -> None:
    database = SqliteDatabase(path)

    async def give_up() -> list[Any]:
        writing = [asyncio.create_task(database.write(_add, number=number)) for number in range(10)]
        await asyncio.sleep(0)
        writing[4].cancel()
        return await asyncio.gather(*writing, return_exceptions=True)

    answers = runner.run(give_up())
    assert isinstance(answers.pop(4), asyncio.CancelledError)
    assert answers == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert runner.run(database.write(_add, number=10)) == 10
    runner.run(database.close())


def test_closing_finishes_what_was_accepted(path: Path, runner: asyncio.Runner) -> None:
    database = SqliteDatabase(path)

    async def write_and_close() -> list[int]:
        writing = [asyncio.create_task(database.write(_add, number=number)) for number in range(200)]
        await asyncio.sleep(0)
        await database.close()
        return await asyncio.gather(*writing)

    assert runner.run(write_and_close()) == list(range(200))
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM letter_quotas").fetchone() == (200,)
    connection.close()


def test_what_a_read_changes_is_thrown_away(path: Path, runner: asyncio.Runner) -> None:
    database = SqliteDatabase(path)
    assert runner.run(database.read(_add, number=1)) == 1
    assert runner.run(database.read(_count)) == 0
    runner.run(database.close())


def test_commits_are_durable_and_references_are_checked(path: Path, runner: asyncio.Runner) -> None:
    database = SqliteDatabase(path)

    def ask(session: Session) -> list[object]:
        return [
            session.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]

    assert runner.run(database.write(ask)) == ["wal", 2, 1]
    runner.run(database.close())
