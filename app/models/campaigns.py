"""Campaigns: what is asked, of whom, by whom, until when, and in which frozen words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
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
            "state",
            "draft",
            "review",
            "embargoed",
            "scheduled",
            "open",
            "closed",
            "presented",
            "answered",
            "refused",
            "stopped",
        ),
        _one_of("source_locale", "km", "en", "fr"),
        _one_of("signatories", "individuals", "organisations", "both"),
        _one_of("form", "commons", "free"),
        CheckConstraint("people_per_mailbox BETWEEN 1 AND 2", name="people_per_mailbox"),
        CheckConstraint("closes_at IS NULL OR opens_at IS NULL OR opens_at < closes_at", name="dates"),
        CheckConstraint("state <> 'embargoed' OR embargo_until IS NOT NULL", name="embargo_until"),
        Index("uq_campaigns_support_hash", "support_hash", unique=True),
        Index("uq_campaigns_preview_hash", "preview_hash", unique=True),
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
    open_for_days: Mapped[int | None]  # while it is not published: how long it is to be open; closes_at follows from it
    asks: Mapped[list[str]]
    signatories: Mapped[str]
    organiser_name: Mapped[str]
    organiser_email: Mapped[bytes]  # sealed with the campaign's key, like every address
    eligibility: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    stopped_because: Mapped[str | None]
    stopped_at: Mapped[datetime | None]
    form: Mapped[str]  # whose form its text is checked against: the House of Commons', or nobody's
    promised_locales: Mapped[list[str]]  # the languages that must be complete before it is published
    supporters_needed: Mapped[int]
    support_link_id: Mapped[UUID | None]  # what the private link for supporters is made from; a new one ends the old
    support_hash: Mapped[bytes | None]  # of that link's token, by which it is found
    settings_version: Mapped[int]  # saving the settings names the version that was shown
    submitted_at: Mapped[datetime | None]
    refused_because: Mapped[str | None]
    refused_rule: Mapped[str | None]  # a word of app/rules/refusals.py: what is published of a refusal
    refused_at: Mapped[datetime | None]
    is_refusal_titled: Mapped[bool]  # whether its title may stand beside the published reason
    people_per_mailbox: Mapped[int]
    paused_at: Mapped[datetime | None]  # while signing pauses: closes_at has yet to move by the time since then
    closed_early_at: Mapped[datetime | None]  # by hand; None where the clock closed it
    planned_opens_at: Mapped[datetime | None]  # both dates as they were before it was closed early
    planned_closes_at: Mapped[datetime | None]
    presented_on: Mapped[date | None]
    presented_by: Mapped[str | None]
    answer_due_on: Mapped[date | None]
    answered_on: Mapped[date | None]
    official_signatures: Mapped[int | None]  # what the House's own site says of the petition with this number
    official_counted_on: Mapped[date | None]
    embargo_until: Mapped[datetime | None]  # before it, once approved, only the private preview shows the letter
    preview_link_id: Mapped[UUID | None]  # what that preview's link is made from; a new one ends the old
    preview_hash: Mapped[bytes | None]  # of that link's token, by which it is found
    paper_return: Mapped[str | None]  # where sheets with signatures in ink are to be brought or sent
    name_places: Mapped[int] = mapped_column(server_default="0")  # so many on the list of names were ever given


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
    superseded_at: Mapped[datetime | None]  # when the next one took its place
    is_substantive: Mapped[bool]  # its difference from the one before asks signers again
    note: Mapped[dict[str, str]]  # what was corrected and why, by locale; empty for the first
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="SET NULL"))
    # After a change of substance: letters are owed to signers of earlier editions up to this signature, by their ids.
    reached_id: Mapped[UUID | None]
    asked_at: Mapped[datetime | None]  # when the last of these letters was owed


class Addressee(Base):
    """Whom a campaign speaks to, in its order."""

    __tablename__ = "addressees"

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    names: Mapped[dict[str, str]]
    country: Mapped[str]
    salutations: Mapped[dict[str, str]]  # how a letter to it begins, by locale, where not as the text does
    locale: Mapped[str | None]  # the language of the letter to it; None: any


class Sponsor(Base):
    """A member who was asked to carry a petition; pages name one that accepted, and no other."""

    __tablename__ = "sponsors"
    __table_args__ = (
        _one_of("state", "proposed", "asked", "accepted", "declined", "expired", "withdrawn", "left"),
        Index(
            "uq_sponsors_living", "campaign_id", unique=True,
            postgresql_where=text("state IN ('proposed', 'asked', 'accepted')"),
            sqlite_where=text("state IN ('proposed', 'asked', 'accepted')"),
        ),
        Index(None, "campaign_id"),
    )  # fmt: skip

    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    state: Mapped[str]
    name: Mapped[str]
    titles: Mapped[dict[str, str]]
    district: Mapped[str | None]
    party: Mapped[str | None]
    email: Mapped[bytes | None]  # sealed, for this row; the office's
    locale: Mapped[str]  # of the letters to the office: en or fr
    asked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # when the asking lapses
    answered_at: Mapped[datetime | None]  # accepted, declined, or left
    reason: Mapped[str | None]  # why they left


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
    fell_below_at: Mapped[datetime | None]  # when signatures were taken out and the count went under it; the latest
    regained_at: Mapped[datetime | None]  # when it was reached again after that
