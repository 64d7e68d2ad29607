"""Letters with checkpoints of the log: kept by others, they show a history that was rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.i18n import message
from app.mail.desk import Kind, Prepared
from app.models import Checkpoint, Office, OfficeStaff, Sponsor

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk, Matter
    from app.models import Letter


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    checkpoint = session.get(Checkpoint, letter.subject_id)
    if matter is None or checkpoint is None:
        return None
    recipient = _find_recipient(session, letter.dedupe_key.split(":")[1], matter, desk)
    if recipient is None:
        return None
    news = {
        "number": checkpoint.number,
        "signatures": checkpoint.signatures,
        "made_at": checkpoint.made_at,
        "notes": (checkpoint.signed_note, checkpoint.removed_note),
        "log": f"/api/v1/campaigns/{matter.campaign.slug}/log/checkpoints",
    }
    return Prepared(recipient, {**matter.context(), **news}, {**matter.links(), "links": "/verify"})


def _find_recipient(session: Session, who: str, matter: Matter, desk: Desk) -> str | None:
    """Return the address of whom the letter was owed to; None for one who has left since."""
    what, _, number = who.partition("-")
    if what == "organiser":
        return matter.key.open("campaigns.organiser_email", matter.campaign.id, matter.campaign.organiser_email)
    if what == "sponsor":
        sponsor = session.get(Sponsor, UUID(number))
        if sponsor is None or sponsor.state != "accepted" or sponsor.email is None:
            return None
        return matter.key.open("sponsors.email", sponsor.id, sponsor.email)
    staff, key = session.get(OfficeStaff, UUID(number)), desk.account_key(session)
    office = None if staff is None else session.get(Office, staff.office_id)
    if staff is None or office is None or key is None or staff.state != "joined" or staff.email is None:
        return None
    is_living = office.revoked_at is None and office.expires_at > desk.now
    # Whoever is of an office has an account: their address is sealed with the accounts' key, whatever the campaign.
    return key.open("office_staff.email", staff.id, staff.email) if is_living else None


KINDS: Final = {"checkpoint": Kind(message("A record of a count, to keep"), _prepare)}
