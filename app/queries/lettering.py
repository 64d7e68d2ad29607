"""A letter beside its text, as its team sets it up: its head, how each recipient is spoken to, what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app import models as tables
from app.queries.letters import find_dated_letter, list_dated_editions
from app.rules.letters import Letterhead, is_usually_numbered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.queries.letters import DatedLetter
    from app.rules.letters import Letter


@dataclass(frozen=True, slots=True)
class TeamLetterhead(Letterhead):
    """A letterhead for its team; ``version`` goes with the form that changes it, 0 before anything was saved."""

    version: int = 0


@dataclass(frozen=True, slots=True)
class TeamRecipient:
    """An addressee, and how the letter to it begins and in which language it is; ``position`` from 0."""

    position: int
    names: Mapping[str, str]
    salutations: Mapping[str, str]
    locale: str | None


def find_letterhead(session: Session, *, campaign_id: UUID) -> TeamLetterhead:
    """Return what stands above a letter; where nobody has saved anything, what then holds."""
    row = session.get(tables.Letterhead, campaign_id)
    if row is None:
        kind = session.scalars(select(tables.Campaign.kind).where(tables.Campaign.id == campaign_id)).one()
        return TeamLetterhead(is_numbered=is_usually_numbered(kind))
    return TeamLetterhead(row.places, row.dated_on, row.subjects, row.arrangement, row.is_numbered, row.version)


def list_recipients(session: Session, *, campaign_id: UUID) -> list[TeamRecipient]:
    """Return whom a campaign addresses, in its order."""
    addressee = tables.Addressee
    rows = session.scalars(select(addressee).where(addressee.campaign_id == campaign_id).order_by(addressee.position))
    return [TeamRecipient(row.position, row.names, row.salutations, row.locale) for row in rows]


def list_kept_letters(session: Session, *, slug: str) -> list[tuple[DatedLetter, Letter]]:
    """Return the dated editions of a published campaign, the newest first, each with the letter that it keeps."""
    lines = list_dated_editions(session, slug=slug)
    kept = ((line, find_dated_letter(session, slug=slug, number=line.number)) for line in lines)
    return [(line, letter) for line, letter in kept if letter is not None]
