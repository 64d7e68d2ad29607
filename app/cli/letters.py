"""A letter with its signatories, as a file; a bar on standard error says what is being done."""

from __future__ import annotations

import asyncio
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.running import Language, fail, run
from app.core.db import Database
from app.core.keys import DataKey, open_keyring
from app.i18n import as_locale
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from rich.progress import Progress

    from app.rules.letters import Letter

#: The bar moves each time that so many names are open.
_MOVES = 100


def letter(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    *,
    out: Annotated[Path, typer.Option(help="The PDF to write; one that is there is written over.")],
    lang: Annotated[Language | None, typer.Option(help="Language of the letter.")] = None,
    to: Annotated[int | None, typer.Option(min=1, help="One of its recipients, by place; else all of them.")] = None,
    number: Annotated[int | None, typer.Option(min=1, help="A dated edition; else the letter as it stands.")] = None,
) -> None:
    """Write a letter with its signatories as a PDF, with a bar that says how far it is."""

    async def write(settings: Settings, database: Database) -> None:
        from app.documents.letter import locale_for, typeset_letter

        campaign_id = await _find_campaign(database, slug)
        found, names = await _find_letter(settings, database, slug, campaign_id, number)
        if to is not None and to > len(found.recipients):
            fail(f"{slug}: it addresses {len(found.recipients)}, and none of them is no. {to}")
        # Typst's threads make a letter no faster, and at times take 30 MB more.
        os.environ.setdefault("RAYON_NUM_THREADS", "1")
        asked = as_locale(lang.value if lang is not None else found.source_locale)
        with _show_bar() as bar:
            if names:
                found = await _read_names(settings, database, campaign_id, names, bar)
            with _step(bar, "Setting the pages"):
                made = await asyncio.to_thread(typeset_letter, found, locale_for(found, asked, to), to)
            with _step(bar, f"Writing {len(made) / 1_000_000:.1f} MB"):
                out.write_bytes(made)
        typer.echo(str(out))

    run(write)


async def _find_campaign(database: Database, slug: str) -> UUID:
    from app.queries.campaigns import find_campaign

    found = await database.read(find_campaign, slug=slug)
    if found is None:
        fail(f"there is no published campaign named {slug}")
    return found.id


async def _find_letter(
    settings: Settings, database: Database, slug: str, campaign_id: UUID, number: int | None
) -> tuple[Letter, int]:
    """Return a dated edition, or the letter as it stands and how many names are to be opened for it."""
    from app.queries.letters import find_dated_letter, find_living_letter

    if number is None:
        living = await database.read(find_living_letter, campaign_id=campaign_id, base_url=settings.base_url)
        return living.letter, len(living.places)
    dated = await database.read(find_dated_letter, slug=slug, number=number)
    if dated is None:
        fail(f"{slug}: there is no dated edition no. {number}")
    return dated, 0


async def _read_names(settings: Settings, database: Database, campaign_id: UUID, names: int, bar: Progress) -> Letter:
    """Return the letter as it stands with its names, both of one moment."""
    from app.models import open_campaign_key
    from app.queries.letters import find_letter_with_names

    keyring = open_keyring(settings.keys_dir)
    key = await database.read(open_campaign_key, campaign_id=campaign_id, keyring=keyring)
    counting = None if key is None else _CountingKey(key, names, bar)
    reading = database.read(find_letter_with_names, campaign_id=campaign_id, base_url=settings.base_url, key=counting)
    return (await reading)[1]


class _CountingKey(DataKey):
    """A campaign's key that moves the bar with what it opens."""

    def __init__(self, key: DataKey, names: int, bar: Progress) -> None:
        """Open with ``key``; ``names`` are expected, and one more or less where somebody comes or goes meanwhile."""
        self.__dict__.update(vars(key))  # all that it is, beside what is counted here
        self._bar, self._names, self._opened = bar, names, 0
        self._step = bar.add_task("Reading names", total=names)

    def open(self, place: str, row: UUID, sealed: bytes) -> str:
        """Decrypt as the key does."""
        text = super().open(place, row, sealed)
        self._opened += 1
        if self._opened % _MOVES == 0 or self._opened == self._names:
            says = f"Opening names: {self._opened:,} of {self._names:,}"
            self._bar.update(self._step, completed=self._opened, description=says)
        return text


@contextmanager
def _show_bar() -> Iterator[Progress]:
    """Show a bar while it lasts, and nothing where nobody looks at standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield bar


@contextmanager
def _step(bar: Progress, says: str) -> Iterator[None]:
    """Show a step of which nobody can tell how far it is: that it goes on, and for how long."""
    step = bar.add_task(says, total=None)
    yield
    bar.update(step, total=1, completed=1)
