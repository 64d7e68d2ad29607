"""Checking what Hatthalekha publishes: reports, checkpoints, receipts. One file, for people who do not install us.

Needs Python 3.11 and the package ``cryptography``, and nothing else: it is served and handed out as it stands.

Trees are those of RFC 6962 and RFC 9162 (section 2.1), notes c2sp.org/signed-note, checkpoints
c2sp.org/tlog-checkpoint, receipts c2sp.org/tlog-proof@v1.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

if TYPE_CHECKING:
    from collections.abc import Sequence

ED25519: Final = b"\x01"
KEY_ID_BYTES: Final = 4
HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
PROOF_VERSION: Final = "c2sp.org/tlog-proof@v1"


class NotGenuine(Exception):
    """Something is not what it claims to be; the message is a word that names why."""


# Trees


def hash_leaf(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node above two others."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def is_included(*, leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether ``path`` leads from a leaf to the root of a tree (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf_hash
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = hash_node(each, found)
            while at != 0 and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = hash_node(found, each)
        at, last = at >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found, root)


def is_consistent(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a tree of ``new`` leaves begins with one of ``old`` (RFC 9162, section 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new:
        return False
    hashes = list(proof) if old & (old - 1) else [old_root, *proof]
    if not hashes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found_old = found_new = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            found_old, found_new = hash_node(each, found_old), hash_node(each, found_new)
            while at != 0 and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found_new = hash_node(found_new, each)
        at, last = at >> 1, last >> 1
    return last == 0 and hmac.compare_digest(found_old, old_root) and hmac.compare_digest(found_new, new_root)


def commit(salt: bytes, opening: bytes) -> bytes:
    """Return the entry of the log that stands for ``opening``: without the salt it says nothing."""
    return hmac.new(salt, opening, hashlib.sha256).digest()


# Signed notes


def key_id(name: str, public: bytes) -> bytes:
    """Return the four bytes by which a note names an Ed25519 key."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:KEY_ID_BYTES]


@dataclass(frozen=True)
class Verifier:
    """A public key, and whose it is."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read ``name+id+key`` as it is published. Raises NotGenuine ``key``."""
        name, _, rest = text.strip().partition("+")
        identity, _, key = rest.partition("+")
        data = _decode(key, "key")
        verifier = cls(name, data[1:])
        if not name or data[:1] != ED25519 or len(data) != HASH_BYTES + 1:
            raise NotGenuine("key")
        if identity != key_id(name, verifier.public).hex():
            raise NotGenuine("key")
        return verifier

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Tell whether this key made a signature of ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def open_note(note: str, verifiers: Sequence[Verifier]) -> str:
    """Return the text of a note that at least one of ``verifiers`` signed.

    Raises NotGenuine: ``note`` for what is none, ``signature`` where one of a known key is false or there is none.
    """
    text, blank, rest = note.rpartition("\n\n")
    if not blank or not rest.endswith("\n"):
        raise NotGenuine("note")
    text += "\n"
    known = {(each.name, key_id(each.name, each.public)): each for each in verifiers}
    is_signed = False
    for line in rest.splitlines():
        dash, name, signature = (*line.split(" "), "", "", "")[:3]
        if dash != "—":
            raise NotGenuine("note")
        data = _decode(signature, "note")
        verifier = known.get((name, data[:KEY_ID_BYTES]))
        if verifier is None:
            continue
        if not verifier.has_signed(text, data[KEY_ID_BYTES:]):
            raise NotGenuine("signature")
        is_signed = True
    if not is_signed:
        raise NotGenuine("signature")
    return text


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint says."""

    origin: str
    size: int
    root: bytes


def read_checkpoint(note: str, verifiers: Sequence[Verifier]) -> TreeHead:
    """Open a checkpoint. Raises NotGenuine ``note``, ``signature``, ``checkpoint``."""
    lines = open_note(note, verifiers).splitlines()
    if len(lines) < 3 or not lines[1].isascii() or not lines[1].isdecimal():  # noqa: PLR2004 - origin, size, root
        raise NotGenuine("checkpoint")
    root = _decode(lines[2], "checkpoint")
    if len(root) != HASH_BYTES:
        raise NotGenuine("checkpoint")
    return TreeHead(lines[0], int(lines[1]), root)


def _decode(text: str, what: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (NotBase64, ValueError):
        raise NotGenuine(what) from None
