"""The mailbox of development: letters that no relay took, shown to this machine alone."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from email import message_from_binary_file
from email.policy import default
from mailbox import Maildir
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.i18n import as_locale
from app.web.public import views

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

    from starlette.requests import Request

    from app.web.house import House

SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter as the page shows it."""

    sender: str
    recipient: str
    subject: str
    date: datetime
    text: str
    html_path: str


class Mailbox:
    """Routes of ``/dev/mailbox``; they exist only without a relay and on a local address."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        is_on = house.settings.smtp_url is None and house.settings.is_local
        self.routes = (
            [Route("/dev/mailbox", self.list_letters), Route("/dev/mailbox/{key}", self.show_html)] if is_on else []
        )

    async def list_letters(self, request: Request) -> Response:
        """Show the newest letters."""
        _check_peer(request)
        letters = await run_in_threadpool(_list, self._house.settings.mailbox_dir)
        locale = as_locale(self._house.settings.default_locale)
        return views.show(self._house, "dev/mailbox.html", locale, "/", letters=letters)

    async def show_html(self, request: Request) -> Response:
        """Show the HTML of a letter, as a mail program would: its styles, and nothing that runs."""
        _check_peer(request)
        try:
            letter = await run_in_threadpool(
                _read, self._house.settings.mailbox_dir, request.path_params["key"]
            )
        except KeyError:
            raise HTTPException(404) from None
        part = letter.get_body(("html",))
        if part is None:
            raise HTTPException(404)
        return HTMLResponse(part.get_content(), headers={"X-Letter": "html"})


def _check_peer(request: Request) -> None:
    peer = request.client.host if request.client else ""
    try:
        is_loopback = ipaddress.ip_address(peer).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback:
        raise HTTPException(404)


def _open(folder: Path) -> Maildir:
    return Maildir(folder, factory=lambda file: message_from_binary_file(file, policy=default))  # type: ignore[arg-type]  # typeshed knows only the older message class


def _read(folder: Path, key: str) -> EmailMessage:
    letter: EmailMessage = _open(folder)[key]  # type: ignore[assignment]  # likewise
    return letter


def _list(folder: Path) -> list[KeptLetter]:
    if not folder.exists():
        return []
    box = _open(folder)
    newest = sorted(box.keys(), key=lambda key: float(key.split(".M")[0] + "." + key.split(".M")[1].split("P")[0].zfill(6)))
    return [_as_kept(key, _read(folder, key)) for key in reversed(newest[-SHOWN:])]


def _as_kept(key: str, letter: EmailMessage) -> KeptLetter:
    plain = letter.get_body(("plain",))
    return KeptLetter(
        sender=letter["From"],
        recipient=letter["To"],
        subject=letter["Subject"],
        date=letter["Date"].datetime,
        text="" if plain is None else plain.get_content(),
        html_path=f"/dev/mailbox/{key}",
    )
