"""What pages show of a campaign, worked out for one language and one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from app.i18n import as_locale
from app.rendering import choose_part
from app.rules.khmer import comparison_key
from app.rules.life import state_by_dates
from app.rules.places import country_name, country_of, list_subdivisions
from app.rules.texts import Part
from app.web import campaign_page

if TYPE_CHECKING:
    from datetime import date, datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from app.i18n import Locale
    from app.queries.campaigns import Campaign, CampaignCard, Threshold
    from app.web.house import House, ShelvedCampaign


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


def tag_of(state: str) -> str:
    """Return the ETag of a document in ``state``."""
    return f'"{state[:20]}"'


def has_already(request: Request, tag: str) -> bool:
    """Tell whether whoever asks has what ``tag`` names. Tags may come in a list, and weak from what stands between."""
    return tag in request.headers.get("if-none-match", "")


def can_sign(shelved: ShelvedCampaign, now: datetime) -> bool:
    """Tell whether a person can sign now."""
    return shelved.key is not None and campaign_page.is_signable(shelved.campaign, now)


def title_of(campaign: Campaign, locale: Locale) -> Part[str]:
    """Return the title in ``locale``, else in the language it was written in."""
    titles = {name: text.title for name, text in campaign.texts.items()}
    return choose_part(titles, locale, campaign.source_locale)


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
    dates = campaign_page.dates_of(card, now)
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
