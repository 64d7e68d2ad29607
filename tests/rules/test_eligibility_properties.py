"""What holds for any rule whatever: its meaning, its judgement, its questions, its sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.i18n.catalogues import LOCALES, Locale
from app.rules.eligibility import (
    AllOf,
    AnyOf,
    Anyone,
    Rule,
    Signer,
    claim_label,
    claims_of,
    needed_claims,
    parse_rule,
    reasons_against,
    rule_as_data,
    ways_to_help,
    who_can_sign,
)
from app.rules.eligibility.meaning import Leaf, Meaning, meaning_of
from tests.rules.generated import (
    CLAIMS,
    EVERYBODY,
    ORDERED_RULES,
    QUESTIONS,
    RULES,
    SIGNERS,
    SMALL_PLACES,
    SMALL_RULES,
    holds,
)

if TYPE_CHECKING:
    from random import Random

randoms = st.randoms(use_true_random=False)
# On a busy machine any single rule may take a while.
few = settings(max_examples=30, deadline=None)
some = settings(max_examples=60, deadline=None)


def is_eligible(rule: Rule, signer: Signer) -> bool:
    return not reasons_against(rule, signer)


def unordered(one: Meaning) -> object:
    """Return a meaning without the order of places, the one thing that rules of one meaning may differ in."""
    if isinstance(one, Leaf):
        return one.kind, frozenset(one.places), one.age
    return one.is_all, frozenset(map(unordered, one.members))


def rewritten(rule: Rule, random: Random, other: Rule) -> Rule:
    """Return a rule that means the same by the laws of "any" and "all", in another shape.

    ``other`` is any rule: it goes in where it changes nothing.
    """
    if isinstance(rule, AnyOf | AllOf):
        members = [rewritten(member, random, other) for member in rule.rules]
        members += random.sample(members, 1)
        random.shuffle(members)
        rule = type(rule)(tuple(members))
    laws = [
        rule,
        AnyOf((rule,)),
        AllOf((AnyOf((rule,)),)),
        AllOf((Anyone(), rule)),
        AllOf((rule, AnyOf((Anyone(), other)))),
        AnyOf((AllOf((other, rule)), rule)),  # A, or A and B
        AllOf((rule, AnyOf((rule, other)))),  # A, and A or B
        rule,
    ]
    if isinstance(rule, AnyOf | AllOf):
        inner = next(
            (one for one in rule.rules if isinstance(one, AnyOf | AllOf) and type(one) is not type(rule)), None
        )
        rest = [one for one in rule.rules if one is not inner]
        if inner is not None and rest:  # A and (B or C) is A and B, or A and C; and the other way round
            laws[-1] = type(inner)(tuple(type(rule)((*rest, one)) for one in inner.rules))
    return random.choice(laws)


@some
@given(RULES, SIGNERS)
def test_judgement_is_that_of_the_letter(rule: Rule, signer: Signer) -> None:
    assert is_eligible(rule, signer) == holds(rule, signer)


@few
@given(RULES, RULES, randoms)
def test_rules_of_one_meaning_are_asked_and_understood_alike(rule: Rule, other: Rule, random: Random) -> None:
    same = rewritten(rule, random, other)
    assert unordered(meaning_of(same)) == unordered(meaning_of(rule))
    assert claims_of(same) == claims_of(rule)
    assert needed_claims(same, "CA", "CA-BC") == needed_claims(rule, "CA", "CA-BC")


@few
@given(ORDERED_RULES, ORDERED_RULES, randoms, st.sampled_from(EVERYBODY))
def test_rules_of_one_meaning_are_said_alike(rule: Rule, other: Rule, random: Random, signer: Signer) -> None:
    same = rewritten(rule, random, other)
    for locale in LOCALES:
        assert who_can_sign(same, locale) == who_can_sign(rule, locale)
    assert reasons_against(same, signer) == reasons_against(rule, signer)


@few
@given(SMALL_RULES, SMALL_RULES)
def test_rules_mean_the_same_exactly_where_they_judge_everybody_alike(rule: Rule, other: Rule) -> None:
    judges_alike = all(holds(rule, signer) == holds(other, signer) for signer in EVERYBODY)
    assert judges_alike == (unordered(meaning_of(rule)) == unordered(meaning_of(other)))


@some
@given(RULES, SIGNERS, st.frozensets(CLAIMS, max_size=3))
def test_declaring_more_never_makes_anyone_ineligible(rule: Rule, signer: Signer, more: frozenset[str]) -> None:
    declared = replace(signer, claims=signer.claims | more)
    assert is_eligible(rule, declared) or not is_eligible(rule, signer)


@some
@given(RULES, RULES, SIGNERS)
def test_alternatives_exclude_nobody_and_conditions_admit_nobody(rule: Rule, other: Rule, signer: Signer) -> None:
    assert is_eligible(AnyOf((rule, other)), signer) >= is_eligible(rule, signer)
    assert is_eligible(AllOf((rule, other)), signer) <= is_eligible(rule, signer)


@some
@given(RULES, SIGNERS)
def test_what_the_form_does_not_ask_changes_nothing(rule: Rule, signer: Signer) -> None:
    # A signer of 18 who is asked for 16 says so.
    ages = {claim for claim in signer.claims if claim.startswith("minimum_age")}
    for asked in (
        claims_of(rule, is_organisation=signer.is_organisation),
        needed_claims(rule, signer.country, signer.subdivision, is_organisation=signer.is_organisation),
    ):
        said = replace(signer, claims=signer.claims & {*asked, *ages})
        assert is_eligible(rule, said) == is_eligible(rule, signer)


def decides(rule: Rule, asked: tuple[str, ...], signers: list[Signer]) -> bool:
    """Tell whether answers to ``asked`` alone judge every signer as everything that is true of them does."""
    return all(
        holds(rule, signer) == holds(rule, replace(signer, claims=signer.claims.intersection(asked)))
        for signer in signers
    )


@few
@given(SMALL_RULES, st.booleans(), st.none() | st.sampled_from(SMALL_PLACES))
def test_no_fewer_questions_decide(rule: Rule, is_organisation: bool, place: tuple[str, str | None] | None) -> None:  # noqa: FBT001 - Hypothesis passes them by place
    signers = [one for one in EVERYBODY if one.is_organisation == is_organisation]
    if place is None:
        asked = claims_of(rule, is_organisation=is_organisation)
    else:
        asked = needed_claims(rule, *place, is_organisation=is_organisation)
        # Without a subdivision it is anywhere in the country.
        signers = [one for one in signers if one.country == place[0] and place[1] in {None, one.subdivision}]
    assert decides(rule, asked, signers)
    shorter = (chosen for number in range(len(asked)) for chosen in combinations(QUESTIONS, number))
    assert not any(decides(rule, chosen, signers) for chosen in shorter)


_CODES = re.compile(r"\b[A-Z]{2}(?:-[A-Z0-9]{1,3})?\b")
_ENGLISH = re.compile(
    r"\b(?:and|or|of|the|in|people|who|living|live|citizens?|aged|over|residents|meet|these|organisations?|anyone|nobody)\b"
)
#: Names that Khmer has no letters for here, and a subdivision that has nothing but a code.
_LATIN = re.compile(r"Oregon|New York|Victoria|FR-IDF|\(មានប័ណ្ណ PR\)")


def check_sentence(said: str, locale: Locale) -> None:
    assert said == said.strip()
    assert not re.search(r"  |%|None|\u200b|\( | \)|\(\)| [,;.។៖]|[,;]{2}", said), said
    assert said.count("(") == said.count(")")
    bare = _LATIN.sub("", said)
    assert not _CODES.search(bare), said
    if locale == "fr":
        assert not _ENGLISH.search(bare), said
    if locale == "km":
        assert not re.search("[A-Za-z0-9]", bare), said


@pytest.mark.parametrize("locale", LOCALES)
@few
@given(rule=RULES, signer=SIGNERS)
def test_every_rule_can_be_said(locale: Locale, rule: Rule, signer: Signer) -> None:
    check_sentence(who_can_sign(rule, locale), locale)
    for claim in claims_of(rule):
        check_sentence(claim_label(claim, locale), locale)
    reasons = reasons_against(rule, signer)
    helps = ways_to_help(rule, signer)
    assert bool(helps) == bool(reasons)
    for sentence in (*reasons, *helps):
        said = sentence.say(locale)
        check_sentence(said, locale)
        assert said.endswith("។" if locale == "km" else ".")


@some
@given(RULES)
def test_data_gives_the_rule_back(rule: Rule) -> None:
    assert parse_rule(rule_as_data(rule)) == rule
