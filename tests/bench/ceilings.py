"""Bare ceilings: what the same parts do where nothing stands between them. Run as ``python -m tests.bench.ceilings``.

``answer``: an ASGI application that answers the same bytes to everything. ``rows``: FastAPI that reads the same form
and writes rows of the same size into the same tables, bare and durably, with no rule, no encryption and no cookie.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import pickle
import queue
import sqlite3
import threading
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl

import asyncpg
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request  # noqa: TC002 - FastAPI reads annotations while it runs
from starlette.responses import RedirectResponse, Response

from app.core.db import BATCH, CHECKPOINT_BYTES, exclusive, open_lock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

ANSWER: Final = "BENCH_ANSWER"
DATABASE: Final = "BENCH_DATABASE"
CAMPAIGN: Final = "BENCH_CAMPAIGN"
EDITION: Final = "BENCH_EDITION"
POOL: Final = 16
SEALING: Final = 28  # the bytes that AES-GCM adds: a nonce and a tag
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

SIGNATURE_COLUMNS: Final = (
    *("id", "campaign_id", "edition_id", "locale", "state", "version", "slot", "email_index", "details_index"),
    *("person_index", "domain_index", "name", "email", "phone", "postal_code", "country", "subdivision", "claims"),
    *("is_name_shown", "wants_updates", "created_at", "letters", "last_letter_at", "code_tries"),
)
LETTER_COLUMNS: Final = (
    *("id", "kind", "campaign_id", "signature_id", "locale", "dedupe_key", "state", "due_at", "attempts"),
    "created_at",
)


def _insert(table: str, columns: tuple[str, ...], *, numbered: bool) -> str:
    marks = (f"${place}" if numbered else "?" for place in range(1, len(columns) + 1))
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(marks)})"  # noqa: S608 - our own words


def _rows(form: dict[str, str], locale: str) -> tuple[list[Any], list[Any]]:
    """Return a signature and its letter, sealed fields and indexes as noise of the right length."""
    signature, now = uuid.uuid4(), datetime.now(UTC)
    campaign = uuid.UUID(os.environ[CAMPAIGN])
    index = hashlib.sha256(form["email"].encode()).digest()
    sealed = [os.urandom(SEALING + len(form[name].encode())) for name in ("name", "email", "phone", "postal_code")]
    return (
        [
            *(signature, campaign, uuid.UUID(os.environ[EDITION]), locale, "pending", 1, 1, index, index, index, index),
            *(*sealed, form["country"], form["subdivision"], f'["{form["claims"]}"]', False, True, now, 1, now, 0),
        ],
        [
            *(uuid.uuid4(), "confirm", campaign, signature, locale, f"signature:{signature.hex}:1", "queued", now),
            *(0, now),
        ],
    )


class Rows(Protocol):
    """Where the ceiling writes."""

    async def open(self) -> None:
        """Connect."""

    async def close(self) -> None:
        """Disconnect."""

    async def sign(self, signature: list[Any], letter: list[Any]) -> None:
        """Insert two rows and commit."""

    async def confirm(self, token_hash: bytes, now: datetime) -> bool:
        """Update one row where it is still pending, insert one where that was so, commit."""


class PostgresRows:
    """Bare asyncpg."""

    SIGN = (
        _insert("signatures", SIGNATURE_COLUMNS, numbered=True),
        _insert("letters", LETTER_COLUMNS, numbered=True),
    )
    CONFIRM = (
        """UPDATE signatures SET state = 'confirmed', confirmed_at = $2 WHERE state = 'pending' AND id =
        (SELECT signature_id FROM tokens WHERE hash = $1 AND purpose = 'confirm' AND expires_at > $2)
        RETURNING campaign_id""",
        "INSERT INTO count_events (campaign_id, change, at) VALUES ($1, 1, $2)",
    )

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._pool: Any = None

    async def open(self) -> None:
        async def keep_as_it_is(_: object) -> None:
            """Spare the round trip with which the pool would clean a connection that nobody dirtied."""

        self._pool = await asyncpg.create_pool(self._dsn, min_size=POOL, max_size=POOL, reset=keep_as_it_is)

    async def close(self) -> None:
        await self._pool.close()

    async def sign(self, signature: list[Any], letter: list[Any]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self.SIGN[0], *signature)
            await connection.execute(self.SIGN[1], *letter)

    async def confirm(self, token_hash: bytes, now: datetime) -> bool:
        async with self._pool.acquire() as connection, connection.transaction():
            campaign = await connection.fetchval(self.CONFIRM[0], token_hash, now)
            if campaign is not None:
                await connection.execute(self.CONFIRM[1], campaign, now)
            return campaign is not None


class SqliteRows:
    """sqlite3 in one thread, group commit, every commit on disk; processes take turns as the project's do."""

    SIGN = (
        _insert("signatures", SIGNATURE_COLUMNS, numbered=False),
        _insert("letters", LETTER_COLUMNS, numbered=False),
    )
    CONFIRM = (
        """UPDATE signatures SET state = 'confirmed', confirmed_at = ?2 WHERE state = 'pending' AND id =
        (SELECT signature_id FROM tokens WHERE hash = ?1 AND purpose = 'confirm' AND expires_at > ?2)
        RETURNING campaign_id""",
        "INSERT INTO count_events (campaign_id, change, at) VALUES (?1, 1, ?2)",
    )

    def __init__(self, path: Path) -> None:
        self._wal = Path(f"{path}-wal")
        self._lock = open_lock(path)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._queue: queue.SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, daemon=True)

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    async def sign(self, signature: list[Any], letter: list[Any]) -> None:
        execute = self._connection.execute
        rows = [_for_sqlite(signature), _for_sqlite(letter)]

        def work() -> None:
            execute(self.SIGN[0], rows[0])
            execute(self.SIGN[1], rows[1])

        await self._run(work)

    async def confirm(self, token_hash: bytes, now: datetime) -> bool:
        execute = self._connection.execute
        at = _microseconds(now)

        def work() -> bool:
            found = execute(self.CONFIRM[0], (token_hash, at)).fetchone()
            if found is not None:
                execute(self.CONFIRM[1], (found[0], at))
            return found is not None

        return bool(await self._run(work))

    async def _run(self, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - what the work returns
        future = self._loop.create_future()
        self._queue.put((work, future))
        return await future

    def _write(self) -> None:
        while (call := self._queue.get()) is not None:
            batch = [call]
            while len(batch) < BATCH and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    return
                batch.append(following)
            with exclusive(self._lock):
                self._connection.execute("BEGIN IMMEDIATE")
                answers = [(future, work()) for work, future in batch]
                self._connection.execute("COMMIT")
                if self._wal.stat().st_size >= CHECKPOINT_BYTES:
                    self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            self._loop.call_soon_threadsafe(_settle, answers)


def _settle(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, answer in answers:
        future.set_result(answer)


def _for_sqlite(row: list[Any]) -> list[Any]:
    return [_value_for_sqlite(value) for value in row]


def _value_for_sqlite(value: Any) -> Any:  # noqa: ANN401 - of any column
    if isinstance(value, uuid.UUID):
        return value.hex
    return _microseconds(value) if isinstance(value, datetime) else value


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def create_rows_app() -> FastAPI:
    """Return the ceiling of signing and confirming."""
    address = os.environ[DATABASE]
    rows: Rows = SqliteRows(Path(address)) if "://" not in address else PostgresRows(address)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await rows.open()
        yield
        await rows.close()

    app = FastAPI(lifespan=lifespan, openapi_url=None, telemetry={"tracing": False, "metrics": False, "logs": False})

    @app.get("/livez")
    async def live() -> Response:
        return Response()

    @app.post("/{locale}/campaigns/{slug}/sign")
    async def sign(locale: str, slug: str, request: Request) -> Response:
        await rows.sign(*_rows(await _read_form(request), locale))
        return RedirectResponse(f"/{locale}/campaigns/{slug}/check-email", 303)

    @app.post("/{locale}/confirm/{token}")
    async def confirm(locale: str, token: str, request: Request) -> Response:
        await _read_form(request)
        is_confirmed = await rows.confirm(hashlib.sha256(f"confirm:{token}".encode()).digest(), datetime.now(UTC))
        return RedirectResponse(f"/{locale}/signed", 303) if is_confirmed else Response(status_code=410)

    return app


async def _read_form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("ascii"), keep_blank_values=True))


def create_answer_app() -> ASGIApp:
    """Return the ceiling of what is read: one answer, for everything."""
    headers, body = pickle.loads(Path(os.environ[ANSWER]).read_bytes())  # noqa: S301 - our own file
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    whole = {"type": "http.response.body", "body": body}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send(whole)

    return app


def main() -> None:
    """Serve a ceiling with the settings with which the project serves itself."""
    parser = argparse.ArgumentParser()
    parser.add_argument("ceiling", choices=("answer", "rows"))
    parser.add_argument("--port", type=int)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    uvicorn.run(
        f"tests.bench.ceilings:create_{options.ceiling}_app",
        factory=True,
        port=options.port,
        workers=options.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=False,
        lifespan="on" if options.ceiling == "rows" else "off",
    )


if __name__ == "__main__":
    main()
