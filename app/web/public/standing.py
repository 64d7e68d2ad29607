"""Letters as they stand, worked out once for as long as their campaign is on the shelf, whoever reads which of them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from app.documents.letter import name_letter, typeset_letter
from app.queries.letters import find_living_letter

if TYPE_CHECKING:
    from collections.abc import Hashable
    from uuid import UUID

    from app.i18n import Locale
    from app.queries.letters import LivingLetter
    from app.rules.letters import Letter
    from app.web.house import House, ShelvedCampaign

#: Names of people under a letter that is made while somebody waits: three seconds, and a quarter of a gigabyte.
MOST_NAMES: Final = 10_000
#: Seconds for which a letter that nobody was taken out of is not made again: a campaign that grows has others each.
NAMED_SECONDS: Final = 60.0
#: Campaigns, and letters with names, of which a process remembers this.
_SIZE: Final = 256
_MOST_MADE: Final = 64
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Standing:
    """A letter of one moment; ``places`` are those of the names that its documents hold."""

    shelved: ShelvedCampaign
    living: LivingLetter
    places: tuple[int, ...]
    names_at: str  # the address of the names, after the language, where these are too many for a document
    # What is worked out of it, once for all who ask.
    naming: dict[tuple[int | None, Locale], asyncio.Task[str]] = field(default_factory=dict)
    holding: dict[str, tuple[Made, asyncio.Task[bool]]] = field(default_factory=dict)

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
class Made:
    """A letter with names that was made: when, of what, and whom it named."""

    at: float
    state: str
    head: Letter
    places: frozenset[int]
    who: frozenset[Hashable]


def describe(state: str, living: LivingLetter) -> Made:
    """Return what is to be remembered of a letter that was made just now; with thousands of names that is work."""
    return Made(time.monotonic(), state, _without_signatories(living.letter), frozenset(living.places), _who(living))


class Standings:
    """Knows letters as they stand, and which were made of them lately."""

    def __init__(self, house: House) -> None:
        """Start empty."""
        self._house = house
        self._standings: dict[UUID, Standing] = {}
        self._reading: dict[UUID, asyncio.Task[Standing]] = {}
        self._made: dict[tuple[UUID, str], Made] = {}

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
        """Return what names the letter to one recipient, or to all."""
        naming = standing.naming.get((place, locale))
        if naming is None:
            work = partial(name_letter, standing.letter, locale, place, standing.places)
            # With thousands of organisations that is work: beside the loop, and once.
            named = asyncio.to_thread(work, names_at=standing.where_names_are(locale))
            naming = standing.naming[place, locale] = asyncio.create_task(named)
        return await asyncio.shield(naming)

    def note(self, campaign_id: UUID, name: str, made: Made) -> None:
        """Remember that a letter with names was made."""
        for key in [key for key, each in self._made.items() if made.at - each.at >= NAMED_SECONDS]:
            del self._made[key]
        self._made.pop((campaign_id, name), None)
        if len(self._made) >= _MOST_MADE:
            del self._made[next(iter(self._made))]
        self._made[campaign_id, name] = made

    async def find_lately(self, standing: Standing, name: str) -> str | None:
        """Return the state in which a letter with names was made lately, where it names nobody who is gone since."""
        made = self._made.get((standing.shelved.campaign.id, name))
        if made is None or time.monotonic() - made.at >= NAMED_SECONDS:
            return None
        known, holding = standing.holding.get(name, (None, None))
        if holding is None or known is not made:
            holding = asyncio.create_task(asyncio.to_thread(_holds, made, standing))
            standing.holding[name] = (made, holding)
        return made.state if await asyncio.shield(holding) else None

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
        before = self._standings.pop(campaign.id, None)
        if before is not None and (before.living, before.places) == (standing.living, standing.places):
            standing.naming, standing.holding = before.naming, before.holding
        if len(self._standings) >= _SIZE:
            del self._standings[next(iter(self._standings))]
        self._standings[campaign.id] = standing
        return standing


def _holds(made: Made, now: Standing) -> bool:
    """Tell whether all whom a letter named are still there, and nothing else of it is another."""
    return (
        made.places <= set(now.places)
        and made.who <= _who(now.living)
        and made.head == _without_signatories(now.living.letter)
    )


def _without_signatories(letter: Letter) -> Letter:
    """Return what a letter says, whoever signs it and whenever."""
    return replace(letter, organisations=(), earlier=(), individuals=0, paper=0, signed_as_of=_NO_TIME)


def _who(living: LivingLetter) -> frozenset[Hashable]:
    present, earlier = living.letter.organisations, living.letter.earlier
    return frozenset(
        (
            is_present,
            each.name,
            each.acronym,
            each.country,
            each.kind,
            each.signed_at,
            tuple(sorted(each.names.items())),
        )
        for is_present, signatories in ((True, present), (False, earlier))
        for each in signatories
    )
