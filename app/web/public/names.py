"""The names of those who wish them shown, in the order of their list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.routing import Route

from app.queries.names import NamePage, list_names
from app.web.public import views

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.web.house import House

_NOBODY: Final = NamePage((), None)
_START: Final = re.compile(r"[1-9][0-9]{0,8}")


class Names:
    """Routes of the list of names."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        # Where a page begins is in the path and not in a query, so that each is kept for a second like the first.
        self.routes: list[Route] = [
            Route("/{locale}/campaigns/{slug}/names", self.show),
            Route("/{locale}/campaigns/{slug}/names/{after}", self.show),
        ]

    async def show(self, request: Request) -> Response:
        """Show the names of a hundred places, with the way on. Search engines are asked to leave them alone."""
        locale = views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        campaign, after = shelved.campaign, request.path_params.get("after")
        if campaign.state == "stopped" or not campaign.takes_individuals:
            raise HTTPException(404)
        if after is not None and not _START.fullmatch(after):
            raise HTTPException(404)
        page = _NOBODY
        if shelved.key is not None:
            page = await self._house.database.read(
                list_names, campaign_id=campaign.id, key=shelved.key, after=int(after or 0)
            )
        if after is not None and not page.names:
            raise HTTPException(404)
        response = views.show(
            self._house,
            "public/names.html",
            locale,
            f"/campaigns/{campaign.slug}/names" + ("" if after is None else f"/{after}"),
            campaign=campaign,
            title=views.title_of(campaign, locale),
            page=page,
            is_later=after is not None,
        )
        response.headers["X-Robots-Tag"] = "noindex, noarchive"
        return response
