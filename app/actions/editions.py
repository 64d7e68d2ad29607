"""Editions while signing is open: a corrected text takes the place of the current one, and signers say yes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import select

from app.actions.drafts import freeze_edition
from app.actions.endorsing import ask_endorsers_again
from app.actions.records import record
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.models import Campaign, Edition, Renewal, Signature, Token
from app.queries.editions import find_bound_edition, find_correction
from app.rules.life import is_signing_open, state_by_dates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.queries.editions import Edition as ShownEdition

#: The states in which a text may be corrected: it is published, and may still be signed.
CORRECTABLE_STATES: Final = frozenset({"scheduled", "open"})


class NotCorrectable(Exception):
    """The campaign is not in a state in which its text may change; the message is that state."""


class EditionMoved(Exception):
    """Another edition is the current one by now."""


class DraftMoved(Exception):
    """The draft says something else by now than what was shown."""


class NothingChanged(Exception):
    """The draft says what the current edition says."""


class LanguagesIncomplete(Exception):
    """A promised language would lose parts that it has, or lack new ones, or has some that are not ready."""


class RenewalRefused(Exception):
    """The link is unknown or too old, the signature has ended, or signing has."""


def publish_edition(
    session: Session,
    *,
    campaign_id: UUID,
    shown_edition: str,
    shown_draft: str,
    is_substantive: bool,
    note: Mapping[str, str],
    account_id: UUID,
    now: datetime,
) -> int:
    """Make the draft the current edition and return its number; the same press again returns the same.

    ``shown_edition`` and ``shown_draft`` are the hashes of what the person compared. Raises NotCorrectable,
    EditionMoved, DraftMoved, NothingChanged, LanguagesIncomplete.
    """
    # Two people at once take turns here. Signing is not held up: it only needs the campaign to exist.
    campaign = session.scalars(select(Campaign).where(Campaign.id == campaign_id).with_for_update(key_share=True)).one()
    if not can_correct(campaign.state, campaign.opens_at, campaign.closes_at, now):
        raise NotCorrectable(campaign.state)
    correction = find_correction(session, campaign_id=campaign_id)
    if correction is None:
        raise NotCorrectable(campaign.state)
    current = correction.current
    if current.hash != shown_edition:
        if current.hash == shown_draft and _is_repeated(session, campaign_id, current, shown_edition, account_id):
            return current.number
        raise EditionMoved
    if correction.hash != shown_draft:
        raise DraftMoved
    if not correction.is_change:
        raise NothingChanged
    if correction.lost or correction.unready:
        raise LanguagesIncomplete
    freeze_edition(
        session,
        campaign_id=campaign_id,
        texts=correction.texts,
        now=now,
        account_id=account_id,
        is_substantive=is_substantive,
        note=note,
    )
    if is_substantive:
        # Signers are many, and the background owes their letters; organisations are few.
        ask_endorsers_again(session, campaign_id=campaign_id, now=now)
    number = current.number + 1
    record(
        session,
        what="publish_edition",
        now=now,
        account_id=account_id,
        campaign_id=campaign_id,
        details={"number": number, "hash": shown_draft, "is_substantive": is_substantive},
    )
    return number


def can_correct(state: str, opens_at: datetime | None, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether the published text may change: before signing opens, and while it is open."""
    return state in CORRECTABLE_STATES and state_by_dates(opens_at, closes_at, now) != "closed"


def renew_signature(session: Session, *, token: str, shown: str, now: datetime) -> int:
    """Keep a signer's yes to the edition whose hash was ``shown``, once, and return its number.

    The signature stays bound to its own edition, too. Raises RenewalRefused, and EditionMoved where the text shown is
    no longer one that can be signed.
    """
    row = _find_renewable(session, token, now)
    if row is None or not is_signing_open(row.state, row.opens_at, row.closes_at, now):
        raise RenewalRefused
    edition = find_bound_edition(session, campaign_id=row.campaign_id, shown=shown, now=now)
    if edition is None:
        raise EditionMoved
    session.execute(
        insert_if_absent(cast("Table", Renewal.__table__), dialect_of(session)),
        {"signature_id": row.signature_id, "edition_id": edition.id, "at": now},
    )
    return edition.number


def _is_repeated(
    session: Session, campaign_id: UUID, current: ShownEdition, shown_edition: str, account_id: UUID
) -> bool:
    """Tell whether the same person has just made the current edition of the one that this press was shown."""
    before = session.scalar(
        select(Edition.hash).where(Edition.campaign_id == campaign_id, Edition.number == current.number - 1)
    )
    maker = session.scalar(select(Edition.created_by).where(Edition.id == current.id))
    return before == shown_edition and maker == account_id


def _find_renewable(session: Session, token: str, now: datetime) -> Any:  # noqa: ANN401 - a row
    return session.execute(
        select(
            Signature.id.label("signature_id"),
            Signature.campaign_id,
            Campaign.state,
            Campaign.opens_at,
            Campaign.closes_at,
        )
        .join(Token, Token.signature_id == Signature.id)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .where(
            Token.hash == tokens.hash_token("renew", token),
            Token.purpose == "renew",
            Token.expires_at > now,
            Signature.state == "confirmed",
        )
        # A withdrawal in this very moment comes first or after, and not in between.
        .with_for_update(of=Signature, key_share=True)
    ).first()
