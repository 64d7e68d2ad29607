"""The page of a campaign, worked out for one language and one moment: what its readers see, and who writes it previews.

Doors know nothing of each other; what two of them say of a campaign stands here.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.i18n import say
from app.rules.eligibility import claim_label, claims_of, who_can_sign
from app.rules.letters import arrange, shorten
from app.rules.life import closing_after, days_left, is_signing_open, last_day, local_day, state_by_dates
from app.rules.organisations import KINDS
from app.rules.places import (
    COMMON_COUNTRIES,
    SUBDIVISIONS,
    country_name,
    list_countries,
    list_subdivisions,
)
from app.rules.texts import localise
from app.web.districts import NO_DISTRICTS
from app.web.marks import form_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from app.i18n import Locale
    from app.queries.campaigns import Campaign, CampaignCard, Endorsement
    from app.rules.districts import ProvinceGroup
    from app.rules.letters import Group
    from app.web.districts import Districts
    from app.web.house import House

#: Organisations that a page lists under its text, and as many under an earlier one; the others have pages of their own.
MOST_LISTED: Final = 200
#: What the form sends for a country that has no list of provinces here.
ELSEWHERE: Final = "elsewhere"
Options = tuple[str, tuple[tuple[str, str], ...]]


def campaign_context(
    house: House,
    campaign: Campaign,
    locale: Locale,
    now: datetime,
    *,
    has_form: bool,
    present: int | None = None,
    wants_proof: bool = False,
    is_paused: bool = False,
    districts: Districts = NO_DISTRICTS,
) -> dict[str, Any]:
    """Return what ``public/campaign.html`` shows.

    ``present`` is how many signatures are for the present text, where it once changed in substance; ``wants_proof``,
    that forms are to bring a proof of work for the time being; ``is_paused``, that nobody can sign for the time being;
    ``districts``, the federal districts that the form asks about.
    """
    form = None
    if has_form:
        made = form_mark(house.keyring, campaign.id, now)
        form = signing_form(campaign, locale, made=made, wants_proof=wants_proof, districts=districts)
    return {
        "campaign": campaign,
        "text": localise(campaign.texts, locale, campaign.source_locale),
        "who_can_sign": who_can_sign(campaign.rule, locale),
        "status": status_of(campaign, now, is_paused=is_paused),
        "form": form,
        "present": present,
        **dates_of(campaign, now),
        **sharing(house, campaign, locale),
        **signatories_of(campaign, locale),
    }


def signatories_of(campaign: Campaign, locale: Locale) -> dict[str, Any]:
    """Return the organisations under the present text in groups, as its team chose, and those under an earlier one.

    With each, how many there are beyond those that a page lists. ``headings`` are what stands over a group, by a
    country's code or a kind's word.
    """
    head = campaign.letterhead
    countries = {each.country: country_name(each.country, locale) for each in campaign.endorsements if each.country}

    def place(*, is_present: bool) -> tuple[tuple[Group[Endorsement], ...], int]:
        groups = arrange(
            [each for each in campaign.endorsements if each.is_present is is_present],
            arrangement=head.arrangement,
            is_numbered=head.is_numbered and is_present,
            locale=locale,
            country_names=countries,
        )
        return shorten(groups, MOST_LISTED)

    headings = {**{word: kind.say(locale) for word, kind in KINDS.items()}, **countries, "": say(locale, "Others")}
    return {
        "signatories": place(is_present=True),
        "earlier_signatories": place(is_present=False),
        "headings": headings,
    }


def is_signable(campaign: Campaign, now: datetime) -> bool:
    """Tell whether people can sign at ``now``, as far as the campaign goes."""
    return campaign.takes_individuals and is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, now)


def status_of(campaign: Campaign, now: datetime, *, is_paused: bool = False) -> str:
    """Return what the page says of signing: open, paused, scheduled, closed, stopped, or organisations."""
    if campaign.state == "stopped":
        return "stopped"
    if not campaign.takes_individuals:
        return "organisations"
    if campaign.state in {"scheduled", "open"}:
        by_dates = state_by_dates(campaign.opens_at, campaign.closes_at, now)
        return "paused" if by_dates == "open" and is_paused else by_dates
    return "closed"


def dates_of(campaign: Campaign | CampaignCard, now: datetime) -> dict[str, Any]:
    """Return last_day, days_left and opens_day, in the campaign's zone; and whether it closes in the middle of a day.

    That is so where the date moved by a pause.
    """
    closes_at = campaign.closes_at
    return {
        "closes_midday": closes_at is not None and closes_at != closing_after(closes_at, -1, campaign.timezone),
        "last_day": None if closes_at is None else last_day(closes_at, campaign.timezone),
        "days_left": None if closes_at is None else days_left(closes_at, campaign.timezone, now),
        "opens_day": None if campaign.opens_at is None else local_day(campaign.opens_at, campaign.timezone),
    }


def sharing(house: House, campaign: Campaign, locale: Locale) -> dict[str, Any]:
    """Return the short link and where its QR code is."""
    return {
        "share_url": f"{house.settings.base_url}/c/{campaign.slug}",
        "qr_path": f"/{locale}/campaigns/{campaign.slug}/qr.svg",
    }


def draw_qr_code(house: House, slug: str) -> bytes:
    """Return the QR code of the short link, as an SVG image."""
    # Imported here: few pages draw.
    import segno

    drawing = io.BytesIO()
    url = f"{house.settings.base_url}/c/{slug}"
    segno.make_qr(url, error="m").save(drawing, kind="svg", scale=4, border=4, xmldecl=False, svgns=True)
    return drawing.getvalue()


@dataclass(frozen=True, slots=True)
class SigningForm:
    """The signing form with what was typed and what is wrong with it, and the marks that it sends back."""

    values: Mapping[str, str]
    claims: tuple[tuple[str, str, bool], ...]
    errors: tuple[tuple[str, str], ...]
    asks: frozenset[str]
    countries: tuple[Options, ...]
    subdivisions: tuple[Options, ...]
    asks_district: bool
    districts: tuple[ProvinceGroup, ...]
    edition: str
    made: str
    via: str = ""
    checked: str = ""
    waited: str = ""
    wants_proof: bool = False

    def error_for(self, field: str) -> str | None:
        """Return what is wrong with a field, or None."""
        return next((text for name, text in self.errors if name == field), None)


def signing_form(
    campaign: Campaign,
    locale: Locale,
    *,
    made: str,
    values: Mapping[str, str] | None = None,
    claims: Sequence[str] = (),
    errors: Sequence[tuple[str, str]] = (),
    edition: str | None = None,
    via: str = "",
    checked: str = "",
    waited: str = "",
    wants_proof: bool = False,
    districts: Districts = NO_DISTRICTS,
) -> SigningForm:
    """Return the form of a campaign, empty or with what was typed, under the text of which ``edition`` is the hash.

    ``made`` and ``waited`` are marks (``app/web/marks.py``); ``checked``, what its signer was asked to look at again.
    """
    return SigningForm(
        values=values or {},
        claims=tuple((claim, claim_label(claim, locale), claim in claims) for claim in claims_of(campaign.rule)),
        errors=tuple(errors),
        asks=campaign.asks,
        countries=country_groups(locale),
        subdivisions=subdivision_groups(locale),
        asks_district=bool(districts.by_code),
        districts=districts.offered(values or {}, locale),
        edition=edition or campaign.edition_hash,
        made=made,
        via=via,
        checked=checked,
        waited=waited,
        wants_proof=wants_proof,
    )


def country_groups(locale: Locale) -> tuple[Options, ...]:
    """Return the likely countries and then all of them."""
    likely = tuple((code, country_name(code, locale)) for code in COMMON_COUNTRIES)
    return ((say(locale, "Often chosen"), likely), (say(locale, "All countries"), list_countries(locale)))


def subdivision_groups(locale: Locale) -> tuple[Options, ...]:
    """Return one list in groups by country, so that it needs no script."""
    groups = tuple((country_name(country, locale), list_subdivisions(country, locale)) for country in SUBDIVISIONS)
    return (*groups, (say(locale, "Elsewhere"), ((ELSEWHERE, say(locale, "My country is not in this list")),)))
