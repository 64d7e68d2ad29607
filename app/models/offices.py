"""Offices: who of a member's staff may read the counts of one campaign; and federal districts, as data."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

_IS_LIVING = text("state IN ('invited', 'joined')")


class Office(Base):
    """A door for one office to one campaign. It sees counts, and nothing about any person."""

    __tablename__ = "offices"
    __table_args__ = (Index(None, "campaign_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    name: Mapped[str]  # such as "Office of Ron McKinnon, MP"
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("accounts.id", ondelete="SET NULL")
    )  # None: the terminal
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class OfficeStaff(Base):
    """Somebody of an office, invited by mail; joined once they pressed the button in a session of their own mailbox."""

    __tablename__ = "office_staff"
    __table_args__ = (
        CheckConstraint("state IN ('invited', 'joined', 'removed')", name="state"),
        CheckConstraint("state <> 'joined' OR account_id IS NOT NULL", name="account_id"),
        Index(
            "uq_office_staff_living", "office_id", "email_index", unique=True,
            postgresql_where=_IS_LIVING, sqlite_where=_IS_LIVING,
        ),
        Index(None, "account_id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("offices.id", ondelete="CASCADE"))
    email: Mapped[bytes | None]  # sealed with the accounts' key, for this row; emptied when removed
    email_index: Mapped[bytes]  # as in accounts
    locale: Mapped[str]
    state: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    invited_at: Mapped[datetime]
    joined_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class District(Base):
    """A federal electoral district, from Elections Canada's open list."""

    __tablename__ = "districts"

    code: Mapped[str] = mapped_column(primary_key=True)  # such as 59026
    names: Mapped[dict[str, str]]  # en, fr
    province: Mapped[str]  # ISO 3166-2, such as CA-BC
    loaded_at: Mapped[datetime]
    is_current: Mapped[bool]  # of the list that was loaded last
