"""Forgetting: unconfirmed forms after 14 days, names a year after closing, quotas after 48 hours; totals stay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from sqlalchemy import update

from app.actions import retention
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Campaign
from tests.actions.test_sequencing import Drive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.stage import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SEALED = "SELECT name, email, phone, postal_code FROM signatures"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def _forget(stage: Stage) -> None:
    stage.run(forget_all(stage.database, now=utc_now()))


def test_forms_that_nobody_confirmed_are_emptied_after_fourteen_days(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    stage.sign(slug, email="confirmed@example.org", browser=stage.new_browser())
    for letter in stage.letters_to("confirmed@example.org"):
        stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    (pending,) = stage.letters_to("sokha@example.org")
    clock.move_to(NOON + timedelta(days=14) - timedelta(microseconds=1))
    _forget(stage)
    assert stage.sql("SELECT state FROM signatures ORDER BY state") == [("confirmed",), ("pending",)]
    clock.move_to(NOON + timedelta(days=14))
    _forget(stage)
    assert stage.sql(f"{SEALED} WHERE state = 'expired'") == [(None, None, None, None)]
    assert (None,) not in stage.sql("SELECT email FROM signatures WHERE state = 'confirmed'")
    gone = {stage.get(f"/en/confirm/{pending.token('confirm')}").status_code}
    gone.add(stage.post(f"/en/confirm/{pending.token('confirm')}", {"signing": "1"}).status_code)
    assert gone == {410}
    assert stage.get(f"/en/signature/{pending.token('signature')}").status_code == 404
    assert stage.count(slug) == 1
    # Whoever it was may sign again, as if for the first time.
    assert stage.sign(slug, browser=stage.new_browser()).status_code == 303
    again = stage.letters_to("sokha@example.org")[-1]
    assert stage.post(f"/en/confirm/{again.token('confirm')}", {"signing": "1"}).status_code == 303
    assert stage.count(slug) == 2


def test_more_forms_than_a_chunk_are_emptied_in_one_run(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    slug = stage.campaign()
    for number in range(5):
        stage.sign(slug, email=f"signer{number}@example.org", browser=stage.new_browser())
    clock.shift(timedelta(days=15))
    _forget(stage)
    assert stage.sql("SELECT DISTINCT state FROM signatures") == [("expired",)]


def test_names_are_unreadable_a_year_after_closing_and_totals_stay(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign(open_for=5)
    stage.sign(slug, show_name="yes")
    (letter,) = stage.letters_to("sokha@example.org")
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    stage.roll_up()
    kept = stage.sql("SELECT id, campaign_id, name FROM signatures")
    wrapped = stage.sql("SELECT sealed FROM campaign_keys")
    (closes_at,) = stage.sql("SELECT closes_at FROM campaigns")[0]
    closing = closes_at if isinstance(closes_at, datetime) else datetime.fromtimestamp(closes_at / 1e6, UTC)
    clock.move_to(closing + timedelta(days=365) - timedelta(seconds=1))
    stage.move_by_dates()
    _forget(stage)
    assert stage.sql("SELECT sealed FROM campaign_keys") == wrapped
    assert "សុខ សុភា" in stage.get(f"/en/signature/{letter.token('signature')}").text
    clock.move_to(closing + timedelta(days=365))
    _forget(stage)
    assert kept[0][2] is not None
    assert stage.sql("SELECT sealed FROM campaign_keys") == []
    assert stage.sql(SEALED) == [(None, None, None, None)]
    assert stage.sql("SELECT count(*) FROM tokens") == [(0,)]
    stage.house.shelf._entries.clear()
    stage.house.cache.forget(slug)
    for locale in ("km", "en", "fr"):
        assert stage.get(f"/{locale}/campaigns/{slug}").status_code == 200
        assert stage.get(f"/{locale}/").status_code == 200
    assert stage.sign(slug, browser=stage.new_browser()).status_code == 409
    assert stage.get(f"/en/signature/{letter.token('signature')}").status_code == 404
    assert stage.get(f"/api/v1/campaigns/{slug}").status_code == 200
    assert stage.count(slug) == 1
    _forget(stage)


def test_forgetting_goes_on_where_it_broke_off_and_then_ends(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, other = Drive(stage), Drive(stage, "other")
    for each in (drive, other):
        each.sign(25)
        each.append()
    closed = update(Campaign).where(Campaign.id == drive.id).values(state="closed", closes_at=NOON + timedelta(days=1))
    stage.write(lambda session: session.execute(closed))
    monkeypatch.setattr(retention, "CHUNK", 4)
    clock.move_to(NOON + timedelta(days=366))
    assert stage.write(retention.forget_signers, campaign_id=drive.id) is not None, "and then somebody pulls the plug"
    left = (
        "SELECT count(signatures.email), count(log_leaves.salt) FROM signatures"
        " JOIN campaigns ON campaigns.id = signatures.campaign_id"
        " LEFT JOIN log_leaves ON log_leaves.signature_id = signatures.id WHERE slug = :slug"
    )
    assert stage.sql("SELECT slug FROM campaign_keys JOIN campaigns ON campaigns.id = campaign_id") == [("other",)]
    assert stage.sql(left, slug=drive.slug)[0][0] >= 21
    assert stage.read(retention.list_campaigns_to_forget, now=utc_now()) == [drive.id]
    _forget(stage)
    assert stage.sql(left, slug=drive.slug) == [(0, 0)]
    assert stage.sql(left, slug="other") == [(25, 25)]
    assert {leaf.signature_id for leaf in drive.leaves("signed")} == {None}
    whose = (
        "SELECT DISTINCT slug FROM tokens JOIN signatures ON signatures.id = signature_id"
        " JOIN campaigns ON campaigns.id = campaign_id"
    )
    assert stage.sql(whose) == [("other",)]
    assert stage.read(retention.list_campaigns_to_forget, now=utc_now()) == []


def test_quotas_and_their_salt_are_destroyed_within_48_hours(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.sign(stage.campaign())
    stage.deliver()
    assert stage.sql("SELECT count(*) FROM letter_quotas") == [(2,)]
    midnight = NOON.replace(hour=0)
    clock.move_to(midnight + timedelta(hours=48) - timedelta(seconds=1))
    _forget(stage)
    assert stage.sql("SELECT count(*) FROM quota_salts") == [(1,)]
    clock.move_to(midnight + timedelta(hours=48))
    _forget(stage)
    assert stage.sql("SELECT (SELECT count(*) FROM quota_salts), (SELECT count(*) FROM letter_quotas)") == [(0, 0)]


def test_the_same_address_counts_under_another_hash_on_another_day(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    for day in range(2):
        clock.move_to(NOON + timedelta(days=day))
        stage.sign(slug, browser=stage.new_browser())
        stage.deliver()
    rows = stage.sql("SELECT hash FROM letter_quotas")
    assert len({bytes(row[0]) for row in rows}) == len(rows) == 4
