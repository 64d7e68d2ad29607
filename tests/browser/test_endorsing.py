"""A new organisation signs the letter to the parliaments in a real browser, from its form to the next dated edition."""

from __future__ import annotations

import asyncio
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image
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
from tests.documents.reading import read_pages
from tests.stage import REAL_CAMPAIGNS, read_letters

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from playwright.sync_api import Browser, Page
    from sqlalchemy.orm import Session

    from tests.browser.conftest import LiveServer

FILE: Final = REAL_CAMPAIGNS / "senate-election-2024-open-letter.json"
pytestmark = [
    pytest.mark.browser,
    # It was seen to hold on PostgreSQL, too; what a database decides of it is tried on both in tests/actions.
    pytest.mark.parametrize("server", ["sqlite"], indirect=True),
    pytest.mark.skipif(not REAL_CAMPAIGNS.exists(), reason="the real campaigns are not in this checkout"),
]

OWNER: Final = "letter-owner@example.org"
NAME: Final = "Khmer Women of Ottawa"
EMAIL: Final = "sokha@khmerwomen.example"


@dataclass(frozen=True)
class Desk:
    """The letter's owner, who is signed in on a large screen."""

    server: LiveServer
    slug: str
    page: Page

    @property
    def here(self) -> str:
        """The letter's pages in the workspace."""
        return f"{self.server.url}/en/workspace/campaigns/{self.slug}"

    def keep_dated_edition(self) -> None:
        """Freeze the letter as it is signed now."""
        self.page.goto(f"{self.here}/letter")
        press(self.page.locator('form[action$="/letter/issue"] button'))

    def read_letter(self, number: int, to: str = "") -> bytes:
        """Return a dated edition's PDF, as whoever has its address gets it."""
        answer = self.server.client.get(f"/en/campaigns/{self.slug}/letters/{number}{to}.pdf", timeout=60)
        assert answer.status_code == 200, answer.text[:300]
        return answer.content


@pytest.fixture(scope="module")
def owned(server: LiveServer) -> tuple[str, str]:
    """Bring the letter and its owner's session. Playwright's loop runs in this thread: so in another one."""
    secret = new_secret()
    with ThreadPoolExecutor(1) as thread:
        slug = thread.submit(asyncio.run, _bring(server, secret)).result()
    return slug, secret


async def _bring(server: LiveServer, secret: str) -> str:
    database, keyring, now = (
        open_database(server.settings.database_url),
        open_keyring(server.settings.keys_dir),
        utc_now(),
    )
    file = parse_campaign_file(FILE.read_bytes())
    await database.write(import_campaign, file=file, keyring=keyring, now=now, publication=Publication(30))
    account_id = await database.write(find_or_create_account, email=OWNER, locale="en", keyring=keyring, now=now)
    await database.write(open_session, account_id=account_id, secret=secret, device="test", now=now)
    await database.write(_join, slug=file.slug, account_id=account_id)
    await database.close()
    return file.slug


def _join(session: Session, *, slug: str, account_id: UUID) -> None:
    campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()
    row = {"campaign_id": campaign_id, "account_id": account_id, "role": "owner", "locales": [], "joined_at": utc_now()}
    session.execute(insert(Member), row)


def test_an_organisation_signs_is_accepted_and_stands_in_the_next_edition_alone(
    owned: tuple[str, str], server: LiveServer, browser: Browser, page: Page, tmp_path: Path
) -> None:
    slug, secret = owned
    large = browser.new_context(viewport={"width": 1280, "height": 800})
    large.add_cookies([{"name": session_cookie(server.settings), "value": secret, "url": server.url}])
    desk = Desk(server, slug, large.new_page())
    before = [each["name"] for each in json.loads(FILE.read_text())["endorsements"]]
    desk.keep_dated_edition()
    first, first_to_one = desk.read_letter(1), desk.read_letter(1, "/to/1")
    _sign(page, server, slug)
    _confirm(page, server)
    _give_logo(page, server, tmp_path)
    # Whoever was shown nothing yet: it is the team that accepts.
    page.goto(f"{server.url}/en/campaigns/{slug}")
    expect(page.locator(".orgs")).not_to_contain_text(NAME)
    _accept(desk)
    page.goto(f"{server.url}/en/campaigns/{slug}?fresh")
    listed = page.locator(".orgs li")
    expect(listed).to_have_count(len(before) + 1)
    expect(listed.last).to_contain_text(f"{NAME} (KWO)")
    logo = listed.last.locator("img")
    logo.scroll_into_view_if_needed()
    expect(logo).to_have_js_property("naturalWidth", 480)
    desk.keep_dated_edition()
    second = _flat(desk.read_letter(2))
    assert _flat(NAME) in second
    assert all(_flat(name) in second for name in before)
    assert desk.read_letter(1) == first
    assert desk.read_letter(1, "/to/1") == first_to_one
    assert _flat(NAME) not in _flat(first)
    page.goto(f"{server.url}/en/campaigns/{slug}/letters")
    expect(page.locator("main")).to_contain_text(NAME)
    large.close()


def _sign(page: Page, server: LiveServer, slug: str) -> None:
    """Fill in the form by its labels, as somebody who reads it does; the first time with a slip."""
    page.goto(f"{server.url}/en/campaigns/{slug}")
    page.get_by_role("link", name="Sign for an organisation").click()
    form = page.locator("#endorse")
    form.get_by_label("Name of the organisation").fill(NAME)
    form.get_by_label("Acronym (optional)").fill("KWO")
    form.get_by_label("Country of the organisation").select_option("CA")
    form.get_by_label("Website (optional)").fill("www.khmerwomen.example")
    form.get_by_label("Full name").fill("សុខ សុភា")
    form.get_by_label("Your role in the organisation").fill("President")
    form.get_by_label("Email address").fill(EMAIL)
    form.get_by_label("I have read").check()
    press(form.get_by_role("button", name="Sign for the organisation"))
    expect(page.locator("[data-sum]")).to_be_focused()
    expect(form.get_by_label("Name of the organisation")).to_have_value(NAME)
    _see_that_accessible(page, "faults")
    form.get_by_label("I am authorised to sign for this organisation").check()
    press(form.get_by_role("button", name="Sign for the organisation"))
    expect(page).to_have_url(f"{server.url}/en/campaigns/{slug}/endorse/check-email")
    _see_that_accessible(page, "check-email")


def _confirm(page: Page, server: LiveServer) -> None:
    page.goto(server.wait_for_link(EMAIL, "/endorsement/confirm/"))
    for locale in LOCALES:
        page.goto(page.url.replace(f"/{_locale(page)}/", f"/{locale}/"))
        _see_that_accessible(page, f"confirm {locale}")
    page.goto(page.url.replace(f"/{_locale(page)}/", "/en/"))
    page.get_by_label("I am authorised to sign for this organisation").check()
    press(page.get_by_role("button", name="Confirm for the organisation"))
    expect(page.locator("h1")).to_have_text("Confirmed")


def _give_logo(page: Page, server: LiveServer, folder: Path) -> None:
    drawn = io.BytesIO()
    Image.new("RGB", (960, 400), (13, 85, 71)).save(drawn, "PNG")
    good, bad = folder / "logo.png", folder / "logo.svg"
    good.write_bytes(drawn.getvalue())
    bad.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    page.goto(_own_link(server))
    for file, is_taken in ((bad, False), (good, True)):
        page.get_by_label("Logo of the organisation", exact=True).set_input_files(file)
        page.get_by_label("The organisation agrees").check()
        press(page.get_by_role("button", name="Send the logo"))
        if not is_taken:
            expect(page.locator("#logo-fault")).to_contain_text("An SVG drawing can hold programs")
        _see_that_accessible(page, f"own page {is_taken}")
    expect(page.locator("img.own-logo")).to_have_js_property("naturalWidth", 480)
    expect(page.locator("main")).to_contain_text("The organisers have not decided yet")


def _own_link(server: LiveServer) -> str:
    """Return the link of the organisation's own page, which is in the same letter."""
    letter = read_letters(server.settings.mailbox_dir, f"To: {EMAIL}")[-1]
    found = re.search(r"https?://\S+/endorsement/[\w-]{43}", letter.text)
    assert found is not None
    return found[0]


def _accept(desk: Desk) -> None:
    desk.page.goto(f"{desk.here}/endorsements")
    press(desk.page.get_by_role("link", name=NAME))
    press(desk.page.get_by_role("button", name="Accept this organisation"))


def _locale(page: Page) -> str:
    return page.url.split("/")[3]


def _flat(words: str | bytes) -> str:
    """Return words without what a line's end adds or takes."""
    said = words if isinstance(words, str) else "".join(read_pages(words))
    return "".join(each for each in said if each.isalnum())


def _see_that_accessible(page: Page, name: str) -> None:
    found = run_axe(page)
    assert not found.response["violations"], f"{name}: {found.generate_report()}"
    assert find_overflow(page) == [], name
