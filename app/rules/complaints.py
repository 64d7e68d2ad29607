"""What a visitor can report of a campaign, and what can come of it, as data."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of what somebody writes beside the reason.
LONGEST: Final = 2000

REASONS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "false": message("It is false or misleading"),
        "hatred": message("It spreads hatred, or threatens"),
        "private_people": message("It gives names or addresses of private people"),
        "unlawful": message("It is not lawful"),
        "impersonation": message("It pretends to come from somebody else"),
        "spam": message("It is advertising or spam"),
        "not_authorised": message("An organisation is named that did not sign, or not through somebody who may"),
        "other": message("Something else"),
    }
)
#: What somebody reports of an organisation's signature: a word that has a form of its own.
NOT_AUTHORISED: Final = "not_authorised"
OUTCOMES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "nothing": message("There is nothing to do"),
        "asked_team": message("The team was asked to change something"),
        "organisation": message("The organisation was marked as disputed, or taken out"),
        "stopped": message("The campaign was stopped"),
    }
)
