"""The order of names in a list, as each language's dictionaries have it: CLDR's, by ICU.

Khmer is in the order of Chuon Nath's dictionary, in which CLDR's own rules for Khmer put it; French is that of Quebec,
where accents are compared from the end of a word.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import icu

    from app.i18n.catalogues import Locale

_NAMES: Final[Mapping[Locale, str]] = {"km": "km_KH", "en": "en_CA", "fr": "fr_CA"}


def collation_key(text: str, locale: Locale) -> bytes:
    """Return what ``text`` is sorted by in a list for readers of ``locale``; equal texts alone have equal keys."""
    return bytes(_collator(locale).getSortKey(text)) + b"\x00" + text.encode("utf-8", "surrogatepass")


@cache
def _collator(locale: Locale) -> icu.Collator:
    # Imported here, so that what sorts nothing starts without it.
    import icu

    collator = icu.Collator.createInstance(icu.Locale(_NAMES[locale]))
    # Khmer signs may stand in several orders that look alike.
    collator.setAttribute(icu.UCollAttribute.NORMALIZATION_MODE, icu.UCollAttributeValue.ON)
    return collator
