"""A letter beside its text, as its team sets it up: its head, how each recipient is spoken to, what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.models import Addressee, Campaign, Letterhead
from app.queries.letters import find_dated_letter, list_dated_editions
from app.rules.letters import ARRANGEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.queries.letters import DatedLetter
    from app.rules.letters import Letter


@dataclass(frozen=True, slots=True)
class TeamLetterhead:
    """What stands above a letter; ``version`` goes with the form that changes it, 0 before anything was saved."""

    version: int
    places: Mapping[str, str]
    dated_on: date | None
    subjects: Mapping[str, str]
    arrangement: str
    is_numbered: bool


@dataclass(frozen=True, slots=True)
class TeamRecipient:
    """An addressee, and how the letter to it begins and in which language it is; ``position`` from 0."""

    position: int
    names: Mapping[str, str]
    salutations: Mapping[str, str]
    locale: str | None


def find_letterhead(session: Session, *, campaign_id: UUID) -> TeamLetterhead:
    """Return what stands above a letter; where nobody has saved anything, what then holds."""
    row = session.get(Letterhead, campaign_id)
    if row is None:
        kind = session.scalars(select(Campaign.kind).where(Campaign.id == campaign_id)).one()
        # As app/queries/campaigns.py has it: joint statements number their organisations, as a rule.
        return TeamLetterhead(0, {}, None, {}, ARRANGEMENTS[0], is_numbered=kind == "joint_statement")
    return TeamLetterhead(row.version, row.places, row.dated_on, row.subjects, row.arrangement, row.is_numbered)


def list_recipients(session: Session, *, campaign_id: UUID) -> list[TeamRecipient]:
    """Return whom a campaign addresses, in its order."""
    rows = session.scalars(select(Addressee).where(Addressee.campaign_id == campaign_id).order_by(Addressee.position))
    return [TeamRecipient(row.position, row.names, row.salutations, row.locale) for row in rows]


def list_kept_letters(session: Session, *, slug: str) -> list[tuple[DatedLetter, Letter]]:
    """Return the dated editions of a published campaign, the newest first, each with the letter that it keeps."""
    lines = list_dated_editions(session, slug=slug)
    kept = ((line, find_dated_letter(session, slug=slug, number=line.number)) for line in lines)
    return [(line, letter) for line, letter in kept if letter is not None]
