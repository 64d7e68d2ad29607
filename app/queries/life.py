"""How campaigns stand: for their team's steps, for moderators who review and for operators who look after them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from app.models import (
    Account,
    AccountSession,
    Addressee,
    Campaign,
    Edition,
    Endorsement,
    Member,
    Record,
    Sponsor,
    Threshold,
    open_account_key,
    open_account_name,
)
from app.queries.checks import find_check
from app.queries.drafts import find_draft, find_draft_titles, list_draft_parts
from app.rules import publishing
from app.rules.drafts import put_together
from app.rules.eligibility import parse_rule
from app.rules.khmer import comparison_key
from app.rules.moves import (
    APPROVED_UNSEEN,
    CLOSED_BY_DATE,
    EMBARGO_ENDED,
    EMBARGO_MOVED,
    MOVES,
    OPENED_BY_DATE,
    Standing,
)
from app.rules.permissions import StaffPermission
from app.rules.preflight import findings
from app.rules.texts import CampaignText, edition_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.rules.eligibility import Rule
    from app.rules.preflight import Finding

#: What the steps of a campaign show of its record.
SHOWN: Final = (
    *MOVES, OPENED_BY_DATE, CLOSED_BY_DATE, APPROVED_UNSEEN, EMBARGO_ENDED, EMBARGO_MOVED,
    "answer_date", "rehomed", "closing_moved", "appeal", "appeal_upheld",
    "sponsor_asked", "sponsor_accepted", "sponsor_declined", "sponsor_expired", "sponsor_withdrawn", "sponsor_left",
    "sponsor_dissolved",
)  # fmt: skip
#: An owner who was not here for so long is taken to be gone.
GONE_AFTER: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a campaign's record. ``who`` is None for the clock, for an office and for whoever is gone."""

    what: str
    at: datetime
    who: str | None
    is_staff: bool  # done by those who run the site, whose names teams are not told
    day: date | None
    last_day: date | None
    sponsor: str | None  # the id of the member that it is about


@dataclass(frozen=True, slots=True)
class Life:
    """How a campaign stands and came to stand so, newest line first."""

    standing: Standing
    supporters_needed: int
    submitted_at: datetime | None
    reason: str | None  # why it was sent back or refused
    stopped_because: str | None
    stopped_at: datetime | None
    presented_by: str | None
    answer_due_on: date | None
    is_sponsor_dissolved: bool  # the last member to carry it left with their Parliament
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class WaitingReview:
    """A campaign that asks to be published."""

    slug: str
    kind: str
    titles: Mapping[str, str]
    source_locale: str
    submitted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Review:
    """What a moderator sees of a campaign that asks to be published. ``version`` names the text and the settings."""

    id: UUID
    slug: str
    kind: str
    form: str
    reference: str | None
    organiser_name: str
    source_locale: str
    promised_locales: tuple[str, ...]
    complete_locales: frozenset[str]
    timezone: str
    opens_at: datetime | None
    closes_at: datetime | None
    open_for_days: int | None
    embargo_until: datetime | None
    signatories: str
    asks: tuple[str, ...]
    rule: Rule
    addressees: tuple[Mapping[str, str], ...]
    thresholds: tuple[tuple[int, Mapping[str, str]], ...]
    endorsements: tuple[str, ...]
    sponsor: tuple[str, str] | None  # name and state
    supporters_needed: int
    submitted_at: datetime | None
    reason: str | None
    texts: Mapping[str, CampaignText]
    titles: Mapping[str, str]
    lacks: tuple[Finding, ...]
    advice: tuple[Finding, ...]  # what is worth knowing, and no obstacle
    supporters: int
    version: str
    is_own: bool  # whoever reads is of its team


@dataclass(frozen=True, slots=True)
class WatchedCampaign:
    """A campaign as operators see it, published or not. ``seen_at`` is when one of its owners was last here."""

    id: UUID
    slug: str
    kind: str
    state: str
    titles: Mapping[str, str]
    source_locale: str
    created_at: datetime
    owners: int
    seen_at: datetime | None
    is_orphaned: bool
    stopped_because: str | None


def standing_of(campaign: Campaign) -> Standing:
    """Return how a campaign stands, as the rules of its life read it."""
    return Standing(
        state=campaign.state,
        timezone=campaign.timezone,
        form=campaign.form,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        open_for_days=campaign.open_for_days,
        closed_early_at=campaign.closed_early_at,
        planned_opens_at=campaign.planned_opens_at,
        planned_closes_at=campaign.planned_closes_at,
        presented_on=campaign.presented_on,
        answered_on=campaign.answered_on,
        embargo_until=campaign.embargo_until,
    )


def get_life(session: Session, *, campaign_id: UUID, keyring: Keyring) -> Life:
    """Return how a campaign stands and its record."""
    campaign = session.get_one(Campaign, campaign_id)
    last_sponsor = session.execute(
        select(Sponsor.state, Sponsor.reason)
        .where(Sponsor.campaign_id == campaign_id)
        .order_by(func.coalesce(Sponsor.answered_at, Sponsor.asked_at).desc().nulls_first())
        .limit(1)
    ).first()
    return Life(
        standing=standing_of(campaign),
        supporters_needed=campaign.supporters_needed,
        submitted_at=campaign.submitted_at,
        reason=campaign.refused_because,
        stopped_because=campaign.stopped_because,
        stopped_at=campaign.stopped_at,
        presented_by=campaign.presented_by,
        answer_due_on=campaign.answer_due_on,
        is_sponsor_dissolved=last_sponsor is not None and tuple(last_sponsor) == ("left", "dissolved"),
        lines=tuple(_list_lines(session, campaign_id, keyring)),
    )


def find_shown_texts(session: Session, *, campaign_id: UUID) -> dict[str, CampaignText]:
    """Return the current edition's texts, else the draft as publishing would freeze it."""
    texts = session.scalar(
        select(Edition.texts).where(Edition.campaign_id == campaign_id).order_by(Edition.number.desc()).limit(1)
    )
    if texts is not None:
        return {locale: CampaignText.from_data(text) for locale, text in texts.items()}
    return find_draft(session, campaign_id=campaign_id, is_frozen=True)


def list_lacks(session: Session, *, campaign_id: UUID, now: datetime) -> list[Finding]:
    """Return what the pre-flight finds that review and publishing wait for."""
    return publishing.list_lacks(find_check(session, campaign_id=campaign_id, now=now))


def find_texts_to_publish(session: Session, *, campaign_id: UUID) -> dict[str, CampaignText]:
    """Return the draft in the languages that are complete: what becomes the first edition."""
    campaign = session.get_one(Campaign, campaign_id)
    parts = list_draft_parts(session, campaign_id=campaign_id)
    complete = publishing.complete_locales(parts, campaign.source_locale)
    return put_together((part for part in parts if part.locale in complete), is_frozen=True)


def find_review_version(session: Session, *, campaign_id: UUID) -> str:
    """Return what names the text and the settings that a moderator reads: approving names it again."""
    campaign = session.get_one(Campaign, campaign_id)
    return _version_of(campaign, find_draft(session, campaign_id=campaign_id))


def list_reviews(session: Session) -> list[WaitingReview]:
    """Return the campaigns that ask to be published, the longest waiting first."""
    rows = session.scalars(
        select(Campaign).where(Campaign.state == "review").order_by(Campaign.submitted_at, Campaign.slug)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.id for row in rows])
    return [
        WaitingReview(row.slug, row.kind, titles.get(row.id, {}), row.source_locale, row.submitted_at) for row in rows
    ]


def find_review(session: Session, *, slug: str, account_id: UUID, now: datetime) -> Review | None:
    """Return a campaign in review for a moderator, or None."""
    campaign = session.scalars(select(Campaign).where(Campaign.slug == slug, Campaign.state == "review")).first()
    if campaign is None:
        return None
    campaign_id = campaign.id
    texts = find_draft(session, campaign_id=campaign_id)
    sponsor = session.execute(
        select(Sponsor.name, Sponsor.state).where(
            Sponsor.campaign_id == campaign_id, Sponsor.state.in_(("proposed", "asked", "accepted"))
        )
    ).first()
    member = session.get(Member, {"campaign_id": campaign_id, "account_id": account_id})
    parts = list_draft_parts(session, campaign_id=campaign_id)
    check = find_check(session, campaign_id=campaign_id, now=now)
    return Review(
        id=campaign_id,
        slug=campaign.slug,
        kind=campaign.kind,
        form=campaign.form,
        reference=campaign.reference,
        organiser_name=campaign.organiser_name,
        source_locale=campaign.source_locale,
        promised_locales=tuple(campaign.promised_locales),
        complete_locales=publishing.complete_locales(parts, campaign.source_locale),
        timezone=campaign.timezone,
        opens_at=campaign.opens_at,
        closes_at=campaign.closes_at,
        open_for_days=campaign.open_for_days,
        embargo_until=campaign.embargo_until,
        signatories=campaign.signatories,
        asks=tuple(campaign.asks),
        rule=parse_rule(campaign.eligibility),
        addressees=tuple(_list_addressees(session, campaign_id)),
        thresholds=_list_thresholds(session, campaign_id),
        endorsements=tuple(
            session.scalars(
                select(Endorsement.name)
                .where(Endorsement.campaign_id == campaign_id, Endorsement.state == "accepted")
                .order_by(Endorsement.position)
            )
        ),
        sponsor=None if sponsor is None else (sponsor.name, sponsor.state),
        supporters_needed=campaign.supporters_needed,
        submitted_at=campaign.submitted_at,
        reason=campaign.refused_because,
        texts=texts,
        titles={locale: text.title for locale, text in texts.items() if text.title},
        lacks=tuple(publishing.list_lacks(check)),
        advice=tuple(each for each in findings(check) if not each.blocks),
        supporters=check.supporters_confirmed,
        version=_version_of(campaign, texts),
        is_own=member is not None,
    )


def list_watched(
    session: Session,
    *,
    now: datetime,
    search: str = "",
    only_orphaned: bool = False,
    campaign_id: UUID | None = None,
) -> list[WatchedCampaign]:
    """Return the campaigns whose name or title holds ``search``, newest first; or one; or those without an owner."""
    statement = select(Campaign).order_by(Campaign.created_at.desc(), Campaign.slug)
    if campaign_id is not None:
        statement = statement.where(Campaign.id == campaign_id)
    rows = session.scalars(statement).all()
    titles = find_draft_titles(session, campaign_ids=[row.id for row in rows])
    seen = _list_owners(session)
    found = []
    wanted = comparison_key(search)
    for row in rows:
        own = titles.get(row.id, {})
        if wanted and not any(
            wanted in comparison_key(text) for text in (row.slug, row.reference or "", *own.values())
        ):
            continue
        owners = seen.get(row.id, [])
        seen_at = max(owners, default=None)
        is_orphaned = seen_at is None or seen_at <= now - GONE_AFTER
        if only_orphaned and not is_orphaned:
            continue
        found.append(
            WatchedCampaign(
                id=row.id,
                slug=row.slug,
                kind=row.kind,
                state=row.state,
                titles=own,
                source_locale=row.source_locale,
                created_at=row.created_at,
                owners=len(owners),
                seen_at=seen_at,
                is_orphaned=is_orphaned,
                stopped_because=row.stopped_because,
            )
        )
    return found


def _version_of(campaign: Campaign, texts: Mapping[str, CampaignText]) -> str:
    return f"{campaign.settings_version}-{edition_hash(texts)[:32]}"


def _list_lines(session: Session, campaign_id: UUID, keyring: Keyring) -> list[Line]:
    key = open_account_key(session, keyring=keyring)
    rows = session.execute(
        select(Record, Account)
        .outerjoin(Account, Account.id == Record.account_id)
        .where(Record.campaign_id == campaign_id, Record.what.in_(SHOWN))
        .order_by(Record.id.desc())
    ).all()
    lines = []
    for row in rows:
        line, account = row.Record, row.Account
        move = MOVES.get(line.what)
        is_staff = line.what in {"rehomed", "appeal_upheld", APPROVED_UNSEEN} or (
            move is not None and isinstance(move.needs, StaffPermission)
        )
        who = None
        # A name, where there is one: addresses of a team are for its owners alone.
        if account is not None and not is_staff:
            who = open_account_name(key, account.id, account.name)
        details = line.details
        lines.append(
            Line(
                line.what,
                line.at,
                who,
                is_staff,
                _day(details, "day"),
                _day(details, "last_day"),
                details.get("sponsor"),
            )
        )
    return lines


def _day(details: Mapping[str, Any], name: str) -> date | None:
    day = details.get(name)
    return None if day is None else date.fromisoformat(day)


def _list_addressees(session: Session, campaign_id: UUID) -> list[Mapping[str, str]]:
    return list(
        session.scalars(
            select(Addressee.names).where(Addressee.campaign_id == campaign_id).order_by(Addressee.position)
        )
    )


def _list_thresholds(session: Session, campaign_id: UUID) -> tuple[tuple[int, Mapping[str, str]], ...]:
    rows = session.execute(
        select(Threshold.signatures, Threshold.labels)
        .where(Threshold.campaign_id == campaign_id)
        .order_by(Threshold.signatures)
    )
    return tuple((row.signatures, row.labels) for row in rows)


def _list_owners(session: Session) -> dict[UUID, list[datetime]]:
    """Return, by campaign, when each owner who can still sign in was last here."""
    came = select(AccountSession.account_id, func.max(AccountSession.seen_at).label("at")).group_by(
        AccountSession.account_id
    )
    did = select(Record.account_id, func.max(Record.at).label("at")).group_by(Record.account_id)
    last: dict[UUID | None, datetime] = {}
    for row in (*session.execute(came), *session.execute(did)):
        last[row.account_id] = max(row.at, last.get(row.account_id, row.at))
    owners: dict[UUID, list[datetime]] = {}
    for row in session.execute(
        select(Member.campaign_id, Member.joined_at, Account.id)
        .join(Account, Account.id == Member.account_id)
        .where(Member.role == "owner", Account.state == "active")
    ):
        owners.setdefault(row.campaign_id, []).append(max(row.joined_at, last.get(row.id, row.joined_at)))
    return owners
