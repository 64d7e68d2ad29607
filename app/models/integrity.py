"""Integrity: what is held of signatures and why, sets of them, alarms, switches, complaints and appeals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base

SET_STATES: Final = ("proposed", "declined", "queued", "running", "stopped", "done", "reversing", "reversed")
SWITCHES: Final = ("pause_signing", "pause_creation", "proof", "slow_country", "slow_network")


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class SignatureSet(Base):
    """Signatures of a campaign that fulfil conditions, and what is done with all of them, in the background.

    Walked in the order of their ids; ``reached_id`` is how far. Later signatures are never of it (``created_at``).
    """

    __tablename__ = "signature_sets"
    __table_args__ = (
        _one_of("action", ("quarantine", "remove", "restore")),
        _one_of("state", SET_STATES),
        Index(None, "campaign_id", "created_at"),
        Index(
            "ix_signature_sets_work", "state",
            postgresql_where=text("state IN ('queued', 'running', 'reversing')"),
            sqlite_where=text("state IN ('queued', 'running', 'reversing')"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    conditions: Mapped[dict[str, Any]]  # as app/rules/sets.py reads them
    action: Mapped[str]
    rule: Mapped[str]  # why, in a word of app/rules/integrity.py that is published
    because: Mapped[str]  # why, in a moderator's words, which are not
    state: Mapped[str]
    expected: Mapped[int]  # how many there were when it was proposed
    walked: Mapped[int]  # how many have been looked at
    changed: Mapped[int]
    reached_id: Mapped[UUID | None]
    alarm_id: Mapped[UUID | None] = mapped_column(ForeignKey("alarms.id", ondelete="SET NULL"))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))  # None: a limit
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    reversal_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))  # who asked for it
    created_at: Mapped[datetime]
    approved_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class Decision(Base):
    """One change of what is held of a signature. Rows are added and never changed."""

    __tablename__ = "decisions"
    __table_args__ = (Index(None, "signature_id"), Index(None, "set_id", "id"))

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer(), "sqlite"), primary_key=True)
    signature_id: Mapped[UUID] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"))
    set_id: Mapped[UUID | None] = mapped_column(ForeignKey("signature_sets.id", ondelete="SET NULL"))
    before: Mapped[str]
    after: Mapped[str]
    rule: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    at: Mapped[datetime]


class IntegrityDay(Base):
    """How many signatures a rule held back, took out or gave back on a day (UTC). Outlives what it counts."""

    __tablename__ = "integrity_days"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    rule: Mapped[str] = mapped_column(primary_key=True)
    held: Mapped[int]  # confirmed, and never counted until somebody looked
    removed: Mapped[int]  # counted before
    restored: Mapped[int]  # counted again, or at last


class Alarm(Base):
    """Something that moderators should look at, with the conditions of the very set."""

    __tablename__ = "alarms"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        _one_of("state", ("open", "settled")),
        Index(None, "campaign_id", "raised_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    kind: Mapped[str]
    dedupe_key: Mapped[str]
    figures: Mapped[dict[str, Any]]
    conditions: Mapped[dict[str, Any]]
    state: Mapped[str]
    raised_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    outcome: Mapped[str | None]


class Flag(Base):
    """Two signatures that may be one person's: for a person to look at, and never dropped by itself."""

    __tablename__ = "flags"
    __table_args__ = (_one_of("state", ("open", "kept", "removed")), Index(None, "campaign_id", "state"))

    signature_id: Mapped[UUID] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("signatures.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    state: Mapped[str]
    found_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class Switch(Base):
    """Something that a moderator turned on, everywhere or for one campaign, and off again. Rows stay."""

    __tablename__ = "switches"
    __table_args__ = (
        _one_of("kind", SWITCHES),
        Index(
            "uq_switches_on", "kind", "scope", "subject", unique=True,
            postgresql_where=text("off_at IS NULL"), sqlite_where=text("off_at IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    scope: Mapped[str]  # a campaign's id in hexadecimal, or nothing for everywhere
    subject: Mapped[str]  # a country, or a network such as 203.0.113.0/24; nothing for the other kinds
    because: Mapped[str]
    on_at: Mapped[datetime]
    on_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    off_at: Mapped[datetime | None]
    off_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))


class LimitBucket(Base):
    """How often something hidden came in a minute. Refers to nothing, and is unreadable once its day's salt is gone."""

    __tablename__ = "limit_buckets"
    __table_args__ = (Index(None, "ends_at"),)

    hash: Mapped[bytes] = mapped_column(primary_key=True)  # of the subject, with the salt of the minute's day (UTC)
    minute: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # since 1970
    hits: Mapped[int]
    ends_at: Mapped[datetime]


class UsedChallenge(Base):
    """A proof of work that was accepted once, until it would have expired anyway."""

    __tablename__ = "used_challenges"
    __table_args__ = (Index(None, "expires_at"),)

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


class Complaint(Base):
    """What a visitor reported of a campaign. Text and address are sealed with the campaign's key."""

    __tablename__ = "complaints"
    __table_args__ = (_one_of("state", ("open", "settled")), Index(None, "campaign_id", "created_at"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    # Where it disputes that an organisation signed: that one.
    endorsement_id: Mapped[UUID | None] = mapped_column(ForeignKey("endorsements.id", ondelete="SET NULL"))
    reason: Mapped[str]
    text: Mapped[bytes | None]
    email: Mapped[bytes | None]
    locale: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    settled_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    outcome: Mapped[str | None]


class Appeal(Base):
    """A team's objection to a refusal or a stop, decided by somebody else than who decided first.

    It lapses where the campaign moves on by other means: its team takes it up again, or an operator lets it go on.
    """

    __tablename__ = "appeals"
    __table_args__ = (
        _one_of("against", ("refused", "stopped")),
        _one_of("state", ("open", "upheld", "granted", "lapsed")),
        Index(
            "uq_appeals_open", "campaign_id", unique=True,
            postgresql_where=text("state = 'open'"), sqlite_where=text("state = 'open'"),
        ),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    against: Mapped[str]
    text: Mapped[str]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    state: Mapped[str]
    created_at: Mapped[datetime]
    answer: Mapped[str | None]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
