"""The letter to signers of an earlier edition, once the substance has changed, that asks them about the new text."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Edition, Renewal, Signature
from app.rules.life import is_signing_open

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter

LINK_WORKS: Final = timedelta(days=30)


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    if matter is None:
        return None
    campaign = matter.campaign
    signature = session.get_one(Signature, letter.signature_id)
    if signature.state != "confirmed" or signature.email is None:
        return None
    if not is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, desk.now):
        return None
    unsigned = _list_unsigned_changes(session, signature)
    if not unsigned or unsigned[-1].id != letter.subject_id:
        # Signed in the meantime, or the text has changed once more, and there is another letter about that.
        return None
    return Prepared(
        recipient=matter.key.open("signatures.email", signature.id, signature.email),
        context={**matter.context(), "notes": [edition.note for edition in unsigned if edition.note]},
        links={"links": "/renew/{renew}"},
        secrets=(Secret("renew", LINK_WORKS, campaign.closes_at),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _list_unsigned_changes(session: Session, signature: Signature) -> list[Edition]:
    """Return the editions that changed the substance after the last one that this signer signed, oldest first."""
    own = select(Edition.number).where(Edition.id == signature.edition_id).scalar_subquery()
    renewed = (
        select(func.coalesce(func.max(Edition.number), 0))
        .join(Renewal, Renewal.edition_id == Edition.id)
        .where(Renewal.signature_id == signature.id)
        .scalar_subquery()
    )
    return list(
        session.scalars(
            select(Edition)
            .where(
                Edition.campaign_id == signature.campaign_id,
                Edition.is_substantive.is_(True),
                Edition.number > own,
                Edition.number > renewed,
            )
            .order_by(Edition.number)
        )
    )


# Neutral, as every letter to a signer.
KINDS: Final = {"edition_changed": Kind(message("A message about your request"), _prepare)}
