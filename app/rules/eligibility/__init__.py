"""Who may sign: a rule as data, the reasons against a signer, what a form asks, and the rule in words.

The language of rules is a public contract (shared/real-campaigns/README.md). Whatever a rule's shape, it is first
brought to a *meaning*. Judging, asking, speaking and helping all work on that, so two rules that say the same thing
differ in nothing that a signer can see but the order of places. What is decided for whom: docs/eligibility.md.
"""

from app.rules.eligibility.helping import ways_to_help
from app.rules.eligibility.judging import admits_nobody, reasons_against
from app.rules.eligibility.language import (
    HIGHEST_AGE,
    LOWEST_AGE,
    MOST_NESTED,
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
    parse_rule,
    rule_as_data,
)
from app.rules.eligibility.questions import claim_label, claims_of, needed_claims
from app.rules.eligibility.sentences import who_can_sign

__all__ = [
    "HIGHEST_AGE",
    "LOWEST_AGE",
    "MOST_NESTED",
    "AllOf",
    "AnyOf",
    "Anyone",
    "CitizenOf",
    "IsOrganisation",
    "MinimumAge",
    "PermanentResidentOf",
    "ResidentIn",
    "ResidentOf",
    "Rule",
    "RuleFault",
    "Signer",
    "admits_nobody",
    "claim_label",
    "claims_of",
    "needed_claims",
    "parse_rule",
    "reasons_against",
    "rule_as_data",
    "ways_to_help",
    "who_can_sign",
]
