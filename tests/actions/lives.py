"""What tests of a campaign's life share: a clock that stands still, its rows, a review, and what owners were told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import select, update

from app.actions import life
from app.core.clock import utc_now
from app.models import Campaign, Member, Record
from app.queries.life import find_review_version

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Organiser, Stage

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
OWNER = "organiser@example.org"  # who owns what is imported


def campaign_id(stage: Stage, slug: str = "libraries") -> UUID:
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())


def owner_id(stage: Stage, slug: str = "libraries") -> UUID:
    owners = select(Member.account_id).join(Campaign).where(Campaign.slug == slug, Member.role == "owner")
    return stage.read(lambda session: session.scalars(owners).first()) or uuid4()


def who(stage: Stage) -> dict[str, Any]:
    return {"campaign_id": campaign_id(stage), "account_id": owner_id(stage), "now": utc_now()}


def put(stage: Stage, slug: str = "libraries", **values: Any) -> None:  # noqa: ANN401 - columns
    stage.write(lambda session: session.execute(update(Campaign).where(Campaign.slug == slug).values(**values)))


def row(stage: Stage, slug: str = "libraries") -> Campaign:
    def work(session: Session) -> Campaign:
        found = session.scalars(select(Campaign).where(Campaign.slug == slug)).one()
        session.expunge(found)
        return found

    return stage.read(work)


def lines(stage: Stage) -> list[str]:
    wanted = select(Record.what).where(Record.what.not_in(("imported", "refused"))).order_by(Record.id)
    return list(stage.read(lambda session: session.scalars(wanted).all()))


def moderator(stage: Stage) -> Organiser:
    return stage.organiser("moderator@example.org", locale="fr", role="moderator")


def publish(stage: Stage) -> str:
    """Bring a draft through review, and return the state that it is in."""
    stage.write(life.submit_campaign, **who(stage))
    version = stage.read(find_review_version, campaign_id=campaign_id(stage))
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    return stage.write(life.approve_campaign, version=version, **reviewer)


def told(stage: Stage, address: str) -> str:
    """Return every letter to an address so far, in whatever order those of one moment were sent."""
    return "\n".join(letter.text for letter in stage.letters_to(address))
