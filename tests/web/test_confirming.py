"""The link in the letter and the code in the tab."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from sqlalchemy import delete, select

from app.actions.life import stop_campaign
from app.core.clock import utc_now
from app.models import Campaign, Token
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stage import Stage

NOT_RIGHT = "This code is not right or no longer works. Enter the 6 digits of the newest email"


def later(**how_much: float) -> time_machine.travel:
    return time_machine.travel(utc_now() + timedelta(**how_much), tick=True)


@on_one_database
def test_opening_the_link_changes_nothing_however_it_is_opened(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "sokha@example.org")
    person.sign()
    path = f"/en/confirm/{person.letter().token('confirm')}"
    before = stage.sql("SELECT * FROM signatures")

    async def open_it() -> set[int]:
        answers = [await person.browser.get(path) for _ in range(100)]
        answers += [await person.browser.head(path)]
        answers += [await person.browser.get(path, params=query) for query in ({"confirm": "true"}, {"signing": "yes"})]
        return {answer.status_code for answer in answers}

    assert stage.run(open_it()) == {200}
    assert stage.sql("SELECT * FROM signatures") == before
    assert stage.sql("SELECT count(*) FROM count_events") == [(0,)]


def test_a_query_confirms_nothing_only_a_body_does(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    path = f"/en/confirm/{person.letter().token('confirm')}?signing=yes"
    stranger = site.new_browser()
    assert site.post(path, browser=stranger).status_code == 422
    assert person.count() == 0


def test_wrong_tokens_give_one_and_the_same_404(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    confirm, manage = person.letter().token("confirm"), person.letter().token("signature")
    flipped = ("B" if confirm[0] == "A" else "A") + confirm[1:]
    wrong = [
        *(f"/en/confirm/{token}" for token in (manage, flipped, confirm[:-1], confirm + "A", "x", "%00", "{{7*7}}")),
        f"/en/signature/{confirm}",
        f"/en/signature/{flipped}",
        "/en/nothing",
    ]
    answers = [site.get(path) for path in wrong]
    answers += [site.post(path, {"signing": "yes"}) for path in wrong[:-1]]
    answers += [site.post(path, {"again": "yes"}) for path in wrong[:2]]
    answers += [site.post(path, {"action": "erase", "sure": "yes"}) for path in wrong[-3:-1]]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert person.count() == 0
    assert person.confirm().status_code == 303


def test_a_browser_that_did_not_sign_has_to_tick_a_box(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    path = f"/en/confirm/{person.letter().token('confirm')}"
    assert 'name="signing"' not in person.get(path).text
    other = site.new_browser()
    shown = site.get(path, browser=other)
    assert Page(shown.text).ticked == set()
    assert 'name="signing"' in shown.text
    refused = site.post(path, browser=other)
    assert refused.status_code == 422
    assert Page(refused.text).summary == [("signing", "Tick the box “I am signing this myself”")]
    assert person.count() == 0
    assert site.post(path, {"signing": "yes"}, browser=other).status_code == 303
    assert person.count() == 1


def test_once_confirmed_the_link_says_so_and_offers_no_form(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    path = f"/en/confirm/{person.letter().token('confirm')}"
    assert person.post(path).status_code == 303
    again = [person.post(path), site.post(path, browser=site.new_browser())]
    assert {(each.status_code, each.headers["location"]) for each in again} == {
        (303, f"/en/campaigns/{person.slug}/signed")
    }
    shown = person.get(path)
    assert shown.status_code == 200
    assert "Your signature is confirmed" in shown.text
    assert "<form" not in shown.text
    assert person.count() == 1


@pytest.mark.parametrize("locale", ["km", "en", "fr"])
def test_an_expired_link_offers_another_letter_and_says_nothing(
    site: Stage, somebody: Callable[[], Person], locale: str
) -> None:
    person = somebody()
    person.sign(name="Sokha Seng", locale=locale)
    path = f"/{locale}/confirm/{person.letter().token('confirm')}"
    with later(days=8):
        for answer in (site.get(path), site.post(path, {"signing": "yes"})):
            assert answer.status_code == 410
            assert not any(said in answer.text for said in ("Sokha", person.email, "Khmer books", person.slug))
            assert Page(answer.text).lang == locale
        assert 'name="again"' in answer.text
        assert person.count() == 0
        offered = site.post(path, {"again": "yes"}, browser=site.new_browser())
        assert offered.status_code == 410
        assert person.email not in offered.text
        assert len(person.letters()) == 2
        assert person.confirm().status_code == 303
    assert person.count() == 1


def test_an_old_link_of_a_confirmed_signature_gives_no_way_to_it(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    path = f"/en/confirm/{person.letter().token('confirm')}"
    person.post(path)
    with later(days=8):
        finder = site.new_browser()
        assert "/signature/" not in site.get(path, browser=finder).text
        assert site.post(path, {"signing": "yes"}, browser=finder).status_code == 303
        assert "/signature/" not in site.get(f"/en/campaigns/{person.slug}/signed", browser=finder).text


def test_signing_ends_at_closing_and_confirming_a_day_later(stage: Stage) -> None:
    slug = stage.campaign(open_for=2)
    closes_at = stage.read(lambda session: session.scalars(select(Campaign.closes_at)).one())
    assert closes_at is not None
    people = [Person(stage, slug, f"signer{number}@example.org") for number in range(4)]
    for person in people[:2]:
        person.sign()
    stage.deliver()
    with time_machine.travel(closes_at - timedelta(milliseconds=1), tick=False):
        assert people[2].sign().status_code == 303
    with time_machine.travel(closes_at, tick=False):
        refused = people[3].sign()
        assert refused.status_code == 409
        assert "Signing ended" in refused.text
        assert "you can still confirm for 24 hours" in refused.text
        assert "<form" not in people[0].get(f"/en/campaigns/{slug}").text
        assert people[2].confirm().status_code == 303
    with time_machine.travel(closes_at + timedelta(hours=24, milliseconds=-1), tick=False):
        assert people[0].confirm().status_code == 303
        assert stage.count(slug) == 2
    with time_machine.travel(closes_at + timedelta(hours=24), tick=False):
        late = people[1].confirm()
        assert late.status_code == 410
        assert "It is too late to confirm" in late.text
        assert "សុខ" not in late.text
        again = people[1].post(f"/en/confirm/{people[1].letter().token('confirm')}", {"again": "yes"})
        assert again.status_code == 410
        assert len(people[1].letters()) == 1
        withdrawn = people[0].post(
            f"/en/signature/{people[0].letter().token('signature')}", {"action": "withdraw", "sure": "yes"}
        )
        assert withdrawn.status_code == 303
    assert stage.sql("SELECT state, count(*) FROM signatures GROUP BY state ORDER BY state") == [
        ("confirmed", 1),
        ("pending", 1),
        ("withdrawn", 1),
    ]


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{1} {2}", "khmer"])
def test_the_code_confirms_as_people_type_it(site: Stage, somebody: Callable[[], Person], typed: str) -> None:
    person = somebody()
    person.sign()
    code = person.letter().code
    if typed == "khmer":
        typed = code.translate(str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩"))
    answer = person.answer_code(typed.format(code, code[:3], code[3:]))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/en/campaigns/{person.slug}/signed")
    assert person.count() == 1
    assert "/en/signature/" in person.get(answer.headers["location"]).text


def test_the_code_confirms_with_the_address_where_there_is_no_cookie(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    person = somebody()
    person.sign()
    code = person.letter().code
    person.browser = site.new_browser()
    assert person.answer_code(code).status_code == 422
    assert person.answer_code(code, email="somebody-else@example.org").status_code == 422
    assert person.answer_code(code, email=person.email.upper()).status_code == 303
    assert person.count() == 1


def test_after_five_wrong_codes_the_right_one_waits_for_tomorrow(stage: Stage) -> None:
    person = Person(stage, stage.campaign(), "sokha@example.org")
    noon = utc_now().replace(hour=12) + timedelta(days=1)
    with time_machine.travel(noon, tick=True):
        person.sign()
        code = person.letter().code
        wrong = "000000" if code != "000000" else "000001"
        answers = [person.answer_code(wrong) for _ in range(5)]
        answers += [person.answer_code(code), person.answer_code("letters"), person.answer_code("")]
        person.browser = stage.new_browser()
        with_address = person.answer_code(code, email=person.email)
        unknown = person.answer_code(code, email="nobody@example.org")
    assert {answer.status_code for answer in answers} == {422}
    assert len({answer.content for answer in answers}) == 1
    assert Page(answers[0].text).summary == [("code", NOT_RIGHT)]
    # Nor does an address tell whether it is known.
    assert with_address.text.replace(person.email, "nobody@example.org") == unknown.text
    assert stage.count(person.slug) == 0
    with time_machine.travel(noon + timedelta(hours=13), tick=True):
        assert person.answer_code(code, email=person.email).status_code == 303
    assert stage.count(person.slug) == 1


def test_a_code_works_for_a_day_and_for_its_campaign_alone(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    letter = person.letter()
    code = letter.code
    elsewhere = Person(site, site.campaign(small_campaign(f"{person.slug}-b")), person.email)
    elsewhere.sign()
    assert elsewhere.answer_code(code).status_code == 422
    elsewhere.browser = site.new_browser()
    assert elsewhere.answer_code(code, email=person.email).status_code == 422
    with later(hours=24, minutes=1):
        person.browser = site.new_browser()
        assert person.answer_code(code, email=person.email).status_code == 422
        assert person.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"}).status_code == 303
    assert (person.count(), elsewhere.count()) == (1, 0)


def test_a_double_click_the_back_button_and_a_reload_are_one_signature(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    person = somebody()
    for _ in range(3):
        assert person.sign().status_code == 303
    assert len(person.letters()) == 1
    for _ in range(3):
        assert person.confirm().status_code == 303
    assert person.count() == 1
    # A reload of the form after confirming is told the same, and counts nothing.
    assert person.sign().status_code == 303
    assert person.count() == 1


def test_a_campaign_that_was_stopped_takes_nobody_and_says_so(site: Stage, somebody: Callable[[], Person]) -> None:
    person = somebody()
    person.sign()
    letter = person.letter()
    site.write(stop_campaign, slug=person.slug, because="a test", now=utc_now())
    site.house.shelf._entries.clear()
    site.house.cache.forget(person.slug)
    assert "Signing was stopped" in person.get(f"/en/campaigns/{person.slug}").text
    assert person.sign().status_code == 409
    link = f"/en/confirm/{letter.token('confirm')}"
    assert "<form" not in person.get(link).text
    refused = person.post(link, {"signing": "yes"})
    assert (refused.status_code, "It is too late to confirm" in refused.text) == (409, True)
    assert person.answer_code(letter.code).status_code == 422
    assert person.count() == 0


def test_thanks_are_said_also_where_the_way_to_the_signature_is_gone(
    site: Stage, somebody: Callable[[], Person]
) -> None:
    """As a year after closing, when everything about signers has been destroyed."""
    person = somebody()
    person.sign()
    thanks = person.confirm().headers["location"]
    site.write(lambda session: session.execute(delete(Token).where(Token.purpose == "manage")))
    answer = person.get(thanks)
    assert answer.status_code == 200
    assert "/signature/" not in answer.text
