"""Accounts: who may work here, how they prove it, where they are signed in. Addresses and names are sealed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base


class AccountKey(Base):
    """The data key of all accounts, wrapped by a root key."""

    __tablename__ = "account_keys"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root_version: Mapped[int]
    sealed: Mapped[bytes]
    created_at: Mapped[datetime]


class Account(Base):
    """A person of a team, a moderator or an operator. Made when its mailbox is proven, or by the operator."""

    __tablename__ = "accounts"
    __table_args__ = (
        UniqueConstraint("email_index"),
        CheckConstraint("role IN ('organiser', 'moderator', 'operator')", name="role"),
        CheckConstraint("state IN ('active', 'disabled')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_index: Mapped[bytes]  # keyed hash of the canonical address; uniqueness
    email: Mapped[bytes]  # sealed, like name and totp_secret
    name: Mapped[bytes | None]  # what the team calls this person; None until they say
    locale: Mapped[str]  # of letters
    role: Mapped[str]
    state: Mapped[str]
    created_at: Mapped[datetime]
    totp_secret: Mapped[bytes | None]
    totp_confirmed_at: Mapped[datetime | None]  # None while it is being set up: it asks nothing yet
    totp_step: Mapped[int | None]  # the last time step that was used: a code works once
    code_tries: Mapped[int]  # of an authenticator's codes and recovery codes, since the moment below
    code_tries_since: Mapped[datetime | None]


class AccountSession(Base):
    """A browser in which somebody is signed in. Ending it deletes the row."""

    __tablename__ = "account_sessions"
    __table_args__ = (UniqueConstraint("hash"), Index(None, "account_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    hash: Mapped[bytes]  # SHA-256 of the cookie's 256 random bits
    device: Mapped[str]  # browser and system in two words, such as "Chrome, Android"
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    proven_at: Mapped[datetime]  # when its owner last proved who they are: grave steps want it recent
    expires_at: Mapped[datetime]


class SignInRequest(Base):
    """A wish to sign in, known by an address; the same for addresses with and without an account."""

    __tablename__ = "sign_in_requests"
    __table_args__ = (Index(None, "email_index"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email_index: Mapped[bytes]
    email: Mapped[bytes]  # sealed with the accounts' key
    # Who asked, where that is known: the account while it is signed in, or a browser where it was. None: anybody.
    asker_id: Mapped[UUID | None]
    locale: Mapped[str]
    next_path: Mapped[str | None]  # the page of the workspace that was wanted
    created_at: Mapped[datetime]
    code_tries: Mapped[int]
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential."""

    __tablename__ = "passkeys"
    __table_args__ = (UniqueConstraint("credential_id"), Index(None, "account_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    credential_id: Mapped[bytes]
    public_key: Mapped[bytes]
    sign_count: Mapped[int]
    transports: Mapped[list[str]]
    label: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Challenge(Base):
    """A WebAuthn challenge that was given out; using it deletes it."""

    __tablename__ = "challenges"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))  # None: signing in
    expires_at: Mapped[datetime]


class RecoveryCode(Base):
    """A code on paper that stands in for a passkey or an authenticator, once."""

    __tablename__ = "recovery_codes"

    hash: Mapped[bytes] = mapped_column(primary_key=True)  # keyed, outside the database
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
