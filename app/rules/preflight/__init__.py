"""The pre-flight: what the House of Commons would refuse of a text, and what publishing here asks.

Pure: `findings` takes a `CheckInput` and answers with a list of `Finding`, each with its place, what to do, and the
source of its rule. Only findings whose ``blocks`` is true stand in the way of publishing.
"""

from dataclasses import replace

from app.rules.preflight import commons, publishing
from app.rules.preflight.commons import PAPER_REMINDERS, count_words, say_count
from app.rules.preflight.shapes import (
    Body,
    CheckedAddressee,
    CheckedPart,
    CheckedThreshold,
    CheckInput,
    Finding,
    OpenCampaign,
    Place,
    Reminder,
    Severity,
    Source,
    WordCount,
    parts_of,
    reading_order,
)

_GRAVEST_FIRST = (Severity.BLOCKS, Severity.REFUSES, Severity.ADVISES)


def findings(check: CheckInput) -> list[Finding]:
    """Return everything that is found, body by body, the gravest first, in the order of reading."""
    check = replace(check, parts=tuple(sorted(check.parts, key=reading_order)))
    found = [*publishing.find_all(check), *commons.find_all(check)]
    bodies = (Body.PLATFORM, Body.COMMONS_E, Body.COMMONS_PAPER)
    return sorted(found, key=lambda each: (bodies.index(each.body), _GRAVEST_FIRST.index(each.severity)))


__all__ = [
    "PAPER_REMINDERS",
    "Body",
    "CheckInput",
    "CheckedAddressee",
    "CheckedPart",
    "CheckedThreshold",
    "Finding",
    "OpenCampaign",
    "Place",
    "Reminder",
    "Severity",
    "Source",
    "WordCount",
    "count_words",
    "findings",
    "parts_of",
    "say_count",
]
