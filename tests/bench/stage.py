"""The stage: migrated databases with a campaign and people waiting to confirm, and the requests that will be sent."""

from __future__ import annotations

import asyncio
import shutil
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Self, cast
from urllib.parse import urlencode
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy import func, insert, select

from app.actions.demonstration import load_demonstration
from app.actions.signing import Signer, new_signature_row
from app.core import migrations, tokens
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import Keyring, open_keyring
from app.models import Letter, Signature, Token, open_campaign_key
from app.queries.campaigns import find_campaign
from app.web.marks import form_mark
from tests.bench.processes import tree_of
from tests.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

#: The demonstration's most demanding form: claims, a postal code, a telephone number.
SLUG: Final = "khmer-services"
NAME: Final = "ចាន់ ដារា"
CHUNK: Final = 2000
LINK_WORKS: Final = timedelta(days=7)
BROWSER: Final = (
    "Host: 127.0.0.1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: km,fr-CA;q=0.8,en;q=0.6\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows there are, to tell whether answers were deeds."""

    signatures: int
    letters: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """What stands in every copy of a database: a campaign, and a token for each pending signature.

    ``made`` is the mark that the campaign's form had.
    """

    campaign_id: UUID
    edition_id: UUID
    edition_hash: str
    made: str
    tokens: tuple[str, ...]
    rows: Rows


class Databases(ABC):
    """One prepared database and copies of it; gone at the end."""

    kind: str

    def __init__(self, folder: Path) -> None:
        """Work in ``folder``."""
        self.folder = folder
        self.keys = folder / "keys"
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Go on."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what was started."""
        self._stack.close()

    @abstractmethod
    async def prepare(self, waiting: int) -> Prepared:
        """Make the database, with so many people who wait to confirm."""

    @abstractmethod
    def copy(self, name: str) -> str:
        """Return the address of a new copy."""

    @property
    def watched(self) -> list[int]:
        """The processes of the database itself, none where it lives in the server's."""
        return []


class SqliteDatabases(Databases):
    """Files."""

    kind = "sqlite"

    async def prepare(self, waiting: int) -> Prepared:
        """Make the file."""
        return await _fill(f"sqlite:///{self.folder / 'prepared.db'}", open_keyring(self.keys), waiting)

    def copy(self, name: str) -> str:
        """Copy the file."""
        return f"sqlite:///{shutil.copy(self.folder / 'prepared.db', self.folder / f'{name}.db')}"


class PostgresDatabases(Databases):
    """A server of our own, on disk and waiting for it."""

    kind = "postgresql"

    async def prepare(self, waiting: int) -> Prepared:
        """Start the server, make the database."""
        self._server = self._stack.enter_context(PostgresServer(durable=True))
        self._server.create_database("prepared")
        prepared = await _fill(self._server.dsn("prepared"), open_keyring(self.keys), waiting)
        connection: Any = await asyncpg.connect(self._server.dsn("prepared"))
        # What a server that has been running for a while knows, and what it would otherwise do while it is measured.
        await connection.execute("VACUUM (ANALYZE, FREEZE)")
        await connection.execute("CHECKPOINT")
        await connection.close()
        return prepared

    @property
    def watched(self) -> list[int]:
        """The server and its backends; none where it was given to us and runs elsewhere."""
        process = self._server._process
        return [] if process is None else tree_of(process.pid)

    def copy(self, name: str) -> str:
        """Copy it on the server."""
        self._server.create_database(name, "prepared")
        return self._server.dsn(name)


async def _fill(url: str, keyring: Keyring, waiting: int) -> Prepared:
    await asyncio.to_thread(migrations.upgrade, url)
    database = open_database(url)
    now = utc_now()
    await database.write(load_demonstration, keyring=keyring, now=now)
    campaign = await database.read(find_campaign, slug=SLUG)
    assert campaign is not None
    key = await database.read(open_campaign_key, campaign_id=campaign.id, keyring=keyring)
    assert key is not None
    made: list[str] = []
    for start in range(0, waiting, CHUNK):
        numbers = range(start, min(start + CHUNK, waiting))
        made += await database.write(
            _add_waiting,
            campaign_id=campaign.id,
            edition_id=campaign.edition_id,
            numbers=numbers,
            keyring=keyring,
            key=key,
            now=now,
        )
    rows = await database.read(_count_rows)
    await database.close()
    mark = form_mark(keyring, campaign.id, now)
    return Prepared(campaign.id, campaign.edition_id, campaign.edition_hash, mark, tuple(made), rows)


def _add_waiting(
    session: Session,
    *,
    campaign_id: UUID,
    edition_id: UUID,
    numbers: Iterable[int],
    keyring: Keyring,
    key: DataKey,
    now: datetime,
) -> list[str]:
    """Add pending signatures whose letter is sent, all at once; return the tokens of their links."""
    signatures = [
        new_signature_row(
            campaign_id=campaign_id,
            edition_id=edition_id,
            locale="km",
            signer=_invent_signer(number),
            key=key,
            now=now,
        )
        for number in numbers
    ]
    letters = [_sent_letter(each, now) for each in signatures]
    made = [tokens.make_token(keyring.tokens, "confirm", letter["id"]) for letter in letters]
    kept = [
        {
            "purpose": purpose,
            "hash": hashed,
            "letter_id": letter["id"],
            "signature_id": letter["signature_id"],
            "created_at": now,
            "expires_at": None if purpose == "manage" else now + LINK_WORKS,
        }
        for letter, token in zip(letters, made, strict=True)
        for purpose, hashed in _hashes(keyring, letter, token)
    ]
    for table, rows in ((Signature.__table__, signatures), (Letter.__table__, letters), (Token.__table__, kept)):
        session.connection().execute(insert(cast("Table", table)), rows)
    return made


def _hashes(keyring: Keyring, letter: dict[str, Any], token: str) -> Iterable[tuple[str, bytes]]:
    manage = tokens.make_token(keyring.tokens, "manage", letter["id"])
    code = tokens.make_code(keyring.codes, letter["id"])
    yield "confirm", tokens.hash_token("confirm", token)
    yield "manage", tokens.hash_token("manage", manage)
    yield "code", tokens.hash_code(keyring.codes, letter["signature_id"], code)


def _sent_letter(signature: dict[str, Any], now: datetime) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "kind": "confirm",
        "campaign_id": signature["campaign_id"],
        "signature_id": signature["id"],
        "locale": "km",
        "dedupe_key": f"signature:{signature['id'].hex}:1",
        "state": "sent",
        "due_at": now,
        "attempts": 1,
        "created_at": now,
        "written_at": now,
        "sent_at": now,
    }


def _invent_signer(number: int) -> Signer:
    return Signer(
        name=NAME,
        email=f"waiting-{number:07}@mail.example.org",
        country="CA",
        subdivision="CA-QC",
        postal_code="H3Z 2Y7",
        phone="+15145550123",
        claims=("citizen_of:CA",),
        is_name_shown=False,
        wants_updates=True,
    )


async def count_rows(url: str) -> Rows:
    """Count what is in a database."""
    database = open_database(url)
    try:
        return await database.read(_count_rows)
    finally:
        await database.close()


def _count_rows(session: Session) -> Rows:
    def number(table: type, *which: Any) -> int:  # noqa: ANN401 - SQL conditions
        return session.scalars(select(func.count()).select_from(table).where(*which)).one()

    return Rows(
        number(Signature),
        number(Letter, Letter.kind == "confirm"),
        number(Signature, Signature.state == "confirmed"),
    )


def page_request() -> bytes:
    """Return a request for the campaign's page, as a browser sends it."""
    return f"GET /km/campaigns/{SLUG} HTTP/1.1\r\n{BROWSER}\r\n".encode()


def count_request() -> bytes:
    """Return a request for the campaign's count."""
    return f"GET /api/v1/campaigns/{SLUG}/count HTTP/1.1\r\n{BROWSER}\r\n".encode()


def sign_requests(numbers: range, prepared: Prepared) -> list[bytes]:
    """Return forms of a crowd that is no attack: each from a mailbox and an IP address of its own, as a proxy tells."""
    mark, proxied = "0000000", "address-of-signer"
    fields = {
        "edition": prepared.edition_hash,
        "made": prepared.made,
        "message": "",
        "locale": "km",
        "claims": "citizen_of:CA",
        "name": NAME,
        "email": f"signer-{mark}@gmail.com",
        "country": "CA",
        "subdivision": "CA-QC",
        "postal_code": "H3Z 2Y7",
        "phone": "514 555 0123",
        "updates": "yes",
        "consent": "yes",
    }
    request = _post(f"/km/campaigns/{SLUG}/sign", fields, f"X-Forwarded-For: {proxied}\r\n")
    start, rest = request.split(proxied.encode())
    before, after = rest.split(f"signer-{mark}".encode())
    return [
        b"%s11.%d.%d.7%ssigner-%07d%s" % (start, number >> 8 & 255, number & 255, before, number, after)
        for number in numbers
    ]


def confirm_requests(made: Iterable[str]) -> list[bytes]:
    """Return one press for each token."""
    return [_post(f"/km/confirm/{token}", {"signing": "yes"}) for token in made]


def _post(path: str, fields: dict[str, str], headers: str = "") -> bytes:
    body = urlencode(fields)
    return (
        f"POST {path} HTTP/1.1\r\n{BROWSER}{headers}"
        "Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
