"""The terminal's door: ``hatthalekha``. One line for each fault, on standard error, and never a traceback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import traceback
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from app.core.clock import utc_now
from app.core.db import Database, DatabaseUnavailableError, open_database
from app.core.keys import KeysUnusableError, SealBrokenError, add_signing_key, open_keyring
from app.core.logs import configure_logging
from app.settings import PORT_OF_SERVE, WITHOUT_BACKGROUND, BadSettingsError, Settings, list_unknown_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping

INTERRUPTED = 130
TRY_AGAIN_LATER = 75  # what relays read as "keep it and try again" (EX_TEMPFAIL of sysexits.h)
UNDEFINED_TABLE = "42P01"

app = typer.Typer(
    name="hatthalekha",
    help="Petitions and open letters in Khmer, English and French.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
db = typer.Typer(no_args_is_help=True, help="The database's schema.", rich_markup_mode=None)
campaign = typer.Typer(no_args_is_help=True, help="Campaigns.", rich_markup_mode=None)
mail = typer.Typer(no_args_is_help=True, help="Letters.", rich_markup_mode=None)
parliament = typer.Typer(no_args_is_help=True, help="What happens to Parliament.", rich_markup_mode=None)
account = typer.Typer(no_args_is_help=True, help="Accounts of the workspace.", rich_markup_mode=None)
districts = typer.Typer(no_args_is_help=True, help="Federal electoral districts.", rich_markup_mode=None)
office = typer.Typer(no_args_is_help=True, help="A member's office, and the counts it may see.", rich_markup_mode=None)
keys = typer.Typer(no_args_is_help=True, help="Keys that sign what is published.", rich_markup_mode=None)
retention = typer.Typer(no_args_is_help=True, help="Forgetting on schedule.", rich_markup_mode=None)
app.add_typer(db, name="db")
app.add_typer(campaign, name="campaign")
app.add_typer(mail, name="mail")
app.add_typer(parliament, name="parliament")
app.add_typer(account, name="account")
app.add_typer(districts, name="districts")
app.add_typer(office, name="office")
app.add_typer(keys, name="keys")
app.add_typer(retention, name="retention")


class Language(StrEnum):
    """Languages that somebody is spoken to in."""

    KM = "km"
    EN = "en"
    FR = "fr"


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer requests.")] = 1,
    *,
    background: Annotated[bool, typer.Option(help="Do the background work here, too.")] = True,
) -> None:
    """Serve the pages, and do the background work unless a worker does."""
    settings = _settings(port=port)
    # What the processes would find out too late, and say in many lines.
    _guard(lambda: open_keyring(settings.keys_dir))
    _run(_check_keys, settings=settings)
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


@app.command()
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

    _run(work)


@app.command()
def demo(*, once: Annotated[bool, typer.Option(help="Do nothing where campaigns exist already.")] = False) -> None:
    """Load demonstration campaigns in three languages, with signatures and one crossing."""

    async def load(settings: Settings, database: Database) -> None:
        from app.actions.demonstration import has_campaigns, load_demonstration

        if once and await database.read(has_campaigns):
            return
        keyring = open_keyring(settings.keys_dir)
        for slug in await database.write(load_demonstration, keyring=keyring, now=utc_now()):
            typer.echo(slug)

    _run(load)


@db.command("upgrade")
def upgrade_database() -> None:
    """Bring the database to the newest schema."""
    from app.core import migrations

    _guard(lambda: migrations.upgrade(_settings().database_url))


@db.command("check")
def check_database() -> None:
    """Tell whether the database stands where the code expects it."""
    from app.core import migrations
    from app.models import Base

    found: list[str] = []
    _guard(lambda: found.extend(migrations.find_drift(_settings().database_url, Base.metadata)))
    if found:
        _fail(*found, "`hatthalekha db upgrade` brings it there")
    typer.echo("The database is current.")


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
        _fail(f"{file}: {fault.strerror}")
    except Refused as refusal:
        _fail(f"--owner: {refusal.message.say('en')}")
    except BadCampaignFile as refusal:
        _fail(*(f"{file}: {fault.place or 'file'}: {fault.message.say('en')}" for fault in refusal.faults))
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
            _fail(f"{file}: slug: a campaign named {parsed.slug} exists already")
        typer.echo(f"{settings.base_url}/c/{parsed.slug}")

    _run(load)


@campaign.command("list")
def list_all() -> None:
    """List every campaign: name, state, count."""

    async def show(_: Settings, database: Database) -> None:
        from app.queries.campaigns import list_all_campaigns

        for each in await database.read(list_all_campaigns):
            typer.echo(f"{each.slug}\t{each.state}\t{each.signatures}")

    _run(show)


@campaign.command("export")
def export_file(slug: str) -> None:
    """Write a campaign to standard output, in the format that import reads. No signer is in it."""

    async def write(settings: Settings, database: Database) -> None:
        from app.queries.campaigns import export_campaign

        found = await database.read(export_campaign, slug=slug, keyring=open_keyring(settings.keys_dir))
        if found is None:
            _fail(f"there is no campaign named {slug}")
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))

    _run(write)


@campaign.command("stop")
def stop(slug: str, *, why: Annotated[str, typer.Option(help="The reason, kept with the campaign.")]) -> None:
    """Stop a campaign: nobody can sign or confirm any more, and its page says so."""

    async def halt(_: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
        from app.actions.life import stop_campaign

        try:
            await database.write(stop_campaign, slug=slug, because=why, now=utc_now())
        except CampaignNotFound:
            _fail(f"there is no campaign named {slug}")
        except CampaignCannotMove as fact:
            _fail(f"{slug} cannot be stopped: it is {fact}")

    _run(halt)


@campaign.command("resume")
def resume(slug: str) -> None:
    """Let a stopped campaign go on as its dates say, and print its state."""

    async def go_on(_: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
        from app.actions.life import resume_campaign

        try:
            typer.echo(await database.write(resume_campaign, slug=slug, now=utc_now()))
        except CampaignNotFound:
            _fail(f"there is no campaign named {slug}")
        except CampaignCannotMove as fact:
            _fail(f"{slug} cannot be resumed: it is {fact}")

    _run(go_on)


@campaign.command("rehome")
def rehome(slug: str, email: str) -> None:
    """Make the account of an address an owner of a campaign, with an account that is made where there is none."""
    from app.rules.normalise import Refused, clean_email

    try:
        address = clean_email(email)
    except Refused as refusal:
        _fail(f"{email}: {refusal.message.say('en')}")

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
            _fail(f"there is no campaign named {slug}")

    _run(give)


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
            _fail(f"{day.date()}: that day is still to come")
        ended = await database.write(dissolve_parliament, dissolved_on=day.date(), now=now)
        typer.echo(f"{ended} members no longer carry a petition or are no longer asked")

    _run(end)


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
        _run(mark)
    except typer.Exit:
        raise typer.Exit(TRY_AGAIN_LATER) from None


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
    address = _email(email)

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

    _run(create)


@account.command("disable")
def disable_account(email: Annotated[str, typer.Argument(help="E-mail address of its owner.")]) -> None:
    """Keep an account out: its sessions end, and no letter signs it in. `account create` opens it again."""
    address = _email(email)

    async def disable(settings: Settings, database: Database) -> None:
        from app.actions.accounts import AccountNotFound
        from app.actions.accounts import disable_account as disable_it

        try:
            await database.write(disable_it, email=address, keyring=open_keyring(settings.keys_dir), now=utc_now())
        except AccountNotFound:
            _fail(f"there is no account of {address}")

    _run(disable)


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

    address = _email(email)
    try:
        called = clean_line(name, limit=MAX_NAME) if name else ""
    except Refused as refusal:
        _fail(f"--name: {refusal.message.say('en')}")

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
            _fail(f"there is no published campaign named {slug}")
        except TooManyInvited:
            _fail(f"{slug}: no more invitations can be sent to this office or address today")
        typer.echo(f"{invited}: a letter to {address} is on its way")

    _run(invite)


@office.command("revoke")
def revoke_office(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    email: Annotated[str, typer.Argument(help="Address of somebody of the office.")],
) -> None:
    """Let an address see a campaign's counts no more."""
    address = _email(email)

    async def revoke(settings: Settings, database: Database) -> None:
        from app.actions.offices import CampaignNotPublished, revoke_from_terminal

        try:
            ended = await database.write(
                revoke_from_terminal, slug=slug, email=address, keyring=open_keyring(settings.keys_dir), now=utc_now()
            )
        except CampaignNotPublished:
            _fail(f"there is no published campaign named {slug}")
        if not ended:
            _fail(f"{address} is of no office for {slug}")

    _run(revoke)


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
        _fail(f"{file}: {fault.strerror}")
    except BadDistrictFile as refusal:
        _fail(*(f"{file}: {f'line {line}: ' if line else ''}{fault}" for line, fault in refusal.faults))

    async def load(_: Settings, database: Database) -> None:
        from app.actions.districts import load_districts

        loaded = await database.write(load_districts, districts=listed, now=utc_now())
        typer.echo(f"{loaded.listed} districts: {loaded.new} are new, {loaded.left} are no longer offered")

    _run(load)


@app.command("report")
def report(
    slug: Annotated[str, typer.Argument(help="The campaign.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the files; made, and empty unless it holds the same report.")],
) -> None:
    """Write the verified count report: one for a checkpoint, and one an hour unless a number was reached."""

    async def write(settings: Settings, database: Database) -> None:
        from app.actions.campaigns import CampaignNotFound
        from app.actions.reporting import (
            LogOfAnotherHost,
            LogUnsettled,
            NoCheckpointYet,
            ReportOvertaken,
            issue_report,
        )
        from app.queries.reports import find_report, list_report_files

        try:
            number = await issue_report(
                database, slug=slug, keyring=open_keyring(settings.keys_dir), base_url=settings.base_url, now=utc_now()
            )
        except CampaignNotFound:
            _fail(f"there is no published campaign named {slug}")
        except NoCheckpointYet:
            _fail(f"{slug}: nothing is in the log yet; the first signatures enter it within twelve hours")
        except LogOfAnotherHost as fact:
            _fail(f"{slug}: its log is that of {fact}, and HATTHALEKHA_BASE_URL says {settings.base_url}")
        except ReportOvertaken:
            _fail(f"{slug}: others made reports at the same moment; try again")
        except LogUnsettled:
            _fail(f"{slug}: the log and the signatures that it counts differ; a report of this would not hold")
        found = await database.read(find_report, slug=slug, number=number)
        assert found is not None  # noqa: S101 - it was issued just now
        _write_folder(out, await database.read(list_report_files, report_id=found.id))
        typer.echo(f"Report no. {number}: {found.signatures} verified signatures as of {found.figures['as_of']}")
        typer.echo(str(out))

    _run(write)


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder that is empty or holds nothing but the same."""
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    if any(name not in files or path.read_bytes() != files[name] for name, path in there.items()):
        _fail(f"{folder}: holds other files; a report wants a folder of its own")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@app.command("verify")
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
        verifiers = read_keys(key or _list_verifiers(_settings()))
    except NotGenuine as fact:
        _fail(f"--key: {fact} is neither a key nor a file that has one")
    options = Options(verifiers, None if offline else fetch)
    locale = choose_locale(lang, os.environ)
    status = verify(path, locale=locale, options=options, tell=open_terminal())
    if status:
        raise typer.Exit(status)


@keys.command("show")
def show_keys() -> None:
    """Print the keys that published notes are checked with, the newest first."""
    settings = _settings()
    _guard(lambda: open_keyring(settings.keys_dir))
    for verifier in _list_verifiers(settings):
        typer.echo(verifier)


@keys.command("rotate")
def rotate_keys() -> None:
    """Make the next signing key. The newest two sign side by side; all of them stay published."""
    settings = _settings()
    _guard(lambda: add_signing_key(settings.keys_dir))
    made, *_ = _list_verifiers(settings)
    typer.echo(made)
    typer.echo("It signs from the next start of the processes on, beside the key before it: restart them.")
    typer.echo("Publish it and keep KEYS_DIR safe: the older keys are still needed to check what they signed.")


def _list_verifiers(settings: Settings) -> list[str]:
    """Return the published keys, the newest first; none where there is no keyring, which is then not made."""
    from app.proofs.notes import NoteSigner

    if not any(settings.keys_dir.glob("signing-*.key")):
        return []
    host = settings.base_url.partition("://")[2]
    found: list[str] = []
    _guard(
        lambda: found.extend(
            NoteSigner(host, seed).verifier for seed in open_keyring(settings.keys_dir).published_seeds
        )
    )
    return found


@retention.command("run")
def run_retention() -> None:
    """Forget what is to be forgotten now; the background work does the same every ten minutes."""

    async def forget(_: Settings, database: Database) -> None:
        from app.jobs.retain import forget_all

        await forget_all(database, now=utc_now())

    _run(forget)


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


def _run(work: Callable[[Settings, Database], Awaitable[None]], *, settings: Settings | None = None) -> None:
    """Run ``work`` on the configured database and close it; faults become one line."""
    chosen = settings or _settings()

    async def run() -> None:
        async with _database(chosen) as database:
            await work(chosen, database)

    _guard(lambda: asyncio.run(run()))


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
        _fail(f"the keys in KEYS_DIR ({settings.keys_dir}) are not those of this database")
    if not is_log_signed:
        _fail(f"KEYS_DIR ({settings.keys_dir}) has none of the signing keys (signing-….key) of this database's log")


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends or the process is told to: then it is cancelled, and that is a good end."""
    task = asyncio.ensure_future(work)
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()


def _guard(work: Callable[[], Any]) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        work()
    except DatabaseUnavailableError as fault:
        _fail(f"the database cannot be used: {_reason(fault.__cause__ or fault.__context__)}")
    except SQLAlchemyError as fault:
        _fail(f"the database refused: {_reason(fault)}")
    except SealBrokenError as fault:
        _fail(f"the keys in KEYS_DIR do not open what this database holds ({fault})")
    except (KeysUnusableError, OSError) as fault:
        _fail(str(fault))


def _reason(fault: BaseException | None) -> str:
    """Return a database's own words in one line, without the statement and its values."""
    driver = getattr(fault, "orig", None) or fault
    line = next(iter(str(driver).splitlines()), "") or type(fault).__name__
    line = re.sub(r"^<class '[^']*'>: ", "", line)
    is_older = "no such table" in line or getattr(driver, "sqlstate", None) == UNDEFINED_TABLE
    return f"{line}; has `hatthalekha db upgrade` been run?" if is_older else line


def _email(typed: str) -> str:
    from app.rules.normalise import Refused, clean_email

    try:
        return clean_email(typed)
    except Refused as refusal:
        _fail(f"{typed}: {refusal.message.say('en')}")


def _settings(*, port: int | None = None) -> Settings:
    for name in list_unknown_settings():
        typer.echo(f"hatthalekha: warning: there is no setting {name}", err=True)
    try:
        return Settings.from_environment(port=port)
    except BadSettingsError as fault:
        _fail(*fault.faults)


def _fail(*lines: str) -> NoReturn:
    for line in lines:
        typer.echo(f"hatthalekha: {line}", err=True)
    raise typer.Exit(1)
