"""Verified count reports: drawn from one consistent moment, built outside any transaction, kept for ever.

A report is a checkpoint of the log and the latest snapshot (docs/decisions/0018-reports.md). Each checkpoint has one
report at most, and each hour has one, unless a threshold was reached: whoever asks again is given the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import zipfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4
from weakref import WeakValueDictionary

from sqlalchemy import func, select

from app.actions.campaigns import CampaignNotFound
from app.actions.records import record
from app.actions.snapshots import draw_snapshot, keep_snapshot
from app.i18n import LOCALES, as_locale
from app.models import Campaign, Checkpoint, Report, ReportFile, Signature, TurnedAway
from app.proofs import verifying
from app.proofs.notes import write_note
from app.queries.campaigns import find_campaign
from app.queries.editions import list_editions
from app.queries.figures import Share, find_breakdown
from app.queries.log import list_published, list_signers
from app.queries.paper import count_paper
from app.queries.reports import MANIFEST, find_current_report
from app.rules.eligibility import who_can_sign
from app.rules.reports import (
    FORMAT,
    Group,
    as_text,
    count_steps,
    name_language,
    name_merged,
    name_place,
    official_page,
    tell_way,
    write_manifest,
    write_readme,
    write_text,
)
from app.rules.texts import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from app.core.db import Database
    from app.core.keys import Keyring
    from app.proofs.notes import NoteSigner
    from app.queries.campaigns import Campaign as CampaignFound
    from app.queries.campaigns import Threshold
    from app.queries.editions import Edition
    from app.queries.figures import Breakdown, DistrictName

#: How often a report is drawn again when somebody else's came first.
ATTEMPTS: Final = 3
#: What each report says of itself, as words that pages and documents have sentences for.
NOTES: Final = (
    "not_a_certificate", "sponsoring_is_not_agreeing", "paper_is_apart", "small_numbers_merged",
    "districts_are_self_declared",
)  # fmt: skip
#: What each file of a ZIP is dated: the same files make the same archive.
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
_ZIP_MODE: Final = 0o100644 << 16
#: Who makes a report of a campaign in this process; all others who ask meanwhile wait, and are given it.
_making: Final[WeakValueDictionary[UUID, asyncio.Lock]] = WeakValueDictionary()


class NoCheckpointYet(Exception):
    """The log of this campaign has nothing that a report could be of."""


class LogUnsettled(Exception):
    """The log counts other signatures than its latest checkpoint says: a report of this would not hold."""


class LogOfAnotherHost(Exception):
    """The log was kept under another address than this one, which the message is: a report of this would not hold."""


class ReportOvertaken(Exception):
    """Another report was kept between drawing and keeping, and it is of an earlier checkpoint."""


@dataclass(frozen=True, slots=True)
class DrawnReport:
    """All that a report says, read in one moment, which nobody has kept yet."""

    campaign_id: UUID
    checkpoint_id: UUID
    issued_at: datetime
    figures: dict[str, Any]
    editions: tuple[Edition, ...]
    signed_note: str
    removed_note: str

    @property
    def number(self) -> int:
        """The number that it will have, unless somebody else comes first."""
        number: int = self.figures["number"]
        return number


async def issue_report(
    database: Database,
    *,
    slug: str,
    keyring: Keyring,
    base_url: str,
    now: datetime,
    issued_by: UUID | None = None,
) -> int:
    """Make the report of a published campaign's latest checkpoint, or find the current one; return its number.

    A snapshot that is due is taken first, so that the breakdown is as new as it may be. ``issued_by`` is an account,
    which goes on record where a report is made, or None for the terminal. Raises CampaignNotFound, NoCheckpointYet,
    LogUnsettled, LogOfAnotherHost, and ReportOvertaken where other processes came first each time.
    """
    campaign = await database.read(find_campaign, slug=slug)
    if campaign is None:
        raise CampaignNotFound
    lock = _making.setdefault(campaign.id, asyncio.Lock())
    async with lock:
        current = await database.read(find_current_report, campaign_id=campaign.id, now=now)
        if current is not None:
            return current
        snapshot = await database.read(draw_snapshot, campaign_id=campaign.id, now=now)
        if snapshot is not None:
            await database.write(keep_snapshot, drawn=snapshot)
        host = base_url.partition("://")[2]
        verifiers = [each.verifier for each in list_published(keyring, host=host)]
        for _ in range(ATTEMPTS):
            drawn = await database.read(draw_report, slug=slug, base_url=base_url, verifiers=verifiers, now=now)
            if isinstance(drawn, int):
                return drawn
            files = await asyncio.to_thread(build_files, drawn, signers=list_signers(keyring, host=host))
            with suppress(ReportOvertaken):
                return await database.write(keep_report, drawn=drawn, files=files, issued_by=issued_by)
    raise ReportOvertaken


def draw_report(
    session: Session, *, slug: str, base_url: str, verifiers: Sequence[str], now: datetime
) -> DrawnReport | int:
    """Return what the next report of a campaign says, or the number of the current one.

    It is issued ``now``, or with its checkpoint where that was made meanwhile. Reads alone.

    Raises CampaignNotFound, NoCheckpointYet, LogUnsettled, LogOfAnotherHost.
    """
    found = find_campaign(session, slug=slug)
    if found is None:
        raise CampaignNotFound
    checkpoint, groups, turned_away = _count_forms(session, found.id)
    current = find_current_report(session, campaign_id=found.id, now=now)
    if current is not None:
        return current
    last = _find_last(session, found.id)
    host = checkpoint.signed_note.partition("/api/v1/")[0]
    if host != base_url.partition("://")[2]:
        raise LogOfAnotherHost(host)
    steps, verified = count_steps(groups, turned_away=turned_away)
    if verified != checkpoint.signatures:
        raise LogUnsettled
    number = 1 if last is None else last.number + 1
    editions = tuple(list_editions(session, campaign_id=found.id))
    issued_at = max(now, checkpoint.made_at)
    figures = {
        "format": FORMAT,
        "number": number,
        "supersedes": None if last is None else last.number,
        "issued_at": as_text(issued_at),
        "as_of": as_text(checkpoint.made_at),
        "base_url": base_url,
        "report_url": f"{base_url}/en/campaigns/{found.slug}/reports/{number}",
        "campaign": _tell_campaign(found, session.get_one(Campaign, found.id), base_url),
        "signatures": verified,
        "thresholds": [_tell_threshold(each) for each in found.thresholds],
        "way": tell_way(steps, verified=verified, before=_list_ways(session, found.id)),
        "breakdown": _tell_breakdown(find_breakdown(session, campaign_id=found.id)),
        "editions": _tell_editions(editions, verified),
        # Beside the count and never in it: the organisers' own figure, of this very moment.
        "paper": asdict(count_paper(session, campaign_id=found.id)),
        "checkpoint": _tell_checkpoint(checkpoint),
        "keys": list(verifiers),
        "notes": list(NOTES),
    }
    notes = (checkpoint.signed_note, checkpoint.removed_note)
    return DrawnReport(found.id, checkpoint.id, issued_at, figures, editions, *notes)


def build_files(drawn: DrawnReport, *, signers: Sequence[NoteSigner]) -> dict[str, bytes]:
    """Return the files of a report by name, the signed manifest last. Takes a second, and belongs in a thread."""
    from app.documents.report import typeset_report
    from app.documents.tables import write_csv, write_xlsx

    figures = drawn.figures
    counts = (json.dumps(figures, ensure_ascii=False, indent=1) + "\n").encode()
    files = {
        "report.pdf": typeset_report(figures, counts=counts),
        "counts.json": counts,
        "counts.csv": write_csv(figures),
        "counts.xlsx": write_xlsx(figures),
        "log/signed.checkpoint": drawn.signed_note.encode(),
        "log/removed.checkpoint": drawn.removed_note.encode(),
        "verify.py": read_verifier(),
        "README.txt": write_readme(figures, [signer.verifier for signer in signers]).encode(),
    }
    for edition in drawn.editions:
        files[f"texts/edition-{edition.number}.json"] = canonical_json(edition.texts)
        for name, text in edition.texts.items():
            written = write_text(text, number=edition.number, edition_hash=edition.hash, locale=as_locale(name))
            files[f"texts/edition-{edition.number}.{name}.txt"] = written.encode()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {MANIFEST: write_note(write_manifest(figures, hashes), signers).encode()}


def keep_report(
    session: Session, *, drawn: DrawnReport, files: Mapping[str, bytes], issued_by: UUID | None = None
) -> int:
    """Keep a report and return its number, or that of another which was kept meanwhile. Raises ReportOvertaken.

    What an account made is on record with it; whoever is given another has made nothing.
    Of two at once the constraint lets one through; the other is run again, and finds it.
    """
    newest = _find_last(session, drawn.campaign_id)
    if newest is not None and newest.checkpoint >= drawn.figures["checkpoint"]["number"]:
        return newest.number
    if newest is not None and newest.number >= drawn.number:
        raise ReportOvertaken
    report_id = uuid4()
    session.add(
        Report(
            id=report_id,
            campaign_id=drawn.campaign_id,
            number=drawn.number,
            checkpoint_id=drawn.checkpoint_id,
            issued_at=drawn.issued_at,
            issued_by=issued_by,
            signatures=drawn.figures["signatures"],
            figures=drawn.figures,
        )
    )
    session.flush()
    session.add_all(
        ReportFile(report_id=report_id, name=name, content=content, sha256=hashlib.sha256(content).hexdigest())
        for name, content in files.items()
    )
    session.flush()
    if issued_by is not None:
        record(
            session,
            what="office_report_made",
            now=drawn.issued_at,
            account_id=issued_by,
            campaign_id=drawn.campaign_id,
            details={"report": drawn.number},
        )
    return drawn.number


def read_verifier() -> bytes:
    """Return verify.py, the file that checks what is published: ours, as it stands."""
    return Path(verifying.__file__).read_bytes()


def zip_report(files: Mapping[str, bytes]) -> bytes:
    """Return an archive of the files, the same bytes for the same files, with nothing above them."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _ZIP_MODE
            written.writestr(entry, content)
    return archive.getvalue()


@dataclass(frozen=True, slots=True)
class _Last:
    number: int
    checkpoint: int


def _find_last(session: Session, campaign_id: UUID) -> _Last | None:
    row = session.execute(
        select(Report.number, Checkpoint.number.label("checkpoint"))
        .join(Checkpoint, Checkpoint.id == Report.checkpoint_id)
        .where(Report.campaign_id == campaign_id)
        .order_by(Report.number.desc())
        .limit(1)
    ).first()
    return None if row is None else _Last(row.number, row.checkpoint)


def _list_ways(session: Session, campaign_id: UUID) -> list[list[dict[str, Any]]]:
    """Return the ways that earlier reports told, the oldest first."""
    return list(
        session.scalars(select(Report.figures["way"]).where(Report.campaign_id == campaign_id).order_by(Report.number))
    )


def _count_forms(session: Session, campaign_id: UUID) -> tuple[Checkpoint, list[Group], int]:
    """Return the latest checkpoint, the forms by how they stand, and how many were turned away.

    Counts and the checkpoint's number come from one statement, and so of one moment, whatever is confirmed or appended
    meanwhile. Raises NoCheckpointYet.
    """
    latest = select(func.max(Checkpoint.number)).where(Checkpoint.campaign_id == campaign_id).scalar_subquery()
    turned_away = select(TurnedAway.forms).where(TurnedAway.campaign_id == campaign_id).scalar_subquery()
    grouped = (Signature.state, Signature.standing, Signature.is_logged)
    rows = session.execute(
        select(*grouped, func.count().label("forms"), latest.label("checkpoint"), turned_away.label("turned_away"))
        .where(Signature.campaign_id == campaign_id)
        .group_by(*grouped)
    ).all()
    if not rows or rows[0].checkpoint is None:
        raise NoCheckpointYet
    checkpoint = session.scalars(
        select(Checkpoint).where(Checkpoint.campaign_id == campaign_id, Checkpoint.number == rows[0].checkpoint)
    ).one()
    groups = [Group(row.state, row.standing, row.is_logged, row.forms) for row in rows]
    return checkpoint, groups, rows[0].turned_away or 0


def _tell_checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "number": checkpoint.number,
        "made_at": as_text(checkpoint.made_at),
        "signed_size": checkpoint.signed_size,
        "removed_size": checkpoint.removed_size,
        "signed_root": _root_of(checkpoint.signed_note),
        "removed_root": _root_of(checkpoint.removed_note),
    }


def _root_of(note: str) -> str:
    """Return the root of a tree as its checkpoint has it: the third line."""
    return note.split("\n", 3)[2]


def _tell_campaign(found: CampaignFound, campaign: Campaign, base_url: str) -> dict[str, Any]:
    sponsor = found.sponsor
    return {
        "slug": found.slug,
        "kind": found.kind,
        "reference": found.reference,
        "source_locale": found.source_locale,
        "titles": {locale: text.title for locale, text in found.texts.items()},
        "organiser": found.organiser_name,
        "opens_at": _as_text(found.opens_at),
        "closes_at": _as_text(found.closes_at),
        "state": found.state,
        "timezone": found.timezone,
        "url": f"{base_url}/c/{found.slug}",
        "addressees": [{"names": dict(each.names), "country": each.country} for each in found.addressees],
        "sponsor": None
        if sponsor is None
        else {
            "name": sponsor.name,
            "titles": dict(sponsor.titles),
            "district": sponsor.district,
            "party": sponsor.party,
        },
        "official": _tell_official(campaign),
        "eligibility": {locale: who_can_sign(found.rule, locale) for locale in LOCALES},
    }


def _tell_official(campaign: Campaign) -> dict[str, Any] | None:
    """Return the number of the House of Commons' own e-petition with what its site counted, where there is one."""
    page = official_page(campaign.reference)
    if page is None:
        return None
    counted_on = campaign.official_counted_on
    return {
        "number": campaign.reference,
        "url": page,
        "signatures": campaign.official_signatures,
        "counted_on": None if counted_on is None else counted_on.isoformat(),
    }


def _tell_threshold(threshold: Threshold) -> dict[str, Any]:
    return {
        "signatures": threshold.signatures,
        "labels": dict(threshold.labels),
        "reached_at": _as_text(threshold.reached_at),
        "fell_below_at": _as_text(threshold.fell_below_at),
        "regained_at": _as_text(threshold.regained_at),
    }


def _tell_editions(editions: Sequence[Edition], verified: int) -> list[dict[str, Any]]:
    # Of several editions, how many stand under each could tell of one person by subtraction: the snapshot's business.
    return [
        {
            "number": edition.number,
            "hash": edition.hash,
            "created_at": as_text(edition.created_at),
            "locales": sorted(edition.texts),
            "signatures": verified if len(editions) == 1 else None,
        }
        for edition in editions
    ]


def _tell_breakdown(found: Breakdown | None) -> dict[str, Any] | None:
    """Return the snapshot as figures have it, each list adding up to its total."""
    if found is None:
        return None
    total = found.signatures
    provinces: dict[str | None, int] = {
        cell.subdivision: cell.signatures for cell in found.cells if cell.subdivision is not None
    }
    countries: dict[str | None, int] = {}
    for cell in found.cells:
        countries[cell.country] = countries.get(cell.country, 0) + cell.signatures
    return {
        "snapshot": found.number,
        "taken_at": as_text(found.taken_at),
        "signatures": total,
        "ProvinceSignatures": _tell_places("Province", {**provinces, None: total - sum(provinces.values())}),
        "CountrySignatures": _tell_places("Country", countries),
        "LanguageSignatures": [
            {"Language": each.value, "Name": name_language(each.value), "SignatureCount": each.signatures}
            for each in _shares_of(found, "language")
        ],
        "DaySignatures": [{"Day": each.value, "SignatureCount": each.signatures} for each in _shares_of(found, "day")],
        "DistrictSignatures": [_tell_district(each, found.districts) for each in found.margins["district"]],
    }


def _shares_of(found: Breakdown, name: str) -> Sequence[Share]:
    """Return the shares of a margin; where a snapshot has none, that nothing is told apart."""
    return found.margins[name] or (Share(None, found.signatures),)


def _tell_district(share: Share, districts: Mapping[str, DistrictName]) -> dict[str, Any]:
    known = None if share.value is None else districts.get(share.value)
    # Khmer has no names of districts; and of a district that no list has any more, the code is left.
    names = dict.fromkeys(LOCALES, share.value) if known is None else {**known.names, "km": known.names["en"]}
    return {
        "District": share.value,
        "Name": name_merged() if share.value is None else names,
        "Province": None if known is None else known.province,
        "SignatureCount": share.signatures,
    }


def _tell_places(kind: str, numbers: Mapping[str | None, int]) -> list[dict[str, Any]]:
    """Return places, the largest first and what is merged last; nothing is said of a place without signatures."""
    order = sorted(numbers.items(), key=lambda place: (place[0] is None, -place[1], place[0] or ""))
    return [{kind: code, "Name": name_place(code), "SignatureCount": number} for code, number in order if number]


def _as_text(moment: datetime | None) -> str | None:
    return None if moment is None else as_text(moment)
