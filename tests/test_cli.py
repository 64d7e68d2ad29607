"""The terminal's door, as an operator uses it: real processes, exit statuses, one line for each fault."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from app import cli
from tests.conftest import plain
from tests.postgres import free_port
from tests.stage import REAL_CAMPAIGNS, small_campaign

if TYPE_CHECKING:
    from tests.postgres import PostgresServer

ROOT: Final = Path(__file__).resolve().parents[1]
REAL: Final = sorted(REAL_CAMPAIGNS.glob("*.json"))
COMMANDS: Final = (
    "", "serve", "worker", "demo", "db", "db upgrade", "db check", "campaign", "campaign import", "campaign list",
    "campaign export", "campaign stop", "campaign resume", "campaign rehome", "parliament", "parliament dissolved",
    "mail", "mail bounced", "districts", "districts load", "retention", "retention run",
    "report", "verify", "keys", "keys show", "keys rotate",
    "office", "office invite", "office revoke",
)  # fmt: skip


class Terminal:
    """A shell on a machine of its own: a folder for the database and the keys."""

    def __init__(
        self, folder: Path, template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Start with a migrated database."""
        self.folder = folder
        self.path = folder / "hatthalekha.db"
        self.path.write_bytes(template.read_bytes())
        self._patch = monkeypatch
        self._capsys = capsys
        for name in [name for name in os.environ if name.startswith("HATTHALEKHA_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HATTHALEKHA_DATABASE_URL", f"sqlite:///{self.path}")
        monkeypatch.setenv("HATTHALEKHA_KEYS_DIR", str(folder / "keys"))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``python -m app`` with ``arguments`` as a process."""
        return subprocess.Popen(
            [sys.executable, "-m", "app", *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, status: int = 0, **settings: str) -> tuple[list[str], list[str]]:
        """Run a command to its end, in this process; return the lines of its output and of its faults."""
        with self._patch.context() as patch:
            patch.setattr(sys, "argv", ["hatthalekha", *arguments])
            for name, value in settings.items():
                patch.setenv(f"HATTHALEKHA_{name}", value)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        out, err = self._capsys.readouterr()
        assert int(ended.value.code or 0) == status, err
        return out.splitlines(), err.splitlines()

    def file(self, **changes: object) -> str:
        """Write a campaign file and return its path."""
        path = self.folder / "campaign.json"
        path.write_text(json.dumps(small_campaign() | changes, ensure_ascii=False), encoding="utf-8")
        return str(path)


@pytest.fixture
def terminal(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    return Terminal(tmp_path, sqlite_template, monkeypatch, capsys)


def test_the_module_is_the_command(terminal: Terminal) -> None:
    for arguments, status in ((["--help"], 0), (["nonsense"], 2), (["campaign", "export", "none"], 1)):
        process = terminal.start(*arguments)
        out, err = process.communicate(timeout=60)
        assert process.returncode == status
        assert out.startswith("Usage: hatthalekha ") if status == 0 else out == ""
        assert err.count("\n") == (status != 0)


def test_help_is_there_on_every_level(terminal: Terminal) -> None:
    for command in COMMANDS:
        out, err = terminal.run(*command.split(), "--help")
        assert err == []
        assert out[0].startswith(f"Usage: hatthalekha {command}".rstrip())


def test_a_command_typed_wrongly_is_one_line_and_status_2(terminal: Terminal) -> None:
    for arguments, said in (
        ("nonsense", "No such command 'nonsense'"),
        ("serve --port 99999", "'--port'"),
        ("serve --sideways", "No such option"),
        ("campaign stop libraries", "Missing option '--why'"),
        ("campaign import", "Missing argument"),
    ):
        out, (err,) = terminal.run(*arguments.split(), status=2)
        assert out == []
        assert err.startswith("hatthalekha: ")
        assert said in err


def test_a_fault_of_ours_is_one_line_without_data(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall_over(*_: object, **__: object) -> None:
        raise LookupError("sokha@example.org")

    monkeypatch.setattr("app.cli.running.read_settings", fall_over)
    out, (err,) = terminal.run("campaign", "list", status=1)
    assert out == []
    assert err.startswith("hatthalekha: a fault of ours: LookupError at ")
    assert "sokha" not in err


def test_bad_settings_are_a_line_each_and_unknown_ones_a_warning(terminal: Terminal) -> None:
    _, err = terminal.run(
        "campaign", "list", status=1, TIMEZONE="Mars", SMTP_URL="smtp://u:s3cr3t@x:y", BASEURL="https://example.org"
    )
    assert [line.split()[:2] for line in err[1:]] == [
        ["hatthalekha:", "HATTHALEKHA_SMTP_URL"],
        ["hatthalekha:", "HATTHALEKHA_TIMEZONE"],
    ]
    assert err[0] == "hatthalekha: warning: there is no setting HATTHALEKHA_BASEURL"
    assert "s3cr3t" not in str(err)


@pytest.mark.parametrize("command", ["campaign list", "db upgrade", "db check", "demo", "retention run", "serve"])
def test_a_database_or_keys_out_of_reach_are_one_line(terminal: Terminal, command: str) -> None:
    (terminal.folder / "file").touch()
    blocked = f"sqlite:///{terminal.folder}/file/x.db"
    _, err = terminal.run(*command.split(), status=1, DATABASE_URL=blocked)
    assert len(err) == 1
    if command in {"demo", "serve"}:
        _, err = terminal.run(*command.split(), status=1, KEYS_DIR=str(terminal.folder / "file" / "keys"))
        assert err == [f"hatthalekha: KEYS_DIR {terminal.folder}/file/keys: Not a directory"]


def test_postgres_out_of_reach_is_one_line_without_its_password(postgres: PostgresServer, terminal: Terminal) -> None:
    away = f"postgresql://user:s3cr3t@127.0.0.1:{free_port()}/name"
    for command in ("campaign list", "db upgrade"):
        _, err = terminal.run(*command.split(), status=1, DATABASE_URL=away)
        assert len(err) == 1
        assert "Connect call failed" in err[0]
        assert "s3cr3t" not in err[0]
        _, err = terminal.run(*command.split(), status=1, DATABASE_URL=plain(postgres.url("nowhere")))
        assert len(err) == 1
        assert "does not exist" in err[0]


def test_an_empty_database_says_what_to_do_and_is_migrated_by_upgrade(terminal: Terminal) -> None:
    url = f"sqlite:///{terminal.folder}/new/empty.db"
    _, err = terminal.run("campaign", "list", status=1, DATABASE_URL=url)
    assert len(err) == 1
    assert "`hatthalekha db upgrade`" in err[0]
    _, err = terminal.run("db", "check", status=1, DATABASE_URL=url)
    assert err[0].startswith("hatthalekha: the database stands at nothing")
    assert terminal.run("db", "upgrade", DATABASE_URL=url) == ([], [])
    assert terminal.run("db", "check", DATABASE_URL=url) == (["The database is current."], [])


def test_keys_of_another_machine_are_one_line(terminal: Terminal) -> None:
    terminal.run("campaign", "import", terminal.file())
    _, err = terminal.run("campaign", "export", "libraries", status=1, KEYS_DIR=str(terminal.folder / "other"))
    assert err == ["hatthalekha: the keys in KEYS_DIR do not open what this database holds (data key)"]
    other = terminal.folder / "other"
    for command in ("serve", "worker"):
        _, err = terminal.run(command, status=1, KEYS_DIR=str(other))
        assert err == [f"hatthalekha: the keys in KEYS_DIR ({other}) are not those of this database"]


def test_a_campaign_is_imported_listed_exported_and_stopped(terminal: Terminal) -> None:
    out, _ = terminal.run("campaign", "import", terminal.file(), "--owner", "owner@example.org", "--open-for", "30")
    assert out == ["http://127.0.0.1:8000/c/libraries"]
    assert terminal.run("campaign", "list") == (["libraries\topen\t0"], [])
    _, err = terminal.run("campaign", "import", terminal.file(), status=1)
    assert err == [f"hatthalekha: {terminal.file()}: slug: a campaign named libraries exists already"]
    out, _ = terminal.run("campaign", "export", "libraries")
    exported = json.loads("\n".join(out))
    assert exported["organiser"]["email"] == "owner@example.org"
    assert exported["texts"]["km"]["title"] == small_campaign()["texts"]["km"]["title"]
    assert terminal.run("campaign", "stop", "libraries", "--why", "A forged mandate") == ([], [])
    assert terminal.run("campaign", "list") == (["libraries\tstopped\t0"], [])
    assert terminal.run("campaign", "stop", "libraries", "--why", "x", status=1)[1] == [
        "hatthalekha: libraries cannot be stopped: it is stopped"
    ]
    for command in (["export"], ["stop", "--why", "x"]):
        _, err = terminal.run("campaign", *command, "elsewhere", status=1)
        assert err == ["hatthalekha: there is no campaign named elsewhere"]


def test_a_bad_campaign_file_is_refused_whole_each_fault_with_its_place(terminal: Terminal) -> None:
    path = terminal.file(slug="No Spaces", thresholds=[{"signatures": -1, "label": {}}], kind="poem", extra=1)
    _, err = terminal.run("campaign", "import", path, "--publish", status=1)
    places = [line.removeprefix(f"hatthalekha: {path}: ").partition(": ")[0] for line in err]
    assert len(err) >= 4
    assert {"slug", "kind"} <= set(places)
    assert any(place.startswith("thresholds") for place in places)
    assert all(line.startswith(f"hatthalekha: {path}: ") for line in err)
    assert terminal.run("campaign", "list") == ([], [])
    for content, said in ((b"\xff\xfe", ""), (b"{", ""), (b"[]", "")):
        Path(path).write_bytes(content)
        _, err = terminal.run("campaign", "import", path, status=1)
        assert len(err) == 1
        assert said in err[0]
    _, err = terminal.run("campaign", "import", str(terminal.folder / "none.json"), status=1)
    assert err == [f"hatthalekha: {terminal.folder}/none.json: No such file or directory"]
    _, err = terminal.run("campaign", "import", terminal.file(), "--owner", "nobody", status=1)
    assert err[0].startswith("hatthalekha: --owner: ")


def test_the_demonstration_loads_once_with_one_crossing(terminal: Terminal) -> None:
    loaded, _ = terminal.run("demo")
    assert len(loaded) >= 3
    listed = [line.split("\t") for line in terminal.run("campaign", "list")[0]]
    assert {line[0] for line in listed} == set(loaded)
    assert {line[1] for line in listed} == {"open"}
    connection = sqlite3.connect(terminal.path)
    assert connection.execute("SELECT count(*) FROM crossings").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM letters WHERE state = 'queued'").fetchone() == (0,)
    connection.close()
    assert terminal.run("demo") == ([], [])
    assert terminal.run("demo", "--once") == ([], [])


def test_retention_runs_on_demand(terminal: Terminal) -> None:
    assert terminal.run("retention", "run") == ([], [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_prints_its_address_answers_and_ends_when_told(terminal: Terminal, number: signal.Signals) -> None:
    port = free_port()
    process = terminal.start("serve", "--port", str(port))
    assert process.stdout is not None
    assert process.stdout.readline() == f"Hatthalekha: http://127.0.0.1:{port}/\n"
    assert process.stdout.readline() == f"Mailbox:     http://127.0.0.1:{port}/dev/mailbox\n"
    assert _wait_for(f"http://127.0.0.1:{port}/readyz") == 200
    told = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert time.monotonic() - told < 8


def test_serve_on_a_port_that_is_taken_says_so(terminal: Terminal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = terminal.start("serve", "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "address already in use" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_works_and_ends_when_told(terminal: Terminal, number: signal.Signals) -> None:
    terminal.run("campaign", "import", terminal.file(), "--open-for", "30")
    connection = sqlite3.connect(terminal.path)
    connection.execute("UPDATE campaigns SET closes_at = 2, opens_at = 1")
    connection.commit()
    process = terminal.start("worker")
    deadline = time.monotonic() + 30
    while connection.execute("SELECT state FROM campaigns").fetchone() != ("closed",):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    connection.close()
    told = time.monotonic()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, "")
    assert time.monotonic() - told < 8


def test_a_stopped_campaign_is_resumed(terminal: Terminal) -> None:
    terminal.run("campaign", "import", terminal.file(), "--open-for", "30")
    assert terminal.run("campaign", "resume", "libraries", status=1)[1] == [
        "hatthalekha: libraries cannot be resumed: it is open"
    ]
    terminal.run("campaign", "stop", "libraries", "--why", "A forged mandate")
    assert terminal.run("campaign", "resume", "libraries") == (["open"], [])
    assert terminal.run("campaign", "resume", "nowhere", status=1)[1] == [
        "hatthalekha: there is no campaign named nowhere"
    ]


def test_a_campaign_is_given_another_owner(terminal: Terminal) -> None:
    terminal.run("campaign", "import", terminal.file())
    assert terminal.run("campaign", "rehome", "libraries", "heir@example.org") == ([], [])
    with sqlite3.connect(terminal.path) as connection:
        assert connection.execute("SELECT count(*) FROM members WHERE role = 'owner'").fetchone() == (2,)
    connection.close()
    assert terminal.run("campaign", "rehome", "nowhere", "heir@example.org", status=1)[1] == [
        "hatthalekha: there is no campaign named nowhere"
    ]
    (fault,) = terminal.run("campaign", "rehome", "libraries", "heir", status=1)[1]
    assert fault.startswith("hatthalekha: heir: ")


def test_a_dissolution_is_recorded_once_it_is_there(terminal: Terminal) -> None:
    terminal.run("campaign", "import", terminal.file(), "--open-for", "30")
    assert terminal.run("parliament", "dissolved", "2199-01-01", status=1)[1] == [
        "hatthalekha: 2199-01-01: that day is still to come"
    ]
    assert terminal.run("parliament", "dissolved", "2019-09-11") == (
        ["0 members no longer carry a petition or are no longer asked"],
        [],
    )
    assert "not match" in terminal.run("parliament", "dissolved", "soon", status=2)[1][0]


@pytest.mark.skipif(not REAL, reason="the folder of real campaigns is not beside this repository")
def test_real_campaigns_are_exported_as_they_were_imported(terminal: Terminal) -> None:
    assert len(REAL) == 5
    for path in REAL:
        given = {"asks": ["postal_code"]} | json.loads(path.read_text(encoding="utf-8"))
        terminal.run("campaign", "import", str(path), "--publish")
        first = json.loads("\n".join(terminal.run("campaign", "export", given["slug"])[0]))
        assert _filled(first) == _filled(given)
    path = REAL[0]
    terminal.path.unlink()
    terminal.run("db", "upgrade")
    terminal.run("campaign", "import", str(path), "--open-for", "30")
    given = {"asks": ["postal_code"]} | json.loads(path.read_text(encoding="utf-8"))
    opened = json.loads("\n".join(terminal.run("campaign", "export", given["slug"])[0]))
    for dates in ("opens_on", "closes_on"):
        assert opened.pop(dates) != given.pop(dates, None)
    assert _filled(opened) == _filled(given)


def _filled(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON without what is empty and so might as well not be there."""
    if isinstance(value, dict):
        filled = {name: _filled(each) for name, each in value.items()}
        return {name: each for name, each in filled.items() if each not in ("", [], {}, None)}
    return [_filled(each) for each in value] if isinstance(value, list) else value


def _wait_for(url: str) -> int:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
                status: int = answer.status
                return status
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError("it does not answer")
