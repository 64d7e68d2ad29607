"""The database: the only place that opens, commits, rolls back and tries again.

A unit of work is a plain function whose first argument is a session and whose others are keyword-only. Routes and jobs
say ``await database.write(work, …)`` or ``await database.read(work, …)``; the answer comes only after the commit.

- PostgreSQL: each call runs on an asyncpg connection in one greenlet, and again after a serialization failure, a
  deadlock, or a connection that had died in the pool.
- SQLite: one writer thread takes a queue and runs up to 64 calls as savepoints of one ``BEGIN IMMEDIATE``, then answers
  them all: the cost of a durable commit is shared. Reads go side by side on connections of their own. Several processes
  take turns through a lock on ``<database>.lock``, since SQLite's own waiting is unfair; only its holder checkpoints.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util import greenlet_spawn

P = ParamSpec("P")
T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine, Table

    Work = Callable[Concatenate[Session, P], T]

BATCH: Final = 64
READERS: Final = 4
ATTEMPTS: Final = 5
CHECKPOINT_BYTES: Final = 4 * 1024 * 1024
CHECKPOINT_WAIT_MS: Final = 20
BUSY_MS: Final = 30_000
# serialization_failure, deadlock_detected, and unique_violation: a race lost to a constraint is run again, sees the
# winner, and answers accordingly.
TRY_AGAIN: Final = frozenset({"40001", "40P01", "23505"})


class DatabaseUnavailableError(Exception):
    """Nothing was written: the database cannot be reached, or its disk is full."""


class Database(ABC):
    """Runs units of work."""

    @abstractmethod
    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a transaction of its own and return its result after the commit."""

    @abstractmethod
    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` on a session whose changes are thrown away."""

    @abstractmethod
    async def close(self) -> None:
        """Finish what was accepted and let go of every connection."""


def open_database(url: str) -> Database:
    """Return the database at ``url`` (``sqlite:///…`` or ``postgresql://…``); nothing is connected yet."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    return PostgresDatabase(url)


def _session(connection: Connection) -> Session:
    # The transaction is ours: a session that joins it flushes, and can neither commit nor end it.
    return Session(connection, autoflush=False, expire_on_commit=False, join_transaction_mode="rollback_only")


def _run(connection: Connection, work: Callable[[Session], T]) -> T:
    session = _session(connection)
    try:
        result = work(session)
        session.flush()
        return result
    finally:
        session.close()


@cache
def insert_if_absent(table: Table, dialect: str) -> postgresql.Insert | sqlite.Insert:
    """Return ``INSERT … ON CONFLICT DO NOTHING`` into ``table``; both databases can, each in its own class."""
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return insert.on_conflict_do_nothing()


def dialect_of(session: Session) -> str:
    """Return ``postgresql`` or ``sqlite``."""
    return session.get_bind().dialect.name


# PostgreSQL --------------------------------------------------------------------------------------------------------


class PostgresDatabase(Database):
    """PostgreSQL through asyncpg, READ COMMITTED, guarded updates."""

    def __init__(self, url: str) -> None:
        """Prepare a pool for ``url``."""
        self._engine = create_async_engine(
            url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=16, max_overflow=0, pool_timeout=10
        )

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in a transaction, again where the database says that this may help."""
        call = partial(_call, work, args, kwargs)
        for attempt in range(ATTEMPTS):
            is_last = attempt == ATTEMPTS - 1
            transaction = _Transaction()
            try:
                return await greenlet_spawn(transaction.run, self._engine.sync_engine, call)
            except DBAPIError as fault:
                # A connection lost during COMMIT leaves the outcome unknown: that is not tried again.
                is_lost_before = fault.connection_invalidated and not transaction.is_committing
                if is_last or not (is_lost_before or _should_repeat(fault)):
                    raise _as_unavailable(fault) from None
            except (OSError, PoolTimeoutError) as fault:
                raise DatabaseUnavailableError from fault
            await asyncio.sleep(0.01 * 2**attempt)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` and roll back; once more on a connection that had died in the pool."""
        call = partial(_call, work, args, kwargs)
        for is_last in (False, True):
            try:
                return await greenlet_spawn(_look, self._engine.sync_engine, call)
            except DBAPIError as fault:
                if is_last or not fault.connection_invalidated:
                    raise _as_unavailable(fault) from None
            except (OSError, PoolTimeoutError) as fault:
                raise DatabaseUnavailableError from fault
        raise AssertionError  # pragma: no cover - the second round returns or raises

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()


class _Transaction:
    """One attempt, whole in one greenlet: entering and leaving one for each step costs more than the steps."""

    is_committing = False

    def run(self, engine: Engine, work: Callable[[Session], T]) -> T:
        """Run ``work`` and commit."""
        with engine.connect() as connection, connection.begin() as transaction:
            result = _run(connection, work)
            self.is_committing = True
            transaction.commit()
            return result


def _look(engine: Engine, work: Callable[[Session], T]) -> T:
    with engine.connect() as connection:
        return _run(connection, work)


def _call(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any], session: Session) -> T:
    return work(session, *args, **kwargs)


def _should_repeat(fault: DBAPIError) -> bool:
    return getattr(fault.orig, "sqlstate", None) in TRY_AGAIN


def _as_unavailable(fault: DBAPIError) -> Exception:
    state = str(getattr(fault.orig, "sqlstate", None) or "")
    # 08 connection, 28 login, 3D no such database, 53 out of disk, memory or connections, 57P shutting down, 25006 a
    # standby that only reads.
    if fault.connection_invalidated or state.startswith(("08", "28", "3D", "53", "57P")) or state == "25006":
        return DatabaseUnavailableError()
    return fault


# SQLite ------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Call:
    work: Callable[[Session], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    fault: BaseException | None = None


class SqliteDatabase(Database):
    """SQLite in WAL mode, durable commits, one writer thread a process."""

    def __init__(self, path: Path) -> None:
        """Prepare for the file at ``path``; its folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._wal = Path(f"{path}-wal")
        self._checkpoint_at = CHECKPOINT_BYTES
        self._lock = open_lock(path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="sqlite-read")
        self._read_engine = _sqlite_engine(path, begin="BEGIN", pool_size=READERS)
        self._write_engine = _sqlite_engine(path, begin="BEGIN IMMEDIATE", pool_size=1)
        self._queue: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_batches, name="sqlite-write", daemon=True)
        self._writer.start()

    async def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Queue ``work`` for the writer and wait until its batch is on disk."""
        loop = asyncio.get_running_loop()
        call = _Call(partial(_call, work, args, kwargs), loop, loop.create_future())
        self._queue.put(call)
        result: T = await call.future
        return result

    async def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` on a reading thread."""
        return await asyncio.get_running_loop().run_in_executor(
            self._readers, self._read_now, partial(_call, work, args, kwargs)
        )

    async def close(self) -> None:
        """Let the writer finish its queue, then close."""
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        self._read_engine.dispose()
        self._write_engine.dispose()
        os.close(self._lock)

    def _read_now(self, work: Callable[[Session], T]) -> T:
        try:
            with self._read_engine.connect() as connection:
                return _run(connection, work)
        except OperationalError as fault:
            raise DatabaseUnavailableError from fault

    def _write_batches(self) -> None:
        is_open = True
        while is_open:
            batch: list[_Call] = []
            call = self._queue.get()
            while call is not None:
                batch.append(call)
                if len(batch) == BATCH:
                    break
                try:
                    call = self._queue.get_nowait()
                except queue.Empty:
                    break
            is_open = call is not None
            if batch:
                self._write_batch(batch)

    def _write_batch(self, batch: list[_Call]) -> None:
        is_committed = False
        try:
            with exclusive(self._lock):
                self._commit(batch)
                is_committed = True
                self._checkpoint_when_due()
        except Exception as fault:  # noqa: BLE001 - whatever it was, everybody whose work was not kept must hear it
            # A checkpoint that fails takes nothing back: the log is on disk, and a later one will do.
            for call in () if is_committed else batch:
                call.result, call.fault = None, _unavailable(fault)
        loops = {call.loop for call in batch}
        for loop in loops:
            answers = [call for call in batch if call.loop is loop]
            try:
                loop.call_soon_threadsafe(_answer, answers)
            except RuntimeError:  # pragma: no cover - that loop has ended, and with it whoever asked
                continue

    def _commit(self, batch: list[_Call]) -> None:
        left = list(batch)
        while True:
            try:
                with self._write_engine.connect() as connection, connection.begin(), _session(connection) as session:
                    for call in left:
                        _run_in_savepoint(session, call)
            except _EndedByError as ended:
                left.remove(ended.call)
            else:
                return

    def _checkpoint_when_due(self) -> None:
        if self._wal.stat().st_size < self._checkpoint_at:
            return
        with self._write_engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            # Readers that are still in the log keep it from being emptied: waiting for them would hold up every writer.
            driver.execute(f"PRAGMA busy_timeout = {CHECKPOINT_WAIT_MS}")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            driver.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        self._checkpoint_at = self._wal.stat().st_size + CHECKPOINT_BYTES


class _EndedByError(Exception):
    """One call took the transaction of its whole batch with it; it knows its own fault."""

    def __init__(self, call: _Call) -> None:
        super().__init__()
        self.call = call


def _unavailable(fault: Exception) -> DatabaseUnavailableError:
    unavailable = DatabaseUnavailableError()
    unavailable.__cause__ = fault
    return unavailable


def _run_in_savepoint(session: Session, call: _Call) -> None:
    # One session serves the whole batch, since making one costs as much as a signature's inserts; what a call left in
    # it is taken out before the next.
    driver: Any = session.connection().connection.driver_connection
    call.fault = None
    driver.execute("SAVEPOINT work")
    try:
        call.result = call.work(session)
        session.flush()
    except Exception as fault:
        is_unavailable = isinstance(fault, OperationalError)
        call.fault = _unavailable(fault) if is_unavailable else fault
        if not driver.in_transaction:
            if is_unavailable:
                # SQLite gave up the whole transaction (disk full, damaged file).
                raise
            # A flush that fails makes the session roll back, and not its savepoint alone: the others go again.
            raise _EndedByError(call) from fault
        driver.execute("ROLLBACK TO work")
    finally:
        session.expunge_all()
    driver.execute("RELEASE work")


def _answer(calls: list[_Call]) -> None:
    for call in calls:
        if call.future.cancelled():
            continue
        if call.fault is not None:
            call.future.set_exception(call.fault)
        else:
            call.future.set_result(call.result)


def _sqlite_engine(path: Path, *, begin: str, pool_size: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": BUSY_MS / 1000}, pool_size=pool_size
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's, seen through SQLAlchemy
        connection.isolation_level = None  # we say BEGIN ourselves
        # What is deleted is overwritten: a destroyed key must not be found in a free page.
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0", "secure_delete=ON"
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def open_lock(path: Path) -> int:
    """Open the file whose lock the writers of the database at ``path`` take in turn."""
    return os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextmanager
def exclusive(lock: int) -> Iterator[None]:
    """Hold the writers' lock; the system lets go of it when a process dies."""
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(lock, fcntl.LOCK_UN)
