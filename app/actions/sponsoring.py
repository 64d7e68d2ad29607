"""Members who carry a petition: proposed by its team and asked by letter; they accept, decline, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import delete, func, select, update

from app.actions.campaigns import CampaignCannotMove
from app.actions.records import record
from app.actions.telling import tell_office, tell_owners
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Campaign, Letter, Sponsor, Token, open_campaign_key
from app.queries.life import find_shown_texts
from app.queries.sponsoring import count_askings_left
from app.rules.life import ASKING_LASTS, start_of_day
from app.rules.texts import edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement, Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring

#: The states in which a member may be asked, may answer and may leave: it is not presented yet.
ASKABLE_STATES: Final = ("draft", "review", "scheduled", "open", "closed")
#: Where the House of Commons sits: a dissolution is of its calendar.
PARLIAMENT_ZONE: Final = "America/Toronto"
DISSOLVED: Final = "dissolved"
_ONE_DAY: Final = timedelta(days=1)


class SponsorStands(Exception):
    """A member is being asked already, or has accepted."""


class SponsorMoved(Exception):
    """The member's answer, or the team, came first; the message is the state that it stands in."""


class TooManyAskings(Exception):
    """As many members were asked as the form allows."""


class SponsorLinkUnknown(Exception):
    """No letter of ours holds this link, or it has expired."""


class ShownTextChanged(Exception):
    """The text is not the one that the office was shown."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who is to be asked. ``locale`` is of the letters to the office: en or fr."""

    name: str
    titles: Mapping[str, str]
    district: str
    party: str
    email: str
    locale: str


def propose_sponsor(
    session: Session,
    *,
    campaign_id: UUID,
    sponsor_id: UUID,
    proposal: Proposal,
    keyring: Keyring,
    account_id: UUID,
    now: datetime,
) -> None:
    """Note whom to ask, or change it while nobody was asked. Raises SponsorStands, CampaignCannotMove.

    ``sponsor_id`` is made when the form is shown: sent twice, it is one proposal.
    """
    _see_that_askable(session, campaign_id)
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    if key is None:
        raise CampaignCannotMove(_state(session, campaign_id))
    values: dict[str, Any] = {
        "name": proposal.name,
        "titles": dict(proposal.titles),
        "district": proposal.district or None,
        "party": proposal.party or None,
        "email": key.seal("sponsors.email", sponsor_id, proposal.email),
        "locale": proposal.locale,
    }
    own = (Sponsor.id == sponsor_id, Sponsor.campaign_id == campaign_id)
    changed = session.scalar(
        update(Sponsor).where(*own, Sponsor.state == "proposed").values(**values).returning(Sponsor.id)
    )
    if changed is not None:
        return
    if session.scalar(select(Sponsor.id).where(*own)) is not None:
        return  # an old form, sent again after they were asked
    session.execute(delete(Sponsor).where(Sponsor.campaign_id == campaign_id, Sponsor.state == "proposed"))
    inserted = session.connection().execute(
        insert_if_absent(cast("Table", Sponsor.__table__), dialect_of(session)),
        {"id": sponsor_id, "campaign_id": campaign_id, "state": "proposed", **values},
    )
    if inserted.rowcount != 1:
        raise SponsorStands
    record(session, what="sponsor_proposed", now=now, account_id=account_id, campaign_id=campaign_id)


def remove_proposal(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Forget whom it was meant to ask, before anybody was."""
    removed = session.scalar(
        delete(Sponsor).where(Sponsor.campaign_id == campaign_id, Sponsor.state == "proposed").returning(Sponsor.id)
    )
    if removed is not None:
        record(session, what="sponsor_removed", now=now, account_id=account_id, campaign_id=campaign_id)


def ask_sponsor(session: Session, *, campaign_id: UUID, sponsor_id: UUID, account_id: UUID, now: datetime) -> None:
    """Send the letter. Raises CampaignCannotMove, TooManyAskings, SponsorMoved."""
    campaign = _see_that_askable(session, campaign_id)
    if count_askings_left(session, campaign_id=campaign_id, form=campaign.form) == 0:
        raise TooManyAskings
    locale = session.scalar(
        update(Sponsor)
        .where(
            Sponsor.id == sponsor_id,
            Sponsor.campaign_id == campaign_id,
            Sponsor.state == "proposed",
            Sponsor.email.is_not(None),
        )
        .values(state="asked", asked_at=now, expires_at=now + ASKING_LASTS)
        .returning(Sponsor.locale)
    )
    if locale is None:
        raise SponsorMoved(_sponsor_state(session, sponsor_id))
    owe_letter(
        session,
        kind="sponsor_request",
        dedupe_key=f"sponsor_request:{sponsor_id}",
        locale=locale,
        now=now,
        campaign_id=campaign_id,
        subject_id=sponsor_id,
    )
    _tell(session, campaign_id, sponsor_id, "sponsor_asked", now=now, account_id=account_id)


def withdraw_asking(session: Session, *, campaign_id: UUID, sponsor_id: UUID, account_id: UUID, now: datetime) -> None:
    """Take back what was asked; the office is told. Raises SponsorMoved."""
    _end(session, sponsor_id, "asked", "withdrawn", now, Sponsor.campaign_id == campaign_id)
    line = _tell(session, campaign_id, sponsor_id, "sponsor_withdrawn", now=now, account_id=account_id)
    tell_office(session, sponsor_id=sponsor_id, news="withdrawn", line=line, now=now)


def release_sponsor(
    session: Session, *, campaign_id: UUID, sponsor_id: UUID, because: str, account_id: UUID, now: datetime
) -> None:
    """Record, for the team, that a member no longer carries it. Raises CampaignCannotMove, SponsorMoved."""
    _see_that_askable(session, campaign_id)
    _end(session, sponsor_id, "accepted", "left", now, Sponsor.campaign_id == campaign_id, because=because)
    line = _tell(session, campaign_id, sponsor_id, "sponsor_left", now=now, account_id=account_id)
    tell_office(session, sponsor_id=sponsor_id, news="left", line=line, now=now)


def accept_sponsorship(session: Session, *, token: str, text_hash: str, now: datetime) -> str:
    """Carry the petition, as an office says with its link; return the campaign's slug. A second time is the same.

    Raises SponsorLinkUnknown, ShownTextChanged, CampaignCannotMove, SponsorMoved.
    """
    sponsor_id, campaign_id = _find_by_token(session, token, now)
    if _sponsor_state(session, sponsor_id) == "accepted":
        return _slug(session, campaign_id)
    _see_that_askable(session, campaign_id)
    if edition_hash(find_shown_texts(session, campaign_id=campaign_id)) != text_hash:
        raise ShownTextChanged
    _end(session, sponsor_id, "asked", "accepted", now, Sponsor.expires_at > now)
    line = _tell(session, campaign_id, sponsor_id, "sponsor_accepted", now=now, more={"hash": text_hash})
    tell_office(session, sponsor_id=sponsor_id, news="accepted", line=line, now=now)
    return _slug(session, campaign_id)


def decline_sponsorship(session: Session, *, token: str, because: str, now: datetime) -> None:
    """Not carry it; the reason, if any, goes to the team. Raises SponsorLinkUnknown, SponsorMoved."""
    sponsor_id, campaign_id = _find_by_token(session, token, now)
    if _sponsor_state(session, sponsor_id) == "declined":
        return
    _end(session, sponsor_id, "asked", "declined", now, Sponsor.expires_at > now, because=because)
    _tell(session, campaign_id, sponsor_id, "sponsor_declined", now=now)


def leave_sponsorship(session: Session, *, token: str, because: str, now: datetime) -> str:
    """Carry it no longer, as the office says with its link; return the campaign's slug.

    Raises SponsorLinkUnknown, CampaignCannotMove, SponsorMoved.
    """
    sponsor_id, campaign_id = _find_by_token(session, token, now)
    if _sponsor_state(session, sponsor_id) != "left":
        _see_that_askable(session, campaign_id)
        _end(session, sponsor_id, "accepted", "left", now, because=because)
        _tell(session, campaign_id, sponsor_id, "sponsor_left", now=now)
    return _slug(session, campaign_id)


def expire_askings(session: Session, *, now: datetime) -> int:
    """End the askings that nobody answered in time; return how many."""
    expired = session.execute(
        update(Sponsor)
        .where(Sponsor.state == "asked", Sponsor.expires_at <= now)
        .values(state="expired", answered_at=now)
        .returning(Sponsor.id, Sponsor.campaign_id)
    ).all()
    for each in expired:
        _tell(session, each.campaign_id, each.id, "sponsor_expired", now=now)
    return len(expired)


def dissolve_parliament(session: Session, *, dissolved_on: date, now: datetime) -> int:
    """End what members of a dissolved Parliament carry that is not presented yet; return how many ended.

    Signing goes on: ours are not signatures of the House. Whoever was asked after the day of the dissolution stays.
    """
    end_of_day = start_of_day(dissolved_on + _ONE_DAY, PARLIAMENT_ZONE)
    campaigns = select(Campaign.id).where(
        Campaign.form == "commons", Campaign.state.not_in(("presented", "answered")), Campaign.presented_on.is_(None)
    )
    ended = session.execute(
        update(Sponsor)
        .where(
            Sponsor.campaign_id.in_(campaigns),
            Sponsor.state.in_(("asked", "accepted")),
            func.coalesce(Sponsor.asked_at, Sponsor.answered_at) < end_of_day,
        )
        .values(state="left", reason=DISSOLVED, answered_at=now)
        .returning(Sponsor.id, Sponsor.campaign_id)
        .execution_options(synchronize_session=False)
    ).all()
    for each in ended:
        more = {"day": dissolved_on.isoformat()}
        _tell(session, each.campaign_id, each.id, "sponsor_dissolved", now=now, more=more)
    return len(ended)


def _end(
    session: Session,
    sponsor_id: UUID,
    leaves: str,
    reaches: str,
    now: datetime,
    *guards: ColumnElement[bool],
    because: str = "",
) -> None:
    moved = session.scalar(
        update(Sponsor)
        .where(Sponsor.id == sponsor_id, Sponsor.state == leaves, *guards)
        .values(state=reaches, answered_at=now, reason=because or None)
        .returning(Sponsor.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise SponsorMoved(_sponsor_state(session, sponsor_id))


def _tell(
    session: Session,
    campaign_id: UUID,
    sponsor_id: UUID,
    what: str,
    *,
    now: datetime,
    account_id: UUID | None = None,
    more: Mapping[str, str] | None = None,
) -> int:
    details = {"sponsor": str(sponsor_id), **(more or {})}
    line = record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    tell_owners(session, campaign_id=campaign_id, line=line, now=now)
    return line


def _find_by_token(session: Session, token: str, now: datetime) -> tuple[UUID, UUID]:
    row = session.execute(
        select(Sponsor.id, Sponsor.campaign_id)
        .join(Letter, Letter.subject_id == Sponsor.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(
            Token.hash == tokens.hash_token("sponsor", token),
            Token.purpose == "sponsor",
            (Token.expires_at > now) | Token.expires_at.is_(None),
        )
    ).first()
    if row is None:
        raise SponsorLinkUnknown
    return row.id, row.campaign_id


def _see_that_askable(session: Session, campaign_id: UUID) -> Campaign:
    campaign = session.scalars(
        select(Campaign).where(Campaign.id == campaign_id).execution_options(populate_existing=True)
    ).one()
    if campaign.state not in ASKABLE_STATES:
        raise CampaignCannotMove(campaign.state)
    return campaign


def _state(session: Session, campaign_id: UUID) -> str:
    return session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()


def _slug(session: Session, campaign_id: UUID) -> str:
    return session.scalars(select(Campaign.slug).where(Campaign.id == campaign_id)).one()


def _sponsor_state(session: Session, sponsor_id: UUID) -> str:
    return session.scalar(select(Sponsor.state).where(Sponsor.id == sponsor_id)) or "gone"
