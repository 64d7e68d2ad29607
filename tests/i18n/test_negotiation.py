"""Which language a visitor gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LOCALES, Locale
from app.i18n.negotiation import LONGEST_HEADER, best_locale, path_locale


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("FR_ca", "fr"),
        ("en-US,en;q=0.5", "en"),
        ("de, en;q=0.3, fr;q=0.7", "fr"),
        ("en, fr", "en"),
        ("fr, en", "fr"),
        ("km-KH", "km"),
        (" en ; q = 1.0 ", "en"),
        ("en;q=0", "km"),
        ("en;q=0.000, fr;q=0.001", "fr"),
        ("*", "km"),
        ("en;q=0.5, *;q=0.1", "en"),
        ("de", "km"),
        ("", "km"),
        (None, "km"),
        (";;;,,,=q", "km"),
        ("en;q=abc", "km"),
        ("en;q=nan", "km"),
        ("en;q=-1", "km"),
        ("en;q=2", "km"),
        ("en;level=1;q=0.4, fr;q=0.5", "fr"),
        ("english", "km"),
        ("\x00\udcff", "km"),
    ],
)
def test_header_chooses(header: str | None, expected: Locale) -> None:
    assert best_locale(header, "km") == expected


def test_default_where_nothing_fits() -> None:
    assert best_locale("de", "fr") == "fr"


def test_header_beyond_its_length_is_not_read() -> None:
    assert best_locale("x" * LONGEST_HEADER + ",en", "km") == "km"


@given(st.text(max_size=2000))
def test_any_header_gives_a_language_of_ours(header: str) -> None:
    assert best_locale(header, "km") in LOCALES


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/km", "km"),
        ("/km/", "km"),
        ("/fr/campaigns/x", "fr"),
        ("/c/en", None),
        ("/", None),
        ("", None),
        ("km/about", None),
        ("/KM/", None),
        ("/english", None),
        ("//km", None),
    ],
)
def test_path_names_a_language(path: str, expected: Locale | None) -> None:
    assert path_locale(path) == expected
