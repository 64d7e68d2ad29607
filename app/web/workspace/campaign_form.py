"""What forms say that start a campaign or set it up: cleaned and typed, or what is wrong, field by field."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from app.actions.settings import Closing, SetAddressee, SetThreshold
from app.i18n import LOCALES, message, say
from app.rules import normalise
from app.rules.campaign_file import MAX_LINE, MAX_NAME, MAX_SIGNATURES
from app.rules.eligibility import who_can_sign
from app.rules.khmer import to_latin_digits
from app.rules.moves import COMMONS_DAYS
from app.rules.normalise import Refused
from app.rules.places import COMMON_COUNTRIES, COUNTRIES, country_name, list_countries
from app.rules.starting import PRESETS
from app.web.reasons import read_day

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from app.i18n import Locale, Message
    from app.rules.eligibility import Rule
    from app.web.forms import Form

#: Fields that come as often as boxes are ticked.
REPEATED: Final = frozenset({"countries", "promised", "asks", "locales"})
UNION: Final = "EU"
Group = tuple[str, tuple[tuple[str, str], ...]]


class Reading:
    """One pass over a form, collecting what is wrong in the order of the page."""

    def __init__(self, form: Form) -> None:
        """Start without faults."""
        self.form = form
        self.errors: dict[str, Message] = {}

    def clean(self, name: str, clean: Callable[[str], str]) -> str:
        """Return a field as ``clean`` leaves it, empty where it refuses it."""
        try:
            return clean(self.form.text(name))
        except Refused as refusal:
            self.errors[name] = refusal.message
            return ""

    def line(self, name: str, limit: int, missing: Message | None = None) -> str:
        """Return one line; ``missing`` is what an empty one is told."""
        text = self.clean(name, lambda raw: normalise.clean_line(raw, limit=limit))
        if not text and missing is not None and name not in self.errors:
            self.errors[name] = missing
        return text

    def choice(self, name: str, choices: Collection[str], missing: Message) -> str:
        """Return one of ``choices``, empty where it is none."""
        chosen = self.form.text(name)
        if chosen in choices:
            return chosen
        self.errors[name] = missing
        return ""

    def by_locale(self, prefix: str, limit: int) -> dict[str, str]:
        """Return the languages of a field that is there in three that say something."""
        found = {locale: self.line(f"{prefix}_{locale}", limit) for locale in LOCALES}
        return {locale: text for locale, text in found.items() if text}

    def locales(self, name: str) -> tuple[str, ...]:
        """Return the languages that were ticked."""
        ticked = self.form.texts(name)
        return tuple(locale for locale in LOCALES if locale in ticked)

    def promised(self, source_locale: str) -> tuple[str, ...]:
        """Return the languages that are promised; the one it is written in is always among them."""
        ticked = self.locales("promised")
        return tuple(locale for locale in LOCALES if locale in ticked or locale == source_locale)

    def number(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number, None for none; digits in any script, and the signs that part thousands."""
        typed = to_latin_digits(self.form.text(name)).translate(_BETWEEN_DIGITS).strip()
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and len(typed) <= len(str(most)) and least <= int(typed) <= most:
            return int(typed)
        self.errors[name] = message("Enter a whole number from %(least)s to %(most)s", least=least, most=most)
        return None

    def day(self, name: str) -> date | None:
        """Return a day as date fields send it, whatever the script of its digits."""
        day = read_day(self.form.text(name))
        if day is None:
            self.errors[name] = message("Enter the date as year-month-day, such as 2027-03-31")
        return day

    def addressee(self) -> SetAddressee | None:
        """Return whom a campaign speaks to."""
        names = self.by_locale("addressee", MAX_NAME)
        if not names and not any(name.startswith("addressee_") for name in self.errors):
            self.errors["addressee_en"] = message("Enter the addressee’s name in at least one language")
        country = self.form.text("addressee_country")
        if country not in COUNTRIES and country != UNION:
            self.errors["addressee_country"] = message("Choose the country where the addressee is")
            return None
        return SetAddressee(names, country) if names else None

    def threshold(self) -> SetThreshold | None:
        """Return a number with its promise; None where neither was given."""
        number = self.number("signatures", 1, MAX_SIGNATURES)
        labels = self.by_locale("label", MAX_LINE)
        if number is None and labels and "signatures" not in self.errors:
            self.errors["signatures"] = message("Enter the number of signatures for which you promise this")
        if number is not None and not labels and not any(name.startswith("label_") for name in self.errors):
            self.errors["label_en"] = message("Say in at least one language what is promised at this number")
        return None if number is None else SetThreshold(number, labels)

    def rule(self) -> Rule | None:
        """Return who may sign, as one of the rules that most campaigns have."""
        chosen = self.form.text("who")
        if chosen not in PRESETS:
            self.errors["who"] = message("Choose who may sign")
            return None
        preset = PRESETS[chosen]
        if not preset.has_countries:
            return preset.make(())
        ticked = [*self.form.texts("countries"), self.form.text("country_more")]
        countries = tuple(dict.fromkeys(country for country in ticked if country in COUNTRIES))
        if not countries:
            self.errors["countries"] = message("Choose at least one country")
            return None
        return preset.make(countries)

    def closing(self, zone: str, now: datetime, opens_on: date | None = None) -> Closing | None:
        """Return when signing ends: not before today, nor before it begins."""
        chosen = self.form.text("closing")
        if chosen == "none":
            return Closing()
        if chosen in {str(days) for days in COMMONS_DAYS}:
            return Closing(days=int(chosen))
        if chosen != "date":
            self.errors["closing"] = message("Choose when signing ends")
            return None
        day = self.day("closes_on")
        earliest = max(now.astimezone(ZoneInfo(zone)).date(), opens_on or date.min)
        if day is not None and not earliest <= day <= _LAST_DAY:
            self.errors["closes_on"] = message("Choose a closing date that is still to come")
        return Closing(day=day)


#: What people put between thousands: spaces, commas, full stops, apostrophes.
_BETWEEN_DIGITS: Final = str.maketrans(dict.fromkeys(" \u00a0\u202f,.'’"))
_LAST_DAY: Final = date(2199, 12, 31)


def preset_sentences(locale: Locale) -> dict[str, str]:
    """Return who may sign by each plain rule, in words; the one that takes countries is said by the page."""
    return {name: who_can_sign(preset.make(()), locale) for name, preset in PRESETS.items() if not preset.has_countries}


def country_groups(locale: Locale, *, with_union: bool = False) -> tuple[Group, ...]:
    """Return the likely countries and then all of them; a parliament may be the European Union's."""
    likely = common_countries(locale)
    if with_union:
        likely += ((UNION, country_name(UNION, locale)),)
    return ((say(locale, "Often chosen"), likely), (say(locale, "All countries"), list_countries(locale)))


def common_countries(locale: Locale) -> tuple[tuple[str, str], ...]:
    """Return the likely countries by code, with their names."""
    return tuple((code, country_name(code, locale)) for code in COMMON_COUNTRIES)


def repeated_of(form: Form) -> dict[str, list[str]]:
    """Return what was ticked, to tick it again; countries that are none are left out."""
    ticked = {name: form.texts(name) for name in REPEATED}
    return {**ticked, "countries": [country for country in ticked["countries"] if country in COUNTRIES]}


def say_errors(errors: Mapping[str, Message], locale: Locale) -> dict[str, str]:
    """Return what is wrong, in words."""
    return {name: each.say(locale) for name, each in errors.items()}
