"""The outbox: letters owed, written in the transaction that caused them. No row holds an address or a token."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

#: Each letter that there is; what it says and to whom is in app/mail.
LETTER_KINDS: Final = (
    "confirm", "already_signed", "crossing_organiser", "crossing_office",
    "sign_in", "account_notice", "invitation", "team_notice",
    "supporter", "supported_open", "sponsor_request", "sponsor_notice", "review_request", "move_notice",
    "edition_changed", "update", "update_trial", "response", "question", "question_answer",
    "alarm_notice", "appeal_notice", "appeal_answer",
    "office_invitation", "office_notice", "checkpoint", "receipt_code",
    "endorse", "endorsement_notice", "endorsement_again", "endorsement_waiting", "authority_waiting",
)  # fmt: skip
PURPOSES: Final = (
    "confirm", "manage", "code", "sign_in", "sign_in_code", "invitation", "support", "sponsor", "unsubscribe", "renew",
    "office", "receipt_code", "endorse", "endorsement",
)  # fmt: skip


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Letter(Base):
    """A letter to send once. Its recipient is read from what it refers to, when it is sent."""

    __tablename__ = "letters"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        _one_of("kind", LETTER_KINDS),
        _one_of("state", ("queued", "sent", "failed", "bounced", "dropped")),
        Index(
            "ix_letters_due", "due_at",
            postgresql_where=text("state = 'queued'"), sqlite_where=text("state = 'queued'"),
        ),
        Index("ix_letters_signature_id", "signature_id"),
        Index("ix_letters_campaign_id", "campaign_id", "kind"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))  # its recipient
    # What it is about, by its kind: a sign-in request, an invitation, a sponsor, a supporter, an update … A letter
    # whose subject is gone when it is to be sent says nothing any more, and is dropped.
    subject_id: Mapped[UUID | None]
    signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"))
    crossing_id: Mapped[UUID | None] = mapped_column(ForeignKey("crossings.id", ondelete="CASCADE"))
    locale: Mapped[str]
    dedupe_key: Mapped[str]
    state: Mapped[str]
    due_at: Mapped[datetime]  # while a sender holds it: when another may take it over
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    written_at: Mapped[datetime | None]  # first attempt: the letter's Date, so that every attempt is the same letter
    sent_at: Mapped[datetime | None]
    last_fault: Mapped[str | None]  # a reply code or the name of a failure; never an address


class Token(Base):
    """What is kept of the links and of the code in a letter: hashes, and until when they work."""

    __tablename__ = "tokens"
    __table_args__ = (
        _one_of("purpose", PURPOSES),
        Index("ix_tokens_signature_id", "signature_id"),
        Index("ix_tokens_letter_id", "letter_id"),
    )

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    letter_id: Mapped[UUID] = mapped_column(ForeignKey("letters.id", ondelete="CASCADE"))
    signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class QuotaSalt(Base):
    """Half of the key that hides, for a day, who got how many letters; destroyed after 48 hours."""

    __tablename__ = "quota_salts"

    day: Mapped[date] = mapped_column(primary_key=True)
    salt: Mapped[bytes]


class LetterQuota(Base):
    """How many letters a hidden address got on a day, over all campaigns or from one. Refers to nothing else."""

    __tablename__ = "letter_quotas"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    day: Mapped[date]
    letters: Mapped[int]
