"""Judging: the reasons against a signer, in whole sentences; none for one who may sign."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from app.i18n.catalogues import Locale, Message, message, say
from app.rules.eligibility.meaning import ANYONE, NOBODY, Group, Meaning, is_at, kinds_of, meaning_of
from app.rules.eligibility.sentences import requirement
from app.rules.places import country_of

if TYPE_CHECKING:
    from app.rules.eligibility.language import Rule, Signer

AGE_CLAIM: Final = re.compile(r"minimum_age:([1-9][0-9]{0,2})")


@dataclass(frozen=True, slots=True)
class _Reason(Message):
    """A sentence about a condition, which each language puts in its own words."""

    condition: Meaning = ANYONE

    def say(self, locale: Locale) -> str:
        """Return the sentence in ``locale``."""
        return say(locale, self.sentence, condition=requirement(self.condition, locale))


def reasons_against(rule: Rule, signer: Signer) -> tuple[Message, ...]:
    """Return why ``signer`` may not sign, in whole sentences; none for one who may.

    There is a reason for each condition of which every one must hold, and a single one where any is enough.
    """
    meaning = meaning_of(rule)
    conditions = meaning.members if isinstance(meaning, Group) and meaning.is_all else (meaning,)
    return tuple(_Reason(_sentence(one), condition=one) for one in conditions if not _holds(one, signer))


def admits_nobody(rule: Rule) -> bool:
    """Tell whether the conditions of ``rule`` cannot be met together: one lives in one place."""
    return meaning_of(rule) == NOBODY


def _holds(one: Meaning, signer: Signer) -> bool:
    """Tell whether a condition holds for ``signer``."""
    if isinstance(one, Group):
        results = (_holds(member, signer) for member in one.members)
        return all(results) if one.is_all else any(results)
    match one.kind:
        case "citizen":
            return any(f"citizen_of:{country}" in signer.claims for country in one.places)
        case "permanent":
            return any(f"permanent_resident_of:{country}" in signer.claims for country in one.places)
        case "living":
            return is_at(place_of(signer), one)
        case "age":
            return any(int(found[1]) >= one.age for claim in signer.claims if (found := AGE_CLAIM.fullmatch(claim)))
        case "organisation":
            return signer.is_organisation
    assert_never(one.kind)


def place_of(signer: Signer) -> str:
    """Return where somebody lives as closely as we know: a subdivision of their country, or the country."""
    part = signer.subdivision
    return part if part is not None and country_of(part) == signer.country else signer.country


def _sentence(one: Meaning) -> str:
    """Return the sentence that says what is missing."""
    kinds = kinds_of(one)
    if one == NOBODY:
        reason = message("Nobody can sign this, since its conditions cannot be met together. Tell the organiser.")
    elif kinds == {"living"}:
        reason = message("To sign, you must %(condition)s. That is not the place you gave.")
    elif kinds == {"organisation"}:
        reason = message("Only organisations can sign this. You are signing for yourself.")
    elif kinds <= {"citizen", "permanent"}:
        reason = message("To sign, you must %(condition)s. You have not told us that you are.")
    elif kinds == {"age"}:
        reason = message("To sign, you must %(condition)s. You have not told us that you are old enough.")
    else:
        reason = message("To sign, you must %(condition)s. What you told us does not show it.")
    return reason.sentence
