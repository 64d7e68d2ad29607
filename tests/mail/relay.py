"""A relay on loopback that does to letters whatever a test tells it to: takes, refuses, hangs up, hangs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import EmailMessage
    from typing import Self


@dataclass(frozen=True)
class Delivery:
    """A letter as the relay got it: envelope and bytes."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        """The letter, read."""
        return message_from_bytes(self.raw, policy=default)

    def part(self, kind: str) -> str:
        """Return the text (plain) or the HTML (html)."""
        body = self.mail.get_body((kind,))
        assert body is not None
        return str(body.get_content())


class Relay:
    """An SMTP server. Its mood is ``take``, ``hang``, ``hang up``, or what to reply at one command, as ``RCPT 550``."""

    def __init__(self) -> None:
        """Take letters until told otherwise."""
        self.mood = "take"
        self.wants_login = ""
        self.deliveries: list[Delivery] = []
        self._sessions: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", 0)
        return self

    async def stop(self) -> None:
        """End every session, and listen no longer."""
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)
        await self._server.wait_closed()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        session.add_done_callback(self._sessions.discard)
        try:
            with suppress(OSError, EOFError):
                await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 relay\r\n")
        sender, recipients = "", list[str]()
        while line := (await reader.readline()).decode().strip():
            command = line.partition(" ")[0].upper()
            reply = self._reply(command, line)
            if reply.startswith("250") and command == "MAIL":
                sender, recipients = _address(line), []
            elif reply.startswith("250") and command == "RCPT":
                recipients.append(_address(line))
            writer.write(f"{reply}\r\n".encode())
            if reply.startswith("354"):
                raw = (await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
                self.deliveries.append(Delivery(sender, tuple(recipients), raw))
                if self.mood == "hang":
                    await asyncio.sleep(3600)
                if self.mood == "hang up":
                    return
                writer.write(b"250 taken\r\n")

    def _reply(self, command: str, line: str) -> str:
        at, _, code = self.mood.partition(" ")
        if command == at and code.isdecimal():
            return f"{code} no, for this test"
        if command == "EHLO" and self.wants_login:
            return "250-relay\r\n250 AUTH PLAIN"
        if command == "AUTH":
            return "235 welcome" if line.endswith(self.wants_login) else "535 5.7.8 wrong"
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok")


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
