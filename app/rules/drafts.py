"""Drafts: a text taken apart into the boxes of the editor, and put together again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

#: Parts that a text has once, in the order in which they are read.
SINGLE_PARTS: Final = ("title", "salutation", "declaration", "body", "closing", "call_to_sign")
#: The lists of a text by the kind of their items, and the boxes of one item.
LISTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "recital": ("recitals", ("recital",)),
    "request": ("requests", ("request",)),
    "faq": ("faq", ("question", "answer")),
    "how_to_sign": ("how_to_sign", ("how_to_sign",)),
}


@dataclass(frozen=True, slots=True)
class DraftPart:
    """What one box says. ``kind`` and ``position`` are its item's, None for a part that a text has once."""

    name: str
    locale: str
    text: str
    kind: str | None = None
    position: int | None = None
    item_id: UUID | None = None


def take_apart(texts: Mapping[str, CampaignText]) -> list[DraftPart]:
    """Return every box that says something; items at the same place of their lists belong together."""
    parts = [
        DraftPart(name, locale, getattr(text, name))
        for locale, text in texts.items()
        for name in SINGLE_PARTS
        if getattr(text, name)
    ]
    for kind, (attribute, names) in LISTS.items():
        for locale, text in texts.items():
            for position, item in enumerate(getattr(text, attribute)):
                values = (item.question, item.answer) if isinstance(item, Question) else (item,)
                parts += [
                    DraftPart(name, locale, value, kind, position)
                    for name, value in zip(names, values, strict=True)
                    if value
                ]
    return parts


def put_together(parts: Iterable[DraftPart], *, is_frozen: bool = False) -> dict[str, CampaignText]:
    """Return the texts by locale; a language that says nothing is left out.

    Where it ``is_frozen``, as in an edition, a list that a language has only in part is left out of that language: half
    the requests would read as if they were all. A draft keeps what there is.
    """
    found = [part for part in parts if part.text.strip()]
    lengths = {kind: len({part.position for part in found if part.kind == kind}) for kind in LISTS}
    texts = {}
    for locale in sorted({part.locale for part in found}):
        own = [part for part in found if part.locale == locale]
        singles = {part.name: part.text for part in own if part.kind is None}
        lists: dict[str, Sequence[object]] = {}
        for kind, (attribute, names) in LISTS.items():
            items = _items(own, kind, names)
            if items and not (is_frozen and len(items) < lengths[kind]):
                lists[attribute] = items
        title = singles.pop("title", "")
        texts[locale] = CampaignText(title=title, **singles, **lists)  # type: ignore[arg-type]  # by names of its own
    return {locale: text for locale, text in texts.items() if text.title or not is_frozen}


def _items(parts: Sequence[DraftPart], kind: str, names: tuple[str, ...]) -> tuple[object, ...]:
    by_position: dict[int, dict[str, str]] = {}
    for part in parts:
        if part.kind == kind and part.position is not None:
            by_position.setdefault(part.position, {})[part.name] = part.text
    whole = [values for _, values in sorted(by_position.items()) if all(name in values for name in names)]
    if kind == "faq":
        return tuple(Question(values["question"], values["answer"]) for values in whole)
    return tuple(values[names[0]] for values in whole)
