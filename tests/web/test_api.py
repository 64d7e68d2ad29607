"""The JSON door: what it says, how it says no, and who may ask."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from sqlalchemy import update

from app.actions.life import stop_campaign
from app.core.clock import utc_now
from app.core.db import DatabaseUnavailableError
from app.models import Campaign
from tests.stage import small_campaign
from tests.web.people import Person

if TYPE_CHECKING:
    import httpx

    from tests.stage import Stage

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
LINE = {"slug", "kind", "state", "titles", "opens_at", "closes_at", "signatures", "url"}
OF_CAMPAIGNS = {
    "/api/v1/campaigns",
    "/api/v1/campaigns/{slug}",
    "/api/v1/campaigns/{slug}/count",
    "/api/v1/campaigns/{slug}/breakdown",
    "/api/v1/campaigns/{slug}/integrity",
}
WHOLE = LINE | {"texts", "addressees", "sponsor", "eligibility", "thresholds", "endorsements", "responses"}


def problem_of(answer: httpx.Response) -> tuple[int, int]:
    """Return the status of a problem, twice told."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    said = answer.json()
    assert said["type"] == "about:blank"
    assert said["title"]
    return answer.status_code, said["status"]


def test_pages_of_the_list_lose_and_repeat_nothing(stage: Stage) -> None:
    """Campaigns close, open and are added while somebody reads on."""
    made = [stage.campaign(small_campaign(f"campaign-{number:02}"), open_for=number + 1) for number in range(11)]
    seen: list[str] = []
    address = "/api/v1/campaigns?limit=3"
    while address:
        page = stage.get(address).json()
        assert len(page["campaigns"]) <= 3
        seen += [each["slug"] for each in page["campaigns"]]
        address = page["next"]
        if len(seen) == 6:
            stage.write(stop_campaign, slug=seen[-1], because="a test", now=utc_now())
            stage.campaign(small_campaign("added-meanwhile"))
            with time_machine.travel(utc_now() + timedelta(days=5, hours=1), tick=True):
                stage.move_by_dates()
    assert sorted(seen) == made
    assert stage.get("/api/v1/campaigns?limit=100").json()["next"] is None
    # Made in one instant, they are told apart by their names.
    stage.write(lambda session: session.execute(update(Campaign).values(created_at=datetime(2026, 1, 1, tzinfo=UTC))))
    page, again = stage.get("/api/v1/campaigns?limit=7").json(), []
    while page["next"]:
        again += page["campaigns"]
        page = stage.get(page["next"]).json()
    assert sorted(each["slug"] for each in again + page["campaigns"]) == sorted([*made, "added-meanwhile"])


def test_a_campaign_is_told_whole(stage: Stage) -> None:
    slug = stage.campaign(opens_on="2026-01-01")
    for number in range(3):
        person = Person(stage, slug, f"signer{number}@example.org")
        person.sign()
        person.confirm()
    count = stage.get(f"/api/v1/campaigns/{slug}/count").json()
    assert set(count) == {"campaign", "signatures", "paper", "as_of", "thresholds"}
    assert (count["campaign"], count["signatures"]) == (slug, 3)
    assert MOMENT.fullmatch(count["as_of"])
    assert count["thresholds"] == [{"signatures": 3, "reached_at": None, "fell_below_at": None, "regained_at": None}]
    stage.roll_up()
    whole = stage.get(f"/api/v1/campaigns/{slug}").json()
    assert set(whole) >= WHOLE
    assert whole["url"] == f"http://127.0.0.1:8000/c/{slug}"
    assert (whole["kind"], whole["state"], whole["signatures"]) == ("petition", "open", 3)
    assert set(whole["texts"]) == set(whole["titles"]) == {"km", "en", "fr"}
    assert set(whole["eligibility"]["sentences"]) == {"km", "en", "fr"}
    assert whole["eligibility"]["rule"] == small_campaign()["eligibility"]
    assert [each["signatures"] for each in whole["thresholds"]] == [3]
    moments: list[str] = [whole["opens_at"], whole["closes_at"], whole["thresholds"][0]["reached_at"]]
    assert all(MOMENT.fullmatch(moment) for moment in moments)
    # No answer names a signer, or tells anyone's address.
    listed = stage.get("/api/v1/campaigns?limit=1")
    assert set(listed.json()["campaigns"][0]) == LINE
    for answer in (listed, stage.get(f"/api/v1/campaigns/{slug}")):
        assert "សុខ សុភា" not in answer.text
        assert "@" not in answer.text


def test_states_follow_the_dates_and_drafts_are_not_there(site: Stage) -> None:
    slug = site.campaign(small_campaign("dated"), open_for=None, opens_on="2090-01-10", closes_on="2090-01-20")
    for day, state in (("2090-01-09", "scheduled"), ("2090-01-15", "open"), ("2090-01-22", "closed")):
        with time_machine.travel(datetime.fromisoformat(f"{day}T12:00:00+00:00"), tick=True):
            listed = site.get("/api/v1/campaigns?limit=100").json()["campaigns"]
            assert [each["state"] for each in listed if each["slug"] == slug] == [state]
    for state in ("draft", "review", "refused"):
        hidden = site.campaign(small_campaign(f"hidden-{state}"))
        moved = update(Campaign).where(Campaign.slug == hidden).values(state=state)
        site.write(lambda session, what: session.execute(what), moved)
        paths = (f"/api/v1/campaigns/{hidden}", f"/api/v1/campaigns/{hidden}/count", f"/en/campaigns/{hidden}")
        for path in (*paths, f"/c/{hidden}", f"/en/campaigns/{hidden}/signed", f"/en/campaigns/{hidden}/qr.svg"):
            assert site.get(path).status_code == 404
        assert site.sign(hidden).status_code == 404
        assert hidden not in site.get("/api/v1/campaigns?limit=100").text
        assert hidden not in site.get("/en/?q=books").text


@pytest.mark.parametrize(
    "query",
    [
        *(f"limit={bad}" for bad in ("0", "-1", "101", "x", "", "1e9", "99999999999999999999", "%00", "1.5", "NaN")),
        *(f"cursor={bad}" for bad in ("", "x", "%00", "YWZ0ZXI6eA", "MTIz", "OTk5OjEx!", "MTphAA", "MToK", "a" * 5000)),
    ],
)
def test_a_bad_parameter_is_400_and_named(site: Stage, query: str) -> None:
    answer = site.get(f"/api/v1/campaigns?{query}")
    assert problem_of(answer) == (400, 400)
    assert answer.json()["detail"].startswith(query.partition("=")[0])


def test_what_is_not_there_or_not_done_is_a_problem(site: Stage, slug: str) -> None:
    for path in (
        "/api/v1/campaigns/nothing",
        "/api/v1/campaigns/a%00b/count",
        "/api/v1/x",
        "/api/",
        "/api/v1/campaigns/",
    ):
        assert problem_of(site.get(path)) == (404, 404)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = site.run(site.browser.request(method, f"/api/v1/campaigns/{slug}"))
        assert problem_of(answer) == (405, 405)
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_database_that_is_gone_is_a_problem_too(site: Stage, slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(*_: object, **__: object) -> None:
        raise DatabaseUnavailableError

    monkeypatch.setattr(site.database, "read", gone)
    answer = site.get(f"/api/v1/campaigns/{slug}/count")
    assert problem_of(answer) == (503, 503)
    assert int(answer.headers["retry-after"]) > 0


def test_any_page_may_ask(site: Stage, slug: str) -> None:
    paths = (
        "/api/v1/campaigns",
        "/api/v1/campaigns?limit=1",
        f"/api/v1/campaigns/{slug}/count",
        f"/api/v1/campaigns/{slug}/breakdown",
        "/api/v1/openapi.json",
    )
    for path in paths:
        elsewhere = {"origin": "https://news.example", "sec-fetch-site": "cross-site"}
        answer = site.get(path, headers=elsewhere)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
        assert "max-age" in answer.headers["cache-control"]
        assert "set-cookie" not in answer.headers
        asked = site.run(site.browser.options(path, headers={**elsewhere, "access-control-request-method": "GET"}))
        assert asked.status_code == 204
        assert "GET" in asked.headers["access-control-allow-methods"]
        assert asked.headers["access-control-allow-origin"] == "*"
        head = site.run(site.browser.head(path))
        assert (head.status_code, head.headers["content-type"]) == (200, "application/json")
    # Pages are for themselves alone.
    assert "access-control-allow-origin" not in site.get(f"/en/campaigns/{slug}").headers


def test_the_description_describes_what_is_answered(site: Stage, slug: str) -> None:
    said = site.get("/api/v1/openapi.json").json()
    assert said["openapi"].startswith("3.")
    assert set(said["paths"]) > OF_CAMPAIGNS, "the log's are in its own tests"
    for path in OF_CAMPAIGNS:
        operations = said["paths"][path]
        assert set(operations) == {"get"}
        assert set(operations["get"]["responses"]) == {"200", "4XX", "503"}
        shape = operations["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        check(site.get(path.replace("{slug}", slug)).json(), shape, said)
        problem = operations["get"]["responses"]["4XX"]["content"]["application/problem+json"]["schema"]
        check(site.get(f"{path.replace('{slug}', 'none')}?limit=x").json(), problem, said)


def check(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:  # noqa: ANN401 - JSON
    """Hold ``value`` to the part of JSON Schema that such descriptions use."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        fitting = [each for each in schema["anyOf"] if (each.get("type") == "null") == (value is None)]
        assert fitting
        check(value, fitting[0], document)
        return
    kinds: dict[str, type | tuple[type, ...]] = {
        "object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None),
    }  # fmt: skip
    assert isinstance(value, kinds[schema["type"]])
    if "enum" in schema:
        assert value in schema["enum"]
    if schema.get("format") == "date-time":
        assert isinstance(value, str)
        assert MOMENT.fullmatch(value)
    for each in value if isinstance(value, list) else ():
        check(each, schema["items"], document)
    if isinstance(value, dict) and "properties" in schema:
        assert set(schema.get("required", ())) <= set(value) <= set(schema["properties"])
        for name, part in value.items():
            check(part, schema["properties"][name], document)
