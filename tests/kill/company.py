"""Processes of the application that a test kills and starts again, and the people who press their links meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 60.0
ANSWER_SECONDS: Final = 10.0
AT_ONCE: Final = 24


class Member:
    """One process of ours, started again under the same arguments as often as it is killed."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], log: Path) -> None:
        """Start it."""
        self._command = [sys.executable, "-m", "app", *arguments]
        self._environment = os.environ | environment
        self._log = log
        self.kills = 0
        self.start()

    def start(self) -> None:
        """Start it, again."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.kills += 1

    def ask_to_end(self) -> None:
        """Ask it to end, and wait for nothing."""
        self._process.terminate()

    def stop(self) -> None:
        """End it in order, where it has not been asked to already."""
        self.ask_to_end()
        try:
            self._process.wait(PATIENCE / 2)
        except subprocess.TimeoutExpired:
            self.kill()


class Company:
    """Servers and workers on one database."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, servers: int, workers: int) -> None:
        """Start so many of each; what they say goes into ``folder``."""
        self.ports = [free_port() for _ in range(servers)]
        commands: list[tuple[str, ...]] = [("serve", "--port", str(port), "--no-background") for port in self.ports]
        commands += [("worker",)] * workers
        self.members = [
            Member(command, environment, folder / f"process-{number}.log") for number, command in enumerate(commands)
        ]

    @property
    def kills(self) -> int:
        """How often any of them was killed."""
        return sum(member.kills for member in self.members)

    def stop(self) -> None:
        """End all of them, at the same time."""
        for member in self.members:
            member.ask_to_end()
        for member in self.members:
            member.stop()

    async def kill_at_random(self, random: Random, pause: float, rounds: int) -> None:
        """Kill a server and a worker and start them again, ``rounds`` times, ``pause`` seconds apart or so."""
        pairs = [
            (random.choice(self.members[: len(self.ports)]), random.choice(self.members[len(self.ports) :]))
            for _ in range(rounds)
        ]
        victims = [member for pair in pairs for member in random.sample(pair, 2)]
        for member in victims:
            await asyncio.sleep(random.uniform(0.1, 1.9) * pause)
            member.kill()
            member.start()


class Crowd:
    """People with a link each, who press until they are answered."""

    def __init__(self, ports: Iterable[int], random: Random) -> None:
        """Know where to press."""
        self._ports = list(ports)
        self._random = random
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self.answered: list[str] = []
        self.lost_connections = 0
        self.other_statuses: set[int] = set()

    async def press(self, token: str, *, within: float = 0.0) -> None:
        """Press the button behind ``token`` at some moment ``within`` so many seconds, until the answer is 303."""
        await asyncio.sleep(self._random.uniform(0, within))
        status, _ = await self._insist(f"POST /en/confirm/{token}", b"signing=yes", HTTPStatus.SEE_OTHER)
        assert status == HTTPStatus.SEE_OTHER
        self.answered.append(token)

    async def count(self, slug: str) -> int:
        """Return the count as the JSON door tells it, once a server is there to tell."""
        _, content = await self._insist(f"GET /api/v1/campaigns/{slug}/count", b"", HTTPStatus.OK)
        signatures: int = json.loads(content)["signatures"]
        return signatures

    async def _insist(self, line: str, body: bytes, wanted: HTTPStatus) -> tuple[int, bytes]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                async with self._at_once, asyncio.timeout(ANSWER_SECONDS):
                    status, content = await ask(self._random.choice(self._ports), line, body)
            except (OSError, EOFError):
                self.lost_connections += 1
            else:
                if status == wanted:
                    return status, content
                self.other_statuses.add(status)
            await asyncio.sleep(self._random.uniform(0.2, 0.8))
        raise AssertionError(f"no answer to {line}; other statuses: {self.other_statuses}")


async def ask(port: int, line: str, body: bytes) -> tuple[int, bytes]:
    """Send one request on a connection of its own. Raises OSError, EOFError where no whole answer comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        head = (
            f"{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        writer.write(head.encode() + body)
        status = int((await reader.readuntil(b"\r\n")).split(b" ")[1])
        await reader.readuntil(b"\r\n\r\n")
        return status, await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
