"""What every door is given when the application is assembled."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.models import open_campaign_key
from app.queries.campaigns import find_campaign

if TYPE_CHECKING:
    from app.core.db import Database
    from app.core.keys import DataKey, Keyring
    from app.queries.campaigns import Campaign
    from app.rendering import Pages
    from app.settings import Settings
    from app.web.cache import PageCache
    from app.web.districts import DistrictShelf
    from app.web.limits import Limits
    from app.web.printing import Printer
    from app.web.switchboard import Switchboard

#: What an importer takes. Nothing else is asked of the database: PostgreSQL refuses a NUL as if we were at fault.
SLUG: Final = re.compile(r"[a-z0-9-]{1,64}")
SHELF_SECONDS: Final = 1.0
SHELF_SIZE: Final = 1024


@dataclass(frozen=True, slots=True)
class ShelvedCampaign:
    """A campaign and the key that seals its signers' fields; no key once it was destroyed."""

    campaign: Campaign
    key: DataKey | None


class Shelf:
    """Campaigns by slug, read from the database at most once a second each."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        """Start empty."""
        self._database = database
        self._keyring = keyring
        self._entries: dict[str, tuple[float, ShelvedCampaign]] = {}
        self._reading: dict[str, asyncio.Task[ShelvedCampaign | None]] = {}

    async def find(self, slug: str) -> ShelvedCampaign | None:
        """Return a published campaign, at most a second old, or None."""
        if not SLUG.fullmatch(slug):
            return None
        now = time.monotonic()
        read_at, entry = self._entries.get(slug, (0.0, None))
        if entry is not None and now - read_at < SHELF_SECONDS:
            return entry
        # Whoever comes while it is being read waits for the same reading; a visitor who leaves does not end it.
        reading = self._reading.get(slug)
        if reading is None:
            reading = self._reading[slug] = asyncio.create_task(self._read(slug))
            reading.add_done_callback(lambda _: self._reading.pop(slug))
        return await asyncio.shield(reading)

    def forget(self, slug: str) -> None:
        """Let a campaign be read anew: what its page shows has just changed here."""
        self._entries.pop(slug, None)

    async def _read(self, slug: str) -> ShelvedCampaign | None:
        campaign = await self._database.read(find_campaign, slug=slug)
        if campaign is None:
            self._entries.pop(slug, None)
            return None
        key = await self._database.read(open_campaign_key, campaign_id=campaign.id, keyring=self._keyring)
        entry = ShelvedCampaign(campaign, key)
        if len(self._entries) >= SHELF_SIZE:
            self._entries.pop(next(iter(self._entries)))
        self._entries[slug] = (time.monotonic(), entry)
        return entry


@dataclass(frozen=True, slots=True)
class House:
    """Settings and services, made once by ``app.main``."""

    settings: Settings
    database: Database
    keyring: Keyring
    pages: Pages
    shelf: Shelf
    cache: PageCache
    limits: Limits
    switchboard: Switchboard
    districts: DistrictShelf
    printer: Printer

    def forget(self, slug: str) -> None:
        """Let nothing that this process makes from now on show a campaign as it was.

        For what a team or a moderator does, who then look at it, and for what takes something away. Where something
        comes many times a minute, such as a signature, a page that is a second old will do, and forgetting its cache
        alone spares reading the campaign for each.
        """
        self.shelf.forget(slug)
        self.cache.forget(slug)
