"""The share card: its size, its words, titles of every length inside their box, and how often it changes."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops

from app.documents.card import Card, draw_card, name_card, write_card
from app.i18n import LOCALES, Locale
from app.rules.texts import Part
from tests.documents.figures import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Mapping

CARD = Card(Part("A new library", "en"), "petition", "e-1746", "open", 343, None)
TITLES: Mapping[str, str] = {
    "km": "ការបោះឆ្នោតដោយសេរី ត្រឹមត្រូវ និងយុត្តិធម៌នៅកម្ពុជា ",
    "en": "Free and fair elections in Cambodia and the Paris Peace Agreement ",
    "fr": "Des élections libres et justes au Cambodge et les accords de paix de Paris ",
}
#: Where a title may stand, in pixels: left, top, right, bottom.
BOX = (76, 108, 1128, 446)


def _draw(card: Card, locale: Locale = "en") -> Image.Image:
    return Image.open(io.BytesIO(draw_card(write_card(card, locale)))).convert("RGB")


def _without_title(card: Card, locale: Locale) -> dict[str, Any]:
    return {**write_card(card, locale), "title": {"text": "", "lang": locale}}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("length", [5, 40, 41, 100, 300, 5000])
def test_a_title_of_any_length_stays_in_its_box(locale: Locale, length: int) -> None:
    card = replace(CARD, title=Part((TITLES[locale] * 90)[:length], locale))
    drawn = _draw(card, locale)
    assert drawn.size == (1200, 630)
    bare = Image.open(io.BytesIO(draw_card(_without_title(card, locale)))).convert("RGB")
    found = ImageChops.difference(drawn, bare).getbbox()
    assert found is not None
    assert found[0] >= BOX[0] - 12
    assert found[1] >= BOX[1]
    assert found[2] <= BOX[2] + 12
    assert found[3] <= BOX[3]


@pytest.mark.parametrize(
    "title", ["x" * 300, "ក" * 300, HOSTILE, "\u202eevil\x00\x1b", "<script>{{7*7}}</script>", "😀"]
)
def test_what_people_write_is_drawn_and_stops_nothing(title: str) -> None:
    found = ImageChops.difference(
        _draw(replace(CARD, title=Part(title, "en"))), _draw(replace(CARD, title=Part("", "en")))
    ).getbbox()
    assert found is None or (found[1] >= BOX[1] and found[3] <= BOX[3] and found[2] <= BOX[2] + 12)


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"people": 251}, ["More than 250 have signed"]),
        ({"people": 0}, ["Be among the first to sign"]),
        ({"people": 3, "status": "scheduled"}, ["Signing has not begun yet"]),
        ({"people": 3, "status": "closed"}, ["Signing has ended"]),
        ({"people": 3000, "status": "closed"}, ["More than 2,500 have signed"]),
        ({"people": 3000, "status": "stopped"}, ["This campaign was stopped"]),
        ({"people": None, "organisations": 17}, ["17 organisations have signed"]),
        ({"people": None, "organisations": 1}, ["1 organisation has signed"]),
        ({"people": None, "organisations": 0}, ["Be among the first organisations to sign"]),
        ({"people": 60, "organisations": 17}, ["More than 50 have signed", "17 organisations have signed"]),
    ],
)
def test_a_card_says_who_has_signed(changes: dict[str, Any], lines: list[str]) -> None:
    assert write_card(replace(CARD, **changes), "en")["lines"] == lines


def test_counts_of_a_band_are_one_state_and_everything_else_is_another() -> None:
    def state(locale: Locale = "en", **changes: Any) -> str:  # noqa: ANN401 - the card's own
        return name_card(write_card(replace(CARD, **changes), locale))

    assert state() == state(people=399)
    others = [
        state(people=401),
        state(title=Part("A new library.", "en")),
        state(status="stopped"),
        state(reference=None),
        state(kind="open_letter"),
        state(organisations=2),
        state("km"),
    ]
    assert len({state(), *others}) == 1 + len(others)


def test_the_same_card_has_the_same_bytes() -> None:
    data = write_card(CARD, "km")
    assert draw_card(data) == draw_card(data)
