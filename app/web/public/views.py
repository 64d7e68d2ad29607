"""What pages show of a campaign, worked out for one language and one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from app.i18n import as_locale, say
from app.rendering import choose_part
from app.rules.eligibility import claim_label, claims_of
from app.rules.khmer import comparison_key
from app.rules.life import days_left, is_signing_open, last_day, state_by_dates
from app.rules.places import (
    COMMON_COUNTRIES,
    SUBDIVISIONS,
    country_name,
    country_of,
    list_countries,
    list_subdivisions,
)
from app.rules.texts import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from app.i18n import Locale
    from app.queries.campaigns import Campaign, CampaignCard, Threshold
    from app.web.house import House, ShelvedCampaign

#: What the form sends for a country that has no list of provinces here.
ELSEWHERE: Final = "elsewhere"
Group = tuple[str, tuple[tuple[str, str], ...]]


def locale_of(request: Request) -> Locale:
    """Return the language in the address; 404 for any other."""
    try:
        return as_locale(request.path_params["locale"])
    except ValueError:
        raise HTTPException(404) from None


def show(
    house: House, template: str, locale: Locale, path: str, *, status_code: int = 200, **context: object
) -> Response:
    """Return a page. ``path`` is its address after the language."""
    content = house.pages.render(template, locale, path=path, base_url=house.settings.base_url, **context)
    return HTMLResponse(content, status_code)


async def find_shelved(house: House, request: Request) -> ShelvedCampaign:
    """Return the campaign in the address; 404 where there is none."""
    shelved = await house.shelf.find(request.path_params["slug"])
    if shelved is None:
        raise HTTPException(404)
    return shelved


def status_of(campaign: Campaign, now: datetime) -> str:
    """Return what the page says of signing: open, scheduled, closed, stopped, or organisations."""
    if campaign.state == "stopped":
        return "stopped"
    if not campaign.takes_individuals:
        return "organisations"
    if campaign.state in {"scheduled", "open"}:
        return state_by_dates(campaign.opens_at, campaign.closes_at, now)
    return "closed"


def can_sign(shelved: ShelvedCampaign, now: datetime) -> bool:
    """Tell whether a person can sign now."""
    campaign = shelved.campaign
    return (
        shelved.key is not None
        and campaign.takes_individuals
        and is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, now)
    )


def dates_of(campaign: Campaign | CampaignCard, now: datetime) -> dict[str, Any]:
    """Return last_day, days_left and opens_day, in the campaign's zone."""
    closes_at = campaign.closes_at
    return {
        "last_day": None if closes_at is None else last_day(closes_at, campaign.timezone),
        "days_left": None if closes_at is None else days_left(closes_at, campaign.timezone, now),
        "opens_day": None if campaign.opens_at is None else _local_day(campaign.opens_at, campaign.timezone),
    }


def title_of(campaign: Campaign, locale: Locale) -> Part[str]:
    """Return the title in ``locale``, else in the language it was written in."""
    titles = {name: text.title for name, text in campaign.texts.items()}
    return choose_part(titles, locale, campaign.source_locale)


def sharing(house: House, campaign: Campaign, locale: Locale) -> dict[str, Any]:
    """Return the short link and where its QR code is."""
    return {
        "share_url": f"{house.settings.base_url}/c/{campaign.slug}",
        "qr_path": f"/{locale}/campaigns/{campaign.slug}/qr.svg",
    }


def place_name(country: str, subdivision: str | None, locale: Locale) -> str:
    """Return where somebody lives, in words."""
    parts = [subdivision_name(subdivision, locale), country_name(country, locale)]
    return ", ".join(part for part in parts if part)


def subdivision_name(subdivision: str | None, locale: Locale) -> str:
    """Return a province's or state's name, or nothing."""
    if subdivision is None:
        return ""
    return dict(list_subdivisions(country_of(subdivision), locale)).get(subdivision, subdivision)


@dataclass(frozen=True, slots=True)
class SigningForm:
    """The signing form with what was typed and what is wrong with it."""

    values: Mapping[str, str]
    claims: tuple[tuple[str, str, bool], ...]
    errors: tuple[tuple[str, str], ...]
    asks: frozenset[str]
    countries: tuple[Group, ...]
    subdivisions: tuple[Group, ...]
    edition: str
    via: str = ""

    def error_for(self, field: str) -> str | None:
        """Return what is wrong with a field, or None."""
        return next((text for name, text in self.errors if name == field), None)


def signing_form(
    campaign: Campaign,
    locale: Locale,
    *,
    values: Mapping[str, str] | None = None,
    claims: Sequence[str] = (),
    errors: Sequence[tuple[str, str]] = (),
    edition: str | None = None,
    via: str = "",
) -> SigningForm:
    """Return the form of a campaign, empty or with what was typed, under the text of which ``edition`` is the hash."""
    return SigningForm(
        values=values or {},
        claims=tuple((claim, claim_label(claim, locale), claim in claims) for claim in claims_of(campaign.rule)),
        errors=tuple(errors),
        asks=campaign.asks,
        countries=country_groups(locale),
        subdivisions=subdivision_groups(locale),
        edition=edition or campaign.edition_hash,
        via=via,
    )


def country_groups(locale: Locale) -> tuple[Group, ...]:
    """Return the likely countries and then all of them."""
    likely = tuple((code, country_name(code, locale)) for code in COMMON_COUNTRIES)
    return ((say(locale, "Often chosen"), likely), (say(locale, "All countries"), list_countries(locale)))


def subdivision_groups(locale: Locale) -> tuple[Group, ...]:
    """Return one list in groups by country, so that it needs no script."""
    groups = tuple((country_name(country, locale), list_subdivisions(country, locale)) for country in SUBDIVISIONS)
    return (*groups, (say(locale, "Elsewhere"), ((ELSEWHERE, say(locale, "My country is not in this list")),)))


@dataclass(frozen=True, slots=True)
class Card:
    """A campaign as a line of the first page."""

    slug: str
    kind: str
    state: str
    reference: str | None
    title: Part[str]
    addressees: tuple[Any, ...]
    closes_at: datetime | None
    timezone: str
    last_day: date | None
    days_left: int | None
    signatures: int
    threshold: Threshold | None
    endorsements: int
    locales: tuple[str, ...]
    takes_individuals: bool


def card_of(card: CampaignCard, locale: Locale, now: datetime) -> Card:
    """Return a campaign as the first page shows it; open or closed by its dates and not by a flag."""
    dates = dates_of(card, now)
    is_dated = card.state in {"scheduled", "open"}
    return Card(
        slug=card.slug,
        kind=card.kind,
        state=state_by_dates(card.opens_at, card.closes_at, now) if is_dated else card.state,
        reference=card.reference,
        title=choose_part(card.titles, locale, card.source_locale),
        addressees=card.addressees,
        closes_at=card.closes_at,
        timezone=card.timezone,
        last_day=dates["last_day"],
        days_left=dates["days_left"],
        signatures=card.signatures,
        threshold=card.next_threshold,
        endorsements=card.endorsements,
        locales=tuple(each for each in ("km", "en", "fr") if each in card.titles),
        takes_individuals=card.takes_individuals,
    )


def matches(card: CampaignCard, search: str) -> bool:
    """Tell whether a campaign has all words of ``search`` in its titles, number or addressees, however they are spelt.

    Khmer writes no spaces between words, so a word is looked for anywhere.
    """
    said = [*card.titles.values(), card.reference or "", card.slug]
    said += [name for addressee in card.addressees for name in addressee.names.values()]
    text = comparison_key(" ".join(said))
    return all(comparison_key(word) in text for word in search.split())


def _local_day(moment: datetime, zone: str) -> date:
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(zone)).date()
