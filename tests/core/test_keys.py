"""Keys: made once and for their owner alone; what they seal opens only where it was sealed."""

from __future__ import annotations

import secrets
import stat
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest

from app.core.keys import (
    DataKey,
    KeysUnusableError,
    SealBrokenError,
    WrappedKey,
    add_signing_key,
    keyed_hash,
    open_keyring,
)

if TYPE_CHECKING:
    from pathlib import Path

CAMPAIGN, ROW = uuid4(), uuid4()


def test_a_first_start_makes_a_key_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "keys"
    first = open_keyring(folder)
    assert sorted(entry.name for entry in folder.iterdir()) == ["root-0001.key", "signing-0001.key"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for entry in folder.iterdir():
        assert entry.stat().st_size == 32
        assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert open_keyring(folder).tokens == first.tokens


def test_processes_that_start_at_once_make_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from app.core.keys import open_keyring; sys.stdin.readline();"
        "keys = open_keyring(Path(sys.argv[1])); print(keys.tokens.hex(), keys.signing_seeds[0].hex())"
    )
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "keys")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert len({process.communicate()[0] for process in starting}) == 1
    assert sorted(entry.name for entry in (tmp_path / "keys").iterdir()) == ["root-0001.key", "signing-0001.key"]


def test_a_key_of_the_wrong_length_is_named_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "root-0001.key").write_bytes(b"secret")
    with pytest.raises(KeysUnusableError, match=r"root-0001\.key holds 6 bytes and not 32") as refused:
        open_keyring(tmp_path)
    assert "secret" not in str(refused.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeysUnusableError, match=r"KEYS_DIR .*file/keys: Not a directory"):
        open_keyring(tmp_path / "file" / "keys")


def test_a_newer_root_key_closes_and_the_older_still_opens(tmp_path: Path) -> None:
    older = open_keyring(tmp_path)
    wrapped = older.new_data_key(CAMPAIGN)
    sealed = older.data_key(CAMPAIGN, 1, wrapped).seal("signatures.name", ROW, "សុខ សុភា")
    (tmp_path / "root-0002.key").write_bytes(secrets.token_bytes(32))
    newer = open_keyring(tmp_path)
    assert newer.new_data_key(CAMPAIGN).root_version == newer.version == 2
    assert newer.data_key(CAMPAIGN, 1, wrapped).open("signatures.name", ROW, sealed) == "សុខ សុភា"
    (tmp_path / "root-0001.key").unlink()
    with pytest.raises(KeysUnusableError, match="root key 0001 is not in KEYS_DIR"):
        open_keyring(tmp_path).data_key(CAMPAIGN, 1, wrapped)


def test_what_is_sealed_opens_at_its_own_place_alone() -> None:
    secret = secrets.token_bytes(32)
    key = DataKey(CAMPAIGN, 1, secret)
    sealed = key.seal("signatures.email", ROW, "sokha@example.org")
    assert key.open("signatures.email", ROW, sealed) == "sokha@example.org"
    assert key.seal("signatures.email", ROW, "sokha@example.org") != sealed
    flipped = bytes([*sealed[:-1], sealed[-1] ^ 1])
    elsewhere: list[tuple[DataKey, str, UUID, bytes]] = [
        (key, "signatures.name", ROW, sealed),
        (key, "sponsors.email", ROW, sealed),
        (key, "signatures.email", uuid4(), sealed),
        (DataKey(uuid4(), 1, secret), "signatures.email", ROW, sealed),
        (DataKey(CAMPAIGN, 2, secret), "signatures.email", ROW, sealed),
        (DataKey(CAMPAIGN, 1, secrets.token_bytes(32)), "signatures.email", ROW, sealed),
        (key, "signatures.email", ROW, flipped),
        (key, "signatures.email", ROW, sealed[:20]),
        (key, "signatures.email", ROW, b""),
    ]
    for other, place, row, bytes_there in elsewhere:
        with pytest.raises(SealBrokenError):
            other.open(place, row, bytes_there)


def test_a_campaigns_wrapped_key_does_not_open_for_another(tmp_path: Path) -> None:
    keyring = open_keyring(tmp_path)
    wrapped = keyring.new_data_key(CAMPAIGN)
    for campaign, stored in [
        (uuid4(), wrapped),
        (CAMPAIGN, WrappedKey(1, wrapped.sealed[:-1])),
        (CAMPAIGN, WrappedKey(1, b"")),
    ]:
        with pytest.raises(SealBrokenError):
            keyring.data_key(campaign, 1, stored)


def test_indexes_join_neither_campaigns_nor_purposes() -> None:
    key, other = (DataKey(uuid4(), 1, secrets.token_bytes(32)) for _ in range(2))
    assert key.index("email", "a@b.org") == key.index("email", "a@b.org")
    assert len({key.index("email", "a@b.org"), key.index("domain", "a@b.org"), other.index("email", "a@b.org")}) == 3


def test_keyed_hashes_tell_where_one_part_ends() -> None:
    assert keyed_hash(b"k" * 32, b"ab", b"c") != keyed_hash(b"k" * 32, b"a", b"bc")


def test_two_signing_keys_sign_side_by_side_and_all_stay_published(tmp_path: Path) -> None:
    seeds = [open_keyring(tmp_path).signing_seeds[0]]
    for version in (2, 3):
        assert add_signing_key(tmp_path) == version
        seeds.insert(0, open_keyring(tmp_path).signing_seeds[0])
    keyring = open_keyring(tmp_path)
    assert keyring.published_seeds == tuple(seeds)
    assert keyring.signing_seeds == tuple(seeds[:2])
    assert len(set(seeds)) == 3
