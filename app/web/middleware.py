"""What stands between network and doors: whose host this is, where a post comes from, what every answer says."""

from __future__ import annotations

import ipaddress
import re
import secrets
import traceback
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException

from app.core.logs import get_logger
from app.i18n import LOCALES
from app.settings import LOOPBACK_NAMES
from app.web.cache import CHOSEN
from app.web.cookies import LOCALE_COOKIE
from app.web.forms import body_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.settings import Settings

HEALTH: Final = frozenset({"/livez", "/readyz"})
#: Where a scope says who is at the other end of the socket, if that is not the client but a proxy.
PEER: Final = "hatthalekha.peer"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
#: What mailbox providers post to on somebody's behalf (RFC 8058): no cookie, and whatever they say of where it is from.
ONE_CLICK: Final = re.compile(r"/(?:km|en|fr)/unsubscribe/[A-Za-z0-9_-]{43}")

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
ALWAYS: Final = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    # No script of ours asks for a device and no other can run here, so none is named: every byte is sent a dozen times.
    (b"permissions-policy", b"browsing-topics=()"),
    # With no-referrer, browsers would post forms with an origin of "null".
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
NOT_KEPT: Final = (b"cache-control", b"no-store")
ONLY_HTTPS: Final = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


def saying_always(send: Send, settings: Settings) -> Send:
    """Return ``send`` with what every answer says; an answer may have said one of them otherwise."""
    always = (*ALWAYS, ONLY_HTTPS) if settings.is_secure else ALWAYS

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: list[tuple[bytes, bytes]] = list(message["headers"])
            said = {name for name, _ in headers}
            headers += [each for each in (*always, NOT_KEPT) if each[0] not in said]
            message = {**message, "headers": headers}
        await send(message)

    return with_headers


class HostGate:
    """Answers only to the configured host, and to loopback names while that is one; health checks take any."""

    def __init__(self, app: ASGIApp, settings: Settings, refuse: Callable[[Scope, int], Response]) -> None:
        """Stand in front of ``app``."""
        self.app = app
        self._refuse = refuse
        self._settings = settings
        parts = urlsplit(settings.base_url)
        self._hosts = frozenset(name.encode() for name in _hosts(parts.hostname or "", parts.port, parts.scheme))
        self._is_local = settings.is_local
        self._cookie = f"{LOCALE_COOKIE}={{}}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax" + (
            "; Secure" if settings.is_secure else ""
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse another host with 400; remember a chosen language on the way out."""
        if scope["type"] == "http":
            hosts = [value for name, value in scope["headers"] if name == b"host"]
            is_ours = len(hosts) == 1 and self._is_ours(hosts[0].lower())
            if not is_ours and scope["path"] not in HEALTH:
                await self._refuse(scope, 400)(scope, receive, saying_always(send, self._settings))
                return
            if CHOSEN in scope["query_string"] and CHOSEN in scope["query_string"].split(b"&"):
                send = self._remembering(scope["path"], send)
        await self.app(scope, receive, send)

    def _is_ours(self, host: bytes) -> bool:
        # In development the port may be another one than BASE_URL's: a tunnel, a container, a test.
        return host in self._hosts or (self._is_local and _LOOPBACK.fullmatch(host) is not None)

    def _remembering(self, path: str, send: Send) -> Send:
        locale = path[1:3]
        if locale not in LOCALES or path[3:4] != "/":
            return send

        async def with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start":
                cookie = (b"set-cookie", self._cookie.format(locale).encode())
                headers = [each for each in message["headers"] if each[0] != b"cache-control"]
                message = {**message, "headers": [*headers, (b"cache-control", b"no-store"), cookie]}
            await send(message)

        return with_cookie


class Shield:
    """Adds what every answer says, refuses cross-site posts, and turns what nobody expected into a plain page."""

    def __init__(self, app: ASGIApp, settings: Settings, refuse: Callable[[Scope, int], Response]) -> None:
        """Stand in front of ``app``."""
        self.app = app
        self._refuse = refuse
        self._settings = settings
        self._origin = _origin(settings.base_url)
        self._is_local = settings.is_local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False
        send = saying_always(send, self._settings)

        async def noticing(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        is_change = scope["method"] not in SAFE_METHODS and not ONE_CLICK.fullmatch(scope["path"])
        if is_change and self._is_from_elsewhere(scope["headers"]):
            await self._refuse(scope, 403)(scope, receive, send)
            return
        if _is_too_long(scope):
            # Before the framework does, which has no page for it.
            await self._refuse(scope, 413)(scope, receive, send)
            return
        try:
            await self.app(scope, _within(receive, body_limit(scope["path"])), noticing)
        except Exception as fault:  # noqa: BLE001 - the last net: a person gets a page, the log a place and no data
            _log(scope, fault)
            # The framework has usually answered already, with the page of `app.web.errors`.
            if not has_started:
                await self._refuse(scope, 500)(scope, receive, send)

    def _is_from_elsewhere(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Tell whether a browser says that another site made it send this. Old web views say nothing, and may."""
        for name, value in headers:
            if name == b"sec-fetch-site" and value not in {b"same-origin", b"none"}:
                return True
            if name == b"origin" and value != self._origin and not self._is_local_origin(value):
                return True
        return False

    def _is_local_origin(self, origin: bytes) -> bool:
        scheme, _, host = origin.partition(b"://")
        return self._is_local and scheme == b"http" and _LOOPBACK.fullmatch(host) is not None


class ClientAddress:
    """Believes ``X-Forwarded-For`` from trusted proxies alone, and takes the nearest address that is not one."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Stand in front of ``app``."""
        self.app = app
        self._trusted = settings.trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Correct ``scope["client"]``, and keep whose socket it is as ``scope[PEER]``."""
        if scope["type"] == "http" and self._trusted and scope["client"]:
            address = self._address_of(scope)
            if address != scope["client"][0]:
                scope = {**scope, "client": (address, 0), PEER: scope["client"][0]}
        await self.app(scope, receive, send)

    def _address_of(self, scope: Scope) -> str:
        address: str = scope["client"][0]
        said = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        hops = b",".join(said).decode("latin-1").split(",") if said else []
        for hop in reversed(hops):
            if not self._is_trusted(address):
                break
            try:
                address = str(ipaddress.ip_address(hop.strip()))
            except ValueError:
                break
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own; an IPv4 one may stand inside an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _log(scope: Scope, fault: Exception) -> None:
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    get_logger().error(
        "request failed",
        request=secrets.token_hex(8),
        method=scope["method"],
        error=type(fault).__name__,
        reason=f"{frame.filename.rpartition('/')[2]}:{frame.lineno}",
    )


#: A loopback name with or without a port, as Host and Origin write it.
_LOOPBACK: Final = re.compile(rf"(?:{'|'.join(map(re.escape, LOOPBACK_NAMES))})(?::[0-9]{{1,5}})?".encode())


def _is_too_long(scope: Scope) -> bool:
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return said.isdigit() and int(said) > body_limit(scope["path"])


def _within(receive: Receive, limit: int) -> Receive:
    """Return ``receive`` for a body that did not say its length, or said less: no more of it is taken than may be."""
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413)
        return message

    return counting


def _origin(base_url: str) -> bytes:
    """Return the origin of our pages as browsers write it: without the port that the scheme has anyway."""
    parts = urlsplit(base_url)
    host = min(_hosts(parts.hostname or "", parts.port, parts.scheme), key=len)
    return f"{parts.scheme}://{host}".encode()


def _hosts(name: str, port: int | None, scheme: str) -> set[str]:
    host = f"[{name}]" if ":" in name else name
    usual = {"http": 80, "https": 443}[scheme]
    return {f"{host}:{port or usual}"} | ({host} if (port or usual) == usual else set())
