"""Answers to what went wrong: a page in the visitor's language, or problem+json for the JSON door."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse

from app.core.db import DatabaseUnavailableError
from app.i18n import Message, message
from app.i18n.negotiation import path_locale
from app.web.language import visitor_locale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from app.rendering import Pages
    from app.settings import Settings

API: Final = "/api/"
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
        message("Shorten what you wrote, or make the picture smaller, and send the form again."),
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
        if path.startswith(API):
            return problem(status, headers=headers)
        shown = status if status in SENTENCES else 400
        locale = path_locale(path) or visitor_locale(scope, settings.default_locale)
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


def problem(status: int, *, detail: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """Return an RFC 9457 answer."""
    content: dict[str, object] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    if detail is not None:
        content["detail"] = detail
    return JSONResponse(content, status, headers, media_type="application/problem+json")


def error_handlers(
    respond: Callable[[Scope, int], Response],
) -> dict[type[Exception] | int, Callable[[Request, Exception], Response]]:
    """Return the handlers that the application is assembled with."""

    def handle(request: Request, fault: Exception) -> Response:
        """Answer what nobody expected, and a database that is gone."""
        return respond(request.scope, 503 if isinstance(fault, DatabaseUnavailableError) else 500)

    def handle_refusal(request: Request, fault: Exception) -> Response:
        """Answer what a door or the router refused, with the methods that a 405 has to name."""
        assert isinstance(fault, HTTPException)  # noqa: S101 - what it is registered for
        # Without words of its own the framework puts the status's, and those are the title already.
        is_plain = fault.detail == HTTPStatus(fault.status_code).phrase
        if request.scope["path"].startswith(API) and not is_plain:
            return problem(fault.status_code, detail=fault.detail, headers=fault.headers)
        response = respond(request.scope, fault.status_code)
        response.headers.update(fault.headers or {})
        return response

    def handle_bad_parameter(request: Request, fault: Exception) -> Response:  # noqa: ARG001 - a handler
        """Answer parameters of the JSON door: the contract calls a bad one 400, and names it."""
        assert isinstance(fault, RequestValidationError)  # noqa: S101 - what it is registered for
        return problem(400, detail="; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in fault.errors()))

    return {
        HTTPException: handle_refusal,
        RequestValidationError: handle_bad_parameter,
        DatabaseUnavailableError: handle,
        Exception: handle,
    }
