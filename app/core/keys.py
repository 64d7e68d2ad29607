"""Keys that lie outside the database, and what is encrypted and indexed with them.

``KEYS_DIR`` holds root keys, ``root-0001.key`` and later ones; the newest wraps and derives, the others still open what
they closed. It holds signing keys, too, ``signing-0001.key`` and later ones (seeds of Ed25519), for what is published:
the newest two sign, so that whoever knows only the older one can go on checking.

Each campaign has a data key of its own, kept in the database wrapped by a root key: destroying that row destroys what
the campaign knew of people. The primitives: AES-256-GCM with a random 96-bit nonce, HMAC-SHA256, HKDF-SHA256.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
ROOT_NAME: Final = re.compile(r"root-(\d{4})\.key")
SIGNING_NAME: Final = re.compile(r"signing-(\d{4})\.key")
#: How many signing keys sign side by side.
SIGNING_OVERLAP: Final = 2


class KeysUnusableError(Exception):
    """The keys cannot be read or made; the message says which and why, never what is in them."""


class SealBrokenError(Exception):
    """A ciphertext was changed, moved to another place, or closed with another key."""


def derive(key: bytes, purpose: str) -> bytes:
    """Return a key of 32 bytes for one purpose (HKDF-Expand of a uniformly random key)."""
    return HKDFExpand(SHA256(), KEY_BYTES, purpose.encode()).derive(key)


def keyed_hash(key: bytes, *parts: bytes) -> bytes:
    """Return HMAC-SHA256 over ``parts``, each preceded by its length so that no two lists read alike."""
    return _finish(HMAC(key, SHA256()), parts)


def _finish(begun: HMAC, parts: tuple[bytes, ...]) -> bytes:
    # Not the standard library's: it lets go of the interpreter for every hash, however short, and where another thread
    # is busy that costs a hundred times the hashing.
    begun.update(b"".join([len(part).to_bytes(4) + part for part in parts]))
    return begun.finalize()


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it."""

    root_version: int
    sealed: bytes


class DataKey:
    """Encrypts the fields of one owner, a campaign or the accounts, and makes their indexes."""

    def __init__(self, owner_id: UUID, version: int, key: bytes) -> None:
        """Take the owner's unwrapped data key; ``version`` goes into every ciphertext's context."""
        self._context = owner_id.bytes + version.to_bytes(2)
        self._cipher = AESGCM(derive(key, "fields"))
        self._index = HMAC(derive(key, "index"), SHA256())

    def seal(self, place: str, row: UUID, text: str) -> bytes:
        """Encrypt ``text`` for ``place`` ("table.column") of ``row``."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), self._bind(place, row))

    def open(self, place: str, row: UUID, sealed: bytes) -> str:
        """Decrypt what ``seal`` made for the same place and row; SealBrokenError otherwise."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bind(place, row)).decode()
        except (InvalidTag, ValueError):  # ValueError: cut so short that not even its nonce is left
            raise SealBrokenError(place) from None

    def index(self, purpose: str, text: str) -> bytes:
        """Return a value that is equal for equal texts for this owner and purpose, and noise without the key."""
        return _finish(self._index.copy(), (purpose.encode(), text.encode()))

    def _bind(self, place: str, row: UUID) -> bytes:
        return self._context + row.bytes + place.encode()


class Keyring:
    """The root keys of this installation and everything derived from them."""

    def __init__(self, roots: dict[int, bytes], signing: dict[int, bytes]) -> None:
        """Take root keys and seeds of signing keys by version, at least one of each."""
        self._roots = roots
        self._signing = signing
        self.version = max(roots)
        self._unwrap = lru_cache(maxsize=256)(self._unwrap_now)

    @cached_property
    def tokens(self) -> bytes:
        """Key of the tokens in links."""
        return derive(self._roots[self.version], "tokens")

    @cached_property
    def codes(self) -> bytes:
        """Key of the six-digit codes."""
        return derive(self._roots[self.version], "codes")

    @cached_property
    def quotas(self) -> bytes:
        """Key that, with a salt destroyed after 48 hours, hides who got how many letters."""
        return derive(self._roots[self.version], "quotas")

    @cached_property
    def forms(self) -> bytes:
        """Key of the tokens in forms behind a sign-in."""
        return derive(self._roots[self.version], "forms")

    @cached_property
    def marks(self) -> bytes:
        """Key of the marks in public forms: when a form was made, and since when somebody waits."""
        return derive(self._roots[self.version], "marks")

    @cached_property
    def limits(self) -> bytes:
        """Key that, with a salt destroyed after 48 hours, hides how many forms came from where."""
        return derive(self._roots[self.version], "limits")

    @cached_property
    def proofs(self) -> bytes:
        """Key that signs proofs of work."""
        return derive(self._roots[self.version], "proofs")

    @cached_property
    def bounces(self) -> bytes:
        """Key of the mark in the addresses that delivery reports come back to."""
        return derive(self._roots[self.version], "bounces")

    @property
    def published_seeds(self) -> tuple[bytes, ...]:
        """Seeds of all signing keys, the newest first: what they signed is to be checked for ever."""
        return tuple(self._signing[version] for version in sorted(self._signing, reverse=True))

    @property
    def signing_seeds(self) -> tuple[bytes, ...]:
        """Seeds of the keys that sign today, the newest first."""
        return self.published_seeds[:SIGNING_OVERLAP]

    @cached_property
    def cookies(self) -> AESGCM:
        """Cipher of sealed cookies."""
        return AESGCM(derive(self._roots[self.version], "cookies"))

    def new_data_key(self, owner_id: UUID) -> WrappedKey:
        """Make a data key, wrapped for the database."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._wrapper(self.version).encrypt(nonce, secrets.token_bytes(KEY_BYTES), owner_id.bytes)
        return WrappedKey(self.version, nonce + sealed)

    def data_key(self, owner_id: UUID, version: int, wrapped: WrappedKey) -> DataKey:
        """Unwrap a data key. Raises SealBrokenError where it is another's, KeysUnusableError without its root."""
        return self._unwrap(owner_id, version, wrapped)

    def _unwrap_now(self, owner_id: UUID, version: int, wrapped: WrappedKey) -> DataKey:
        nonce, sealed = wrapped.sealed[:NONCE_BYTES], wrapped.sealed[NONCE_BYTES:]
        try:
            key = self._wrapper(wrapped.root_version).decrypt(nonce, sealed, owner_id.bytes)
        except (InvalidTag, ValueError):
            raise SealBrokenError("data key") from None
        return DataKey(owner_id, version, key)

    def _wrapper(self, version: int) -> AESGCM:
        if version not in self._roots:
            raise KeysUnusableError(f"root key {version:04} is not in KEYS_DIR")
        return AESGCM(derive(self._roots[version], "wrap"))


def open_keyring(folder: Path) -> Keyring:
    """Read the keys in ``folder``, making the first of each kind where there is none. Raises KeysUnusableError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        roots, signing = (_read_keys(folder, name) for name in (ROOT_NAME, SIGNING_NAME))
    except OSError as fault:
        raise KeysUnusableError(f"KEYS_DIR {folder}: {fault.strerror}") from None
    return Keyring(roots, signing)


def add_signing_key(folder: Path) -> int:
    """Make the next signing key and return its version; processes use it from their next start on."""
    keys = open_keyring(folder)
    version = max(keys._signing) + 1  # noqa: SLF001 - of this module
    _make_key(folder, f"signing-{version:04}.key")
    return version


def _read_keys(folder: Path, pattern: re.Pattern[str]) -> dict[int, bytes]:
    if not any(pattern.fullmatch(entry.name) for entry in folder.iterdir()):
        _make_key(folder, pattern.pattern.replace(r"(\d{4})\.", "0001."))
    keys = {int(match[1]): entry.read_bytes() for entry in folder.iterdir() if (match := pattern.fullmatch(entry.name))}
    for version, key in keys.items():
        if len(key) != KEY_BYTES:
            name = pattern.pattern.replace(r"(\d{4})\.", f"{version:04}.")
            raise KeysUnusableError(f"KEYS_DIR {folder}: {name} holds {len(key)} bytes and not {KEY_BYTES}")
    return keys


def _make_key(folder: Path, name: str) -> None:
    # Two processes may start at once: a link appears whole or not at all, and only one of them makes it.
    draft = folder / f".{secrets.token_hex(8)}"
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    try:
        os.link(draft, folder / name)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    # What the key seals is on disk with the next commit; its own name must be there before.
    entries = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(entries)
    finally:
        os.close(entries)
