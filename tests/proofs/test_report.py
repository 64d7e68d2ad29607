"""Checking reports: what holds passes, and whatever is changed is found and named, in words of three languages."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.proofs import verifying
from app.proofs.verifying import LOCALES, SENTENCES, Options, Verifier, fetch, list_rows, main, verify
from tests.proofs.logs import HOST, NEW, OLD, OTHER, Draft, Installation, Log, write_csv, write_sheet, write_zip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.proofs.notes import NoteSigner

SCRIPT = Path(verifying.__file__)


def pin(*signers: NoteSigner) -> Options:
    """Return the options of somebody who has these keys, and is offline."""
    return Options(tuple(Verifier.parse(each.verifier) for each in signers))


def check(path: Path, options: Options | None = None, *, locale: str = "en") -> tuple[int, list[str]]:
    """Return the status and all lines."""
    lines: list[str] = []
    return verify(path, locale=locale, options=options or pin(NEW), tell=lines.append), lines


def faults(path: Path, options: Options | None = None) -> list[str]:
    """Return what does not hold, without the verdict."""
    status, lines = check(path, options)
    assert status == 1, lines
    wrong = [line.removeprefix("✗ ") for line in lines if line.startswith("✗")]
    assert wrong[-1].startswith("This does not hold.")
    return wrong[:-1]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    return Draft().write(tmp_path / "report")


def test_a_report_that_holds_says_so_line_by_line(report: Path) -> None:
    status, lines = check(report)
    assert status == 0
    assert lines == [
        f"✓ The manifest was signed with the key {HOST}+{Verifier.parse(NEW.verifier).id.hex()}.",
        "✓ The files that the manifest names are all there and unchanged (10).",
        "✓ counts.json says what the manifest says: report no. 3, 612 verified signatures as of 2026-11-22T18:00:00Z.",
        "✓ The log adds up: 640 signed less 28 removed are 612.",
        "✓ The way adds up: of 700 forms received, 612 became verified signatures.",
        "✓ The breakdown adds up: its parts make its 600 signatures.",
        "✓ counts.csv says row for row what counts.json says (16).",
        "✓ counts.xlsx says row for row what counts.json says (16).",
        "✓ The text of edition 1 is the one that was signed.",
        "✓ The checkpoint of the log “signed” is genuine: 640 entries.",
        "✓ The checkpoint of the log “removed” is genuine: 28 entries.",
        "– Not compared with the live log: you asked to stay offline.",
        "✓ Everything that was checked holds.",
    ]


def test_old_and_new_keys_verify_alone_and_a_stranger_does_not(report: Path) -> None:
    assert check(report, pin(OLD))[0] == check(report, pin(NEW))[0] == check(report, pin(OLD, NEW, OTHER))[0] == 0
    (first, *_) = faults(report, pin(OTHER))
    assert first == f"The manifest is not signed with any of the keys it is checked with: {OTHER.verifier}"


def test_reports_verify_after_the_keys_went_on(tmp_path: Path) -> None:
    # Issued when OLD signed alone; checked by somebody who has all published keys, the newest first.
    early = Draft(signers=[OLD], named=[OLD]).write(tmp_path / "early")
    assert check(early, pin(OTHER, NEW, OLD))[0] == 0
    # Its checkpoints are older than its manifest, by a key that does not sign any more; the report names that key.
    log = Log.make()
    files = {f"log/{tree}.checkpoint": log.checkpoint(tree, [OLD]).encode() for tree in ("signed", "removed")}
    late = Draft(log=log, signers=[OTHER, NEW], named=[OTHER, NEW, OLD], files=files).write(tmp_path / "late")
    assert check(late, pin(NEW))[0] == 0


def test_without_a_key_it_says_that_the_key_must_be_compared(report: Path) -> None:
    status, lines = check(report, Options())
    assert status == 0
    (line,) = [line for line in lines if line.startswith("– No key was given")]
    assert f"https://{HOST}/api/v1/keys" in line
    assert OLD.verifier in line
    assert lines[-1] == "✓ Everything that was checked holds, if the keys are the right ones: that was not checked."


def test_every_byte_counts(report: Path) -> None:
    dice = random.Random(5)
    for path in sorted(each for each in report.rglob("*") if each.is_file()):
        data = path.read_bytes()
        name = path.relative_to(report).as_posix()
        most = len(data) // 4 if name == "manifest" else 12
        places = dice.sample(range(len(data)), min(most, len(data)))
        for at in places:
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :])
            found = faults(report, pin(OLD))
            assert any(name in line for line in found), (name, at, found)
        path.write_bytes(data)
    assert check(report)[0] == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("counts.csv", "Row 8 of counts.csv is “province,CA-QC,Quebec,'=Québec,,120”, and by counts.json it is "),
        ("counts.xlsx", "Row 8 of counts.xlsx is “province,CA-QC,Quebec,=Québec,,120”, and by counts.json it is "),
    ],
)
def test_a_swapped_row_is_named(tmp_path: Path, name: str, said: str) -> None:
    # Whoever signs can sign this, too: it is found without the hashes.
    rows = [["" if cell is None else cell for cell in row] for row in list_rows(Draft().figures)]
    rows[7], rows[8] = rows[8], rows[7]
    content = write_csv(rows) if name == "counts.csv" else write_sheet(rows, is_shared=True)
    (fault,) = faults(Draft(files={name: content}).write(tmp_path))
    assert fault == said + "“province,CA-ON,Ontario,Ontario,អនតារីយ៉ូ,300”."


def test_rows_that_are_missing_or_too_many_are_named(tmp_path: Path) -> None:
    rows = [["" if cell is None else cell for cell in row] for row in list_rows(Draft().figures)]
    blank = write_sheet([*rows, [""] * 6])
    assert check(Draft(files={"counts.xlsx": blank}).write(tmp_path / "blank"))[0] == 0
    (short,) = faults(Draft(files={"counts.csv": write_csv(rows[:-1])}).write(tmp_path / "short"))
    assert short.startswith("Row 17 of counts.csv is “”, and by counts.json it is “edition,1,")
    (long,) = faults(Draft(files={"counts.xlsx": write_sheet([*rows, rows[1]])}).write(tmp_path / "long"))
    assert long.endswith("and by counts.json it is “”.")
    for at, content in enumerate(
        (b"\xff", b'"', write_sheet(rows, name="other"), write_zip({"xl/workbook.xml": b"<"}))
    ):
        name = "counts.csv" if at < 2 else "counts.xlsx"
        assert faults(Draft(files={name: content}).write(tmp_path / str(at))) == [f"{name} cannot be read as a table."]
    bomb = b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
    parts = write_zip({"xl/workbook.xml": bomb, "xl/_rels/workbook.xml.rels": bomb})
    assert faults(Draft(files={"counts.xlsx": parts}).write(tmp_path / "bomb"))


def test_a_checkpoint_of_another_campaign_is_named(tmp_path: Path) -> None:
    other = Log.make().checkpoint("signed", [NEW], slug="another").encode()
    (fault,) = faults(Draft(files={"log/signed.checkpoint": other}).write(tmp_path))
    assert fault == (
        "log/signed.checkpoint is a checkpoint of another log: "
        f"{HOST}/api/v1/campaigns/another/log/signed, and not {HOST}/api/v1/campaigns/khmer-services/log/signed."
    )


def test_a_truncated_tree_is_named(tmp_path: Path) -> None:
    cut = Log.make().checkpoint("signed", [NEW], size=639).encode()
    folder = Draft(files={"log/signed.checkpoint": cut}).write(tmp_path)
    online = Installation(Log.make(), (folder / "manifest").read_bytes())
    (fault,) = faults(folder, ask(online, NEW))
    assert fault == (
        "log/signed.checkpoint is of a tree of 639 entries, and the manifest says 640: the tree was cut or is another."
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff", "is not a checkpoint."),
        (b"", "is not a checkpoint."),
        (Log.make(3, 1).checkpoint("signed", [OTHER]).encode(), "is not signed with a key that is known."),
        (
            Log.make(3, 1).checkpoint("signed", [NEW]).replace("\n3\n", "\n4\n").encode(),
            "was changed after it was signed: a signature on it is false.",
        ),
    ],
)
def test_a_checkpoint_that_is_none_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    found = faults(Draft(files={"log/signed.checkpoint": content}).write(tmp_path))
    assert found == [f"log/signed.checkpoint {said}"]


def test_files_that_are_missing_extra_or_no_files_are_named(report: Path) -> None:
    (report / "report.pdf").unlink()
    (report / "verify.py").unlink()
    (report / "verify.py").symlink_to(report / "README.txt")
    os.mkfifo(report / "pipe")
    (report / "texts" / "more.txt").write_text("more")
    (report / ".DS_Store").write_text("left")
    assert faults(report) == [
        "report.pdf is missing: the manifest names it.",
        "pipe is not a plain file: it is a link, a device or the like, and was not read.",
        "verify.py is not a plain file: it is a link, a device or the like, and was not read.",
        "texts/more.txt is no part of the report: the manifest does not name it.",
    ]
    assert "– .DS_Store is no part of the report: your system left it there." in check(report)[1]


def test_what_is_too_much_is_not_read(report: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "FILE_BYTES", 1500)
        assert "counts.json is larger than anything in a report, and was not read." in faults(report)
    with monkeypatch.context() as patch:
        patch.setattr(verifying, "MOST_ENTRIES", 5)
        assert any("larger than anything" in line for line in faults(report))


def change(data: Any, path: Sequence[str | int], value: object) -> None:  # noqa: ANN401 - figures of any shape
    """Change one figure within others."""
    *way, last = path
    for step in way:
        data = data[step]
    data[last] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["breakdown", "DaySignatures", 0, "SignatureCount"], 251, "DaySignatures adds up to 601, and not to 600."),
        (
            ["breakdown", "LanguageSignatures", 0, "SignatureCount"],
            -1,
            "LanguageSignatures in counts.json cannot be read.",
        ),
        (["breakdown", "CountrySignatures", 1, "Country"], "CA", "CountrySignatures in counts.json cannot be read."),
        (["breakdown", "DistrictSignatures"], 5, "DistrictSignatures in counts.json cannot be read."),
        (
            ["breakdown", "DistrictSignatures", 0, "SignatureCount"],
            601,
            "DistrictSignatures adds up to 601, which is more",
        ),
        (
            ["breakdown", "ProvinceSignatures", 1, "SignatureCount"],
            291,
            "ProvinceSignatures (CA) adds up to 591, which is",
        ),
        (["breakdown", "signatures"], "600", "breakdown in counts.json cannot be read."),
        (["way", 1, "forms"], -61, "The way from forms received to verified signatures adds up to 611, and not to 612"),
        (["way", 1, "forms"], 60, "counts.json has no way from forms received to verified signatures that can be"),
        (["way", 0, "step"], "forms", "counts.json has no way from forms received to verified signatures that can be"),
        (["way"], None, "counts.json has no way from forms received to verified signatures that can be read."),
        (["editions", 0, "signatures"], 613, "editions adds up to 613, which is more than 612."),
        (["editions", 0, "signatures"], "all", "editions in counts.json cannot be read."),
    ],
)
def test_sums_that_are_wrong_are_named(tmp_path: Path, path: list[str | int], value: object, said: str) -> None:
    draft = Draft()
    change(draft.figures, path, value)
    found = faults(draft.write(tmp_path))
    assert any(line.startswith(said) for line in found), found


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ({"signatures": "613"}, "counts.json has “612” for signatures, and the manifest has “613”."),
        ({"number": "4"}, "counts.json has “3” for number, and the manifest has “4”."),
        ({"supersedes": "none"}, "counts.json has “2” for supersedes, and the manifest has “None”."),
        ({"as-of": "2026-11-22T18:00:01Z"}, "counts.json has “2026-11-22T18:00:00Z” for as-of, and the manifest has"),
        ({"removed-size": "27"}, "The log does not add up: 640 signed less 27 removed are not 612."),
        ({"edition-1": "0" * 64}, "The text of edition 1 is not the one that was signed: texts/edition-1.json has"),
        ({"edition-2": "0" * 64}, "The text of edition 2 is not the one that was signed: texts/edition-2.json has"),
        ({"edition-2": "0"}, "The manifest does not say what it should about “edition-2”."),
        ({"number": "03"}, "The manifest does not say what it should about “number”."),
        ({"number": "9" * 5000}, "The manifest does not say what it should about “number”."),
        ({"base-url": "file:///etc"}, "The manifest does not say what it should about “base-url”."),
        ({"base-url": "https://other.example"}, "The report speaks for other.example, and the key that signed it is "),
        ({"0" * 64 + "  ../../etc/passwd\nx": "y"}, "The manifest has a line that does not belong there: “000"),
        ({"0" * 64 + "  manifest\nx": "y"}, "The manifest has a line that does not belong there: “000"),
        ({"0" * 64 + "  .hidden\nx": "y"}, "The manifest has a line that does not belong there: “000"),
        ({"x": "y\nx: z"}, "The manifest has a line that does not belong there: “x: z”."),
    ],
)  # fmt: skip
def test_a_manifest_that_is_wrong_is_named(tmp_path: Path, lines: dict[str, str], said: str) -> None:
    found = faults(Draft(lines=lines).write(tmp_path))
    assert any(line.startswith(said) for line in found), found


def test_what_a_later_format_adds_is_passed_over(tmp_path: Path) -> None:
    assert check(Draft(lines={"witness": "somebody"}).write(tmp_path))[0] == 0


def test_signatures_of_keys_that_the_report_does_not_name_are_named(tmp_path: Path) -> None:
    (fault,) = faults(Draft(signers=[NEW, OTHER], named=[NEW, OLD]).write(tmp_path / "a"))
    assert fault.startswith("The manifest bears a signature of a key that the report does not name: ")
    assert faults(Draft(named=()).write(tmp_path / "b"), Options())[0].startswith("The manifest is not signed with any")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b'{"number": 1e400}', b'{"a": 1, "a": 1}', b"\xff"])
def test_figures_that_cannot_be_read_are_named(tmp_path: Path, content: bytes) -> None:
    assert "counts.json cannot be read." in faults(Draft(files={"counts.json": content}).write(tmp_path))


def test_figures_that_lie_too_deep_are_named_and_not_spelt_out(tmp_path: Path) -> None:
    deep: object = 5
    for _ in range(900):
        deep = [deep]
    draft = Draft()
    content = json.dumps(draft.figures | {"number": 5}).replace('"number": 5', '"number": ' + json.dumps(deep))
    keys = json.dumps([f"\ud800+{'0' * 8}+{'A' * 44}", 5, None])
    content = content.replace(json.dumps(draft.figures["keys"]), keys)
    found = faults(Draft(files={"counts.json": content.encode()}).write(tmp_path))
    assert "counts.json has “[…]” for number, and the manifest has “3”." in found


def test_a_zip_is_read_as_it_stands_and_not_unpacked(report: Path, tmp_path: Path) -> None:
    files = {each.relative_to(report).as_posix(): each.read_bytes() for each in report.rglob("*") if each.is_file()}
    path = tmp_path / "report.zip"
    path.write_bytes(write_zip(files))
    assert check(path)[0] == 0
    path.write_bytes(write_zip({f"report-3/{name}": content for name, content in files.items()}))
    assert check(path)[0] == 0
    path.write_bytes(write_zip(files | {"../outside": b"x"}))
    assert faults(path) == ["../outside is no part of the report: the manifest does not name it."]
    assert not (tmp_path / "outside").exists()
    path.write_bytes(write_zip(files | {"report.pdf": b"\0" * (verifying.FILE_BYTES + 1)}))
    assert faults(path) == ["report.pdf is larger than anything in a report, and was not read."]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_odd_in_a_zip_is_named(report: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for each in sorted(each for each in report.rglob("*") if each.is_file()):
            archive.write(each, each.relative_to(report).as_posix())
        archive.writestr("counts.csv", "another")
        link = zipfile.ZipInfo("verify.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = faults(path)
    assert "counts.csv is there twice." in found
    assert "verify.py is not a plain file: it is a link, a device or the like, and was not read." in found
    data = path.read_bytes()
    path.write_bytes(data.replace(b"How to check this.", b"How to break this."))
    assert "README.txt could not be read." in faults(path)
    monkeypatch.setattr(verifying, "MOST_ENTRIES", 3)
    assert check(path)[0] == 2


def test_a_report_without_a_breakdown_says_so(tmp_path: Path) -> None:
    draft = Draft()
    draft.figures["breakdown"] = None
    status, lines = check(draft.write(tmp_path))
    assert status == 0
    assert "– The report has no breakdown." in lines


def test_what_is_no_report_is_not_judged(tmp_path: Path) -> None:
    (tmp_path / "some.txt").write_text("text")
    for path in (tmp_path, tmp_path / "some.txt", tmp_path / "nothing", Path("/dev/zero"), Path("a\0b")):
        status, lines = check(path)
        assert status == 2
        assert lines[-1].startswith("✗ Nothing was judged: ")
    (tmp_path / "manifest").write_text("no note")
    for path in (tmp_path, tmp_path / "manifest"):
        wrong = ["The manifest cannot be read: it is not a signed note.", "counts.json cannot be read."]
        assert faults(path) == wrong


def test_what_others_wrote_cannot_command_a_terminal(report: Path) -> None:
    (report / "a\x1b[2Jb\u202e").write_text("x")
    (fault,) = faults(report)
    assert fault.startswith("a�[2Jb� is no part")


# Online


@pytest.fixture
def online(report: Path) -> Installation:
    return Installation(Log.make(900, 40), (report / "manifest").read_bytes())


def ask(online: Installation, *signers: NoteSigner) -> Options:
    """Return the options of somebody who is online."""
    return Options(pin(*signers).verifiers, online.fetch)


def test_a_log_that_has_grown_begins_with_the_report(report: Path, online: Installation) -> None:
    status, lines = check(report, ask(online, NEW))
    assert status == 0
    assert lines[-4:-1] == [
        "✓ The live log “signed” (900 entries) begins with the 640 it had: nothing was rewritten.",
        "✓ The live log “removed” (40 entries) begins with the 28 it had: nothing was rewritten.",
        f"✓ The list of reports at https://{HOST}/api/v1/campaigns/khmer-services/reports has this very report.",
    ]
    online.log, online.latest = Log.make(), 5
    status, lines = check(report, ask(online, OLD))
    assert status == 0
    assert "– A later report supersedes this one: no. 5." in lines


def test_a_log_that_was_cut_rewritten_or_forged_is_named(report: Path, online: Installation) -> None:
    online.log = Log.make(639, 40)
    assert faults(report, ask(online, NEW)) == [
        "The live log “signed” has 639 entries, fewer than the 640 it had: it was cut."
    ]
    online.log = Log.make(900, 40)
    online.log.signed.tiles[0, 0] = bytes(32) + online.log.signed.tiles[0, 0][32:]
    # All that follows from the leaf is made anew: the log contradicts what it said, and nothing else.
    entries = [bytes(32), *(bytes([1]) * 32 for _ in range(899))]
    online.log.signed = type(online.log.signed)(entries)
    assert faults(report, ask(online, NEW)) == [
        "The live log “signed” does not begin with the 640 entries it had: it was rewritten."
    ]
    online.log = Log.make(640, 28)
    online.signers = [OTHER]
    _, lines = check(report, ask(online, NEW))
    assert any(line.startswith("– Not compared with the live log “signed”") for line in lines)


def test_a_live_checkpoint_that_is_false_is_named(report: Path, online: Installation) -> None:
    def lie(url: str) -> bytes:
        data = online.fetch(url)
        return data.replace(b"\n900\n", b"\n901\n") if url.endswith("signed/checkpoint") else data

    (fault,) = faults(report, Options(pin(NEW).verifiers, lie))
    url = f"https://{HOST}/api/v1/campaigns/khmer-services/log/signed/checkpoint"
    assert fault == f"The live checkpoint at {url} is not genuine."

    def swap(url: str) -> bytes:
        return online.fetch(url.replace("removed/checkpoint", "signed/checkpoint"))

    assert any(
        "removed/checkpoint is not genuine" in line for line in faults(report, Options(pin(NEW).verifiers, swap))
    )

    def garble(url: str) -> bytes:
        return b'{"hashes": ["?"]}' if "consistency" in url else online.fetch(url)

    assert len(faults(report, Options(pin(NEW).verifiers, garble))) == 2


def test_another_report_under_the_same_number_is_named(report: Path, online: Installation) -> None:
    online.manifest = b"another"
    assert faults(report, ask(online, NEW))[0].endswith("has another report under no. 3.")
    online.latest = 2
    assert faults(report, ask(online, NEW))[0].endswith("has no report no. 3.")
    online.first, online.latest = 4, 5
    status, lines = check(report, ask(online, NEW))
    assert (status, lines[-3][-20:]) == (0, "has no report no. 3.")


def test_an_installation_that_is_away_is_no_fault(report: Path, online: Installation) -> None:
    online.is_down = True
    status, lines = check(report, ask(online, NEW))
    assert status == 0
    assert lines[-2].startswith("– Not compared with what is online: https://letters.example.org/api/v1/campaigns/")
    nonsense = Options(pin(NEW).verifiers, lambda url: b"?" if url.endswith("reports") else online.fetch(url))
    online.is_down = False
    assert check(report, nonsense)[0] == 0


def test_keys_nobody_pinned_are_compared_with_the_published_ones(report: Path, online: Installation) -> None:
    status, lines = check(report, ask(online))
    assert status == 0
    assert lines[1].startswith(f"✓ The keys of the report are those published at https://{HOST}/api/v1/keys.")
    assert lines[-1] == "✓ Everything that was checked holds."
    online.signers = [NEW]
    assert faults(report, ask(online))[0].startswith(f"The key {HOST}+")


def test_nothing_is_asked_of_an_address_in_a_false_manifest(report: Path, online: Installation) -> None:
    assert faults(report, ask(online, OTHER))
    (report / "manifest").write_bytes((report / "manifest").read_bytes().replace(b"number: 3", b"number: 4"))
    assert faults(report, ask(online, NEW))
    assert faults(report, ask(online))
    assert online.asked == []


class Answers(BaseHTTPRequestHandler):
    """A server on loopback."""

    said: ClassVar[dict[str, bytes]] = {}

    def do_GET(self) -> None:
        """Answer what was set down."""
        data = self.said.get(self.path)
        self.send_response(200 if data is not None else 404)
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its base names it
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Answers.said = {"/a": b"answer", "/large": b"x" * (verifying.ANSWER_BYTES + 1)}
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_an_address_is_asked_within_limits(server: str) -> None:
    assert fetch(f"{server}/a") == b"answer"
    for url in (f"{server}/none", f"{server}/large", "http://127.0.0.1:9/", "http://[/", "http://127.0.0.1:x/"):
        with pytest.raises(verifying.Unreachable):
            fetch(url)


# As a script, in three languages, and whatever it is given


def run(*arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Run the file alone, away from the project; return status and lines."""
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), *arguments], capture_output=True, env=environment, check=False
    )
    assert done.stderr == b"" or done.returncode == 2, done.stderr.decode()
    return done.returncode, done.stdout.decode().splitlines()


def test_the_file_runs_alone_in_the_language_of_the_terminal(report: Path, tmp_path: Path) -> None:
    status, lines = run(str(report), "--key", OLD.verifier, "--offline", LANG="fr_CA.UTF-8")
    assert (status, lines[-1]) == (0, "✓ Tout ce qui a été vérifié est exact.")
    pinned = tmp_path / "keys.json"
    pinned.write_text(json.dumps({"keys": [{"verifier": NEW.verifier}]}))
    status, lines = run(str(report), "--key", str(pinned), "--offline", "--lang", "km")
    assert (status, lines[-1]) == (0, "✓ អ្វីៗទាំងអស់ដែលបានផ្ទៀងផ្ទាត់ គឺត្រឹមត្រូវ។")
    assert any("៦១២" in line for line in lines)
    (report / "report.pdf").write_text("another")
    assert run(str(report), "--key", OLD.verifier, "--offline", PYTHONIOENCODING="ascii")[0] == 1
    assert run(str(report), "--key", "no key")[0] == 2
    assert run()[0] == 2


def test_main_speaks_and_never_raises(
    report: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "km_KH.UTF-8")
    assert main([str(report), "--key", NEW.verifier, "--offline"]) == 0
    assert "៦១២" in capsys.readouterr().out
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setattr(verifying, "read_folder", lambda _: 1 / 0)
    assert main([str(report), "--offline"]) == 2
    assert capsys.readouterr().out.startswith("✗ Nothing was judged")
    with pytest.raises(SystemExit):
        main([str(report), "--key", "none"])


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="there is no sha256sum here")
def test_sha256sum_takes_the_manifest_as_it_stands(report: Path) -> None:
    command = ["sha256sum", "--check", "--quiet", "manifest"]
    assert subprocess.run(command, cwd=report, capture_output=True, check=False).returncode == 0
    (report / "report.pdf").write_text("another")
    assert subprocess.run(command, cwd=report, capture_output=True, check=False).returncode == 1


def test_every_sentence_is_there_in_three_languages() -> None:
    for code, sentences in SENTENCES.items():
        names = [set(re.findall(r"{(\w+)}", sentence)) for sentence in sentences]
        assert names[0] == names[1] == names[2], code
        assert len(set(sentences)) == len(LOCALES), code
        assert any("\u1780" <= sign <= "\u17ff" for sign in sentences[2]), code
        assert " :" not in sentences[1].replace("\u00a0:", ""), code


JUNK = st.binary(max_size=300)


@given(data=st.data())
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_lies_there_it_ends_with_a_verdict(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = Draft().write(tmp_path_factory.mktemp("report"))
    names = sorted(each for each in folder.rglob("*") if each.is_file())
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(names))
        content = path.read_bytes()
        at, end = sorted((data.draw(st.integers(0, len(content))), data.draw(st.integers(0, len(content)))))
        path.write_bytes(data.draw(st.sampled_from([content[:at], content[at:end]])) + data.draw(JUNK) + content[end:])
    status, lines = check(
        folder, data.draw(st.sampled_from([pin(NEW), Options()])), locale=data.draw(st.sampled_from(LOCALES))
    )
    assert status in {0, 1, 2}
    assert lines[-1][0] in "✓✗"
    # As figures that are signed: nothing in them may stop the checking.
    draft = Draft()
    leaves = [*_list_places(draft.figures)]
    change(draft.figures, data.draw(st.sampled_from(leaves)), data.draw(JSON))
    files = {"counts.json": json.dumps(draft.figures).encode()}
    status, lines = check(Draft(files=files).write(tmp_path_factory.mktemp("signed")))
    assert status in {0, 1}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def _list_places(data: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    each: Any = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in each:
        yield (*path, key)
        yield from _list_places(value, (*path, key))
