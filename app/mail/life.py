"""Letters about a campaign's life: supporters, sponsors, reviews, moves, new editions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {}
