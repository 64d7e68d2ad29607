"""Sheets to be signed in ink: in the form of the House of Commons, and a free one in three languages.

The House takes what its guide to petitions on paper asks for and nothing else: English or French, the whole text and at
least three signatures on the first page, subject or request on every sheet, paper of Letter, Legal or Tabloid size; no
logo, no address of a page, no note of ours. Its words are therefore given here, and are in no catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.documents.poster import UNDATED
from app.documents.sources import draw_square, name_state, read_picture
from app.documents.typesetting import TypesettingFailed, typeset
from app.i18n import LOCALES, Locale, message, say
from app.i18n.formats import format_number
from app.rendering import choose_part
from app.rules.starting import KNOWN_ADDRESSEES, TEMPLATES
from app.rules.texts import CampaignText, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

#: Paper by the name that addresses have, width and height in points; a long text takes the next larger one.
SIZES: Final[Mapping[str, tuple[float, float]]] = {
    "letter": (612, 792),
    "legal": (612, 1008),
    "tabloid": (792, 1224),
}
#: Signs that the largest paper cannot hold: nobody need lay them out to see that.
_MOST_SIGNS: Final = 25_000
#: What the template says where a text leaves no room for signatures.
_NO_ROOM: Final = "no room for signatures"
_HOUSE: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "heading": "Petition to %s",
        "heading_to": "Petition to: %s",
        "whereas": "Whereas:",
        "name": "Name (please print)",
        "signature": "Signature",
        "address": "Address",
        "address_note": "Full home address, or city and province, or province and postal code",
    },
    "fr": {
        "heading": "Pétition %s",
        "heading_to": "Pétition à l’attention de\u00a0: %s",
        "whereas": "Attendu que\u00a0:",
        "name": "Nom (en lettres moulées)",
        "signature": "Signature",
        "address": "Adresse",
        "address_note": "Adresse complète du domicile, ou ville et province, ou province et code postal",
    },
}


class NoCommonsForm(Exception):
    """There is no sheet for the House of Commons: the text is in neither of its languages, or for somebody else."""


class NoRoomForSignatures(Exception):
    """A text that fills the largest paper."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A campaign as its sheets show it. ``addressees`` are names by locale, each with its country."""

    kind: str
    texts: Mapping[str, CampaignText]
    source_locale: str
    addressees: Sequence[tuple[Mapping[str, str], str]]
    organiser: str
    url: str
    paper_return: str


def commons_locale(sheet: Sheet, locale: Locale) -> Locale:
    """Return the language of the sheet for the House of Commons, for readers of ``locale``. Raises NoCommonsForm."""
    wanted: tuple[Locale, ...] = ("fr", "en") if locale == "fr" else ("en", "fr")
    if sheet.kind == "petition" and any(country == "CA" for _, country in sheet.addressees):
        for each in wanted:
            text = sheet.texts.get(each)
            if text is not None and (text.requests or text.declaration or text.body):
                return each
    raise NoCommonsForm


def write_commons_sheet(sheet: Sheet, locale: Locale, size: str) -> dict[str, Any]:
    """Return what a sheet for the House of Commons says, as its template has it.

    Raises NoCommonsForm, and NoRoomForSignatures for a text that no paper can hold.
    """
    spoken = commons_locale(sheet, locale)
    text, words = sheet.texts[spoken], _HOUSE[spoken]
    if sum(map(len, (text.declaration, text.body, *text.recitals, *text.requests))) > _MOST_SIGNS:
        raise NoRoomForSignatures
    called = _call_addressees(sheet, spoken)
    return {
        "template": "sheet_commons.typ",
        "papers": _list_papers(size),
        "lang": spoken,
        "organiser": sheet.organiser,
        "heading": _write_heading(sheet, spoken),
        "title": _line(text.title),
        "whereas": words["whereas"],
        "recitals": list(text.recitals),
        "declaration": list(paragraphs(text.declaration))
        or [TEMPLATES["commons"].declaration[spoken] % {"addressee": called}],
        "requests": list(text.requests),
        "body": list(paragraphs(text.body)),
        "columns": [words["name"], words["signature"], words["address"]],
        "address_note": words["address_note"],
    }


def write_free_sheet(sheet: Sheet, size: str) -> dict[str, Any]:
    """Return what the sheet in three languages says, as its template has it."""
    texts = [_write_text(sheet.texts[locale], locale) for locale in LOCALES if _has_text(sheet, locale)]
    return {
        "template": "sheet_free.typ",
        "papers": _list_papers(size),
        "organiser": sheet.organiser,
        "titles": [
            {"lang": locale, "text": _line(sheet.texts[locale].title)}
            for locale in LOCALES
            if locale in sheet.texts and sheet.texts[locale].title
        ],
        "to": [_write_addressees(sheet, locale) for locale in LOCALES if sheet.addressees],
        "texts": texts,
        "columns": [
            [_spoken(locale, each.say(locale)) for locale in LOCALES]
            for each in (message("Name"), message("City and postal code"), message("Signature"))
        ],
        "notes": [{"lang": locale, "items": list(_list_notes(sheet, locale))} for locale in LOCALES],
        "return_to": [_spoken(locale, say(locale, "Bring or send this sheet to")) for locale in LOCALES],
        "paper_return": list(paragraphs(sheet.paper_return)),
        "overleaf": [_spoken(locale, say(locale, "The whole text is overleaf and at")) for locale in LOCALES if texts],
        "url": sheet.url,
        "shown_url": sheet.url.partition("://")[2],
        "brand": read_picture("brand.svg"),
        "square": draw_square(sheet.url),
        "square_says": say("en", "A code that leads to this text"),
    }


def typeset_sheet(data: Mapping[str, Any]) -> bytes:
    """Return what `write_commons_sheet` or `write_free_sheet` says as a PDF: the same bytes for the same data.

    The paper is the next larger one where the text leaves no room for signatures. Raises NoRoomForSignatures where no
    paper is large enough.
    """
    for width, height in data["papers"]:
        try:
            return typeset(data["template"], {**data, "width": width, "height": height}, made_at=UNDATED)
        except TypesettingFailed as fault:
            if _NO_ROOM not in str(fault):
                raise
    raise NoRoomForSignatures


def name_sheet(data: Mapping[str, Any]) -> str:
    """Return the state of a sheet, as the printer keeps it."""
    return name_state(data["template"], data)


def _list_papers(size: str) -> list[list[float]]:
    names = list(SIZES)
    return [list(SIZES[name]) for name in names[names.index(size) :]]


def _line(text: str) -> str:
    return " ".join(text.split())


def _spoken(locale: str, text: str) -> dict[str, str]:
    return {"lang": locale, "text": text}


# The House's form


def _find_called(names: Mapping[str, str], locale: str) -> str | None:
    """Return how a sentence calls an addressee that many campaigns have, with its article; None for any other."""
    for known in KNOWN_ADDRESSEES.values():
        if names.get("en") == known.names["en"] or names.get("fr") == known.names["fr"]:
            return known.called[locale]
    return None


def _list_canadian(sheet: Sheet) -> list[Mapping[str, str]]:
    return [names for names, country in sheet.addressees if country == "CA"]


def _call_addressees(sheet: Sheet, locale: Locale) -> str:
    found = _list_canadian(sheet)
    called = [_find_called(names, locale) or choose_part(names, locale).value for names in found]
    return (" et " if locale == "fr" else " and ").join(called)


def _write_heading(sheet: Sheet, locale: Locale) -> str:
    found = _list_canadian(sheet)
    called = _find_called(found[0], locale) if len(found) == 1 else None
    if called is None:
        names = "; ".join(choose_part(names, locale).value for names in found)
        return _HOUSE[locale]["heading_to"] % names
    if locale == "fr":
        called = f"au {called.removeprefix('le ')}" if called.startswith("le ") else f"à {called}"
    return _HOUSE[locale]["heading"] % called


# The free one


def _has_text(sheet: Sheet, locale: Locale) -> bool:
    text = sheet.texts.get(locale)
    return text is not None and bool(text.requests or text.declaration or text.body)


def _write_addressees(sheet: Sheet, locale: Locale) -> dict[str, str]:
    names = "; ".join(choose_part(names, locale, sheet.source_locale).value for names, _ in sheet.addressees)
    return _spoken(locale, say(locale, "To: %(names)s", names=names))


def _write_text(text: CampaignText, locale: Locale) -> dict[str, Any]:
    return {
        "lang": locale,
        "title": _line(text.title),
        "whereas": say(locale, "Whereas"),
        "salutation": list(paragraphs(text.salutation)),
        "recitals": list(text.recitals),
        "declaration": list(paragraphs(text.declaration)),
        "requests": [
            {"mark": f"{format_number(at, locale)}.", "text": each} for at, each in enumerate(text.requests, 1)
        ],
        "body": list(paragraphs(text.body)),
        "closing": list(paragraphs(text.closing)),
    }


def _list_notes(sheet: Sheet, locale: Locale) -> Iterator[str]:
    yield say(locale, "Sign once: here or online. Both are counted apart.")
    yield say(
        locale,
        "Whoever signs after you can read your line. If that could harm anybody, sign online: names are hidden there.",
    )
    yield say(
        locale,
        "%(organiser)s counts the sheets and hands them on. Names that were typed in for counting are then deleted.",
        organiser=sheet.organiser,
    )
    if sheet.kind == "petition" and _list_canadian(sheet):
        yield say(locale, "The House of Commons of Canada takes sheets in its own form alone, in English or French.")
