"""Asking: the shortest set of questions that decides a rule, and the words beside each."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from app.i18n.catalogues import Locale, say
from app.i18n.formats import format_number
from app.rules.eligibility.judging import AGE_CLAIM
from app.rules.eligibility.language import HIGHEST_AGE, LOWEST_AGE
from app.rules.eligibility.meaning import enough_anywhere, enough_at, leaves_of, meaning_of
from app.rules.places import COUNTRIES, country_of, in_places, of_places

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.rules.eligibility.language import Rule
    from app.rules.eligibility.meaning import Leaf


@lru_cache(maxsize=256)
def claims_of(rule: Rule, *, is_organisation: bool = False) -> tuple[str, ...]:
    """Return what a form must ask: citizenships, permanent residences, ages, each in alphabetical or rising order.

    For each of them there is somebody whose answer to it alone decides, and whoever has answered them all is decided.
    Residence is never among them: it comes from the country and subdivision that everyone gives. A person is not asked
    what only an organisation needs, nor the other way round.
    """
    return _claims(enough_anywhere(meaning_of(rule), is_organisation=is_organisation))


@lru_cache(maxsize=1024)
def needed_claims(
    rule: Rule, country: str, subdivision: str | None = None, *, is_organisation: bool = False
) -> tuple[str, ...]:
    """Return which of ``claims_of`` can still decide for somebody who lives in ``country``.

    None where the place decides already, for or against. Without a subdivision, what any part of the country may need.
    """
    meaning = meaning_of(rule)
    if subdivision is not None and country_of(subdivision) == country:
        places = {subdivision}
    else:
        named = {place for leaf in leaves_of(meaning) if leaf.kind == "living" for place in leaf.places}
        places = {country, *(place for place in named if country_of(place) == country)}
    return _claims(set().union(*(enough_at(meaning, place, is_organisation=is_organisation) for place in places)))


def _claims(leaves: Iterable[Leaf]) -> tuple[str, ...]:
    """Return the claims that conditions are declared by."""
    citizen = {f"citizen_of:{country}" for one in leaves if one.kind == "citizen" for country in one.places}
    permanent = {f"permanent_resident_of:{place}" for one in leaves if one.kind == "permanent" for place in one.places}
    ages = {one.age for one in leaves if one.kind == "age"}
    return (*sorted(citizen), *sorted(permanent), *(f"minimum_age:{age}" for age in sorted(ages)))


def claim_label(claim: str, locale: Locale) -> str:
    """Return the words beside a claim's box; ValueError for what is no claim.

    They go on from one legend, whatever the claim: "Are you:", « Avez-vous : » (and so French names what one has), and
    «តើលោកអ្នកជា៖».
    """
    key, _, value = claim.partition(":")
    if claim == "permanent_resident_of:CA":
        return say(locale, "a permanent resident of Canada")
    if key == "citizen_of" and value in COUNTRIES:
        return say(locale, "a citizen %(of_country)s", of_country=of_places([value], locale))
    if key == "permanent_resident_of" and value in COUNTRIES:
        where = in_places([value], locale) if locale == "fr" else of_places([value], locale)
        return say(locale, "a permanent resident %(of_country)s", of_country=where)
    if AGE_CLAIM.fullmatch(claim) and LOWEST_AGE <= int(value) <= HIGHEST_AGE:
        return say(locale, "aged %(age)s or over", age=format_number(int(value), locale))
    raise ValueError(claim)
