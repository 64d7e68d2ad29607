"""The database and what is in it: its schema, a demonstration, districts, forgetting on schedule."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.running import fail, guard, read_settings, run
from app.core.clock import utc_now
from app.core.db import Database
from app.core.keys import open_keyring
from app.settings import Settings

db = typer.Typer(no_args_is_help=True, help="The database's schema.", rich_markup_mode=None)
districts = typer.Typer(no_args_is_help=True, help="Federal electoral districts.", rich_markup_mode=None)
retention = typer.Typer(no_args_is_help=True, help="Forgetting on schedule.", rich_markup_mode=None)


def demo(*, once: Annotated[bool, typer.Option(help="Do nothing where campaigns exist already.")] = False) -> None:
    """Load demonstration campaigns in three languages, with signatures and one crossing."""

    async def load(settings: Settings, database: Database) -> None:
        from app.actions.demonstration import has_campaigns, load_demonstration

        if once and await database.read(has_campaigns):
            return
        keyring = open_keyring(settings.keys_dir)
        for slug in await database.write(load_demonstration, keyring=keyring, now=utc_now()):
            typer.echo(slug)

    run(load)


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the newest schema."""
    from app.core import migrations

    guard(lambda: migrations.upgrade(read_settings().database_url))


@db.command("check")
def check_database() -> None:
    """Tell whether the database stands where the code expects it."""
    from app.core import migrations
    from app.models import Base

    found: list[str] = []
    guard(lambda: found.extend(migrations.find_drift(read_settings().database_url, Base.metadata)))
    if found:
        fail(*found, "`hatthalekha db upgrade` brings it there")
    typer.echo("The database is current.")


@districts.command("load")
def load_list(
    file: Annotated[
        Path, typer.Argument(help="Elections Canada's list as CSV: code, English and French name, province.")
    ],
) -> None:
    """Load the list that signing forms offer. A bad file is refused whole, each fault named with its line."""
    from app.rules.districts import BadDistrictFile, parse_district_file

    try:
        listed = parse_district_file(file.read_bytes())
    except OSError as fault:
        fail(f"{file}: {fault.strerror}")
    except BadDistrictFile as refusal:
        fail(*(f"{file}: {f'line {line}: ' if line else ''}{fault}" for line, fault in refusal.faults))

    async def load(_: Settings, database: Database) -> None:
        from app.actions.districts import load_districts

        loaded = await database.write(load_districts, districts=listed, now=utc_now())
        typer.echo(f"{loaded.listed} districts: {loaded.new} are new, {loaded.left} are no longer offered")

    run(load)


@retention.command("run")
def run_retention() -> None:
    """Forget what is to be forgotten now; the background work does the same every ten minutes."""

    async def forget(_: Settings, database: Database) -> None:
        from app.jobs.retain import forget_all

        await forget_all(database, now=utc_now())

    run(forget)
