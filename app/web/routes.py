"""Routes that answer to two methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Endpoint = Callable[[Request], Awaitable[Response]]


def show_and_post(path: str, show: Endpoint, post: Endpoint) -> Route:
    """Return one route for a page and for the form that posts to it, so that a 405 names both methods."""

    async def answer(request: Request) -> Response:
        return await (post if request.method == "POST" else show)(request)

    return Route(path, answer, methods=["GET", "POST"])
