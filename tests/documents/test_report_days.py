"""Days of a report: one page, however long the campaign, and no signature lost in summing up."""

from __future__ import annotations

import pytest

from app.documents.report_days import LONGEST, show_days
from tests.documents.figures import days


@pytest.mark.parametrize(
    ("number", "column", "rows"),
    [
        (1, "Day", 1),
        (36, "Day", 36),
        (37, "7 days from", 6),
        (120, "7 days from", 18),
        (400, "28 days from", 15),
        (1100, "91 days from", 13),
        (4000, "364 days from", 11),
    ],
)
def test_days_are_gathered_until_they_fit(number: int, column: str, rows: int) -> None:
    table = show_days(days(number, 10), "en")[-1]
    assert (table["columns"][0], len(table["rows"])) == (column, rows)
    assert len(table["rows"]) <= LONGEST
    assert sum(int(row["number"].replace(",", "")) for row in table["rows"]) == number * 10
    assert table["total"][1].replace(",", "") == str(number * 10)


def test_period_without_signatures_is_a_gap_in_the_chart_and_no_row() -> None:
    rows = [{"Day": "2026-10-01", "SignatureCount": 20}, {"Day": "2026-10-04", "SignatureCount": 10}]
    _, chart, table = show_days(rows, "en")
    assert chart["bars"] == [1, 0, 0, 0.5]
    assert [row["name"] for row in table["rows"]] == ["1 October 2026", "4 October 2026"]


def test_one_day_has_no_chart() -> None:
    assert [block["is"] for block in show_days(days(1, 10), "en")] == ["heading", "days"]


def test_merged_days_come_last() -> None:
    blocks = show_days([{"Day": None, "SignatureCount": 20}], "en")
    assert [row["number"] for row in blocks[-1]["rows"]] == ["20"]


def test_no_days_no_section() -> None:
    assert show_days([], "en") == []
