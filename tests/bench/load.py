"""The load: one process, raw sockets kept alive, requests made beforehand.

It knows no more HTTP than where an answer ends, so that it costs a fraction of what the lightest server does.
"""

from __future__ import annotations

import gc
import re
import selectors
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.bench.processes import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS: Final = 64
RECEIVED_AT_ONCE: Final = 1 << 18
SILENCE_SECONDS: Final = 30.0
BETWEEN_CONNECTIONS: Final = 0.001  # so that a server's processes get a fair share of them
_LENGTH: Final = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class UnexpectedAnswerError(RuntimeError):
    """A server did not answer as it should, so that there is nothing to measure; the message shows the answer."""


@dataclass(frozen=True, slots=True)
class Job:
    """One round of load on ``port``; ``requests`` are sent once each, or over and over where there is only one.

    ``watched`` are the processes whose CPU time is read, by name; the clock runs after ``warm_up`` answers, until
    ``seconds`` have passed or the requests are used up.
    """

    port: int
    requests: list[bytes]
    status: int
    seconds: float
    warm_up: int
    watched: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class Round:
    """What a round came to. Times in seconds; ``cpu`` by name, None where this system does not tell."""

    answers: int
    answers_in_all: int
    seconds: float
    median: float
    p99: float
    cpu: dict[str, float | None]
    own_cpu: float


class _Connection:
    """A socket with at most one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self._received = b""
        self._usual_size = -1

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self, beginning: bytes) -> bool:
        """Read what is there; whether the answer is whole."""
        received = self.socket.recv(RECEIVED_AT_ONCE)
        if not received:
            raise UnexpectedAnswerError(f"the connection was closed after {self._received[:300]!r}")
        self._received = received = self._received + received
        if len(received) != self._usual_size and not self._is_whole(received):
            return False
        if not received.startswith(beginning):
            raise UnexpectedAnswerError(received[:600].decode(errors="replace"))
        self._usual_size, self._received = len(received), b""
        return True

    def _is_whole(self, received: bytes) -> bool:
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return False
        length = _LENGTH.search(received, 0, end)
        return len(received) >= end + 4 + (int(length[1]) if length else 0)


def run(job: Job) -> Round:
    """Drive one round and return what it came to. Raises UnexpectedAnswerError."""
    gc.disable()  # nothing here makes cycles, and a pause would be taken for the server's
    return _Drive(job).run()


class _Drive:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._beginning = b"HTTP/1.1 %d " % job.status
        self._requests = _each(job.requests)
        self._selector = selectors.DefaultSelector()
        self._waits: list[float] = []
        self._answers = 0

    def run(self) -> Round:
        self._connect()
        self._serve_until(self._job.warm_up, time.perf_counter() + SILENCE_SECONDS)
        warm, self._waits = self._answers, []
        cpu, own, started = self._read_cpu(), time.process_time(), time.perf_counter()
        self._serve_until(None, started + self._job.seconds)
        seconds, own = time.perf_counter() - started, time.process_time() - own
        spent = {name: _difference(cpu[name], after) for name, after in self._read_cpu().items()}
        answers, waits = self._answers - warm, sorted(self._waits)
        self._finish()
        return Round(
            answers=answers,
            answers_in_all=self._answers,
            seconds=seconds,
            median=waits[len(waits) // 2],
            p99=waits[len(waits) * 99 // 100],
            cpu=spent,
            own_cpu=own,
        )

    def _connect(self) -> None:
        for _ in range(CONNECTIONS):
            connection = _Connection(self._job.port)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            time.sleep(BETWEEN_CONNECTIONS)
        for key in list(self._selector.get_map().values()):
            self._send_next(key.data)

    def _send_next(self, connection: _Connection) -> bool:
        request = next(self._requests, None)
        if request is None:
            return False
        connection.send(request)
        return True

    def _serve_until(self, answers: int | None, deadline: float) -> None:
        """Answer each answer with the next request, until so many came, the time is over, or requests run out."""
        beginning, waits, select = self._beginning, self._waits, self._selector.select
        while (answers is None or self._answers < answers) and time.perf_counter() < deadline:
            ready = select(SILENCE_SECONDS)
            if not ready:
                raise UnexpectedAnswerError(f"nothing for {SILENCE_SECONDS:.0f} s")
            for key, _ in ready:
                connection: _Connection = key.data
                if not connection.receive(beginning):
                    continue
                waits.append(time.perf_counter() - connection.sent_at)
                self._answers += 1
                if not self._send_next(connection):
                    self._selector.unregister(connection.socket)
                    connection.socket.close()
                    return

    def _finish(self) -> None:
        """Wait for what is still on its way, so that the next round starts on an idle server."""
        while self._selector.get_map():
            for key, _ in self._selector.select(SILENCE_SECONDS):
                if key.data.receive(self._beginning):
                    self._answers += 1
                    self._selector.unregister(key.fileobj)
                    key.data.socket.close()
        self._selector.close()

    def _read_cpu(self) -> dict[str, float | None]:
        return {name: cpu_seconds(pids) for name, pids in self._job.watched.items()}


def _each(requests: list[bytes]) -> Iterator[bytes]:
    if len(requests) > 1:
        yield from requests
        return
    while True:
        yield requests[0]


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
