"""What is weighed at the door of signing: everybody gets the same answers, and honest people are asked little."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import time_machine

from app.actions.signing import confirm_by_token
from app.core.clock import utc_now
from app.models import Switch
from app.web import marks
from app.web.public import proof
from tests.stage import good_form, on_one_database, small_campaign
from tests.web.html import Page
from tests.web.people import Person
from tests.web.test_proof import ask, solve

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Stage

WAIT = "Many people are signing right now. Wait about ten seconds, then press “Sign” again"
DOUBT = "This postal code seems to be in another province. Check both. If they are right, press “Sign” again"


def served(site: Stage, slug: str) -> dict[str, Any]:
    """Return the hidden fields of the form as it is served."""
    fields = Page(site.get(f"/en/campaigns/{slug}", browser=site.new_browser()).text).fields
    return {name: fields[name][0] for name in ("edition", "made", "message")}


def judged(site: Stage, slug: str) -> list[tuple[str, int, list[str]]]:
    """Return standing, score and signals of what was signed, the oldest first."""
    rows = site.sql(
        "SELECT s.standing, s.score, s.signals FROM signatures s JOIN campaigns c ON c.id = s.campaign_id "
        "WHERE c.slug = :slug ORDER BY s.created_at",
        slug=slug,
    )
    return [(standing, score, json.loads(signals)) for standing, score, signals in rows]


def id_of(site: Stage, slug: str) -> UUID:
    """Return a campaign's id."""
    shelved = site.run(site.house.shelf.find(slug))
    assert shelved is not None
    return shelved.campaign.id


def a_quiet_minute() -> datetime:
    """Return a moment in the middle of a minute: a form that was made before it is not quick."""
    return utc_now().replace(second=30, microsecond=0) + timedelta(minutes=1)


def test_the_form_as_served_has_nothing_against_it(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    with time_machine.travel(a_quiet_minute(), tick=True):
        assert person.sign(**served(site, person.slug)).status_code == 303
    assert judged(site, person.slug) == [("counted", 0, [])]
    ((address, network),) = site.sql(
        "SELECT s.address_index, s.network_index FROM signatures s JOIN campaigns c ON c.id = s.campaign_id "
        "WHERE c.slug = :slug",
        slug=person.slug,
    )
    assert len(address) == len(network) == 32
    assert address != network


def test_a_field_that_nobody_sees_is_empty_and_cannot_be_reached(site: Stage, slug: str) -> None:
    page = site.get(f"/en/campaigns/{slug}").text
    field = page[page.index('<div class="vh" aria-hidden="true"><label for="message">') :].partition("</div>")[0]
    assert 'name="message" value="" tabindex="-1" autocomplete="off"' in field
    assert "style=" not in field


def test_whoever_fills_in_what_nobody_sees_is_told_the_same_and_not_counted(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    honest, program = somebody(), somebody()
    assert honest.sign(**served(site, honest.slug)).status_code == 303
    answers = [
        site.sign(honest.slug, browser=site.new_browser(), **served(site, honest.slug) | fields)
        for fields in ({"email": "third@example.org"}, {"email": program.email, "message": "Buy now"})
    ]
    assert [(each.status_code, each.headers["location"]) for each in answers] == [
        (303, f"/en/campaigns/{honest.slug}/check-email")
    ] * 2
    assert len(answers[0].headers["set-cookie"]) == len(answers[1].headers["set-cookie"])
    assert [standing for standing, _, _ in judged(site, honest.slug)] == ["counted", "counted", "quarantined"]
    seen = [person.confirm() for person in (honest, program)]
    assert {(each.status_code, each.headers["location"]) for each in seen} == {
        (303, f"/en/campaigns/{honest.slug}/signed")
    }
    own_pages = [
        site.get(f"/en/signature/{person.letter().token('signature')}").text.replace(person.email, "")
        for person in (honest, program)
    ]
    assert Page(own_pages[0]).words == Page(own_pages[1]).words
    assert honest.count() == 1
    (held,) = site.sql("SELECT rule, held FROM integrity_days")
    assert held == ("scripted", 1)
    # Again, and by the other way: still told the same.
    assert site.write(confirm_by_token, token=program.letter().token("confirm"), now=utc_now()).campaign_slug


@pytest.mark.parametrize("mark", ["", "1.0123456789abcdef", "x", "9" * 400, "of another campaign", "a wait"])
def test_a_form_without_its_mark_is_noted_and_counted(site: Stage, somebody: Callable[[], Person], mark: str) -> None:
    person = somebody()
    if mark == "of another campaign":
        mark = served(site, site.campaign(small_campaign(f"other-{uuid4().hex[:8]}")))["made"]
    if mark == "a wait":
        mark = marks.wait_mark(site.keyring, id_of(site, person.slug), utc_now())
    assert person.sign(**served(site, person.slug) | {"made": mark}).status_code == 303
    assert judged(site, person.slug) == [("counted", 20, ["unmarked_form"])]


def test_the_age_of_a_form_is_an_upper_bound(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    start = utc_now().replace(second=2, microsecond=0) + timedelta(minutes=3)
    with time_machine.travel(start, tick=False):
        hidden = served(site, person.slug)
        person.sign(**hidden)
    with time_machine.travel(start + timedelta(seconds=1), tick=False):
        person.sign(**hidden, name="Sok Dara")
    with time_machine.travel(start + timedelta(hours=49), tick=False):
        person.sign(**hidden, name="Chan Dara")
    assert [signals for _, _, signals in judged(site, person.slug)] == [["quick_form"], [], ["old_form"]]


def test_a_form_that_comes_back_with_faults_keeps_its_mark_and_gets_one_where_it_has_none(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    person = somebody()
    hidden = served(site, person.slug)
    with time_machine.travel(utc_now() + timedelta(minutes=5), tick=True):
        assert Page(person.sign(**hidden, consent=None).text).fields["made"] == [hidden["made"]]
        fresh = Page(person.sign(**hidden | {"made": "mine"}, consent=None).text).fields["made"][0]
    assert marks.read_form_mark(site.keyring, id_of(site, person.slug), fresh) is not None
    assert fresh != hidden["made"]


@pytest.mark.parametrize(
    ("fields", "signals"),
    [
        ({"email": "sok@mailinator.com"}, ["throwaway_domain"]),
        ({"email": "sok@privaterelay.appleid.com"}, []),
        ({"name": "asdfgh jkl"}, ["odd_name"]),
        ({"name": "ក្្រា"}, ["odd_name"]),
    ],
)
def test_what_is_odd_is_noted_and_counted(
    site: Stage, somebody: Callable[[], Person], fields: dict[str, str], signals: list[str]
) -> None:
    person = somebody()
    with time_machine.travel(a_quiet_minute(), tick=True):
        assert person.sign(**served(site, person.slug), **fields).status_code == 303
    assert [(standing, found) for standing, _, found in judged(site, person.slug)] == [("counted", signals)]


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_a_postal_code_of_another_province_is_asked_once_more(site: Stage, locale: str) -> None:
    slug = site.campaign(small_campaign(f"asks-code-{locale}"), asks=["postal_code"])
    person = Person(site, slug, f"code-{locale}@example.org")
    with time_machine.travel(a_quiet_minute(), tick=True):
        sent: dict[str, Any] = served(site, slug) | {"name": "Sok <i>", "postal_code": "h3z2y7", "subdivision": "CA-BC"}
        both = Page(person.sign(locale=locale, **sent, consent=None).text)
        assert [field for field, _ in both.summary] == ["name", "postal_code", "consent"], both.words
        sent["name"] = "Sok Dara"
        answer = person.sign(locale=locale, **sent)
        page = Page(answer.text)
        assert answer.status_code == 422
        assert page.invalid == {"postal_code"}
        if locale == "en":
            assert page.summary == [("postal_code", DOUBT)]
        assert (page.fields["postal_code"], page.fields["subdivision"]) == (["h3z2y7"], ["CA-BC"])
        # Another doubt is another question; the first one's answer does not settle it.
        checked = {"checked": page.fields["checked"][0]}
        assert person.sign(**sent | checked | {"subdivision": "CA-ON"}).status_code == 422
        assert person.sign(locale=locale, **sent | checked).status_code == 303
    assert judged(site, slug) == [("counted", 5, ["postal_mismatch"])]


def switch_on(stage: Stage, kind: str, scope: str = "") -> None:
    """Turn a switch on, before anything was asked of the switchboard."""

    def work(session: Session) -> None:
        session.add(Switch(id=uuid4(), kind=kind, scope=scope, subject="", because="test", on_at=utc_now()))

    stage.write(work)


@on_one_database
def test_without_a_proof_one_waits_and_presses_again(stage: Stage) -> None:
    slug = stage.campaign()
    switch_on(stage, "proof", id_of(stage, slug).hex)
    now = a_quiet_minute()
    with time_machine.travel(now, tick=False) as clock:
        page = stage.get(f"/fr/campaigns/{slug}").text
        assert f'data-proof="/fr/campaigns/{slug}/proof"' in page
        assert "proof.js" in page
        hidden = served(stage, slug)
        browser = stage.new_browser()
        answer = stage.sign(slug, browser=browser, **hidden, proof="nonsense", show_name="yes")
        asked = Page(answer.text)
        assert answer.status_code == 422
        assert asked.summary == [("sign", WAIT)]
        assert asked.invalid == set()
        assert "set-cookie" not in answer.headers
        assert {name: asked.fields[name] for name in ("name", "email", "postal_code") if name in asked.fields} == {
            name: [good_form()[name]] for name in ("name", "email", "postal_code") if name in asked.fields
        }
        assert asked.ticked == {("claims", "citizen_of:CA"), ("show_name", "yes"), ("consent", "yes")}
        waited = {"waited": asked.fields["waited"][0], "made": asked.fields["made"][0]}
        # Too soon: the same mark comes back, so that the waiting goes on and does not begin again.
        clock.shift(timedelta(seconds=3))
        early = stage.sign(slug, browser=browser, **hidden | waited)
        assert (early.status_code, Page(early.text).fields["waited"]) == (422, [waited["waited"]])
        assert stage.sql("SELECT count(*) FROM signatures") == [(0,)]
        clock.shift(timedelta(seconds=6))
        assert stage.sign(slug, browser=browser, **hidden | waited).status_code == 303
        assert judged(stage, slug) == [("counted", 30, ["no_proof"])]
        # A mark of another campaign, or of half an hour ago, is none.
        other = marks.wait_mark(stage.keyring, uuid4(), now - timedelta(minutes=1))
        for mark in (other, waited["waited"][:-1] + "x"):
            assert stage.sign(slug, browser=browser, **hidden | {"waited": mark}, name="Chan Dara").status_code == 422
        clock.shift(timedelta(minutes=31))
        late = stage.sign(slug, browser=browser, **hidden | waited, name="Chan Dara")
        assert late.status_code == 422
        assert Page(late.text).fields["waited"] != [waited["waited"]]


@on_one_database
def test_a_solved_riddle_signs_at_once_and_only_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "ROUNDS", 2)
    monkeypatch.setattr(proof, "FEWEST_TRIES", 1)
    monkeypatch.setattr(proof, "MOST_TRIES", 3)
    slug = stage.campaign()
    switch_on(stage, "proof")
    with time_machine.travel(a_quiet_minute(), tick=False):
        solved = solve(ask(stage, slug))
        hidden = served(stage, slug)
        assert stage.sign(slug, **hidden, proof=solved).status_code == 303
        assert judged(stage, slug) == [("counted", 0, [])]
        assert stage.sign(slug, **hidden, proof=solved, name="Chan Dara").status_code == 422


@on_one_database
def test_while_signing_is_paused_nothing_is_taken(stage: Stage) -> None:
    slug = stage.campaign()
    switch_on(stage, "pause_signing", id_of(stage, slug).hex)
    answer = stage.sign(slug)
    assert answer.status_code == 409
    assert stage.sql("SELECT count(*) FROM signatures") == [(0,)]
