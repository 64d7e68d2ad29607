"""Gettext catalogues: sentences in Khmer, English and French.

Catalogues are read from ``locales/{locale}/LC_MESSAGES/messages.po`` when first needed. There is no compiled file to go
stale: a catalogue of this size parses in some tens of milliseconds, once a process.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

if TYPE_CHECKING:
    from collections.abc import Mapping

Locale = Literal["km", "en", "fr"]
LOCALES: Final[tuple[Locale, ...]] = ("km", "en", "fr")
CATALOGUES: Final = Path(__file__).resolve().parents[2] / "locales"


def as_locale(text: str) -> Locale:
    """Return ``text`` as one of ours; ValueError for any other."""
    if text not in LOCALES:
        raise ValueError(text)
    return text


@cache
def translations(locale: Locale) -> GNUTranslations:
    """Return the catalogue of ``locale``."""
    with (CATALOGUES / locale / "LC_MESSAGES" / "messages.po").open("rb") as source:
        catalogue = read_po(source, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def say(locale: Locale, sentence: str, /, **values: object) -> str:
    """Return ``sentence`` in ``locale``, its ``%(name)s`` placeholders filled."""
    text = translations(locale).gettext(sentence)
    return text % values if values else text


def say_number(locale: Locale, one: str, many: str, number: int, /, **values: object) -> str:
    """Return the sentence that fits ``number``; ``values`` hold it as it is to be shown."""
    text = translations(locale).ngettext(one, many, number)
    return text % values if values else text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence decided in one place and spoken in another, in the language of whoever reads it."""

    sentence: str
    values: Mapping[str, object] = field(default_factory=dict)

    def say(self, locale: Locale) -> str:
        """Return the sentence in ``locale``."""
        return say(locale, self.sentence, **self.values)


def message(sentence: str, /, **values: object) -> Message:
    """Mark ``sentence`` for the catalogues and keep it for later."""
    return Message(sentence, values)
