"""A real server on each database, and a real browser in front of it."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import httpx
import pytest
from playwright.sync_api import sync_playwright

from app.settings import Settings
from tests.conftest import plain
from tests.postgres import free_port
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

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
_numbers = itertools.count()


@dataclass(frozen=True)
class LiveServer:
    """A running ``hatthalekha serve`` with its background work, and three campaigns."""

    url: str
    settings: Settings

    #: Open for a month, in three languages; small, with a threshold of 3.
    slug: str = "libraries"
    #: Long, complete in three languages: the demonstration's.
    long_slug: str = "khmer-services"
    #: Signed by organisations.
    letter_slug: str = "safe-calls"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve the demonstration and a small campaign from a database of each kind."""
    folder = tmp_path_factory.mktemp("live")
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), folder / "hatthalekha.db")
        yield from _serve(f"sqlite:///{folder}/hatthalekha.db", folder)
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    name = f"live_{next(_numbers)}"
    yield from _serve(plain(postgres.create_database(name, template="template_migrated")), folder)
    postgres.drop_database(name)


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


def open_letter(page: Page, server: LiveServer, address: str) -> None:
    """Wait for the letter to ``address`` and open it in the mailbox of development."""
    mailbox = page.context.new_page()
    for _ in range(100):
        mailbox.goto(f"{server.url}/dev/mailbox")
        letter = mailbox.locator("article", has_text=address)
        if letter.count():
            break
        time.sleep(0.1)
    link = letter.first.get_by_role("link", name="/confirm/").first
    href = link.get_attribute("href")
    mailbox.close()
    assert href is not None
    page.goto(href)


def _serve(url: str, folder: Path) -> Iterator[LiveServer]:
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HATTHALEKHA_")},
        "HATTHALEKHA_DATABASE_URL": url,
        "HATTHALEKHA_KEYS_DIR": str(folder / "keys"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "app"]
    campaign = folder / "campaign.json"
    campaign.write_text(json.dumps(small_campaign(), ensure_ascii=False), encoding="utf-8")
    for arguments in (["demo"], ["campaign", "import", str(campaign), "--open-for", "30"]):
        subprocess.run([*command, *arguments], check=True, env=environment, cwd=folder, stdout=subprocess.DEVNULL)
    process = subprocess.Popen(
        [*command, "serve", "--port", str(port)], env=environment, cwd=folder, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, process)
        yield LiveServer(address, Settings(database_url=url, keys_dir=folder / "keys"))
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(START_SECONDS * 10):
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(f"{address}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(address)
