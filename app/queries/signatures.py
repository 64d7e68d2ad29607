"""A signature as its signer sees it, through a link; nobody else sees one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, literal_column, select

from app.core import tokens
from app.core.keys import WrappedKey
from app.models import Campaign, CampaignKey, District, Edition, Letter, Signature, Token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
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
    district: str | None
    district_names: Mapping[str, str] | None
    claims: tuple[str, ...]
    is_name_shown: bool
    wants_updates: bool
    source: str | None
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
    values = {"token_hash": tokens.hash_token(purpose, token), "purpose": purpose}
    row = session.connection().execute(_OWN, values).first()
    if row is None:
        return None
    opened = _open_details(row, keyring)
    return OwnSignature(
        id=row.id,
        campaign_slug=row.slug,
        state=row.state,
        locale=row.locale,
        edition_number=row.number,
        edition_hash=row.edition_hash,
        name=opened["name"],
        email=opened["email"],
        phone=opened["phone"],
        postal_code=opened["postal_code"],
        country=row.country,
        subdivision=row.subdivision,
        district=row.district,
        district_names=row.district_names,
        claims=tuple(row.claims),
        is_name_shown=row.is_name_shown,
        wants_updates=row.wants_updates,
        source=row.source,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        ended_at=row.ended_at,
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


#: Made once, in columns and not in objects: it runs at each press. The newest key comes along, if there still is one.
_OWN = (
    select(
        Signature.__table__,
        Campaign.slug,
        Edition.number,
        Edition.hash.label("edition_hash"),
        District.names.label("district_names"),
        Token.expires_at,
        CampaignKey.version.label("key_version"),
        CampaignKey.root_version,
        CampaignKey.sealed,
    )
    .join(Token, Token.signature_id == Signature.id)
    .join(Campaign, Campaign.id == Signature.campaign_id)
    .join(Edition, Edition.id == Signature.edition_id)
    .outerjoin(District, District.code == Signature.district)
    .outerjoin(CampaignKey, CampaignKey.campaign_id == Signature.campaign_id)
    .where(Token.hash == bindparam("token_hash"), Token.purpose == bindparam("purpose"))
    .order_by(CampaignKey.version.desc())
    .limit(literal_column("1"))
)


def _open_details(row: Row[Any], keyring: Keyring) -> dict[str, str | None]:
    sealed = {"name": row.name, "email": row.email, "phone": row.phone, "postal_code": row.postal_code}
    if row.sealed is None:
        return dict.fromkeys(sealed)
    key = keyring.data_key(row.campaign_id, row.key_version, WrappedKey(row.root_version, row.sealed))
    return {
        column: None if value is None else key.open(f"signatures.{column}", row.id, value)
        for column, value in sealed.items()
    }
