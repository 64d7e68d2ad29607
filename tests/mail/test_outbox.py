"""The outbox: who may send what when, how many letters an address gets, and which of their links still work."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import pytest
import time_machine
from sqlalchemy import select, update

from app.core.clock import utc_now
from app.core.db import open_database
from app.jobs.deliver_mail import deliver_mail
from app.mail import outbox
from app.mail.desk import DAILY_FROM_ALL
from app.mail.letters import write_letter
from app.models import Campaign, CampaignKey
from tests.stage import good_form, small_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from app.core.db import Database
    from tests.stage import Stage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def _sign_everywhere(stage: Stage, campaigns: int, **fields: str) -> list[str]:
    slugs = [stage.campaign(small_campaign(f"campaign-{number}")) for number in range(campaigns)]
    for slug in slugs:
        stage.sign(slug, browser=stage.new_browser(), **fields)
    return slugs


def test_an_address_gets_three_letters_a_day_from_a_campaign_and_the_rest_tomorrow(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign()
    for number in range(5):
        stage.sign(slug, name=f"Sok {'abcde'[number]}", browser=stage.new_browser())
        clock.shift(timedelta(minutes=2))
    for _ in range(3):
        assert len(stage.letters_to("sokha@example.org")) == 3
        clock.shift(timedelta(hours=3))
    assert stage.sql("SELECT state, count(*) FROM letters GROUP BY state ORDER BY state") == [
        ("queued", 2),
        ("sent", 3),
    ]
    clock.move_to(NOON.replace(hour=0) + timedelta(days=1, hours=1))
    assert len(stage.letters_to("sokha@example.org")) == 5


def test_an_address_gets_so_many_letters_a_day_from_all_campaigns(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert DAILY_FROM_ALL == 10
    monkeypatch.setattr(outbox, "DAILY_FROM_ALL", 4)
    _sign_everywhere(stage, 6)
    assert len(stage.letters_to("sokha@example.org")) == 4
    stage.sign("campaign-0", email="SOKHA+tag@Example.ORG", browser=stage.new_browser())
    clock.move_to(NOON.replace(hour=0) + timedelta(days=1, hours=1))
    assert len(stage.letters_to("sokha@example.org")) == 6


def test_a_flooded_campaign_uses_up_no_room_of_the_others(
    stage: Stage, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "DAILY_FROM_ALL", 6)
    flooded = stage.campaign(small_campaign("flooded"))
    for number in range(5):
        stage.sign(flooded, name=f"Sok {'abcde'[number]}", browser=stage.new_browser())
        clock.shift(timedelta(minutes=2))
    stage.deliver()
    # Each of the two that wait is looked at again for days; none of that counts against the other campaigns.
    _sign_everywhere(stage, 3)
    assert len(stage.letters_to("sokha@example.org")) == 3 + 3


def test_letters_of_a_signature_are_a_minute_apart_and_five_at_most(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign()
    for day in range(3):
        clock.move_to(NOON + timedelta(days=day))
        for _ in range(5):
            stage.post(f"/en/campaigns/{slug}/check-email", {"again": "1", "email": "sokha@example.org"})
            stage.sign(slug, browser=stage.new_browser())
            stage.deliver()
            clock.shift(timedelta(seconds=30))
    sent = [row[0] for row in stage.sql("SELECT created_at FROM letters ORDER BY created_at")]
    assert len(sent) == len(stage.letters_to("sokha@example.org")) == 5
    moments = [row if isinstance(row, datetime) else datetime.fromtimestamp(row / 1e6, UTC) for row in sent]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= timedelta(seconds=60)


def test_links_of_the_last_three_letters_work_and_older_ones_answer_410(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign()
    for _ in range(5):
        stage.sign(slug, browser=stage.new_browser())
        stage.deliver()
        clock.shift(timedelta(hours=9))
    links = [letter.token("confirm") for letter in stage.letters_to("sokha@example.org")]
    assert [stage.get(f"/en/confirm/{link}").status_code for link in links] == [410, 410, 200, 200, 200]
    assert [stage.post(f"/en/confirm/{link}", {"signing": "1"}).status_code for link in links[:3]] == [410, 410, 303]
    assert stage.count(slug) == 1


def test_a_link_works_for_seven_days(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.sign(stage.campaign())
    (letter,) = stage.deliver()
    clock.move_to(NOON + timedelta(days=7) - timedelta(seconds=1))
    assert stage.get(f"/en/confirm/{letter.token('confirm')}").status_code == 200
    clock.move_to(NOON + timedelta(days=7))
    assert stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"}).status_code == 410


def test_the_database_holds_no_address_no_name_and_nothing_of_a_link(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    (letter,) = stage.deliver()
    secrets = [letter.token("confirm"), letter.token("signature"), letter.code, *map(str, good_form().values())]
    secrets += ["organiser@example.org", "office@example.org", "example.org"]
    allowed = {"CA", "CA-BC", "yes", "['citizen_of:CA']"}
    tables = [name for (name,) in stage.sql(_TABLES[stage.database.__class__.__name__])]
    assert {"letters", "tokens", "signatures", "letter_quotas"} <= set(tables)
    for table in tables:
        for row in stage.sql(f'SELECT * FROM "{table}"'):  # noqa: S608 - names of our own tables
            shown = " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row)
            found = [each for each in secrets if each not in allowed and each in shown]
            assert not found, table


def test_a_letter_whose_reader_has_confirmed_or_whose_campaign_is_over_is_dropped(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign(open_for=1)
    stage.sign(slug)
    (letter,) = stage.deliver()
    clock.shift(timedelta(minutes=2))
    stage.sign(slug, browser=stage.new_browser())
    stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"})
    stage.sign(slug, email="late@example.org", browser=stage.new_browser())
    clock.shift(timedelta(days=4))
    assert len(stage.deliver()) == 1
    assert stage.sql("SELECT state, count(*) FROM letters GROUP BY state ORDER BY state") == [
        ("dropped", 2),
        ("sent", 1),
    ]


def test_a_campaign_whose_key_does_not_open_holds_up_no_other(stage: Stage) -> None:
    broken, whole = stage.campaign(small_campaign("broken")), stage.campaign(small_campaign("whole"))
    stage.sign(broken, email="first@example.org", browser=stage.new_browser())
    stage.sign(whole, email="second@example.org", browser=stage.new_browser())
    stage.write(_break_key, slug=broken)
    assert [letter.mail["To"] for letter in stage.deliver()] == ["second@example.org"]
    assert stage.sql("SELECT last_fault FROM letters WHERE state = 'queued'") == [("SealBrokenError",)]


def _break_key(session: Session, *, slug: str) -> None:
    campaign = select(Campaign.id).where(Campaign.slug == slug).scalar_subquery()
    session.execute(update(CampaignKey).where(CampaignKey.campaign_id == campaign).values(sealed=b"x" * 60))


def test_what_no_key_opens_is_given_up_after_three_days(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    stage.write(_break_key, slug=slug)
    stage.deliver()
    state = "SELECT state, last_fault FROM letters"
    clock.move_to(NOON + timedelta(days=3) - timedelta(seconds=1))
    stage.deliver()
    assert stage.sql(state) == [("queued", "SealBrokenError")]
    clock.shift(timedelta(hours=1))
    stage.deliver()
    assert stage.sql(state) == [("failed", "SealBrokenError")]


def test_a_letter_that_waited_for_its_quota_is_not_given_up_for_one_fault(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign()
    stage.sign(slug)
    kept = stage.sql("SELECT sealed FROM campaign_keys")[0][0]
    clock.shift(timedelta(days=4))
    stage.write(_break_key, slug=slug)
    stage.deliver()
    assert stage.sql("SELECT state FROM letters") == [("queued",)]
    stage.sql_write("UPDATE campaign_keys SET sealed = :kept", kept=kept)
    clock.shift(timedelta(hours=1))
    assert len(stage.deliver()) == 1


def test_the_same_claim_is_the_same_letter_byte_for_byte(stage: Stage) -> None:
    stage.sign(stage.campaign(), locale="km")
    written = []
    for hours in range(3):
        with time_machine.travel(utc_now() + timedelta(hours=hours), tick=True):
            (owed,) = stage.write(outbox.claim_letters, keyring=stage.keyring, now=utc_now(), limit=9)
            written.append(
                write_letter(
                    owed, pages=stage.house.pages, base_url="https://a.example", sender="ហ <a@b.org>"
                ).as_bytes()
            )
    assert written[0] == written[1] == written[2]
    assert stage.sql("SELECT count(*) FROM tokens") == [(3,)]


def test_workers_that_claim_at_once_never_both_hold_a_letter(stage: Stage) -> None:
    slug = stage.campaign()

    async def sign_all() -> None:
        for number in range(20):
            body = urlencode(good_form() | {"email": f"signer{number}@example.org"}, doseq=True).encode()
            headers = {"content-type": "application/x-www-form-urlencoded"}
            await stage.new_browser().post(f"/en/campaigns/{slug}/sign", content=body, headers=headers)

    async def claim_at_once() -> list[list[outbox.OwedLetter]]:
        others = [open_database(stage.settings.database_url) for _ in range(4)]
        claim = partial(outbox.claim_letters, keyring=stage.keyring, now=utc_now(), limit=7)
        try:
            return await asyncio.gather(*(other.write(claim) for other in others * 2))
        finally:
            await asyncio.gather(*(other.close() for other in others))

    stage.run(sign_all())
    held = [letter.id for share in stage.run(claim_at_once()) for letter in share]
    assert len(held) == len(set(held)) == 20
    assert stage.sql("SELECT DISTINCT attempts FROM letters") == [(1,)]


def test_a_worker_that_dies_between_sending_and_recording_sends_the_same_letter_again(stage: Stage) -> None:
    stage.sign(stage.campaign())
    dead = dataclasses.replace(stage.background, database=cast("Database", _DiesBeforeRecording(stage)))

    with pytest.raises(ConnectionAbortedError):
        stage.run(deliver_mail(dead))
    assert len(stage.deliver()) == 1, "held until the lease runs out"
    with time_machine.travel(utc_now() + outbox.LEASE, tick=True):
        first, second = stage.deliver()
    assert first.raw == second.raw
    assert stage.sql("SELECT state, attempts FROM letters") == [("sent", 2)]


class _DiesBeforeRecording:
    def __init__(self, stage: Stage) -> None:
        self._database = stage.database

    async def write(self, work: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on
        if work is outbox.mark_sent:
            raise ConnectionAbortedError
        return await self._database.write(work, **options)


_TABLES = {
    "SqliteDatabase": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "PostgresDatabase": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}
