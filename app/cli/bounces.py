"""Letters that came back, as a relay pipes them in."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.cli.running import run
from app.core.db import Database
from app.core.keys import open_keyring
from app.settings import Settings

TRY_AGAIN_LATER = 75  # what relays read as "keep it and try again" (EX_TEMPFAIL of sysexits.h)

mail = typer.Typer(no_args_is_help=True, help="Letters.", rich_markup_mode=None)


@mail.command("bounced")
def take_bounce(
    *,
    recipient: Annotated[str, typer.Option(help="The address that the message came to, where no header says.")] = "",
) -> None:
    """Read a delivery report from standard input, as a relay pipes it, and mark the letter that came back.

    The status is 0 whatever the message says, since a relay would send back what is refused, and 75 where the database
    or the keys cannot be used now, so that the relay keeps it and tries again.
    """
    from app.mail.reports import Report, read_report

    # All of it is taken, even what is not looked at: a relay whose pipe breaks believes that nobody read it.
    read = read_report(sys.stdin.buffer.read())
    report = Report((recipient, *read.recipients), read.status)

    async def mark(settings: Settings, database: Database) -> None:
        from app.actions.bounces import take_report

        outcome = await database.write(take_report, report=report, keyring=open_keyring(settings.keys_dir))
        if outcome == "unknown":
            typer.echo("hatthalekha: no letter of ours: the address is missing or forged", err=True)
        else:
            typer.echo("a letter came back" if outcome == "bounced" else "nothing to mark")

    try:
        run(mark)
    except typer.Exit:
        raise typer.Exit(TRY_AGAIN_LATER) from None
