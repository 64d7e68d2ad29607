"""Checking for oneself: what a receipt, a report and the log show, and a page that checks them in the browser."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.routing import Route

from app.proofs.notes import NoteSigner
from app.web.public import views

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.web.house import House

#: Days in words, in which the page's script puts others: browsers know no Khmer months.
MONTHS: Final = tuple(date(2033, month, 22) for month in range(1, 13))


class Verifying:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes: list[Route] = [Route("/{locale}/verify", self.show)]

    async def show(self, request: Request) -> Response:
        """Show what can be checked and how. Files are checked by the page itself: none is ever sent here."""
        return views.show(
            self._house,
            "public/verify.html",
            views.locale_of(request),
            "/verify",
            verifiers=self._verifiers,
            months=MONTHS,
        )

    @cached_property
    def _verifiers(self) -> list[str]:
        # The name of our keys is the host of our address, with its port where it has one (docs/verifying.md).
        host = urlsplit(self._house.settings.base_url).netloc
        return [NoteSigner(host, seed).verifier for seed in self._house.keyring.published_seeds]
