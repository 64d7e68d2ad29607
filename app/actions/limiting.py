"""Counting what comes from where: buckets of a minute, unreadable once the day's salt is gone; and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.actions.sets import create_automatic_set
from app.core.db import dialect_of, insert_if_absent
from app.core.keys import keyed_hash
from app.mail.outbox import salt_of
from app.models import LimitBucket, UsedChallenge, open_campaign_key
from app.rules.limits import minute_of
from app.rules.sets import Conditions

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import date
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

#: How long a minute is of use to the longest window; then its row goes.
BUCKETS_KEPT: Final = timedelta(hours=25)
#: At most one automatic set in this time for each address, campaign and window.
BETWEEN_SETS_MINUTES: Final = 10
#: What a statement takes at once, far below what either database allows.
CHUNK: Final = 1000

_buckets: Table = cast("Table", LimitBucket.__table__)
_challenges: Table = cast("Table", UsedChallenge.__table__)


class Added(NamedTuple):
    """So many more hits in a bucket."""

    hash: bytes
    minute: int
    hits: int
    ends_at: datetime


class Asked(NamedTuple):
    """The buckets of these hashes, of the minutes after ``after``."""

    hashes: tuple[bytes, ...]
    after: int


class Counted(NamedTuple):
    """What a bucket holds, of all processes."""

    hash: bytes
    minute: int
    hits: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """An address crossed a limit of a campaign: everything that came from there in the window is to be set aside.

    ``address`` is an IPv4 address or an IPv6 /64, as text; ``mark`` hides both and the window. ``expected`` is how many
    forms were counted in it.
    """

    campaign_id: UUID
    address: str
    minutes: int
    mark: bytes
    expected: int


def find_salts(session: Session, *, days: Collection[date]) -> dict[date, bytes]:
    """Return the salts of days, making those that there are not."""
    return {day: salt_of(session, day) for day in sorted(days)}


def exchange_hits(session: Session, *, added: Sequence[Added], asked: Iterable[Asked]) -> list[Counted]:
    """Add hits to buckets and return those that are asked for, as they are then."""
    connection = session.connection()
    if added:
        # Everybody in one order, so that no two processes wait for each other.
        connection.execute(_adding(dialect_of(session)), [each._asdict() for each in sorted(added)])
    wanted: dict[int, list[bytes]] = {}
    for each in asked:
        wanted.setdefault(each.after, []).extend(each.hashes)
    found: list[Counted] = []
    for after, hashes in wanted.items():
        for start in range(0, len(hashes), CHUNK):
            rows = connection.execute(
                select(_buckets.c.hash, _buckets.c.minute, _buckets.c.hits).where(
                    _buckets.c.hash.in_(hashes[start : start + CHUNK]), _buckets.c.minute > after
                )
            )
            found.extend(Counted(row.hash, row.minute, row.hits) for row in rows)
    return found


@cache
def _adding(dialect: str) -> postgresql.Insert | sqlite.Insert:
    statement = postgresql.insert(_buckets) if dialect == "postgresql" else sqlite.insert(_buckets)
    return statement.on_conflict_do_update(
        index_elements=["hash", "minute"], set_={"hits": _buckets.c.hits + statement.excluded.hits}
    )


def set_aside(session: Session, *, crossing: Crossing, keyring: Keyring, now: datetime) -> datetime:
    """Owe an automatic set for what came from an address; return as of when there is one, now or from a moment ago.

    Of several processes that notice a crossing, one makes the set.
    """
    slot = minute_of(now) // BETWEEN_SETS_MINUTES * BETWEEN_SETS_MINUTES
    mark = {"hash": crossing.mark, "minute": slot}
    row = {**mark, "hits": 1, "ends_at": now + BUCKETS_KEPT}
    if session.connection().execute(insert_if_absent(_buckets, dialect_of(session)), row).rowcount != 1:
        ends_at = session.scalars(select(LimitBucket.ends_at).filter_by(**mark)).one()
        return ends_at - BUCKETS_KEPT
    key = open_campaign_key(session, campaign_id=crossing.campaign_id, keyring=keyring)
    if key is not None:
        create_automatic_set(
            session,
            campaign_id=crossing.campaign_id,
            conditions=Conditions(
                address=key.index("address", crossing.address).hex(),
                sent_from=now - timedelta(minutes=crossing.minutes),
            ),
            rule="limits",
            because="",  # its rule says it, in every language
            expected=crossing.expected,
            now=now,
        )
    return now


def use_challenge(session: Session, *, hash: bytes, expires_at: datetime) -> bool:  # noqa: A002 - the column's name
    """Keep that a proof of work was accepted; False where it was before."""
    row = {"hash": hash, "expires_at": expires_at}
    return session.connection().execute(insert_if_absent(_challenges, dialect_of(session)), row).rowcount == 1


def forget_buckets(session: Session, *, now: datetime) -> None:
    """Forget the minutes that no window reaches any more, and proofs that have expired."""
    session.execute(delete(LimitBucket).where(LimitBucket.ends_at <= now))
    session.execute(delete(UsedChallenge).where(UsedChallenge.expires_at <= now))


def count_today(
    session: Session, *, what: bytes, campaign_id: UUID, address: str, keyring: Keyring, now: datetime
) -> int:
    """Count one more of ``what`` from an address on a campaign, and return how many there were today (UTC).

    ``address`` is an IPv4 address or an IPv6 /64, as text. Only a hash of it is kept, for a day.
    """
    today = now.astimezone(UTC).date()
    (salt,) = find_salts(session, days=(today,)).values()
    mark = keyed_hash(salt, what, keyed_hash(keyring.limits, campaign_id.bytes, address.encode()))
    minute = minute_of(datetime.combine(today, time(), UTC))
    added = Added(mark, minute, 1, now + BUCKETS_KEPT)
    (counted,) = exchange_hits(session, added=(added,), asked=(Asked((mark,), minute - 1),))
    return counted.hits
