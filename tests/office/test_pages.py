"""The office door without script: joining, seeing counts, making and downloading a report; and nobody else."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from urllib.parse import urlencode
from uuid import uuid4

import pytest
import time_machine

from app.actions import offices
from app.actions.reporting import LogUnsettled, ReportOvertaken
from app.core.clock import utc_now
from app.web.office.door import PAGES
from app.web.sessions import session_cookie
from tests.office.test_inviting import STAFF, campaign_id, invite, join, link_to, rows
from tests.reporting import append, sign_in_every_way
from tests.stage import Organiser, on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx

    from tests.stage import Stage

AT = "/en/office/campaigns/libraries"


def come(stage: Stage, email: str = STAFF) -> Organiser:
    """Bring somebody of the office, signed in anew."""
    invite(stage, email=email)
    join(stage, link_to(stage, email))
    return stage.organiser(email)


def refusals(stage: Stage) -> int:
    ((number,),) = stage.sql("SELECT count(*) FROM records WHERE what = 'office_refused'")
    return int(number)


def lines(stage: Stage) -> list[str]:
    return [what for (what,) in stage.sql("SELECT what FROM records WHERE what LIKE 'office_%' ORDER BY id")]


def test_a_link_is_shown_pressed_once_and_dead(stage: Stage) -> None:
    stage.campaign()
    invite(stage)
    path = f"/en/office/invitation/{link_to(stage)}"
    browser = stage.new_browser()
    for _ in range(3):
        shown = stage.get(path, browser=browser)
        assert shown.status_code == 200
        assert "Office of A. Member, MP" in Page(shown.text).words
    assert rows(stage)[0].staff[0].state == "invited"
    # A program that checks letters presses the button, and ticks nothing.
    unticked = stage.post(path, {}, browser=browser)
    assert unticked.status_code == 422
    assert rows(stage)[0].staff[0].state == "invited"
    joined = stage.post(path, {"sure": "yes"}, browser=browser)
    assert (joined.status_code, joined.headers["location"]) == (303, AT)
    assert browser.cookies[session_cookie(stage.settings)]
    assert stage.get(AT, browser=browser).status_code == 200
    for method in (stage.get, stage.post):
        dead = method(path, browser=stage.new_browser())
        assert dead.status_code == 404
        assert "does not work" in Page(dead.text).words
    for _ in range(5):
        stage.post(path, browser=stage.new_browser())
        stage.post(f"/en/office/invitation/{'x' * 43}", browser=stage.new_browser())
    # One for this campaign, and one for what was never a link of ours: nobody fills the record by pressing.
    found = stage.sql("SELECT campaign_id IS NULL, count(*) FROM records WHERE what = 'office_refused' GROUP BY 1")
    assert sorted((bool(nobodys), number) for nobodys, number in found) == [(False, 1), (True, 1)]


def test_before_the_first_batch_the_page_says_when(stage: Stage) -> None:
    stage.campaign()
    staff = come(stage)
    assert "nothing to report yet" in Page(staff.get(AT).text).words
    made = staff.post(f"{AT}/reports")
    assert made.status_code == 303
    assert stage.sql("SELECT count(*) FROM reports") == [(0,)]


def test_an_office_sees_figures_and_downloads_every_file(stage: Stage) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    staff = come(stage)
    assert "No report has been made" in Page(staff.get(AT).text).words
    assert staff.post(f"{AT}/reports").status_code == 303
    words = Page(staff.get(AT).text).words
    assert "60 verified signatures as of" in words
    assert "Sponsoring a petition does not mean that the Member agrees with it" in words
    assert "Signatures on paper are not part of this number" in words
    assert "sokha@example.org" not in words
    archive = staff.get(f"{AT}/reports/1/report.zip")
    assert archive.headers["content-disposition"] == 'attachment; filename="libraries-report-1.zip"'
    assert archive.headers["cache-control"] == "no-store"
    files = zipfile.ZipFile(io.BytesIO(archive.content))
    assert {"report.pdf", "counts.csv", "counts.xlsx", "counts.json", "manifest", "verify.py"} <= set(files.namelist())
    for name in files.namelist():
        assert staff.get(f"{AT}/reports/1/files/{name}").content == files.read(name), name
    assert staff.get(f"{AT}/reports/1/files/report.pdf").headers["content-type"] == "application/pdf"
    # Once more: it is the same report, and nothing was made.
    staff.post(f"{AT}/reports")
    assert stage.sql("SELECT count(*) FROM reports") == [(1,)]
    found = lines(stage)
    assert found.count("office_opened") == 1
    assert found.count("office_report_made") == 1
    assert found.count("office_downloaded") == len(files.namelist()) + 2
    for locale in ("km", "fr"):
        page = staff.get(AT.replace("/en/", f"/{locale}/"))
        assert page.status_code == 200
        assert f'<html lang="{locale}"' in page.text


@on_one_database
@pytest.mark.parametrize("fault", [LogUnsettled, ReportOvertaken])
def test_a_report_that_cannot_be_made_is_said_and_not_on_record(stage: Stage, fault: type[Exception]) -> None:
    stage.campaign()
    staff = come(stage)
    with patch("app.web.office.counts.issue_report", side_effect=fault):
        answer = staff.post(f"{AT}/reports")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "nothing was done" in Page(answer.text).words
    assert "office_report_made" not in lines(stage)


@on_one_database
@pytest.mark.parametrize(
    "path",
    [
        f"{AT}/reports/2", f"{AT}/reports/0", f"{AT}/reports/99999999999999999999", f"{AT}/reports/x",
        f"{AT}/reports/1/files/none.txt", f"{AT}/reports/1/files/../../manifest", f"{AT}/reports/1/files/%2e%2e/x",
        f"{AT}/reports/2/report.zip",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(stage: Stage, path: str) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    staff = come(stage)
    staff.post(f"{AT}/reports")
    assert staff.get(path).status_code == 404


def _send_all(stage: Stage, browser: httpx.AsyncClient, slug: str = "libraries") -> list[int]:
    """Try every address of the door; return what they answered."""
    answers = []
    for page in PAGES:
        path = (
            f"/en/office{page.path}".replace("{slug}", slug).replace("{number}", "1").replace("{name:path}", "manifest")
        )
        method = stage.post if page.show is None else stage.get
        answers.append(method(path, browser=browser).status_code)
    return answers


def test_whoever_is_of_no_office_for_it_finds_nothing_and_is_on_record(stage: Stage) -> None:
    slug = stage.campaign()
    other_slug = stage.campaign(slug="another")
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    nobody = [404] * len(PAGES)
    # An owner, a moderator, an operator, and the office of another campaign.
    owner = stage.organiser("owner@example.org")
    stage.join(slug, owner)
    invite(stage, campaign_id=campaign_id(stage, other_slug), email="other@parl.example")
    join(stage, link_to(stage, "other@parl.example"))
    other = stage.organiser("other@parl.example")
    moderator, operator = (stage.organiser(f"{role}@example.org", role=role) for role in ("moderator", "operator"))
    for somebody in (owner, moderator, operator):
        before = refusals(stage)
        assert _send_all(stage, somebody.browser) == nobody
        assert refusals(stage) == before + len(PAGES)
    before = refusals(stage)
    assert _send_all(stage, other.browser) == [200, *nobody[1:]]
    assert refusals(stage) == before + len(PAGES) - 1
    # Signed out: 404, with the way to sign in; on record once an hour for each address.
    before = refusals(stage)
    assert _send_all(stage, stage.new_browser()) == nobody
    assert _send_all(stage, stage.new_browser()) == nobody
    assert refusals(stage) == before + len(PAGES)
    assert "office_opened" not in lines(stage)


@pytest.mark.parametrize("how", ["removed", "revoked", "expired", "stale", "withdrawn from publication"])
def test_whoever_was_of_an_office_finds_nothing_any_more(stage: Stage, how: str) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    staff = come(stage)
    staff.post(f"{AT}/reports")
    assert staff.get(AT).status_code == 200
    (office,) = rows(stage)
    who: dict[str, Any] = {"campaign_id": campaign_id(stage), "now": utc_now(), "account_id": None}
    later = timedelta()
    if how == "removed":
        stage.write(offices.remove_staff, staff_id=office.staff[0].id, **who)
    elif how == "revoked":
        stage.write(offices.revoke_office, office_id=office.id, **who)
    elif how == "expired":
        stage.sql_write("UPDATE offices SET expires_at = created_at")
    elif how == "stale":
        later = timedelta(hours=8, minutes=1)
    else:
        stage.sql_write("UPDATE campaigns SET state = 'draft'")
    before = refusals(stage)
    with time_machine.travel(utc_now() + later):
        assert _send_all(stage, staff.browser) == [404] * len(PAGES)
    ((named,),) = stage.sql("SELECT count(*) FROM records WHERE what = 'office_refused' AND account_id IS NOT NULL")
    assert refusals(stage) == before + len(PAGES) == named


def test_an_office_sees_nothing_of_workspace_and_moderation(stage: Stage) -> None:
    stage.campaign()
    staff = come(stage)
    for path in ("/en/workspace/campaigns/libraries", "/en/workspace/campaigns/libraries/team", "/en/moderation"):
        assert staff.get(path).status_code == 404, path


def test_a_post_without_this_sessions_token_makes_nothing(stage: Stage) -> None:
    slug = stage.campaign()
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    staff = come(stage)
    assert stage.post(f"{AT}/reports", {"form_token": uuid4().hex}, browser=staff.browser).status_code == 403
    assert stage.sql("SELECT count(*) FROM reports") == [(0,)]


@on_one_database
def test_every_link_of_the_page_leads_somewhere(stage: Stage) -> None:
    slug = stage.campaign(reference="e-1746")
    sign_in_every_way(stage, slug, 60)
    append(stage, slug)
    staff = come(stage)
    staff.post(f"{AT}/reports")
    page = Page(staff.get(AT).text)
    ours = [link for link in page.links if link.startswith("/")]
    assert f"/en/campaigns/{slug}/editions/1" in ours
    assert f"{AT}/reports/1/files/counts.xlsx" in ours
    for link in ours:
        assert staff.get(link, follow_redirects=True).status_code == 200, link
    assert "https://www.ourcommons.ca/petitions/en/Petition/Details?Petition=e-1746" in page.links
    # An hour later at the earliest, or once a threshold is reached.
    assert "A new report" not in page.words
    assert "a new report can be made" in page.words


@on_one_database
def test_whoever_has_an_account_comes_in_with_it_and_with_no_other(stage: Stage) -> None:
    stage.campaign()
    known = stage.organiser(STAFF)
    stranger = stage.organiser("stranger@parl.example")
    sign_in = f"/en/workspace/sign-in?{urlencode({'next': AT})}"
    for browser, leads_to in ((known.browser, AT), (stranger.browser, sign_in), (stage.new_browser(), sign_in)):
        office_id = invite(stage)
        joined = stage.post(f"/en/office/invitation/{link_to(stage)}", {"sure": "yes"}, browser=browser)
        assert (joined.status_code, joined.headers["location"]) == (303, leads_to)
        assert session_cookie(stage.settings) not in joined.cookies
        assert known.get(AT).status_code == 200
        assert stranger.get(AT).status_code == 404
        who: dict[str, Any] = {"campaign_id": campaign_id(stage), "now": utc_now(), "account_id": None}
        stage.write(offices.revoke_office, office_id=office_id, **who)


@on_one_database
def test_a_link_of_a_disabled_account_or_of_no_shape_is_dead(stage: Stage) -> None:
    stage.campaign()
    stage.organiser(STAFF)
    invite(stage)
    path = f"/en/office/invitation/{link_to(stage)}"
    stage.sql_write("UPDATE accounts SET state = 'disabled' WHERE id IN (SELECT account_id FROM account_sessions)")
    assert stage.get(path).status_code == 200
    dead = stage.post(path, {"sure": "yes"})
    assert dead.status_code == 404
    assert "does not work" in Page(dead.text).words
    assert rows(stage)[0].staff[0].state == "invited"
    for method in (stage.get, stage.post):
        assert method("/en/office/invitation/x").status_code == 404
    assert stage.get(path.replace("/en/", "/de/")).status_code == 404
