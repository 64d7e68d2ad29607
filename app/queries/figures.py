"""How a campaign is going: numbers for its team, none of which names or picks out a signer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Integer, func, literal_column, select
from sqlalchemy import cast as sql_cast

from app.core.db import dialect_of
from app.models import Campaign, CampaignCount, CountEvent, Edition, Letter, Signature, Snapshot, Threshold, is_counted
from app.rules.moves import PUBLIC_STATES
from app.rules.suppression import SMALLEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

_HOUR: Final = 3600
_QUARTER: Final = 900
_MICROSECONDS: Final = 1_000_000
_GROUPS: Final = (
    Signature.state, Signature.standing, Signature.locale, Signature.source, Signature.edition_id
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Goal:
    """A threshold."""

    signatures: int
    labels: Mapping[str, str]
    reached_at: datetime | None
    fell_below_at: datetime | None
    regained_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What every page of figures begins with; cheap at any size."""

    signatures: int
    goals: tuple[Goal, ...]
    signatories: str
    presented_on: date | None
    answer_due_on: date | None
    answered_on: date | None
    stopped_because: str | None

    @property
    def next_goal(self) -> Goal | None:
        """The lowest threshold that is not reached."""
        return next((goal for goal in self.goals if goal.reached_at is None), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """Signatures from a place; no country: from everywhere else."""

    country: str | None
    subdivision: str | None
    signatures: int


@dataclass(frozen=True, slots=True)
class PlaceFigures:
    """A snapshot by place. ``cells`` add up to ``signatures``, which is not the live count."""

    number: int
    taken_at: datetime
    signatures: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of the forms; and of the first letter to each."""

    forms: int
    waiting: int  # letters that are still to go
    accepted: int  # by the relay, those that came back later included
    refused: int  # by the relay, at once
    bounced: int
    confirmed: int  # and counted; those that were withdrawn later included
    withdrawn: int
    looked_at: int  # confirmed, and held back until a moderator has looked; these two in steps of five
    taken_out: int  # confirmed, and taken out by a rule
    unconfirmed: int  # may still be; and what those steps leave over
    expired: int
    erased: int  # by somebody who said that it was not them
    repeated: int  # the same person's other forms


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers from a walk over the signatures."""

    funnel: Funnel
    by_locale: Mapping[str, int]
    by_edition: tuple[tuple[int, int], ...]  # number of the edition and signatures; empty where there is one alone
    by_source: tuple[tuple[str, int], ...]  # marks of links that brought at least five, most first
    other_sources: int
    without_source: int
    counted: tuple[tuple[datetime, str, int], ...]  # when, in which language, how many
    as_of: datetime


def get_standing(session: Session, *, campaign_id: UUID) -> Standing:
    """Return the count so far with what it needs and how the campaign stands."""
    campaign = session.get_one(Campaign, campaign_id)
    rolled_up = select(CampaignCount.signatures).where(CampaignCount.campaign_id == campaign_id).scalar_subquery()
    events = select(func.sum(CountEvent.change)).where(CountEvent.campaign_id == campaign_id).scalar_subquery()
    signatures = session.scalar(select(func.coalesce(rolled_up, 0) + func.coalesce(events, 0)))
    goals = session.scalars(
        select(Threshold).where(Threshold.campaign_id == campaign_id).order_by(Threshold.signatures)
    )
    return Standing(
        signatures=int(signatures or 0),
        goals=tuple(
            Goal(each.signatures, each.labels, each.reached_at, each.fell_below_at, each.regained_at) for each in goals
        ),
        signatories=campaign.signatories,
        presented_on=campaign.presented_on,
        answer_due_on=campaign.answer_due_on,
        answered_on=campaign.answered_on,
        stopped_because=campaign.stopped_because,
    )


def find_place_figures(session: Session, *, campaign_id: UUID) -> PlaceFigures | None:
    """Return the latest snapshot by place, or None before there is one."""
    row = session.scalars(
        select(Snapshot).where(Snapshot.campaign_id == campaign_id).order_by(Snapshot.number.desc()).limit(1)
    ).first()
    if row is None:
        return None
    cells = tuple(Cell(cell["country"], cell["subdivision"], cell["signatures"]) for cell in row.cells)
    return PlaceFigures(row.number, row.taken_at, row.signatures, cells)


def find_public_place_figures(session: Session, *, slug: str) -> tuple[PlaceFigures | None] | None:
    """Return the latest snapshot of a published campaign in a tuple of its own; None where there is no campaign."""
    campaign_id = session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES)))
    return None if campaign_id is None else (find_place_figures(session, campaign_id=campaign_id),)


def get_figures(session: Session, *, campaign_id: UUID, zone: str, now: datetime) -> Figures:
    """Return the numbers of a campaign, in three walks: over its signatures twice, over its first letters once."""
    groups = session.execute(
        select(*_GROUPS, func.count().label("number")).where(Signature.campaign_id == campaign_id).group_by(*_GROUPS)
    ).all()
    confirmed = [row for row in groups if row.state == "confirmed"]
    counted = [row for row in confirmed if row.standing == "counted"]
    sources = _add_up(counted, "source")
    without_source = sources.pop(None, 0)
    shown = {source: number for source, number in sources.items() if number >= SMALLEST}
    return Figures(
        funnel=_read_funnel(
            _add_up(groups, "state"), _add_up(confirmed, "standing"), _count_first_letters(session, campaign_id)
        ),
        by_locale=_add_up(counted, "locale"),
        by_edition=_list_by_edition(session, campaign_id, _add_up(counted, "edition_id")),
        by_source=tuple(sorted(shown.items(), key=lambda one: (-one[1], one[0]))),
        other_sources=sum(sources.values()) - sum(shown.values()),
        without_source=without_source,
        counted=_count_over_time(session, campaign_id, zone, now),
        as_of=now,
    )


def _add_up(rows: Sequence[Row[*tuple[Any, ...]]], column: str) -> dict[Any, int]:
    numbers: dict[Any, int] = {}
    for row in rows:
        value = getattr(row, column)
        numbers[value] = numbers.get(value, 0) + row.number
    return numbers


def _count_first_letters(session: Session, campaign_id: UUID) -> dict[str, int]:
    """Count the first letter to each form by what became of it; those that ask again are not counted."""
    rows = session.execute(
        select(Letter.state, func.count().label("number"))
        .where(Letter.campaign_id == campaign_id, Letter.kind == "confirm", Letter.dedupe_key.like("signature:%:1"))
        .group_by(Letter.state)
    )
    return {row.state: row.number for row in rows}


def _read_funnel(states: Mapping[str, int], standings: Mapping[str, int], letters: Mapping[str, int]) -> Funnel:
    """Return where every form is; what was withdrawn stands with the confirmed, and all others add up to the forms.

    What is held back or was taken out is shown as small cells are, from five on and in steps of five, and the rest of
    it stands with what waits to be confirmed: whoever signs with a made-up mailbox and looks here sees it wait.
    """
    held, removed = standings.get("quarantined", 0), standings.get("removed", 0)
    looked_at, taken_out = held - held % SMALLEST, removed - removed % SMALLEST
    return Funnel(
        forms=sum(states.values()),
        waiting=letters.get("queued", 0),
        accepted=letters.get("sent", 0) + letters.get("bounced", 0),
        refused=letters.get("failed", 0),
        bounced=letters.get("bounced", 0),
        confirmed=standings.get("counted", 0) + states.get("withdrawn", 0),
        withdrawn=states.get("withdrawn", 0),
        looked_at=looked_at,
        taken_out=taken_out,
        unconfirmed=states.get("pending", 0) + held - looked_at + removed - taken_out,
        expired=states.get("expired", 0),
        erased=states.get("disowned", 0),
        repeated=states.get("superseded", 0),
    )


def _list_by_edition(
    session: Session, campaign_id: UUID, signatures: Mapping[UUID, int]
) -> tuple[tuple[int, int], ...]:
    editions = session.execute(
        select(Edition.id, Edition.number).where(Edition.campaign_id == campaign_id).order_by(Edition.number)
    ).all()
    if len(editions) <= 1:
        return ()
    return tuple((edition.number, signatures.get(edition.id, 0)) for edition in editions)


def _count_over_time(
    session: Session, campaign_id: UUID, zone: str, now: datetime
) -> tuple[tuple[datetime, str, int], ...]:
    """Count by the hour, so that a day in any zone is a sum of hours; by quarters where a zone's clocks want it."""
    offset = now.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None  # noqa: S101 - a moment in a zone has one
    step = _QUARTER if offset.seconds % _HOUR else _HOUR
    part = _part_of(session, step).label("part")
    rows = session.execute(
        select(part, Signature.locale, func.count().label("number"))
        .where(Signature.campaign_id == campaign_id, is_counted())
        .group_by(part, Signature.locale)
    )
    return tuple((datetime.fromtimestamp(row.part * step, UTC), row.locale, row.number) for row in rows)


def _part_of(session: Session, step: int) -> ColumnElement[int]:
    """Return how many steps of so many seconds there were between 1970 and the confirmation, in each dialect."""
    if dialect_of(session) == "postgresql":
        seconds = func.extract("epoch", Signature.confirmed_at)
        return sql_cast(func.floor(seconds / literal_column(str(step))), Integer)
    return sql_cast(Signature.confirmed_at, Integer).op("/")(literal_column(str(step * _MICROSECONDS)))
