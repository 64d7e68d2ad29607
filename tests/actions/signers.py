"""Signatures as integrity cares about them, made by the actions that make them, without pages or letters."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select

from app.actions.counting import roll_up_count
from app.actions.signing import Origin, Signer, confirm_by_token, request_signature
from app.core import tokens
from app.models import Campaign, Decision, Edition, Letter, Signature, Token, is_counted, open_campaign_key
from app.rules.integrity import CLEAN, Judgement
from app.rules.origins import place_of

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

HELD: Final = Judgement("quarantined", 60, ("address_limit",))


def find_campaign(session: Session, *, slug: str, keyring: Keyring) -> tuple[UUID, DataKey]:
    """Return a campaign's id and its key."""
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    assert key is not None
    return campaign_id, key


def sign(
    session: Session,
    *,
    slug: str,
    number: int,
    keyring: Keyring,
    now: datetime,
    judgement: Judgement = CLEAN,
    address: str = "203.0.113.7",
    name: str = "Sok Sopha",
    locale: str = "en",
    is_confirmed: bool = True,
    mailbox: int | None = None,
) -> UUID:
    """Sign as somebody, and confirm; the tokens of the letters are ``confirm-…`` and ``manage-…`` and the number.

    ``mailbox``: the number of whoever has the address, where it is another.
    """
    campaign_id, key = find_campaign(session, slug=slug, keyring=keyring)
    email = f"signer-{mailbox or number}@example.org"
    signer = Signer(name, email, "CA", "CA-BC", None, None, (), False, False)  # noqa: FBT003 - as read
    place = place_of(address)
    origin = Origin(place.address, place.network, judgement)
    edition_id = session.scalars(select(Edition.id).where(Edition.campaign_id == campaign_id)).one()
    signature_id = request_signature(
        session,
        campaign_id=campaign_id,
        edition_id=edition_id,
        locale=locale,
        signer=signer,
        key=key,
        now=now,
        origin=origin,
    )
    letter_id = session.scalars(select(Letter.id).where(Letter.signature_id == signature_id)).first()
    for purpose in ("confirm", "manage"):
        token = {
            "hash": tokens.hash_token(purpose, f"{purpose}-{slug}-{number}"), "purpose": purpose,
            "letter_id": letter_id, "signature_id": signature_id, "created_at": now,
            "expires_at": now + timedelta(days=7),
        }  # fmt: skip
        session.execute(insert(Token), token)
    if is_confirmed:
        confirm_by_token(session, token=f"confirm-{slug}-{number}", now=now)
    return signature_id


def rolled_up(session: Session, *, slug: str, now: datetime) -> tuple[int, int]:
    """Return the count after a roll-up, and how many rows are confirmed and counted: the two that must be equal."""
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    total = roll_up_count(session, campaign_id=campaign_id, now=now)
    rows = session.scalars(select(func.count()).where(Signature.campaign_id == campaign_id, is_counted())).one()
    return total, rows


def chains_are_whole(session: Session) -> bool:
    """Tell whether the decisions of each signature lead from one to the next, and to how it stands."""
    stands: dict[UUID, str] = {}
    rows = session.execute(select(Decision.signature_id, Decision.before, Decision.after).order_by(Decision.id))
    for row in rows:
        if row.before == row.after or stands.get(row.signature_id, row.before) != row.before:
            return False
        stands[row.signature_id] = row.after
    now = {row.id: row.standing for row in session.execute(select(Signature.id, Signature.standing))}
    return all(now[signature_id] == standing for signature_id, standing in stands.items())
