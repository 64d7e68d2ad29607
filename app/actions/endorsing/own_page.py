"""What somebody who speaks for an organisation does on its own page, behind the link in every letter to them."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import uuid4

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from app.actions.endorsing.forms import LETTERS_APART, LETTERS_EACH
from app.actions.endorsing.rows import (
    LIVING,
    NO_DETAILS,
    EndorsementMoved,
    HandedOverLately,
    TextMoved,
    end_links,
    find_own,
    forget_pictures,
    move_endorsement,
)
from app.actions.endorsing.telling import address_of, note, notify, owe, tell_moderators, tell_team
from app.core.db import dialect_of, insert_if_absent
from app.models import AuthorityLetter, Edition, EndorsementRenewal, Letter, Logo, open_campaign_key

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.models import Endorsement

_DAY: Final = timedelta(hours=24)


def withdraw_endorsement(session: Session, *, token: str, now: datetime) -> None:
    """Withdraw an organisation, at whatever stage, and empty what is held of its representative; twice is once.

    Dated editions that it stands in stay as they are. Raises EndorsementLinkUnknown, EndorsementMoved.
    """
    endorsement = find_own(session, token)
    was = endorsement.state
    if was == "withdrawn":
        return
    if was not in {"asked", *LIVING}:
        raise EndorsementMoved(was)
    move_endorsement(session, endorsement, ("asked", *LIVING), state="withdrawn", ended_at=now, **NO_DETAILS)
    forget_pictures(session, endorsement.id)
    line = note(session, endorsement, "endorsement_withdrawn", now=now, details={"was": was})
    if was != "asked":
        tell_team(session, endorsement, "withdrawn", line, now)


def hand_over_endorsement(
    session: Session,
    *,
    token: str,
    representative: str,
    role: str,
    email: str,
    keyring: Keyring,
    now: datetime,
) -> None:
    """Name who is to speak for the organisation next; they do once they confirm from their own mailbox.

    Until then nothing changes, and naming somebody else ends the first one's link. Whatever the form says, it is one
    letter a minute and so many a day. Raises EndorsementLinkUnknown, EndorsementMoved, HandedOverLately.
    """
    endorsement = find_own(session, token, LIVING)
    key = open_campaign_key(session, campaign_id=endorsement.campaign_id, keyring=keyring)
    if key is None:
        raise EndorsementMoved(endorsement.state)
    successor = {"representative": representative, "role": role, "email": email}
    if endorsement.successor is not None:
        before = json.loads(key.open("endorsements.successor", endorsement.id, endorsement.successor))
        if successor.items() <= before.items() and before["at"] > (now - LETTERS_APART).isoformat():
            return  # the same form again
    _see_that_seldom(session, endorsement, now)
    which = uuid4().hex
    sealed = key.seal(
        "endorsements.successor", endorsement.id, json.dumps({**successor, "id": which, "at": now.isoformat()})
    )
    move_endorsement(session, endorsement, LIVING, successor=sealed)
    end_links(session, endorsement.id, "endorse")
    owe(
        session,
        kind="endorse",
        dedupe_key=f"endorse:{endorsement.id}:successor:{which}",
        to=address_of(endorsement),
        now=now,
    )
    line = note(session, endorsement, "endorsement_handing_over", now=now)
    notify(session, endorsement, "handing_over", line, now)


def _see_that_seldom(session: Session, endorsement: Endorsement, now: datetime) -> None:
    lately = session.execute(
        select(func.count().label("letters"), func.max(Letter.created_at).label("last")).where(
            Letter.campaign_id == endorsement.campaign_id,
            Letter.kind == "endorse",
            Letter.dedupe_key.startswith(f"endorse:{endorsement.id}:successor:"),
            Letter.created_at > now - _DAY,
        )
    ).one()
    if lately.letters >= LETTERS_EACH or (lately.last is not None and lately.last > now - LETTERS_APART):
        raise HandedOverLately


def renew_endorsement(session: Session, *, token: str, now: datetime, shown: str | None = None) -> int:
    """Keep an organisation's yes to the current text, once, and return the text's number; it stays bound to its own.

    ``shown`` is the hash of the text on the page that was pressed. Raises EndorsementLinkUnknown, EndorsementMoved,
    TextMoved.
    """
    endorsement = find_own(session, token, LIVING)
    current = session.execute(
        select(Edition.id, Edition.number, Edition.hash)
        .where(Edition.campaign_id == endorsement.campaign_id)
        .order_by(Edition.number.desc())
        .limit(1)
    ).first()
    if current is None or (shown is not None and shown != current.hash):
        raise TextMoved
    number: int = current.number
    if current.id == endorsement.edition_id:
        return number
    renewed = session.connection().execute(
        insert_if_absent(cast("Table", EndorsementRenewal.__table__), dialect_of(session)),
        {"endorsement_id": endorsement.id, "edition_id": current.id, "at": now},
    )
    if renewed.rowcount == 1:
        note(session, endorsement, "endorsement_renewed", now=now, details={"number": number})
    return number


def keep_logo(session: Session, *, token: str, picture: bytes, width: int, height: int, now: datetime) -> None:
    """Keep an organisation's sign, as app/documents/pictures.py has drawn it anew, in place of what there was.

    Its representative consents with the form that sends it. Raises EndorsementLinkUnknown, EndorsementMoved.
    """
    endorsement = find_own(session, token, LIVING)
    sha256 = hashlib.sha256(picture).hexdigest()
    values = {"content": picture, "sha256": sha256, "width": width, "height": height, "consented_at": now}
    module = postgresql if dialect_of(session) == "postgresql" else sqlite
    session.execute(
        module.insert(Logo)
        .values(endorsement_id=endorsement.id, **values)
        .on_conflict_do_update(index_elements=[Logo.endorsement_id], set_=values)
    )
    note(session, endorsement, "endorsement_logo_kept", now=now)


def remove_logo(session: Session, *, token: str, now: datetime) -> None:
    """Delete an organisation's sign; it is nowhere from the next page on. Raises EndorsementLinkUnknown."""
    endorsement = find_own(session, token)
    removed = session.scalar(delete(Logo).where(Logo.endorsement_id == endorsement.id).returning(Logo.endorsement_id))
    if removed is not None:
        note(session, endorsement, "endorsement_logo_removed", now=now)


def send_authority_letter(
    session: Session, *, token: str, content: bytes, media_type: str, keyring: Keyring, now: datetime
) -> None:
    """Keep, sealed, a letter that says who may sign for the organisation, for a moderator to read.

    ``content`` is what we have drawn anew of it. Another one takes the place of one that was not decided yet.
    Raises EndorsementLinkUnknown, EndorsementMoved.
    """
    endorsement = find_own(session, token, ("waiting",))
    key = open_campaign_key(session, campaign_id=endorsement.campaign_id, keyring=keyring)
    if key is None:
        raise EndorsementMoved(endorsement.state)
    # Whoever is reading the one before decides nothing about this one: it has an id of its own.
    session.execute(
        delete(AuthorityLetter).where(
            AuthorityLetter.endorsement_id == endorsement.id, AuthorityLetter.state == "waiting"
        )
    )
    letter_id = uuid4()
    row = {
        "id": letter_id,
        "endorsement_id": endorsement.id,
        "content": key.seal("authority_letters.content", letter_id, b64encode(content).decode()),
        "media_type": media_type,
        "state": "waiting",
        "sent_at": now,
    }
    session.execute(insert(AuthorityLetter), row)
    note(session, endorsement, "authority_letter_sent", now=now)
    tell_moderators(session, endorsement.campaign_id, letter_id, now)
