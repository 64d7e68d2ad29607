"""What a report says: a way that adds up whatever happened, names in three languages, a manifest that others read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.rules.reports import (
    STEPS,
    Group,
    count_steps,
    name_language,
    name_place,
    official_page,
    tell_way,
    write_manifest,
    write_text,
)
from app.rules.suppression import SMALLEST
from app.rules.texts import CampaignText, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

STATES = ("pending", "confirmed", "withdrawn", "expired", "disowned", "superseded")
groups = st.lists(
    st.builds(
        Group,
        state=st.sampled_from(STATES),
        standing=st.sampled_from(("counted", "quarantined", "removed")),
        is_logged=st.booleans(),
        forms=st.integers(1, 60),
    ),
    max_size=12,
)


@given(st.lists(st.tuples(groups, st.integers(0, 30)), min_size=1, max_size=4))
def test_every_way_adds_up_and_moves_by_nothing_or_by_five(reports: list[tuple[Sequence[Group], int]]) -> None:
    ways: list[list[dict[str, Any]]] = []
    shown: dict[str, int] = {}
    for forms, turned_away in reports:
        steps, verified = count_steps(forms, turned_away=turned_away)
        assert verified == sum(group.forms for group in forms if group.is_logged)
        assert sum(steps.values()) + verified == sum(group.forms for group in forms) + turned_away
        way = tell_way(steps, verified=verified, before=ways)
        ways.append(way)
        assert (way[0]["step"], way[-1]["step"]) == ("forms_received", "verified")
        assert way[-1]["forms"] == verified == sum(row["forms"] for row in way[:-1])
        assert {row["step"] for row in way} <= set(STEPS)
        for row in way[1:-1]:
            assert row["forms"] <= 0
            if row["step"] != "other":
                moved = abs(row["forms"] - shown.get(row["step"], 0))
                assert moved == 0 or moved >= SMALLEST
                shown[row["step"]] = row["forms"]


def test_a_manifest_is_what_sha256sum_reads_and_what_a_note_may_be() -> None:
    figures = {
        "number": 3,
        "supersedes": 2,
        "issued_at": "2026-11-22T18:04:00Z",
        "as_of": "2026-11-22T18:00:00Z",
        "signatures": 612,
        "base_url": "https://hatthalekha.example",
        "campaign": {"slug": "libraries"},
        "checkpoint": {"number": 41, "signed_size": 640, "removed_size": 28},
        "editions": [{"number": 1, "hash": "ab" * 32}, {"number": 2, "hash": "cd" * 32}],
    }
    text = write_manifest(figures, {"counts.csv": "11" * 32, "README.txt": "22" * 32})
    lines = text.splitlines()
    assert lines[:4] == ["hatthalekha-report/1", "campaign: libraries", "number: 3", "supersedes: 2"]
    assert lines[-2:] == [f"{'22' * 32}  README.txt", f"{'11' * 32}  counts.csv"]
    assert "" not in lines
    assert text.endswith("\n")
    assert "supersedes: none" in write_manifest(figures | {"supersedes": None}, {})


def test_places_and_languages_have_names_in_each_language() -> None:
    assert name_place("CA-BC")["fr"] == "Colombie-Britannique"
    assert name_place("FR")["en"] == "France"
    assert name_language("km")["en"] == "Khmer"
    for names in (name_place("CA-QC"), name_place("KH"), name_language("fr"), name_place(None), name_language(None)):
        assert set(names) == set(LOCALES)
        assert all(names.values())


@pytest.mark.parametrize(
    ("reference", "is_official"),
    [("e-1746", True), (None, False), ("421-03083", False), ("e-0", False), ("e-1746&x=1", False), ("E-1746", False)],
)
def test_only_numbers_of_the_house_lead_to_its_page(reference: str | None, is_official: bool) -> None:  # noqa: FBT001 - a case
    page = official_page(reference)
    assert (page is not None) == is_official
    assert page is None or page.endswith(f"?Petition={reference}")


def test_a_text_to_be_read_has_every_part_in_the_order_of_reading() -> None:
    text = CampaignText(
        title="Title",
        salutation="Dear",
        recitals=("whereas",),
        declaration="we",
        requests=("first", "second"),
        body="one\r\ntwo",
        closing="Yours",
        call_to_sign="Sign",
        how_to_sign=("open",),
        faq=(Question("why?", "because"),),
    )
    written = write_text(text, number=2, edition_hash="ab" * 32, locale="en")
    assert "\r" not in written
    parts = re.split(r"\n\n", written.rstrip("\n"))
    assert parts == [
        f"Edition 2 · SHA-256 {'ab' * 32}", "Title", "Dear", "whereas", "we", "1. first", "2. second", "one\ntwo",
        "Yours", "Sign", "1. open", "why?\nbecause",
    ]  # fmt: skip
