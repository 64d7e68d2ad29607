"""Health: is the process alive, and can it work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.core.db import DatabaseUnavailableError
from app.core.migrations import is_current, newest_revision

if TYPE_CHECKING:
    from starlette.requests import Request

    from app.web.house import House


class Health:
    """Routes for whoever watches the service."""

    def __init__(self, house: House) -> None:
        """Take the database to ask."""
        self._house = house
        self.routes = [Route("/livez", self.live), Route("/readyz", self.ready)]

    async def live(self, request: Request) -> Response:  # noqa: ARG002 - a route
        """Answer at all."""
        return JSONResponse({"status": "alive"})

    async def ready(self, request: Request) -> Response:  # noqa: ARG002 - a route
        """Tell whether the database answers and stands at the newest migration."""
        try:
            is_ready = await self._house.database.read(is_current, newest=newest_revision())
        except DatabaseUnavailableError:
            return JSONResponse({"status": "no database"}, 503, {"Retry-After": "5"})
        if not is_ready:
            return JSONResponse({"status": "migrations are missing"}, 503, {"Retry-After": "5"})
        return JSONResponse({"status": "ready"})
