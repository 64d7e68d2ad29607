"""The cases that docs/eligibility.md decides, by the names that it gives them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.i18n.catalogues import LOCALES
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
    admits_nobody,
    claims_of,
    needed_claims,
    reasons_against,
    ways_to_help,
    who_can_sign,
)
from app.rules.eligibility.meaning import meaning_of
from app.rules.places import COUNTRIES
from app.rules.postal import clean_postal_code, is_elsewhere

CANADIANS = AnyOf((CitizenOf(("CA",)), PermanentResidentOf(("CA",))))
HOUSE = AnyOf((ResidentOf(("CA",)), CitizenOf(("CA",))))
OVERSEAS = AllOf((CitizenOf(("KH",)), ResidentOf(("CA", "US"))))
IN_BC = ResidentIn(("CA-BC",))


def may_sign(rule: Rule, country: str, *claims: str, part: str | None = None) -> bool:
    return not reasons_against(rule, Signer(country, part, frozenset(claims)))


def test_citizens_abroad_sign_where_the_rule_names_their_citizenship() -> None:
    assert may_sign(CANADIANS, "FR", "citizen_of:CA")
    assert may_sign(HOUSE, "FR", "citizen_of:CA")
    assert not may_sign(HOUSE, "FR")
    # Where the rule names places as well, living elsewhere is what stands against them.
    assert not may_sign(OVERSEAS, "KH", "citizen_of:KH")
    assert needed_claims(OVERSEAS, "KH") == ()
    assert needed_claims(OVERSEAS, "CA", "CA-BC") == ("citizen_of:KH",)


def test_dual_citizens_sign_with_either_citizenship() -> None:
    either = CitizenOf(("CA", "KH"))
    assert claims_of(either) == ("citizen_of:CA", "citizen_of:KH")
    assert may_sign(either, "FR", "citizen_of:KH")
    assert may_sign(either, "FR", "citizen_of:CA", "citizen_of:KH")
    assert may_sign(OVERSEAS, "CA", "citizen_of:CA", "citizen_of:KH")
    both = AllOf((CitizenOf(("CA",)), CitizenOf(("KH",))))
    assert not may_sign(both, "CA", "citizen_of:CA")
    assert may_sign(both, "CA", "citizen_of:CA", "citizen_of:KH")
    assert who_can_sign(both, "en") == "all of these: citizen of Canada; citizen of Cambodia"


def test_people_with_no_postal_code_are_never_stuck() -> None:
    assert clean_postal_code("", "FR") == ""  # no home, or a home without a code
    assert clean_postal_code("00000", "AE") == ""  # a country without codes
    # General Delivery in Ottawa, for somebody in Quebec: asked once more by the form, and taken.
    assert clean_postal_code("k1a0a6", "CA") == "K1A 0A6"
    assert is_elsewhere("K1A 0A6", "CA-QC")


def test_stateless_people_in_canada_sign_by_residence() -> None:
    assert may_sign(HOUSE, "CA", part="CA-MB")
    assert needed_claims(HOUSE, "CA") == ()
    assert may_sign(CANADIANS, "CA", "permanent_resident_of:CA")
    assert not may_sign(CANADIANS, "CA")


def test_minors_sign_where_no_age_is_asked() -> None:
    assert not any(
        claim.startswith("minimum_age") for rule in (CANADIANS, HOUSE, OVERSEAS) for claim in claims_of(rule)
    )
    grown = AllOf((MinimumAge(16), AnyOf((CANADIANS, MinimumAge(18)))))
    assert claims_of(grown) == ("citizen_of:CA", "permanent_resident_of:CA", "minimum_age:16", "minimum_age:18")
    assert may_sign(grown, "CA", "citizen_of:CA", "minimum_age:16")
    assert not may_sign(grown, "CA", "citizen_of:CA")
    assert may_sign(grown, "CA", "minimum_age:18")  # and so is 16
    assert claims_of(AllOf((MinimumAge(16), MinimumAge(18)))) == ("minimum_age:18",)


def test_people_with_two_homes_sign_from_the_one_they_give() -> None:
    assert may_sign(IN_BC, "CA", part="CA-BC")
    assert not may_sign(IN_BC, "CA", part="CA-QC")
    # Nobody gives two, so a rule that wants two admits nobody, and says so.
    two = AllOf((ResidentOf(("CA",)), ResidentOf(("KH",))))
    assert admits_nobody(two)
    assert not admits_nobody(IN_BC)
    assert who_can_sign(two, "en") == "nobody, since these conditions cannot be met together"
    assert [reason.say("en") for reason in reasons_against(two, Signer("CA", None, frozenset()))] == [
        "Nobody can sign this, since its conditions cannot be met together. Tell the organiser."
    ]
    assert [way.say("en") for way in ways_to_help(two, Signer("CA", None, frozenset()))] == [
        "Share the link with people you know.",
        "Write to the organiser: there are other ways to help.",
    ]
    assert who_can_sign(AnyOf((two, CitizenOf(("CA",)))), "en") == "citizens of Canada"


def test_all_of_it_in_the_provinces_is_not_the_country() -> None:
    part_or_whole = AnyOf((ResidentOf(("CA",)), IN_BC))
    assert who_can_sign(part_or_whole, "en") == "people living in Canada"
    mixed = AnyOf((IN_BC, ResidentOf(("US",))))
    assert who_can_sign(mixed, "en") == "people living in the United States or British Columbia"
    assert needed_claims(AllOf((IN_BC, CANADIANS)), "CA") == ("citizen_of:CA", "permanent_resident_of:CA")
    assert needed_claims(AllOf((IN_BC, CANADIANS)), "CA", "CA-QC") == ()
    # A subdivision of another country says nothing.
    assert needed_claims(AllOf((IN_BC, CANADIANS)), "US", "CA-BC") == ()


def test_persons_are_not_asked_what_organisations_need() -> None:
    rule = AnyOf((CitizenOf(("CA",)), AllOf((IsOrganisation(), PermanentResidentOf(("KH",))))))
    assert claims_of(rule) == ("citizen_of:CA",)
    assert claims_of(rule, is_organisation=True) == ("citizen_of:CA", "permanent_resident_of:KH")


def test_those_not_eligible_are_told_how_to_help() -> None:
    signer = Signer("FR", None, frozenset())
    listed = ways_to_help(AllOf((HOUSE, MinimumAge(18))), signer)[0].say("en")
    assert listed == (
        "Pass it on to those who can sign: people who meet all of these conditions (citizen of Canada or living in "
        "Canada; aged 18 or over)."
    )
    assert ways_to_help(Anyone(), signer) == ()
    told = [way.say("en") for way in ways_to_help(AnyOf((CANADIANS, IsOrganisation())), signer)]
    assert told == [
        "If you are allowed to sign for an organisation, that organisation can sign.",
        "Pass it on to those who can sign: citizens and permanent residents of Canada, and organisations.",
        "Share the link with people you know.",
        "Write to the organiser: there are other ways to help.",
    ]
    # Not to an organisation, not where organisations elsewhere alone may, not where they may as anybody may.
    based = AllOf((IsOrganisation(), ResidentOf(("CA",))))
    assert len(ways_to_help(based, replace(signer, is_organisation=True))) == 3
    assert len(ways_to_help(based, signer)) == 3
    assert len(ways_to_help(based, replace(signer, country="CA"))) == 4
    assert len(ways_to_help(CANADIANS, signer)) == 3


TEN = ("CA", "US", "FR", "AU", "KH", "JP", "TH", "VN", "LA", "GB")
MANY = tuple(sorted(COUNTRIES))[:23]


@pytest.mark.parametrize(
    ("tangled", "asked"),
    [
        (AllOf(tuple(AnyOf((CitizenOf((one,)), PermanentResidentOf((one, "NZ")))) for one in TEN)), 21),
        (AnyOf(tuple(AllOf((CitizenOf((a,)), PermanentResidentOf((b,)))) for a in MANY for b in MANY)), 46),
    ],
)
def test_rules_too_tangled_to_be_simplified_are_judged_and_asked_as_they_stand(tangled: Rule, asked: int) -> None:
    rule = AllOf((tangled, AnyOf((IsOrganisation(), ResidentOf(("CA",))))))
    assert meaning_of(AllOf((rule, Anyone(), rule))) == meaning_of(rule)
    assert len(claims_of(rule)) == asked
    assert needed_claims(rule, "CA") == claims_of(rule)
    everything = Signer("FR", None, frozenset(claims_of(rule)))
    assert len(reasons_against(rule, everything)) == 1
    assert len(ways_to_help(rule, everything)) == 4
    assert not reasons_against(rule, replace(everything, country="CA"))
    assert all(who_can_sign(rule, locale) for locale in LOCALES)
