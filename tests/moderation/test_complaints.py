"""Moderators read what visitors reported, on record, and settle it once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.actions.complaints import ComplaintSettled, settle_complaint
from app.core.clock import utc_now
from app.queries import complaints as queries
from app.queries.complaints import list_complaints
from tests.stage import on_one_database
from tests.web.html import Page
from tests.web.test_complaining import HOSTILE, report

if TYPE_CHECKING:
    import pytest

    from tests.stage import Stage

LIST = "/en/moderation/complaints"


def test_a_report_is_read_on_record_and_settled_once(stage: Stage) -> None:
    slug, moderator = stage.campaign(), stage.organiser("moderator@example.org", role="moderator")
    report(stage, slug, locale="fr", words=HOSTILE, email="dara@example.org")
    report(stage, slug, reason="spam", words="")
    listed = moderator.get(LIST)
    assert "2 reports wait" in Page(listed.text).words
    assert "alert(1)" not in listed.text
    assert "dara@" not in listed.text
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'complaint_read'") == [(0,)]
    first, second = (each.id for each in stage.read(list_complaints, page=1).listed)
    opened = moderator.get(f"{LIST}/{first.hex}")
    assert "&lt;script&gt;alert(1)" in opened.text
    page = Page(opened.text).words
    for said in ("dara@example.org", "It is false or misleading", "Other open reports of this campaign 1"):
        assert said in page
    assert "An operator can stop the campaign." in page
    assert moderator.post(f"{LIST}/{first.hex}", {"outcome": "burn"}).status_code == 422
    # Each look goes on record, that of a wrong form too, and nothing that was written stands there.
    rows = stage.sql("SELECT details FROM records WHERE what = 'complaint_read'")
    assert [first.hex in str(row[0]) and "dara" not in str(row[0]) for row in rows] == [True, True]
    done = moderator.post(f"{LIST}/{first.hex}", {"outcome": "asked_team"})
    assert done.headers["location"] == f"{LIST}?done"
    listed = moderator.get(f"{LIST}?done")
    assert "1 report waits" in Page(listed.text).words
    assert "The team was asked to change something" in Page(listed.text).words
    stale = moderator.post(f"{LIST}/{first.hex}", {"outcome": "nothing"})
    assert (stale.status_code, "somebody has settled it in the meantime" in stale.text) == (409, True)
    assert stage.sql("SELECT outcome FROM complaints WHERE state = 'settled'") == [("asked_team",)]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'complaint_settled'") == [(1,)]
    nothing_written = Page(moderator.get(f"{LIST}/{second.hex}").text).words
    assert "Nothing was written" in nothing_written

    async def both() -> list[object]:
        who = {"complaint_id": second, "account_id": moderator.account_id, "now": utc_now()}
        runs = (stage.database.write(settle_complaint, outcome=each, **who) for each in ("nothing", "stopped"))  # type: ignore[arg-type]
        return list(await asyncio.gather(*runs, return_exceptions=True))

    assert sum(isinstance(each, ComplaintSettled) for each in stage.run(both())) == 1


@on_one_database
def test_operators_are_led_to_the_stop_and_lists_have_pages(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    slug, operator = stage.campaign(), stage.organiser("operator@example.org", role="operator")
    assert "Nobody has reported anything." in operator.get(LIST).text
    monkeypatch.setattr(queries, "PAGE", 2)
    for number in range(5):
        report(stage, slug, words=str(number))
    found = stage.read(list_complaints, page=1).listed[0]
    stop = f"/en/moderation/campaigns/{slug}"
    assert stop in Page(operator.get(f"{LIST}/{found.id.hex}").text).links
    assert {f"{LIST}?page=1", f"{LIST}?page=3"} <= set(Page(operator.get(f"{LIST}?page=2").text).links)
    for bad in ("0", "4", "x", "", "१", "999999"):
        assert operator.get(f"{LIST}?page={bad}").status_code == 404
    assert operator.get(f"{LIST}/{'0' * 32}").status_code == 404
