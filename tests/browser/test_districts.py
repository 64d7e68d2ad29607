"""Districts in a real browser: a box on a page that stays light, and those of the chosen province on the next."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import find_overflow, press, run_axe
from tests.browser.test_pages import BUDGET, LOCALES
from tests.districts import as_many_as_canada_has

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

# What the page looks like does not hang on the database.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]


@pytest.fixture(scope="module")
def asking(server: LiveServer) -> Iterator[LiveServer]:
    """Have the long campaign ask for districts, of which there are 343, for the tests of this file."""
    path = server.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        rows = [(each.code, json.dumps(dict(each.names)), each.province) for each in as_many_as_canada_has()]
        database.executemany("INSERT INTO districts (code, names, province, loaded_at, is_current) "
                             "VALUES (?, ?, ?, 0, 1)", rows)  # fmt: skip
        (before,) = database.execute("SELECT asks FROM campaigns WHERE slug = ?", [server.long_slug]).fetchone()
        asks = json.dumps([*json.loads(before), "district"])
        set_asks = "UPDATE campaigns SET asks = ? WHERE slug = ?"
        database.execute(set_asks, [asks, server.long_slug])
        yield server
        database.execute(set_asks, [before, server.long_slug])
        database.execute("DELETE FROM districts")


def open_form(page: Page, server: LiveServer, locale: str = "en") -> None:
    """Open the campaign once its page asks: pages are kept for a second."""
    for _ in range(10):
        page.goto(f"{server.url}/{locale}/campaigns/{server.long_slug}", wait_until="networkidle")
        if page.locator("#say_district").count():
            return
        page.wait_for_timeout(250)
    raise AssertionError("no district is asked for")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_first_visit_is_light_where_districts_are_asked(browser: Browser, asking: LiveServer, locale: str) -> None:
    before = browser.new_context()
    open_form(before.new_page(), asking, locale)
    before.close()
    context = browser.new_context(viewport={"width": 360, "height": 720})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(f"{asking.url}/{locale}/campaigns/{asking.long_slug}", wait_until="networkidle")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_load_state("networkidle")
    assert page.locator("#say_district").is_visible()
    assert sum(sizes) <= BUDGET[locale], sizes
    context.close()


@pytest.mark.parametrize("locale", LOCALES)
def test_the_districts_of_a_province_are_chosen_on_the_next_page(page: Page, asking: LiveServer, locale: str) -> None:
    open_form(page, asking, locale)
    email = asking.new_address("district")
    for field, text in {"name": "សុខ សុភា", "email": email, "postal_code": "M5V 3L9", "phone": "+15145550123"}.items():
        if page.locator(f"#{field}").count():
            page.locator(f"#{field}").fill(text)
    page.locator("#country").select_option("CA")
    page.locator("#subdivision").select_option("CA-ON")
    page.locator("input[name=claims]").first.check()
    page.locator("#consent").check()
    page.locator("#say_district").check()
    press(page.locator("#sign button.go"))
    assert page.evaluate("document.activeElement.matches('[data-sum]')")
    assert page.locator("#district option").count() == 1 + 122
    found = run_axe(page)
    assert found.violations_count == 0, found.generate_report()
    assert find_overflow(page) == []
    page.locator("[data-sum] a").click()
    assert page.evaluate("document.activeElement.id") == "district"
    page.locator("#district").select_option("35001")
    press(page.locator("#sign button.go"))
    assert page.url.endswith("/check-email")
