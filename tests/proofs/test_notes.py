"""Signed notes: the examples of others, what is no note, and keys that follow one another."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from app.proofs.notes import NoteSigner, write_checkpoint, write_note
from app.proofs.verifying import NotGenuine, Verifier, open_note, read_checkpoint
from tests.proofs.logs import NEW, OLD, OTHER

if TYPE_CHECKING:
    from pathlib import Path

#: The example of golang.org/x/mod/sumdb/note; the seed follows the key's type in its "PRIVATE+KEY+…".
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
PETERS_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETERS_NOTE = (
    PETERS_TEXT + "\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
#: An example that several implementations of c2sp.org/signed-note share.
EXAMPLE = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLES_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def keys(*signers: NoteSigner) -> list[Verifier]:
    """Return what others check these signers with."""
    return [Verifier.parse(each.verifier) for each in signers]


def test_the_examples_of_others_are_genuine() -> None:
    assert open_note(PETERS_NOTE, [Verifier.parse(PETER)]) == PETERS_TEXT
    assert open_note(EXAMPLES_NOTE, [Verifier.parse(EXAMPLE)]) == "This is an example message.\n"


def test_we_write_the_example_of_others_byte_for_byte() -> None:
    peter = NoteSigner("PeterNeumann", PETERS_SEED)
    assert peter.verifier == PETER == Verifier.parse(PETER).text
    assert write_note(PETERS_TEXT, [peter]) == PETERS_NOTE


def test_a_note_by_two_keys_is_genuine_for_each_alone() -> None:
    note = write_note("text\n", [NEW, OLD])
    assert open_note(note, keys(OLD)) == open_note(note, keys(NEW)) == open_note(note, keys(OTHER, NEW)) == "text\n"
    with pytest.raises(NotGenuine, match="unknown"):
        open_note(note, keys(OTHER))
    with pytest.raises(NotGenuine, match="unknown"):
        open_note(note, [])


def test_a_false_signature_of_a_known_key_spoils_the_note() -> None:
    note = write_note("text\n", [NEW]) + OLD.sign("another\n")
    assert open_note(note, keys(NEW)) == "text\n"
    for known in (keys(OLD), keys(NEW, OLD), keys(OLD, NEW)):
        with pytest.raises(NotGenuine, match="forged"):
            open_note(note, known)


@pytest.mark.parametrize(
    "note",
    [
        "", "\n", "\n\n", "text\n", "text\n\n", "text\n\n— name AAAAAAAA", "text\n\n- name AAAAAAAA\n",
        "text\n\n—  AAAAAAAA\n", "text\n\n— na+me AAAAAAAA\n", "text\n\n— na\u2003me AAAAAAAA\n", "text\n\n— name\n",
        "text\n\n— name AAAAAA==\n", "text\n\n— name A\n", "text\n\n— name AAAAAAAA \n", "text\n\n— name AAAAAAB=\n",
        "te\rxt\n\n— name AAAAAAAA\n", "te\0xt\n\n— name AAAAAAAA\n", "text\n\n— name AAAAAAAA\u2028— name AAAAAAAA\n",
        "text\n\n" + "— name AAAAAAAA\n" * 101,
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(NotGenuine, match="note"):
        open_note(note, keys(NEW))


@pytest.mark.parametrize(
    "text",
    [
        "", "PeterNeumann", PETER[:-1], PETER.replace("c74f20a3", "c74f20a4"), PETER.replace("Peter", "Paul"),
        PETER.replace("+A", "+B"), PETER.replace("PeterNeumann", ""), PETER.replace("PeterNeumann", "Peter Neumann"),
        "PeterNeumann+c74f20a3+AQ==", "a+b+é",
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NotGenuine, match="key"):
        Verifier.parse(text)


def test_bytes_that_are_no_key_have_signed_nothing() -> None:
    assert not Verifier("name", b"short").has_signed("text", bytes(64))


@pytest.mark.parametrize("text", ["no end", "a\rb\n", "a\tb\n"])
def test_what_no_note_can_say_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match=text[:2]):
        write_note(text, [NEW])


def test_checkpoints_are_read_as_they_were_written() -> None:
    head = read_checkpoint(write_checkpoint("host/log", 5, bytes(32), [NEW]), keys(NEW))
    assert (head.origin, head.size, head.root) == ("host/log", 5, bytes(32))


@pytest.mark.parametrize(
    "text",
    ["o\n5\n", "o\n05\nAA==\n", "o\n-5\nAA==\n", "o\n5\nAA==\n", "o\n٥\nAA==\n", "o\n5\n!\n", f"o\n{'9' * 5000}\nA\n"],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NotGenuine, match="checkpoint"):
        read_checkpoint(write_note(text, [NEW]), keys(NEW))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here")
def test_openssl_finds_our_signature_genuine_and_a_changed_text_not(tmp_path: Path) -> None:
    note = write_note("hatthalekha-report/1\nnumber: 3\n", [NEW])
    (tmp_path / "signature").write_bytes(b64decode(note.split()[-1])[4:])
    (tmp_path / "key").write_bytes(bytes.fromhex("302a300506032b6570032100") + NEW.public)
    for text, status in ((note.rpartition("\n\n")[0] + "\n", 0), ("hatthalekha-report/1\nnumber: 4\n", 1)):
        (tmp_path / "text").write_text(text)
        command = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key -in text -sigfile signature"
        assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode == status
