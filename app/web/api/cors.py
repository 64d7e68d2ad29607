"""Any page of any website may read the JSON door: it says the same to everyone and takes no cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from app.web.errors import API

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS: Final = "GET, HEAD, OPTIONS"
SHARED: Final = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, Retry-After"),
)
#: What a browser asks first when a script sets a header, such as If-None-Match.
PREFLIGHT: Final = {
    "Allow": METHODS,
    "Access-Control-Allow-Methods": METHODS,
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}


class Cors:
    """Says so on every answer of the JSON door, and answers OPTIONS there."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand in front of ``app``."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything else on as it is."""
        if scope["type"] != "http" or not scope["path"].startswith(API):
            await self.app(scope, receive, send)
            return

        async def sharing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [each for each in message["headers"] if each[0] != b"allow"]
                # The framework names the methods of one route alone.
                allowed = [(b"allow", METHODS.encode())] if len(headers) < len(message["headers"]) else []
                message = {**message, "headers": [*headers, *allowed, *SHARED]}
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, sharing)
            return
        await self.app(scope, receive, sharing)
