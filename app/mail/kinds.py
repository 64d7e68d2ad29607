"""Every kind of letter by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.mail import (
    accounts,
    appeals,
    crossings,
    editions,
    integrity,
    life,
    questions,
    signing,
    supporters,
    teams,
    updates,
)

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {
    **signing.KINDS,
    **crossings.KINDS,
    **accounts.KINDS,
    **teams.KINDS,
    **life.KINDS,
    **integrity.KINDS,
    **appeals.KINDS,
    **updates.KINDS,
    **editions.KINDS,
    **questions.KINDS,
    **supporters.KINDS,
}
