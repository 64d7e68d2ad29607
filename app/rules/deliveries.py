"""The ways in which a letter reaches whom it addresses, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

WAYS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "mail": message("By post"),
        "email": message("By email"),
        "by_hand": message("Handed over"),
        "meeting": message("At a meeting"),
        "form": message("Through a form on their site"),
        "other": message("In another way"),
    }
)
