"""Sets of signatures: what their conditions mean in the tables, how many there are, how far each has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, and_, case, cast, func, literal_column, or_, select

from app.models import LIVING_STATES, Campaign, Edition, Signature, SignatureSet, is_counted
from app.rules.sets import STANDING_AFTER, Conditions, parse_conditions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Select
    from sqlalchemy.orm import Session

#: States of a set that background work goes on with.
WORKING: tuple[str, ...] = ("queued", "running", "reversing")
SHOWN = 100
#: How far the clocks of two processes may be apart.
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SetSize:
    """How many living signatures fulfil conditions, how many of them are in the count, how many an action moves."""

    total: int
    counted: int
    moved: int


@dataclass(frozen=True, slots=True)
class ShownSet:
    """A set as its page and the lists show it."""

    id: UUID
    slug: str
    conditions: Conditions
    action: str
    rule: str
    because: str
    state: str
    expected: int
    walked: int
    changed: int
    created_by: UUID | None
    approved_by: UUID | None
    reversal_by: UUID | None
    created_at: datetime
    approved_at: datetime | None
    ended_at: datetime | None

    @property
    def is_working(self) -> bool:
        """Whether background work goes on with it."""
        return self.state in WORKING


def fulfils(conditions: Conditions) -> list[ColumnElement[bool]]:
    """Return what the tables say of a signature that fulfils ``conditions``, whatever its state."""
    clauses: list[ColumnElement[bool]] = []
    for name, clause in (
        ("sent_from", lambda moment: Signature.created_at >= moment),
        ("sent_to", lambda moment: Signature.created_at < moment),
        ("confirmed_from", lambda moment: Signature.confirmed_at >= moment),
        ("confirmed_to", lambda moment: Signature.confirmed_at < moment),
        ("address", lambda mark: Signature.address_index == bytes.fromhex(mark)),
        ("network", lambda mark: Signature.network_index == bytes.fromhex(mark)),
        ("domain", lambda mark: Signature.domain_index == bytes.fromhex(mark)),
        ("score_from", lambda score: Signature.score >= score),
        # Both databases write a list of words alike when they are asked for its text.
        ("signal", lambda word: cast(Signature.signals, String).contains(f'"{word}"', autoescape=True)),
        (
            "edition",
            lambda number: Signature.edition_id.in_(
                select(Edition.id).where(Edition.campaign_id == Signature.campaign_id, Edition.number == number)
            ),
        ),
        ("locale", lambda locale: Signature.locale == locale),
        ("standing", lambda standing: Signature.standing == standing),
        ("state", lambda state: Signature.state == state),
        ("country", lambda country: Signature.country == country),
        ("subdivision", lambda subdivision: Signature.subdivision == subdivision),
    ):
        value = getattr(conditions, name)
        if value is not None:
            clauses.append(clause(value))
    return clauses


def is_of_set(campaign_id: UUID, conditions: Conditions, created_at: datetime) -> ColumnElement[bool]:
    """Return what makes a signature one of a set: living, of the campaign, no later than the set, as it asks for."""
    return and_(
        Signature.campaign_id == campaign_id,
        _is_living(campaign_id, conditions.sent_from),
        Signature.created_at <= created_at,
        *fulfils(conditions),
    )


def _is_living(campaign_id: UUID, sent_from: datetime | None) -> ColumnElement[bool]:
    if sent_from is None:
        return Signature.state.in_(LIVING_STATES)
    # What was sent since then waits since then, or was confirmed later: there is an index for each, and none of where
    # forms came from, which every form would pay for. In these very words, so that both databases find them.
    return or_(
        and_(Signature.state == literal_column("'pending'"), Signature.created_at >= sent_from),
        and_(
            Signature.state == literal_column("'confirmed'"),
            Signature.campaign_id == campaign_id,
            Signature.confirmed_at >= sent_from - CLOCKS_APART,
        ),
    )


def count_set(
    session: Session, *, campaign_id: UUID, conditions: Conditions, now: datetime, action: str = "quarantine"
) -> SetSize:
    """Count what a set with these conditions would hold, were it made now, and what ``action`` would move of it."""
    moves = Signature.standing != STANDING_AFTER[action]
    row = session.execute(
        select(
            func.count().label("total"),
            func.coalesce(func.sum(case((is_counted(), 1), else_=0)), 0).label("counted"),
            func.coalesce(func.sum(case((moves, 1), else_=0)), 0).label("moved"),
        ).where(is_of_set(campaign_id, conditions, now))
    ).one()
    return SetSize(row.total, row.counted, row.moved)


def count_standings(session: Session, *, campaign_id: UUID, conditions: Conditions, now: datetime) -> dict[str, int]:
    """Return how many living signatures of each standing fulfil conditions."""
    rows = session.execute(
        select(Signature.standing, func.count().label("number"))
        .where(is_of_set(campaign_id, conditions, now))
        .group_by(Signature.standing)
    )
    return {row.standing: row.number for row in rows}


def find_set(session: Session, *, set_id: UUID) -> ShownSet | None:
    """Return one set."""
    row = session.execute(_SETS.where(SignatureSet.id == set_id)).first()
    return None if row is None else _as_shown(row)


def list_sets(session: Session) -> list[ShownSet]:
    """Return the newest sets of all campaigns; what waits for somebody or is being worked at comes first."""
    is_open = case((SignatureSet.state.in_(("proposed", *WORKING)), 0), else_=1)
    statement = _SETS.order_by(is_open, SignatureSet.created_at.desc(), SignatureSet.id).limit(SHOWN)
    return [_as_shown(row) for row in session.execute(statement)]


_COLUMNS: Sequence[Any] = (
    SignatureSet.id, SignatureSet.action, SignatureSet.rule, SignatureSet.because, SignatureSet.state,
    SignatureSet.expected, SignatureSet.walked, SignatureSet.changed, SignatureSet.created_by,
    SignatureSet.approved_by, SignatureSet.reversal_by, SignatureSet.created_at, SignatureSet.approved_at,
    SignatureSet.ended_at,
)  # fmt: skip
_SETS: Select[Any] = select(*_COLUMNS, SignatureSet.conditions, Campaign.slug).join(Campaign)


def _as_shown(row: Any) -> ShownSet:  # noqa: ANN401 - a row
    values = {column.key: getattr(row, column.key) for column in _COLUMNS}
    return ShownSet(**values, slug=row.slug, conditions=parse_conditions(row.conditions))
