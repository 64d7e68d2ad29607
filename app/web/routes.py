"""What routes of several doors share: those that answer to two methods, and the page of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Endpoint = Callable[[Request], Awaitable[Response]]

#: No list is this long: more digits than these are no page of ours.
_PAGE_DIGITS: Final = 5


def read_page(request: Request) -> int:
    """Return the page of a list that is asked for, from 1. Raises HTTPException 404."""
    typed = request.query_params.get("page", "1")
    if not (typed.isascii() and typed.isdigit() and len(typed) <= _PAGE_DIGITS and int(typed) > 0):
        raise HTTPException(404)
    return int(typed)


def show_and_post(path: str, show: Endpoint, post: Endpoint) -> Route:
    """Return one route for a page and for the form that posts to it, so that a 405 names both methods."""

    async def answer(request: Request) -> Response:
        return await (post if request.method == "POST" else show)(request)

    return Route(path, answer, methods=["GET", "POST"])
