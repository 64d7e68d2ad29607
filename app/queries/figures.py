"""How a campaign is going: numbers for its team, none of which names or picks out a signer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from app.models import (
    Campaign,
    CampaignCount,
    CountEvent,
    District,
    Letter,
    Signature,
    Snapshot,
    Threshold,
    is_counted,
)
from app.queries.turned_away import count_turned_away
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: By what else than place a snapshot counts.
MARGINS: Final = ("language", "day", "district", "edition", "source")


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
class Share:
    """Signatures of one value of a margin; no value: of all that have no cell of their own."""

    value: str | None
    signatures: int


@dataclass(frozen=True, slots=True)
class DistrictName:
    """What a federal district is called in ``en`` and ``fr``, and the province that it is in, such as ``CA-BC``."""

    names: Mapping[str, str]
    province: str


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A snapshot: the same people by place and by each margin, small numbers merged. Nothing finer is shown anywhere.

    ``cells`` add up to ``signatures``, which is the snapshot's own total and not the live count; so do the shares of
    each margin that has any. ``margins`` has every name of ``MARGINS``: ``language`` (``km``), ``day`` (of
    confirmation, ``2026-11-22`` in the campaign's time zone), ``district`` (a federal district's code, where its signer
    said it), ``edition`` (its number; none where there is one edition alone) and ``source`` (the mark of a link, empty
    without one; for the campaign's team alone). Shares and cells come as they are to be shown: days and editions in
    their order, all others the largest first, what is merged last. ``districts`` names those that ``margins`` has.
    """

    number: int
    taken_at: datetime
    signatures: int
    cells: tuple[Cell, ...]
    margins: Mapping[str, tuple[Share, ...]]
    districts: Mapping[str, DistrictName]


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many forms there were and how many count; and what became of the first letter to each.

    Nothing finer is told of them as it happens: next to a report, whose steps are exact and settled, it would give by
    subtraction what is held back or was taken out. The steps are those of the latest report.
    """

    forms: int  # whole ones, those of people who may not sign included
    waiting: int  # letters that are still to go
    accepted: int  # by the relay, those that came back later included
    refused: int  # by the relay, at once
    bounced: int
    counted: int

    @property
    def uncounted(self) -> int:
        """All forms that are not in the count, whatever became of them."""
        return self.forms - self.counted


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers from a walk over the signatures."""

    funnel: Funnel
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


def find_breakdown(session: Session, *, campaign_id: UUID) -> Breakdown | None:
    """Return the latest snapshot, or None before there is one. Page, API, office, report and workspace all read this.

    No snapshot exists below twenty signatures. Snapshots from before margins were counted have none: their shares are
    empty.
    """
    row = session.scalars(
        select(Snapshot).where(Snapshot.campaign_id == campaign_id).order_by(Snapshot.number.desc()).limit(1)
    ).first()
    if row is None:
        return None
    margins = {
        name: tuple(Share(each["value"], each["signatures"]) for each in row.margins.get(name, ())) for name in MARGINS
    }
    return Breakdown(
        number=row.number,
        taken_at=row.taken_at,
        signatures=row.signatures,
        cells=tuple(Cell(cell["country"], cell["subdivision"], cell["signatures"]) for cell in row.cells),
        margins=margins,
        districts=_name_districts(session, [each.value for each in margins["district"] if each.value is not None]),
    )


def find_public_breakdown(session: Session, *, slug: str) -> tuple[Breakdown | None] | None:
    """Return the latest snapshot of a published campaign in a tuple of its own; None where there is no campaign."""
    campaign_id = session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES)))
    return None if campaign_id is None else (find_breakdown(session, campaign_id=campaign_id),)


def _name_districts(session: Session, codes: list[str]) -> dict[str, DistrictName]:
    if not codes:
        return {}
    rows = session.scalars(select(District).where(District.code.in_(codes)))
    return {row.code: DistrictName(row.names, row.province) for row in rows}


def list_totals(session: Session, *, campaign_id: UUID) -> list[tuple[datetime, int]]:
    """Return when each snapshot was taken and how many signatures there were, oldest first."""
    rows = session.execute(
        select(Snapshot.taken_at, Snapshot.signatures)
        .where(Snapshot.campaign_id == campaign_id)
        .order_by(Snapshot.number)
    )
    return [(row.taken_at, row.signatures) for row in rows]


def get_figures(session: Session, *, campaign_id: UUID, now: datetime) -> Figures:
    """Return what became of the forms, in two walks: over the signatures, and over their first letters."""
    forms, counted = session.execute(
        select(func.count(), func.count(case((is_counted(), 1)))).where(Signature.campaign_id == campaign_id)
    ).one()
    letters = _count_first_letters(session, campaign_id)
    funnel = Funnel(
        forms=forms + count_turned_away(session, campaign_id=campaign_id),
        waiting=letters.get("queued", 0),
        accepted=letters.get("sent", 0) + letters.get("bounced", 0),
        refused=letters.get("failed", 0),
        bounced=letters.get("bounced", 0),
        counted=counted,
    )
    return Figures(funnel, now)


def _count_first_letters(session: Session, campaign_id: UUID) -> dict[str, int]:
    """Count the first letter to each form by what became of it; those that ask again are not counted."""
    rows = session.execute(
        select(Letter.state, func.count().label("number"))
        .where(Letter.campaign_id == campaign_id, Letter.kind == "confirm", Letter.dedupe_key.like("signature:%:1"))
        .group_by(Letter.state)
    )
    return {row.state: row.number for row in rows}
