"""What people type into fields: what is kept of it, and what is refused with which sentence."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from app.rules.mailboxes import MAILBOXES, RELAYS, is_throwaway
from app.rules.normalise import (
    EMAIL_LIMIT,
    NAME_LIMIT,
    Refused,
    canonical_email,
    clean_email,
    clean_line,
    clean_name,
    clean_phone,
    mail_domain,
    name_key,
)

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ROOT.parent / "shared" / "data" / "khmer-variants.json"
NOT_HERE = "../shared/data/khmer-variants.json is not on this machine"

ENTER_NAME: Final = "Enter your full name"
NAME_IN_LETTERS: Final = "Enter your name in letters, without digits or symbols"
NAME_NOT_ADDRESS: Final = "Enter your name, not a web or e-mail address"
FULL_EMAIL: Final = "Enter a full e-mail address, like sok@example.com"
ONE_EMAIL: Final = "Enter one e-mail address only"
FULL_PHONE: Final = "Enter a full telephone number, like +1 514 555 0123"

# Controls, everything bidirectional, surrogates, and the joiners, in Khmer and among other characters.
NASTY = [
    *"\0\t\r\n\x1f\x7f\x85\u2028\u061c\u200e\u202e\u2066\u2069\ufeff\u00ad\u3164\ud800\U000e0041\u200b\u200c\u200d"
]
any_texts = st.one_of(
    st.text(st.characters(), max_size=60),
    st.text(st.sampled_from([*NASTY, *"កឹុំ្ទ៣ aZé\u0301@.+-,/9H"]), max_size=40),
)
countries = st.sampled_from(["CA", "US", "FR", "KH", "AQ", "", "xx"])
UNWANTED = re.compile("[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def shared(kind: str) -> list[Any]:
    """Return the cases of the data file, or one that is skipped and says why."""
    if not VARIANTS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=NOT_HERE))]
    cases: list[Any] = json.loads(VARIANTS.read_text("utf-8"))[kind]
    return cases


def refusal(error: pytest.ExceptionInfo[Refused]) -> str:
    """Return the sentence, having checked that the error says the same."""
    assert str(error.value) == error.value.message.sentence
    return error.value.message.sentence


# --- lines


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Sok \t\r\n Dara\u00a0 ", "Sok Dara"),
        ("Sok\0Dara\x1b[0m", "SokDara[0m"),
        ("He\u0301le\u0300ne", "Hélène"),
        ("\u202eSok\u202c \u2067Dara\u2069\ufeff", "Sok Dara"),
        ("So\u200bk\u200d", "Sok"),
        ("ក\u200bខ\u200c៊ី", "ក\u200bខ\u200c៊ី"),
        ("\u200bក\u200b\u200b ខ\u200d", "ក ខ"),
        ("ក\u200b\u200dខ", "ក\u200b\u200dខ"),
        ("ක්‍ර ශ්\u200dරී", "ක්‍ර ශ්\u200dරී"),
        ("សំខាន់\u2060ៗ", "សំខាន់ៗ"),
        ("\u0300\u200b\u17d2\u200bក", "\u17d2\u0300ក"),
        ("a\ud800b", "ab"),
        ("=HYPERLINK(1) {{7*7}} #panic() <b>", "=HYPERLINK(1) {{7*7}} #panic() <b>"),
        ("", ""),
    ],
)
def test_clean_line_of_typed_text(typed: str, kept: str) -> None:
    assert clean_line(typed, limit=100) == kept


def test_clean_line_at_its_limit_is_kept() -> None:
    assert clean_line("  e\u0301" * 5, limit=9) == "é é é é é"


@pytest.mark.parametrize("typed", ["abcd", "a" * 1_000_000, " " * 1_000_000])
def test_clean_line_over_its_limit_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as error:
        clean_line(typed, limit=3)
    assert refusal(error) == "Shorten this to %(limit)s characters or fewer"
    assert error.value.message.values == {"limit": 3}


@given(any_texts)
def test_clean_line_leaves_no_control_and_is_clean_twice(text: str) -> None:
    line = clean_line(text, limit=1000)
    assert not UNWANTED.search(line)
    assert "  " not in line
    assert line == line.strip() == unicodedata.normalize("NFC", line) == clean_line(line, limit=1000)


# --- names


@pytest.mark.parametrize("name", shared("names_accepted"))
def test_clean_name_of_shared_names_keeps_them(name: str) -> None:
    assert clean_name(name) == " ".join(name.split())


@pytest.mark.parametrize("name", shared("names_refused"))
def test_clean_name_of_shared_non_names_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        clean_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("J.R. Sok, Jr.", "M.Sok", "Dr.Chan", "Meas.Au", "D'Arc", "D‘Arc", "ʻAkau", "Gal·la", "ジョン・スミス"),
        *("អ៊ុំ ហ៊ុន", "ផ្សេងៗ", "محمد", "சுந்தர்", "Sok–Dara", "ស", "x" * NAME_LIMIT),
    ],
)
def test_clean_name_of_names_keeps_them(name: str) -> None:
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", ENTER_NAME),
        (" \u200b\u202e\u3164 ", ENTER_NAME),
        ("១២៣", NAME_IN_LETTERS),
        ("-.'", NAME_IN_LETTERS),
        ("ំ", NAME_IN_LETTERS),
        ("Sok 2", NAME_IN_LETTERS),
        ("<script>", NAME_IN_LETTERS),
        ("{{7*7}}", NAME_IN_LETTERS),
        ("#panic()", NAME_IN_LETTERS),
        ("=HYPERLINK(1)", NAME_IN_LETTERS),
        ("\t=1+1", NAME_IN_LETTERS),
        ("Sok 🙂", NAME_IN_LETTERS),
        ("@SUM", NAME_NOT_ADDRESS),
        ("sok＠example.org", NAME_NOT_ADDRESS),
        ("https://evil", NAME_NOT_ADDRESS),
        ("see www.evil", NAME_NOT_ADDRESS),
        ("ＥＶＩＬ.ＣＯＭ", NAME_NOT_ADDRESS),
        ("evil.example", NAME_NOT_ADDRESS),
        ("x" * (NAME_LIMIT + 1), "Shorten this to %(limit)s characters or fewer"),
    ],
)
def test_clean_name_of_what_is_no_name_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as error:
        clean_name(typed)
    assert refusal(error) == sentence


@given(any_texts)
def test_clean_name_of_any_text_is_clean_or_refused(text: str) -> None:
    with suppress(Refused):
        name = clean_name(text)
        assert clean_name(name) == name
        assert 1 <= len(name) <= NAME_LIMIT
        assert not UNWANTED.search(name)
        assert not set(name) & set('<>{}=#"&/@')


# --- e-mail addresses


@pytest.mark.parametrize("case", shared("email"))
def test_clean_email_of_shared_addresses_keeps_them(case: dict[str, str]) -> None:
    assert clean_email(case["typed"]) == case["kept"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Sok.Dara+news@EXAMPLE.org\n", "Sok.Dara+news@example.org"),
        ("sok\u200b@exa\u00admple.org", "sok@example.org"),
        ("sok១២@example.org", "sok12@example.org"),
        ("sok@exämple.com", "sok@xn--exmple-cua.com"),
        ("sok@example。org", "sok@example.org"),
        ("a" * 64 + "@example.org", "a" * 64 + "@example.org"),
    ],
)
def test_clean_email_of_typed_addresses(typed: str, kept: str) -> None:
    assert clean_email(typed) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter your e-mail address"),
        (" \u200b ", "Enter your e-mail address"),
        ("sok", FULL_EMAIL),
        ("sok@", FULL_EMAIL),
        ("sok@@example.org", FULL_EMAIL),
        ("sok@example", FULL_EMAIL),
        ("សុខ@example.org", FULL_EMAIL),
        ("Sok <sok@example.org>", FULL_EMAIL),
        ('"a b"@example.org', FULL_EMAIL),
        ("a@[127.0.0.1]", FULL_EMAIL),
        ("a@b.com\nBcc: victim", FULL_EMAIL),
        ("a@b.com\r\nBcc: c@d.com", FULL_EMAIL),
        ("a@b.com\0", FULL_EMAIL),
        ("a\ud800@b.com", FULL_EMAIL),
        ("a" * 65 + "@example.org", FULL_EMAIL),
        ("a@" + "b." * 130 + "com", FULL_EMAIL),
        ("a@b.com" * 1_000_000, FULL_EMAIL),
        ("a@b.com, c@d.com", ONE_EMAIL),
        ("a@b.com;c@d.com", ONE_EMAIL),
        ("a@b.com c@d.com", ONE_EMAIL),
    ],
)
def test_clean_email_of_what_cannot_be_delivered_to_is_refused(typed: str, sentence: str) -> None:
    with pytest.raises(Refused) as error:
        clean_email(typed)
    assert refusal(error) == sentence


@given(st.one_of(any_texts, any_texts.map(lambda text: f"{text[:9]}@{text[9:18]}.org")))
def test_clean_email_of_any_text_is_one_ascii_address_or_refused(text: str) -> None:
    with suppress(Refused):
        address = clean_email(text)
        assert clean_email(address) == address
        assert len(address) <= EMAIL_LIMIT
        assert address.isascii()
        assert address.isprintable()
        assert address.count("@") == 1


@given(st.emails(), st.sampled_from("\r\n\0\t\x0b\x7f\x85"), st.data())
def test_clean_email_with_a_control_inside_is_refused(address: str, control: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(address) - 1))
    with pytest.raises(Refused):
        clean_email(address[:place] + control + address[place:])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A.B+x@gmail.com", "ab@gmail.com"),
        ("ab@googlemail.com", "a.b@GMAIL.com"),
        ("sok+news@outlook.com", "Sok@outlook.com"),
        ("sok+a@pm.me", "sok+b@pm.me"),
        ("sok@pm.me", "Sok+x@ProtonMail.com"),
        ("sok@mac.com", "sok@icloud.com"),
        ("sok@ya.ru", "sok+x@yandex.com"),
        ("anything@sok.fastmail.com", "sok+anything@fastmail.com"),
        ("sok@example.org", "\u200bＳＯＫ＠Example．org "),
    ],
)
def test_canonical_email_of_one_mailbox_is_equal(one: str, other: str) -> None:
    assert canonical_email(one) == canonical_email(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.b@example.org", "ab@example.org"),
        ("a+x@example.org", "a@example.org"),
        ("a.b@outlook.com", "ab@outlook.com"),
        ("a-b@yahoo.com", "a@yahoo.com"),
        ("a@hotmail.com", "a@outlook.com"),
        ("+a@gmail.com", "+b@gmail.com"),
        ("a@sub.gmail.com", "a@gmail.com"),
        ("a.b@proton.me", "ab@proton.me"),
        ("a@fastmail.com", "a@fastmail.fm"),
        ("x@a.fastmail.com", "x@b.fastmail.com"),
        ("x@a.example.org", "a@example.org"),
    ],
)
def test_canonical_email_of_two_mailboxes_differs(one: str, other: str) -> None:
    assert canonical_email(one) != canonical_email(other)


local_parts = st.sampled_from(["sok", "s.ok", "so.k", "s-ok", "sokha", "s.ok.h.a", "1.sok"])
tags = st.sampled_from(["", "+", "+a", "+a.b", "+a+b"])
addresses = st.tuples(local_parts, tags, st.sampled_from(sorted(MAILBOXES)))


def owner(address: tuple[str, str, str]) -> tuple[str, str]:
    """Say what the providers say, a second time: dots for Gmail alone, tags nowhere, and which domains are one."""
    local, _, domain = address
    is_gmail = domain in {"gmail.com", "googlemail.com"}
    families = ({"me.com", "mac.com", "icloud.com"}, {"pm.me", "proton.me", "protonmail.com", "protonmail.ch"})
    family = next((min(each) for each in families if domain in each), domain)
    family = "yandex" if "yandex" in domain or domain == "ya.ru" else "gmail" if is_gmail else family
    return (local.replace(".", "") if is_gmail else local), family


@given(addresses, addresses)
def test_canonical_email_is_equal_for_one_mailbox_and_only_for_one(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    first, second = ("{}{}@{}".format(*each) for each in (one, other))
    assert (canonical_email(first) == canonical_email(second.upper())) == (owner(one) == owner(other))


@given(local_parts, tags, st.sampled_from(["example.org", "yahoo.com", "aol.com", "gmail.com.kh", "sub.gmail.com"]))
def test_canonical_email_elsewhere_is_the_address_itself(local: str, tag: str, domain: str) -> None:
    assert canonical_email(f"{local}{tag}@{domain}") == f"{local}{tag}@{domain}"


plain_locals = st.from_regex(r"[A-Za-z0-9_+.-]{1,12}|[a-z]{60,66}", fullmatch=True)


@given(plain_locals, st.sampled_from(["gmail.com", "Yahoo.CA", "yahoo.com.kh", "example.org", "gmail.com."]))
def test_clean_email_of_plain_addresses_is_what_the_library_says(local: str, domain: str) -> None:
    """Addresses of large providers take a short way, and it leads to the same place."""
    try:
        valid = validate_email(f"{local}@{domain}", check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        with pytest.raises(Refused):
            clean_email(f"{local}@{domain}")
    else:
        assert clean_email(f"{local}@{domain}") == f"{valid.local_part}@{valid.ascii_domain}"


@given(
    st.from_regex(r"(\+?1[ -]?)?\(?[0-9]{3}\)?[ .-]?[0-9]{3}[ .-]?[0-9]{4,5}", fullmatch=True),
    st.sampled_from(["CA", "US", "FR", "KH"]),
)
def test_clean_phone_of_plain_numbers_is_what_the_library_says(typed: str, country: str) -> None:
    """North American numbers take a short way, and it leads to the same place."""
    try:
        number = phonenumbers.parse(typed, country)
        said = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        said = ""
    with suppress(Refused):
        assert clean_phone(typed, country) == said


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        *(("mailinator.com", True), ("sub.mailinator.com", True), ("yopmail.com", True)),
        *(("gmail.com", False), ("example.org", False), ("com", False), ("", False)),
    ],
)
def test_is_throwaway_of_domains(domain: str, *, expected: bool) -> None:
    assert is_throwaway(domain) is expected


def test_is_throwaway_of_relays_and_of_large_providers_is_false() -> None:
    for domain in (*RELAYS, *MAILBOXES, "yahoo.com", "videotron.ca", "online.com.kh"):
        assert not is_throwaway(domain)
        assert domain in MAILBOXES or not is_throwaway(f"sok.{domain}")


@given(st.one_of(any_texts, st.tuples(any_texts, st.sampled_from(sorted(MAILBOXES))).map("@".join)))
def test_canonical_email_twice_is_canonical_email(text: str) -> None:
    assert canonical_email(canonical_email(text)) == canonical_email(text)


@pytest.mark.parametrize(
    ("address", "domain"),
    [("Sok@Example.ORG ", "example.org"), ("a@b@c.org", "c.org"), ("example.org", ""), ("", "")],
)
def test_mail_domain_is_what_stands_after_the_last_at(address: str, domain: str) -> None:
    assert mail_domain(address) == domain


# --- telephones


@pytest.mark.parametrize("case", shared("phone"))
def test_clean_phone_of_shared_numbers_keeps_them(case: dict[str, str]) -> None:
    assert clean_phone(case["typed"], "CA") == case["kept"]


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("514.555.0123", "US", "+15145550123"),
        ("1-514-555-0123", "CA", "+15145550123"),
        ("514 555 0123 ext 4", "CA", "+15145550123"),
        ("០១២ ៣៤៥ ៦៧៨", "KH", "+85512345678"),
        ("+៨៥៥ ១២ ៣៤៥ ៦៧៨", "CA", "+85512345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("+1 514 555 0123", "AQ", "+15145550123"),
        ("\u202a514\u200b5550123\u202c", "CA", "+15145550123"),
    ],
)
def test_clean_phone_of_typed_numbers(typed: str, country: str, kept: str) -> None:
    assert clean_phone(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country", "sentence"),
    [
        ("", "CA", "Enter your telephone number"),
        ("none", "CA", FULL_PHONE),
        ("911", "CA", FULL_PHONE),
        ("555-0123", "CA", FULL_PHONE),
        ("000 000 0000", "CA", FULL_PHONE),
        ("123 555 0123", "CA", FULL_PHONE),
        ("514 055 0123", "CA", FULL_PHONE),
        ("+49 30", "DE", FULL_PHONE),
        ("514 555 0123", "AQ", FULL_PHONE),
        ("+999 514 555 0123", "CA", FULL_PHONE),
    ],
)
def test_clean_phone_of_impossible_numbers_is_refused(typed: str, country: str, sentence: str) -> None:
    with pytest.raises(Refused) as error:
        clean_phone(typed, country)
    assert refusal(error) == sentence


@given(st.one_of(any_texts, st.text(st.sampled_from("0123456789+()- ៥"), max_size=20)), countries)
def test_clean_phone_of_any_text_is_e164_or_refused(text: str, country: str) -> None:
    with suppress(Refused):
        number = clean_phone(text, country)
        assert re.fullmatch(r"\+[0-9]{5,17}", number)
        assert clean_phone(number, country) == number


# --- near duplicates


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("កឹម សុខា", "H3Z 2Y7"), ("កឹម\u200bសុខា", "h3z2y7"), id="spaces in Khmer"),
        pytest.param(("Sok Dara", None), ("DARA  SOK", ""), id="order of words in Latin"),
        pytest.param(("Hélène O’Neil", "75013"), ("Helene O'Neil", "75013"), id="accents"),
    ],
)
def test_name_key_of_one_person_is_equal(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    assert name_key(*one) == name_key(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("Sok Dara", "H3Z 2Y7"), ("Sok Dara", "V3B 1A1"), id="postal code"),
        pytest.param(("Sok", "1"), ("Sok|1", None), id="a name that plays postal code"),
        pytest.param(("ហ៊ុន", None), ("ហេង", None), id="name"),
    ],
)
def test_name_key_of_two_people_differs(one: tuple[str, str | None], other: tuple[str, str | None]) -> None:
    assert name_key(*one) != name_key(*other)


@given(any_texts, st.one_of(st.none(), any_texts))
def test_name_key_of_any_text_never_raises(name: str, postal_code: str | None) -> None:
    assert name_key(name, postal_code).count("|") == 1
