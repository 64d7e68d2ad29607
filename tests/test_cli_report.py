"""Reports from the terminal: a folder of files that checks out, and one line for what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from tests.reporting import append, files_of, sign
from tests.stage import Stage
from tests.test_cli import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def terminal(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Terminal]:
    with patch("app.documents.report.typeset_report", lambda *_, **__: b"%PDF"):
        yield Terminal(tmp_path, sqlite_template, monkeypatch, capsys)


@pytest.fixture
def stage(terminal: Terminal) -> Iterator[Stage]:
    opened = Stage(f"sqlite:///{terminal.path}", terminal.folder)
    yield opened
    opened.close()


def test_a_report_is_written_and_written_again(terminal: Terminal, stage: Stage) -> None:
    slug, out = stage.campaign(), terminal.folder / "out" / "report"
    sign(stage, slug, 25)
    append(stage, slug)
    lines, err = terminal.run("report", slug, "--out", str(out))
    assert err == []
    assert lines[0].startswith("Report no. 1: 25 verified signatures as of 20")
    files = files_of(stage, slug, 1)
    assert {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()} == files
    # The same again into the same folder; what was lost of it comes back.
    (out / "counts.csv").unlink()
    assert terminal.run("report", slug, "--out", str(out))[0] == lines
    assert (out / "counts.csv").read_bytes() == files["counts.csv"]
    assert stage.sql("SELECT count(*) FROM reports") == [(1,)]


def test_what_report_writes_verify_holds_for_good(terminal: Terminal, stage: Stage) -> None:
    slug, out = stage.campaign(), terminal.folder / "out"
    sign(stage, slug, 25)
    append(stage, slug)
    terminal.run("report", slug, "--out", str(out))
    lines, _ = terminal.run("verify", str(out), "--offline", "--lang", "en")
    assert not [line for line in lines if line.startswith("✗")], lines
    rows = (out / "counts.csv").read_bytes().split(b"\r\n")
    rows[1], rows[2] = rows[2], rows[1]
    (out / "counts.csv").write_bytes(b"\r\n".join(rows))
    lines, _ = terminal.run("verify", str(out), "--offline", "--lang", "en", status=1)
    assert [line for line in lines if line.startswith("✗") and "counts.csv" in line], lines


def test_a_folder_with_other_files_is_left_alone(terminal: Terminal, stage: Stage) -> None:
    slug, out = stage.campaign(), terminal.folder / "out"
    sign(stage, slug, 25)
    append(stage, slug)
    out.mkdir()
    (out / "manifest").write_text("mine", encoding="utf-8")
    lines, err = terminal.run("report", slug, "--out", str(out), status=1)
    assert (lines, err) == ([], [f"hatthalekha: {out}: holds other files; a report wants a folder of its own"])
    (out / "manifest").unlink()
    (out / "letter.txt").write_text("mine", encoding="utf-8")
    terminal.run("report", slug, "--out", str(out), status=1)
    assert [path.name for path in out.iterdir()] == ["letter.txt"]
    _, err = terminal.run("report", slug, "--out", str(out / "letter.txt"), status=1)
    assert len(err) == 1


def test_what_stands_in_the_way_is_one_line(terminal: Terminal, stage: Stage) -> None:
    out = str(terminal.folder / "out")
    assert terminal.run("report", "nothing", "--out", out, status=1)[1] == [
        "hatthalekha: there is no published campaign named nothing"
    ]
    slug = stage.campaign()
    sign(stage, slug, 25)
    assert terminal.run("report", slug, "--out", out, status=1)[1] == [
        f"hatthalekha: {slug}: nothing is in the log yet; the first signatures enter it within twelve hours"
    ]
    append(stage, slug)
    sign(stage, slug, 1, is_logged=True)
    [line] = terminal.run("report", slug, "--out", out, status=1)[1]
    assert "would not hold" in line
    assert not (terminal.folder / "out").exists()
