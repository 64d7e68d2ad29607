"""Names in public: what the rule or a moderator says of them, and their places on the list, given in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import bindparam, func, select, update

from app.actions.records import record
from app.models import Campaign, Signature
from app.models.signatures import NAME_WAITS
from app.rules.name_check import GROUP, showing_moments

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

#: As many names get their place in one transaction, so that nobody who signs waits for it.
CHUNK: Final = 500
_signatures: Table = cast("Table", Signature.__table__)
_columns: Final = _signatures.c


def keep_verdicts(session: Session, *, verdicts: Mapping[UUID, str]) -> None:
    """Keep what the rule says of names, where nobody has said anything in the meantime."""
    statement = (
        update(_signatures)
        .where(_columns.id == bindparam("signature_id"), _columns.name_check.is_(None))
        .values(name_check=bindparam("verdict"))
    )
    rows = [{"signature_id": signature_id, "verdict": verdict} for signature_id, verdict in verdicts.items()]
    if rows:
        session.connection().execute(statement, rows)


def show_names(session: Session, *, campaign_id: UUID, now: datetime) -> str | None:
    """Give places to the names of a campaign that are due, and return its slug; None where none are.

    Within a group they are in the order of their ids, which are random: a place says nothing of when its owner signed.
    """
    moments = showing_moments(now)
    waiting = (_columns.campaign_id == campaign_id, _columns.name_check == "cleared", NAME_WAITS)
    number, oldest = session.execute(
        select(func.count(), func.min(_columns.confirmed_at)).where(*waiting, _columns.confirmed_at < moments.hour)
    ).one()
    if not number or (number < GROUP and oldest >= moments.old):
        return None
    until = moments.hour if number >= GROUP else moments.day
    ids = session.scalars(
        select(_columns.id).where(*waiting, _columns.confirmed_at < until).order_by(_columns.id).limit(CHUNK)
    ).all()
    # A place is never given again, not even that of a name which lost it: documents are named by the places in them.
    slug, last = session.execute(
        update(Campaign)
        .where(Campaign.id == campaign_id)
        .values(name_places=Campaign.name_places + len(ids))
        .returning(Campaign.slug, Campaign.name_places)
        .execution_options(synchronize_session=False)
    ).one()
    statement = (
        update(_signatures)
        .where(_columns.id == bindparam("signature_id"), _columns.name_position.is_(None))
        .values(name_position=bindparam("position"))
    )
    places = [{"signature_id": each, "position": place} for place, each in enumerate(ids, last - len(ids) + 1)]
    session.connection().execute(statement, places)
    return str(slug)


def decide_names(
    session: Session,
    *,
    signature_ids: Sequence[UUID],
    seen: str,
    is_shown: bool,
    account_id: UUID,
    now: datetime,
) -> list[str]:
    """Let names show, or not, where they still stand as a moderator saw them; return the campaigns they are of.

    A signature counts in any case. A name that is not to show loses its place.
    """
    values: dict[str, Any] = {"name_check": "cleared"} if is_shown else {"name_check": "refused", "name_position": None}
    rows = session.execute(
        update(_signatures)
        .where(_columns.id.in_(signature_ids), _columns.name_check == seen)
        .values(**values)
        .returning(_columns.id, _columns.campaign_id)
    ).all()
    for row in rows:
        record(
            session,
            what="name_cleared" if is_shown else "name_refused",
            now=now,
            account_id=account_id,
            campaign_id=row.campaign_id,
            details={"signature": row.id.hex},
        )
    statement = select(Campaign.slug).where(Campaign.id.in_({row.campaign_id for row in rows}))
    return list(session.scalars(statement))
