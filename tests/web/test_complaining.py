"""Report this campaign: kept sealed, the same answer whatever becomes of it, and no letter to anybody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import time_machine
from sqlalchemy import delete

from app.actions import complaints
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import CampaignKey
from app.queries.complaints import list_complaints
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx
    import pytest

    from tests.stage import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOSTILE = '<script>alert(1)</script> {{7*7}}\n\n=HYPERLINK("x")'


def report(stage: Stage, slug: str, *, locale: str = "en", **fields: str) -> httpx.Response:
    form = {"reason": "false", "words": "The second paragraph is invented.", **fields}
    return stage.post(f"/{locale}/campaigns/{slug}/report", form)


def kept(stage: Stage) -> int:
    return stage.read(list_complaints, page=1).total


@on_one_database
def test_every_page_of_a_campaign_leads_to_the_form(stage: Stage) -> None:
    slug = stage.campaign()
    for page in ("", "/editions", "/editions/1", "/counting"):
        assert f"/en/campaigns/{slug}/report" in Page(stage.get(f"/en/campaigns/{slug}{page}").text).links
    form = stage.get(f"/en/campaigns/{slug}/report")
    assert form.status_code == 200
    assert "noindex" in form.text
    assert stage.get("/en/campaigns/nothing/report").status_code == 404
    assert report(stage, "nothing").status_code == 404


def test_a_report_is_kept_sealed_and_once(stage: Stage) -> None:
    slug = stage.campaign()
    once = Page(stage.get(f"/en/campaigns/{slug}/report").text).fields["once"][0]
    fields = {"once": once, "words": HOSTILE, "email": "Dara@example.org"}
    for _ in range(2):
        answer = report(stage, slug, **fields)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/en/campaigns/{slug}/report?sent")
    report(stage, slug, **fields, reason="spam")
    assert kept(stage) == 2
    thanks = Page(stage.get(f"/en/campaigns/{slug}/report?sent").text)
    assert "Thank you. Moderators read what is reported." in thanks.words
    assert "once" not in thanks.fields
    (row,) = stage.sql("SELECT text, email, locale FROM complaints WHERE reason = 'false'")
    assert b"script" not in row[0]
    assert b"example" not in row[1]
    assert stage.deliver() == []


@on_one_database
def test_what_is_wrong_with_the_form_is_said_and_what_was_typed_is_kept(stage: Stage) -> None:
    slug = stage.campaign()
    bad = report(stage, slug, reason="bored", words="x" * 2001, email="nobody")
    page = Page(bad.text)
    assert bad.status_code == 422
    assert {"reason", "words", "email"} == set(page.faults)
    assert "x" * 2001 in bad.text
    other = report(stage, slug, reason="other", words=" \n ")
    assert Page(other.text).faults["words"].endswith("Write what is wrong")
    switched = report(stage, slug, locale="fr", switch="fr", words=HOSTILE)
    assert switched.status_code == 200
    assert "&lt;script&gt;" in switched.text
    assert kept(stage) == 0
    assert report(stage, slug, words="").status_code == 303
    assert kept(stage) == 1


def test_beyond_the_caps_nothing_is_kept_and_the_answer_is_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug, another = stage.campaign(), stage.campaign(slug="another")
    monkeypatch.setattr(complaints, "FROM_AN_ADDRESS", 3)
    monkeypatch.setattr(complaints, "FOR_A_CAMPAIGN", 4)

    def send(where: str, address: str | None) -> None:
        values: dict[str, Any] = {"reason": "spam", "text": "", "email": ""}
        (campaign_id,) = stage.sql("SELECT id FROM campaigns WHERE slug = :slug", slug=where)[0]
        from uuid import UUID, uuid4

        stage.write(
            complaints.report_campaign,
            complaint_id=uuid4(),
            campaign_id=campaign_id if isinstance(campaign_id, UUID) else UUID(hex=campaign_id),
            reported=complaints.Reported(**values),
            locale="en",
            address=address,
            keyring=stage.keyring,
            now=utc_now(),
        )

    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(5):
            send(slug, "203.0.113.9")
        assert kept(stage) == 3
        send(another, "203.0.113.9")
        assert kept(stage) == 4, "each campaign by itself"
        for address in ("192.0.2.1", None, "192.0.2.2"):
            send(slug, address)
        assert kept(stage) == 5, "a campaign keeps four a day"
        # Nothing says where anything came from, once the day's salt is gone.
        clock.shift(timedelta(days=2))
        stage.run(forget_all(stage.database, now=utc_now()))
        assert stage.sql("SELECT count(*) FROM limit_buckets") == [(0,)]
        assert report(stage, slug).status_code == 303
        assert kept(stage) == 6
        # A proxy that nobody named: everybody comes from there.
        for _ in range(4):
            assert report(stage, another).headers["location"] == f"/en/campaigns/{another}/report?sent"
        assert kept(stage) == 10


def test_reports_are_deleted_90_days_after_they_are_settled_and_emptied_after_a_year(stage: Stage) -> None:
    slug, moderator = stage.campaign(), stage.organiser("moderator@example.org", role="moderator")
    with time_machine.travel(NOON, tick=False) as clock:
        report(stage, slug, email="dara@example.org")
        report(stage, slug, reason="spam")
        settled = stage.read(list_complaints, page=1).listed[0].id
        who = {"account_id": moderator.account_id, "now": utc_now()}
        stage.write(complaints.settle_complaint, complaint_id=settled, outcome="nothing", **who)  # type: ignore[arg-type]
        for days, left in ((89, 2), (1, 1), (274, 1), (1, 0)):
            clock.shift(timedelta(days=days))
            stage.run(forget_all(stage.database, now=utc_now()))
            (filled,) = stage.sql("SELECT count(*) FROM complaints WHERE text IS NOT NULL OR email IS NOT NULL")
            assert filled == (left,)
    assert kept(stage) == 1


@on_one_database
def test_a_campaign_whose_key_is_gone_can_still_be_reported(stage: Stage) -> None:
    slug, moderator = stage.campaign(), stage.organiser("moderator@example.org", role="moderator")
    report(stage, slug, words="From before")
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    stage.house.shelf._entries.clear()
    assert report(stage, slug, words="From after").status_code == 303
    before, after = stage.read(list_complaints, page=1).listed
    assert "From after" in moderator.get(f"/en/moderation/complaints/{after.id.hex}").text
    assert "it is erased by now" in moderator.get(f"/en/moderation/complaints/{before.id.hex}").text
