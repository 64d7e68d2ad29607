"""What moderators see of signatures: what waits, one after another; a search; one of them, opened.

Names and addresses are opened for one signature's own page alone. Looking for part of a name opens what is sealed, a
bounded number a time, and gives back which signatures have it and not what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from sqlalchemy import exists, func, literal, select, tuple_

from app.models import Campaign, Decision, Edition, Member, Signature, open_campaign_key
from app.models.base import EPOCH
from app.models.signatures import WAITS
from app.queries.drafts import find_draft_titles
from app.queries.sets import fulfils
from app.rules.khmer import comparison_key
from app.rules.normalise import canonical_email, mail_domain, name_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row, Select
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.rules.sets import Conditions

PAGE: Final = 25
#: How many names one request opens at most, while it looks for part of one.
SCAN: Final = 1000


@dataclass(frozen=True, slots=True)
class JudgedCampaign:
    """A campaign at whose signatures a moderator wants to look, and whether that moderator is of its team."""

    id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class WaitingCampaign:
    """A campaign, and how many of its confirmed signatures wait for a moderator."""

    id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    waiting: int


@dataclass(frozen=True, slots=True)
class ListedSignature:
    """A signature in a list: everything but who it is."""

    id: UUID
    created_at: datetime
    confirmed_at: datetime | None
    state: str
    standing: str
    locale: str
    edition: int
    country: str
    subdivision: str | None
    score: int
    signals: list[str]
    address: str | None  # these three are hashes, by which more of the same are found
    network: str | None
    domain: str

    @property
    def cursor(self) -> str:
        """Where the page after this one begins."""
        return f"{(self.created_at - EPOCH) // timedelta(microseconds=1)}-{self.id.hex}"


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """One change of what is held of a signature."""

    before: str
    after: str
    rule: str
    set_id: UUID | None
    account_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenedSignature:
    """A signature on its own page. What is opened is None once it is gone."""

    listed: ListedSignature
    name: str | None
    email: str | None
    mail_domain: str | None
    postal_code: str | None
    phone: str | None
    claims: list[str]
    judged_at: datetime | None
    decisions: tuple[DecisionLine, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Some signatures, and where to go on. ``looked_at`` is how many names were opened for it."""

    signatures: tuple[ListedSignature, ...]
    after: str | None
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whom a search is for, beside conditions: hashes of an address and of a whole name, and part of a name."""

    conditions: Conditions
    email: bytes | None = None
    name: bytes | None = None
    part_of_name: str | None = None


def find_judged_campaign(session: Session, *, slug: str, account_id: UUID) -> JudgedCampaign | None:
    """Return one campaign as the account sees it."""
    is_own = exists().where(Member.campaign_id == Campaign.id, Member.account_id == account_id)
    row = session.execute(
        select(Campaign.id, Campaign.slug, Campaign.source_locale, is_own.label("is_own")).where(Campaign.slug == slug)
    ).first()
    if row is None:
        return None
    titles = find_draft_titles(session, campaign_ids=[row.id])
    return JudgedCampaign(row.id, row.slug, titles.get(row.id, {}), row.source_locale, row.is_own)


def has_own(session: Session, *, signature_ids: Sequence[UUID], account_id: UUID) -> bool:
    """Tell whether any of these signatures is of a campaign whose team the account is of."""
    own = select(Member.campaign_id).where(Member.account_id == account_id)
    found = select(Signature.id).where(Signature.id.in_(signature_ids), Signature.campaign_id.in_(own)).limit(1)
    return session.scalar(found) is not None


def count_waiting(session: Session, *, campaign_id: UUID) -> int:
    """Return how many signatures of a campaign wait for a moderator."""
    return session.scalars(
        select(func.count()).select_from(Signature).where(Signature.campaign_id == campaign_id, WAITS)
    ).one()


def list_waiting_campaigns(session: Session) -> list[WaitingCampaign]:
    """Return the campaigns of which something waits, the one that waits longest first."""
    waiting = (
        select(Signature.campaign_id, func.count().label("number"), func.min(Signature.created_at).label("since"))
        .where(WAITS)
        .group_by(Signature.campaign_id)
        .subquery()
    )
    rows = session.execute(
        select(Campaign.id, Campaign.slug, Campaign.source_locale, waiting.c.number)
        .join(waiting, waiting.c.campaign_id == Campaign.id)
        .order_by(waiting.c.since, Campaign.slug)
    ).all()
    titles = find_draft_titles(session, campaign_ids=[row.id for row in rows])
    return [WaitingCampaign(row.id, row.slug, titles.get(row.id, {}), row.source_locale, row.number) for row in rows]


def list_queue(session: Session, *, campaign_id: UUID, after: str | None = None) -> Found:
    """Return confirmed signatures that wait for a moderator, oldest first."""
    statement = _LISTED.where(Signature.campaign_id == campaign_id, WAITS)
    at = None if after is None else read_cursor(after)
    if at is not None:
        moment, signature_id = literal(at[0], Signature.created_at.type), literal(at[1], Signature.id.type)
        statement = statement.where(tuple_(Signature.created_at, Signature.id) > tuple_(moment, signature_id))
    rows = session.execute(statement.order_by(Signature.created_at, Signature.id).limit(PAGE + 1)).all()
    shown = tuple(_as_listed(row) for row in rows[:PAGE])
    return Found(shown, shown[-1].cursor if len(rows) > PAGE else None)


def search_signatures(
    session: Session, *, campaign_id: UUID, wanted: Wanted, keyring: Keyring, after: str | None = None
) -> Found:
    """Return signatures that a moderator looks for, in no order; part of a name within the next ``SCAN`` of them.

    They come in the order of their ids, so that a page costs what it shows, however many there are.
    """
    clauses = [Signature.campaign_id == campaign_id, *fulfils(wanted.conditions)]
    if wanted.email is not None:
        clauses.append(Signature.email_index == wanted.email)
    if wanted.name is not None:
        clauses.append(Signature.name_index == wanted.name)
    if wanted.part_of_name is None:
        statement = _LISTED.where(*clauses, _is_after(after)).order_by(Signature.id).limit(PAGE + 1)
        rows = session.execute(statement).all()
        shown = tuple(_as_listed(row) for row in rows[:PAGE])
        return Found(shown, shown[-1].id.hex if len(rows) > PAGE else None)
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    return Found((), None) if key is None else _scan_names(session, clauses, key, wanted.part_of_name, after)


def find_opened_signature(
    session: Session, *, campaign_id: UUID, signature_id: UUID, keyring: Keyring
) -> OpenedSignature | None:
    """Return one signature of a campaign with what it says, for a moderator whose look is put on record."""
    row = session.execute(
        _LISTED.add_columns(
            Signature.name, Signature.email, Signature.phone, Signature.postal_code, Signature.claims,
            Signature.judged_at,
        ).where(Signature.campaign_id == campaign_id, Signature.id == signature_id)
    ).first()  # fmt: skip
    if row is None:
        return None
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)

    def open_field(column: str) -> str | None:
        sealed = getattr(row, column)
        return None if key is None or sealed is None else key.open(f"signatures.{column}", row.id, sealed)

    email = open_field("email")
    decisions = session.execute(
        select(Decision.before, Decision.after, Decision.rule, Decision.set_id, Decision.account_id, Decision.at)
        .where(Decision.signature_id == signature_id)
        .order_by(Decision.id)
    )
    return OpenedSignature(
        listed=_as_listed(row),
        name=open_field("name"),
        email=email,
        mail_domain=None if email is None else mail_domain(email),
        postal_code=open_field("postal_code"),
        phone=open_field("phone"),
        claims=row.claims,
        judged_at=row.judged_at,
        decisions=tuple(DecisionLine(*each) for each in decisions),
    )


def email_hash(key: DataKey, address: str) -> bytes:
    """Return what signatures of an address have in common."""
    return key.index("email", canonical_email(address))


def name_hash(key: DataKey, name: str) -> bytes:
    """Return what signatures of a name have in common, however it is spelt."""
    return key.index("name", name_key(name, None))


def read_cursor(text: str) -> tuple[datetime, UUID] | None:
    """Return where a page begins, or None where that says nothing."""
    microseconds, _, signature_id = text.partition("-")
    try:
        return EPOCH + timedelta(microseconds=int(microseconds)), UUID(hex=signature_id)
    except (ValueError, OverflowError):
        return None


_LISTED: Final = cast("Select[Any]", select(
    Signature.id, Signature.created_at, Signature.confirmed_at, Signature.state, Signature.standing, Signature.locale,
    Edition.number.label("edition"), Signature.country, Signature.subdivision, Signature.score, Signature.signals,
    Signature.address_index, Signature.network_index, Signature.domain_index,
).join(Edition, Edition.id == Signature.edition_id))  # fmt: skip


def _is_after(after: str | None) -> ColumnElement[bool]:
    """Return what comes after a signature in the order of ids; nothing that makes sense begins at the beginning."""
    try:
        return Signature.id > UUID(hex=after or "")
    except ValueError:
        return Signature.id.is_not(None)


def _scan_names(
    session: Session, clauses: Sequence[ColumnElement[bool]], key: DataKey, part: str, after: str | None
) -> Found:
    sought = comparison_key(part)
    statement = _LISTED.add_columns(Signature.name).where(*clauses, Signature.name.is_not(None), _is_after(after))
    rows = session.execute(statement.order_by(Signature.id).limit(SCAN)).all()
    found: list[ListedSignature] = []
    for number, row in enumerate(rows, 1):
        if sought in comparison_key(key.open("signatures.name", row.id, row.name)):
            found.append(_as_listed(row))
            if len(found) == PAGE:
                return Found(tuple(found), row.id.hex, number)
    return Found(tuple(found), rows[-1].id.hex if len(rows) == SCAN else None, len(rows))


def _as_listed(row: Row[Any]) -> ListedSignature:
    hashes = (row.address_index, row.network_index, row.domain_index)
    address, network, domain = (None if mark is None else mark.hex() for mark in hashes)
    return ListedSignature(
        id=row.id,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        state=row.state,
        standing=row.standing,
        locale=row.locale,
        edition=row.edition,
        country=row.country,
        subdivision=row.subdivision,
        score=row.score,
        signals=row.signals,
        address=address,
        network=network,
        domain=domain or "",
    )
