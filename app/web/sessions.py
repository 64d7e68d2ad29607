"""Who is signed in: the session's cookie, the token that their forms carry, and what both doors behind it share."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

from starlette.exceptions import HTTPException

from app.actions.accounts import SESSION_LASTS, hash_secret
from app.actions.signing_in import Device
from app.core.keys import keyed_hash
from app.queries.accounts import find_signed_in
from app.web.cookies import SealedCookie

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from app.queries.accounts import SignedIn
    from app.settings import Settings
    from app.web.forms import Form
    from app.web.house import House

FORM_TOKEN: Final = "form_token"  # noqa: S105 - a field's name
#: For how long after proving who one is grave steps ask nothing more.
PROOF_LASTS: Final = timedelta(minutes=10)
#: That an account was signed in here, until it signs out: its letters do not run out because others ask for some.
DEVICE_COOKIE: Final = SealedCookie("hatthalekha_device", 74, 365 * 24 * 60 * 60)


def session_cookie(settings: Settings) -> str:
    """Return the cookie's name; over https, one that no other host and no plain connection can set."""
    return "__Host-hatthalekha_session" if settings.is_secure else "hatthalekha_session"


def new_secret() -> str:
    """Return 256 random bits for a session's cookie."""
    return secrets.token_urlsafe(32)


def write_session_cookies(response: Response, secret: str, account_id: UUID, house: House) -> None:
    """Keep a session's secret in the browser, and whose browser it is, for when the session has ended by itself."""
    settings = house.settings
    response.set_cookie(
        session_cookie(settings),
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.is_secure,
    )
    DEVICE_COOKIE.write(response, [uuid4().hex, account_id.hex], keyring=house.keyring, settings=settings)


def forget_session_cookies(response: Response, settings: Settings) -> None:
    """Make the browser forget both."""
    DEVICE_COOKIE.forget(response, settings=settings)
    response.delete_cookie(session_cookie(settings), path="/", httponly=True, samesite="lax", secure=settings.is_secure)


async def find_visitor(house: House, request: Request, now: datetime) -> SignedIn | None:
    """Return who is signed in, or None."""
    secret = request.cookies.get(session_cookie(house.settings), "")
    if not secret:
        return None
    return await house.database.read(find_signed_in, secret_hash=hash_secret(secret), keyring=house.keyring, now=now)


def find_device(house: House, request: Request) -> Device | None:
    """Return whose browser this was when it was last signed in, or None."""
    content = DEVICE_COOKIE.read(request, keyring=house.keyring)
    return None if content is None else Device(*map(UUID, content))


@dataclass(frozen=True, slots=True)
class FormGuard:
    """Makes and checks the token that a form behind a sign-in carries: it belongs to one session."""

    key: bytes
    signed_in: SignedIn

    @property
    def token(self) -> str:
        """The token for this session's forms."""
        return urlsafe_b64encode(keyed_hash(self.key, self.signed_in.session_id.bytes)[:24]).decode()

    def check(self, form: Form) -> None:
        """Raise HTTPException 403 for a form that this session was not shown."""
        if not hmac.compare_digest(form.text(FORM_TOKEN).encode(), self.token.encode()):
            raise HTTPException(403)


def is_proven(signed_in: SignedIn, now: datetime) -> bool:
    """Tell whether this person proved who they are recently enough for a grave step."""
    return now - signed_in.proven_at < PROOF_LASTS
