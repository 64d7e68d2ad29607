"""Processes that go on until they are told to stop: the pages, and the background work."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.running import fail, guard, read_settings, run
from app.core.db import Database, DatabaseUnavailableError
from app.core.keys import open_keyring
from app.core.logs import configure_logging
from app.settings import PORT_OF_SERVE, WITHOUT_BACKGROUND, Settings

if TYPE_CHECKING:
    from collections.abc import Coroutine


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests.")] = 1,
    *,
    background: Annotated[bool, typer.Option(help="Do the background work here, too.")] = True,
) -> None:
    """Serve the pages, and do the background work unless a worker does."""
    settings = read_settings(port=port)
    # What the processes would find out too late, and say in many lines.
    guard(lambda: open_keyring(settings.keys_dir))
    run(_check_keys, settings=settings)
    import uvicorn

    # uvicorn shuts down in order and then sends itself the signal again: that is an end like any other.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.environ[PORT_OF_SERVE] = str(port)
    if not background:
        os.environ[WITHOUT_BACKGROUND] = "1"
    typer.echo(f"Hatthalekha: {settings.base_url}/")
    if settings.smtp_url is None and settings.is_local:
        typer.echo(f"Mailbox:     {settings.base_url}/dev/mailbox")
    uvicorn.run(
        "app.main:create_app_from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=True,
        proxy_headers=False,  # ours believes only TRUSTED_PROXIES
        lifespan="on",
        timeout_graceful_shutdown=10,
    )


def worker() -> None:
    """Do the background work alone: letters, counts, opening and closing, forgetting."""
    configure_logging()

    async def work(settings: Settings, database: Database) -> None:
        from app.jobs.background import Background, run_background
        from app.mail.transport import open_transport
        from app.rendering import pages

        await _check_keys(settings, database)
        transport = open_transport(settings.smtp_url, settings.mailbox_dir)
        background = Background(settings, database, open_keyring(settings.keys_dir), pages(), transport)
        await _until_stopped(run_background(background))

    run(work)


async def _check_keys(settings: Settings, database: Database) -> None:
    """See that KEYS_DIR belongs to this database; one that is away for now stops no start."""
    from sqlalchemy.exc import DBAPIError

    from app.queries.campaigns import is_keyring_ours
    from app.queries.log import is_log_ours

    keyring = open_keyring(settings.keys_dir)
    try:
        is_ours = await database.read(is_keyring_ours, keyring=keyring)
        is_log_signed = await database.read(is_log_ours, keyring=keyring)
    except (DatabaseUnavailableError, DBAPIError):
        return
    if not is_ours:
        fail(f"the keys in KEYS_DIR ({settings.keys_dir}) are not those of this database")
    if not is_log_signed:
        fail(f"KEYS_DIR ({settings.keys_dir}) has none of the signing keys (signing-….key) of this database's log")


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends or the process is told to: then it is cancelled, and that is a good end."""
    task = asyncio.ensure_future(work)
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, task.cancel)
    with suppress(asyncio.CancelledError):
        await task
