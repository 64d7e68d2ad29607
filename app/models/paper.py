"""Signatures in ink: sheets that come in by the batch. They are counted apart, and never with those given online."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class PaperBatch(Base):
    """Sheets that came in together. It counts once it is closed: by its lines where they were entered, else by hand."""

    __tablename__ = "paper_batches"
    __table_args__ = (
        UniqueConstraint("campaign_id", "number"),
        CheckConstraint("kind IN ('commons', 'free')", name="kind"),
        CheckConstraint("way IN ('counted', 'entered')", name="way"),
        CheckConstraint("state IN ('open', 'closed', 'removed')", name="state"),
        CheckConstraint("sheets > 0 AND stated >= 0", name="numbers"),
        CheckConstraint("state <> 'closed' OR signatures IS NOT NULL", name="signatures"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("editions.id"))  # the text that is on the sheets
    number: Mapped[int]
    kind: Mapped[str]  # whose form the sheets have
    way: Mapped[str]
    collected_on: Mapped[date | None]
    place: Mapped[str]  # where they were signed: a hall, a temple
    sheets: Mapped[int]
    stated: Mapped[int]  # signatures on the sheets, as whoever brought them counted
    state: Mapped[str]
    sample: Mapped[int]  # every so many lines one is entered a second time; 0: none
    signatures: Mapped[int | None]  # what it counts for, once it is closed
    duplicates: Mapped[int | None]  # of its lines, those of people on another line, which do not count
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class PaperLine(Base):
    """One line of a sheet, typed in: sealed until the batch is closed, and emptied then; the hashes stay.

    ``entry`` is 1, and 2 where somebody else typed the same line again for the sample.
    """

    __tablename__ = "paper_lines"
    __table_args__ = (
        CheckConstraint("entry IN (1, 2)", name="entry"),
        CheckConstraint("verdict IN ('counted', 'repeated', 'invalid')", name="verdict"),
        Index(None, "campaign_id", "person_index"),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("paper_batches.id", ondelete="CASCADE"), primary_key=True)
    sheet: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    row_id: Mapped[UUID]  # what its fields are sealed for
    name: Mapped[bytes | None]
    postal_code: Mapped[bytes | None]
    person_index: Mapped[bytes]  # as in signatures: duplicates are equalities
    verdict: Mapped[str]
    typed_at: Mapped[datetime]
    typed_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class PaperPhoto(Base):
    """A picture of a sheet, drawn anew without what a camera writes into it, sealed, and destroyed with the closing."""

    __tablename__ = "paper_photos"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("paper_batches.id", ondelete="CASCADE"), primary_key=True)
    sheet: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row_id: Mapped[UUID]
    content: Mapped[bytes]  # sealed JPEG
    kept_at: Mapped[datetime]
