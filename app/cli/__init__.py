"""The terminal's door: ``hatthalekha``. One line for each fault, on standard error, and never a traceback."""

from __future__ import annotations

import sys
import traceback

import typer

from app.cli.accounts import account, office
from app.cli.bounces import mail
from app.cli.campaigns import campaign, parliament
from app.cli.letters import letter
from app.cli.proofs import keys, verify_files
from app.cli.reports import report
from app.cli.serving import serve, worker
from app.cli.upkeep import db, demo, districts, retention

INTERRUPTED = 130

app = typer.Typer(
    name="hatthalekha",
    help="Petitions and open letters in Khmer, English and French.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("serve")(serve)
app.command("worker")(worker)
app.command("demo")(demo)
app.command("report")(report)
app.command("letter")(letter)
app.command("verify")(verify_files)
app.add_typer(db, name="db")
app.add_typer(campaign, name="campaign")
app.add_typer(mail, name="mail")
app.add_typer(parliament, name="parliament")
app.add_typer(account, name="account")
app.add_typer(districts, name="districts")
app.add_typer(office, name="office")
app.add_typer(keys, name="keys")
app.add_typer(retention, name="retention")


def main() -> None:
    """Run the command line. What goes wrong is a line for each fault on standard error, and a status other than 0."""
    try:
        status = app(prog_name="hatthalekha", standalone_mode=False)
    except typer.TyperException as refusal:
        # A command that was typed wrongly; one that lacks its subcommand gets the help.
        text = refusal.format_message()
        typer.echo(text if "\n" in text else f"hatthalekha: {text.rstrip('.')} (see --help)", err=True)
        status = refusal.exit_code
    except (typer.Abort, KeyboardInterrupt):
        status = INTERRUPTED
    except Exception as fault:  # noqa: BLE001 - the last net: an operator gets a place to report, and no one's data
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        typer.echo(f"hatthalekha: a fault of ours: {type(fault).__name__} at {frame.filename}:{frame.lineno}", err=True)
        status = 1
    sys.exit(status)
