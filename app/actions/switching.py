"""Switches, turned on and off by moderators, on record; and the closing dates that move while signing pauses.

While signing of a campaign pauses, ``campaigns.paused_at`` says from when on its closing date has still to move.
However many pauses overlap there is one such moment, so their union is counted once. When the last one ends the date
moves by the time since. It moves in between, too, whenever it comes near: whatever judges by the date is right during
a pause, and nothing but this module has to know of it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from sqlalchemy import or_, select, update

from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Campaign, Switch
from app.rules.life import SIGNABLE_STATES, last_day
from app.rules.switches import EVERYWHERE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

#: During a pause a closing date is never nearer than this, or than it was when the pause began.
KEPT_AWAY: Final = timedelta(minutes=10)

_switches: Table = cast("Table", Switch.__table__)


class SwitchIsOn(Exception):
    """The same thing is on already."""


class SwitchIsOff(Exception):
    """There is no such switch, or somebody else was faster to turn it off."""


def turn_on(
    session: Session,
    *,
    switch_id: UUID,
    kind: str,
    campaign_id: UUID | None,
    subject: str,
    because: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Turn a switch on, everywhere or for one campaign; the same ``switch_id`` again changes nothing.

    Raises SwitchIsOn.
    """
    scope = EVERYWHERE if campaign_id is None else campaign_id.hex
    row = {
        "id": switch_id, "kind": kind, "scope": scope, "subject": subject, "because": because, "on_at": now,
        "on_by": account_id,
    }  # fmt: skip
    if session.connection().execute(insert_if_absent(_switches, dialect_of(session)), row).rowcount != 1:
        if session.scalar(select(Switch.id).where(Switch.id == switch_id)) is None:
            raise SwitchIsOn
        return
    details = {"switch": switch_id.hex, "kind": kind, "subject": subject}
    record(session, what="switched_on", now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    settle_pauses(session, now=now)


def turn_off(session: Session, *, switch_id: UUID, account_id: UUID, now: datetime) -> None:
    """Turn a switch off; where signing goes on by it, closing dates move by the pause. Raises SwitchIsOff."""
    switch = session.execute(
        update(Switch)
        .where(Switch.id == switch_id, Switch.off_at.is_(None))
        .values(off_at=now, off_by=account_id)
        .returning(Switch.kind, Switch.scope, Switch.subject)
    ).first()
    if switch is None:
        raise SwitchIsOff
    campaign_id = None
    if switch.scope != EVERYWHERE:
        campaign_id = session.scalar(select(Campaign.id).where(Campaign.id == UUID(hex=switch.scope)))
    details = {"switch": switch_id.hex, "kind": switch.kind, "subject": switch.subject}
    record(session, what="switched_off", now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    settle_pauses(session, now=now)


def settle_pauses(session: Session, *, now: datetime) -> None:
    """Bring closing dates into line with the pauses that there are: begin to hold, keep away, let go and move.

    Called when a switch is turned, and each second: what two moderators who turned switches in the same moment could
    not see of each other is put right a second later.
    """
    pauses = _find_pauses(session)
    held = session.scalars(select(Campaign).where(Campaign.paused_at.is_not(None))).all()
    for campaign in held:
        if _pause_of(campaign, pauses) is None:
            _let_go(session, campaign, now)
        elif campaign.state in SIGNABLE_STATES and _is_near(campaign, now):
            _change(session, campaign, paused_at=now, closes_at=_moved(campaign, now))
    if pauses:
        _hold(session, pauses, now)


def _find_pauses(session: Session) -> Mapping[str, datetime]:
    """Return the scopes in which signing pauses, and since when."""
    rows = session.execute(
        select(Switch.scope, Switch.on_at).where(Switch.kind == "pause_signing", Switch.off_at.is_(None))
    )
    return {row.scope: row.on_at for row in rows}


def _pause_of(campaign: Campaign, pauses: Mapping[str, datetime]) -> datetime | None:
    """Return since when signing of a campaign pauses, or None."""
    return min((pauses[scope] for scope in (EVERYWHERE, campaign.id.hex) if scope in pauses), default=None)


def _hold(session: Session, pauses: Mapping[str, datetime], now: datetime) -> None:
    """Note of open campaigns in a pause from when on their dates move: from now, or from their opening since."""
    statement = select(Campaign).where(
        Campaign.state.in_(SIGNABLE_STATES),
        Campaign.paused_at.is_(None),
        or_(Campaign.opens_at.is_(None), Campaign.opens_at <= now),
    )
    if EVERYWHERE not in pauses:
        statement = statement.where(Campaign.id.in_([UUID(hex=scope) for scope in pauses]))
    for campaign in session.scalars(statement).all():
        paused_at = cast("datetime", _pause_of(campaign, pauses))
        since = campaign.opens_at if campaign.opens_at is not None and campaign.opens_at > paused_at else now
        if campaign.closes_at is None or campaign.closes_at > since:
            _change(session, campaign, paused_at=since)


def _let_go(session: Session, campaign: Campaign, now: datetime) -> None:
    """Move the closing date by what is left of the pause: of an open campaign, or of one closed early meanwhile."""
    paused_at = cast("datetime", campaign.paused_at)
    if campaign.state in SIGNABLE_STATES and campaign.closes_at is not None:
        _change(session, campaign, paused_at=None, closes_at=_moved(campaign, now))
        details = {"last_day": last_day(campaign.closes_at, campaign.timezone).isoformat()}
        record(session, what="closing_moved", now=now, campaign_id=campaign.id, details=details)
        return
    closed_at, planned_at = campaign.closed_early_at, campaign.planned_closes_at
    if campaign.state == "closed" and closed_at is not None and planned_at is not None and closed_at > paused_at:
        # It was to be open longer, and may be reopened.
        _change(session, campaign, paused_at=None, planned_closes_at=planned_at + (closed_at - paused_at))
        return
    _change(session, campaign, paused_at=None)


def _is_near(campaign: Campaign, now: datetime) -> bool:
    return campaign.closes_at is not None and campaign.closes_at <= now + KEPT_AWAY


def _moved(campaign: Campaign, now: datetime) -> datetime:
    return cast("datetime", campaign.closes_at) + (now - cast("datetime", campaign.paused_at))


def _change(session: Session, campaign: Campaign, **values: Any) -> None:  # noqa: ANN401 - columns
    """Change a campaign where it still stands as it was read; else this is done a second later."""
    session.execute(
        update(Campaign)
        .where(
            Campaign.id == campaign.id,
            Campaign.state == campaign.state,
            Campaign.closes_at.is_not_distinct_from(campaign.closes_at),
            Campaign.paused_at.is_not_distinct_from(campaign.paused_at),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    session.refresh(campaign)
