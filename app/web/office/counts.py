"""Counts of one campaign for the staff of one office: the figures of a report, and its files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.actions.offices import note_opening
from app.actions.records import record
from app.actions.reporting import (
    LogOfAnotherHost,
    LogUnsettled,
    NoCheckpointYet,
    ReportOvertaken,
    issue_report,
    zip_report,
)
from app.core.logs import get_logger
from app.queries.log import find_latest_checkpoint
from app.queries.offices import list_office_campaigns
from app.queries.reports import find_current_report, find_report, find_report_file, list_report_files, list_reports
from app.rules.permissions import OfficePermission
from app.web.gate import Page

if TYPE_CHECKING:
    from app.queries.reports import IssuedReport
    from app.web.gate import Visit

#: What each file is, by the end of its name; all others are plain text.
CONTENT_TYPES: Final = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
PLAIN: Final = "text/plain; charset=utf-8"
WHOLE: Final = "report.zip"
#: The longest number of a report in an address.
DIGITS: Final = 9


async def show_home(visit: Visit) -> Response:
    """List the campaigns whose counts this person may see."""
    campaigns = await visit.house.database.read(
        list_office_campaigns, account_id=visit.signed_in.account_id, now=visit.now
    )
    return visit.show("office/home.html", campaigns=campaigns)


async def show_counts(visit: Visit) -> Response:
    """Show the figures of the latest report, or how there will be one."""
    reports = await visit.house.database.read(list_reports, slug=visit.office.slug)
    latest = None if not reports else await _find(visit, reports[0].number)
    return await _show(visit, latest)


async def show_report(visit: Visit) -> Response:
    """Show the figures of an earlier report."""
    return await _show(visit, await _find(visit, _number(visit)))


async def make_report(visit: Visit) -> Response:
    """Make the report of the latest checkpoint, or find the current one."""
    await visit.read_form()
    house, office = visit.house, visit.office
    try:
        await issue_report(
            house.database,
            slug=office.slug,
            keyring=house.keyring,
            base_url=house.settings.base_url,
            now=visit.now,
            issued_by=visit.signed_in.account_id,
        )
    except NoCheckpointYet:
        pass  # the page says so
    except (LogOfAnotherHost, LogUnsettled, ReportOvertaken) as fault:
        get_logger().error("report not made", campaign=str(office.id), error=type(fault).__name__)
        raise HTTPException(503) from fault
    return visit.go(f"/campaigns/{office.slug}")


async def download_all(visit: Visit) -> Response:
    """Give every file of a report in one archive."""
    report = await _find(visit, _number(visit))
    files = await visit.house.database.read(list_report_files, report_id=report.id)
    content = await asyncio.to_thread(zip_report, files)
    return await _give(visit, report, WHOLE, content)


async def download_file(visit: Visit) -> Response:
    """Give one file of a report."""
    report = await _find(visit, _number(visit))
    name = visit.request.path_params["name"]
    content = await visit.house.database.read(find_report_file, report_id=report.id, name=name)
    if content is None:
        raise HTTPException(404)
    return await _give(visit, report, name, content)


async def _show(visit: Visit, report: IssuedReport | None) -> Response:
    # The typesetter's neighbours, for their words: imported with the first page that says them.
    from app.documents.report import list_figures

    database, office = visit.house.database, visit.office
    await database.write(note_opening, campaign_id=office.id, account_id=visit.signed_in.account_id, now=visit.now)
    checkpoint = await database.read(find_latest_checkpoint, campaign_id=office.id)
    current = await database.read(find_current_report, campaign_id=office.id, now=visit.now)
    return visit.show(
        "office/counts.html",
        report=report,
        shown=None if report is None else list_figures(report.figures, visit.locale),
        reports=await database.read(list_reports, slug=office.slug) or [],
        has_checkpoint=checkpoint is not None,
        can_make=checkpoint is not None and current is None,
    )


async def _find(visit: Visit, number: int) -> IssuedReport:
    report = await visit.house.database.read(find_report, slug=visit.office.slug, number=number)
    if report is None:
        raise HTTPException(404)
    return report


async def _give(visit: Visit, report: IssuedReport, name: str, content: bytes) -> Response:
    await _note(visit, "office_downloaded", report=report.number, file=name)
    last = name.rpartition("/")[2]
    saved_as = f"{visit.office.slug}-report-{report.number}" + (".zip" if name == WHOLE else f"-{last}")
    return Response(
        content,
        media_type=CONTENT_TYPES.get(last.rpartition(".")[2], PLAIN),
        headers={"content-disposition": f'attachment; filename="{saved_as}"', "cache-control": "no-store"},
    )


async def _note(visit: Visit, what: str, **details: object) -> None:
    await visit.house.database.write(
        record,
        what=what,
        now=visit.now,
        account_id=visit.signed_in.account_id,
        campaign_id=visit.office.id,
        details=details,
    )


def _number(visit: Visit) -> int:
    typed = visit.request.path_params["number"]
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= DIGITS):
        raise HTTPException(404)
    return int(typed)


_AT: Final = "/campaigns/{slug}"
_REPORT: Final = f"{_AT}/reports/{{number}}"
_NEEDS: Final = OfficePermission.SEE_COUNTS
PAGES: Final[tuple[Page, ...]] = (
    Page("", show=show_home, needs=_NEEDS),
    Page(_AT, show=show_counts, needs=_NEEDS),
    Page(f"{_AT}/reports", post=make_report, needs=_NEEDS),
    Page(_REPORT, show=show_report, needs=_NEEDS),
    Page(f"{_REPORT}/{WHOLE}", show=download_all, needs=_NEEDS),
    Page(f"{_REPORT}/files/{{name:path}}", show=download_file, needs=_NEEDS),
)
