"""Answers to what went wrong: a page in the visitor's language, or problem+json for the JSON door."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.responses import HTMLResponse, JSONResponse

from app.core.db import DatabaseUnavailableError
from app.i18n import Message, message
from app.i18n.negotiation import best_locale, path_locale

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from app.rendering import Pages
    from app.settings import Settings

RETRY_AFTER_SECONDS: Final = 30
SENTENCES: Final[dict[int, tuple[Message, Message]]] = {
    400: (
        message("We could not read this request"),
        message("Go back, check the address or the form, and try again."),
    ),
    403: (
        message("This form came from another website"),
        message("For your safety, nothing was done. Open the page here and fill in the form again."),
    ),
    404: (
        message("There is no page at this address"),
        message("The link may be incomplete. Check that the whole address was copied."),
    ),
    405: (
        message("This page cannot be used in this way"),
        message("Open the page from its beginning and try again."),
    ),
    413: (
        message("What you sent is too large"),
        message("Shorten what you wrote and send the form again."),
    ),
    500: (
        message("Something went wrong"),
        message("The fault is ours and is on record. Nothing was counted twice. Please try again later."),
    ),
    503: (
        message("The service is busy or being repaired"),
        message("Nothing was lost, and nothing was done. Please try again in a minute."),
    ),
}


def error_responder(pages: Pages, settings: Settings) -> Callable[[Scope, int], Response]:
    """Return a function that makes the answer for a status, without touching the database."""

    def respond(scope: Scope, status: int) -> Response:
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status in {429, 503} else {}
        path: str = scope["path"]
        if path.startswith("/api/"):
            return problem(status, headers=headers)
        shown = status if status in SENTENCES else 400
        accepted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        locale = path_locale(path) or best_locale(accepted.decode("latin-1"), settings.default_locale)  # type: ignore[arg-type]  # checked when settings were read
        heading, explanation = SENTENCES[shown]
        content = pages.render(
            "public/error.html",
            locale,
            status=status,
            heading=heading.say(locale),
            explanation=explanation.say(locale),
            hint=None,
            path="/",
            base_url=settings.base_url,
        )
        return HTMLResponse(content, status, headers)

    return respond


def problem(status: int, *, detail: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """Return an RFC 9457 answer."""
    content: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail is not None:
        content["detail"] = detail
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def status_of(fault: Exception) -> int:
    """Return the status for what a door raised."""
    if isinstance(fault, DatabaseUnavailableError):
        return 503
    status: int = getattr(fault, "status_code", 500)
    return status


def error_handlers(
    respond: Callable[[Scope, int], Response],
) -> dict[type[Exception] | int, Callable[[Request, Exception], Response]]:
    """Return the handlers that the application is assembled with."""
    from starlette.exceptions import HTTPException

    def handle(request: Request, fault: Exception) -> Response:
        return respond(request.scope, status_of(fault))

    return {HTTPException: handle, DatabaseUnavailableError: handle, Exception: handle}
