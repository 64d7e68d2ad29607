"""Every kind of letter by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.mail import (
    accounts,
    appeals,
    checkpoints,
    crossings,
    editions,
    endorsing,
    integrity,
    life,
    offices,
    questions,
    receipts,
    signing,
    supporters,
    teams,
    updates,
)

if TYPE_CHECKING:
    from app.mail.desk import Kind

KINDS: Final[dict[str, Kind]] = {
    **signing.KINDS,
    **receipts.KINDS,
    **crossings.KINDS,
    **checkpoints.KINDS,
    **accounts.KINDS,
    **teams.KINDS,
    **life.KINDS,
    **integrity.KINDS,
    **appeals.KINDS,
    **offices.KINDS,
    **updates.KINDS,
    **editions.KINDS,
    **endorsing.KINDS,
    **questions.KINDS,
    **supporters.KINDS,
}
