"""Offices: a member's staff are invited by mail to the counts of one campaign, join, and lose the way in again."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from app.actions.accounts import find_or_create_account, make_account_key
from app.actions.records import record
from app.actions.signing_in import admit_account
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, Campaign, Letter, Office, OfficeStaff, Record, Sponsor
from app.queries.offices import find_invited, is_living
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.actions.signing_in import Browser
    from app.core.keys import Keyring

#: For how long an office may come, unless the team says otherwise, and at the longest.
DEFAULT_DAYS: Final = 180
MOST_DAYS: Final = 400
#: More than an office has people for one petition, and no use to whoever would fill strangers' mailboxes.
MOST_STAFF: Final = 20
INVITATIONS_A_DAY: Final = 30
LETTERS_A_PERSON: Final = 3
OPENING_NOTED_EVERY: Final = timedelta(hours=1)
_ONE_DAY: Final = timedelta(days=1)


class OfficeNotFound(Exception):
    """There is no such office, or nobody of that name in it, or not any more."""


class CampaignNotPublished(Exception):
    """What is not public has no count to show."""


class TooManyInvited(Exception):
    """As many people are of this office as can be, or as many letters were sent as may be in a day or to one person."""


class OfficeLinkDead(Exception):
    """No letter held this link, or it was used, is too old, or was taken back."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Who may see which campaign, and whether that browser is signed in: whoever had an account signs in as ever."""

    account_id: UUID
    slug: str
    is_signed_in: bool


def invite_to_office(
    session: Session,
    *,
    campaign_id: UUID,
    office_id: UUID,
    staff_id: UUID,
    name: str,
    email: str,
    locale: str,
    expires_at: datetime,
    keyring: Keyring,
    now: datetime,
    account_id: UUID | None,
) -> None:
    """Ask an address to an office; a new ``office_id`` makes the office, with its ``name`` and end.

    An address that waits gets another letter, one that has joined nothing; the same form (``staff_id``) does nothing a
    second time. Raises CampaignNotPublished, OfficeNotFound, TooManyInvited.
    """
    _lock(session, campaign_id)
    # Whoever is in stays so where a campaign is stopped; nobody else comes.
    if session.scalar(select(Campaign.state).where(Campaign.id == campaign_id)) not in PUBLIC_STATES - {"stopped"}:
        raise CampaignNotPublished
    _make_office(session, campaign_id, office_id, name, expires_at, account_id, now)
    _see_that_living(session, campaign_id, office_id, now)
    key = make_account_key(session, keyring=keyring, now=now)
    email_index = key.index("email", canonical_email(email))
    known = session.execute(
        select(OfficeStaff.id, OfficeStaff.state).where(
            OfficeStaff.office_id == office_id,
            OfficeStaff.email_index == email_index,
            OfficeStaff.state.in_(("invited", "joined")),
        )
    ).first()
    if known is not None:
        if known.state == "invited" and known.id != staff_id:
            resend_invitation(session, campaign_id=campaign_id, staff_id=known.id, now=now, account_id=account_id)
        return
    _see_that_room(session, campaign_id, office_id, now)
    row = {
        "id": staff_id,
        "office_id": office_id,
        "email": key.seal("office_staff.email", staff_id, email),
        "email_index": email_index,
        "locale": locale,
        "state": "invited",
        "invited_at": now,
    }
    statement = insert_if_absent(cast("Table", OfficeStaff.__table__), dialect_of(session))
    if session.connection().execute(statement, row).rowcount != 1:
        return  # the same form once more
    _owe_invitation(session, campaign_id, staff_id, locale, number=1, now=now)
    _note(session, "office_invited", campaign_id, account_id, now, office_id=office_id, staff_id=staff_id)


def resend_invitation(
    session: Session, *, campaign_id: UUID, staff_id: UUID, now: datetime, account_id: UUID | None
) -> None:
    """Send somebody who has not joined another link. Raises OfficeNotFound, TooManyInvited."""
    _lock(session, campaign_id)
    staff = _find_staff(session, campaign_id, staff_id, ("invited",), now)
    letters = session.scalars(
        select(func.count()).where(Letter.kind == "office_invitation", Letter.subject_id == staff_id)
    ).one()
    if letters >= LETTERS_A_PERSON:
        raise TooManyInvited
    staff.invited_at = now
    _owe_invitation(session, campaign_id, staff_id, staff.locale, number=letters + 1, now=now)
    _note(session, "office_invited", campaign_id, account_id, now, office_id=staff.office_id, staff_id=staff_id)


def remove_staff(
    session: Session, *, campaign_id: UUID, staff_id: UUID, now: datetime, account_id: UUID | None
) -> None:
    """Let somebody in no more, from their next request on. Raises OfficeNotFound."""
    _lock(session, campaign_id)
    staff = _find_staff(session, campaign_id, staff_id, ("invited", "joined"), now)
    _end_staff(session, campaign_id, [staff_id], now)
    _note(session, "office_removed", campaign_id, account_id, now, office_id=staff.office_id, staff_id=staff_id)


def revoke_office(
    session: Session, *, campaign_id: UUID, office_id: UUID, now: datetime, account_id: UUID | None
) -> None:
    """Let nobody of an office in any more, from their next request on. Raises OfficeNotFound."""
    _lock(session, campaign_id)
    revoked = session.scalar(
        update(Office)
        .where(Office.id == office_id, Office.campaign_id == campaign_id, Office.revoked_at.is_(None))
        .values(revoked_at=now, revoked_by=account_id)
        .returning(Office.id)
    )
    if revoked is None:
        raise OfficeNotFound
    ids = session.scalars(
        select(OfficeStaff.id).where(OfficeStaff.office_id == office_id, OfficeStaff.state.in_(("invited", "joined")))
    ).all()
    _end_staff(session, campaign_id, ids, now)
    _note(session, "office_revoked", campaign_id, account_id, now, office_id=office_id)


def invite_from_terminal(
    session: Session,
    *,
    slug: str,
    email: str,
    name: str,
    locale: str,
    days: int,
    keyring: Keyring,
    now: datetime,
) -> str:
    """Ask an address to the office of this name, else to that of the member who carries the campaign; return its name.

    A living office is taken as it is, and made where there is none. Raises CampaignNotPublished, TooManyInvited.
    """
    campaign_id = _find_published(session, slug)
    carrier = select(Sponsor.name).where(Sponsor.campaign_id == campaign_id, Sponsor.state == "accepted")
    called = name or session.scalar(carrier) or email.rpartition("@")[2]
    living = select(Office.id).where(Office.campaign_id == campaign_id, Office.name == called, is_living(now))
    invite_to_office(
        session,
        campaign_id=campaign_id,
        office_id=session.scalar(living.order_by(Office.created_at).limit(1)) or uuid4(),
        staff_id=uuid4(),
        name=called,
        email=email,
        locale=locale,
        expires_at=now + timedelta(days=days),
        keyring=keyring,
        now=now,
        account_id=None,
    )
    return called


def revoke_from_terminal(session: Session, *, slug: str, email: str, keyring: Keyring, now: datetime) -> int:
    """Let an address in no more, whatever offices it is of; return of how many it was. Raises CampaignNotPublished."""
    campaign_id = _find_published(session, slug)
    email_index = make_account_key(session, keyring=keyring, now=now).index("email", canonical_email(email))
    ids = session.scalars(
        select(OfficeStaff.id)
        .join(Office, Office.id == OfficeStaff.office_id)
        .where(
            Office.campaign_id == campaign_id,
            OfficeStaff.email_index == email_index,
            OfficeStaff.state.in_(("invited", "joined")),
            is_living(now),
        )
    ).all()
    for staff_id in ids:
        remove_staff(session, campaign_id=campaign_id, staff_id=staff_id, now=now, account_id=None)
    return len(ids)


def join_office(session: Session, *, token: str, browser: Browser, keyring: Keyring, now: datetime) -> Joined:
    """Join with the mailbox that the link proves, once; a new account is signed in with it. Raises OfficeLinkDead."""
    found = find_invited(session, token=token, now=now)
    if found is None:
        raise OfficeLinkDead
    _lock(session, found.campaign_id)
    staff = session.execute(
        update(OfficeStaff)
        .where(OfficeStaff.id == found.staff_id, OfficeStaff.state == "invited")
        # Whoever is invited says who they are with the button; the account follows in the same transaction.
        .values(joined_at=now)
        .returning(OfficeStaff.email, OfficeStaff.email_index, OfficeStaff.locale, OfficeStaff.office_id)
    ).first()
    if staff is None or staff.email is None:
        raise OfficeLinkDead
    email = make_account_key(session, keyring=keyring, now=now).open("office_staff.email", found.staff_id, staff.email)
    is_known = session.scalar(select(Account.id).where(Account.email_index == staff.email_index)) is not None
    account_id = find_or_create_account(session, email=email, locale=staff.locale, keyring=keyring, now=now)
    if session.scalar(select(Account.state).where(Account.id == account_id)) != "active":
        raise OfficeLinkDead
    session.execute(
        update(OfficeStaff).where(OfficeStaff.id == found.staff_id).values(state="joined", account_id=account_id)
    )
    _note(
        session,
        "office_joined",
        found.campaign_id,
        account_id,
        now,
        office_id=staff.office_id,
        staff_id=found.staff_id,
    )
    slug = session.scalars(select(Campaign.slug).where(Campaign.id == found.campaign_id)).one()
    if is_known:
        # It opens no more than it says: whoever organises or moderates, too, signs in as ever.
        return Joined(account_id, slug, is_signed_in=False)
    admit_account(session, account_id=account_id, browser=browser, by="office", now=now)
    return Joined(account_id, slug, is_signed_in=True)


def note_opening(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Put on record that somebody of an office looked, once an hour however often they do."""
    lately = select(Record.id).where(
        Record.what == "office_opened",
        Record.campaign_id == campaign_id,
        Record.account_id == account_id,
        Record.at > now - OPENING_NOTED_EVERY,
    )
    if session.scalar(lately.limit(1)) is None:
        record(session, what="office_opened", now=now, account_id=account_id, campaign_id=campaign_id)


def _find_published(session: Session, slug: str) -> UUID:
    found = session.scalar(select(Campaign.id).where(Campaign.slug == slug, Campaign.state.in_(PUBLIC_STATES)))
    if found is None:
        raise CampaignNotPublished
    return found


def _lock(session: Session, campaign_id: UUID) -> None:
    """Let one change of a campaign's offices pass at a time, as for its team."""
    session.execute(select(Campaign.id).where(Campaign.id == campaign_id).with_for_update(key_share=True))


def _make_office(  # noqa: PLR0917 - what each office has
    session: Session,
    campaign_id: UUID,
    office_id: UUID,
    name: str,
    expires_at: datetime,
    account_id: UUID | None,
    now: datetime,
) -> None:
    row = {
        "id": office_id,
        "campaign_id": campaign_id,
        "name": name,
        "created_at": now,
        "created_by": account_id,
        "expires_at": min(expires_at, now + timedelta(days=MOST_DAYS)),
    }
    session.connection().execute(insert_if_absent(cast("Table", Office.__table__), dialect_of(session)), row)


def _see_that_living(session: Session, campaign_id: UUID, office_id: UUID, now: datetime) -> None:
    own = select(Office.id).where(Office.id == office_id, Office.campaign_id == campaign_id, is_living(now))
    if session.scalar(own) is None:
        raise OfficeNotFound


def _see_that_room(session: Session, campaign_id: UUID, office_id: UUID, now: datetime) -> None:
    people = select(func.count()).where(
        OfficeStaff.office_id == office_id, OfficeStaff.state.in_(("invited", "joined"))
    )
    sent_today = (
        select(func.count())
        .select_from(OfficeStaff)
        .join(Office, Office.id == OfficeStaff.office_id)
        .where(Office.campaign_id == campaign_id, OfficeStaff.invited_at > now - _ONE_DAY)
    )
    if session.scalars(people).one() >= MOST_STAFF or session.scalars(sent_today).one() >= INVITATIONS_A_DAY:
        raise TooManyInvited


def _find_staff(
    session: Session, campaign_id: UUID, staff_id: UUID, states: Sequence[str], now: datetime
) -> OfficeStaff:
    staff = session.scalars(
        select(OfficeStaff)
        .join(Office, Office.id == OfficeStaff.office_id)
        .where(
            OfficeStaff.id == staff_id,
            OfficeStaff.state.in_(states),
            Office.campaign_id == campaign_id,
            is_living(now),
        )
    ).first()
    if staff is None:
        raise OfficeNotFound
    return staff


def _end_staff(session: Session, campaign_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    ended = session.execute(
        update(OfficeStaff)
        .where(OfficeStaff.id.in_(ids))
        # Noise in place of the index: only who is of an office is to be recognised.
        .values(state="removed", ended_at=now, email=None, email_index=secrets.token_bytes(32))
        .returning(OfficeStaff.id, OfficeStaff.account_id, OfficeStaff.locale)
    ).all()
    for each in ended:
        if each.account_id is not None:
            owe_letter(
                session,
                kind="office_notice",
                dedupe_key=f"office_notice:{each.id.hex}",
                locale=each.locale,
                now=now,
                campaign_id=campaign_id,
                account_id=each.account_id,
                subject_id=each.id,
            )


def _owe_invitation(
    session: Session, campaign_id: UUID, staff_id: UUID, locale: str, *, number: int, now: datetime
) -> None:
    owe_letter(
        session,
        kind="office_invitation",
        dedupe_key=f"office_invitation:{staff_id.hex}:{number}",
        locale=locale,
        now=now,
        campaign_id=campaign_id,
        subject_id=staff_id,
    )


def _note(
    session: Session, what: str, campaign_id: UUID, account_id: UUID | None, now: datetime, **details: UUID
) -> None:
    hexed = {name.removesuffix("_id"): value.hex for name, value in details.items()}
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=hexed)
