"""Sets: whatever is done with them, and in whatever order, the count is that of the rows, and nothing happens twice."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select, text

from app.actions import sets
from app.actions.accounts import find_or_create_account
from app.actions.own_signature import SignatureNotFound, withdraw_signature
from app.actions.signing import ConfirmationRefused, confirm_by_token
from app.actions.standing import change_standing, decide
from app.core.clock import utc_now
from app.core.db import dialect_of
from app.jobs.apply_sets import apply_sets
from app.models import Record, Signature, SignatureSet
from app.queries.sets import count_set, count_standings, find_set, list_sets
from app.rules.integrity import CLEAN, Judgement
from app.rules.sets import Conditions
from tests.actions.signers import HELD, chains_are_whole, find_campaign, rolled_up, sign
from tests.stage import Stage, on_one_database, small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

LOCALES: Final = ("km", "en", "fr")


class Room:
    """A campaign, two moderators, and what is done with sets of its signatures."""

    def __init__(self, stage: Stage, slug: str = "libraries") -> None:
        self.stage = stage
        self.slug = stage.campaign(small_campaign(slug))
        self.id, self.key = stage.write(find_campaign, slug=self.slug, keyring=stage.keyring)
        self.first, self.second = (
            stage.write(
                find_or_create_account, email=email, locale="en", keyring=stage.keyring, now=utc_now(), role="moderator"
            )
            for email in ("first@example.org", "second@example.org")
        )
        self.signed = 0
        self.steps: list[sets.Step] = []

    def sign(self, **values: Any) -> UUID:  # noqa: ANN401 - as the action's
        self.signed += 1
        how = {"slug": self.slug, "number": self.signed, "keyring": self.stage.keyring, "now": utc_now(), **values}
        return self.stage.write(sign, **how)

    def sign_many(self, number: int, **values: Any) -> list[UUID]:  # noqa: ANN401 - as the action's
        first = self.signed + 1
        self.signed += number
        how = {"slug": self.slug, "keyring": self.stage.keyring, "now": utc_now(), **values}
        return self.stage.write(
            lambda session: [sign(session, number=each, **how) for each in range(first, first + number)]
        )

    def make(self, conditions: Conditions, action: str = "quarantine") -> UUID:
        set_id = uuid4()
        now = utc_now()
        size = self.stage.read(count_set, campaign_id=self.id, conditions=conditions, now=now, action=action)
        self.stage.write(
            sets.create_set,
            set_id=set_id,
            campaign_id=self.id,
            conditions=conditions,
            action=action,
            rule="scripted",
            because="They came in one minute.",
            expected=size.moved,
            account_id=self.first,
            now=now,
        )
        return set_id

    def do(self, what: Callable[..., Any], set_id: UUID, account_id: UUID | None = None) -> Any:  # noqa: ANN401 - as it answers
        return self.stage.write(what, set_id=set_id, account_id=account_id or self.first, now=utc_now())

    def look(self, set_id: UUID) -> bool:
        """Read the next step of a set, and keep it; False where there is none."""
        step = self.stage.read(sets.find_step, set_id=set_id)
        if step is not None:
            self.steps.append(step)
        return step is not None

    def take(self, step: sets.Step) -> bool:
        return self.stage.write(sets.take_step, step=step, now=utc_now())

    def work(self) -> None:
        """Work until nothing is left to do."""
        while self.stage.run(apply_sets(self.stage.background)):
            pass

    def state(self, set_id: UUID) -> str:
        found = self.stage.read(find_set, set_id=set_id)
        assert found is not None
        return found.state

    def standings(self) -> dict[UUID, str]:
        def read(session: Any) -> dict[UUID, str]:  # noqa: ANN401 - a session
            rows = session.execute(select(Signature.id, Signature.standing).where(Signature.campaign_id == self.id))
            return {row.id: row.standing for row in rows}

        return self.stage.read(read)

    def count(self) -> int:
        """Return the count, after seeing that it is that of the rows."""
        total, rows = self.stage.write(rolled_up, slug=self.slug, now=utc_now())
        assert total == rows
        return total

    def lines(self) -> list[str]:
        return self.stage.read(
            lambda session: list(
                session.scalars(select(Record.what).where(Record.what.like("set_%")).order_by(Record.id))
            )
        )


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.jobs.apply_sets.BREATH", 0)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make few signatures many."""
    monkeypatch.setattr("app.actions.sets.CHUNK", 3)
    monkeypatch.setattr("app.actions.sets.LARGE", 4)
    monkeypatch.setattr("app.rules.sets.LARGE", 4)


@pytest.mark.usefixtures("small")
def test_a_set_is_applied_reversed_and_counted_exactly(stage: Stage) -> None:
    room = Room(stage)
    here = room.sign_many(7, address="198.51.100.1")
    room.sign_many(3, address="203.0.113.9")
    held = room.sign(judgement=HELD, address="198.51.100.2")
    assert room.count() == 10
    network = Conditions(network=room.key.index("network", "198.51.100.0/24").hex())
    set_id = room.make(network, "remove")
    assert room.state(set_id) == "proposed", "larger than one person decides"
    room.work()
    assert room.count() == 10
    room.do(sets.approve_set, set_id, room.second)
    room.work()
    assert (room.state(set_id), room.count()) == ("done", 3)
    assert all(room.standings()[each] == "removed" for each in (*here, held))
    assert not room.do(sets.reverse_set, set_id), "that takes two, too"
    with pytest.raises(sets.SecondPersonNeeded):
        room.do(sets.reverse_set, set_id)
    # Somebody decides of one of them: that stays.
    stage.write(
        decide, campaign_id=room.id, signature_ids=[held], seen="removed", rule=None, account_id=room.second,
        now=utc_now(),
    )  # fmt: skip
    assert room.count() == 4
    assert room.do(sets.reverse_set, set_id, room.second)
    room.work()
    assert (room.state(set_id), room.count()) == ("reversed", 11)
    assert stage.read(chains_are_whole)
    days = stage.sql("SELECT rule, sum(held), sum(removed), sum(restored) FROM integrity_days GROUP BY rule ORDER BY 1")
    assert [tuple(day) for day in days] == [("limits", 1, 0, 0), ("scripted", 0, 7, 8)]
    assert room.lines() == [
        "set_proposed", "set_approved", "set_done", "set_reversal_proposed", "set_reversed", "set_reversal_done",
    ]  # fmt: skip


@pytest.mark.usefixtures("small")
def test_two_workers_never_do_a_chunk_twice(stage: Stage) -> None:
    room = Room(stage)
    room.sign_many(4)
    set_id = room.make(Conditions(country="CA"))
    assert room.look(set_id)
    assert room.look(set_id)
    first, second = room.steps
    assert room.take(first)
    assert room.take(second)
    found = stage.read(find_set, set_id=set_id)
    assert found is not None
    assert (found.walked, found.changed, room.count()) == (3, 3, 1)
    room.do(sets.stop_set, set_id)
    assert not room.look(set_id)
    room.work()
    assert (room.state(set_id), room.count()) == ("stopped", 1)
    assert room.do(sets.reverse_set, set_id)
    room.work()
    assert (room.state(set_id), room.count()) == ("reversed", 4)
    assert stage.read(chains_are_whole)
    with pytest.raises(sets.SetMoved):
        room.do(sets.reverse_set, set_id)
    with pytest.raises(sets.SetMoved):
        room.do(sets.stop_set, set_id)
    with pytest.raises(sets.SetNotFound):
        room.do(sets.stop_set, uuid4())


@pytest.mark.usefixtures("small")
def test_what_was_decided_since_it_was_read_stays(stage: Stage) -> None:
    room = Room(stage)
    one, *_ = room.sign_many(3)
    set_id = room.make(Conditions(standing="counted"))
    assert room.look(set_id)
    stage.write(
        decide, campaign_id=room.id, signature_ids=[one], seen="counted", rule="other", account_id=room.second,
        now=utc_now(),
    )  # fmt: skip
    room.work()
    assert room.standings()[one] == "removed"
    assert room.count() == 0
    # An old page does not undo it.
    moved = stage.write(
        decide, campaign_id=room.id, signature_ids=[one], seen="quarantined", rule=None, account_id=room.first,
        now=utc_now(),
    )  # fmt: skip
    assert moved == 0


@pytest.mark.usefixtures("small")
def test_a_set_that_outgrows_what_one_person_decides_waits_for_a_second(stage: Stage) -> None:
    room = Room(stage)
    signed = room.sign_many(7)
    set_id = uuid4()
    now = utc_now()
    for _ in range(2):  # pressed twice
        stage.write(
            sets.create_set, set_id=set_id, campaign_id=room.id, conditions=Conditions(locale="en"), action="remove",
            rule="other", because="", expected=2, account_id=room.first, now=now,
        )  # fmt: skip
    room.work()
    assert (room.state(set_id), room.count()) == ("proposed", 4)
    outgrown = stage.read(find_set, set_id=set_id)
    assert outgrown is not None
    assert (outgrown.expected, outgrown.changed) == (7, 3), "whoever approves it is told how many there are"
    with pytest.raises(sets.SecondPersonNeeded):
        room.do(sets.approve_set, set_id)
    late = room.sign()
    room.do(sets.approve_set, set_id, room.second)
    room.work()
    assert (room.state(set_id), room.count()) == ("done", 1)
    assert room.standings() == {**dict.fromkeys(signed, "removed"), late: "counted"}
    declined = room.make(Conditions(standing="removed"), "restore")
    room.do(sets.decline_set, declined)
    room.work()
    assert (room.state(declined), room.count()) == ("declined", 1)


def test_an_automatic_set_is_worked_at_at_once_and_is_reversible(stage: Stage) -> None:
    room = Room(stage)
    room.sign_many(3, address="198.51.100.1")
    pending = room.sign(address="198.51.100.1", is_confirmed=False)
    honest = room.sign(address="198.51.100.1", judgement=HELD)
    stage.write(
        decide, campaign_id=room.id, signature_ids=[honest], seen="quarantined", rule=None, account_id=room.second,
        now=utc_now(),
    )  # fmt: skip
    address = Conditions(address=room.key.index("address", "198.51.100.1").hex())
    set_id = stage.write(
        sets.create_automatic_set, campaign_id=room.id, conditions=address, rule="limits", because="A limit.",
        expected=4, now=utc_now(),
    )  # fmt: skip
    room.work()
    assert (room.state(set_id), room.count()) == ("done", 1), "what a moderator called honest stays"
    stage.write(confirm_by_token, token=f"confirm-{room.slug}-4", now=utc_now())
    assert room.count() == 1
    # Its form had no signals: what is published is the rule that set it aside.
    assert stage.sql("SELECT rule, held FROM integrity_days WHERE held > 0") == [("limits", 2)]
    assert stage.read(count_standings, campaign_id=room.id, conditions=address, now=utc_now()) == {
        "counted": 1, "quarantined": 4,
    }  # fmt: skip
    assert [each.id for each in stage.read(list_sets)] == [set_id]
    room.do(sets.reverse_set, set_id)
    room.work()
    assert room.count() == 5
    assert room.standings()[pending] == "counted"
    with pytest.raises(sets.NothingAskedFor):
        room.make(Conditions())


def test_every_condition_finds_what_it_says(stage: Stage) -> None:
    room = Room(stage)
    before = utc_now()
    odd = room.sign(
        address="2001:db8:1:2::3", judgement=Judgement("quarantined", 70, ("no_proof", "odd_name")), locale="km"
    )
    after = utc_now()
    pending = room.sign(is_confirmed=False)
    room.sign()
    index = room.key.index

    def size(**conditions: Any) -> int:  # noqa: ANN401 - whatever is asked for
        asked = Conditions(**conditions)
        return stage.read(count_set, campaign_id=room.id, conditions=asked, now=utc_now()).total

    assert odd != pending
    assert size(sent_from=before, sent_to=after) == 1
    assert size(sent_from=after) == 2
    assert size(confirmed_from=before) == 2
    assert size(confirmed_to=after) == 1
    assert size(address=index("address", "2001:db8:1:2::/64").hex()) == 1
    assert size(network=index("network", "2001:db8:1::/48").hex()) == 1
    assert size(network=index("network", "203.0.113.0/24").hex()) == 2
    assert size(domain=index("domain", "example.org").hex()) == 3
    assert size(score_from=70) == 1
    assert size(score_from=71) == 0
    assert size(signal="odd_name") == 1
    assert size(signal="honeypot") == 0
    assert (size(edition=1), size(edition=2)) == (3, 0)
    assert (size(locale="km"), size(locale="fr")) == (1, 0)
    assert (size(standing="quarantined"), size(standing="counted")) == (1, 2)
    assert (size(state="pending"), size(state="confirmed"), size(state="expired")) == (1, 2, 0)
    assert (size(country="CA", subdivision="CA-BC"), size(country="KH")) == (3, 0)
    assert size(locale="km", standing="counted") == 0
    whole = stage.read(count_set, campaign_id=room.id, conditions=Conditions(), now=utc_now(), action="restore")
    assert (whole.total, whole.counted, whole.moved) == (3, 1, 1)


CONDITIONS: Final = st.one_of(
    st.sampled_from(LOCALES).map(lambda locale: Conditions(locale=locale)),
    st.sampled_from(["counted", "quarantined", "removed"]).map(lambda standing: Conditions(standing=standing)),
    st.sampled_from(["pending", "confirmed"]).map(lambda state: Conditions(state=state)),
    st.just(Conditions(score_from=60)),
    st.just(Conditions(country="CA")),
    st.builds(Conditions, locale=st.sampled_from(LOCALES), standing=st.sampled_from(["counted", "quarantined"])),
)
WHICH: Final = st.integers(0, 30)


@on_one_database
@pytest.mark.usefixtures("small")
def test_the_count_is_that_of_the_rows_whatever_happens(stage: Stage) -> None:  # noqa: C901 - one machine
    numbers = iter(range(10_000))

    class Machine(RuleBasedStateMachine):
        """People sign and leave, moderators decide, workers work, die and read what is old by now."""

        def __init__(self) -> None:
            super().__init__()
            self.room = Room(stage, f"machine-{next(numbers)}")
            self.sets: list[UUID] = []

        @rule(number=st.integers(1, 4), is_held=st.booleans(), locale=st.sampled_from(LOCALES), confirm=st.booleans())
        def sign(self, *, number: int, is_held: bool, locale: str, confirm: bool) -> None:
            judgement = HELD if is_held else CLEAN
            self.room.sign_many(number, judgement=judgement, locale=locale, is_confirmed=confirm)

        @precondition(lambda self: self.room.signed)
        @rule(which=WHICH)
        def confirm(self, which: int) -> None:
            try:
                stage.write(confirm_by_token, token=self.token("confirm", which), now=utc_now())
            except ConfirmationRefused:
                return

        @precondition(lambda self: self.room.signed)
        @rule(which=WHICH)
        def withdraw(self, which: int) -> None:
            try:
                stage.write(withdraw_signature, token=self.token("manage", which), now=utc_now())
            except SignatureNotFound:
                return

        @precondition(lambda self: self.room.signed)
        @rule(which=WHICH, seen=st.sampled_from(["counted", "quarantined", "removed"]), is_honest=st.booleans())
        def decide(self, *, which: int, seen: str, is_honest: bool) -> None:
            ids = sorted(self.room.standings())
            chosen = [ids[which % len(ids)], ids[which // 2 % len(ids)]]
            stage.write(
                decide, campaign_id=self.room.id, signature_ids=chosen, seen=seen, rule=None if is_honest else "other",
                account_id=self.room.first, now=utc_now(),
            )  # fmt: skip

        @rule(conditions=CONDITIONS, action=st.sampled_from(["quarantine", "remove", "restore"]))
        def propose(self, conditions: Conditions, action: str) -> None:
            self.sets.append(self.room.make(conditions, action))

        @precondition(lambda self: self.sets)
        @rule(
            which=WHICH,
            what=st.sampled_from([sets.approve_set, sets.decline_set, sets.stop_set, sets.reverse_set]),
            is_second=st.booleans(),
        )
        def manage(self, *, which: int, what: Callable[..., Any], is_second: bool) -> None:
            try:
                self.room.do(what, self.chosen(which), self.room.second if is_second else None)
            except (sets.SetMoved, sets.SecondPersonNeeded):
                return

        @precondition(lambda self: self.sets)
        @rule(which=WHICH)
        def look(self, which: int) -> None:
            self.room.look(self.chosen(which))

        @precondition(lambda self: self.room.steps)
        @rule(which=WHICH)
        def take(self, which: int) -> None:
            # It stays: another worker may come with the same.
            self.room.take(self.room.steps[-1 - which % min(3, len(self.room.steps))])

        @precondition(lambda self: self.sets)
        @rule()
        def work(self) -> None:
            self.room.work()

        @invariant()
        def is_exact(self) -> None:
            self.room.count()
            assert stage.read(chains_are_whole)

        def chosen(self, which: int) -> UUID:
            return self.sets[which % len(self.sets)]

        def token(self, purpose: str, which: int) -> str:
            return f"{purpose}-{self.room.slug}-{1 + which % self.room.signed}"

        def teardown(self) -> None:
            self.room.work()
            self.is_exact()
            for found in [each for each in stage.read(list_sets) if each.slug == self.room.slug]:
                assert not found.is_working
                assert 0 <= found.changed <= found.walked or found.state in {"stopped", "reversed"}

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@on_one_database
def test_a_set_that_cannot_go_on_does_not_stop_the_others(stage: Stage) -> None:
    room = Room(stage)
    room.sign_many(2)
    broken = room.make(Conditions(locale="en"))

    def spoil(session: Any) -> None:  # noqa: ANN401 - a session
        session.get(SignatureSet, broken).conditions = {"weather": "fine"}

    stage.write(spoil)
    good = room.make(Conditions(country="CA"))
    room.work()
    assert room.state(good) == "done"
    assert room.count() == 0


def test_a_decision_of_this_very_moment_is_not_overruled_by_a_limit(stage: Stage) -> None:
    room = Room(stage)
    signed = room.sign(judgement=HELD, address="198.51.100.1")
    stage.write(
        change_standing, campaign_id=room.id, signature_ids=[signed], to="counted", rule="limits", now=utc_now()
    )
    address = Conditions(
        address=room.key.index("address", "198.51.100.1").hex(), sent_from=utc_now() - timedelta(minutes=1)
    )
    set_id = stage.write(
        sets.create_automatic_set, campaign_id=room.id, conditions=address, rule="limits", because="", expected=1,
        now=utc_now(),
    )  # fmt: skip
    assert room.look(set_id)
    (step,) = room.steps
    has_decided = threading.Event()

    def decide_slowly(session: Session) -> None:
        who: dict[str, Any] = {"campaign_id": room.id, "signature_ids": [signed], "now": utc_now()}
        who["account_id"] = room.second
        decide(session, seen="counted", rule="other", **who)
        decide(session, seen="removed", rule=None, **who)
        has_decided.set()
        if dialect_of(session) == "postgresql":  # SQLite's only writer does one after the other
            session.execute(text("SELECT pg_sleep(0.2)"))

    async def race() -> None:
        deciding = asyncio.ensure_future(stage.database.write(decide_slowly))
        await asyncio.to_thread(has_decided.wait)
        await stage.database.write(sets.take_step, step=step, now=utc_now())
        await deciding

    stage.run(race())
    assert room.standings()[signed] == "counted"
