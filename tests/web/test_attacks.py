"""Bad input and attacks on the public doors: refused quickly, kept literally, and never a fault of ours."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.stage import Stage, good_form, small_campaign
from tests.web.html import Page

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.web.people import Person

FORM = b"application/x-www-form-urlencoded"
PAYLOADS = [
    "<script>alert(1)</script>",
    "{{7*7}}",
    "{% for x in y %}",
    "#panic()",
    "%(name)s",
    "'; DROP TABLE signatures",
]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"name=" + b"a" * 1_000_000, 413, id="a megabyte"),
        pytest.param(b"&".join(b"f%d=x" % number for number in range(10_000)), 413, id="10,000 fields"),
        pytest.param(b"&".join(b"%d" % number for number in range(10_000)), 400, id="10,000 short fields"),
        pytest.param(b"name=%FF%FE", 400, id="not UTF-8"),
        pytest.param("name=សុខ".encode(), 400, id="not encoded"),
        pytest.param(b"name=%E1%9E", 400, id="half a character"),
        pytest.param(b"name=a&name=b", 400, id="a key twice"),
        pytest.param(b"n%61me=a&name=b", 400, id="a key twice, disguised"),
        pytest.param(b"edition=a&edition=b", 400, id="a hidden key twice"),
        pytest.param(b"locale=km&locale=en", 400, id="the other hidden key twice"),
        pytest.param(b"name=%zz%4&consent=%", 422, id="broken escapes"),
        pytest.param(b"name=a%00b&email=a%00%40b.org", 422, id="NUL"),
        pytest.param(b"", 422, id="nothing"),
        pytest.param(b"&&=&=x&;;", 400, id="nameless twice"),
        pytest.param(b"name=%ED%A0%80", 400, id="a surrogate"),
    ],
)
def test_a_bad_body_is_refused_at_once(site: Stage, slug: str, body: bytes, status: int) -> None:
    for door in ("sign", "check-email"):
        begun = time.monotonic()
        answer = site.post(f"/km/campaigns/{slug}/{door}", body)
        assert answer.status_code == status
        assert Page(answer.text).lang == "km"
        assert time.monotonic() - begun < 2
    assert site.count(slug) == 0


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/json", "text/plain", "x"])
def test_another_kind_of_body_is_refused(site: Stage, slug: str, media_type: str) -> None:
    path = f"/fr/campaigns/{slug}/sign"
    answer = site.post(path, json.dumps(good_form()).encode(), headers={"content-type": media_type})
    assert answer.status_code == 415
    assert Page(answer.text).lang == "fr"


def test_a_length_that_lies_does_not_get_more_in(site: Stage, slug: str) -> None:
    async def without_end() -> httpx.Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(2_000):
                yield b"name=" + b"a" * 1_000

        headers = {"content-type": FORM.decode()}
        return await site.browser.post(f"/en/campaigns/{slug}/sign", content=pieces(), headers=headers)

    answer = site.run(without_end())
    assert answer.status_code == 413
    assert Page(answer.text).lang == "en"


@pytest.mark.parametrize("payload", PAYLOADS)
def test_code_in_a_field_is_text(site: Stage, somebody: Callable[[], Person], payload: str) -> None:
    fields = ("name", "email", "country", "subdivision", "postal_code", "phone", "claims", "edition")
    asking = site.campaign(small_campaign(f"asks-{'abcdef'[PAYLOADS.index(payload)]}"), asks=["postal_code", "phone"])
    for field in fields:
        changed: dict[str, Any] = {field: payload}
        answer = site.sign(asking, **changed)
        assert answer.status_code in ({303, 422} if field in {"name", "claims"} else {422}), field
        assert "<script>alert" not in answer.text
        assert ">49<" not in answer.text
        assert '"49"' not in answer.text
        if field in {"name", "email"} and answer.status_code == 422:
            assert Page(answer.text).fields[field] == [payload]
    person = somebody()
    for path in (
        f"/en/?q={payload}",
        f"/{payload}/",
        f"/c/{payload}",
        f"/en/campaigns/{payload}",
        f"/en/campaigns/{payload}/check-email",
        f"/en/confirm/{payload}",
        f"/en/signature/{payload}?done={payload}",
        f"/api/v1/campaigns/{payload}",
        f"/api/v1/campaigns?cursor={payload}",
        f"/static/x/{payload}",
        f"/dev/mailbox/{payload}",
    ):
        answer = person.get(path.replace("%", "%25").replace("#", "%23"))
        assert answer.status_code in {200, 400, 404}, path
        assert "<script>alert" not in answer.text
    searched = site.get("/en/", params={"q": payload})
    assert Page(searched.text).fields["q"] == [payload]
    coded = person.answer_code(payload, email=payload)
    assert coded.status_code == 422
    assert "<script>alert" not in coded.text
    person.browser.cookies.set("hatthalekha_signing", payload.replace(";", ""))
    person.browser.cookies.set("hatthalekha_locale", payload.replace(";", ""))
    assert person.get(f"/en/campaigns/{person.slug}/check-email").status_code == 200
    assert person.get("/").headers["location"] in {"/en/", "/km/"}


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "@SUM(A1)", "+1+1", "\t=1+1", "-2+3"])
def test_a_formula_is_no_name(site: Stage, slug: str, name: str) -> None:
    answer = site.sign(slug, name=name)
    assert answer.status_code == 422
    assert Page(answer.text).fields["name"] == [name]


def test_a_web_address_as_name_is_refused_and_everything_is_kept(site: Stage, slug: str) -> None:
    typed: dict[str, Any] = {"name": "www.example.com", "show_name": "yes", "updates": "yes"}
    answer = site.sign(slug, **typed)
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.summary == [("name", "Enter your name, not a web or e-mail address")]
    kept = {name: page.fields[name] for name in ("name", "email", "country", "subdivision")}
    assert kept == {
        "name": ["www.example.com"],
        "email": ["sokha@example.org"],
        "country": ["CA"],
        "subdivision": ["CA-BC"],
    }
    assert page.ticked == {("claims", "citizen_of:CA"), ("consent", "yes"), ("show_name", "yes"), ("updates", "yes")}


@pytest.mark.parametrize(
    "email",
    [
        "a@example.org\nBcc: b@example.org",
        "a@example.org\r\nBcc: b@example.org",
        "a@example.org%0ABcc:b@example.org",
        "a@example.org,b@example.org",
        "A <a@example.org>",
        "a@example.org\0",
        '"a b"@example.org',
        "a@localhost",
        "a@[127.0.0.1]",
        "@",
        "a" * 300 + "@example.org",
    ],
)
def test_a_header_smuggled_into_an_address_is_refused(site: Stage, slug: str, email: str) -> None:
    answer = site.sign(slug, email=email)
    assert answer.status_code == 422
    assert [field for field, _ in Page(answer.text).summary] == ["email"]


def test_a_line_break_in_a_name_reaches_no_header(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    assert person.sign(name="Sokha\r\nBcc: x\u202eSeng\0").status_code == 422
    assert person.sign(name="Sokha\r\nSeng\u202e\0").status_code == 303
    letter = person.letter()
    assert letter.mail["To"] == person.email
    assert letter.mail["Bcc"] is None
    person.confirm()
    assert "Sokha Seng<" in person.get(f"/en/signature/{letter.token('signature')}").text


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8000.evil.example"},
        {"sec-fetch-site": "same-origin", "origin": "http://evil.example"},
        {"sec-fetch-site": "cross-site", "origin": "http://127.0.0.1:8000"},
    ],
)
def test_a_form_on_another_site_is_refused(
    site: Stage, somebody: Callable[[], Person], headers: dict[str, str]
) -> None:
    person = somebody()
    person.sign()
    letter = person.letter()
    for path, data in (
        (f"/fr/campaigns/{person.slug}/sign", good_form()),
        (f"/fr/campaigns/{person.slug}/check-email", {"code": letter.code}),
        (f"/fr/confirm/{letter.token('confirm')}", {"signing": "yes"}),
        (f"/fr/signature/{letter.token('signature')}", {"action": "erase", "sure": "yes"}),
    ):
        answer = person.post(path, data, headers=headers)
        assert answer.status_code == 403
        assert Page(answer.text).lang == "fr"
    assert person.count() == 0
    assert person.confirm().status_code == 303


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}, {"origin": "http://127.0.0.1:8000"}],
)
def test_a_form_of_ours_is_taken_from_old_browsers_too(site: Stage, slug: str, headers: dict[str, str]) -> None:
    assert site.post(f"/en/campaigns/{slug}/sign", good_form(), headers=headers).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example:8000", "[::2]:8000"])
def test_another_host_is_refused_on_every_address(site: Stage, slug: str, host: str) -> None:
    """Also where the answer lies ready in the cache, and with the headers that every answer has."""
    paths = ["/", "/km/", f"/en/campaigns/{slug}", f"/c/{slug}", "/api/v1/campaigns", "/dev/mailbox", "/nothing"]
    paths += ["/km/?chosen", f"/api/v1/campaigns/{slug}/count"]
    for path in paths:
        site.get(path)
        answer = site.get(path, headers={"host": host})
        assert answer.status_code == 400, path
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert host not in answer.text or not host
    assert site.post(f"/en/campaigns/{slug}/sign", good_form(), headers={"host": host}).status_code == 400
    assert {site.get(path, headers={"host": host}).status_code for path in ("/livez", "/readyz")} == {200}


def test_a_nul_is_a_page_that_is_not_there(stage: Stage) -> None:
    """PostgreSQL takes none in a text, and would make our fault of it."""
    slug = stage.campaign()
    for path in ("/c/{0}", "/en/campaigns/{0}", "/en/campaigns/{0}/qr.svg", "/en/campaigns/{0}/check-email"):
        for bad in ("%00", f"{slug}%00", "%ff", "%ed%a0%80", "a" * 5_000):
            assert stage.get(path.format(bad)).status_code == 404
            assert stage.get(f"/api/v1/campaigns/{bad}").status_code == 404
            assert stage.get(f"/api/v1/campaigns/{bad}/count").status_code == 404
    assert stage.post("/en/campaigns/%00/sign", good_form()).status_code == 404
    assert stage.get("/en/?q=%00%ff").status_code == 200
    assert stage.get("/api/v1/campaigns?cursor=MToA").status_code == 400
    for field in ("country", "subdivision", "email", "claims", "postal_code"):
        fields: dict[str, Any] = {field: "\0"}
        assert stage.sign(slug, **fields).status_code == 422
    assert stage.sign(slug, name="Sokha\0", claims=["citizen_of:CA", "\0"]).status_code == 303


def test_two_hosts_are_one_too_many(site: Stage) -> None:
    headers = httpx.Headers([("host", "127.0.0.1:8000"), ("host", "evil.example")])
    assert (
        site.run(site.browser.send(httpx.Request("GET", "http://127.0.0.1:8000/km/", headers=headers))).status_code
        == 400
    )


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST:8000", "127.0.0.1:9000", "[::1]:8000"])
def test_a_loopback_name_is_ours_while_we_are_local(site: Stage, host: str) -> None:
    assert site.get("/km/", headers={"host": host}).status_code == 200


def test_nothing_sends_a_visitor_elsewhere(site: Stage, slug: str) -> None:
    for path in (
        "//evil.example/",
        "//evil.example/%2e%2e",
        "/?next=//evil.example",
        f"/c/{slug}?next=https://evil.example",
        "/km?next=//evil.example",
        "/\\evil.example",
        "/c//evil.example",
    ):
        answer = site.get(f"{site.settings.base_url}{path}", follow_redirects=False)
        location = answer.headers.get("location", "/")
        assert location.startswith("/"), path
        assert not location.startswith(("//", "/\\")), path
        assert "evil" not in location
    signed = site.post(f"/en/campaigns/{slug}/sign?next=//evil.example", {**good_form(), "next": "//evil.example"})
    assert signed.headers["location"] == f"/en/campaigns/{slug}/check-email"
