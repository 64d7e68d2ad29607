"""Append-only trees (RFC 6962, section 2.1), kept in tiles as c2sp.org/tlog-tiles numbers them.

A tile holds up to 256 consecutive hashes of one level: at level 0 those of leaves, above it those of full tiles below.
Level −1 holds the entries themselves, which are 32 bytes each in our logs. Nothing here reads or writes a database:
tiles come from a function, and what grew is returned.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from app.proofs.verifying import EMPTY_ROOT, hash_leaf, hash_node

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    #: Returns the hashes of a tile by its level and number, one after another.
    ReadTile = Callable[[int, int], bytes]

HASH_BYTES: Final = 32
TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 2**TILE_HEIGHT
#: Where the entries are kept.
ENTRIES: Final = -1


class NoSuchProof(Exception):
    """The tree never had this size, or the leaf."""


def grow(size: int, edge: Mapping[int, bytes], entries: Iterable[bytes]) -> dict[tuple[int, int], bytes]:
    """Return the tiles that change when ``entries`` are appended to a tree of ``size``, by level and number.

    ``edge`` are the hashes of the last tile of each level, where it is not full.
    """
    changed: dict[tuple[int, int], bytes] = {}
    waiting = defaultdict(bytes, edge)
    counts = defaultdict(int, {level: size // TILE_WIDTH ** max(level, 0) for level in range(ENTRIES, TILE_HEIGHT)})

    def push(level: int, value: bytes) -> None:
        tile = waiting[level] + value
        changed[level, counts[level] // TILE_WIDTH] = tile
        counts[level] += 1
        is_full = len(tile) == TILE_WIDTH * HASH_BYTES
        waiting[level] = b"" if is_full else tile
        if is_full and level != ENTRIES:
            push(level + 1, _hash_tile(tile))

    for entry in entries:
        if len(entry) != HASH_BYTES:
            raise ValueError(entry)
        push(ENTRIES, entry)
        push(0, hash_leaf(entry))
    return changed


def compute_root(read_tile: ReadTile, size: int) -> bytes:
    """Return the root hash of the first ``size`` leaves."""
    return _hash_range(read_tile, 0, size) if size else EMPTY_ROOT


def prove_inclusion(read_tile: ReadTile, *, index: int, size: int) -> list[bytes]:
    """Return the hashes that lead from a leaf to the root of the first ``size`` leaves. Raises NoSuchProof."""
    if not 0 <= index < size:
        raise NoSuchProof
    return _path(read_tile, index, 0, size)


def prove_consistency(read_tile: ReadTile, *, old: int, new: int) -> list[bytes]:
    """Return the hashes that show the first ``old`` leaves to be those of the first ``new``. Raises NoSuchProof."""
    if not 0 <= old <= new:
        raise NoSuchProof
    return [] if old in {0, new} else _subproof(read_tile, old, 0, new, is_whole=True)


def _hash_tile(tile: bytes) -> bytes:
    level = [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]
    while len(level) > 1:
        level = [hash_node(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def _hash_range(read_tile: ReadTile, start: int, end: int) -> bytes:
    """Return the hash of leaves ``start`` to ``end``: a whole subtree is in one tile, any other is split."""
    width = end - start
    if width & (width - 1) == 0:
        level, within = divmod(width.bit_length() - 1, TILE_HEIGHT)
        number, at = divmod(start // TILE_WIDTH**level, TILE_WIDTH)
        hashes = read_tile(level, number)[at * HASH_BYTES : (at + 2**within) * HASH_BYTES]
        return _hash_tile(hashes)
    middle = start + _split(width)
    return hash_node(_hash_range(read_tile, start, middle), _hash_range(read_tile, middle, end))


def _path(read_tile: ReadTile, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(read_tile, index, start, middle), _hash_range(read_tile, middle, end)]
    return [*_path(read_tile, index, middle, end), _hash_range(read_tile, start, middle)]


def _subproof(read_tile: ReadTile, old: int, start: int, end: int, *, is_whole: bool) -> list[bytes]:
    if old == end:
        return [] if is_whole else [_hash_range(read_tile, start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [*_subproof(read_tile, old, start, middle, is_whole=is_whole), _hash_range(read_tile, middle, end)]
    return [*_subproof(read_tile, old, middle, end, is_whole=False), _hash_range(read_tile, start, middle)]


def _split(width: int) -> int:
    """Return the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1
