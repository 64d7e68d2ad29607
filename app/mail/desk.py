"""What writing a letter takes: how each kind of letter is prepared when its turn comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from app.models import Campaign, Edition, TextPart, open_account_key, open_campaign_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey, Keyring
    from app.core.tokens import Purpose
    from app.i18n import Message
    from app.models import Letter

#: Letters a day that an address gets from one campaign, and from all of them together (`security.md`).
DAILY_FROM_A_CAMPAIGN: Final = 3
DAILY_FROM_ALL: Final = 10


@dataclass(frozen=True, slots=True)
class Secret:
    """A link or a code that the letter holds; it works for so long from its writing on, and not beyond ``until``."""

    purpose: Purpose | str  # "code", "sign_in_code" and "receipt_code" are six digits
    works_for: timedelta | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A letter that can be written. ``context`` is for its templates, and does not change from one try to the next.

    ``links`` are addresses after the language, in which ``{purpose}`` stands for a token: templates get each of them
    for every language. ``daily`` is how many letters a day its address may get from this campaign, None where it asked
    for them or works here. Letters with a ``pool`` count with those of the same pool, and apart from all others.
    ``one_click`` names the link that unsubscribes.
    """

    recipient: str
    context: Mapping[str, Any]
    links: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    daily: int | None = None
    pool: UUID | None = None
    one_click: str | None = None


@dataclass(frozen=True, slots=True)
class Matter:
    """The campaign that a letter is about, its key, and its titles by locale."""

    campaign: Campaign
    key: DataKey
    titles: Mapping[str, str]

    def context(self) -> dict[str, Any]:
        """Return what templates say of a campaign."""
        return {
            "titles": self.titles,
            "source_locale": self.campaign.source_locale,
            "reference": self.campaign.reference,
            "zone": self.campaign.timezone,
        }

    def links(self) -> dict[str, str]:
        """Return the campaign's own page."""
        return {"campaign_links": f"/campaigns/{self.campaign.slug}"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where letters are prepared, in one transaction: the keys, the moment, and the campaigns they are about."""

    keyring: Keyring
    now: datetime
    _matters: dict[UUID | None, Matter | None] = field(default_factory=dict)

    def find_matter(self, session: Session, letter: Letter) -> Matter | None:
        """Return the letter's campaign, or None once its key is destroyed, and with it every address."""
        if letter.campaign_id not in self._matters:
            self._matters[letter.campaign_id] = self._find_matter(session, letter)
        return self._matters[letter.campaign_id]

    def _find_matter(self, session: Session, letter: Letter) -> Matter | None:
        campaign = None if letter.campaign_id is None else session.get(Campaign, letter.campaign_id)
        if campaign is None:
            return None
        key = open_campaign_key(session, campaign_id=campaign.id, keyring=self.keyring)
        return None if key is None else Matter(campaign, key, find_titles(session, campaign))

    def account_key(self, session: Session) -> DataKey | None:
        """Return the key that opens the addresses of accounts."""
        return open_account_key(session, keyring=self.keyring)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of letter: its subject, which names no campaign, and how it is prepared. Templates: ``mail/<kind>``."""

    subject: Message
    prepare: Callable[[Session, Letter, Desk], Prepared | None]


def find_titles(session: Session, campaign: Campaign) -> dict[str, str]:
    """Return a campaign's titles by locale: of its current edition, else of its draft; at least one."""
    texts = session.scalar(
        select(Edition.texts).where(Edition.campaign_id == campaign.id).order_by(Edition.number.desc()).limit(1)
    )
    if texts is not None:
        return {locale: text["title"] for locale, text in texts.items()}
    rows = session.execute(
        select(TextPart.locale, TextPart.text).where(
            TextPart.campaign_id == campaign.id, TextPart.name == "title", TextPart.text != ""
        )
    )
    return {row.locale: row.text for row in rows} or {campaign.source_locale: campaign.slug}
