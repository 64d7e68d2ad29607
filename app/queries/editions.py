"""Editions: which there are, what each says, how many signatures stand under it, and who is asked to sign again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from app import models as tables
from app.core import tokens
from app.queries.checks import list_checked_parts
from app.rules.drafts import DraftPart, put_together
from app.rules.editions import EditionLine, Lack, find_binding, list_missing
from app.rules.preflight.shapes import reading_order
from app.rules.publishing import complete_locales
from app.rules.texts import CampaignText, edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.rules.preflight import CheckedPart


@dataclass(frozen=True, slots=True)
class Edition:
    """One frozen text, whole."""

    id: UUID
    number: int
    hash: str
    texts: Mapping[str, CampaignText]
    created_at: datetime
    superseded_at: datetime | None
    is_substantive: bool
    note: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Correction:
    """The draft beside the current edition. ``hash`` names ``texts``, which publishing would freeze.

    Promised languages would lose what is in ``lost``; what is ``unready`` waits to be marked as ready, both before it
    is published. Where the original has changed since, a translation is ``behind``; that is for the team to judge.
    """

    current: Edition
    texts: Mapping[str, CampaignText]
    hash: str
    lost: tuple[Lack, ...]
    unready: tuple[Lack, ...]
    behind: tuple[Lack, ...]

    @property
    def is_change(self) -> bool:
        """Whether the draft says something else at all."""
        return self.hash != self.current.hash


@dataclass(frozen=True, slots=True)
class EditionCount:
    """How many confirmed signatures are bound to an edition, and how many of earlier ones were given to it again."""

    signatures: int
    renewals: int


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A signature whose signer is asked about a newer text; ``bound_number`` is the newest edition that it is for."""

    signature_id: UUID
    campaign_id: UUID
    campaign_slug: str
    state: str
    edition_number: int
    bound_number: int
    link_expires_at: datetime | None

    def is_link_dead(self, now: datetime) -> bool:
        """Whether the link that led here has expired."""
        return self.link_expires_at is not None and self.link_expires_at <= now


@dataclass(frozen=True, slots=True)
class Renewed:
    """A later edition that a signer said yes to."""

    number: int
    at: datetime


def list_editions(session: Session, *, campaign_id: UUID) -> list[Edition]:
    """Return every edition of a campaign with its texts, oldest first."""
    rows = session.scalars(
        select(tables.Edition).where(tables.Edition.campaign_id == campaign_id).order_by(tables.Edition.number)
    )
    return [_as_edition(row) for row in rows]


def find_edition(session: Session, *, campaign_id: UUID, number: int | None = None) -> Edition | None:
    """Return one edition, the current one where no ``number`` is given; None where there is no such edition."""
    statement = select(tables.Edition).where(tables.Edition.campaign_id == campaign_id)
    if number is not None:
        statement = statement.where(tables.Edition.number == number)
    row = session.scalars(statement.order_by(tables.Edition.number.desc()).limit(1)).first()
    return None if row is None else _as_edition(row)


def list_edition_lines(session: Session, *, campaign_id: UUID) -> list[EditionLine]:
    """Return every edition without its texts, oldest first."""
    edition = tables.Edition
    rows = session.execute(
        select(edition.id, edition.number, edition.hash, edition.superseded_at, edition.is_substantive)
        .where(edition.campaign_id == campaign_id)
        .order_by(edition.number)
    )
    return [EditionLine(*row) for row in rows]


def find_bound_edition(session: Session, *, campaign_id: UUID, shown: str, now: datetime) -> EditionLine | None:
    """Return the edition that a form binds to which names the hash that was ``shown``, or None."""
    return find_binding(list_edition_lines(session, campaign_id=campaign_id), shown, now)


def find_correction(session: Session, *, campaign_id: UUID) -> Correction | None:
    """Return what publishing the draft would make of the current edition; None before there is one.

    A language that no reader has seen yet comes in once it is complete, as at the opening.
    """
    current = find_edition(session, campaign_id=campaign_id)
    if current is None:
        return None
    campaign = session.get_one(tables.Campaign, campaign_id)
    source, promises = campaign.source_locale, campaign.promised_locales
    # Read once: somebody may move or remove an item in this very moment.
    checked = list_checked_parts(session, campaign_id=campaign_id, source_locale=source)
    parts = [DraftPart(part.name, part.locale, part.text, part.kind, part.position, part.item_id) for part in checked]
    shown = {*current.texts, *complete_locales(parts, source)}
    texts = put_together((part for part in parts if part.locale in shown), is_frozen=True)
    missing = partial(list_missing, locales=promises, source_locale=source)
    lacked = missing(current.texts, current.texts)
    promised = sorted((part for part in checked if part.locale in promises and part.text.strip()), key=reading_order)
    numbers = {kind: _numbers(kind, parts) for kind in {part.kind for part in parts if part.kind is not None}}
    return Correction(
        current=current,
        texts=texts,
        hash=edition_hash(texts),
        lost=tuple(lack for lack in missing(texts, put_together(parts)) if lack not in lacked),
        unready=tuple(_as_lack(part, numbers) for part in promised if not part.is_ready),
        behind=tuple(_as_lack(part, numbers) for part in promised if part.is_ready and part.is_behind),
    )


def count_by_edition(session: Session, *, campaign_id: UUID) -> dict[UUID, EditionCount]:
    """Return how many counted signatures are for each edition, by its id."""
    signature, renewal = tables.Signature, tables.Renewal
    is_of_count = and_(signature.campaign_id == campaign_id, tables.is_counted())
    bound = session.execute(
        select(signature.edition_id, func.count()).where(is_of_count).group_by(signature.edition_id)
    )
    again = session.execute(
        select(renewal.edition_id, func.count())
        .join(signature, signature.id == renewal.signature_id)
        .where(is_of_count)
        .group_by(renewal.edition_id)
    )
    signatures: dict[UUID, int] = {row[0]: row[1] for row in bound}
    renewals: dict[UUID, int] = {row[0]: row[1] for row in again}
    return {
        edition_id: EditionCount(signatures.get(edition_id, 0), renewals.get(edition_id, 0))
        for edition_id in {*signatures, *renewals}
    }


def count_present(session: Session, *, campaign_id: UUID, since: int) -> int:
    """Return how many counted signatures are for an edition from number ``since`` on, signed it or renewed."""
    signature = tables.Signature
    return session.scalars(
        select(func.count())
        .select_from(signature)
        .where(signature.campaign_id == campaign_id, tables.is_counted(), is_for(campaign_id, since))
    ).one()


def is_for(campaign_id: UUID, since: int) -> ColumnElement[bool]:
    """Return what is true of signatures that are for an edition from number ``since`` on, signed it or renewed."""
    signature = tables.Signature
    present = select(tables.Edition.id).where(tables.Edition.campaign_id == campaign_id, tables.Edition.number >= since)
    has_renewed = exists().where(tables.Renewal.signature_id == signature.id, tables.Renewal.edition_id.in_(present))
    return or_(signature.edition_id.in_(present), has_renewed)


def find_asked_again(session: Session, *, token: str) -> AskedAgain | None:
    """Return the signature that a link of a letter about a changed text belongs to, or None."""
    signature, later = tables.Signature, aliased(tables.Edition)
    newest = (
        select(func.max(later.number))
        .join(tables.Renewal, tables.Renewal.edition_id == later.id)
        .where(tables.Renewal.signature_id == signature.id)
        .scalar_subquery()
    )
    row = session.execute(
        select(
            signature.id,
            signature.campaign_id,
            signature.state,
            tables.Campaign.slug,
            tables.Edition.number,
            newest.label("renewed"),
            tables.Token.expires_at,
        )
        .join(tables.Token, tables.Token.signature_id == signature.id)
        .join(tables.Campaign, tables.Campaign.id == signature.campaign_id)
        .join(tables.Edition, tables.Edition.id == signature.edition_id)
        .where(tables.Token.hash == tokens.hash_token("renew", token), tables.Token.purpose == "renew")
    ).first()
    if row is None:
        return None
    return AskedAgain(
        row.id, row.campaign_id, row.slug, row.state, row.number, max(row.number, row.renewed or 0), row.expires_at
    )


def list_renewals(session: Session, *, signature_id: UUID) -> list[Renewed]:
    """Return the later editions that a signature was given to again."""
    rows = session.execute(
        select(tables.Edition.number, tables.Renewal.at)
        .join(tables.Edition, tables.Edition.id == tables.Renewal.edition_id)
        .where(tables.Renewal.signature_id == signature_id)
        .order_by(tables.Edition.number)
    )
    return [Renewed(row.number, row.at) for row in rows]


def _numbers(kind: str, parts: Sequence[DraftPart]) -> dict[int | None, int]:
    positions = sorted({part.position for part in parts if part.kind == kind and part.position is not None})
    return {position: number for number, position in enumerate(positions, 1)}


def _as_lack(part: CheckedPart, numbers: Mapping[str, Mapping[int | None, int]]) -> Lack:
    return Lack(part.locale, part.name, None if part.kind is None else numbers[part.kind][part.position])


def _as_edition(row: Any) -> Edition:  # noqa: ANN401 - a row of the table
    return Edition(
        row.id,
        row.number,
        row.hash,
        {locale: CampaignText.from_data(text) for locale, text in row.texts.items()},
        row.created_at,
        row.superseded_at,
        row.is_substantive,
        row.note,
    )
