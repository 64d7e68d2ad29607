"""What came of an attack: who is in the count, before and after a moderator took what the alarms link to."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import pytest
import time_machine
from sqlalchemy import select

from app.actions.standing import decide
from app.core.clock import utc_now
from app.jobs import apply_sets
from app.models import Campaign, Decision, Signature, is_counted, open_campaign_key
from app.queries.alarms import list_alarms
from app.queries.sets import is_of_set
from app.rules.normalise import canonical_email, name_keys
from app.rules.sets import parse_conditions
from app.web import pausing
from app.web.public import proof
from tests.attacks.acting import sign
from tests.attacks.scenarios import BEGINNING
from tests.attacks.world import SLUG, World
from tests.stage import small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.queries.alarms import ShownAlarm
    from app.rules.sets import Conditions
    from tests.attacks.people import Person
    from tests.attacks.scenarios import Scenario
    from tests.stage import Organiser

#: A moderator looks into a set, and takes it where so much of what it would take out of the count is the attack's.
TAKEN_FROM: Final = 0.8


@dataclass(slots=True)
class Report:
    """Figures of one attack."""

    name: str
    database: str
    attackers: int = 0
    forms: int = 0
    gave_up: int = 0  # attackers who were asked to wait and did not
    most_counted: int = 0  # attackers, at any time before a moderator looked
    counted: int = 0  # attackers, by the automatic defences alone
    alarms: dict[str, str] = field(default_factory=dict)  # kind, and when it was first raised
    counted_after: int = 0  # once a moderator took the sets
    taken: int = 0
    left: list[str] = field(default_factory=list)
    honest: int = 0
    at_once: int = 0
    asked: int = 0
    held: int = 0
    held_by_set: int = 0
    lost: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def row(self) -> str:
        """A line of the table."""
        waited = [each for each in self.waits if each > 0]
        waits = f"{median(waited):.0f} s, at most {max(waited):.0f} s" if waited else "–"
        cells = (
            self.name, self.attackers, self.forms, self.most_counted, self.counted,
            ", ".join(f"{kind} {at}" for kind, at in self.alarms.items()) or "none", f"{self.counted_after}",
            self.honest, self.at_once, self.asked, waits, self.held, self.held_by_set, self.lost,
        )  # fmt: skip
        return f"| {' | '.join(f'{cell:,}' if isinstance(cell, int) else cell for cell in cells)} |"


HEAD: Final = (
    "| attack | mailboxes | forms sent | most in the count at a time | in the count at the end | alarms |"
    " after review | honest | counted at once | asked to wait | waited | held by a limit | held by a set | lost |\n"
    "|---|--:|--:|--:|--:|---|--:|--:|--:|--:|---|--:|--:|--:|"
)


def measure(scenario: Scenario, url: str, folder: Path, *, seed: int = 4) -> Report:
    """Let a scenario happen on a migrated database, and tell what came of it."""
    with pytest.MonkeyPatch.context() as patch, time_machine.travel(BEGINNING, tick=False) as traveller:
        # What a proof of work costs is measured elsewhere (docs/decisions/0014-limits.md).
        for name, number in (("ROUNDS", 1), ("FEWEST_TRIES", 1), ("MOST_TRIES", 3)):
            patch.setattr(proof, name, number)
        patch.setattr(pausing, "LONGEST_SECONDS", 0.0)
        patch.setattr(apply_sets, "BREATH", 0.0)
        world = World(url, folder, traveller)
        try:
            return _Measuring(world, scenario, seed).run()
        finally:
            world.close()


class _Measuring:
    def __init__(self, world: World, scenario: Scenario, seed: int) -> None:
        self._world, self._scenario = world, scenario
        self._people = scenario.people(Random(seed))
        self._report = Report(scenario.name, world.settings.database_url.partition(":")[0])
        world.campaign({**small_campaign(SLUG), "asks": ["postal_code"]})
        world.sql_write("UPDATE campaigns SET people_per_mailbox = :people", people=scenario.people_per_mailbox)
        self._campaign_id, key = world.write(_find_campaign, world=world)
        self._persons = {
            (key.index("email", canonical_email(each.email)), key.index("name", name_keys(each.name, None)[0])): each
            for each in self._people
        }
        assert len(self._persons) == len(self._people), "everybody is somebody else"

    def run(self) -> Report:
        """Attack, then review."""
        world, report = self._world, self._report
        world.play(
            [sign(world, SLUG, each) for each in self._people], world.work(self._scenario.works_every), self._look()
        )
        world.run(world.work_once())
        stands, held = self._standings(), self._ever_held()
        attackers, honest = self._attackers(), [each for each in self._people if not each.is_attacker]
        report.attackers, report.honest = len(attackers), len(honest)
        report.forms = sum(each.posts for each in attackers)
        report.gave_up = sum(not each.is_confirmed for each in attackers)
        report.counted = sum(stands.get(each) == "counted" for each in attackers)
        report.most_counted = max(report.most_counted, report.counted)
        report.asked = sum(each.asked > 0 for each in honest)
        report.held = sum(each in held for each in honest)
        report.at_once = sum(each not in held and stands.get(each) == "counted" for each in honest)
        report.waits = [each.waited.total_seconds() for each in honest if each.waited is not None]
        self._review()
        stands = self._standings()
        report.counted_after = sum(stands.get(each) == "counted" for each in attackers)
        report.held_by_set = sum(stands.get(each) != "counted" and each not in held for each in honest)
        self._restore([each for each in honest if stands.get(each) == "quarantined"])
        stands = self._standings()
        report.lost = sum(stands.get(each) != "counted" for each in honest)
        return report

    def _attackers(self) -> list[Person]:
        return [each for each in self._people if each.is_attacker]

    async def _look(self) -> None:
        """See every minute how many attackers are in the count."""
        while True:
            await self._world.after(self._scenario.works_every)
            await asyncio.sleep(0)
            stands = await self._world.database.read(_list_standings, campaign_id=self._campaign_id)
            found = sum(
                standing == "counted" and (person := self._persons.get(key)) is not None and person.is_attacker
                for key, standing, _ in stands
            )
            self._report.most_counted = max(self._report.most_counted, found)

    def _standings(self) -> dict[Person, str]:
        found = self._world.read(_list_standings, campaign_id=self._campaign_id)
        standings = {}
        for key, standing, signature_id in found:
            person = self._persons[key]
            standings[person] = standing
            person.signature_id = signature_id
        return standings

    def _ever_held(self) -> set[Person]:
        ids = set(self._world.read(_list_ever_held, campaign_id=self._campaign_id))
        return {each for each in self._people if each.signature_id in ids}

    # A moderator, and a second one where a set is large

    def _review(self) -> None:
        world = self._world
        alarms = world.read(list_alarms, keyring=world.keyring)
        alarms.sort(key=lambda each: each.raised_at)
        for each in alarms:
            at = int((each.raised_at - BEGINNING).total_seconds()) // 60
            self._report.alarms.setdefault(each.kind, f"{at // 60}:{at % 60:02}")
        first, second = (world.organiser(f"{name}@example.org", role="moderator") for name in ("first", "second"))
        for each in alarms:
            self._look_into(each, first, second)

    def _look_into(self, alarm: ShownAlarm, first: Organiser, second: Organiser) -> None:
        page = Page(first.get(f"/en/moderation/alarms/{alarm.id.hex}").text)
        for link in page.links:
            if "/set?" not in link:
                continue
            chosen = Page(first.get(link).text)
            conditions = {name: values[0] for name, values in chosen.fields.items() if name.startswith("c_")}
            attackers, honest = self._contents(conditions)
            if not attackers or attackers < TAKEN_FROM * (attackers + honest):
                self._report.left.append(f"{alarm.kind}: {attackers} attackers, {honest} honest")
                continue
            self._report.taken += 1
            self._take(link, chosen, conditions, first, second)

    def _take(self, link: str, chosen: Page, conditions: dict[str, str], first: Organiser, second: Organiser) -> None:
        data = {
            **conditions, "once": chosen.fields["once"][0], "alarm": chosen.fields["alarm"][0], "action": "quarantine",
            "rule": "scripted", "because": "A program's.",
        }  # fmt: skip
        answer = first.post(f"{link.partition('?')[0]}/propose", data)
        if answer.status_code != 303:
            return  # all of it is held already
        at = answer.headers["location"]
        second.post(f"{at}/approve", {})
        self._world.run(self._world.work_once())

    def _contents(self, conditions: dict[str, str]) -> tuple[int, int]:
        asked = parse_conditions({name.removeprefix("c_"): value for name, value in conditions.items()})
        keys = self._world.read(_list_keys, campaign_id=self._campaign_id, conditions=asked)
        found = Counter(self._persons[each].is_attacker for each in keys)
        return found[True], found[False]

    def _restore(self, people: list[Person]) -> None:
        """Count those whom a moderator, looking at each, calls honest."""
        moderator = self._world.organiser("first@example.org", role="moderator")
        ids = [each.signature_id for each in people if each.signature_id is not None]
        self._world.write(
            decide,
            campaign_id=self._campaign_id,
            signature_ids=ids,
            seen="quarantined",
            rule=None,
            account_id=moderator.account_id,
            now=utc_now(),
        )


def _find_campaign(session: Session, *, world: World) -> tuple[UUID, Any]:
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == SLUG)).one()
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=world.keyring)
    return campaign_id, key


def _list_standings(session: Session, *, campaign_id: UUID) -> list[tuple[tuple[bytes, bytes | None], str, UUID]]:
    rows = session.execute(
        select(Signature.email_index, Signature.name_index, Signature.standing, Signature.id).where(
            Signature.campaign_id == campaign_id, Signature.state == "confirmed"
        )
    )
    return [((row.email_index, row.name_index), row.standing, row.id) for row in rows]


def _list_ever_held(session: Session, *, campaign_id: UUID) -> list[UUID]:
    held = session.scalars(
        select(Signature.id).where(Signature.campaign_id == campaign_id, Signature.standing != "counted")
    )
    return [*held, *session.scalars(select(Decision.signature_id))]


def _list_keys(session: Session, *, campaign_id: UUID, conditions: Conditions) -> list[tuple[bytes, bytes | None]]:
    rows = session.execute(
        select(Signature.email_index, Signature.name_index).where(
            is_of_set(campaign_id, conditions, utc_now()), is_counted()
        )
    )
    return [(row.email_index, row.name_index) for row in rows]
