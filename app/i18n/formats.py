"""Numbers, dates and moments, as each language writes them.

Khmer prose takes Khmer digits, which CLDR does not give by default, and French as written in Quebec takes no-break
spaces. Month and city names are CLDR's; Babel's tables are read at the first date, and not at the start.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from app.i18n.catalogues import Locale, say, say_number

if TYPE_CHECKING:
    from datetime import date, datetime

NO_BREAK: Final = "\u00a0"
ZERO_WIDTH_SPACE: Final = "\u200b"
KHMER_DIGITS: Final = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
GROUP: Final[dict[Locale, str]] = {"km": ".", "en": ",", "fr": NO_BREAK}
FRENCH_VOWELS: Final = frozenset("AEIOUYÀÂÉÈÊËÎÏÔÛÜ")
# The hour from which each part of the day is said in Khmer.
KHMER_DAY_PARTS: Final = ((20, "យប់"), (17, "ល្ងាច"), (12, "រសៀល"), (4, "ព្រឹក"), (0, "យប់"))
NOON: Final = 12


def khmer_digits(text: str) -> str:
    """Return ``text`` with its Latin digits written in Khmer."""
    return text.translate(KHMER_DIGITS)


def format_number(number: int, locale: Locale) -> str:
    """Return a count: ១.២៣៤, 1,234 or 1 234 (no-break space)."""
    text = f"{number:,}".replace(",", GROUP[locale])
    return khmer_digits(text) if locale == "km" else text


def format_date(day: date, locale: Locale) -> str:
    """Return a day in full: ថ្ងៃទី២៤ ខែតុលា ឆ្នាំ២០១៨, 24 October 2018 or 24 octobre 2018."""
    month = _months(locale)[day.month]
    if locale == "km":
        return khmer_digits(f"ថ្ងៃទី{day.day} ខែ{month} ឆ្នាំ{day.year}")
    number = "1er" if locale == "fr" and day.day == 1 else str(day.day)
    return f"{number} {month} {day.year}"


def format_moment(moment: datetime, zone: str, locale: Locale) -> str:
    """Return an aware ``moment`` as the clocks of ``zone`` (an IANA name) show it, and whose clocks they are."""
    local = moment.astimezone(ZoneInfo(zone))
    return say(
        locale,
        "%(date)s, %(time)s (%(zone)s)",
        date=format_date(local, locale),
        time=_format_time(local, locale),
        zone=format_zone(zone, locale),
    )


def format_time(moment: datetime, zone: str, locale: Locale) -> str:
    """Return the time of day of an aware ``moment`` as the clocks of ``zone`` show it."""
    return _format_time(moment.astimezone(ZoneInfo(zone)), locale)


def format_days(days: int, locale: Locale) -> str:
    """Return how long is left; nought or less is the last day."""
    if days <= 0:
        return say(locale, "Last day today")
    return say_number(locale, "%(days)s day left", "%(days)s days left", days, days=format_number(days, locale))


def _format_time(local: datetime, locale: Locale) -> str:
    if locale == "fr":
        minutes = f"{NO_BREAK}{local.minute:02}" if local.minute else ""
        return f"{local.hour}{NO_BREAK}h{minutes}"
    clock = f"{(local.hour - 1) % NOON + 1}:{local.minute:02}"
    if locale == "en":
        return f"{clock} {'a.m.' if local.hour < NOON else 'p.m.'}"
    part = next(part for hour, part in KHMER_DAY_PARTS if local.hour >= hour)
    return f"ម៉ោង {khmer_digits(clock)} {part}"


def format_zone(zone: str, locale: Locale) -> str:
    """Return whose clocks those of ``zone`` are, in words: Toronto time."""
    city = _city(zone, locale)
    if city is None:
        return "UTC"
    if city[0] in FRENCH_VOWELS:
        # Not another sentence in English and Khmer, whose catalogues say both alike.
        return say(locale, "%(vowel_city)s time", vowel_city=city)
    return say(locale, "%(city)s time", city=city)


@cache
def language_name(tag: str, locale: Locale) -> str:
    """Return what a language is called, as CLDR has it; the tag itself where it has none."""
    from babel import Locale as Cldr

    names = Cldr("fr", "CA").languages if locale == "fr" else Cldr(locale).languages
    name = names.get(tag.replace("-", "_")) or names.get(tag.partition("-")[0].lower())
    return tag if name is None else name.replace(ZERO_WIDTH_SPACE, "")


@cache
def _months(locale: Locale) -> dict[int, str]:
    from babel import Locale as Cldr

    return {
        number: name.replace(ZERO_WIDTH_SPACE, "") for number, name in Cldr(locale).months["format"]["wide"].items()
    }


@cache
def _city(zone: str, locale: Locale) -> str | None:
    """Return the city that CLDR names ``zone`` for; None for Coordinated Universal Time."""
    from babel.dates import get_timezone_location

    if zone in {"UTC", "Etc/UTC", "GMT", "Etc/GMT"}:
        return None
    city = get_timezone_location(ZoneInfo(zone), locale=locale, return_city=True)
    return str(city).replace(ZERO_WIDTH_SPACE, "")
