"""Signing in: a letter proves a mailbox, and with it an account; a second step follows where the account has one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import delete, exists, func, insert, select, update

from app.actions.accounts import appoint_account, find_or_create_account, hash_secret, make_account_key, open_session
from app.actions.records import record
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, AccountKey, AccountSession, Letter, Passkey, SignInRequest, Token
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

    #: What using a request up returns: id, index and sealed address, locale, where it wanted to go.
    _Used = Row[UUID, bytes, bytes, str, str | None]

REQUESTS_AT_ONCE: Final = 5
REQUESTS_WITHIN: Final = timedelta(minutes=15)
CODE_TRIES: Final = 5
#: A link that an operator hands over goes by other ways than mail.
HANDED_LINK_WORKS: Final = timedelta(hours=24)


class LinkUnknown(Exception):
    """No letter held this link."""


class LinkDead(Exception):
    """The link was used, is too old, or the account may not sign in."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: the secret that it is to keep, the one it kept, and what it calls itself."""

    secret: str
    device: str
    old_secret: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which an account was signed in before."""

    id: UUID
    account_id: UUID


@dataclass(frozen=True, slots=True)
class Admitted:
    """Whose mailbox is proven. No session is open yet where a second step is needed."""

    account_id: UUID
    next_path: str | None
    needs_second_step: bool


def ask_to_sign_in(
    session: Session,
    *,
    email: str,
    locale: str,
    next_path: str | None,
    keyring: Keyring,
    now: datetime,
    device: Device | None = None,
) -> UUID:
    """Keep a wish to sign in and owe its letter, whether or not there is such an account; return the request's id.

    With five requests of an address outstanding there is neither row nor letter, and an id that nothing has. A
    ``device`` of the account counts apart: whoever else asks in its name does not keep its owner out there.
    """
    key = make_account_key(session, keyring=keyring, now=now)
    asker_id = None if device is None or not _is_of(session, device, email, key) else device.id
    request_id = _keep_request(
        session, email=email, asker_id=asker_id, locale=locale, next_path=next_path, key=key, now=now
    )
    if request_id is None:
        return uuid4()
    owe_letter(
        session,
        kind="sign_in",
        dedupe_key=f"sign_in:{request_id.hex}",
        locale=locale,
        now=now,
        subject_id=request_id,
    )
    return request_id


def ask_for_proof(session: Session, *, account_id: UUID, locale: str, keyring: Keyring, now: datetime) -> UUID:
    """Send somebody who is signed in a code, to their own address; return the request's id, as above."""
    key = make_account_key(session, keyring=keyring, now=now)
    account = session.get_one(Account, account_id)
    email = key.open("accounts.email", account.id, account.email)
    request_id = _keep_request(
        session, email=email, asker_id=account_id, locale=locale, next_path=None, key=key, now=now
    )
    if request_id is None:
        return uuid4()
    owe_letter(
        session,
        kind="sign_in",
        dedupe_key=f"sign_in:{request_id.hex}",
        locale=locale,
        now=now,
        account_id=account_id,
        subject_id=request_id,
    )
    return request_id


def sign_in_by_link(session: Session, *, token: str, browser: Browser, keyring: Keyring, now: datetime) -> Admitted:
    """Use the link of a letter, once. Raises LinkUnknown, LinkDead."""
    found = session.execute(
        select(Letter.subject_id, Token.expires_at)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == tokens.hash_token("sign_in", token), Token.purpose == "sign_in")
    ).first()
    if found is None:
        raise LinkUnknown
    request = None if found.expires_at <= now else _end_request(session, found.subject_id, now)
    admitted = None if request is None else _admit(session, request, browser, keyring, now)
    if admitted is None:
        # What was done goes with the transaction: a disabled account's link stays as it was.
        raise LinkDead
    return admitted


def sign_in_by_code(
    session: Session, *, request_id: UUID, code: str, browser: Browser, keyring: Keyring, now: datetime
) -> Admitted | None:
    """Use the code of a letter; None where it is wrong, after five tries, and for a request that nothing has."""
    request = _use_code(session, request_id, code, keyring, now)
    return None if request is None else _admit(session, request, browser, keyring, now)


def check_proof_code(
    session: Session, *, account_id: UUID, request_id: UUID, code: str, keyring: Keyring, now: datetime
) -> bool:
    """Tell whether a code is that of the letter sent to this account, and use it."""
    request = _use_code(session, request_id, code, keyring, now)
    if request is None:
        return False
    return bool(session.scalar(select(Account.email_index).where(Account.id == account_id)) == request.email_index)


def admit_account(session: Session, *, account_id: UUID, browser: Browser, by: str, now: datetime) -> bool:
    """Open a session for whoever has proven all that this account asks for; False for a disabled one.

    The session that the browser had ends, whoever's it was.
    """
    if session.scalar(select(Account.state).where(Account.id == account_id)) != "active":
        return False
    if browser.old_secret is not None:
        session.execute(delete(AccountSession).where(AccountSession.hash == hash_secret(browser.old_secret)))
    open_session(session, account_id=account_id, secret=browser.secret, device=browser.device, now=now)
    record(session, what="signed_in", now=now, account_id=account_id, details={"by": by})
    return True


def prove_session(session: Session, *, account_id: UUID, session_id: UUID, by: str, now: datetime) -> None:
    """Note that whoever is signed in has just proven who they are."""
    session.execute(update(AccountSession).where(AccountSession.id == session_id).values(proven_at=now))
    record(session, what="proven", now=now, account_id=account_id, details={"by": by})


def make_sign_in_link(session: Session, *, email: str, role: str, locale: str, keyring: Keyring, now: datetime) -> str:
    """Give an account its role, making it where there is none, and return the token of a link that signs it in once."""
    appoint_account(session, email=email, role=role, locale=locale, keyring=keyring, now=now)
    key = make_account_key(session, keyring=keyring, now=now)
    request_id = _insert_request(session, email=email, asker_id=None, locale=locale, next_path=None, key=key, now=now)
    letter_id = uuid4()
    # A letter that leaves by the operator's hand: links are made from letters.
    letter = {
        "id": letter_id,
        "kind": "sign_in",
        "subject_id": request_id,
        "locale": locale,
        "dedupe_key": f"sign_in:{request_id.hex}",
        "state": "sent",
        "due_at": now,
        "attempts": 1,
        "created_at": now,
        "written_at": now,
        "sent_at": now,
    }
    session.execute(insert(Letter), letter)
    token = tokens.make_token(keyring.tokens, "sign_in", letter_id)
    session.execute(
        insert_if_absent(cast("Table", Token.__table__), dialect_of(session)),
        {
            "hash": tokens.hash_token("sign_in", token),
            "purpose": "sign_in",
            "letter_id": letter_id,
            "created_at": now,
            "expires_at": now + HANDED_LINK_WORKS,
        },
    )
    return token


def needs_second_step(session: Session, *, account_id: UUID) -> bool:
    """Tell whether an account has a passkey or an authenticator."""
    has_passkey = exists().where(Passkey.account_id == account_id)
    has_authenticator = exists().where(Account.id == account_id, Account.totp_confirmed_at.is_not(None))
    return bool(session.scalar(select(has_passkey | has_authenticator)))


def _is_of(session: Session, device: Device, email: str, key: DataKey) -> bool:
    own = session.scalar(select(Account.email_index).where(Account.id == device.account_id))
    return bool(own == key.index("email", canonical_email(email)))


def _keep_request(
    session: Session,
    *,
    email: str,
    asker_id: UUID | None,
    locale: str,
    next_path: str | None,
    key: DataKey,
    now: datetime,
) -> UUID | None:
    # Requests are counted one after the other, so that fifty at once do not all see none. SQLite has one writer anyway.
    session.execute(select(AccountKey.version).with_for_update())
    outstanding = session.scalar(
        select(func.count())
        .select_from(SignInRequest)
        .where(
            SignInRequest.email_index == key.index("email", canonical_email(email)),
            SignInRequest.asker_id.is_not_distinct_from(asker_id),
            SignInRequest.created_at > now - REQUESTS_WITHIN,
            SignInRequest.used_at.is_(None),
        )
    )
    if cast("int", outstanding) >= REQUESTS_AT_ONCE:
        return None
    return _insert_request(
        session, email=email, asker_id=asker_id, locale=locale, next_path=next_path, key=key, now=now
    )


def _insert_request(
    session: Session,
    *,
    email: str,
    asker_id: UUID | None,
    locale: str,
    next_path: str | None,
    key: DataKey,
    now: datetime,
) -> UUID:
    request_id = uuid4()
    session.execute(
        insert(SignInRequest),
        {
            "id": request_id,
            "email_index": key.index("email", canonical_email(email)),
            "email": key.seal("sign_in_requests.email", request_id, email),
            "asker_id": asker_id,
            "locale": locale,
            "next_path": next_path,
            "created_at": now,
            "code_tries": 0,
        },
    )
    return request_id


def _use_code(session: Session, request_id: UUID, code: str, keyring: Keyring, now: datetime) -> _Used | None:
    may_try = session.scalar(
        update(SignInRequest)
        .where(
            SignInRequest.id == request_id,
            SignInRequest.used_at.is_(None),
            SignInRequest.code_tries < CODE_TRIES,
        )
        .values(code_tries=SignInRequest.code_tries + 1)
        .returning(SignInRequest.id)
    )
    if may_try is None:
        return None
    is_right = session.scalar(
        select(Token.letter_id).where(
            Token.hash == tokens.hash_code(keyring.codes, request_id, code),
            Token.purpose == "sign_in_code",
            Token.expires_at > now,
        )
    )
    return None if is_right is None else _end_request(session, request_id, now)


def _end_request(session: Session, request_id: UUID, now: datetime) -> _Used | None:
    """Use a request up; None where it was, or is forgotten."""
    return session.execute(
        update(SignInRequest)
        .where(SignInRequest.id == request_id, SignInRequest.used_at.is_(None))
        .values(used_at=now)
        .returning(
            SignInRequest.id,
            SignInRequest.email_index,
            SignInRequest.email,
            SignInRequest.locale,
            SignInRequest.next_path,
        )
    ).first()


def _admit(session: Session, request: _Used, browser: Browser, keyring: Keyring, now: datetime) -> Admitted | None:
    """Sign in whoever opened the letter, making the account now that its mailbox is proven; None for a disabled one."""
    key = make_account_key(session, keyring=keyring, now=now)
    email = key.open("sign_in_requests.email", request.id, request.email)
    account_id = find_or_create_account(session, email=email, locale=request.locale, keyring=keyring, now=now)
    if needs_second_step(session, account_id=account_id):
        is_active = session.scalar(select(Account.state).where(Account.id == account_id)) == "active"
        return Admitted(account_id, request.next_path, needs_second_step=True) if is_active else None
    if not admit_account(session, account_id=account_id, browser=browser, by="letter", now=now):
        return None
    return Admitted(account_id, request.next_path, needs_second_step=False)
