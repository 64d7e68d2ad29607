"""`verify` and `keys` from the terminal: the installation's own keys, those given, and those that come after them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from app.core.keys import open_keyring
from app.proofs.notes import NoteSigner
from tests.proofs.logs import NEW, OLD, Draft
from tests.test_cli import Terminal

if TYPE_CHECKING:
    from pathlib import Path

BASE_URL = "https://letters.example.org"


@pytest.fixture
def terminal(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return Terminal(tmp_path, sqlite_template, monkeypatch, capsys)


def test_without_keys_of_its_own_it_uses_those_of_the_report_and_makes_none(terminal: Terminal, tmp_path: Path) -> None:
    report = Draft().write(tmp_path / "report")
    out, err = terminal.run("verify", str(report), "--offline")
    assert err == []
    assert out[-1] == "✓ Everything that was checked holds, if the keys are the right ones: that was not checked."
    assert not (tmp_path / "keys").exists()


def test_the_keys_given_are_the_ones_that_count(terminal: Terminal, tmp_path: Path) -> None:
    report = Draft().write(tmp_path / "report")
    terminal.run("keys", "show", BASE_URL=BASE_URL)
    out, _ = terminal.run("verify", str(report), "--offline", "--key", OLD.verifier, "--lang", "fr")
    assert out[-1] == "✓ Tout ce qui a été vérifié est exact."
    (tmp_path / "key.txt").write_text(f"by telephone: {NEW.verifier}\n")
    terminal.run("verify", str(report), "--offline", "--key", str(tmp_path / "key.txt"))
    # Its own keys are not those that signed this.
    out, _ = terminal.run("verify", str(report), "--offline", status=1, BASE_URL=BASE_URL)
    assert out[0].startswith(
        "✗ The manifest is not signed with any of the keys it is checked with: letters.example.org+"
    )
    _, err = terminal.run("verify", str(report), "--key", "nothing", status=1)
    assert err == ["hatthalekha: --key: nothing is neither a key nor a file that has one"]


def test_what_is_no_report_ends_with_2(terminal: Terminal, tmp_path: Path) -> None:
    out, err = terminal.run("verify", str(tmp_path / "nowhere"), "--offline", status=2)
    assert (out[-1][:20], err) == ("✗ Nothing was judged", [])


def test_old_reports_verify_after_the_keys_went_on(terminal: Terminal, tmp_path: Path) -> None:
    keys_dir = tmp_path / "keys"

    def sign() -> list[NoteSigner]:
        return [NoteSigner("letters.example.org", seed) for seed in open_keyring(keys_dir).signing_seeds]

    (first,), _ = terminal.run("keys", "show", BASE_URL=BASE_URL)
    early = Draft(signers=sign(), named=sign()).write(tmp_path / "early")
    made, _ = terminal.run("keys", "rotate", BASE_URL=BASE_URL)
    assert made[1].startswith("It signs from the next start of the processes on")
    both = Draft(signers=sign(), named=sign()).write(tmp_path / "both")
    terminal.run("keys", "rotate", BASE_URL=BASE_URL)
    late = Draft(signers=sign(), named=sign()).write(tmp_path / "late")
    shown, _ = terminal.run("keys", "show", BASE_URL=BASE_URL)
    assert (len(shown), shown[1], shown[2]) == (3, made[0], first)
    for report in (early, both, late):
        terminal.run("verify", str(report), "--offline", BASE_URL=BASE_URL)
    # Whoever has only the first key checks what it signed, and so comes by the second; the third is not vouched for.
    for report, status in ((early, 0), (both, 0), (late, 1)):
        terminal.run("verify", str(report), "--offline", "--key", first, status=status)
    terminal.run("verify", str(late), "--offline", "--key", made[0])


def test_keys_that_cannot_be_read_are_one_line(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("keys", "show")
    (tmp_path / "keys" / "signing-0001.key").write_bytes(b"short")
    for command in (["keys", "show"], ["keys", "rotate"], ["verify", os.fspath(tmp_path)]):
        _, err = terminal.run(*command, status=1)
        assert len(err) == 1
        assert err[0].endswith("signing-0001.key holds 5 bytes and not 32")
