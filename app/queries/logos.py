"""An organisation's sign as its own page shows it, also before anybody else sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.core.tokens import hash_token
from app.models import Letter, Logo, Token

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def find_own_logo(session: Session, *, token: str) -> bytes | None:
    """Return the picture that a link to an organisation's own page leads to, as PNG, or None."""
    return session.scalar(
        select(Logo.content)
        .join(Letter, Letter.subject_id == Logo.endorsement_id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("endorsement", token), Token.purpose == "endorsement")
        .limit(1)
    )
