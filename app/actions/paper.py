"""Sheets signed in ink: registered by the batch, typed, typed again for a sample, closed, removed.

They are counted by the team and not by us: nothing here touches a signature, the log, a threshold or a snapshot, and
nothing that a team does here depends on who signed online. What
was typed of people is sealed while a batch is open; closing it destroys that and leaves keyed hashes, so that a later
batch can be compared. Who types holds the batch's row for reading, and who closes or removes it for writing.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, func, select, update

from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Campaign, Edition, Member, PaperBatch, PaperLine, PaperPhoto
from app.queries.paper import Overlap, count_overlap
from app.rules.paper import (
    LINES,
    PAPER_STATES,
    Place,
    Reading,
    Registered,
    choose_sample,
    judge_lines,
    person_key,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

#: How long a batch may stay open, with names in it.
OPEN_KEPT: Final = timedelta(days=90)
TOKEN_LENGTH: Final = 12
_CHUNK: Final = 500

_batches: Table = cast("Table", PaperBatch.__table__)
_lines: Table = cast("Table", PaperLine.__table__)
_photos: Table = cast("Table", PaperPhoto.__table__)


class PaperNotTaken(Exception):
    """The campaign's state, or who signs it, allows no sheets."""


class BatchNotFound(Exception):
    """The campaign has no such batch, or the batch no such sheet or edition."""


class BatchNotOpen(Exception):
    """The batch was closed or removed."""


class SheetsTyped(Exception):
    """Something was typed of a sheet beyond the number given; the message is the last such sheet."""


class NothingTyped(Exception):
    """No line was typed: there is nothing to close."""


class SampleUnfinished(Exception):
    """Lines are still to be typed again, or two people read one in two ways."""


class LineChanged(Exception):
    """A line is no longer what was shown."""


class LookerIsOfTeam(Exception):
    """Whoever asks how many signed in both ways is of the campaign's own team."""


class ReturnChanged(Exception):
    """Somebody else has changed where sheets are to be brought since it was shown; the message is what is saved."""


def token_of(row_id: UUID) -> str:
    """Return what a form says of a line that was shown: each saving has another."""
    return row_id.hex[:TOKEN_LENGTH]


# Batches


def register_batch(
    session: Session, *, batch_id: UUID, campaign_id: UUID, registered: Registered, account_id: UUID, now: datetime
) -> int:
    """Register a batch, once for each ``batch_id``, and return its number. Raises PaperNotTaken, BatchNotFound."""
    campaign = _hold_campaign(session, campaign_id)
    if campaign.state not in PAPER_STATES or campaign.signatories == "organisations":
        raise PaperNotTaken(campaign.state)
    known = session.execute(select(_batches.c.campaign_id, _batches.c.number).where(_batches.c.id == batch_id)).first()
    if known is not None:
        if known.campaign_id != campaign_id:
            raise BatchNotFound
        return cast("int", known.number)
    last = session.scalar(select(func.max(_batches.c.number)).where(_batches.c.campaign_id == campaign_id))
    number = (last or 0) + 1
    values = {
        "id": batch_id,
        "campaign_id": campaign_id,
        "number": number,
        "state": "open",
        "registered_at": now,
        "registered_by": account_id,
        **_columns_of(session, campaign_id, registered),
    }
    session.connection().execute(_batches.insert(), values)
    _record(session, "paper_registered", campaign_id, account_id, now, batch=number, sheets=registered.sheets)
    return number


def change_batch(
    session: Session, *, campaign_id: UUID, number: int, registered: Registered, account_id: UUID, now: datetime
) -> None:
    """Correct what was said of an open batch; its kind and its way stay.

    Raises BatchNotFound, BatchNotOpen, SheetsTyped.
    """
    batch = _hold_open(session, campaign_id, number, for_writing=True)
    last = max(
        session.scalar(select(func.max(table.c.sheet)).where(table.c.batch_id == batch.id)) or 0
        for table in (_lines, _photos)
    )
    if last > registered.sheets:
        raise SheetsTyped(last)
    columns = _columns_of(session, campaign_id, replace(registered, kind=batch.kind, way=batch.way))
    session.execute(update(_batches).where(_batches.c.id == batch.id, _batches.c.state == "open").values(**columns))
    _record(session, "paper_changed", campaign_id, account_id, now, batch=number, sheets=registered.sheets)


def close_batch(
    session: Session,
    *,
    campaign_id: UUID,
    number: int,
    key: DataKey | None,
    account_id: UUID,
    now: datetime,
    counted: int | None = None,
) -> int:
    """Close a batch for ever, destroy what was typed of people and their photos, and return what it counts for.

    One that was typed counts its lines less those of people who are on another line, one that was only counted what is
    said now. Raises BatchNotFound, BatchNotOpen, NothingTyped, SampleUnfinished.
    """
    # One closing after the other: a person who is in two batches is counted by the first.
    _hold_campaign(session, campaign_id)
    batch = _hold_open(session, campaign_id, number, for_writing=True)
    duplicates = None
    if batch.way == "entered":
        if key is None:
            raise NothingTyped
        counted, duplicates = _judge(session, batch)
    if counted is None:
        raise NothingTyped
    closed = session.execute(
        update(_batches)
        .where(_batches.c.id == batch.id, _batches.c.state == "open")
        .values(state="closed", signatures=counted, duplicates=duplicates, closed_at=now, closed_by=account_id)
    )
    assert closed.rowcount == 1  # type: ignore[attr-defined]  # noqa: S101 - its row is held
    _destroy_names(session, [batch.id])
    _record(session, "paper_closed", campaign_id, account_id, now, batch=number, signatures=counted)
    return counted


def remove_batch(
    session: Session, *, campaign_id: UUID, number: int, because: str, account_id: UUID, now: datetime
) -> None:
    """Take a batch out of the count, with all that is kept of its lines; that it was there stays on record.

    ``because`` is a word of app/rules/paper.py. Raises BatchNotFound; BatchNotOpen where it was removed before.
    """
    batch = _hold(session, campaign_id, number, for_writing=True)
    if batch.state == "removed":
        raise BatchNotOpen
    session.execute(update(_batches).where(_batches.c.id == batch.id).values(state="removed"))
    _destroy_lines(session, [batch.id])
    details = {"batch": number, "because": because, "was": batch.state, "signatures": batch.signatures}
    _record(session, "paper_removed", campaign_id, account_id, now, **details)


# Lines


def save_lines(
    session: Session,
    *,
    campaign_id: UUID,
    number: int,
    sheet: int,
    lines: Mapping[int, Reading | None],
    shown: Mapping[int, str],
    key: DataKey,
    account_id: UUID,
    now: datetime,
) -> frozenset[int]:
    """Save the lines of a sheet over what was ``shown`` of each (`token_of`), and return those that were not saved.

    Somebody else has typed those in the meantime, and read something else. None empties a line. Raises BatchNotFound,
    BatchNotOpen.
    """
    batch = _hold_open(session, campaign_id, number, way="entered")
    if not 1 <= sheet <= batch.sheets or not lines.keys() <= set(range(1, LINES + 1)):
        raise BatchNotFound
    saved = {row.line: row for row in session.execute(_select_lines(batch.id, sheet=sheet))}
    lost: set[int] = set()
    for line, reading in lines.items():
        before = saved.get(line)
        if _read(before, key) == reading:
            continue
        if (token_of(before.row_id) if before else "") != shown.get(line, ""):
            lost.add(line)
            continue
        place = (sheet, line)
        if reading is None:
            is_saved = before is not None and _empty_line(session, before)
        elif before is None:
            row = _new_line(batch, place, 1, reading, key=key, account_id=account_id, now=now)
            is_saved = _insert_line(session, row)
        else:
            is_saved = _replace_line(session, before, reading, key=key, account_id=account_id, now=now)
        if not is_saved and _read(_find_line(session, batch.id, place), key) != reading:
            lost.add(line)
    return frozenset(lost)


def type_again(
    session: Session,
    *,
    campaign_id: UUID,
    number: int,
    lines: Mapping[Place, Reading],
    key: DataKey,
    account_id: UUID,
    now: datetime,
) -> None:
    """Keep what somebody else than the first reads on lines of the sample; what is typed already stays.

    Raises BatchNotFound, BatchNotOpen.
    """
    batch = _hold_open(session, campaign_id, number, way="entered")
    first = {(row.sheet, row.line): row for row in session.execute(_select_lines(batch.id))}
    wanted = set(choose_sample(first, batch.sample))
    for place, reading in lines.items():
        if place in wanted and first[place].typed_by != account_id:
            _insert_line(session, _new_line(batch, place, 2, reading, key=key, account_id=account_id, now=now))


def settle_line(
    session: Session,
    *,
    campaign_id: UUID,
    number: int,
    place: Place,
    token: str,
    key: DataKey,
    account_id: UUID,
    now: datetime,
) -> None:
    """Say which of two readings of a line is right: the one that ``token`` names, as it was shown.

    Raises BatchNotFound, BatchNotOpen, LineChanged.
    """
    batch = _hold_open(session, campaign_id, number, way="entered")
    found = [_find_line(session, batch.id, place, entry) for entry in (1, 2)]
    right = next((row for row in found if row is not None and token_of(row.row_id) == token), None)
    wrong = next((row for row in found if row is not None and row is not right), None)
    if right is None or wrong is None:
        raise LineChanged
    reading = _read(right, key)
    assert reading is not None  # noqa: S101 - a row says something
    if not _replace_line(session, wrong, reading, key=key, account_id=account_id, now=now):
        raise LineChanged
    _record(session, "paper_settled", campaign_id, account_id, now, batch=number, sheet=place[0], line=place[1])


# Photos


def keep_photo(
    session: Session, *, campaign_id: UUID, number: int, sheet: int, content: bytes, key: DataKey, now: datetime
) -> None:
    """Keep the picture of a sheet, in place of an earlier one. Raises BatchNotFound, BatchNotOpen."""
    batch = _hold_open(session, campaign_id, number)
    if not 1 <= sheet <= batch.sheets:
        raise BatchNotFound
    row_id = uuid4()
    sealed = key.seal("paper_photos.content", row_id, base64.b64encode(content).decode())
    values = {"row_id": row_id, "content": sealed, "kept_at": now}
    here = (_photos.c.batch_id == batch.id, _photos.c.sheet == sheet)
    is_kept = session.connection().execute(
        insert_if_absent(_photos, dialect_of(session)), {"batch_id": batch.id, "sheet": sheet, **values}
    )
    if is_kept.rowcount != 1:
        session.execute(update(_photos).where(*here).values(**values))


def remove_photo(session: Session, *, campaign_id: UUID, number: int, sheet: int) -> None:
    """Destroy the picture of a sheet, if there is one. Raises BatchNotFound, BatchNotOpen."""
    batch = _hold_open(session, campaign_id, number)
    session.execute(delete(_photos).where(_photos.c.batch_id == batch.id, _photos.c.sheet == sheet))


# Where sheets are to be brought


def save_return(session: Session, *, campaign_id: UUID, text: str, shown: str, account_id: UUID, now: datetime) -> None:
    """Say where sheets are to be brought, over what was ``shown``. Raises ReturnChanged."""
    saved = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id, func.coalesce(Campaign.paper_return, "") == shown)
        .values(paper_return=text or None)
    )
    if saved.rowcount != 1:  # type: ignore[attr-defined]
        current = session.scalar(select(Campaign.paper_return).where(Campaign.id == campaign_id)) or ""
        if current != text:
            raise ReturnChanged(current)
        return
    if text != shown:
        _record(session, "paper_return_saved", campaign_id, account_id, now)


# Those who signed in both ways


def look_at_overlap(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> Overlap | None:
    """Return how many signed in ink and online, for moderators; that somebody looked is on record.

    Whoever is of the team is told nothing: they could add a line, and look again. Raises LookerIsOfTeam.
    """
    if session.get(Member, {"campaign_id": campaign_id, "account_id": account_id}) is not None:
        raise LookerIsOfTeam
    _record(session, "paper_overlap_seen", campaign_id, account_id, now)
    return count_overlap(session, campaign_id=campaign_id)


# Forgetting


def expire_batches(session: Session, *, now: datetime) -> int:
    """Remove batches that stayed open too long, with the names in them; return how many."""
    due = select(_batches.c.id).where(_batches.c.state == "open", _batches.c.registered_at <= now - OPEN_KEPT)
    gone = session.execute(
        update(_batches)
        .where(_batches.c.id.in_(due.limit(_CHUNK)), _batches.c.state == "open")
        .values(state="removed")
        .returning(_batches.c.id, _batches.c.campaign_id, _batches.c.number)
    ).all()
    _destroy_lines(session, [row.id for row in gone])
    for row in gone:
        _record(session, "paper_expired", row.campaign_id, None, now, batch=row.number)
    return len(gone)


def forget_lines(session: Session, *, campaign_id: UUID) -> None:
    """Destroy all that is kept of the lines of a campaign; batches that were never closed are removed."""
    ids = list(session.scalars(select(_batches.c.id).where(_batches.c.campaign_id == campaign_id)))
    _destroy_lines(session, ids)
    session.execute(update(_batches).where(_batches.c.id.in_(ids), _batches.c.state == "open").values(state="removed"))


# Steps


def _hold_campaign(session: Session, campaign_id: UUID) -> Row[str, str]:
    columns = select(Campaign.state, Campaign.signatories)
    return session.execute(columns.where(Campaign.id == campaign_id).with_for_update(key_share=True)).one()


def _hold(session: Session, campaign_id: UUID, number: int, *, for_writing: bool) -> Row[Any]:
    statement = select(_batches).where(_batches.c.campaign_id == campaign_id, _batches.c.number == number)
    row = session.execute(statement.with_for_update(read=not for_writing)).first()
    if row is None:
        raise BatchNotFound
    return row


def _hold_open(
    session: Session, campaign_id: UUID, number: int, *, for_writing: bool = False, way: str | None = None
) -> Row[Any]:
    """Return an open batch, which nobody closes or removes until this is done. Raises BatchNotFound, BatchNotOpen."""
    row = _hold(session, campaign_id, number, for_writing=for_writing)
    if row.state != "open":
        raise BatchNotOpen
    if way not in {None, row.way}:
        raise BatchNotFound
    return row


def _columns_of(session: Session, campaign_id: UUID, registered: Registered) -> dict[str, Any]:
    edition_id = None
    if registered.edition_number is not None:
        edition_id = session.scalar(
            select(Edition.id).where(Edition.campaign_id == campaign_id, Edition.number == registered.edition_number)
        )
        if edition_id is None:
            raise BatchNotFound
    return {
        "kind": registered.kind,
        "way": registered.way,
        "edition_id": edition_id,
        "collected_on": registered.collected_on,
        "place": registered.place,
        "sheets": registered.sheets,
        "stated": registered.stated,
        "sample": registered.sample if registered.way == "entered" else 0,
    }


def _select_lines(batch_id: UUID, *, sheet: int | None = None, entry: int = 1) -> Any:  # noqa: ANN401 - a Select
    statement = select(_lines).where(_lines.c.batch_id == batch_id, _lines.c.entry == entry)
    return statement if sheet is None else statement.where(_lines.c.sheet == sheet)


def _find_line(session: Session, batch_id: UUID, place: Place, entry: int = 1) -> Row[Any] | None:
    statement = _select_lines(batch_id, sheet=place[0], entry=entry).where(_lines.c.line == place[1])
    found: Row[Any] | None = session.execute(statement).first()
    return found


def _read(row: Row[Any] | None, key: DataKey) -> Reading | None:
    """Return what a row says, None where there is none."""
    if row is None:
        return None
    if row.name is None:
        return Reading(None)
    code = "" if row.postal_code is None else key.open("paper_lines.postal_code", row.row_id, row.postal_code)
    return Reading(key.open("paper_lines.name", row.row_id, row.name), code)


def _sealed(reading: Reading, *, key: DataKey, account_id: UUID, now: datetime) -> dict[str, Any]:
    """Return what changes with each saving of a line."""
    row_id = uuid4()
    said = {"name": reading.name, "postal_code": reading.postal_code or None}
    sealed = {
        name: None if text is None else key.seal(f"paper_lines.{name}", row_id, text) for name, text in said.items()
    }
    is_void = reading.name is None
    # Of a line that counts for nobody the hash is noise, which equals nothing.
    person = key.index("paper", row_id.hex) if is_void else key.index("person", person_key(reading))
    verdict = "invalid" if is_void else "counted"
    return {
        "row_id": row_id, **sealed, "person_index": person, "verdict": verdict, "typed_at": now, "typed_by": account_id,
    }  # fmt: skip


def _new_line(
    batch: Row[Any], place: Place, entry: int, reading: Reading, *, key: DataKey, account_id: UUID, now: datetime
) -> dict[str, Any]:
    where = {"batch_id": batch.id, "sheet": place[0], "line": place[1], "entry": entry}
    return {**where, "campaign_id": batch.campaign_id, **_sealed(reading, key=key, account_id=account_id, now=now)}


def _insert_line(session: Session, row: dict[str, Any]) -> bool:
    return session.connection().execute(insert_if_absent(_lines, dialect_of(session)), row).rowcount == 1


def _is_row(row: Row[Any]) -> tuple[Any, ...]:
    """Return the condition for a row as it was read: each saving has another id."""
    return (
        _lines.c.batch_id == row.batch_id,
        _lines.c.sheet == row.sheet,
        _lines.c.line == row.line,
        _lines.c.entry == row.entry,
        _lines.c.row_id == row.row_id,
    )


def _replace_line(
    session: Session, row: Row[Any], reading: Reading, *, key: DataKey, account_id: UUID, now: datetime
) -> bool:
    values = _sealed(reading, key=key, account_id=account_id, now=now)
    return session.connection().execute(update(_lines).where(*_is_row(row)).values(**values)).rowcount == 1


def _empty_line(session: Session, row: Row[Any]) -> bool:
    if session.connection().execute(delete(_lines).where(*_is_row(row))).rowcount != 1:
        return False
    same = (_lines.c.batch_id == row.batch_id, _lines.c.sheet == row.sheet, _lines.c.line == row.line)
    session.execute(delete(_lines).where(*same))
    return True


def _judge(session: Session, batch: Row[Any]) -> tuple[int, int]:
    """Note what each line of a batch is, and return how many count and how many are of people on another line.

    Nothing here looks at what was signed online: a batch of invented names and one real one would ask who signed.
    """
    first = {(row.sheet, row.line): row for row in session.execute(_select_lines(batch.id))}
    if not first:
        raise NothingTyped
    second = {(row.sheet, row.line): row for row in session.execute(_select_lines(batch.id, entry=2))}
    # A second reading may outlive a first one that was emptied at the same moment.
    again = set(choose_sample(first, batch.sample)) | (second.keys() & first.keys())
    if any(place not in second or not _is_alike(first[place], second[place]) for place in again):
        raise SampleUnfinished
    people = {place: None if row.name is None else row.person_index for place, row in first.items()}
    elsewhere = _find_elsewhere(session, batch, [person for person in people.values() if person])
    verdicts = judge_lines(people, elsewhere=elsewhere)
    _note_verdicts(session, batch.id, verdicts)
    said = list(verdicts.values())
    return said.count("counted"), said.count("repeated")


def _is_alike(one: Row[Any], other: Row[Any]) -> bool:
    """Tell whether two readings are of one person, or both of nobody."""
    is_void = one.name is None and other.name is None
    return is_void or cast("bool", one.person_index == other.person_index)


def _find_elsewhere(session: Session, batch: Row[Any], people: Collection[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for some in _parted(people):
        found.update(
            session.scalars(
                select(_lines.c.person_index)
                .join(_batches, _batches.c.id == _lines.c.batch_id)
                .where(
                    _lines.c.campaign_id == batch.campaign_id,
                    _lines.c.person_index.in_(some),
                    _lines.c.verdict == "counted",
                    _lines.c.entry == 1,
                    _batches.c.state == "closed",
                )
            )
        )
    return found


def _parted(values: Collection[bytes]) -> Iterable[list[bytes]]:
    ordered = sorted(set(values))
    return (ordered[at : at + _CHUNK] for at in range(0, len(ordered), _CHUNK))


def _note_verdicts(session: Session, batch_id: UUID, verdicts: Mapping[Place, str]) -> None:
    rows = [
        {"b": batch_id, "s": sheet, "l": line} for (sheet, line), verdict in verdicts.items() if verdict == "repeated"
    ]
    if rows:
        here = (_lines.c.batch_id == bindparam("b"), _lines.c.sheet == bindparam("s"), _lines.c.line == bindparam("l"))
        session.connection().execute(update(_lines).where(*here).values(verdict="repeated"), rows)


def _destroy_names(session: Session, ids: Collection[UUID]) -> None:
    session.execute(update(_lines).where(_lines.c.batch_id.in_(ids)).values(name=None, postal_code=None))
    session.execute(delete(_photos).where(_photos.c.batch_id.in_(ids)))


def _destroy_lines(session: Session, ids: Collection[UUID]) -> None:
    for table in (_lines, _photos):
        session.execute(delete(table).where(table.c.batch_id.in_(ids)))


def _record(
    session: Session, what: str, campaign_id: UUID, account_id: UUID | None, now: datetime, **details: object
) -> None:
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
