"""Reading, signing, confirming and being counted, in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import open_letter, press

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

pytestmark = pytest.mark.browser
# What the page does with a form does not hang on the database.
on_one_database = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
NOT_COUNTED_YET = {
    "km": "ហត្ថលេខារបស់លោកអ្នក មិនទាន់បានរាប់ទេ។",
    "en": "Your signature is not counted yet.",
    "fr": "Votre signature n’est pas encore comptée.",
}


def count(server: LiveServer) -> int:
    answer = server.client.get(f"/api/v1/campaigns/{server.slug}/count")
    signatures: int = answer.json()["signatures"]
    return signatures


def fill(page: Page, email: str) -> None:
    page.locator("#name").fill("សុខ សុភា")
    page.locator("#email").fill(email)
    page.locator("#country").select_option("CA")
    page.locator("#subdivision").select_option("CA-BC")
    page.locator("#postal_code").fill("v៣b ១a១")
    page.locator("input[name=claims]").first.check()
    page.locator("#consent").check()


@pytest.mark.parametrize(
    ("server", "locale", "width", "has_script"),
    [
        *(("sqlite", locale, 360, False) for locale in ("km", "en", "fr")),
        *(("sqlite", locale, 1280, True) for locale in ("km", "en", "fr")),
        ("postgresql", "km", 360, False),
        ("postgresql", "en", 1280, True),
    ],
    indirect=["server"],
)
def test_a_person_signs_and_is_counted(
    browser: Browser,
    server: LiveServer,
    locale: str,
    width: int,
    *,
    has_script: bool,
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 720}, java_script_enabled=has_script)
    page = context.new_page()
    email = server.new_address("signer")
    before = count(server)
    page.goto(f"{server.url}/{locale}/campaigns/{server.slug}")
    expect(page.locator("html")).to_have_attribute("lang", locale)
    fill(page, email)
    page.locator("#sign button.go").click()
    expect(page).to_have_url(f"{server.url}/{locale}/campaigns/{server.slug}/check-email")
    expect(page.get_by_text(NOT_COUNTED_YET[locale])).to_be_visible()
    expect(page.get_by_text(email)).to_be_visible()
    page.goto(server.wait_for_link(email, "/confirm/"))
    expect(page).to_have_url(re.compile(f"/{locale}/confirm/"))
    page.locator("form button.go").click()
    expect(page).to_have_url(f"{server.url}/{locale}/campaigns/{server.slug}/signed")
    assert count(server) == before + 1
    page.locator("a[href*='/signature/']").click()
    expect(page.get_by_text(email)).to_be_visible()
    context.close()


@on_one_database
def test_faults_are_named_beside_their_fields_and_everything_is_kept(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/km/campaigns/{server.slug}")
    fill(page, "sokha@example")
    page.locator("#subdivision").select_option("")
    page.locator("#sign button.go").click()
    summary = page.locator("[data-sum]")
    expect(summary).to_be_focused()
    faults = summary.locator("li a")
    assert faults.count() == 2
    for index in range(2):
        expect(page.locator(".msg").nth(index)).to_contain_text(faults.nth(index).inner_text())
    expect(page.locator("#name")).to_have_value("សុខ សុភា")
    expect(page.locator("#country")).to_have_value("CA")
    expect(page.locator("input[name=claims]").first).to_be_checked()
    expect(page.locator("#consent")).to_be_checked()
    faults.first.click()
    expect(page.locator("#email")).to_be_focused()


@on_one_database
def test_the_language_switch_keeps_what_was_typed(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/km/campaigns/{server.slug}")
    fill(page, "sokha@example.org")
    page.locator("button[name=switch][value=fr]").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("#name")).to_have_value("សុខ សុភា")
    expect(page.locator("#email")).to_have_value("sokha@example.org")
    expect(page.locator("#subdivision")).to_have_value("CA-BC")
    expect(page.locator("[data-sum]")).to_have_count(0)


def test_another_browser_confirms_after_ticking_the_box(browser: Browser, page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/en/campaigns/{server.slug}")
    email = server.new_address("signer")
    fill(page, email)
    page.locator("#sign button.go").click()
    other = browser.new_context().new_page()
    open_letter(other, server, email)
    before = count(server)
    press(other.locator("form button.go"))
    expect(other.locator("[data-sum]")).to_be_visible()
    assert count(server) == before
    other.locator("#signing").check()
    other.locator("form button.go").click()
    expect(other).to_have_url(re.compile("/signed$"))
    assert count(server) == before + 1
    other.context.close()


@on_one_database
def test_the_next_person_finds_nothing_of_the_last(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/fr/campaigns/{server.slug}")
    email = server.new_address("signer")
    fill(page, email)
    press(page.locator("#sign button.go"))
    page.locator("button[name=next]").click()
    expect(page).to_have_url(re.compile("#sign$"))
    expect(page.locator("#name")).to_have_value("")
    page.goto(f"{server.url}/fr/campaigns/{server.slug}/check-email")
    assert email not in page.content()


@on_one_database
def test_the_whole_form_can_be_sent_from_the_keyboard(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/en/campaigns/{server.slug}")
    page.locator("input[name=claims]").first.focus()
    page.keyboard.press("Space")
    texts = {"name": "Sokha Som", "email": server.new_address("signer"), "postal_code": "V3B 1A1"}
    for _ in range(20):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.id || document.activeElement.name")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", focused
        if focused in texts:
            page.keyboard.type(texts[focused])
        elif focused == "country":
            page.keyboard.type("Canada")
        elif focused == "subdivision":
            page.keyboard.type("British C")
        elif focused == "consent":
            page.keyboard.press("Space")
            break
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/check-email$"))
