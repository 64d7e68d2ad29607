"""The page cache in front of the doors."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from app.web import cache as caching
from tests.stage import small_campaign

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage import Stage
    from tests.web.people import Person


@pytest.fixture
def asked(site: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note every address that the cache lets through to the doors."""
    _ = site.app  # made by being asked for, and with it what stands behind the cache
    behind = site.house.cache.app
    assert behind is not None
    paths: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        paths.append(scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else ""))
        await behind(scope, receive, send)

    monkeypatch.setattr(site.house.cache, "app", noting)
    # Long enough for a slow machine: what these tests want is that it is kept at all.
    monkeypatch.setattr(caching, "SECONDS", 60.0)
    return paths


def test_a_page_is_made_once_for_many_who_wait(site: Stage, slug: str, asked: list[str]) -> None:
    path = f"/km/campaigns/{slug}"

    async def many() -> set[bytes]:
        browsers = [site.new_browser() for _ in range(20)]
        return {(await each).content for each in [asyncio.ensure_future(browser.get(path)) for browser in browsers]}

    assert len(site.run(many())) == 1
    assert asked == [path]


def test_a_query_changes_no_page_but_a_search(site: Stage, slug: str, asked: list[str]) -> None:
    site.campaign(small_campaign(f"{slug}-b"))
    path = f"/en/campaigns/{slug}"
    first = site.get(f"{path}?a=b")
    for query in ("", "?confirm=true", "?utm_source=x&a=b", "?" + "x" * 2_000, "?chosen=fr"):
        assert site.get(path + query).content == first.content
    assert asked == [path]
    site.get("/en/")
    assert "“ស្ត្រី”" in site.get("/en/?q=ស្ត្រី").text
    assert site.get("/api/v1/campaigns?limit=1").json() != site.get("/api/v1/campaigns?limit=2").json()
    assert "“ស្ត្រី”" not in site.get("/en/").text


@pytest.mark.parametrize("path", ["/en/campaigns/{0}/check-email", "/en/campaigns/{0}/signed", "/c/{0}", "/", "/en/x"])
def test_what_is_personal_or_went_wrong_is_never_kept(site: Stage, slug: str, asked: list[str], path: str) -> None:
    for _ in range(2):
        answer = site.get(path.format(slug))
        assert answer.headers["cache-control"] == "no-store"
        assert "etag" not in answer.headers
    assert len(asked) == 2


def test_an_address_without_a_page_is_asked_again_each_time(site: Stage, asked: list[str]) -> None:
    assert [site.get("/en/campaigns/nothing").status_code for _ in range(2)] == [404, 404]
    assert len(asked) == 2
    site.campaign(small_campaign("nothing"))
    assert site.get("/en/campaigns/nothing").status_code == 200


def test_nobodys_cookie_gets_into_a_page(site: Stage, somebody: Callable[[], Person], asked: list[str]) -> None:
    person = somebody()
    person.sign()
    path = f"/fr/campaigns/{person.slug}"
    first = person.get(path, headers={"accept-language": "km"})
    second = site.get(path, browser=site.new_browser())
    assert first.content == second.content
    assert "set-cookie" not in first.headers
    assert person.email not in first.text
    assert asked.count(path) == 1


def test_compressed_and_plain_are_two_answers(site: Stage, slug: str) -> None:
    path = f"/en/campaigns/{slug}"
    plain = site.get(path, headers={"accept-encoding": "identity"})
    packed = site.run(_raw(site, path, {"accept-encoding": "br, gzip"}))
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.raw) == plain.content
    assert int(packed.headers["content-length"]) == len(packed.raw)
    assert plain.headers["vary"] == packed.headers["vary"] == "Accept-Encoding"
    assert plain.headers["etag"] != packed.headers["etag"]


async def _raw(site: Stage, path: str, headers: dict[str, str]) -> Any:  # noqa: ANN401 - a response and its raw bytes
    async with site.new_browser() as browser, browser.stream("GET", path, headers=headers) as answer:
        answer.raw = b"".join([piece async for piece in answer.aiter_raw()])  # type: ignore[attr-defined]  # ours
        return answer


def test_head_and_what_is_known_already_send_no_body(site: Stage, slug: str) -> None:
    path = f"/en/campaigns/{slug}"
    whole = site.get(path)
    head = site.run(site.browser.head(path))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers
    etag = whole.headers["etag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}'):
        answer = site.get(path, headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["content-security-policy"] == whole.headers["content-security-policy"]
        assert answer.headers["etag"] == etag
    assert site.get(path, headers={"if-none-match": '"x"'}).status_code == 200


def test_the_count_is_new_as_soon_as_somebody_confirmed(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    owner = person.letter().token("signature")
    paths = (f"/en/campaigns/{person.slug}", f"/api/v1/campaigns/{person.slug}")

    def counts() -> list[int]:
        page, data = (site.get(path) for path in paths)
        shown = int(page.text.partition('<p class="num">')[2].partition("<")[0])
        return [shown, data.json()["signatures"], site.count(person.slug)]

    assert counts() == [0, 0, 0]
    person.confirm()
    assert counts() == [1, 1, 1]
    person.post(f"/en/signature/{owner}", {"action": "withdraw", "sure": "yes"})
    assert counts() == [0, 0, 0]


def test_a_page_that_was_being_made_while_somebody_confirmed_is_not_kept(
    site: Stage, slug: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, path = site.house.cache, f"/en/campaigns/{slug}"
    behind = cache.app
    assert behind is not None

    async def slowly(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI's
        await behind(scope, receive, send)
        cache.forget(slug)

    monkeypatch.setattr(cache, "app", slowly)
    assert site.get(path).status_code == 200
    assert not any(key[0] == path for key in cache._entries)


def test_a_choice_of_language_is_remembered_and_kept_by_nobody_else(site: Stage, slug: str, asked: list[str]) -> None:
    browser = site.new_browser()
    path = f"/fr/campaigns/{slug}"
    site.get(path, browser=browser)
    for address in (f"{path}?chosen", "/fr/?q=x&chosen", "/fr/?chosen"):
        answer = site.get(address, browser=browser)
        assert answer.headers["set-cookie"].startswith("hatthalekha_locale=fr; Path=/; ")
        assert answer.headers.get_list("cache-control") == ["no-store"]
    assert asked.count(path) == 1
    assert "set-cookie" not in site.get(path, browser=browser).headers
    assert site.get("/", browser=browser).headers["location"] == "/fr/"


def test_static_files_are_kept_for_ever_under_an_address_of_their_own(site: Stage) -> None:
    from app.rendering import STATIC, asset

    for file in STATIC.iterdir():
        answer = site.get(asset(file.name))
        if file.suffix == ".txt":
            assert answer.status_code == 404
            continue
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content == file.read_bytes()
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.get(asset("style.css"), headers={"accept-encoding": "identity"}).headers.get("content-encoding") is None
    old = site.get("/static/000000000000/style.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "public, max-age=60")
    for path in ("/static/x/none.css", "/static/x/..%2f..%2fmain.py", "/static/style.css", "/static/", "/static/x/"):
        assert site.get(path).status_code == 404
