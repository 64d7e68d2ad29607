"""A campaign with signatures of every kind, its log and its reports, without pages or letters."""

from __future__ import annotations

import random
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from app.actions.reporting import issue_report
from app.actions.sequencing import append_batch
from app.core.clock import utc_now
from app.models import Campaign, CampaignCount, Edition, Signature, TurnedAway, open_campaign_key
from app.queries.reports import find_report, list_report_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from tests.stage import Stage

PLACES: Final = (
    ("CA", "CA-ON", 40), ("CA", "CA-QC", 25), ("CA", "CA-BC", 15), ("CA", "CA-AB", 10), ("CA", "CA-MB", 5),
    ("CA", "CA-PE", 0.3), ("FR", None, 3), ("US", "US-WA", 1.5), ("KH", None, 0.2),
)  # fmt: skip
DAYS: Final = 14


def insert_forms(
    session: Session,
    *,
    slug: str,
    number: int,
    keyring: Keyring,
    until: datetime,
    places: Sequence[tuple[str, str | None, float]] = PLACES,
    **values: Any,  # noqa: ANN401 - columns
) -> list[UUID]:
    """Put ``number`` forms into a campaign, confirmed and counted unless ``values`` say otherwise; return their ids."""
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    edition_id = session.scalars(
        select(Edition.id).where(Edition.campaign_id == campaign_id).order_by(Edition.number.desc()).limit(1)
    ).one()
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    assert key is not None
    chance = random.Random(number)
    rows = []
    for country, subdivision, _ in chance.choices(places, [weight for *_, weight in places], k=number):
        row_id, at = uuid4(), until - timedelta(days=chance.random() * DAYS)
        rows.append(
            {
                "id": row_id,
                "campaign_id": campaign_id,
                "edition_id": edition_id,
                "locale": chance.choice(("km", "km", "en", "fr")),
                "state": "confirmed",
                "standing": "counted",
                "version": 1,
                "slot": 1,
                **{f"{name}_index": secrets.token_bytes(32) for name in ("email", "details", "person", "domain")},
                "name": key.seal("signatures.name", row_id, "Sok Sophea"),
                "email": key.seal("signatures.email", row_id, f"{row_id.hex}@example.org"),
                "country": country,
                "subdivision": subdivision,
                "claims": [],
                "is_name_shown": False,
                "wants_updates": False,
                "created_at": at,
                "confirmed_at": at,
                "letters": 1,
                "last_letter_at": at,
                "code_tries": 0,
                "score": 0,
                "signals": [],
                "is_logged": False,
                **values,
            }
        )
    session.execute(insert(Signature), rows)
    counted = sum(row["state"] == "confirmed" and row["standing"] == "counted" for row in rows)
    session.execute(
        update(CampaignCount)
        .where(CampaignCount.campaign_id == campaign_id)
        .values(signatures=CampaignCount.signatures + counted)
    )
    return [row["id"] for row in rows]


def sign(stage: Stage, slug: str, number: int, *, until: datetime | None = None, **values: Any) -> list[UUID]:  # noqa: ANN401 - columns
    """Put forms into a campaign."""
    moment = until or utc_now()

    def work(session: Session) -> list[UUID]:
        return insert_forms(session, slug=slug, number=number, keyring=stage.keyring, until=moment, **values)

    return stage.write(work)


def sign_in_every_way(stage: Stage, slug: str, number: int, *, until: datetime | None = None) -> None:
    """Confirm ``number`` signatures, and leave some forms wherever else a form can end."""
    sign(stage, slug, number, until=until)
    ended = {"ended_at": until or utc_now(), "name": None, "email": None}
    unconfirmed: dict[str, Any] = {"confirmed_at": None}
    for times, values in (
        (31, {"state": "pending", **unconfirmed}),
        (17, {"state": "expired", **unconfirmed, **ended}),
        (12, {"state": "superseded", **unconfirmed, **ended}),
        (2, {"state": "disowned", **unconfirmed, **ended}),
        (9, {"state": "withdrawn", **ended}),
        (23, {"standing": "quarantined"}),
        (3, {"standing": "removed"}),
    ):
        sign(stage, slug, times, until=until, **values)
    turn_away(stage, slug, 40)


def turn_away(stage: Stage, slug: str, forms: int) -> None:
    """Say how many forms were answered with reasons against their sender."""

    def work(session: Session) -> None:
        campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
        session.execute(insert(TurnedAway), {"campaign_id": campaign_id, "forms": forms})

    stage.write(work)


def withdraw(stage: Stage, ids: Sequence[UUID], *, now: datetime) -> None:
    """Take signatures out of the count as their signers do."""

    def work(session: Session) -> None:
        session.execute(
            update(Signature)
            .where(Signature.id.in_(ids))
            .values(state="withdrawn", ended_at=now, name=None, email=None)
        )

    stage.write(work)


def append(stage: Stage, slug: str, *, now: datetime | None = None) -> None:
    """Append what waits to the log."""
    campaign_id = find_id(stage, slug)
    host = stage.settings.base_url.partition("://")[2]
    moment = now or utc_now()
    while stage.write(append_batch, campaign_id=campaign_id, keyring=stage.keyring, host=host, now=moment).is_more:
        pass


def issue(stage: Stage, slug: str, *, now: datetime | None = None) -> int:
    """Make a report, or find the one that there is."""
    return stage.run(
        issue_report(
            stage.database,
            slug=slug,
            keyring=stage.keyring,
            base_url=stage.settings.base_url,
            now=now or utc_now(),
        )
    )


def files_of(stage: Stage, slug: str, number: int) -> dict[str, bytes]:
    """Return the files of a report."""
    found = stage.read(find_report, slug=slug, number=number)
    assert found is not None
    return stage.read(list_report_files, report_id=found.id)


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a report into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def find_id(stage: Stage, slug: str) -> UUID:
    """Return the id of a campaign."""
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())
