"""Campaigns from the terminal, and the Parliament that petitions are presented to."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from app.cli.running import clean_address, fail, run
from app.core.clock import utc_now
from app.core.db import Database
from app.core.keys import open_keyring
from app.settings import Settings

campaign = typer.Typer(no_args_is_help=True, help="Campaigns.", rich_markup_mode=None)
parliament = typer.Typer(no_args_is_help=True, help="What happens to Parliament.", rich_markup_mode=None)


@campaign.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file in the format hatthalekha-campaign/1.")],
    *,
    owner: Annotated[str | None, typer.Option(help="E-mail address of who answers for it.")] = None,
    publish: Annotated[bool, typer.Option(help="Publish it; the file's dates decide whether it is open.")] = False,
    open_for: Annotated[int | None, typer.Option(min=1, max=3650, help="Open it now, for so many days.")] = None,
) -> None:
    """Import a campaign. A bad file is refused whole, each fault named with its place."""
    from app.actions.campaigns import Publication, SlugTaken, import_campaign
    from app.rules.campaign_file import BadCampaignFile, parse_campaign_file
    from app.rules.normalise import Refused, clean_email

    try:
        parsed = parse_campaign_file(file.read_bytes())
        owner_email = None if owner is None else clean_email(owner)
    except OSError as fault:
        fail(f"{file}: {fault.strerror}")
    except Refused as refusal:
        fail(f"--owner: {refusal.message.say('en')}")
    except BadCampaignFile as refusal:
        fail(*(f"{file}: {fault.place or 'file'}: {fault.message.say('en')}" for fault in refusal.faults))
    publication = Publication(open_for) if publish or open_for is not None else None

    async def load(settings: Settings, database: Database) -> None:
        try:
            await database.write(
                import_campaign,
                file=parsed,
                keyring=open_keyring(settings.keys_dir),
                now=utc_now(),
                owner_email=owner_email,
                publication=publication,
            )
        except SlugTaken:
            fail(f"{file}: slug: a campaign named {parsed.slug} exists already")
        typer.echo(f"{settings.base_url}/c/{parsed.slug}")

    run(load)


@campaign.command("list")
def list_all() -> None:
    """List every campaign: name, state, count."""

    async def show(_: Settings, database: Database) -> None:
        from app.queries.campaigns import list_all_campaigns

        for each in await database.read(list_all_campaigns):
            typer.echo(f"{each.slug}\t{each.state}\t{each.signatures}")

    run(show)


@campaign.command("export")
def export_file(slug: str) -> None:
    """Write a campaign to standard output, in the format that import reads. No signer is in it."""

    async def write(settings: Settings, database: Database) -> None:
        from app.queries.campaigns import export_campaign

        found = await database.read(export_campaign, slug=slug, keyring=open_keyring(settings.keys_dir))
        if found is None:
            fail(f"there is no campaign named {slug}")
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))

    run(write)


@campaign.command("stop")
def stop(slug: str, *, why: Annotated[str, typer.Option(help="The reason, kept with the campaign.")]) -> None:
    """Stop a campaign: nobody can sign or confirm any more, and its page says so."""

    async def halt(_: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
        from app.actions.life import stop_campaign

        try:
            await database.write(stop_campaign, slug=slug, because=why, now=utc_now())
        except CampaignNotFound:
            fail(f"there is no campaign named {slug}")
        except CampaignCannotMove as fact:
            fail(f"{slug} cannot be stopped: it is {fact}")

    run(halt)


@campaign.command("resume")
def resume(slug: str) -> None:
    """Let a stopped campaign go on as its dates say, and print its state."""

    async def go_on(_: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
        from app.actions.life import resume_campaign

        try:
            typer.echo(await database.write(resume_campaign, slug=slug, now=utc_now()))
        except CampaignNotFound:
            fail(f"there is no campaign named {slug}")
        except CampaignCannotMove as fact:
            fail(f"{slug} cannot be resumed: it is {fact}")

    run(go_on)


@campaign.command("rehome")
def rehome(slug: str, email: str) -> None:
    """Make the account of an address an owner of a campaign, with an account that is made where there is none."""
    address = clean_address(email)

    async def give(settings: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignNotFound
        from app.actions.life import rehome_campaign

        try:
            await database.write(
                rehome_campaign,
                slug=slug,
                email=address,
                locale=settings.default_locale,
                keyring=open_keyring(settings.keys_dir),
                now=utc_now(),
            )
        except CampaignNotFound:
            fail(f"there is no campaign named {slug}")

    run(give)


@parliament.command("dissolved")
def dissolve(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The day of the dissolution.")],
) -> None:
    """Record that the Canadian Parliament was dissolved: its members carry nothing any more that is not presented."""

    async def end(_: Settings, database: Database) -> None:
        from app.actions.sponsoring import PARLIAMENT_ZONE, dissolve_parliament
        from app.rules.life import local_day

        now = utc_now()
        if day.date() > local_day(now, PARLIAMENT_ZONE):
            fail(f"{day.date()}: that day is still to come")
        ended = await database.write(dissolve_parliament, dissolved_on=day.date(), now=now)
        typer.echo(f"{ended} members no longer carry a petition or are no longer asked")

    run(end)
