"""Alarms from the tables on: raised once for what goes on, told once an hour, settled once; and pairs of one person."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select, update

from app.actions.alarms import (
    GOES_ON,
    AlarmNotFound,
    AlarmSettled,
    PairSettled,
    flag_pairs,
    keep_both,
    raise_alarms,
    settle_alarm,
    take_one_out,
)
from app.actions.signing import Origin, Signer, new_signature_row
from app.jobs.watch import watch
from app.models import Account, Alarm, CampaignKey, Edition, Flag, Signature
from app.queries.alarms import find_sight, list_active, list_alarms, list_flagged, list_pairs
from app.rules.bursts import Finding
from app.rules.integrity import Judgement
from app.rules.origins import place_of
from app.rules.sets import Conditions
from tests.actions.lives import NOON, SECOND, lines, told
from tests.actions.signers import find_campaign, rolled_up
from tests.stage import on_one_database

if TYPE_CHECKING:
    import time_machine
    from sqlalchemy import Update
    from sqlalchemy.orm import Session

    from app.rules.bursts import Kind
    from tests.stage import Stage

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def add_signers(
    session: Session, *, stage: Stage, people: list[dict[str, Any]], at: datetime, apart: timedelta = SECOND
) -> list[UUID]:
    """Confirm a signature for each of ``people``, one after another from a moment on, as signing leaves them."""
    campaign_id, key = find_campaign(session, slug="libraries", keyring=stage.keyring)
    edition_id = session.scalars(select(Edition.id).where(Edition.campaign_id == campaign_id)).one()
    rows = []
    for number, person in enumerate(people):
        confirmed_at = at + number * apart
        address = person.get("address", f"10.{number % 250}.{number // 250}.1")
        place, signals = place_of(address), person.get("signals", ())
        signer = Signer(
            person.get("name", f"Sok {uuid4().hex}"), person.get("email", f"{uuid4().hex}@gmail.com"), "CA", "CA-BC",
            person.get("postal_code"), None, (), is_name_shown=False, wants_updates=False,
        )  # fmt: skip
        row = new_signature_row(
            campaign_id=campaign_id, edition_id=edition_id, locale="en", signer=signer, key=key,
            now=confirmed_at - (60 + number * 37 % 600) * SECOND,
            origin=Origin(place.address, place.network, Judgement("counted", 0, signals)),
        )  # fmt: skip
        rows.append({**row, "state": "confirmed", "confirmed_at": confirmed_at})
    session.execute(insert(Signature), rows)
    return [row["id"] for row in rows]


def execute(session: Session, *, statement: Update) -> None:
    session.execute(statement)


class Room:
    """A campaign, the people who watch it, and those who sign it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        stage.campaign()
        self.moderator = stage.organiser("moderator@example.org", role="moderator")
        self.campaign_id, self.key = stage.write(find_campaign, slug="libraries", keyring=stage.keyring)
        self.who: dict[str, Any] = {"account_id": self.moderator.account_id, "now": NOON}

    def sign(
        self, people: list[dict[str, Any]], at: datetime = NOON - 30 * MINUTE, apart: timedelta = SECOND
    ) -> list[UUID]:
        return self.stage.write(add_signers, stage=self.stage, people=people, at=at, apart=apart)

    def watch(self) -> None:
        assert self.stage.run(watch(self.stage.background)) is False

    def alarms(self) -> list[Any]:
        return self.stage.read(list_alarms, keyring=self.stage.keyring)

    def raise_one(self, now: datetime, count: int = 300, begins: datetime = NOON - HOUR, kind: Kind = "quick") -> int:
        conditions = Conditions(confirmed_from=begins, confirmed_to=now)
        findings = [Finding(kind, count, 1000, conditions, {"seconds": 10})]
        return self.stage.write(raise_alarms, campaign_id=self.campaign_id, findings=findings, now=now)

    def flags(self) -> set[tuple[UUID, UUID]]:
        rows = select(Flag.signature_id, Flag.other_id)
        return {(row.signature_id, row.other_id) for row in self.stage.read(lambda s: s.execute(rows).all())}


@pytest.fixture
def room(stage: Stage, clock: time_machine.Traveller) -> Room:
    return Room(stage)


def test_watching_finds_an_attack_and_says_which_set(
    room: Room, stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.rules.bursts.HALL", 20)
    room.sign([{"address": "203.0.113.7"}] * 21 + [{}] * 10)
    room.watch()
    (alarm,) = room.alarms()
    assert (alarm.kind, alarm.figures["count"], alarm.figures["total"]) == ("address", 21, 31)
    assert alarm.conditions.address == room.key.index("address", "203.0.113.7").hex()
    room.sign([{"address": "203.0.113.7"}] * 5, at=NOON + MINUTE)
    clock.shift(10 * MINUTE)
    room.watch()
    (alarm,) = room.alarms()
    assert alarm.figures["count"] == 26
    assert alarm.conditions.confirmed_from == NOON - 30 * MINUTE
    assert stage.sql("SELECT DISTINCT standing FROM signatures") == [("counted",)]
    clock.shift(HOUR)
    room.watch()
    stage.write(lambda session: session.execute(update(Signature).values(standing="removed")))
    sight = stage.read(find_sight, campaign_id=room.campaign_id, keyring=stage.keyring, now=NOON + MINUTE)
    assert sight is not None
    assert sight.seen == ()


def test_a_look_counts_hours_and_opens_few_names(room: Room, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for days in (1, 2, 3):
        room.sign([{}] * (days + 1), at=NOON - days * 24 * HOUR - 30 * MINUTE)
    room.sign([{"name": "សុខ សុភា"}] * 10)
    monkeypatch.setattr("app.queries.alarms.LEAST_EXCESS", 5)
    monkeypatch.setattr("app.queries.alarms.MOST_NAMES", 4)
    asked: dict[str, Any] = {"campaign_id": room.campaign_id, "keyring": stage.keyring, "now": NOON}
    sight = stage.read(find_sight, **asked)
    assert sight is not None
    assert (sight.in_hour, sight.usual, len(sight.seen)) == (10, (2, 3), 10), "the first day has no whole hour"
    assert [each.script for each in sight.seen[:5]] == ["khmer"] * 4 + [None]
    assert room.key.index("domain", "gmail.com") in sight.large_domains
    monkeypatch.setattr("app.queries.alarms.MOST", 7)
    cut = stage.read(find_sight, **asked)
    assert cut is not None
    assert (cut.in_hour, len(cut.seen)) == (10, 7)
    assert stage.read(list_active, since=NOON - HOUR) == [room.campaign_id]
    assert stage.read(list_active, since=NOON) == []
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    assert stage.read(find_sight, **asked) is None
    room.watch()


def test_what_goes_on_is_one_alarm_and_one_letter_an_hour(
    room: Room, stage: Stage, clock: time_machine.Traveller
) -> None:
    stage.organiser("operator@example.org", role="operator", locale="fr")
    gone = stage.organiser("gone@example.org", role="moderator")
    stage.write(
        lambda session: session.execute(update(Account).where(Account.id == gone.account_id).values(state="disabled"))
    )
    assert room.raise_one(NOON) == 1
    assert room.raise_one(NOON + MINUTE, 250) == 0
    (alarm,) = room.alarms()
    assert (alarm.figures["count"], alarm.conditions.confirmed_to) == (300, NOON + MINUTE)
    assert room.raise_one(NOON + HOUR, 400, begins=NOON) == 0
    (alarm,) = room.alarms()
    assert (alarm.figures["count"], alarm.conditions.confirmed_from) == (400, NOON - HOUR)
    assert room.raise_one(NOON + HOUR, kind="burst") == 1
    assert room.raise_one(NOON + HOUR + 2 * MINUTE, kind="drip") == 1
    clock.shift(2 * HOUR)
    letters = stage.deliver()
    # Of two hours, one each.
    sent_to = sorted(letter.mail["To"] for letter in letters)
    assert sent_to == ["moderator@example.org"] * 2 + ["operator@example.org"] * 2
    assert not stage.letters_to("gone@example.org")
    for letter in letters:
        assert "libraries" not in letter.text
        assert "Khmer books" not in letter.text + letter.html
        assert not {"300", "400"} & set(letter.text.split())
    assert "/fr/moderation/alarms" in told(stage, "operator@example.org")
    # After a while of quiet it is another one.
    assert room.raise_one(NOON + HOUR + GOES_ON, 300) == 1


def test_a_settled_alarm_is_quiet_until_it_has_grown(room: Room, stage: Stage) -> None:
    room.raise_one(NOON)
    (alarm,) = room.alarms()
    stage.write(settle_alarm, alarm_id=alarm.id, outcome="harmless", **room.who)
    with pytest.raises(AlarmSettled):
        stage.write(settle_alarm, alarm_id=alarm.id, outcome="acted", **room.who)
    with pytest.raises(AlarmNotFound):
        stage.write(settle_alarm, alarm_id=uuid4(), outcome="acted", **room.who)
    assert room.raise_one(NOON + HOUR, 599) == 0
    assert [each.state for each in room.alarms()] == ["settled"]
    assert room.raise_one(NOON + 2 * HOUR, 600) == 1
    assert [(each.state, each.outcome) for each in room.alarms()] == [("open", None), ("settled", "harmless")]
    assert lines(stage)[-1] == "alarm_settled"


def test_a_letter_about_what_is_settled_already_is_not_sent(
    room: Room, stage: Stage, clock: time_machine.Traveller
) -> None:
    room.raise_one(NOON)
    stage.write(lambda session: session.execute(update(Alarm).values(state="settled")))
    assert stage.deliver() == []
    room.raise_one(NOON + 3 * HOUR)
    clock.shift(3 * HOUR)
    stage.write(lambda session: session.execute(update(Account).values(role="organiser")))
    assert stage.deliver() == []


# Pairs


def test_one_person_under_two_addresses_is_flagged_however_the_name_is_spelt(room: Room, stage: Stage) -> None:
    # The same word with a zero-width space, in the other order of coeng ro, with the shifter written as a vowel.
    variants = ["ស្រី ប៊ុនថា", "ស្រី\u200b ប៊ុនថា", "ស្រី  ប៊ុនថា"]
    ids = room.sign(
        [{"name": name, "postal_code": "V3B 1A1"} for name in variants]
        + [{"name": variants[0], "postal_code": "V3B 1A2"}, {"name": variants[0]}, {"name": variants[0]}]
    )
    room.watch()
    room.watch()
    assert room.flags() == {(ids[1], ids[0]), (ids[2], ids[0])}
    assert stage.sql("SELECT DISTINCT standing FROM signatures") == [("counted",)]
    late = room.sign([{"name": variants[0], "postal_code": "V3B 1A1"}], at=NOON)
    room.watch()
    assert (late[0], ids[0]) in room.flags()
    assert len(stage.read(list_pairs, campaign_id=room.campaign_id)) == 3
    assert [each.pairs for each in stage.read(list_flagged)] == [3]
    gone = update(Signature).where(Signature.id == ids[0])
    stage.write(lambda session: session.execute(gone.values(standing="removed")))
    assert stage.read(list_pairs, campaign_id=room.campaign_id) == []
    assert stage.read(list_flagged) == [], "none leads to an empty list"


@on_one_database
def test_a_name_or_a_campaign_that_cannot_be_opened_hides_no_other(room: Room, stage: Stage) -> None:
    *_, alone = room.sign([{"name": "Sok Sopha", "postal_code": "V3B 1A1"}] * 3)
    another, _ = stage.read(find_campaign, slug=stage.campaign(slug="another"), keyring=stage.keyring)
    first, second = sorted((room.campaign_id, another))
    for statement in (
        update(Signature).values(campaign_id=second, name=b"sealed by nobody" * 4),
        update(Signature).where(Signature.id == alone).values(campaign_id=first),
        update(CampaignKey).where(CampaignKey.campaign_id == first).values(sealed=b"sealed by nobody" * 4),
    ):
        stage.write(execute, statement=statement)
    room.watch()
    assert len(room.flags()) == 1


@on_one_database
def test_pairs_are_found_a_step_at_a_time(
    room: Room, stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.actions.alarms.STEP", 4)
    people = [{"name": f"Sok {number % 7}", "postal_code": "V3B 1A1"} for number in range(20)]
    room.sign(people, apart=timedelta(0))
    after, steps = None, 0
    while True:
        how: dict[str, Any] = {"campaign_id": room.campaign_id, "since": NOON - HOUR, "now": NOON}
        after = stage.write(flag_pairs, after=after, **how)
        steps += 1
        if after is None:
            break
    assert (len(room.flags()), steps) == (13, 6)
    stage.write(lambda session: session.execute(delete(Flag)))
    clock.shift(MINUTE)
    room.watch()
    assert len(room.flags()) == 13


def test_a_pair_is_settled_once_and_the_count_follows(room: Room, stage: Stage) -> None:
    twins = [{"name": "Sok Sopha", "postal_code": "V3B 1A1"}] * 3
    first, second, third = room.sign(twins)
    stage.sql_write("DELETE FROM count_events")
    stage.write(flag_pairs, campaign_id=room.campaign_id, since=NOON - HOUR, after=None, now=NOON)
    pair: dict[str, Any] = {"campaign_id": room.campaign_id, "other_id": first}
    stage.write(keep_both, signature_id=second, **pair, **room.who)
    with pytest.raises(PairSettled):
        stage.write(take_one_out, signature_id=second, removed_id=second, **pair, **room.who)
    stage.write(take_one_out, signature_id=third, removed_id=third, **pair, **room.who)
    assert stage.read(list_pairs, campaign_id=room.campaign_id) == []
    total, rows = stage.write(rolled_up, slug="libraries", now=NOON)
    assert (total, rows) == (-1, 2), "three rows came here without being counted"
    assert stage.sql("SELECT rule, removed FROM integrity_days") == [("duplicate", 1)]
    assert lines(stage)[-2:] == ["pair_kept", "pair_removed"]
    # Looked at again, what was settled stays settled.
    stage.write(flag_pairs, campaign_id=room.campaign_id, since=NOON - HOUR, after=None, now=NOON)
    assert stage.sql("SELECT count(*) FROM flags WHERE state = 'open'") == [(0,)]
