"""What is unusual among the signatures of the last hours, as plain statistics over small rows.

Nothing here is proof, and nothing that is found does anything to a signature: it is shown to a person, with the
conditions of the very set. Bars are data; each says what honest crowd it lets pass.
"""

from __future__ import annotations

import math
import statistics
import unicodedata
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

from app.rules.sets import Conditions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)
#: In which stretches regular steps are looked for: a drip hides in a day that began with people.
_STRETCHES: Final = (HOUR, timedelta(hours=6), DAY)
_INSTANT: Final = timedelta(microseconds=1)

#: How many in an hour are worth a look in a campaign that is too new to say what is usual; and how many more than
#: usual in one that is not.
NEW_CAMPAIGN_BAR: Final = 600
LEAST_EXCESS: Final = 60
BASELINE_DAYS: Final = 3  # fewer same hours of earlier days say nothing
DEVIATIONS: Final = 6.0
_MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution

#: A hall: 200 people on one address in an evening. A network holds several, or part of a town.
HALL: Final = 200
TOWN: Final = 400
#: A mail domain that is no large provider's: a school, an office, an association.
DOMAIN_BAR: Final = 40
DOMAIN_SHARE: Final = 0.2
DOMAIN_CROWD: Final = 150
#: People need longer than this to get a letter, open it and press.
QUICK: Final = timedelta(seconds=10)
QUICK_BAR: Final = 30
QUICK_SHARE: Final = 0.3
#: How little the time until confirming varies, in parts of its median; among people it is more than half.
SAME_DELAY: Final = 0.15
#: And no more than this: people of a hall who confirm the next morning all took about thirteen hours.
SAME_DELAY_SECONDS: Final = 600
STEPS_BAR: Final = 40  # so many steps, at least, are judged
STEPS_SPAN: Final = timedelta(minutes=20)
STEPS_DEVIATIONS: Final = 4.5
STEPS_CEILING: Final = 0.65
ODD_BAR: Final = 10
ODD_SHARE: Final = 0.2
SCRIPT_BAR: Final = 15
SCRIPT_SHARE: Final = 0.3
USUAL_SCRIPTS: Final = frozenset({"khmer", "latin"})
SAME_NAME_BAR: Final = 15
SAME_NAME_SHARE: Final = 0.05
POSTAL_BAR: Final = 10
POSTAL_SHARE: Final = 0.15
SHARES_FROM: Final = 30  # a share of fewer is chance
#: How many groups of one kind (addresses, networks, domains) an alarm names.
GROUPS: Final = 20

Kind = Literal[
    "burst", "address", "network", "domain", "quick", "same_delay", "steps", "drip", "odd_names", "script", "same_name",
    "postal",
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = (
    "burst", "address", "network", "domain", "quick", "same_delay", "steps", "drip", "odd_names", "script", "same_name",
    "postal",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A confirmed signature, as far as numbers go. Hashes are of the campaign's own key."""

    sent_at: datetime
    confirmed_at: datetime
    address: bytes | None
    network: bytes | None
    domain: bytes
    name: bytes | None
    signals: frozenset[str]
    has_province: bool
    script: str | None = None  # None where its name was not opened


@dataclass(frozen=True, slots=True)
class Finding:
    """Something unusual: ``count`` of ``total``, what else there is to say in numbers, and the set."""

    kind: Kind
    count: int
    total: int
    conditions: Conditions
    more: Mapping[str, Any] = field(default_factory=dict)


def look(
    seen: Sequence[Seen],
    *,
    now: datetime,
    usual: Sequence[int] | None,
    in_hour: int,
    large_domains: frozenset[bytes],
    crowd: Sequence[Seen] = (),
) -> list[Finding]:
    """Return what is unusual among the signatures of the last day, or the newest of them, at most one of a kind.

    ``in_hour`` are all of the last hour; ``usual`` how many there were in the same hour of earlier days; ``crowd``
    where more came than ``seen`` holds: of many addresses, each may have sent too few of the newest to be seen in them.
    """
    hour = [each for each in seen if each.confirmed_at > now - HOUR]
    found = [
        _find_burst(in_hour, usual, now),
        *_find_crowds(crowd or seen),
        _find_domains(seen, large_domains),
        _find_quick(hour),
        _find_same_delay(hour),
        _find_steps("steps", seen, now, lambda each: each.confirmed_at, large_domains),
        _find_steps("drip", seen, now, lambda each: each.sent_at, large_domains),
        _find_share("odd_names", seen, "odd_name", (ODD_BAR, ODD_SHARE)),
        _find_script(hour),
        _find_same_name(seen),
        _find_share(
            "postal", [each for each in seen if each.has_province], "postal_mismatch", (POSTAL_BAR, POSTAL_SHARE)
        ),
    ]
    return [finding for finding in found if finding is not None]


def bound_of(usual: Sequence[int]) -> float:
    """Return up to how many are usual, by what the same hour of earlier days had; an absolute bar for too few days.

    Median and median absolute deviation, which one day with a burst does not move; no less than what chance makes of
    independent people (Poisson).
    """
    if len(usual) < BASELINE_DAYS:
        return NEW_CAMPAIGN_BAR
    middle = statistics.median(usual)
    spread = _MAD_TO_SIGMA * statistics.median([abs(each - middle) for each in usual])
    return middle + DEVIATIONS * max(spread, math.sqrt(middle)) + LEAST_EXCESS


def variation(moments: Sequence[datetime]) -> float:
    """Return the coefficient of variation of the gaps between sorted moments: 0 a clock's, about 1 chance's.

    People come in crowds, which makes it more than 1.
    """
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    mean = statistics.fmean(gaps)
    return math.inf if mean == 0 else statistics.pstdev(gaps, mean) / mean


def is_regular(moments: Sequence[datetime]) -> bool:
    """Tell whether sorted moments follow each other far more evenly than chance would have it.

    The coefficient of variation of ``n`` gaps of chance is 1 within about 1/√n.
    """
    if len(moments) <= STEPS_BAR or moments[-1] - moments[0] < STEPS_SPAN:
        return False
    bar = min(STEPS_CEILING, 1 - STEPS_DEVIATIONS / math.sqrt(len(moments) - 1))
    return variation(moments) < bar


def script_of(name: str) -> str:
    """Return the script that most letters of a name are in, as Unicode names it (khmer, latin, cjk); none without."""
    scripts = Counter(unicodedata.name(letter, "none").partition(" ")[0].lower() for letter in name if letter.isalpha())
    return scripts.most_common(1)[0][0] if scripts else "none"


def _find_burst(in_hour: int, usual: Sequence[int] | None, now: datetime) -> Finding | None:
    if usual is None or in_hour <= bound_of(usual):
        return None
    is_known = len(usual) >= BASELINE_DAYS
    more = {"usual": round(statistics.median(usual))} if is_known else {}
    conditions = Conditions(confirmed_from=now - HOUR, confirmed_to=now)
    return Finding("burst", in_hour, in_hour, conditions, more)


def _find_crowds(seen: Sequence[Seen]) -> list[Finding | None]:
    """Look for addresses that more sign from than a hall holds; and for networks, without those addresses."""
    addresses = _groups(seen, lambda each: each.address)
    loud = {mark for mark, rows in addresses.items() if len(rows) > HALL}
    networks = _groups([each for each in seen if each.address not in loud], lambda each: each.network)
    return [
        _of_groups("address", {mark: addresses[mark] for mark in loud}, len(seen)),
        _of_groups("network", {mark: rows for mark, rows in networks.items() if len(rows) > TOWN}, len(seen)),
    ]


def _find_domains(seen: Sequence[Seen], large: frozenset[bytes]) -> Finding | None:
    def is_much(count: int) -> bool:
        return count >= DOMAIN_CROWD or (count >= DOMAIN_BAR and count >= DOMAIN_SHARE * len(seen))

    domains = _groups([each for each in seen if each.domain not in large], lambda each: each.domain)
    return _of_groups("domain", {mark: rows for mark, rows in domains.items() if is_much(len(rows))}, len(seen))


def _find_quick(hour: Sequence[Seen]) -> Finding | None:
    quick = [each for each in hour if each.confirmed_at - each.sent_at <= QUICK]
    if len(quick) < QUICK_BAR or len(quick) < QUICK_SHARE * len(hour):
        return None
    return Finding("quick", len(quick), len(hour), _around(quick), {"seconds": QUICK.seconds})


def _find_same_delay(hour: Sequence[Seen]) -> Finding | None:
    for mark, rows in _all_and(hour, lambda each: each.network):
        delays = [(each.confirmed_at - each.sent_at).total_seconds() for each in rows]
        if len(delays) < STEPS_BAR:
            continue
        middle = statistics.median(delays)
        spread = statistics.median([abs(each - middle) for each in delays])
        if spread < min(SAME_DELAY * middle, SAME_DELAY_SECONDS):
            conditions = replace(_around(rows), network=mark)
            return Finding("same_delay", len(rows), len(hour), conditions, {"seconds": round(middle)})
    return None


def _find_steps(
    kind: Kind, seen: Sequence[Seen], now: datetime, moment: Callable[[Seen], datetime], large: frozenset[bytes]
) -> Finding | None:
    """Look for regular steps: of all signatures, of one network, of one small mail domain; in an hour, six, a day."""
    for stretch in _STRETCHES:
        rows = [each for each in seen if each.confirmed_at > now - stretch]
        for name, found in (
            *((None, each) for each in _all_and(rows, lambda each: each.network)),
            *(
                ("domain", each)
                for each in _groups_of(rows, lambda each: None if each.domain in large else each.domain)
            ),
        ):
            mark, group = found
            moments = sorted(moment(each) for each in group)
            if is_regular(moments):
                of: dict[str, Any] = {} if mark is None else {name or "network": mark}
                gap = (moments[-1] - moments[0]).total_seconds() / (len(moments) - 1)
                return Finding(kind, len(group), len(rows), replace(_around(group), **of), {"seconds": round(gap)})
    return None


def _find_share(kind: Kind, rows: Sequence[Seen], signal: str, bar: tuple[int, float]) -> Finding | None:
    with_signal = [each for each in rows if signal in each.signals]
    if not _is_share(len(with_signal), len(rows), bar):
        return None
    return Finding(kind, len(with_signal), len(rows), replace(_around(with_signal), signal=signal))


def _find_script(hour: Sequence[Seen]) -> Finding | None:
    opened = [each for each in hour if each.script is not None]
    for script, count in Counter(each.script for each in opened if each.script not in USUAL_SCRIPTS).most_common(1):
        if _is_share(count, len(opened), (SCRIPT_BAR, SCRIPT_SHARE)):
            rows = [each for each in opened if each.script == script]
            return Finding("script", count, len(opened), _around(rows), {"script": script})
    return None


def _find_same_name(seen: Sequence[Seen]) -> Finding | None:
    groups = _groups(seen, lambda each: each.name)
    rows = max(groups.values(), key=len, default=[])
    if not _is_share(len(rows), len(seen), (SAME_NAME_BAR, SAME_NAME_SHARE)):
        return None
    return Finding("same_name", len(rows), len(seen), _around(rows))


def _is_share(count: int, total: int, bar: tuple[int, float]) -> bool:
    least, share = bar
    return total >= SHARES_FROM and count >= least and count >= share * total


def _of_groups(
    kind: Literal["address", "network", "domain"], groups: Mapping[bytes, list[Seen]], total: int
) -> Finding | None:
    if not groups:
        return None
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    mark, rows = ordered[0]
    named = [[each.hex(), len(of)] for each, of in ordered[:GROUPS]]
    everything = [each for _, of in ordered for each in of]
    largest: dict[str, Any] = {kind: mark.hex()}
    more = {"groups": named, "of_groups": len(ordered), "in_groups": len(everything)}
    return Finding(kind, len(rows), total, replace(_around(everything), **largest), more)


def _groups(rows: Iterable[Seen], key: Callable[[Seen], bytes | None]) -> dict[bytes, list[Seen]]:
    found: defaultdict[bytes, list[Seen]] = defaultdict(list)
    for each in rows:
        mark = key(each)
        if mark is not None:
            found[mark].append(each)
    return found


def _groups_of(rows: Iterable[Seen], key: Callable[[Seen], bytes | None]) -> list[tuple[str, list[Seen]]]:
    return [(mark.hex(), of) for mark, of in _groups(rows, key).items() if len(of) > STEPS_BAR]


def _all_and(rows: Sequence[Seen], key: Callable[[Seen], bytes | None]) -> list[tuple[str | None, Sequence[Seen]]]:
    """Return all of them, and each group that is large enough, with its mark."""
    return [(None, rows), *_groups_of(rows, key)]


def _around(rows: Sequence[Seen]) -> Conditions:
    moments = [each.confirmed_at for each in rows]
    return Conditions(confirmed_from=min(moments), confirmed_to=max(moments) + _INSTANT)
