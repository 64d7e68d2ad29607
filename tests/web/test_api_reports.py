"""Reports as the JSON door gives them: enough to check one offline that came from anywhere, with keys that stay."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from app.core.clock import utc_now
from app.core.keys import add_signing_key, open_keyring
from app.proofs import verifying
from app.proofs.verifying import Verifier, open_note
from app.queries.reports import LASTS
from tests.reporting import append, files_of, issue, sign, write_files
from tests.stage import Stage, on_one_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _plain_document() -> Iterator[None]:
    with patch("app.documents.report.typeset_report", lambda *_, **__: b"%PDF"):
        yield


def test_reports_are_listed_with_their_manifests(stage: Stage) -> None:
    slug = stage.campaign()
    listed = f"/api/v1/campaigns/{slug}/reports"
    assert stage.get(listed).json() == {"reports": []}
    for number in (1, 2):
        sign(stage, slug, 25)
        append(stage, slug)
        assert issue(stage, slug, now=utc_now() + number * LASTS) == number
    second, first = stage.get(f"{listed}?again").json()["reports"]
    assert (second["number"], second["signatures"]) == (2, 50)
    assert (first["number"], first["signatures"]) == (1, 25)
    answer = stage.get(f"{listed}/1/manifest")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.content == files_of(stage, slug, 1)["manifest"]
    assert hashlib.sha256(answer.content).hexdigest() == first["manifest_sha256"]
    keys = [Verifier.parse(each["verifier"]) for each in stage.get("/api/v1/keys").json()["keys"]]
    assert open_note(answer.text, keys).startswith("hatthalekha-report/1\n")
    assert stage.get("/api/v1/verify.py").content == files_of(stage, slug, 1)["verify.py"]


@on_one_database
def test_reports_of_nobody_are_404(stage: Stage) -> None:
    slug = stage.campaign()
    for path in ("nothing/reports", f"{slug}/reports/1/manifest", "A%00B/reports", "nothing/reports/1/manifest"):
        assert stage.get(f"/api/v1/campaigns/{path}").status_code == 404, path
    for number in ("0", "-1", "x", str(2**31), "9" * 400):
        answer = stage.get(f"/api/v1/campaigns/{slug}/reports/{number}/manifest")
        assert answer.status_code in {400, 404, 422}, number
        assert answer.headers["content-type"] == "application/problem+json"
    sign(stage, slug, 25)
    append(stage, slug)
    issue(stage, slug)
    stage.sql_write("UPDATE campaigns SET state = 'draft'")
    assert stage.get(f"/api/v1/campaigns/{slug}/reports?hidden").status_code == 404
    assert stage.get(f"/api/v1/campaigns/{slug}/reports/1/manifest").status_code == 404


def test_a_report_is_checked_against_the_live_log(stage: Stage, tmp_path: Path) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    issue(stage, slug)
    folder = tmp_path / "report"
    write_files(folder, files_of(stage, slug, 1))
    status, lines, asked = check(stage, folder)
    assert status == 0, lines
    assert f"/api/v1/campaigns/{slug}/log/signed/checkpoint" in asked
    # The log goes on, and another report follows: the first still holds, and is told to have been replaced.
    sign(stage, slug, 30)
    append(stage, slug)
    issue(stage, slug, now=utc_now() + LASTS)
    status, lines, asked = check(stage, folder)
    assert status == 0, lines
    assert f"/api/v1/campaigns/{slug}/log/signed/consistency/30/60" in asked
    assert any("2" in line for line in lines if line.startswith("–")), lines


def check(stage: Stage, folder: Path) -> tuple[int, list[str], list[str]]:
    """Check a folder with the published keys, the application itself being what is online; return what it asked."""
    keys = [each["verifier"] for each in stage.get("/api/v1/keys").json()["keys"]]
    asked: list[str] = []
    lines: list[str] = []

    def fetch(url: str) -> bytes:
        path = url.removeprefix(stage.settings.base_url)
        asked.append(path)
        answer = stage.get(path)
        assert answer.status_code == 200, url
        return answer.content

    options = verifying.Options(tuple(Verifier.parse(each) for each in keys), fetch)
    status = verifying.verify(folder, locale="en", options=options, tell=lines.append)
    return status, lines, asked


@on_one_database
def test_old_reports_hold_after_the_keys_have_changed(stage: Stage, database_url: str, tmp_path: Path) -> None:
    slug = stage.campaign()
    sign(stage, slug, 30)
    append(stage, slug)
    issue(stage, slug)
    manifest = files_of(stage, slug, 1)["manifest"].decode()
    host = stage.settings.base_url.partition("://")[2]
    for _ in range(3):
        add_signing_key(stage.settings.keys_dir)
    assert len(open_keyring(stage.settings.keys_dir).published_seeds) == 4
    later = Stage(database_url, tmp_path)
    try:
        keys = later.get("/api/v1/keys").json()["keys"]
        assert [each["signs"] for each in keys] == [True, True, False, False]
        assert all(each["verifier"].startswith(f"{host}+") for each in keys)
        verifiers = [Verifier.parse(each["verifier"]) for each in keys]
        assert open_note(manifest, verifiers)
        sign(later, slug, 30)
        append(later, slug)
        issue(later, slug, now=utc_now() + LASTS)
        newer = files_of(later, slug, 2)
        for each in verifiers[:2]:
            assert open_note(newer["manifest"].decode(), [each])
        assert json.loads(newer["counts.json"])["keys"] == [each["verifier"] for each in keys]
    finally:
        later.close()
