"""News to signers: written, tried on oneself, sent off once, stopped; and signers who want it or no longer do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, exists, select, update

from app.actions.fan_out import END
from app.actions.records import record
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.mail.updates import SENDING_STATES
from app.models import Campaign, Letter, Signature, Token, Update
from app.queries.updates import count_readers, find_last_queued

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

#: From one update of a campaign to its next.
PAUSE: Final = timedelta(days=1)

Texts = dict[str, dict[str, str]]


class UpdateNotFound(Exception):
    """The campaign has no such update."""


class UpdateChanged(Exception):
    """Somebody else saved another version, or it is no draft any more."""


class UpdateNotTried(Exception):
    """The version was not sent to anybody of the team."""


class UpdateTooSoon(Exception):
    """Another update went out less than a day ago; ``until`` is when the next may."""

    def __init__(self, until: datetime) -> None:
        """Keep the moment."""
        super().__init__()
        self.until = until


class CampaignNotPublic(Exception):
    """No news goes out from a campaign that is not public yet, or was stopped."""


class NobodyAsked(Exception):
    """No confirmed signer wants news."""


class SubscriptionNotFound(Exception):
    """No such link was ever sent."""


def create_update(
    session: Session, *, update_id: UUID, campaign_id: UUID, texts: Texts, account_id: UUID, now: datetime
) -> None:
    """Write a new draft, once for each ``update_id``. Raises UpdateNotFound, UpdateChanged as `save_update` does."""
    made = session.scalar(
        insert_if_absent(cast("Table", Update.__table__), dialect_of(session)).returning(Update.id),
        {
            "id": update_id,
            "campaign_id": campaign_id,
            "texts": texts,
            "state": "draft",
            "version": 1,
            "created_by": account_id,
            "created_at": now,
            "recipients": 0,
        },
    )
    if made is None:
        # The form came twice: as it was, which changes nothing, or changed in between.
        save_update(session, update_id=update_id, campaign_id=campaign_id, texts=texts, version=1)


def save_update(session: Session, *, update_id: UUID, campaign_id: UUID, texts: Texts, version: int) -> None:
    """Save a draft over the ``version`` that was shown; what is the same already changes nothing.

    Raises UpdateNotFound, UpdateChanged.
    """
    found = _find(session, update_id, campaign_id)
    if found.state == "draft" and found.texts == texts:
        return
    saved = session.scalar(
        update(Update)
        .where(Update.id == update_id, Update.state == "draft", Update.version == version)
        .values(texts=texts, version=version + 1)
        .returning(Update.id)
    )
    if saved is None:
        raise UpdateChanged


def try_update(
    session: Session, *, update_id: UUID, campaign_id: UUID, version: int, account_id: UUID, once: str, now: datetime
) -> None:
    """Send a draft to somebody of the team, as readers of each of its languages will get it; once for each ``once``.

    Raises UpdateNotFound, UpdateChanged.
    """
    found = _find(session, update_id, campaign_id)
    tried = session.scalar(
        update(Update)
        .where(Update.id == update_id, Update.state == "draft", Update.version == version)
        .values(tried_at=now, tried_version=version)
        .returning(Update.id)
    )
    if tried is None:
        raise UpdateChanged
    for locale in found.texts:
        owe_letter(
            session,
            kind="update_trial",
            dedupe_key=f"update_trial:{update_id}:{account_id}:{once}:{locale}",
            locale=locale,
            now=now,
            campaign_id=campaign_id,
            account_id=account_id,
            subject_id=update_id,
        )
    _record(session, what="update_tried", update_id=update_id, campaign_id=campaign_id, account_id=account_id, now=now)


def queue_update(
    session: Session, *, update_id: UUID, campaign_id: UUID, version: int, account_id: UUID, now: datetime
) -> None:
    """Send a draft off, once: from now on the background work owes its letters.

    Raises UpdateNotFound, UpdateChanged, UpdateNotTried, UpdateTooSoon, CampaignNotPublic, NobodyAsked.
    """
    # Locked, so that two updates of one campaign that are sent off at the same moment see each other, and nobody saves
    # another version in between; who signs meanwhile (key share) does not wait.
    state = session.scalar(select(Campaign.state).where(Campaign.id == campaign_id).with_for_update(key_share=True))
    found = _find(session, update_id, campaign_id, is_locked=True)
    if found.version != version:
        raise UpdateChanged
    if found.state in {"queued", "sent"}:
        return
    if found.state == "stopped":
        raise UpdateChanged
    if state not in SENDING_STATES:
        raise CampaignNotPublic
    if found.tried_version != version:
        raise UpdateNotTried
    last = find_last_queued(session, campaign_id=campaign_id)
    if last is not None and now < last + PAUSE:
        raise UpdateTooSoon(last + PAUSE)
    number = count_readers(session, campaign_id=campaign_id)
    if number == 0:
        raise NobodyAsked
    session.execute(
        update(Update)
        .where(Update.id == update_id, Update.state == "draft", Update.version == version)
        .values(state="queued", queued_at=now, recipients=number)
    )
    _record(session, what="update_queued", update_id=update_id, campaign_id=campaign_id, account_id=account_id, now=now)


def stop_update(session: Session, *, update_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Send no more of an update: what has left has left, what is queued is dropped. Stopped twice is stopped.

    Raises UpdateNotFound, UpdateChanged where it is a draft or was sent.
    """
    state = _find(session, update_id, campaign_id).state
    stopped = session.scalar(
        update(Update)
        .where(Update.id == update_id, Update.state == "queued")
        .values(state="stopped")
        .returning(Update.id)
    )
    if stopped is None:
        if state == "stopped":
            return
        raise UpdateChanged
    session.execute(update(Letter).where(*_waiting(Letter.subject_id == update_id)).values(state="dropped"))
    _record(
        session, what="update_stopped", update_id=update_id, campaign_id=campaign_id, account_id=account_id, now=now
    )


def discard_update(session: Session, *, update_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Throw a draft away. Raises UpdateNotFound, UpdateChanged where it was sent off."""
    _find(session, update_id, campaign_id)
    discarded = session.scalar(
        delete(Update).where(Update.id == update_id, Update.state == "draft").returning(Update.id)
    )
    if discarded is None:
        raise UpdateChanged
    _record(
        session, what="update_discarded", update_id=update_id, campaign_id=campaign_id, account_id=account_id, now=now
    )


def list_finished_updates(session: Session) -> list[UUID]:
    """Return updates whose letters are all owed and have all left the queue."""
    is_waiting = exists().where(*_waiting(Letter.subject_id == Update.id))
    return list(session.scalars(select(Update.id).where(*_ALL_OWED, ~is_waiting)))


def end_update(session: Session, *, update_id: UUID, now: datetime) -> None:
    """Say that an update was sent."""
    session.execute(update(Update).where(Update.id == update_id, *_ALL_OWED).values(state="sent", sent_at=now))


def set_subscription(session: Session, *, token: str, is_wanted: bool) -> None:
    """Send a signer news or no more, as the link in a letter asks. The signature stays as it is, and so does the link.

    A signature that does not count any more gets no news either way. Raises SubscriptionNotFound.
    """
    signature_id = session.scalar(
        select(Token.signature_id).where(
            Token.hash == tokens.hash_token("unsubscribe", token), Token.purpose == "unsubscribe"
        )
    )
    if signature_id is None:
        raise SubscriptionNotFound
    session.execute(
        update(Signature)
        .where(Signature.id == signature_id, Signature.state == "confirmed")
        .values(wants_updates=is_wanted)
    )


_ALL_OWED: Final = (Update.state == "queued", Update.reached_id == END)


def _waiting(is_of: ColumnElement[bool]) -> tuple[ColumnElement[bool], ...]:
    return (is_of, Letter.kind == "update", Letter.state == "queued")


def _find(session: Session, update_id: UUID, campaign_id: UUID, *, is_locked: bool = False) -> Any:  # noqa: ANN401 - a row
    statement = select(Update.state, Update.texts, Update.version, Update.tried_version).where(
        Update.id == update_id, Update.campaign_id == campaign_id
    )
    found = session.execute(statement.with_for_update() if is_locked else statement).first()
    if found is None:
        raise UpdateNotFound
    return found


def _record(
    session: Session, *, what: str, update_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime
) -> None:
    details = {"update": update_id.hex}
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
