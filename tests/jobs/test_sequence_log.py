"""The loop of the log: it appends what is due, goes on past what cannot, and tells those who keep checkpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import insert, update

from app.actions.checkpoints import tell_checkpoint
from app.actions.counting import roll_up_count
from app.jobs import sequence_log as job
from app.jobs.sequence_log import sequence_log
from app.models import Campaign, Office, OfficeStaff, Sponsor
from app.proofs.verifying import Verifier, read_checkpoint
from app.queries.log import list_published
from tests.actions.test_sequencing import NOON, Drive
from tests.stage import on_one_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from tests.stage import Letter, Stage

HOST = "127.0.0.1:8000"
DAY = timedelta(days=1)


@pytest.fixture
def drive(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """Return a campaign with a threshold of 3."""
    monkeypatch.setattr(job, "BREATH", 0)
    monkeypatch.setattr("tests.actions.test_sequencing.HOST", HOST)
    return Drive(stage)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def run(drive: Drive, clock: time_machine.Traveller, at: datetime) -> None:
    clock.move_to(at)
    while drive.stage.run(sequence_log(drive.stage.background)):
        pass


def letters(drive: Drive) -> list[Letter]:
    """Return the letters with checkpoints so far."""
    return [each for each in drive.stage.deliver() if each.mail["Subject"] == "A record of a count, to keep"]


def test_what_waits_is_appended_without_anybody_asking(
    drive: Drive, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.actions.sequencing.CHUNK", 50)
    drive.sign(120)
    run(drive, clock, NOON)
    assert [each.signatures for each in drive.checkpoints()] == [50, 100, 120]
    drive.sign(1)
    run(drive, clock, NOON + timedelta(hours=6))
    assert len(drive.checkpoints()) == 3
    run(drive, clock, NOON + timedelta(hours=12))
    assert drive.sizes() == (121, 0)
    drive.check(is_drained=True)


@on_one_database
def test_a_log_that_cannot_go_on_does_not_stop_the_others(stage: Stage, clock: time_machine.Traveller) -> None:
    broken, fine = Drive(stage, "broken"), Drive(stage, "fine")
    for each in (broken, fine):
        each.sign(20)
    spoil = "UPDATE campaign_keys SET sealed = :sealed WHERE campaign_id = :id"
    stage.sql_write(spoil, sealed=b"nothing that opens, and long enough to look it", id=broken.id.hex)
    run(fine, clock, NOON)
    assert (broken.sizes(), fine.sizes()) == ((0, 0), (20, 0))


def test_the_first_checkpoint_with_a_crossing_goes_to_organiser_and_office(
    drive: Drive, clock: time_machine.Traveller
) -> None:
    drive.sign(2)
    run(drive, clock, NOON + DAY)
    assert letters(drive) == [], "nothing is reached, and a week is not over"
    drive.now = NOON + DAY
    drive.sign(1)
    drive.stage.write(roll_up_count, campaign_id=drive.id, now=drive.now)
    run(drive, clock, NOON + DAY + timedelta(hours=1))
    assert letters(drive) == [], "a crossing hurries nothing"
    run(drive, clock, NOON + 2 * DAY)
    told = letters(drive)
    assert {each.mail["To"] for each in told} == {"organiser@example.org", "office@example.org"}
    checkpoint = drive.checkpoints()[-1]
    keys = [Verifier.parse(each.verifier) for each in list_published(drive.stage.keyring, host=HOST)]
    for letter in told:
        text = letter.text.replace("\r\n", "\n")
        for note, size in ((checkpoint.signed_note, 3), (checkpoint.removed_note, 0)):
            assert note in text
            found = note[: note.index("\n")]
            copied = text[text.index(found) :].split("\n\n", 2)
            assert read_checkpoint(f"{copied[0]}\n\n{copied[1]}\n", keys).size == size, "as it is copied from a letter"
        assert f"http://{HOST}/api/v1/campaigns/{drive.slug}/log/checkpoints" in text
        assert "/verify" in text
        assert "3 confirmed signatures" in text
        assert checkpoint.signed_note.splitlines()[2] in letter.html
    run(drive, clock, NOON + 3 * DAY)
    drive.stage.write(tell_checkpoint, campaign_id=drive.id, now=NOON + 30 * DAY)
    assert len(letters(drive)) == 2, "once, even where two processes found it owed"
    assert [each.told_at is None for each in drive.checkpoints()] == [True, False]


def test_otherwise_once_a_week_and_only_where_there_is_something_new(
    drive: Drive, clock: time_machine.Traveller
) -> None:
    for days, expected in ((0, 0), (1, 0), (7, 2), (9, 2), (13, 2), (20, 4), (21, 4)):
        if days not in {13, 20}:
            drive.now = NOON + days * DAY
            drive.sign(1)
        run(drive, clock, NOON + days * DAY + timedelta(hours=12))
        if days == 7:
            drive.stage.write(roll_up_count, campaign_id=drive.id, now=drive.now)
        run(drive, clock, NOON + days * DAY + timedelta(hours=13))
        assert len(letters(drive)) == expected, days


def test_staff_of_living_offices_are_told_and_nobody_who_has_left(drive: Drive, clock: time_machine.Traveller) -> None:
    staffer = drive.stage.organiser("staffer@example.org")

    def open_offices(session: Session) -> None:
        for name, ends, revoked, state in (
            ("living", 30 * DAY, None, "joined"),
            ("invited", 30 * DAY, None, "invited"),
            ("expired", DAY, None, "joined"),
            ("revoked", 30 * DAY, NOON, "joined"),
            ("leaving", 30 * DAY, None, "joined"),
            ("closing", 30 * DAY, None, "joined"),
        ):
            office_id, staff_id = uuid4(), uuid4()
            office = {
                "id": office_id, "campaign_id": drive.id, "name": name, "created_at": NOON,
                "expires_at": NOON + ends, "revoked_at": revoked,
            }  # fmt: skip
            staff = {
                "id": staff_id, "office_id": office_id, "email_index": staff_id.bytes, "locale": "fr", "state": state,
                "email": drive.key.seal("office_staff.email", staff_id, f"{name}@example.org"),
                "account_id": staffer.account_id, "invited_at": NOON,
            }  # fmt: skip
            session.execute(insert(Office), office)
            session.execute(insert(OfficeStaff), staff)

    drive.stage.write(open_offices)
    drive.sign(1)
    run(drive, clock, NOON + DAY)
    drive.now = NOON + 8 * DAY
    drive.sign(1)
    run(drive, clock, NOON + 9 * DAY)
    leave = update(OfficeStaff).where(OfficeStaff.email_index.in_(_ids(drive, "leaving"))).values(state="removed")
    drive.stage.write(lambda session: session.execute(leave))
    close = update(Office).where(Office.name == "closing").values(revoked_at=NOON)
    drive.stage.write(lambda session: session.execute(close))
    assert {each.mail["To"] for each in drive.stage.deliver() if "verify" in each.text} == {
        "organiser@example.org", "office@example.org", "living@example.org",
    }  # fmt: skip


def _ids(drive: Drive, name: str) -> list[bytes]:
    statement = "SELECT email_index FROM office_staff JOIN offices ON offices.id = office_id WHERE name = :name"
    return [row[0] for row in drive.stage.sql(statement, name=name)]


@on_one_database
def test_a_sponsor_who_has_left_and_a_campaign_without_its_key_are_told_nothing(
    drive: Drive, clock: time_machine.Traveller
) -> None:
    drive.sign(1)
    run(drive, clock, NOON + DAY)
    drive.now = NOON + 8 * DAY
    drive.sign(1)
    run(drive, clock, NOON + 9 * DAY)
    drive.stage.write(lambda session: session.execute(update(Sponsor).values(state="left")))
    assert {each.mail["To"] for each in letters(drive)} == {"organiser@example.org"}
    drive.now = NOON + 18 * DAY
    drive.sign(1)
    run(drive, clock, NOON + 19 * DAY)
    drive.stage.sql_write("DELETE FROM campaign_keys")
    assert len(letters(drive)) == 1
    assert drive.stage.sql("SELECT count(*) FROM letters WHERE kind = 'checkpoint'") == [(3,)]


@on_one_database
def test_letters_with_checkpoints_are_written_in_each_language(drive: Drive, clock: time_machine.Traveller) -> None:
    drive.stage.write(lambda session: session.execute(update(Campaign).values(source_locale="km")))
    drive.stage.write(lambda session: session.execute(update(Sponsor).values(locale="fr")))
    for day in (0, 8):
        drive.now = NOON + day * DAY
        drive.sign(1)
        run(drive, clock, drive.now + DAY)
    told = {each.mail["Content-Language"]: each for each in drive.stage.deliver()}
    assert set(told) == {"km", "fr"}
    for letter in told.values():
        assert drive.checkpoints()[-1].signed_note in letter.text.replace("\r\n", "\n")
