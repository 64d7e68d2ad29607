"""Tokens in links and codes in letters: made from the letter they belong to, stored only as hashes.

A token is HMAC-SHA256 of its purpose and its letter's row with a key outside the database, so that sending a letter
again sends the same letter, while nobody who reads the database can make or find a link.
"""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Final, Literal

from app.core.keys import keyed_hash

if TYPE_CHECKING:
    from uuid import UUID

Purpose = Literal[
    "confirm", "manage", "sign_in", "invitation", "support", "sponsor", "unsubscribe", "renew", "office",
    "endorse", "endorsement", "preview",
]  # fmt: skip
TOKEN_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")
CODE_DIGITS: Final = 6


def make_token(key: bytes, purpose: Purpose, letter: UUID) -> str:
    """Return the token of ``letter`` for ``purpose``: 256 bits as 43 characters of base64url."""
    return urlsafe_b64encode(keyed_hash(key, purpose.encode(), letter.bytes)).rstrip(b"=").decode()


def hash_token(purpose: Purpose, token: str) -> bytes:
    """Return what the database keeps of a token; another purpose gives another hash."""
    return hashlib.sha256(f"{purpose}:{token}".encode()).digest()


def make_code(key: bytes, letter: UUID) -> str:
    """Return the six digits of ``letter``."""
    number = int.from_bytes(keyed_hash(key, b"code", letter.bytes)) % 10**CODE_DIGITS
    return f"{number:0{CODE_DIGITS}}"


def hash_code(key: bytes, owner: UUID, code: str) -> bytes:
    """Return what the database keeps of a code for a signature or a request: keyed, since a million are soon tried."""
    return keyed_hash(key, b"code-hash", owner.bytes, code.encode())
