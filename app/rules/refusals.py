"""Why a campaign may be refused, as data: each rule is a word that is kept, and a sentence that everybody can read."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In the order in which a moderator chooses among them. A word that was used is published for ever: none is taken away.
REFUSAL_RULES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "no_request": message("It asks for nothing that somebody could do or answer."),
        "attack": message("It attacks a person instead of asking for something."),
        "private_people": message("It names private people, or says where they can be found."),
        "hatred": message("It spreads hatred of people for who they are."),
        "violence": message("It threatens, or calls for violence."),
        "unlawful": message("It asks for something unlawful, or it would be unlawful to publish it."),
        "already_open": message("Another campaign that asks for the same is open."),
        "advertising": message("It advertises something, or collects money."),
        "impersonation": message("It pretends to come from somebody else."),
        "test": message("It is a test, or it cannot be understood."),
        "other": message("For another reason, which its team was told."),
    }
)


def say_refusal(rule: str | None) -> Message:
    """Return the sentence of a rule; of a word that is not known any more, that of all other reasons."""
    return REFUSAL_RULES.get(rule or "", REFUSAL_RULES["other"])
