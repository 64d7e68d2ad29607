"""A letter beside its text: how it is headed, how each recipient is spoken to, its dated editions, its deliveries."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, insert, select, update

from app import models as tables
from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.models import Addressee, Campaign, DatedEdition, Delivery, Edition
from app.queries.letters import find_letter
from app.rules.dated import has_same_content
from app.rules.letters import content_hash
from app.rules.moves import PUBLIC_STATES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.rules.letters import Letterhead

#: A letter that was stopped is shown as it stood, and nothing more is made of it.
DATEABLE_STATES: Final = PUBLIC_STATES - {"stopped"}


@dataclass(frozen=True, slots=True)
class Greeting:
    """How the letter to somebody begins, by locale, and the language that it is in; None: any."""

    salutations: Mapping[str, str]
    locale: str | None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """One time that a letter was handed over; ``way`` is a word of app/rules/deliveries.py."""

    number: int | None  # of the dated edition; None: none of them
    recipient: str
    delivered_on: date
    way: str
    acknowledged_on: date | None
    answered_on: date | None


class LetterheadChanged(Exception):
    """Somebody else saved the letterhead since it was shown."""


class RecipientsChanged(Exception):
    """Whom the letter addresses, or how, was changed since it was shown."""


class NotDateable(Exception):
    """The campaign is not public, or was stopped; the message is its state."""


class DeliveryNotFound(Exception):
    """No such delivery belongs to this campaign, or it was removed."""


class DeliveryChanged(Exception):
    """Somebody else changed the delivery since it was shown."""


class UnknownDatedEdition(Exception):
    """The letter has no dated edition of this number."""


def save_letterhead(
    session: Session, *, campaign_id: UUID, version: int, head: Letterhead, account_id: UUID, now: datetime
) -> None:
    """Save what stands above a letter, over the ``version`` that was shown; 0: none was saved yet.

    Raises LetterheadChanged.
    """
    values = {**asdict(head), "places": dict(head.places), "subjects": dict(head.subjects)}
    current = session.get(tables.Letterhead, campaign_id, populate_existing=True)
    if current is not None and all(getattr(current, name) == value for name, value in values.items()):
        return  # the same form, sent twice
    if version == 0:
        kept = session.connection().execute(
            insert_if_absent(cast("Table", tables.Letterhead.__table__), dialect_of(session)),
            {"campaign_id": campaign_id, "version": 1, **values},
        )
        is_saved = kept.rowcount == 1
    else:
        saved = session.scalar(
            update(tables.Letterhead)
            .where(tables.Letterhead.campaign_id == campaign_id, tables.Letterhead.version == version)
            .values(**values, version=version + 1)
            .returning(tables.Letterhead.version)
        )
        is_saved = saved is not None
    if not is_saved:
        raise LetterheadChanged
    # What a letter was about is public, and no name: the record can say what it said when somebody signed.
    said = {"subjects": values["subjects"], "places": values["places"], "version": version + 1}
    _record(session, "letterhead_saved", campaign_id, account_id, now, **said)


def save_greeting(
    session: Session,
    *,
    campaign_id: UUID,
    position: int,
    greeting: Greeting,
    shown: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Save how the letter to one recipient begins and in which language it is.

    ``position`` is the addressee's, from 0, and ``shown`` what `fingerprint_recipient` said of it. Raises
    RecipientsChanged.
    """
    # Whoever saves the settings holds the same row while addressees are replaced.
    session.execute(select(Campaign.id).where(Campaign.id == campaign_id).with_for_update(key_share=True))
    current = session.get(Addressee, (campaign_id, position), populate_existing=True)
    if current is None:
        raise RecipientsChanged
    salutations = dict(greeting.salutations)
    if (dict(current.salutations), current.locale) == (salutations, greeting.locale):
        return
    if fingerprint_recipient(current.names, current.salutations, current.locale) != shown:
        raise RecipientsChanged
    session.execute(
        update(Addressee)
        .where(Addressee.campaign_id == campaign_id, Addressee.position == position)
        .values(salutations=salutations, locale=greeting.locale)
    )
    said = {"position": position, "salutations": salutations, "locale": greeting.locale}
    _record(session, "greeting_saved", campaign_id, account_id, now, **said)


def issue_dated_edition(session: Session, *, campaign_id: UUID, base_url: str, account_id: UUID, now: datetime) -> int:
    """Keep the letter as it is signed now, for ever, and return its number; where nothing is new, the newest one's.

    Raises NotDateable.
    """
    # Two people at once take turns here, and an organisation that is accepted in this moment is in it or is not.
    campaign = session.scalars(select(Campaign).where(Campaign.id == campaign_id).with_for_update(key_share=True)).one()
    if campaign.state not in DATEABLE_STATES:
        raise NotDateable(campaign.state)
    letter = find_letter(session, campaign_id=campaign_id, base_url=base_url, now=now)
    content = letter.as_data()
    newest = session.scalars(
        select(DatedEdition)
        .where(DatedEdition.campaign_id == campaign_id)
        .order_by(DatedEdition.number.desc())
        .limit(1)
    ).first()
    if newest is not None and has_same_content(newest.content, content):
        return newest.number
    number = 1 if newest is None else newest.number + 1
    text_id = session.scalars(
        select(Edition.id).where(Edition.campaign_id == campaign_id, Edition.number == letter.edition_number)
    ).one()
    row = {
        "id": uuid4(),
        "campaign_id": campaign_id,
        "number": number,
        "edition_id": text_id,
        "signed_as_of": letter.signed_as_of,
        "content": content,
        "hash": content_hash(content),
        "made_by": account_id,
    }
    session.execute(insert(DatedEdition), row)
    _record(session, "dated_edition", campaign_id, account_id, now, number=number, hash=row["hash"])
    return number


def record_delivery(
    session: Session,
    *,
    delivery_id: UUID,
    campaign_id: UUID,
    delivery: HandedOver,
    account_id: UUID,
    now: datetime,
) -> None:
    """Note that a letter was handed over, once for each ``delivery_id``.

    Raises UnknownDatedEdition; where the form came before and said something else, DeliveryChanged, or
    DeliveryNotFound where that was removed or is another campaign's.
    """
    values = _columns_of(session, campaign_id, delivery)
    kept = session.connection().execute(
        insert_if_absent(cast("Table", Delivery.__table__), dialect_of(session)),
        {"id": delivery_id, "campaign_id": campaign_id, "recorded_at": now, "recorded_by": account_id, **values},
    )
    if kept.rowcount == 1:
        _record(session, "delivery_recorded", campaign_id, account_id, now, delivery=delivery_id.hex)
        return
    current = session.scalars(select(Delivery).where(_is_living(campaign_id, delivery_id))).first()
    if current is None:
        raise DeliveryNotFound
    if any(getattr(current, name) != value for name, value in values.items()):
        raise DeliveryChanged


def change_delivery(
    session: Session,
    *,
    delivery_id: UUID,
    campaign_id: UUID,
    delivery: HandedOver,
    shown: str,
    account_id: UUID,
    now: datetime,
) -> None:
    """Change what is noted of a delivery, if it still says what was ``shown`` (its `fingerprint_delivery`).

    Raises UnknownDatedEdition, DeliveryNotFound, DeliveryChanged.
    """
    statement = (
        select(Delivery, DatedEdition.number)
        .outerjoin(DatedEdition, DatedEdition.id == Delivery.dated_edition_id)
        .where(_is_living(campaign_id, delivery_id))
        .with_for_update(of=Delivery)
    )
    row = session.execute(statement).first()
    if row is None:
        raise DeliveryNotFound
    current = row.Delivery
    before = HandedOver(
        number=row.number,
        **{name: getattr(current, name) for name in asdict(delivery) if name != "number"},
    )
    if before == delivery:
        return  # the same change, sent twice, or none
    if fingerprint_delivery(before) != shown:
        raise DeliveryChanged
    values = _columns_of(session, campaign_id, delivery)
    session.execute(update(Delivery).where(Delivery.id == delivery_id).values(**values))
    changed = [name for name, value in asdict(delivery).items() if value != getattr(before, name)]
    _record(session, "delivery_changed", campaign_id, account_id, now, delivery=delivery_id.hex, changed=changed)


def remove_delivery(session: Session, *, delivery_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take a delivery off the list; the row stays. Raises DeliveryNotFound."""
    removed = session.scalar(
        update(Delivery).where(_is_living(campaign_id, delivery_id)).values(removed_at=now).returning(Delivery.id)
    )
    if removed is None:
        raise DeliveryNotFound
    _record(session, "delivery_removed", campaign_id, account_id, now, delivery=delivery_id.hex)


def fingerprint_recipient(names: Mapping[str, str], salutations: Mapping[str, str], locale: str | None) -> str:
    """Return a short digest of a recipient: a form names what it was made from."""
    return _digest([dict(names), dict(salutations), locale])


def fingerprint_delivery(delivery: HandedOver) -> str:
    """Return a short digest of what is noted of a delivery."""
    return _digest(asdict(delivery))


# Steps


def _digest(said: object) -> str:
    text = json.dumps(said, default=str, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _columns_of(session: Session, campaign_id: UUID, delivery: HandedOver) -> dict[str, Any]:
    values = asdict(delivery)
    number = values.pop("number")
    dated_id = None
    if number is not None:
        dated_id = session.scalar(
            select(DatedEdition.id).where(DatedEdition.campaign_id == campaign_id, DatedEdition.number == number)
        )
        if dated_id is None:
            raise UnknownDatedEdition(number)
    return {**values, "dated_edition_id": dated_id}


def _is_living(campaign_id: UUID, delivery_id: UUID) -> ColumnElement[bool]:
    return and_(Delivery.id == delivery_id, Delivery.campaign_id == campaign_id, Delivery.removed_at.is_(None))


def _record(session: Session, what: str, campaign_id: UUID, account_id: UUID, now: datetime, **details: object) -> None:
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
