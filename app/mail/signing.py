"""Letters to signers about their own signature."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Signature
from app.rules.life import CONFIRMING_GRACE, is_confirming_open

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter

LINK_WORKS: Final = timedelta(days=7)
CODE_WORKS: Final = timedelta(hours=24)


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    if matter is None:
        return None
    campaign = matter.campaign
    signature = session.get_one(Signature, letter.signature_id)
    is_request = letter.kind == "confirm"
    is_too_late = is_request and not is_confirming_open(campaign.state, campaign.opens_at, campaign.closes_at, desk.now)
    if signature.state != ("pending" if is_request else "confirmed") or signature.email is None or is_too_late:
        # Confirmed by an earlier letter, withdrawn, expired, the campaign over: there is nothing to say any more.
        return None
    links = {**matter.links(), "manage_links": "/signature/{manage}"}
    secrets = [Secret("manage")]
    if is_request:
        latest = None if campaign.closes_at is None else campaign.closes_at + CONFIRMING_GRACE
        links["links"] = "/confirm/{confirm}"
        secrets += [Secret("confirm", LINK_WORKS, latest), Secret("code", CODE_WORKS, latest)]
    return Prepared(
        recipient=matter.key.open("signatures.email", signature.id, signature.email),
        context=matter.context(),
        links=links,
        secrets=tuple(secrets),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


# Neutral: whoever sees the list of messages on a phone learns no campaign, and not even that one was signed.
KINDS: Final = {
    "confirm": Kind(message("A message about your request"), _prepare),
    "already_signed": Kind(message("A message about your request"), _prepare),
}
