"""Processes: servers started and stopped, and the CPU time that they and their children used."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 15.0
PROC: Final = Path("/proc")
PS: Final = "/bin/ps"  # where there is no /proc
ROOT: Final = Path(__file__).resolve().parents[2]


class Process:
    """A Python process of ours (``python -m …``), with its children."""

    def __init__(self, *arguments: str, environment: Mapping[str, str], log: Path) -> None:
        """Start it; what it writes goes to ``log``."""
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def tree(self) -> list[int]:
        """The process and all below it."""
        return tree_of(self._process.pid)

    def check(self) -> None:
        """Raise RuntimeError with its last words where it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"a server ended: {self._log.read_text(encoding='utf-8')[-2000:]}")


class Server(Process):
    """A process that listens on ``port``, which it is given with ``--port``."""

    def __init__(self, *arguments: str, processes: int, environment: Mapping[str, str], log: Path) -> None:
        """Start it with so many processes that answer."""
        self.port = free_port()
        self._processes = processes
        super().__init__(
            *arguments, "--port", str(self.port), "--workers", str(processes), environment=environment, log=log
        )

    def wait(self) -> None:
        """Wait until every process of it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            # uvicorn's processes share a socket: one that answers says nothing of the other.
            if self._is_answering() and (self._processes == 1 or self._are_all_idle()):
                return
            time.sleep(0.05)
        raise RuntimeError("a server does not start")

    def _is_answering(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                connection.settimeout(5)
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                return bool(connection.recv(1))
        except OSError:
            return False

    def _are_all_idle(self) -> bool:
        before = cpu_seconds(self.tree)
        time.sleep(0.5)
        after = cpu_seconds(self.tree)
        return len(self.tree) > self._processes and (before is None or after is None or after - before < 0.03)


def cpu_seconds(pids: Iterable[int]) -> float | None:
    """Return the CPU time, user and system, that processes have used; None where this system does not tell."""
    if (PROC / "self/stat").exists():
        ticks = sum(int(field) for pid in pids for field in _stat(pid)[11:13])
        return ticks / os.sysconf("SC_CLK_TCK")
    listed = ",".join(str(pid) for pid in pids)
    told = subprocess.run([PS, "-o", "time=", "-p", listed], capture_output=True, text=True, check=False)
    times = told.stdout.split()
    # macOS tells hundredths of a second, others whole ones, which are too coarse to divide by.
    return sum(_clock(each) for each in times) if times and all("." in each for each in times) else None


def tree_of(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def _parents() -> Iterator[tuple[int, int]]:
    if (PROC / "self/stat").exists():
        for entry in PROC.iterdir():
            fields = _stat(int(entry.name)) if entry.name.isdecimal() else []
            if fields:
                yield int(entry.name), int(fields[1])
        return
    told = subprocess.run([PS, "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    for line in told.stdout.splitlines():
        pid, parent = line.split()
        yield int(pid), int(parent)


def _stat(pid: int) -> list[str]:
    """Return the fields after the name, the first being the state; nothing once the process has ended."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _clock(text: str) -> float:
    """Return the seconds of ``1:02.34``."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds
