"""A person's own account: name, language, passkeys, authenticator, recovery codes, sessions."""

from __future__ import annotations

import io
import secrets
from typing import TYPE_CHECKING, Final
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from app.actions import accounts, second_step
from app.actions.second_step import AuthenticatorThere
from app.i18n import LOCALES, Message, message
from app.queries.accounts import find_second_step, find_unconfirmed_secret, list_sessions
from app.rules.normalise import Refused, clean_line, clean_name
from app.web.cookies import SealedCookie
from app.web.gate import Page, Visit
from app.web.proving import FIFTEEN_MINUTES, find_party
from app.web.sessions import forget_session_cookies, is_proven
from app.web.workspace import prove

if TYPE_CHECKING:
    from app.actions.second_step import Party
    from app.web.forms import Form

CHALLENGE_BYTES: Final = 32
LABEL_LIMIT: Final = 60
RECOVERY_CODES: Final = 10
RECOVERY_GROUPS: Final = 3
RECOVERY_GROUP: Final = 4
#: The codes that were just made, until their owner has kept them: the database has only hashes.
CODES_COOKIE: Final = SealedCookie("hatthalekha_recovery", 401, FIFTEEN_MINUTES)
WRONG_CODE: Final = message("This code is not right. After five wrong ones, wait 15 minutes")
NO_PASSKEY: Final = message("The passkey was not made. Try again")


async def show_account(visit: Visit) -> Response:
    """Show all that an account has."""
    return await _show_account(visit)


async def describe(visit: Visit) -> Response:
    """Keep name and language."""
    form = await visit.read_form()
    locale = form.text("locale")
    if locale not in LOCALES:
        raise HTTPException(400)
    try:
        name = clean_name(form.text("name")) if form.text("name").strip() else None
    except Refused as refusal:
        return await _show_account(visit, form=form, error=refusal.message)
    await visit.house.database.write(
        accounts.describe_account,
        account_id=visit.signed_in.account_id,
        name=name,
        locale=locale,
        keyring=visit.house.keyring,
        now=visit.now,
    )
    return visit.go("/account?saved")


async def _show_account(visit: Visit, *, form: Form | None = None, error: Message | None = None) -> Response:
    me, read = visit.signed_in, visit.house.database.read
    return visit.show(
        "workspace/account.html",
        status_code=422 if error else 200,
        path="/workspace/account",
        name=(me.name or "") if form is None else form.text("name"),
        letters_locale=me.locale if form is None else form.text("locale"),
        error=None if error is None else error.say(visit.locale),
        is_saved="saved" in visit.request.query_params,
        step=await read(find_second_step, account_id=me.account_id),
        sessions=await read(list_sessions, account_id=me.account_id, now=visit.now),
        has_passkeys=_party_of(visit) is not None,
        zone=visit.house.settings.timezone,
        label_limit=LABEL_LIMIT,
    )


# Passkeys


async def start_passkey(visit: Visit) -> Response:
    """Go on to the page that makes a passkey, once it is sure who asks."""
    await visit.read_form()
    return visit.go("/account/passkeys")


async def show_passkeys(visit: Visit) -> Response:
    """Show where a passkey is made."""
    return _show_passkeys(visit, label="")


async def offer_passkey(visit: Visit) -> Response:
    """Return what a browser needs to make a passkey, as JSON."""
    await visit.read_form()
    party = _party_of(visit)
    if party is None:
        raise HTTPException(404)
    options = await visit.house.database.write(
        second_step.offer_registration,
        account_id=visit.signed_in.account_id,
        email=visit.signed_in.email,
        party=party,
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        now=visit.now,
    )
    return Response(options, media_type="application/json")


async def add_passkey(visit: Visit) -> Response:
    """Keep the passkey that a browser made."""
    form = await visit.read_form()
    party, codes, has_new_codes = _party_of(visit), new_recovery_codes(), None
    if party is not None:
        has_new_codes = await visit.house.database.write(
            second_step.add_passkey,
            account_id=visit.signed_in.account_id,
            credential=form.text("credential"),
            label=_label_of(form),
            codes=codes,
            party=party,
            keyring=visit.house.keyring,
            now=visit.now,
        )
    if has_new_codes is None:
        return _show_passkeys(visit, label=form.text("label"), error=NO_PASSKEY)
    return _go_to_codes(visit, codes) if has_new_codes else visit.go("/account")


async def rename_passkey(visit: Visit) -> Response:
    """Give a passkey another name."""
    form = await visit.read_form()
    await visit.house.database.write(
        second_step.rename_passkey,
        account_id=visit.signed_in.account_id,
        passkey_id=_id_of(visit, "passkey_id"),
        label=_label_of(form),
    )
    return visit.go("/account")


async def remove_passkey(visit: Visit) -> Response:
    """Forget a passkey."""
    await visit.read_form()
    await visit.house.database.write(
        second_step.remove_passkey,
        account_id=visit.signed_in.account_id,
        passkey_id=_id_of(visit, "passkey_id"),
        now=visit.now,
    )
    return visit.go("/account")


def _show_passkeys(visit: Visit, *, label: str, error: Message | None = None) -> Response:
    return visit.show(
        "workspace/account_passkeys.html",
        status_code=422 if error else 200,
        path="/workspace/account/passkeys",
        label=label,
        label_limit=LABEL_LIMIT,
        error=None if error is None else error.say(visit.locale),
        has_passkeys=_party_of(visit) is not None,
    )


# The authenticator


async def start_authenticator(visit: Visit) -> Response:
    """Make a secret for an authenticator, and go on to the page that shows it."""
    from pyotp import random_base32  # no other page needs it, and the start of the server should not wait for it

    await visit.read_form()
    try:
        await visit.house.database.write(
            second_step.start_authenticator,
            account_id=visit.signed_in.account_id,
            secret=random_base32(),
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except AuthenticatorThere:
        return visit.go("/account")
    return visit.go("/account/authenticator")


async def show_authenticator(visit: Visit) -> Response:
    """Show the secret, to whoever has proven lately that it is theirs."""
    secret = await _find_secret(visit)
    if secret is None:
        return visit.go("/account")
    return _show_authenticator(visit, secret)


async def draw_authenticator(visit: Visit) -> Response:
    """Draw the secret as a code for an authenticator's camera."""
    import segno
    from pyotp import TOTP

    secret = await _find_secret(visit)
    if secret is None:
        raise HTTPException(404)
    uri = TOTP(secret).provisioning_uri(name=visit.signed_in.email, issuer_name=second_step.SERVICE)
    drawing = io.BytesIO()
    segno.make_qr(uri, error="m").save(drawing, kind="svg", scale=4, border=4, xmldecl=False, svgns=True)
    return Response(drawing.getvalue(), media_type="image/svg+xml")


async def confirm_authenticator(visit: Visit) -> Response:
    """Ask for this authenticator's codes from now on, once one of them was right."""
    form = await visit.read_form()
    codes = new_recovery_codes()
    try:
        has_new_codes = await visit.house.database.write(
            second_step.confirm_authenticator,
            account_id=visit.signed_in.account_id,
            code=form.text("code"),
            codes=codes,
            keyring=visit.house.keyring,
            now=visit.now,
        )
    except AuthenticatorThere:
        return visit.go("/account")
    if has_new_codes is None:
        secret = await _find_secret(visit)
        return visit.go("/account") if secret is None else _show_authenticator(visit, secret, error=WRONG_CODE)
    return _go_to_codes(visit, codes) if has_new_codes else visit.go("/account")


async def remove_authenticator(visit: Visit) -> Response:
    """Forget the authenticator."""
    await visit.read_form()
    await visit.house.database.write(
        second_step.remove_authenticator, account_id=visit.signed_in.account_id, now=visit.now
    )
    return visit.go("/account")


async def _find_secret(visit: Visit) -> str | None:
    if not is_proven(visit.signed_in, visit.now):
        return None
    return await visit.house.database.read(
        find_unconfirmed_secret, account_id=visit.signed_in.account_id, keyring=visit.house.keyring
    )


def _show_authenticator(visit: Visit, secret: str, *, error: Message | None = None) -> Response:
    return visit.show(
        "workspace/account_authenticator.html",
        status_code=422 if error else 200,
        path="/workspace/account/authenticator",
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        error=None if error is None else error.say(visit.locale),
    )


# Recovery codes


async def make_recovery_codes(visit: Visit) -> Response:
    """Make ten codes, in the place of all that there were."""
    await visit.read_form()
    step = await visit.house.database.read(find_second_step, account_id=visit.signed_in.account_id)
    if not step.is_needed:
        return visit.go("/account")
    codes = new_recovery_codes()
    await visit.house.database.write(
        second_step.make_recovery_codes,
        account_id=visit.signed_in.account_id,
        codes=codes,
        keyring=visit.house.keyring,
        now=visit.now,
    )
    return _go_to_codes(visit, codes)


async def show_recovery_codes(visit: Visit) -> Response:
    """Show the codes that were just made, until their owner has kept them, and for a quarter of an hour at most."""
    content = CODES_COOKIE.read(visit.request, keyring=visit.house.keyring)
    if (
        content is None
        or content[0] != visit.signed_in.account_id.hex
        or visit.now.timestamp() - content[1] > CODES_COOKIE.seconds
    ):
        return visit.go("/account")
    return visit.show("workspace/recovery_codes.html", codes=content[2].split())


async def put_codes_away(visit: Visit) -> Response:
    """Show them no more."""
    await visit.read_form()
    response = visit.go("/account")
    CODES_COOKIE.forget(response, settings=visit.house.settings)
    return response


def new_recovery_codes() -> list[str]:
    """Return ten codes of sixty random bits each, in groups that are read aloud."""
    letters = second_step.RECOVERY_LETTERS
    return [
        "-".join("".join(secrets.choice(letters) for _ in range(RECOVERY_GROUP)) for _ in range(RECOVERY_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def _go_to_codes(visit: Visit, codes: list[str]) -> Response:
    response = visit.go("/account/recovery-codes")
    content = [visit.signed_in.account_id.hex, int(visit.now.timestamp()), " ".join(codes)]
    CODES_COOKIE.write(response, content, keyring=visit.house.keyring, settings=visit.house.settings)
    return response


# Sessions


async def end_session(visit: Visit) -> Response:
    """Sign out one browser; this one too, where it is meant."""
    await visit.read_form()
    session_id = _id_of(visit, "session_id")
    if session_id == visit.signed_in.session_id:
        return await _sign_out(visit)
    await visit.house.database.write(
        accounts.end_session, account_id=visit.signed_in.account_id, session_id=session_id, now=visit.now
    )
    return visit.go("/account")


async def end_other_sessions(visit: Visit) -> Response:
    """Sign out everywhere else."""
    await visit.read_form()
    me = visit.signed_in
    await visit.house.database.write(
        accounts.end_other_sessions, account_id=me.account_id, session_id=me.session_id, now=visit.now
    )
    return visit.go("/account")


async def sign_out(visit: Visit) -> Response:
    """End this session."""
    await visit.read_form()
    return await _sign_out(visit)


async def _sign_out(visit: Visit) -> Response:
    me = visit.signed_in
    await visit.house.database.write(
        accounts.end_session, account_id=me.account_id, session_id=me.session_id, now=visit.now
    )
    response = RedirectResponse(f"/{visit.locale}/workspace/sign-in", 303)
    forget_session_cookies(response, visit.house.settings)
    CODES_COOKIE.forget(response, settings=visit.house.settings)
    # Whatever pages this browser keeps, it shall not show them to the next person.
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _party_of(visit: Visit) -> Party | None:
    return find_party(visit.request, visit.house.settings)


def _label_of(form: Form) -> str:
    """Return what a passkey is called: anything short, since only its owner reads it."""
    return clean_line(form.text("label")[: LABEL_LIMIT * 2], limit=LABEL_LIMIT * 8)[:LABEL_LIMIT]


def _id_of(visit: Visit, name: str) -> UUID:
    try:
        return UUID(visit.request.path_params[name])
    except ValueError:
        raise HTTPException(404) from None


PAGES: Final[tuple[Page, ...]] = (
    Page("/account", show_account, describe),
    Page("/account/passkeys/start", post=start_passkey, is_grave=True),
    Page("/account/passkeys/options", post=offer_passkey),
    Page("/account/passkeys", show_passkeys, add_passkey, is_grave=True),
    Page("/account/passkeys/{passkey_id}", post=rename_passkey),
    Page("/account/passkeys/{passkey_id}/remove", post=remove_passkey, is_grave=True),
    Page("/account/authenticator/start", post=start_authenticator, is_grave=True),
    Page("/account/authenticator/qr.svg", draw_authenticator),
    Page("/account/authenticator", show_authenticator, confirm_authenticator, is_grave=True),
    Page("/account/authenticator/remove", post=remove_authenticator, is_grave=True),
    Page("/account/recovery-codes/new", post=make_recovery_codes, is_grave=True),
    Page("/account/recovery-codes", show_recovery_codes, put_codes_away),
    Page("/account/sessions/end-others", post=end_other_sessions, is_grave=True),
    Page("/account/sessions/{session_id}/end", post=end_session, is_grave=True),
    Page("/sign-out", post=sign_out),
    *prove.PAGES,
)
