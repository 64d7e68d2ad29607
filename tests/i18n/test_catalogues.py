"""Catalogues are complete and sound, in the three languages, and every template compiles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from app.i18n import Locale, as_locale, message, say, say_number
from app.i18n.catalogues import CATALOGUES
from app.rendering import TEMPLATES, pages

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE_NAMES = sorted(
    str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*") if path.suffix in {".html", ".txt"}
)


def forms(locale: Locale) -> list[str]:
    """Return every translation of ``locale``."""
    with (CATALOGUES / locale / "LC_MESSAGES" / "messages.po").open("rb") as source:
        found = [entry.string for entry in read_po(source, locale=locale) if entry.id]
    return [form for string in found for form in ((string,) if isinstance(string, str) else string or ())]


def test_catalogues_hold_the_sentences_of_the_code() -> None:
    """None missing, idle, untranslated, fuzzy; the placeholders and tags of each are those of its sentence."""
    checked = subprocess.run(
        [sys.executable, ROOT / "script" / "messages.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.endswith(" 0 faults\n")


@pytest.mark.parametrize("name", TEMPLATE_NAMES)
def test_template_compiles(name: str) -> None:
    """Into the same program in each language: sentences are looked up as it runs."""
    assert pages().environment("km").get_template(name).name == name


def test_khmer_has_no_zero_width_space() -> None:
    assert not [form for form in forms("km") if "\u200b" in form]


def test_khmer_sets_no_space_before_its_signs() -> None:
    assert not [form for form in forms("km") if re.search(r" [។៖ៗ]", form)]


def test_khmer_writes_no_latin_colon_after_khmer() -> None:
    assert not [form for form in forms("km") if re.search(r"[\u1780-\u17d3]:", form)]


def test_khmer_prose_has_khmer_digits() -> None:
    """Latin digits stand only in examples to type, in names of standards and in addresses."""
    latin = re.compile(
        r"(?:AES-256-GCM|SHA-256|WCAG 2\.2|V3B 1A1|98101|75013|\+1 514 555 0123|ISO 3166-[12]|UTF-8"
        r"|2026-10-24|2027-03-31|2026-03-01(?:T18:30)?|17:30|203\.0\.113\.[07]|2001:db8::7?|/[0-9]{1,2}\b|IPv6|e-1746"
        r"|c2sp\.org/tlog-proof@v1|sha256sum|Python 3\.11|OpenSSL 3)"
        r"|%\(\w+\)s"
    )
    assert not [form for form in forms("km") if re.search(r"[0-9]", latin.sub("", form))]


def test_french_is_spaced_as_in_quebec() -> None:
    """A no-break space before the colon and inside « », none before other signs."""
    wrong = re.compile(r"[^\u00a0]:(?!//)(?=\s|$)|«[^\u00a0]|[^\u00a0]»|\s[;?!]")
    assert not [form for form in forms("fr") if wrong.search(form)]


def test_french_has_typographic_apostrophes() -> None:
    assert not [form for form in forms("fr") if "'" in re.sub(r"<[^>]*>", "", form)]


def test_as_locale_refuses_another_language() -> None:
    with pytest.raises(ValueError, match="de"):
        as_locale("de")


def test_say_fills_its_placeholders() -> None:
    assert say("fr", "Sign") == "Signer"
    assert say("en", "Reached on %(date)s", date="1 May") == "Reached on 1 May"
    assert message("Reached on %(date)s", date="le 1er mai").say("fr") == "Atteint le le 1er mai"


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "0 jour restant"), (1, "1 jour restant"), (2, "2 jours restants")]
)
def test_say_number_counts_as_french_does(number: int, expected: str) -> None:
    assert say_number("fr", "%(days)s day left", "%(days)s days left", number, days=number) == expected
    assert "%" not in say_number("fr", "organisation has signed", "organisations have signed", number)
