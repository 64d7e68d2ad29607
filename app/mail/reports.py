"""Delivery reports: the address that each letter comes back to, and what a message that came back says of it.

The envelope sender of a letter is ``bounces+<letter>.<mark>@…`` (VERP): 32 hexadecimal digits of its id, and 16 of a
keyed hash without which nobody makes one up. A report is RFC 3464's ``multipart/report``; older programs write plain
text, of which only a code of RFC 3463 or a few well-known words are believed. Nothing here raises, whatever comes.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.core.keys import keyed_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.keys import Keyring

MARK_BYTES: Final = 8
#: More than this of a message is not read: what a report says of itself comes first.
REPORT_BYTES: Final = 1024 * 1024
_ADDRESS: Final = re.compile(r"\+([0-9a-f]{32})\.([0-9a-f]{16})@", re.IGNORECASE)
#: Where relays write whom they hand a message to.
_RECIPIENT_HEADERS: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To")
_STATUS: Final = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_GAVE_UP: Final = re.compile(r"permanent (?:fatal )?error|could not be delivered|X-Failed-Recipients:", re.IGNORECASE)
_MAILERS: Final = re.compile(r"\b(?:mailer-daemon|postmaster)\b", re.IGNORECASE)
#: For a plain message that gives no code (RFC 3463: permanent, undefined).
_UNDEFINED: Final = "5.0.0"


@dataclass(frozen=True, slots=True)
class Report:
    """A message that came back: the addresses that it came to, and the status with which delivery was given up.

    ``status`` is None where it does not say so: a warning that it takes longer, an answering machine, anything else.
    """

    recipients: tuple[str, ...]
    status: str | None


def bounce_address(keyring: Keyring, letter_id: UUID, bounces_to: str) -> str:
    """Return the address that a letter comes back to."""
    name, _, domain = bounces_to.rpartition("@")
    return f"{name}+{letter_id.hex}.{_mark(keyring, letter_id)}@{domain}"


def find_letter(keyring: Keyring, addresses: tuple[str, ...]) -> UUID | None:
    """Return the letter that one of these addresses belongs to; None where none was made by us."""
    for address in addresses:
        for match in _ADDRESS.finditer(address):
            letter_id = UUID(match[1])
            if hmac.compare_digest(_mark(keyring, letter_id), match[2].lower()):
                return letter_id
    return None


def read_report(raw: bytes) -> Report:
    """Read a message as a relay passes it on."""
    try:
        return _read(message_from_bytes(raw[:REPORT_BYTES]))
    except RecursionError:
        # Parts within parts within parts: nobody's report.
        return Report((), None)


def _read(mail: Message) -> Report:
    recipients = tuple(str(value) for name in _RECIPIENT_HEADERS for value in mail.get_all(name, []))
    outcomes = [block for part in mail.walk() if _is_report(part) for block in _blocks(part)]
    if outcomes:
        return Report(recipients, _status_of(outcomes))
    return Report(recipients, _status_in_text(mail))


def _mark(keyring: Keyring, letter_id: UUID) -> str:
    return keyed_hash(keyring.bounces, letter_id.bytes)[:MARK_BYTES].hex()


def _is_report(part: Message) -> bool:
    return part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}


def _blocks(part: Message) -> Iterator[Message]:
    """Yield what is said of each recipient; the block about the message as a whole has no action."""
    payload = part.get_payload()
    for block in payload if isinstance(payload, list) else ():
        if isinstance(block, Message) and block.get("Action"):
            yield block


def _status_of(outcomes: list[Message]) -> str | None:
    """Return the status of the recipient that was given up.

    That may be 4.x.x, where a relay tried for days. "delayed" is a warning, and the other actions are good news.
    """
    for block in outcomes:
        if str(block["Action"]).strip().lower() == "failed":
            found = _STATUS.search(str(block.get("Status", "")))
            return found[1] if found else _UNDEFINED
    return None


def _status_in_text(mail: Message) -> str | None:
    """Return the status in a plain message that a mail program wrote, and no person or answering machine."""
    is_null = str(mail.get("Return-Path", "")).strip() == "<>"
    if not is_null and not _MAILERS.search(str(mail.get("From", ""))):
        return None
    if str(mail.get("Auto-Submitted", "")).strip().lower() == "auto-replied" and not mail.get("X-Failed-Recipients"):
        return None
    text = _text_of(mail)
    found = _STATUS.search(text)
    if found:
        return found[1] if found[1].startswith("5") else None
    return _UNDEFINED if mail.get("X-Failed-Recipients") or _GAVE_UP.search(text) else None


def _text_of(mail: Message) -> str:
    """Return what the first part of text says."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            return payload.decode("ascii", "replace") if isinstance(payload, bytes) else ""
    return ""
