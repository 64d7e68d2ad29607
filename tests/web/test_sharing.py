"""A campaign travels: what other sites draw of it, the feed, the map of pages, links that tell a channel alone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import pytest
import time_machine

from app.core.clock import utc_now
from app.i18n import LOCALES
from tests.stage import on_one_database, small_campaign

if TYPE_CHECKING:
    from tests.stage import Stage

ATOM: Final = "{http://www.w3.org/2005/Atom}"
SITEMAP: Final = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML: Final = "{http://www.w3.org/1999/xhtml}"
ODD: Final = "<script>alert(1)</script> & “{{7*7}}” ]]>"


def _feed(stage: Stage, locale: str) -> ET.Element:
    answer = stage.get(f"/{locale}/feed.xml")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/atom+xml; charset=utf-8")
    return ET.fromstring(answer.content)  # noqa: S314 - our own


def _titles(feed: ET.Element) -> list[str]:
    return [each.findtext(f"{ATOM}title", "") for each in feed.iter(f"{ATOM}entry")]


def test_the_feed_tells_what_happened_newest_first_in_each_language(stage: Stage) -> None:
    with time_machine.travel(utc_now() - timedelta(days=2), tick=False):
        slug = stage.campaign(small_campaign())
        stage.campaign(
            small_campaign("later"), open_for=None, opens_on=(utc_now() + timedelta(days=9)).date().isoformat()
        )
    of_campaign = "campaign_id = (SELECT id FROM campaigns WHERE slug = :slug)"
    stage.sql_write(f"UPDATE thresholds SET reached_at = :at WHERE {of_campaign}", at=_moment(stage), slug=slug)  # noqa: S608
    assert _titles(_feed(stage, "en")) == [
        "Reached: 3 – Khmer books in every library",
        "Open for signature – Khmer books in every library",
    ]
    ids = set()
    for locale in LOCALES:
        feed = _feed(stage, locale)
        assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == locale
        links = [each.get("href", "") for each in feed.iter(f"{ATOM}link")]
        assert f"{stage.settings.base_url}/{locale}/campaigns/{slug}" in links
        ids |= {each.text for each in feed.iter(f"{ATOM}id")}
        moments = [each.text or "" for each in feed.iter(f"{ATOM}updated")]
        assert moments == sorted(moments, reverse=True)
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in moments)
    assert len(ids) == 3 * len(LOCALES)


def _moment(stage: Stage) -> object:
    now = utc_now() - timedelta(hours=1)
    return int(now.timestamp() * 1_000_000) if stage.settings.database_url.startswith("sqlite") else now


@on_one_database
def test_a_feed_holds_what_people_wrote_as_text(stage: Stage) -> None:
    document = small_campaign()
    document["texts"]["en"]["title"] = ODD
    stage.campaign(document)
    assert _titles(_feed(stage, "en")) == [f"Open for signature – {ODD}"]


@on_one_database
@pytest.mark.parametrize("state", ["draft", "review", "refused", "stopped"])
def test_neither_feed_nor_map_names_what_is_not_public(stage: Stage, state: str) -> None:
    slug = stage.campaign()
    stage.sql_write("UPDATE campaigns SET state = :state", state=state)
    assert slug not in stage.get("/sitemap.xml").text
    assert _titles(_feed(stage, "en")) == []


@on_one_database
def test_the_map_lists_each_page_in_each_language_with_the_others(stage: Stage) -> None:
    slug = stage.campaign()
    answer = stage.get("/sitemap.xml")
    pages = list(ET.fromstring(answer.content).iter(f"{SITEMAP}url"))  # noqa: S314 - our own
    found = [page.findtext(f"{SITEMAP}loc", "") for page in pages]
    base_url = stage.settings.base_url
    assert {f"{base_url}/{locale}/campaigns/{slug}" for locale in LOCALES} < set(found)
    assert all([link.get("hreflang") for link in page.iter(f"{XHTML}link")] == list(LOCALES) for page in pages)
    assert all(stage.get(address.removeprefix(base_url)).status_code == 200 for address in found)
    robots = stage.get("/robots.txt").text
    assert f"Sitemap: {base_url}/sitemap.xml" in robots


@on_one_database
@pytest.mark.parametrize("locale", LOCALES)
def test_a_page_says_what_other_sites_draw_of_it(stage: Stage, locale: str) -> None:
    slug = stage.campaign()
    page = stage.get(f"/{locale}/campaigns/{slug}").text
    card = re.search(r'<meta property="og:image" content="([^"]+)">', page)
    assert card is not None
    picture = stage.get(card[1].removeprefix(stage.settings.base_url))
    assert picture.headers["content-type"] == "image/png"
    assert picture.content[16:24] == (1200).to_bytes(4) + (630).to_bytes(4)
    assert '<meta name="twitter:card" content="summary_large_image">' in page
    assert f'<link rel="canonical" href="{stage.settings.base_url}/{locale}/campaigns/{slug}">' in page
    for each in LOCALES:
        assert f'hreflang="{each}" href="{stage.settings.base_url}/{each}/campaigns/{slug}"' in page
    for channel in ("facebook", "telegram", "whatsapp", "email", "share"):
        assert f"via%3D{channel}" in page or f"?via={channel}" in page
