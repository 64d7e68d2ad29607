"""Cookies: the chosen language, and sealed notes of one length: that this browser signed, or asked to sign in."""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from app.core.keys import NONCE_BYTES

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response

    from app.core.keys import Keyring
    from app.settings import Settings

LOCALE_COOKIE: Final = "hatthalekha_locale"
SIGNING_COOKIE: Final = "hatthalekha_signing"
SECONDS: Final = 24 * 60 * 60  # as long as the code in the letter works
# The longest address that mail allows fits, with room. Sealed it is a multiple of three bytes, so that base64 needs no
# "=", for which a cookie would be put in quotes that not every client gives back.
LENGTH: Final = 449


@dataclass(frozen=True, slots=True)
class SealedCookie:
    """A cookie that only we can read or write. What it says is padded to ``length`` bytes, so that it tells nothing.

    Sealed, ``length`` is to be a multiple of three, less the 28 bytes of nonce and tag: see LENGTH.
    """

    name: str
    length: int
    seconds: int

    def write(self, response: Response, content: list[Any], *, keyring: Keyring, settings: Settings) -> None:
        """Seal ``content`` into the cookie."""
        text = json.dumps(content, ensure_ascii=False).encode()
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + keyring.cookies.encrypt(nonce, text.ljust(self.length), self.name.encode())
        response.set_cookie(
            self.name,
            urlsafe_b64encode(sealed).decode(),
            max_age=self.seconds,
            path="/",
            httponly=True,
            samesite="lax",
            secure=settings.is_secure,
        )

    def read(self, request: Request, *, keyring: Keyring) -> list[Any] | None:
        """Return what was sealed, or None. Who reads it judges its age: browsers keep cookies as they like."""
        try:
            sealed = urlsafe_b64decode(request.cookies.get(self.name, ""))
            text = keyring.cookies.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.name.encode())
        except (ValueError, InvalidTag):
            return None
        content: list[Any] = json.loads(text)
        return content

    def forget(self, response: Response, *, settings: Settings) -> None:
        """Make the browser forget it."""
        response.delete_cookie(self.name, path="/", httponly=True, samesite="lax", secure=settings.is_secure)


@dataclass(frozen=True, slots=True)
class SigningNote:
    """What the browser that signed knows: which form it sent, to what address, and whether it confirmed it."""

    campaign_id: UUID
    signature_id: UUID
    email: str
    is_confirmed: bool = False


def write_signing_cookie(
    response: Response, note: SigningNote, *, keyring: Keyring, settings: Settings, now: datetime
) -> None:
    """Seal ``note`` into the cookie."""
    content = [note.campaign_id.hex, note.signature_id.hex, int(now.timestamp()), int(note.is_confirmed), note.email]
    cookie = SealedCookie(SIGNING_COOKIE, LENGTH, SECONDS)
    cookie.write(response, content, keyring=keyring, settings=settings)


def read_signing_cookie(request: Request, *, keyring: Keyring, now: datetime) -> SigningNote | None:
    """Return what the cookie says, or None for none, an old one, or one that was not sealed here."""
    content = SealedCookie(SIGNING_COOKIE, LENGTH, SECONDS).read(request, keyring=keyring)
    if content is None:
        return None
    campaign_id, signature_id, written_at, is_confirmed, email = content
    if now.timestamp() - written_at > SECONDS:
        return None
    return SigningNote(UUID(campaign_id), UUID(signature_id), email, bool(is_confirmed))


def forget_signing_cookie(response: Response, *, settings: Settings) -> None:
    """Make the browser forget that anybody signed here."""
    SealedCookie(SIGNING_COOKIE, LENGTH, SECONDS).forget(response, settings=settings)


def write_locale_cookie(response: Response, locale: str, *, settings: Settings) -> None:
    """Remember the language for links that carry none."""
    response.set_cookie(
        LOCALE_COOKIE,
        locale,
        max_age=31536000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.is_secure,
    )
