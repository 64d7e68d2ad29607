"""Accounts: made when a mailbox is proven, or by the operator; their sessions, and what their owners say of them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, delete, insert, select, update

from app.actions.records import record
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


class AccountNotFound(Exception):
    """There is no account with this address."""


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
            "code_tries": 0,
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


def touch_session(session: Session, *, session_id: UUID, now: datetime) -> None:
    """Note that a session was used."""
    session.execute(update(AccountSession).where(AccountSession.id == session_id).values(seen_at=now))


def end_session(session: Session, *, account_id: UUID, session_id: UUID, now: datetime) -> bool:
    """Sign one of an account's browsers out; False where it was already."""
    ended = session.execute(
        delete(AccountSession).where(AccountSession.id == session_id, AccountSession.account_id == account_id)
    )
    if cast("CursorResult[Any]", ended).rowcount == 0:
        return False
    record(session, what="session_ended", now=now, account_id=account_id)
    return True


def end_other_sessions(session: Session, *, account_id: UUID, session_id: UUID, now: datetime) -> int:
    """Sign an account out everywhere but in the browser of ``session_id``; return in how many."""
    ended = session.execute(
        delete(AccountSession).where(AccountSession.account_id == account_id, AccountSession.id != session_id)
    )
    count = cast("CursorResult[Any]", ended).rowcount
    record(session, what="sessions_ended", now=now, account_id=account_id, details={"sessions": count})
    return count


def describe_account(
    session: Session, *, account_id: UUID, name: str | None, locale: str, keyring: Keyring, now: datetime
) -> None:
    """Keep the name that an account's teams see, and the language of its letters."""
    key = make_account_key(session, keyring=keyring, now=now)
    session.execute(
        update(Account)
        .where(Account.id == account_id)
        .values(name=None if name is None else key.seal("accounts.name", account_id, name), locale=locale)
    )


def appoint_account(session: Session, *, email: str, role: str, locale: str, keyring: Keyring, now: datetime) -> UUID:
    """Make an account, or change the role of the one that there is, and open it again where it was disabled."""
    account_id = find_or_create_account(session, email=email, locale=locale, keyring=keyring, now=now, role=role)
    session.execute(update(Account).where(Account.id == account_id).values(role=role, state="active"))
    record(session, what="account_appointed", now=now, account_id=account_id, details={"role": role})
    return account_id


def disable_account(session: Session, *, email: str, keyring: Keyring, now: datetime) -> None:
    """Keep an account out, and end its sessions. Raises AccountNotFound."""
    key = make_account_key(session, keyring=keyring, now=now)
    account_id = session.scalar(
        update(Account)
        .where(Account.email_index == key.index("email", canonical_email(email)))
        .values(state="disabled")
        .returning(Account.id)
    )
    if account_id is None:
        raise AccountNotFound
    session.execute(delete(AccountSession).where(AccountSession.account_id == account_id))
    record(session, what="account_disabled", now=now, account_id=account_id)


def hash_secret(secret: str) -> bytes:
    """Return what the database keeps of a session's cookie."""
    return hashlib.sha256(f"session:{secret}".encode()).digest()
