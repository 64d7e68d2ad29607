"""Organisations: what kinds there are, and what shows that a mailbox is theirs."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What an organisation can say that it is, in the order of the form.
KINDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "ngo": message("Non-governmental organisation"),
        "community": message("Community association"),
        "union": message("Trade union"),
        "religious": message("Religious organisation"),
        "network": message("Network or coalition"),
        "academic": message("School or university"),
        "media": message("Media"),
        "party": message("Political party"),
        "business": message("Business"),
        "other": message("Another kind of organisation"),
    }
)
