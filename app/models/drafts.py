"""Drafts: a campaign's text while it is written, part by part and language by language, with its history."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class TextItem(Base):
    """A numbered thing of a text (a recital, a request, a question with its answer, a step), in all languages."""

    __tablename__ = "text_items"
    __table_args__ = (
        CheckConstraint("kind IN ('recital', 'request', 'faq', 'how_to_sign')", name="kind"),
        Index(None, "campaign_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    kind: Mapped[str]
    position: Mapped[int]
    removed_at: Mapped[datetime | None]  # can be brought back


class TextPart(Base):
    """One box of the editor: a part of the text in one language. A box that was never written in has no row."""

    __tablename__ = "text_parts"
    __table_args__ = (
        CheckConstraint("locale IN ('km', 'en', 'fr')", name="locale"),
        CheckConstraint(
            "name IN ('title', 'declaration', 'body', 'salutation', 'closing', 'call_to_sign', 'recital', 'request', "
            "'how_to_sign', 'question', 'answer')",
            name="name",
        ),
        Index(
            "uq_text_parts_single", "campaign_id", "name", "locale",
            unique=True, postgresql_where=text("item_id IS NULL"), sqlite_where=text("item_id IS NULL"),
        ),
        Index(
            "uq_text_parts_item", "item_id", "name", "locale",
            unique=True, postgresql_where=text("item_id IS NOT NULL"), sqlite_where=text("item_id IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    item_id: Mapped[UUID | None] = mapped_column(ForeignKey("text_items.id", ondelete="CASCADE"))
    name: Mapped[str]
    locale: Mapped[str]
    text: Mapped[str]
    is_ready: Mapped[bool]
    version: Mapped[int]  # 1 and up; saving names the version that was shown
    source_version: Mapped[int | None]  # the source language's version that this one was last made ready against
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class PartRevision(Base):
    """What a part said in one version; or what somebody wrote while another was faster, set aside and kept."""

    __tablename__ = "part_revisions"
    __table_args__ = (
        Index(
            "uq_part_revisions_version", "part_id", "version",
            unique=True, postgresql_where=text("NOT is_set_aside"), sqlite_where=text("NOT is_set_aside"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    part_id: Mapped[UUID] = mapped_column(ForeignKey("text_parts.id", ondelete="CASCADE"))
    version: Mapped[int]  # for one set aside: the version that stood in its way
    text: Mapped[str]
    is_ready: Mapped[bool]
    is_set_aside: Mapped[bool]
    at: Mapped[datetime]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
