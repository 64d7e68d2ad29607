"""Moments: UTC in and out on both databases, and never without a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import StatementError

from app.models.base import Moment

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Stage


def _echo(session: Session, *, moment: datetime | None) -> datetime | None:
    kept: datetime | None = session.scalar(select(bindparam("moment", moment, type_=Moment())))
    return kept


def test_a_moment_comes_back_in_utc_to_the_microsecond(stage: Stage) -> None:
    phnom_penh = timezone(timedelta(hours=7))
    for moment in (
        datetime(2026, 2, 28, 23, 59, 59, 999_999, UTC),
        datetime(2026, 3, 1, 6, 59, 59, 1, phnom_penh),
        datetime(1969, 12, 31, 23, 59, 59, 5, UTC),
    ):
        kept = stage.read(_echo, moment=moment)
        assert kept is not None
        assert (kept, kept.tzinfo) == (moment, UTC)
    assert stage.read(_echo, moment=None) is None


def test_a_moment_without_a_zone_is_refused(stage: Stage) -> None:
    with pytest.raises(StatementError, match="a moment needs its zone"):
        stage.read(_echo, moment=datetime(2026, 3, 1))  # noqa: DTZ001 - that it is refused is the test
