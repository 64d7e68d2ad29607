"""Letters to supporters: to confirm, to read a changed text again, and that the campaign has opened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Supporter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter

#: The state in which a supporter still wants to hear each of the three things that a letter may be about.
WANTED: Final = {"ask": "pending", "again": "confirmed", "known": "confirmed"}


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Ask to confirm; or to read again what has changed; or say that an address is known already."""
    matter = desk.find_matter(session, letter)
    supporter = session.get(Supporter, letter.subject_id)
    if matter is None or supporter is None or supporter.email is None:
        return None
    wording, about = letter.dedupe_key.split(":")[2:4]
    is_answered = about == "again" and supporter.substance_hash.startswith(wording)
    if supporter.state != WANTED[about] or is_answered or matter.campaign.state != "draft":
        # Confirmed by an earlier letter, withdrawn, or handed in: there is nothing to ask any more.
        return None
    return Prepared(
        recipient=matter.key.open("supporters.email", supporter.id, supporter.email),
        context={**matter.context(), "organiser": matter.campaign.organiser_name, "about": about},
        links={"links": "/support/confirm/{support}"},
        secrets=(Secret("support"),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _prepare_opened(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    supporter = session.get(Supporter, letter.subject_id)
    if matter is None or supporter is None or supporter.email is None or supporter.state != "confirmed":
        return None
    if matter.campaign.state not in {"scheduled", "open"}:
        return None
    return Prepared(
        recipient=matter.key.open("supporters.email", supporter.id, supporter.email),
        context={**matter.context(), "organiser": matter.campaign.organiser_name},
        links={**matter.links(), "links": "/support/confirm/{support}"},
        secrets=(Secret("support"),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


# Neutral: a list of messages tells nobody which text somebody stands behind.
KINDS: Final = {
    "supporter": Kind(message("A message about your request"), _prepare),
    "supported_open": Kind(message("A message about your request"), _prepare_opened),
}
