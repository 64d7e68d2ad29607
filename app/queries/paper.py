"""Sheets signed in ink: what is published of them, and what those see who type."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, exists, func, or_, select

from app.models import Campaign, Edition, PaperBatch, PaperLine, PaperPhoto, Signature
from app.rules.moves import PUBLIC_STATES
from app.rules.paper import LINES, Place, Reading, choose_sample

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

#: Lines of a sample on one page.
AGAIN_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class PaperCount:
    """What the closed batches of a campaign come to; it stands apart from what was signed online."""

    signatures: int
    batches: int
    sheets: int


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of the ``lines`` that count, and of which something is still held, are of people who signed online."""

    lines: int
    online: int


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as those see it who type it; ``typed`` are its lines so far, ``again`` those typed a second time."""

    id: UUID
    number: int
    kind: str
    way: str
    state: str
    edition_number: int | None
    collected_on: date | None
    place: str
    sheets: int
    stated: int
    sample: int
    signatures: int | None
    duplicates: int | None
    registered_at: datetime
    closed_at: datetime | None
    typed: int
    void: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of an open batch: how many of its lines are typed, and whether there is a picture of it."""

    number: int
    typed: int
    has_photo: bool


@dataclass(frozen=True, slots=True)
class Known:
    """Where else the person of a line is on paper."""

    batch: int
    sheet: int
    line: int


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line as it is shown again; ``row_id`` says which saving it is of."""

    line: int
    reading: Reading
    row_id: UUID
    known: Known | None


@dataclass(frozen=True, slots=True)
class Differing:
    """A line that two people read in two ways."""

    place: Place
    readings: tuple[tuple[Reading, UUID], tuple[Reading, UUID]]


@dataclass(frozen=True, slots=True)
class Sample:
    """How far a sample is: lines of it in all, those that this person may type now, those that differ."""

    lines: int
    done: int
    waiting: int
    for_you: tuple[Place, ...]
    differing: tuple[Differing, ...]


def count_paper(session: Session, *, campaign_id: UUID) -> PaperCount:
    """Return what the closed batches of a campaign come to."""
    row = session.execute(
        select(
            func.coalesce(func.sum(PaperBatch.signatures), 0),
            func.count(),
            func.coalesce(func.sum(PaperBatch.sheets), 0),
        ).where(PaperBatch.campaign_id == campaign_id, PaperBatch.state == "closed")
    ).one()
    return PaperCount(*(int(each or 0) for each in row))


def count_public_paper(session: Session, *, slug: str) -> int:
    """Return how many signatures in ink a published campaign has; 0 where there is none of this name."""
    counted = session.scalar(
        select(func.sum(PaperBatch.signatures))
        .join(Campaign, Campaign.id == PaperBatch.campaign_id)
        .where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES), PaperBatch.state == "closed")
    )
    return int(counted or 0)


def count_overlap(session: Session, *, campaign_id: UUID) -> Overlap | None:
    """Return how many signed in ink and online, over all closed batches; for moderators, and never for a team.

    None where nothing can be compared: where no line is held, or where people give no postal code online, since a name
    alone is that of many.
    """
    asks = session.scalar(select(Campaign.asks).where(Campaign.id == campaign_id))
    is_online = exists().where(
        Signature.campaign_id == PaperLine.campaign_id,
        Signature.person_index == PaperLine.person_index,
        Signature.state == "confirmed",
        Signature.standing == "counted",
    )
    lines, online = session.execute(
        select(func.count(), func.count(case((is_online, 1))))
        .select_from(PaperLine)
        .join(PaperBatch, PaperBatch.id == PaperLine.batch_id)
        .where(
            PaperBatch.campaign_id == campaign_id,
            PaperBatch.state == "closed",
            PaperLine.entry == 1,
            PaperLine.verdict == "counted",
        )
    ).one()
    return Overlap(lines, online) if lines and "postal_code" in (asks or ()) else None


def find_return(session: Session, *, campaign_id: UUID) -> str:
    """Return where sheets are to be brought, as its team wrote it; empty where it did not."""
    return session.scalar(select(Campaign.paper_return).where(Campaign.id == campaign_id)) or ""


def list_batches(session: Session, *, campaign_id: UUID) -> list[Batch]:
    """Return every batch of a campaign, the newest first, those removed too."""
    rows = session.execute(_BATCHES.where(PaperBatch.campaign_id == campaign_id).order_by(PaperBatch.number.desc()))
    return [_as_batch(row) for row in rows]


def find_batch(session: Session, *, campaign_id: UUID, number: int) -> Batch | None:
    """Return one batch of a campaign, or None."""
    row = session.execute(_BATCHES.where(PaperBatch.campaign_id == campaign_id, PaperBatch.number == number)).first()
    return None if row is None else _as_batch(row)


def list_sheets(session: Session, *, batch: Batch) -> list[Sheet]:
    """Return the sheets of a batch, in order."""
    counted = session.execute(
        select(PaperLine.sheet, func.count().label("typed"))
        .where(PaperLine.batch_id == batch.id, PaperLine.entry == 1)
        .group_by(PaperLine.sheet)
    )
    typed = {row.sheet: row.typed for row in counted}
    photos = set(session.scalars(select(PaperPhoto.sheet).where(PaperPhoto.batch_id == batch.id)))
    return [Sheet(number, typed.get(number, 0), number in photos) for number in range(1, batch.sheets + 1)]


def list_lines(session: Session, *, batch: Batch, sheet: int, key: DataKey) -> dict[int, TypedLine]:
    """Return what was typed of a sheet of an open batch, by line, with where else each person is on paper."""
    rows = session.scalars(
        select(PaperLine).where(PaperLine.batch_id == batch.id, PaperLine.sheet == sheet, PaperLine.entry == 1)
    ).all()
    known = _find_known(session, batch, [row.person_index for row in rows])
    found = {}
    for row in rows:
        here = (batch.number, sheet, row.line)
        elsewhere = next((each for each in known.get(row.person_index, ()) if _place(each) != here), None)
        found[row.line] = TypedLine(row.line, read_row(row, key), row.row_id, elsewhere)
    return found


def find_sample(session: Session, *, batch: Batch, account_id: UUID, key: DataKey) -> Sample:
    """Return how far the sample of an open batch is, and what of it this person may type: nobody their own lines."""
    first, second = (_list_entries(session, batch.id, entry) for entry in (1, 2))
    sample = choose_sample(first, batch.sample)
    missing = [place for place in sample if place not in second]
    differing = [place for place in sorted(second) if place in first and not _is_alike(first[place], second[place])]
    return Sample(
        lines=len(sample),
        done=len(sample) - len(missing),
        waiting=len(missing),
        for_you=tuple(place for place in missing if first[place].typed_by != account_id)[:AGAIN_AT_ONCE],
        differing=tuple(
            Differing(place, (_with_id(first[place], key), _with_id(second[place], key))) for place in differing
        ),
    )


def find_photo(session: Session, *, campaign_id: UUID, number: int, sheet: int, key: DataKey) -> bytes | None:
    """Return the picture of a sheet of an open batch as JPEG, or None."""
    row = session.scalars(
        select(PaperPhoto)
        .join(PaperBatch, PaperBatch.id == PaperPhoto.batch_id)
        .where(
            PaperBatch.campaign_id == campaign_id,
            PaperBatch.number == number,
            PaperBatch.state == "open",
            PaperPhoto.sheet == sheet,
        )
    ).first()
    return None if row is None else base64.b64decode(key.open("paper_photos.content", row.row_id, row.content))


def read_row(row: PaperLine, key: DataKey) -> Reading:
    """Return what a line of an open batch says."""
    if row.name is None:
        return Reading(None)
    code = "" if row.postal_code is None else key.open("paper_lines.postal_code", row.row_id, row.postal_code)
    return Reading(key.open("paper_lines.name", row.row_id, row.name), code)


_FIRST = and_(PaperLine.batch_id == PaperBatch.id, PaperLine.entry == 1)
_BATCHES: Final = select(
    PaperBatch,
    Edition.number.label("edition"),
    select(func.count()).select_from(PaperLine).where(_FIRST).correlate(PaperBatch).scalar_subquery().label("typed"),
    select(func.count())
    .select_from(PaperLine)
    .where(_FIRST, PaperLine.verdict == "invalid")
    .correlate(PaperBatch)
    .scalar_subquery()
    .label("void"),
).outerjoin(Edition, Edition.id == PaperBatch.edition_id)


def _as_batch(row: Row[*tuple[Any, ...]]) -> Batch:
    batch = row.PaperBatch
    return Batch(
        id=batch.id,
        number=batch.number,
        kind=batch.kind,
        way=batch.way,
        state=batch.state,
        edition_number=row.edition,
        collected_on=batch.collected_on,
        place=batch.place,
        sheets=batch.sheets,
        stated=batch.stated,
        sample=batch.sample,
        signatures=batch.signatures,
        duplicates=batch.duplicates,
        registered_at=batch.registered_at,
        closed_at=batch.closed_at,
        typed=row.typed,
        void=row.void,
    )


def _find_known(session: Session, batch: Batch, people: list[bytes]) -> dict[bytes, list[Known]]:
    """Return where people are on paper, lines of other open batches included: they may be closed first."""
    if not people:
        return {}
    counts = or_(PaperBatch.state == "open", and_(PaperBatch.state == "closed", PaperLine.verdict == "counted"))
    rows = session.execute(
        select(PaperLine.person_index, PaperBatch.number, PaperLine.sheet, PaperLine.line)
        .join(PaperBatch, PaperBatch.id == PaperLine.batch_id)
        .where(
            PaperLine.campaign_id == select(PaperBatch.campaign_id).where(PaperBatch.id == batch.id).scalar_subquery(),
            PaperLine.person_index.in_(people),
            PaperLine.entry == 1,
            PaperLine.verdict != "invalid",
            counts,
        )
        .order_by(PaperBatch.number, PaperLine.sheet, PaperLine.line)
        .limit(LINES * LINES)
    )
    found: dict[bytes, list[Known]] = {}
    for person, *place in rows:
        found.setdefault(person, []).append(Known(*place))
    return found


def _place(known: Known) -> tuple[int, int, int]:
    return known.batch, known.sheet, known.line


def _list_entries(session: Session, batch_id: UUID, entry: int) -> Mapping[Place, PaperLine]:
    rows = session.scalars(select(PaperLine).where(PaperLine.batch_id == batch_id, PaperLine.entry == entry))
    return {(row.sheet, row.line): row for row in rows}


def _is_alike(one: PaperLine, other: PaperLine) -> bool:
    return one.person_index == other.person_index or (one.name is None and other.name is None)


def _with_id(row: PaperLine, key: DataKey) -> tuple[Reading, UUID]:
    return read_row(row, key), row.row_id
