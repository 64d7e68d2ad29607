"""What there is to see: the newest signatures as numbers, alarms, and pairs that may be one person's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from app.core.keys import SealBrokenError
from app.models import Account, Alarm, Campaign, Flag, Signature, open_account_key, open_account_name, open_campaign_key
from app.queries.drafts import find_draft_titles
from app.rules.bursts import DAY, HOUR, LEAST_EXCESS, Seen, script_of
from app.rules.limits import LARGE_PROVIDERS
from app.rules.sets import Conditions, parse_conditions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

#: How many of the newest signatures of a campaign one look takes, and of how many of those the name.
MOST: Final = 2500
MOST_NAMES: Final = 300
#: Of how many, where there are more than that, addresses and networks are counted.
MOST_IN_CROWD: Final = 20_000
#: Of how many earlier days the same hour is counted.
DAYS: Final = 14
SHOWN: Final = 100
#: What was taken out is known already.
_IN_SIGHT: Final = (Signature.state == "confirmed", Signature.standing != "removed")


@dataclass(frozen=True, slots=True)
class Sight:
    """What ``app/rules/bursts.py`` looks at."""

    seen: tuple[Seen, ...]
    in_hour: int
    usual: tuple[int, ...] | None  # None where there are too few in this hour to ask
    large_domains: frozenset[bytes]
    crowd: tuple[Seen, ...] = ()  # where more came: where from, and when


@dataclass(frozen=True, slots=True)
class ShownAlarm:
    """An alarm as its page and the list show it."""

    id: UUID
    campaign_id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    kind: str
    figures: Mapping[str, Any]
    conditions: Conditions
    state: str
    raised_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class FlaggedCampaign:
    """A campaign in which pairs of signatures may be one person's each."""

    slug: str
    titles: Mapping[str, str]
    source_locale: str
    pairs: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two signatures that may be one person's. Nothing of them is opened."""

    signature_id: UUID
    other_id: UUID
    signed_at: datetime
    other_signed_at: datetime
    is_same_network: bool


@dataclass(frozen=True, slots=True)
class OpenedSide:
    """One signature of a pair, opened for a moderator whose look is put on record."""

    id: UUID
    name: str
    email: str
    postal_code: str
    country: str
    subdivision: str | None
    locale: str
    created_at: datetime
    confirmed_at: datetime
    standing: str


@dataclass(frozen=True, slots=True)
class OpenedPair:
    """Both sides of a pair, the earlier first, and how it was settled where it was."""

    state: str
    sides: tuple[OpenedSide, OpenedSide]


def list_active(session: Session, *, since: datetime) -> list[UUID]:
    """Return the campaigns in which somebody has confirmed since."""
    latest = (
        select(func.max(Signature.confirmed_at))
        .where(Signature.campaign_id == Campaign.id, Signature.state == "confirmed")
        .scalar_subquery()
    )
    return list(session.scalars(select(Campaign.id).where(latest >= since).order_by(Campaign.id)))


def find_sight(session: Session, *, campaign_id: UUID, keyring: Keyring, now: datetime) -> Sight | None:
    """Return what there is to look at of the last day, newest first; None once the campaign's key is gone."""
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    if key is None:
        return None
    newest = (Signature.campaign_id == campaign_id, Signature.confirmed_at > now - DAY)
    rows = session.execute(_SIGHT.where(*newest).order_by(*_NEWEST_FIRST).limit(MOST)).all()
    names = session.execute(
        select(Signature.id, Signature.name).where(*_IN_SIGHT, *newest).order_by(*_NEWEST_FIRST).limit(MOST_NAMES)
    )
    scripts = {row.id: _script(key, row.id, row.name) for row in names}
    seen = tuple(
        Seen(
            sent_at=row.created_at,
            confirmed_at=row.confirmed_at,
            address=row.address_index,
            network=row.network_index,
            domain=row.domain_index,
            name=row.name_index,
            signals=frozenset(row.signals) if row.signals else _NO_SIGNALS,
            has_province=row.subdivision is not None and row.country == "CA",
            script=scripts.get(row.id),
        )
        for row in rows
    )
    in_hour = sum(each.confirmed_at > now - HOUR for each in seen)
    if in_hour == MOST:
        in_hour = _count(session, campaign_id, now - HOUR, now)
    usual = _count_usual(session, campaign_id, now) if in_hour > LEAST_EXCESS else None
    crowd = _list_crowd(session, campaign_id, now) if len(rows) == MOST else ()
    return Sight(seen, in_hour, usual, _large_domains(key), crowd)


def list_alarms(session: Session, *, keyring: Keyring) -> list[ShownAlarm]:
    """Return the alarms of all campaigns, open ones first, each the newest first."""
    rows = session.execute(_ALARMS.order_by(Alarm.state, Alarm.raised_at.desc(), Alarm.id).limit(SHOWN)).all()
    return _as_shown(session, rows, keyring)


def find_alarm(session: Session, *, alarm_id: UUID, keyring: Keyring) -> ShownAlarm | None:
    """Return one alarm."""
    rows = session.execute(_ALARMS.where(Alarm.id == alarm_id)).all()
    return next(iter(_as_shown(session, rows, keyring)), None)


def list_flagged(session: Session) -> list[FlaggedCampaign]:
    """Return the campaigns with pairs that wait, by slug."""
    rows = session.execute(
        select(Campaign.id, Campaign.slug, Campaign.source_locale, func.count().label("number"))
        .join(Flag, Flag.campaign_id == Campaign.id)
        .join(_one, _one.id == Flag.signature_id)
        .join(_other, _other.id == Flag.other_id)
        .where(*_waits())
        .group_by(Campaign.id, Campaign.slug, Campaign.source_locale)
        .order_by(Campaign.slug)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.id for row in rows])
    return [FlaggedCampaign(row.slug, titles.get(row.id, {}), row.source_locale, row.number) for row in rows]


def list_pairs(session: Session, *, campaign_id: UUID) -> list[Pair]:
    """Return pairs of a campaign that nobody has settled and of which both are still there, oldest first."""
    rows = session.execute(
        select(
            Flag.signature_id, Flag.other_id, _one.created_at, _other.created_at.label("other_created_at"),
            and_(_one.network_index.is_not(None), _one.network_index == _other.network_index).label("is_near"),
        )
        .join(_one, _one.id == Flag.signature_id)
        .join(_other, _other.id == Flag.other_id)
        .where(Flag.campaign_id == campaign_id, *_waits())
        .order_by(Flag.found_at, Flag.signature_id)
        .limit(SHOWN)
    )  # fmt: skip
    return [
        Pair(row.signature_id, row.other_id, row.created_at, row.other_created_at, bool(row.is_near)) for row in rows
    ]


def find_pair(
    session: Session, *, campaign_id: UUID, signature_id: UUID, other_id: UUID, keyring: Keyring
) -> OpenedPair | None:
    """Return a pair with what both say; None where there is no such pair, or one of the two has ended."""
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    state = session.scalar(
        select(Flag.state).where(
            Flag.signature_id == signature_id, Flag.other_id == other_id, Flag.campaign_id == campaign_id
        )
    )
    rows = session.scalars(
        select(Signature)
        .where(Signature.id.in_((signature_id, other_id)), Signature.state == "confirmed")
        .order_by(Signature.created_at, Signature.id)
    ).all()
    if key is None or state is None or len(rows) != 2:  # noqa: PLR2004 - a pair
        return None
    first, second = (_open_side(key, row) for row in rows)
    return OpenedPair(state, (first, second))


_NEWEST_FIRST: Final = (Signature.confirmed_at.desc(), Signature.id.desc())
_NO_SIGNALS: Final[frozenset[str]] = frozenset()
_one, _other = aliased(Signature), aliased(Signature)
_SIGHT: Final = cast("Select[Any]", select(
    Signature.id, Signature.created_at, Signature.confirmed_at, Signature.address_index, Signature.network_index,
    Signature.domain_index, Signature.name_index, Signature.signals, Signature.country, Signature.subdivision,
).where(*_IN_SIGHT))  # fmt: skip
_ALARMS: Final = cast(
    "Select[Any]",
    select(Alarm, Campaign.slug, Campaign.source_locale).join(Campaign, Campaign.id == Alarm.campaign_id),
)


def _waits() -> tuple[Any, ...]:
    """Return the conditions of a pair that nobody has settled and of which both are still there."""
    both = [
        condition for side in (_one, _other) for condition in (side.state == "confirmed", side.standing != "removed")
    ]
    return (Flag.state == "open", *both)


def _script(key: DataKey, signature_id: UUID, sealed: bytes | None) -> str | None:
    if sealed is None:
        return None
    try:
        return script_of(key.open("signatures.name", signature_id, sealed))
    except SealBrokenError:
        return None


def _count(session: Session, campaign_id: UUID, after: datetime, until: datetime) -> int:
    return session.scalars(
        select(func.count()).where(
            Signature.campaign_id == campaign_id,
            Signature.state == "confirmed",
            Signature.confirmed_at > after,
            Signature.confirmed_at <= until,
        )
    ).one()


def _count_usual(session: Session, campaign_id: UUID, now: datetime) -> tuple[int, ...]:
    """Count the same hour of earlier days, no further back than there are signatures."""
    first = session.scalar(
        select(func.min(Signature.confirmed_at)).where(
            Signature.campaign_id == campaign_id, Signature.state == "confirmed"
        )
    )
    ends = [now - timedelta(days=days) for days in range(1, DAYS + 1)]
    return tuple(
        _count(session, campaign_id, end - HOUR, end) for end in ends if first is not None and first < end - HOUR
    )


def _list_crowd(session: Session, campaign_id: UUID, now: datetime) -> tuple[Seen, ...]:
    rows = session.execute(
        select(Signature.confirmed_at, Signature.address_index, Signature.network_index)
        .where(*_IN_SIGHT, Signature.campaign_id == campaign_id, Signature.confirmed_at > now - DAY)
        .order_by(*_NEWEST_FIRST)
        .limit(MOST_IN_CROWD)
    )
    return tuple(
        Seen(at, at, address, network, b"", None, _NO_SIGNALS, has_province=False)
        for at, address, network in rows
        if at is not None
    )


def _large_domains(key: DataKey) -> frozenset[bytes]:
    return frozenset(key.index("domain", domain) for domain in LARGE_PROVIDERS)


def _as_shown(session: Session, rows: Sequence[Any], keyring: Keyring) -> list[ShownAlarm]:
    titles = find_draft_titles(session, campaign_ids=list({row.Alarm.campaign_id for row in rows}))
    key = open_account_key(session, keyring=keyring)
    wanted = {row.Alarm.settled_by for row in rows if row.Alarm.settled_by is not None}
    accounts = session.execute(select(Account.id, Account.name).where(Account.id.in_(wanted)))
    names = {each.id: open_account_name(key, each.id, each.name) for each in accounts}
    return [
        ShownAlarm(
            id=row.Alarm.id,
            campaign_id=row.Alarm.campaign_id,
            slug=row.slug,
            titles=titles.get(row.Alarm.campaign_id, {}),
            source_locale=row.source_locale,
            kind=row.Alarm.kind,
            figures=row.Alarm.figures,
            conditions=parse_conditions(row.Alarm.conditions),
            state=row.Alarm.state,
            raised_at=row.Alarm.raised_at,
            settled_at=row.Alarm.settled_at,
            settled_by=names.get(row.Alarm.settled_by),
            outcome=row.Alarm.outcome,
        )
        for row in rows
    ]


def _open_side(key: DataKey, row: Signature) -> OpenedSide:
    def opened(column: str) -> str:
        sealed = getattr(row, column)
        return "" if sealed is None else key.open(f"signatures.{column}", row.id, sealed)

    assert row.confirmed_at is not None  # noqa: S101 - a constraint
    return OpenedSide(
        id=row.id,
        name=opened("name"),
        email=opened("email"),
        postal_code=opened("postal_code"),
        country=row.country,
        subdivision=row.subdivision,
        locale=row.locale,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        standing=row.standing,
    )
