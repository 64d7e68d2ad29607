"""Proof of work: a riddle for a browser, while a campaign is under attack.

ALTCHA's second protocol, by its own library: the browser looks for the number whose derived key (PBKDF2, which browsers
compute as fast as anybody's program does) begins as the signed riddle says. Here the number is drawn beforehand, so
that finding it takes about as long each time, and checking it costs one HMAC. What the library leaves to its users
is done here: a riddle is for one campaign, for ten minutes, for once; and what is too long is not even read.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import JSONResponse
from starlette.routing import Route

from app.actions.limiting import use_challenge
from app.core.clock import utc_now
from app.core.keys import keyed_hash
from app.web.public import views

if TYPE_CHECKING:
    from uuid import UUID

    from starlette.requests import Request
    from starlette.responses import Response

    from app.core.keys import Keyring
    from app.web.house import House

VALID_FOR: Final = timedelta(minutes=10)
ALGORITHM: Final = "PBKDF2/SHA-256"
#: About a second on a cheap telephone (docs/decisions/0014-limits.md): rounds of each try, and how many tries.
ROUNDS: Final = 1000
FEWEST_TRIES, MOST_TRIES = 200, 400
#: Ours has 730 characters.
LONGEST: Final = 2048


class Proof:
    """Routes of this part of the public pages."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [Route("/{locale}/campaigns/{slug}/proof", self.ask, methods=["GET"])]

    async def ask(self, request: Request) -> Response:
        """Give a new riddle. Nothing is kept of it until it comes back."""
        views.locale_of(request)
        shelved = await views.find_shelved(self._house, request)
        riddle = make_challenge(self._house.keyring, shelved.campaign.id, utc_now())
        return JSONResponse(riddle, headers={"Cache-Control": "no-store"})


def make_challenge(keyring: Keyring, campaign_id: UUID, now: datetime) -> dict[str, Any]:
    """Return a riddle for who signs a campaign, as the browser takes it."""
    import altcha  # where there is no attack it is not needed

    challenge = altcha.create_challenge(
        ALGORITHM,
        ROUNDS,
        counter=FEWEST_TRIES + secrets.randbelow(MOST_TRIES - FEWEST_TRIES),
        expires_at=now + VALID_FOR,
        hmac_secret=_secret(keyring, campaign_id, b"challenge"),
        hmac_key_secret=_secret(keyring, campaign_id, b"key"),
    )
    made: dict[str, Any] = challenge.to_dict()
    return made


async def check_proof(house: House, campaign_id: UUID, payload: str, now: datetime) -> bool:
    """Tell whether ``payload`` solves a riddle of this campaign, in time and for the first time; it is used up then."""
    if not payload or len(payload) > LONGEST:
        return False
    checked = _check(house.keyring, campaign_id, payload, now)
    if checked is None:
        return False
    mark, expires_at = checked
    return await house.database.write(use_challenge, hash=mark, expires_at=expires_at)


def _check(keyring: Keyring, campaign_id: UUID, payload: str, now: datetime) -> tuple[bytes, datetime] | None:
    """Return what stands for the riddle, however its solution is written, and when it expires; None for a wrong one."""
    import altcha

    try:
        read = json.loads(base64.b64decode(payload, validate=True))
        # Its signature: one of ours has no other, and the text around it can be written in a hundred ways.
        signature = read["challenge"]["signature"]
        expires_at = read["challenge"]["parameters"]["expiresAt"]
        if type(signature) is not str or type(expires_at) is not int or expires_at <= now.timestamp():
            return None
        result = altcha.verify_solution(
            altcha.Payload.from_dict(read),
            _secret(keyring, campaign_id, b"challenge"),
            hmac_key_secret=_secret(keyring, campaign_id, b"key"),
        )
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None
    if not result.verified:
        return None
    # Signed by us, so these are what we once wrote.
    mark = keyed_hash(keyring.proofs, b"used", campaign_id.bytes, signature.encode())
    return mark, datetime.fromtimestamp(expires_at, UTC)


def _secret(keyring: Keyring, campaign_id: UUID, purpose: bytes) -> bytes:
    # A key for each campaign: what was signed for one is noise for another.
    return keyed_hash(keyring.proofs, purpose, campaign_id.bytes)
