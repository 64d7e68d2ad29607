"""Numbers, dates and moments as each language writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.i18n import LOCALES, Locale
from app.i18n.formats import (
    ZERO_WIDTH_SPACE,
    format_date,
    format_days,
    format_moment,
    format_number,
    format_zone,
    khmer_digits,
)

EVENING = datetime(2018, 10, 12, 23, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "locale", "expected"),
    [
        (0, "km", "០"),
        (342, "km", "៣៤២"),
        (1234, "km", "១.២៣៤"),
        (6_103_056, "km", "៦.១០៣.០៥៦"),
        (1234, "en", "1,234"),
        (1234, "fr", "1\u00a0234"),
        (-1234, "fr", "-1\u00a0234"),
    ],
)
def test_number_of_a_count(number: int, locale: Locale, expected: str) -> None:
    assert format_number(number, locale) == expected


@pytest.mark.parametrize(
    ("day", "locale", "expected"),
    [
        (date(2018, 10, 24), "km", "ថ្ងៃទី២៤ ខែតុលា ឆ្នាំ២០១៨"),
        (date(2018, 10, 24), "en", "24 October 2018"),
        (date(2018, 10, 24), "fr", "24 octobre 2018"),
        (date(2018, 10, 1), "fr", "1er octobre 2018"),
        (date(2018, 10, 1), "en", "1 October 2018"),
        (date(2018, 2, 21), "fr", "21 février 2018"),
    ],
)
def test_date_in_full(day: date, locale: Locale, expected: str) -> None:
    assert format_date(day, locale) == expected


@pytest.mark.parametrize("locale", LOCALES)
def test_months_have_no_zero_width_space(locale: Locale) -> None:
    assert not any(ZERO_WIDTH_SPACE in format_date(date(2018, month, 9), locale) for month in range(1, 13))


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("km", "ថ្ងៃទី១២ ខែតុលា ឆ្នាំ២០១៨ ម៉ោង ៧:៤០ ល្ងាច (ម៉ោងនៅតូរ៉ុនតូ)"),
        ("en", "12 October 2018, 7:40 p.m. (Toronto time)"),
        ("fr", "12 octobre 2018, 19\u00a0h\u00a040 (heure de Toronto)"),
    ],
)
def test_moment_says_whose_clocks_it_means(locale: Locale, expected: str) -> None:
    assert format_moment(EVENING, "America/Toronto", locale) == expected


@pytest.mark.parametrize(
    ("hour", "minute", "english", "french", "khmer"),
    [
        (0, 5, "12:05 a.m.", "0\u00a0h\u00a005", "ម៉ោង ១២:០៥ យប់"),
        (3, 59, "3:59 a.m.", "3\u00a0h\u00a059", "ម៉ោង ៣:៥៩ យប់"),
        (4, 0, "4:00 a.m.", "4\u00a0h", "ម៉ោង ៤:០០ ព្រឹក"),
        (12, 0, "12:00 p.m.", "12\u00a0h", "ម៉ោង ១២:០០ រសៀល"),
        (17, 30, "5:30 p.m.", "17\u00a0h\u00a030", "ម៉ោង ៥:៣០ ល្ងាច"),
        (23, 59, "11:59 p.m.", "23\u00a0h\u00a059", "ម៉ោង ១១:៥៩ យប់"),
    ],
)
def test_time_of_day(hour: int, minute: int, english: str, french: str, khmer: str) -> None:
    moment = datetime(2018, 10, 12, hour, minute, tzinfo=UTC)
    assert format_moment(moment, "UTC", "en") == f"12 October 2018, {english} (UTC)"
    assert format_moment(moment, "UTC", "fr") == f"12 octobre 2018, {french} (UTC)"
    assert khmer in format_moment(moment, "UTC", "km")


@pytest.mark.parametrize(
    ("zone", "locale", "expected"),
    [
        ("America/Vancouver", "km", "ម៉ោងនៅវ៉ាន់កូវើ"),
        ("America/Edmonton", "fr", "heure d’Edmonton"),
        ("America/Edmonton", "en", "Edmonton time"),
        ("Asia/Phnom_Penh", "fr", "heure de Phnom Penh"),
        ("Etc/UTC", "km", "UTC"),
    ],
)
def test_zone_in_words(zone: str, locale: Locale, expected: str) -> None:
    assert format_zone(zone, locale) == expected


@pytest.mark.parametrize(
    ("days", "locale", "expected"),
    [
        (12, "km", "នៅសល់ ១២ ថ្ងៃ"),
        (12, "en", "12 days left"),
        (1, "en", "1 day left"),
        (12, "fr", "12 jours restants"),
        (1, "fr", "1 jour restant"),
        (0, "en", "Last day today"),
        (-3, "fr", "Dernier jour aujourd’hui"),
    ],
)
def test_days_left(days: int, locale: Locale, expected: str) -> None:
    assert format_days(days, locale) == expected


def test_khmer_digits_leave_the_rest() -> None:
    assert khmer_digits("V3B 1A1") == "V៣B ១A១"
