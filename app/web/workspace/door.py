"""The workspace assembled: every page behind the gate, and those that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.web.gate import Gate
from app.web.workspace import (
    account,
    appeal,
    check,
    deliveries,
    editions,
    embargo,
    endorsements,
    home,
    letter,
    office,
    overview,
    paper,
    paper_typing,
    preview,
    questions,
    responses,
    settings,
    sponsor,
    steps,
    supporters,
    team,
    text,
    updates,
)
from app.web.workspace.joining import Joining
from app.web.workspace.sign_in import SignIn

if TYPE_CHECKING:
    from starlette.routing import Route

    from app.web.gate import Page
    from app.web.house import House

#: Every address of the workspace that wants a session, with what it needs.
PAGES: Final[tuple[Page, ...]] = (
    *home.PAGES,
    *account.PAGES,
    *overview.PAGES,
    *text.PAGES,
    *preview.PAGES,
    *settings.PAGES,
    *check.PAGES,
    *team.PAGES,
    *supporters.PAGES,
    *sponsor.PAGES,
    *office.PAGES,
    *embargo.PAGES,
    *steps.PAGES,
    *appeal.PAGES,
    *updates.PAGES,
    *responses.PAGES,
    *questions.PAGES,
    *editions.PAGES,
    *letter.PAGES,
    *deliveries.PAGES,
    *endorsements.PAGES,
    *paper.PAGES,
    *paper_typing.PAGES,
)


class Workspace:
    """Routes of the organisers' door."""

    def __init__(self, house: House) -> None:
        """Put every page behind the gate."""
        gate = Gate(house)
        self.routes: list[Route] = [
            *SignIn(house).routes,
            *Joining(house).routes,
            *(gate.route(page) for page in PAGES),
        ]
