"""The mailbox of development: for this machine alone, and nothing in it runs."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_network
from mailbox import Maildir
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.main import create_app
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.stage import Stage
    from tests.web.people import Person


def ask(stage: Stage, path: str = "/dev/mailbox", *, peer: str = "127.0.0.1", **changes: object) -> httpx.Response:
    """Open the mailbox from ``peer``, in an application whose settings were changed."""
    forwarded = changes.pop("forwarded", None)
    house = replace(stage.house, settings=replace(stage.settings, **changes))  # type: ignore[arg-type]  # of any kind
    transport = httpx.ASGITransport(create_app(house, with_background=False), client=(peer, 1))

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url=house.settings.base_url) as browser:
            return await browser.get(path, headers={"x-forwarded-for": str(forwarded)} if forwarded else {})

    try:
        return stage.run(get())
    finally:
        # Assembling an application puts it behind the cache that they share.
        create_app(stage.house, with_background=False)


TRUSTED = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "trusted", "forwarded", "status"),
    [
        ("127.0.0.1", (), None, 200),
        ("::1", (), None, 200),
        ("::ffff:127.0.0.1", (), None, 200),
        ("127.0.0.1", (), "203.0.113.5", 200),
        ("127.0.0.1", TRUSTED, "127.0.0.1", 200),
        ("203.0.113.5", (), None, 404),
        ("::ffff:203.0.113.5", (), None, 404),
        ("203.0.113.5", (), "127.0.0.1", 404),
        ("10.0.0.1", TRUSTED, "127.0.0.1", 404),
        ("127.0.0.1", TRUSTED, "203.0.113.5", 404),
        ("not an address", (), None, 404),
    ],
)
def test_only_this_machine_sees_letters(
    site: Stage, peer: str, trusted: tuple[object, ...], forwarded: str | None, status: int
) -> None:
    for path in ("/dev/mailbox", "/dev/mailbox/none"):
        answer = ask(site, path, peer=peer, trusted_proxies=trusted, forwarded=forwarded)
        assert answer.status_code == (404 if path.endswith("none") else status)


def test_with_a_relay_or_in_public_there_is_no_mailbox(site: Stage) -> None:
    assert ask(site, smtp_url="smtp://relay.example").status_code == 404
    assert ask(site, base_url="https://sign.example.org").status_code == 404
    assert ask(site, base_url="http://192.0.2.1:8000").status_code == 404


def test_a_letter_is_shown_with_its_styles_and_nothing_that_runs(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    letter = person.letter()
    shown = site.get("/dev/mailbox")
    page = Page(shown.text)
    assert person.email in page.words
    assert any(link.endswith(f"/confirm/{letter.token('confirm')}") for link in page.links)
    newest = next(link for link in page.links if link.startswith("/dev/mailbox/"))
    answer = site.get(newest)
    assert answer.text.splitlines() == letter.html.splitlines()
    policy = answer.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "default-src 'none'; style-src 'unsafe-inline';" in policy[0]
    assert re.search(r"; sandbox(?!.*allow-(scripts|forms|same-origin))", policy[0])
    assert "script-src" not in policy[0]
    assert "unsafe-inline" not in shown.headers["content-security-policy"]
    for path in ("/dev/mailbox/..", "/dev/mailbox/%2e%2e%2f", "/dev/mailbox/%00", "/dev/mailbox/"):
        assert site.get(path).status_code == 404


def test_looking_makes_no_mailbox(site: Stage, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"keys_dir": tmp_path / "keys"}
    assert "No letters yet" in Page(ask(site, default_locale="en", **settings).text).words
    assert ask(site, "/dev/mailbox/x", **settings).status_code == 404
    assert not (tmp_path / "mailbox").exists()


def test_a_letter_without_html_has_no_such_view(site: Stage, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"keys_dir": tmp_path / "keys"}
    folder = replace(site.settings, **settings).mailbox_dir
    folder.parent.mkdir()
    key = Maildir(folder).add(b"From: a@example.org\r\nSubject: plain\r\n\r\nwords")
    assert ask(site, f"/dev/mailbox/{key}", **settings).status_code == 404
