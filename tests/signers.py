"""Signers by the thousand: rows of confirmed signatures as signing leaves them, without its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from app.models import Campaign, Edition, Signature, open_campaign_key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring


def insert_signers(
    session: Session,
    *,
    slug: str,
    emails: Sequence[str],
    keyring: Keyring,
    now: datetime,
    wants_updates: bool = True,
    locale: str = "en",
) -> list[UUID]:
    """Confirm a signature for each address, and return their ids in order."""
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    edition_id = session.scalars(
        select(Edition.id).where(Edition.campaign_id == campaign_id).order_by(Edition.number.desc()).limit(1)
    ).one()
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    assert key is not None
    ids = [uuid4() for _ in emails]
    session.execute(
        insert(Signature),
        [
            {
                "id": signature_id,
                "campaign_id": campaign_id,
                "edition_id": edition_id,
                "locale": locale,
                "state": "confirmed",
                "version": 1,
                "slot": 0,
                "email_index": key.index("email", email),
                "details_index": signature_id.bytes,
                "person_index": signature_id.bytes,
                "domain_index": b"domain",
                "email": key.seal("signatures.email", signature_id, email),
                "name": key.seal("signatures.name", signature_id, "Signer"),
                "country": "CA",
                "claims": [],
                "is_name_shown": False,
                "wants_updates": wants_updates,
                "created_at": now,
                "confirmed_at": now,
                "letters": 1,
                "last_letter_at": now,
                "code_tries": 0,
            }
            for signature_id, email in zip(ids, emails, strict=True)
        ],
    )
    return ids
