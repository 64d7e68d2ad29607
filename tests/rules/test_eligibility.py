"""The language of rules: read, judged, asked and said in three languages."""

from __future__ import annotations

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
    RuleFault,
    Signer,
    claim_label,
    claims_of,
    parse_rule,
    reasons_against,
    who_can_sign,
)


def any_of(*rules: Rule) -> Rule:
    return AnyOf(rules)


def all_of(*rules: Rule) -> Rule:
    return AllOf(rules)


def citizen(*countries: str) -> Rule:
    return CitizenOf(countries)


def permanent(*countries: str) -> Rule:
    return PermanentResidentOf(countries)


def living(*places: str) -> Rule:
    return ResidentIn(places) if "-" in places[0] else ResidentOf(places)


ORGANISATION = IsOrganisation()


def is_eligible(rule: Rule, signer: Signer) -> bool:
    return not reasons_against(rule, signer)


# The table of shared/design/glossary.md, section 4. French there has the fine space (U+202F) before the colon and the
# semicolon; design/README.md, "Voice", has U+00A0 before the colon and none before the semicolon, and is followed.
GLOSSARY = [
    (
        any_of(citizen("CA"), permanent("CA")),
        "citizens and permanent residents of Canada",
        "personnes ayant la citoyenneté canadienne ou la résidence permanente au Canada",
        "ពលរដ្ឋកាណាដា និងអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា",
    ),
    (
        all_of(citizen("KH"), living("CA", "US")),
        "Cambodian citizens living in Canada or the United States",
        "personnes ayant la citoyenneté cambodgienne et vivant au Canada ou aux États-Unis",
        "ពលរដ្ឋកម្ពុជា ដែលរស់នៅកាណាដា ឬសហរដ្ឋអាមេរិក",
    ),
    (
        any_of(living("CA"), citizen("CA")),
        "residents of Canada, and citizens wherever they live",
        "personnes vivant au Canada, ou ayant la citoyenneté canadienne où qu’elles vivent",
        "អ្នករស់នៅកាណាដា និងពលរដ្ឋកាណាដា ទោះរស់នៅទីណាក៏ដោយ",
    ),
    (
        living("US", "FR", "AU"),
        "people living in the United States, France or Australia",
        "personnes vivant aux États-Unis, en France ou en Australie",
        "អ្នករស់នៅសហរដ្ឋអាមេរិក បារាំង ឬអូស្ត្រាលី",
    ),
    (
        living("CA-BC", "CA-AB"),
        "people living in British Columbia or Alberta",
        "personnes vivant en Colombie-Britannique ou en Alberta",
        "អ្នករស់នៅខេត្តប្រ៊ីធីសកូឡុំប៊ី ឬអាល់ប៊ើតា",
    ),
    (
        all_of(citizen("CA"), MinimumAge(18)),
        "citizens of Canada aged 18 or over",
        "personnes ayant la citoyenneté canadienne et âgées de 18 ans ou plus",
        "ពលរដ្ឋកាណាដា ដែលមានអាយុចាប់ពី ១៨ ឆ្នាំឡើងទៅ",
    ),
    (
        permanent("US", "CA"),
        "permanent residents of the United States or Canada",
        "personnes ayant la résidence permanente aux États-Unis ou au Canada",
        "អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅសហរដ្ឋអាមេរិក ឬកាណាដា",
    ),
    (
        citizen("CA", "US"),
        "citizens of Canada or the United States",
        "personnes ayant la citoyenneté canadienne ou américaine",
        "ពលរដ្ឋកាណាដា ឬសហរដ្ឋអាមេរិក",
    ),
    (ORGANISATION, "organisations", "organismes", "អង្គការ និងសមាគម"),
    (Anyone(), "anyone", "tout le monde", "អ្នកណាក៏ចុះហត្ថលេខាបាន"),
    (
        all_of(any_of(citizen("CA"), permanent("CA")), living("CA-QC")),
        "all of these: citizen or permanent resident of Canada; living in Quebec",
        (
            "toutes ces conditions\u00a0: avoir la citoyenneté canadienne ou la résidence permanente au Canada; "
            "vivre au Québec"
        ),
        "លក្ខខណ្ឌទាំងអស់នេះ៖ (១) ជាពលរដ្ឋកាណាដា ឬអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា (២) រស់នៅខេត្តកេបិច",
    ),
    (
        any_of(all_of(citizen("KH"), living("CA")), ORGANISATION),
        "Cambodian citizens living in Canada; and organisations",
        "personnes ayant la citoyenneté cambodgienne et vivant au Canada; organismes",
        "(១) ពលរដ្ឋកម្ពុជា ដែលរស់នៅកាណាដា (២) អង្គការ និងសមាគម",
    ),
]

OURS = [
    (
        any_of(citizen("CA"), permanent("CA"), living("FR"), ORGANISATION),
        "citizens and permanent residents of Canada, people living in France, and organisations",
        (
            "personnes ayant la citoyenneté canadienne ou la résidence permanente au Canada, ou vivant en France; "
            "organismes"
        ),
        "(១) ពលរដ្ឋកាណាដា អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា និងអ្នករស់នៅបារាំង (២) អង្គការ និងសមាគម",
    ),
    (
        any_of(citizen("CA"), permanent("US")),
        "citizens of Canada and permanent residents of the United States",
        "personnes ayant la citoyenneté canadienne ou la résidence permanente aux États-Unis",
        "ពលរដ្ឋកាណាដា និងអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅសហរដ្ឋអាមេរិក",
    ),
    (
        any_of(citizen("CA", "US"), living("CA", "US")),
        "citizens of Canada or the United States and people living in Canada or the United States",
        "personnes ayant la citoyenneté canadienne ou américaine, ou vivant au Canada ou aux États-Unis",
        "ពលរដ្ឋកាណាដា ឬសហរដ្ឋអាមេរិក និងអ្នករស់នៅកាណាដា ឬសហរដ្ឋអាមេរិក",
    ),
    (
        any_of(citizen("CA"), living("FR")),
        "citizens of Canada and people living in France",
        "personnes ayant la citoyenneté canadienne ou vivant en France",
        "ពលរដ្ឋកាណាដា និងអ្នករស់នៅបារាំង",
    ),
    (
        all_of(living("CA"), MinimumAge(16)),
        "people living in Canada and aged 16 or over",
        "personnes vivant au Canada et âgées de 16 ans ou plus",
        "អ្នករស់នៅកាណាដា ដែលមានអាយុចាប់ពី ១៦ ឆ្នាំឡើងទៅ",
    ),
    (
        all_of(permanent("CA"), living("CA-BC"), MinimumAge(18)),
        "permanent residents of Canada living in British Columbia and aged 18 or over",
        "personnes ayant la résidence permanente au Canada, vivant en Colombie-Britannique et âgées de 18 ans ou plus",
        "អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា ដែលរស់នៅខេត្តប្រ៊ីធីសកូឡុំប៊ី និងមានអាយុចាប់ពី ១៨ ឆ្នាំឡើងទៅ",
    ),
    (
        all_of(citizen("JP"), living("CA")),
        "citizens of Japan living in Canada",
        "personnes ayant la citoyenneté japonaise et vivant au Canada",
        "ពលរដ្ឋជប៉ុន ដែលរស់នៅកាណាដា",
    ),
    (
        all_of(ORGANISATION, living("CA")),
        "organisations based in Canada",
        "organismes établis au Canada",
        "អង្គការ និងសមាគម ដែលមានទីតាំងនៅកាណាដា",
    ),
    (
        all_of(living("CA"), any_of(ORGANISATION, citizen("CA"), permanent("CA"))),
        (
            "people who meet all of these conditions (citizen or permanent resident of Canada; living in Canada); and "
            "organisations based in Canada"
        ),
        (
            "personnes remplissant toutes ces conditions (avoir la citoyenneté canadienne ou la résidence permanente "
            "au Canada; vivre au Canada); organismes établis au Canada"
        ),
        (
            "(១) អ្នកដែលបំពេញលក្ខខណ្ឌទាំងអស់នេះ៖ (១.១) ជាពលរដ្ឋកាណាដា ឬអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា (១.២) រស់នៅកាណាដា "
            "(២) អង្គការ និងសមាគម ដែលមានទីតាំងនៅកាណាដា"
        ),
    ),
    (
        any_of(all_of(citizen("KH"), living("CA")), all_of(living("US"), citizen("KH", "FR"))),
        "French citizens living in the United States; and Cambodian citizens living in Canada or the United States",
        (
            "personnes ayant la citoyenneté française et vivant aux États-Unis; personnes ayant la citoyenneté "
            "cambodgienne et vivant au Canada ou aux États-Unis"
        ),
        "(១) ពលរដ្ឋបារាំង ដែលរស់នៅសហរដ្ឋអាមេរិក (២) ពលរដ្ឋកម្ពុជា ដែលរស់នៅកាណាដា ឬសហរដ្ឋអាមេរិក",
    ),
    (
        all_of(citizen("KH"), permanent("CA")),
        "all of these: citizen of Cambodia; permanent resident of Canada",
        "toutes ces conditions\u00a0: avoir la citoyenneté cambodgienne; avoir la résidence permanente au Canada",
        "លក្ខខណ្ឌទាំងអស់នេះ៖ (១) ជាពលរដ្ឋកម្ពុជា (២) ជាអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា",
    ),
    (
        any_of(all_of(citizen("KH"), permanent("CA")), MinimumAge(20)),
        (
            "people aged 20 or over; and people who meet all of these conditions (citizen of Cambodia; permanent "
            "resident of Canada)"
        ),
        (
            "personnes âgées de 20 ans ou plus; personnes remplissant toutes ces conditions (avoir la citoyenneté "
            "cambodgienne; avoir la résidence permanente au Canada)"
        ),
        (
            "(១) អ្នកមានអាយុចាប់ពី ២០ ឆ្នាំឡើងទៅ (២) អ្នកដែលបំពេញលក្ខខណ្ឌទាំងអស់នេះ៖ (២.១) ជាពលរដ្ឋកម្ពុជា "
            "(២.២) ជាអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា"
        ),
    ),
    (
        all_of(any_of(citizen("CA"), all_of(ORGANISATION, MinimumAge(3))), living("CA")),
        (
            "all of these: meeting one of these conditions (citizen of Canada; aged 3 or over and signing for an "
            "organisation); living in Canada"
        ),
        (
            "toutes ces conditions\u00a0: remplir l’une de ces conditions (avoir la citoyenneté canadienne; avoir 3 "
            "ans ou plus et signer au nom d’un organisme); vivre au Canada"
        ),
        (
            "លក្ខខណ្ឌទាំងអស់នេះ៖ (១) បំពេញលក្ខខណ្ឌណាមួយខាងក្រោម៖ (១.១) ជាពលរដ្ឋកាណាដា (១.២) មានអាយុចាប់ពី ៣ ឆ្នាំឡើងទៅ "
            "និងចុះហត្ថលេខាក្នុងនាមអង្គការ ឬសមាគម (២) រស់នៅកាណាដា"
        ),
    ),
    (
        any_of(all_of(any_of(citizen("CA"), all_of(permanent("CA"), MinimumAge(18))), living("FR")), ORGANISATION),
        (
            "people who meet all of these conditions (meeting one of these conditions (citizen of Canada; permanent "
            "resident of Canada and aged 18 or over); living in France); and organisations"
        ),
        (
            "personnes remplissant toutes ces conditions (remplir l’une de ces conditions (avoir la citoyenneté "
            "canadienne; avoir la résidence permanente au Canada et avoir 18 ans ou plus); vivre en France); organismes"
        ),
        (
            "(១) អ្នកដែលបំពេញលក្ខខណ្ឌទាំងអស់នេះ៖ (១.១) បំពេញលក្ខខណ្ឌណាមួយខាងក្រោម៖ (១.១.១) ជាពលរដ្ឋកាណាដា "
            "(១.១.២) ជាអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា និងមានអាយុចាប់ពី ១៨ ឆ្នាំឡើងទៅ (១.២) រស់នៅបារាំង "
            "(២) អង្គការ និងសមាគម"
        ),
    ),
]


@pytest.mark.parametrize(("rule", "en", "fr", "km"), GLOSSARY + OURS)
def test_who_can_sign(rule: Rule, en: str, fr: str, km: str) -> None:
    assert who_can_sign(rule, "en") == en
    assert who_can_sign(rule, "fr") == fr
    assert who_can_sign(rule, "km") == km


def test_who_can_sign_names_places_as_the_file_does_and_groups_as_the_language_does() -> None:
    assert who_can_sign(citizen("US", "CA"), "en") == "citizens of the United States or Canada"
    reordered = any_of(permanent("CA"), citizen("CA"))
    assert who_can_sign(reordered, "en") == "citizens and permanent residents of Canada"


@pytest.mark.parametrize(
    ("rule", "same"),
    [
        (any_of(citizen("CA"), Anyone()), Anyone()),
        (all_of(citizen("CA"), Anyone()), citizen("CA")),
        (all_of(Anyone(), Anyone()), Anyone()),
        (any_of(citizen("CA"), any_of(citizen("US"), citizen("CA"))), citizen("CA", "US")),
        (all_of(living("CA"), living("CA-BC")), living("CA-BC")),
        (any_of(living("CA-BC"), living("CA")), living("CA")),
        (any_of(MinimumAge(18), MinimumAge(16)), MinimumAge(16)),
        (all_of(MinimumAge(18), MinimumAge(16)), MinimumAge(18)),
        (all_of(citizen("CA"), citizen("US", "CA")), citizen("CA")),
        (all_of(citizen("CA", "US"), citizen("US", "CA")), citizen("CA", "US")),
        (
            any_of(all_of(citizen("CA"), MinimumAge(18)), all_of(MinimumAge(18), citizen("CA"))),
            all_of(citizen("CA"), MinimumAge(18)),
        ),
    ],
)
def test_rules_that_mean_the_same_are_said_and_asked_alike(rule: Rule, same: Rule) -> None:
    assert [who_can_sign(rule, locale) for locale in LOCALES] == [who_can_sign(same, locale) for locale in LOCALES]
    assert claims_of(rule) == claims_of(same)


@pytest.mark.parametrize(
    ("rule", "claims"),
    [
        (
            all_of(any_of(permanent("CA"), citizen("CA")), MinimumAge(18)),
            ("citizen_of:CA", "permanent_resident_of:CA", "minimum_age:18"),
        ),
        (any_of(citizen("US", "CA"), all_of(citizen("CA"), living("FR"))), ("citizen_of:CA", "citizen_of:US")),
        (
            any_of(all_of(citizen("CA"), MinimumAge(100)), all_of(living("CA"), MinimumAge(18))),
            ("citizen_of:CA", "minimum_age:18", "minimum_age:100"),
        ),
        (living("CA"), ()),
        (ORGANISATION, ()),
        (Anyone(), ()),
    ],
)
def test_claims_of(rule: Rule, claims: tuple[str, ...]) -> None:
    assert claims_of(rule) == claims


@pytest.mark.parametrize(
    ("claim", "en", "fr", "km"),
    [
        ("citizen_of:CA", "a citizen of Canada", "la citoyenneté canadienne", "ពលរដ្ឋកាណាដា (មានសញ្ជាតិកាណាដា)"),
        ("citizen_of:BR", "a citizen of Brazil", "la citoyenneté du Brésil", "ពលរដ្ឋប្រេស៊ីល (មានសញ្ជាតិប្រេស៊ីល)"),
        (
            "permanent_resident_of:CA",
            "a permanent resident of Canada",
            "la résidence permanente au Canada",
            "អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា (មានប័ណ្ណ PR)",
        ),
        (
            "permanent_resident_of:US",
            "a permanent resident of the United States",
            "la résidence permanente aux États-Unis",
            "អ្នករស់នៅជាអចិន្ត្រៃយ៍នៅសហរដ្ឋអាមេរិក",
        ),
        ("minimum_age:18", "aged 18 or over", "18 ans ou plus", "អ្នកមានអាយុចាប់ពី ១៨ ឆ្នាំឡើងទៅ"),
    ],
)
def test_claim_label_follows_one_legend(claim: str, en: str, fr: str, km: str) -> None:
    assert (claim_label(claim, "en"), claim_label(claim, "fr"), claim_label(claim, "km")) == (en, fr, km)


@pytest.mark.parametrize(
    "claim",
    [
        "",
        "citizen_of",
        "citizen_of:",
        "citizen_of:XX",
        "resident_of:CA",
        "minimum_age:0",
        "minimum_age:121",
        "minimum_age:១៨",
    ],
)
def test_claim_label_of_no_claim(claim: str) -> None:
    with pytest.raises(ValueError, match=f"^{claim}$"):
        claim_label(claim, "en")


ELSEWHERE = Signer("GB", None, frozenset())


@pytest.mark.parametrize(
    ("rule", "reasons"),
    [
        (
            any_of(citizen("CA"), permanent("CA")),
            ["To sign, you must be a citizen or permanent resident of Canada. You have not told us that you are."],
        ),
        (
            all_of(citizen("KH"), living("CA", "US")),
            [
                "To sign, you must be a citizen of Cambodia. You have not told us that you are.",
                "To sign, you must live in Canada or the United States. That is not the place you gave.",
            ],
        ),
        (MinimumAge(18), ["To sign, you must be 18 or over. You have not told us that you are old enough."]),
        (ORGANISATION, ["Only organisations can sign this. You are signing for yourself."]),
        (
            any_of(citizen("CA"), living("CA")),
            ["To sign, you must be a citizen of Canada or live in Canada. What you told us does not show it."],
        ),
        (
            any_of(all_of(citizen("KH"), living("CA")), ORGANISATION),
            [
                (
                    "To sign, you must meet one of these conditions (be a citizen of Cambodia and live in Canada; "
                    "sign for an organisation). What you told us does not show it."
                )
            ],
        ),
    ],
)
def test_reasons_say_what_is_missing(rule: Rule, reasons: list[str]) -> None:
    assert [reason.say("en") for reason in reasons_against(rule, ELSEWHERE)] == reasons


def test_reasons_are_said_in_each_language() -> None:
    (reason,) = reasons_against(any_of(citizen("CA"), permanent("CA")), ELSEWHERE)
    assert reason.say("fr") == (
        "Pour signer, vous devez avoir la citoyenneté canadienne ou la résidence permanente au Canada. "
        "Vous ne nous l’avez pas indiqué."
    )
    assert reason.say("km") == (
        "ដើម្បីចុះហត្ថលេខា លោកអ្នកត្រូវតែជាពលរដ្ឋកាណាដា ឬអ្នករស់នៅជាអចិន្ត្រៃយ៍នៅកាណាដា។ ចំណុចនេះមិនទាន់បានបញ្ជាក់ទេ។"
    )


@pytest.mark.parametrize(
    ("signer", "expected"),
    [
        (Signer("CA", "CA-BC", frozenset()), True),
        (Signer("CA", "CA-QC", frozenset()), False),
        (Signer("CA", None, frozenset()), False),
        (Signer("US", "CA-BC", frozenset()), False),  # a form sent by hand
    ],
)
def test_a_subdivision_counts_in_its_own_country(*, signer: Signer, expected: bool) -> None:
    assert is_eligible(living("CA-BC", "CA-AB"), signer) is expected


def test_a_higher_age_is_enough_and_nonsense_is_none() -> None:
    claims = frozenset({"minimum_age:99999", "minimum_age:๑๘", "minimum_age:"})
    assert not is_eligible(MinimumAge(16), Signer("CA", None, claims))
    assert is_eligible(MinimumAge(16), Signer("CA", None, claims | {"minimum_age:18"}))


def nested(depth: int) -> object:
    data: object = {"citizen_of": ["CA"]}
    for _ in range(depth):
        data = {"any_of": [data]}
    return data


def test_nesting_has_an_end() -> None:
    parse_rule(nested(8))
    with pytest.raises(RuleFault) as caught:
        parse_rule(nested(9))
    assert caught.value.place == "eligibility" + ".any_of[0]" * 8 + ".any_of"
    assert caught.value.message.say("en") == "Rules may be nested 8 deep at most."
    with pytest.raises(RuleFault):
        parse_rule(nested(5000))


NO_COUNTRY = "This must be a country of ISO 3166-1 in two capital letters, such as CA."


@pytest.mark.parametrize(
    ("data", "faults"),
    [
        (None, [("eligibility", "This must be a rule: an object in braces.")]),
        ([], [("eligibility", "This must be a rule: an object in braces.")]),
        (
            {"citizen_of": ["CA"], "minimum_age": 18},
            [("eligibility", "A rule has one key. Join several rules with all_of or any_of.")],
        ),
        (
            {"citizens": ["CA"]},
            [
                (
                    "eligibility",
                    (
                        "This is no kind of rule. There are: all_of, any_of, citizen_of, minimum_age, organisation, "
                        "permanent_resident_of, resident_in, resident_of."
                    ),
                )
            ],
        ),
        ({"any_of": []}, [("eligibility.any_of", "This must be a list with at least one item.")]),
        ({"all_of": {}}, [("eligibility.all_of", "This must be a list with at least one item.")]),
        ({"citizen_of": "CA"}, [("eligibility.citizen_of", "This must be a list with at least one item.")]),
        (
            {"citizen_of": ["CA", "EU", 1]},
            [("eligibility.citizen_of[1]", NO_COUNTRY), ("eligibility.citizen_of[2]", NO_COUNTRY)],
        ),
        ({"permanent_resident_of": ["XX"]}, [("eligibility.permanent_resident_of[0]", NO_COUNTRY)]),
        ({"resident_of": ["ca"]}, [("eligibility.resident_of[0]", NO_COUNTRY)]),
        (
            {"resident_in": ["CA-BC", "CA-XX"]},
            [("eligibility.resident_in[1]", "This must be a subdivision of ISO 3166-2, such as CA-BC.")],
        ),
        ({"minimum_age": 0}, [("eligibility.minimum_age", "This must be a whole number from 1 to 120.")]),
        ({"minimum_age": 121}, [("eligibility.minimum_age", "This must be a whole number from 1 to 120.")]),
        ({"minimum_age": True}, [("eligibility.minimum_age", "This must be a whole number from 1 to 120.")]),
        ({"minimum_age": "18"}, [("eligibility.minimum_age", "This must be a whole number from 1 to 120.")]),
        ({"organisation": False}, [("eligibility.organisation", "This must be true.")]),
        (
            {"any_of": [{"minimum_age": 0}, {"all_of": [{"organisation": 1}, {}]}]},
            [
                ("eligibility.any_of[0].minimum_age", "This must be a whole number from 1 to 120."),
                ("eligibility.any_of[1].all_of[0].organisation", "This must be true."),
            ],
        ),
    ],
)
def test_what_is_no_rule_is_refused_with_every_fault(data: object, faults: list[tuple[str, str]]) -> None:
    with pytest.raises(RuleFault) as caught:
        parse_rule(data)
    assert [(place, reason.say("en")) for place, reason in caught.value.faults] == faults
    assert caught.value.place == faults[0][0]
