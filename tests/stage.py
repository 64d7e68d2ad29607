"""A stage for tests: the real application on a real, migrated database, driven without a network.

``Stage`` is synchronous: it owns an event loop and runs in it whatever a test asks for. Letters go into a Maildir, as
in development, and background work happens when a test says so.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass
from email import message_from_binary_file
from email.policy import default
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import delete, select, text

from app.actions.accounts import find_or_create_account, hash_secret, open_session
from app.actions.campaigns import Publication, import_campaign
from app.core.clock import utc_now
from app.jobs.background import Background
from app.jobs.deliver_mail import deliver_mail
from app.jobs.open_and_close import open_and_close
from app.jobs.roll_up_counts import roll_up_counts
from app.mail.transport import MailboxTransport
from app.main import build_house, create_app
from app.models import Campaign, Member
from app.queries.accounts import find_signed_in
from app.rules.campaign_file import parse_campaign_file
from app.settings import Settings
from app.web.sessions import FormGuard, new_secret, session_cookie

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Sequence
    from email.message import EmailMessage
    from uuid import UUID

    from sqlalchemy.orm import Session
    from starlette.types import ASGIApp

    from app.core.db import Work

P = ParamSpec("P")
T = TypeVar("T")

#: For what no database decides: the look of pages, faults of forms, languages.
on_one_database: Final = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

REAL_CAMPAIGNS: Final = Path(__file__).resolve().parents[2] / "shared" / "real-campaigns"


@dataclass(frozen=True)
class Letter:
    """A letter that was delivered."""

    mail: EmailMessage
    raw: bytes

    @property
    def text(self) -> str:
        """The plain text."""
        body = self.mail.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def html(self) -> str:
        """The HTML."""
        body = self.mail.get_body(("html",))
        assert body is not None
        return str(body.get_content())

    def token(self, purpose: str) -> str:
        """Return the token of the first link for ``confirm`` or ``signature``."""
        match = re.search(rf"/{purpose}/([\w-]+)", self.text)
        assert match is not None, self.text
        return match[1]

    @property
    def code(self) -> str:
        """The six digits."""
        match = re.search(r"\b(\d{3}) ?(\d{3})\b", self.text)
        assert match is not None, self.text
        return match[1] + match[2]


@dataclass(frozen=True)
class Organiser:
    """Somebody who is signed in, with a browser of their own."""

    stage: Stage
    browser: httpx.AsyncClient
    account_id: UUID
    email: str

    def get(self, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Open an address."""
        return self.stage.get(path, browser=self.browser, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:  # noqa: ANN401 - as the stage's
        """Send a form with this session's token."""
        pairs = list((data or {}).items()) if not isinstance(data, list) else data
        return self.stage.post(path, [*pairs, ("form_token", self.form_token)], browser=self.browser, **options)

    @property
    def form_token(self) -> str:
        """The token that this session's forms carry."""
        secret = self.browser.cookies[session_cookie(self.stage.settings)]
        signed_in = self.stage.read(
            find_signed_in, secret_hash=hash_secret(secret), keyring=self.stage.keyring, now=utc_now()
        )
        assert signed_in is not None, "the session has ended"
        return FormGuard(self.stage.keyring.forms, signed_in).token


class Stage:
    """The application, its database and its mailbox."""

    def __init__(self, url: str, folder: Path) -> None:
        """Open the application on the migrated database at ``url``."""
        self.runner = asyncio.Runner()
        self.settings = Settings(database_url=url, keys_dir=folder / "keys", default_locale="km")
        self.transport = MailboxTransport(self.settings.mailbox_dir)
        self.house = build_house(self.settings)
        self.database, self.keyring = self.house.database, self.house.keyring
        self.background = Background(self.settings, self.database, self.keyring, self.house.pages, self.transport)

    @cached_property
    def app(self) -> ASGIApp:
        """The application; many a test asks for no page, and its routes take time to make."""
        return create_app(self.house, with_background=False)

    @cached_property
    def browser(self) -> httpx.AsyncClient:
        """A browser of somebody who is not signed in."""
        return self.new_browser()

    def close(self) -> None:
        """Let go of everything."""
        self.run(self.house.limits.close())
        self.run(self.database.close())
        self.runner.close()

    # Running things

    def run(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """Run a coroutine to its end."""

        async def wait() -> T:
            return await work

        return self.runner.run(wait())

    def write(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a unit of work."""
        return self.run(self.database.write(work, *args, **kwargs))

    def read(self, work: Work[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query."""
        return self.run(self.database.read(work, *args, **kwargs))

    def sql(self, statement: str, **values: object) -> list[Any]:
        """Return the rows of a statement, as plain tuples."""
        return self.read(lambda session: [tuple(row) for row in session.execute(text(statement), values)])

    def sql_write(self, statement: str, **values: object) -> None:
        """Run a statement that changes something, for what no action of ours does."""

        def work(session: Session) -> None:
            session.execute(text(statement), values)

        self.write(work)

    # Campaigns

    def campaign(self, document: dict[str, Any] | None = None, *, open_for: int | None = 30, **changes: object) -> str:
        """Import a campaign, open for thirty days, and return its slug."""
        data = {**(document or small_campaign()), **changes}
        file = parse_campaign_file(json.dumps(data, ensure_ascii=False).encode())
        self.write(
            import_campaign,
            file=file,
            keyring=self.keyring,
            now=utc_now(),
            publication=Publication(open_for),
        )
        return file.slug

    # People of the workspace

    def organiser(self, email: str = "owner@example.org", *, locale: str = "en", role: str = "organiser") -> Organiser:
        """Sign somebody in, with an account that is made where there is none."""
        account_id = self.write(
            find_or_create_account, email=email, locale=locale, keyring=self.keyring, now=utc_now(), role=role
        )
        secret = new_secret()
        self.write(open_session, account_id=account_id, secret=secret, device="test", now=utc_now())
        browser = self.new_browser()
        browser.cookies.set(session_cookie(self.settings), secret)
        return Organiser(self, browser, account_id, email)

    def join(self, slug: str, somebody: Organiser, role: str = "owner", locales: Sequence[str] = ()) -> None:
        """Put somebody into a campaign's team, in whatever role they had."""

        def work(session: Session) -> None:
            campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
            key = {"campaign_id": campaign_id, "account_id": somebody.account_id}
            session.execute(delete(Member).filter_by(**key))
            session.add(Member(**key, role=role, locales=list(locales), joined_at=utc_now()))

        self.write(work)

    # Browsing

    def new_browser(self) -> httpx.AsyncClient:
        """Return a browser with no cookies."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app, raise_app_exceptions=False), base_url=self.settings.base_url
        )

    def get(self, path: str, *, browser: httpx.AsyncClient | None = None, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        """Open an address."""
        return self.run((browser or self.browser).get(path, **options))

    def post(
        self,
        path: str,
        data: Any = None,  # noqa: ANN401 - whatever urlencode takes
        *,
        browser: httpx.AsyncClient | None = None,
        **options: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:
        """Send a form: a mapping, pairs, or bytes as they are."""
        body = data if isinstance(data, bytes) else urlencode(data or {}, doseq=True).encode()
        headers = {"content-type": "application/x-www-form-urlencoded", **options.pop("headers", {})}
        return self.run((browser or self.browser).post(path, content=body, headers=headers, **options))

    def sign(
        self,
        slug: str,
        *,
        locale: str = "en",
        browser: httpx.AsyncClient | None = None,
        **fields: Any,  # noqa: ANN401 - form fields
    ) -> httpx.Response:
        """Send a good signing form, with ``fields`` changed; None leaves a field out."""
        data = {name: value for name, value in {**good_form(), **fields}.items() if value is not None}
        return self.post(f"/{locale}/campaigns/{slug}/sign", data, browser=browser)

    def count(self, slug: str) -> int:
        """Return the count so far, as the JSON door tells it."""
        response = self.run(self.new_browser().get(f"/api/v1/campaigns/{slug}/count", params={"fresh": "1"}))
        signatures: int = response.json()["signatures"]
        return signatures

    # Background work and letters

    def deliver(self) -> list[Letter]:
        """Deliver what is due, and return every letter so far, oldest first."""
        while self.run(deliver_mail(self.background)):
            pass
        return self.letters()

    def letters(self) -> list[Letter]:
        """Return every letter so far, oldest first."""
        return read_letters(self.settings.mailbox_dir)

    def letters_to(self, address: str) -> list[Letter]:
        """Deliver what is due, and return the letters to ``address``."""
        return [letter for letter in self.deliver() if letter.mail["To"] == address]

    def roll_up(self) -> None:
        """Roll up the counts."""
        self.run(roll_up_counts(self.background))

    def move_by_dates(self) -> None:
        """Open and close what is due."""
        self.run(open_and_close(self.background))


def good_form() -> dict[str, Any]:
    """Return a form that ``small_campaign`` takes."""
    return {
        "name": "សុខ សុភា",
        "email": "sokha@example.org",
        "country": "CA",
        "subdivision": "CA-BC",
        "postal_code": "V3B 1A1",
        "claims": ["citizen_of:CA"],
        "consent": "yes",
    }


def small_campaign(slug: str = "libraries") -> dict[str, Any]:
    """Return a petition in three languages, with a threshold of 3."""
    return {
        "format": "hatthalekha-campaign/1",
        "slug": slug,
        "kind": "petition",
        "source_locale": "en",
        "timezone": "America/Toronto",
        "signatories": "individuals",
        "organiser": {"name": "Friends of Libraries", "email": "organiser@example.org"},
        "addressees": [{"name": {"en": "Government of Canada"}, "country": "CA"}],
        "sponsor": {
            "name": "A. Member",
            "title": {"en": "Member of Parliament"},
            "district": "Somewhere",
            "party": "Independent",
            "email": "office@example.org",
        },
        "eligibility": {"any_of": [{"citizen_of": ["CA"]}, {"permanent_resident_of": ["CA"]}]},
        "thresholds": [
            {"signatures": 3, "label": {"en": "It is presented", "fr": "Elle est présentée", "km": "ដាក់ជូនសភា"}}
        ],
        "texts": {
            "en": {
                "title": "Khmer books in every library",
                "declaration": "We, the undersigned, ask for:",
                "requests": ["books"],
            },
            "fr": {"title": "Des livres khmers partout", "declaration": "Nous demandons :", "requests": ["des livres"]},
            "km": {"title": "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ", "declaration": "ពួកយើងខ្ញុំសូម៖", "requests": ["សៀវភៅ"]},
        },
    }


def read_letters(mailbox: Path, about: str = "") -> list[Letter]:
    """Return the letters in a Maildir that hold ``about`` in their bytes, oldest first."""
    paths = sorted((mailbox / "new").glob("*"), key=_order)
    return [_read_letter(path) for path in paths if not about or about.encode() in path.read_bytes()]


def _order(path: Path) -> tuple[int, int, int]:
    match = re.match(r"(\d+)\.M(\d+)P\d+Q(\d+)", path.name)
    assert match is not None
    return int(match[1]), int(match[2]), int(match[3])


def _read_letter(path: Path) -> Letter:
    with path.open("rb") as file:
        mail = message_from_binary_file(file, policy=default)
    return Letter(mail, path.read_bytes())


__all__ = [
    "REAL_CAMPAIGNS",
    "Letter",
    "Organiser",
    "Stage",
    "good_form",
    "on_one_database",
    "read_letters",
    "small_campaign",
]
