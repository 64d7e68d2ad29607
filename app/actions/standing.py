"""What is held of signatures: moved by moderators, by limits and by sets, on record, with the count exact after each.

A signer is told the same whatever is held of the signature; nothing is deleted for fraud.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.actions.records import record
from app.core.db import dialect_of
from app.models import LIVING_STATES, CountEvent, Decision, IntegrityDay, Signature
from app.rules.integrity import rule_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

_days: Table = cast("Table", IntegrityDay.__table__)


def change_standing(
    session: Session,
    *,
    campaign_id: UUID,
    signature_ids: Sequence[UUID],
    to: str,
    rule: str,
    now: datetime,
    account_id: UUID | None = None,
    set_id: UUID | None = None,
) -> int:
    """Move living signatures of a campaign to ``counted``, ``quarantined`` or ``removed``; return how many moved.

    Each that moves is a row in ``decisions``; all that were in the count, or come into it, are one event of counting.
    Those that stand there already, have ended or are of another campaign are left as they are.
    """
    rows = session.execute(
        select(Signature.id, Signature.state, Signature.standing)
        .where(
            Signature.campaign_id == campaign_id,
            Signature.id.in_(signature_ids),
            Signature.state.in_(LIVING_STATES),
            Signature.standing != to,
        )
        .order_by(Signature.id)  # so that two of these cannot wait for each other
        .with_for_update(key_share=True)
    ).all()
    if not rows:
        return 0
    session.execute(
        update(Signature).where(Signature.id.in_([row.id for row in rows])).values(standing=to, judged_at=now)
    )
    who = {"set_id": set_id, "after": to, "rule": rule, "account_id": account_id, "at": now}
    session.execute(insert(Decision), [{"signature_id": row.id, "before": row.standing, **who} for row in rows])
    _count(session, campaign_id, rows, to, now)
    note_day(session, campaign_id=campaign_id, rule=rule, now=now, **_changes(rows, to))
    return len(rows)


def restore(
    session: Session,
    *,
    campaign_id: UUID,
    signature_ids: Sequence[UUID],
    now: datetime,
    account_id: UUID | None = None,
    set_id: UUID | None = None,
) -> int:
    """Put signatures into the count, each under the rule that it was held by; return how many moved."""
    rows = session.execute(
        select(Signature.id, Signature.signals)
        .where(Signature.campaign_id == campaign_id, Signature.id.in_(signature_ids))
        .order_by(Signature.id)  # as below
        .with_for_update(key_share=True)
    ).all()
    decided = session.execute(
        select(Decision.signature_id, Decision.rule)
        .where(Decision.signature_id.in_([row.id for row in rows]))
        .order_by(Decision.id)
    )
    latest: dict[UUID, str] = {row.signature_id: row.rule for row in decided}
    groups: dict[str, list[UUID]] = {}
    for row in rows:
        groups.setdefault(latest.get(row.id) or rule_of(row.signals), []).append(row.id)
    who: dict[str, Any] = {"campaign_id": campaign_id, "now": now, "account_id": account_id, "set_id": set_id}
    return sum(
        change_standing(session, signature_ids=ids, to="counted", rule=rule, **who) for rule, ids in groups.items()
    )


def decide(
    session: Session,
    *,
    campaign_id: UUID,
    signature_ids: Sequence[UUID],
    seen: str,
    rule: str | None,
    account_id: UUID,
    now: datetime,
) -> int:
    """Count what a moderator calls honest (no ``rule``), or remove it under one; return how many moved.

    Those that no longer stand as the moderator saw them (``seen``) are left: somebody else has decided.
    """
    ids = session.scalars(
        select(Signature.id)
        .where(Signature.campaign_id == campaign_id, Signature.id.in_(signature_ids), Signature.standing == seen)
        .order_by(Signature.id)
        .with_for_update(key_share=True)
    ).all()
    if rule is None:
        what, moved = (
            "signatures_restored",
            restore(session, campaign_id=campaign_id, signature_ids=ids, now=now, account_id=account_id),
        )
    else:
        what, moved = (
            "signatures_removed",
            change_standing(
                session,
                campaign_id=campaign_id,
                signature_ids=ids,
                to="removed",
                rule=rule,
                now=now,
                account_id=account_id,
            ),
        )
    if moved:
        details = {"signatures": [signature_id.hex for signature_id in ids], "rule": rule, "moved": moved}
        record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    return moved


def note_day(
    session: Session,
    *,
    campaign_id: UUID,
    rule: str,
    now: datetime,
    held: int = 0,
    removed: int = 0,
    restored: int = 0,
) -> None:
    """Add to what a day's page of removals says."""
    if not (held or removed or restored):
        return
    dialect = postgresql if dialect_of(session) == "postgresql" else sqlite
    statement = dialect.insert(_days).values(
        campaign_id=campaign_id, day=now.date(), rule=rule, held=held, removed=removed, restored=restored
    )
    added = {name: _days.c[name] + statement.excluded[name] for name in ("held", "removed", "restored")}
    session.execute(statement.on_conflict_do_update(index_elements=["campaign_id", "day", "rule"], set_=added))


def _count(session: Session, campaign_id: UUID, rows: Sequence[Row[*tuple[Any, ...]]], to: str, now: datetime) -> None:
    confirmed = [row for row in rows if row.state == "confirmed"]
    left = sum(row.standing == "counted" for row in confirmed)
    change = len(confirmed) if to == "counted" else -left
    if change:
        session.execute(insert(CountEvent), {"campaign_id": campaign_id, "change": change, "at": now})


def _changes(rows: Sequence[Row[*tuple[Any, ...]]], to: str) -> dict[str, int]:
    """Return what a day's page says of it: only what was confirmed ever was, or would have been, in the count."""
    confirmed = [row for row in rows if row.state == "confirmed"]
    if to == "counted":
        return {"restored": len(confirmed)}
    return {"removed": sum(row.standing == "counted" for row in confirmed)}
