"""What speaks for and against a signature, added up: counted, held back for a person to look at, or asked again.

Weights are data. No signal is proof, so nothing is ever refused or deleted here, and what an honest crowd does by being
one (a campaign's pace, many people behind one address of a hall, a form sent quickly) never reaches the bar by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: From here on a signature waits for a moderator.
QUARANTINED_FROM: Final = 60
#: Known only when a signature is confirmed, and enough by itself.
HELD_BEFORE: Final = "held_before"

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "honeypot": 100,  # a field that nobody sees was filled in
        "address_limit": 60,  # far more forms from one address than a hall full of people sends
        HELD_BEFORE: 60,  # the mailbox withdrew one that was not counted, and signs again
        "network_limit": 40,
        "domain_limit": 40,  # of a mail domain that is not one of the large providers
        "slowed": 30,  # a moderator slowed its country or network, and it came faster than that
        "throwaway_domain": 30,
        "no_proof": 30,  # a proof of work was asked for, and it came without one
        "odd_name": 20,  # keys pressed at random, for its script
        "unmarked_form": 20,  # not the form that we served, or one with its mark changed
        "old_form": 10,
        "quick_form": 5,
        "postal_mismatch": 5,
    }
)
#: Why a signature may be taken out: published, by day, on /counting and in the JSON.
REMOVAL_RULES: Final = ("limits", "scripted", "duplicate", "not_eligible", "mailbox", "other")

#: The rule under which a signature that was held back is published, by its weightiest signal.
RULE_OF_SIGNAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "address_limit": "limits",
        "network_limit": "limits",
        "domain_limit": "limits",
        "slowed": "limits",
        "throwaway_domain": "mailbox",
        HELD_BEFORE: "other",
    }
)

Outcome = Literal["counted", "quarantined", "ask_again"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome with its reasons, the weightiest first."""

    outcome: Outcome
    score: int
    signals: tuple[str, ...]


def judge(signals: Iterable[str], *, can_ask: bool = False) -> Judgement:
    """Add up ``signals``. ``can_ask``: a proof is missing, and its signer has not been asked yet."""
    ordered = tuple(sorted(set(signals), key=lambda signal: (-WEIGHTS[signal], signal)))
    score = sum(WEIGHTS[signal] for signal in ordered)
    if can_ask:
        return Judgement("ask_again", score, ordered)
    return Judgement("quarantined" if score >= QUARANTINED_FROM else "counted", score, ordered)


CLEAN: Final = Judgement("counted", 0, ())


def rule_of(signals: Sequence[str]) -> str:
    """Return the rule under which a signature with these signals, the weightiest first, is published."""
    return RULE_OF_SIGNAL.get(signals[0], "scripted") if signals else "other"
