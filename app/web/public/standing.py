"""Letters as they stand, worked out once for as long as their campaign is on the shelf, whoever reads which of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from app.documents.letter import name_letter, typeset_letter
from app.queries.letters import find_living_letter

if TYPE_CHECKING:
    from uuid import UUID

    from app.i18n import Locale
    from app.queries.letters import LivingLetter
    from app.rules.letters import Letter, Signatory
    from app.web.house import House, ShelvedCampaign

#: Names of people under a letter that is made while somebody waits: three seconds, and a quarter of a gigabyte.
MOST_NAMES: Final = 10_000
#: Seconds for which a letter that nobody was taken out of is not made again: a campaign that grows has others each.
NAMED_SECONDS: Final = 60.0
_SIZE: Final = 256


@dataclass(slots=True)
class Standing:
    """A letter of one moment; ``places`` are those of the names that its documents hold."""

    shelved: ShelvedCampaign
    living: LivingLetter
    places: tuple[int, ...]
    names_at: str  # the address of the names, after the language, where these are too many for a document
    states: dict[tuple[int | None, Locale], str] = field(default_factory=dict)

    @property
    def letter(self) -> Letter:
        """The letter, without names."""
        return self.living.letter

    def where_names_are(self, locale: Locale) -> str:
        """Return the address of the list of names where the documents do not hold them, else nothing."""
        return self.names_at % {"locale": locale}

    def typeset(self, locale: Locale, place: int | None) -> bytes:
        """Set it without names."""
        return typeset_letter(self.letter, locale, place, names_at=self.where_names_are(locale))


@dataclass(frozen=True, slots=True)
class _Made:
    """A letter with names that was made, and when."""

    at: float
    state: str
    standing: Standing


class Standings:
    """Knows letters as they stand, and which were made of them lately."""

    def __init__(self, house: House) -> None:
        """Start empty."""
        self._house = house
        self._standings: dict[UUID, Standing] = {}
        self._reading: dict[UUID, asyncio.Task[Standing]] = {}
        self._made: dict[tuple[UUID, str], _Made] = {}

    async def find(self, shelved: ShelvedCampaign) -> Standing:
        """Return a campaign's letter as it stands; CampaignHasNoText where it has none."""
        campaign_id = shelved.campaign.id
        standing = self._standings.get(campaign_id)
        if standing is not None and standing.shelved is shelved:
            return standing
        reading = self._reading.get(campaign_id)
        if reading is None:
            reading = self._reading[campaign_id] = asyncio.create_task(self._read(shelved))
            reading.add_done_callback(lambda _: self._reading.pop(campaign_id))
        return await asyncio.shield(reading)

    async def name(self, standing: Standing, locale: Locale, place: int | None) -> str:
        """Return what names the letter to one recipient, or to all: with thousands of organisations that is work."""
        known = standing.states.get((place, locale))
        if known is None:
            naming = partial(name_letter, standing.letter, locale, place, standing.places)
            known = await asyncio.to_thread(naming, names_at=standing.where_names_are(locale))
            standing.states[place, locale] = known
        return known

    def note(self, standing: Standing, name: str, state: str) -> None:
        """Remember that a letter with names was made."""
        if len(self._made) >= _SIZE:
            self._made.pop(next(iter(self._made)))
        self._made[standing.shelved.campaign.id, name] = _Made(time.monotonic(), state, standing)

    async def find_lately(self, standing: Standing, name: str) -> str | None:
        """Return the state in which a letter with names was made lately, where it names nobody who is gone since."""
        made = self._made.get((standing.shelved.campaign.id, name))
        if made is None or time.monotonic() - made.at >= NAMED_SECONDS:
            return None
        return made.state if await asyncio.to_thread(_holds, made.standing, standing) else None

    async def _read(self, shelved: ShelvedCampaign) -> Standing:
        campaign, base_url = shelved.campaign, self._house.settings.base_url
        living = await self._house.database.read(find_living_letter, campaign_id=campaign.id, base_url=base_url)
        shown = living.places if shelved.key is not None else ()
        is_long = len(shown) > MOST_NAMES
        standing = Standing(
            shelved,
            living,
            () if is_long else shown,
            f"{base_url}/%(locale)s/campaigns/{campaign.slug}/names" if is_long else "",
        )
        if len(self._standings) >= _SIZE:
            self._standings.pop(next(iter(self._standings)))
        self._standings[campaign.id] = standing
        return standing


def _holds(before: Standing, now: Standing) -> bool:
    """Tell whether all whom a letter named are still there, under the same text."""
    if before.letter.edition_hash != now.letter.edition_hash or not set(before.places) <= set(now.places):
        return False
    return _who(before.letter.organisations) <= _who(now.letter.organisations) and _who(before.letter.earlier) <= _who(
        now.letter.earlier
    )


def _who(signatories: tuple[Signatory, ...]) -> set[tuple[str, str | None]]:
    return {(each.name, each.signed_at) for each in signatories}
