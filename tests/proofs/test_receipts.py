"""Checking receipts: each is of one leaf in one log, and whatever is changed is found and named."""

from __future__ import annotations

import json
import random
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.proofs.notes import NoteSigner, write_checkpoint, write_proof
from app.proofs.verifying import NotGenuine, Options, Receipt, Verifier, canonical_json, verify
from tests.proofs.logs import HOST, NEW, OLD, OTHER, Installation, Log, opening_of, origin_of, salt_of
from tests.proofs.test_report import pin

if TYPE_CHECKING:
    from pathlib import Path

LOG = Log.make(300, 7)
RECEIPT = LOG.receipt(41, [NEW, OLD])


def judge(folder: Path, text: str | bytes, options: Options | None = None) -> tuple[int, list[str]]:
    """Check a receipt; return the status and all lines."""
    path = folder / "receipt.tlog-proof"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    lines: list[str] = []
    return verify(path, locale="en", options=options or pin(NEW, OLD), tell=lines.append), lines


def test_a_receipt_that_holds_says_what_it_proves(tmp_path: Path) -> None:
    status, lines = judge(tmp_path, RECEIPT)
    assert status == 0
    assert lines == [
        (
            f"✓ The receipt's checkpoint was signed with the key {HOST}+{Verifier.parse(NEW.verifier).id.hex()}:"
            " a log of 300 entries."
        ),
        f"✓ Entry 41 of the log is a signature under khmer-services, edition {'ab' * 32}, in language km.",
        "– Not compared with the live log: you asked to stay offline.",
        (
            "✓ Everything that was checked holds: the signature was taken into the count. Whether it is still in it, a "
            "receipt does not say."
        ),
    ]


@pytest.mark.parametrize("signers", [[NEW], [OLD]])
def test_either_key_alone_is_enough(tmp_path: Path, signers: list[NoteSigner]) -> None:
    assert judge(tmp_path, RECEIPT, pin(*signers))[0] == 0


def test_every_byte_counts(tmp_path: Path) -> None:
    data, dice = RECEIPT.encode(), random.Random(5)
    for at in range(len(data)):
        changed = data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
        status, lines = judge(tmp_path, changed)
        # Of two signatures one may be made a stranger's, which a checkpoint is free to have.
        assert status == 1 or b"\n\xe2\x80\x94 " in data[: at + 3], (at, lines)
        assert status in {1, 0}, (at, lines)


def test_the_proof_of_another_leaf_is_named(tmp_path: Path) -> None:
    head, _, rest = RECEIPT.partition("index 41")
    for swapped in (f"{head}index 42{rest}", LOG.receipt(42, [NEW]).replace("index 42", "index 41")):
        status, lines = judge(tmp_path, swapped)
        assert status == 1
        assert (
            "✗ The receipt does not lead to the log it names: it is the proof of another entry, or was changed."
            in lines
        )


def test_another_salt_or_opening_is_named(tmp_path: Path) -> None:
    for salt, opening in (
        (salt_of(42), opening_of(41)),
        (salt_of(41), opening_of(41, locale="en")),
        (salt_of(41), opening_of(41) | {"more": "of it"}),
    ):
        extra = canonical_json({"opening": opening, "salt": salt.hex()})
        text = write_proof(
            index=41, path=LOG.signed.include(41), checkpoint=LOG.checkpoint("signed", [NEW]), extra=extra
        )
        status, lines = judge(tmp_path, text)
        assert (status, lines[-2][:32]) == (1, "✗ The receipt does not lead to t")


def test_a_checkpoint_of_another_campaign_tree_or_host_is_named(tmp_path: Path) -> None:
    extra = canonical_json({"opening": opening_of(41), "salt": salt_of(41).hex()})
    elsewhere = NoteSigner("elsewhere.example", b"\4" * 32)
    for origin, signer in (
        (origin_of("signed", "another"), NEW),
        (origin_of("removed"), NEW),
        (origin_of("signed"), elsewhere),
    ):
        checkpoint = write_checkpoint(origin, 300, LOG.signed.root(), [signer])
        text = write_proof(index=41, path=LOG.signed.include(41), checkpoint=checkpoint, extra=extra)
        status, lines = judge(tmp_path, text, pin(NEW, elsewhere))
        assert status == 1
        assert any(line.startswith("✗ The receipt's checkpoint is of another log: ") for line in lines)


def test_a_checkpoint_by_nobody_or_changed_is_named(tmp_path: Path) -> None:
    status, lines = judge(tmp_path, RECEIPT, pin(OTHER))
    assert (status, lines[0][:60]) == (1, "✗ The receipt's checkpoint is not signed with any of the key")
    status, lines = judge(tmp_path, RECEIPT.replace("\n300\n", "\n301\n"))
    assert (status, lines[0][:60]) == (1, "✗ The receipt's checkpoint was changed after it was signed: ")
    checkpoint = write_checkpoint(origin_of("signed"), 300, b"short", [NEW])
    status, lines = judge(tmp_path, RECEIPT.partition("\n\n")[0] + "\n\n" + checkpoint)
    assert (status, lines[0]) == (1, "✗ The receipt cannot be read: it was cut or changed.")


def test_without_a_key_nothing_is_judged_or_the_published_ones_serve(tmp_path: Path) -> None:
    status, lines = judge(tmp_path, RECEIPT, Options())
    assert status == 2
    assert lines == [
        "– No key was given to check it with: give one with --key.",
        "✗ Nothing was judged: without a key it cannot be told who made this.",
    ]
    online = Installation(Log.make(400, 7), signers=[NEW, OLD])
    status, lines = judge(tmp_path, RECEIPT, Options(fetch=online.fetch))
    assert status == 0
    assert lines[0].startswith(f"– No key was given: those published at https://{HOST}/api/v1/keys were used.")
    assert "✓ The live log “signed” (400 entries) begins with the 300 it had: nothing was rewritten." in lines
    online.log = Log.make(299, 7)
    assert judge(tmp_path, RECEIPT, Options(fetch=online.fetch))[0] == 1
    online.is_down = True
    assert judge(tmp_path, RECEIPT, Options(fetch=online.fetch))[0] == 2
    assert judge(tmp_path, RECEIPT, Options(pin(NEW).verifiers, online.fetch))[0] == 0


def test_what_is_on_this_machine_is_asked_without_encryption(tmp_path: Path) -> None:
    asked: list[str] = []

    def fetch(url: str) -> bytes:
        asked.append(url)
        return b"{}"

    for host in ("127.0.0.1:8000", "[::1]:8000", "localhost", "example.org", "exa mple.org/", ""):
        judge(tmp_path, RECEIPT.replace(HOST, host), Options(fetch=fetch))
    assert [url.partition("/api")[0] for url in asked] == [
        "http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost", "https://example.org",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "extra",
    [
        b"", b"{}", b"[]", b"\xff", b"[" * 9000, b'{"salt": 5, "opening": {}}', b'{"salt": "ab", "opening": {}}',
        json.dumps({"salt": "AB" * 32, "opening": {}}).encode(), json.dumps({"salt": "ab" * 32, "opening": 5}).encode(),
        json.dumps({"salt": "ab" * 32, "opening": {"campaign": 5}}).encode(),
        json.dumps({"salt": "ab" * 32, "opening": {"campaign": "\ud800"}}).encode(),
    ],
)  # fmt: skip
def test_an_opening_that_is_none_is_refused(extra: bytes) -> None:
    with pytest.raises(NotGenuine):
        Receipt.parse(write_proof(index=0, path=[], checkpoint="", extra=extra))


def test_a_receipt_has_one_form_only() -> None:
    for old, new in (
        ("index 41", "index 041"), ("index 41", "index -1"), ("index 41", "index ٤١"), ("index 41", "41"),
        ("@v1", "@v2"), ("\nextra ", "\n"), ("\nindex", "\n\nindex"), ("\n\n", "\nAAAA\n\n"), ("\n\n", "\n!\n\n"),
        ("\n\n", "\n" + "\n".join([b64encode(bytes(32)).decode()] * 60) + "\n\n"),
    ):  # fmt: skip
        with pytest.raises(NotGenuine):
            Receipt.parse(RECEIPT.replace(old, new, 1))


@given(st.integers(0, len(RECEIPT)), st.integers(0, len(RECEIPT)), st.binary(max_size=60))
@example(0, 30, b"\0" * 100_000)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_it_it_ends_with_a_verdict(tmp_path: Path, one: int, other: int, junk: bytes) -> None:
    at, end = sorted((one, other))
    data = RECEIPT.encode()
    status, lines = judge(tmp_path, data[:at] + junk + data[end:])
    assert status in {0, 1, 2}
    assert lines[-1][0] in "✓✗"


def test_what_is_written_is_read_again() -> None:
    receipt = Receipt.parse(RECEIPT)
    assert (receipt.index, receipt.opening, receipt.salt) == (41, opening_of(41), salt_of(41))
    assert b64encode(receipt.path[0]).decode() in RECEIPT
    assert b64decode(RECEIPT.split("\n")[1].removeprefix("extra ")).startswith(b'{"opening":{"campaign":')
