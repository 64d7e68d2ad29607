"""The editor in a real browser: lines that break, answers that get lost, two people in one box, and no script."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from app.web.sessions import session_cookie
from tests.browser.conftest import ROOT, find_overflow, run_axe
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Route

    from tests.browser.conftest import LiveServer

#: What happens in a browser does not hang on the database; what is saved, and who was faster, is tested on both.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]
TITLE: Final = "#part-title-en"
FRENCH: Final = "#part-title-fr"
DRAFTS: Final = 20
HASTE: Final = """
const wait = window.setTimeout;
window.setTimeout = (work, pause, ...rest) => wait(work, pause / 5, ...rest);
"""
#: Playwright keeps an event loop in this thread, so whoever writes into the database does it in another process: this
#: makes drafts and signs two people of their team in, each twice a draft.
SET_UP: Final = """
import asyncio, json, sys
from sqlalchemy import insert, select
from app.actions.accounts import find_or_create_account, open_session
from app.actions.campaigns import import_campaign
from app.core.clock import utc_now
from app.core.db import open_database
from app.core.keys import open_keyring
from app.models import Campaign, Member
from app.rules.campaign_file import parse_campaign_file
from app.settings import Settings
from app.web.sessions import new_secret

async def main():
    settings, now = Settings.from_environment(), utc_now()
    database, keyring = open_database(settings.database_url), open_keyring(settings.keys_dir)
    made = {}
    people = [
        await database.write(
            find_or_create_account, email=f"{name}@example.org", locale="en", keyring=keyring, now=now
        )
        for name in ("sokha", "dara")
    ]
    for data in json.load(sys.stdin):
        file = parse_campaign_file(json.dumps(data).encode())
        await database.write(import_campaign, file=file, keyring=keyring, now=now)
        secrets = made[file.slug] = [new_secret() for _ in range(4)]

        def work(session):
            campaign_id = session.scalars(select(Campaign.id).where(Campaign.slug == file.slug)).one()
            member = {"campaign_id": campaign_id, "role": "owner", "locales": [], "joined_at": now}
            for account_id in people:
                session.execute(insert(Member), {**member, "account_id": account_id})
            for number, secret in enumerate(secrets):
                open_session(session, account_id=people[number // 2], secret=secret, device="test", now=now)

        await database.write(work)
    await database.close()
    print(json.dumps(made))

asyncio.run(main())
"""


class Desk:
    """A draft, and the browsers of two people who write it."""

    def __init__(self, browser: Browser, server: LiveServer, slug: str, secrets: list[str]) -> None:
        """Sit down at the draft ``slug``."""
        self.browser, self.server = browser, server
        self.slug, self.secrets = slug, secrets
        self.contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def address(self, locale: str = "en") -> str:
        """Return where the text is."""
        return f"{self.server.url}/{locale}/workspace/campaigns/{self.slug}/text"

    def context(self, who: int = 0, *, is_hasty: bool = False, **options: Any) -> BrowserContext:  # noqa: ANN401 - Playwright's own
        """Open a profile, as wide as a cheap telephone's, in which somebody is signed in.

        Where it ``is_hasty`` the page's own pauses are a fifth as long: for tests that wait for what comes after them.
        """
        context = self.browser.new_context(**{"viewport": {"width": 360, "height": 720}, **options})
        if is_hasty:
            context.add_init_script(HASTE)
        self.contexts.append(context)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.sign_in(context, who)
        return context

    def sign_in(self, context: BrowserContext, session: int) -> None:
        """Put the cookie of one of the sessions there: 0 and 1 are one person's, 2 and 3 the other's."""
        cookie = {"name": session_cookie(self.server.settings), "value": self.secrets[session], "url": self.server.url}
        context.add_cookies([cookie])  # type: ignore[list-item]  # the keys are right

    def open(self, who: int = 0, **options: Any) -> Page:  # noqa: ANN401 - Playwright's own
        """Open the text."""
        page = self.context(who, **options).new_page()
        page.goto(self.address())
        return page

    def read(self, box: str) -> str:
        """Return what is saved in a box, as somebody else would see it."""
        cookie = f"{session_cookie(self.server.settings)}={self.secrets[2]}"
        content = self.server.client.get(self.address(), headers={"cookie": cookie}).text
        found = re.search(rf'<textarea id="{box.removeprefix("#")}"[^>]*>([^<]*)<', content)
        assert found is not None
        return unescape(found[1])

    def _hear(self, said: ConsoleMessage) -> None:
        # That an answer was no success, or did not come, is the browser's own remark on what these tests provoke.
        if said.type in {"error", "warning"} and "Failed to load resource" not in said.text:
            self.faults.append(said.text)


@pytest.fixture(scope="module")
def drafts(server: LiveServer) -> Iterator[tuple[str, list[str]]]:
    """Make drafts, one for each test, and what signs people in who write them."""
    environment = {
        **os.environ,
        "HATTHALEKHA_DATABASE_URL": server.settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(server.settings.keys_dir),
        "PYTHONPATH": str(ROOT),
    }
    files = [small_campaign(f"draft-{uuid4().hex[:8]}") for _ in range(DRAFTS)]
    command = [sys.executable, "-c", SET_UP]
    made = subprocess.run(
        command, input=json.dumps(files).encode(), stdout=subprocess.PIPE, check=True, env=environment
    )
    return iter(json.loads(made.stdout.splitlines()[-1]).items())


@pytest.fixture
def desk(browser: Browser, server: LiveServer, drafts: Iterator[tuple[str, list[str]]]) -> Iterator[Desk]:
    """Sit down at a draft of its own; at the end nothing may have gone wrong in any of its browsers."""
    made = Desk(browser, server, *next(drafts))
    yield made
    for context in made.contexts:
        context.close()
    assert made.faults == []


def said(page: Page) -> Locator:
    """Return the line that says what is saved."""
    return page.locator("#saved")


def kept_on_device(page: Page) -> list[Any]:
    """Return all that the page's browser keeps."""
    found: list[Any] = page.evaluate("() => Object.values(localStorage).map(text => JSON.parse(text))")
    return found


def lose_answers(page: Page) -> list[str]:
    """Let each save arrive, and no answer come back."""
    arrived: list[str] = []

    def lose(route: Route) -> None:
        route.fetch()
        arrived.append(route.request.post_data or "")
        route.abort()

    page.route("**/text/part", lose)
    return arrived


def wait_for(page: Page, is_done: Callable[[], bool]) -> None:
    """Wait a few seconds, letting the page go on."""
    for _ in range(100):
        if is_done():
            return
        page.wait_for_timeout(50)
    raise AssertionError


def test_a_box_saves_itself_and_so_does_its_tick(desk: Desk) -> None:
    page = desk.open()
    page.locator(TITLE).fill("Books for all")
    expect(said(page)).to_have_text("Writing…")
    expect(said(page)).to_contain_text("Saved at")
    assert kept_on_device(page) == []
    page.locator("[name='ready.title.en']").uncheck()
    expect(said(page)).to_contain_text("Saved at")
    expect(page.locator("#group-title [data-state]").nth(1)).to_have_text("Draft")
    # An emptied box is never ready, and asks for nothing more.
    page.locator(FRENCH).fill(" ")
    page.locator("#group-title [data-save]").click()
    expect(page.locator("[name='ready.title.fr']")).not_to_be_checked()
    expect(page.locator("#group-title [data-state]").nth(2)).to_have_text("Missing")
    assert desk.read(TITLE) == "Books for all"
    assert desk.read(FRENCH) == ""
    # Typed and taken back: nothing is left to save.
    page.locator(TITLE).press_sequentially("!")
    page.locator(TITLE).press("Backspace")
    expect(page.locator("textarea[data-unsaved]")).to_have_count(0)


def test_nothing_is_lost_where_the_network_breaks(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    page.context.set_offline(True)
    page.locator(TITLE).fill("Books, once there is a network")
    page.locator(FRENCH).fill("Des livres, dès que possible")
    expect(said(page)).to_contain_text("Not saved yet")
    page.locator(TITLE).press_sequentially(" again")
    assert len(kept_on_device(page)) == 2
    page.context.set_offline(False)
    expect(said(page)).to_contain_text("Saved at")
    expect(page.locator("textarea[data-unsaved]")).to_have_count(0)
    assert kept_on_device(page) == []
    page.reload()
    expect(page.locator(TITLE)).to_have_value("Books, once there is a network again")
    expect(page.locator(FRENCH)).to_have_value("Des livres, dès que possible")


def test_a_page_that_was_closed_without_a_network_offers_its_words(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    context = page.context
    context.set_offline(True)
    # The browser is told to be offline a page at a time, and forgets it a moment before a page that closes is gone.
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')); }")
    page.locator(TITLE).fill("Words of the bus")
    page.locator(FRENCH).fill("Mots du bus")
    expect(said(page)).to_contain_text("Not saved yet")
    asked: list[str] = []

    def accept(dialog: Any) -> None:  # noqa: ANN401 - Playwright's own
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.close(run_before_unload=True)
    wait_for(context.new_page(), lambda: asked == ["beforeunload"] and page.is_closed())
    context.set_offline(False)
    page = context.new_page()
    page.goto(desk.address())
    expect(page.locator(TITLE)).to_have_value("Khmer books in every library")
    notes = page.locator(".clash", has_text="On this device there are words")
    expect(notes).to_have_count(2)
    # Whoever writes on without deciding keeps both.
    page.locator(TITLE).press_sequentially("!")
    expect(said(page)).to_contain_text("Saved at")
    page.reload()
    notes.filter(has_text="Words of the bus").get_by_role("button", name="Put them in").click()
    expect(page.locator(TITLE)).to_have_value("Words of the bus")
    expect(said(page)).to_contain_text("Saved at")
    notes.get_by_role("button", name="Throw them away").click()
    expect(notes).to_have_count(0)
    page.reload()
    expect(page.locator(TITLE)).to_have_value("Words of the bus")
    expect(page.locator(FRENCH)).to_have_value("Des livres khmers partout")
    expect(notes).to_have_count(0)


def test_a_lost_answer_is_no_conflict_with_oneself(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    arrived = lose_answers(page)
    page.locator(TITLE).fill("Books for a")
    expect(said(page)).to_contain_text("Not saved yet")
    assert desk.read(TITLE) == "Books for a"
    page.locator(TITLE).press_sequentially("ll")
    wait_for(page, lambda: len(arrived) > 1)
    page.unroute_all(behavior="wait")
    page.evaluate("dispatchEvent(new Event('online'))")  # and no waiting for the next try
    expect(said(page)).to_contain_text("Saved at")
    expect(page.locator("textarea[data-unsaved]")).to_have_count(0)
    expect(page.locator(".clash")).to_have_count(0)
    assert desk.read(TITLE) == "Books for all"

    # Taken back after it had arrived: what the page shows is what is saved in the end.
    lose_answers(page)
    page.locator(TITLE).fill("Books for nobody")
    expect(said(page)).to_contain_text("Not saved yet")
    page.locator(TITLE).fill("Books for all")
    page.unroute_all(behavior="wait")
    page.evaluate("dispatchEvent(new Event('online'))")  # and no waiting for the next try
    expect(said(page)).to_contain_text("Saved at")
    assert desk.read(TITLE) == "Books for all"
    page.reload()
    page.locator("#group-title a", has_text="History").nth(1).click()
    expect(page.get_by_text("Set aside")).to_have_count(0)


@pytest.mark.parametrize("choice", ["Use mine", "Keep theirs"])
def test_two_in_one_box_choose_and_lose_nothing(desk: Desk, choice: str) -> None:
    first, second = desk.open(0), desk.open(2, is_hasty=True)
    first.locator(TITLE).fill("Books for everybody")
    first.locator("#group-title [data-save]").click()
    expect(said(first)).to_contain_text("Saved at")
    second.locator(TITLE).fill("Books for children")
    note = second.locator(".clash")
    expect(note).to_contain_text("Books for everybody")
    expect(note).to_have_attribute("role", "alert")
    expect(note.locator("del")).to_have_text("[taken out:] everybody")
    expect(note.locator("ins")).to_have_text("[put in:] children")
    # Another box goes on saving itself, and the line still says what there is to decide.
    second.locator(FRENCH).fill("Des livres")
    expect(second.locator(f"{FRENCH}[data-unsaved]")).to_have_count(0)
    expect(said(second)).to_contain_text("while you were writing")
    second.locator(TITLE).press_sequentially(" and adults")
    note.get_by_role("button", name=choice).click()
    expect(second.locator("textarea[data-unsaved]")).to_have_count(0)
    if choice == "Keep theirs":  # what was typed since the server set the rest aside
        expect(note).to_contain_text("Books for children and adults")
        note.get_by_role("button", name="Throw them away").click()
    expect(note).to_have_count(0)
    stands = "Books for children and adults" if choice == "Use mine" else "Books for everybody"
    expect(second.locator(TITLE)).to_have_value(stands)
    assert desk.read(TITLE) == stands
    assert kept_on_device(second) == []
    second.reload()
    second.locator("#group-title a", has_text="History").nth(1).click()
    for word in ("everybody", "children"):
        expect(second.locator("main")).to_contain_text(word)


def test_what_is_too_long_is_said_beside_its_box(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    box = page.locator(TITLE)
    box.fill("x" * 301)
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#part-title-en-fault")).to_contain_text("301")
    # Adding a request leaves the page: the words that nobody took are offered again.
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Add a request").click()
    expect(page.get_by_text("Request 2").first).to_be_attached()
    page.locator(".clash").get_by_role("button", name="Put them in").click()
    expect(box).to_have_attribute("aria-invalid", "true")
    # Sent as a form, it comes back as it was typed, with what is wrong, and is not taken for saved.
    page.evaluate("document.getElementById('group-title').submit()")
    expect(page.get_by_role("heading", name="Something is too long")).to_be_visible()
    expect(page.locator("#part-title-en-fault")).to_contain_text("301")
    expect(box).to_have_value("x" * 301)
    assert kept_on_device(page) == [["x" * 301]]
    box.fill("Short")
    expect(said(page)).to_contain_text("Saved at")
    expect(page.locator("#part-title-en-fault")).to_have_count(0)
    assert desk.read(TITLE) == "Short"


def test_what_was_typed_is_saved_before_an_item_moves(desk: Desk) -> None:
    page = desk.open()
    page.locator(TITLE).fill("Typed a moment before")
    page.get_by_role("button", name="Add a request").click()
    boxes = page.locator("[id^=part-][id$='-request-en']")
    expect(boxes).to_have_count(2)
    boxes.nth(1).fill("readers")
    page.locator("button[value=up]").click()
    expect(boxes.nth(0)).to_have_value("readers")
    expect(page.locator(TITLE)).to_have_value("Typed a moment before")
    expect(page.locator(".clash")).to_have_count(0)
    assert kept_on_device(page) == []


def test_without_script_a_button_saves_and_going_back_adds_nothing_twice(desk: Desk) -> None:
    page = desk.open(java_script_enabled=False)
    page.locator(TITLE).fill("Books without script")
    page.locator("#group-title button", has_text="Save").click()
    expect(page).to_have_url(re.compile("/text#group-title$"))
    expect(page.locator(TITLE)).to_have_value("Books without script")
    page.get_by_role("button", name="Add a request").click()
    expect(page.locator("[id$='-request-en']")).to_have_count(2)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    page.go_back()
    assert sent == []
    page.goto(desk.address())
    expect(page.locator("[id$='-request-en']")).to_have_count(2)


def test_going_back_and_pressing_again_adds_one_item(desk: Desk) -> None:
    for is_scripted in (True, False):
        page = desk.open(java_script_enabled=is_scripted)
        boxes = page.locator("[id$='-recital-en']")
        before = boxes.count()
        page.get_by_role("button", name="Add a reason").click()
        expect(boxes).to_have_count(before + 1)
        page.go_back()
        shown = boxes.count()
        page.get_by_role("button", name="Add a reason").click()
        page.wait_for_url(re.compile("#group-"))
        # Either the browser shows the old page, whose form counts once, or a new one on which the item stands already.
        expect(boxes).to_have_count(before + 1 if shown == before else before + 2)


def test_a_session_that_ended_keeps_the_words_until_its_owner_is_back(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    page.context.clear_cookies()
    page.locator(TITLE).fill("Typed after the end")
    expect(said(page)).to_contain_text("You are no longer signed in")
    assert kept_on_device(page) == [["Typed after the end"]]
    # Somebody else on the same device gets none of it.
    desk.sign_in(page.context, 2)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.wait_for_timeout(500)
    expect(said(page)).to_contain_text("You are no longer signed in")
    other = page.context.new_page()
    other.goto(desk.address())
    expect(other.locator(".clash")).to_have_count(0)
    other.close()
    # Signed in again in another tab.
    desk.sign_in(page.context, 1)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(said(page)).to_contain_text("Saved at")
    assert desk.read(TITLE) == "Typed after the end"
    page.get_by_role("button", name="Move down").first.or_(page.get_by_role("button", name="Add a request")).click()
    expect(page.locator("[id$='-request-en']")).to_have_count(2)


@pytest.mark.parametrize("place", ["", "/history"])
def test_signing_out_leaves_no_words_on_the_device(desk: Desk, place: str) -> None:
    page = desk.open(is_hasty=True)
    page.route("**/text/part", lambda route: route.abort())
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator(TITLE).fill("Private for now")
    expect(said(page)).to_contain_text("Not saved yet")
    assert kept_on_device(page) == [["Private for now"]]
    if place:
        page.locator("#group-title a", has_text="History").first.click()
        expect(page.get_by_text("As it is now")).to_be_visible()
        assert kept_on_device(page) == [["Private for now"]]
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in"))
    assert kept_on_device(page) == []


def test_the_bar_covers_no_box_that_has_the_focus(desk: Desk) -> None:
    page = desk.open(is_hasty=True)
    page.route("**/text/part", lambda route: route.abort())
    page.locator(TITLE).fill("Words that make the line long")
    expect(said(page)).to_contain_text("Not saved yet")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    hidden = page.evaluate(
        """() => {
            const seen = [], top = () => document.querySelector('.save').getBoundingClientRect().top;
            for (const each of document.querySelectorAll('main :is(a, button, textarea, input:not([type=hidden]))')) {
                if (each.closest('.save') || !each.checkVisibility()) continue;
                scrollTo(0, 0);
                each.focus();
                const { bottom, top: start } = each.getBoundingClientRect();
                if (start < 0 || bottom > top()) seen.push(each.outerHTML.slice(0, 160));
            }
            return seen;
        }"""
    )
    assert hidden == []
    # The keyboard's own way.
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    for _ in range(60):
        page.keyboard.press("Tab")
        covered = page.evaluate(
            """() => {
                const it = document.activeElement, bar = document.querySelector('.save');
                if (bar.contains(it) || !it.closest('main')) return null;
                // A browser brings the line with the caret into view, and of a long box no more than that.
                const { bottom, top } = it.getBoundingClientRect();
                const least = it.matches('textarea') ? Math.min(bottom, top + 40) : bottom;
                return top < 0 || least > bar.getBoundingClientRect().top ? it.outerHTML.slice(0, 160) : null;
            }"""
        )
        assert covered is None


def test_the_editor_is_accessible_and_within_the_window(desk: Desk) -> None:
    page = desk.context(is_hasty=True).new_page()
    page.goto(desk.address())
    page.locator(TITLE).fill("Books for everybody")
    page.locator("#group-title [data-save]").click()
    expect(said(page)).to_contain_text("Saved at")
    page.reload()
    history = page.locator("#group-title a", has_text="History").nth(1).get_attribute("href") or ""
    for locale in ("km", "en", "fr"):
        for path in (f"/{locale}/workspace/campaigns/{desk.slug}/text", history.replace("/en/", f"/{locale}/")):
            page.goto(desk.server.url + path)
            if path.endswith("/text"):
                _provoke(page, desk)
            for width in (320, 360, 1280):
                page.set_viewport_size({"width": width, "height": 720})
                assert find_overflow(page) == [], (path, width)
                if width > 320:
                    found = run_axe(page)
                    assert found.violations_count == 0, f"{path} {width}\n{found.generate_report()}"
            page.unroute_all()


def _provoke(page: Page, desk: Desk) -> None:
    """Bring everything up that only shows when something goes wrong: a clash, a fault, and words that were kept."""
    page.evaluate("() => localStorage.clear()")  # what the page before this one left
    page.locator("#part-declaration-en").evaluate(
        "(area, key) => localStorage.setItem(`hatthalekha:${editor.dataset.account}:${key}:${area.id}`, '[\"Kept\"]')",
        desk.slug,
    )
    page.reload()
    clash = {"version": 9, "text": "Theirs", "is_ready": False, "pieces": [["removed", "Theirs"], ["added", "Mine"]]}
    clash["message"] = "Somebody was faster."
    page.route("**/text/part", lambda route: route.fulfill(status=409, json=clash))
    page.locator(TITLE).fill("Mine")
    expect(page.locator(".clash")).to_have_count(2)
    page.unroute_all()
    page.locator(FRENCH).fill("x" * 301)
    expect(page.locator("#part-title-fr-fault")).to_be_visible()
