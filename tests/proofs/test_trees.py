"""Trees: the published vectors of RFC 6962, the plain definition, and another implementation."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.proofs.merkle import (
    ENTRIES,
    HASH_BYTES,
    TILE_WIDTH,
    NoSuchProof,
    compute_root,
    grow,
    prove_consistency,
    prove_inclusion,
)
from app.proofs.notes import NoteSigner, write_checkpoint
from app.proofs.verifying import (
    EMPTY_ROOT,
    Verifier,
    hash_leaf,
    hash_node,
    is_consistent,
    is_included,
    read_checkpoint,
)
from tests.proofs.logs import Tree
from tests.proofs.test_notes import PETERS_SEED

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The leaves with which Certificate Transparency's own tests try a tree (google/certificate-transparency, merkletree).
LEAVES: Final = [
    bytes.fromhex(each)
    for each in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS: Final = [
    bytes.fromhex(each)
    for each in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
#: Their inclusion proofs (index, size, path) and consistency proofs (old, new, proof).
INCLUSIONS: Final = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCIES: Final = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def plain_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root as RFC 6962 defines it, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return hashlib.sha256(b"\x01" + plain_root(leaves[:middle]) + plain_root(leaves[middle:])).digest()


def read_published(level: int, number: int) -> bytes:
    """Return the one tile of the published leaves, whose entries are not 32 bytes long."""
    assert (level, number) == (0, 0)
    return b"".join(map(hash_leaf, LEAVES))


def test_roots_are_the_published_ones() -> None:
    assert (
        [compute_root(read_published, size) for size in range(9)] == ROOTS == [plain_root(LEAVES[:n]) for n in range(9)]
    )
    assert ROOTS[0] == EMPTY_ROOT


@pytest.mark.parametrize(("index", "size", "hashes"), INCLUSIONS)
def test_inclusion_proofs_are_the_published_ones(index: int, size: int, hashes: list[str]) -> None:
    path = [bytes.fromhex(each) for each in hashes]
    assert prove_inclusion(read_published, index=index, size=size) == path
    assert is_included(leaf_hash=hash_leaf(LEAVES[index]), index=index, size=size, path=path, root=ROOTS[size])


@pytest.mark.parametrize(("old", "new", "hashes"), CONSISTENCIES)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, hashes: list[str]) -> None:
    proof = [bytes.fromhex(each) for each in hashes]
    assert prove_consistency(read_published, old=old, new=new) == proof
    assert is_consistent(old=old, new=new, old_root=ROOTS[old], new_root=ROOTS[new], proof=proof)


# Properties


def entry_of(number: int) -> bytes:
    """Return the entry of which the vectors of the other implementation were made."""
    return bytes((7 * place + 31 * number + (number >> 8)) % 256 for place in range(HASH_BYTES))


BATCHES: Final = st.lists(st.integers(0, 700), min_size=1, max_size=6)


@given(BATCHES)
@settings(max_examples=60, deadline=None)
def test_any_batches_make_the_tree_of_the_definition(batches: list[int]) -> None:
    tree, entries, roots = Tree(), [entry_of(number) for number in range(sum(batches))], {}
    for batch in batches:
        tree.append(entries[tree.size : tree.size + batch])
        roots[tree.size] = plain_root(entries[: tree.size])
        assert tree.root() == roots[tree.size]
    kept = b"".join(tree.tiles[ENTRIES, number] for number in range(-(-tree.size // TILE_WIDTH)))
    assert kept == b"".join(entries)
    for old, root in roots.items():
        assert tree.root(old) == root
        proof = tree.extend(old)
        assert is_consistent(old=old, new=tree.size, old_root=root, new_root=tree.root(), proof=proof)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_proof_holds_for_its_own_leaf_and_tree_alone(data: st.DataObject) -> None:
    tree = large_tree()
    size = data.draw(st.integers(1, tree.size))
    index = data.draw(st.integers(0, size - 1))
    path, root = tree.include(index, size), tree.root(size)
    leaf = hash_leaf(entry_of(index))
    assert is_included(leaf_hash=leaf, index=index, size=size, path=path, root=root)
    other = data.draw(st.integers(-1, size).filter(lambda each: each != index))
    assert not is_included(leaf_hash=leaf, index=other, size=size, path=path, root=root)
    assert not is_included(
        leaf_hash=hash_leaf(entry_of(other % 256)), index=index, size=size, path=path, root=root
    ) or (entry_of(other % 256) == entry_of(index))
    assert not is_included(leaf_hash=leaf, index=index, size=size, path=[*path, bytes(32)], root=root)
    assert not path or not is_included(leaf_hash=leaf, index=index, size=size, path=path[:-1], root=root)
    assert not is_included(leaf_hash=leaf, index=index, size=size, path=path, root=bytes(32))
    for at in range(len(path)):
        false = [*path[:at], bytes(32), *path[at + 1 :]]
        assert not is_included(leaf_hash=leaf, index=index, size=size, path=false, root=root)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_a_consistency_proof_holds_between_its_own_trees_alone(data: st.DataObject) -> None:
    tree = large_tree()
    new = data.draw(st.integers(2, tree.size))
    old = data.draw(st.integers(1, new - 1))
    roots = {"old_root": tree.root(old), "new_root": tree.root(new)}
    proof = tree.extend(old, new)
    assert is_consistent(old=old, new=new, proof=proof, **roots)
    assert not is_consistent(old=old, new=new, proof=[*proof, bytes(32)], **roots)
    assert not is_consistent(old=old, new=new, proof=proof[:-1], **roots)
    assert not is_consistent(old=new, new=old, proof=proof, **roots)
    assert not is_consistent(old=old, new=new, proof=proof, old_root=bytes(32), new_root=roots["new_root"])
    assert not is_consistent(old=old, new=new, proof=proof, old_root=roots["old_root"], new_root=bytes(32))
    for at in range(len(proof)):
        false = [*proof[:at], bytes(32), *proof[at + 1 :]]
        assert not is_consistent(old=old, new=new, proof=false, **roots)


def test_the_smallest_trees() -> None:
    root = ROOTS[3]
    assert is_consistent(old=0, new=3, old_root=EMPTY_ROOT, new_root=root, proof=[])
    assert not is_consistent(old=0, new=3, old_root=ROOTS[1], new_root=root, proof=[])
    assert not is_consistent(old=0, new=3, old_root=EMPTY_ROOT, new_root=root, proof=[root])
    assert is_consistent(old=3, new=3, old_root=root, new_root=root, proof=[])
    assert not is_consistent(old=3, new=3, old_root=root, new_root=ROOTS[2], proof=[])
    assert not is_consistent(old=-1, new=3, old_root=root, new_root=root, proof=[])
    assert not is_consistent(old=3, new=5, old_root=root, new_root=root, proof=[])
    assert not is_included(leaf_hash=root, index=0, size=0, path=[], root=EMPTY_ROOT)


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0)])
def test_there_is_no_proof_of_a_leaf_outside(index: int, size: int) -> None:
    with pytest.raises(NoSuchProof):
        prove_inclusion(read_published, index=index, size=size)


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5)])
def test_there_is_no_proof_from_a_larger_tree(old: int, new: int) -> None:
    with pytest.raises(NoSuchProof):
        prove_consistency(read_published, old=old, new=new)
    assert prove_consistency(read_published, old=0, new=5) == prove_consistency(read_published, old=5, new=5) == []


def test_an_entry_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="short"):
        grow(0, {}, [b"short"])


# Another implementation

#: Made by a small program that calls the libraries named in it. It also found 1,500 inclusion and 1,500 consistency
#: proofs of ours genuine, and a note by two of our keys; that ours are theirs byte for byte is tested here.
GO: Final[dict[str, Any]] = json.loads((Path(__file__).parent / "go.json").read_text())


@cache
def large_tree() -> Tree:
    """Return a tree of three levels of tiles."""
    return Tree([entry_of(number) for number in range(70_000)])


def decode(hashes: Sequence[str]) -> list[bytes]:
    return [b64decode(each) for each in hashes]


def test_our_roots_are_those_of_go() -> None:
    tree = large_tree()
    theirs = {size: b64decode(root) for size, root in GO["roots"].items()}
    assert {size: tree.root(int(size)) for size in theirs} == theirs


def test_our_proofs_are_those_of_go_and_theirs_hold() -> None:
    tree = large_tree()
    for each in GO["inclusion"]:
        index, size, path = each["index"], each["size"], decode(each["path"])
        assert tree.include(index, size) == path
        leaf = hash_leaf(entry_of(index))
        assert is_included(leaf_hash=leaf, index=index, size=size, path=path, root=b64decode(GO["roots"][str(size)]))
    for each in GO["consistency"]:
        old, new, proof = each["old"], each["new"], decode(each["proof"])
        assert tree.extend(old, new) == proof
        roots = [b64decode(GO["roots"][str(size)]) for size in (old, new)]
        assert is_consistent(old=old, new=new, old_root=roots[0], new_root=roots[1], proof=proof)


def test_our_checkpoint_is_that_of_go() -> None:
    note = write_checkpoint(
        "letters.example.org/log", 70_000, large_tree().root(), [NoteSigner("PeterNeumann", PETERS_SEED)]
    )
    assert note == GO["note"]
    assert read_checkpoint(GO["note"], [Verifier.parse(GO["verifier"])]).root == large_tree().root()


def test_nodes_and_leaves_are_told_apart() -> None:
    left, right = hash_leaf(b"a"), hash_leaf(b"b")
    assert hash_node(left, right) != hash_leaf(left + right)
