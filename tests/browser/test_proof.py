"""A proof of work in a real browser: worked at while a person types, and sent with the form."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.browser.test_signing import fill

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import LiveServer

# Keeping what was used is tried on both databases in tests/web/test_proof.py.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]


@pytest.fixture
def wanted(server: LiveServer) -> Iterator[sqlite3.Connection]:
    """Have moderators want proofs for the small campaign, until the test has ended."""
    path = server.settings.database_url.removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as database:
        (campaign_id,) = database.execute("SELECT id FROM campaigns WHERE slug = ?", [server.slug]).fetchone()
        switch_id = uuid4().hex
        database.execute(
            "INSERT INTO switches (id, kind, scope, subject, because, on_at) VALUES (?, 'proof', ?, '', 'a test', 0)",
            [switch_id, campaign_id],
        )
        yield database
        database.execute("DELETE FROM switches WHERE id = ?", [switch_id])


def open_form(page: Page, server: LiveServer) -> None:
    """Open the campaign as soon as its page asks for a proof: pages and switches are kept for a second."""
    form = page.locator("form[data-proof]")
    for _ in range(10):
        page.goto(f"{server.url}/en/campaigns/{server.slug}")
        if form.count():
            return
        page.wait_for_timeout(250)
    raise AssertionError("no proof is wanted")


def count_used(database: sqlite3.Connection) -> int:
    (number,) = database.execute("SELECT count(*) FROM used_challenges").fetchone()
    return int(number)


def test_a_proof_is_made_while_a_person_types_and_is_accepted(
    page: Page, server: LiveServer, wanted: sqlite3.Connection
) -> None:
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    used = count_used(wanted)
    email = server.new_address("prover")
    open_form(page, server)
    field = page.locator("input[name=proof]")
    expect(field).to_have_value("")
    fill(page, email)
    expect(field).not_to_have_value("", timeout=15_000)
    payload = field.input_value()
    page.locator("#sign button.go").click()
    expect(page).to_have_url(re.compile("/check-email$"))
    assert count_used(wanted) == used + 1
    score = "SELECT score, signals FROM signatures ORDER BY created_at DESC LIMIT 1"
    assert "no_proof" not in wanted.execute(score).fetchone()[1]
    # The same again, for somebody else, is no proof.
    other = server.new_address("replayer")
    open_form(page, server)
    fill(page, other)
    page.evaluate(
        """(payload) => {
            const form = document.querySelector('form[data-proof]');
            form.elements.proof.remove();
            const field = document.createElement('input');
            Object.assign(field, { type: 'hidden', name: 'proof', value: payload });
            form.append(field);
            form.submit();
        }""",
        payload,
    )
    expect(page.get_by_text(other)).to_have_count(0)
    expect(page).to_have_url(re.compile("/sign$"))
    assert count_used(wanted) == used + 1
    assert not [fault for fault in faults if "422" not in fault]


def test_a_form_that_is_sent_at_once_waits_for_its_proof(
    page: Page, server: LiveServer, wanted: sqlite3.Connection
) -> None:
    used = count_used(wanted)
    open_form(page, server)
    # As if everything were filled in by the browser itself, without a key being pressed.
    page.evaluate("window.addEventListener('input', (event) => event.stopPropagation(), true)")
    fill(page, server.new_address("quick"))
    page.locator("#sign button.go").dblclick()
    expect(page).to_have_url(re.compile("/check-email$"), timeout=15_000)
    assert count_used(wanted) == used + 1


def test_a_form_whose_riddle_does_not_come_is_sent_all_the_same(
    page: Page, server: LiveServer, wanted: sqlite3.Connection
) -> None:
    page.route("**/proof", lambda route: route.abort())
    open_form(page, server)
    fill(page, server.new_address("unlucky"))
    page.locator("#sign button.go").click()
    expect(page).to_have_url(re.compile("/sign$"), timeout=15_000)
