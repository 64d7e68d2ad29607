"""A clock that stands still, for tests of what dates decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import time_machine

from tests.actions.lives import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon in Ottawa."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller
