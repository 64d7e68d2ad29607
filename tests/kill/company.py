"""Processes of the application that a test kills and starts again, and the people who press their confirmation links."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx

from tests.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from random import Random

ROOT: Final = Path(__file__).resolve().parents[2]
PATIENCE: Final = 30.0


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

    def stop(self) -> None:
        """End it in order."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()


class Company:
    """Servers and workers on one database."""

    def __init__(self, environment: Mapping[str, str], folder: Path, *, servers: int, workers: int) -> None:
        """Start so many of each; what they say goes into ``folder``."""
        ports = [free_port() for _ in range(servers)]
        self.addresses = [f"http://127.0.0.1:{port}" for port in ports]
        commands = [("serve", "--port", str(port), "--no-background") for port in ports] + [("worker",)] * workers
        self.members = [
            Member(command, environment, folder / f"process-{number}.log") for number, command in enumerate(commands)
        ]

    @property
    def kills(self) -> int:
        """How often any of them was killed."""
        return sum(member.kills for member in self.members)

    def stop(self) -> None:
        """End all of them."""
        for member in self.members:
            member.stop()

    async def kill_at_random(self, random: Random, done: asyncio.Event) -> None:
        """Kill each process at random moments of its start and of its work, and start it again, until ``done``."""
        await asyncio.gather(*(self._haunt(member, random, done) for member in self.members))

    async def _haunt(self, member: Member, random: Random, done: asyncio.Event) -> None:
        while True:
            try:
                await asyncio.wait_for(done.wait(), random.uniform(0.3, 4.0))
            except TimeoutError:
                member.kill()
                member.start()
            else:
                return


class Crowd:
    """People with a link each, who press until they are answered."""

    def __init__(self, addresses: Iterable[str], random: Random) -> None:
        """Know where to press."""
        self._addresses = list(addresses)
        self._random = random
        self._browser = httpx.AsyncClient(timeout=5, limits=httpx.Limits(max_connections=32), trust_env=False)
        self.answered: list[str] = []
        self.refusals = 0
        self.strange: set[int] = set()

    async def close(self) -> None:
        """Close the browser."""
        await self._browser.aclose()

    async def press(self, token: str, *, within: float = 0.0) -> None:
        """Press the button behind ``token`` at some moment ``within`` so many seconds, until the answer is 303."""
        await asyncio.sleep(self._random.uniform(0, within))
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            address = self._random.choice(self._addresses)
            try:
                answer = await self._browser.post(f"{address}/en/confirm/{token}", data={"signing": "yes"})
            except httpx.TransportError:
                self.refusals += 1
                await asyncio.sleep(0.2)
                continue
            if answer.status_code == httpx.codes.SEE_OTHER:
                self.answered.append(token)
                return
            self.strange.add(answer.status_code)
            await asyncio.sleep(0.2)
        raise AssertionError(f"no answer; statuses seen: {self.strange}")

    async def count(self, slug: str) -> int:
        """Return the count as the JSON door tells it, once a server is there to tell."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = await self._browser.get(f"{self._addresses[0]}/api/v1/campaigns/{slug}/count")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
                continue
            signatures: int = answer.json()["signatures"]
            return signatures
        raise AssertionError("no server answers")
