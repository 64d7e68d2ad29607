"""Sets of signatures: proposed, approved by a second moderator where they are large, applied in chunks, taken back.

Background work walks a set in the order of ids and moves ``reached_id`` in the transaction of each chunk, with a guard:
of two workers that saw the same place, one moves on and the other does nothing. A set is taken back by walking the
decisions that it made, in their order (``reached_id`` then holds a decision's number): what was decided of a signature
after the set stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import and_, case, exists, select, update
from sqlalchemy.orm import aliased

from app.actions.records import record
from app.actions.standing import change_standing, restore
from app.core.db import dialect_of, insert_if_absent
from app.models import Alarm, Decision, Signature, SignatureSet
from app.queries.sets import WORKING, count_set, is_of_set
from app.rules.sets import LARGE, STANDING_AFTER, Conditions, is_grave, parse_conditions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

CHUNK: Final = 250
ENDED: Final = ("done", "stopped")


class SetNotFound(Exception):
    """There is no such set."""


class SetMoved(Exception):
    """Somebody, or the work itself, was faster: the set does not stand where this could be done."""


class SecondPersonNeeded(Exception):
    """Whoever proposed a large set, or its reversal, cannot be who approves it."""


class NothingAskedFor(Exception):
    """A set without any condition would be every signature of its campaign."""


@dataclass(frozen=True, slots=True)
class Step:
    """The next chunk of a set, as it was read: what is moved, and where the set stood then."""

    set_id: UUID
    state: str
    reached_id: UUID | None
    ids: tuple[UUID, ...]  # signatures, or nothing at the end
    next_id: UUID | None  # where the set stands after it
    size: int | None = None  # how many it moves in all, where that turns out to be more than anybody was told


def create_set(
    session: Session,
    *,
    set_id: UUID,
    campaign_id: UUID,
    conditions: Conditions,
    action: str,
    rule: str,
    because: str,
    expected: int,
    account_id: UUID,
    now: datetime,
    alarm_id: UUID | None = None,
) -> None:
    """Propose a set; one of up to ``LARGE`` is applied at once. Proposed twice (``set_id``), it is there once.

    ``expected`` is how many it would move: a number that turns out larger than that is stopped while it is applied.
    Raises NothingAskedFor.
    """
    state = "proposed" if is_grave(expected) else "queued"
    if alarm_id is not None:  # it came in a link, so it may be anything
        alarm_id = session.scalar(select(Alarm.id).where(Alarm.id == alarm_id, Alarm.campaign_id == campaign_id))
    values = {"expected": expected, "action": action, "rule": rule, "because": because, "alarm_id": alarm_id}
    if _insert(session, set_id, campaign_id, conditions, state, now, created_by=account_id, **values):
        _note(
            session, "set_proposed", set_id, campaign_id, account_id, now, action=action, rule=rule, expected=expected
        )


def create_automatic_set(
    session: Session,
    *,
    campaign_id: UUID,
    conditions: Conditions,
    rule: str,
    because: str,
    expected: int,
    now: datetime,
    alarm_id: UUID | None = None,
) -> UUID:
    """Set aside whatever fulfils ``conditions``, because a limit was crossed; return the set, which is worked at next.

    It looks like any other and is taken back like any other. ``expected`` is what whoever noticed has counted: counting
    here would hold up everybody who writes. Raises NothingAskedFor.
    """
    set_id = uuid4()
    values = {"expected": expected, "action": "quarantine", "rule": rule, "because": because, "alarm_id": alarm_id}
    _insert(session, set_id, campaign_id, conditions, "queued", now, created_by=None, **values)
    _note(session, "set_made", set_id, campaign_id, None, now, rule=rule, expected=expected)
    return set_id


def approve_set(session: Session, *, set_id: UUID, account_id: UUID, now: datetime) -> None:
    """Let a large set go. Raises SetNotFound, SetMoved, SecondPersonNeeded."""
    found = _lock(session, set_id)
    if found.created_by == account_id and found.state == "proposed":
        raise SecondPersonNeeded
    _move(session, found, ("proposed",), state="queued", approved_by=account_id, approved_at=now)
    _note(session, "set_approved", set_id, found.campaign_id, account_id, now)


def decline_set(session: Session, *, set_id: UUID, account_id: UUID, now: datetime) -> None:
    """Let nothing come of a proposal; whoever made it may take it back so, too. Raises SetNotFound, SetMoved."""
    found = _lock(session, set_id)
    _move(session, found, ("proposed",), state="declined", ended_at=now)
    _note(session, "set_declined", set_id, found.campaign_id, account_id, now)


def stop_set(session: Session, *, set_id: UUID, account_id: UUID, now: datetime) -> None:
    """Stop a set, or its reversal, where it is; what it moved stays moved. Raises SetNotFound, SetMoved."""
    found = _lock(session, set_id)
    _move(session, found, WORKING, state="stopped", ended_at=now, reversal_by=None)
    _note(session, "set_stopped", set_id, found.campaign_id, account_id, now, walked=found.walked)


def reverse_set(session: Session, *, set_id: UUID, account_id: UUID, now: datetime) -> bool:
    """Take back what a set did; return whether that begins, or waits for a second moderator, since it is large.

    Raises SetNotFound, SetMoved, SecondPersonNeeded.
    """
    found = _lock(session, set_id)
    is_second = found.reversal_by is not None and found.reversal_by != account_id
    if is_grave(found.changed) and not is_second:
        if found.reversal_by is not None and found.state in ENDED:
            raise SecondPersonNeeded
        _move(session, found, ENDED, reversal_by=account_id)
        _note(session, "set_reversal_proposed", set_id, found.campaign_id, account_id, now)
        return False
    by = found.reversal_by or account_id
    _move(session, found, ENDED, state="reversing", reached_id=None, walked=0, ended_at=None, reversal_by=by)
    _note(session, "set_reversed", set_id, found.campaign_id, account_id, now)
    return True


def list_working_sets(session: Session) -> list[UUID]:
    """Return the sets that there is something left to do for, the oldest first."""
    return list(
        session.scalars(
            select(SignatureSet.id).where(SignatureSet.state.in_(WORKING)).order_by(SignatureSet.created_at)
        )
    )


def find_step(session: Session, *, set_id: UUID) -> Step | None:
    """Read what comes next of a set, or None where nothing is left to do. Holds up nobody who writes."""
    found = session.get(SignatureSet, set_id)
    if found is None or found.state not in WORKING:
        return None
    if found.state == "reversing":
        return _find_step_back(session, found)
    is_later = Signature.id > found.reached_id if found.reached_id is not None else Signature.id.is_not(None)
    ids = session.scalars(select(Signature.id).where(is_later, _is_of(found)).order_by(Signature.id).limit(CHUNK)).all()
    size = _count_outgrown(session, found) if _is_outgrown(found, found.walked + len(ids)) else None
    return Step(set_id, found.state, found.reached_id, tuple(ids), ids[-1] if ids else found.reached_id, size)


def take_step(session: Session, *, step: Step, now: datetime) -> bool:
    """Do what was read, where the set still stands as it stood then; return whether there may be more to do."""
    if not step.ids:
        return _end(session, step, now)
    has_moved = session.execute(
        update(SignatureSet)
        .where(_stands_at(step))
        .values(
            reached_id=step.next_id,
            walked=SignatureSet.walked + len(step.ids),
            state=case((SignatureSet.state == "queued", "running"), else_=SignatureSet.state),
        )
        .returning(SignatureSet.id)
    ).first()
    if has_moved is None:
        return True  # another worker did it, or somebody stopped the set
    moved = _lock(session, step.set_id)
    if moved.state == "reversing":
        _step_back(session, moved, step, now)
        return True
    if _is_outgrown(moved, moved.walked):
        # More than anybody was told when it was proposed: it waits for a second moderator like any large one.
        walked = moved.walked - len(step.ids)
        expected = step.size or moved.expected
        _set(session, moved, state="proposed", reached_id=step.reached_id, walked=walked, expected=expected)
        _note(session, "set_outgrown", moved.id, moved.campaign_id, None, now, expected=expected)
        return True
    _step_on(session, moved, step, now)
    return True


def _insert(  # noqa: PLR0917 - what each set has
    session: Session,
    set_id: UUID,
    campaign_id: UUID,
    conditions: Conditions,
    state: str,
    now: datetime,
    **values: Any,  # noqa: ANN401 - columns
) -> bool:
    if not conditions:
        raise NothingAskedFor
    row = {
        "id": set_id, "campaign_id": campaign_id, "conditions": conditions.as_json(), "state": state, "walked": 0,
        "changed": 0, "created_at": now, **values,
    }  # fmt: skip
    statement = insert_if_absent(cast("Table", SignatureSet.__table__), dialect_of(session))
    return session.connection().execute(statement, row).rowcount == 1


def _lock(session: Session, set_id: UUID) -> SignatureSet:
    found = session.scalars(
        select(SignatureSet)
        .where(SignatureSet.id == set_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if found is None:
        raise SetNotFound
    return found


def _move(session: Session, found: SignatureSet, states: Sequence[str], **values: Any) -> None:  # noqa: ANN401 - columns
    if found.state not in states:
        raise SetMoved
    _set(session, found, **values)


def _set(session: Session, found: SignatureSet, **values: Any) -> None:  # noqa: ANN401 - columns
    session.execute(update(SignatureSet).where(SignatureSet.id == found.id).values(values))


def _note(  # noqa: PLR0917 - what each line has
    session: Session,
    what: str,
    set_id: UUID,
    campaign_id: UUID,
    account_id: UUID | None,
    now: datetime,
    **details: object,
) -> None:
    details = {"set": set_id.hex, **details}
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def _is_of(found: SignatureSet) -> ColumnElement[bool]:
    """Return what is of a set and is not yet where it puts it."""
    conditions = [
        is_of_set(found.campaign_id, parse_conditions(found.conditions), found.created_at),
        Signature.standing != STANDING_AFTER[found.action],
    ]
    if found.created_by is None:
        # A limit does not overrule a person who has looked.
        conditions.append(~exists().where(Decision.signature_id == Signature.id, Decision.account_id.is_not(None)))
    return and_(*conditions)


def _is_outgrown(found: SignatureSet, walked: int) -> bool:
    return found.created_by is not None and found.approved_by is None and walked > LARGE


def _count_outgrown(session: Session, found: SignatureSet) -> int:
    # While reading, since it goes through the whole campaign.
    size = count_set(
        session,
        campaign_id=found.campaign_id,
        conditions=parse_conditions(found.conditions),
        now=found.created_at,
        action=found.action,
    )
    return found.changed + size.moved


def _stands_at(step: Step) -> ColumnElement[bool]:
    return and_(
        SignatureSet.id == step.set_id,
        SignatureSet.state == step.state,
        SignatureSet.reached_id.is_not_distinct_from(step.reached_id),
    )


def _end(session: Session, step: Step, now: datetime) -> bool:
    state = "reversed" if step.state == "reversing" else "done"
    ended = session.execute(
        update(SignatureSet)
        .where(_stands_at(step))
        .values(state=state, ended_at=now)
        .returning(SignatureSet.campaign_id, SignatureSet.changed)
    ).first()
    if ended is not None:
        what = f"set_{state}" if state == "done" else "set_reversal_done"
        _note(session, what, step.set_id, ended.campaign_id, None, now, changed=ended.changed)
    return False


def _step_on(session: Session, found: SignatureSet, step: Step, now: datetime) -> None:
    # Asked for once more: since it was read, a moderator may have decided about one of them. Locked before: whoever is
    # deciding at this very moment is waited for, and heard.
    _lock_signatures(session, step.ids)
    ids = session.scalars(select(Signature.id).where(Signature.id.in_(step.ids), _is_of(found))).all()
    who: dict[str, Any] = {
        "campaign_id": found.campaign_id,
        "account_id": found.created_by,
        "set_id": found.id,
        "now": now,
    }
    if found.action == "restore":
        changed = restore(session, signature_ids=ids, **who)
    else:
        changed = change_standing(session, signature_ids=ids, to=STANDING_AFTER[found.action], rule=found.rule, **who)
    _set(session, found, changed=SignatureSet.changed + changed)


def _lock_signatures(session: Session, ids: Sequence[UUID]) -> None:
    session.execute(
        select(Signature.id).where(Signature.id.in_(ids)).order_by(Signature.id).with_for_update(key_share=True)
    ).all()


def _find_step_back(session: Session, found: SignatureSet) -> Step:
    rows = _list_made(session, found, Decision.id > (found.reached_id.int if found.reached_id is not None else 0))
    next_id = UUID(int=rows[-1].id) if rows else found.reached_id
    return Step(found.id, found.state, found.reached_id, tuple(row.signature_id for row in rows), next_id)


def _step_back(session: Session, found: SignatureSet, step: Step, now: datetime) -> None:
    first, last = (0 if at is None else at.int for at in (step.reached_id, step.next_id))
    later = aliased(Decision)
    is_latest = ~exists().where(later.signature_id == Decision.signature_id, later.id > Decision.id)
    groups: dict[tuple[str, str], list[UUID]] = {}
    # Locked before their decisions are read: one that is being made at this moment is the later one.
    _lock_signatures(session, step.ids)
    for row in _list_made(session, found, and_(Decision.id > first, Decision.id <= last, is_latest)):
        groups.setdefault((row.before, row.rule), []).append(row.signature_id)
    changed = sum(
        change_standing(
            session,
            campaign_id=found.campaign_id,
            signature_ids=ids,
            to=before,
            rule=rule,
            now=now,
            account_id=found.reversal_by,
            set_id=found.id,
        )
        for (before, rule), ids in groups.items()
    )
    _set(session, found, changed=SignatureSet.changed - changed)


def _list_made(session: Session, found: SignatureSet, which: ColumnElement[bool]) -> Sequence[Any]:
    """Return decisions that a set made, and not those that took it back: these lead away from where it puts things."""
    return session.execute(
        select(Decision.id, Decision.signature_id, Decision.before, Decision.rule)
        .where(Decision.set_id == found.id, Decision.after == STANDING_AFTER[found.action], which)
        .order_by(Decision.id)
        .limit(CHUNK)
    ).all()
