"""A signature as its signer sees it, through a link; nobody else sees one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.core import tokens
from app.core.keys import WrappedKey
from app.models import Campaign, CampaignKey, Edition, Letter, Signature, Token

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring


@dataclass(frozen=True, slots=True)
class OwnSignature:
    """What is held of one signature, opened for its signer; the sealed fields are None once they are gone."""

    id: UUID
    campaign_slug: str
    state: str
    locale: str
    edition_number: int
    edition_hash: str
    name: str | None
    email: str | None
    phone: str | None
    postal_code: str | None
    country: str
    subdivision: str | None
    claims: tuple[str, ...]
    is_name_shown: bool
    wants_updates: bool
    created_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None
    link_expires_at: datetime | None

    def is_link_dead(self, now: datetime) -> bool:
        """Whether the link that led here has expired."""
        return self.link_expires_at is not None and self.link_expires_at <= now


def find_own_signature(
    session: Session, *, token: str, purpose: tokens.Purpose, keyring: Keyring
) -> OwnSignature | None:
    """Return the signature that a link belongs to, or None where no such link was ever sent."""
    row = session.execute(
        select(Signature, Campaign.slug, Edition.number, Edition.hash, Token.expires_at)
        .join(Token, Token.signature_id == Signature.id)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .join(Edition, Edition.id == Signature.edition_id)
        .where(Token.hash == tokens.hash_token(purpose, token), Token.purpose == purpose)
    ).first()
    if row is None:
        return None
    signature = row.Signature
    opened = _open_details(session, signature, keyring)
    return OwnSignature(
        id=signature.id,
        campaign_slug=row.slug,
        state=signature.state,
        locale=signature.locale,
        edition_number=row.number,
        edition_hash=row.hash,
        name=opened["name"],
        email=opened["email"],
        phone=opened["phone"],
        postal_code=opened["postal_code"],
        country=signature.country,
        subdivision=signature.subdivision,
        claims=tuple(signature.claims),
        is_name_shown=signature.is_name_shown,
        wants_updates=signature.wants_updates,
        created_at=signature.created_at,
        confirmed_at=signature.confirmed_at,
        ended_at=signature.ended_at,
        link_expires_at=row.expires_at,
    )


def find_newest_letter(session: Session, *, signature_id: UUID) -> UUID | None:
    """Return the letter whose link opens a signer's own page, or None before one was written."""
    return session.scalar(
        select(Letter.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.signature_id == signature_id, Token.purpose == "manage")
        .order_by(Letter.created_at.desc())
        .limit(1)
    )


def _open_details(session: Session, signature: Signature, keyring: Keyring) -> dict[str, str | None]:
    sealed = {column: getattr(signature, column) for column in ("name", "email", "phone", "postal_code")}
    stored = session.scalars(
        select(CampaignKey)
        .where(CampaignKey.campaign_id == signature.campaign_id)
        .order_by(CampaignKey.version.desc())
        .limit(1)
    ).first()
    if stored is None:
        return dict.fromkeys(sealed)
    wrapped = WrappedKey(stored.root_version, stored.sealed)
    key = keyring.campaign_key(signature.campaign_id, stored.version, wrapped)
    return {
        column: None if value is None else key.open(f"signatures.{column}", signature.id, value)
        for column, value in sealed.items()
    }
