"""Sheets signed in ink in a real browser: typed with the keyboard alone, and what people see of them in each look."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, select

from app.actions.accounts import find_or_create_account, open_session
from app.actions.campaigns import Publication, import_campaign
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import open_keyring
from app.models import Campaign, Member
from app.rules.campaign_file import parse_campaign_file
from app.web.sessions import new_secret, session_cookie
from tests.browser.conftest import find_overflow, press, run_axe
from tests.browser.test_pages import LOCALES
from tests.stage import small_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page
    from sqlalchemy.orm import Session

    from tests.browser.conftest import LiveServer

# Every action here is tried on both databases in tests/actions.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]

SLUG: Final = "in-ink"
LOOKS: Final[tuple[tuple[str, int, Literal["light", "dark"]], ...]] = (
    ("km", 360, "light"),
    ("km", 1280, "dark"),
    ("fr", 360, "dark"),
)
NAMES: Final = ("Sok Sophea", "សុខ ដារ៉ា", "Chan Bopha", "Élise Côté")
CODES: Final = ("v3b1a1", "98101", "", "h3z 2y7")


@dataclass(frozen=True)
class Desk:
    """A campaign that takes sheets, and a session of its owner."""

    server: LiveServer
    secret: str

    def sign_in(self, context: BrowserContext) -> None:
        """Give a browser the owner's session."""
        name = session_cookie(self.server.settings)
        context.add_cookies([{"name": name, "value": self.secret, "url": self.server.url}])

    def address(self, path: str = "", locale: str = "en") -> str:
        """Return an address of the workspace's pages about paper."""
        return f"{self.server.url}/{locale}/workspace/campaigns/{SLUG}/paper{path}"


@pytest.fixture(scope="module")
def desk(server: LiveServer) -> Desk:
    """Bring a campaign and its owner. Playwright's loop runs in this thread: so in another one."""
    secret = new_secret()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _fill(server, secret)).result()
    return Desk(server, secret)


async def _fill(server: LiveServer, secret: str) -> None:
    database, keyring = open_database(server.settings.database_url), open_keyring(server.settings.keys_dir)
    now = utc_now()
    file = parse_campaign_file(json.dumps(small_campaign(SLUG) | {"asks": ["postal_code"]}).encode())
    await database.write(import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30))
    account_id = await database.write(
        find_or_create_account, email="ink@example.org", locale="en", keyring=keyring, now=now
    )
    await database.write(open_session, account_id=account_id, secret=secret, device="test", now=now)

    def join(session: Session) -> None:
        campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == SLUG)).one()
        row = {"campaign_id": campaign_id, "account_id": account_id, "role": "owner", "locales": [], "joined_at": now}
        session.execute(insert(Member), row)

    await database.write(join)
    await database.close()


def test_a_batch_is_typed_with_the_keyboard_alone_and_counted(desk: Desk, browser: Browser, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    desk.sign_in(context)
    page = context.new_page()
    page.goto(desk.address())
    _look(page, "no batch")
    press(page.get_by_role("link", name="Register a batch"))
    press(page.get_by_role("button", name="Register"))
    expect(page.locator("[data-sum]")).to_be_focused()
    _look(page, "a form with faults")
    page.get_by_label("Our own sheets").check()
    page.get_by_label("Each line is typed").check()
    page.get_by_label("Number of sheets").fill("2")
    page.get_by_label("Signatures on them").fill("6")
    page.get_by_label("Where they were signed").fill("Wat Khmer")
    page.get_by_label("Typed a second time").select_option("0")
    press(page.get_by_role("button", name="Register"))
    page.goto(desk.address("/1/sheets/1"))
    _type_sheets(page, desk)
    _see_every_look(page, desk)
    _send_picture(page, desk, tmp_path)
    page.goto(desk.address("/1"))
    page.get_by_label("This batch is complete").check()
    press(page.get_by_role("button", name="Close this batch"))
    expect(page.locator("main")).to_contain_text("5 signatures")
    context.close()
    _see_public(browser, desk)


def _type_sheets(page: Page, desk: Desk) -> None:
    """Type two sheets without ever touching a mouse: the first field has the focus as the page comes."""
    keys = page.keyboard
    expect(page.locator("[name=n1]")).to_be_focused()
    for name, code in zip(NAMES, CODES, strict=True):
        keys.insert_text(name)
        keys.press("Tab")
        keys.insert_text(code)
        keys.press("Tab")
    _enter(page)
    # It is saved, as codes are written; and the next empty line waits.
    expect(page.locator("[name=c1]")).to_have_value("V3B 1A1")
    expect(page.locator("[name=n5]")).to_be_focused()
    keys.insert_text("-")
    _enter(page)
    expect(page.locator("[name=n6]")).to_be_focused()
    # One that is wrong comes back with the focus, and everything else is saved.
    keys.insert_text("Sok 123")
    _enter(page, status=422)
    expect(page.locator("[name=n6]")).to_be_focused()
    _look(page, "a line with a fault")
    keys.press("Control+a")
    keys.insert_text("sophea sok")
    keys.press("Tab")
    keys.insert_text("V3B 1A1")
    _enter(page)
    expect(page.locator("main")).to_contain_text("Also on sheet 1, line 1. It counts once.")
    # Nothing new: on to the next sheet, and from the last one back.
    _enter(page)
    assert page.url == desk.address("/1/sheets/2")
    keys.insert_text("Prak Rith")
    _enter(page)
    _enter(page)
    assert page.url == desk.address("/1")
    expect(page.locator("main")).to_contain_text("1 of them is not to count")


def _enter(page: Page, *, status: int = 200) -> None:
    with page.expect_navigation() as found:
        page.keyboard.press("Enter")
    assert found.value is not None
    assert found.value.status == status


def _send_picture(page: Page, desk: Desk, folder: Path) -> None:
    """Send the picture of a sheet, and see it above its lines."""
    picture = folder / "sheet.png"
    page.goto(desk.address("/1/sheets/2"))
    page.screenshot(path=picture)
    page.set_input_files("#photo", picture)
    press(page.get_by_role("button", name="Send the picture"))
    shown = page.locator("img.photo")
    expect(shown).to_be_visible()
    assert shown.evaluate("each => each.complete && each.naturalWidth") == page.viewport_size["width"]  # type: ignore[index]
    _look(page, "a sheet with its picture")


def _see_every_look(page: Page, desk: Desk) -> None:
    """Look at the pages in both scripts, on a telephone and a desk, by day and by night."""
    for path in ("", "/new", "/1", "/1/sheets/1", "/1/again"):
        for locale, width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.goto(desk.address(path, locale))
            _look(page, f"{path} {locale} {width} {scheme}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def _see_public(browser: Browser, desk: Desk) -> None:
    """Find from the form, without script, how to sign in ink; and the number apart from the count."""
    context = browser.new_context(viewport={"width": 360, "height": 720}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{desk.server.url}/en/campaigns/{SLUG}")
    expect(page.locator(".cols .num")).to_have_text("0")
    expect(page.locator(".facts")).to_contain_text("not part of the number above")
    page.locator("#sign details summary").last.click()
    press(page.locator("#sign").get_by_role("link", name="Or sign on paper"))
    expect(page.locator("main")).to_contain_text("5 signatures in ink have been counted so far.")
    context.close()
    context = browser.new_context(viewport={"width": 360, "height": 720})
    page = context.new_page()
    for locale in LOCALES:
        page.goto(f"{desk.server.url}/{locale}/campaigns/{SLUG}/paper")
        _look(page, f"public {locale}")
    context.close()


def _look(page: Page, where: str) -> None:
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    found = run_axe(page)
    assert found.violations_count == 0, (where, found.generate_report())
    assert find_overflow(page) == [], where
