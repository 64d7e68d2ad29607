"""A stage on SQLite alone, shared by the tests of a file, for what no database decides."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.stage import Stage, small_campaign
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Open the application once for a file of tests; each test brings its own campaign and people."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(sqlite_template, folder / "hatthalekha.db")
    opened = Stage(f"sqlite:///{folder}/hatthalekha.db", folder)
    yield opened
    opened.close()


@pytest.fixture
def slug(site: Stage) -> str:
    """Open a small campaign on the shared stage."""
    return site.campaign(small_campaign(f"libraries-{next(_numbers)}"))


@pytest.fixture
def somebody(site: Stage, slug: str) -> Callable[[], Person]:
    """Bring people with a browser and an address of their own."""
    return lambda: Person(site, slug, f"signer{next(_numbers)}@example.org")


@pytest.fixture
def database_folder(sqlite_template: Path, tmp_path: Path) -> Path:
    """Make a folder with a fresh, migrated SQLite file."""
    shutil.copy(sqlite_template, tmp_path / "hatthalekha.db")
    return tmp_path
