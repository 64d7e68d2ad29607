"""Signing in: a letter with a link and a code, a passkey, a second step where the account has one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from app.actions import second_step, signing_in
from app.actions.records import record
from app.actions.signing_in import Admitted, Browser, LinkDead, LinkUnknown
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import Message, as_locale, message
from app.mail.kinds import KINDS
from app.queries.accounts import SignInLink, find_second_step, find_sign_in_link
from app.rules.devices import name_device
from app.rules.khmer import to_latin_digits
from app.rules.normalise import Refused, clean_email
from app.web.cookies import SealedCookie, write_locale_cookie
from app.web.forms import Form, read_form
from app.web.pausing import pause
from app.web.proving import FIFTEEN_MINUTES, find_party, own_path
from app.web.routes import show_and_post
from app.web.sessions import find_device, find_visitor, new_secret, session_cookie, write_session_cookies

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale
    from app.web.house import House

CHALLENGE_BYTES: Final = 32
#: Which request this browser made, for what address, and where it wanted to go.
ASKED_COOKIE: Final = SealedCookie("hatthalekha_sign_in", 749, FIFTEEN_MINUTES)
#: Whose mailbox this browser has proven; it opens nothing by itself.
HALF_COOKIE: Final = SealedCookie("hatthalekha_second_step", 449, FIFTEEN_MINUTES)

WRONG_CODE: Final = message("This code is not right or no longer works. Enter the 6 digits of the newest email")
WRONG_SECOND: Final = message("This code is not right. After five wrong ones, wait 15 minutes")
WRONG_PASSKEY: Final = message("This passkey was not accepted. Try again, or sign in another way")
TICK_THE_BOX: Final = message("Tick the box “I asked to sign in”")


class SignIn:
    """Routes that lead to a session, and need none."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        at = "/{locale}/workspace/sign-in"
        self.routes: list[Route] = [
            show_and_post(at, self.show, self.ask),
            show_and_post(f"{at}/check-email", self.check_email, self.answer_check_email),
            Route(f"{at}/passkey/options", self.offer_passkey, methods=["POST"]),
            Route(f"{at}/passkey", self.use_passkey, methods=["POST"]),
            show_and_post(f"{at}/second-step", self.show_second_step, self.take_second_step),
            Route(f"{at}/second-step/options", self.offer_second_step, methods=["POST"]),
            show_and_post(f"{at}/{{token}}", self.show_link, self.use_link),
        ]

    # Asking

    async def show(self, request: Request) -> Response:
        """Ask for an address, or a passkey."""
        return self._show_form(request, next_path=own_path(request.query_params.get("next", "")))

    async def ask(self, request: Request) -> Response:
        """Owe a letter, and answer alike whether or not the address has an account."""
        _locale_of(request)
        now = utc_now()
        form = await read_form(request)
        next_path = own_path(form.text("next"))
        try:
            email = clean_email(form.text("email"))
        except Refused as refusal:
            return self._show_form(request, next_path=next_path, email=form.text("email"), error=refusal.message)
        return await self._send_letter(request, email, next_path, now)

    async def check_email(self, request: Request) -> Response:
        """Say what happens next, the same whoever asked."""
        asked = self._asked(request, utc_now())
        if asked is None:
            return RedirectResponse(f"/{_locale_of(request)}/workspace/sign-in", 303)
        return self._show_check_email(request, asked.email, is_sent_again="sent" in request.query_params)

    async def answer_check_email(self, request: Request) -> Response:
        """Take a code, or a wish for another letter."""
        locale, now = _locale_of(request), utc_now()
        form = await read_form(request)
        asked = self._asked(request, now)
        if asked is None:
            return RedirectResponse(f"/{locale}/workspace/sign-in", 303)
        if "again" in form:
            return await self._send_letter(request, asked.email, asked.next_path, now, is_again=True)
        browser = self._browser(request)
        admitted = await self._house.database.write(
            signing_in.sign_in_by_code,
            request_id=asked.request_id,
            code="".join(to_latin_digits(form.text("code")).split()),
            browser=browser,
            keyring=self._house.keyring,
            now=now,
        )
        if admitted is None:
            await pause()
            return self._show_check_email(request, asked.email, error=WRONG_CODE)
        return self._let_in(locale, admitted, browser, now)

    async def _send_letter(
        self, request: Request, email: str, next_path: str | None, now: datetime, *, is_again: bool = False
    ) -> Response:
        locale = _locale_of(request)
        request_id = await self._house.database.write(
            signing_in.ask_to_sign_in,
            email=email,
            locale=locale,
            next_path=next_path,
            keyring=self._house.keyring,
            now=now,
            device=find_device(self._house, request),
        )
        response = RedirectResponse(f"/{locale}/workspace/sign-in/check-email{'?sent' if is_again else ''}", 303)
        self._write(response, ASKED_COOKIE, [request_id.hex, int(now.timestamp()), email, next_path])
        write_locale_cookie(response, locale, settings=self._house.settings)
        await pause()
        return response

    # The link

    async def show_link(self, request: Request) -> Response:
        """Show the button. Changes nothing, whoever opens it and however often."""
        now = utc_now()
        link = await self._find_link(request, now)
        if link is None or not link.is_alive:
            return self._show_dead_link(request, 404 if link is None else 410)
        return self._show_link(request, needs_tick=self._needs_tick(request, link, now))

    async def use_link(self, request: Request) -> Response:
        """Sign in, once."""
        locale, now = _locale_of(request), utc_now()
        form = await read_form(request)
        link = await self._find_link(request, now)
        if link is None:
            return self._show_dead_link(request, 404)
        if link.is_alive and "asked" not in form and self._needs_tick(request, link, now):
            return self._show_link(request, needs_tick=True, error=TICK_THE_BOX)
        browser = self._browser(request)
        try:
            admitted = await self._house.database.write(
                signing_in.sign_in_by_link,
                token=request.path_params["token"],
                browser=browser,
                keyring=self._house.keyring,
                now=now,
            )
        except (LinkDead, LinkUnknown):
            visitor = await find_visitor(self._house, request, now)
            if visitor is not None and visitor.account_id == link.account_id:
                # Pressed twice: whoever is in already is not told that it failed.
                return RedirectResponse(f"/{locale}/workspace", 303)
            return self._show_dead_link(request, 410)
        return self._let_in(locale, admitted, browser, now)

    async def _find_link(self, request: Request, now: datetime) -> SignInLink | None:
        _locale_of(request)
        token = request.path_params["token"]
        if not tokens.TOKEN_FORM.fullmatch(token):
            return None
        return await self._house.database.read(find_sign_in_link, token=token, now=now)

    def _needs_tick(self, request: Request, link: SignInLink, now: datetime) -> bool:
        """Tell whether this browser must still say that a person asked: scanners press buttons, too."""
        asked = self._asked(request, now)
        return asked is None or asked.request_id != link.request_id

    # A passkey

    async def offer_passkey(self, request: Request) -> Response:
        """Return what a browser needs to sign in with whatever passkey its owner chooses, as JSON."""
        _locale_of(request)
        party = find_party(request, self._house.settings)
        if party is None:
            raise HTTPException(404)
        options = await self._house.database.write(
            second_step.offer_authentication,
            account_id=None,
            party=party,
            challenge=secrets.token_bytes(CHALLENGE_BYTES),
            now=utc_now(),
        )
        return Response(options, media_type="application/json")

    async def use_passkey(self, request: Request) -> Response:
        """Sign in with a passkey: it knows its owner, so that no mailbox is asked."""
        _locale_of(request)
        now = utc_now()
        form = await read_form(request)
        next_path = own_path(form.text("next"))
        party = find_party(request, self._house.settings)
        account_id = None
        if party is not None:
            account_id = await self._house.database.write(
                second_step.check_passkey, account_id=None, credential=form.text("credential"), party=party, now=now
            )
        if account_id is not None:
            response = await self._admit(request, account_id, by="passkey", next_path=next_path, now=now)
            if response is not None:
                return response
        return self._show_form(request, next_path=next_path, error=WRONG_PASSKEY, field="passkey")

    # The second step

    async def show_second_step(self, request: Request) -> Response:
        """Ask for what this account has beside its mailbox."""
        half = self._half(request, utc_now())
        if half is None:
            return RedirectResponse(f"/{_locale_of(request)}/workspace/sign-in", 303)
        return await self._show_second_step(request, half[0])

    async def take_second_step(self, request: Request) -> Response:
        """Sign in whoever proves the second step, too."""
        locale, now = _locale_of(request), utc_now()
        form = await read_form(request)
        half = self._half(request, now)
        if half is None:
            return RedirectResponse(f"/{locale}/workspace/sign-in", 303)
        account_id, next_path = half
        by = await self._check_second_step(request, form, account_id, now)
        response = None
        if by is not None:
            response = await self._admit(request, account_id, by=by, next_path=next_path, now=now)
        if response is None:
            await self._house.database.write(record, what="not_proven", now=now, account_id=account_id)
            await pause()
            return await self._show_second_step(request, account_id, form)
        return response

    async def offer_second_step(self, request: Request) -> Response:
        """Return what a browser needs to use a passkey of this account, as JSON."""
        _locale_of(request)
        now = utc_now()
        half, party = self._half(request, now), find_party(request, self._house.settings)
        if half is None or party is None:
            raise HTTPException(404)
        options = await self._house.database.write(
            second_step.offer_authentication,
            account_id=half[0],
            party=party,
            challenge=secrets.token_bytes(CHALLENGE_BYTES),
            now=now,
        )
        return Response(options, media_type="application/json")

    async def _check_second_step(self, request: Request, form: Form, account_id: UUID, now: datetime) -> str | None:
        """Return by what the second step was proven, or None."""
        write, keyring = self._house.database.write, self._house.keyring
        if form.text("credential"):
            party = find_party(request, self._house.settings)
            owner_id = (
                None
                if party is None
                else await write(
                    second_step.check_passkey,
                    account_id=account_id,
                    credential=form.text("credential"),
                    party=party,
                    now=now,
                )
            )
            return None if owner_id is None else "passkey"
        if form.text("recovery"):
            is_right = await write(
                second_step.use_recovery_code,
                account_id=account_id,
                code=form.text("recovery"),
                keyring=keyring,
                now=now,
            )
            return "recovery_code" if is_right else None
        is_right = await write(
            second_step.check_authenticator, account_id=account_id, code=form.text("code"), keyring=keyring, now=now
        )
        return "authenticator" if is_right else None

    # Letting in

    async def _admit(
        self, request: Request, account_id: UUID, *, by: str, next_path: str | None, now: datetime
    ) -> Response | None:
        browser = self._browser(request)
        is_in = await self._house.database.write(
            signing_in.admit_account, account_id=account_id, browser=browser, by=by, now=now
        )
        if not is_in:
            return None
        return self._let_in(_locale_of(request), Admitted(account_id, next_path, needs_second_step=False), browser, now)

    def _let_in(self, locale: Locale, admitted: Admitted, browser: Browser, now: datetime) -> Response:
        settings = self._house.settings
        if admitted.needs_second_step:
            response = RedirectResponse(f"/{locale}/workspace/sign-in/second-step", 303)
            content = [admitted.account_id.hex, int(now.timestamp()), admitted.next_path]
            self._write(response, HALF_COOKIE, content)
        else:
            response = RedirectResponse(admitted.next_path or f"/{locale}/workspace", 303)
            write_session_cookies(response, browser.secret, admitted.account_id, self._house)
            HALF_COOKIE.forget(response, settings=settings)
        ASKED_COOKIE.forget(response, settings=settings)
        return response

    def _browser(self, request: Request) -> Browser:
        old = request.cookies.get(session_cookie(self._house.settings))
        return Browser(new_secret(), name_device(request.headers.get("user-agent", "")), old)

    # Cookies

    def _write(self, response: Response, cookie: SealedCookie, content: list[Any]) -> None:
        cookie.write(response, content, keyring=self._house.keyring, settings=self._house.settings)

    def _asked(self, request: Request, now: datetime) -> _Asked | None:
        content = ASKED_COOKIE.read(request, keyring=self._house.keyring)
        if content is None or now.timestamp() - content[1] > ASKED_COOKIE.seconds:
            return None
        return _Asked(UUID(content[0]), content[2], content[3])

    def _half(self, request: Request, now: datetime) -> tuple[UUID, str | None] | None:
        content = HALF_COOKIE.read(request, keyring=self._house.keyring)
        if content is None or now.timestamp() - content[1] > HALF_COOKIE.seconds:
            return None
        return UUID(content[0]), content[2]

    # Pages

    def _show_form(
        self,
        request: Request,
        *,
        next_path: str | None,
        email: str = "",
        error: Message | None = None,
        field: str = "email",
    ) -> Response:
        locale = _locale_of(request)
        return self._page(
            request,
            "sign_in.html",
            "/workspace/sign-in",
            status_code=422 if error else 200,
            next_path=next_path,
            next_query=urlencode({"next": next_path}) if next_path else "",
            email=email,
            error=None if error is None else (field, error.say(locale)),
            has_passkeys=find_party(request, self._house.settings) is not None,
        )

    def _show_check_email(
        self, request: Request, email: str, *, error: Message | None = None, is_sent_again: bool = False
    ) -> Response:
        locale = _locale_of(request)
        return self._page(
            request,
            "sign_in_check_email.html",
            "/workspace/sign-in/check-email",
            status_code=422 if error else 200,
            email=email,
            sender=self._house.settings.mail_from,
            subject=KINDS["sign_in"].subject.say(locale),
            error=None if error is None else error.say(locale),
            is_sent_again=is_sent_again,
        )

    def _show_link(self, request: Request, *, needs_tick: bool, error: Message | None = None) -> Response:
        return self._page(
            request,
            "sign_in_confirm.html",
            f"/workspace/sign-in/{request.path_params['token']}",
            status_code=422 if error else 200,
            needs_tick=needs_tick,
            error=None if error is None else error.say(_locale_of(request)),
        )

    def _show_dead_link(self, request: Request, status_code: int) -> Response:
        return self._page(request, "sign_in_expired.html", "/workspace/sign-in", status_code=status_code)

    async def _show_second_step(self, request: Request, account_id: UUID, form: Form | None = None) -> Response:
        step = await self._house.database.read(find_second_step, account_id=account_id)
        field, error = "code", None
        if form is not None:
            field = next((name for name in ("credential", "recovery") if form.text(name)), "code")
            error = WRONG_PASSKEY if field == "credential" else WRONG_SECOND
        return self._page(
            request,
            "second_step.html",
            "/workspace/sign-in/second-step",
            status_code=422 if error else 200,
            step=step,
            has_passkey=bool(step.passkeys) and find_party(request, self._house.settings) is not None,
            error=None if error is None else (field, error.say(_locale_of(request))),
        )

    def _page(self, request: Request, template: str, path: str, *, status_code: int = 200, **context: Any) -> Response:  # noqa: ANN401 - a page's own
        content = self._house.pages.render(
            f"workspace/{template}",
            _locale_of(request),
            path=path,
            base_url=self._house.settings.base_url,
            **context,
        )
        return HTMLResponse(content, status_code)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the browser that asked knows."""

    request_id: UUID
    email: str
    next_path: str | None


def _locale_of(request: Request) -> Locale:
    try:
        return as_locale(request.path_params["locale"])
    except ValueError:
        raise HTTPException(404) from None
