"""What review and publishing need: nothing that blocks, enough supporters, the promised languages whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.i18n import message
from app.rules.preflight import Body, Finding, Place, Severity, findings
from app.rules.preflight.publishing import PLATFORM
from app.rules.preflight.shapes import sentence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.rules.drafts import DraftPart
    from app.rules.preflight import CheckInput


def list_lacks(check: CheckInput) -> list[Finding]:
    """Return what review and publishing wait for."""
    found = [each for each in findings(check) if each.blocks]
    if check.supporters_confirmed < check.supporters_needed:
        said = message(
            "%(confirmed)s of %(needed)s supporters have confirmed.",
            confirmed=check.supporters_confirmed,
            needed=check.supporters_needed,
        )
        place = Place("supporters", page="supporters")
        advice = message("Pass the private link on to people who stand behind the text.")
        found.append(
            Finding("supporters_needed", Body.PLATFORM, Severity.BLOCKS, place, sentence(said), advice, PLATFORM)
        )
    return found


def complete_locales(parts: Iterable[DraftPart], source_locale: str) -> frozenset[str]:
    """Return the languages that say everything that the source language says, it included, and no item more.

    A list that is longer in one language than in another would be left out of the shorter one. None at all while the
    source text has no title.
    """
    boxes: dict[str, set[tuple[str, str | None, int | None]]] = {}
    for part in parts:
        if part.text.strip():
            boxes.setdefault(part.locale, set()).add((part.name, part.kind, part.position))
    source = boxes.get(source_locale, set())
    if ("title", None, None) not in source:
        return frozenset()
    kinds = {kind for _, kind, _ in source if kind is not None}
    return frozenset(
        locale
        for locale, written in boxes.items()
        if source <= written and not any(kind in kinds for _, kind, _ in written - source)
    )
