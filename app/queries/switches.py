"""What moderators have switched on, and what they had on before."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.models import Account, Campaign, Switch, open_account_key, open_account_name
from app.rules.switches import Switches

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

SHOWN = 100


@dataclass(frozen=True, slots=True)
class ShownSwitch:
    """A switch as its page shows it. Who is a name, or None where the account has none, or is gone."""

    id: UUID
    kind: str
    slug: str | None  # of the campaign that it holds for; None for everywhere
    is_everywhere: bool
    subject: str
    because: str
    on_at: datetime
    on_by: str | None
    off_at: datetime | None
    off_by: str | None


def find_switches(session: Session) -> Switches:
    """Return every switch that is on."""
    rows = session.scalars(select(Switch).where(Switch.off_at.is_(None))).all()
    return Switches(
        signing_paused=frozenset(row.scope for row in rows if row.kind == "pause_signing"),
        is_creation_paused=any(row.kind == "pause_creation" for row in rows),
        proof_on=frozenset(row.scope for row in rows if row.kind == "proof"),
        slow_countries=frozenset(row.subject for row in rows if row.kind == "slow_country"),
        slow_networks=tuple(ipaddress.ip_network(row.subject) for row in rows if row.kind == "slow_network"),
    )


def list_switches(session: Session, *, keyring: Keyring) -> list[ShownSwitch]:
    """Return the switches that are on, then those that were, each the newest first."""
    rows = session.scalars(
        select(Switch)
        .order_by(Switch.off_at.is_not(None), Switch.off_at.desc(), Switch.on_at.desc(), Switch.id)
        .limit(SHOWN)
    ).all()
    campaigns = {UUID(hex=row.scope) for row in rows if row.scope}
    slugs = {
        row.id.hex: row.slug
        for row in session.execute(select(Campaign.id, Campaign.slug).where(Campaign.id.in_(campaigns)))
    }
    names = _list_names(session, {each for row in rows for each in (row.on_by, row.off_by) if each}, keyring)
    return [
        ShownSwitch(
            id=row.id,
            kind=row.kind,
            slug=slugs.get(row.scope),
            is_everywhere=not row.scope,
            subject=row.subject,
            because=row.because,
            on_at=row.on_at,
            on_by=None if row.on_by is None else names.get(row.on_by),
            off_at=row.off_at,
            off_by=None if row.off_by is None else names.get(row.off_by),
        )
        for row in rows
    ]


def _list_names(session: Session, ids: set[UUID], keyring: Keyring) -> dict[UUID, str | None]:
    key = open_account_key(session, keyring=keyring)
    rows = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return {row.id: open_account_name(key, row.id, row.name) for row in rows}
