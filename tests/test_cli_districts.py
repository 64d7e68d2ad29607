"""``hatthalekha districts load``: a list as an operator brings it."""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

import pytest

from app import cli

if TYPE_CHECKING:
    from pathlib import Path

LIST = (
    "Province,Electoral District Name/Nom de circonscription,Electoral District Number/Numéro de circonscription\n"
    '"British Columbia/Colombie-Britannique",Coquitlam--Port Coquitlam,59008\n'
    '"Ontario",Toronto Centre/Toronto-Centre,35109\n'
)


@pytest.fixture
def folder(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a machine with a migrated database."""
    (tmp_path / "hatthalekha.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.setenv("HATTHALEKHA_DATABASE_URL", f"sqlite:///{tmp_path}/hatthalekha.db")
    monkeypatch.setenv("HATTHALEKHA_KEYS_DIR", str(tmp_path / "keys"))
    return tmp_path


def load(path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run the command to its end and return its status."""
    monkeypatch.setattr(sys, "argv", ["hatthalekha", "districts", "load", str(path)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def listed(folder: Path) -> list[tuple[str, str, int]]:
    with sqlite3.connect(folder / "hatthalekha.db") as database:
        return database.execute("SELECT code, province, is_current FROM districts ORDER BY code").fetchall()


def test_a_list_is_loaded_and_takes_the_place_of_the_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "list.csv"
    path.write_text(LIST, encoding="cp1252")
    assert load(path, monkeypatch) == 0
    assert capsys.readouterr().out == "2 districts: 2 are new, 0 are no longer offered\n"
    path.write_text("59008,Coquitlam,Coquitlam,BC\n", encoding="utf-8-sig")
    assert load(path, monkeypatch) == 0
    assert capsys.readouterr().out == "1 districts: 0 are new, 1 are no longer offered\n"
    assert listed(folder) == [("35109", "CA-ON", 0), ("59008", "CA-BC", 1)]


def test_a_bad_list_is_refused_whole_with_a_line_for_each_fault(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "list.csv"
    path.write_text(LIST + "Atlantis,Lost,35200\nOntario,,59\n", encoding="utf-8")
    assert load(path, monkeypatch) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"hatthalekha: {path}: line 4: “Atlantis” is no province or territory of Canada",
        f"hatthalekha: {path}: line 5: “59” is no code of a federal district, such as 59026",
        f"hatthalekha: {path}: line 5: the English name is missing",
        f"hatthalekha: {path}: line 5: the French name is missing",
    ]
    assert listed(folder) == []


def test_a_file_that_is_none_is_said_in_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "list.csv").write_bytes(b"PK\x03\x04\0")
    for name, fault in (("missing.csv", "No such file or directory"), ("list.csv", "it is no text file")):
        assert load(folder / name, monkeypatch) == 1
        assert capsys.readouterr().err == f"hatthalekha: {folder / name}: {fault}\n"
