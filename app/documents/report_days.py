"""Signatures by day as a chart and a table that fit on a page, however long the campaign."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from app.documents.blocks import Block, columns, heading, row, table
from app.i18n import Locale, say, say_number
from app.i18n.formats import format_date, format_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Days to a row: the fewest that keep the table to ``LONGEST`` rows.
PERIODS: Final = (1, 7, 28, 91, 364)
LONGEST: Final = 36


def show_days(rows: Sequence[Mapping[str, Any]], locale: Locale) -> list[Block]:
    """Return a chart and a table of ``rows`` (a day of ISO 8601 or None for all merged, and its signatures)."""
    counts = {date.fromisoformat(each["Day"]): int(each["SignatureCount"]) for each in rows if each["Day"] is not None}
    merged = sum(int(each["SignatureCount"]) for each in rows if each["Day"] is None)
    if not counts and not merged:
        return []
    period, sums = _gather(counts)
    shown = [row(format_date(day, locale), format_number(count, locale)) for day, count in sums.items() if count]
    if merged:
        shown.append(row(say(locale, "Days with too few signatures to show"), format_number(merged, locale)))
    column = say(locale, "Day")
    if period > 1:
        column = say_number(locale, "%(n)s day from", "%(n)s days from", period, n=format_number(period, locale))
    total = (say(locale, "Total"), format_number(merged + sum(sums.values()), locale))
    return [
        heading(say(locale, "By day of confirmation"), level=3),
        *_draw(sums, locale),
        table((column, say(locale, "Signatures")), shown, total=total) | {"is": "days"},
    ]


def _gather(counts: Mapping[date, int]) -> tuple[int, dict[date, int]]:
    """Return the days of a period, and the sum of each period from its first day, those without any included."""
    if not counts:
        return 1, {}
    first, last = min(counts), max(counts)
    period = next((days for days in PERIODS if _needs(counts, days) <= LONGEST), PERIODS[-1])
    sums = {first + timedelta(days): 0 for days in range(0, (last - first).days + 1, period)}
    for day, count in counts.items():
        sums[day - timedelta((day - first).days % period)] += count
    return period, sums


def _needs(counts: Mapping[date, int], period: int) -> int:
    """Return how many rows there are: none for a period without signatures."""
    return len({(day - min(counts)).days // period for day in counts})


def _draw(sums: Mapping[date, int], locale: Locale) -> list[Block]:
    if len(sums) < 2:  # noqa: PLR2004 - one bar is no chart
        return []
    highest = max(sums.values()) or 1
    days = list(sums)
    return [
        columns(
            [count / highest for count in sums.values()],
            first=format_date(days[0], locale),
            last=format_date(days[-1], locale),
            highest=format_number(highest, locale),
        )
    ]
