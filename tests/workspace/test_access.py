"""Every address of the workspace and of moderation × every role, signed out, and another team's member.

The tables of both doors are gone through, whatever is in them: an address that is added is tested by being there.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import pytest
import time_machine
from starlette.routing import Route

from app.core.clock import utc_now
from app.rules.permissions import STAFF, Membership, Permission, Role, StaffPermission
from app.web.moderation.door import PAGES as MODERATION
from app.web.workspace.door import PAGES as WORKSPACE
from tests.stage import on_one_database

if TYPE_CHECKING:
    from app.web.gate import Page
    from tests.stage import Organiser, Stage

PAGES: Final = (*(("workspace", page) for page in WORKSPACE), *(("moderation", page) for page in MODERATION))
#: Who asks: a role of the team, or of the service, or nobody's.
ROLES: Final = (*Role, "moderator", "operator", "outsider", "signed out")
#: Addresses that need no session, each for its reason: they lead to one.
DOORS: Final = frozenset(
    {
        "/sign-in",
        "/sign-in/check-email",
        "/sign-in/passkey",
        "/sign-in/passkey/options",
        "/sign-in/second-step",
        "/sign-in/second-step/options",
        "/sign-in/{token}",
        "/invitation/{token}",  # opened from a letter, by whoever it was sent to
    }
)
#: Ends the session that the loop needs: tried last.
LAST: Final = "/sign-out"


def methods_of(page: Page) -> list[str]:
    """Return the methods that a page answers to."""
    return [name for name, handler in (("GET", page.show), ("POST", page.post)) if handler is not None]


def address_of(door: str, page: Page, slug: str) -> str:
    """Return an address with something plausible in each of its places."""
    path = page.path.replace("{slug}", slug).replace("{locale}", "fr").replace("{part}", "title")
    return f"/en/{door}" + re.sub(r"\{\w+(:\w+)?\}", lambda _: str(uuid4()), path)


def names_more(page: Page) -> bool:
    """Tell whether the address names something beside the campaign: in a test, something that is not there."""
    return "{" in page.path.replace("{slug}", "")


def is_allowed(role: str, door: str, page: Page, method: str) -> bool:
    """Tell what the rules say, apart from the gate."""
    needs = page.post_needs if method == "POST" and page.post_needs is not None else page.needs
    if role == "signed out":
        return False
    if needs is None:
        return True
    if isinstance(needs, StaffPermission):
        return needs in STAFF[role if role in STAFF else "organiser"]
    assert isinstance(needs, Permission)
    return role in list(Role) and Membership(Role(role), frozenset()).allows(needs)


def come_as(stage: Stage, slug: str, role: str) -> Organiser | None:
    """Sign somebody in who has this role, and no other."""
    if role == "signed out":
        return None
    service = role if role in STAFF else "organiser"
    somebody = stage.organiser(f"{role.replace(' ', '-')}@example.org", role=service)
    if role in list(Role):
        stage.join(slug, somebody, role, ["fr"] if role == "translator" else [])
    elif role == "outsider":
        stage.join(stage.campaign(slug="another"), somebody, "owner")
    return somebody


def refusals(stage: Stage) -> int:
    """Return how many refusals are on record."""
    (row,) = stage.sql("SELECT count(*) FROM records WHERE what = 'refused'")
    return int(row[0])


#: Each role on SQLite, and on PostgreSQL those who see the most: what they open there has its own statements.
EVERYWHERE: Final = (
    *(("sqlite", str(role)) for role in ROLES),
    *(("postgresql", role) for role in ("owner", "operator", "signed out")),
)


@pytest.mark.parametrize(("database_url", "role"), EVERYWHERE, indirect=["database_url"])
def test_what_is_not_allowed_is_not_there_and_is_on_record(stage: Stage, role: str) -> None:
    slug = stage.campaign()
    somebody = come_as(stage, slug, role)
    expected = refusals(stage)
    # Sign-out last, and posts that change what the next address needs after all that only show.
    calls = [(door, page, method) for door, page in PAGES for method in methods_of(page)]
    calls.sort(key=lambda call: (call[1].path == LAST, call[2] == "POST"))
    for door, page, method in calls:
        may = is_allowed(role, door, page, method)
        if may and method == "POST":
            # What is allowed would change things: without the form's token it goes no further than the gate.
            continue
        path = address_of(door, page, slug)
        response = _send(stage, somebody, method, path)
        # Something of this campaign that nothing is: the page may put that on record as the gate would.
        is_unknown = may and names_more(page) and response.status_code == 404
        expected += (not may) or (is_unknown and refusals(stage) == expected + 1)
        assert refusals(stage) == expected, (method, path, response.status_code)
        assert may or response.status_code == 404, (method, path)
        assert response.status_code < 500, (method, path)
    if somebody is not None:
        (row,) = stage.sql("SELECT count(*) FROM records WHERE what = 'refused' AND account_id IS NULL")
        assert row[0] == 0


@on_one_database
@pytest.mark.parametrize("role", [str(role) for role in ROLES if role != "signed out"])
def test_a_post_without_this_sessions_token_is_refused(stage: Stage, role: str) -> None:
    slug = stage.campaign()
    somebody = come_as(stage, slug, role)
    assert somebody is not None
    foreign = stage.organiser("foreign@example.org").form_token
    calls = [each for each in PAGES if each[1].post is not None and is_allowed(role, each[0], each[1], "POST")]
    assert calls
    unknown = 0
    for door, page in calls:
        path = address_of(door, page, slug)
        for data in ({}, {"form_token": ""}, {"form_token": foreign}):
            response = stage.post(path, data, browser=somebody.browser)
            # An address whose own part names nothing may say so first.
            is_unknown = names_more(page) and response.status_code == 404
            assert response.status_code == 403 or is_unknown, path
            unknown += is_unknown
    assert refusals(stage) <= unknown


def test_who_is_signed_in_is_always_on_record_and_others_once_an_hour_for_each_page(stage: Stage) -> None:
    slug, outsider = stage.campaign(), stage.organiser("outsider@example.org")
    path = f"/en/workspace/campaigns/{slug}/team"
    for _ in range(3):
        assert outsider.get(path).status_code == 404
        assert stage.get(path).status_code == 404
        assert stage.get(f"/fr/workspace/campaigns/none-such-{slug}/team").status_code == 404
    assert refusals(stage) == 3 + 1
    assert stage.post(path).status_code == 404
    with time_machine.travel(utc_now() + timedelta(minutes=61), tick=True):
        assert stage.get(path).status_code == 404
    assert refusals(stage) == 3 + 1 + 2
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'refused' AND campaign_id IS NOT NULL") == [(6,)]


@on_one_database
def test_a_foreign_campaign_and_one_that_is_not_there_look_alike(stage: Stage) -> None:
    slug = stage.campaign()
    outsider = come_as(stage, slug, "outsider")
    assert outsider is not None
    for door, page in PAGES:
        if page.has_campaign and page.show is not None:
            paths = [address_of(door, page, each) for each in (slug, "none-such", "No%20slug")]
            answers = {(each.status_code, each.content) for each in map(outsider.get, paths)}
            assert len(answers) == 1, page.path


@on_one_database
def test_every_route_behind_the_sign_in_comes_from_the_tables(stage: Stage) -> None:
    known = {f"/{{locale}}/{door}{page.path}" for door, page in PAGES}
    unknown = set()
    for route in _routes(stage):
        match = re.fullmatch(r"/\{locale\}/(workspace|moderation)(/.*)?", route.path)
        if match is None or route.path in known:
            continue
        if match[1] != "workspace" or match[2] not in DOORS:
            unknown.add(route.path)
    assert unknown == set()
    assert len(known) == len(PAGES)
    served = {route.path for route in _routes(stage)}
    assert known <= served


def _send(stage: Stage, somebody: Organiser | None, method: str, path: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - httpx's
    if somebody is None:
        return stage.get(path) if method == "GET" else stage.post(path, {"text": "x"})
    return somebody.get(path) if method == "GET" else somebody.post(path, {})


def _routes(stage: Stage) -> list[Route]:
    """Return the routes of the application inside what stands before it."""
    app = stage.app
    while not hasattr(app, "routes"):
        app = app.app  # type: ignore[attr-defined]  # each thing in front holds the one behind it
    return [route for route in app.routes if isinstance(route, Route)]
