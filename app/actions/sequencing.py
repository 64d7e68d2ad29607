"""The sequencer: what came into the count, and went out of it, becomes leaves of the transparency log.

What waits is a difference between rows and log, not a queue: ``is_logged`` moves under a guard in the transaction that
appends the leaves and signs the checkpoint, so that *signed leaves − removed leaves = rows logged* after each.

**When.** A tree takes all that waits for it once that is twenty, or, at 00, 06, 12 and 18 o'clock (UTC), what waited
before. Whoever gets hold of a receipt learns that its leaf came between two checkpoints. Among twenty that says little
of a moment, and over six hours it says little of a person's day; so fewer than twenty are appended only where at least
six hours lie between their boundary and the last batch of the same tree, or the opening. Without this, one who signs a
second after a batch and a second before a boundary would be dated to these two seconds. Each tree is judged by itself:
a lone signature does not hide among twenty removals. So nobody waits for longer than twelve hours. Twenty leaves are
not twenty strangers: who sends nineteen forms of their own dates the twentieth leaf, and still knows not whose it is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import exists, func, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from app.core.db import dialect_of, insert_if_absent
from app.models import (
    Campaign,
    Checkpoint,
    Edition,
    LogLeaf,
    LogTile,
    LogTree,
    Signature,
    open_campaign_key,
)
from app.models.signatures import LOG_WAITS
from app.models.transparency import TREES
from app.proofs.merkle import ENTRIES, TILE_HEIGHT, TILE_WIDTH, compute_root, grow
from app.proofs.notes import write_checkpoint
from app.proofs.verifying import commit
from app.queries.log import list_signers, name_origin, read_tiles, write_opening

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row, Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.proofs.merkle import ReadTile

#: So many leaves say nothing of a moment.
BATCH: Final = 20
#: Fewer are appended at these boundaries of the day (UTC), and so long after the last batch at least.
PERIOD: Final = timedelta(hours=6)
#: Rows that one transaction looks at: on SQLite everybody who signs waits meanwhile.
CHUNK: Final = 250
#: Of so many that wait, twenty wait for one of both trees.
LOOK: Final = 2 * BATCH - 1
SALT_BYTES: Final = 32

_tiles: Table = cast("Table", LogTile.__table__)


@dataclass(frozen=True, slots=True)
class Appended:
    """How many leaves a batch has; ``is_more``, that at least as much again may wait."""

    signed: int
    removed: int
    is_more: bool


def list_logs_to_append(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns of whose log a tree is to take something now."""
    waits = exists().where(Signature.campaign_id == Campaign.id, LOG_WAITS)
    due = []
    for campaign_id in session.scalars(select(Campaign.id).where(waits)).all():
        rows = session.execute(_waiting(campaign_id).limit(LOOK)).all()
        taken_until = _begin(session, campaign_id)
        taken_until |= {each.tree: each.appended_at for each in session.execute(_trees(campaign_id))}
        if any(_choose(rows, tree, taken_until[tree], now)[0] for tree in TREES):
            due.append(campaign_id)
    return due


def append_batch(session: Session, *, campaign_id: UUID, keyring: Keyring, host: str, now: datetime) -> Appended:
    """Append what is due, shuffled, and sign a checkpoint; ``host`` is whose log it is, an address without its scheme.

    Whoever appends holds the rows of both trees, so that two take turns. Rows that somebody is changing in this moment
    are left for the next batch: nobody who withdraws waits for a batch, nor a batch for them.
    """
    trees = _lock_trees(session, campaign_id)
    rows = session.execute(_waiting(campaign_id).limit(CHUNK).with_for_update(skip_locked=True, key_share=True)).all()
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    sizes, added = {tree: row.size for tree, row in trees.items()}, dict.fromkeys(TREES, 0)
    log = _Log(session, campaign_id, key)
    for tree in TREES:
        chosen, until = _choose(rows, tree, trees[tree].appended_at, now)
        moved = _move(session, chosen, tree)
        if moved:
            log.append(tree, moved, size=sizes[tree], until=until)
            added[tree] = len(moved)
            sizes[tree] += len(moved)
    if any(added.values()):
        log.sign(sizes, keyring=keyring, host=host, now=now)
    return Appended(**added, is_more=len(rows) == CHUNK)


def _waiting(campaign_id: UUID) -> Any:  # noqa: ANN401 - a statement over nine columns
    return (
        select(
            Signature.id,
            Signature.is_logged,
            Signature.edition_id,
            Signature.locale,
            Signature.confirmed_at,
            Signature.ended_at,
            Signature.judged_at,
        )
        .where(Signature.campaign_id == campaign_id, LOG_WAITS)
        .order_by(Signature.id)
    )


def _choose(
    rows: Sequence[Row[Any]], tree: str, taken_until: datetime, now: datetime
) -> tuple[list[Row[Any]], datetime]:
    """Return which rows a tree takes now, and until which moment it has then taken what came."""
    waiting = [row for row in rows if row.is_logged == (tree == "removed")]
    if len(waiting) >= BATCH:
        return waiting, now
    boundary = find_boundary(now)
    if taken_until > boundary - PERIOD:
        return [], taken_until
    return [row for row in waiting if _waits_since(row) < boundary], boundary


def find_boundary(now: datetime) -> datetime:
    """Return the last of 00, 06, 12 and 18 o'clock (UTC)."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (now - midnight) // PERIOD * PERIOD


def _waits_since(row: Row[Any]) -> datetime:
    """Return when something last happened to a row, and so since when it waits at the latest."""
    moments: list[datetime | None] = [row.confirmed_at, row.ended_at, row.judged_at]
    return max(moment for moment in moments if moment is not None)


def _move(session: Session, rows: Sequence[Row[Any]], tree: str) -> list[Row[Any]]:
    """Set ``is_logged`` of rows that still wait for this tree, and return these."""
    if not rows:
        return []
    is_logged = tree == "signed"
    moved = set(
        session.scalars(
            update(Signature)
            .where(Signature.id.in_([row.id for row in rows]), Signature.is_logged.is_not(is_logged), LOG_WAITS)
            .values(is_logged=is_logged)
            .returning(Signature.id)
        )
    )
    return [row for row in rows if row.id in moved]


def _trees(campaign_id: UUID) -> Any:  # noqa: ANN401 - a statement over three columns
    return (
        select(LogTree.tree, LogTree.size, LogTree.appended_at)
        .where(LogTree.campaign_id == campaign_id)
        .order_by(LogTree.tree)
    )


def _begin(session: Session, campaign_id: UUID) -> dict[str, datetime]:
    """Return since when there has been something to take, for trees that have taken nothing yet."""
    campaign = session.execute(select(Campaign.opens_at, Campaign.created_at).where(Campaign.id == campaign_id)).one()
    # One that is brought in a file may have opened, by its own account, years before anybody could sign it here.
    return dict.fromkeys(TREES, max(campaign.opens_at or campaign.created_at, campaign.created_at))


def _lock_trees(session: Session, campaign_id: UUID) -> dict[str, Row[Any]]:
    statement = _trees(campaign_id).with_for_update()
    rows = session.execute(statement).all()
    if len(rows) < len(TREES):
        began = _begin(session, campaign_id)
        session.execute(
            insert_if_absent(cast("Table", LogTree.__table__), dialect_of(session)),
            [{"campaign_id": campaign_id, "tree": tree, "size": 0, "appended_at": began[tree]} for tree in TREES],
        )
        rows = session.execute(statement).all()
    return {row.tree: row for row in rows}


class _Log:
    """Both trees of a campaign while a batch is appended."""

    def __init__(self, session: Session, campaign_id: UUID, key: DataKey | None) -> None:
        self._session, self._campaign_id, self._key = session, campaign_id, key
        self._slug = session.scalars(select(Campaign.slug).where(Campaign.id == campaign_id)).one()
        self._read = {tree: read_tiles(session, campaign_id=campaign_id, tree=tree) for tree in TREES}
        self._grown: dict[str, dict[tuple[int, int], bytes]] = {tree: {} for tree in TREES}

    def append(self, tree: str, rows: list[Row[Any]], *, size: int, until: datetime) -> None:
        """Append a leaf for each row, in no order that anybody could know."""
        SystemRandom().shuffle(rows)
        hashes = self._find_editions({row.edition_id for row in rows})
        kept = self._list_kept(rows, tree)
        entries, leaves = [], []
        for position, row in enumerate(rows, size):
            salt = secrets.token_bytes(SALT_BYTES)
            opening = write_opening(
                campaign=self._slug, edition=hashes[row.edition_id], locale=row.locale, signature_id=row.id, tree=tree
            )
            entries.append(commit(salt, opening))
            leaves.append(self._leaf(tree, position, row.id if row.id in kept else None, salt))
        self._session.execute(insert(LogLeaf), leaves)
        self._keep_tiles(tree, size, entries)
        self._session.execute(
            update(LogTree)
            .where(LogTree.campaign_id == self._campaign_id, LogTree.tree == tree)
            .values(size=size + len(rows), appended_at=until)
        )

    def sign(self, sizes: dict[str, int], *, keyring: Keyring, host: str, now: datetime) -> None:
        """Sign where both trees stand."""
        notes, signers = {}, list_signers(keyring, host=host)
        for tree in TREES:
            root = compute_root(self._reader(tree), sizes[tree])
            notes[tree] = write_checkpoint(name_origin(host, self._slug, tree), sizes[tree], root, signers)
        last = select(func.max(Checkpoint.number)).where(Checkpoint.campaign_id == self._campaign_id)
        checkpoint = {
            "id": uuid4(),
            "campaign_id": self._campaign_id,
            "number": (self._session.scalar(last) or 0) + 1,
            "made_at": now,
            "signatures": sizes["signed"] - sizes["removed"],
        }
        for tree in TREES:
            checkpoint |= {f"{tree}_size": sizes[tree], f"{tree}_note": notes[tree]}
        self._session.execute(insert(Checkpoint), checkpoint)

    def _find_editions(self, edition_ids: set[UUID]) -> dict[UUID, str]:
        rows = self._session.execute(select(Edition.id, Edition.hash).where(Edition.id.in_(edition_ids)))
        return {row.id: row.hash for row in rows}

    def _list_kept(self, rows: Sequence[Row[Any]], tree: str) -> set[UUID]:
        """Return whose salt and link are kept: nobody's without a key, and not of whoever was erased since.

        Erasing took the link of the leaf by which a signature came in: the one by which it goes out gets none either.
        """
        if self._key is None:
            return set()
        ids = {row.id for row in rows}
        return ids if tree == "signed" else self._list_linked(ids)

    def _list_linked(self, ids: set[UUID]) -> set[UUID]:
        return set(self._session.scalars(select(LogLeaf.signature_id).where(LogLeaf.signature_id.in_(ids))))

    def _leaf(self, tree: str, position: int, signature_id: UUID | None, salt: bytes) -> dict[str, Any]:
        leaf = {"campaign_id": self._campaign_id, "tree": tree, "position": position, "signature_id": signature_id}
        if signature_id is None or self._key is None:
            return {**leaf, "salt": None}
        return {**leaf, "salt": self._key.seal("log_leaves.salt", signature_id, salt.hex())}

    def _keep_tiles(self, tree: str, size: int, entries: Sequence[bytes]) -> None:
        changed = grow(size, self._read_edge(tree, size), entries)
        self._grown[tree] |= changed
        dialect = postgresql if dialect_of(self._session) == "postgresql" else sqlite
        statement = dialect.insert(_tiles)
        self._session.execute(
            statement.on_conflict_do_update(
                index_elements=["campaign_id", "tree", "level", "number"],
                set_={"hashes": statement.excluded.hashes},
            ),
            [
                {"campaign_id": self._campaign_id, "tree": tree, "level": level, "number": number, "hashes": hashes}
                for (level, number), hashes in changed.items()
            ],
        )

    def _read_edge(self, tree: str, size: int) -> dict[int, bytes]:
        """Return the last tile of each level, where it is not full."""
        counts = {level: size // TILE_WIDTH ** max(level, 0) for level in range(ENTRIES, TILE_HEIGHT)}
        places = [(level, count // TILE_WIDTH) for level, count in counts.items() if count % TILE_WIDTH]
        rows = self._session.execute(
            select(LogTile.level, LogTile.hashes).where(
                LogTile.campaign_id == self._campaign_id,
                LogTile.tree == tree,
                tuple_(LogTile.level, LogTile.number).in_(places),
            )
        )
        return {row.level: row.hashes for row in rows}

    def _reader(self, tree: str) -> ReadTile:
        def read(level: int, number: int) -> bytes:
            return self._grown[tree].get((level, number)) or self._read[tree](level, number)

        return read
