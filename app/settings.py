"""Settings: one frozen object, read once from the environment, failing at start and naming what is wrong."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX: Final = "HATTHALEKHA_"
#: How `serve` tells its processes what only its options say.
PORT_OF_SERVE: Final = "HATTHALEKHA_PORT"
WITHOUT_BACKGROUND: Final = "HATTHALEKHA_WITHOUT_BACKGROUND"
LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})

LOCALE_NAMES: Final = ("km", "en", "fr")
#: One address in ASCII, as a relay takes it before the recipient's is known to allow more.
_SENDER: Final = re.compile(r"[!-?A-~]+@[!-?A-~]+")
#: What a relay allows before the @ (64), less "+", a letter's id (32), "." and a mark (16).
LONGEST_BOUNCES_NAME: Final = 14
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadSettingsError(Exception):
    """One or more settings cannot be used; ``faults`` names each."""

    def __init__(self, faults: list[str]) -> None:
        """Keep the faults, one line each."""
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation runs. Names and defaults: ``docs/operating.md``."""

    database_url: str = field(default="sqlite:///data/hatthalekha.db", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "Hatthalekha <no-reply@localhost>"
    bounces_to: str | None = None
    keys_dir: Path = Path("data/keys")
    valkey_url: str | None = field(default=None, repr=False)
    default_locale: str = "km"
    timezone: str = "America/Toronto"
    trusted_proxies: tuple[Network, ...] = ()

    @property
    def is_local(self) -> bool:
        """Whether links lead to this machine alone: development, and where ``/dev/mailbox`` may exist."""
        return (urlsplit(self.base_url).hostname or "") in LOOPBACK_NAMES

    @property
    def is_secure(self) -> bool:
        """Whether visitors come over https, so that cookies may be kept to it."""
        return self.base_url.startswith("https://")

    @property
    def mailbox_dir(self) -> Path:
        """Where letters are kept while there is no relay: beside the keys, one folder for each database."""
        digest = hashlib.sha256(self.database_url.encode()).hexdigest()[:12]
        return self.keys_dir.parent / "mailbox" / digest

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None, *, port: int | None = None) -> Settings:
        """Read the settings; ``port`` completes the default BASE_URL. Raises BadSettingsError, naming every fault."""
        environment = os.environ if environment is None else environment
        given = {
            name.removeprefix(PREFIX): value.strip()
            for name, value in environment.items()
            if name.startswith(PREFIX) and value.strip()
        }
        faults: list[str] = []
        values: dict[str, object] = {}
        for name, read in READERS.items():
            if name not in given:
                continue
            try:
                values[name.lower()] = read(given[name])
            except _UnusableError as fault:
                faults.append(f"{PREFIX}{name} {fault}")
        if faults:
            raise BadSettingsError(faults)
        if port is not None and "BASE_URL" not in given:
            values["base_url"] = f"http://127.0.0.1:{port}"
        return cls(**values)  # type: ignore[arg-type]  # the readers give each field its type


def list_unknown_settings(environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the names that begin like ours and are no setting: most likely misspelt, and never read."""
    environment = os.environ if environment is None else environment
    known = {PREFIX + name for name in READERS} | {PORT_OF_SERVE, WITHOUT_BACKGROUND}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


class _UnusableError(Exception):
    """What is wrong with a setting, to be read after its name. It repeats no address that may hold a password."""


def _split(text: str, otherwise: str) -> SplitResult:
    """Split an address whose port, if any, is a number; ``otherwise`` says what it should have been."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        # Python's own message repeats the part that it could not read, which may be a password.
        raise _UnusableError(otherwise) from None
    return parts


def _database_url(text: str) -> str:
    otherwise = "is neither sqlite:///PATH nor postgresql://USER:PASSWORD@HOST/NAME"
    scheme, _, rest = text.partition("://")
    if scheme == "sqlite":
        if not rest.removeprefix("/") or not rest.startswith("/") or "?" in rest or ":memory:" in rest:
            raise _UnusableError(otherwise)
        return text
    if scheme not in {"postgresql", "postgres", "postgresql+asyncpg"} or not _split(text, otherwise).path.strip("/"):
        raise _UnusableError(otherwise)
    return f"postgresql://{rest}"


def _base_url(text: str) -> str:
    otherwise = "is not an http or https address such as https://petitions.example.org"
    parts = _split(text, otherwise)
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise _UnusableError(otherwise)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _UnusableError("has something after the host, and the pages live at the root")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _smtp_url(text: str) -> str:
    otherwise = "is neither smtp://USER:PASSWORD@HOST:PORT nor smtps://… (/ ? # @ : in a password as %2F and so on)"
    parts = _split(text, otherwise)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise _UnusableError(otherwise)
    return text


def _mail_from(text: str) -> str:
    if any(ord(character) < ord(" ") for character in text) or not _SENDER.fullmatch(parseaddr(text)[1]):
        raise _UnusableError(f"is not an address such as Hatthalekha <no-reply@example.org>: {text!r}")
    return text


def _bounces_to(text: str) -> str:
    # What is added to it marks the letter (app/mail/reports.py): 64 characters may stand before the @, and no more.
    name, _, domain = text.rpartition("@")
    if not _SENDER.fullmatch(text) or "+" in name or len(name) > LONGEST_BOUNCES_NAME or not domain:
        raise _UnusableError(
            f"is not an address such as bounces@example.org, with {LONGEST_BOUNCES_NAME} characters and no + before "
            f"the @: {text!r}"
        )
    return text


def _valkey_url(text: str) -> str:
    otherwise = "is not valkey://HOST:PORT/0"
    if _split(text, otherwise).scheme not in {"valkey", "valkeys", "redis", "rediss"}:
        raise _UnusableError(otherwise)
    return text


def _locale(text: str) -> str:
    if text not in LOCALE_NAMES:
        raise _UnusableError(f"is none of {', '.join(LOCALE_NAMES)}: {text!r}")
    return text


def _timezone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise _UnusableError(f"is no IANA time zone: {text!r}") from None
    return text


def _networks(text: str) -> tuple[Network, ...]:
    networks = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        try:
            networks.append(ipaddress.ip_network(part, strict=False))
        except ValueError:
            raise _UnusableError(f"holds what is neither an address nor a network: {part!r}") from None
    return tuple(networks)


READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "DATABASE_URL": _database_url,
    "BASE_URL": _base_url,
    "SMTP_URL": _smtp_url,
    "MAIL_FROM": _mail_from,
    "BOUNCES_TO": _bounces_to,
    "KEYS_DIR": Path,
    "VALKEY_URL": _valkey_url,
    "DEFAULT_LOCALE": _locale,
    "TIMEZONE": _timezone,
    "TRUSTED_PROXIES": _networks,
}
