"""Drafts: written box by box, side by side; and a frozen copy of them becomes an edition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Campaign, Edition, Endorsement, PartRevision, TextItem, TextPart
from app.rules.campaign_file import MAX_LIST
from app.rules.drafts import LISTS, SINGLE_PARTS, WRITABLE_STATES, take_apart
from app.rules.texts import edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.texts import CampaignText


def write_draft(
    session: Session,
    *,
    campaign_id: UUID,
    texts: Mapping[str, CampaignText],
    now: datetime,
    account_id: UUID | None = None,
    is_ready: bool = True,
) -> None:
    """Fill the boxes of a campaign that has none yet."""
    items: dict[tuple[str, int], UUID] = {}
    for part in take_apart(texts):
        item_id = None
        if part.kind is not None and part.position is not None:
            item_id = items.get((part.kind, part.position))
            if item_id is None:
                item_id = items[part.kind, part.position] = uuid4()
                session.execute(
                    insert(TextItem),
                    {"id": item_id, "campaign_id": campaign_id, "kind": part.kind, "position": part.position},
                )
        part_id = uuid4()
        session.execute(
            insert(TextPart),
            {
                "id": part_id,
                "campaign_id": campaign_id,
                "item_id": item_id,
                "name": part.name,
                "locale": part.locale,
                "text": part.text,
                "is_ready": is_ready,
                "version": 1,
                "source_version": 1,
                "changed_at": now,
                "changed_by": account_id,
            },
        )
        session.execute(
            insert(PartRevision),
            {
                "id": uuid4(),
                "part_id": part_id,
                "version": 1,
                "text": part.text,
                "is_ready": is_ready,
                "is_set_aside": False,
                "at": now,
                "account_id": account_id,
            },
        )


def freeze_edition(
    session: Session,
    *,
    campaign_id: UUID,
    texts: Mapping[str, CampaignText],
    now: datetime,
    account_id: UUID | None = None,
    is_substantive: bool = False,
    note: Mapping[str, str] | None = None,
) -> UUID:
    """Make ``texts`` the campaign's next edition, the current one from now on, and return its id."""
    current = session.execute(
        select(Edition.id, Edition.number)
        .where(Edition.campaign_id == campaign_id)
        .order_by(Edition.number.desc())
        .limit(1)
    ).first()
    if current is not None:
        session.execute(update(Edition).where(Edition.id == current.id).values(superseded_at=now))
    edition_id = uuid4()
    session.execute(
        insert(Edition),
        {
            "id": edition_id,
            "campaign_id": campaign_id,
            "number": 1 if current is None else current.number + 1,
            "texts": {locale: text.as_data() for locale, text in texts.items()},
            "hash": edition_hash(texts),
            "created_at": now,
            "is_substantive": is_substantive,
            "note": dict(note or {}),
            "created_by": account_id,
        },
    )
    # What was signed before there was any edition is bound to the first.
    session.execute(
        update(Endorsement)
        .where(Endorsement.campaign_id == campaign_id, Endorsement.edition_id.is_(None))
        .values(edition_id=edition_id)
    )
    return edition_id


# Writing


class TextLocked(Exception):
    """The text cannot be written in now; the message is the campaign's state."""


class BoxNotFound(Exception):
    """The campaign has no such box, or its item was removed."""


class ListFull(Exception):
    """The list has as many items as a campaign file takes; the message is its kind."""


@dataclass(frozen=True, slots=True)
class BoxName:
    """Which box: a part that a text has once, or one of an item of a list; in a language."""

    name: str
    locale: str
    item_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A box says what was written. ``version`` is what the next save has to name; 0 while it is empty and untouched."""

    version: int
    part_id: UUID | None
    is_ready: bool


@dataclass(frozen=True, slots=True)
class Conflict:
    """Somebody was faster: what the box says now. The words that were written are kept, set aside, in its history."""

    version: int
    part_id: UUID
    text: str
    is_ready: bool
    changed_at: datetime
    changed_by: UUID | None


def save_box(
    session: Session,
    *,
    campaign_id: UUID,
    box: BoxName,
    text: str,
    is_ready: bool,
    shown_version: int,
    account_id: UUID,
    now: datetime,
    is_reviewed: bool = False,
    source_seen: int | None = None,
) -> Saved | Conflict:
    """Write in a box, unless somebody has since the version that was shown. Raises TextLocked, BoxNotFound.

    A conflict is an answer and no exception: what was written is kept with it. ``is_reviewed`` says that a translation
    is still right although its source has changed; ``source_seen`` is the version of the source that its writer had
    before them, None for the newest. An empty box is never ready.
    """
    _check_writable(session, campaign_id)
    _check_box(session, campaign_id, box)
    is_ready = is_ready and bool(text.strip())
    part = _find_part(session, campaign_id, box)
    if part is None:
        if not text:
            return Saved(0, None, is_ready=False)
        part_id = _insert_part(session, campaign_id, box, text, is_ready=is_ready, account_id=account_id, now=now)
        if part_id is not None:
            _note_source(session, campaign_id, box, part_id, is_wanted=is_ready, seen=source_seen)
            return Saved(1, part_id, is_ready)
        part = _find_part(session, campaign_id, box)
        assert part is not None  # noqa: S101 - somebody was faster, and it is there
    if part.text == text:
        return _save_state(
            session,
            campaign_id,
            box,
            part,
            is_ready=is_ready,
            is_reviewed=is_reviewed,
            shown=shown_version,
            source_seen=source_seen,
        )
    changed = session.scalar(
        update(TextPart)
        .where(TextPart.id == part.id, TextPart.version == shown_version)
        .values(text=text, is_ready=is_ready, version=TextPart.version + 1, changed_at=now, changed_by=account_id)
        .returning(TextPart.version)
    )
    if changed is None:
        _set_aside(session, part, text, account_id, now)
        return Conflict(part.version, part.id, part.text, part.is_ready, part.changed_at, part.changed_by)
    _add_revision(session, part.id, changed, text, is_ready=is_ready, account_id=account_id, now=now)
    _note_source(session, campaign_id, box, part.id, is_wanted=is_ready or is_reviewed, seen=source_seen)
    return Saved(changed, part.id, is_ready)


def restore_revision(
    session: Session,
    *,
    campaign_id: UUID,
    part_id: UUID,
    revision_id: UUID,
    shown_version: int,
    account_id: UUID,
    now: datetime,
) -> Saved | Conflict:
    """Make an older version of a box, or one that was set aside, the newest. Raises TextLocked, BoxNotFound."""
    row = session.execute(
        select(TextPart, PartRevision.text)
        .join(PartRevision, PartRevision.part_id == TextPart.id)
        .where(PartRevision.id == revision_id, TextPart.id == part_id, TextPart.campaign_id == campaign_id)
    ).first()
    if row is None:
        raise BoxNotFound
    part = row.TextPart
    return save_box(
        session,
        campaign_id=campaign_id,
        box=BoxName(part.name, part.locale, part.item_id),
        text=row.text,
        is_ready=False,
        shown_version=shown_version,
        account_id=account_id,
        now=now,
    )


def add_item(session: Session, *, campaign_id: UUID, item_id: UUID, kind: str, account_id: UUID, now: datetime) -> None:
    """Add an empty item at the end of its list, once for each ``item_id``. Raises TextLocked, BoxNotFound, ListFull."""
    if kind not in LISTS:
        raise BoxNotFound
    _check_writable(session, campaign_id, is_arranging=True)
    position = session.scalar(
        select(func.coalesce(func.max(TextItem.position), -1) + 1).where(
            TextItem.campaign_id == campaign_id, TextItem.kind == kind
        )
    )
    added = session.execute(
        insert_if_absent(cast("Table", TextItem.__table__), dialect_of(session)).returning(TextItem.id),
        {"id": item_id, "campaign_id": campaign_id, "kind": kind, "position": position},
    ).first()
    if added is None:
        return  # the back button, or a second press
    _check_room(session, campaign_id, kind)
    record(session, what="item_added", now=now, account_id=account_id, campaign_id=campaign_id, details={"kind": kind})


def move_item(session: Session, *, campaign_id: UUID, item_id: UUID, step: int) -> None:
    """Move an item one place up (-1) or down (+1); at the end of the list nothing moves.

    Raises TextLocked, BoxNotFound.
    """
    _check_writable(session, campaign_id, is_arranging=True)
    item = _get_item(session, campaign_id, item_id)
    order = list(
        session.scalars(
            select(TextItem.id)
            .where(TextItem.campaign_id == campaign_id, TextItem.kind == item.kind, TextItem.removed_at.is_(None))
            .order_by(TextItem.position, TextItem.id)
        )
    )
    place = order.index(item_id)
    other = min(max(place + step, 0), len(order) - 1)
    order[place], order[other] = order[other], order[place]
    for position, each in enumerate(order):
        session.execute(update(TextItem).where(TextItem.id == each).values(position=position))


def remove_item(session: Session, *, campaign_id: UUID, item_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take an item out of its list, in all languages; it can be brought back. Raises TextLocked, BoxNotFound."""
    _check_writable(session, campaign_id, is_arranging=True)
    item = _get_item(session, campaign_id, item_id)
    session.execute(update(TextItem).where(TextItem.id == item_id).values(removed_at=now))
    details = {"kind": item.kind}
    record(session, what="item_removed", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def bring_back_item(session: Session, *, campaign_id: UUID, item_id: UUID, account_id: UUID, now: datetime) -> None:
    """Put a removed item at the end of its list, once. Raises as `add_item`."""
    _check_writable(session, campaign_id, is_arranging=True)
    item = session.scalars(select(TextItem).where(TextItem.id == item_id, TextItem.campaign_id == campaign_id)).first()
    if item is None:
        raise BoxNotFound
    last = select(func.max(TextItem.position) + 1).where(
        TextItem.campaign_id == campaign_id, TextItem.kind == item.kind
    )
    brought_back = session.scalar(
        update(TextItem)
        .where(TextItem.id == item_id, TextItem.removed_at.is_not(None))
        .values(removed_at=None, position=last.scalar_subquery())
        .returning(TextItem.id)
    )
    if brought_back is None:
        return  # it is there already
    _check_room(session, campaign_id, item.kind)
    details = {"kind": item.kind}
    record(session, what="item_restored", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def _check_writable(session: Session, campaign_id: UUID, *, is_arranging: bool = False) -> None:
    """See that the text may be written in, and hold the campaign: a move waits, and so do others who arrange."""
    # Many may write side by side, so those share the lock; whoever arranges a list has it alone. Neither holds up
    # signing, which only needs the campaign to exist.
    state = session.scalars(
        select(Campaign.state)
        .where(Campaign.id == campaign_id)
        .with_for_update(read=not is_arranging, key_share=is_arranging)
    ).one()
    if state not in WRITABLE_STATES:
        raise TextLocked(state)


def _check_room(session: Session, campaign_id: UUID, kind: str) -> None:
    length = session.scalars(
        select(func.count()).where(
            TextItem.campaign_id == campaign_id, TextItem.kind == kind, TextItem.removed_at.is_(None)
        )
    ).one()
    if length > MAX_LIST:
        raise ListFull(kind)


def _check_box(session: Session, campaign_id: UUID, box: BoxName) -> None:
    if box.item_id is None:
        if box.name not in SINGLE_PARTS:
            raise BoxNotFound
        return
    item = _get_item(session, campaign_id, box.item_id)
    if box.name not in LISTS[item.kind][1]:
        raise BoxNotFound


def _get_item(session: Session, campaign_id: UUID, item_id: UUID) -> TextItem:
    item = session.scalars(
        select(TextItem).where(
            TextItem.id == item_id, TextItem.campaign_id == campaign_id, TextItem.removed_at.is_(None)
        )
    ).first()
    if item is None:
        raise BoxNotFound
    return item


def _find_part(session: Session, campaign_id: UUID, box: BoxName) -> TextPart | None:
    # Read anew each time: whoever was faster may have changed it since.
    return session.scalars(
        select(TextPart)
        .where(
            TextPart.campaign_id == campaign_id,
            TextPart.item_id.is_(None) if box.item_id is None else TextPart.item_id == box.item_id,
            TextPart.name == box.name,
            TextPart.locale == box.locale,
        )
        .execution_options(populate_existing=True)
        .with_for_update()
    ).first()


def _insert_part(
    session: Session, campaign_id: UUID, box: BoxName, text: str, *, is_ready: bool, account_id: UUID, now: datetime
) -> UUID | None:
    """Write in a box for the first time; None where somebody was faster."""
    part_id = uuid4()
    inserted = session.execute(
        insert_if_absent(cast("Table", TextPart.__table__), dialect_of(session)).returning(TextPart.id),
        {
            "id": part_id,
            "campaign_id": campaign_id,
            "item_id": box.item_id,
            "name": box.name,
            "locale": box.locale,
            "text": text,
            "is_ready": is_ready,
            "version": 1,
            "changed_at": now,
            "changed_by": account_id,
        },
    ).first()
    if inserted is None:
        return None
    _add_revision(session, part_id, 1, text, is_ready=is_ready, account_id=account_id, now=now)
    return part_id


def _save_state(
    session: Session,
    campaign_id: UUID,
    box: BoxName,
    part: TextPart,
    *,
    is_ready: bool,
    is_reviewed: bool,
    shown: int,
    source_seen: int | None,
) -> Saved:
    """Keep whether a box is ready, its words being the same. That is no new version: nobody's words are at stake."""
    if part.is_ready != is_ready and part.version == shown:
        session.execute(update(TextPart).where(TextPart.id == part.id).values(is_ready=is_ready))
        _note_source(session, campaign_id, box, part.id, is_wanted=is_ready, seen=source_seen)
        return Saved(part.version, part.id, is_ready)
    _note_source(session, campaign_id, box, part.id, is_wanted=is_reviewed, seen=source_seen)
    return Saved(part.version, part.id, part.is_ready)


def _note_source(
    session: Session, campaign_id: UUID, box: BoxName, part_id: UUID, *, is_wanted: bool, seen: int | None
) -> None:
    """Note against which version of the source language a translation was made ready: the one that its writer saw."""
    if not is_wanted:
        return
    source_locale = session.scalars(select(Campaign.source_locale).where(Campaign.id == campaign_id)).one()
    newest = session.scalar(
        select(TextPart.version).where(
            TextPart.campaign_id == campaign_id,
            TextPart.item_id.is_(None) if box.item_id is None else TextPart.item_id == box.item_id,
            TextPart.name == box.name,
            TextPart.locale == source_locale,
        )
    )
    version = newest if newest is None or seen is None or box.locale == source_locale else min(seen, newest)
    session.execute(update(TextPart).where(TextPart.id == part_id).values(source_version=version))


def _add_revision(
    session: Session, part_id: UUID, version: int, text: str, *, is_ready: bool, account_id: UUID, now: datetime
) -> None:
    session.execute(
        insert(PartRevision),
        {
            "id": uuid4(),
            "part_id": part_id,
            "version": version,
            "text": text,
            "is_ready": is_ready,
            "is_set_aside": False,
            "at": now,
            "account_id": account_id,
        },
    )


def _set_aside(session: Session, part: TextPart, text: str, account_id: UUID, now: datetime) -> None:
    """Keep words that lost a race, once; an emptied box says nothing that could be lost."""
    known = session.scalar(
        select(PartRevision.id).where(
            PartRevision.part_id == part.id, PartRevision.text == text, PartRevision.account_id == account_id
        )
    )
    if known is not None or not text:
        return
    session.execute(
        insert(PartRevision),
        {
            "id": uuid4(),
            "part_id": part.id,
            "version": part.version,
            "text": text,
            "is_ready": False,
            "is_set_aside": True,
            "at": now,
            "account_id": account_id,
        },
    )
