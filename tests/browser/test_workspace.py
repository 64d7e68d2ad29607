"""A campaign's whole life in a real browser: written, translated, supported, reviewed, signed, presented, answered."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, press

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

# Every action here is tried on both databases in tests/actions and tests/workspace.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]

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


@dataclass(frozen=True)
class Stage:
    """A browser, a server, and the addresses of those who come."""

    browser: Browser
    server: LiveServer
    addresses: dict[str, str] = field(default_factory=dict)

    def address(self, who: str) -> str:
        """Return somebody's address."""
        return self.addresses.setdefault(who, self.server.new_address(who))

    def page(self, width: int) -> Page:
        """Open a browser with an empty profile."""
        return self.browser.new_context(viewport={"width": width, "height": 800}).new_page()


def test_a_campaign_from_the_first_letter_to_an_answer(browser: Browser, server: LiveServer) -> None:
    stage = Stage(browser, server)
    desk = stage.page(1280)
    slug = _write_and_submit(stage, desk)
    _publish(stage, slug)
    _run_to_the_answer(stage, desk, slug)


def _write_and_submit(stage: Stage, desk: Page) -> str:
    """Walk with somebody who has never been here from the first letter to review; return the campaign's name."""
    server = stage.server
    _sign_in(desk, server, stage.address("owner"), "en")
    slug = _start(desk, server, "Khmer books in public libraries")
    at = f"{server.url}/en/workspace/campaigns/{slug}"
    _write(desk, at, "en", ENGLISH)
    _write(desk, at, "fr", FRENCH)
    # A helper is invited for the third language, and writes it on a telephone.
    _invite(desk, at, stage.address("translator"))
    phone = _join(stage, 360, stage.address("translator"))
    expect(phone).to_have_url(re.compile(rf"/km/workspace/campaigns/{slug}"))
    _write(phone, f"{server.url}/km/workspace/campaigns/{slug}", "km", KHMER)
    phone.context.close()
    # The check counts the words, and five people stand behind the text.
    desk.goto(f"{at}/check")
    expect(desk.locator("main")).to_contain_text("of 250")
    _gather_supporters(stage, desk, at)
    desk.goto(f"{at}/steps")
    desk.get_by_role("button", name="Send it for review").click()
    expect(desk.locator(".kind .tag")).to_have_text("In review")
    return slug


def _publish(stage: Stage, slug: str) -> None:
    """Read it as a moderator and approve; the page is there in three languages."""
    moderator = stage.page(1280)
    moderator.goto(_make_moderator(stage.server, stage.address("moderator")))
    _press_through(moderator)
    moderator.goto(f"{stage.server.url}/en/moderation/reviews/{slug}")
    press(moderator.get_by_role("button", name="Approve and publish"))
    for locale, title in (("en", "Khmer books"), ("fr", FRENCH["title"]), ("km", KHMER["title"])):
        reader = stage.page(360)
        reader.goto(f"{stage.server.url}/{locale}/campaigns/{slug}")
        expect(reader.locator("h1")).to_contain_text(str(title))
        expect(reader.locator("#sign")).to_have_count(1)
        reader.context.close()
    moderator.context.close()


def _run_to_the_answer(stage: Stage, desk: Page, slug: str) -> None:
    """Let another of the team end signing, record the presentation, and the answer that everybody then reads."""
    server = stage.server
    at = f"{server.url}/en/workspace/campaigns/{slug}"
    _invite(desk, at, stage.address("runner"), role="owner")
    runner = _join(stage, 1280, stage.address("runner"))
    _sign_and_confirm(stage, slug)
    runner.goto(at)
    expect(runner.locator("main .num").first).to_have_text("1")
    runner.goto(f"{at}/steps")
    runner.get_by_role("button", name="End signing now").click()
    expect(runner.locator(".kind .tag")).to_have_text("Closed")
    today = _present(runner, at)
    runner.goto(f"{at}/responses/new")
    runner.locator("input[name=kind][value=government]").check()
    for name, value in (
        ("body", "Minister of Canadian Heritage"),
        ("answered_on", today),
        ("title", "Response to the petition"),
        ("text", "The Government thanks the petitioners.\n\nBooks will be bought."),
    ):
        runner.locator(f"#{name}").fill(value)
    runner.locator("#language").select_option("en")
    runner.locator("#awaited").check()
    runner.get_by_role("button", name="Record the answer").click()
    expect(runner.locator(".kind .tag")).to_have_text("Answered")
    runner.wait_for_timeout(1_100)  # pages are cached for a second
    runner.goto(f"{server.url}/fr/campaigns/{slug}")
    expect(runner.get_by_text("Minister of Canadian Heritage")).to_be_visible()
    answer = server.client.get(f"/api/v1/campaigns/{slug}").json()
    assert answer["state"] == "answered"
    assert [each["title"] for each in answer["responses"]] == ["Response to the petition"]
    runner.context.close()
    desk.context.close()


def _join(stage: Stage, width: int, email: str) -> Page:
    """Open an invitation in a browser of its own, and join."""
    page = stage.page(width)
    page.goto(stage.server.wait_for_link(email, "/invitation/"))
    page.locator("input[type=checkbox]").check()
    press(page.locator("button[name=accept]"))
    return page


def _sign_in(page: Page, server: LiveServer, email: str, locale: str) -> None:
    page.goto(f"{server.url}/{locale}/workspace/sign-in")
    page.locator("#email").fill(email)
    press(page.locator("form button.go").first)
    page.goto(server.wait_for_link(email, "/workspace/sign-in/"))
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
    choices = {"template": "commons", "source_locale": "en", "known": "house", "who": "house", "closing": "120"}
    for name, value in choices.items():
        page.locator(f"input[name={name}][value='{value}']").check()
    page.locator("#title").fill(title)
    page.locator("#signatures").fill("500")
    promise = {"km": "ដាក់ជូនសភា", "en": "It is presented to the House", "fr": "Elle est présentée à la Chambre"}
    for locale, label in promise.items():
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
    # An empty box cannot be ready: the page takes the tick away again.
    for area in page.locator(f"textarea[name$='.{locale}']").all():
        if area.input_value():
            area.locator("xpath=..").locator("input[name^='ready.']").check()
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


def _gather_supporters(stage: Stage, desk: Page, at: str) -> None:
    desk.goto(f"{at}/supporters")
    desk.get_by_role("button", name="Make the private link").click()
    link = desk.locator("input[id^='link-']").first.input_value()
    emails = [stage.address(f"supporter{each}-") for each in range(5)]
    page = stage.browser.new_context(java_script_enabled=False).new_page()
    for email in emails:
        page.goto(link)
        page.locator("#name").fill("ចាន់ ដារា")
        page.locator("#email").fill(email)
        page.locator("#consent").check()
        press(page.locator("form button.go"))
    for email in emails:
        page.goto(stage.server.wait_for_link(email, "/support/confirm/"))
        page.locator("#reading").check()
        press(page.locator("form button.go"))
    page.context.close()


def _sign_and_confirm(stage: Stage, slug: str) -> None:
    page, email = stage.page(360), stage.address("signer")
    page.goto(f"{stage.server.url}/km/campaigns/{slug}")
    page.locator("#name").fill("សុខ សុភា")
    page.locator("#email").fill(email)
    page.locator("#country").select_option("CA")
    page.locator("#subdivision").select_option("CA-BC")
    if page.locator("#postal_code").count():
        page.locator("#postal_code").fill("V3B 1A1")
    if page.locator("input[name=claims]").count():
        page.locator("input[name=claims]").first.check()
    page.locator("#consent").check()
    press(page.locator("#sign button.go"))
    page.goto(stage.server.wait_for_link(email, "/confirm/"))
    page.locator("form button.go").click()
    expect(page).to_have_url(re.compile("/signed$"))
    page.context.close()


def _present(page: Page, at: str) -> str:
    """Record the presentation today, and return the day: yesterday where the campaign's clocks are behind UTC's."""
    page.goto(f"{at}/steps")
    for seconds in (86_400, 0):
        day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - seconds))
        page.locator("#presented_on").fill(day)
        page.locator("#presented_by").fill("A. Member")
        press(page.get_by_role("button", name="Record the presentation"))
        if page.locator(".kind .tag").inner_text() == "Presented":
            return day
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
