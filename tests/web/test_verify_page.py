"""The page that checks, and the public pages of reports: what they say, to whom they lead, and what does not exist."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from app.core.clock import utc_now
from app.models import Campaign, Checkpoint, Report, ReportFile
from app.proofs.verifying import Verifier
from tests.stage import small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Stage


def issue(stage: Stage, slug: str, number: int, *, signatures: int = 612) -> None:
    """Keep a report as it lies in the database, with two files."""
    now = utc_now()

    def work(session: Session) -> None:
        campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
        checkpoint: dict[str, Any] = {
            "id": uuid4(), "campaign_id": campaign_id, "number": number, "made_at": now - timedelta(hours=number),
            "signatures": signatures, "signed_size": signatures, "removed_size": 0,
            "signed_note": "", "removed_note": "",
        }  # fmt: skip
        session.execute(insert(Checkpoint), checkpoint)
        report: dict[str, Any] = {
            "id": uuid4(), "campaign_id": campaign_id, "number": number, "checkpoint_id": checkpoint["id"],
            "issued_at": now, "signatures": signatures, "figures": {},
        }  # fmt: skip
        session.execute(insert(Report), report)
        for name, content in (("counts.json", b"{}"), ("manifest", b"signed")):
            digest = hashlib.sha256(content).hexdigest()
            values = {"report_id": report["id"], "name": name, "content": content, "sha256": digest}
            session.execute(insert(ReportFile), values)

    stage.write(work)


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_the_page_that_checks_carries_every_published_key_and_needs_nobody(site: Stage, locale: str) -> None:
    answer = site.get(f"/{locale}/verify")
    assert answer.status_code == 200
    page = Page(answer.text)
    assert page.lang == locale
    keys = json.loads(unescape(answer.text.partition('data-keys="')[2].partition('"')[0]))
    assert len(keys) == len(site.keyring.published_seeds)
    assert {Verifier.parse(key).name for key in keys} == {"127.0.0.1:8000"}
    assert all(key in page.words for key in keys)
    assert "inline" not in page.scripts
    assert [script.rpartition("/")[2] for script in page.scripts] == ["enhance.js", "verify.js"]
    assert "/api/v1/verify.py" in page.links
    assert answer.headers["cache-control"] == "public, max-age=1"


def test_what_the_page_loads_is_served_as_it_was_published(site: Stage) -> None:
    page = Page(site.get("/en/verify").text)
    script = site.get(page.scripts[-1])
    assert script.headers["content-type"].startswith("text/javascript")
    assert "from './noble-ed25519.js'" in script.text
    library = site.get(page.scripts[-1].replace("verify.js", "noble-ed25519.js"))
    # @noble/ed25519 3.2.0: index.js of the package, unmodified.
    assert hashlib.sha256(library.content).hexdigest() == (
        "a4f631d1876b5d9e43a86cd71194ca27b5e1451edf4ba4db9a418f40a475569a"
    )


def test_every_page_leads_to_it(site: Stage, slug: str) -> None:
    for path in ("/en/", "/en/counting", f"/en/campaigns/{slug}/counting", f"/en/campaigns/{slug}/reports"):
        assert "/en/verify" in Page(site.get(path).text).links, path


def test_a_report_says_what_it_counted_and_the_fingerprints_of_its_files(site: Stage, slug: str) -> None:
    issue(site, slug, 1)
    page = Page(site.get(f"/en/campaigns/{slug}/reports/1").text)
    assert "Verified count report no. 1" in page.words
    assert "Verified signatures 612" in page.words
    assert "A later report" not in page.words
    assert f"counts.json {hashlib.sha256(b'{}').hexdigest()}" in page.words
    assert f"manifest {hashlib.sha256(b'signed').hexdigest()}" in page.words
    assert f"/api/v1/campaigns/{slug}/reports/1/manifest" in page.links
    assert "/en/verify#report" in page.links
    assert "certificate" in page.words


def test_a_later_report_takes_the_place_of_the_one_before_and_both_stay(site: Stage, slug: str) -> None:
    for number in (1, 2, 3):
        issue(site, slug, number, signatures=600 + number)
    first = Page(site.get(f"/fr/campaigns/{slug}/reports/1").text)
    assert f"/fr/campaigns/{slug}/reports/3" in first.links
    assert "601" in first.words
    last = Page(site.get(f"/fr/campaigns/{slug}/reports/3").text)
    assert f"/fr/campaigns/{slug}/reports/3" not in last.links
    listed = Page(site.get(f"/fr/campaigns/{slug}/reports").text)
    numbers = [link for link in listed.links if "/reports/" in link]
    assert numbers == [f"/fr/campaigns/{slug}/reports/{number}" for number in (3, 2, 1)]


def test_a_campaign_without_reports_has_an_empty_list(site: Stage, slug: str) -> None:
    answer = site.get(f"/en/campaigns/{slug}/reports")
    assert answer.status_code == 200
    assert "No report has been issued so far." in Page(answer.text).words


def test_what_is_not_published_is_no_page(site: Stage, slug: str) -> None:
    issue(site, slug, 1)
    hidden = site.campaign(small_campaign(f"{slug}-hidden"))
    issue(site, hidden, 1)
    site.sql_write("UPDATE campaigns SET state = 'draft' WHERE slug = :slug", slug=hidden)
    paths = [f"{slug}/reports/{number}" for number in ("0", "2", "01", "-1", "1.5", "१", "99999", "9" * 30)]
    paths += [f"{hidden}/reports", f"{hidden}/reports/1", "nothing/reports", "nothing/reports/1"]
    assert {site.get(f"/en/campaigns/{path}").status_code for path in paths} == {404}
    assert site.get(f"/de/campaigns/{slug}/reports/1").status_code == 404
    assert site.get("/de/verify").status_code == 404
