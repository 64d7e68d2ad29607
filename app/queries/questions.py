"""What visitors asked a team, opened for those who may answer; no address is among it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from app.models import Question, open_campaign_key

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question; ``name``, ``text`` and ``answer`` are None once they are erased."""

    id: UUID
    state: str
    locale: str
    name: str | None
    text: str | None
    answer: str | None
    created_at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Questions:
    """One page of a campaign's questions, and how many there are, on all pages, and open."""

    listed: tuple[AskedQuestion, ...]
    total: int
    open: int

    @property
    def pages(self) -> int:
        """How many pages there are, one at least."""
        return max(1, -(-self.total // PAGE))


def list_questions(session: Session, *, campaign_id: UUID, keyring: Keyring, page: int) -> Questions:
    """Return a page (from 1) of a campaign's questions: open ones first, the oldest first; then the newest settled."""
    of_campaign = Question.campaign_id == campaign_id
    is_open = Question.state == "open"
    counted = session.execute(
        select(func.count().label("total"), func.count(case((is_open, 1))).label("open")).where(of_campaign)
    ).one()
    rows = session.scalars(
        select(Question)
        .where(of_campaign)
        .order_by(
            case((is_open, 0), else_=1),
            case((is_open, Question.created_at)),
            Question.answered_at.desc(),
            Question.id,
        )
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)

    def opened(place: str, row_id: UUID, sealed: bytes | None) -> str | None:
        return None if key is None or sealed is None else key.open(f"questions.{place}", row_id, sealed)

    return Questions(
        tuple(
            AskedQuestion(
                row.id,
                row.state,
                row.locale,
                opened("name", row.id, row.name),
                opened("text", row.id, row.text),
                opened("answer", row.id, row.answer),
                row.created_at,
                row.answered_at,
            )
            for row in rows
        ),
        counted.total,
        counted.open,
    )
