"""Campaigns: what is asked, of whom, by whom, until when, and in which frozen words."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Campaign(Base):
    """A petition, an open letter or a joint statement."""

    __tablename__ = "campaigns"
    __table_args__ = (
        UniqueConstraint("slug"),
        _one_of("kind", "petition", "open_letter", "joint_statement"),
        _one_of(
            "state", "draft", "review", "scheduled", "open", "closed", "presented", "answered", "refused", "stopped"
        ),
        _one_of("source_locale", "km", "en", "fr"),
        _one_of("signatories", "individuals", "organisations", "both"),
        CheckConstraint("closes_at IS NULL OR opens_at IS NULL OR opens_at < closes_at", name="dates"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    slug: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    reference: Mapped[str | None]
    source_locale: Mapped[str]
    timezone: Mapped[str]
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]  # the first instant at which signing is refused
    asks: Mapped[list[str]]
    signatories: Mapped[str]
    organiser_name: Mapped[str]
    organiser_email: Mapped[bytes]  # sealed with the campaign's key, like every address
    eligibility: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    stopped_because: Mapped[str | None]


class CampaignKey(Base):
    """The data key of a campaign, wrapped by a root key. Without it what it sealed is noise."""

    __tablename__ = "campaign_keys"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root_version: Mapped[int]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class Edition(Base):
    """One frozen version of a campaign's text in all its languages; the highest number is the current one."""

    __tablename__ = "editions"
    __table_args__ = (UniqueConstraint("campaign_id", "number"), CheckConstraint("number > 0", name="number"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    texts: Mapped[dict[str, Any]]  # {locale: text} as in hatthalekha-campaign/1
    hash: Mapped[str]  # SHA-256 of the texts, canonical JSON, hexadecimal
    created_at: Mapped[datetime]


class Addressee(Base):
    """Whom a campaign speaks to, in its order."""

    __tablename__ = "addressees"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    names: Mapped[dict[str, str]]
    country: Mapped[str]


class Sponsor(Base):
    """The member who agreed to carry a petition."""

    __tablename__ = "sponsors"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str]
    titles: Mapped[dict[str, str]]
    district: Mapped[str | None]
    party: Mapped[str | None]
    email: Mapped[bytes | None]  # sealed; the office's


class Threshold(Base):
    """What is promised at a count. ``reached_at`` is written once and never cleared."""

    __tablename__ = "thresholds"
    __table_args__ = (
        UniqueConstraint("campaign_id", "signatures"),
        CheckConstraint("signatures > 0", name="signatures"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    signatures: Mapped[int]
    labels: Mapped[dict[str, str]]
    reached_at: Mapped[datetime | None]


class Endorsement(Base):
    """An organisation that signed an edition, in the order of signing."""

    __tablename__ = "endorsements"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("editions.id"))
    name: Mapped[str]
    acronym: Mapped[str | None]
    country: Mapped[str | None]
