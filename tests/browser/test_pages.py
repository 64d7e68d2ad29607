"""Every page as people meet it: accessible, light, within the window, readable on paper."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

import pytest

from tests.browser.conftest import ALL_RULES, find_overflow, press, run_axe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.browser.conftest import LiveServer

# What pages look like does not hang on the database.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]
LOCALES: Final = ("km", "en", "fr")
BUDGET: Final = {"km": 100_000, "en": 60_000, "fr": 60_000}
MOST_REQUESTS: Final = 12
ONLY_COLOURS: Final = ALL_RULES | {"runOnly": ["color-contrast"]}
#: WCAG 1.4.12: what a reader may set, and no word may be lost.
TEXT_SPACING: Final = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }"
    "p { margin-bottom: 2em !important; }"
)


def addresses(server: LiveServer, locale: str) -> list[str]:
    """Return the pages that anyone can open, with those that say what went wrong."""
    paths = ["", "?q=khmer", f"campaigns/{server.slug}", f"campaigns/{server.long_slug}"]
    paths += [
        f"campaigns/{server.letter_slug}",
        f"campaigns/{server.slug}/check-email",
        f"campaigns/{server.slug}/signed",
    ]
    paths += [f"campaigns/{server.slug}/{name}" for name in ("counting", "names", "report", "reports")]
    paths += ["privacy", "counting", "verify", "refusals", "accessibility", "about", "nowhere"]
    return [f"{server.url}/{locale}/{path}" for path in paths]


def walk(page: Page, server: LiveServer, locale: str) -> Iterator[str]:
    """Open every page of a language one after another, and those that only a signer sees."""
    for address in addresses(server, locale):
        page.goto(address)
        yield address
    form = f"{server.url}/{locale}/campaigns/{server.slug}"
    page.goto(form)
    press(page.locator("#sign button.go"))
    yield "a form with faults"
    page.goto(form)
    email = server.new_address("reader")
    for field, text in {"name": "សុខ សុភា", "email": email, "postal_code": "V3B 1A1"}.items():
        page.locator(f"#{field}").fill(text)
    page.locator("#country").select_option("CA")
    page.locator("#subdivision").select_option("CA-BC")
    page.locator("input[name=claims]").first.check()
    page.locator("#consent").check()
    press(page.locator("#sign button.go"))
    yield "check email"
    page.goto(server.wait_for_link(email, "/confirm/"))
    yield "confirm"
    press(page.locator("form button.go"))
    yield "signed"
    press(page.locator("a[href*='/signature/']"))
    yield "own page"
    press(page.locator("button[value=withdraw]"))
    yield "own page, asking"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_accessible_and_within_the_window(page: Page, server: LiveServer, locale: str) -> None:
    """Colours and widths are the same in all languages: the other looks are looked at in one."""
    looks = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")][: 4 if locale == "km" else 1]
    elsewhere: list[str] = []
    page.on("request", lambda request: None if request.url.startswith(server.url) else elsewhere.append(request.url))
    for address in walk(page, server, locale):
        for width, scheme in looks:
            page.set_viewport_size({"width": width, "height": 720})
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal from the list above
            # In the dark it is the colours that are others, and nothing else.
            found = run_axe(page, ONLY_COLOURS if scheme == "dark" else ALL_RULES)
            assert found.violations_count == 0, f"{address} {width} {scheme}\n{found.generate_report()}"
        page.set_viewport_size({"width": 320, "height": 640})
        assert find_overflow(page) == [], address
        # The policy of the page forbids styles from elsewhere: a reader's own come with the browser, and so do these.
        page.evaluate(
            "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css);"
            " document.adoptedStyleSheets = [sheet]; }",
            TEXT_SPACING,
        )
        assert find_overflow(page) == [], f"{address} with text spacing"
    assert elsewhere == [], "no page calls anybody else"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_first_visit_is_light(browser: Browser, server: LiveServer, locale: str) -> None:
    for slug in (server.slug, server.long_slug):
        context = browser.new_context(viewport={"width": 360, "height": 720})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        sizes: list[float] = []
        requests: list[str] = []
        session.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        session.on(
            "Network.requestWillBeSent", lambda event, requests=requests: requests.append(event["request"]["url"])
        )
        page.goto(f"{server.url}/{locale}/campaigns/{slug}", wait_until="networkidle")
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        assert len(requests) <= MOST_REQUESTS, requests
        assert all(url.startswith(server.url) for url in requests), requests
        assert context.cookies() == []  # whoever only reads, or is about to sign, is not marked
        assert sum(sizes) <= BUDGET[locale], (sum(sizes), requests)
        context.close()


def test_styles_and_script_are_small(server: LiveServer) -> None:
    page = server.client.get("/en/").text
    for name, most in (("style.css", 15_000), ("enhance.js", 2_000)):
        address = next(part for part in page.split('"') if part.endswith(name))
        content = server.client.get(address).content
        assert len(content) < most
        assert len(gzip.compress(content)) < most / 2


@pytest.mark.parametrize("locale", LOCALES)
def test_a_printed_campaign_has_its_text_and_no_form(page: Page, server: LiveServer, locale: str) -> None:
    page.goto(f"{server.url}/{locale}/campaigns/{server.long_slug}")
    page.emulate_media(media="print")
    assert page.locator(".leaf").is_visible()
    assert not page.locator("#sign").is_visible()
    assert not page.locator(".lang").is_visible()
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_targets_are_large_enough_for_a_thumb(page: Page, server: LiveServer) -> None:
    """Primary buttons are 56 px high, every other control 44 at least."""
    page.goto(f"{server.url}/km/campaigns/{server.slug}")
    for selector, least in (("#sign button.go", 56), (".btn, select, input:not([type=checkbox], [type=hidden])", 44)):
        for control in page.locator(selector).all():
            box = control.bounding_box()
            assert box is None or box["height"] >= least, control.evaluate("element => element.outerHTML")
    for label in page.locator("label.opt").all():
        box = label.bounding_box()
        assert box is not None
        assert box["height"] >= 44
