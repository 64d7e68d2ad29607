"""What people type into fields: what is kept of it, and what is refused with which sentence."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.normalise import (
    EMAIL_LIMIT,
    MAILBOXES,
    NAME_LIMIT,
    Refused,
    canonical_email,
    clean_email,
    clean_line,
    clean_name,
    clean_phone,
    clean_postal_code,
    mail_domain,
    name_key,
    province_of_postal_code,
)

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ROOT.parent / "shared" / "data" / "khmer-variants.json"
NOT_HERE = "../shared/data/khmer-variants.json is not on this machine"

ENTER_NAME: Final = "Enter your full name"
NAME_IN_LETTERS: Final = "Enter your name in letters, without digits or symbols"
NAME_NOT_ADDRESS: Final = "Enter your name, not a web or e-mail address"
FULL_EMAIL: Final = "Enter a full e-mail address, like sok@example.com"
ONE_EMAIL: Final = "Enter one e-mail address only"
FULL_POSTAL_CODE: Final = "Enter a full postal code, like V3B 1A1"
ZIP_CODE: Final = "Enter a five-digit ZIP code, like 98101"
OTHER_POSTAL_CODE: Final = "Enter a postal code in Latin letters and digits, like 75013"
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
    ],
)
def test_canonical_email_of_two_mailboxes_differs(one: str, other: str) -> None:
    assert canonical_email(one) != canonical_email(other)


@given(st.one_of(any_texts, st.tuples(any_texts, st.sampled_from(sorted(MAILBOXES))).map("@".join)))
def test_canonical_email_twice_is_canonical_email(text: str) -> None:
    assert canonical_email(canonical_email(text)) == canonical_email(text)


@pytest.mark.parametrize(
    ("address", "domain"),
    [("Sok@Example.ORG ", "example.org"), ("a@b@c.org", "c.org"), ("example.org", ""), ("", "")],
)
def test_mail_domain_is_what_stands_after_the_last_at(address: str, domain: str) -> None:
    assert mail_domain(address) == domain


# --- postal codes


@pytest.mark.parametrize("case", shared("postal"))
def test_clean_postal_code_of_shared_canadian_codes(case: dict[str, str | None]) -> None:
    typed, kept = case["typed"], case["kept"]
    assert typed is not None
    if kept is not None:
        assert clean_postal_code(typed, "CA") == kept
        return
    with pytest.raises(Refused) as error:
        clean_postal_code(typed, "CA")
    assert refusal(error) == FULL_POSTAL_CODE


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("v3b1a1", "CA", "V3B 1A1"),
        (" v3b \u200b–\u00a01a1 ", "CA", "V3B 1A1"),
        ("៩៨១០១", "US", "98101"),
        ("98101-1234", "US", "98101-1234"),
        ("981011234", "US", "98101-1234"),
        ("９８１０１ – １２３４", "US", "98101-1234"),
        ("sw1a  1aa", "GB", "SW1A 1AA"),
        ("១២០២០៦", "KH", "120206"),
        ("100–0001", "JP", "100-0001"),
        ("75013", "FR", "75013"),
    ],
)
def test_clean_postal_code_of_typed_codes(typed: str, country: str, kept: str) -> None:
    assert clean_postal_code(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country", "sentence"),
    [
        ("", "CA", "Enter your postal code"),
        (" - ", "FR", "Enter your postal code"),
        ("H0H 0H0", "CA", "Enter the postal code of the place where you live"),
        ("V3B", "CA", FULL_POSTAL_CODE),
        ("V3B 1A1 2", "CA", FULL_POSTAL_CODE),
        ("V3D 1A1", "CA", FULL_POSTAL_CODE),
        ("98101", "CA", FULL_POSTAL_CODE),
        ("9810", "US", ZIP_CODE),
        ("98101-12", "US", ZIP_CODE),
        ("V3B 1A1", "US", ZIP_CODE),
        ("Paris", "FR", OTHER_POSTAL_CODE),
        ("75013!", "FR", OTHER_POSTAL_CODE),
        ("ភ្នំពេញ ១", "KH", OTHER_POSTAL_CODE),
        ("1234567890123", "FR", OTHER_POSTAL_CODE),
    ],
)
def test_clean_postal_code_of_impossible_codes_is_refused(typed: str, country: str, sentence: str) -> None:
    with pytest.raises(Refused) as error:
        clean_postal_code(typed, country)
    assert refusal(error) == sentence


@given(any_texts, countries)
def test_clean_postal_code_of_any_text_is_clean_or_refused(text: str, country: str) -> None:
    with suppress(Refused):
        code = clean_postal_code(text, country)
        assert clean_postal_code(code, country) == code
        assert re.fullmatch("[0-9A-Z -]{1,12}", code)


@pytest.mark.parametrize(
    ("code", "provinces"),
    [
        *(("A1A 1A1", {"CA-NL"}), ("B3H 1A1", {"CA-NS"}), ("C1A 1A1", {"CA-PE"}), ("E1A 1A1", {"CA-NB"})),
        *(("G1A 1A1", {"CA-QC"}), ("H3Z 2Y7", {"CA-QC"}), ("J1A 1A1", {"CA-QC"}), ("K1A 0A6", {"CA-ON"})),
        *(("P1A 1A1", {"CA-ON"}), ("R1A 1A1", {"CA-MB"}), ("S1A 1A1", {"CA-SK"}), ("T1A 1A1", {"CA-AB"})),
        *(("V3B 1A1", {"CA-BC"}), ("Y1A 1A1", {"CA-YT"}), ("X0B 1A1", {"CA-NU"}), ("X1A 1A1", {"CA-NT"})),
        *(("X0Z 1A1", None), ("D1A 1A1", None), ("", None)),
    ],
)
def test_province_of_postal_code_of_each_first_letter(code: str, provinces: set[str] | None) -> None:
    assert province_of_postal_code(code) == provinces


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
