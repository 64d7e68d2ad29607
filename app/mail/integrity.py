"""Letters about integrity: alarms to moderators, appeals, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {}
