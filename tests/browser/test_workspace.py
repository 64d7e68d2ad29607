"""A campaign's whole life in a real browser: written, translated, supported, reviewed, signed, presented, answered."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from html import unescape
from typing import TYPE_CHECKING

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

pytestmark = pytest.mark.browser
_numbers = itertools.count(1)

ENGLISH: Mapping[str, str | tuple[str, ...]] = {
    "recital": (
        "Many Canadians who speak Khmer read neither English nor French with ease;",
        "Public libraries lend very few books in Khmer;",
    ),
    "request": ("Fund the purchase of books in Khmer by public libraries.",),
}
FRENCH: Mapping[str, str | tuple[str, ...]] = {
    "title": "Des livres en khmer dans les bibliothèques publiques",
    "recital": (
        "De nombreuses personnes qui parlent khmer lisent difficilement l’anglais et le français;",
        "Les bibliothèques publiques prêtent très peu de livres en khmer;",
    ),
    "request": ("De financer l’achat de livres en khmer par les bibliothèques publiques.",),
}
KHMER: Mapping[str, str | tuple[str, ...]] = {
    "title": "សៀវភៅភាសាខ្មែរក្នុងបណ្ណាល័យសាធារណៈ",
    "recital": (
        "ជនជាតិកាណាដាជាច្រើនដែលនិយាយភាសាខ្មែរ អានភាសាអង់គ្លេស និងភាសាបារាំងមិនងាយទេ",
        "បណ្ណាល័យសាធារណៈមានសៀវភៅភាសាខ្មែរតិចតួចណាស់",
    ),
    "request": ("ផ្ដល់ថវិកាទិញសៀវភៅភាសាខ្មែរសម្រាប់បណ្ណាល័យសាធារណៈ",),
}


def test_a_campaign_from_the_first_letter_to_an_answer(browser: Browser, server: LiveServer) -> None:
    number = next(_numbers)
    desk = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    phone = browser.new_context(viewport={"width": 360, "height": 720}).new_page()

    # Somebody who has never been here opens an account and starts a petition.
    owner = f"owner{number}@example.org"
    _sign_in(desk, server, owner, "en")
    slug = _start(desk, server, f"Khmer books in public libraries {number}")
    at = f"{server.url}/en/workspace/campaigns/{slug}"
    _write(desk, at, "en", ENGLISH)
    _write(desk, at, "fr", FRENCH)

    # A helper is invited for the third language, and writes it on a telephone.
    translator = f"translator{number}@example.org"
    _invite(desk, at, translator)
    phone.goto(_newest_link(server, translator, "/invitation/"))
    phone.locator("input[type=checkbox]").check()
    phone.locator("button[name=accept]").click()
    expect(phone).to_have_url(re.compile(rf"/km/workspace/campaigns/{slug}"))
    _write(phone, f"{server.url}/km/workspace/campaigns/{slug}", "km", KHMER)

    # The promise is translated, the check passes, and five people stand behind the text.
    desk.goto(f"{at}/check")
    assert "English" in desk.locator("main").inner_text()
    _gather_supporters(desk, browser, server, at, number)
    desk.goto(f"{at}/steps")
    desk.get_by_role("button", name="Send it for review").click()
    expect(desk.locator(".kind .tag")).to_have_text("In review")

    # A moderator reads it and publishes it; the page is there in three languages.
    moderator = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    moderator.goto(_make_moderator(server, f"moderator{number}@example.org"))
    _press_through(moderator)
    moderator.goto(f"{server.url}/en/moderation/reviews/{slug}")
    moderator.get_by_role("button", name="Approve and publish").click()
    for locale, title in (("en", "Khmer books"), ("fr", FRENCH["title"]), ("km", KHMER["title"])):
        reader = browser.new_context(viewport={"width": 360, "height": 720}).new_page()
        reader.goto(f"{server.url}/{locale}/campaigns/{slug}")
        expect(reader.locator("h1")).to_contain_text(str(title))
        expect(reader.locator("#sign")).to_have_count(1)
        reader.context.close()

    # Another of the team runs it to its end.
    runner = f"runner{number}@example.org"
    _invite(desk, at, runner, role="owner")
    other = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    other.goto(_newest_link(server, runner, "/invitation/"))
    other.locator("input[type=checkbox]").check()
    other.locator("button[name=accept]").click()
    _sign_and_confirm(browser, server, slug, f"signer{number}@example.org")
    other.goto(at)
    expect(other.locator("main .num").first).to_have_text("1")
    other.goto(f"{at}/steps")
    other.get_by_role("button", name="End signing now").click()
    expect(other.locator(".kind .tag")).to_have_text("Closed")
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    _present(other, at, today)
    other.goto(f"{at}/responses/new")
    other.locator("input[name=kind][value=government]").check()
    other.locator("#body").fill("Minister of Canadian Heritage")
    other.locator("#answered_on").fill(time.strftime("%Y-%m-%d", time.gmtime()))
    other.locator("#language").select_option("en")
    other.locator("#title").fill("Response to the petition")
    other.locator("#text").fill("The Government thanks the petitioners.\n\nBooks will be bought.")
    other.locator("#awaited").check()
    other.get_by_role("button", name="Record the answer").click()
    expect(other.locator(".kind .tag")).to_have_text("Answered")
    other.wait_for_timeout(1_100)  # pages are cached for a second
    other.goto(f"{server.url}/fr/campaigns/{slug}")
    expect(other.get_by_text("Minister of Canadian Heritage")).to_be_visible()
    expect(other.locator("[lang=en]", has_text="Response to the petition").first).to_have_count(1)
    answer = httpx.get(f"{server.url}/api/v1/campaigns/{slug}").json()
    assert answer["state"] == "answered"
    assert [each["title"] for each in answer["responses"]] == ["Response to the petition"]
    for each in (desk, phone, moderator, other):
        each.context.close()


def _sign_in(page: Page, server: LiveServer, email: str, locale: str) -> None:
    page.goto(f"{server.url}/{locale}/workspace/sign-in")
    page.locator("#email").fill(email)
    page.locator("form button.go").first.click()
    page.goto(_newest_link(server, email, "/workspace/sign-in/"))
    _press_through(page)


def _press_through(page: Page) -> None:
    """Press the button of a sign-in link, ticking the box where this browser did not ask."""
    box = page.locator("input[type=checkbox]")
    if box.count():
        box.check()
    page.locator("form button.go").click()
    expect(page.locator("nav.desk")).to_be_visible()


def _start(page: Page, server: LiveServer, title: str) -> str:
    page.goto(f"{server.url}/en/workspace/start")
    for name, value in (("template", "commons"), ("source_locale", "en"), ("known", "house"), ("who", "house"), ("closing", "120")):
        page.locator(f"input[name={name}][value='{value}']").check()
    page.locator("#title").fill(title)
    page.locator("#signatures").fill("500")
    for locale, label in (("km", "ដាក់ជូនសភា"), ("en", "It is presented to the House"), ("fr", "Elle est présentée à la Chambre")):
        page.locator(f"#label_{locale}").fill(label)
    page.locator("#organiser_name").fill("Friends of Khmer Books")
    page.get_by_role("button", name="Start as a draft").click()
    page.wait_for_url(re.compile("/workspace/campaigns/[a-z0-9-]+"))
    match = re.search("/campaigns/([a-z0-9-]+)", page.url)
    assert match is not None
    return match[1]


def _write(page: Page, at: str, locale: str, texts: Mapping[str, str | tuple[str, ...]]) -> None:
    """Fill the boxes of one language as a person does, tick each as ready, and wait until the last is saved."""
    page.goto(f"{at}/text?languages={locale}")
    for name, said in texts.items():
        boxes = page.locator(f"textarea[name='text.{name}.{locale}']")
        for box, text in zip(boxes.all(), (said,) if isinstance(said, str) else said, strict=True):
            box.fill(text)
    for box in page.locator(f"input[name^='ready.'][name$='.{locale}']").all():
        area = page.locator(f"#{box.get_attribute('id')}") if box.get_attribute("id") else None
        del area
        if box.is_visible():
            box.check()
    expect(page.locator("textarea[data-unsaved]")).to_have_count(0, timeout=15_000)
    page.goto(f"{at}/text?show=todo&languages={locale}")
    expect(page.locator(".part")).to_have_count(0)


def _invite(page: Page, at: str, email: str, role: str = "translator") -> None:
    page.goto(f"{at}/team")
    page.locator("#email").fill(email)
    page.locator(f"input[name=role][value={role}]").check()
    form = page.locator("form", has=page.locator("#email"))
    if role == "translator":
        form.locator("input[name=locales][value=km]").check()
    form.locator("input[name=locale][value=km]").check()
    form.locator("button[value=invite]").click()
    expect(page.get_by_text(email)).to_be_visible()


def _gather_supporters(desk: Page, browser: Browser, server: LiveServer, at: str, number: int) -> None:
    desk.goto(f"{at}/supporters")
    desk.get_by_role("button", name="Make the private link").click()
    link = desk.locator("input[id^='link-']").first.input_value()
    for each in range(5):
        email = f"supporter{number}-{each}@example.org"
        page = browser.new_context(viewport={"width": 360, "height": 720}, java_script_enabled=False).new_page()
        page.goto(link)
        page.locator("#name").fill("ចាន់ ដារា")
        page.locator("#email").fill(email)
        page.locator("#consent").check()
        page.locator("form button.go").click()
        page.goto(_newest_link(server, email, "/support/confirm/"))
        page.locator("#reading").check()
        page.locator("form button.go").click()
        page.context.close()


def _sign_and_confirm(browser: Browser, server: LiveServer, slug: str, email: str) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 720}).new_page()
    page.goto(f"{server.url}/km/campaigns/{slug}")
    page.locator("#name").fill("សុខ សុភា")
    page.locator("#email").fill(email)
    page.locator("#country").select_option("CA")
    page.locator("#subdivision").select_option("CA-BC")
    if page.locator("#postal_code").count():
        page.locator("#postal_code").fill("V3B 1A1")
    if page.locator("input[name=claims]").count():
        page.locator("input[name=claims]").first.check()
    page.locator("#consent").check()
    page.locator("#sign button.go").click()
    page.goto(_newest_link(server, email, "/confirm/"))
    page.locator("form button.go").click()
    expect(page).to_have_url(re.compile("/signed$"))
    page.context.close()


def _present(page: Page, at: str, day: str) -> None:
    """Record the presentation; it cannot be before the day of opening, so where clocks differ it is today."""
    page.goto(f"{at}/steps")
    for each in (day, time.strftime("%Y-%m-%d", time.gmtime())):
        page.locator("#presented_on").fill(each)
        page.locator("#presented_by").fill("A. Member")
        page.get_by_role("button", name="Record the presentation").click()
        if page.locator(".kind .tag").inner_text() == "Presented":
            return
    raise AssertionError(page.locator("main").inner_text())


def _make_moderator(server: LiveServer, email: str) -> str:
    settings = server.settings
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HATTHALEKHA_")},
        "HATTHALEKHA_DATABASE_URL": settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(settings.keys_dir),
        "HATTHALEKHA_BASE_URL": server.url,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "app", "account", "create", email, "--role", "moderator"]
    made = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    link = re.search(r"http\S+", made.stdout)
    assert link is not None
    return link[0].replace("/km/", "/en/")


def _newest_link(server: LiveServer, address: str, part: str) -> str:
    """Wait for a letter to ``address`` that holds a link with ``part``, and return the link."""
    for _ in range(150):
        letters = httpx.get(f"{server.url}/dev/mailbox").text.split("<article")[1:]
        for letter in letters:
            found = re.search(rf'href="([^"]*{re.escape(part)}[\w-]+)"', letter)
            if address in letter and found is not None:
                return unescape(found[1])
        time.sleep(0.1)
    raise AssertionError(f"no letter to {address} with {part}")
