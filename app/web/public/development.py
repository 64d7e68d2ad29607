"""The mailbox of development: letters that no relay took, shown to this machine alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from mailbox import Maildir, NoSuchMailboxError
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from app.i18n import as_locale
from app.web.middleware import PEER, is_loopback
from app.web.public import views

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path

    from starlette.requests import Request

    from app.web.house import House

SHOWN: Final = 100
#: A mail program's way of showing a letter: its own styles, links that can be followed, and nothing else.
LETTER_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)


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
            letter = await run_in_threadpool(_read, self._house.settings.mailbox_dir, request.path_params["key"])
        except (KeyError, NoSuchMailboxError):
            raise HTTPException(404) from None
        part = letter.get_body(("html",))
        if part is None:
            raise HTTPException(404)
        return HTMLResponse(part.get_content(), headers={"Content-Security-Policy": LETTER_POLICY})


def _check_peer(request: Request) -> None:
    """Let this machine in: what is at the socket, and whoever a trusted proxy there says that it speaks for."""
    client = request.client.host if request.client else ""
    if not (is_loopback(client) and is_loopback(request.scope.get(PEER, client))):
        raise HTTPException(404)


def _read(folder: Path, key: str) -> EmailMessage:
    return message_from_bytes(Maildir(folder, create=False).get_bytes(key), policy=default)


def _list(folder: Path) -> list[KeptLetter]:
    if not folder.exists():
        return []
    newest = sorted(Maildir(folder, create=False).keys(), key=_order)
    return [_as_kept(key, _read(folder, key)) for key in reversed(newest[-SHOWN:])]


def _order(key: str) -> tuple[int, ...]:
    """Return when a letter came: seconds, microseconds, process and number, as Maildir writes them into its name."""
    return tuple(int(number) for number in re.findall(r"\d+", key.rpartition(".")[0])[:4])


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
