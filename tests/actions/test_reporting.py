"""Reports: what they count, that each checkpoint has one, that it checks out with our tools and with others'."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from xml.etree import ElementTree as ET

import pytest

from app.actions import reporting
from app.actions.campaigns import CampaignNotFound
from app.actions.reporting import (
    LogOfAnotherHost,
    LogUnsettled,
    NoCheckpointYet,
    ReportOvertaken,
    build_files,
    draw_report,
    keep_report,
    zip_report,
)
from app.actions.sequencing import append_batch
from app.actions.snapshots import draw_snapshot, keep_snapshot
from app.core.clock import utc_now
from app.core.keys import add_signing_key, open_keyring
from app.documents.tables import write_csv, write_xlsx
from app.models import District
from app.proofs.verifying import Verifier, open_note
from app.queries.log import is_log_ours, list_published, list_signers
from app.queries.reports import (
    LASTS,
    find_current_report,
    find_public_report_file,
    find_report,
    find_report_file,
    list_report_files,
    list_reports,
)
from tests.reporting import (
    append,
    files_of,
    find_id,
    insert_forms,
    issue,
    sign,
    sign_in_every_way,
    turn_away,
    withdraw,
    write_files,
)
from tests.stage import REAL_CAMPAIGNS, on_one_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from tests.stage import Stage

E1746 = REAL_CAMPAIGNS / "e-1746.json"
#: A path of each kind of file, and what is changed in it.
OTHERS = ("report.pdf", "counts.json", "counts.csv", "counts.xlsx", "texts/edition-1.json", "texts/edition-1.km.txt")


@pytest.fixture
def plain_document() -> Iterator[None]:
    """Leave typesetting out where the document is not what is tested."""
    with patch("app.documents.report.typeset_report", lambda *_, **__: b"%PDF"):
        yield


def host_of(stage: Stage) -> str:
    return stage.settings.base_url.partition("://")[2]


def load_district(session: Session, *, code: str, names: dict[str, str]) -> None:
    session.add(District(code=code, names=names, province="CA-BC", loaded_at=utc_now(), is_current=True))


def draw(stage: Stage, slug: str, *, after_snapshot: bool = False, **values: Any) -> Any:  # noqa: ANN401 - a drawn report or a number
    if after_snapshot:
        snapshot = stage.read(draw_snapshot, campaign_id=find_id(stage, slug), now=utc_now())
        assert snapshot is not None
        stage.write(keep_snapshot, drawn=snapshot)
    verifiers = [each.verifier for each in list_published(stage.keyring, host=host_of(stage))]
    values = {"base_url": stage.settings.base_url, "verifiers": verifiers, "now": utc_now(), **values}
    return stage.read(draw_report, slug=slug, **values)


def build(stage: Stage, drawn: reporting.DrawnReport) -> dict[str, bytes]:
    return build_files(drawn, signers=list_signers(stage.keyring, host=host_of(stage)))


def figures_of(stage: Stage, slug: str, number: int) -> Any:  # noqa: ANN401 - JSON
    return json.loads(files_of(stage, slug, number)["counts.json"])


# What is counted


@pytest.mark.usefixtures("plain_document")
def test_a_report_counts_what_its_checkpoint_counts(stage: Stage) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 120)
    append(stage, slug)
    sign(stage, slug, 7)  # after the checkpoint
    assert issue(stage, slug) == 1
    figures = figures_of(stage, slug, 1)
    assert figures["signatures"] == 120
    assert (figures["number"], figures["supersedes"]) == (1, None)
    way = {row["step"]: row["forms"] for row in figures["way"]}
    assert way["forms_received"] == 120 + 31 + 17 + 12 + 2 + 9 + 23 + 3 + 40 + 7
    assert (way["not_confirmed"], way["not_eligible"], way["quarantined"]) == (-48, -40, -23)
    assert (way["duplicates"], way["withdrawn"]) == (-12, -9)
    # Three taken out and two erased are too few to be told, and so are all others merged with them.
    assert "removed" not in way
    assert way["other"] + way.get("in_progress", 0) == -(3 + 2 + 7)
    assert sum(row["forms"] for row in figures["way"][:-1]) == way["verified"] == 120


@pytest.mark.usefixtures("plain_document")
def test_who_withdrew_is_counted_until_the_next_checkpoint(stage: Stage) -> None:
    slug, now = stage.campaign(), utc_now()
    ids = sign(stage, slug, 60)
    append(stage, slug)
    withdraw(stage, ids[:25], now=now)
    assert issue(stage, slug) == 1
    append(stage, slug)
    assert issue(stage, slug, now=now + 2 * LASTS) == 2
    first, second = (figures_of(stage, slug, number) for number in (1, 2))
    assert (first["signatures"], second["signatures"]) == (60, 35)
    assert (second["supersedes"], second["checkpoint"]["removed_size"]) == (1, 25)
    assert {row["step"]: row["forms"] for row in second["way"]}["withdrawn"] == -25


@pytest.mark.usefixtures("plain_document")
def test_steps_move_by_nothing_or_by_five_from_report_to_report(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 40)
    sign(stage, slug, 8, standing="removed")
    append(stage, slug)
    for number in range(1, 4):
        assert issue(stage, slug, now=utc_now() + number * LASTS) == number
        sign(stage, slug, 20)
        sign(stage, slug, 2, standing="removed")
        append(stage, slug)
    ways = [{row["step"]: row["forms"] for row in figures_of(stage, slug, number)["way"]} for number in (1, 2, 3)]
    told = [way.get("removed") for way in ways]
    assert told[0] in {-8, None}
    numbers = [number for number in told if number is not None]
    assert all(abs(later - earlier) in {0, *range(5, 99)} for earlier, later in pairwise(numbers))
    assert all(way["verified"] == 40 + 20 * at for at, way in enumerate(ways))


@pytest.mark.usefixtures("plain_document")
def test_a_due_snapshot_is_taken_first(stage: Stage) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 612)
    append(stage, slug)
    issue(stage, slug)
    breakdown = figures_of(stage, slug, 1)["breakdown"]
    assert (breakdown["snapshot"], breakdown["signatures"]) == (1, 612)
    for name in ("ProvinceSignatures", "CountrySignatures", "LanguageSignatures", "DaySignatures"):
        rows = breakdown[name]
        assert sum(row["SignatureCount"] for row in rows) == 612, name
        assert all(row["SignatureCount"] >= 5 for row in rows if row[name.removesuffix("Signatures")] is not None), name
    # Where the rest would be too small, one that is drawn by lot goes into it, whichever that is.
    named = {row["Province"]: row["Name"]["en"] for row in breakdown["ProvinceSignatures"] if row["Province"]}
    assert named.items() & {"CA-ON": "Ontario", "CA-QC": "Quebec"}.items()


@pytest.mark.usefixtures("plain_document")
@on_one_database
def test_districts_are_named_and_those_of_no_list_keep_their_code(stage: Stage) -> None:
    slug = stage.campaign()
    for code, names in (("59006", {"en": "Coquitlam", "fr": "Coquitlam"}), ("59007", {"en": "Nowhere", "fr": "Ici"})):
        stage.write(load_district, code=code, names=names)
        sign(stage, slug, 60, district=code, places=[("CA", "CA-BC", 1)])
    sign(stage, slug, 60, places=[("CA", "CA-BC", 1)])
    append(stage, slug)
    figures = draw(stage, slug, after_snapshot=True).figures
    districts = {row["District"]: row for row in figures["breakdown"]["DistrictSignatures"]}
    assert districts["59006"]["Name"] == {"en": "Coquitlam", "fr": "Coquitlam", "km": "Coquitlam"}
    assert (districts["59006"]["Province"], districts["59006"]["SignatureCount"]) == ("CA-BC", 60)
    assert districts[None]["Name"]["en"].startswith("Elsewhere")
    stage.sql_write("DELETE FROM districts WHERE code = '59007'")
    [left] = [row for row in draw(stage, slug).figures["breakdown"]["DistrictSignatures"] if row["District"] == "59007"]
    assert (left["Province"], left["Name"]["en"]) == (None, "59007")


@pytest.mark.usefixtures("plain_document")
@on_one_database
def test_a_snapshot_without_margins_tells_nothing_apart(stage: Stage, tmp_path: Path) -> None:
    slug = stage.campaign()
    sign(stage, slug, 60)
    append(stage, slug)
    draw(stage, slug, after_snapshot=True)
    stage.sql_write("UPDATE snapshots SET margins = '{}'")
    issue(stage, slug)
    breakdown = figures_of(stage, slug, 1)["breakdown"]
    assert [(row["Day"], row["SignatureCount"]) for row in breakdown["DaySignatures"]] == [(None, 60)]
    write_files(tmp_path / "report", files_of(stage, slug, 1))
    (tmp_path / "key").write_text(list_published(stage.keyring, host=host_of(stage))[0].verifier)
    status, lines = verify(tmp_path / "report")
    assert status == 0, lines


@pytest.mark.usefixtures("plain_document")
def test_of_several_editions_a_report_does_not_say_how_many_stand_under_each(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    drawn = draw(stage, slug)
    [edition] = drawn.figures["editions"]
    assert edition["signatures"] == 30
    several = reporting._tell_editions((*drawn.editions, *drawn.editions), 30)
    assert [each["signatures"] for each in several] == [None, None]
    figures = drawn.figures | {"editions": several}
    assert write_csv(figures).decode().splitlines()[-1].endswith(",")
    assert len(read_sheet(write_xlsx(figures), "editions")[1]) == 5


# One for each checkpoint


@pytest.mark.usefixtures("plain_document")
def test_the_same_checkpoint_gives_the_same_report(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    with pytest.raises(NoCheckpointYet):
        issue(stage, slug)
    append(stage, slug)
    assert [issue(stage, slug) for _ in range(3)] == [1, 1, 1]
    before = files_of(stage, slug, 1)
    sign(stage, slug, 30)
    assert issue(stage, slug) == 1
    append(stage, slug)
    assert issue(stage, slug, now=utc_now() + LASTS) == 2
    # What was issued never changes.
    assert files_of(stage, slug, 1) == before
    lines = stage.read(list_reports, slug=slug)
    assert lines is not None
    assert [(line.number, line.signatures) for line in lines] == [(2, 60), (1, 30)]
    assert lines[1].manifest_sha256 == hashlib.sha256(before["manifest"]).hexdigest()
    first = stage.read(find_report, slug=slug, number=1)
    assert first is not None
    assert first.superseded_by == 2
    assert first.parts[-1].name == "manifest"
    assert {part.name: part.size for part in first.parts} == {name: len(data) for name, data in before.items()}


@pytest.mark.usefixtures("plain_document")
def test_an_hour_has_one_report_unless_a_threshold_was_reached(stage: Stage) -> None:
    goal = {"label": {"en": "It is presented"}}
    slug = stage.campaign(thresholds=[{"signatures": 20, **goal}, {"signatures": 90, **goal}])
    campaign_id, now = find_id(stage, slug), utc_now()

    def can_make(moment: datetime) -> bool:
        return stage.read(find_current_report, campaign_id=campaign_id, now=moment) is None

    def sign_and_ask(moment: datetime) -> int:
        sign(stage, slug, 30)
        append(stage, slug, now=now)
        is_new, before = can_make(moment), stage.sql("SELECT count(*) FROM reports")[0][0]
        number = issue(stage, slug, now=moment)
        assert number == before + is_new
        return number

    assert can_make(now)
    assert sign_and_ask(now) == 1
    assert sign_and_ask(now + LASTS - timedelta(seconds=1)) == 1
    assert not can_make(now + LASTS - timedelta(seconds=1))
    assert can_make(now + LASTS)
    assert sign_and_ask(now + timedelta(minutes=10)) == 2
    assert figures_of(stage, slug, 2)["signatures"] == 90
    assert sign_and_ask(now + timedelta(minutes=20)) == 2
    assert issue(stage, slug, now=now + timedelta(minutes=70)) == 3


@pytest.mark.usefixtures("plain_document")
@on_one_database
def test_a_report_is_never_issued_before_the_moment_that_it_is_of(stage: Stage) -> None:
    slug, now = stage.campaign(), utc_now()
    sign(stage, slug, 30)
    append(stage, slug, now=now + timedelta(seconds=30))
    assert issue(stage, slug, now=now) == 1
    report = stage.read(find_report, slug=slug, number=1)
    assert report is not None
    assert report.issued_at == report.as_of > now
    assert report.figures["issued_at"] == report.figures["as_of"]


@pytest.mark.usefixtures("plain_document")
def test_of_two_at_once_one_is_kept(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    drawn = draw(stage, slug)
    files = build(stage, drawn)

    async def race() -> list[int]:
        keeping = [stage.database.write(keep_report, drawn=drawn, files=files) for _ in range(6)]
        return await asyncio.gather(*keeping)

    assert stage.run(race()) == [1] * 6
    assert stage.sql("SELECT count(*) FROM reports") == [(1,)]
    assert stage.sql("SELECT count(*) FROM report_files") == [(len(files),)]


@pytest.mark.usefixtures("plain_document")
def test_whoever_asks_at_once_is_given_the_same(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)

    async def ask() -> int:
        return await reporting.issue_report(
            stage.database, slug=slug, keyring=stage.keyring, base_url=stage.settings.base_url, now=utc_now()
        )

    async def ask_at_once() -> list[int]:
        return await asyncio.gather(*(ask() for _ in range(8)))

    with patch.object(reporting, "build_files", side_effect=build_files) as building:
        assert stage.run(ask_at_once()) == [1] * 8
    assert building.call_count == 1
    assert find_id(stage, slug) not in reporting._making
    assert draw(stage, slug) == 1
    # Made by somebody else after it was looked for.
    with patch.object(reporting, "find_current_report", return_value=None):
        assert issue(stage, slug) == 1


@pytest.mark.usefixtures("plain_document")
def test_a_report_agrees_with_its_checkpoint_while_people_sign(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    campaign_id, host, keyring = find_id(stage, slug), host_of(stage), stage.keyring
    told: list[tuple[int, int]] = []

    def sign_more(session: Session) -> None:
        insert_forms(session, slug=slug, number=25, keyring=keyring, until=utc_now())

    async def go_on() -> None:
        for _ in range(12):
            await stage.database.write(sign_more)
            await stage.database.write(append_batch, campaign_id=campaign_id, keyring=keyring, host=host, now=utc_now())

    async def draw_on(work: asyncio.Task[None]) -> None:
        while not work.done():
            drawn = await stage.database.read(
                draw_report, slug=slug, base_url=stage.settings.base_url, verifiers=[], now=utc_now()
            )
            assert not isinstance(drawn, int)
            told.append((drawn.figures["checkpoint"]["number"], drawn.figures["signatures"]))

    async def both() -> None:
        work = asyncio.create_task(go_on())
        await asyncio.gather(work, draw_on(work), draw_on(work))

    stage.run(both())
    assert len({number for number, _ in told}) > 1
    assert set(told) <= set(stage.sql("SELECT number, signatures FROM checkpoints"))


@pytest.mark.usefixtures("plain_document")
def test_a_report_of_an_earlier_checkpoint_is_never_put_above_a_later_one(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    early = draw(stage, slug)
    sign(stage, slug, 30)
    append(stage, slug)
    late = draw(stage, slug)
    assert stage.write(keep_report, drawn=late, files=build(stage, late)) == 1
    # Whoever was slower gets the later one.
    assert stage.write(keep_report, drawn=early, files=build(stage, early)) == 1
    assert figures_of(stage, slug, 1)["signatures"] == 60


@pytest.mark.usefixtures("plain_document")
def test_whoever_is_overtaken_draws_again(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    early = draw(stage, slug)
    sign(stage, slug, 30)
    append(stage, slug)
    late = draw(stage, slug)
    stage.write(keep_report, drawn=early, files=build(stage, early))
    after = utc_now() + LASTS
    with pytest.raises(ReportOvertaken):
        stage.write(keep_report, drawn=late, files=build(stage, late))
    with patch.object(reporting, "draw_report", side_effect=[late, draw(stage, slug, now=after)]):
        assert issue(stage, slug, now=after) == 2
    assert figures_of(stage, slug, 2)["signatures"] == 60
    sign(stage, slug, 30)
    append(stage, slug)
    with (
        patch.object(reporting, "draw_report", return_value=late),
        patch.object(reporting, "keep_report", side_effect=ReportOvertaken),
        pytest.raises(ReportOvertaken),
    ):
        issue(stage, slug, now=after + LASTS)


@pytest.mark.usefixtures("plain_document")
def test_a_log_that_does_not_agree_with_the_rows_gives_no_report(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    sign(stage, slug, 1, is_logged=True)
    with pytest.raises(LogUnsettled):
        issue(stage, slug)


@pytest.mark.usefixtures("plain_document")
def test_only_published_campaigns_have_reports(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    issue(stage, slug)
    report = stage.read(find_report, slug=slug, number=1)
    assert report is not None
    manifest = stage.read(find_public_report_file, slug=slug, number=1, name="manifest")
    assert manifest == stage.read(find_report_file, report_id=report.id, name="manifest")
    for number in (0, 2, -1, 2**31, 10**30):
        assert stage.read(find_report, slug=slug, number=number) is None
        assert stage.read(find_public_report_file, slug=slug, number=number, name="manifest") is None
    stage.sql_write("UPDATE campaigns SET state = 'draft'")
    assert stage.read(find_report, slug=slug, number=1) is None
    assert stage.read(list_reports, slug=slug) is None
    assert stage.read(find_public_report_file, slug=slug, number=1, name="manifest") is None
    for missing in (slug, "nothing"):
        with pytest.raises(CampaignNotFound):
            issue(stage, missing)
        with pytest.raises(CampaignNotFound):
            draw(stage, missing)


# The petition that all this was built for


@pytest.fixture
def e1746(stage: Stage, tmp_path: Path) -> Path:
    """Write a report of e-1746 with 612 signatures into a folder."""
    if not E1746.exists():
        pytest.skip(f"{E1746} is not here")
    slug = stage.campaign(json.loads(E1746.read_bytes()))
    sign_in_every_way(stage, slug, 612)
    append(stage, slug)
    folder = tmp_path / "report"
    write_files(folder, files_of(stage, slug, issue(stage, slug)))
    (tmp_path / "key").write_text(list_published(stage.keyring, host=host_of(stage))[0].verifier)
    return folder


def run_in(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the machine's in a folder; one that is not there is said, and the test left out."""
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"there is no {command[0]} here")
    return subprocess.run(
        [program, *command[1:]], cwd=folder, capture_output=True, check=False, text=True, encoding="utf-8"
    )


def verify(folder: Path, *, script: Path | None = None) -> tuple[int, list[str]]:
    """Check a folder by the single file, in a process of its own."""
    command = [sys.executable, "-I", str(script or folder / "verify.py"), str(folder)]
    command += ["--offline", "--lang", "en", "--key", str(folder.parent / "key")]
    done = subprocess.run(command, capture_output=True, check=False, text=True, encoding="utf-8")
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def test_e1746_is_verified_by_one_file_that_runs_alone(e1746: Path) -> None:
    status, lines = verify(e1746)
    assert [line for line in lines if line.startswith("✗")] == []
    assert status == 0, lines
    assert any("612" in line for line in lines)


@on_one_database
def test_e1746_is_verified_by_sha256sum(e1746: Path) -> None:
    done = run_in(e1746, "sha256sum", "-c", "manifest")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK\n") == len([path for path in e1746.rglob("*") if path.is_file()]) - 1


@on_one_database
def test_e1746_is_verified_by_openssl_as_its_readme_says(e1746: Path) -> None:
    readme = (e1746 / "README.txt").read_text(encoding="utf-8")
    commands = readme[readme.index("T=$(mktemp") : readme.index("curl")]
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    done = run_in(e1746, "sh", "-c", commands)
    assert (done.returncode, done.stdout) == (0, "Signature Verified Successfully\n"), done.stderr
    manifest = e1746 / "manifest"
    manifest.write_bytes(manifest.read_bytes().replace(b"signatures: 612", b"signatures: 613"))
    assert run_in(e1746, "sh", "-c", commands).returncode != 0


@on_one_database
def test_one_byte_changed_in_any_file_of_e1746_is_found_and_named(e1746: Path, tmp_path: Path) -> None:
    script = tmp_path / "verify.py"
    shutil.copy(e1746 / "verify.py", script)
    paths = sorted(path for path in e1746.rglob("*") if path.is_file())
    assert len(paths) == 13
    for path in paths:
        whole = path.read_bytes()
        middle = len(whole) // 2
        path.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
        status, lines = verify(e1746, script=script)
        path.write_bytes(whole)
        assert status != 0, path
        name = str(path.relative_to(e1746))
        assert any(line.startswith("✗") and name in line for line in lines), (name, lines)
    assert verify(e1746, script=script)[0] == 0


@on_one_database
def test_the_manifest_is_signed_by_each_key_that_signs(e1746: Path, stage: Stage) -> None:
    note = (e1746 / "manifest").read_text(encoding="utf-8")
    for signer in list_signers(stage.keyring, host=host_of(stage)):
        assert open_note(note, [Verifier.parse(signer.verifier)]).startswith("hatthalekha-report/1\ncampaign: e-1746\n")


@on_one_database
def test_the_text_that_people_signed_hashes_to_its_name(e1746: Path) -> None:
    figures = json.loads((e1746 / "counts.json").read_bytes())
    [edition] = figures["editions"]
    text = (e1746 / "texts/edition-1.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() == edition["hash"]
    written = (e1746 / "texts/edition-1.km.txt").read_text(encoding="utf-8")
    assert json.loads(text)["km"]["title"] in written
    assert edition["hash"] in written


# Tables


def read_sheet(data: bytes, name: str) -> list[list[object]]:
    """Return the cells of a sheet: numbers as numbers, texts as texts."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parse = ET.fromstring  # of a workbook that we wrote
        names = [each.get("name") for each in parse(archive.read("xl/workbook.xml")).iter(f"{space}sheet")]
        shared = [
            "".join(part.text or "" for part in each.iter(f"{space}t"))
            for each in parse(archive.read("xl/sharedStrings.xml")).iter(f"{space}si")
        ]
        sheet = parse(archive.read(f"xl/worksheets/sheet{names.index(name) + 1}.xml"))
    assert list(sheet.iter(f"{space}f")) == []  # no formula, anywhere
    return [
        [
            shared[int(cell.findtext(f"{space}v") or 0)]
            if cell.get("t") == "s"
            else float(cell.findtext(f"{space}v") or 0)
            for cell in row.iter(f"{space}c")
        ]
        for row in sheet.iter(f"{space}row")
    ]


@on_one_database
def test_tables_hold_the_figures_row_for_row(e1746: Path) -> None:
    figures = json.loads((e1746 / "counts.json").read_bytes())
    data = (e1746 / "counts.csv").read_bytes()
    assert data.startswith("\ufeffsection,code,".encode())
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert [rows[1][0], rows[1][1], rows[1][-1]] == ["total", "verified", "612"]
    provinces = {row[1]: int(row[-1]) for row in rows if row[0] == "province"}
    told = figures["breakdown"]["ProvinceSignatures"]
    assert provinces == {row["Province"] or "": row["SignatureCount"] for row in told}
    sheet = read_sheet((e1746 / "counts.xlsx").read_bytes(), "counts")
    assert [[*map(str, row[:-1]), row[-1]] for row in sheet[1:]] == [[*row[:-1], float(row[-1])] for row in rows[1:]]
    days = read_sheet((e1746 / "counts.xlsx").read_bytes(), "days")
    assert all(isinstance(row[1], float) for row in days[1:] if row[1] != "")
    [threshold] = read_sheet((e1746 / "counts.xlsx").read_bytes(), "thresholds")[1:]
    assert threshold[0] == 500.0


@on_one_database
def test_a_hostile_name_is_text_in_every_table(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    figures = draw(stage, slug).figures
    hostile = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\0=1",
        "a\0b\ud800\uffff\x1b",
        "x" * 40_000,
        "https://a.example",
    ]
    figures["breakdown"] = {
        "snapshot": 1,
        "signatures": 30,
        **{f"{kind}Signatures": [] for kind in ("Province", "Country", "Language", "Day")},
        "DistrictSignatures": [
            {"District": each, "Name": dict.fromkeys(("en", "fr", "km"), each), "SignatureCount": 3} for each in hostile
        ],
    }
    figures["thresholds"].append(
        {
            "signatures": 5,
            "labels": {"en": "=1+1"},
            "reached_at": "2026-11-22T18:00:00Z",
            "fell_below_at": None,
            "regained_at": None,
        }
    )
    rows = list(csv.reader(io.StringIO(write_csv(figures).decode("utf-8-sig"), newline="")))
    cells = [cell for row in rows if row[0] == "district" for cell in row[1:5]]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\0"))]
    assert "'=1+1" in cells
    sheet = read_sheet(write_xlsx(figures), "districts")
    assert [row[1] for row in sheet[1:7]] == ["=1+1", "+1", "-1", "@SUM(A1)", "=1", "=1"]
    assert sheet[7][1] == "ab"
    assert read_sheet(write_xlsx(figures), "thresholds")[2][1] == "=1+1"
    assert write_xlsx(figures) == write_xlsx(figures)


@pytest.mark.usefixtures("plain_document")
@on_one_database
def test_an_archive_is_the_same_bytes_for_the_same_files(stage: Stage) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    turn_away(stage, slug, 5)
    append(stage, slug, now=utc_now() + timedelta(seconds=1))
    issue(stage, slug)
    files = files_of(stage, slug, 1)
    assert zip_report(files) == zip_report(dict(files))
    with zipfile.ZipFile(io.BytesIO(zip_report(files))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    found = stage.read(find_report, slug=slug, number=1)
    assert found is not None
    assert stage.read(list_report_files, report_id=found.id) == files


def test_keys_that_never_signed_the_log_are_noticed(stage: Stage, tmp_path: Path) -> None:
    assert stage.read(is_log_ours, keyring=stage.keyring)
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 30)
    append(stage, slug)
    assert stage.read(is_log_ours, keyring=stage.keyring)
    # After a change of keys, and of the host, it is still the same log.
    for _ in range(3):
        add_signing_key(stage.settings.keys_dir)
    assert stage.read(is_log_ours, keyring=open_keyring(stage.settings.keys_dir))
    assert not stage.read(is_log_ours, keyring=open_keyring(tmp_path / "others"))


@on_one_database
def test_a_log_that_was_kept_under_another_address_makes_no_report(stage: Stage) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 30)
    append(stage, slug)
    elsewhere = "https://moved.example.org"
    with pytest.raises(LogOfAnotherHost, match=r"^127\.0\.0\.1:8000$"):
        stage.run(
            reporting.issue_report(
                stage.database, slug=slug, keyring=stage.keyring, base_url=elsewhere, now=utc_now(), issued_by=None
            )
        )
    assert stage.sql("SELECT count(*) FROM reports") == [(0,)]
