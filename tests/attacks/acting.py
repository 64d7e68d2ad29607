"""What people do at their browsers: read, type, press, wait where they are asked to, and confirm."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import altcha

from app.core.clock import utc_now

if TYPE_CHECKING:
    import httpx

    from tests.attacks.people import Person
    from tests.attacks.world import World

#: What asks to wait says "about ten seconds": so long honest people, and programs that obey, wait.
WAIT: Final = timedelta(seconds=12)
TRIES: Final = 5
_HIDDEN: Final = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')
_TYPE: Final = {"content-type": "application/x-www-form-urlencoded"}


async def sign(world: World, slug: str, person: Person) -> None:
    """Sign as a person does, and confirm."""
    browser = world.browser_at(person.address)
    await world.until(person.comes_at)
    page = await world.read_page(person.address, f"/{person.locale}/campaigns/{slug}", is_kept=person.is_attacker)
    await world.after(person.types_for)
    pressed_at = utc_now()
    if not await _press(world, slug, person, page):
        return
    person.waited = utc_now() - pressed_at
    if person.is_attacker:
        # A program reads its letters and presses its links as fast as it likes: what this costs is not measured here.
        token = await world.take_letter(person.email)
        await world.after(person.confirms_after)
        if token is not None:
            await world.press(token)
            person.is_confirmed = True
        return
    await world.after(person.confirms_after)
    if person.confirms_at is not None and utc_now() < person.confirms_at:
        await world.until(person.confirms_at)
    await _confirm(world, person, browser)


async def _press(world: World, slug: str, person: Person, page: str) -> bool:
    browser = world.browser_at(person.address)
    for _ in range(TRIES):
        fields = _hidden(page) | _typed(person) | person.extra
        if "proof" in fields and person.has_script:
            fields["proof"] = await _prove(slug, person, browser)
        sent = {name: value for name, value in fields.items() if value}
        content = urlencode(sent).encode()
        person.posts += 1
        answer = await browser.post(f"/{person.locale}/campaigns/{slug}/sign", content=content, headers=_TYPE)
        if answer.status_code == HTTPStatus.SEE_OTHER:
            return True
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, answer.text
        page = answer.text
        assert _hidden(page).get("waited"), re.findall(r'-fault"[^>]*>([^<]*)', page)
        person.asked += 1
        await world.after(WAIT if person.obeys else timedelta(seconds=1))
    return False


async def _prove(slug: str, person: Person, browser: httpx.AsyncClient) -> str:
    riddle: dict[str, Any] = (await browser.get(f"/{person.locale}/campaigns/{slug}/proof")).json()
    found = await asyncio.to_thread(altcha.solve_challenge, altcha.Challenge.from_dict(riddle))
    assert found is not None
    solved = {"challenge": riddle, "solution": {"counter": found.counter, "derivedKey": found.derived_key}}
    return base64.b64encode(json.dumps(solved).encode()).decode()


async def _confirm(world: World, person: Person, browser: httpx.AsyncClient) -> None:
    for _ in range(10):
        link = await world.read_mailbox(person.email)
        if link is not None:
            at = f"/{person.locale}/confirm/{link}"
            answer = await browser.post(at, content=b"signing=yes", headers=_TYPE)
            assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
            person.is_confirmed = True
            return
        await world.after(timedelta(seconds=30))


def _hidden(page: str) -> dict[str, str]:
    form = page[page.index('<form class="card" id="sign"') :]
    return {name: html.unescape(value) for name, value in _HIDDEN.findall(form[: form.index("</form>")])} | (
        {"proof": ""} if 'name="proof"' in form else {}
    )


def _typed(person: Person) -> dict[str, str]:
    return {
        "name": person.name, "email": person.email, "claims": "citizen_of:CA", "consent": "yes", "show_name": "yes",
        **person.place,
    }  # fmt: skip
