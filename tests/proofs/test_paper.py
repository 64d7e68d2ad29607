"""Checking what a report says of signatures in ink: reports without a word of them hold as before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from app.proofs.verifying import LOCALES
from tests.proofs.logs import Draft
from tests.proofs.test_report import check, faults

if TYPE_CHECKING:
    from pathlib import Path


SUMMED: Final = {"en": "may have been added", "fr": "ont pu être ajoutées", "km": "អាចត្រូវបានបូកចូល"}


def draft(paper: object, **figures: Any) -> Draft:  # noqa: ANN401 - counts.json's own
    made = Draft()
    made.figures = {**made.figures, **figures, "paper": paper}
    return made


def test_it_stands_apart_and_is_said_to(tmp_path: Path) -> None:
    told = draft({"signatures": 37, "batches": 2, "sheets": 4}).write(tmp_path / "told")
    none = draft({"signatures": 0, "batches": 0, "sheets": 0}).write(tmp_path / "none")
    assert check(none) == check(Draft().write(tmp_path / "before"))
    for locale in LOCALES:
        status, lines = check(told, locale=locale)
        assert status == 0
        assert len(lines) == len(check(none, locale=locale)[1]) + 1
        assert sum("37" in line or "៣៧" in line for line in lines) == 1
    assert any(line.startswith("✓ counts.csv") and "(17)" in line for line in check(told)[1])


@pytest.mark.parametrize(
    "paper",
    [
        None,
        37,
        [],
        {},
        {"signatures": "37", "batches": 1, "sheets": 1},
        {"signatures": True, "batches": 1, "sheets": 1},
        {"signatures": -1, "batches": 1, "sheets": 1},
        {"signatures": 37, "batches": 0, "sheets": 0},
        {"signatures": 37, "batches": 3, "sheets": 2},
        {"signatures": 37, "batches": 1},
    ],
)
def test_what_cannot_be_is_found(tmp_path: Path, paper: object) -> None:
    assert "What counts.json says of signatures in ink cannot be right." in faults(draft(paper).write(tmp_path))


@pytest.mark.parametrize(("ink", "total"), [(37, 649), (37, 613), (37, 700), (1, 613)])
def test_a_total_with_ink_in_it_is_found(tmp_path: Path, ink: int, total: int) -> None:
    made = draft({"signatures": ink, "batches": 1, "sheets": 4}, signatures=total)
    made.figures["way"] = [{"step": "forms_received", "forms": total}, {"step": "verified", "forms": total}]
    folder = made.write(tmp_path)
    said = f"Signatures in ink ({ink}) may have been added: the total is {total}, and the log counts 612."
    assert said in faults(folder)
    for locale in LOCALES:
        assert any(SUMMED[locale] in line for line in check(folder, locale=locale)[1])


def test_a_total_below_the_log_is_not_told_of_ink(tmp_path: Path) -> None:
    made = draft({"signatures": 37, "batches": 1, "sheets": 4}, signatures=600)
    assert not any("ink" in line and "added" in line for line in faults(made.write(tmp_path)))


def test_a_missing_or_another_row_is_found(tmp_path: Path) -> None:
    rows = draft(None).write(tmp_path / "rows") / "counts.csv"
    made = draft({"signatures": 37, "batches": 1, "sheets": 4})
    made.files["counts.csv"] = rows.read_bytes()
    assert any("counts.csv is “”" in line and "37" in line for line in faults(made.write(tmp_path / "made")))
