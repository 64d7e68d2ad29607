"""Checking what was published, and the keys that it is checked with."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from app.cli.running import Language, fail, guard, read_settings
from app.core.keys import add_signing_key, open_keyring
from app.settings import Settings

keys = typer.Typer(no_args_is_help=True, help="Keys that sign what is published.", rich_markup_mode=None)


def verify_files(
    path: Annotated[Path, typer.Argument(help="Folder or ZIP of a report, or the file of a receipt.")],
    *,
    key: Annotated[list[str] | None, typer.Option(help="A key as it is published, or a file that has keys.")] = None,
    lang: Annotated[Language | None, typer.Option(help="Language to answer in.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask nothing of the network.")] = False,
) -> None:
    """Check a report or a receipt: with the keys given, else with those of this installation, else with its own.

    The status is 0 where everything holds, 1 where something does not, 2 where there was nothing to judge.
    """
    from app.proofs.verifying import NotGenuine, Options, choose_locale, fetch, open_terminal, read_keys, verify

    try:
        verifiers = read_keys(key or list_verifiers(read_settings()))
    except NotGenuine as fact:
        fail(f"--key: {fact} is neither a key nor a file that has one")
    options = Options(verifiers, None if offline else fetch)
    locale = choose_locale(lang, os.environ)
    status = verify(path, locale=locale, options=options, tell=open_terminal())
    if status:
        raise typer.Exit(status)


@keys.command("show")
def show_keys() -> None:
    """Print the keys that published notes are checked with, the newest first."""
    settings = read_settings()
    guard(lambda: open_keyring(settings.keys_dir))
    for verifier in list_verifiers(settings):
        typer.echo(verifier)


@keys.command("rotate")
def rotate_keys() -> None:
    """Make the next signing key. The newest two sign side by side; all of them stay published."""
    settings = read_settings()
    guard(lambda: add_signing_key(settings.keys_dir))
    made, *_ = list_verifiers(settings)
    typer.echo(made)
    typer.echo("It signs from the next start of the processes on, beside the key before it: restart them.")
    typer.echo("Publish it and keep KEYS_DIR safe: the older keys are still needed to check what they signed.")


def list_verifiers(settings: Settings) -> list[str]:
    """Return the published keys, the newest first; none where there is no keyring, which is then not made."""
    from app.proofs.notes import NoteSigner

    if not any(settings.keys_dir.glob("signing-*.key")):
        return []
    host = settings.base_url.partition("://")[2]
    found: list[str] = []
    guard(
        lambda: found.extend(
            NoteSigner(host, seed).verifier for seed in open_keyring(settings.keys_dir).published_seeds
        )
    )
    return found
