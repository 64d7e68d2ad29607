"""Letters to accounts: signing in, and what changed about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {}
