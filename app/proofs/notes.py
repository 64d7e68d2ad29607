"""Writing signed notes (c2sp.org/signed-note, Ed25519) and checkpoints. Reading them is app/proofs/verifying.py."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.proofs.verifying import ED25519, key_id

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class NoteSigner:
    """A key that signs notes, under a name that says whose it is: an address without its scheme."""

    name: str
    seed: bytes

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    @property
    def verifier(self) -> str:
        """What others are given to check with: name, key id in hexadecimal, type and public key in base64."""
        identity = key_id(self.name, self.public)
        return f"{self.name}+{identity.hex()}+{b64encode(ED25519 + self.public).decode()}"

    def sign(self, text: str) -> str:
        """Return the line of a note that signs its text."""
        signature = key_id(self.name, self.public) + self._key.sign(text.encode())
        return f"— {self.name} {b64encode(signature).decode()}\n"

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def write_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """Return ``text``, which ends with a newline, signed by each of ``signers``."""
    if not text.endswith("\n") or any(ord(sign) < ord(" ") and sign != "\n" for sign in text):
        raise ValueError(text)
    return text + "\n" + "".join(signer.sign(text) for signer in signers)


def write_checkpoint(origin: str, size: int, root: bytes, signers: Sequence[NoteSigner]) -> str:
    """Return a checkpoint (c2sp.org/tlog-checkpoint): where the tree called ``origin`` stands."""
    return write_note(f"{origin}\n{size}\n{b64encode(root).decode()}\n", signers)


def write_proof(*, index: int, path: Sequence[bytes], checkpoint: str, extra: bytes) -> str:
    """Return a proof (c2sp.org/tlog-proof@v1) that the leaf at ``index`` is in the tree of ``checkpoint``."""
    lines = ["c2sp.org/tlog-proof@v1", f"extra {b64encode(extra).decode()}", f"index {index}"]
    lines += [b64encode(each).decode() for each in path]
    return "\n".join(lines) + "\n\n" + checkpoint
