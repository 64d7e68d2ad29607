"""Running a campaign: supporters before it opens, news to signers, answers from parliaments, questions of visitors."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class Supporter(Base):
    """Somebody who stands behind a text before it is published, through its private link."""

    __tablename__ = "supporters"
    __table_args__ = (
        UniqueConstraint("campaign_id", "email_index"),
        CheckConstraint("state IN ('pending', 'confirmed', 'withdrawn')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    email_index: Mapped[bytes]
    email: Mapped[bytes | None]  # sealed with the campaign's key, like the name; emptied when withdrawn
    name: Mapped[bytes | None]
    locale: Mapped[str]
    state: Mapped[str]
    substance_hash: Mapped[str]  # of the source text that was shown: another text is not supported by it
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]


class Renewal(Base):
    """A signer's yes to a later edition, asked after a change of substance. The signature stays bound to its own."""

    __tablename__ = "renewals"

    signature_id: Mapped[UUID] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]


class Update(Base):
    """News to the signers who asked for it."""

    __tablename__ = "updates"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'queued', 'sent', 'stopped')", name="state"),
        Index(None, "campaign_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    texts: Mapped[dict[str, Any]]  # {locale: {"title", "body"}}
    state: Mapped[str]
    version: Mapped[int]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    tried_at: Mapped[datetime | None]  # when it was last sent to its author
    tried_version: Mapped[int | None]
    queued_at: Mapped[datetime | None]
    reached_id: Mapped[UUID | None]  # letters are owed to signatures up to this one, in the order of their ids
    recipients: Mapped[int]
    sent_at: Mapped[datetime | None]


class Response(Base):
    """What a parliament, a minister or a member answered, on record and on the campaign's page."""

    __tablename__ = "responses"
    __table_args__ = (
        CheckConstraint("kind IN ('resolution', 'government', 'statement', 'other')", name="kind"),
        Index(None, "campaign_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    kind: Mapped[str]
    body: Mapped[str]  # who answered
    answered_on: Mapped[date]
    language: Mapped[str]  # BCP 47, of title and text
    title: Mapped[str]
    text: Mapped[str]
    url: Mapped[str | None]
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]  # when it was decided to tell signers
    reached_id: Mapped[UUID | None]  # as in updates


class Question(Base):
    """What a visitor asked a team. Neither sees the other's address."""

    __tablename__ = "questions"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'answered', 'closed')", name="state"),
        Index("ix_questions_campaign_id", "campaign_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    email_index: Mapped[bytes | None]  # keyed hash of the canonical address: how many it asked today
    name: Mapped[bytes | None]  # name, email, text and answer are sealed with the campaign's key
    email: Mapped[bytes | None]
    text: Mapped[bytes | None]
    answer: Mapped[bytes | None]
    locale: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class Snapshot(Base):
    """Counts by place at one moment, small cells merged. Nothing finer is ever shown, to anyone."""

    __tablename__ = "snapshots"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    taken_at: Mapped[datetime]
    signatures: Mapped[int]  # its own total, which is not the live count
    cells: Mapped[list[Any]]  # [{"country", "subdivision", "signatures"}], null where merged
    # The same signatures by "language", "day" and "district": {name: [{"value", "signatures"}]}, null where merged.
    margins: Mapped[dict[str, Any]]
