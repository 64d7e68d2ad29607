"""Supporters of a text that is not published yet: how many, the page of the private link, and one's own support."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from app.core.tokens import hash_token
from app.models import Addressee, Campaign, Letter, Supporter, Token, open_campaign_key
from app.queries.drafts import find_draft
from app.rules.texts import CampaignText, substance_hash

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring


class SupporterCount(NamedTuple):
    """Who confirmed the wording that stands now, who an earlier one, and how many are needed before review."""

    confirmed: int
    earlier: int
    needed: int

    @property
    def is_enough(self) -> bool:
        """Whether there are as many as are needed."""
        return self.confirmed >= self.needed


@dataclass(frozen=True, slots=True)
class SupportedCampaign:
    """A draft as its supporters are shown it. ``wording`` names what it says; ``key`` seals who they are."""

    id: UUID
    slug: str
    kind: str
    state: str
    reference: str | None
    source_locale: str
    organiser_name: str
    addressees: tuple[Mapping[str, str], ...]
    texts: Mapping[str, CampaignText]
    wording: str
    key: DataKey | None


@dataclass(frozen=True, slots=True)
class OwnSupport:
    """One supporter's own view, through the link in their letter. ``name`` is None once it is forgotten."""

    id: UUID
    state: str
    name: str | None
    is_present_wording: bool
    campaign: SupportedCampaign


@dataclass(frozen=True, slots=True)
class SupportLink:
    """What the team's page needs to show the private link: None for ``id`` before there was one."""

    id: UUID | None
    pending: int


def find_wording(session: Session, *, campaign_id: UUID) -> str:
    """Return the name of what a draft says now: supporters are bound to it."""
    source = session.scalars(select(Campaign.source_locale).where(Campaign.id == campaign_id)).one()
    return substance_hash(find_draft(session, campaign_id=campaign_id), source)


def count_supporters(session: Session, *, campaign_id: UUID) -> SupporterCount:
    """Return how many confirmed the present wording, how many an earlier one, and how many are needed."""
    wording = find_wording(session, campaign_id=campaign_id)
    needed = session.scalars(select(Campaign.supporters_needed).where(Campaign.id == campaign_id)).one()
    rows = session.execute(
        select(Supporter.substance_hash, func.count().label("number"))
        .where(Supporter.campaign_id == campaign_id, Supporter.state == "confirmed")
        .group_by(Supporter.substance_hash)
    )
    numbers = {row.substance_hash: row.number for row in rows}
    present = numbers.pop(wording, 0)
    return SupporterCount(present, sum(numbers.values()), needed)


def find_support_link(session: Session, *, campaign_id: UUID) -> SupportLink:
    """Return what the private link is made from, and how many have not confirmed yet."""
    pending = session.scalar(
        select(func.count())
        .select_from(Supporter)
        .where(Supporter.campaign_id == campaign_id, Supporter.state == "pending")
    )
    link_id = session.scalars(select(Campaign.support_link_id).where(Campaign.id == campaign_id)).one()
    return SupportLink(link_id, pending or 0)


def list_supporter_names(session: Session, *, campaign_id: UUID, keyring: Keyring) -> list[tuple[str, bool]]:
    """Return the names of confirmed supporters and whether they stand behind the present wording, oldest first."""
    key = open_campaign_key(session, campaign_id=campaign_id, keyring=keyring)
    if key is None:
        return []
    wording = find_wording(session, campaign_id=campaign_id)
    rows = session.scalars(
        select(Supporter)
        .where(Supporter.campaign_id == campaign_id, Supporter.state == "confirmed", Supporter.name.is_not(None))
        .order_by(Supporter.confirmed_at, Supporter.id)
    )
    return [
        (key.open("supporters.name", row.id, row.name), row.substance_hash == wording)
        for row in rows
        if row.name is not None
    ]


def find_supported_campaign(session: Session, *, token: str, keyring: Keyring) -> SupportedCampaign | None:
    """Return the campaign that a private link leads to, or None: for an old link there is none."""
    campaign = session.scalars(select(Campaign).where(Campaign.support_hash == hash_token("support", token))).first()
    return None if campaign is None else _supported(session, campaign, keyring)


def find_own_support(session: Session, *, token: str, keyring: Keyring) -> OwnSupport | None:
    """Return a supporter by the link in their letter, or None where no such link was ever sent."""
    row = session.execute(
        select(Supporter, Campaign)
        .join(Campaign, Campaign.id == Supporter.campaign_id)
        .join(Letter, Letter.subject_id == Supporter.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == hash_token("support", token), Token.purpose == "support")
    ).first()
    if row is None:
        return None
    supporter, campaign = row.Supporter, _supported(session, row.Campaign, keyring)
    is_known = campaign.key is not None and supporter.name is not None
    return OwnSupport(
        id=supporter.id,
        state=supporter.state,
        name=campaign.key.open("supporters.name", supporter.id, supporter.name)
        if campaign.key is not None and is_known
        else None,
        is_present_wording=supporter.substance_hash == campaign.wording,
        campaign=campaign,
    )


def _supported(session: Session, campaign: Campaign, keyring: Keyring) -> SupportedCampaign:
    texts = find_draft(session, campaign_id=campaign.id)
    return SupportedCampaign(
        id=campaign.id,
        slug=campaign.slug,
        kind=campaign.kind,
        state=campaign.state,
        reference=campaign.reference,
        source_locale=campaign.source_locale,
        organiser_name=campaign.organiser_name,
        addressees=tuple(
            session.scalars(
                select(Addressee.names).where(Addressee.campaign_id == campaign.id).order_by(Addressee.position)
            )
        ),
        texts=texts,
        wording=substance_hash(texts, campaign.source_locale),
        key=open_campaign_key(session, campaign_id=campaign.id, keyring=keyring),
    )
