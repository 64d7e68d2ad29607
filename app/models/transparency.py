"""The transparency log of a campaign, two trees of RFC 6962, and what was published of it: checkpoints and reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

#: What came into the count, and what went out of it. Signed leaves less removed ones are the signatures counted.
TREES: Final = ("signed", "removed")


def _is_tree() -> CheckConstraint:
    return CheckConstraint("tree IN ('signed', 'removed')", name="tree")


class LogTree(Base):
    """How far a tree has grown. Whoever appends holds its row."""

    __tablename__ = "log_trees"
    __table_args__ = (_is_tree(),)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    tree: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    appended_at: Mapped[datetime]


class LogTile(Base):
    """Up to 256 consecutive hashes of a tree, as c2sp.org/tlog-tiles numbers them; level −1 holds the entries."""

    __tablename__ = "log_tiles"
    __table_args__ = (_is_tree(),)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    tree: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes]  # 32 bytes each


class LogLeaf(Base):
    """Whose a leaf is, and the salt that opens it. Both go when the signer asks to be forgotten; the leaf stays."""

    __tablename__ = "log_leaves"
    __table_args__ = (_is_tree(), Index(None, "signature_id"))

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    tree: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    signature_id: Mapped[UUID | None] = mapped_column(ForeignKey("signatures.id", ondelete="SET NULL"))
    salt: Mapped[bytes | None]  # sealed with the campaign's key, for the signature's row


class Checkpoint(Base):
    """Both trees at one moment, in signed notes. What is published once never changes."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number"),
        CheckConstraint("signatures = signed_size - removed_size", name="signatures"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    made_at: Mapped[datetime]
    signatures: Mapped[int]  # counted up to it
    signed_size: Mapped[int]
    removed_size: Mapped[int]
    signed_note: Mapped[str]  # c2sp.org/tlog-checkpoint
    removed_note: Mapped[str]
    told_at: Mapped[datetime | None]  # when letters with it were owed


class Report(Base):
    """A verified count report: numbered, dated, kept. A later one supersedes it and changes nothing of it."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    number: Mapped[int]
    checkpoint_id: Mapped[UUID] = mapped_column(ForeignKey("checkpoints.id"))
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))  # None: the terminal
    signatures: Mapped[int]  # of its checkpoint
    figures: Mapped[dict[str, Any]]  # what counts.json says


class ReportFile(Base):
    """A file of a report, byte for byte as it was issued."""

    __tablename__ = "report_files"

    report_id: Mapped[UUID] = mapped_column(ForeignKey("reports.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)  # a path inside the report, such as texts/edition-1.json
    content: Mapped[bytes]
    sha256: Mapped[str]  # hexadecimal
