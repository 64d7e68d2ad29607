"""The life of a campaign: each move is one guarded update, a line of the record, and letters to those concerned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from sqlalchemy import case, delete, exists, insert, select, update

from app.actions.accounts import find_or_create_account, make_account_key
from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
from app.actions.drafts import freeze_edition
from app.actions.endorsing import ask_endorsers_again
from app.actions.records import record
from app.actions.sponsoring import expire_askings
from app.actions.supporting import tell_supporters
from app.actions.switching import settle_pauses
from app.actions.teams import INVITATION_LASTS
from app.actions.telling import tell_owners, tell_sponsor
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, Appeal, Campaign, DatedEdition, Edition, Endorsement, Invitation, Member, PaperBatch
from app.queries.life import find_review_version, find_texts_to_publish, list_lacks, standing_of
from app.rules.answers import answer_due_on
from app.rules.appeals import GROUNDS
from app.rules.life import last_day, local_day
from app.rules.moves import (
    APPROVED_UNSEEN,
    CLOSED_BY_DATE,
    EMBARGO_ENDED,
    OPENED_BY_DATE,
    Choice,
    DateRefused,
    MoveRefused,
    make_move,
    settle,
)
from app.rules.normalise import canonical_email
from app.rules.permissions import STAFF, StaffPermission
from app.rules.texts import CampaignText, edition_hash, substance_hash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.preflight import Finding

#: Moves of which the member who carries a petition is told, and what the letter calls them.
TOLD_TO_SPONSOR: Final[Mapping[str, str]] = {
    "approve": "opened",
    "release": "opened",
    EMBARGO_ENDED: "opened",
    "close": "closed",
    CLOSED_BY_DATE: "closed",
    "reopen": "resumed",
    "stop": "stopped",
    "resume": "resumed",
}
#: What moves change of a campaign's row, as `Standing` names it.
_COLUMNS: Final = (
    "state", "opens_at", "closes_at", "closed_early_at", "planned_opens_at", "planned_closes_at", "presented_on",
    "answered_on", "embargo_until",
)  # fmt: skip


class NotReady(Exception):
    """The campaign lacks what review, or publishing, needs."""

    def __init__(self, lacks: Sequence[Finding]) -> None:
        """Keep what is missing for the door that answers."""
        super().__init__(len(lacks))
        self.lacks = tuple(lacks)


class ReviewChanged(Exception):
    """The text or the settings are not those that the moderator read."""


class ReviewerIsOfTeam(Exception):
    """A moderator does not judge a campaign of their own team."""


def submit_campaign(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Ask for review. Raises NotReady with all that is missing, CampaignCannotMove."""
    campaign = _get_campaign(session, campaign_id)
    if campaign.state == "draft":
        lacks = list_lacks(session, campaign_id=campaign_id, now=now)
        if lacks:
            raise NotReady(lacks)
    line = _move(session, campaign, "submit", now=now, account_id=account_id, values={"submitted_at": now})
    roles = [role for role, allowed in STAFF.items() if StaffPermission.REVIEW in allowed]
    reviewers = session.execute(
        select(Account.id, Account.locale).where(Account.role.in_(roles), Account.state == "active")
    )
    for reviewer in reviewers:
        owe_letter(
            session,
            kind="review_request",
            dedupe_key=f"review_request:{line}:{reviewer.id}",
            locale=reviewer.locale,
            now=now,
            campaign_id=campaign_id,
            account_id=reviewer.id,
            subject_id=UUID(int=line),
        )


def move_campaign(
    session: Session,
    *,
    campaign_id: UUID,
    name: str,
    account_id: UUID,
    now: datetime,
    choice: Choice | None = None,
) -> None:
    """Make a move of the team's that needs no more than its name and a day.

    Those are recall, rework, close, reopen, extend, unpresent, unanswer. Raises CampaignCannotMove, DateRefused.
    """
    values: dict[str, Any] = {}
    if name == "unpresent":
        values = {"presented_by": None, "answer_due_on": None}
    campaign = _get_campaign(session, campaign_id)
    _move(session, campaign, name, now=now, account_id=account_id, choice=choice, values=values)


def present_campaign(
    session: Session, *, campaign_id: UUID, presented_on: date, presented_by: str, account_id: UUID, now: datetime
) -> None:
    """Record that it was presented, by whom, and start the answer clock where the House of Commons has one.

    Raises CampaignCannotMove, DateRefused.
    """
    campaign = _get_campaign(session, campaign_id)
    due_on = answer_due_on(presented_on) if campaign.form == "commons" else None
    _move(
        session,
        campaign,
        "present",
        now=now,
        account_id=account_id,
        choice=Choice(presented_on),
        values={"presented_by": presented_by, "answer_due_on": due_on},
    )


def record_answered(session: Session, *, campaign_id: UUID, answered_on: date, account_id: UUID, now: datetime) -> None:
    """Record that a presented campaign was answered. Raises CampaignCannotMove, DateRefused."""
    campaign = _get_campaign(session, campaign_id)
    _move(session, campaign, "answer", now=now, account_id=account_id, choice=Choice(answered_on))


def set_answer_due(session: Session, *, campaign_id: UUID, due_on: date, account_id: UUID, now: datetime) -> None:
    """Set the day by which an answer is due, where the House's calendar says otherwise.

    Raises CampaignCannotMove, DateRefused.
    """
    presented_on = _get_campaign(session, campaign_id).presented_on
    if presented_on is not None and due_on <= presented_on:
        raise DateRefused
    changed = session.scalar(
        update(Campaign)
        .where(Campaign.id == campaign_id, Campaign.state == "presented")
        .values(answer_due_on=due_on)
        .returning(Campaign.id)
    )
    if changed is None:
        raise CampaignCannotMove(_state(session, campaign_id))
    details = {"day": due_on.isoformat()}
    record(session, what="answer_date", now=now, account_id=account_id, campaign_id=campaign_id, details=details)


def approve_campaign(session: Session, *, campaign_id: UUID, version: str, account_id: UUID, now: datetime) -> str:
    """Publish what the moderator read and return the state it is in: under embargo nobody sees it yet.

    The complete languages become edition 1, dates are set, supporters are told once it is public. Raises
    ReviewerIsOfTeam, ReviewChanged, NotReady, ClosingPast, CampaignCannotMove.
    """
    campaign = _get_reviewed(session, campaign_id, account_id)
    if campaign.state == "review":
        if find_review_version(session, campaign_id=campaign_id) != version:
            raise ReviewChanged
        lacks = list_lacks(session, campaign_id=campaign_id, now=now)
        if lacks:
            raise NotReady(lacks)
    _move(session, campaign, "approve", now=now, account_id=account_id, values={"refused_because": None})
    _freeze_first(session, campaign, now=now, account_id=account_id)
    tell_supporters(session, campaign_id=campaign_id, now=now)
    return _state(session, campaign_id)


def send_back_campaign(session: Session, *, campaign_id: UUID, because: str, account_id: UUID, now: datetime) -> None:
    """Give it back to its team to be changed, with the reason. Raises ReviewerIsOfTeam, CampaignCannotMove."""
    campaign = _get_reviewed(session, campaign_id, account_id)
    _move(session, campaign, "send_back", now=now, account_id=account_id, values={"refused_because": because})
    _thaw(session, campaign_id)


def release_campaign(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Let everybody see a letter under embargo now, before its moment. Raises CampaignCannotMove."""
    campaign = _get_campaign(session, campaign_id)
    _move(session, campaign, "release", now=now, account_id=account_id)
    tell_supporters(session, campaign_id=campaign_id, now=now)


def call_off_campaign(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Make a letter under embargo a draft again, which nobody has seen. Raises CampaignCannotMove."""
    _move(session, _get_campaign(session, campaign_id), "call_off", now=now, account_id=account_id)
    _thaw(session, campaign_id)


def refuse_campaign(
    session: Session,
    *,
    campaign_id: UUID,
    because: str,
    account_id: UUID,
    now: datetime,
    rule: str = "other",
    is_titled: bool = False,
) -> None:
    """Refuse to publish it, with the reason for its team, and the rule that everybody is told.

    ``rule`` is a word of app/rules/refusals.py; ``is_titled``, that its title may stand beside it. Raises
    ReviewerIsOfTeam, CampaignCannotMove.
    """
    campaign = _get_reviewed(session, campaign_id, account_id)
    values = {"refused_because": because, "refused_rule": rule, "refused_at": now, "is_refusal_titled": is_titled}
    _move(session, campaign, "refuse", now=now, account_id=account_id, values=values)


def stop_campaign(session: Session, *, slug: str, because: str, now: datetime, account_id: UUID | None = None) -> None:
    """Stop a campaign for good reason, kept with it. Raises CampaignNotFound, CampaignCannotMove."""
    values = {"stopped_because": because, "stopped_at": now}
    _move(session, _get_by_slug(session, slug), "stop", now=now, account_id=account_id, values=values)


def resume_campaign(session: Session, *, slug: str, now: datetime, account_id: UUID | None = None) -> str:
    """Let a stopped campaign go on as its dates say; return its state. Raises CampaignNotFound, CampaignCannotMove."""
    campaign = _get_by_slug(session, slug)
    values = {"stopped_because": None, "stopped_at": None}
    _move(session, campaign, "resume", now=now, account_id=account_id, values=values)
    return _state(session, campaign.id)


def grant_appeal(session: Session, *, campaign_id: UUID, name: str, account_id: UUID, now: datetime) -> None:
    """Undo a refusal or a stop, with the move that ``name`` says; its owners are told with the answer to their appeal.

    Raises ReviewerIsOfTeam, CampaignCannotMove.
    """
    campaign = _get_reviewed(session, campaign_id, account_id)
    values = {"stopped_because": None, "stopped_at": None} if name == "resume" else {}
    _move(session, campaign, name, now=now, account_id=account_id, values=values, tells_owners=False)


def move_by_dates(session: Session, *, now: datetime) -> int:
    """End embargoes, open and close what is due; let askings lapse. Return how many campaigns moved.

    Signing and confirming are judged by the dates themselves: this only keeps the state that lists and pages show.
    What is held by a pause of signing stays open until that has ended: its date then moves by it.
    """
    settle_pauses(session, now=now)
    appeared = end_embargoes(session, now=now)
    closed = session.scalars(
        update(Campaign)
        .where(Campaign.state.in_(("scheduled", "open")), Campaign.closes_at <= now, Campaign.paused_at.is_(None))
        .values(state="closed")
        .returning(Campaign.id)
    ).all()
    opened = session.scalars(
        update(Campaign)
        .where(Campaign.state == "scheduled", Campaign.opens_at <= now)
        .values(state="open")
        .returning(Campaign.id)
    ).all()
    for what, moved in ((CLOSED_BY_DATE, closed), (OPENED_BY_DATE, opened)):
        for campaign_id in moved:
            _tell(session, campaign_id, what, now=now, account_id=None, details={})
    expire_askings(session, now=now)
    return len(appeared) + len(closed) + len(opened)


def end_embargoes(session: Session, *, now: datetime) -> list[UUID]:
    """Let everybody see the letters whose moment has come, as their dates say; return their ids.

    Two jobs at the same second, or a job and somebody who presses a button: the row takes one of them.
    """
    state = case((Campaign.closes_at <= now, "closed"), (Campaign.opens_at > now, "scheduled"), else_="open")
    appeared = session.scalars(
        update(Campaign)
        .where(Campaign.state == "embargoed", Campaign.embargo_until <= now)
        .values(state=state, planned_opens_at=None, planned_closes_at=None)
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    ).all()
    for campaign_id in appeared:
        _get_campaign(session, campaign_id)
        _tell(session, campaign_id, EMBARGO_ENDED, now=now, account_id=None, details={})
        tell_supporters(session, campaign_id=campaign_id, now=now)
    return list(appeared)


def rehome_campaign(session: Session, *, slug: str, email: str, locale: str, keyring: Keyring, now: datetime) -> UUID:
    """Make the account of an address, known or new, an owner of a campaign; the others are told. Return its id.

    Raises CampaignNotFound.
    """
    campaign = _get_by_slug(session, slug)
    account_id = find_or_create_account(session, email=email, locale=locale, keyring=keyring, now=now)
    session.execute(
        delete(Member).where(Member.campaign_id == campaign.id, Member.account_id == account_id, Member.role != "owner")
    )
    session.execute(
        insert_if_absent(cast("Table", Member.__table__), dialect_of(session)),
        {
            "campaign_id": campaign.id,
            "account_id": account_id,
            "role": "owner",
            "locales": [],
            "joined_at": now,
        },
    )
    _tell(session, campaign.id, "rehomed", now=now, account_id=None, details={})
    return account_id


def invite_owner(
    session: Session,
    *,
    campaign_id: UUID,
    invitation_id: UUID,
    email: str,
    locale: str,
    keyring: Keyring,
    account_id: UUID,
    now: datetime,
) -> None:
    """Ask an address, as an operator, to own a campaign whose owners are gone; these are told.

    Somebody of the team owns it at once. The same ``invitation_id``, or the address of an owner, changes nothing.
    """
    if session.scalar(select(Invitation.id).where(Invitation.id == invitation_id)) is not None:
        return
    key = make_account_key(session, keyring=keyring, now=now)
    email_index = key.index("email", canonical_email(email))
    member = session.scalars(
        select(Member)
        .join(Account, Account.id == Member.account_id)
        .where(Member.campaign_id == campaign_id, Account.email_index == email_index)
    ).first()
    if member is not None and member.role == "owner":
        return
    if member is not None:
        member.role, member.locales = "owner", []
        session.flush()
    else:
        session.execute(
            insert(Invitation),
            {
                "id": invitation_id,
                "campaign_id": campaign_id,
                "email_index": email_index,
                "email": key.seal("invitations.email", invitation_id, email),
                "role": "owner",
                "locales": [],
                "state": "sent",
                "locale": locale,
                "invited_by": account_id,
                "created_at": now,
                "expires_at": now + INVITATION_LASTS,
            },
        )
        owe_letter(
            session,
            kind="invitation",
            dedupe_key=f"invitation:{invitation_id}:1",
            locale=locale,
            now=now,
            campaign_id=campaign_id,
            subject_id=invitation_id,
        )
    details = {"invited": member is None}
    _tell(session, campaign_id, "rehomed", now=now, account_id=account_id, details=details)


def _move(
    session: Session,
    campaign: Campaign,
    name: str,
    *,
    now: datetime,
    account_id: UUID | None,
    choice: Choice | None = None,
    values: Mapping[str, Any] | None = None,
    tells_owners: bool = True,
) -> int:
    """Make a move where the campaign still stands as it was read; return the number of its line in the record."""
    if campaign.state == "embargoed" and settle(standing_of(campaign), now).state != "embargoed":
        # Its moment has come, whatever the clock's job has done so far: that is a move of its own.
        end_embargoes(session, now=now)
        session.refresh(campaign)
    before = standing_of(campaign)
    try:
        after = make_move(name, before, now, choice)
    except MoveRefused as refused:
        raise CampaignCannotMove(str(refused)) from None
    moved = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign.id,
            Campaign.state == before.state,
            Campaign.opens_at.is_not_distinct_from(before.opens_at),
            Campaign.closes_at.is_not_distinct_from(before.closes_at),
            Campaign.embargo_until.is_not_distinct_from(before.embargo_until),
        )
        .values({column: getattr(after, column) for column in _COLUMNS} | dict(values or {}))
        .returning(Campaign.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise CampaignCannotMove(_state(session, campaign.id))
    session.refresh(campaign)
    if before.state in GROUNDS:
        _let_appeals_lapse(session, campaign.id, now)
    details: dict[str, Any] = {"from": before.state, "to": after.state}
    if name in {"approve", "extend", "reopen"} and after.closes_at is not None:
        details["last_day"] = last_day(after.closes_at, after.timezone).isoformat()
    if choice is not None and choice.day is not None:
        details["day"] = choice.day.isoformat()
    if after.state == "embargoed" and after.embargo_until is not None:
        name, details["day"] = APPROVED_UNSEEN, local_day(after.embargo_until, after.timezone).isoformat()
    who: dict[str, Any] = {"now": now, "account_id": account_id, "tells_owners": tells_owners}
    return _tell(session, campaign.id, name, details=details, **who)


def _freeze_first(session: Session, campaign: Campaign, *, now: datetime, account_id: UUID) -> None:
    """Make the first edition. After an embargo that was called off, what organisations signed then comes before it."""
    texts = find_texts_to_publish(session, campaign_id=campaign.id)
    signed = session.scalars(
        select(Edition).where(Edition.campaign_id == campaign.id).order_by(Edition.number.desc()).limit(1)
    ).first()
    if signed is not None and signed.hash == edition_hash(texts):
        return
    is_substantive = False
    if signed is not None:
        before = {locale: CampaignText.from_data(text) for locale, text in signed.texts.items()}
        source = campaign.source_locale
        is_substantive = substance_hash(before, source) != substance_hash(texts, source)
    freeze_edition(
        session, campaign_id=campaign.id, texts=texts, now=now, account_id=account_id, is_substantive=is_substantive
    )
    if is_substantive:
        ask_endorsers_again(session, campaign_id=campaign.id, now=now)


def _thaw(session: Session, campaign_id: UUID) -> None:
    """Take away the edition that was never public, but for one that organisations have signed: theirs is on record."""
    own = select(Edition.id).where(Edition.campaign_id == campaign_id)
    # Whoever signs it at this moment has locked it first, or finds it gone.
    editions = session.scalars(own.with_for_update()).all()
    session.execute(
        delete(Edition).where(
            Edition.id.in_(editions),
            *(~exists().where(each.edition_id == Edition.id) for each in (Endorsement, DatedEdition, PaperBatch)),
        )
    )


def _let_appeals_lapse(session: Session, campaign_id: UUID, now: datetime) -> None:
    session.execute(
        update(Appeal)
        .where(Appeal.campaign_id == campaign_id, Appeal.state == "open")
        .values(state="lapsed", decided_at=now)
    )


def _tell(
    session: Session,
    campaign_id: UUID,
    what: str,
    *,
    now: datetime,
    account_id: UUID | None,
    details: Mapping[str, Any],
    tells_owners: bool = True,
) -> int:
    line = record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id, details=details)
    if tells_owners:
        tell_owners(session, campaign_id=campaign_id, line=line, now=now)
    if what in TOLD_TO_SPONSOR:
        tell_sponsor(session, campaign_id=campaign_id, news=TOLD_TO_SPONSOR[what], line=line, now=now)
    return line


def _get_campaign(session: Session, campaign_id: UUID) -> Campaign:
    # Several units of work may share a session: what another has changed is read again.
    return session.scalars(
        select(Campaign).where(Campaign.id == campaign_id).execution_options(populate_existing=True)
    ).one()


def _get_reviewed(session: Session, campaign_id: UUID, account_id: UUID) -> Campaign:
    if session.get(Member, {"campaign_id": campaign_id, "account_id": account_id}) is not None:
        raise ReviewerIsOfTeam
    return _get_campaign(session, campaign_id)


def _get_by_slug(session: Session, slug: str) -> Campaign:
    campaign_id = session.scalar(select(Campaign.id).where(Campaign.slug == slug))
    if campaign_id is None:
        raise CampaignNotFound(slug)
    return _get_campaign(session, campaign_id)


def _state(session: Session, campaign_id: UUID) -> str:
    return session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()
