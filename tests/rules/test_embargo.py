"""The moment of an embargo as it is typed: on the campaign's own clocks, in any digits, or refused; and its check."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.embargo import read_moment, write_moment
from app.rules.preflight import CheckInput, findings

TORONTO = "America/Toronto"


@pytest.mark.parametrize(
    ("day", "clock", "moment"),
    [
        ("2026-03-03", "12:00", datetime(2026, 3, 3, 17, tzinfo=UTC)),
        (" 2026-03-03 ", "9:05:07", datetime(2026, 3, 3, 14, 5, 7, tzinfo=UTC)),
        ("២០២៦-០៣-០៣", "១២:០០", datetime(2026, 3, 3, 17, tzinfo=UTC)),
        ("2026-03-03", "12h00", datetime(2026, 3, 3, 17, tzinfo=UTC)),
        ("2026-11-01", "01:30", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # comes twice: the earlier
        ("2026-03-08", "02:30", None),  # the clocks jump over it
        *((day, "12:00", None) for day in ("", "2026-02-30", "x", "0001-01-01", "9999-12-31", "2026-03-03\0")),
        *(("2026-03-03", clock, None) for clock in ("", "24:00", "12:60", "noon", "12:00:00.5", "<b>", "9" * 10_000)),
    ],
)
def test_a_moment_is_read_on_the_clocks_of_the_campaign(day: str, clock: str, moment: datetime | None) -> None:
    assert read_moment(day, clock, TORONTO) == moment


@given(moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - given its zone below
def test_what_is_written_is_read_again(moment: datetime) -> None:
    utc = moment.replace(microsecond=0, tzinfo=UTC)
    assert read_moment(*write_moment(utc, "Asia/Phnom_Penh"), "Asia/Phnom_Penh") == utc


def test_the_check_speaks_of_an_embargo_that_is_past_or_too_long() -> None:
    plain = {"kind": "open_letter", "form": "free", "source_locale": "en", "promised_locales": (), "parts": ()}
    today = date(2026, 3, 2)

    def said(**values: object) -> list[bool]:
        check = CheckInput(**plain, today=today, **values)  # type: ignore[arg-type]  # by names
        return [each.blocks for each in findings(check) if each.place.name == "embargo"]

    assert said() == []
    assert said(embargo_on=today, closes_on=date(2026, 3, 2)) == []
    assert said(embargo_on=date(2026, 3, 3), closes_on=date(2026, 3, 2)) == [True]
    assert said(embargo_on=date(2026, 3, 3), open_for=30, closes_on=date(2026, 3, 2)) == []
    assert said(embargo_on=date(2026, 3, 1), is_embargo_past=True) == [False]
