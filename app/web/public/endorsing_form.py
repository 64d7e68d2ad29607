"""The form by which an organisation signs: what it shows, and what it says, cleaned, or everything that is wrong."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.actions.endorsing import Asked
from app.i18n import LOCALES, Message, message
from app.rules.life import state_by_dates
from app.rules.normalise import Refused, clean_email, clean_line, clean_name
from app.rules.organisations import KINDS, clean_website
from app.rules.places import COUNTRIES
from app.web.campaign_page import country_groups
from app.web.public.signing_form import VIA

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.i18n import Locale
    from app.queries.campaigns import Campaign
    from app.web.campaign_page import Options
    from app.web.forms import Form
    from app.web.house import ShelvedCampaign

NAME_LIMIT: Final = 200
ACRONYM_LIMIT: Final = 30
ROLE_LIMIT: Final = 100
BOXES: Final = ("authority", "consent")
#: Its fields, in the order of the page.
FIELDS: Final = (
    "edition", "organisation", *(f"organisation_{locale}" for locale in LOCALES), "acronym", "kind", "country",
    "website", "representative", "role", "email", *BOXES,
)  # fmt: skip
#: The states of an organisation's signature in which its own page changes something.
LIVING: Final = ("waiting", "accepted")
#: What stands before the names of its fields where they name a place on the page: another form may be there.
MARK: Final = "org-"


@dataclass(frozen=True, slots=True)
class EndorsingForm:
    """The form with what was typed and what is wrong with it. ``action`` is where it posts, after the language."""

    action: str
    edition: str
    made: str
    via: str
    values: Mapping[str, str]
    errors: tuple[tuple[str, str], ...]
    countries: tuple[Options, ...]
    kinds: tuple[tuple[str, str], ...]

    def error_for(self, field: str) -> str | None:
        """Return what is wrong with a field, or None."""
        return next((text for name, text in self.errors if name == field), None)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """What is wrong, each with the place on the page that it is about."""
        return [(MARK + name, text) for name, text in self.errors]

    @property
    def places(self) -> tuple[str, ...]:
        """Where on the page its fields are."""
        return tuple(MARK + name for name in FIELDS)


def endorse_context(
    campaign: Campaign,
    locale: Locale,
    *,
    action: str = "",
    made: str = "",
    form: Form | None = None,
    errors: Mapping[str, Message] | None = None,
    edition: str | None = None,
    via: str = "",
) -> dict[str, Any]:
    """Return what ``public/endorse_part.html`` shows: the form, empty or with what was typed.

    ``action`` is where it posts, after the language; ``edition`` the hash of the text that stands above it.
    """
    values: dict[str, str] = {}
    if form is not None:
        # A box is ticked by being there, whatever it says.
        values = form.typed() | {box: "yes" for box in BOXES if box in form}
    return {
        "endorsing": EndorsingForm(
            action=action or f"/campaigns/{campaign.slug}/endorse",
            edition=campaign.edition_hash if edition is None else edition,
            made=made,
            via=via,
            values=values,
            errors=tuple((field, error.say(locale)) for field, error in (errors or {}).items()),
            countries=country_groups(locale),
            kinds=tuple((word, kind.say(locale)) for word, kind in KINDS.items()),
        )
    }


def can_endorse(shelved: ShelvedCampaign, now: datetime) -> bool:
    """Tell whether an organisation can sign now."""
    return shelved.key is not None and endorsing_status(shelved.campaign, now) == "open"


def endorsing_status(campaign: Campaign, now: datetime, *, is_paused: bool = False) -> str:
    """Return how a campaign stands for organisations: open, paused, scheduled, closed, stopped, or individuals."""
    if campaign.state == "stopped":
        return "stopped"
    if not campaign.takes_organisations:
        return "individuals"
    if campaign.state in {"scheduled", "open"}:
        by_dates = state_by_dates(campaign.opens_at, campaign.closes_at, now)
        return "paused" if by_dates == "open" and is_paused else by_dates
    return "closed"


def read_asked(
    form: Form, campaign: Campaign, locale: Locale, *, is_text_current: bool = True, via: str = ""
) -> tuple[Asked | None, dict[str, Message]]:
    """Return what an organisation's form says, or None and what is wrong with each field, in the order of the page."""
    reading = _Reading(form)
    names: dict[str, str] = {
        each: name for each in LOCALES if (name := reading.field(f"organisation_{each}", _clean_other_name))
    }
    asked = Asked(
        organisation=reading.field("organisation", _clean_organisation),
        names=names,
        acronym=reading.field("acronym", lambda raw: clean_line(raw, limit=ACRONYM_LIMIT)),
        country=reading.country(),
        kind=reading.kind(),
        website=reading.field("website", clean_website),
        representative=reading.field("representative", clean_name),
        role=reading.field("role", _clean_role),
        email=reading.field("email", clean_email),
        locale=locale,
        source=via if VIA.fullmatch(via) else None,
    )
    if not is_text_current:
        reading.errors["edition"] = message(
            "The text has changed since you opened this page. Read it again, then sign."
        )
    if not campaign.takes_organisations:
        reading.errors["edition"] = message("Individuals sign this text. Organisations do not.")
    reading.agreements()
    faults = {name: reading.errors[name] for name in FIELDS if name in reading.errors}
    return (None, faults) if faults else (asked, {})


def read_representative(form: Form) -> tuple[tuple[str, str, str], dict[str, Message]]:
    """Return name, role and address of who is to speak for an organisation, and what is wrong with them."""
    reading = _Reading(form)
    cleaned = (
        reading.field("representative", clean_name),
        reading.field("role", _clean_role),
        reading.field("email", clean_email),
    )
    return cleaned, {name: reading.errors[name] for name in FIELDS if name in reading.errors}


class _Reading:
    """One pass over a form, collecting what is wrong."""

    def __init__(self, form: Form) -> None:
        self.errors: dict[str, Message] = {}
        self._form = form

    def field(self, name: str, clean: Callable[[str], str]) -> str:
        try:
            return clean(self._form.text(name))
        except Refused as refusal:
            self.errors[name] = refusal.message
            return ""

    def country(self) -> str:
        country = self._form.text("country").strip().upper()
        if country in COUNTRIES:
            return country
        self.errors["country"] = message("Choose the country of the organisation")
        return ""

    def kind(self) -> str | None:
        kind = self._form.text("kind")
        if kind and kind not in KINDS:
            self.errors["kind"] = message("Choose what kind of organisation it is")
        return kind if kind in KINDS else None

    def agreements(self) -> None:
        if "authority" not in self._form:
            self.errors["authority"] = message("Tick the box to say that you may sign for the organisation")
        if "consent" not in self._form:
            self.errors["consent"] = message("Tick the box to say that you have read how your details are used")


def _clean_organisation(raw: str) -> str:
    name = clean_line(raw, limit=NAME_LIMIT)
    if not _has_letters(name):
        raise Refused(message("Enter the name of the organisation"))
    return name


def _clean_other_name(raw: str) -> str:
    name = clean_line(raw, limit=NAME_LIMIT)
    if name and not _has_letters(name):
        raise Refused(message("Enter the name of the organisation in letters, or leave this empty"))
    return name


def _clean_role(raw: str) -> str:
    role = clean_line(raw, limit=ROLE_LIMIT)
    if not _has_letters(role):
        raise Refused(message("Enter your role in the organisation, such as president or director"))
    return role


def _has_letters(text: str) -> bool:
    return any(unicodedata.category(character)[0] in "LN" for character in text)
