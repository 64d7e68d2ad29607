"""A real server on each database, and a real browser in front of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import sync_playwright

from app.actions.campaigns import Publication, import_campaign
from app.actions.demonstration import load_demonstration
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import open_keyring
from app.rules.campaign_file import parse_campaign_file
from app.settings import Settings
from tests.conftest import plain
from tests.postgres import free_port
from tests.stage import read_letters, small_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Locator, Page

    from tests.postgres import PostgresServer

ROOT: Final = Path(__file__).resolve().parents[2]
FLAGS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_SECONDS: Final = 30
LETTER_SECONDS: Final = 20
ALL_RULES: Final = {"resultTypes": ["violations"]}


@dataclass(frozen=True)
class LiveServer:
    """A running ``hatthalekha serve`` with its background work, and three campaigns."""

    url: str
    settings: Settings
    #: Asks without a browser.
    client: httpx.Client

    #: Open for a month, in three languages; small, with a threshold of 3.
    slug: str = "libraries"
    #: Long, complete in three languages: the demonstration's.
    long_slug: str = "khmer-services"
    #: Signed by organisations.
    letter_slug: str = "safe-calls"

    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def new_address(self, who: str) -> str:
        """Return an address that nobody has had yet."""
        return f"{who}{next(self._numbers)}@example.org"

    def list_links(self, address: str, part: str) -> list[str]:
        """Return the links with ``part`` in the letters to ``address``, the newest letter's first."""
        letters = reversed(read_letters(self.settings.mailbox_dir, f"To: {address}"))
        found = [re.search(rf"https?://\S*{re.escape(part)}[\w-]+", letter.text) for letter in letters]
        return [link[0] for link in found if link is not None]

    def wait_for_link(self, address: str, part: str, *, after: int = 0) -> str:
        """Return the link with ``part`` in the newest letter to ``address``, once there are more than ``after``."""
        deadline = time.monotonic() + LETTER_SECONDS
        while time.monotonic() < deadline:
            links = self.list_links(address, part)
            if len(links) > after:
                return links[0]
            time.sleep(0.05)
        raise AssertionError(f"no letter to {address} with {part}")


@pytest.fixture(scope="session")
def sqlite_server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve the demonstration and a small campaign from SQLite, one for each test process."""
    folder = tmp_path_factory.mktemp("live")
    shutil.copy(sqlite_template, folder / "hatthalekha.db")
    yield from _serve(f"sqlite:///{folder}/hatthalekha.db", folder)


@pytest.fixture(scope="session")
def postgresql_server(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve the same from PostgreSQL."""
    url = plain(postgres.create_database("live", template="template_migrated"))
    yield from _serve(url, tmp_path_factory.mktemp("live"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> LiveServer:
    """Find the server on each database."""
    found: LiveServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture(scope="module")
def browser(server: LiveServer) -> Iterator[Browser]:
    """Start Chromium, with an empty profile, for as long as a server stands.

    Playwright keeps an event loop running in its thread, where no other may be started: so servers and their databases
    are made before it and ended after it.
    """
    with sync_playwright() as playwright:
        path = os.environ.get("TEST_BROWSER") or shutil.which("chromium")  # script/test finds or installs one
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a page as large as a cheap telephone's, in a profile of its own."""
    context = browser.new_context(viewport={"width": 360, "height": 720})
    yield context.new_page()
    context.close()


def press(button: Locator) -> None:
    """Press what leads to another page, and wait until that is there.

    A click alone returns as soon as the answer's head has come: whoever looks then sees an empty document.
    """
    with button.page.expect_navigation():
        button.click()


def open_letter(page: Page, server: LiveServer, address: str) -> None:
    """Wait for the letter to ``address`` and follow its link, as it stands in the mailbox of development."""
    server.wait_for_link(address, "/confirm/")
    page.goto(f"{server.url}/dev/mailbox")
    press(page.locator("article", has_text=address).get_by_role("link", name="/confirm/").first)


def run_axe(page: Page, options: Mapping[str, object] = ALL_RULES) -> AxeResults:
    """Look for what keeps people out of the page as it is now.

    axe is given to each document once, however often it is looked at, and answers with the violations alone: handing
    it over each time, and all that it says of what is right, was a third of a look.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate("async options => (await axe.run(options)).violations", options)
    return AxeResults({"violations": found})


def find_overflow(page: Page) -> Any:  # noqa: ANN401 - JSON
    """Return the elements that stick out of the window, when the page can be scrolled sideways."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
            [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .slice(0, 5).map(e => e.outerHTML.slice(0, 120))"""
    )


def _serve(url: str, folder: Path) -> Iterator[LiveServer]:
    settings = Settings(database_url=url, keys_dir=folder / "keys")
    asyncio.run(_fill(settings))
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HATTHALEKHA_")},
        "HATTHALEKHA_DATABASE_URL": url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=address) as client:
            _wait_for(client, process)
            yield LiveServer(address, settings, client)
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


async def _fill(settings: Settings) -> None:
    database, keyring = open_database(settings.database_url), open_keyring(settings.keys_dir)
    await database.write(load_demonstration, keyring=keyring, now=utc_now())
    file = parse_campaign_file(json.dumps(small_campaign()).encode())
    await database.write(import_campaign, file=file, keyring=keyring, now=utc_now(), publication=Publication(30))
    await database.close()


def _wait_for(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended"
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(client.base_url)
