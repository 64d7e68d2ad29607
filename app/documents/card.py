"""The card of a campaign, which messengers show beside its link: a title, how many have signed, and whose page it is.

It is seen as small as a thumb, and for weeks after it was drawn: few words, large, that stay true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.documents.sources import name_state, read_picture
from app.documents.typesetting import draw
from app.i18n import message, say, say_number
from app.i18n.formats import format_number
from app.rules.bands import find_mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.i18n import Locale, Message
    from app.rules.texts import Part

TEMPLATE: Final = "card.typ"
#: What a card says where no number does.
_WITHOUT_NUMBER: Final[Mapping[str, Message]] = {
    "open": message("Be among the first to sign"),
    "organisations": message("Be among the first organisations to sign"),
    "scheduled": message("Signing has not begun yet"),
    "closed": message("Signing has ended"),
    "stopped": message("This campaign was stopped"),
}
_KINDS: Final[Mapping[str, Message]] = {
    "petition": message("Petition"),
    "open_letter": message("Open letter"),
    "joint_statement": message("Joint statement"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """A campaign as its card shows it. ``status`` is scheduled, open, closed or stopped.

    ``people`` and ``organisations`` have signed; None where they cannot.
    """

    title: Part[str]
    kind: str
    reference: str | None
    status: str
    people: int | None
    organisations: int | None


def write_card(card: Card, locale: Locale) -> dict[str, Any]:
    """Return what a card says, as its template has it; all counts of one band give the same."""
    return {
        "lang": locale,
        "title": {"text": " ".join(card.title.value.split()), "lang": card.title.locale},
        "kind": " ".join(filter(None, (_KINDS[card.kind].say(locale), card.reference))),
        "lines": _tell_signed(card, locale) or [_tell_nothing(card, locale)],
        "brand": read_picture("brand.svg"),
    }


def draw_card(data: Mapping[str, Any]) -> bytes:
    """Return what `write_card` says as a PNG of 1200 by 630: the same bytes for the same data."""
    return draw(TEMPLATE, data)[0]


def name_card(data: Mapping[str, Any]) -> str:
    """Return the state of a card, as the printer keeps it."""
    return name_state(TEMPLATE, data)


def _tell_signed(card: Card, locale: Locale) -> list[str]:
    """Return who has signed; nobody is counted of a campaign that was stopped."""
    if card.status == "stopped":
        return []
    lines = []
    mark = None if card.people is None else find_mark(card.people)
    if mark is not None:
        # Translators: on a picture; the number is a round one that the count has passed.
        lines.append(say(locale, "More than %(number)s have signed", number=format_number(mark, locale)))
    if card.organisations:
        lines.append(
            say_number(
                locale,
                "%(number)s organisation has signed",
                "%(number)s organisations have signed",
                card.organisations,
                number=format_number(card.organisations, locale),
            )
        )
    return lines


def _tell_nothing(card: Card, locale: Locale) -> str:
    is_letter = card.status == "open" and card.people is None
    return _WITHOUT_NUMBER["organisations" if is_letter else card.status].say(locale)
