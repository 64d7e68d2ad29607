"""The builder of who may sign in a real browser: the sentence follows every choice, and Enter saves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import ROOT, find_overflow, press, run_axe
from tests.browser.test_editor import SET_UP, Desk
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.browser.conftest import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]


@pytest.fixture
def desk(browser: Browser, server: LiveServer) -> Iterator[Desk]:
    """Sit down at a new draft; at the end nothing may have gone wrong in the browser."""
    environment = {
        **os.environ,
        "HATTHALEKHA_DATABASE_URL": server.settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(server.settings.keys_dir),
        "PYTHONPATH": str(ROOT),
    }
    slug = f"built-{uuid4().hex[:8]}"
    made = subprocess.run(
        [sys.executable, "-c", SET_UP],
        input=json.dumps([small_campaign(slug)]).encode(),
        stdout=subprocess.PIPE,
        check=True,
        env=environment,
    )
    sitting = Desk(browser, server, slug, json.loads(made.stdout.splitlines()[-1])[slug])
    yield sitting
    for context in sitting.contexts:
        context.close()
    assert sitting.faults == []


def test_the_sentence_follows_every_choice(desk: Desk) -> None:
    at = f"{desk.server.url}/en/workspace/campaigns/{desk.slug}/settings"
    page = desk.context().new_page()
    page.goto(f"{at}/signing")
    english, french = page.locator("[data-who=en]"), page.locator("[data-who=fr]")
    expect(english).to_have_text("Citizens and permanent residents of Canada")
    expect(page.locator("[data-show]")).to_be_hidden()
    page.locator("#i0-more").select_option("KH")
    expect(english).to_have_text("Citizens of Canada or Cambodia and permanent residents of Canada")
    page.locator("input[name=who][value=anyone]").check()
    expect(french).to_have_text("Tout le monde")
    expect(page.locator("[data-nothing]")).to_be_visible()
    page.locator("input[name=who][value=all]").check()
    press(page.get_by_role("button", name="Remove this condition").first)
    page.locator("#add").select_option("age")
    press(page.get_by_role("button", name="Add", exact=True).last)
    page.locator("#i1-age").fill("18")
    expect(english).to_have_text("Permanent residents of Canada aged 18 or over")
    assert find_overflow(page) == []
    found = run_axe(page).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    with page.expect_navigation():
        page.locator("#i1-age").press("Enter")
    expect(page).to_have_url(at)
    expect(page.locator("main")).to_contain_text("Permanent residents of Canada aged 18 or over")
