"""Accounts from the terminal: made with a link that works once, given a role, kept out."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import time_machine

from app.core.clock import utc_now
from tests.stage import Stage
from tests.test_cli import Terminal

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = "sokha@example.org"


@pytest.fixture
def terminal(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(tmp_path, sqlite_template, monkeypatch, capsys)


def accounts(terminal: Terminal) -> list[tuple[str, str]]:
    """Return role and state of every account."""
    with sqlite3.connect(terminal.path) as connection:
        return connection.execute("SELECT role, state FROM accounts ORDER BY created_at").fetchall()


def make_link(terminal: Terminal, *options: str) -> str:
    """Create the account, and return the path of the link that is printed."""
    (line,), err = terminal.run("account", "create", EMAIL, *options)
    assert err == []
    assert line.startswith("http://127.0.0.1:8000/km/workspace/sign-in/")
    return urlsplit(line).path


def test_an_account_is_created_with_a_link_that_works_once_for_a_day(terminal: Terminal) -> None:
    late, link = make_link(terminal), make_link(terminal, "--role", "operator")
    assert accounts(terminal) == [("operator", "active")]
    stage = Stage(f"sqlite:///{terminal.path}", terminal.folder)
    try:
        with time_machine.travel(utc_now() + timedelta(hours=25), tick=True):
            assert stage.post(late, {"asked": "yes"}).status_code == 410
        with time_machine.travel(utc_now() + timedelta(hours=23), tick=True):
            assert stage.get(link).status_code == 200
            assert stage.post(link).status_code == 422
            assert stage.post(link, {"asked": "yes"}).headers["location"] == "/km/workspace"
            assert EMAIL in stage.get("/km/workspace/account").text
            assert stage.post(link, {"asked": "yes"}, browser=stage.new_browser()).status_code == 410
            terminal.run("account", "disable", EMAIL)
            assert stage.get("/km/workspace/account").status_code == 404
        assert stage.deliver() == []
    finally:
        stage.close()


def test_a_role_changes_and_a_disabled_account_is_opened_again(terminal: Terminal) -> None:
    make_link(terminal, "--role", "moderator")
    assert accounts(terminal) == [("moderator", "active")]
    assert terminal.run("account", "disable", EMAIL.upper()) == ([], [])
    assert accounts(terminal) == [("moderator", "disabled")]
    make_link(terminal)
    assert accounts(terminal) == [("organiser", "active")]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["account", "create", "sokha"], 1, "hatthalekha: sokha: Enter a full e-mail address"),
        (["account", "create", EMAIL, "--role", "king"], 2, "'--role'"),
        (["account", "create"], 2, "Missing argument"),
        (["account", "disable", "nobody@example.org"], 1, "there is no account of nobody@example.org"),
        (["account", "disable", "@"], 1, "hatthalekha: @: "),
    ],
)
def test_a_fault_is_one_line(terminal: Terminal, arguments: list[str], status: int, said: str) -> None:
    out, (err,) = terminal.run(*arguments, status=status)
    assert out == []
    assert said in err


@pytest.mark.parametrize("command", ["account", "account create", "account disable"])
def test_help_is_there(terminal: Terminal, command: str) -> None:
    out, err = terminal.run(*command.split(), "--help")
    assert err == []
    assert out[0].startswith(f"Usage: hatthalekha {command}")
