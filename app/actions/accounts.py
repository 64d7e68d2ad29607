"""Accounts: made when a mailbox is proven, or by the operator; their sessions."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from app.core.db import dialect_of, insert_if_absent
from app.models import Account, AccountKey, AccountSession, open_account_key
from app.models.keys import ACCOUNTS
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

SESSION_LASTS: Final = timedelta(days=30)


def make_account_key(session: Session, *, keyring: Keyring, now: datetime) -> DataKey:
    """Return the key that seals addresses of accounts, making it where there is none yet."""
    key = open_account_key(session, keyring=keyring)
    if key is not None:
        return key
    wrapped = keyring.new_data_key(ACCOUNTS)
    session.execute(
        insert_if_absent(cast("Table", AccountKey.__table__), dialect_of(session)),
        {"version": 1, "root_version": wrapped.root_version, "sealed": wrapped.sealed, "created_at": now},
    )
    # Another process may have been faster: its key counts.
    return cast("DataKey", open_account_key(session, keyring=keyring))


def find_or_create_account(
    session: Session, *, email: str, locale: str, keyring: Keyring, now: datetime, role: str = "organiser"
) -> UUID:
    """Return the account of an address, making it where there is none. ``role`` is for a new one."""
    key = make_account_key(session, keyring=keyring, now=now)
    email_index = key.index("email", canonical_email(email))
    account_id = uuid4()
    session.execute(
        insert_if_absent(cast("Table", Account.__table__), dialect_of(session)),
        {
            "id": account_id,
            "email_index": email_index,
            "email": key.seal("accounts.email", account_id, email),
            "locale": locale,
            "role": role,
            "state": "active",
            "created_at": now,
        },
    )
    return session.scalars(select(Account.id).where(Account.email_index == email_index)).one()


def open_session(session: Session, *, account_id: UUID, secret: str, device: str, now: datetime) -> UUID:
    """Sign an account in, in the browser that keeps ``secret``, and return the session's id."""
    session_id = uuid4()
    session.execute(
        insert(AccountSession),
        {
            "id": session_id,
            "account_id": account_id,
            "hash": hash_secret(secret),
            "device": device,
            "created_at": now,
            "seen_at": now,
            "proven_at": now,
            "expires_at": now + SESSION_LASTS,
        },
    )
    return session_id


def hash_secret(secret: str) -> bytes:
    """Return what the database keeps of a session's cookie."""
    return hashlib.sha256(f"session:{secret}".encode()).digest()
