"""What programs read: the feed of what happened, the map of pages for search engines, and where they need not look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from starlette.responses import Response
from starlette.routing import Route

from app.core.clock import utc_now
from app.i18n import LOCALES, message, say
from app.i18n.formats import format_number
from app.queries.news import list_addresses, list_news
from app.rendering import choose_part
from app.web.public import views

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from app.i18n import Locale, Message
    from app.queries.news import News
    from app.web.house import House

ENTRIES: Final = 50
ATOM: Final = "http://www.w3.org/2005/Atom"
SITEMAP: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML: Final = "http://www.w3.org/1999/xhtml"
#: Pages that are of no campaign, after the language.
PLAIN: Final = ("/", "/about", "/counting", "/privacy", "/accessibility", "/verify", "/refusals")
#: As many as a map may hold.
MOST_ADDRESSES: Final = 50_000
HAPPENED: Final[Mapping[str, Message]] = {
    "opened": message("Open for signature"),
    "answered": message("Response received"),
}
ROBOTS: Final = """User-agent: *
Disallow: /*/workspace
Disallow: /*/moderation
Disallow: /*/office
Disallow: /*/names

Sitemap: {base_url}/sitemap.xml
"""


class Feeds:
    """Routes for programs."""

    def __init__(self, house: House) -> None:
        """Take what the pages need."""
        self._house = house
        self.routes = [
            Route("/{locale}/feed.xml", self.feed),
            Route("/sitemap.xml", self.site_map),
            Route("/robots.txt", self.robots),
        ]

    async def feed(self, request: Request) -> Response:
        """Say what happened last, as Atom (RFC 4287)."""
        locale, base_url = views.locale_of(request), self._house.settings.base_url
        news = await self._house.database.read(list_news, now=utc_now(), limit=ENTRIES)
        feed = ET.Element("feed", {"xmlns": ATOM, "xml:lang": locale})
        _say(feed, "title", say(locale, "Petitions and open letters"))
        _say(feed, "id", f"{base_url}/{locale}/feed.xml")
        _link(feed, f"{base_url}/{locale}/feed.xml", rel="self", type="application/atom+xml")
        _link(feed, f"{base_url}/{locale}/", hreflang=locale)
        _say(feed, "updated", _moment(news[0].at) if news else "1970-01-01T00:00:00Z")
        _say(ET.SubElement(feed, "author"), "name", say(locale, "Hatthalekha"))
        for each in news:
            self._write(feed, each, locale)
        return _xml(feed, "application/atom+xml")

    def _write(self, feed: ET.Element, news: News, locale: Locale) -> None:
        entry = ET.SubElement(feed, "entry")
        title = choose_part(news.titles, locale, news.source_locale)
        address = f"{self._house.settings.base_url}/{locale}/campaigns/{news.slug}"
        _say(entry, "title", f"{_happened(news, locale)} – {title.value}")
        _say(entry, "id", f"{address}#{news.key}")
        _say(entry, "updated", _moment(news.at))
        _link(entry, address, hreflang=locale)
        if news.body is not None:
            _say(entry, "summary", news.body)

    async def site_map(self, _: Request) -> Response:
        """List every page that may be found, each in three languages (sitemaps.org)."""
        slugs = await self._house.database.read(list_addresses)
        paths = [*PLAIN, *(f"/campaigns/{slug}" for slug in slugs)][: MOST_ADDRESSES // len(LOCALES)]
        site_map = ET.Element("urlset", {"xmlns": SITEMAP, "xmlns:xhtml": XHTML})
        for path in paths:
            addresses = {locale: f"{self._house.settings.base_url}/{locale}{path}" for locale in LOCALES}
            for address in addresses.values():
                page = ET.SubElement(site_map, "url")
                _say(page, "loc", address)
                for locale, other in addresses.items():
                    ET.SubElement(page, "xhtml:link", {"rel": "alternate", "hreflang": locale, "href": other})
        return _xml(site_map, "application/xml")

    async def robots(self, _: Request) -> Response:
        """Say where there is nothing to find."""
        return Response(ROBOTS.format(base_url=self._house.settings.base_url), media_type="text/plain; charset=utf-8")


def _happened(news: News, locale: Locale) -> str:
    if news.number is not None:
        return say(locale, "Reached: %(count)s", count=format_number(news.number, locale))
    return HAPPENED[news.what].say(locale)


def _say(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _link(parent: ET.Element, address: str, **about: str) -> None:
    ET.SubElement(parent, "link", {"href": address, **about})


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _xml(root: ET.Element, media_type: str) -> Response:
    content = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(content, media_type=f"{media_type}; charset=utf-8")
