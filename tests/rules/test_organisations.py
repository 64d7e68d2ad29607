"""Websites as they are typed, mailboxes that prove one, and names that can be taken for another's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.normalise import Refused
from app.rules.organisations import (
    can_confirm,
    clean_website,
    find_resembled,
    organisation_key,
    proves_domain,
    registrable,
    website_domain,
)

NOON: Final = datetime(2026, 3, 2, 12, tzinfo=UTC)
KNOWN: Final = ("licadho-cambodia.org", "khmercanada.com", "ngo.org", "adhoc.org.kh")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("www.licadho.org", "https://www.licadho.org"),
        ("HTTP://Example.ORG:8080/a?b=1#c", "http://example.org:8080/a?b=1"),
        ("example.org:8080/x", "https://example.org:8080/x"),
        (" https://example.org/\u202e ", "https://example.org/"),
        ("ខ្មែរ.com", "https://" + idna.encode("ខ្មែរ.com").decode()),
        ("ｗｗｗ．example．org", "https://www.example.org"),
    ],
)
def test_a_website_is_kept_as_it_can_be_linked_to(typed: str, kept: str) -> None:
    assert clean_website(typed) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.org", "mailto:a@example.org", "//evil.example.org",
        "localhost", "http://127.0.0.1/", "http://[::1", "http://[::1]/", "https://a@example.org", "https://x.org:99999",
        "https://example.org/<script>", 'https://example.org/"onclick=', "example org.com", "https://", "a" * 600,
        "https://example.org/{{7*7}}", "https://example.org/\uff1cscript\uff1e", "https://example.org/\uff02x",
        "http://0x7f.0x1", "http://127.0.0.0x1/", "http://example.0X7F", "https://example.org/" + "\ufdfa" * 60,
        "https://" + "a" * 70 + ".org", "x..org",
    ],
)  # fmt: skip
def test_what_is_no_website_is_refused(typed: str) -> None:
    with pytest.raises(Refused):
        clean_website(typed)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_website_or_refused(typed: str) -> None:
    try:
        kept = clean_website(typed)
    except Refused:
        return
    assert kept == "" or kept.startswith(("https://", "http://"))
    assert clean_website(kept) == kept
    website_domain(typed)


@pytest.mark.parametrize(
    ("website", "domain"),
    [
        ("https://www.licadho-cambodia.org/x", "licadho-cambodia.org"),
        ("https://a.b.org.kh", "b.org.kh"),
        ("https://org.kh", None),
        ("https://team.name.github.io", "name.github.io"),
        ("www.example.co.uk", "example.co.uk"),
        ("https://[", None),
        ("", None),
        (None, None),
    ],
)
def test_what_is_registered_of_a_website(website: str | None, domain: str | None) -> None:
    assert website_domain(website) == domain


@pytest.mark.parametrize(
    ("email", "website", "is_proof"),
    [
        ("a@licadho.org", "https://www.licadho.org", True),
        ("a@mail.licadho.org", "https://licadho.org/kh", True),
        ("a@licadho.org", "https://licadho.com", False),
        ("a@licadho.org", "", False),
        ("a@gmail.com", "https://gmail.com", False),
        ("a@yahoo.com.kh", "https://www.yahoo.com.kh", False),
        ("a@privaterelay.appleid.com", "https://appleid.com", False),
        ("a@mailinator.com", "https://mailinator.com", False),
        ("a@one.github.io", "https://two.github.io", False),
        ("a@one.github.io", "https://one.github.io", True),
        ("a@other.org.kh", "https://adhoc.org.kh", False),
        ("a@" + idna.encode("ខ្មែរ.com").decode(), "https://www.ខ្មែរ.com", True),
        ("nobody", "https://licadho.org", False),
        *(
            (f"a@{domain}", f"https://www.{domain}", False)
            for domain in (
                *("riseup.net", "posteo.de", "mailfence.com", "mail.ru", "btinternet.com", "sky.com", "rediffmail.com"),
                *("ezecom.com.kh", "everyday.com.kh", "camnet.com.kh", "seznam.cz", "yahoo.co.in", "hotmail.it"),
                *("teksavvy.com", "rr.com", "westnet.com.au", "club-internet.fr", "facebook.com"),
            )
        ),
    ],
)
def test_a_mailbox_proves_the_domain_that_it_is_at(email: str, website: str, is_proof: bool) -> None:  # noqa: FBT001 - a case
    assert proves_domain(email, website) is is_proof


@pytest.mark.parametrize(
    ("domain", "resembled"),
    [
        ("licadho-cambodia.org", None),
        ("licadho-cambodla.org", "licadho-cambodia.org"),
        ("lіcadho-cambodia.org", "licadho-cambodia.org"),  # a Cyrillic letter
        ("licadhocambodia.org", "licadho-cambodia.org"),
        ("l-i-c-a-d-h-o-cambodia.org", "licadho-cambodia.org"),
        ("licadho-cambodia.com", "licadho-cambodia.org"),
        ("licadho.org", "licadho-cambodia.org"),
        ("licadho-cambodia-donations.net", "licadho-cambodia.org"),
        ("khrnercanada.com", "khmercanada.com"),
        ("khmercanda.com", "khmercanada.com"),
        ("kmhercanada.com", "khmercanada.com"),
        ("adh0c.org.kh", "adhoc.org.kh"),
        ("adhoc.org", "adhoc.org.kh"),
        ("ngo.com", "ngo.org"),
        ("ngos.org", None),
        ("redcross.org", None),
        ("khmerfrance.com", None),
        ("xn--a.org", None),
    ],
)
def test_names_that_can_be_taken_for_another(domain: str, resembled: str | None) -> None:
    seen = domain if domain.isascii() else idna.encode(domain).decode()
    assert find_resembled(seen, KNOWN) == resembled


def test_nothing_is_taken_for_itself_and_a_host_without_a_dot_is_nobodys() -> None:
    assert all(find_resembled(each, KNOWN) is None for each in KNOWN)
    assert find_resembled("ngo.org", ()) is None
    assert registrable("localhost") is None


def test_spellings_of_one_name_have_one_key() -> None:
    assert organisation_key("  KHMER   Alliance ") == organisation_key("Khmer alliance")
    assert organisation_key("«»") != ""
    assert organisation_key("«»") != organisation_key("<>")


def test_a_form_is_confirmed_until_a_day_after_closing() -> None:
    day = timedelta(days=1)
    assert can_confirm("open", None, NOON)
    assert can_confirm("embargoed", NOON + day, NOON)
    assert can_confirm("closed", NOON - day + timedelta(seconds=1), NOON)
    assert not can_confirm("closed", NOON - day, NOON)
    assert not can_confirm("closed", None, NOON)
    assert not any(can_confirm(state, None, NOON) for state in ("draft", "review", "refused", "stopped", "presented"))
