"""Letters from the terminal: the same file as the page gives, and one line for what stands in the way."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.documents.reading import read_text
from tests.reporting import sign
from tests.stage import Stage
from tests.test_cli import ROOT, Terminal
from tests.web.test_letters import issue, make_letter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def terminal(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(tmp_path, sqlite_template, monkeypatch, capsys)


@pytest.fixture
def stage(terminal: Terminal) -> Iterator[Stage]:
    opened = Stage(f"sqlite:///{terminal.path}", terminal.folder)
    yield opened
    opened.close()


def test_a_letter_is_written_as_the_page_gives_it(terminal: Terminal, stage: Stage) -> None:
    make_letter(stage)
    out = terminal.folder / "letter.pdf"
    lines, _ = terminal.run("letter", "libraries", "--out", str(out), "--lang", "fr", "--to", "2")
    assert lines == [str(out)]
    assert out.read_bytes() == stage.get("/fr/campaigns/libraries/letter/to/2.pdf").content
    terminal.run("letter", "libraries", "--out", str(out))
    assert "Khmerbooksineverylibrary" in read_text(out.read_bytes())


def test_a_dated_edition_is_written(terminal: Terminal, stage: Stage) -> None:
    make_letter(stage)
    owner = stage.organiser()
    stage.join("libraries", owner)
    issue(stage, owner)
    out = terminal.folder / "letter.pdf"
    terminal.run("letter", "libraries", "--out", str(out), "--number", "1", "--lang", "km")
    assert out.read_bytes() == stage.get("/km/campaigns/libraries/letters/1.pdf").content


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["unknown"], "there is no published campaign named unknown"),
        (["libraries", "--number", "4"], "libraries: there is no dated edition no. 4"),
        (["libraries", "--to", "3"], "libraries: it addresses 2, and none of them is no. 3"),
    ],
)
def test_what_is_not_there_is_named(terminal: Terminal, stage: Stage, typed: list[str], said: str) -> None:
    make_letter(stage)
    out = terminal.folder / "letter.pdf"
    lines, err = terminal.run("letter", *typed, "--out", str(out), status=1)
    assert (lines, [line for line in err if line]) == ([], [f"hatthalekha: {said}"])
    assert not out.exists()


def test_a_terminal_is_told_what_is_done_and_a_file_is_told_nothing(terminal: Terminal, stage: Stage) -> None:
    make_letter(stage)
    shown: dict[str, Any] = {"is_name_shown": True, "name_check": "cleared", "name_position": 1}
    sign(stage, "libraries", 1, **shown)
    out = terminal.folder / "letter.pdf"
    _, err = terminal.run("letter", "libraries", "--out", str(out))
    assert err == []
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "letter", "libraries", "--out", str(out)],
        cwd=ROOT, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}, stdout=subprocess.DEVNULL, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    said = ""
    with suppress(OSError):  # how Linux says that nobody has the terminal open any more
        while part := os.read(master, 65_536):
            said += part.decode()
    os.close(master)
    assert process.wait() == 0
    for words in ("Opening names: 1 of 1", "Setting the pages", "Writing 0."):
        assert words in said
    assert said.endswith("\x1b[2K")  # and nothing of it stays
