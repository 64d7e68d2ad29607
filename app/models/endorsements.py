"""Endorsements: organisations that sign through somebody who speaks for them, and what proves that they do."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

ENDORSEMENT_STATES: Final = ("asked", "waiting", "accepted", "declined", "withdrawn", "expired", "removed")
_IS_WAITING: Final = text("state = 'waiting'")
_HAS_POSITION: Final = text("position IS NOT NULL")


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Endorsement(Base):
    """An organisation's signature under one edition.

    It is `asked` when the form comes, `waiting` once somebody has confirmed from the mailbox that it names, and then
    the team accepts or declines. Who spoke for it is sealed, and emptied when the row ends.
    """

    __tablename__ = "endorsements"
    __table_args__ = (
        _one_of("state", *ENDORSEMENT_STATES),
        _one_of("proof", "domain", "letter", "file"),
        CheckConstraint("state <> 'accepted' OR position IS NOT NULL", name="position"),
        Index(
            "uq_endorsements_position", "campaign_id", "position",
            unique=True, postgresql_where=_HAS_POSITION, sqlite_where=_HAS_POSITION,
        ),
        Index(
            "uq_endorsements_waiting", "campaign_id", "email_index", "name_key",
            unique=True, postgresql_where=_IS_WAITING, sqlite_where=_IS_WAITING,
        ),
        Index(None, "campaign_id", "state"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey("editions.id"))  # None before the first is frozen
    state: Mapped[str]
    position: Mapped[int | None]  # its place in the order of signing; given when it is accepted, never to another
    name: Mapped[str]  # as the organisation writes it
    names: Mapped[dict[str, str]]  # in other languages, by locale
    name_key: Mapped[str]  # the name as names are compared
    acronym: Mapped[str | None]
    country: Mapped[str | None]
    kind: Mapped[str | None]  # a word of app/rules/organisations.py; None where a file did not say
    website: Mapped[str | None]
    domain: Mapped[str | None]  # the website's, as far as it can be registered
    proof: Mapped[str | None]  # what shows that it is they: None so far, their domain, a letter, the file it came in
    resembles: Mapped[str | None]  # another organisation's domain that this one can be taken for
    locale: Mapped[str]  # of its letters
    representative: Mapped[bytes | None]  # these three are sealed with the campaign's key, for this row
    role: Mapped[bytes | None]
    email: Mapped[bytes | None]
    email_index: Mapped[bytes | None]  # keyed hash of the canonical address
    successor: Mapped[bytes | None]  # sealed JSON of who is to speak for it next, until they confirm
    asked_at: Mapped[datetime]
    proven_at: Mapped[datetime | None]  # when the mailbox was confirmed
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    because: Mapped[str | None]  # why it was declined or removed, in the words that its representative reads
    ended_at: Mapped[datetime | None]
    disputed_at: Mapped[datetime | None]  # since a moderator has marked it so
    source: Mapped[str | None]  # the mark of the link that led here, where it carried one


class EndorsementRenewal(Base):
    """An organisation's yes to a later edition, asked after a change of substance. It stays bound to its own."""

    __tablename__ = "endorsement_renewals"

    endorsement_id: Mapped[UUID] = mapped_column(ForeignKey("endorsements.id", ondelete="CASCADE"), primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("editions.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime]


class Logo(Base):
    """An organisation's sign, drawn anew by us from what was sent: never a byte of the file itself."""

    __tablename__ = "logos"

    endorsement_id: Mapped[UUID] = mapped_column(ForeignKey("endorsements.id", ondelete="CASCADE"), primary_key=True)
    content: Mapped[bytes]  # PNG
    sha256: Mapped[str]  # hexadecimal
    width: Mapped[int]  # pixels
    height: Mapped[int]
    consented_at: Mapped[datetime]


class AuthorityLetter(Base):
    """A letter that says who may sign for an organisation, for a moderator to read. Emptied once it is decided."""

    __tablename__ = "authority_letters"
    __table_args__ = (
        _one_of("state", "waiting", "accepted", "refused"),
        Index(
            "uq_authority_letters_waiting", "endorsement_id", unique=True,
            postgresql_where=text("state = 'waiting'"), sqlite_where=text("state = 'waiting'"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    endorsement_id: Mapped[UUID] = mapped_column(ForeignKey("endorsements.id", ondelete="CASCADE"))
    content: Mapped[bytes | None]  # sealed with the campaign's key, for this row; pages as one PNG under another
    media_type: Mapped[str]
    state: Mapped[str]
    sent_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    because: Mapped[str | None]
