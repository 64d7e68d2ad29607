"""Embargo: until when nobody but its signatories sees an approved letter, and the private link to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn
from uuid import UUID, uuid4

from sqlalchemy import select, update

from app.actions.campaigns import CampaignCannotMove
from app.actions.endorsing import TextMoved, take_form
from app.actions.records import record
from app.actions.telling import tell_owners
from app.core import tokens
from app.models import Campaign, Edition
from app.queries.life import standing_of
from app.rules.life import is_signing_open, local_day
from app.rules.moves import EMBARGO_MOVED, FURTHEST_EMBARGO, DateRefused, MoveRefused, move_embargo

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from app.actions.endorsing import Asked
    from app.core.keys import DataKey, Keyring


class EmbargoChanged(Exception):
    """Somebody else has set another moment since the page was shown."""


def set_embargo(
    session: Session,
    *,
    campaign_id: UUID,
    shown: datetime | None,
    until: datetime | None,
    account_id: UUID,
    now: datetime,
) -> None:
    """Set, in a draft, when the letter is to appear, or take that away; ``shown`` is what the page showed.

    Raises EmbargoChanged, DateRefused for a moment that is past or too far away, CampaignCannotMove.
    """
    if until is not None and not now < until <= now + FURTHEST_EMBARGO:
        raise DateRefused
    version = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            Campaign.state == "draft",
            Campaign.embargo_until.is_not_distinct_from(shown),
        )
        .values(embargo_until=until, settings_version=Campaign.settings_version + 1)
        .returning(Campaign.settings_version)
        .execution_options(synchronize_session=False)
    )
    if version is None:
        _refuse(session, campaign_id, "draft")
    # As every setting: what was saved since a page was shown is found by the version that was replaced.
    details = {"fields": ["embargo_until"], "version": version - 1}
    record(session, what="settings_saved", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def postpone_embargo(
    session: Session, *, campaign_id: UUID, shown: datetime | None, until: datetime, account_id: UUID, now: datetime
) -> None:
    """Let a letter under embargo appear at another moment to come; its owners are told, and it opens no sooner.

    Raises EmbargoChanged, DateRefused, ClosingPast, CampaignCannotMove.
    """
    campaign = session.scalars(
        select(Campaign).where(Campaign.id == campaign_id).execution_options(populate_existing=True)
    ).one()
    before = standing_of(campaign)
    if before.state == "embargoed" and before.embargo_until != shown:
        raise EmbargoChanged
    try:
        after = move_embargo(before, until, now)
    except MoveRefused as refused:
        raise CampaignCannotMove(str(refused)) from None
    moved = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            Campaign.state == "embargoed",
            Campaign.embargo_until.is_not_distinct_from(before.embargo_until),
        )
        .values(embargo_until=after.embargo_until, opens_at=after.opens_at, closes_at=after.closes_at)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        _refuse(session, campaign_id, "embargoed")
    details = {"day": local_day(until, after.timezone).isoformat()}
    line = record(session, what=EMBARGO_MOVED, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    tell_owners(session, campaign_id=campaign_id, line=line, now=now)


def renew_preview_link(
    session: Session, *, campaign_id: UUID, shown: UUID | None, tokens_key: bytes, account_id: UUID, now: datetime
) -> bool:
    """Make the private link to a letter under embargo, or another one that ends it; return whether this press made it.

    ``shown`` is what the link on the page was made from: pressed twice, one link is made. Raises CampaignCannotMove.
    """
    link_id = uuid4()
    hashed = tokens.hash_token("preview", tokens.make_token(tokens_key, "preview", link_id))
    made = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            Campaign.state == "embargoed",
            Campaign.preview_link_id.is_not_distinct_from(shown),
        )
        .values(preview_link_id=link_id, preview_hash=hashed)
        .returning(Campaign.id)
    )
    if made is None:
        state = session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()
        if state != "embargoed":
            raise CampaignCannotMove(state)
        return False
    what = "preview_link_made" if shown is None else "preview_link_renewed"
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id)
    return True


def request_in_private(
    session: Session,
    *,
    campaign_id: UUID,
    edition_id: UUID,
    asked: Asked,
    key: DataKey,
    address: str | None,
    keyring: Keyring,
    now: datetime,
) -> None:
    """Keep what an organisation's form says that came through the private link: under embargo, or just after it.

    As many as a day takes, from ``address`` and in all.
    Raises CampaignCannotMove where it is a draft again or signing is not open, TextMoved for a text that is gone.
    """
    # A move waits for this form, or this form for the move.
    campaign = session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    is_open = is_signing_open(campaign.state, campaign.opens_at, campaign.closes_at, now)
    if campaign.state != "embargoed" and not is_open:
        raise CampaignCannotMove(campaign.state)
    current = session.scalar(
        select(Edition.id).where(Edition.campaign_id == campaign_id).order_by(Edition.number.desc()).limit(1)
    )
    if current != edition_id:
        raise TextMoved
    take_form(
        session,
        campaign_id=campaign_id,
        edition_id=edition_id,
        asked=asked,
        key=key,
        address=address,
        keyring=keyring,
        now=now,
    )


def _refuse(session: Session, campaign_id: UUID, wanted: str) -> NoReturn:
    state = session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()
    if state != wanted:
        raise CampaignCannotMove(state)
    raise EmbargoChanged
