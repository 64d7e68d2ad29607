"""Snapshots by place: when one is taken, what it holds, and that two who take it at once take one."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from app.actions.snapshots import draw_snapshot, keep_snapshot, list_campaigns_to_snapshot
from app.core.clock import utc_now
from app.jobs import take_snapshots as job
from app.jobs.take_snapshots import take_snapshots
from app.models import Campaign, CampaignCount, Edition, Signature, Snapshot

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    import pytest
    from sqlalchemy.orm import Session

    from app.models import Base
    from tests.stage import Stage


def sign_many(stage: Stage, slug: str, places: dict[str, int], *, at: datetime | None = None, **values: Any) -> UUID:  # noqa: ANN401 - columns
    """Confirm signatures from places, ``CA-ON`` or ``FR``, and return the campaign."""
    moment = at or utc_now()

    def work(session: Session) -> UUID:
        campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
        edition_id = session.scalars(select(Edition.id).where(Edition.campaign_id == campaign_id)).first()
        rows = [
            {
                "id": uuid4(),
                "campaign_id": campaign_id,
                "edition_id": edition_id,
                "locale": "km",
                "state": "confirmed",
                "version": 1,
                "slot": 1,
                **{f"{name}_index": secrets.token_bytes(32) for name in ("email", "details", "person", "domain")},
                "country": place[:2],
                "subdivision": place if "-" in place else None,
                "claims": [],
                "is_name_shown": False,
                "wants_updates": False,
                "created_at": moment,
                "confirmed_at": moment,
                "letters": 1,
                "last_letter_at": moment,
                "code_tries": 0,
                **values,
            }
            for place, number in places.items()
            for _ in range(number)
        ]
        session.execute(insert(Signature), rows)
        counted = sum(row["state"] == "confirmed" for row in rows)
        session.execute(
            update(CampaignCount)
            .where(CampaignCount.campaign_id == campaign_id)
            .values(signatures=CampaignCount.signatures + counted)
        )
        return campaign_id

    return stage.write(work)


def set_all(stage: Stage, table: type[Base], **values: object) -> None:
    """Change every row of a table."""

    def work(session: Session) -> None:
        session.execute(update(table).values(**values))

    stage.write(work)


def snapshots(stage: Stage) -> list[Snapshot]:
    return stage.read(lambda session: list(session.scalars(select(Snapshot).order_by(Snapshot.number))))


def test_the_first_snapshot_is_taken_at_twenty(stage: Stage) -> None:
    slug = stage.campaign()
    campaign_id = sign_many(stage, slug, {"CA-ON": 12, "CA-QC": 7})
    assert stage.read(list_campaigns_to_snapshot, now=utc_now()) == []
    assert stage.read(draw_snapshot, campaign_id=campaign_id, now=utc_now()) is None
    sign_many(stage, slug, {"FR": 1})
    stage.run(take_snapshots(stage.background))
    [first] = snapshots(stage)
    assert (first.number, first.signatures) == (1, 20)
    # One person in France: Quebec goes with them.
    assert first.cells == [
        {"country": "CA", "subdivision": "CA-ON", "signatures": 12},
        {"country": None, "subdivision": None, "signatures": 8},
    ]


def test_another_needs_a_day_and_twenty_changes(stage: Stage) -> None:
    slug, now = stage.campaign(), utc_now()
    campaign_id = sign_many(stage, slug, {"CA-ON": 30, "CA-QC": 10}, at=now - timedelta(days=3))
    drawn = stage.read(draw_snapshot, campaign_id=campaign_id, now=now - timedelta(days=2))
    assert drawn is not None
    stage.write(keep_snapshot, drawn=drawn)
    # Nineteen changes: eighteen new and one withdrawn.
    sign_many(stage, slug, {"CA-ON": 18})
    sign_many(stage, slug, {"CA-QC": 1}, at=now - timedelta(days=4), state="withdrawn", ended_at=now)
    assert stage.read(list_campaigns_to_snapshot, now=now) == [campaign_id]
    stage.run(take_snapshots(stage.background))
    assert len(snapshots(stage)) == 1
    sign_many(stage, slug, {"CA-QC": 1})
    assert stage.read(draw_snapshot, campaign_id=campaign_id, now=now - timedelta(days=1, hours=2)) is None
    stage.run(take_snapshots(stage.background))
    stage.run(take_snapshots(stage.background))
    _, second = snapshots(stage)
    assert (second.number, second.signatures) == (2, 59)
    # Quebec moved by one: it keeps its number; the rest would be one, so Quebec goes into it.
    assert second.cells == [
        {"country": "CA", "subdivision": "CA-ON", "signatures": 48},
        {"country": None, "subdivision": None, "signatures": 11},
    ]
    assert stage.read(list_campaigns_to_snapshot, now=utc_now()) == []


def test_two_who_take_a_snapshot_at_once_take_one(stage: Stage) -> None:
    campaign_id = sign_many(stage, stage.campaign(), {"CA-ON": 25})
    drawn = [stage.read(draw_snapshot, campaign_id=campaign_id, now=utc_now()) for _ in range(2)]
    for each in drawn:
        assert each is not None
        stage.write(keep_snapshot, drawn=each)
    assert len(snapshots(stage)) == 1


def test_a_count_that_fell_under_twenty_has_no_further_snapshot(stage: Stage) -> None:
    slug, now = stage.campaign(), utc_now()
    campaign_id = sign_many(stage, slug, {"CA-ON": 21}, at=now - timedelta(days=3))
    drawn = stage.read(draw_snapshot, campaign_id=campaign_id, now=now - timedelta(days=2))
    assert drawn is not None
    stage.write(keep_snapshot, drawn=drawn)
    set_all(stage, Signature, state="withdrawn", ended_at=now)
    assert stage.read(draw_snapshot, campaign_id=campaign_id, now=now) is None


def test_a_campaign_that_cannot_be_counted_does_not_stop_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = sign_many(stage, stage.campaign(), {"CA-ON": 25})

    def with_a_bad_one(session: Session, *, now: datetime) -> list[object]:
        return ["not an id", *list_campaigns_to_snapshot(session, now=now)]

    monkeypatch.setattr(job, "list_campaigns_to_snapshot", with_a_bad_one)
    stage.run(take_snapshots(stage.background))
    assert [each.campaign_id for each in snapshots(stage)] == [good]
