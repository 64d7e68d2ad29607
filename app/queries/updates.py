"""News to signers as their team sees it: texts and numbers, never an address; and a signer's subscription."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from app.core import tokens
from app.models import Campaign, Letter, Signature, Token, Update, is_counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Row, Select
    from sqlalchemy.orm import Session

_COLUMNS: Final = (
    Update.id, Update.texts, Update.state, Update.version, Update.tried_at, Update.tried_version, Update.queued_at,
    Update.recipients, Update.sent_at, Update.created_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UpdateCard:
    """An update and how far it has come: ``delivered`` to the relay, ``came_back`` refused or returned."""

    id: UUID
    texts: Mapping[str, Mapping[str, str]]
    state: str
    version: int
    tried_at: datetime | None
    tried_version: int | None
    queued_at: datetime | None
    recipients: int
    sent_at: datetime | None
    created_at: datetime
    delivered: int
    came_back: int

    @property
    def titles(self) -> dict[str, str]:
        """The titles by locale."""
        return {locale: text["title"] for locale, text in self.texts.items()}

    @property
    def is_tried(self) -> bool:
        """Whether this very version was sent to somebody of the team."""
        return self.tried_version == self.version


@dataclass(frozen=True, slots=True)
class Subscription:
    """Whether a signer gets news of a campaign, as the link in a letter tells it: nothing of who that is."""

    slug: str
    is_wanted: bool
    is_signer: bool  # the signature still counts


def list_updates(session: Session, *, campaign_id: UUID) -> list[UpdateCard]:
    """Return a campaign's updates, the newest first."""
    rows = session.execute(_of(campaign_id).order_by(Update.created_at.desc(), Update.id)).all()
    figures = _count_letters(session, campaign_id)
    return [_card(row, figures) for row in rows]


def find_update(session: Session, *, campaign_id: UUID, update_id: UUID) -> UpdateCard | None:
    """Return an update of this campaign, or None."""
    row = session.execute(_of(campaign_id).where(Update.id == update_id)).first()
    return None if row is None else _card(row, _count_letters(session, campaign_id))


def count_readers(session: Session, *, campaign_id: UUID) -> int:
    """Return how many signers who are in the count want news.

    Letters go to whoever is held, too. Counted here, they would tell each team at once what is held.
    """
    return session.scalars(
        select(func.count()).where(Signature.campaign_id == campaign_id, is_counted(), Signature.wants_updates)
    ).one()


def find_last_queued(session: Session, *, campaign_id: UUID) -> datetime | None:
    """Return when the last update of a campaign was sent off."""
    return session.scalar(select(func.max(Update.queued_at)).where(Update.campaign_id == campaign_id))


def find_subscription(session: Session, *, token: str) -> Subscription | None:
    """Return the subscription that an unsubscribing link belongs to, or None where no such link was ever sent."""
    row = session.execute(
        select(Campaign.slug, Signature.wants_updates, Signature.state)
        .join(Token, Token.signature_id == Signature.id)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .where(Token.hash == tokens.hash_token("unsubscribe", token), Token.purpose == "unsubscribe")
    ).first()
    if row is None:
        return None
    is_signer = row.state == "confirmed"
    return Subscription(row.slug, is_wanted=is_signer and row.wants_updates, is_signer=is_signer)


def _of(campaign_id: UUID) -> Select[Any]:
    return select(*_COLUMNS).where(Update.campaign_id == campaign_id)


def _count_letters(session: Session, campaign_id: UUID) -> dict[tuple[UUID, str], int]:
    rows = session.execute(
        select(Letter.subject_id, Letter.state, func.count())
        .join(Signature, Signature.id == Letter.signature_id)
        # As with readers: what is held must not show in the difference.
        .where(Letter.campaign_id == campaign_id, Letter.kind == "update", Signature.standing == "counted")
        .group_by(Letter.subject_id, Letter.state)
    )
    return {(subject_id, state): number for subject_id, state, number in rows if subject_id is not None}


def _card(row: Row[Any], figures: Mapping[tuple[UUID, str], int]) -> UpdateCard:
    def count(*states: str) -> int:
        return sum(figures.get((row.id, state), 0) for state in states)

    return UpdateCard(**row._mapping, delivered=count("sent"), came_back=count("failed", "bounced"))  # noqa: SLF001 - how SQLAlchemy names a row's columns
