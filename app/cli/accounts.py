"""People who sign in: accounts of the workspace, and members' offices."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.running import Language, clean_address, fail, run
from app.core.clock import utc_now
from app.core.db import Database
from app.core.keys import open_keyring
from app.settings import Settings

account = typer.Typer(no_args_is_help=True, help="Accounts of the workspace.", rich_markup_mode=None)
office = typer.Typer(no_args_is_help=True, help="A member's office, and the counts it may see.", rich_markup_mode=None)


class _Role(StrEnum):
    """Roles of the service, as `account create` takes them."""

    ORGANISER = "organiser"
    MODERATOR = "moderator"
    OPERATOR = "operator"


@account.command("create")
def create_account(
    email: Annotated[str, typer.Argument(help="E-mail address of its owner.")],
    *,
    role: Annotated[_Role, typer.Option(help="What it may do beside its own campaigns.")] = _Role.ORGANISER,
) -> None:
    """Make an account, or give the one that there is a role; print a link that signs it in once, within 24 hours."""
    address = clean_address(email)

    async def create(settings: Settings, database: Database) -> None:
        from app.actions.signing_in import make_sign_in_link

        locale = settings.default_locale
        token = await database.write(
            make_sign_in_link,
            email=address,
            role=role.value,
            locale=locale,
            keyring=open_keyring(settings.keys_dir),
            now=utc_now(),
        )
        typer.echo(f"{settings.base_url}/{locale}/workspace/sign-in/{token}")

    run(create)


@account.command("disable")
def disable_account(email: Annotated[str, typer.Argument(help="E-mail address of its owner.")]) -> None:
    """Keep an account out: its sessions end, and no letter signs it in. `account create` opens it again."""
    address = clean_address(email)

    async def disable(settings: Settings, database: Database) -> None:
        from app.actions.accounts import AccountNotFound
        from app.actions.accounts import disable_account as disable_it

        try:
            await database.write(disable_it, email=address, keyring=open_keyring(settings.keys_dir), now=utc_now())
        except AccountNotFound:
            fail(f"there is no account of {address}")

    run(disable)


@office.command("invite")
def invite_office(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    email: Annotated[str, typer.Argument(help="Address of somebody of the office.")],
    *,
    name: Annotated[str, typer.Option(help="What the office is called; the sponsor's unless given.")] = "",
    days: Annotated[int, typer.Option(min=1, max=400, help="For how long it may come.")] = 180,
    lang: Annotated[Language, typer.Option(help="Language of the letter.")] = Language.EN,
) -> None:
    """Ask somebody of a member's office to see a campaign's counts. The letter leaves with the others."""
    from app.rules.campaign_file import MAX_NAME
    from app.rules.normalise import Refused, clean_line

    address = clean_address(email)
    try:
        called = clean_line(name, limit=MAX_NAME) if name else ""
    except Refused as refusal:
        fail(f"--name: {refusal.message.say('en')}")

    async def invite(settings: Settings, database: Database) -> None:
        from app.actions.offices import CampaignNotPublished, TooManyInvited, invite_from_terminal

        try:
            invited = await database.write(
                invite_from_terminal,
                slug=slug,
                email=address,
                name=called,
                locale=lang.value,
                days=days,
                keyring=open_keyring(settings.keys_dir),
                now=utc_now(),
            )
        except CampaignNotPublished:
            fail(f"there is no published campaign named {slug}")
        except TooManyInvited:
            fail(f"{slug}: no more invitations can be sent to this office or address today")
        typer.echo(f"{invited}: a letter to {address} is on its way")

    run(invite)


@office.command("revoke")
def revoke_office(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    email: Annotated[str, typer.Argument(help="Address of somebody of the office.")],
) -> None:
    """Let an address see a campaign's counts no more."""
    address = clean_address(email)

    async def revoke(settings: Settings, database: Database) -> None:
        from app.actions.offices import CampaignNotPublished, revoke_from_terminal

        try:
            ended = await database.write(
                revoke_from_terminal, slug=slug, email=address, keyring=open_keyring(settings.keys_dir), now=utc_now()
            )
        except CampaignNotPublished:
            fail(f"there is no published campaign named {slug}")
        if not ended:
            fail(f"{address} is of no office for {slug}")

    run(revoke)
