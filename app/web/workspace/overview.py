"""How it is going: for a draft what to do next, afterwards the count, its pace, and where signatures come from.

Languages, days, places, links and editions are those of the latest snapshot, as everybody else is shown them. Days were
once counted as the page was read; but whoever reloads it then sees in which language the person signed who has just
told them of it. The pace is made of totals that are published anyway: the live count, less that of an earlier snapshot.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary
from zoneinfo import ZoneInfo

from app.i18n import LOCALES
from app.queries.checks import find_check
from app.queries.figures import find_breakdown, get_figures, get_standing, list_totals
from app.queries.reports import find_way
from app.rules.life import days_left, is_signing_open, last_day, local_day
from app.rules.moves import PUBLIC_STATES
from app.rules.pace import WINDOW_DAYS, find_pace, spread_over_days
from app.rules.permissions import Permission, Role
from app.rules.places import country_name, country_of, list_subdivisions
from app.rules.preflight import findings
from app.rules.reports import STEPS
from app.web.gate import Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from starlette.responses import Response

    from app.core.db import Database
    from app.i18n import Locale
    from app.queries.figures import Breakdown, Figures, Standing
    from app.rules.pace import Pace, Period
    from app.rules.preflight import CheckInput
    from app.web.gate import Visit

#: A walk over the signatures that took longer than this many seconds is kept, sixty times as long as it took.
WORTH_KEEPING: Final = 0.25
KEPT_TIMES: Final = 60
KEPT_AT_MOST: Final = 900.0
#: Marks that a link may carry, as the signing form takes them.
_MARK: Final = re.compile(r"[a-z0-9-]{1,32}")
_NOT_IN_MARKS: Final = re.compile(r"[^a-z0-9]+")
SUGGESTED_MARKS: Final = ("temple", "facebook", "telegram", "poster")


@dataclass(frozen=True, slots=True)
class _Kept:
    figures: Figures
    until: float


_kept: WeakKeyDictionary[Database, dict[UUID, _Kept]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a language is: boxes that are ready, of those that the source text has."""

    locale: str
    ready: int
    wanted: int
    behind: int  # ready once, but the source has changed since

    @property
    def left(self) -> int:
        """How many boxes wait."""
        return self.wanted - self.ready


async def show(visit: Visit) -> Response:
    """Show how it is going, or what to do next."""
    if visit.campaign.state not in PUBLIC_STATES:
        return await _show_checklist(visit)
    if not visit.can(Permission.SEE_FIGURES):
        return await _show_translations(visit)
    return await _show_figures(visit)


async def _show_checklist(visit: Visit) -> Response:
    check = await visit.house.database.read(find_check, campaign_id=visit.campaign.id, now=visit.now)
    found = findings(check)
    return visit.show(
        "workspace/overview_draft.html",
        progress=_progress(check, _own_locales(visit, check)),
        is_translator=visit.campaign.membership.role is Role.TRANSLATOR,
        check=check,
        blocking=sum(each.blocks for each in found),
        others=sum(not each.blocks for each in found),
        has_settings=bool(check.addressees or check.kind == "joint_statement")
        and (check.closes_on is not None or check.open_for is not None),
        stands_by=check.supporters_confirmed >= check.supporters_needed,
    )


async def _show_translations(visit: Visit) -> Response:
    check = await visit.house.database.read(find_check, campaign_id=visit.campaign.id, now=visit.now)
    return visit.show("workspace/overview_translator.html", progress=_progress(check, _own_locales(visit, check)))


async def _show_figures(visit: Visit) -> Response:
    campaign, database = visit.campaign, visit.house.database
    standing = await database.read(get_standing, campaign_id=campaign.id)
    figures = await _find_figures(visit)
    breakdown = await database.read(find_breakdown, campaign_id=campaign.id)
    totals = await database.read(list_totals, campaign_id=campaign.id)
    today = local_day(visit.now, campaign.timezone)
    is_open = is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, visit.now)
    days, weeks = _list_days(breakdown, campaign.timezone)
    last = None if campaign.closes_at is None else last_day(campaign.closes_at, campaign.timezone)
    share_url = f"{visit.house.settings.base_url}/c/{campaign.slug}"
    mark = _read_mark(visit)
    return visit.show(
        "workspace/overview.html",
        is_by_organisations=standing.signatories == "organisations",
        standing=standing,
        figures=figures,
        funnel=figures.funnel,
        way=await database.read(find_way, campaign_id=campaign.id),
        steps={step: sentence.say(visit.locale) for step, sentence in STEPS.items()},
        is_open=is_open,
        last_day=last,
        days_left=None if campaign.closes_at is None else days_left(campaign.closes_at, campaign.timezone, visit.now),
        pace=_pace(visit, standing, totals, today, last) if is_open else None,
        days=days,
        weeks=weeks,
        places=_name_places(breakdown, visit.locale),
        snapshot=breakdown,
        waiting=None if standing.answer_due_on is None else (standing.answer_due_on - today).days,
        share_url=share_url,
        marked_url=f"{share_url}?via={mark}" if mark else None,
        marked_qr=_draw(f"{share_url}?via={mark}") if mark else None,
        mark=mark or visit.request.query_params.get("via", "")[:32],
        has_bad_mark=bool(visit.request.query_params.get("via", "").strip()) and not mark,
        marks=SUGGESTED_MARKS,
    )


async def _find_figures(visit: Visit) -> Figures:
    """Return the figures; where the walk takes long, those of a while ago, so that many who look cost one walk."""
    campaign, database = visit.campaign, visit.house.database
    kept = _kept.setdefault(database, {})
    entry = kept.get(campaign.id)
    began = time.monotonic()
    if entry is not None and began < entry.until:
        return entry.figures
    figures = await database.read(get_figures, campaign_id=campaign.id, now=visit.now)
    took = time.monotonic() - began
    if took >= WORTH_KEEPING:
        kept[campaign.id] = _Kept(figures, began + took + min(KEPT_AT_MOST, KEPT_TIMES * took))
    return figures


def _list_days(breakdown: Breakdown | None, zone: str) -> tuple[list[Period], list[Period]]:
    """Return the days and the earlier weeks that have any number to show, newest first."""
    if breakdown is None:
        return [], []
    noon = time_of_day(12, tzinfo=ZoneInfo(zone))
    counted = [
        (datetime.combine(date.fromisoformat(share.value), noon), "", share.signatures)
        for share in breakdown.margins["day"]
        if share.value is not None
    ]
    days, weeks = spread_over_days(counted, zone=zone, today=local_day(breakdown.taken_at, zone))
    return [each for each in days if each.total], [each for each in weeks if each.total]


def _pace(
    visit: Visit, standing: Standing, totals: Sequence[tuple[datetime, int]], today: date, last: date | None
) -> Pace | None:
    """Return what is expected, from the count now and that of about a week ago, or of the beginning."""
    goal = standing.next_goal
    if goal is None:
        return None
    began = visit.campaign.opens_at or visit.now
    ages = [((visit.now - at) / timedelta(days=1), number) for at, number in ((began, 0), *totals)]
    # Of yesterday at the latest: what an hour brought is no pace.
    age, before = min(
        (each for each in ages if each[0] >= 1), key=lambda each: abs(each[0] - WINDOW_DAYS), default=(1, 0)
    )
    return find_pace(
        count=standing.signatures,
        needed=goal.signatures,
        recent=max(0, standing.signatures - before),
        days=round(age),
        today=today,
        last_day=last,
    )


def _name_places(breakdown: Breakdown | None, locale: Locale) -> list[tuple[str, str, int]]:
    """Return what is shown of each place: its name, whether it is whole or a rest, and the number."""
    if breakdown is None:
        return []
    split = {cell.country for cell in breakdown.cells if cell.subdivision is not None}
    named = []
    for cell in breakdown.cells:
        if cell.country is None:
            named.append(("", "rest", cell.signatures))
        elif cell.subdivision is not None:
            name = dict(list_subdivisions(country_of(cell.subdivision), locale)).get(cell.subdivision, cell.subdivision)
            named.append((name, "place", cell.signatures))
        else:
            kind = "others" if cell.country in split else "place"
            named.append((country_name(cell.country, locale), kind, cell.signatures))
    return named


def _read_mark(visit: Visit) -> str:
    """Return the mark that somebody asked a link for, as links carry it; empty where nothing of it is left."""
    typed = _NOT_IN_MARKS.sub("-", visit.request.query_params.get("via", "").strip().lower()).strip("-")[:32].strip("-")
    return typed if _MARK.fullmatch(typed) else ""


def _draw(url: str) -> tuple[int, str]:
    """Return a QR code as its size with the quiet zone, and the path of its dark squares."""
    # Imported here: only this page and the public one draw.
    import segno

    matrix = [list(row) for row in segno.make_qr(url, error="m").matrix_iter(scale=1, border=4)]
    path = "".join(
        f"M{column} {row}h1v1h-1z" for row, line in enumerate(matrix) for column, is_dark in enumerate(line) if is_dark
    )
    return len(matrix), path


def _own_locales(visit: Visit, check: CheckInput) -> list[str]:
    """Return the languages that a page speaks of: a translator's own, else those that are promised."""
    membership = visit.campaign.membership
    wanted = (
        membership.locales if membership.role is Role.TRANSLATOR else {check.source_locale, *check.promised_locales}
    )
    return [locale for locale in LOCALES if locale in wanted]


def _progress(check: CheckInput, locales: Sequence[str]) -> list[Progress]:
    written = [part for part in check.parts if part.text.strip()]
    wanted = {(part.name, part.item_id) for part in written if part.locale == check.source_locale}
    progress = []
    for locale in locales:
        own = [part for part in written if part.locale == locale and (part.name, part.item_id) in wanted]
        behind = sum(part.is_ready and part.is_behind for part in own)
        ready = sum(part.is_ready and not part.is_behind for part in own)
        progress.append(Progress(locale, ready, len(wanted), behind))
    return progress


PAGES: Final[tuple[Page, ...]] = (Page("/campaigns/{slug}", show, needs=Permission.READ),)
