"""Names that signers wish shown: those that show, those that wait for a look, those that wait for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, or_, select

from app.core.keys import SealBrokenError
from app.models import Campaign, Member, Signature, is_counted, open_campaign_key
from app.models.signatures import NAME_WAITS
from app.queries.drafts import find_draft_titles
from app.queries.editions import is_for
from app.rules.name_check import GROUP, check_name, language_of, showing_moments

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring

PAGE: Final = 100
LOOK: Final = 25


@dataclass(frozen=True, slots=True)
class ShownName:
    """A name as its owner writes it, and the language tag of its script."""

    name: str
    language: str


@dataclass(frozen=True, slots=True)
class NamePage:
    """The names of a hundred places, and the place after which the next page that has names begins."""

    names: tuple[ShownName, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class NameToLook:
    """A name for a moderator, with the campaign that it was signed on. None for one that cannot be opened."""

    signature_id: UUID
    campaign_id: UUID
    slug: str
    titles: Mapping[str, str]
    source_locale: str
    name: str | None


def list_names(session: Session, *, campaign_id: UUID, key: DataKey, after: int = 0) -> NamePage:
    """Return the names that show in the hundred places that follow, in their order; none where no page begins there.

    A page is of places and not of names, so that there are few addresses, and none of them says where a name stands.
    """
    if after % PAGE:
        return NamePage((), None)
    place = Signature.name_position
    rows = session.execute(
        select(Signature.id, Signature.name)
        .where(_shows(campaign_id), place > after, place <= after + PAGE)
        .order_by(place)
    ).all()
    opened = [key.open("signatures.name", row.id, row.name) for row in rows if row.name is not None]
    names = tuple(ShownName(name, language_of(name)) for name in opened)
    further = session.scalar(select(place).where(_shows(campaign_id), place > after + PAGE).order_by(place).limit(1))
    return NamePage(names, None if further is None else (further - 1) // PAGE * PAGE)


def has_names(session: Session, *, campaign_id: UUID) -> bool:
    """Tell whether any name shows."""
    return session.scalar(select(Signature.id).where(_shows(campaign_id)).limit(1)) is not None


def list_all_names(session: Session, *, campaign_id: UUID, key: DataKey, since: int | None = None) -> tuple[str, ...]:
    """Return every name that shows, in the order of the list.

    ``since`` is the edition that last changed the substance: nobody stands under what they have not signed, so only
    those are listed who said yes to it or to a later one.
    """
    rows = session.execute(
        select(Signature.id, Signature.name).where(*_stands(campaign_id, since)).order_by(Signature.name_position)
    )
    return tuple(key.open("signatures.name", row.id, row.name) for row in rows if row.name is not None)


def list_shown_places(session: Session, *, campaign_id: UUID, since: int | None = None) -> tuple[int, ...]:
    """Return the places of the names that `list_all_names` lists: none is given twice, so they name that list."""
    place = Signature.name_position
    found = session.scalars(select(place).where(*_stands(campaign_id, since)).order_by(place))
    return tuple(each for each in found if each is not None)


def judge_names(session: Session, *, keyring: Keyring, most: int) -> dict[UUID, str]:
    """Return what the rule says of names that nothing has looked at yet."""
    rows = session.execute(
        select(Signature.id, Signature.campaign_id, Signature.name)
        .where(Signature.name_check.is_(None), NAME_WAITS)
        .limit(most)
    ).all()
    keys = _open_keys(session, {row.campaign_id for row in rows}, keyring)
    return {row.id: _judge(keys[row.campaign_id], row.id, row.name) for row in rows}


def list_campaigns_with_due_names(session: Session, *, now: datetime) -> list[UUID]:
    """Return the campaigns of which names are to show now."""
    moments = showing_moments(now)
    waiting = (Signature.name_check == "cleared", NAME_WAITS, Signature.confirmed_at < moments.hour)
    return list(
        session.scalars(
            select(Signature.campaign_id)
            .where(*waiting)
            .group_by(Signature.campaign_id)
            .having(or_(func.count() >= GROUP, func.min(Signature.confirmed_at) < moments.old))
        )
    )


def list_names_to_look(
    session: Session, *, check: str, keyring: Keyring, after: UUID | None, account_id: UUID
) -> list[NameToLook]:
    """Return names that are held, or were refused, opened; one more than a page holds where there are more.

    None of a campaign whose team the account is of: somebody else looks at these.
    """
    own = select(Member.campaign_id).where(Member.account_id == account_id)
    waiting = (Signature.name_check == check, NAME_WAITS, Signature.campaign_id.not_in(own))
    ids = select(Signature.id).where(*waiting).order_by(Signature.id).limit(LOOK + 1)
    if after is not None:
        ids = ids.where(Signature.id > after)
    rows = session.execute(
        select(Signature.id, Signature.campaign_id, Signature.name, Campaign.slug, Campaign.source_locale)
        .join(Campaign, Campaign.id == Signature.campaign_id)
        .where(Signature.id.in_(session.scalars(ids).all()))
        .order_by(Signature.id)
    ).all()
    titles = find_draft_titles(session, campaign_ids=list({row.campaign_id for row in rows}))
    keys = _open_keys(session, {row.campaign_id for row in rows}, keyring)
    return [
        NameToLook(
            row.id,
            row.campaign_id,
            row.slug,
            titles.get(row.campaign_id, {}),
            row.source_locale,
            _open(keys[row.campaign_id], row.id, row.name),
        )
        for row in rows
    ]


def list_shown_under(session: Session, *, campaign_id: UUID, name_hash: bytes) -> list[UUID]:
    """Return the signatures of a campaign that show, or are about to, under a name, however it is spelt."""
    statement = select(Signature.id).where(
        Signature.campaign_id == campaign_id,
        Signature.name_index == name_hash,
        Signature.name_check == "cleared",
        Signature.is_name_shown,
        is_counted(),
    )
    return list(session.scalars(statement))


def _open_keys(session: Session, campaign_ids: set[UUID], keyring: Keyring) -> dict[UUID, DataKey | None]:
    return {each: open_campaign_key(session, campaign_id=each, keyring=keyring) for each in campaign_ids}


def _open(key: DataKey | None, signature_id: UUID, sealed: bytes | None) -> str | None:
    if key is None or sealed is None:
        return None
    try:
        return key.open("signatures.name", signature_id, sealed)
    except SealBrokenError:
        return None


def _judge(key: DataKey | None, signature_id: UUID, sealed: bytes | None) -> str:
    name = _open(key, signature_id, sealed)
    # What cannot be opened can never show.
    return "refused" if name is None else check_name(name)


def _stands(campaign_id: UUID, since: int | None) -> tuple[ColumnElement[bool], ...]:
    if since is None:
        return (_shows(campaign_id),)
    return (_shows(campaign_id), is_for(campaign_id, since))


def _shows(campaign_id: UUID) -> ColumnElement[bool]:
    return and_(
        Signature.campaign_id == campaign_id,
        Signature.name_position.is_not(None),
        Signature.state == "confirmed",
        Signature.standing == "counted",
        Signature.is_name_shown,
        Signature.name_check == "cleared",
    )
