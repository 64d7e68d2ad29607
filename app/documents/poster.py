"""A poster for a hall: what it is about in every language, a code for telephones, and strips to tear off.

It hangs for weeks, so no count is on it; and only the door that gives the short link is, so that it can be typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from app.documents.sources import draw_square, name_state, read_picture
from app.documents.typesetting import typeset
from app.i18n import LOCALES, message
from app.i18n.formats import format_date

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from app.i18n import Locale, Message

TEMPLATE: Final = "poster.typ"
#: Paper by the name that addresses have, width and height in points: Letter and Tabloid of ANSI, A4 of ISO.
SIZES: Final[Mapping[str, tuple[float, float]]] = {
    "letter": (612, 792),
    "a4": (595.28, 841.89),
    "tabloid": (792, 1224),
}
#: No date is in these files, so that the same text gives the same bytes; typst wants one all the same.
UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CALLS: Final[Mapping[str, Message]] = {
    "individuals": message("Scan and sign"),
    "organisations": message("Scan and read"),
}


@dataclass(frozen=True, slots=True)
class Poster:
    """A campaign as its poster shows it. ``url`` is the short link, ``last_day`` the last one on which people sign."""

    titles: Mapping[str, str]
    organiser: str
    url: str
    last_day: date | None
    takes_individuals: bool


def write_poster(poster: Poster, size: str) -> dict[str, Any]:
    """Return what a poster says in all languages, on paper of one of `SIZES`, as its template has it."""
    width, height = SIZES[size]
    call = _CALLS["individuals" if poster.takes_individuals else "organisations"]
    return {
        "width": width,
        "height": height,
        "titles": [
            {"lang": locale, "text": " ".join(poster.titles[locale].split())}
            for locale in LOCALES
            if poster.titles.get(locale)
        ],
        "calls": [{"lang": locale, "text": call.say(locale)} for locale in LOCALES],
        "notes": [{"lang": locale, "text": " ".join(_list_notes(poster, locale))} for locale in LOCALES],
        "organiser": poster.organiser,
        "url": poster.url,
        "shown_url": poster.url.partition("://")[2],
        "brand": read_picture("brand.svg"),
        "square": draw_square(poster.url),
        "square_says": message("A code that leads to this text").say("en"),
    }


def typeset_poster(data: Mapping[str, Any]) -> bytes:
    """Return what `write_poster` says as a PDF: the same bytes for the same data."""
    return typeset(TEMPLATE, data, made_at=UNDATED)


def name_poster(data: Mapping[str, Any]) -> str:
    """Return the state of a poster, as the printer keeps it."""
    return name_state(TEMPLATE, data)


def _list_notes(poster: Poster, locale: Locale) -> list[str]:
    notes = []
    if poster.last_day is not None:
        notes.append(message("Until %(date)s.", date=format_date(poster.last_day, locale)).say(locale))
    if poster.takes_individuals:
        notes.append(message("No e-mail address? Ask for a sheet of paper.").say(locale))
    return notes
