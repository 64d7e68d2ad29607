"""Letters that carry visitors' questions to a team, and answers back; neither shows an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {}
