"""The page on which a member's office accepts or declines to carry a petition."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.web.house import House


class Sponsoring:
    """Routes."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = []
