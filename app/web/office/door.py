"""The office door assembled: every page behind the gate, and the one that a letter's link opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.web.gate import Gate
from app.web.office import counts
from app.web.office.joining import Joining

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.web.gate import Page
    from app.web.house import House

PAGES: Final[tuple[Page, ...]] = counts.PAGES


class OfficeDoor:
    """Routes of the office door."""

    def __init__(self, house: House) -> None:
        """Put every page behind the gate."""
        gate = Gate(house, "office")
        self.routes: list[Route] = [*Joining(house).routes, *(gate.route(page) for page in PAGES)]
