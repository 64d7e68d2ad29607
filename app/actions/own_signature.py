"""What signers do with their own signature, through the link in their letter."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select, update

from app.core import tokens
from app.models import LIVING_STATES, CountEvent, Letter, LogLeaf, Signature, Token

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: What a row keeps of a person once it has ended: nothing that opens, even with the key.
NO_DETAILS: Final = {"name": None, "email": None, "phone": None, "postal_code": None, "district": None}
INDEXES: Final = (
    "email_index", "details_index", "person_index", "domain_index", "name_index", "address_index", "network_index",
)  # fmt: skip


class SignatureNotFound(Exception):
    """No living signature belongs to this link."""


def set_name_shown(session: Session, *, token: str, is_name_shown: bool) -> None:
    """Show or hide the signer's name. Raises SignatureNotFound."""
    changed = session.scalar(
        update(Signature)
        .where(Signature.id == _signature_of(token), Signature.state.in_(LIVING_STATES))
        .values(is_name_shown=is_name_shown)
        .returning(Signature.id)
    )
    if changed is None:
        raise SignatureNotFound


def set_wants_updates(session: Session, *, token: str, wants_updates: bool) -> None:
    """Send the signer news by email, or no more. Raises SignatureNotFound."""
    changed = session.scalar(
        update(Signature)
        .where(Signature.id == _signature_of(token), Signature.state.in_(LIVING_STATES))
        .values(wants_updates=wants_updates)
        .returning(Signature.id)
    )
    if changed is None:
        raise SignatureNotFound


def withdraw_signature(session: Session, *, token: str, now: datetime) -> None:
    """Take a confirmed signature out of the count and empty its details; before and after closing alike."""
    withdrawn = session.execute(
        update(Signature)
        .where(Signature.id == _signature_of(token), Signature.state == "confirmed")
        .values(state="withdrawn", ended_at=now, is_name_shown=False, wants_updates=False, **NO_DETAILS)
        .returning(Signature.id, Signature.campaign_id, Signature.standing)
    ).first()
    if withdrawn is None:
        raise SignatureNotFound
    if withdrawn.standing == "counted":
        session.execute(insert(CountEvent), {"campaign_id": withdrawn.campaign_id, "change": -1, "at": now})
    _drop_letters(session, withdrawn.id)


def erase_signature(session: Session, *, token: str, now: datetime) -> None:
    """Forget the person: a confirmed signature is withdrawn, a pending one disowned, its indexes become noise."""
    # Locked: confirmed in this very moment, it would be neither disowned nor withdrawn.
    found = session.execute(
        select(Signature.id, Signature.state)
        .where(Signature.id == _signature_of(token))
        .with_for_update(key_share=True)
    ).first()
    if found is None:
        raise SignatureNotFound
    if found.state == "confirmed":
        withdraw_signature(session, token=token, now=now)
    elif found.state == "pending":
        session.execute(
            update(Signature)
            .where(Signature.id == found.id, Signature.state == "pending")
            .values(state="disowned", ended_at=now, is_name_shown=False, wants_updates=False, **NO_DETAILS)
        )
        _drop_letters(session, found.id)
    session.execute(
        update(Signature)
        .where(Signature.id == found.id, Signature.state.not_in(LIVING_STATES))
        .values({name: secrets.token_bytes(32) for name in INDEXES})
    )
    # The leaf stays, as it must, and is nobody's from here on. That of its removal is still to come, and is born so.
    session.execute(update(LogLeaf).where(LogLeaf.signature_id == found.id).values(signature_id=None, salt=None))
    session.execute(delete(Token).where(Token.signature_id == found.id, Token.purpose != "manage"))


def _signature_of(token: str) -> object:
    return (
        select(Token.signature_id)
        .where(Token.hash == tokens.hash_token("manage", token), Token.purpose == "manage")
        .scalar_subquery()
    )


def _drop_letters(session: Session, signature_id: UUID) -> None:
    session.execute(
        update(Letter).where(Letter.signature_id == signature_id, Letter.state == "queued").values(state="dropped")
    )
