"""The moment at which a letter is to appear, as an organiser types it: a day and a time on the campaign's clocks."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from app.rules.khmer import to_latin_digits

_TIME: Final = re.compile(r"([01]?\d|2[0-3])[:.h]([0-5]\d)(?:[:.]([0-5]\d)(?:\.0+)?)?", re.ASCII)


def read_moment(day: str, clock: str, zone: str) -> datetime | None:
    """Return the moment, in UTC, that a day (2026-03-01) and a time (17:30, or 17:30:15) name in ``zone``.

    None where either is none, and for a time that the clocks jump over. Of one that comes twice, the earlier.
    """
    match = _TIME.fullmatch(to_latin_digits(clock).strip())
    try:
        on = date.fromisoformat(to_latin_digits(day).strip())
    except ValueError:
        return None
    if match is None or not date(1970, 1, 2) <= on <= date(9999, 12, 30):
        return None
    at = time(int(match[1]), int(match[2]), int(match[3] or 0))
    local = datetime.combine(on, at, tzinfo=ZoneInfo(zone))
    moment = local.astimezone(UTC)
    return moment if moment.astimezone(ZoneInfo(zone)).time() == at else None


def write_moment(moment: datetime, zone: str) -> tuple[str, str]:
    """Return the day and the time that fields show for a moment; seconds only where there are some."""
    local = moment.astimezone(ZoneInfo(zone))
    return local.date().isoformat(), local.strftime("%H:%M:%S" if local.second else "%H:%M")
