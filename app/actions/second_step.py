"""The second step: passkeys, an authenticator's codes, recovery codes; what each proves, and how it is set up."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from uuid import uuid4

from sqlalchemy import CursorResult, case, delete, func, insert, literal, or_, select, update

from app.actions.accounts import make_account_key
from app.actions.records import record
from app.actions.signing_in import needs_second_step
from app.core.db import dialect_of, insert_if_absent
from app.core.keys import keyed_hash
from app.mail.accounts import NOTICES
from app.mail.outbox import owe_letter
from app.models import Account, Challenge, Passkey, RecoveryCode
from app.rules.khmer import to_latin_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    from app.core.keys import Keyring

# webauthn and pyotp are imported where they are used: they take as long as a third of the server's start.

T = TypeVar("T")

SERVICE: Final = "Hatthalekha"
CHALLENGE_LASTS: Final = timedelta(minutes=5)
STEP_SECONDS: Final = 30
CODE_TRIES: Final = 5
TRIES_WITHIN: Final = timedelta(minutes=15)
#: Letters and digits that are told apart on paper (Crockford's base 32), and what is read for those that are not.
RECOVERY_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_MISREAD: Final = str.maketrans({"o": "0", "i": "1", "l": "1", "u": "v", " ": None, "-": None})


@dataclass(frozen=True, slots=True)
class Party:
    """Who browsers make passkeys for: a host's name, and where its pages are."""

    host: str
    origin: str


class AuthenticatorThere(Exception):
    """An authenticator is set up already: another takes its place only after it was removed."""


# Passkeys ----------------------------------------------------------------------------------------------------------


def offer_registration(
    session: Session, *, account_id: UUID, email: str, party: Party, challenge: bytes, now: datetime
) -> str:
    """Return what a browser needs to make a passkey, as JSON."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    _keep_challenge(session, challenge, account_id, now)
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=SERVICE,
        user_id=account_id.bytes,
        user_name=email,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_describe_passkeys(session, account_id),
    )
    return webauthn.options_to_json(options)


def offer_authentication(
    session: Session, *, account_id: UUID | None, party: Party, challenge: bytes, now: datetime
) -> str:
    """Return what a browser needs to use a passkey, as JSON; any account's, where it is None."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    _keep_challenge(session, challenge, account_id, now)
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge,
        allow_credentials=None if account_id is None else _describe_passkeys(session, account_id),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def add_passkey(
    session: Session,
    *,
    account_id: UUID,
    credential: str,
    label: str,
    codes: Sequence[str],
    party: Party,
    keyring: Keyring,
    now: datetime,
) -> bool | None:
    """Keep a new passkey; None where the browser's answer does not hold.

    True where ``codes`` became the account's recovery codes, since it had none: they are to be shown, once.
    """
    import webauthn
    from webauthn.helpers import parse_registration_credential_json

    challenge = _use_challenge(session, credential, account_id, now)
    answer = None if challenge is None else _try(lambda: parse_registration_credential_json(credential))
    if answer is None:
        return None
    verified = _try(
        lambda: webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=cast("bytes", challenge),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    )
    if verified is None:
        return None
    row = {
        "id": uuid4(),
        "account_id": account_id,
        "credential_id": verified.credential_id,
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
        "transports": sorted({each.value for each in answer.response.transports or ()}),
        "label": label,
        "created_at": now,
    }
    added = session.execute(insert_if_absent(cast("Table", Passkey.__table__), dialect_of(session)), row)
    if cast("CursorResult[Any]", added).rowcount == 0:
        return None
    _tell(session, "passkey_added", account_id, now)
    return _make_codes_where_none(session, account_id, codes, keyring, now)


def check_passkey(
    session: Session, *, account_id: UUID | None, credential: str, party: Party, now: datetime
) -> UUID | None:
    """Return whose passkey answered, or None. ``account_id`` is whose it has to be, and None for whoever signs in.

    A challenge is used up by any answer to it. A count of signatures that goes backwards is that of a copy: refused.
    """
    import webauthn
    from webauthn.helpers import parse_authentication_credential_json

    challenge = _use_challenge(session, credential, account_id, now)
    answer = None if challenge is None else _try(lambda: parse_authentication_credential_json(credential))
    if answer is None:
        return None
    passkey = session.scalars(select(Passkey).where(Passkey.credential_id == answer.raw_id)).first()
    if passkey is None or account_id not in {None, passkey.account_id}:
        return None
    if answer.response.user_handle not in {None, passkey.account_id.bytes}:
        return None
    verified = _try(
        lambda: webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=cast("bytes", challenge),
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    )
    if verified is None:
        return None
    return session.scalar(
        update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.sign_count == passkey.sign_count)
        .values(sign_count=verified.new_sign_count, used_at=now)
        .returning(Passkey.account_id)
    )


def rename_passkey(session: Session, *, account_id: UUID, passkey_id: UUID, label: str) -> None:
    """Give a passkey another name."""
    session.execute(
        update(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id).values(label=label)
    )


def remove_passkey(session: Session, *, account_id: UUID, passkey_id: UUID, now: datetime) -> None:
    """Forget a passkey; with the last second step go the recovery codes."""
    removed = session.execute(delete(Passkey).where(Passkey.id == passkey_id, Passkey.account_id == account_id))
    if cast("CursorResult[Any]", removed).rowcount:
        _tell(session, "passkey_removed", account_id, now)
        _forget_idle_codes(session, account_id)


def _describe_passkeys(session: Session, account_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    rows = session.execute(select(Passkey.credential_id, Passkey.transports).where(Passkey.account_id == account_id))
    return [
        PublicKeyCredentialDescriptor(id=row.credential_id, transports=[*map(AuthenticatorTransport, row.transports)])
        for row in rows
    ]


def _keep_challenge(session: Session, challenge: bytes, account_id: UUID | None, now: datetime) -> None:
    session.execute(
        insert(Challenge),
        {
            "hash": hashlib.sha256(challenge).digest(),
            "account_id": account_id,
            "expires_at": now + CHALLENGE_LASTS,
        },
    )


def _use_challenge(session: Session, credential: str, account_id: UUID | None, now: datetime) -> bytes | None:
    """Return the challenge that ``credential`` answers, which answers no more; None where it was not given out so."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    said = _try(
        lambda: parse_client_data_json(base64url_to_bytes(json.loads(credential)["response"]["clientDataJSON"]))
    )
    if said is None:
        return None
    challenge = said.challenge
    given = session.execute(
        delete(Challenge)
        .where(Challenge.hash == hashlib.sha256(challenge).digest())
        .returning(Challenge.account_id, Challenge.expires_at)
    ).first()
    if given is None or given.account_id != account_id or given.expires_at <= now:
        return None
    return challenge


def _try(read: Callable[[], T]) -> T | None:
    """Return what reading or verifying a browser's answer gives, or None where it does not hold.

    Anybody may send anything in its place, such as brackets by the thousand: whatever falls over it, it does not hold.
    """
    try:
        return read()
    except Exception:  # noqa: BLE001 - see above; nothing of the database is read in here
        return None


# The authenticator -------------------------------------------------------------------------------------------------


def start_authenticator(session: Session, *, account_id: UUID, secret: str, keyring: Keyring, now: datetime) -> None:
    """Keep the secret of an authenticator that asks nothing until a code confirms it. Raises AuthenticatorThere."""
    key = make_account_key(session, keyring=keyring, now=now)
    started = session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.totp_confirmed_at.is_(None))
        .values(totp_secret=key.seal("accounts.totp_secret", account_id, secret), totp_step=None)
        .returning(Account.id)
    )
    if started is None:
        raise AuthenticatorThere


def confirm_authenticator(
    session: Session, *, account_id: UUID, code: str, codes: Sequence[str], keyring: Keyring, now: datetime
) -> bool | None:
    """Ask for this authenticator's codes from now on; None for a wrong code.

    True where ``codes`` became the account's recovery codes, as with passkeys. Raises AuthenticatorThere.
    """
    if session.scalar(select(Account.totp_confirmed_at).where(Account.id == account_id)) is not None:
        raise AuthenticatorThere
    if not _use_try(session, account_id, now) or not _use_step(session, account_id, code, keyring, now):
        return None
    session.execute(update(Account).where(Account.id == account_id).values(totp_confirmed_at=now))
    _tell(session, "authenticator_added", account_id, now)
    return _make_codes_where_none(session, account_id, codes, keyring, now)


def check_authenticator(session: Session, *, account_id: UUID, code: str, keyring: Keyring, now: datetime) -> bool:
    """Tell whether a code is the authenticator's of now, half a minute ago or in half a minute; each works once."""
    if session.scalar(select(Account.totp_confirmed_at).where(Account.id == account_id)) is None:
        return False
    return _use_try(session, account_id, now) and _use_step(session, account_id, code, keyring, now)


def remove_authenticator(session: Session, *, account_id: UUID, now: datetime) -> None:
    """Forget the authenticator, confirmed or not; with the last second step go the recovery codes."""
    was_confirmed = session.scalar(select(Account.totp_confirmed_at).where(Account.id == account_id)) is not None
    session.execute(
        update(Account).where(Account.id == account_id).values(totp_secret=None, totp_confirmed_at=None, totp_step=None)
    )
    if was_confirmed:
        _tell(session, "authenticator_removed", account_id, now)
        _forget_idle_codes(session, account_id)


def _use_step(session: Session, account_id: UUID, code: str, keyring: Keyring, now: datetime) -> bool:
    from pyotp import TOTP

    account = session.execute(select(Account.totp_secret, Account.totp_step).where(Account.id == account_id)).one()
    if account.totp_secret is None:
        return False
    key = make_account_key(session, keyring=keyring, now=now)
    codes = TOTP(key.open("accounts.totp_secret", account_id, account.totp_secret))
    typed = "".join(to_latin_digits(code).split()).encode()
    current = int(now.timestamp()) // STEP_SECONDS
    for step in (current - 1, current, current + 1):
        if not hmac.compare_digest(codes.generate_otp(step).encode(), typed):
            continue
        used = session.scalar(
            update(Account)
            .where(Account.id == account_id, or_(Account.totp_step.is_(None), Account.totp_step < step))
            .values(totp_step=step, code_tries=0)
            .returning(Account.id)
        )
        return used is not None
    return False


def _use_try(session: Session, account_id: UUID, now: datetime) -> bool:
    """Count a try; False after five within a quarter of an hour."""
    is_over = or_(Account.code_tries_since.is_(None), Account.code_tries_since <= now - TRIES_WITHIN)
    may_try = session.scalar(
        update(Account)
        .where(Account.id == account_id, or_(is_over, Account.code_tries < CODE_TRIES))
        .values(
            code_tries=case((is_over, 1), else_=Account.code_tries + 1),
            code_tries_since=case(
                (is_over, literal(now, Account.code_tries_since.type)), else_=Account.code_tries_since
            ),
        )
        .returning(Account.id)
    )
    return may_try is not None


# Recovery codes ----------------------------------------------------------------------------------------------------


def make_recovery_codes(
    session: Session, *, account_id: UUID, codes: Sequence[str], keyring: Keyring, now: datetime
) -> None:
    """Put ``codes`` in the place of all that there were."""
    _replace_codes(session, account_id, codes, keyring, now)
    _tell(session, "recovery_codes_made", account_id, now)


def use_recovery_code(session: Session, *, account_id: UUID, code: str, keyring: Keyring, now: datetime) -> bool:
    """Tell whether a recovery code is right, and use it up; its owner is told by mail."""
    if not _use_try(session, account_id, now):
        return False
    used = session.scalar(
        update(RecoveryCode)
        .where(
            RecoveryCode.hash == _hash_recovery_code(account_id, code, keyring),
            RecoveryCode.account_id == account_id,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.account_id)
    )
    if used is None:
        return False
    session.execute(update(Account).where(Account.id == account_id).values(code_tries=0))
    _tell(session, "recovery_code_used", account_id, now)
    return True


def _make_codes_where_none(
    session: Session, account_id: UUID, codes: Sequence[str], keyring: Keyring, now: datetime
) -> bool:
    left = session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.used_at.is_(None))
    )
    if left:
        return False
    _replace_codes(session, account_id, codes, keyring, now)
    return True


def _replace_codes(session: Session, account_id: UUID, codes: Sequence[str], keyring: Keyring, now: datetime) -> None:
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    session.execute(
        insert(RecoveryCode),
        [
            {"hash": _hash_recovery_code(account_id, code, keyring), "account_id": account_id, "created_at": now}
            for code in codes
        ],
    )


def _hash_recovery_code(account_id: UUID, code: str, keyring: Keyring) -> bytes:
    """Return what is kept of a code, as it is read from paper: in any case, with or without its hyphens."""
    read = to_latin_digits(code).casefold().translate(_MISREAD)
    return keyed_hash(keyring.codes, b"recovery", account_id.bytes, "".join(read.split()).encode())


def _forget_idle_codes(session: Session, account_id: UUID) -> None:
    if not needs_second_step(session, account_id=account_id):
        session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))


# Telling -----------------------------------------------------------------------------------------------------------


def _tell(session: Session, what: str, account_id: UUID, now: datetime) -> None:
    """Put a change on record, and owe its owner a letter about it."""
    record(session, what=what, now=now, account_id=account_id)
    locale = session.scalars(select(Account.locale).where(Account.id == account_id)).one()
    owe_letter(
        session,
        kind="account_notice",
        dedupe_key=f"account_notice:{what}:{uuid4().hex}",
        locale=locale,
        now=now,
        account_id=account_id,
        subject_id=NOTICES[what][0],
    )
