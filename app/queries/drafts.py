"""Drafts as the editor, the pre-flight and the export read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from app.models import Account, Campaign, PartRevision, TextItem, TextPart, open_account_key, open_account_name
from app.rules.differences import Piece, compare_words
from app.rules.drafts import Board, Box, DraftPart, arrange_board, is_behind, put_together

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.texts import CampaignText


def list_draft_parts(session: Session, *, campaign_id: UUID) -> list[DraftPart]:
    """Return every box of a draft that was ever written in, in the order of reading; removed items are left out."""
    rows = session.execute(
        select(TextPart, TextItem.kind, TextItem.position)
        .outerjoin(TextItem, TextItem.id == TextPart.item_id)
        .where(TextPart.campaign_id == campaign_id, TextItem.removed_at.is_(None))
        .order_by(TextItem.kind, TextItem.position, TextPart.name, TextPart.locale)
    )
    return [
        DraftPart(
            row.TextPart.name, row.TextPart.locale, row.TextPart.text, row.kind, row.position, row.TextPart.item_id
        )
        for row in rows
    ]


def find_draft(session: Session, *, campaign_id: UUID, is_frozen: bool = False) -> dict[str, CampaignText]:
    """Return a campaign's draft by locale, as `put_together` reads it."""
    return put_together(list_draft_parts(session, campaign_id=campaign_id), is_frozen=is_frozen)


def find_draft_titles(session: Session, *, campaign_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    """Return the titles of drafts by campaign and locale, of those that are written."""
    titles: dict[UUID, dict[str, str]] = {}
    for row in session.execute(
        select(TextPart.campaign_id, TextPart.locale, TextPart.text).where(
            TextPart.campaign_id.in_(campaign_ids), TextPart.name == "title", TextPart.text != ""
        )
    ):
        titles.setdefault(row.campaign_id, {})[row.locale] = row.text
    return titles


def find_board(session: Session, *, campaign_id: UUID, keyring: Keyring) -> Board:
    """Return a draft as the editor shows it."""
    campaign = session.execute(select(Campaign.kind, Campaign.source_locale).where(Campaign.id == campaign_id)).one()
    items = session.execute(
        select(TextItem.id, TextItem.kind, TextItem.removed_at)
        .where(TextItem.campaign_id == campaign_id)
        .order_by(TextItem.kind, TextItem.position, TextItem.id)
    ).all()
    source, then = aliased(TextPart), aliased(PartRevision)
    rows = session.execute(
        select(
            TextPart,
            source.version.label("source_version"),
            source.text.label("source_text"),
            then.text.label("source_was"),
        )
        .outerjoin(
            source,
            and_(
                source.campaign_id == TextPart.campaign_id,
                source.item_id.is_not_distinct_from(TextPart.item_id),
                source.name == TextPart.name,
                source.locale == campaign.source_locale,
                TextPart.locale != campaign.source_locale,
            ),
        )
        .outerjoin(
            then,
            and_(then.part_id == source.id, then.version == TextPart.source_version, then.is_set_aside.is_(False)),
        )
        .where(TextPart.campaign_id == campaign_id)
    ).all()
    names = _names_of(session, {row.TextPart.changed_by for row in rows}, keyring)
    boxes = []
    for row in rows:
        part = row.TextPart
        late = is_behind(row.source_version, part.source_version, is_ready=part.is_ready)
        changes = compare_words(row.source_was or "", row.source_text) if late else ()
        boxes.append(_box(part, names, is_behind=late, source_changes=changes))
    return arrange_board(
        campaign.kind,
        boxes,
        [(item.id, item.kind) for item in items if item.removed_at is None],
        [(item.id, item.kind) for item in items if item.removed_at is not None],
    )


def _box(part: TextPart, names: dict[UUID | None, str], *, is_behind: bool, source_changes: tuple[Piece, ...]) -> Box:
    return Box(
        name=part.name,
        locale=part.locale,
        text=part.text,
        is_ready=part.is_ready,
        version=part.version,
        part_id=part.id,
        item_id=part.item_id,
        is_behind=is_behind,
        source_changes=source_changes,
        changed_at=part.changed_at,
        changed_by=names.get(part.changed_by),
    )


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a box; ``pieces`` say what changed since the version before it."""

    id: UUID
    version: int
    text: str
    is_set_aside: bool
    is_current: bool
    at: datetime
    by: str | None
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class History:
    """A box and what was written in it, newest first; ``before`` is the version that the next page begins before."""

    name: str
    locale: str
    item_id: UUID | None
    number: int | None
    version: int
    revisions: tuple[Revision, ...]
    before: int | None


#: Somebody who writes on is saved every few seconds; the history shows what such a sitting came to.
SITTING: Final = timedelta(minutes=10)
#: Versions on one page of a history.
PAGE_OF_HISTORY: Final = 25


def find_history(
    session: Session,
    *,
    campaign_id: UUID,
    part_id: UUID,
    keyring: Keyring,
    before: int | None = None,
    is_whole: bool = False,
) -> History | None:
    """Return a page of the history of a box, or None where this campaign has none of that id.

    Of versions that one person saved one soon after the other only the last is shown, unless it ``is_whole``. What was
    set aside is always there, above the version that stood in its way.
    """
    row = session.execute(
        select(TextPart, TextItem.position)
        .outerjoin(TextItem, TextItem.id == TextPart.item_id)
        .where(TextPart.id == part_id, TextPart.campaign_id == campaign_id)
    ).first()
    if row is None:
        return None
    part = row.TextPart
    versions = _list_versions(session, part_id, before, is_whole=is_whole)
    shown, older = versions[:PAGE_OF_HISTORY], versions[PAGE_OF_HISTORY : PAGE_OF_HISTORY + 1]
    lowest = shown[-1] if shown else 0
    is_on_page = PartRevision.version.in_(shown) | (
        PartRevision.is_set_aside & PartRevision.version.between(lowest, (before or _NEVER) - 1)
    )
    kept = session.scalars(
        select(PartRevision)
        .where(PartRevision.part_id == part_id, is_on_page)
        .order_by(PartRevision.version.desc(), PartRevision.is_set_aside.desc(), PartRevision.at.desc())
    ).all()
    names = _names_of(session, {each.account_id for each in kept}, keyring)
    compared = dict(zip(shown, [*shown[1:], *older], strict=False))
    texts = _find_texts(session, part_id, {each.version for each in kept} | set(older))
    revisions = [
        Revision(
            id=each.id,
            version=each.version,
            text=each.text,
            is_set_aside=each.is_set_aside,
            is_current=not each.is_set_aside and each.version == part.version,
            at=each.at,
            by=names.get(each.account_id),
            pieces=compare_words(
                texts.get(each.version if each.is_set_aside else compared.get(each.version, 0), ""), each.text
            ),
        )
        for each in kept
    ]
    number = None if row.position is None else row.position + 1
    return History(
        part.name, part.locale, part.item_id, number, part.version, tuple(revisions), lowest if older else None
    )


_NEVER: Final = 2**31 - 1


def _list_versions(session: Session, part_id: UUID, before: int | None, *, is_whole: bool) -> list[int]:
    """Return the versions that a history shows, newest first."""
    rows = session.execute(
        select(PartRevision.version, PartRevision.at, PartRevision.account_id)
        .where(PartRevision.part_id == part_id, PartRevision.is_set_aside.is_(False))
        .order_by(PartRevision.version.desc())
    ).all()
    shown: list[int] = []
    later: Row[int, datetime, UUID | None] | None = None
    for row in rows:
        is_passing = later is not None and row.account_id == later.account_id and later.at - row.at < SITTING
        # The first of all is where somebody began: it may be what was imported.
        if is_whole or not is_passing or row is rows[-1]:
            shown.append(row.version)
        later = row
    return [version for version in shown if before is None or version < before]


def _find_texts(session: Session, part_id: UUID, versions: set[int]) -> dict[int, str]:
    rows = session.execute(
        select(PartRevision.version, PartRevision.text).where(
            PartRevision.part_id == part_id, PartRevision.version.in_(versions), PartRevision.is_set_aside.is_(False)
        )
    )
    return {row.version: row.text for row in rows}


def find_account_name(session: Session, *, account_id: UUID | None, keyring: Keyring) -> str | None:
    """Return what somebody is called by the team, or None for nobody and for somebody without a name."""
    return _names_of(session, {account_id}, keyring).get(account_id)


def _names_of(session: Session, ids: set[UUID | None], keyring: Keyring) -> dict[UUID | None, str]:
    key = open_account_key(session, keyring=keyring)
    accounts = session.execute(select(Account.id, Account.name).where(Account.id.in_([each for each in ids if each])))
    return {row.id: name for row in accounts if (name := open_account_name(key, row.id, row.name)) is not None}
