"""Switches, and closing dates that move by as long as signing pauses: once, however pauses overlap."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from app.actions import life
from app.actions.switching import SwitchIsOff, SwitchIsOn, settle_pauses, turn_off, turn_on
from app.models import Campaign, Switch, Threshold
from app.queries.switches import find_switches, list_switches
from app.rules.moves import Choice
from tests.actions.lives import DAY, NOON, SECOND, campaign_id, lines, moderator, put, row
from tests.stage import on_one_database

if TYPE_CHECKING:
    import time_machine
    from sqlalchemy.orm import Session

    from tests.stage import Stage

HOUR = timedelta(hours=1)
CLOSES = NOON + 10 * DAY


class Board:
    """Somebody at the switches of pausing, and a job that looks."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.account_id = moderator(stage).account_id

    def on(self, now: datetime, slug: str | None = None, kind: str = "pause_signing", subject: str = "") -> UUID:
        switch_id = uuid4()
        of = None if slug is None else campaign_id(self.stage, slug)
        self.stage.write(
            turn_on, switch_id=switch_id, kind=kind, campaign_id=of, subject=subject, because="An attack",
            account_id=self.account_id, now=now,
        )  # fmt: skip
        return switch_id

    def off(self, switch_id: UUID, now: datetime) -> None:
        self.stage.write(turn_off, switch_id=switch_id, account_id=self.account_id, now=now)

    def look(self, now: datetime) -> None:
        self.stage.write(life.move_by_dates, now=now)


@pytest.fixture
def board(stage: Stage, clock: time_machine.Traveller) -> Board:
    """Return the switches, with a campaign that closes in ten days."""
    stage.campaign()
    put(stage, opens_at=NOON - DAY, closes_at=CLOSES)
    return Board(stage)


def test_a_pause_moves_the_close_of_its_campaign_and_of_no_other(stage: Stage, board: Board) -> None:
    stage.campaign(slug="another")
    others = row(stage, "another").closes_at
    switch = board.on(NOON, "libraries")
    assert stage.read(find_switches).signing_paused == {campaign_id(stage).hex}
    with pytest.raises(SwitchIsOn):
        board.on(NOON + HOUR, "libraries")
    board.look(NOON + HOUR)
    board.off(switch, NOON + 30 * HOUR)
    assert row(stage).closes_at == CLOSES + 30 * HOUR
    assert (row(stage).state, row(stage).paused_at, row(stage, "another").closes_at) == ("open", None, others)
    with pytest.raises(SwitchIsOff):
        board.off(switch, NOON + 31 * HOUR)
    assert lines(stage)[-3:] == ["switched_on", "switched_off", "closing_moved"]
    past = stage.read(list_switches, keyring=stage.keyring)
    assert [(each.slug, each.because, each.off_at) for each in past] == [("libraries", "An attack", NOON + 30 * HOUR)]
    board.off(board.on(NOON + 40 * HOUR), NOON + 41 * HOUR)
    assert row(stage).closes_at == CLOSES + 31 * HOUR


def test_overlapping_pauses_are_counted_once(stage: Stage, board: Board) -> None:
    everywhere = board.on(NOON)
    one = board.on(NOON + 2 * HOUR, "libraries")
    board.off(everywhere, NOON + 5 * HOUR)
    assert row(stage).closes_at == CLOSES
    everywhere = board.on(NOON + 6 * HOUR)
    board.off(everywhere, NOON + 7 * HOUR)
    board.off(one, NOON + 9 * HOUR)
    assert row(stage).closes_at == CLOSES + 9 * HOUR


def test_what_would_have_closed_during_the_pause_stays_open_for_the_rest(stage: Stage, board: Board) -> None:
    put(stage, closes_at=NOON + HOUR)
    switch = board.on(NOON)
    # The job looks each second, and was away for a while.
    for moment in (NOON + 55 * timedelta(minutes=1), NOON + HOUR, NOON + 30 * HOUR, NOON + 100 * HOUR):
        board.look(moment)
        assert row(stage).state == "open"
        assert (row(stage).closes_at or moment) > moment
    board.off(switch, NOON + 100 * HOUR + 7 * SECOND)
    assert row(stage).closes_at == NOON + 101 * HOUR + 7 * SECOND
    board.look(NOON + 101 * HOUR)
    assert row(stage).state == "open"
    board.look(NOON + 101 * HOUR + 7 * SECOND)
    assert row(stage).state == "closed"


@on_one_database
@settings(
    max_examples=8, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)  # fmt: skip
@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=2),
    st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), max_size=2),
    st.integers(1, 30),
)
def test_the_close_moves_by_the_union_of_any_pauses(
    stage: Stage, board: Board, everywhere: list[tuple[int, int]], one: list[tuple[int, int]], rest: int
) -> None:
    """In hours: pauses begin and last, ``rest`` is when the campaign would have closed."""
    put(stage, closes_at=NOON + rest * HOUR, state="open", paused_at=None)
    turns: dict[int, list[tuple[str, str | None]]] = {}
    paused: set[int] = set()
    for slug, pauses in ((None, everywhere), ("libraries", one)):
        taken = {hour for starts, lasts in pauses for hour in range(starts, starts + lasts)}
        paused |= taken
        for hour in taken:
            if hour - 1 not in taken:
                turns.setdefault(hour, []).append(("on", slug))
            if hour + 1 not in taken:
                turns.setdefault(hour + 1, []).append(("off", slug))
    closes = next(hour for hour in range(1, 80) if sum(each not in paused for each in range(hour)) == rest)
    on: dict[str | None, UUID] = {}
    for hour in sorted({*turns, closes - 1, closes}):
        # One pause that begins as another ends is one pause.
        for what, slug in sorted(turns.get(hour, ()), key=itemgetter(0), reverse=True):
            if what == "on":
                on[slug] = board.on(NOON + hour * HOUR, slug)
            else:
                board.off(on.pop(slug), NOON + hour * HOUR)
        board.look(NOON + hour * HOUR)
        assert row(stage).state == ("open" if hour < closes else "closed")
    assert row(stage).closes_at == NOON + closes * HOUR


def test_one_that_opens_or_goes_on_during_the_pause_is_held_from_then(stage: Stage, board: Board) -> None:
    put(stage, state="scheduled", opens_at=NOON + 2 * HOUR)
    switch = board.on(NOON)
    board.look(NOON + 2 * HOUR + 5 * SECOND)
    assert row(stage).state == "open"
    board.off(switch, NOON + 3 * HOUR)
    assert row(stage).closes_at == CLOSES + HOUR
    put(stage, state="stopped", closes_at=CLOSES)
    switch = board.on(NOON + 4 * HOUR)
    put(stage, state="open")
    board.look(NOON + 5 * HOUR)
    board.off(switch, NOON + 6 * HOUR)
    assert row(stage).closes_at == CLOSES + HOUR


@pytest.mark.parametrize("state", ["presented", "stopped", "closed", "answered"])
def test_what_is_not_open_does_not_move(stage: Stage, board: Board, state: str) -> None:
    switch = board.on(NOON)
    put(stage, state=state)
    board.off(switch, NOON + HOUR)
    assert (row(stage).closes_at, row(stage).paused_at) == (CLOSES, None)
    board.off(board.on(NOON + 2 * HOUR), NOON + 3 * HOUR)
    assert row(stage).closes_at == CLOSES


def test_a_campaign_without_a_closing_date_stays_without(stage: Stage, board: Board) -> None:
    put(stage, closes_at=None)
    switch = board.on(NOON)
    board.look(NOON + HOUR)
    board.off(switch, NOON + 2 * HOUR)
    assert (row(stage).closes_at, row(stage).paused_at, row(stage).state) == (None, None, "open")


def test_one_closed_early_during_the_pause_may_be_reopened_to_the_moved_date(stage: Stage, board: Board) -> None:
    switch = board.on(NOON)
    who = {"campaign_id": campaign_id(stage), "account_id": board.account_id}
    stage.write(life.move_campaign, name="close", now=NOON + 2 * HOUR, choice=Choice(), **who)
    board.off(switch, NOON + 5 * HOUR)
    assert row(stage).closes_at == NOON + 2 * HOUR
    stage.write(life.move_campaign, name="reopen", now=NOON + 6 * HOUR, choice=Choice(), **who)
    assert row(stage).closes_at == CLOSES + 2 * HOUR


def test_what_had_come_to_its_end_before_the_pause_is_closed(stage: Stage, board: Board) -> None:
    """The job that closes was late: the date had come."""
    put(stage, closes_at=NOON - SECOND)
    switch = board.on(NOON)
    board.look(NOON + HOUR)
    board.off(switch, NOON + 2 * HOUR)
    assert (row(stage).state, row(stage).closes_at) == ("closed", NOON - SECOND)


def test_thresholds_and_what_two_moderators_did_at_once(stage: Stage, board: Board) -> None:
    """Two pauses that end in the same moment may each have seen the other on; the job puts it right."""
    reached = NOON - HOUR
    stage.write(lambda session: session.execute(update(Threshold).values(reached_at=reached)))
    board.on(NOON)

    def end(session: Session) -> None:
        session.execute(update(Switch).values(off_at=NOON + HOUR))

    stage.write(end)
    stage.write(settle_pauses, now=NOON + HOUR + SECOND)
    assert row(stage).closes_at == CLOSES + HOUR + SECOND
    assert stage.read(lambda session: session.scalars(select(Threshold.reached_at)).all()) == [reached]


def test_the_same_form_sent_twice_turns_one_switch(stage: Stage, board: Board) -> None:
    switch_id = uuid4()
    for _ in range(2):
        stage.write(
            turn_on, switch_id=switch_id, kind="slow_network", campaign_id=None, subject="203.0.113.0/24",
            because="An attack", account_id=board.account_id, now=NOON,
        )  # fmt: skip
    board.on(NOON, kind="slow_country", subject="FR")
    board.on(NOON, kind="pause_creation")
    board.on(NOON, "libraries", "proof")
    found = stage.read(find_switches)
    assert found.slow_countries == {"FR"}
    assert found.is_creation_paused
    assert found.wants_proof(campaign_id(stage))
    assert not found.wants_proof(uuid4())
    assert found.is_slowed(country="CA", address="::ffff:203.0.113.9")
    assert not found.is_slowed(country="CA", address="203.0.114.9")
    assert lines(stage).count("switched_on") == 4
    assert stage.read(lambda session: session.scalars(select(Campaign.paused_at)).all()) == [None]
    board.off(switch_id, NOON + HOUR)
    assert not stage.read(find_switches).slow_networks
