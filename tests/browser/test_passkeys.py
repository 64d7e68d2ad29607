"""Passkeys in a real browser, with an authenticator that its developers' protocol plays."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

    from tests.browser.conftest import LiveServer

# Keys that software plays are tried on both databases in tests/workspace/test_passkeys.py.
pytestmark = [pytest.mark.browser, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]
LINK = "/en/workspace/sign-in/"


def at_name(server: LiveServer) -> str:
    """Return the server's address with a name: a passkey belongs to a name, and 127.0.0.1 is none."""
    return f"http://localhost:{urlsplit(server.url).port}"


class Authenticator:
    """The authenticator of one page."""

    def __init__(self, page: Page) -> None:
        """Plug it in."""
        self.session: CDPSession = page.context.new_cdp_session(page)
        self.session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id: str = added["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """What it holds."""
        found: list[dict[str, Any]] = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def set_count(self, count: int) -> None:
        """Wind the count of its only credential."""
        (credential,) = self.credentials
        key = {"authenticatorId": self.id, "credentialId": credential["credentialId"]}
        self.session.send("WebAuthn.removeCredential", key)
        self.session.send(
            "WebAuthn.addCredential", {"authenticatorId": self.id, "credential": {**credential, "signCount": count}}
        )

    def verify(self, *, is_verified: bool) -> None:
        """Let its owner's finger be known, or not."""
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": is_verified})


def sign_in_by_letter(page: Page, server: LiveServer, email: str, address: str = "") -> None:
    """Ask for a letter, open its link at the named address, and press its button."""
    before = len(server.list_links(email, LINK))
    page.goto(f"{at_name(server)}/en/workspace/sign-in{address}")
    page.locator("#email").fill(email)
    page.get_by_role("button", name="Send me the email").click()
    expect(page).to_have_url(re.compile("/check-email$"))
    page.goto(at_name(server) + urlsplit(server.wait_for_link(email, LINK, after=before)).path)
    page.locator("form button.go").click()


def add_passkey(page: Page, server: LiveServer, label: str) -> list[str]:
    """Make a passkey on the page of the account; return the recovery codes that are shown."""
    page.goto(f"{at_name(server)}/en/workspace/account")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page).to_have_url(re.compile("/account/passkeys$"))
    page.locator("#label").fill(label)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page).to_have_url(re.compile("/account/recovery-codes$"))
    codes = page.locator("main code").all_inner_texts()
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_role("heading", name=label, exact=True)).to_be_visible()
    return codes


def test_a_passkey_is_made_signs_in_and_proves(browser: Browser, server: LiveServer) -> None:
    email = server.new_address("passkey")
    context = browser.new_context(viewport={"width": 360, "height": 720})
    page = context.new_page()
    authenticator = Authenticator(page)
    sign_in_by_letter(page, server, email)
    expect(page).to_have_url(re.compile("/en/workspace$"))
    assert len(add_passkey(page, server, "My phone")) == 10
    (credential,) = authenticator.credentials
    assert credential["rpId"] == "localhost"
    assert credential["isResidentCredential"]
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/workspace/sign-in$"))

    # Without typing an address.
    page.goto(f"{at_name(server)}/en/workspace/sign-in?next=/en/workspace/account")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/workspace/account$"))
    expect(page.get_by_text(email)).to_be_visible()
    expect(page.get_by_text("Chrome, Linux")).to_be_visible()

    # Before a grave step, once the last proof is older than ten minutes.
    _age_proofs(server)
    page.get_by_role("button", name="Make new codes").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/account/recovery-codes$"))
    assert page.locator("main code").count() == 10
    context.close()


def test_after_the_letter_a_passkey_is_asked_for_and_a_recovery_code_stands_in(
    browser: Browser, server: LiveServer
) -> None:
    email = server.new_address("passkey")
    context = browser.new_context()
    page = context.new_page()
    authenticator = Authenticator(page)
    sign_in_by_letter(page, server, email)
    code = add_passkey(page, server, "Key")[0]
    page.get_by_role("button", name="Sign out").click()
    sign_in_by_letter(page, server, email, "?next=/en/workspace/account")
    expect(page).to_have_url(re.compile("/sign-in/second-step$"))
    page.get_by_role("button", name="Use a passkey").click()
    expect(page).to_have_url(re.compile("/workspace/account$"))
    page.get_by_role("button", name="Remove this passkey").click()
    expect(page.get_by_role("heading", name="Key", exact=True)).to_have_count(0)
    assert len(authenticator.credentials) == 1
    page.get_by_role("button", name="Sign out").click()

    # What was removed signs nobody in, and the mailbox alone is enough again.
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-sum]")).to_contain_text("This passkey was not accepted")
    sign_in_by_letter(page, server, email)
    expect(page).to_have_url(re.compile("/en/workspace$"))
    code = add_passkey(page, server, "Another")[0]
    context.close()

    # On a phone that has no passkey, a code from paper.
    other = browser.new_context(java_script_enabled=False)
    page = other.new_page()
    sign_in_by_letter(page, server, email)
    expect(page).to_have_url(re.compile("/sign-in/second-step$"))
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    page.locator("#recovery").fill(code.upper().replace("-", " "))
    page.locator("form", has=page.locator("#recovery")).get_by_role("button").click()
    expect(page).to_have_url(re.compile("/en/workspace$"))
    other.close()


def test_a_copy_and_an_unknown_finger_are_refused(browser: Browser, server: LiveServer) -> None:
    email = server.new_address("passkey")
    context = browser.new_context()
    page = context.new_page()
    authenticator = Authenticator(page)
    sign_in_by_letter(page, server, email)
    add_passkey(page, server, "Key")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/en/workspace$"))
    _sign_out(page, server)
    authenticator.set_count(0)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-sum]")).to_contain_text("This passkey was not accepted")
    authenticator.set_count(100)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url(re.compile("/en/workspace$"))
    _sign_out(page, server)
    authenticator.verify(is_verified=False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-fault]")).to_be_visible()
    context.close()


def test_an_authenticator_is_set_up_without_script(browser: Browser, server: LiveServer) -> None:
    email = server.new_address("authenticator")
    context = browser.new_context(viewport={"width": 360, "height": 720}, java_script_enabled=False)
    page = context.new_page()
    sign_in_by_letter(page, server, email)
    page.goto(f"{at_name(server)}/en/workspace/account")
    page.get_by_role("button", name="Set up an authenticator app").click()
    drawing = page.get_by_role("img", name="QR code of the key below")
    expect(drawing).to_have_js_property("complete", value=True)
    assert drawing.evaluate("image => image.naturalWidth") > 100
    totp = pyotp.TOTP(page.locator("b[translate=no]").inner_text().replace(" ", ""))
    page.locator("#code").fill(totp.now())
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(re.compile("/account/recovery-codes$"))
    context.close()


def test_an_address_that_is_a_number_offers_no_passkey(page: Page, server: LiveServer) -> None:
    page.goto(f"{server.url}/en/workspace/sign-in")
    expect(page.get_by_role("button", name="Send me the email")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)


def _sign_out(page: Page, server: LiveServer) -> None:
    page.goto(f"{at_name(server)}/en/workspace/account")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/workspace/sign-in$"))


def _age_proofs(server: LiveServer) -> None:
    """Let every proof be an hour old."""
    with sqlite3.connect(server.settings.database_url.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE account_sessions SET proven_at = proven_at - 3600000000")
