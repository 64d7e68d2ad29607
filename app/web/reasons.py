"""What people type beside a decision: a reason of some lines, a line, a day."""

from __future__ import annotations

from datetime import date
from typing import Final

from app.i18n import Message, message
from app.rules.khmer import to_latin_digits
from app.rules.normalise import Refused, clean_line

REASON_LIMIT: Final = 2000
LINE_LIMIT: Final = 200
_MOST_LINES: Final = 100


def read_reason(typed: str, *, is_required: bool) -> str:
    """Return a reason in its lines, cleaned. Raises Refused where it is too long, or missing."""
    lines = typed.strip().splitlines()
    if is_required and not lines:
        raise Refused(message("Write the reason"))
    if len(lines) > _MOST_LINES:
        raise Refused(_too_long(REASON_LIMIT))
    reason = "\n".join(clean_line(line, limit=REASON_LIMIT) for line in lines)
    if len(reason) > REASON_LIMIT:
        raise Refused(_too_long(REASON_LIMIT))
    return reason


def read_line(typed: str, missing: Message | None = None) -> str:
    """Return a line, cleaned. Raises Refused where it is too long, or ``missing``."""
    line = clean_line(typed, limit=LINE_LIMIT)
    if not line and missing is not None:
        raise Refused(missing)
    return line


def read_day(typed: str) -> date | None:
    """Return a day as date fields send it (2026-03-01), whatever the script of its digits, or None."""
    try:
        return date.fromisoformat(to_latin_digits(typed).strip())
    except ValueError:
        return None


def _too_long(limit: int) -> Message:
    return message("Shorten this to %(limit)s characters or fewer", limit=limit)
