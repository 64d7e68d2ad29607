"""Counting: events that requests append, a total that one roll-up moves, crossings recorded once for ever."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class CampaignCount(Base):
    """The total as far as it is rolled up. Only the roll-up writes it."""

    __tablename__ = "campaign_counts"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    signatures: Mapped[int]
    counted_at: Mapped[datetime]


class CountEvent(Base):
    """A change of the count that the roll-up has not taken yet: +1, or −n."""

    __tablename__ = "count_events"
    __table_args__ = (Index(None, "campaign_id"),)

    # A number and not a random id: rows live for half a second, and nothing refers to them.
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    change: Mapped[int]
    at: Mapped[datetime]


class Crossing(Base):
    """The moment at which a count reached a threshold."""

    __tablename__ = "crossings"
    __table_args__ = (UniqueConstraint("threshold_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    threshold_id: Mapped[UUID] = mapped_column(ForeignKey("thresholds.id", ondelete="CASCADE"))
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    signatures: Mapped[int]  # the total of the roll-up that reached it
    reached_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class TurnedAway(Base):
    """How many forms said that their sender may not sign. Nothing else is kept of these."""

    __tablename__ = "turned_away"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    forms: Mapped[int]
