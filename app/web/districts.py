"""The list of federal districts that signing forms offer, read from the database now and then by each process."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from app.queries.districts import list_districts
from app.rules.districts import FederalDistrict, ProvinceGroup, group_districts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.core.db import Database
    from app.i18n import Locale
    from app.queries.campaigns import Campaign

#: What `campaigns.asks` says where the form has the field.
ASK: Final = "district"
#: The box of whoever wants to say a district. The list comes on a page of its own: all of Canada would weigh as much as
#: the rest of the page again, on a first visit of people of whom few will use it.
SAYS: Final = "say_district"
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Districts:
    """The list, by code. Where it is empty, no form has the field."""

    by_code: Mapping[str, FederalDistrict] = field(default_factory=dict)
    _groups: dict[Locale, tuple[ProvinceGroup, ...]] = field(default_factory=dict, compare=False)

    def groups(self, locale: Locale) -> tuple[ProvinceGroup, ...]:
        """Return the districts by province; put in order once for each language."""
        if locale not in self._groups:
            self._groups[locale] = group_districts(self.by_code.values(), locale)
        return self._groups[locale]

    def offered(self, typed: Mapping[str, str], locale: Locale) -> tuple[ProvinceGroup, ...]:
        """Return what a form that came offers next: the districts of its province, where its signer wants to say."""
        if SAYS not in typed and not typed.get("district"):
            return ()
        return tuple(group for group in self.groups(locale) if group[0] == _province_of(typed))

    def has_more(self, typed: Mapping[str, str]) -> bool:
        """Tell whether there is something to offer to whoever sent a form."""
        return SAYS in typed and any(each.province == _province_of(typed) for each in self.by_code.values())


def _province_of(typed: Mapping[str, str]) -> str:
    return typed.get("subdivision", "").strip()


NO_DISTRICTS: Final = Districts()


class DistrictShelf:
    """The districts, at most ten seconds old."""

    def __init__(self, database: Database) -> None:
        """Start without having looked."""
        self._database = database
        self._read_at: float | None = None
        self._districts = NO_DISTRICTS
        self._reading = asyncio.Lock()

    async def find_for(self, campaign: Campaign) -> Districts:
        """Return what the form of a campaign offers. Whoever comes while it is read waits for the same reading."""
        if ASK not in campaign.asks:
            return NO_DISTRICTS
        if self._is_old():
            async with self._reading:
                if self._is_old():
                    asked_at = time.monotonic()
                    listed = await self._database.read(list_districts)
                    self._districts = Districts({each.code: each for each in listed})
                    self._read_at = asked_at
        return self._districts

    def forget(self) -> None:
        """Read again at the next question."""
        self._read_at = None

    def _is_old(self) -> bool:
        return self._read_at is None or time.monotonic() - self._read_at >= SECONDS
