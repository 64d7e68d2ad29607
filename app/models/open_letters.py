"""What a letter is beside its text: how it is headed and signed, its dated editions, to whom it was handed over."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Letterhead(Base):
    """What stands above a letter, and in which order its signatories stand under it. None: as when it was signed."""

    __tablename__ = "letterheads"
    __table_args__ = (
        CheckConstraint("arrangement IN ('as_signed', 'alphabetical', 'by_country', 'by_kind')", name="arrangement"),
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    places: Mapped[dict[str, str]]  # where it is dated, by locale
    dated_on: Mapped[date | None]
    subjects: Mapped[dict[str, str]]  # what stands after "Re:", by locale
    arrangement: Mapped[str]
    is_numbered: Mapped[bool]
    version: Mapped[int]  # saving names the version that was shown


class DatedEdition(Base):
    """A letter as it was signed at one moment: kept whole, and never changed. What comes later is in the next."""

    __tablename__ = "dated_editions"
    __table_args__ = (UniqueConstraint("campaign_id", "number"), CheckConstraint("number > 0", name="number"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("editions.id"))
    signed_as_of: Mapped[datetime]
    content: Mapped[dict[str, Any]]  # as app/rules/letters.py writes and reads it: text, addressees, signatories
    hash: Mapped[str]  # SHA-256 of the content, canonical JSON, hexadecimal
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class Delivery(Base):
    """One time that a letter was handed to somebody, and what they said to it."""

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint("way IN ('mail', 'email', 'by_hand', 'meeting', 'form', 'other')", name="way"),
        Index(None, "campaign_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    dated_edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("dated_editions.id", ondelete="SET NULL"))
    recipient: Mapped[str]  # an addressee, or an office of it
    delivered_on: Mapped[date]
    way: Mapped[str]
    acknowledged_on: Mapped[date | None]
    answered_on: Mapped[date | None]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    removed_at: Mapped[datetime | None]


class KeptDocument(Base):
    """A PDF or a picture as it was made once for a state of its campaign, by whichever process came first.

    A row without content is being made. Of a name only the newest state is kept, but for dated editions, whose every
    file stays as it was first made.
    """

    __tablename__ = "kept_documents"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)  # such as card/km, or dated/2/3/en
    state: Mapped[str] = mapped_column(primary_key=True)  # names all that it was made from, SHA-256 in hexadecimal
    media_type: Mapped[str]
    content: Mapped[bytes | None]
    claimed_at: Mapped[datetime]
    made_at: Mapped[datetime | None]
    is_permanent: Mapped[bool]
