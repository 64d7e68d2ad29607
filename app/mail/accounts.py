"""Letters to accounts: signing in, and what changed about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select

from app.i18n import message
from app.mail.desk import Kind, Prepared, Secret
from app.models import Account, SignInRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from app.i18n import Message
    from app.mail.desk import Desk
    from app.models import Letter

LINK_WORKS: Final = timedelta(minutes=15)
#: Whoever asked that long ago has given up or asked again: a link that is late is noise.
WORTH_SENDING: Final = timedelta(hours=1)
#: How many of them an address gets in a day: those that anybody asks for, those of a browser where the account was
#: signed in, and those of the account itself, each apart, so that nobody uses up what its owner needs to come in.
DAILY_SIGN_INS: Final = 10
ANYBODY: Final = UUID(int=0)

#: What an account is told of; the letter's subject says which.
NOTICES: Final[Mapping[str, tuple[UUID, Message]]] = {
    name: (UUID(int=number), text)
    for number, (name, text) in enumerate(
        (
            ("passkey_added", message("A passkey was added to your account.")),
            ("passkey_removed", message("A passkey was removed from your account.")),
            ("authenticator_added", message("An authenticator app was added to your account.")),
            ("authenticator_removed", message("The authenticator app was removed from your account.")),
            (
                "recovery_codes_made",
                message("New recovery codes were made for your account. The old ones do not work."),
            ),
            ("recovery_code_used", message("A recovery code of your account was used.")),
        ),
        start=1,
    )
}  # fmt: skip
_TEXTS: Final = dict(NOTICES.values())


def _prepare_sign_in(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    request = None if letter.subject_id is None else session.get(SignInRequest, letter.subject_id)
    key = desk.account_key(session)
    if request is None or key is None or request.used_at is not None or request.created_at <= desk.now - WORTH_SENDING:
        return None
    account = session.scalars(select(Account).where(Account.email_index == request.email_index)).first()
    if account is not None and account.state != "active":
        return None
    # Never to another spelling of an address than the one that the account has proven.
    recipient = (
        key.open("sign_in_requests.email", request.id, request.email)
        if account is None
        else key.open("accounts.email", account.id, account.email)
    )
    pool = request.asker_id or ANYBODY
    code = Secret("sign_in_code", LINK_WORKS)
    if letter.account_id is not None:
        # Somebody who is signed in proves that it is them: a link would sign in once more, and lose what they do.
        return Prepared(
            recipient,
            {"is_proof": True},
            {"links": "/workspace/prove"},
            secrets=(code,),
            daily=DAILY_SIGN_INS,
            pool=pool,
        )
    return Prepared(
        recipient,
        {"is_proof": False},
        {"links": "/workspace/sign-in/{sign_in}"},
        secrets=(Secret("sign_in", LINK_WORKS), code),
        daily=DAILY_SIGN_INS,
        pool=pool,
    )


def _prepare_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    account = None if letter.account_id is None else session.get(Account, letter.account_id)
    key = desk.account_key(session)
    if account is None or key is None or letter.subject_id not in _TEXTS:
        return None
    return Prepared(
        key.open("accounts.email", account.id, account.email),
        {"what": _TEXTS[letter.subject_id]},
        {"links": "/workspace/account"},
    )


# Neutral, as those of signers are.
KINDS: Final = {
    "sign_in": Kind(message("A message about your request"), _prepare_sign_in),
    "account_notice": Kind(message("A message about your account"), _prepare_notice),
}
