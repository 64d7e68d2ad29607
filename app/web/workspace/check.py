"""The pre-flight: what a body would refuse, and what the platform itself asks. As a page, and live beside the text."""

from __future__ import annotations

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse, Response

from app.i18n import Locale, Message, message
from app.queries.checks import find_check
from app.rendering import LANGUAGE_NAMES
from app.rules import preflight
from app.rules.permissions import Permission
from app.rules.preflight import PAPER_REMINDERS, Body, Finding, Severity
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.rules.preflight import CheckInput, WordCount
    from app.web.gate import Visit

BODIES: Final[Mapping[Body, Message]] = {
    Body.PLATFORM: message("To be published here"),
    Body.COMMONS_E: message("House of Commons, electronic petition"),
    Body.COMMONS_PAPER: message("House of Commons, paper petition"),
}
SEVERITIES: Final[Mapping[Severity, Message]] = {
    Severity.BLOCKS: message("Before publishing"),
    Severity.REFUSES: message("Would be refused"),
    Severity.ADVISES: message("Worth a look"),
}


async def show_check(visit: Visit) -> Response:
    """Show everything that is found, by the body whose rule it is."""
    check = await _find(visit)
    found = await asyncio.to_thread(preflight.findings, check)
    grouped = {body: list(group) for body, group in groupby(found, lambda each: each.body)}
    bodies = [Body.PLATFORM, *((Body.COMMONS_E, Body.COMMONS_PAPER) if check.is_for_the_house else ())]
    return visit.show(
        "workspace/check.html",
        is_for_the_house=check.is_for_the_house,
        counts=_counts(check),
        groups=[(body, BODIES[body].say(visit.locale), grouped.get(body, [])) for body in bodies],
        severities={severity: said.say(visit.locale) for severity, said in SEVERITIES.items()},
        blocks=sum(each.blocks for each in found),
        reminders=PAPER_REMINDERS,
    )


async def show_check_data(visit: Visit) -> Response:
    """Return the same as JSON, for whoever is writing."""
    check = await _find(visit)
    found = await asyncio.to_thread(preflight.findings, check)
    at = f"/{visit.locale}/workspace/campaigns/{visit.campaign.slug}"
    return JSONResponse(
        {
            "counts": [_count_as_data(count, visit.locale) for count in _counts(check)],
            "findings": [_finding_as_data(each, visit.locale, at) for each in found],
            "blocks": sum(each.blocks for each in found),
            "summary": _summary(found).say(visit.locale),
        },
        headers={"Cache-Control": "no-store"},
    )


async def _find(visit: Visit) -> CheckInput:
    return await visit.house.database.read(find_check, campaign_id=visit.campaign.id, now=visit.now)


def _counts(check: CheckInput) -> tuple[WordCount, ...]:
    """Return the words in English and French, where somebody counts them."""
    return preflight.count_words(check) if check.is_for_the_house else ()


def _summary(found: list[Finding]) -> Message:
    if not found:
        return message("Nothing was found.")
    if any(each.blocks for each in found):
        return message("Something is needed before publishing.")
    return message("Nothing stands in the way of publishing here.")


def _count_as_data(count: WordCount, locale: Locale) -> dict[str, Any]:
    return {
        "locale": count.locale,
        "language": LANGUAGE_NAMES[count.locale],  # type: ignore[index]  # one of the two official ones
        "words": count.words,
        "limit": count.limit,
        "is_over": count.is_over,
        "text": preflight.say_count(count).say(locale),
    }


def _finding_as_data(finding: Finding, locale: Locale, at: str) -> dict[str, Any]:
    return {
        "code": finding.code,
        "body": finding.body,
        "body_name": BODIES[finding.body].say(locale),
        "severity": finding.severity,
        "severity_name": SEVERITIES[finding.severity].say(locale),
        "place": finding.place.say(locale),
        "anchor": finding.place.anchor,
        "address": f"{at}{finding.place.path}",
        "message": finding.message.say(locale),
        "advice": finding.advice.say(locale),
        "source": {"name": finding.source.name.say(locale), "url": finding.source.url},
        "links": {slug: f"/{locale}/campaigns/{slug}" for slug in finding.links},
    }


PAGES: Final[tuple[Page, ...]] = (
    Page("/campaigns/{slug}/check", show=show_check, needs=Permission.READ),
    Page("/campaigns/{slug}/check.json", show=show_check_data, needs=Permission.READ),
)
