"""The log: what counts and what goes becomes leaves, exactly, whatever happens in between; and says no moment."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from app.actions import sequencing
from app.actions.own_signature import SignatureNotFound, erase_signature, withdraw_signature
from app.actions.retention import BEFORE_ALL, forget_signers
from app.actions.sequencing import BATCH, Appended, append_batch, find_boundary, list_logs_to_append
from app.actions.signing import ConfirmationRefused, confirm_by_token
from app.actions.standing import change_standing
from app.core.db import open_database
from app.models import Campaign, Checkpoint, Edition, LogLeaf, LogTree, Signature, is_counted
from app.models.transparency import TREES
from app.proofs import verifying
from app.proofs.merkle import ENTRIES, prove_consistency, prove_inclusion
from app.proofs.verifying import Verifier, is_consistent, is_included, read_checkpoint
from app.queries.log import find_receipt, list_published, read_tiles, write_opening
from tests.actions.signers import HELD, find_campaign, sign
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.db import Database
    from app.core.keys import Keyring
    from app.proofs.merkle import ReadTile
    from app.proofs.verifying import TreeHead
    from tests.stage import Stage

HOST = "petitions.example.org"
OPENED = datetime(2026, 3, 2, tzinfo=UTC)
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Drive:
    """A campaign, those who sign it, and its log."""

    def __init__(self, stage: Stage, slug: str = "libraries") -> None:
        self.stage = stage
        self.slug = stage.campaign(small_campaign(slug), open_for=None)
        self.id, self.key = stage.read(find_campaign, slug=self.slug, keyring=stage.keyring)
        opened = update(Campaign).where(Campaign.id == self.id).values(opens_at=OPENED, created_at=OPENED)
        stage.write(lambda session: session.execute(opened))
        self.signed = 0
        self.now = NOON

    def sign(self, number: int = 1, **how: Any) -> list[UUID]:  # noqa: ANN401 - as signers'
        def work(session: Session) -> list[UUID]:
            return [
                sign(
                    session, slug=self.slug, number=self.signed + each, keyring=self.stage.keyring, now=self.now, **how
                )
                for each in range(1, number + 1)
            ]

        ids = self.stage.write(work)
        self.signed += number
        return ids

    def token(self, number: int, purpose: str = "manage") -> str:
        return f"{purpose}-{self.slug}-{number}"

    def withdraw(self, number: int) -> None:
        self.stage.write(withdraw_signature, token=self.token(number), now=self.now)

    def erase(self, number: int) -> None:
        self.stage.write(erase_signature, token=self.token(number), now=self.now)

    def forget(self) -> None:
        after: UUID | None = BEFORE_ALL
        while after is not None:
            after = self.stage.write(forget_signers, campaign_id=self.id, after=after)

    def move(self, ids: list[UUID], to: str) -> None:
        self.stage.write(change_standing, campaign_id=self.id, signature_ids=ids, to=to, rule="other", now=self.now)

    def append(self) -> Appended:
        return self.stage.write(append_batch, campaign_id=self.id, keyring=self.stage.keyring, host=HOST, now=self.now)

    def append_all(self) -> None:
        """Append what waits, by letting twelve hours pass."""
        self.now = find_boundary(self.now) + 12 * HOUR
        while self.is_due():
            self.append()

    def is_due(self) -> bool:
        return self.stage.read(list_logs_to_append, now=self.now) == [self.id]

    def checkpoints(self) -> list[Checkpoint]:
        ordered = select(Checkpoint).where(Checkpoint.campaign_id == self.id).order_by(Checkpoint.number)
        return self.stage.read(lambda session: list(session.scalars(ordered)))

    def leaves(self, tree: str) -> list[LogLeaf]:
        ordered = select(LogLeaf).where(LogLeaf.campaign_id == self.id, LogLeaf.tree == tree)
        return self.stage.read(lambda session: list(session.scalars(ordered.order_by(LogLeaf.position))))

    def sizes(self) -> tuple[int, int]:
        checkpoints = self.checkpoints()
        return (checkpoints[-1].signed_size, checkpoints[-1].removed_size) if checkpoints else (0, 0)

    def check(self, *, is_drained: bool = False) -> None:
        """Check everything that must hold of a log after any batch."""
        self.stage.read(check_log, campaign_id=self.id, keyring=self.stage.keyring, is_drained=is_drained)


def check_log(session: Session, *, campaign_id: UUID, keyring: Keyring, is_drained: bool) -> None:
    verifiers = [Verifier.parse(each.verifier) for each in list_published(keyring, host=HOST)]
    slug = session.scalars(select(Campaign.slug).where(Campaign.id == campaign_id)).one()
    checkpoints = session.scalars(
        select(Checkpoint).where(Checkpoint.campaign_id == campaign_id).order_by(Checkpoint.number)
    ).all()
    assert [each.number for each in checkpoints] == list(range(1, len(checkpoints) + 1))
    rows = select(func.count()).where(Signature.campaign_id == campaign_id)
    logged = session.scalars(rows.where(Signature.is_logged)).one()
    trees = {row.tree: row.size for row in session.scalars(select(LogTree).where(LogTree.campaign_id == campaign_id))}
    if checkpoints:
        assert logged == checkpoints[-1].signatures == trees["signed"] - trees["removed"]
    else:
        assert logged == 0
    if is_drained:
        assert logged == session.scalars(rows.where(is_counted())).one()
    for tree in TREES:
        origin = f"{HOST}/api/v1/campaigns/{slug}/log/{tree}"
        heads = [read_checkpoint(getattr(each, f"{tree}_note"), verifiers) for each in checkpoints]
        sizes = [getattr(each, f"{tree}_size") for each in checkpoints]
        assert [(head.origin, head.size) for head in heads] == [(origin, size) for size in sizes]
        _check_tree(read_tiles(session, campaign_id=campaign_id, tree=tree), heads)


def _check_tree(read: ReadTile, heads: list[TreeHead]) -> None:
    """Check that each head begins with every one before, and holds leaves from its beginning to its end."""
    for number, new in enumerate(heads):
        for old in heads[:number]:
            proof = prove_consistency(read, old=old.size, new=new.size)
            assert is_consistent(old=old.size, new=new.size, old_root=old.root, new_root=new.root, proof=proof)
        for index in {0, new.size // 2, new.size - 1} if new.size else ():
            path = prove_inclusion(read, index=index, size=new.size)
            leaf = verifying.hash_leaf(_entry(read, index))
            assert is_included(leaf_hash=leaf, index=index, size=new.size, path=path, root=new.root)


def _entry(read: ReadTile, index: int) -> bytes:
    return read(ENTRIES, index // 256)[index % 256 * 32 :][:32]


def openings(drive: Drive) -> list[tuple[str, UUID | None, bool]]:
    """Return each leaf's tree and signature, and whether salt and row open it."""

    def work(session: Session) -> Iterator[tuple[str, UUID | None, bool]]:
        rows = session.execute(
            select(LogLeaf.tree, LogLeaf.position, LogLeaf.signature_id, LogLeaf.salt, Signature.locale, Edition.hash)
            .outerjoin(Signature, Signature.id == LogLeaf.signature_id)
            .outerjoin(Edition, Edition.id == Signature.edition_id)
            .where(LogLeaf.campaign_id == drive.id)
        )
        for row in rows.all():
            is_open = False
            if row.salt is not None:
                salt = bytes.fromhex(drive.key.open("log_leaves.salt", row.signature_id, row.salt))
                opening = write_opening(
                    campaign=drive.slug, edition=row.hash, locale=row.locale, signature_id=row.signature_id,
                    tree=row.tree,
                )  # fmt: skip
                read = read_tiles(session, campaign_id=drive.id, tree=row.tree)
                is_open = verifying.commit(salt, opening) == _entry(read, row.position)
            yield row.tree, row.signature_id, is_open

    return drive.stage.read(lambda session: list(work(session)))


@pytest.fixture
def drive(stage: Stage) -> Drive:
    return Drive(stage)


def test_twenty_are_appended_at_once_and_fewer_wait_for_a_boundary(drive: Drive) -> None:
    drive.sign(BATCH - 1)
    assert not drive.is_due()
    assert drive.append() == Appended(0, 0, is_more=False)
    drive.sign(1)
    assert drive.is_due()
    assert drive.append() == Appended(BATCH, 0, is_more=False)
    assert drive.append() == Appended(0, 0, is_more=False), "once"
    assert (drive.sizes(), len(drive.checkpoints())) == ((BATCH, 0), 1)
    drive.sign(1)
    for hours in (1, 6, 11):
        drive.now = NOON + hours * HOUR
        assert not drive.is_due(), "18 o'clock is within six hours of the batch at half past twelve"
    drive.now = datetime(2026, 3, 3, 0, 0, 1, tzinfo=UTC)
    drive.sign(1)
    assert drive.append() == Appended(1, 0, is_more=False), "the one after midnight waits"
    drive.now += 6 * HOUR
    assert drive.append() == Appended(1, 0, is_more=False), "its boundary is six hours after the last"
    drive.check(is_drained=True)


def test_who_signs_a_second_before_a_boundary_and_after_a_batch_is_not_dated_by_it(drive: Drive) -> None:
    drive.now = datetime(2026, 3, 2, 17, 59, 58, tzinfo=UTC)
    drive.sign(BATCH)
    drive.append()
    drive.now += timedelta(seconds=1)
    drive.sign(1)
    drive.now = datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert not drive.is_due()
    drive.now += 6 * HOUR
    assert drive.append().signed == 1


def test_nor_who_signs_before_the_first_boundary_after_the_opening(drive: Drive) -> None:
    opened = update(Campaign).values(opens_at=NOON + 5 * HOUR)
    drive.stage.write(lambda session: session.execute(opened))
    drive.now = NOON + 5 * HOUR
    drive.sign(1)
    drive.now = datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert not drive.is_due()
    drive.now += 6 * HOUR
    assert drive.is_due()


def test_a_lone_signature_does_not_hide_among_removals(drive: Drive) -> None:
    ids = drive.sign(2 * BATCH)
    drive.append_all()
    drive.now += HOUR
    drive.move(ids[:BATCH], "removed")
    drive.sign(1)
    assert drive.append() == Appended(0, BATCH, is_more=False)
    drive.check()
    drive.append_all()
    assert drive.sizes() == (2 * BATCH + 1, BATCH)
    drive.check(is_drained=True)


def test_what_came_and_went_between_two_batches_leaves_no_leaf(drive: Drive) -> None:
    ids = drive.sign(BATCH + 2)
    drive.withdraw(1)
    drive.move([ids[1]], "quarantined")
    drive.sign(1, judgement=HELD)
    drive.sign(1, is_confirmed=False)
    drive.append_all()
    assert drive.sizes() == (BATCH, 0)
    assert {leaf.signature_id for leaf in drive.leaves("signed")} == set(ids[2:])


def test_order_of_leaves_is_not_that_of_rows(drive: Drive) -> None:
    ids = drive.sign(BATCH)
    drive.append()
    order = [leaf.signature_id for leaf in drive.leaves("signed")]
    assert set(order) == set(ids)
    assert order not in (ids, sorted(ids)), "one of 2.4 times 10 to the 18th"


def test_what_was_taken_out_and_put_back_is_a_new_leaf(drive: Drive) -> None:
    (signature_id, *_) = drive.sign(3)
    for to in ("removed", "counted", "quarantined", "counted"):
        drive.append_all()
        drive.move([signature_id], to)
    drive.append_all()
    assert drive.sizes() == (5, 2)
    drive.check(is_drained=True)
    assert all(is_open for _, _, is_open in openings(drive))
    leaves = [leaf for tree in TREES for leaf in drive.leaves(tree)]
    salts = {
        drive.key.open("log_leaves.salt", leaf.signature_id, leaf.salt)
        for leaf in leaves
        if leaf.signature_id is not None and leaf.salt is not None
    }
    assert len(salts) == 7, "each leaf has one of its own"


def test_erasing_destroys_salt_and_link_and_the_leaf_that_follows_has_none(drive: Drive) -> None:
    first, second, third = drive.sign(3)
    drive.append_all()
    drive.erase(1)
    drive.withdraw(2)
    linked = {leaf.signature_id for leaf in drive.leaves("signed")}
    assert linked == {None, second, third}
    drive.append_all()
    assert drive.sizes() == (3, 2)
    assert sorted(str(leaf.signature_id) for leaf in drive.leaves("removed")) == sorted(["None", str(second)])
    assert [leaf.salt for tree in TREES for leaf in drive.leaves(tree) if leaf.signature_id is None] == [None, None]
    drive.erase(2)
    assert {leaf.signature_id for tree in TREES for leaf in drive.leaves(tree)} == {None, third}
    drive.check(is_drained=True)
    assert drive.stage.read(find_receipt, signature_id=first, keyring=drive.stage.keyring) is None


def test_without_the_campaigns_key_leaves_go_on_and_belong_to_nobody(drive: Drive) -> None:
    (signature_id, *_) = drive.sign(3)
    drive.append_all()
    drive.sign(2)
    drive.withdraw(2)
    drive.forget()
    assert drive.stage.read(find_receipt, signature_id=signature_id, keyring=drive.stage.keyring) is None
    drive.append_all()
    assert drive.sizes() == (5, 1)
    assert {(leaf.signature_id, leaf.salt) for tree in TREES for leaf in drive.leaves(tree)} == {(None, None)}
    drive.check(is_drained=True)


def test_a_salt_sealed_with_a_key_that_is_gone_makes_no_receipt(drive: Drive) -> None:
    """A batch that had opened the key when it was destroyed."""
    (signature_id,) = drive.sign(1)
    drive.append_all()
    noise = update(LogLeaf).values(salt=b"no seal at all, and long enough to look like one")
    drive.stage.write(lambda session: session.execute(noise))
    assert drive.stage.read(find_receipt, signature_id=signature_id, keyring=drive.stage.keyring) is None


def test_a_receipt_checks_with_nothing_but_itself_and_the_key(drive: Drive) -> None:
    ids = drive.sign(30, locale="km")
    assert drive.stage.read(find_receipt, signature_id=ids[7], keyring=drive.stage.keyring) is None, "not logged yet"
    drive.append()
    drive.sign(25)
    drive.append()
    drive.move([ids[7]], "removed")
    drive.append_all()
    receipt = drive.stage.read(find_receipt, signature_id=ids[7], keyring=drive.stage.keyring)
    assert receipt is not None
    head, _, note = receipt.text.partition("\n\n")
    version, extra, index, *path = head.splitlines()
    assert version == verifying.PROOF_VERSION
    said = json.loads(b64decode(extra.removeprefix("extra ")))
    canonical = json.dumps(said["opening"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert (said["opening"]["locale"], said["opening"]["signature"]) == ("km", ids[7].hex)
    (verifier,) = [Verifier.parse(each.verifier) for each in list_published(drive.stage.keyring, host=HOST)]
    tree = read_checkpoint(note, [verifier])
    assert tree.size == 55
    entry = verifying.commit(bytes.fromhex(said["salt"]), canonical)
    assert is_included(
        leaf_hash=verifying.hash_leaf(entry),
        index=int(index.removeprefix("index ")),
        size=tree.size,
        path=[b64decode(each) for each in path],
        root=tree.root,
    )


def test_a_backlog_is_appended_in_chunks_with_a_checkpoint_each(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.actions.sequencing.CHUNK", 100)
    ids = drive.sign(270)
    drive.move(ids[:3], "removed")
    assert [drive.append().signed for _ in range(4)] == [100, 100, 67, 0]
    assert len(drive.checkpoints()) == 3
    drive.move(ids[3:63], "removed")
    drive.sign(45)
    appended = drive.append()
    assert (appended.signed + appended.removed, appended.is_more) == (100, True)
    drive.append_all()
    assert drive.sizes() == (312, 60)
    drive.check(is_drained=True)
    for tree, size in (("signed", 312), ("removed", 60)):
        rows = drive.stage.sql("SELECT level, number, length(hashes) FROM log_tiles WHERE tree = :tree", tree=tree)
        tiles = {(level, number): length // 32 for level, number, length in rows}
        whole, rest = divmod(size, 256)
        expected = {(level, number): 256 for level in (-1, 0) for number in range(whole)}
        expected |= {(level, whole): rest for level in (-1, 0)}
        assert tiles == expected | ({(1, 0): whole} if whole else {})


def test_two_campaigns_have_logs_of_their_own(stage: Stage) -> None:
    one, other = Drive(stage, "one"), Drive(stage, "other")
    one.sign(BATCH)
    other.sign(BATCH + 1)
    assert sorted(stage.read(list_logs_to_append, now=NOON)) == sorted([one.id, other.id])
    one.append()
    other.append()
    for drive in (one, other):
        drive.check(is_drained=True)
    assert (one.sizes(), other.sizes()) == ((20, 0), (21, 0))


def test_boundaries_are_four_a_day_in_utc() -> None:
    assert find_boundary(NOON) == datetime(2026, 3, 2, 12, tzinfo=UTC)
    hours = {find_boundary(OPENED + minutes * timedelta(minutes=7)).hour for minutes in range(300)}
    assert hours == {0, 6, 12, 18}
    for before, after in pairwise([OPENED, OPENED + 6 * HOUR]):
        assert find_boundary(after - timedelta(microseconds=1)) == before


WHICH = st.integers(0, 60)
STANDINGS = st.sampled_from(["counted", "quarantined", "removed"])


def test_signed_less_removed_is_what_counts_whatever_happens(stage: Stage) -> None:  # noqa: C901 - one machine
    numbers = iter(range(10_000))

    class Machine(RuleBasedStateMachine):
        """People sign, leave and are forgotten, moderators decide, time passes, and batches come in between."""

        def __init__(self) -> None:
            super().__init__()
            self.drive = Drive(stage, f"machine-{next(numbers)}")
            self.ids: list[UUID] = []
            self.erased: set[UUID] = set()
            self.is_forgotten = False

        @precondition(lambda self: not self.is_forgotten)
        @rule(number=st.sampled_from([1, 2, 21]), is_held=st.booleans(), confirm=st.sampled_from([True, True, False]))
        def sign(self, *, number: int, is_held: bool, confirm: bool) -> None:
            how = {"judgement": HELD} if is_held else {}
            self.ids += self.drive.sign(number, is_confirmed=confirm, **how)

        @precondition(lambda self: self.ids)
        @rule(which=WHICH)
        def confirm(self, which: int) -> None:
            with suppress(ConfirmationRefused):
                stage.write(confirm_by_token, token=self.token("confirm", which), now=self.drive.now)

        @precondition(lambda self: self.ids)
        @rule(which=WHICH)
        def withdraw(self, which: int) -> None:
            with suppress(SignatureNotFound):
                stage.write(withdraw_signature, token=self.token("manage", which), now=self.drive.now)

        @precondition(lambda self: self.ids and not self.is_forgotten)
        @rule(which=WHICH)
        def erase(self, which: int) -> None:
            stage.write(erase_signature, token=self.token("manage", which), now=self.drive.now)
            self.erased.add(self.ids[which % len(self.ids)])

        @precondition(lambda self: self.ids)
        @rule(start=WHICH, number=st.sampled_from([1, 3, 25]), to=STANDINGS)
        def move(self, *, start: int, number: int, to: str) -> None:
            self.drive.move(self.ids[start % len(self.ids) :][:number], to)

        @rule(minutes=st.sampled_from([1, 59, 361, 721]))
        def wait(self, minutes: int) -> None:
            self.drive.now += timedelta(minutes=minutes)

        @rule()
        def append(self) -> None:
            before = self.drive.is_due()
            appended = self.drive.append()
            assert before == (appended.signed + appended.removed > 0)
            self.drive.check()

        @rule()
        def append_all(self) -> None:
            self.drive.append_all()
            self.drive.check(is_drained=True)

        @precondition(lambda self: len(self.ids) > 20)
        @rule()
        def forget(self) -> None:
            self.drive.forget()
            self.is_forgotten = True

        def token(self, purpose: str, which: int) -> str:
            return self.drive.token(1 + which % len(self.ids), purpose)

        def teardown(self) -> None:
            self.drive.append_all()
            self.drive.check(is_drained=True)
            linked: Counter[UUID] = Counter()
            for tree, signature_id, is_open in openings(self.drive):
                assert is_open == (signature_id is not None)
                if signature_id is not None:
                    linked[signature_id] += 1 if tree == "signed" else -1
            assert not self.erased & set(linked)
            assert not (self.is_forgotten and linked)
            statement = select(Signature.id).where(Signature.campaign_id == self.drive.id, Signature.is_logged)
            logged = set(stage.read(lambda session: session.scalars(statement).all()))
            assert {each for each, number in linked.items() if number} == (set() if self.is_forgotten else logged)
            assert set(linked.values()) <= {0, 1}

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize("leaving", [erase_signature, withdraw_signature])
def test_who_leaves_while_a_batch_is_made_is_left_out_or_waits_for_it(
    drive: Drive, monkeypatch: pytest.MonkeyPatch, leaving: Callable[..., None]
) -> None:
    (first, *_) = drive.sign(BATCH + 1)

    async def leave() -> None:
        other = open_database(drive.stage.settings.database_url)
        await other.write(leaving, token=drive.token(1), now=drive.now)
        await other.close()

    person = Thread(target=lambda: asyncio.run(leave()))
    choose = sequencing._choose

    def choose_slowly(*about: Any) -> Any:  # noqa: ANN401 - as what it stands in for
        if person.ident is None:
            person.start()
            person.join(0.3)
        return choose(*about)

    monkeypatch.setattr(sequencing, "_choose", choose_slowly)
    drive.append()
    person.join()
    drive.check()
    linked = {leaf.signature_id for leaf in drive.leaves("signed")}
    assert (first in linked) == (leaving is withdraw_signature and drive.sizes()[0] > BATCH)
    assert all((leaf.signature_id is None) == (leaf.salt is None) for leaf in drive.leaves("signed"))
    drive.append_all()
    drive.check(is_drained=True)


def test_two_that_append_while_people_leave_lose_and_repeat_nothing(drive: Drive) -> None:
    """Real commits, several databases open at once, as processes have them."""
    stage = drive.stage
    ids = drive.sign(240)
    others = [open_database(stage.settings.database_url) for _ in range(3)]
    appending: dict[str, Any] = {
        "campaign_id": drive.id, "keyring": stage.keyring, "host": HOST, "now": drive.now,
    }  # fmt: skip

    async def append(database: Database) -> None:
        for _ in range(12):
            await database.write(append_batch, **appending)
            await asyncio.sleep(0)

    async def leave(database: Database) -> None:
        for number in range(1, 121):
            leaving = withdraw_signature if number % 10 else erase_signature
            await database.write(leaving, token=drive.token(number), now=drive.now)

    async def judge(database: Database) -> None:
        for start in range(0, 240, 24):
            for to in ("removed", "counted", "quarantined"):
                await database.write(
                    change_standing, campaign_id=drive.id, signature_ids=ids[start : start + 24], to=to, rule="other",
                    now=drive.now,
                )  # fmt: skip

    async def all_at_once() -> None:
        await asyncio.gather(append(others[0]), append(others[1]), leave(stage.database), judge(others[2]))
        for each in others:
            await each.close()

    stage.run(all_at_once())
    assert len(drive.checkpoints()) > 1
    drive.check()
    drive.append_all()
    drive.check(is_drained=True)
    assert all(is_open == (signature_id is not None) for _, signature_id, is_open in openings(drive))
