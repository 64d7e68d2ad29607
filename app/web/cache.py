"""The page cache: a public page is the same for everyone, so it is made once a second and sent as bytes.

It stands in front of the framework. Kept are answers with status 200 to listed GETs, without their query, without any
cookie, compressed once for each encoding; one request fills while the others wait for it.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS: Final = 1.0
ENTRIES: Final = 1024
WORTH_COMPRESSING: Final = 512
#: From so many bytes on a page is compressed beside the loop: a list of thousands takes tenths of a second.
LONG: Final = 65_536

LISTED: Final = re.compile(
    r"/(?:km|en|fr)/(?:campaigns/[a-z0-9-]+(?:/qr\.svg|/counting|/paper|/organisations(?:/[1-9][0-9]{0,3}00)?|/editions(?:/[0-9]{1,5})?|/names(?:/[1-9][0-9]{0,6}00)?"
    r"|/letters|/reports(?:/[1-9][0-9]{0,4})?)?"
    r"|privacy|counting|refusals|accessibility|about|verify|feed\.xml)?"
    r"|/sitemap\.xml|/robots\.txt"
    r"|/api/v1/(?:openapi\.json|campaigns(?:/[a-z0-9-]+(?:/count|/breakdown|/integrity)?)?)"
)
#: Pages whose query chooses what they show: with a query they are made anew.
SEARCHABLE: Final = re.compile(r"/(?:km|en|fr)/(?:refusals)?|/api/v1/campaigns")
CAMPAIGN: Final = re.compile(r"/(?:api/v1|km|en|fr)/campaigns/([a-z0-9-]+)")
#: What the links of the language switch add, so that a choice can be remembered without changing the page.
CHOSEN: Final = b"chosen"
_PLAIN: Final = frozenset({b"", CHOSEN})


@dataclass(frozen=True, slots=True)
class _Entry:
    made_at: float
    etag: bytes
    start: Message
    body: Message
    not_modified: Message


_EMPTY: Final[Message] = {"type": "http.response.body", "body": b""}


class PageCache:
    """ASGI application in front of another."""

    def __init__(self, app: ASGIApp | None = None) -> None:
        """Stand in front of ``app``, which may be given later."""
        self.app = app
        self._entries: dict[tuple[str, bool], _Entry] = {}
        self._filling: dict[tuple[str, bool], asyncio.Event] = {}

    def forget(self, slug: str) -> None:
        """Let the pages of a campaign be made anew: its count has just changed here."""
        for kept in (self._entries, self._filling):
            for key in [key for key in kept if (match := CAMPAIGN.match(key[0])) and match[1] == slug]:
                del kept[key]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache where that is right."""
        assert self.app is not None  # noqa: S101 - assembly puts it there
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        query: bytes = scope["query_string"]
        accepts_gzip, known = _read_headers(scope["headers"])
        key = (path, accepts_gzip)
        entry = self._entries.get(key)
        if (entry is None and not LISTED.fullmatch(path)) or (query not in _PLAIN and SEARCHABLE.fullmatch(path)):
            await self.app(scope, receive, send)
            return
        if entry is None or time.monotonic() - entry.made_at >= SECONDS:
            entry = await self._fill(key, scope, receive, send)
            if entry is None:
                return
        # Proxies give it back as weak, and browsers may list several.
        if entry.etag in known:
            await send(entry.not_modified)
            await send(_EMPTY)
            return
        await send(entry.start)
        await send(_EMPTY if scope["method"] == "HEAD" else entry.body)

    async def _fill(self, key: tuple[str, bool], scope: Scope, receive: Receive, send: Send) -> _Entry | None:
        """Return a fresh entry, or None after having sent an answer that is not for keeping."""
        filling = self._filling.get(key)
        if filling is not None:
            await filling.wait()
            entry = self._entries.get(key)
            if entry is not None and time.monotonic() - entry.made_at < SECONDS:
                return entry
        done = self._filling[key] = asyncio.Event()
        try:
            messages = await self._answer(scope, receive)
            if sum(len(message.get("body", b"")) for message in messages) < LONG:
                entry = _keep(messages, is_compressed=key[1])
            else:
                entry = await asyncio.to_thread(_keep, messages, is_compressed=key[1])
            if entry is None:
                for message in messages:
                    await send(message)
                return None
            if self._filling.get(key) is not done:
                # Forgotten while it was made: it may hold the count of before.
                return entry
            if len(self._entries) >= ENTRIES:
                self._entries.pop(next(iter(self._entries)))
            self._entries[key] = entry
            return entry
        finally:
            done.set()
            if self._filling.get(key) is done:
                del self._filling[key]

    async def _answer(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        assert self.app is not None  # noqa: S101 - assembly puts it there
        await self.app({**scope, "method": "GET", "query_string": b""}, receive, collect)
        return messages


def _read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bool, bytes]:
    accepts_gzip, known = False, b""
    for name, value in headers:
        if name == b"accept-encoding":
            accepts_gzip = b"gzip" in value
        elif name == b"if-none-match":
            known = value
    return accepts_gzip, known


def _keep(messages: list[Message], *, is_compressed: bool) -> _Entry | None:
    start = messages[0]
    headers: list[tuple[bytes, bytes]] = list(start["headers"])
    if start["status"] != 200 or any(name == b"set-cookie" for name, _ in headers):  # noqa: PLR2004 - HTTP
        return None
    body = b"".join(message.get("body", b"") for message in messages[1:])
    headers = [(name, value) for name, value in headers if name not in {b"content-length", b"cache-control"}]
    if is_compressed and len(body) >= WORTH_COMPRESSING:
        # No name and no time in it, so that the same page has the same bytes.
        body = gzip.compress(body, 6, mtime=0)
        headers.append((b"content-encoding", b"gzip"))
    etag = b'"' + hashlib.sha256(body).hexdigest()[:20].encode() + b'"'
    headers += [
        (b"cache-control", b"public, max-age=1"),
        (b"vary", b"Accept-Encoding"),
        (b"etag", etag),
    ]
    whole = [*headers, (b"content-length", str(len(body)).encode())]
    return _Entry(
        made_at=time.monotonic(),
        etag=etag,
        start={"type": "http.response.start", "status": 200, "headers": whole},
        body={"type": "http.response.body", "body": body},
        not_modified={"type": "http.response.start", "status": 304, "headers": headers},
    )
