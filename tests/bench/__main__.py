"""Measure the project beside bare ceilings: ``python -m tests.bench [--quick] [--only MEASURE] [--database KIND]``."""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import multiprocessing
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from app.core.clock import utc_now
from tests.bench import ceilings, stage
from tests.bench.load import CONNECTIONS, Job, Round, run
from tests.bench.processes import ROOT, Process, Server
from tests.bench.report import Figure, StartFigure, as_data, as_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.bench.stage import Databases, Prepared

MEASURES: Final = {"page": 0.80, "count": 0.90, "sign": 0.50, "confirm": 0.60}  # and what each is to reach
STATUSES: Final = {"page": 200, "count": 200, "sign": 303, "confirm": 303}
KINDS: Final[tuple[type[Databases], ...]] = (stage.SqliteDatabases, stage.PostgresDatabases)
START_TIMES: Final = 7
OURS: Final = ("app", "serve", "--no-background")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    measures: tuple[str, ...]
    kinds: tuple[type[Databases], ...]
    processes: tuple[int, ...]
    rounds: int
    seconds: float
    warm_up: int
    posts: int  # at most in one round, so that a round's requests can be made beforehand


@dataclass(slots=True)
class Side:
    """One of the two that are compared, and what it has answered."""

    server: Server
    url: str
    signers: int = 0
    confirmed: int = 0
    rounds: list[Round] = field(default_factory=list)


def main() -> None:
    """Measure, print a table, write ``bench.json``."""
    options = _read_options()
    plan = Plan(
        measures=tuple(options.only or MEASURES),
        kinds=tuple(kind for kind in KINDS if options.database in {None, kind.kind}),
        processes=(options.processes,) if options.processes else (1, 2),
        rounds=1 if options.quick else options.rounds,
        seconds=0.5 if options.quick else 1.5,
        warm_up=300,
        posts=2000 if options.quick else 8000,
    )
    start = measure_start(1 if options.quick else START_TIMES)
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=None) as generator,
    ):
        drive: Callable[[Job], Round] = lambda job: generator.submit(run, job).result()  # noqa: E731
        figures = [figure for kind in plan.kinds for figure in _measure_kind(kind, Path(folder), plan, drive)]
    print(as_table(figures, start))
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    data = {"measured_at": utc_now().isoformat(timespec="seconds"), "machine": machine, "connections": CONNECTIONS}
    options.output.write_text(json.dumps(data | as_data(figures, start), indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {options.output}")


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/bench", description="Measures the project beside bare ceilings.")
    parser.add_argument("--quick", action="store_true", help="one short round of everything: and rough")
    parser.add_argument("--only", action="append", choices=tuple(MEASURES), help="only this; may be repeated")
    parser.add_argument("--database", choices=tuple(kind.kind for kind in KINDS), help="only this one")
    parser.add_argument("--processes", type=int, choices=(1, 2), help="only with so many")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each, ceiling and project taking turns (3)")
    parser.add_argument("--output", type=Path, default=ROOT / "bench.json", help="the file to write (bench.json)")
    return parser.parse_args()


def measure_start(times: int) -> StartFigure:
    """Measure ``import fastapi`` and the server from its command to its first answer, taking turns."""
    imports, starts = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        environment = _environment(f"sqlite:///{folder}/start.db", Path(folder) / "keys")
        for _ in range(times + 1):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", "import fastapi"], check=True)
            imports.append(time.perf_counter() - began)
            began = time.perf_counter()
            with Server(*OURS, processes=1, environment=environment, log=Path(folder) / "log") as server:
                server.wait()
                starts.append(time.perf_counter() - began)
    # The first of each warmed the disk.
    return StartFigure(statistics.median(imports[1:]), statistics.median(starts[1:]))


def _environment(url: str, keys: Path) -> dict[str, str]:
    return {
        "HATTHALEKHA_DATABASE_URL": url,
        "HATTHALEKHA_KEYS_DIR": str(keys),
        "HATTHALEKHA_BASE_URL": "http://127.0.0.1",
        # The load is a crowd behind a proxy; from one address it would be an attack, and asked for proofs of work.
        "HATTHALEKHA_TRUSTED_PROXIES": "127.0.0.1",
    }


def _measure_kind(kind: type[Databases], folder: Path, plan: Plan, drive: Callable[[Job], Round]) -> list[Figure]:
    place = folder / kind.kind
    place.mkdir()
    figures = []
    with kind(place) as databases:
        print(f"{kind.kind}: preparing", flush=True)
        waiting = plan.rounds * plan.posts if "confirm" in plan.measures else 0
        prepared = asyncio.run(databases.prepare(waiting))
        for processes in plan.processes:
            figures += _Comparison(databases, prepared, plan, drive, processes).run()
    return figures


class _Comparison:
    """The project and its ceilings, side by side on one database with one number of processes."""

    def __init__(
        self, databases: Databases, prepared: Prepared, plan: Plan, drive: Callable[[Job], Round], processes: int
    ) -> None:
        self._databases, self._prepared, self._plan, self._drive = databases, prepared, plan, drive
        self._processes = processes
        self._stack = ExitStack()

    def run(self) -> list[Figure]:
        """Measure everything, then see in the database whether it was done."""
        with self._stack:
            ours = self._start_writing("ours", *OURS)
            rows = self._start_writing("rows", "tests.bench.ceilings", "rows")
            ours.server.wait()
            rows.server.wait()
            bare = {
                measure: rows if measure in {"sign", "confirm"} else self._start_answering(measure, ours)
                for measure in self._plan.measures
            }
            figures = []
            for measure, side in bare.items():
                side.server.wait()
                figures.append(self._measure(measure, side, ours))
                print(f"  {figures[-1].summary}", flush=True)
            for side in (ours, rows):
                self._check(side)
        return figures

    def _start_writing(self, name: str, *arguments: str) -> Side:
        url = self._databases.copy(f"{name}_{self._processes}")
        environment = _environment(url, self._databases.keys) | {
            ceilings.DATABASE: url.removeprefix("sqlite:///"),
            ceilings.CAMPAIGN: str(self._prepared.campaign_id),
            ceilings.EDITION: str(self._prepared.edition_id),
        }
        return Side(self._start(name, *arguments, environment=environment), url)

    def _start_answering(self, measure: str, ours: Side) -> Side:
        """Start the ceiling that answers the bytes that the project has just answered."""
        answer = self._databases.folder / f"{measure}_{self._processes}.answer"
        answer.write_bytes(pickle.dumps(fetch(ours.server.port, self._requests(measure, ours)[0])))
        server = self._start(measure, "tests.bench.ceilings", "answer", environment={ceilings.ANSWER: str(answer)})
        return Side(server, "")

    def _start(self, name: str, *arguments: str, environment: dict[str, str]) -> Server:
        log = self._databases.folder / f"{name}_{self._processes}.log"
        server = Server(*arguments, processes=self._processes, environment=environment, log=log)
        return self._stack.enter_context(server)

    def _measure(self, measure: str, bare: Side, ours: Side) -> Figure:
        with ExitStack() as stack:
            if measure == "confirm":
                # Somebody rolls up the counts while people confirm; it shares the machine, not the figure of the CPU.
                log = self._databases.folder / f"worker_{self._processes}.log"
                environment = _environment(ours.url, self._databases.keys)
                stack.enter_context(Process("app", "worker", environment=environment, log=log))
            bare.rounds, ours.rounds = [], []
            for number in range(self._plan.rounds):
                # Each goes first every other time.
                for side in (bare, ours) if number % 2 else (ours, bare):
                    side.rounds.append(self._round(measure, side))
        return Figure.of(
            measure,
            database=self._databases.kind,
            processes=self._processes,
            reach=MEASURES[measure],
            bare=bare.rounds,
            ours=ours.rounds,
        )

    def _round(self, measure: str, side: Side) -> Round:
        side.server.check()
        requests = self._requests(measure, side)
        done = self._drive(
            Job(
                port=side.server.port,
                requests=requests,
                status=STATUSES[measure],
                seconds=self._plan.seconds,
                warm_up=self._plan.warm_up,
                watched={"server": side.server.tree, "database": self._databases.watched},
            )
        )
        if measure == "sign":
            side.signers += done.answers_in_all
        if measure == "confirm":
            side.confirmed += done.answers_in_all
        return done

    def _requests(self, measure: str, side: Side) -> list[bytes]:
        if measure == "page":
            return [stage.page_request()]
        if measure == "count":
            return [stage.count_request()]
        most = self._plan.posts
        if measure == "sign":
            return stage.sign_requests(range(side.signers, side.signers + most), self._prepared)
        return stage.confirm_requests(self._prepared.tokens[side.confirmed : side.confirmed + most])

    def _check(self, side: Side) -> None:
        """Raise RuntimeError where what was answered is not in the database."""
        before, after = self._prepared.rows, asyncio.run(stage.count_rows(side.url))
        done = (
            after.signatures - before.signatures,
            after.letters - before.letters,
            after.confirmed - before.confirmed,
        )
        if done != (side.signers, side.signers, side.confirmed):
            raise RuntimeError(f"answered {side.signers} signers and {side.confirmed} presses, found {done}")


def fetch(port: int, request: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the headers, without the server's own, and the body that a request is answered with."""
    head, *lines = request.decode().split("\r\n")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers: dict[str, Any] = dict(line.split(": ", 1) for line in lines if line)
    connection.request("GET", head.split()[1], headers=headers)
    answer = connection.getresponse()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{head}: {answer.status}")
    kept = [(name.lower().encode(), value.encode()) for name, value in answer.getheaders() if name.lower() != "date"]
    return kept, answer.read()


if __name__ == "__main__":
    main()
