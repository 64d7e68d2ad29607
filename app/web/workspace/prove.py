"""Proving again who one is, before grave steps: with a passkey, a code, or a letter for whoever has neither."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.actions import second_step, signing_in
from app.actions.records import record
from app.i18n import Message, message
from app.queries.accounts import find_second_step
from app.rules.khmer import to_latin_digits
from app.web.gate import ANY_FIELD, Page, Visit
from app.web.proving import PROOF_COOKIE, find_party, own_path, show_proof

if TYPE_CHECKING:
    from app.web.forms import Form

CHALLENGE_BYTES: Final = 32
WRONG: Final[dict[str, Message]] = {
    "code": message("This code is not right. After five wrong ones, wait 15 minutes"),
    "recovery": message("This code is not right. After five wrong ones, wait 15 minutes"),
    "letter_code": message("This code is not right or no longer works. Enter the 6 digits of the newest email"),
    "credential": message("This passkey was not accepted. Try again, or choose another way"),
}


async def show(visit: Visit) -> Response:
    """Ask for proof, with nothing that waits for it."""
    return await show_proof(visit, action=None, fields=())


async def prove(visit: Visit) -> Response:
    """Take a proof, and send the form that waits on its way; 422 with everything kept where it is wrong."""
    form = await visit.read_form(repeated=ANY_FIELD)
    action = own_path(form.text("proof_action"))
    if "proof_send" in form:
        return await _send_letter(visit, form, action)
    by = next((name for name in ("credential", "recovery", "letter_code") if f"proof_{name}" in form), "code")
    if not await _is_right(visit, by, form.text(f"proof_{by}")):
        await visit.house.database.write(
            record, what="not_proven", now=visit.now, account_id=visit.signed_in.account_id, details={"by": by}
        )
        return await show_proof(
            visit,
            action=action,
            fields=form.pairs(),
            status_code=422,
            error=(by, WRONG[by]),
            is_letter_sent=by == "letter_code",
        )
    me = visit.signed_in
    await visit.house.database.write(
        signing_in.prove_session, account_id=me.account_id, session_id=me.session_id, by=by, now=visit.now
    )
    # 307: the browser sends the same form once more, to where it was going.
    response = visit.go("/account") if action is None else RedirectResponse(action, 307)
    PROOF_COOKIE.forget(response, settings=visit.house.settings)
    return response


async def offer_passkey(visit: Visit) -> Response:
    """Return what a browser needs to use a passkey of this account, as JSON."""
    await visit.read_form()
    party = find_party(visit.request, visit.house.settings)
    if party is None:
        raise HTTPException(404)
    options = await visit.house.database.write(
        second_step.offer_authentication,
        account_id=visit.signed_in.account_id,
        party=party,
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        now=visit.now,
    )
    return Response(options, media_type="application/json")


async def _send_letter(visit: Visit, form: Form, action: str | None) -> Response:
    """Send a code, to whoever has no second step; the page that asks for it keeps the form that waits."""
    house, me = visit.house, visit.signed_in
    step = await house.database.read(find_second_step, account_id=me.account_id)
    if step.is_needed:
        return await show_proof(visit, action=action, fields=form.pairs())
    request_id = await house.database.write(
        signing_in.ask_for_proof, account_id=me.account_id, locale=visit.locale, keyring=house.keyring, now=visit.now
    )
    response = await show_proof(visit, action=action, fields=form.pairs(), is_letter_sent=True)
    content = [request_id.hex, int(visit.now.timestamp())]
    PROOF_COOKIE.write(response, content, keyring=house.keyring, settings=house.settings)
    return response


async def _is_right(visit: Visit, by: str, typed: str) -> bool:
    write, keyring, now = visit.house.database.write, visit.house.keyring, visit.now
    account_id = visit.signed_in.account_id
    if by == "credential":
        party = find_party(visit.request, visit.house.settings)
        return party is not None and (
            await write(second_step.check_passkey, account_id=account_id, credential=typed, party=party, now=now)
            is not None
        )
    if by == "recovery":
        return await write(second_step.use_recovery_code, account_id=account_id, code=typed, keyring=keyring, now=now)
    if by == "code":
        return await write(second_step.check_authenticator, account_id=account_id, code=typed, keyring=keyring, now=now)
    step = await visit.house.database.read(find_second_step, account_id=account_id)
    asked = PROOF_COOKIE.read(visit.request, keyring=keyring)
    if step.is_needed or asked is None or now.timestamp() - asked[1] > PROOF_COOKIE.seconds:
        return False
    return await write(
        signing_in.check_proof_code,
        account_id=account_id,
        request_id=UUID(asked[0]),
        code="".join(to_latin_digits(typed).split()),
        keyring=keyring,
        now=now,
    )


PAGES: Final[tuple[Page, ...]] = (
    Page("/prove", show, prove),
    Page("/prove/options", post=offer_passkey),
)
