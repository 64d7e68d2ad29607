"""What changed between two editions, and what a draft lacks, as pages of several doors show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.rules.drafts import LISTS
from app.rules.editions import list_changes
from app.rules.preflight import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.i18n import Locale
    from app.rules.differences import Piece
    from app.rules.editions import Lack
    from app.rules.texts import CampaignText

#: A list as a whole, by the name of its boxes.
_LISTS: Final = {attribute: names[0] for attribute, names in LISTS.values()}


@dataclass(frozen=True, slots=True)
class ShownChange:
    """One part that differs: where it is, in words, the language that it is in, and its words."""

    place: str
    locale: str
    pieces: tuple[Piece, ...]


def describe_changes(
    old: Mapping[str, CampaignText], new: Mapping[str, CampaignText], locale: Locale
) -> list[ShownChange]:
    """Return what changed, its places in the words of ``locale``."""
    return [
        ShownChange(Place(each.part, each.locale, each.number or 0).say(locale), each.locale, each.pieces)
        for each in list_changes(old, new)
    ]


def describe_lacks(lacks: Iterable[Lack], locale: Locale) -> list[str]:
    """Return where something is lacking, in the words of ``locale``."""
    return [Place(_LISTS.get(each.part, each.part), each.locale, each.number or 0).say(locale) for each in lacks]
