"""Teams: who works on a campaign, in which role, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

_ROLE = "role IN ('owner', 'editor', 'translator', 'viewer')"


class Member(Base):
    """Somebody of a campaign's team. ``locales`` are those that a translator writes."""

    __tablename__ = "members"
    __table_args__ = (CheckConstraint(_ROLE, name="role"), Index(None, "account_id"))

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str]
    locales: Mapped[list[str]]
    joined_at: Mapped[datetime]


class Invitation(Base):
    """An address asked into a team."""

    __tablename__ = "invitations"
    __table_args__ = (
        CheckConstraint(_ROLE, name="role"),
        CheckConstraint("state IN ('sent', 'accepted', 'declined', 'revoked')", name="state"),
        Index(None, "campaign_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    email_index: Mapped[bytes]  # as in accounts
    email: Mapped[bytes]  # sealed with the accounts' key
    role: Mapped[str]
    locales: Mapped[list[str]]
    state: Mapped[str]
    locale: Mapped[str]  # of the letter
    invited_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


class Record(Base):
    """What was done or refused, by whom. Rows are added and never changed; none holds an address or a name."""

    __tablename__ = "records"
    __table_args__ = (Index(None, "campaign_id"), Index(None, "account_id"))

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    at: Mapped[datetime]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    campaign_id: Mapped[UUID | None] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    what: Mapped[str]  # the word that whoever adds the row has for it, such as "signed_in" or "refused"
    details: Mapped[dict[str, Any]]
