"""Signatures: who signed what, sealed; each form that was sent is one row."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, and_, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

LIVING_STATES: Final = ("pending", "confirmed")
_IS_LIVING: Final = text("state IN ('pending', 'confirmed')")
_WANTS_UPDATES: Final = text("state = 'confirmed' AND wants_updates")
#: Withdrawn while it was not counted; signing again looks for it.
_WAS_HELD: Final = text("state = 'withdrawn' AND standing <> 'counted'")
_HAS_POSITION: Final = text("name_position IS NOT NULL")
#: Names that may be shown and are not yet: unchecked, held, or waiting for the next group. Queries say it in these very
#: words, so that SQLite finds its index.
NAME_WAITS: Final = text("state = 'confirmed' AND standing = 'counted' AND is_name_shown AND name_position IS NULL")
#: What the transparency log does not say yet: in the count and not in the log, or the other way round. Queries say it
#: in these very words, too.
LOG_WAITS: Final = text("(state = 'confirmed' AND standing = 'counted') <> is_logged")
#: What waits for a moderator; what nobody confirmed will not count anyway. Queries say it in these very words, too.
WAITS: Final = text("standing = 'quarantined' AND state = 'confirmed'")


class Signature(Base):
    """One form that a person sent.

    A second form from the same address, sent before the first was confirmed and saying something else, is a *version*:
    a row of its own, so that each letter confirms exactly what it was sent for. At most one row of an address is ever
    confirmed (``uq_signatures_confirmed``), and identical forms fall together (``uq_signatures_version``).
    """

    __tablename__ = "signatures"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'confirmed', 'withdrawn', 'expired', 'disowned', 'superseded')", name="state"
        ),
        CheckConstraint("standing IN ('counted', 'quarantined', 'removed')", name="standing"),
        CheckConstraint("state <> 'confirmed' OR confirmed_at IS NOT NULL", name="confirmed_at"),
        CheckConstraint("version BETWEEN 1 AND 5", name="version"),
        CheckConstraint("letters BETWEEN 0 AND 5", name="letters"),
        Index(
            "uq_signatures_version", "campaign_id", "email_index", "slot", "version",
            unique=True, postgresql_where=_IS_LIVING, sqlite_where=_IS_LIVING,
        ),
        Index(
            "uq_signatures_confirmed", "campaign_id", "email_index", "slot",
            unique=True, postgresql_where=text("state = 'confirmed'"), sqlite_where=text("state = 'confirmed'"),
        ),
        Index(
            "ix_signatures_pending", "created_at",
            postgresql_where=text("state = 'pending'"), sqlite_where=text("state = 'pending'"),
        ),
        Index(
            "ix_signatures_confirmed_at", "campaign_id", "confirmed_at",
            postgresql_where=text("state = 'confirmed'"), sqlite_where=text("state = 'confirmed'"),
        ),
        Index(
            "ix_signatures_person", "campaign_id", "person_index",
            postgresql_where=text("state = 'confirmed'"), sqlite_where=text("state = 'confirmed'"),
        ),
        Index(
            "ix_signatures_quarantined", "campaign_id", "created_at",
            postgresql_where=WAITS, sqlite_where=WAITS,
        ),
        Index(
            "ix_signatures_held_before", "campaign_id", "email_index",
            postgresql_where=_WAS_HELD, sqlite_where=_WAS_HELD,
        ),
        Index(
            "ix_signatures_updates", "campaign_id", "id",
            postgresql_where=_WANTS_UPDATES, sqlite_where=_WANTS_UPDATES,
        ),
        Index(
            "uq_signatures_name_position", "campaign_id", "name_position", unique=True,
            postgresql_where=_HAS_POSITION, sqlite_where=_HAS_POSITION,
        ),
        Index(
            "ix_signatures_names_waiting", "name_check", "campaign_id", "confirmed_at",
            postgresql_where=NAME_WAITS, sqlite_where=NAME_WAITS,
        ),
        Index(
            "ix_signatures_log_waits", "campaign_id", "id",
            postgresql_where=LOG_WAITS, sqlite_where=LOG_WAITS,
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("editions.id"))
    locale: Mapped[str]
    state: Mapped[str]
    standing: Mapped[str]
    version: Mapped[int]
    slot: Mapped[int]

    email_index: Mapped[bytes]  # keyed hash of the canonical address; uniqueness
    details_index: Mapped[bytes]  # keyed hash of everything the form said; tells a repeated form from another version
    person_index: Mapped[bytes]  # keyed hash of the compared name and postal code; near-duplicates
    domain_index: Mapped[bytes]  # keyed hash of the mail domain
    name_index: Mapped[bytes | None]  # keyed hash of the compared name alone; two people at one mailbox differ in it
    address_index: Mapped[bytes | None]  # keyed hash of where the form came from: an IPv4 address, an IPv6 /64
    network_index: Mapped[bytes | None]  # the same, coarser: an IPv4 /24, an IPv6 /48
    name: Mapped[bytes | None]  # these four are sealed; all are emptied when a row ends
    email: Mapped[bytes | None]
    phone: Mapped[bytes | None]
    postal_code: Mapped[bytes | None]

    country: Mapped[str]
    subdivision: Mapped[str | None]
    district: Mapped[str | None]  # a federal district's code, where its signer chose to say; emptied when a row ends
    claims: Mapped[list[str]]
    is_name_shown: Mapped[bool]
    wants_updates: Mapped[bool]
    score: Mapped[int]  # the sum of the weights of its signals
    signals: Mapped[list[str]]  # words of app/rules/integrity.py
    judged_at: Mapped[datetime | None]  # when its standing last changed
    name_check: Mapped[str | None]  # None until somebody or something looked at the name: cleared, held, refused
    name_position: Mapped[int | None]  # where the list of names has it; given in groups, once, and never to another
    is_logged: Mapped[bool]  # its last leaf in the transparency log is one of `signed`; only the log's own job moves it
    source: Mapped[str | None]  # the mark of the link that led here, where it carried one

    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    letters: Mapped[int]
    last_letter_at: Mapped[datetime]
    code_day: Mapped[date | None]
    code_tries: Mapped[int]


def is_counted() -> ColumnElement[bool]:
    """Return the condition for signatures that are in the count."""
    return and_(Signature.state == "confirmed", Signature.standing == "counted")
