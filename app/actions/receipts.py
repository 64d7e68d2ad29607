"""Receipts: a signer proves the mailbox again, with a code; nothing of a receipt itself is kept or mailed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, or_, select

from app.actions.signing import use_code_try
from app.core import tokens
from app.mail.outbox import owe_letter
from app.mail.receipts import CODE_WORKS, WORTH_SENDING
from app.models import Letter, Signature, Token

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: A code is asked for by pressing a button: pressed twice, it is one letter.
BETWEEN_CODES: Final = timedelta(seconds=60)
CODES_A_DAY: Final = 5
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CodesAsked:
    """Whether a code is about to be sent or works still, and whether no more go out today."""

    is_on_its_way: bool
    is_enough: bool


def find_codes_asked(session: Session, *, signature_id: UUID, now: datetime) -> CodesAsked:
    """Return how it stands with the codes for a receipt that this signer asked for."""
    works = or_(
        Letter.written_at > now - CODE_WORKS,
        and_(Letter.written_at.is_(None), Letter.created_at > now - WORTH_SENDING),
    )
    codes = select(func.count()).where(Letter.signature_id == signature_id, Letter.kind == "receipt_code")
    living = session.scalars(codes.where(Letter.state.in_(("queued", "sent")), works)).one()
    today = session.scalars(codes.where(Letter.created_at > now - _ONE_DAY)).one()
    return CodesAsked(living > 0, today >= CODES_A_DAY)


def ask_for_receipt_code(session: Session, *, signature_id: UUID, locale: str, now: datetime) -> None:
    """Owe the letter with a code to a confirmed signer: a minute apart, and five a day at most."""
    # Held: two presses at once would each find no letter.
    signature = session.execute(
        select(Signature.campaign_id)
        .where(Signature.id == signature_id, Signature.state == "confirmed")
        .with_for_update(key_share=True)
    ).first()
    if signature is None:
        return
    asked = session.scalars(
        select(Letter.created_at).where(
            Letter.signature_id == signature_id,
            Letter.kind == "receipt_code",
            Letter.created_at > now - _ONE_DAY,
        )
    ).all()
    if len(asked) >= CODES_A_DAY or any(at > now - BETWEEN_CODES for at in asked):
        return
    owe_letter(
        session,
        kind="receipt_code",
        dedupe_key=f"receipt_code:{signature_id.hex}:{now.isoformat()}",
        locale=locale,
        now=now,
        campaign_id=signature.campaign_id,
        signature_id=signature_id,
    )


def check_receipt_code(session: Session, *, signature_id: UUID, code: str, codes_key: bytes, now: datetime) -> bool:
    """Tell whether ``code`` is that of a letter to this signer; False after five tries a day, the right one too.

    It works until it ends and not once: a download that broke off can be had again.
    """
    campaign_id = session.scalar(
        select(Signature.campaign_id).where(Signature.id == signature_id, Signature.state == "confirmed")
    )
    if campaign_id is None or not use_code_try(session, campaign_id=campaign_id, signature_id=signature_id, now=now):
        return False
    found = session.scalar(
        select(Token.letter_id).where(
            Token.hash == tokens.hash_code(codes_key, signature_id, code),
            Token.purpose == "receipt_code",
            Token.signature_id == signature_id,
            Token.expires_at > now,
        )
    )
    return found is not None
