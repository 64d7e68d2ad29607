"""Asking signers for their federal district: offered to what is addressed to Canada, and kept like the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.districts import offer
from tests.stage import Organiser, Stage, on_one_database
from tests.web.html import Page
from tests.workspace.test_home import column, started
from tests.workspace.test_settings import AT, SLUG, save, signing

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = on_one_database
BOX = ("asks", "district")


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Bring the owner of a draft."""
    somebody = stage.organiser()
    started(somebody)
    return somebody


def ask(owner: Organiser, asks: Sequence[str]) -> None:
    assert save(owner, "signing", signing(asks=list(asks))).is_redirect


def address_to(owner: Organiser, country: str) -> None:
    changed = {"addressee_en": "A body", "addressee_country": country, "row": "0"}
    assert save(owner, "addressees", changed).is_redirect


def boxes(owner: Organiser) -> str:
    return owner.get(f"{AT}/{SLUG}/settings/signing").text


def test_it_is_offered_to_what_is_addressed_to_canada(stage: Stage, owner: Organiser) -> None:
    address_to(owner, "CA")
    ask(owner, ["postal_code", "district"])
    assert column(stage, SLUG, "asks") == ["district", "postal_code"]
    assert BOX in Page(boxes(owner)).ticked
    assert "Postal code, Federal electoral district" in Page(owner.get(f"{AT}/{SLUG}/settings").text).words
    exported = owner.get(f"{AT}/{SLUG}/export").content
    assert json.loads(exported)["asks"] == ["postal_code", "district"]


def test_it_is_not_offered_elsewhere_but_can_be_taken_off(stage: Stage, owner: Organiser) -> None:
    address_to(owner, "FR")
    assert 'value="district"' not in boxes(owner)
    ask(owner, ["district"])
    assert column(stage, SLUG, "asks") == []
    address_to(owner, "CA")
    ask(owner, ["district"])
    address_to(owner, "FR")
    assert BOX in Page(boxes(owner)).ticked
    ask(owner, [""])
    assert column(stage, SLUG, "asks") == []
    assert 'value="district"' not in boxes(owner)


def test_the_preview_has_the_box_once_a_list_is_loaded(stage: Stage, owner: Organiser) -> None:
    address_to(owner, "CA")
    ask(owner, ["district"])
    page = f"{AT}/{SLUG}/preview/en"
    assert "say_district" not in owner.get(page).text
    offer(stage)
    assert "say_district" in owner.get(page).text
