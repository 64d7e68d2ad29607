"""What every answer says, and the pages that say no, in the visitor's language."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from app.core.db import SqliteDatabase
from app.main import create_app
from app.settings import Settings
from app.web import house as house_of_pages
from app.web.middleware import PEER, ClientAddress, Shield
from tests.stage import Stage, good_form, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgres import PostgresServer
    from tests.web.people import Person

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


def every_answer(site: Stage, person: Person) -> dict[str, httpx.Response]:
    """Return an answer of every kind."""
    person.sign()
    letter = person.letter()
    confirm, manage = f"/en/confirm/{letter.token('confirm')}", f"/en/signature/{letter.token('signature')}"
    campaign = f"/en/campaigns/{person.slug}"
    etag = site.get(campaign).headers["etag"]

    async def other(method: str, path: str) -> httpx.Response:
        return await person.browser.request(method, path)

    return {
        "home": site.get("/en/"),
        "search": site.get("/en/?q=x"),
        "campaign": site.get(campaign),
        "304": site.get(campaign, headers={"if-none-match": etag}),
        "chosen": site.get(f"{campaign}?chosen"),
        "qr": site.get(f"{campaign}/qr.svg"),
        "redirect": site.get("/"),
        "short": site.get(f"/c/{person.slug}"),
        "slash": site.get("/en"),
        "static": site.get("/static/x/style.css"),
        "check-email": person.get(f"{campaign}/check-email"),
        "signed": person.get(f"{campaign}/signed"),
        "confirm": person.get(confirm),
        "own": person.get(manage),
        "download": person.get(f"{manage}?download"),
        "303": person.sign(),
        "422": person.sign(name=""),
        "400": site.post(f"{campaign}/sign", b"a=1&a=2"),
        "400 host": site.get(campaign, headers={"host": "evil.example"}),
        "403": site.post(f"{campaign}/sign", headers={"origin": "null"}),
        "404": site.get("/en/nothing"),
        "405": site.run(other("DELETE", campaign)),
        "413": site.post(f"{campaign}/sign", b"a=" + b"x" * 100_000),
        "415": site.post(f"{campaign}/sign", b"{}", headers={"content-type": "application/json"}),
        "api": site.get("/api/v1/campaigns"),
        "api 404": site.get("/api/v1/campaigns/none"),
        "api 400": site.get("/api/v1/campaigns?limit=x"),
        "api options": site.run(other("OPTIONS", "/api/v1/campaigns")),
        "options": site.run(other("OPTIONS", campaign)),
        "livez": site.get("/livez"),
        "readyz": site.get("/readyz"),
        "mailbox": site.get("/dev/mailbox"),
    }


PUBLIC = {"home", "campaign", "304", "qr", "api", "static"}


def test_every_answer_says_what_all_say(site: Stage, somebody: Callable[[], Person]) -> None:
    for name, answer in every_answer(site, somebody()).items():
        headers = answer.headers
        for header, value in {
            "content-security-policy": POLICY,
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
        }.items():
            assert headers.get_list(header) == [value], name
        assert len(headers.get_list("cache-control")) == 1, name
        assert ("public" in headers["cache-control"]) == (name in PUBLIC), name
        if name not in PUBLIC:
            assert headers["cache-control"] == "no-store", name
        assert "server" not in headers
        if headers.get("content-type", "").startswith("text/html"):
            assert all(script.startswith("/static/") for script in Page(answer.text).scripts), name
            assert " style=" not in answer.text, name


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_a_page_that_says_no_speaks_the_language_of_its_address(site: Stage, slug: str, locale: str) -> None:
    path = f"/{locale}/campaigns/{slug}/sign"
    other = {"en": "km", "km": "fr", "fr": "en"}[locale]

    async def ask(method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
        headers = {"accept-language": other, **options.pop("headers", {})}
        return await site.browser.request(method, path, headers=headers, **options)

    titles = set()
    for answer, status in (
        (site.run(ask("GET", f"/{locale}/nothing")), 404),
        (site.run(ask("GET", path)), 405),
        (site.run(ask("PUT", f"/{locale}/")), 405),
        (site.run(ask("POST", path, headers={"origin": "null"})), 403),
        (site.run(ask("POST", path, content=b"x" * 70_000)), 413),
        (site.run(ask("POST", path, content=b"{}", headers={"content-type": "application/json"})), 415),
        (site.run(ask("POST", path, content=b"a=1&a=1")), 400),
    ):
        page = Page(answer.text)
        assert (answer.status_code, page.lang) == (status, locale)
        assert str(status) in page.words
        titles.add(page.title)
    assert len(titles) == 5
    allowed = {method: site.run(ask("DELETE", each)).headers["allow"] for method, each in (
        ("GET", f"/{locale}/"), ("POST", path), ("BOTH", f"/{locale}/confirm/x")
    )}  # fmt: skip
    assert {name: set(methods.split(", ")) for name, methods in allowed.items()} == {
        "GET": {"GET", "HEAD"},
        "POST": {"POST"},
        "BOTH": {"GET", "HEAD", "POST"},
    }


@pytest.mark.parametrize(
    ("cookie", "accepted", "locale"),
    [
        ("fr", "en", "fr"),
        ("xx", "fr-CA,en;q=0.5", "fr"),
        ("", "en;q=0.4, km;q=0.9", "km"),
        ("", "de, *;q=0.1", "km"),
        ("", "fr;q=0", "km"),
        ("", "", "km"),
        ("", "x" * 10_000, "km"),
    ],
)
def test_where_the_address_names_no_language_the_visitor_does(
    site: Stage, slug: str, cookie: str, accepted: str, locale: str
) -> None:
    headers = {"accept-language": accepted, "cookie": f"hatthalekha_locale={cookie}"}
    browser = site.new_browser()
    for path, there in (("/", f"/{locale}/"), (f"/c/{slug}", f"/{locale}/campaigns/{slug}")):
        answer = site.get(path, browser=browser, headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, there)
        assert "Accept-Language" in answer.headers["vary"]
        assert "Cookie" in answer.headers["vary"]
    for path in ("/nothing", "/c/nothing", "/de/", "/KM/", f"/de/campaigns/{slug}", "/static/x/none"):
        answer = site.get(path, browser=browser, headers=headers)
        assert (answer.status_code, Page(answer.text).lang) == (404, locale)


def test_addresses_that_are_almost_right(site: Stage, slug: str) -> None:
    for locale in ("km", "en", "fr"):
        assert site.get(f"/{locale}").headers["location"] == f"/{locale}/"
    for path in (
        "/de",
        f"/c/{slug}/",
        f"/en/campaigns/{slug}/",
        "/en/about/",
        f"/en/campaigns/{slug.upper()}",
        "/en//",
    ):
        assert site.get(path).status_code == 404
    assert site.get("/de/about").status_code == 404
    assert site.get(f"/de/campaigns/{slug}/qr.svg").status_code == 404
    assert site.post(f"/de/campaigns/{slug}/sign", good_form()).status_code == 404


@pytest.mark.parametrize("name", ["privacy", "counting", "accessibility", "about", ""])
def test_plain_pages_are_there_in_three_languages(site: Stage, name: str) -> None:
    pages = [site.get(f"/{locale}/{name}") for locale in ("km", "en", "fr")]
    assert [answer.status_code for answer in pages] == [200] * 3
    assert [Page(answer.text).lang for answer in pages] == ["km", "en", "fr"]
    assert len({Page(answer.text).title for answer in pages}) == 3
    for answer in pages:
        assert all(
            f'hreflang="{each}" href="http://127.0.0.1:8000/{each}/{name}"' in answer.text for each in ("km", "en")
        )


def test_a_database_that_is_gone_is_said_in_three_languages(
    stage: Stage, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    slug = stage.campaign()
    stage.get(f"/en/campaigns/{slug}")
    if isinstance(stage.database, SqliteDatabase):
        stage.database._read_engine.dispose()
        stage.database._write_engine.dispose()
        path = tmp_path / "hatthalekha.db"
        for each in tmp_path.glob("hatthalekha.db*"):
            each.unlink()
        path.mkdir()
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        server.drop_database(stage.settings.database_url.rpartition("/")[2])
    stage.house.cache.forget(slug)
    stage.house.shelf._entries.clear()
    for locale in ("km", "en", "fr"):
        for answer in (
            stage.get(f"/{locale}/campaigns/{slug}"),
            stage.get(f"/{locale}/"),
            stage.sign(slug, locale=locale),
            stage.get(f"/{locale}/confirm/{'x' * 43}"),
            stage.post(f"/{locale}/signature/{'x' * 43}", {"action": "erase", "sure": "yes"}),
            stage.get(f"/c/{slug}", headers={"accept-language": locale}),
        ):
            assert (answer.status_code, Page(answer.text).lang) == (503, locale)
            assert int(answer.headers["retry-after"]) > 0
    assert stage.get("/livez").status_code == 200
    assert stage.get("/readyz").status_code == 503
    assert stage.get("/en/about").status_code == 200


def test_what_nobody_expected_is_a_page_and_no_traceback(
    site: Stage, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(site.database, "write", broken)
    answer = site.sign(slug, locale="fr")
    assert (answer.status_code, Page(answer.text).lang) == (500, "fr")
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY
    monkeypatch.setattr(site.database, "read", broken)
    failed = site.get(f"/api/v1/campaigns/{slug}/count")
    assert (failed.status_code, failed.headers["content-type"]) == (500, "application/problem+json")


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ("", "203.0.113.5", "127.0.0.1", "203.0.113.5"),
        ("10.0.0.0/8", "203.0.113.5", "127.0.0.1", "203.0.113.5"),
        ("10.0.0.0/8", "10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", "198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.0/8", "10.0.0.1", "x, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.0/8", "10.0.0.1", "", "10.0.0.1"),
        ("::1/128", "::1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.0/8", "testclient", "198.51.100.7", "testclient"),
    ],
)
def test_only_a_trusted_proxy_is_believed(trusted: str, peer: str, forwarded: str, client: str) -> None:
    seen: list[tuple[str, str]] = []

    async def door(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        seen.append((scope["client"][0], scope.get(PEER, scope["client"][0])))
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    settings = Settings.from_environment({"HATTHALEKHA_TRUSTED_PROXIES": trusted})
    transport = httpx.ASGITransport(ClientAddress(door, settings), client=(peer, 1))

    async def ask() -> None:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as browser:
            await browser.get("/", headers={"x-forwarded-for": forwarded} if forwarded else {})

    asyncio.run(ask())
    assert seen == [(client, peer)]


def test_a_door_that_breaks_before_the_framework_answers_is_a_page(site: Stage) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError

    house = site.house
    shield = house.cache.app
    assert isinstance(shield, Shield)
    behind, shield.app = shield.app, broken
    try:
        answer = site.get("/fr/nothing")
    finally:
        shield.app = behind
    assert (answer.status_code, Page(answer.text).lang) == (500, "fr")
    assert answer.headers["content-security-policy"] == POLICY


def test_only_pages_remember_a_language(site: Stage) -> None:
    for path in ("/?chosen", "/api/v1/campaigns?chosen", "/livez?chosen", "/de/?chosen", "/frx?chosen"):
        assert "set-cookie" not in site.get(path).headers


def test_readiness_wants_every_migration(stage: Stage) -> None:
    assert stage.get("/readyz").json() == {"status": "ready"}
    stage.write(lambda session: session.execute(text("UPDATE alembic_version SET version_num = '0'")))
    answer = stage.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "migrations are missing"})


def test_the_application_starts_and_stops_with_its_background_work(database_folder: Path) -> None:
    stage = Stage(f"sqlite:///{database_folder}/hatthalekha.db", database_folder)
    person_slug = stage.campaign()
    stage.sign(person_slug)
    app = create_app(stage.house, with_background=True)

    async def live() -> None:
        inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        outbox: asyncio.Queue[Any] = asyncio.Queue()
        running: asyncio.Task[None] = asyncio.create_task(app({"type": "lifespan", "state": {}}, inbox.get, outbox.put))  # type: ignore[arg-type]  # a coroutine
        await inbox.put({"type": "lifespan.startup"})
        assert (await outbox.get())["type"] == "lifespan.startup.complete"
        while not stage.letters():  # noqa: ASYNC110 - a letter is a file, and files ring no bell
            await asyncio.sleep(0.02)
        await inbox.put({"type": "lifespan.shutdown"})
        assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
        await running

    stage.run(live())
    stage.run(stage.browser.aclose())
    stage.runner.close()


def test_campaigns_are_read_again_when_the_shelf_is_full(site: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_of_pages, "SHELF_SIZE", 2)
    site.house.shelf._entries.clear()
    slugs = [site.campaign(small_campaign(f"shelved-{number}")) for number in range(4)]
    for slug in slugs * 2:
        assert site.get(f"/c/{slug}").status_code == 303
    assert len(site.house.shelf._entries) == 2
