"""Verified count reports that were issued: lists, what one says, its files. They hold nothing about any person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, and_, cast, func, select

from app.models import Campaign, Checkpoint, Report, ReportFile, Threshold
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

#: The file that names all others, and is signed.
MANIFEST: Final = "manifest"
#: What a number in an address may be at most: PostgreSQL's integers end there.
HIGHEST: Final = 2**31 - 1
#: How long a report is the one that is given, unless a threshold was reached since.
LASTS: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ReportLine:
    """A report as a line of a list; ``as_of`` is the moment of its checkpoint."""

    number: int
    issued_at: datetime
    as_of: datetime
    checkpoint: int
    signatures: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A file of a report without its bytes."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class IssuedReport:
    """A report with the names of its files, the manifest last. ``superseded_by`` is the latest one, or None."""

    id: UUID
    campaign_id: UUID
    number: int
    issued_at: datetime
    as_of: datetime
    signatures: int
    superseded_by: int | None
    figures: Mapping[str, Any]  # what counts.json says
    parts: tuple[ReportPart, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """The way to the count as a report told it: each step with its forms, which are negative where they go out."""

    report: int
    as_of: datetime
    steps: tuple[tuple[str, int], ...]


def list_reports(session: Session, *, slug: str) -> list[ReportLine] | None:
    """Return the reports of a published campaign, the newest first; None where there is no such campaign."""
    campaign_id = _find_published(session, slug)
    if campaign_id is None:
        return None
    return [_as_line(row) for row in session.execute(_LINES.where(Report.campaign_id == campaign_id))]


def find_report(session: Session, *, slug: str, number: int) -> IssuedReport | None:
    """Return a report of a published campaign, or None."""
    campaign_id = _find_published(session, slug)
    if campaign_id is None or not 0 < number <= HIGHEST:
        return None
    latest = select(func.max(Report.number)).where(Report.campaign_id == campaign_id).scalar_subquery()
    row = session.execute(
        select(Report, Checkpoint.made_at, latest.label("latest"))
        .join(Checkpoint, Checkpoint.id == Report.checkpoint_id)
        .where(Report.campaign_id == campaign_id, Report.number == number)
    ).first()
    if row is None:
        return None
    return IssuedReport(
        id=row.Report.id,
        campaign_id=campaign_id,
        number=number,
        issued_at=row.Report.issued_at,
        as_of=row.made_at,
        signatures=row.Report.signatures,
        superseded_by=row.latest if row.latest > number else None,
        figures=row.Report.figures,
        parts=_list_parts(session, row.Report.id),
    )


def find_current_report(session: Session, *, campaign_id: UUID, now: datetime) -> int | None:
    """Return the number of the report that is given to whoever asks for one now, or None where one would be made.

    That is the latest one until there is a later checkpoint, and for an hour in any case, unless a threshold lies
    between the counts of the two.
    """
    last = session.execute(
        select(Report.number, Report.issued_at, Report.signatures, Checkpoint.number.label("checkpoint"))
        .join(Checkpoint, Checkpoint.id == Report.checkpoint_id)
        .where(Report.campaign_id == campaign_id)
        .order_by(Report.number.desc())
        .limit(1)
    ).first()
    if last is None:
        return None
    newest = session.execute(
        select(Checkpoint.number, Checkpoint.signatures)
        .where(Checkpoint.campaign_id == campaign_id)
        .order_by(Checkpoint.number.desc())
        .limit(1)
    ).one()
    number: int = last.number
    if newest.number == last.checkpoint:
        return number
    reached = select(Threshold.id).where(
        Threshold.campaign_id == campaign_id,
        Threshold.signatures > last.signatures,
        Threshold.signatures <= newest.signatures,
    )
    is_due = now - last.issued_at >= LASTS or session.scalar(reached.limit(1)) is not None
    return None if is_due else number


def find_way(session: Session, *, campaign_id: UUID) -> Way | None:
    """Return the way to the count of a campaign's latest report, or None before there is one."""
    row = session.execute(
        select(Report.number, Report.figures["way"].label("way"), Checkpoint.made_at)
        .join(Checkpoint, Checkpoint.id == Report.checkpoint_id)
        .where(Report.campaign_id == campaign_id)
        .order_by(Report.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return Way(row.number, row.made_at, tuple((each["step"], each["forms"]) for each in row.way))


def find_report_file(session: Session, *, report_id: UUID, name: str) -> bytes | None:
    """Return a file of a report byte for byte as it was issued, or None where it has none of this name."""
    return session.scalar(select(ReportFile.content).where(ReportFile.report_id == report_id, ReportFile.name == name))


def find_public_report_file(session: Session, *, slug: str, number: int, name: str) -> bytes | None:
    """Return a file of a report of a published campaign, or None."""
    if not 0 < number <= HIGHEST:
        return None
    return session.scalar(
        select(ReportFile.content)
        .join(Report, Report.id == ReportFile.report_id)
        .join(Campaign, Campaign.id == Report.campaign_id)
        .where(
            Campaign.slug == slug,
            Campaign.state.in_(PUBLIC_STATES),
            Report.number == number,
            ReportFile.name == name,
        )
    )


def list_report_files(session: Session, *, report_id: UUID) -> dict[str, bytes]:
    """Return all files of a report by name, the manifest last."""
    rows = session.execute(select(ReportFile.name, ReportFile.content).where(ReportFile.report_id == report_id))
    return dict(sorted(((row.name, row.content) for row in rows), key=lambda file: _order(file[0])))


_LINES: Final = (
    select(
        Report.number,
        Report.issued_at,
        Report.signatures,
        Checkpoint.made_at,
        Checkpoint.number.label("checkpoint"),
        ReportFile.sha256,
    )
    .join(Checkpoint, Checkpoint.id == Report.checkpoint_id)
    .join(ReportFile, and_(ReportFile.report_id == Report.id, ReportFile.name == MANIFEST))
    .order_by(Report.number.desc())
)


def _as_line(row: Row[*tuple[Any, ...]]) -> ReportLine:
    return ReportLine(row.number, row.issued_at, row.made_at, row.checkpoint, row.signatures, row.sha256)


def _find_published(session: Session, slug: str) -> UUID | None:
    return session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES)))


def _list_parts(session: Session, report_id: UUID) -> tuple[ReportPart, ...]:
    size = cast(func.length(ReportFile.content), Integer)
    rows = session.execute(
        select(ReportFile.name, ReportFile.sha256, size.label("size")).where(ReportFile.report_id == report_id)
    )
    return tuple(
        sorted((ReportPart(row.name, row.sha256, row.size) for row in rows), key=lambda part: _order(part.name))
    )


def _order(name: str) -> tuple[bool, str]:
    return name == MANIFEST, name
