"""Attack, and print what came of it: ``python -m tests.attacks [--only NAME] [--database KIND] [--seed NUMBER]``."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from app.core import migrations
from tests.attacks.measuring import HEAD, measure
from tests.attacks.scenarios import SCENARIOS
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from tests.attacks.measuring import Report
    from tests.attacks.scenarios import Scenario


def main() -> None:
    """Attack in every way that is asked for."""
    options = _read_options()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    chosen = [each for each in SCENARIOS if not options.only or each.name in options.only]
    kinds = [options.database] if options.database else ["sqlite", "postgresql"]
    of_kind = {
        "sqlite": chosen,
        # The smaller ones alone, but for those that were asked for by name.
        "postgresql": [each for each in chosen if options.only or each.is_on_postgres],
    }
    with tempfile.TemporaryDirectory(prefix="attacks-") as folder:
        reports = [each for kind in kinds for each in _measure(kind, of_kind[kind], Path(folder) / kind, options.seed)]
    print(f"\n{os.cpu_count()} cores, Python {platform.python_version()}, seed {options.seed}\n")
    print(HEAD)
    for report in reports:
        print(report.row)


def _read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="script/attacks", description="Attacks the count, with honest people around.")
    parser.add_argument("--only", action="append", choices=[each.name for each in SCENARIOS], help="may be repeated")
    parser.add_argument(
        "--database",
        choices=("sqlite", "postgresql"),
        help="only this one; PostgreSQL gets the smaller attacks alone, unless --only names another",
    )
    parser.add_argument("--seed", type=int, default=4, help="of everybody's names, moments and mailboxes (4)")
    return parser.parse_args()


def _measure(kind: str, scenarios: list[Scenario], folder: Path, seed: int) -> list[Report]:
    folder.mkdir()
    reports = []
    with ExitStack() as stack:
        server = stack.enter_context(PostgresServer()) if kind == "postgresql" else None
        template = folder / "migrated.db"
        if server is None:
            migrations.upgrade(f"sqlite:///{template}")
        for number, scenario in enumerate(scenarios):
            place = folder / str(number)
            place.mkdir()
            if server is None:
                url = f"sqlite:///{shutil.copy(template, place / 'attacked.db')}"
            else:
                url = server.create_database(f"attacked_{number}").replace("postgresql+asyncpg://", "postgresql://")
                migrations.upgrade(url)
            began = time.perf_counter()
            report = measure(scenario, url, place, seed=seed)
            report.name = f"{report.name} ({kind})" if server is not None else report.name
            reports.append(report)
            print(f"{scenario.name} on {kind}: {time.perf_counter() - began:.0f} s", flush=True)
            print(f"  gave up {report.gave_up}; sets taken {report.taken}; left: {'; '.join(report.left) or 'none'}")
            print(report.row, flush=True)
    return reports


if __name__ == "__main__":
    main()
