"""Appeals: what a team can appeal against, who may decide, and what granting does.

Each appeal is decided by somebody else than whoever decided first, and there is one for each refusal and each stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.rules.permissions import STAFF, StaffPermission

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of an appeal, and of the answer to it.
LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Ground:
    """A state to appeal against: the move that led there, the one that granting makes, and what deciding needs."""

    move: str
    granting: str
    needs: StaffPermission


GROUNDS: Final[Mapping[str, Ground]] = MappingProxyType(
    {
        "refused": Ground("refuse", "readmit", StaffPermission.REVIEW),
        "stopped": Ground("stop", "resume", StaffPermission.OPERATE),
    }
)


def may_decide(role: str, against: str) -> bool:
    """Tell whether somebody of the service with ``role`` may decide an appeal against a state."""
    return GROUNDS[against].needs in STAFF[role]
