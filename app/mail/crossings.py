"""Letters about a threshold that was reached, to the organiser and to the office of the member who carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from app.i18n import message
from app.mail.desk import Kind, Prepared
from app.models import Crossing, Sponsor, Threshold

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk, Matter
    from app.models import Letter


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    if matter is None:
        return None
    recipient = _find_recipient(session, letter, matter)
    if recipient is None:
        return None
    crossing, threshold = session.execute(
        select(Crossing, Threshold)
        .join(Threshold, Threshold.id == Crossing.threshold_id)
        .where(Crossing.id == letter.crossing_id)
    ).one()
    news = {
        "signatures": crossing.signatures,
        "threshold": threshold.signatures,
        "labels": threshold.labels,
        "reached_at": crossing.reached_at,
    }
    return Prepared(recipient, {**matter.context(), **news}, matter.links())


def _find_recipient(session: Session, letter: Letter, matter: Matter) -> str | None:
    campaign = matter.campaign
    if letter.kind == "crossing_organiser":
        return matter.key.open("campaigns.organiser_email", campaign.id, campaign.organiser_email)
    sponsor = session.scalars(
        select(Sponsor).where(Sponsor.campaign_id == campaign.id, Sponsor.state == "accepted")
    ).first()
    if sponsor is None or sponsor.email is None:
        return None
    return matter.key.open("sponsors.email", sponsor.id, sponsor.email)


KINDS: Final = {
    "crossing_organiser": Kind(message("A campaign has reached its number"), _prepare),
    "crossing_office": Kind(message("A campaign has reached its number"), _prepare),
}
