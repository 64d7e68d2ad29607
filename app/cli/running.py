"""What all commands share: settings, the database, and one line for each fault, on standard error."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from app.core.db import Database, DatabaseUnavailableError, open_database
from app.core.keys import KeysUnusableError, SealBrokenError
from app.settings import BadSettingsError, Settings, list_unknown_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

UNDEFINED_TABLE = "42P01"


class Language(StrEnum):
    """Languages that somebody is spoken to in."""

    KM = "km"
    EN = "en"
    FR = "fr"


def run(work: Callable[[Settings, Database], Awaitable[None]], *, settings: Settings | None = None) -> None:
    """Run ``work`` on the configured database and close it; faults become one line."""
    chosen = settings or read_settings()

    async def work_and_close() -> None:
        async with _open(chosen) as database:
            await work(chosen, database)

    guard(lambda: asyncio.run(work_and_close()))


def guard(work: Callable[[], Any]) -> None:
    """Do ``work``; what a database or the keys refuse becomes one line and status 1."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        work()
    except DatabaseUnavailableError as fault:
        fail(f"the database cannot be used: {_reason(fault.__cause__ or fault.__context__)}")
    except SQLAlchemyError as fault:
        fail(f"the database refused: {_reason(fault)}")
    except SealBrokenError as fault:
        fail(f"the keys in KEYS_DIR do not open what this database holds ({fault})")
    except (KeysUnusableError, OSError) as fault:
        fail(str(fault))


def read_settings(*, port: int | None = None) -> Settings:
    """Return the settings of the environment; each that is bad is a line, and one that is unknown a warning."""
    for name in list_unknown_settings():
        typer.echo(f"hatthalekha: warning: there is no setting {name}", err=True)
    try:
        return Settings.from_environment(port=port)
    except BadSettingsError as fault:
        fail(*fault.faults)


def clean_address(typed: str) -> str:
    """Return an e-mail address as it is kept, or end with what is wrong with it."""
    from app.rules.normalise import Refused, clean_email

    try:
        return clean_email(typed)
    except Refused as refusal:
        fail(f"{typed}: {refusal.message.say('en')}")


def fail(*lines: str) -> NoReturn:
    """End with status 1 and ``lines`` on standard error."""
    for line in lines:
        typer.echo(f"hatthalekha: {line}", err=True)
    raise typer.Exit(1)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


def _reason(fault: BaseException | None) -> str:
    """Return a database's own words in one line, without the statement and its values."""
    driver = getattr(fault, "orig", None) or fault
    line = next(iter(str(driver).splitlines()), "") or type(fault).__name__
    line = re.sub(r"^<class '[^']*'>: ", "", line)
    is_older = "no such table" in line or getattr(driver, "sqlstate", None) == UNDEFINED_TABLE
    return f"{line}; has `hatthalekha db upgrade` been run?" if is_older else line
