"""Which language a visitor gets, from what the browser says and from the address."""

from __future__ import annotations

from typing import Final

from app.i18n.catalogues import LOCALES, Locale, as_locale

LONGEST_HEADER: Final = 1_000


def best_locale(accept_language: str | None, default: Locale) -> Locale:
    """Return the language of ours that an Accept-Language header (RFC 9110, 12.5.4) wants most, else ``default``.

    Only the first subtag counts, so ``fr-CA`` and ``fr_FR`` are French. Between equals the one named first wins. What
    cannot be read is passed over: a header is never a reason to fail.
    """
    best: Locale = default
    best_quality = 0.0
    for item in (accept_language or "")[:LONGEST_HEADER].split(","):
        tag, _, parameters = item.partition(";")
        quality = _quality(parameters)
        if quality <= best_quality:
            continue
        name = tag.strip().lower().replace("_", "-").partition("-")[0]
        if name == "*":
            best, best_quality = default, quality
        elif name in LOCALES:
            best, best_quality = as_locale(name), quality
    return best


def path_locale(path: str) -> Locale | None:
    """Return the language that begins ``path``, as in ``/km/about``; None where there is none."""
    name = path.removeprefix("/").partition("/")[0]
    return as_locale(name) if path.startswith("/") and name in LOCALES else None


def _quality(parameters: str) -> float:
    """Return the weight among ``parameters``: 1 where none is given, 0 where it makes no sense."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 0.0
            return quality if 0 <= quality <= 1 else 0.0
    return 1.0
