"""The loop of the log: it appends what is due, goes on past what cannot, and tells those who keep checkpoints."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select, update

from app.actions.checkpoints import tell_checkpoint
from app.actions.counting import roll_up_count
from app.actions.offices import invite_to_office, join_office, remove_staff, revoke_office
from app.actions.signing_in import Browser
from app.jobs import sequence_log as job
from app.jobs.sequence_log import sequence_log
from app.models import Campaign, OfficeStaff, Sponsor
from app.proofs.verifying import Verifier, read_checkpoint
from app.queries.log import list_published
from app.web.sessions import new_secret
from tests.actions.test_sequencing import NOON, Drive
from tests.stage import on_one_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy.orm import Session

    from tests.stage import Letter, Stage

HOST = "127.0.0.1:8000"
DAY = timedelta(days=1)
OWED = "SELECT count(*) FROM letters WHERE kind = 'checkpoint'"


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
    offices = {name: ask_in(drive, f"{name}@example.org") for name in ("living", "invited", "leaving", "closing")}
    ask_in(drive, "expired@example.org", days=9)
    for name in ("living", "expired", "leaving", "closing"):
        join(drive, f"{name}@example.org")
    drive.sign(1)
    run(drive, clock, NOON + DAY)
    drive.now = NOON + 8 * DAY
    drive.sign(1)
    run(drive, clock, NOON + 8 * DAY + timedelta(hours=12))
    assert drive.stage.sql(OWED) == [(6,)], "organiser, sponsor, and four who have joined"
    clock.move_to(NOON + 9 * DAY)
    who: dict[str, Any] = {"campaign_id": drive.id, "now": NOON + 9 * DAY, "account_id": None}
    leaver = select(OfficeStaff.id).where(OfficeStaff.office_id == offices["leaving"])
    staff_id = drive.stage.read(lambda session: session.scalars(leaver).one())
    drive.stage.write(remove_staff, staff_id=staff_id, **who)
    drive.stage.write(revoke_office, office_id=offices["closing"], **who)
    assert {each.mail["To"] for each in letters(drive)} == {
        "organiser@example.org", "office@example.org", "living@example.org",
    }  # fmt: skip
    assert drive.stage.sql("SELECT count(*) FROM letters WHERE state = 'queued'") == [(0,)]


def ask_in(drive: Drive, email: str, *, days: int = 30) -> UUID:
    """Ask somebody to an office of their own; return its id."""
    office_id = uuid4()
    drive.stage.write(
        invite_to_office,
        campaign_id=drive.id,
        office_id=office_id,
        staff_id=uuid4(),
        name=f"Office of {email}",
        email=email,
        locale="en",
        expires_at=NOON + days * DAY,
        keyring=drive.stage.keyring,
        now=NOON,
        account_id=None,
    )
    return office_id


def join(drive: Drive, email: str) -> None:
    (letter,) = (each for each in drive.stage.letters_to(email) if "/office/invitation/" in each.text)
    browser = Browser(secret=new_secret(), device="test")
    token = letter.token("invitation")
    drive.stage.write(join_office, token=token, browser=browser, keyring=drive.stage.keyring, now=NOON)


def test_a_backlog_that_passes_many_numbers_is_one_letter(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BREATH", 0)
    monkeypatch.setattr("tests.actions.test_sequencing.HOST", HOST)
    monkeypatch.setattr("app.actions.sequencing.CHUNK", 30)
    drive = Drive(stage)
    for reached in (20, 50, 80):
        stage.sql_write(
            "INSERT INTO thresholds (id, campaign_id, signatures, labels) VALUES (:id, :campaign, :reached, '{}')",
            id=uuid4().hex,
            campaign=drive.id.hex,
            reached=reached,
        )
    drive.sign(100)
    stage.write(roll_up_count, campaign_id=drive.id, now=NOON)
    run(drive, clock, NOON)
    assert [each.signatures for each in drive.checkpoints()] == [30, 60, 90]
    run(drive, clock, NOON + DAY)
    assert [each.told_at is None for each in drive.checkpoints()] == [True, True, False, True], "90 holds them all"
    assert stage.sql(OWED) == [(2,)], "the organiser and the office"


@on_one_database
def test_a_campaign_that_cannot_be_told_does_not_silence_the_others(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    drives = [Drive(stage, slug) for slug in ("one", "other")]
    for each in drives:
        each.sign(20)
    run(drives[0], clock, NOON)
    tried: list[UUID] = []

    def tell(session: Session, *, campaign_id: UUID, now: datetime) -> None:
        tried.append(campaign_id)
        if len(tried) == 1:
            raise LookupError
        tell_checkpoint(session, campaign_id=campaign_id, now=now)

    monkeypatch.setattr(job, "tell_checkpoint", tell)
    run(drives[0], clock, NOON + 8 * DAY)
    assert set(tried) == {each.id for each in drives}
    assert stage.sql(OWED) == [(2,)]


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
    assert drive.stage.sql(OWED) == [(3,)]


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
