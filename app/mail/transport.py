"""How letters leave: through a relay, or into a Maildir that ``/dev/mailbox`` shows."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from mailbox import Error as MailboxError
from mailbox import Maildir
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from email.message import EmailMessage
    from pathlib import Path

    from aiosmtplib import SMTP

SECONDS: Final = 30


class RefusedForNow(Exception):
    """The relay could not take the letter now; the message is a reply code or the name of what happened."""


class RefusedForEver(Exception):
    """The relay will not take this letter; the message is its reply code."""


class Sender(ABC):
    """An open way out, for one letter after another."""

    @abstractmethod
    async def send(self, letter: EmailMessage, *, bounces_to: str | None = None) -> None:
        """Hand over ``letter``; it comes back to ``bounces_to``, else to who is in From.

        Raises RefusedForNow, RefusedForEver.
        """


class Transport(ABC):
    """Opens ways out."""

    @abstractmethod
    def open(self) -> object:
        """Return an async context manager that gives a Sender. Entering raises RefusedForNow."""


class MailboxTransport(Transport):
    """Keeps letters in a Maildir, for development."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; it is made when first needed."""
        self._folder = folder
        self._turn = threading.Lock()  # Maildir numbers its files without one, and two threads would clash

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sender]:
        """Give a sender that writes files."""
        try:
            # Maildir's own making of its folders fails where two processes start at once, or one died half-way.
            for part in (self._folder.parent, self._folder, *(self._folder / name for name in ("tmp", "new", "cur"))):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise RefusedForNow(type(fault).__name__) from None
        yield _MailboxSender(Maildir(self._folder, create=False), self._turn)


class _MailboxSender(Sender):
    def __init__(self, mailbox: Maildir, turn: threading.Lock) -> None:
        self._mailbox = mailbox
        self._turn = turn

    async def send(self, letter: EmailMessage, *, bounces_to: str | None = None) -> None:
        del bounces_to  # nothing comes back from a folder
        try:
            await asyncio.to_thread(self._add, letter.as_bytes())
        except (OSError, MailboxError) as fault:
            raise RefusedForNow(type(fault).__name__) from None

    def _add(self, content: bytes) -> None:
        with self._turn:
            self._mailbox.add(content)


class RelayTransport(Transport):
    """Hands letters to a relay over SMTP; STARTTLS is used wherever the relay offers it."""

    def __init__(self, url: str) -> None:
        """Take ``smtp://user:password@host:port`` or ``smtps://…``."""
        parts = urlsplit(url)
        self._is_tls = parts.scheme == "smtps"
        self._host = parts.hostname or ""
        self._port = parts.port or (465 if self._is_tls else 587 if parts.username else 25)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Sender]:
        """Connect, and close politely afterwards."""
        # Imported where it is used: a server in development never needs it, and starts sooner without.
        from aiosmtplib import SMTP, SMTPException

        client = SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._is_tls,
            timeout=SECONDS,
        )
        try:
            await client.connect()
        except (SMTPException, OSError) as fault:
            raise RefusedForNow(type(fault).__name__) from None
        try:
            yield _RelaySender(client)
        finally:
            try:
                await client.quit()
            except (SMTPException, OSError):
                client.close()


class _RelaySender(Sender):
    def __init__(self, client: SMTP) -> None:
        self._client = client

    async def send(self, letter: EmailMessage, *, bounces_to: str | None = None) -> None:
        from aiosmtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPSenderRefused

        # One recipient, said explicitly: nothing in a header can add another.
        (recipient,) = (address.addr_spec for address in letter["To"].addresses)
        try:
            await self._client.send_message(letter, sender=bounces_to, recipients=[recipient])
        except SMTPRecipientsRefused as fault:
            raise _refusal(fault.recipients[0].code) from None
        except SMTPSenderRefused as fault:
            # That is about MAIL_FROM and so about every letter: ours to mend, and they wait.
            raise RefusedForNow(str(fault.code)) from None
        except SMTPResponseException as fault:
            raise _refusal(fault.code) from None
        except (SMTPException, OSError) as fault:
            raise RefusedForNow(type(fault).__name__) from None


def _refusal(code: int) -> Exception:
    # 5xx is for ever, but a relay that wants a login or has none of our mail is ours to mend: letters wait (535, 530).
    if 500 <= code < 600 and code not in {530, 534, 535, 538}:  # noqa: PLR2004 - RFC 5321 reply codes
        return RefusedForEver(str(code))
    return RefusedForNow(str(code))


def open_transport(smtp_url: str | None, mailbox: Path) -> MailboxTransport | RelayTransport:
    """Return the way out that the settings ask for."""
    return RelayTransport(smtp_url) if smtp_url else MailboxTransport(mailbox)
