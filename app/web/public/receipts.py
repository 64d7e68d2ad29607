"""A signer's receipt: asked for on their own page, given for a code, and never mailed, since it is evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse

from app.actions.receipts import ask_for_receipt_code, check_receipt_code, find_codes_asked
from app.core import tokens
from app.core.clock import utc_now
from app.i18n import message
from app.queries.log import find_receipt
from app.queries.signatures import find_own_signature
from app.rules.khmer import to_latin_digits
from app.web.forms import read_form
from app.web.public import views
from app.web.routes import show_and_post

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from app.i18n import Message
    from app.queries.signatures import OwnSignature
    from app.web.house import House

FILE: Final = {"Content-Disposition": 'attachment; filename="receipt.tlog-proof"', "Cache-Control": "no-store"}


class Receipts:
    """Routes of a signer's receipt."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [show_and_post("/{locale}/signature/{token}/receipt", self.show, self.act)]

    async def show(self, request: Request) -> Response:
        """Say what a receipt is and what it may cost, and take a code where one was asked for."""
        own = await self._find(request)
        if own.state != "confirmed":
            return _back(request)
        return await self._show(request, own, has_asked="asked" in request.query_params)

    async def act(self, request: Request) -> Response:
        """Send a code, or give the receipt for it; where the log does not have the signature, say how that goes.

        Whether it has is looked up for a right code alone: a link that somebody else got hold of tells nobody who is
        held back. Who proves the mailbox reads the same for that as for a batch that has not come.
        """
        own = await self._find(request)
        form = await read_form(request)
        if own.state != "confirmed":
            return _back(request)
        if "code" in form:
            return await self._give(request, own, form.text("code"))
        locale = views.locale_of(request)
        await self._house.database.write(ask_for_receipt_code, signature_id=own.id, locale=locale, now=utc_now())
        return RedirectResponse(f"/{locale}{_path_of(request)}?asked", 303)

    async def _give(self, request: Request, own: OwnSignature, typed: str) -> Response:
        code = "".join(to_latin_digits(typed).split())
        is_right = len(code) == tokens.CODE_DIGITS and code.isdecimal() and await self._house.database.write(
            check_receipt_code,
            signature_id=own.id,
            code=code,
            codes_key=self._house.keyring.codes,
            now=utc_now(),
        )  # fmt: skip
        if is_right:
            receipt = await self._house.database.read(find_receipt, signature_id=own.id, keyring=self._house.keyring)
            if receipt is None:
                return await self._show(request, own, is_waiting=True)
            return PlainTextResponse(receipt.text, headers=FILE)
        error = message("This code is not right or no longer works. Enter the 6 digits of the newest email")
        if not code:
            error = message("Enter the 6 digits of the email")
        return await self._show(request, own, code_error=error)

    async def _find(self, request: Request) -> OwnSignature:
        views.locale_of(request)
        token = request.path_params["token"]
        own = None
        if tokens.TOKEN_FORM.fullmatch(token):
            own = await self._house.database.read(
                find_own_signature, token=token, purpose="manage", keyring=self._house.keyring
            )
        if own is None:
            raise HTTPException(404)
        return own

    async def _show(
        self,
        request: Request,
        own: OwnSignature,
        *,
        has_asked: bool = False,
        is_waiting: bool = False,
        code_error: Message | None = None,
    ) -> Response:
        locale = views.locale_of(request)
        shelved = await self._house.shelf.find(own.campaign_slug)
        if shelved is None:
            raise HTTPException(404)
        codes = await self._house.database.read(find_codes_asked, signature_id=own.id, now=utc_now())
        return views.show(
            self._house,
            "public/receipt.html",
            locale,
            _path_of(request),
            status_code=422 if code_error else 200,
            campaign=shelved.campaign,
            title=views.title_of(shelved.campaign, locale),
            signature=own,
            # The address alone says nothing: it may be opened again tomorrow.
            is_asked=code_error is not None or (has_asked and codes.is_on_its_way),
            is_enough=codes.is_enough,
            is_waiting=is_waiting,
            code_error=None if code_error is None else code_error.say(locale),
        )


def _path_of(request: Request) -> str:
    return f"/signature/{request.path_params['token']}/receipt"


def _back(request: Request) -> Response:
    """Go to the signer's own page, which says how the signature stands: there is no receipt for it."""
    return RedirectResponse(f"/{views.locale_of(request)}/signature/{request.path_params['token']}", 303)
