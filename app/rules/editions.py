"""Editions: how long a superseded one still binds, what changed from one to the next, and what must stay complete."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from app.i18n import LOCALES
from app.rules.differences import Piece, compare_words
from app.rules.drafts import LISTS
from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

#: A page may have been read for so long when its form is sent (architecture.md, "Settled beforehand").
BINDS_FOR: Final = timedelta(hours=1)
_ATTRIBUTES: Final = tuple(one.name for one in fields(CampaignText))
#: The boxes of each list's items, by the list's name.
_NAMES: Final = dict(LISTS.values())


@dataclass(frozen=True, slots=True)
class EditionLine:
    """What deciding about an edition takes; its texts are not needed."""

    id: UUID
    number: int
    hash: str
    superseded_at: datetime | None
    is_substantive: bool


def find_binding(lines: Sequence[EditionLine], shown: str, now: datetime) -> EditionLine | None:
    """Return the edition that a form binds to, which names the hash that was ``shown``, or None.

    ``lines`` are all of a campaign's in their order. The current one binds; one that was superseded binds for an hour,
    unless the substance has changed since. Texts that come back under another number are the newest of that hash.
    """
    found = next((line for line in reversed(lines) if line.hash == shown), None)
    if found is None or found.superseded_at is None:
        return found
    is_substance_later = any(line.is_substantive for line in lines if line.number > found.number)
    return None if is_substance_later or now - found.superseded_at >= BINDS_FOR else found


@dataclass(frozen=True, slots=True)
class Change:
    """One part that differs, in one language. ``number`` is its place in its list, from 1; None for single parts."""

    part: str
    number: int | None
    locale: str
    pieces: tuple[Piece, ...]


def list_changes(old: Mapping[str, CampaignText], new: Mapping[str, CampaignText]) -> tuple[Change, ...]:
    """Return what differs between two editions, part by part in the order of reading and language by language."""
    locales = sorted({*old, *new}, key=LOCALES.index)
    nothing = CampaignText(title="")
    found: list[Change] = []
    for attribute in _ATTRIBUTES:
        for locale in locales:
            before = getattr(old.get(locale, nothing), attribute)
            after = getattr(new.get(locale, nothing), attribute)
            if before != after:
                found += _changes_of(attribute, locale, before, after)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a language wants: a part or list of `CampaignText`, or one box of the editor with its ``number``."""

    locale: str
    part: str
    number: int | None = None


def list_missing(
    texts: Mapping[str, CampaignText],
    draft: Mapping[str, CampaignText],
    locales: Sequence[str],
    source_locale: str,
) -> tuple[Lack, ...]:
    """Return what each of ``locales`` lacks in the frozen ``texts``: parts that the source has, and its own lists.

    What is frozen leaves out a list that a language has only in part, so ``draft`` tells that there is one. A part that
    the source does not have is missed by nobody, but for the title, without which there is no text.
    """
    nothing = CampaignText(title="")
    source = draft.get(source_locale, nothing)
    found = []
    for locale in locales:
        own, frozen = draft.get(locale, nothing), texts.get(locale, nothing)
        wanted = [
            name
            for name in _ATTRIBUTES
            if name == "title" or getattr(source, name) or (name in _NAMES and getattr(own, name))
        ]
        found += [Lack(locale, name) for name in wanted if not getattr(frozen, name)]
    return tuple(found)


def _changes_of(attribute: str, locale: str, before: object, after: object) -> Iterator[Change]:
    if isinstance(before, str) and isinstance(after, str):
        yield Change(attribute, None, locale, compare_words(before, after))
        return
    assert isinstance(before, tuple)  # noqa: S101 - every part of a text is a text or a tuple
    assert isinstance(after, tuple)  # noqa: S101 - the same
    names = _NAMES[attribute]
    for number, one, other in _aligned(before, after):
        for name, was, is_now in zip(names, _values(one, len(names)), _values(other, len(names)), strict=True):
            if was != is_now:
                yield Change(name, number, locale, compare_words(was, is_now))


def _aligned(
    before: tuple[object, ...], after: tuple[object, ...]
) -> Iterator[tuple[int, object | None, object | None]]:
    """Yield the items that differ, each beside what took its place, with its number in the newer list or the older."""
    for kind, low, high, start, end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        for step, (one, other) in enumerate(zip_longest(before[low:high], after[start:end])):
            yield (low if other is None else start) + step + 1, one, other


def _values(item: object | None, boxes: int) -> tuple[str, ...]:
    if item is None:
        return ("",) * boxes
    return (item.question, item.answer) if isinstance(item, Question) else (str(item),)
