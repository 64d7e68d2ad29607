"""A letter under embargo is asked for everywhere, on every server, while a worker dies as its second comes.

No answer that was there before the second may know of it, and each address has it afterwards, in all languages.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import pytest

from app.core.clock import utc_now
from tests.actions.embargoes import private_link, under_embargo
from tests.kill.company import Company, ask

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.stage import Stage

SLUG: Final = "secret-letter"
WORDS: Final = b"Nobody may know these words"
LOCALES: Final = ("km", "en", "fr")
#: Where it has an address of its own, and below what names it from elsewhere.
PAGES: Final = ("", "/letters", "/letter.pdf", "/card.png")
OWN: Final = (
    *(f"/{locale}/campaigns/{SLUG}{path}" for locale in LOCALES for path in PAGES),
    f"/api/v1/campaigns/{SLUG}",
    f"/api/v1/campaigns/{SLUG}/count",
    f"/c/{SLUG}",
)
LISTS: Final = (
    *(f"/{locale}/{path}" for locale in LOCALES for path in ("", "feed.xml")),
    "/sitemap.xml",
    "/api/v1/campaigns",
)
COMPANIES: Final = {"sqlite": {"servers": 1, "workers": 1}, "postgresql": {"servers": 2, "workers": 2}}
AHEAD: Final = timedelta(seconds=6)
#: Before its second, so that one that starts again is there just after it.
KILLED: Final = timedelta(seconds=0.3)
PATIENCE: Final = 60.0
BREATH: Final = 0.05


@dataclass(slots=True)
class Watched:
    """An address on one server: how often it knew nothing, and the moment of the first answer that did."""

    port: int
    path: str
    denials: int = 0
    shown_at: datetime | None = None

    async def watch(self) -> None:
        """Ask until it knows the letter."""
        while self.shown_at is None:
            status, content = await ask(self.port, f"GET {self.path}", b"")
            answered_at = utc_now()
            if self.path in OWN:
                is_shown = status in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}
                assert is_shown or status == HTTPStatus.NOT_FOUND
            else:
                assert status == HTTPStatus.OK
                is_shown = SLUG.encode() in content
            # The address that was asked for may come back in an error's links; the letter may not.
            assert is_shown or WORDS not in content
            if is_shown:
                self.shown_at = answered_at
            else:
                self.denials += 1
            await asyncio.sleep(BREATH)


@pytest.mark.slow
def test_at_its_second_every_server_has_it_and_none_a_moment_before(stage: Stage, tmp_path: Path) -> None:
    stage.campaign(slug="seen-letter")
    environment = {
        "HATTHALEKHA_DATABASE_URL": stage.settings.database_url,
        "HATTHALEKHA_KEYS_DIR": str(stage.settings.keys_dir),
        "HATTHALEKHA_BASE_URL": stage.settings.base_url,
    }
    company = Company(environment, tmp_path, **COMPANIES[stage.settings.database_url.partition(":")[0]])
    try:
        for port in company.ports:
            stage.run(_wait_for(port))
        until = utc_now() + AHEAD
        texts = {locale: {"requests": [], "body": f"{WORDS.decode()} {locale}"} for locale in LOCALES}
        under_embargo(stage, until, SLUG, texts)
        private_link(stage, SLUG)
        watched = [Watched(port, path) for port in company.ports for path in (*OWN, *LISTS)]
        stage.run(_watch(company, watched, until))
    finally:
        company.stop()
    late = sorted((each.shown_at - until).total_seconds() for each in watched if each.shown_at is not None)
    assert len(late) == len(watched)
    sys.stdout.write(
        f"{len(watched)} addresses, {sum(each.denials for each in watched)} answers that knew nothing; "
        f"first {late[0]:.2f} s, median {late[len(late) // 2]:.2f} s, last {late[-1]:.2f} s after its second\n"
    )
    assert late[0] >= 0, "known before its second"
    assert all(each.denials for each in watched), "each was asked before it, too"
    assert company.kills == 1


async def _watch(company: Company, watched: list[Watched], until: datetime) -> None:
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(_kill_a_worker(company, until - KILLED), *(each.watch() for each in watched))


async def _kill_a_worker(company: Company, moment: datetime) -> None:
    await asyncio.sleep((moment - utc_now()).total_seconds())
    worker = company.members[-1]
    worker.kill()
    worker.start()


async def _wait_for(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                await ask(port, "GET /en/", b"")
            except OSError:
                await asyncio.sleep(BREATH)
            else:
                return
