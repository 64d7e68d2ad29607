"""Templates, plain rules, what may be changed when, and addresses made from titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.models.campaigns import Campaign
from app.rules.campaign_file import is_slug
from app.rules.eligibility import (
    parse_rule,
    rule_as_data,
    who_can_sign,
)
from app.rules.moves import STATES
from app.rules.starting import (
    FIELDS,
    KNOWN_ADDRESSEES,
    PRESETS,
    SLUG_LIMIT,
    TEMPLATES,
    ZONES,
    changeable_fields,
    free_slug,
    slug_of,
    states_to_change,
)


def test_templates_call_upon_known_addressees_in_three_languages() -> None:
    for template in TEMPLATES.values():
        for known in (None, *KNOWN_ADDRESSEES):
            declarations = template.declarations(known)
            assert set(declarations) in ({"en", "fr", "km"}, set())
            assert not any("%(" in text for text in declarations.values())
            assert all(("…" in text) is (known is None) for text in declarations.values())
    assert set(TEMPLATES["commons"].items.items()) == {("recital", 2), ("request", 1)}
    for known_addressee in KNOWN_ADDRESSEES.values():
        assert set(known_addressee.names) == set(LOCALES)


def test_presets_say_what_they_mean_and_are_read_again() -> None:
    said = {name: who_can_sign(preset.make(("AU", "FR")), "en") for name, preset in PRESETS.items()}
    assert said == {
        "anyone": "anyone",
        "house": "residents of Canada, and citizens wherever they live",
        "canadians": "citizens and permanent residents of Canada",
        "cambodians": "Cambodian citizens living in Canada or the United States",
        "residents": "people living in Australia or France",
        "organisations": "organisations",
    }
    for name, preset in PRESETS.items():
        rule = preset.make(("AU", "FR"))
        assert parse_rule(rule_as_data(rule)) == rule, name


def test_everything_may_be_changed_in_a_draft_and_nothing_in_review() -> None:
    assert changeable_fields("draft") == set(FIELDS)
    for state in ("review", "refused", "stopped", "no state at all"):
        assert changeable_fields(state) == set()
    for state in ("scheduled", "open"):
        assert changeable_fields(state) == {"reference", "organiser_name", "organiser_email", "new_threshold"}
    for state in ("closed", "presented", "answered"):
        assert changeable_fields(state) == {"reference", "organiser_name", "organiser_email"}


@pytest.mark.parametrize("field", FIELDS)
def test_the_states_of_a_field_are_those_that_let_it_change(field: str) -> None:
    assert set(states_to_change(field)) == {state for state in STATES if field in changeable_fields(state)}


def test_fields_are_settings_of_a_campaign_or_lists_of_theirs() -> None:
    assert set(FIELDS) - {"addressees", "closing", "thresholds", "new_threshold"} <= set(
        Campaign.__table__.columns.keys()
    )
    assert len(set(ZONES)) == len(ZONES)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Khmer books in every library", "khmer-books-in-every-library"),
        ("Des livres khmers à l’école, s’il vous plaît!", "des-livres-khmers-a-lecole-sil-vous-plait"),
        ("Œuvres d'art", "oeuvres-dart"),
        ("  --  Straße  --  ", "strasse"),
        ("សៀវភៅខ្មែរ", ""),
        ("សៀវភៅ Khmer ២០២៧", "khmer"),
        ("OK", ""),
        ("2027", ""),
        ("", ""),
        ("x" * 80, "x" * 56),
        ("word " * 20, "-".join(["word"] * 11)),
    ],
)
def test_a_title_becomes_an_address(title: str, slug: str) -> None:
    assert slug_of(title) == slug


@given(st.text(max_size=200))
def test_an_address_is_one_or_nothing_and_has_room_for_a_number(title: str) -> None:
    slug = slug_of(title)
    assert slug == "" or is_slug(f"{slug}-1234567")


@given(st.text(alphabet="abc-", min_size=3, max_size=SLUG_LIMIT), st.integers(0, 30))
def test_a_free_address_is_never_a_taken_one(wanted: str, taken: int) -> None:
    seen: list[str] = []

    def is_taken(slug: str) -> bool:
        seen.append(slug)
        return len(seen) <= taken

    found = free_slug(["", wanted], is_taken, "petition-123abc")
    assert found == ("petition-123abc" if taken > 18 else seen[taken])
    assert is_slug(found)


def test_without_a_title_in_latin_letters_the_address_is_a_random_one() -> None:
    assert free_slug(["", ""], lambda _: False, "petition-123abc") == "petition-123abc"
    assert free_slug([], {"petition-123abc"}.__contains__, "petition-123abc") == "petition-123abc-2"
