"""The office door in a real browser: from the organiser's invitation to a report that was downloaded and holds."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from sqlalchemy import insert, select

from app.actions.accounts import find_or_create_account, open_session
from app.actions.campaigns import Publication, import_campaign
from app.actions.sequencing import append_batch
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import open_keyring
from app.models import Campaign, Member
from app.rules.campaign_file import parse_campaign_file
from app.web.sessions import new_secret, session_cookie
from tests.browser.conftest import find_overflow, press, run_axe
from tests.browser.test_pages import LOCALES
from tests.browser.test_verify import choose_files, open_page
from tests.reporting import insert_forms
from tests.stage import small_campaign

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from playwright.sync_api import Browser, BrowserContext, Page
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from tests.browser.conftest import LiveServer

# Every action here is tried on both databases in tests/office.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]

SLUG: Final = "counted"
SIGNATURES: Final = 60
OWNER: Final = "counted-owner@example.org"
LOOKS: Final = ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"))
#: What the report's page says of the count, in each language.
COUNT: Final = {"km": "៦០", "en": "60", "fr": "60"}


@dataclass(frozen=True)
class Door:
    """A campaign with signatures, and a session of its owner."""

    server: LiveServer
    secret: str

    def sign_in(self, context: BrowserContext) -> None:
        """Give a browser the owner's session."""
        name = session_cookie(self.server.settings)
        context.add_cookies([{"name": name, "value": self.secret, "url": self.server.url}])


@pytest.fixture(scope="module")
def door(server: LiveServer) -> Door:
    """Bring a campaign that sixty people have signed. Playwright's loop runs in this thread: so in another one."""
    secret = new_secret()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _fill(server, secret)).result()
    return Door(server, secret)


async def _fill(server: LiveServer, secret: str) -> None:
    database, keyring, now = (
        open_database(server.settings.database_url),
        open_keyring(server.settings.keys_dir),
        utc_now(),
    )
    document = small_campaign(SLUG) | {"reference": "e-1746"}
    file = parse_campaign_file(json.dumps(document).encode())
    await database.write(import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30))
    await database.write(_sign, keyring=keyring)
    # The server's own job rests half a minute between batches.
    campaign_id = await database.read(_find_campaign)
    host = urlsplit(server.url).netloc
    await database.write(append_batch, campaign_id=campaign_id, keyring=keyring, host=host, now=utc_now())
    account_id = await database.write(find_or_create_account, email=OWNER, locale="en", keyring=keyring, now=now)
    await database.write(open_session, account_id=account_id, secret=secret, device="test", now=now)
    await database.write(_join, account_id=account_id)
    await database.close()


def _sign(session: Session, *, keyring: Keyring) -> None:
    insert_forms(session, slug=SLUG, number=SIGNATURES, keyring=keyring, until=utc_now())


def _find_campaign(session: Session) -> UUID:
    return session.scalars(select(Campaign.id).where(Campaign.slug == SLUG)).one()


def _join(session: Session, *, account_id: UUID) -> None:
    row = {
        "campaign_id": _find_campaign(session),
        "account_id": account_id,
        "role": "owner",
        "locales": [],
        "joined_at": utc_now(),
    }
    session.execute(insert(Member), row)


def test_an_office_is_asked_comes_and_leaves_with_a_report_that_holds(
    door: Door, browser: Browser, tmp_path: Path
) -> None:
    server, staff = door.server, door.server.new_address("staff")
    desk = browser.new_context(viewport={"width": 1280, "height": 800})
    door.sign_in(desk)
    _ask(desk.new_page(), server, staff)
    phone = browser.new_context(viewport={"width": 360, "height": 720})
    page = phone.new_page()
    page.goto(server.wait_for_link(staff, "/office/invitation/"))
    _see_that_accessible(page, "invitation")
    # The button alone is what a program presses that checks letters.
    press(page.locator("main form button"))
    expect(page.locator("[data-sum]")).to_be_focused()
    page.locator("input[name=sure]").check()
    press(page.locator("main form button"))
    _make_report(page)
    expect(page.locator(".leaf .num")).to_have_text(str(SIGNATURES))
    _see_every_look(page, f"{server.url}/{{}}/office/campaigns/{SLUG}")
    with page.expect_download() as downloaded:
        page.locator("a[href$='report.zip']").click()
    archive = tmp_path / downloaded.value.suggested_filename
    downloaded.value.save_as(archive)
    assert archive.name == f"{SLUG}-report-1.zip"
    open_page(page, server, "en")
    assert "This report holds" in choose_files(page, [archive])
    phone.close()
    _see_uses(desk.new_page(), server, staff)
    desk.close()


def _ask(page: Page, server: LiveServer, staff: str) -> None:
    """Ask somebody of an office, as the owner, on the page that the campaign leads to."""
    page.goto(f"{server.url}/en/workspace/campaigns/{SLUG}")
    press(page.get_by_role("link", name="Offices"))
    form = page.locator("form", has=page.locator("#name"))
    press(form.get_by_role("button"))
    expect(page.locator("[data-sum]")).to_be_focused()
    _see_that_accessible(page, "a form with faults")
    page.locator("#name").fill("Office of A. Member, MP")
    page.locator("#email").fill(staff)
    form.locator("input[name=locale][value=en]").check()
    press(form.get_by_role("button"))
    expect(page.locator("main")).to_contain_text(staff)


def _make_report(page: Page) -> None:
    """Make the first report."""
    _see_that_accessible(page, "before the first report")
    press(page.get_by_role("button", name="Make the report"))


def _see_every_look(page: Page, address: str) -> None:
    """Look at the figures in each language, on a telephone and a desk, by day and by night."""
    for locale in LOCALES:
        for width, scheme in LOOKS if locale == "km" else LOOKS[:1]:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two words
            page.goto(address.format(locale))
            page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
            _see_that_accessible(page, f"{locale} {width} {scheme}")
            expect(page.locator(".leaf .num")).to_have_text(COUNT[locale])
    page.goto(address.format("en"))


def _see_uses(page: Page, server: LiveServer, staff: str) -> None:
    """See as the owner what the office did, in each language."""
    for locale in LOCALES:
        page.set_viewport_size({"width": 360, "height": 800})
        page.goto(f"{server.url}/{locale}/workspace/campaigns/{SLUG}/office")
        page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
        _see_that_accessible(page, locale)
        expect(page.locator("#uses ~ dl")).to_contain_text("report.zip")
        expect(page.locator("#uses ~ dl")).to_contain_text(staff)


def _see_that_accessible(page: Page, where: str) -> None:
    found = run_axe(page)
    assert found.violations_count == 0, (where, found.generate_report())
    assert find_overflow(page) == [], where
