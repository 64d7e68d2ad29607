"""Published texts as tests correct them, without the editor's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from app.actions.editions import publish_edition
from app.core.clock import utc_now
from app.models import Campaign, TextItem, TextPart
from app.queries.editions import find_correction

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Stage

NOTE = {"km": "កែអក្ខរាវិរុទ្ធ", "en": "A word was misspelt", "fr": "Un mot était mal écrit"}


def write_part(stage: Stage, slug: str, name: str, locale: str, text: str, *, is_ready: bool = True) -> None:
    """Make one box of the draft say something else: one that a text has once, or the first of its list."""

    def work(session: Session) -> None:
        part_id = session.scalars(
            select(TextPart.id)
            .join(Campaign, Campaign.id == TextPart.campaign_id)
            .outerjoin(TextItem, TextItem.id == TextPart.item_id)
            .where(Campaign.slug == slug, TextPart.name == name, TextPart.locale == locale)
            .order_by(TextItem.position)
            .limit(1)
        ).one()
        session.execute(
            update(TextPart)
            .where(TextPart.id == part_id)
            .values(text=text, is_ready=is_ready, version=TextPart.version + 1)
        )

    stage.write(work)


def correct(stage: Stage, slug: str, request: str, *, is_substantive: bool = False, is_seen: bool = True) -> str:
    """Publish another first request in English, and return the hash of the edition that it makes.

    Where it ``is_seen``, this process has read the text anew; otherwise it still keeps the one of before.
    """
    write_part(stage, slug, "request", "en", request)
    account_id = stage.organiser("corrector@example.org").account_id
    campaign_id: UUID = stage.read(
        lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    )
    found = stage.read(find_correction, campaign_id=campaign_id)
    assert found is not None
    stage.write(
        publish_edition,
        campaign_id=campaign_id,
        shown_edition=found.current.hash,
        shown_draft=found.hash,
        is_substantive=is_substantive,
        note=NOTE,
        account_id=account_id,
        now=utc_now(),
    )
    if is_seen:
        look_again(stage, slug)
    return found.hash


def look_again(stage: Stage, slug: str) -> None:
    """Let this process read a campaign anew, as it does after a second."""
    stage.house.shelf._entries.pop(slug, None)
    stage.house.cache.forget(slug)
