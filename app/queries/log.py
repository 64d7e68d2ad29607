"""The transparency log as anyone may read it: checkpoints, tiles and proofs; and what a signer's receipt is made of.

Campaigns that never opened have no log, and for a door there is none: these return None. What stopped keeps its own.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.core.keys import SealBrokenError
from app.models import Campaign, Checkpoint, Edition, LogLeaf, LogTile, Signature, open_campaign_key
from app.proofs.merkle import ENTRIES, HASH_BYTES, NoSuchProof, prove_consistency, prove_inclusion
from app.proofs.notes import NoteSigner, write_proof
from app.proofs.verifying import NotGenuine, Verifier, open_note
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.proofs.merkle import ReadTile

_OPENED: Final = PUBLIC_STATES - {"scheduled"}
ENTRY_LENGTH: Final = HASH_BYTES.to_bytes(2)


# Names


def name_origin(host: str, slug: str, tree: str) -> str:
    """Return what a tree is called: where it is served, without the scheme."""
    return f"{host}/api/v1/campaigns/{slug}/log/{tree}"


def list_signers(keyring: Keyring, *, host: str) -> list[NoteSigner]:
    """Return who signs today, the newest first."""
    return [NoteSigner(host, seed) for seed in keyring.signing_seeds]


def list_published(keyring: Keyring, *, host: str) -> list[NoteSigner]:
    """Return everybody who has ever signed, the newest first: what they signed is to be checked for ever."""
    return [NoteSigner(host, seed) for seed in keyring.published_seeds]


def is_log_ours(session: Session, *, keyring: Keyring) -> bool:
    """Tell whether a published key signed the newest checkpoint: not so where KEYS_DIR has lost its signing keys.

    Under whatever name it was signed: that follows the host, which may have changed since.
    """
    note = session.scalar(select(Checkpoint.signed_note).order_by(Checkpoint.made_at.desc()).limit(1))
    if note is None:
        return True
    names = {line.split(" ")[1] for line in note.rpartition("\n\n")[2].splitlines()}
    signers = [each for name in names for each in list_published(keyring, host=name)]
    try:
        open_note(note, [Verifier(each.name, each.public) for each in signers])
    except NotGenuine:
        return False
    return True


def write_opening(*, campaign: str, edition: str, locale: str, signature_id: UUID, tree: str) -> bytes:
    """Return what a leaf commits to, as canonical JSON: sorted keys, no space, UTF-8."""
    data = {"campaign": campaign, "edition": edition, "locale": locale, "signature": signature_id.hex, "tree": tree}
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# Checkpoints


@dataclass(frozen=True, slots=True)
class PublishedCheckpoint:
    """Both trees at one moment; ``notes`` are the signed ones by tree, ``signatures`` what was counted up to it."""

    id: UUID
    number: int
    made_at: datetime
    signatures: int
    sizes: dict[str, int]
    notes: dict[str, str]


def find_latest_checkpoint(session: Session, *, campaign_id: UUID) -> PublishedCheckpoint | None:
    """Return a campaign's latest checkpoint, or None before its first."""
    row = session.scalars(
        select(Checkpoint).where(Checkpoint.campaign_id == campaign_id).order_by(Checkpoint.number.desc()).limit(1)
    ).first()
    return None if row is None else publish(row)


def find_public_checkpoint(session: Session, *, slug: str) -> PublishedCheckpoint | None:
    """Return the latest checkpoint of a campaign that has opened, or None before its first."""
    campaign_id = _find_campaign(session, slug)
    return None if campaign_id is None else find_latest_checkpoint(session, campaign_id=campaign_id)


def list_checkpoints(
    session: Session, *, slug: str, before: int | None, limit: int
) -> list[PublishedCheckpoint] | None:
    """Return checkpoints of a campaign, the newest first, those under the number ``before`` where there is one."""
    campaign_id = _find_campaign(session, slug)
    if campaign_id is None:
        return None
    statement = select(Checkpoint).where(Checkpoint.campaign_id == campaign_id)
    if before is not None:
        statement = statement.where(Checkpoint.number < before)
    return [publish(row) for row in session.scalars(statement.order_by(Checkpoint.number.desc()).limit(limit))]


def publish(row: Checkpoint) -> PublishedCheckpoint:
    """Return a checkpoint as it is published."""
    return PublishedCheckpoint(
        row.id,
        row.number,
        row.made_at,
        row.signatures,
        {"signed": row.signed_size, "removed": row.removed_size},
        {"signed": row.signed_note, "removed": row.removed_note},
    )


# Tiles and proofs


def read_tiles(session: Session, *, campaign_id: UUID, tree: str) -> ReadTile:
    """Return a function that reads tiles, each once; b"" for one that is not there."""
    known: dict[tuple[int, int], bytes] = {}

    def read(level: int, number: int) -> bytes:
        if (level, number) not in known:
            found = session.scalar(
                select(LogTile.hashes).where(
                    LogTile.campaign_id == campaign_id,
                    LogTile.tree == tree,
                    LogTile.level == level,
                    LogTile.number == number,
                )
            )
            known[level, number] = found or b""
        return known[level, number]

    return read


def find_tile(session: Session, *, slug: str, tree: str, level: int, number: int, width: int) -> bytes | None:
    """Return the first ``width`` hashes of a tile, or None where there are not so many."""
    campaign_id = _find_campaign(session, slug)
    if campaign_id is None:
        return None
    tile = read_tiles(session, campaign_id=campaign_id, tree=tree)(level, number)
    return tile[: width * HASH_BYTES] if width * HASH_BYTES <= len(tile) else None


def find_entries(session: Session, *, slug: str, tree: str, number: int, width: int) -> bytes | None:
    """Return the first ``width`` entries of a tile, each after its length, or None where there are not so many."""
    entries = find_tile(session, slug=slug, tree=tree, level=ENTRIES, number=number, width=width)
    if entries is None:
        return None
    starts = range(0, len(entries), HASH_BYTES)
    return b"".join(ENTRY_LENGTH + entries[start : start + HASH_BYTES] for start in starts)


def find_inclusion(session: Session, *, slug: str, tree: str, index: int, size: int) -> list[bytes] | None:
    """Return the proof that a leaf is in the first ``size`` ones, or None where no checkpoint has so many."""
    return _prove(session, slug, tree, size, lambda read: prove_inclusion(read, index=index, size=size))


def find_consistency(session: Session, *, slug: str, tree: str, old: int, new: int) -> list[bytes] | None:
    """Return the proof that ``new`` leaves begin with ``old`` ones, or None where no checkpoint has so many."""
    return _prove(session, slug, tree, new, lambda read: prove_consistency(read, old=old, new=new))


def _prove(
    session: Session, slug: str, tree: str, size: int, prove: Callable[[ReadTile], list[bytes]]
) -> list[bytes] | None:
    campaign_id = _find_campaign(session, slug)
    checkpoint = None if campaign_id is None else find_latest_checkpoint(session, campaign_id=campaign_id)
    if campaign_id is None or checkpoint is None or size > checkpoint.sizes[tree]:
        return None
    try:
        return prove(read_tiles(session, campaign_id=campaign_id, tree=tree))
    except NoSuchProof:
        return None


# Receipts


@dataclass(frozen=True, slots=True)
class Receipt:
    """What shows a signer that the signature is in the log: evidence, which can be forced from a person."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    salt: bytes
    opening: bytes

    @property
    def text(self) -> str:
        """The receipt (c2sp.org/tlog-proof@v1); what it adds is JSON with the salt and what the leaf commits to."""
        extra = {"opening": json.loads(self.opening), "salt": self.salt.hex()}
        written = json.dumps(extra, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        return write_proof(index=self.index, path=self.path, checkpoint=self.checkpoint, extra=written)


def find_receipt(session: Session, *, signature_id: UUID, keyring: Keyring) -> Receipt | None:
    """Return the receipt of a signature's newest leaf of ``signed``; None before it has one, and once it is erased.

    A signature that was taken out since keeps it: nobody is to learn from a receipt how we stand to a signature.
    """
    row = session.execute(
        select(LogLeaf.position, LogLeaf.salt, Signature.campaign_id, Signature.locale, Campaign.slug, Edition.hash)
        .join(Signature, Signature.id == LogLeaf.signature_id)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .join(Edition, Edition.id == Signature.edition_id)
        .where(LogLeaf.signature_id == signature_id, LogLeaf.tree == "signed")
        .order_by(LogLeaf.position.desc())
        .limit(1)
    ).first()
    if row is None or row.salt is None:
        return None
    salt = _open_salt(open_campaign_key(session, campaign_id=row.campaign_id, keyring=keyring), signature_id, row.salt)
    checkpoint = find_latest_checkpoint(session, campaign_id=row.campaign_id)
    if salt is None or checkpoint is None:
        return None
    read = read_tiles(session, campaign_id=row.campaign_id, tree="signed")
    path = prove_inclusion(read, index=row.position, size=checkpoint.sizes["signed"])
    opening = write_opening(
        campaign=row.slug, edition=row.hash, locale=row.locale, signature_id=signature_id, tree="signed"
    )
    return Receipt(row.position, tuple(path), checkpoint.notes["signed"], salt, opening)


def _open_salt(key: DataKey | None, signature_id: UUID, sealed: bytes) -> bytes | None:
    """Return the salt of a leaf, or None once the key it was sealed with is destroyed."""
    try:
        return None if key is None else bytes.fromhex(key.open("log_leaves.salt", signature_id, sealed))
    except SealBrokenError:
        return None


def _find_campaign(session: Session, slug: str) -> UUID | None:
    return session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(_OPENED)))
