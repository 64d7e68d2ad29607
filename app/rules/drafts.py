"""Drafts: a text taken apart into the boxes of the editor, and put together again."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.i18n import LOCALES
from app.rules.campaign_file import MAX_BODY, MAX_LINE, MAX_PARAGRAPH, MAX_TITLE
from app.rules.khmer import without_invisible
from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from app.rules.differences import Piece

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


# Boxes

#: Characters that a box takes, as in a campaign file; whoever has more gets a clear answer.
LIMITS: Final[Mapping[str, int]] = {
    "title": MAX_TITLE,
    "salutation": MAX_LINE,
    "closing": MAX_LINE,
    "question": MAX_LINE,
    "body": MAX_BODY,
}
ONE_LINE: Final = frozenset({"title"})
#: The states in which a team writes. While it is in review a text stays as it was handed in.
WRITABLE_STATES: Final = frozenset({"draft", "scheduled", "open"})
#: What each kind of campaign is made of, in the order of reading; the rest is tucked away until somebody wants it.
READING: Final[Mapping[str, tuple[str, ...]]] = {
    "petition": ("title", "recital", "declaration", "request", "call_to_sign"),
    "open_letter": ("title", "salutation", "body", "closing", "call_to_sign"),
    "joint_statement": ("title", "body", "closing", "call_to_sign"),
}
_ALL: Final = (
    "title", "salutation", "recital", "declaration", "request", "body", "closing", "call_to_sign", "how_to_sign", "faq",
)  # fmt: skip
_REFUSED_MARKS: Final = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")


def clean_text(name: str, raw: str) -> str:
    """Return what was typed, fit to keep: lines end in one way, no control characters, nothing that turns text round.

    Nothing else changes: an author's spelling and zero-width spaces are the author's. A text of which nothing can be
    seen says nothing.
    """
    text = raw.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = _REFUSED_MARKS.sub("", text)
    text = "".join(each for each in text if each == "\n" or unicodedata.category(each) not in {"Cc", "Cs"})
    text = " ".join(text.split("\n")).strip() if name in ONE_LINE else text.strip()
    return text if without_invisible(text).strip() else ""


def is_behind(newest: int | None, followed: int | None, *, is_ready: bool) -> bool:
    """Tell whether the source has changed since a translation was made ready.

    ``newest`` is the source's version, None where there is none; ``followed`` the one that the translation was made
    ready against. One that was made ready before there was a source is behind it; one that never was is a draft like
    any other.
    """
    if newest is None or (followed is None and not is_ready):
        return False
    return (followed or 0) < newest


def box_key(name: str, locale: str, item_id: UUID | None) -> str:
    """Return what names a box in pages and addresses of its campaign."""
    return f"{item_id}-{name}-{locale}" if item_id else f"{name}-{locale}"


def limit_of(name: str) -> int:
    """Return how many characters a box takes."""
    return LIMITS.get(name, MAX_PARAGRAPH)


@dataclass(frozen=True, slots=True)
class Box:
    """One part in one language, as the editor shows it. ``version`` 0: nobody has written in it yet."""

    name: str
    locale: str
    text: str = ""
    is_ready: bool = False
    version: int = 0
    part_id: UUID | None = None
    item_id: UUID | None = None
    is_behind: bool = False  # the source has changed since this was made ready
    source_changes: tuple[Piece, ...] = ()  # what has changed in the source since then
    changed_at: datetime | None = None
    changed_by: str | None = None

    @property
    def state(self) -> str:
        """How it stands: missing, behind, ready or draft."""
        if not self.text.strip():
            return "missing"
        if self.is_behind:
            return "behind"
        return "ready" if self.is_ready else "draft"

    @property
    def key(self) -> str:
        """What names the box, see `box_key`."""
        return box_key(self.name, self.locale, self.item_id)


@dataclass(frozen=True, slots=True)
class Group:
    """A part in all languages, or an item of a list with all its boxes. ``number`` is its place, from 1."""

    kind: str
    item_id: UUID | None
    number: int | None
    rows: tuple[tuple[Box, ...], ...]  # one for each name, the languages side by side
    is_last: bool = False

    @property
    def boxes(self) -> tuple[Box, ...]:
        """All boxes."""
        return tuple(box for row in self.rows for box in row)

    @property
    def is_empty(self) -> bool:
        """Whether no language says anything."""
        return not any(box.text.strip() for box in self.boxes)


@dataclass(frozen=True, slots=True)
class Completeness:
    """How far a language is: boxes that are ``ready`` of ``total``, and those that want something."""

    locale: str
    total: int
    ready: int
    missing: int
    to_review: int


@dataclass(frozen=True, slots=True)
class Board:
    """A draft as the editor shows it: the groups of this kind of campaign in the order of reading, and the others."""

    groups: tuple[Group, ...]
    others: tuple[Group, ...]
    completeness: tuple[Completeness, ...]
    removed: tuple[Group, ...] = ()


def arrange_board(
    kind: str, boxes: Iterable[Box], items: Sequence[tuple[UUID, str]], removed: Sequence[tuple[UUID, str]] = ()
) -> Board:
    """Return the board of a draft. ``items`` are the ids and kinds of list items in their order."""
    found = {(box.item_id, box.name, box.locale): box for box in boxes}

    def group(part: str, item_id: UUID | None, number: int | None, *, is_last: bool = False) -> Group:
        names = LISTS[part][1] if part in LISTS else (part,)
        rows = tuple(
            tuple(found.get((item_id, name, locale), Box(name, locale, item_id=item_id)) for locale in LOCALES)
            for name in names
        )
        return Group(part, item_id, number, rows, is_last)

    groups: list[Group] = []
    others: list[Group] = []
    for part in (*READING[kind], *(name for name in _ALL if name not in READING[kind])):
        if part in LISTS:
            of_kind = [item_id for item_id, item_kind in items if item_kind == part]
            listed = [
                group(part, item_id, number, is_last=number == len(of_kind))
                for number, item_id in enumerate(of_kind, 1)
            ]
            groups += listed
            continue
        one = group(part, None, None)
        (groups if part in READING[kind] or not one.is_empty else others).append(one)
    return Board(
        groups=tuple(groups),
        others=tuple(others),
        completeness=tuple(_completeness(locale, groups) for locale in LOCALES),
        removed=tuple(group(part, item_id, None) for item_id, part in removed),
    )


def _completeness(locale: str, groups: Iterable[Group]) -> Completeness:
    """Count the boxes that some language has filled, and the title, which every text has."""
    states = [
        next(box for box in row if box.locale == locale).state
        for group in groups
        for row in group.rows
        if group.kind == "title" or any(box.text.strip() for box in row)
    ]
    return Completeness(
        locale=locale,
        total=len(states),
        ready=states.count("ready"),
        missing=states.count("missing"),
        to_review=states.count("draft") + states.count("behind"),
    )
