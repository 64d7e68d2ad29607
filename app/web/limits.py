"""How much comes from where, counted over all processes; loose enough for a hall of people behind one address.

A form is counted in this process's memory, at once and without waiting. What came from one place for the third time
goes to where all processes share it, Valkey or the database, within half a second, and what the others counted comes
back on the same way: exact inside a process, half a second and two forms late between two
(docs/decisions/0014-limits.md). Whoever came once or twice is written nowhere. Memory and store hold keyed hashes and
never an address; the key of those in the store dies with the day's salt.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from app.actions.limiting import BUCKETS_KEPT, Added, Asked, Crossing, exchange_hits, find_salts, set_aside
from app.core.keys import keyed_hash
from app.core.logs import get_logger
from app.rules import limits as rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date
    from uuid import UUID

    from app.actions.limiting import Counted
    from app.core.db import Database
    from app.core.keys import Keyring
    from app.settings import Settings
    from app.web.valkey_buckets import ValkeyBuckets

SECONDS: Final = 0.5
#: Most people are the only ones to come from where they are: what came less often than this is not shared.
SHARED_FROM: Final = 3
#: Where nobody shares anything, nothing is asked for more often than this.
FRESH_SECONDS: Final = 1.0
#: What another process counted in minutes before these was read before.
READ_AGAIN_MINUTES: Final = 2
#: A set is made when every process has heard, so that it takes in what they let pass meanwhile.
SECONDS_BEFORE_SET: Final = 3 * SECONDS
SECONDS_BETWEEN_TRIES: Final = 30.0
#: Beyond this the one that was quiet for longest is dropped, and read again if it comes back.
SUBJECTS_IN_MEMORY: Final = 20_000
MINUTES_A_DAY: Final = 24 * 60


@dataclass(frozen=True, slots=True)
class Pace:
    """What the limits say of one form: signals of app/rules/integrity.py, and whether its campaign is under attack."""

    signals: frozenset[str]
    is_under_pressure: bool


@dataclass(slots=True)
class _Subject:
    """An address, network or domain as one campaign sees it, or what is suspicious in a campaign; hits by minute."""

    key: bytes
    is_always_shared: bool = False
    hits: dict[int, int] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    read_minute: int | None = None
    read_at: float = 0.0
    # For addresses alone.
    campaign_id: UUID | None = None
    passed_at: datetime | None = None  # when a form last passed that a later crossing makes suspicious
    noted: frozenset[rules.Window] = frozenset()  # windows that are crossed, and that a set was owed for

    def add(self, minute: int) -> None:
        """Count one more, and forget what no window reaches: the salt of its day may be gone by now."""
        if self.hits and next(iter(self.hits)) <= minute - rules.LONGEST_MINUTES:
            self.hits = _recent(self.hits, minute)
            self.pending = _recent(self.pending, minute)
        self.hits[minute] = self.hits.get(minute, 0) + 1
        self.pending[minute] = self.pending.get(minute, 0) + 1

    @property
    def is_shared(self) -> bool:
        """Whether other processes are to know of it."""
        is_known = self.is_always_shared or self.read_minute is not None
        return is_known or sum(self.pending.values()) >= SHARED_FROM

    def take_in(self, found: Iterable[Counted], minute: int, read_at: float) -> None:
        """Believe what all processes counted, with what came here meanwhile."""
        for each in found:
            # What fell to the database while Valkey was away is not all that there is: a count never falls.
            self.hits[each.minute] = max(self.hits.get(each.minute, 0), each.hits + self.pending.get(each.minute, 0))
        self.hits = _recent(dict(sorted(self.hits.items())), minute)
        self.read_minute, self.read_at = minute, read_at


@dataclass(slots=True)
class _Noted:
    """An address that crossed, and for which a set is owed once ``due_at`` (of the loop's clock) has come."""

    subject: _Subject
    address: str
    minutes: int
    last_at: datetime
    due_at: float


class Limits:
    """Counts forms by address, network, mail domain and campaign."""

    def __init__(self, database: Database, keyring: Keyring, settings: Settings) -> None:
        """Count in the database, or in Valkey where there is one."""
        self._database, self._keyring, self._settings = database, keyring, settings
        self._subjects: dict[bytes, _Subject] = {}
        self._touched: dict[bytes, _Subject] = {}
        self._addresses: dict[bytes, str] = {}  # of those touched: gone with the next exchange
        self._noted: dict[bytes, _Noted] = {}
        self._salts: dict[int, bytes] = {}
        self._latest = datetime.fromtimestamp(0, UTC)
        self._lock, self._reading = asyncio.Lock(), asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._valkey: ValkeyBuckets | None = None
        self._is_silent = False

    async def hit(self, *, campaign_id: UUID, address: str | None, domain: str, is_slowed: bool, now: datetime) -> Pace:
        """Count one form that is about to be kept, and return what that makes it.

        ``address`` is the sender's, as the socket tells it. Whoever judges the form says so to ``note_judged``.
        """
        minute = self._minute_of(now)
        signals: set[str] = set()
        for kind, text in rules.list_subjects(address, domain):
            subject = self._touch(kind.encode(), campaign_id, text)
            subject.add(minute)
            crossed = rules.list_crossed(kind, subject.hits, minute)
            if crossed:
                signals.add(rules.SIGNALS[kind])
            if is_slowed and rules.list_crossed(kind, subject.hits, minute, part=rules.SLOWED_PART):
                signals.add(rules.SLOWED)
            if kind == "address":
                subject.campaign_id = campaign_id
                self._addresses[subject.key] = text
                if not crossed:
                    subject.passed_at = now
                self._look_back(subject, text, crossed)
        pressure = self._touch(b"pressure", campaign_id)
        if signals:
            pressure.add(minute)
        return Pace(frozenset(signals), rules.is_pressed(pressure.hits, minute))

    def note_judged(self, *, campaign_id: UUID, pace: Pace, is_quarantined: bool, now: datetime) -> None:
        """Count a form that waits for a moderator for other reasons than its pace, since it is a sign of pressure."""
        if is_quarantined and not pace.signals:
            self._touch(b"pressure", campaign_id).add(self._minute_of(now))

    async def is_under_pressure(self, *, campaign_id: UUID, now: datetime) -> bool:
        """Tell whether a campaign is under attack, without counting anything; at most a second late."""
        minute = self._minute_of(now)
        subject = self._touch(b"pressure", campaign_id)
        if _is_stale(subject):
            async with self._reading:  # whoever comes meanwhile waits for the same
                if _is_stale(subject):
                    await self.exchange()
        return rules.is_pressed(subject.hits, minute)

    async def exchange(self) -> None:
        """Share what was counted here, and read what others counted. What befalls it is said, and memory answers."""
        async with self._lock:
            touched = {key: subject for key, subject in self._touched.items() if subject.is_shared}
            addresses = {key: address for key, address in self._addresses.items() if key in touched}
            self._touched, self._addresses = {}, {}
            try:
                if touched:
                    await self._share(touched)
                for key, address in addresses.items():
                    self._look_again(touched[key], address)
            except Exception as fault:  # noqa: BLE001 - forms and pages go on, whatever befalls their limits
                # Whatever cannot be shared now goes with the next; nobody waits for it.
                self._touched = touched | self._touched
                self._addresses = addresses | self._addresses
                self._complain(fault)
            else:
                self._is_silent = False

    async def settle(self) -> None:
        """Share everything now, and make every set that is owed: at the end of the process, and in tests."""
        await self.exchange()
        for noted in self._noted.values():
            noted.due_at = 0.0
        await self._make_sets()

    async def close(self) -> None:
        """Share what is left and let go."""
        if self._task is not None:
            async with self._lock:  # what is on its way arrives, and is not counted twice
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.settle()
        if self._valkey is not None:
            await self._valkey.close()

    # What is counted

    def _minute_of(self, now: datetime) -> int:
        self._latest = max(self._latest, now)
        return rules.minute_of(now)

    def _touch(self, kind: bytes, campaign_id: UUID, text: str = "") -> _Subject:
        key = keyed_hash(self._keyring.limits, kind, campaign_id.bytes, text.encode())
        subject = self._subjects.pop(key, None) or _Subject(key, is_always_shared=not text)
        self._subjects[key] = self._touched[key] = subject
        if len(self._subjects) > SUBJECTS_IN_MEMORY:
            del self._subjects[next(iter(self._subjects))]
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="limits")
        return subject

    async def _run(self) -> None:
        while self._touched or self._noted:
            await asyncio.sleep(SECONDS)
            await self.exchange()
            await self._make_sets()

    def _complain(self, fault: Exception) -> None:
        if not self._is_silent:
            self._is_silent = True
            get_logger().error("limits are not shared", error=type(fault).__name__)

    # What is shared

    async def _share(self, touched: dict[bytes, _Subject]) -> None:
        latest = rules.minute_of(self._latest)
        since = {key: self._unread_since(subject, latest) for key, subject in touched.items()}
        taken = {key: subject.pending for key, subject in touched.items()}
        minutes = {minute for pending in taken.values() for minute in pending}
        await self._find_salts({_day_of(minute) for minute in (latest, min(since.values()) + 1, *minutes)})
        ends_at = {minute: _moment_of(minute) + BUCKETS_KEPT for minute in minutes}
        # A subject has another hash each day.
        asked = {
            key: Asked(tuple(self._hash(key, day) for day in range(_day_of(after + 1), _day_of(latest) + 1)), after)
            for key, after in since.items()
        }
        added = [
            Added(self._hash(key, _day_of(minute)), minute, hits, ends_at[minute])
            for key, pending in taken.items()
            for minute, hits in pending.items()
        ]
        for subject in touched.values():
            subject.pending = {}
        try:
            counted = await self._exchange(added, tuple(asked.values()))
        except BaseException:
            for key, pending in taken.items():
                for minute, hits in pending.items():
                    touched[key].pending[minute] = touched[key].pending.get(minute, 0) + hits
            raise
        found: dict[bytes, list[Counted]] = {}
        for each in counted:
            found.setdefault(each.hash, []).append(each)
        read_at = asyncio.get_running_loop().time()
        for key, subject in touched.items():
            subject.take_in([each for hashed in asked[key].hashes for each in found.get(hashed, ())], latest, read_at)

    def _unread_since(self, subject: _Subject, latest: int) -> int:
        """Return after which minute others may have counted what was not read here yet."""
        if subject.read_minute is None:
            return latest - rules.LONGEST_MINUTES
        return max(subject.read_minute - READ_AGAIN_MINUTES, latest - rules.LONGEST_MINUTES)

    async def _exchange(self, added: Sequence[Added], asked: Sequence[Asked]) -> list[Counted]:
        if self._settings.valkey_url is not None:
            if self._valkey is None:
                from app.web.valkey_buckets import ValkeyBuckets

                self._valkey = ValkeyBuckets(self._settings.valkey_url)
            counted = await self._valkey.exchange(added, asked)
            if counted is not None:
                return counted
        run = self._database.write if added else self._database.read
        return await run(exchange_hits, added=added, asked=asked)

    async def _find_salts(self, days: set[int]) -> None:
        missing = {_moment_of(day * MINUTES_A_DAY).date() for day in days - self._salts.keys()}
        if missing:
            found = await self._database.write(find_salts, days=missing)
            self._salts |= {_day_of(rules.minute_of(_midnight(day))): salt for day, salt in found.items()}
            # A salt is destroyed 48 hours after its day began, and this process keeps none for longer.
            oldest = min(_day_of(rules.minute_of(self._latest)) - 1, *days)
            self._salts = {day: salt for day, salt in self._salts.items() if day >= oldest}

    def _hash(self, key: bytes, day: int) -> bytes:
        return keyed_hash(self._salts[day], key)

    # What follows

    def _look_again(self, subject: _Subject, address: str) -> None:
        """Note an address that crosses by what other processes counted."""
        self._look_back(subject, address, rules.list_crossed("address", subject.hits, rules.minute_of(self._latest)))

    def _look_back(self, subject: _Subject, address: str, crossed: tuple[rules.Window, ...]) -> None:
        """Owe a set where ``crossed`` makes forms suspicious that passed before."""
        if not crossed:
            subject.noted = frozenset()
            return
        if subject.passed_at is None and subject.noted.issuperset(crossed):
            return
        last_at = subject.passed_at or self._latest
        subject.passed_at, subject.noted = None, frozenset(crossed)
        known = self._noted.get(subject.key)
        self._noted[subject.key] = _Noted(
            subject,
            address,
            max(crossed[-1].minutes, 0 if known is None else known.minutes),
            last_at,
            asyncio.get_running_loop().time() + SECONDS_BEFORE_SET if known is None else known.due_at,
        )

    async def _make_sets(self) -> None:
        # Apart from sharing: a form or a page that waits for what others counted does not wait for these.
        time = asyncio.get_running_loop().time()
        for key, noted in [(key, each) for key, each in self._noted.items() if each.due_at <= time]:
            try:
                is_made = await self._make_set(noted)
            except Exception as fault:  # noqa: BLE001 - the others are made, and this one is tried again
                get_logger().error("a set was not made", error=type(fault).__name__)
                is_made = False
            if not is_made:
                noted.due_at = time + SECONDS_BETWEEN_TRIES
            elif self._noted.get(key) is noted:  # nothing more has come from there meanwhile
                del self._noted[key]

    async def _make_set(self, noted: _Noted) -> bool:
        minute = rules.minute_of(self._latest)
        await self._find_salts({_day_of(minute)})
        assert noted.subject.campaign_id is not None  # noqa: S101 - addresses have one
        crossing = Crossing(
            noted.subject.campaign_id,
            noted.address,
            noted.minutes,
            keyed_hash(self._salts[_day_of(minute)], b"set", noted.subject.key, noted.minutes.to_bytes(2)),
            rules.count_hits(noted.subject.hits, minute, noted.minutes),
        )
        made_at = await self._database.write(
            set_aside, crossing=crossing, keyring=self._keyring, now=max(self._latest, noted.last_at)
        )
        # Where another process made one before the last of these came, they get the next.
        return made_at >= noted.last_at


def _recent(hits: dict[int, int], minute: int) -> dict[int, int]:
    return {at: number for at, number in hits.items() if at > minute - rules.LONGEST_MINUTES}


def _is_stale(subject: _Subject) -> bool:
    return subject.read_minute is None or asyncio.get_running_loop().time() - subject.read_at > FRESH_SECONDS


def _day_of(minute: int) -> int:
    return minute // MINUTES_A_DAY


def _moment_of(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
