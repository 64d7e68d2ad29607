"""Snapshots: when one is taken, what it holds, and that two who take it at once take one."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import insert, select, update

from app.actions.snapshots import draw_snapshot, keep_snapshot, list_campaigns_to_snapshot
from app.core.clock import utc_now
from app.jobs import take_snapshots as job
from app.jobs.take_snapshots import take_snapshots
from app.models import Campaign, CampaignCount, District, Edition, Signature, Snapshot
from app.queries.figures import find_breakdown

if TYPE_CHECKING:
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


def load_districts(stage: Stage) -> None:
    """Make two districts of Ontario known."""
    names = {"35075": {"en": "Ottawa Centre", "fr": "Ottawa-Centre"}, "35076": {"en": "Orléans", "fr": "Orléans"}}

    def work(session: Session) -> None:
        rows = [
            {"code": code, "names": each, "province": "CA-ON", "loaded_at": utc_now(), "is_current": True}
            for code, each in names.items()
        ]
        session.execute(insert(District), rows)

    stage.write(work)


def publish_another(stage: Stage) -> UUID:
    """Make a second edition of the only campaign."""

    def work(session: Session) -> UUID:
        first = session.scalars(select(Edition)).one()
        edition_id = uuid4()
        session.execute(
            insert(Edition),
            {
                "id": edition_id, "campaign_id": first.campaign_id, "number": 2, "texts": first.texts,
                "hash": "0" * 64, "created_at": utc_now(), "is_substantive": False, "note": {},
            },
        )  # fmt: skip
        return edition_id

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
    drawn = stage.read(
        draw_snapshot, campaign_id=campaign_id, now=utc_now(), lot=lambda weights: weights.index(max(weights))
    )
    assert drawn is not None
    stage.write(keep_snapshot, drawn=drawn)
    [first] = snapshots(stage)
    assert (first.number, first.signatures) == (1, 20)
    # One person in France: the lot fell on Quebec, which goes with them.
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
    # Quebec moved by one and keeps its number; the rest would be one, so everything is as it was and the rest has all.
    assert second.cells == [
        {"country": "CA", "subdivision": "CA-ON", "signatures": 30},
        {"country": "CA", "subdivision": "CA-QC", "signatures": 10},
        {"country": None, "subdivision": None, "signatures": 19},
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


def test_margins_are_of_the_same_people_and_small_numbers_are_merged(stage: Stage) -> None:
    """Days are those of the campaign's zone, the one that is not over is in the rest, and who named no district too."""
    slug = stage.campaign(timezone="Asia/Phnom_Penh")
    load_districts(stage)
    noon = datetime(2026, 5, 20, 12, tzinfo=UTC)
    late = datetime(2026, 5, 20, 17, 30, tzinfo=UTC)  # half past midnight there
    set_all(stage, Campaign, opens_at=noon - timedelta(days=1))
    campaign_id = sign_many(stage, slug, {"CA-ON": 30}, at=noon, district="35075", source="temple")
    sign_many(stage, slug, {"CA-ON": 25}, at=noon, locale="en")
    sign_many(stage, slug, {"CA-ON": 8}, at=late, locale="fr", district="35076")
    sign_many(stage, slug, {"CA-BC": 40}, at=late, district="99999")
    drawn = stage.read(draw_snapshot, campaign_id=campaign_id, now=noon + timedelta(days=2))
    assert drawn is not None
    stage.write(keep_snapshot, drawn=drawn)
    found = stage.read(find_breakdown, campaign_id=campaign_id)
    assert found is not None
    assert (found.number, found.signatures) == (1, 103)
    shown = {name: [(share.value, share.signatures) for share in shares] for name, shares in found.margins.items()}
    assert shown == {
        "language": [("km", 70), ("en", 25), ("fr", 8)],
        "day": [("2026-05-20", 55), ("2026-05-21", 48)],
        "district": [("35075", 30), (None, 73)],
        "edition": [],
        "source": [("", 73), ("temple", 30)],
    }
    assert found.districts["35075"].names["fr"] == "Ottawa-Centre"
    assert found.districts["35075"].province == "CA-ON"


def test_a_snapshot_of_before_margins_has_none(stage: Stage) -> None:
    campaign_id = sign_many(stage, stage.campaign(), {"CA-ON": 25})
    assert stage.read(find_breakdown, campaign_id=campaign_id) is None
    stage.run(take_snapshots(stage.background))
    set_all(stage, Snapshot, margins={})
    found = stage.read(find_breakdown, campaign_id=campaign_id)
    assert found is not None
    assert set(found.margins.values()) == {()}
    # The next one has them, as if it were the first.
    sign_many(stage, "libraries", {"CA-ON": 25})
    drawn = stage.read(draw_snapshot, campaign_id=campaign_id, now=utc_now() + timedelta(days=2))
    assert drawn is not None
    assert drawn.margins["language"].cells == {"km": 50}


def test_a_campaign_without_dates_counts_days_from_its_first_signature(stage: Stage) -> None:
    slug = stage.campaign(timezone="UTC")
    set_all(stage, Campaign, opens_at=None)
    campaign_id = sign_many(stage, slug, {"CA-ON": 25}, at=datetime(2026, 5, 20, 12, tzinfo=UTC))
    sign_many(stage, slug, {"CA-ON": 7}, at=datetime(2026, 5, 22, 12, tzinfo=UTC))
    drawn = stage.read(draw_snapshot, campaign_id=campaign_id, now=datetime(2026, 5, 22, 13, tzinfo=UTC))
    assert drawn is not None
    assert (drawn.margins["day"].cells, drawn.margins["day"].rest) == ({"2026-05-20": 25}, 7)


def test_editions_are_a_margin_once_there_are_two(stage: Stage) -> None:
    slug = stage.campaign()
    campaign_id = sign_many(stage, slug, {"CA-ON": 25})
    sign_many(stage, slug, {"CA-ON": 6}, edition_id=publish_another(stage))
    stage.run(take_snapshots(stage.background))
    found = stage.read(find_breakdown, campaign_id=campaign_id)
    assert found is not None
    assert [(share.value, share.signatures) for share in found.margins["edition"]] == [("1", 25), ("2", 6)]
