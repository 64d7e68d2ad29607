"""Snapshots: counts by place, language, day, district, edition and link, so seldom and so coarse that nobody shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    String,
    and_,
    case,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast

from app.core.db import dialect_of, insert_if_absent
from app.i18n import LOCALES
from app.models import Campaign, CampaignCount, District, Edition, Signature, Snapshot, is_counted
from app.queries.figures import MARGINS
from app.rules.life import local_day
from app.rules.suppression import Breakdown, break_down, divide, divide_districts, look_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.suppression import Lot, Past, Place

#: What lies between two snapshots at least, and how many signatures there are and have changed.
REST: Final = timedelta(days=1)
CHANGES: Final = 20
#: Every zone's days begin with one.
_QUARTER: Final = timedelta(minutes=15)
_MICROSECOND: Final = timedelta(microseconds=1)
_RANDOM: Final = SystemRandom()


def draw_lot(weights: Sequence[float]) -> int:
    """Return the position of one of ``weights``, drawn by them; nobody can tell which it will be, or was."""
    return _RANDOM.choices(range(len(weights)), weights)[0]


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
    places: Breakdown[Place]
    margins: Mapping[str, Breakdown[str]]


def draw_snapshot(session: Session, *, campaign_id: UUID, now: datetime, lot: Lot = draw_lot) -> Drawn | None:
    """Return the next snapshot of a campaign, or None while it is not time for one; this writes nothing.

    The first at twenty signatures, each other a day later at the earliest and after at least twenty were confirmed or
    withdrawn. Drawing and keeping are two steps since counting takes seconds where there are a million signatures, for
    which nobody who signs should wait.
    """
    last = session.scalars(
        select(Snapshot).where(Snapshot.campaign_id == campaign_id).order_by(Snapshot.number.desc()).limit(1)
    ).first()
    if last is not None and (last.taken_at > now - REST or _count_changes(session, campaign_id, last) < CHANGES):
        return None
    counted = _count_signatures(session, campaign_id, now)
    if sum(counted.places.values()) < CHANGES:
        return None
    past = _look_back(session, campaign_id)
    number = 1 if last is None else last.number + 1
    places = break_down(counted.places, past.places, turn=number, lot=lot)
    return Drawn(campaign_id, number, now, places, _divide_all(counted, past, places, number, lot))


def keep_snapshot(session: Session, *, drawn: Drawn) -> None:
    """Publish a snapshot. Of two that were drawn at once the first to come has the number, and the other is dropped."""
    session.execute(
        insert_if_absent(cast("Table", Snapshot.__table__), dialect_of(session)),
        {
            "id": uuid4(),
            "campaign_id": drawn.campaign_id,
            "number": drawn.number,
            "taken_at": drawn.taken_at,
            "signatures": drawn.places.total,
            "cells": _places_as_data(drawn.places),
            "margins": {name: _margin_as_data(name, margin) for name, margin in drawn.margins.items()},
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


# What was published before


@dataclass(frozen=True, slots=True)
class _Past:
    places: Past[Place]
    margins: Mapping[str, Past[str]]


def _look_back(session: Session, campaign_id: UUID) -> _Past:
    """Return what every snapshot so far has shown: a number that was shown once counts until it is shown again."""
    rows = list(
        session.execute(
            select(Snapshot.cells, Snapshot.margins)
            .where(Snapshot.campaign_id == campaign_id)
            .order_by(Snapshot.number)
        )
    )
    return _Past(
        look_back([_shown_places(row.cells) for row in rows]),
        {name: look_back([_shown_values(row.margins.get(name, ())) for row in rows]) for name in MARGINS},
    )


def _shown_places(cells: Iterable[Mapping[str, Any]]) -> dict[Place, int]:
    return {(cell["country"], cell["subdivision"]): cell["signatures"] for cell in cells if cell["country"] is not None}


def _shown_values(shares: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    return {share["value"]: share["signatures"] for share in shares if share["value"] is not None}


# What there is now


@dataclass(frozen=True, slots=True)
class _Counted:
    """The signatures of one moment, added up in each way that is published."""

    places: dict[Place, int]
    margins: dict[str, dict[str, int]]
    provinces: Mapping[str, str]  # of the districts that are known
    days: Sequence[str]  # all of them until today, which is not over
    editions: Sequence[str]


def _count_signatures(session: Session, campaign_id: UUID, now: datetime) -> _Counted:
    """Count everything in one statement, so that it is of one moment."""
    campaign = session.get_one(Campaign, campaign_id)
    numbers = session.execute(
        select(Edition.id, Edition.number).where(Edition.campaign_id == campaign_id).order_by(Edition.number)
    )
    editions = {row.id: str(row.number) for row in numbers}
    zone = ZoneInfo(campaign.timezone)
    places: dict[Place, int] = {}
    margins: dict[str, dict[str, int]] = {name: {} for name in MARGINS}
    for margin, value, detail, finer, number in session.execute(_counting(session, campaign_id)):
        if margin == "place":
            _add(places, (value, detail), number)
            if finer is not None:
                _add(margins["district"], finer, number)
        elif margin == "text":
            _add(margins["language"], value, number)
            _add(margins["edition"], editions[UUID(detail)], number)
            _add(margins["source"], finer or "", number)
        else:
            moment = datetime.fromtimestamp(int(value) * _QUARTER.total_seconds(), zone)
            _add(margins["day"], moment.date().isoformat(), number)
    districts = session.execute(select(District.code, District.province))
    provinces = {row.code: row.province for row in districts}
    return _Counted(places, margins, provinces, _list_days(campaign, margins["day"], now), list(editions.values()))


def _counting(session: Session, campaign_id: UUID) -> CompoundSelect[Any]:
    """Return the statement: a word for what a row counts, up to three values, and the number.

    The table is read once, and on SQLite without an index: it would follow one and look for each row by itself, which
    takes four times as long where there are a million.
    """
    columns = (
        Signature.country, Signature.subdivision, Signature.district, Signature.locale, Signature.source,
        sql_cast(Signature.edition_id, String).label("edition"), _quarter_of(session).label("part"),
    )  # fmt: skip
    is_ours: ColumnElement[bool] = and_(Signature.campaign_id == campaign_id, is_counted())
    if dialect_of(session) == "sqlite":
        is_ours = case((is_ours, 1), else_=0) == 1  # which no index answers
    rows = select(*columns).where(is_ours).cte("counted").c
    part, nothing = sql_cast(rows.part, String), sql_cast(null(), String)
    return union_all(
        select(literal("place"), rows.country, rows.subdivision, rows.district, func.count())
        .group_by(rows.country, rows.subdivision, rows.district),
        select(literal("text"), rows.locale, rows.edition, rows.source, func.count())
        .group_by(rows.locale, rows.edition, rows.source),
        select(literal("day"), part, nothing, nothing, func.count()).group_by(rows.part),
    )  # fmt: skip


def _quarter_of(session: Session) -> ColumnElement[int]:
    """Return how many quarters of an hour there were between 1970 and the confirmation, in each dialect."""
    if dialect_of(session) == "postgresql":
        seconds = func.extract("epoch", Signature.confirmed_at)
        return sql_cast(func.floor(seconds / literal_column(str(_QUARTER.seconds))), BigInteger)
    return sql_cast(Signature.confirmed_at, BigInteger).op("/")(literal_column(str(_QUARTER // _MICROSECOND)))


def _add(numbers: dict[Any, int], value: object, number: int) -> None:
    numbers[value] = numbers.get(value, 0) + number


def _list_days(campaign: Campaign, counted: Iterable[str], now: datetime) -> list[str]:
    """Return every day until today on which somebody can have signed, whether anybody did or not."""
    today = local_day(now, campaign.timezone)
    opened = today if campaign.opens_at is None else local_day(campaign.opens_at, campaign.timezone)
    first = min(opened, today, *map(date.fromisoformat, counted))
    return [(first + timedelta(days=number)).isoformat() for number in range((today - first).days + 1)]


# What is published of it


def _divide_all(
    counted: _Counted, past: _Past, places: Breakdown[Place], number: int, lot: Lot
) -> dict[str, Breakdown[str]]:
    """Return what is published of each margin. A day that is not over is never counted apart."""
    known = {"language": LOCALES, "day": counted.days, "edition": counted.editions}
    divided = {
        name: divide(
            counted.margins[name],
            past.margins[name],
            lot=lot,
            turn=number,
            values=known.get(name),
            stays=counted.days[-1] if name == "day" else None,
        )
        for name in MARGINS
        if name != "district" and (name != "edition" or len(counted.editions) > 1)
    }
    districts = divide_districts(
        counted.margins["district"],
        past.margins["district"],
        provinces=counted.provinces,
        places=places,
        places_before=past.places.latest,
    )
    return divided | {"district": districts}


def _places_as_data(places: Breakdown[Place]) -> list[dict[str, object]]:
    """Return the cells, the largest first, and what is merged at the end, without a place."""
    cells: list[dict[str, object]] = [
        {"country": country, "subdivision": subdivision, "signatures": number}
        for (country, subdivision), number in sorted(
            places.cells.items(), key=lambda cell: (-cell[1], cell[0][0], cell[0][1] or "")
        )
    ]
    if places.rest:
        cells.append({"country": None, "subdivision": None, "signatures": places.rest})
    return cells


def _margin_as_data(name: str, margin: Breakdown[str]) -> list[dict[str, object]]:
    """Return the shares in their order, and what is merged at the end, without a value; none where all is merged."""
    if not margin.cells:
        return []
    if name == "day":
        cells = sorted(margin.cells.items())
    elif name == "edition":
        cells = sorted(margin.cells.items(), key=lambda cell: int(cell[0]))
    else:
        cells = sorted(margin.cells.items(), key=lambda cell: (-cell[1], cell[0]))
    shares: list[dict[str, object]] = [{"value": value, "signatures": number} for value, number in cells]
    if margin.rest:
        shares.append({"value": None, "signatures": margin.rest})
    return shares
