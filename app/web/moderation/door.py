"""The moderators' door assembled: every page behind the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.web.gate import Gate
from app.web.moderation import (
    alarms,
    appeals,
    authority,
    campaigns,
    complaints,
    endorsements,
    names,
    reviews,
    sets,
    signatures,
    switches,
)

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.web.gate import Page
    from app.web.house import House

PAGES: Final[tuple[Page, ...]] = (
    *reviews.PAGES,
    *signatures.PAGES,
    *sets.PAGES,
    *alarms.PAGES,
    *switches.PAGES,
    *names.PAGES,
    *complaints.PAGES,
    *appeals.PAGES,
    *authority.PAGES,
    *endorsements.PAGES,
    *campaigns.PAGES,
)


class Moderation:
    """Routes of the moderators' door."""

    def __init__(self, house: House) -> None:
        """Put every page behind the gate."""
        gate = Gate(house, "moderation")
        self.routes: list[Route] = [gate.route(page) for page in PAGES]
