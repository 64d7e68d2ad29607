"""Batches of sheets on both databases: who was first, what is left after closing, and what they never touch."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.actions import paper
from app.actions.paper import (
    BatchNotFound,
    BatchNotOpen,
    LineChanged,
    NothingTyped,
    PaperNotTaken,
    ReturnChanged,
    SampleUnfinished,
    SheetsTyped,
    token_of,
)
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Campaign, PaperLine, PaperPhoto, Record, Signature, open_campaign_key
from app.queries.paper import (
    Overlap,
    count_overlap,
    count_paper,
    count_public_paper,
    find_batch,
    find_photo,
    find_sample,
    list_lines,
)
from app.rules.paper import Reading, Registered, person_key
from tests.stage import on_one_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Executable
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey
    from app.queries.paper import Batch, Sample, TypedLine
    from tests.stage import Stage

NAMES: Final = ("Sok Sophea", "សុខ សុភា", "Chan Dara", "Meas Bopha", "Kim Srey", "Ly Heng", "Nuon Chea", "Pich Rith",
                "Prak Sok", "Tep Vanna", "Ung Bun", "Yos Phal")  # fmt: skip
CODE: Final = "V3B 1A1"
REGISTERED: Final = Registered("free", "entered", 1, None, "A hall", 3, 12, 2)


class Drive:
    """A campaign that takes sheets, and two people of its team."""

    def __init__(self, stage: Stage, slug: str = "libraries", **changes: Any) -> None:  # noqa: ANN401 - a file's own
        self.stage, self.slug = stage, stage.campaign(slug=slug, **changes)
        find = select(Campaign.id).where(Campaign.slug == slug)
        self.id: UUID = stage.read(lambda session: session.scalars(find).one())
        self.one, self.other = (stage.organiser(f"{who}@example.org").account_id for who in ("one", "other"))
        key = stage.read(open_campaign_key, campaign_id=self.id, keyring=stage.keyring)
        assert key is not None
        self.key: DataKey = key

    @property
    def who(self) -> dict[str, Any]:
        return {"campaign_id": self.id, "account_id": self.one, "now": utc_now()}

    def register(self, **changes: Any) -> int:  # noqa: ANN401 - fields
        fields: dict[str, Any] = {
            "kind": "free", "way": "entered", "edition_number": 1, "collected_on": None, "place": "A hall", "sheets": 3,
            "stated": 12, "sample": 0, **changes,
        }  # fmt: skip
        return self.stage.write(paper.register_batch, batch_id=uuid4(), registered=Registered(**fields), **self.who)

    def save(self, number: int, names: Iterable[str], *, sheet: int = 1, **options: Any) -> frozenset[int]:  # noqa: ANN401 - an action's
        lines = {line: Reading(name, CODE) if name else None for line, name in enumerate(names, 1)}
        given: dict[str, Any] = {
            "lines": lines,
            "shown": {},
            "sheet": sheet,
            "number": number,
            "key": self.key,
            **self.who,
            **options,
        }
        return self.stage.write(paper.save_lines, **given)

    def shown(self, number: int, sheet: int = 1) -> dict[int, str]:
        return {line: token_of(each.row_id) for line, each in self.lines(number, sheet).items()}

    def lines(self, number: int, sheet: int = 1) -> Mapping[int, TypedLine]:
        return self.stage.read(list_lines, batch=self.batch(number), sheet=sheet, key=self.key)

    def batch(self, number: int) -> Batch:
        batch = self.stage.read(find_batch, campaign_id=self.id, number=number)
        assert batch is not None
        return batch

    def sample(self, number: int, account_id: UUID) -> Sample:
        return self.stage.read(find_sample, batch=self.batch(number), account_id=account_id, key=self.key)

    def close(self, number: int, **options: Any) -> int:  # noqa: ANN401 - an action's
        return self.stage.write(paper.close_batch, number=number, **{"key": self.key, **self.who, **options})

    def remove(self, number: int) -> None:
        self.stage.write(paper.remove_batch, number=number, because="mistake", **self.who)

    def counted(self) -> tuple[int, int, int]:
        counted = self.stage.read(count_paper, campaign_id=self.id)
        return counted.signatures, counted.batches, counted.sheets

    def recorded(self) -> list[str]:
        wanted = select(Record.what).where(Record.what.like("paper%")).order_by(Record.id)
        return self.stage.read(lambda session: list(session.scalars(wanted)))


@pytest.fixture
def drive(stage: Stage) -> Drive:
    return Drive(stage, asks=["postal_code"])


def test_closing_counts_each_person_once_and_destroys_their_names(drive: Drive) -> None:
    stage = drive.stage
    stage.sign(drive.slug, name="Sophea Sok")  # confirmed below: she is on the sheet, too
    stage.sign(drive.slug, name="Dara Chan", email="dara@example.org", browser=stage.new_browser())  # never confirmed
    (letter,) = stage.letters_to("sokha@example.org")
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    stage.roll_up()
    number = drive.register()
    assert drive.save(number, NAMES) == frozenset()
    drive.save(number, ["chan dara", "", "-"], sheet=2, lines={1: Reading("chan dara", "v3b1a1"), 3: Reading(None)})
    stage.write(
        paper.keep_photo, campaign_id=drive.id, number=number, sheet=1, content=b"\xff\xd8jpeg", key=drive.key,
        now=utc_now(),
    )  # fmt: skip
    before = drive.batch(number)
    assert (before.typed, before.void, drive.counted()) == (14, 1, (0, 0, 0))
    # Whoever is on another line is said so at once; who has signed online never.
    assert [known and (known.sheet, known.line) for known in (each.known for each in drive.lines(number, 2).values())] \
        == [(1, 3), None]  # fmt: skip
    assert drive.lines(number)[1].known is None
    thresholds = stage.sql("SELECT * FROM thresholds")
    assert drive.close(number) == len(NAMES)
    after = drive.batch(number)
    assert (after.state, after.signatures, after.duplicates) == ("closed", 12, 1)
    assert drive.counted() == (12, 1, 3)
    assert stage.read(count_public_paper, slug=drive.slug) == 12
    # Nothing of it is in the count, in a threshold, or in what becomes the log.
    assert (stage.count(drive.slug), stage.sql("SELECT * FROM thresholds")) == (1, thresholds)
    assert stage.sql("SELECT count(*) FROM count_events") == [(0,)]
    assert stage.sql("SELECT count(*) FROM signatures") == [(2,)]
    kept = stage.read(lambda session: session.execute(select(PaperLine.name, PaperLine.postal_code)).all())
    assert set(kept) == {(None, None)}
    assert stage.sql("SELECT count(*) FROM paper_photos") == [(0,)]
    found = stage.read(find_photo, campaign_id=drive.id, number=number, sheet=1, key=drive.key)
    assert found is None
    with pytest.raises(BatchNotOpen):
        drive.close(number)
    with pytest.raises(BatchNotOpen):
        drive.save(number, NAMES)
    assert drive.recorded() == ["paper_registered", "paper_closed"]


def test_a_person_on_two_batches_counts_with_the_first_that_is_closed(drive: Drive) -> None:
    first, second = drive.register(), drive.register()
    drive.save(first, NAMES[:6])
    drive.save(second, NAMES[4:])
    known = drive.lines(first)[5].known
    assert known is not None
    assert (known.batch, known.sheet, known.line) == (second, 1, 1)

    async def close_both() -> list[Any]:
        steps = (
            drive.stage.database.write(paper.close_batch, number=each, key=drive.key, **drive.who)
            for each in (first, second, first, second)
        )
        return await asyncio.gather(*steps, return_exceptions=True)

    said = drive.stage.run(close_both())
    # Each is closed once, whoever else pressed; and nobody counts twice.
    assert sorted(type(each).__name__ for each in said) == ["BatchNotOpen", "BatchNotOpen", "int", "int"]
    assert drive.counted() == (len(NAMES), 2, 6)
    assert drive.batch(first).duplicates + drive.batch(second).duplicates == 2  # type: ignore[operator]
    # A batch that is removed counts for nothing, and its people may come with another.
    drive.remove(first)
    third = drive.register()
    drive.save(third, NAMES)
    assert drive.close(third) == len(NAMES) - drive.batch(second).signatures  # type: ignore[operator]
    with pytest.raises(BatchNotOpen):
        drive.remove(first)
    assert drive.recorded().count("paper_removed") == 1


def test_two_people_who_type_the_same_line_lose_nothing(drive: Drive) -> None:
    number, both = drive.register(), drive.who

    async def save_both(*names: str) -> list[frozenset[int]]:
        steps = (
            drive.stage.database.write(
                paper.save_lines, number=number, sheet=1, lines={1: Reading(name, CODE), 2: Reading("Same", CODE)},
                shown=drive_shown, key=drive.key, **both,
            )
            for name in names
        )  # fmt: skip
        return list(await asyncio.gather(*steps))

    drive_shown: dict[int, str] = {}
    said = drive.stage.run(save_both("Sok Sophea", "Sok Sophia"))
    assert sorted(map(len, said)) == [0, 1]
    assert frozenset({1}) in said
    first = drive.lines(number)[1].reading.name
    # Both change the line that they were shown: again one alone does; the same change twice is no quarrel.
    drive_shown = drive.shown(number)
    said = drive.stage.run(save_both("Chan Dara", "Meas Bopha"))
    assert sorted(map(len, said)) == [0, 1]
    second = drive.lines(number)[1].reading.name
    assert {first, second} & {"Chan Dara", "Meas Bopha"} == {second}
    drive_shown = drive.shown(number)
    assert drive.stage.run(save_both("Kim Srey", "Kim Srey", "Kim Srey")) == [frozenset()] * 3
    assert len(drive.stage.sql("SELECT * FROM paper_lines")) == 2
    # Emptied by several at once, and read in two ways settled by several: the first is obeyed, the others see what is.
    given: dict[str, Any] = {"number": number, "key": drive.key, **both}
    again = {"lines": {(1, 2): Reading("Another")}, **given, "account_id": drive.other}
    drive.stage.write(paper.change_batch, number=number, registered=REGISTERED, **both)
    drive.stage.write(paper.type_again, **again)
    [differing] = drive.sample(number, drive.one).differing
    right = token_of(differing.readings[1][1])

    async def end_both() -> list[Any]:
        write, shown = drive.stage.database.write, drive_shown
        settling = [write(paper.settle_line, place=(1, 2), token=right, **given) for _ in range(4)]
        emptying = [write(paper.save_lines, sheet=1, lines={1: None}, shown=shown, **given) for _ in range(4)]
        return await asyncio.gather(*settling, *emptying, return_exceptions=True)

    drive_shown = drive.shown(number)
    said = drive.stage.run(end_both())
    assert {type(each) for each in said[:4]} <= {type(None), LineChanged}
    assert said[4:] == [frozenset()] * 4
    assert [each.reading.name for each in drive.lines(number).values()] == ["Another"]
    assert drive.sample(number, drive.one).differing == ()


def test_what_is_typed_while_somebody_closes_is_counted_or_refused(drive: Drive) -> None:
    number = drive.register(sheets=25)
    drive.save(number, NAMES[:1])

    async def work() -> list[Any]:
        write, key = drive.stage.database.write, drive.key
        typing = [
            write(
                paper.save_lines, number=number, sheet=sheet, lines={1: Reading("Sok " + chr(96 + sheet))},
                shown={}, key=key, **drive.who,
            )
            for sheet in range(2, 22)
        ]  # fmt: skip
        closing = write(paper.close_batch, number=number, key=key, **drive.who)
        return await asyncio.gather(*typing[:8], closing, *typing[8:], return_exceptions=True)

    said = drive.stage.run(work())
    saved = sum(each == frozenset() for each in said)
    refused = sum(isinstance(each, BatchNotOpen) for each in said)
    assert saved + refused == 20
    assert drive.batch(number).signatures == saved + 1 == drive.batch(number).typed
    assert drive.stage.sql("SELECT count(*) FROM paper_lines WHERE name IS NOT NULL") == [(0,)]


def test_registering_at_once_gives_each_batch_its_number_and_one_form_one_batch(drive: Drive) -> None:
    once = uuid4()
    fields = Registered("free", "counted", None, date(2026, 1, 1), "", 2, 30, 5)

    async def register_all() -> list[int]:
        ids = (once, once, once, uuid4(), uuid4())
        write = drive.stage.database.write
        return list(
            await asyncio.gather(
                *(write(paper.register_batch, batch_id=each, registered=fields, **drive.who) for each in ids)
            )
        )

    numbers = drive.stage.run(register_all())
    assert len(set(numbers[:3])) == 1
    assert sorted({*numbers}) == [1, 2, 3]
    assert drive.batch(1).sample == 0  # nothing is typed of it
    with pytest.raises(BatchNotFound):
        drive.save(1, NAMES)
    with pytest.raises(NothingTyped):
        drive.close(1)
    assert drive.close(1, counted=28) == 28
    assert drive.counted() == (28, 1, 2)
    other = Drive(drive.stage, "elsewhere")
    with pytest.raises(BatchNotFound):
        other.stage.write(paper.register_batch, batch_id=once, registered=fields, **other.who)
    with pytest.raises(BatchNotFound):
        other.close(1, counted=1)


def test_a_sample_is_typed_by_somebody_else_and_what_differs_is_settled(drive: Drive) -> None:
    number = drive.register(sample=5)
    drive.save(number, NAMES[:11])
    assert drive.sample(number, drive.one).for_you == ()
    assert drive.sample(number, drive.other).for_you == ((1, 5), (1, 10))
    again = {(1, 5): Reading("Srey Kim", "v3b 1a1"), (1, 10): Reading("Tep Vana", CODE), (1, 3): Reading("Else")}
    given: dict[str, Any] = {"campaign_id": drive.id, "number": number, "key": drive.key, "now": utc_now()}
    drive.stage.write(paper.type_again, lines=again, account_id=drive.one, **given)
    assert drive.sample(number, drive.other).done == 0  # nobody checks their own lines
    with pytest.raises(SampleUnfinished):
        drive.close(number)
    for _ in range(2):
        drive.stage.write(paper.type_again, lines=again, account_id=drive.other, **given)
    sample = drive.sample(number, drive.one)
    [differing] = sample.differing
    assert (sample.done, sample.lines, differing.place) == (2, 2, (1, 10))
    with pytest.raises(SampleUnfinished):
        drive.close(number)
    with pytest.raises(LineChanged):
        drive.stage.write(paper.settle_line, place=(1, 10), token="0" * 12, account_id=drive.one, **given)
    with pytest.raises(LineChanged):
        drive.stage.write(paper.settle_line, place=(1, 9), token="0" * 12, account_id=drive.one, **given)
    right = token_of(differing.readings[1][1])
    drive.stage.write(paper.settle_line, place=(1, 10), token=right, account_id=drive.one, **given)
    assert drive.lines(number)[10].reading.name == "Tep Vana"
    # A line that is emptied takes its second reading with it; the sample moves on to another.
    drive.save(number, [*NAMES[:9], ""], shown=drive.shown(number), lines={10: None})
    assert drive.sample(number, drive.other).for_you == ((1, 11),)
    drive.stage.write(paper.type_again, lines={(1, 11): Reading("Ung Bun", CODE)}, account_id=drive.other, **given)
    assert drive.close(number) == 10
    assert drive.recorded() == ["paper_registered", "paper_settled", "paper_closed"]


def test_the_overlap_is_of_all_closed_batches_and_only_of_what_is_held(drive: Drive) -> None:
    stage = drive.stage

    def overlap() -> Overlap | None:
        return stage.read(count_overlap, campaign_id=drive.id)

    for name in NAMES[:4]:
        sign_online(stage, drive.slug, name)
    sign_online(stage, drive.slug, "Nobody Else")
    assert overlap() is None
    first, second, open_one = drive.register(), drive.register(), drive.register()
    drive.save(first, ["-", *NAMES[:2]], lines={1: Reading(None), 2: Reading(NAMES[0], CODE), 3: Reading(NAMES[1], "")})
    drive.save(second, [NAMES[0], *NAMES[2:6]])
    drive.save(open_one, NAMES)
    assert (drive.close(first), drive.close(second)) == (2, 4)
    # One without a code is nobody's online; one that is repeated counts with the first.
    assert overlap() == Overlap(lines=6, online=3)
    # Held back, withdrawn: not counted. A batch that is removed takes its lines with it.
    held_back, withdrawn = (drive.key.index("person", person_key(Reading(NAMES[each], CODE))) for each in (0, 2))
    change = update(Signature)
    for statement in (
        change.where(Signature.person_index == held_back).values(standing="quarantined"),
        change.where(Signature.person_index == withdrawn).values(state="withdrawn"),
    ):
        stage.write(run, statement=statement)
    assert overlap() == Overlap(lines=6, online=1)
    drive.remove(second)
    assert overlap() == Overlap(lines=2, online=0)
    # A name alone is that of many.
    stage.write(lambda session: session.execute(update(Campaign).values(asks=[])))
    assert overlap() is None
    stage.write(lambda session: session.execute(update(Campaign).values(asks=["postal_code"])))
    stage.write(paper.forget_lines, campaign_id=drive.id)
    assert overlap() is None
    assert drive.counted() == (2, 1, 3)


def run(session: Session, *, statement: Executable) -> None:
    session.execute(statement)


def sign_online(stage: Stage, slug: str, name: str) -> None:
    """Sign and confirm, each from a mailbox and a browser of their own."""
    address = f"{name.encode().hex()[:40]}@example.org"
    assert stage.sign(slug, name=name, email=address, browser=stage.new_browser()).status_code == 303
    (letter,) = stage.letters_to(address)
    assert stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"}).status_code < 400


@on_one_database
def test_sheets_beyond_what_is_typed_cannot_go_and_strange_places_do_not_exist(drive: Drive) -> None:
    number = drive.register()
    drive.save(number, NAMES[:2], sheet=3)
    for sheets, fact in ((2, SheetsTyped), (4, None)):
        changed = Registered("commons", "counted", 1, None, "A temple", sheets, 40, 10)
        if fact is None:
            drive.stage.write(paper.change_batch, number=number, registered=changed, **drive.who)
            continue
        with pytest.raises(fact):
            drive.stage.write(paper.change_batch, number=number, registered=changed, **drive.who)
    batch = drive.batch(number)
    assert (batch.sheets, batch.kind, batch.way, batch.sample, batch.place) == (4, "free", "entered", 10, "A temple")
    for sheet, lines in ((5, {1: None}), (0, {1: None}), (1, {26: None})):
        with pytest.raises(BatchNotFound):
            drive.save(number, [], sheet=sheet, lines=lines)
    with pytest.raises(BatchNotFound):
        drive.register(edition_number=7)
    photo: dict[str, Any] = {"campaign_id": drive.id, "number": number, "key": drive.key, "now": utc_now()}
    with pytest.raises(BatchNotFound):
        drive.stage.write(paper.keep_photo, sheet=5, content=b"x", **photo)
    for content in (b"one", b"two"):
        drive.stage.write(paper.keep_photo, sheet=1, content=content, **photo)
    [sealed] = drive.stage.read(lambda session: list(session.scalars(select(PaperPhoto.content))))
    assert b"two" not in sealed
    del photo["now"]
    assert drive.stage.read(find_photo, sheet=1, **photo) == b"two"


@on_one_database
@pytest.mark.parametrize(
    ("values", "is_taken"),
    [
        ({"state": "closed"}, True),
        ({"state": "answered"}, True),
        ({"state": "stopped"}, False),
        ({"state": "draft"}, False),
        ({"signatories": "organisations"}, False),
    ],
)
def test_sheets_come_to_what_is_public_and_signed_by_people(
    drive: Drive, *, values: dict[str, str], is_taken: bool
) -> None:
    drive.stage.write(lambda session: session.execute(update(Campaign).values(**values)))
    if is_taken:
        assert drive.register() == 1
        return
    with pytest.raises(PaperNotTaken):
        drive.register()


def test_where_sheets_are_to_be_brought_is_saved_over_what_was_shown(drive: Drive) -> None:
    save = {"shown": "", **drive.who}
    drive.stage.write(paper.save_return, text="1 Main Street", **save)
    drive.stage.write(paper.save_return, text="1 Main Street", **save)  # pressed twice
    drive.stage.write(paper.save_return, text="1 Main Street", **{**save, "shown": "1 Main Street"})
    assert drive.recorded() == ["paper_return_saved"]
    with pytest.raises(ReturnChanged, match="1 Main Street"):
        drive.stage.write(paper.save_return, text="2 Main Street", **save)
    drive.stage.write(paper.save_return, text="", **{**save, "shown": "1 Main Street"})
    assert drive.stage.sql("SELECT paper_return FROM campaigns") == [(None,)]


def test_an_open_batch_is_gone_after_ninety_days_and_hashes_go_with_the_key(drive: Drive) -> None:
    first, second = drive.register(), drive.register()
    for number in (first, second):
        drive.save(number, NAMES[:3])
    drive.close(first)
    now = utc_now()
    assert drive.stage.write(paper.expire_batches, now=now + timedelta(days=89, hours=23)) == 0
    drive.stage.run(forget_all(drive.stage.database, now=now + timedelta(days=90, minutes=1)))
    assert (drive.batch(first).state, drive.batch(second).state) == ("closed", "removed")
    assert drive.stage.sql("SELECT count(*) FROM paper_lines") == [(3,)]
    assert drive.recorded()[-1] == "paper_expired"
    third = drive.register()
    drive.save(third, NAMES[:3])
    ended = update(Campaign).values(
        state="closed", closes_at=now - timedelta(days=366), opens_at=now - timedelta(days=400)
    )
    drive.stage.write(lambda session: session.execute(ended))
    drive.stage.run(forget_all(drive.stage.database, now=now))
    assert drive.stage.sql("SELECT count(*) FROM paper_lines") == [(0,)]
    assert drive.batch(third).state == "removed"
    assert drive.counted() == (3, 1, 3)
