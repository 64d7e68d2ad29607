"""The attack suite itself, with a handful of people: ``script/attacks`` does the same with thousands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.attacks.measuring import measure
from tests.attacks.scenarios import Attack, Scenario, honest
from tests.stage import on_one_database

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from tests.attacks.people import Person


def _handful(random: Random) -> list[Person]:
    minutes = timedelta(minutes=5)
    trapped = Attack(22, ("45.10.1.7",), minutes, 2, fills_traps=True)
    return [*trapped.people(random), *honest(random, 2, 2 * minutes)]


@on_one_database
def test_a_bot_is_held_and_nobody_honest_is_lost(database_url: str, tmp_path: Path) -> None:
    report = measure(Scenario("bot", _handful, works_every=timedelta(minutes=5)), database_url, tmp_path)
    assert (report.attackers, report.counted, report.most_counted) == (22, 0, 0)
    assert (report.honest, report.at_once, report.held, report.lost) == (2, 2, 0, 0)
    assert report.forms > 22, "more than twenty that are held put a campaign under pressure, and the rest wait"
