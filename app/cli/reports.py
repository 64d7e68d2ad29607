"""Reports of the verified count, as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.running import fail, run
from app.core.clock import utc_now
from app.core.db import Database
from app.core.keys import open_keyring
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping


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
            fail(f"there is no published campaign named {slug}")
        except NoCheckpointYet:
            fail(f"{slug}: nothing is in the log yet; the first signatures enter it within twelve hours")
        except LogOfAnotherHost as fact:
            fail(f"{slug}: its log is that of {fact}, and HATTHALEKHA_BASE_URL says {settings.base_url}")
        except ReportOvertaken:
            fail(f"{slug}: others made reports at the same moment; try again")
        except LogUnsettled:
            fail(f"{slug}: the log and the signatures that it counts differ; a report of this would not hold")
        found = await database.read(find_report, slug=slug, number=number)
        assert found is not None  # noqa: S101 - it was issued just now
        _write_folder(out, await database.read(list_report_files, report_id=found.id))
        typer.echo(f"Report no. {number}: {found.signatures} verified signatures as of {found.figures['as_of']}")
        typer.echo(str(out))

    run(write)


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a folder that is empty or holds nothing but the same."""
    there = {str(path.relative_to(folder)): path for path in folder.rglob("*") if not path.is_dir()}
    if any(name not in files or path.read_bytes() != files[name] for name, path in there.items()):
        fail(f"{folder}: holds other files; a report wants a folder of its own")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
