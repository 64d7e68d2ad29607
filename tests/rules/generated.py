"""Rules and signers made up by Hypothesis, and rules judged by the letter of the format."""

from __future__ import annotations

from hypothesis import strategies as st

from app.rules.eligibility import (
    AllOf,
    AnyOf,
    Anyone,
    CitizenOf,
    IsOrganisation,
    MinimumAge,
    PermanentResidentOf,
    ResidentIn,
    ResidentOf,
    Rule,
    Signer,
)

Rules = st.SearchStrategy[Rule]
COUNTRIES = ("CA", "US", "FR", "AU", "KH", "JP")
SUBDIVISIONS = ("CA-BC", "CA-QC", "CA-NT", "US-NY", "US-OR", "AU-VIC", "FR-IDF")
AGES = (1, 16, 18, 120)


def some(places: tuple[str, ...], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(places), min_size=1, max_size=most).map(tuple)


def grouped(rules: Rules) -> Rules:
    members = st.lists(rules, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(AnyOf, members), st.builds(AllOf, members))


LEAVES: Rules = st.one_of(
    st.builds(CitizenOf, some(COUNTRIES)),
    st.builds(PermanentResidentOf, some(COUNTRIES)),
    st.builds(ResidentOf, some(COUNTRIES)),
    st.builds(ResidentIn, some(SUBDIVISIONS)),
    st.builds(MinimumAge, st.sampled_from(AGES)),
    st.just(IsOrganisation()),
    st.just(Anyone()),
)
RULES: Rules = st.recursive(LEAVES, grouped, max_leaves=8)
CLAIMS = st.one_of(
    st.builds("citizen_of:{}".format, st.sampled_from(COUNTRIES)),
    st.builds("permanent_resident_of:{}".format, st.sampled_from(COUNTRIES)),
    st.sampled_from(["minimum_age:16", "minimum_age:18", "minimum_age:120", "minimum_age:x", "", "citizen_of:"]),
)
SIGNERS = st.builds(
    Signer,
    st.sampled_from(COUNTRIES),
    st.none() | st.sampled_from(SUBDIVISIONS),
    st.frozensets(CLAIMS, max_size=4),
    is_organisation=st.booleans(),
)

# So few conditions that every signer there is can be looked at.
SMALL_LEAVES: Rules = st.sampled_from(
    [
        CitizenOf(("CA",)),
        CitizenOf(("KH",)),
        PermanentResidentOf(("CA",)),
        ResidentOf(("CA",)),
        ResidentIn(("CA-BC",)),
        MinimumAge(16),
        MinimumAge(18),
        IsOrganisation(),
    ]
)
SMALL_RULES: Rules = st.recursive(SMALL_LEAVES, grouped, max_leaves=7)
#: Likewise, with places that have one order only.
ORDERED_RULES: Rules = st.recursive(SMALL_LEAVES.filter(lambda leaf: leaf != CitizenOf(("KH",))), grouped, max_leaves=7)
SMALL_PLACES = (("FR", None), ("CA", None), ("CA", "CA-BC"))
_AGED: tuple[set[str], ...] = (set(), {"minimum_age:16"}, {"minimum_age:16", "minimum_age:18"})
#: Everybody as far as small rules can tell: where they live, what is true of them, whether they are organisations.
EVERYBODY = tuple(
    Signer(country, part, frozenset({*citizen, *khmer, *permanent, *aged}), is_organisation)
    for country, part in SMALL_PLACES
    for citizen in (set(), {"citizen_of:CA"})
    for khmer in (set(), {"citizen_of:KH"})
    for permanent in (set(), {"permanent_resident_of:CA"})
    for aged in _AGED
    for is_organisation in (False, True)
)
QUESTIONS = ("citizen_of:CA", "citizen_of:KH", "permanent_resident_of:CA", "minimum_age:16", "minimum_age:18")


def holds(rule: Rule, signer: Signer) -> bool:  # noqa: PLR0911 - one for each kind of rule
    """Judge by the letter of the format, without any of the shortcuts of the module."""
    match rule:
        case AnyOf(rules):
            return any(holds(one, signer) for one in rules)
        case AllOf(rules):
            return all(holds(one, signer) for one in rules)
        case CitizenOf(countries):
            return any(f"citizen_of:{country}" in signer.claims for country in countries)
        case PermanentResidentOf(countries):
            return any(f"permanent_resident_of:{country}" in signer.claims for country in countries)
        case ResidentOf(countries):
            return signer.country in countries
        case ResidentIn(subdivisions):
            place = signer.subdivision or ""
            return place in subdivisions and place[:2] == signer.country
        case MinimumAge(age):
            return any(f"minimum_age:{one}" in signer.claims for one in range(age, 121))
        case IsOrganisation():
            return signer.is_organisation
        case Anyone():
            return True
