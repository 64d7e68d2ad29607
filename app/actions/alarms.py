"""Alarms: raised from what was found, told to moderators, settled by one of them; and pairs that may be one person's.

An alarm does nothing to a signature. What goes on is one alarm, whose figures grow.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from app.actions.records import record
from app.actions.standing import change_standing
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, Alarm, Flag, Signature
from app.rules.permissions import STAFF, StaffPermission
from app.rules.sets import parse_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.bursts import Finding
    from app.rules.sets import Conditions

#: What is found again within this time is the same alarm going on.
GOES_ON: Final = timedelta(hours=2)
#: A settled alarm that goes on is quiet until there are so many times as many.
GROWN: Final = 2
OUTCOMES: Final = ("harmless", "acted", "unclear")
#: How many signatures one step of looking for pairs takes.
STEP: Final = 250
_LETTERS_EVERY_SECONDS: Final = 3600


class AlarmNotFound(Exception):
    """There is no such alarm."""


class AlarmSettled(Exception):
    """Somebody else was faster."""


class PairSettled(Exception):
    """The pair was settled, or one of the two has gone, in the meantime."""


def raise_alarms(session: Session, *, campaign_id: UUID, findings: Iterable[Finding], now: datetime) -> int:
    """Raise an alarm for each finding, or bring the one that goes on up to date; return how many are new.

    Moderators and operators get a letter for the first of an hour.
    """
    new = [_raise(session, campaign_id, finding, now) for finding in findings]
    raised = [alarm_id for alarm_id in new if alarm_id is not None]
    if raised:
        _tell(session, campaign_id, raised[0], now)
    return len(raised)


def settle_alarm(session: Session, *, alarm_id: UUID, outcome: str, account_id: UUID, now: datetime) -> None:
    """Settle an alarm, with what came of it (``OUTCOMES``). Raises AlarmNotFound, AlarmSettled."""
    campaign_id = session.scalar(
        update(Alarm)
        .where(Alarm.id == alarm_id, Alarm.state == "open")
        .values(state="settled", outcome=outcome, settled_at=now, settled_by=account_id)
        .returning(Alarm.campaign_id)
    )
    if campaign_id is None:
        raise AlarmNotFound if session.get(Alarm, alarm_id) is None else AlarmSettled
    details = {"alarm": alarm_id.hex, "outcome": outcome}
    record(session, what="alarm_settled", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def flag_pairs(
    session: Session, *, campaign_id: UUID, since: datetime, after: tuple[datetime, UUID] | None, now: datetime
) -> tuple[datetime, UUID] | None:
    """Flag who confirmed since, where the same name and postal code were there before under another address.

    A step at a time: returns where to go on, or None at the end. Flagged with the first such signature alone, so that
    a person who signs ten times is nine pairs. Without a postal code a name is many people's.
    """
    at = (Signature.confirmed_at, Signature.id)
    statement = select(*at, Signature.person_index, Signature.email_index).where(
        Signature.campaign_id == campaign_id, *_COMPARED, Signature.confirmed_at >= since
    )
    if after is not None:
        # Of one moment, those that come later by their ids; all others are later anyway.
        statement = statement.where(
            (Signature.confirmed_at > after[0]) | ((Signature.confirmed_at == after[0]) & (Signature.id > after[1]))
        )
    rows = session.execute(statement.order_by(*at).limit(STEP)).all()
    pairs = _pair(rows, _list_firsts(session, campaign_id, {row.person_index for row in rows}))
    if pairs:
        of = {"campaign_id": campaign_id, "state": "open", "found_at": now}
        session.execute(
            insert_if_absent(cast("Table", Flag.__table__), dialect_of(session)),
            [{"signature_id": one, "other_id": other, **of} for one, other in pairs],
        )
    return (rows[-1].confirmed_at, rows[-1].id) if len(rows) == STEP else None


def keep_both(
    session: Session, *, campaign_id: UUID, signature_id: UUID, other_id: UUID, account_id: UUID, now: datetime
) -> None:
    """Settle a pair: two people. Raises PairSettled."""
    _settle_pair(session, campaign_id, signature_id, other_id, state="kept", account_id=account_id, now=now)
    details = {"signatures": [signature_id.hex, other_id.hex]}
    record(session, what="pair_kept", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def take_one_out(
    session: Session,
    *,
    campaign_id: UUID,
    signature_id: UUID,
    other_id: UUID,
    removed_id: UUID,
    account_id: UUID,
    now: datetime,
) -> None:
    """Settle a pair: one person, of whom ``removed_id`` no longer counts. Raises PairSettled."""
    _settle_pair(session, campaign_id, signature_id, other_id, state="removed", account_id=account_id, now=now)
    change_standing(
        session,
        campaign_id=campaign_id,
        signature_ids=[removed_id],
        to="removed",
        rule="duplicate",
        now=now,
        account_id=account_id,
    )
    details = {"signatures": [signature_id.hex, other_id.hex], "removed": removed_id.hex}
    record(session, what="pair_removed", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def _raise(session: Session, campaign_id: UUID, finding: Finding, now: datetime) -> UUID | None:
    of_kind = (Alarm.campaign_id == campaign_id, Alarm.kind == finding.kind)
    latest = session.scalars(
        select(Alarm).where(*of_kind).order_by(Alarm.raised_at.desc(), Alarm.id).limit(1).with_for_update()
    ).first()
    if latest is not None and datetime.fromisoformat(latest.figures["seen_at"]) > now - GOES_ON:
        has_grown = finding.count >= GROWN * latest.figures["count"]
        if latest.state == "open" or not has_grown:
            _go_on(session, latest, finding, now)
            return None
    number = session.scalars(select(func.count()).where(*of_kind)).one() + 1
    alarm_id = uuid4()
    row = {
        "id": alarm_id,
        "campaign_id": campaign_id,
        "kind": finding.kind,
        # Two processes that find the same in one moment make one of it.
        "dedupe_key": f"{campaign_id.hex}:{finding.kind}:{number}",
        "figures": _figures(finding, now),
        "conditions": finding.conditions.as_json(),
        "state": "open",
        "raised_at": now,
    }
    statement = insert_if_absent(cast("Table", Alarm.__table__), dialect_of(session))
    is_new = session.connection().execute(statement, row).rowcount == 1
    return alarm_id if is_new else None


def _go_on(session: Session, alarm: Alarm, finding: Finding, now: datetime) -> None:
    """Bring an alarm up to date: its highest figures, and a set from its beginning until now."""
    figures = {**alarm.figures, "seen_at": now.isoformat()}
    values: dict[str, Any] = {"figures": figures}
    if alarm.state == "open":
        is_higher = finding.count >= figures["count"]
        before = parse_conditions(alarm.conditions)
        conditions = (finding.conditions if is_higher else before).as_json()
        values = {
            "figures": _figures(finding, now) if is_higher else figures,
            "conditions": conditions | _stretch(before, finding.conditions),
        }
    session.execute(update(Alarm).where(Alarm.id == alarm.id, Alarm.state == alarm.state).values(**values))


def _stretch(*both: Conditions) -> dict[str, str]:
    begins = min(each.confirmed_from for each in both if each.confirmed_from is not None)
    ends = max(each.confirmed_to for each in both if each.confirmed_to is not None)
    return {"confirmed_from": begins.isoformat(), "confirmed_to": ends.isoformat()}


def _figures(finding: Finding, now: datetime) -> dict[str, Any]:
    return {"count": finding.count, "total": finding.total, "seen_at": now.isoformat(), **finding.more}


def _tell(session: Session, campaign_id: UUID, alarm_id: UUID, now: datetime) -> None:
    roles = [role for role, allowed in STAFF.items() if StaffPermission.MODERATE in allowed]
    hour = int(now.timestamp()) // _LETTERS_EVERY_SECONDS
    for account in session.execute(
        select(Account.id, Account.locale).where(Account.role.in_(roles), Account.state == "active")
    ):
        owe_letter(
            session,
            kind="alarm_notice",
            dedupe_key=f"alarm_notice:{campaign_id.hex}:{hour}:{account.id.hex}",
            locale=account.locale,
            now=now,
            campaign_id=campaign_id,
            account_id=account.id,
            subject_id=alarm_id,
        )


_COMPARED: Final = (
    Signature.state == "confirmed", Signature.standing != "removed", Signature.postal_code.is_not(None),
)  # fmt: skip


def _list_firsts(session: Session, campaign_id: UUID, persons: set[bytes]) -> Sequence[Any]:
    found = session.execute(
        select(Signature.id, Signature.person_index, Signature.email_index, Signature.confirmed_at).where(
            Signature.campaign_id == campaign_id, Signature.person_index.in_(persons), *_COMPARED
        )
    ).all()
    # Ordered here: asked for an order, SQLite walks the whole campaign in it instead of looking people up.
    return sorted(found, key=lambda row: (row.confirmed_at, row.id))


def _pair(rows: Sequence[Any], firsts: Sequence[Any]) -> list[tuple[UUID, UUID]]:
    """Return each of ``rows`` with the first of the same person under another address, where that is an earlier one."""
    places = {each.id: place for place, each in enumerate(firsts)}
    by_person: dict[bytes, list[Any]] = {}
    for each in firsts:
        known = by_person.setdefault(each.person_index, [])
        # The first, and the first under another address: for the first of all, if it comes again, there is no other.
        if not known or (len(known) == 1 and each.email_index != known[0].email_index):
            known.append(each)
    found = []
    for row in rows:
        others = (each for each in by_person[row.person_index] if each.email_index != row.email_index)
        other = next(others, None)
        if other is not None and places[other.id] < places[row.id]:
            found.append((row.id, other.id))
    return found


def _settle_pair(
    session: Session,
    campaign_id: UUID,
    signature_id: UUID,
    other_id: UUID,
    *,
    state: str,
    account_id: UUID,
    now: datetime,
) -> None:
    settled = session.scalar(
        update(Flag)
        .where(
            Flag.signature_id == signature_id,
            Flag.other_id == other_id,
            Flag.campaign_id == campaign_id,
            Flag.state == "open",
        )
        .values(state=state, settled_at=now, settled_by=account_id)
        .returning(Flag.signature_id)
    )
    if settled is None:
        raise PairSettled
