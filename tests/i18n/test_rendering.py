"""Environments, filters and addresses of static files."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from app import rendering
from app.rendering import Pages, asset, choose_part, lines, pages, render, sentence, static_hash
from app.rules.texts import Part

if TYPE_CHECKING:
    from pathlib import Path

    from app.i18n import Locale

TITLES = {"km": "ញត្តិ", "en": "A <petition>", "fr": "Pétition"}


def rendered(source: str, locale: Locale = "en", *, name: str = "page.html", folder: Path, **context: object) -> str:
    (folder / name).write_text(source, encoding="utf-8")
    return Pages(folder).render(name, locale, **context)


def test_values_in_pages_are_escaped(tmp_path: Path) -> None:
    assert rendered("{{ who }}", folder=tmp_path, who="<script>") == "&lt;script&gt;"


def test_values_in_plain_text_are_not_escaped(tmp_path: Path) -> None:
    assert rendered("{{ who }}", folder=tmp_path, name="letter.txt", who="<Sok> & co") == "<Sok> & co"


def test_values_in_sentences_are_escaped(tmp_path: Path) -> None:
    source = "{{ _('Addressed to: %(names)s', names=who) }}"
    assert rendered(source, "fr", folder=tmp_path, who="<b>") == "Destinataires\u00a0: &lt;b&gt;"


def test_name_that_is_missing_raises(tmp_path: Path) -> None:
    with pytest.raises(UndefinedError):
        rendered("{{ missing }}", folder=tmp_path)


@pytest.mark.parametrize(
    ("source", "locale", "expected"),
    [
        ("{{ 1234 | number }}", "km", "១.២៣៤"),
        ("{{ day | date }}", "fr", "24 octobre 2018"),
        ("{{ at | date('America/Toronto') }}", "en", "23 October 2018"),
        ("{{ at | date }}", "en", "24 October 2018"),
        ("{{ at | moment('UTC') }}", "en", "24 October 2018, 2:00 a.m. (UTC)"),
        ("{{ 'America/Toronto' | zone }}", "en", "Toronto time"),
        ("{{ 2 | days }}", "en", "2 days left"),
        ("{{ 'ផ្សេងៗ' | words }}", "km", "ផ្សេង\u2060ៗ"),
        ("{{ 'a\n\nb' | paragraphs | join('|') }}", "en", "a|b"),
        ("{{ 'a<\nb' | lines }}", "en", "a&lt;<br>b"),
        ("{{ 'aged 18' | sentence }}", "en", "Aged 18"),
    ],
)
def test_filter(source: str, locale: Locale, expected: str, tmp_path: Path) -> None:
    day, at = date(2018, 10, 24), datetime(2018, 10, 24, 2, tzinfo=UTC)
    assert rendered(source, locale, folder=tmp_path, day=day, at=at) == expected


def test_part_in_the_language_of_the_page_stands_alone(tmp_path: Path) -> None:
    source = "<p{{ titles | choose | lang }}>{{ titles | choose | spoken }}</p>"
    assert rendered(source, folder=tmp_path, titles=TITLES) == "<p>A &lt;petition&gt;</p>"


def test_part_in_another_language_says_so(tmp_path: Path) -> None:
    source = "<p{{ titles | choose('km') | lang }}>{{ titles | choose('km') | spoken }}</p>"
    titles = {"km": "ញត្តិ"}
    assert rendered(source, folder=tmp_path, titles=titles) == '<p lang="km"><span lang="km">ញត្តិ</span></p>'


def test_part_in_plain_text_is_words_alone(tmp_path: Path) -> None:
    assert rendered("{{ titles | choose('km') | spoken }}", "km", name="l.txt", folder=tmp_path, titles=TITLES) == "ញត្តិ"


@pytest.mark.parametrize(
    ("names", "locale", "source", "expected"),
    [
        (("km", "en", "fr"), "fr", "km", "fr"),
        (("km", "en"), "fr", "km", "km"),
        (("km", "en"), "fr", None, "en"),
        (("km",), "fr", "fr", "km"),
    ],
)
def test_choose_falls_back(names: tuple[str, ...], locale: Locale, source: str | None, expected: str) -> None:
    texts = {name: TITLES[name] for name in names}
    assert choose_part(texts, locale, source) == Part(TITLES[expected], expected)


def test_choose_passes_over_what_is_empty() -> None:
    assert choose_part({"fr": "", "km": "ញត្តិ"}, "fr") == Part("ញត្តិ", "km")


def test_lines_and_sentence_change_nothing_else() -> None:
    assert lines("a & b") == Markup("a &amp; b")
    assert sentence("") == ""
    assert sentence("McKinnon") == "McKinnon"


def test_static_address_changes_with_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "STATIC", tmp_path)
    seen = set()
    for content in ("a", "b"):
        (tmp_path / "style.css").write_text(content)
        static_hash.cache_clear()
        seen.add(asset("style.css"))
    static_hash.cache_clear()
    assert len(seen) == 2
    assert all(address.startswith("/static/") and address.endswith("/style.css") for address in seen)


def test_plain_page_is_rendered_in_its_language() -> None:
    page = render("public/about.html", "km", path="/about", base_url="https://example.org")
    assert page.startswith('<!doctype html>\n<html lang="km">')
    assert '<link rel="alternate" hreflang="fr" href="https://example.org/fr/about">' in page
    assert 'href="/en/about?chosen"' in page
    assert pages().environment("km") is pages().environment("km")


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_page_has_nothing_inline(locale: Locale) -> None:
    page = render("public/privacy.html", locale, path="/privacy", base_url="https://example.org")
    assert "style=" not in page
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 1


def test_static_files_keep_to_their_budget() -> None:
    assert (rendering.STATIC / "style.css").stat().st_size < 15_000
    assert (rendering.STATIC / "enhance.js").stat().st_size < 2_000
