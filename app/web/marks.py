"""Marks in public forms: when a form was made, and since when somebody waits. They say nothing of who it is.

A page is the same for everyone in its minute, so a form's mark is too. Both are bound to the campaign, and neither can
be made without the key; that somebody takes one from a page and uses it often is what limits are for.
"""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from app.core.keys import keyed_hash

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.keys import Keyring

#: How long somebody without a proof of work waits before a second press is taken, and until when.
SHORTEST_WAIT: Final = timedelta(seconds=8)
LONGEST_WAIT: Final = timedelta(minutes=30)
_MARK: Final = re.compile(r"([0-9]{1,11})\.([0-9a-f]{16})")
_MINUTE: Final = 60


def form_mark(keyring: Keyring, campaign_id: UUID, now: datetime) -> str:
    """Return the mark of a form that is made now, the same for a whole minute."""
    return _mark(keyring, "made", campaign_id, int(now.timestamp()) // _MINUTE)


def read_form_mark(keyring: Keyring, campaign_id: UUID, mark: str) -> datetime | None:
    """Return the beginning of the minute in which a form was made; None where the mark is missing or not ours."""
    minutes = _number(keyring, "made", campaign_id, mark)
    return None if minutes is None else datetime.fromtimestamp(minutes * _MINUTE, UTC)


def wait_mark(keyring: Keyring, campaign_id: UUID, now: datetime) -> str:
    """Return the mark of somebody who was asked to wait."""
    return _mark(keyring, "wait", campaign_id, int(now.timestamp()))


def has_waited(keyring: Keyring, campaign_id: UUID, mark: str, now: datetime) -> bool:
    """Tell whether a mark says that somebody was asked to wait, and did."""
    seconds = _number(keyring, "wait", campaign_id, mark)
    return seconds is not None and SHORTEST_WAIT <= now - datetime.fromtimestamp(seconds, UTC) <= LONGEST_WAIT


def is_waiting(keyring: Keyring, campaign_id: UUID, mark: str, now: datetime) -> bool:
    """Tell whether a mark says that somebody was asked to wait, and may still."""
    seconds = _number(keyring, "wait", campaign_id, mark)
    return seconds is not None and now - datetime.fromtimestamp(seconds, UTC) <= LONGEST_WAIT


def _mark(keyring: Keyring, purpose: str, campaign_id: UUID, number: int) -> str:
    hashed = keyed_hash(keyring.marks, purpose.encode(), campaign_id.bytes, str(number).encode())
    return f"{number}.{hashed.hex()[:16]}"


def _number(keyring: Keyring, purpose: str, campaign_id: UUID, mark: str) -> int | None:
    read = _MARK.fullmatch(mark)
    if read is None:
        return None
    number = int(read[1])
    return number if hmac.compare_digest(_mark(keyring, purpose, campaign_id, number), mark) else None
