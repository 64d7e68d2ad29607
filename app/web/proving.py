"""Proving who one is: what an account can prove it with, and the page that asks before a grave step."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.actions.second_step import Party
from app.queries.accounts import find_second_step
from app.web.cookies import SealedCookie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from app.i18n import Message
    from app.settings import Settings
    from app.web.gate import Visit

#: The only addresses that signing in or proving sends anybody on to.
OWN_PATH: Final = re.compile(r"/(?:km|en|fr)/(?:workspace|moderation|office)(?:/[A-Za-z0-9_-]+)*")
OWN_PATH_LENGTH: Final = 300
#: Fields of the page that asks; all others are those of the form that waits.
PREFIX: Final = "proof_"
FIFTEEN_MINUTES: Final = 15 * 60
#: Which letter's code somebody who is signed in is to type.
PROOF_COOKIE: Final = SealedCookie("hatthalekha_proof", 116, FIFTEEN_MINUTES)


def own_path(typed: str) -> str | None:
    """Return an address of ours behind the sign-in, or None for anything else."""
    return typed if len(typed) <= OWN_PATH_LENGTH and OWN_PATH.fullmatch(typed) else None


def find_party(request: Request, settings: Settings) -> Party | None:
    """Return whom passkeys are made for, or None where they cannot work: a number is no name of a host.

    While BASE_URL is this machine, so is whatever loopback name the request came to.
    """
    parts = urlsplit(settings.base_url)
    origin = settings.base_url
    if settings.is_local:
        parts = urlsplit(f"{parts.scheme}://{request.headers['host']}")
        origin = f"{parts.scheme}://{parts.netloc}"
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Party(host, origin)
    return None


async def show_proof(
    visit: Visit,
    *,
    action: str | None,
    fields: Sequence[tuple[str, str]],
    status_code: int = 200,
    error: tuple[str, Message] | None = None,
    is_letter_sent: bool = False,
) -> Response:
    """Ask to prove who one is. The form that was posted waits in the page, and is sent again from it."""
    step = await visit.house.database.read(find_second_step, account_id=visit.signed_in.account_id)
    return visit.show(
        "workspace/prove.html",
        status_code=status_code,
        path="/workspace/prove",
        action=action,
        fields=[(name, value) for name, value in fields if name != "form_token" and not name.startswith(PREFIX)],
        step=step,
        has_passkey=bool(step.passkeys) and find_party(visit.request, visit.house.settings) is not None,
        error=None if error is None else (error[0], error[1].say(visit.locale)),
        is_letter_sent=is_letter_sent,
    )
