"""Snapshots: counts by place, numbered, taken so seldom and so coarsely that nobody can be picked out of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select

from app.core.db import dialect_of, insert_if_absent
from app.models import CampaignCount, Signature, Snapshot, is_counted
from app.rules.suppression import break_down

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.suppression import Breakdown, Place

#: What lies between two snapshots at least, and how many signatures there are and have changed.
REST: Final = timedelta(days=1)
CHANGES: Final = 20


def list_campaigns_to_snapshot(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns that have enough signatures and no snapshot of the last day."""
    latest = select(func.max(Snapshot.taken_at)).where(Snapshot.campaign_id == CampaignCount.campaign_id)
    taken_at = latest.scalar_subquery()
    return list(
        session.scalars(
            select(CampaignCount.campaign_id).where(
                CampaignCount.signatures >= CHANGES, or_(taken_at.is_(None), taken_at <= now - REST)
            )
        )
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A snapshot that nobody has kept yet."""

    campaign_id: UUID
    number: int
    taken_at: datetime
    broken_down: Breakdown


def draw_snapshot(session: Session, *, campaign_id: UUID, now: datetime) -> Drawn | None:
    """Return the next snapshot of a campaign, or None while it is not time for one; this reads and writes nothing.

    The first at twenty signatures, each other a day later at the earliest and after at least twenty were confirmed or
    withdrawn. Drawing and keeping are two steps since counting takes a second where there are a million signatures, for
    which nobody who signs should wait.
    """
    last = session.scalars(
        select(Snapshot).where(Snapshot.campaign_id == campaign_id).order_by(Snapshot.number.desc()).limit(1)
    ).first()
    if last is not None and (last.taken_at > now - REST or _count_changes(session, campaign_id, last) < CHANGES):
        return None
    counts = _count_by_place(session, campaign_id)
    if sum(counts.values()) < CHANGES:
        return None
    broken_down = break_down(counts, {} if last is None else _shown_cells(last))
    return Drawn(campaign_id, 1 if last is None else last.number + 1, now, broken_down)


def keep_snapshot(session: Session, *, drawn: Drawn) -> None:
    """Publish a snapshot. Of two that were drawn at once the first to come has the number, and the other is dropped."""
    session.execute(
        insert_if_absent(cast("Table", Snapshot.__table__), dialect_of(session)),
        {
            "id": uuid4(),
            "campaign_id": drawn.campaign_id,
            "number": drawn.number,
            "taken_at": drawn.taken_at,
            "signatures": drawn.broken_down.total,
            "cells": _as_data(drawn.broken_down),
            "margins": {},
        },
    )


def _count_changes(session: Session, campaign_id: UUID, last: Snapshot) -> int:
    """Count what was confirmed, ended, or moved in or out since a snapshot: one who did two of them is two."""
    moments = (Signature.confirmed_at, Signature.ended_at, Signature.judged_at)
    changes = [moment > last.taken_at for moment in moments]
    row = session.execute(
        select(*(func.count().filter(change) for change in changes)).where(
            Signature.campaign_id == campaign_id, Signature.confirmed_at.is_not(None), or_(*changes)
        )
    ).one()
    return int(sum(row))


def _count_by_place(session: Session, campaign_id: UUID) -> dict[Place, int]:
    rows = session.execute(
        select(Signature.country, Signature.subdivision, func.count().label("number"))
        .where(Signature.campaign_id == campaign_id, is_counted())
        .group_by(Signature.country, Signature.subdivision)
    )
    return {(row.country, row.subdivision): row.number for row in rows}


def _shown_cells(snapshot: Snapshot) -> dict[Place, int]:
    return {
        (cell["country"], cell["subdivision"]): cell["signatures"]
        for cell in snapshot.cells
        if cell["country"] is not None
    }


def _as_data(broken_down: Breakdown) -> list[dict[str, object]]:
    """Return the cells, the largest first, and what is merged at the end, without a place."""
    cells: list[dict[str, object]] = [
        {"country": country, "subdivision": subdivision, "signatures": number}
        for (country, subdivision), number in sorted(
            broken_down.cells.items(), key=lambda cell: (-cell[1], cell[0][0], cell[0][1] or "")
        )
    ]
    if broken_down.rest:
        cells.append({"country": None, "subdivision": None, "signatures": broken_down.rest})
    return cells
