"""Lists of federal districts, one after another; what becomes of a signer's; forms that are turned away."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine

from app.actions.districts import Loaded, load_districts
from app.actions.retention import UNCONFIRMED_KEPT, expire_signatures, forget_signers
from app.actions.signing import note_turned_away
from app.core.clock import utc_now
from app.queries.districts import list_districts
from app.queries.turned_away import count_turned_away
from app.rules.districts import FederalDistrict
from tests.actions.lives import campaign_id
from tests.districts import FEW, offer
from tests.stage import small_campaign
from tests.web.people import Person

if TYPE_CHECKING:
    from tests.stage import Stage


@pytest.fixture
def asking(stage: Stage) -> str:
    """Open a campaign that asks for the district, with a few to choose from."""
    offer(stage)
    return stage.campaign(asks=["district"])


def rows(stage: Stage) -> list[tuple[str, str | None]]:
    """Return state and district of every form, oldest first."""
    return stage.sql("SELECT state, district FROM signatures ORDER BY created_at, version")


def test_a_new_list_takes_the_place_of_the_old_one(stage: Stage) -> None:
    now = utc_now()
    assert stage.write(load_districts, districts=FEW, now=now) == Loaded(3, 3, 0)
    assert stage.write(load_districts, districts=FEW, now=now) == Loaded(3, 0, 0)
    assert stage.read(list_districts) == tuple(sorted(FEW, key=lambda each: each.code))
    renamed = FederalDistrict("59008", {"en": "Coquitlam", "fr": "Coquitlam"}, "CA-BC")
    new = FederalDistrict("62001", {"en": "Nunavut", "fr": "Nunavut"}, "CA-NU")
    assert stage.write(load_districts, districts=(renamed, new), now=now) == Loaded(2, 1, 2)
    assert stage.read(list_districts) == (renamed, new)
    # Those that left keep their names, for the signatures that name them.
    assert [each.code for each in stage.read(list_districts, with_former=True)] == ["35109", "59008", "59035", "62001"]
    assert stage.write(load_districts, districts=FEW, now=now) == Loaded(3, 2, 1)


def test_the_same_form_with_another_district_is_another_version(stage: Stage, asking: str) -> None:
    person = Person(stage, asking, "sokha@example.org")
    for district in ("", "59008", "59008", None, "59035"):
        assert person.sign(district=district).status_code == 303
    assert rows(stage) == [("pending", None), ("pending", "59008"), ("pending", "59035")]


def test_a_form_without_a_district_is_the_same_as_before_districts_were_asked(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "sokha@example.org")
    person.sign()
    stage.sql_write("UPDATE campaigns SET asks = :asks", asks='["postal_code", "district"]')
    offer(stage)
    person.sign(district="")
    assert rows(stage) == [("pending", None)]


def test_a_district_goes_with_whatever_else_a_row_said(stage: Stage, asking: str) -> None:
    person = Person(stage, asking, "sokha@example.org")
    person.sign(district="59008")
    person.sign(district="59035")
    person.letters()
    with time_machine.travel(utc_now() + timedelta(minutes=2), tick=True):
        letter = person.letter()
        person.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
    assert sorted(rows(stage)) == [("confirmed", "59035"), ("superseded", None)]
    person.post(f"/en/signature/{letter.token('signature')}", {"action": "withdraw", "sure": "yes"})
    assert sorted(rows(stage)) == [("superseded", None), ("withdrawn", None)]
    Person(stage, asking, "bopha@example.org").sign(district="59008")
    stage.write(expire_signatures, now=utc_now() + UNCONFIRMED_KEPT + timedelta(minutes=1))
    assert rows(stage)[-1] == ("expired", None)


def test_what_was_disowned_or_forgotten_has_no_district(stage: Stage, asking: str) -> None:
    erased, kept = Person(stage, asking, "sokha@example.org"), Person(stage, asking, "bopha@example.org")
    for person in (erased, kept):
        person.sign(district="59008")
    page = f"/en/signature/{erased.letter().token('signature')}"
    erased.post(page, {"action": "erase", "sure": "yes"})
    assert rows(stage) == [("disowned", None), ("pending", "59008")]
    stage.write(forget_signers, campaign_id=campaign_id(stage, asking))
    assert rows(stage) == [("disowned", None), ("pending", None)]


def test_forms_that_are_turned_away_are_counted_for_each_campaign(stage: Stage) -> None:
    ids = [campaign_id(stage, stage.campaign(small_campaign(slug))) for slug in ("books", "more-books")]
    assert stage.read(count_turned_away, campaign_id=ids[0]) == 0
    for _ in range(3):
        stage.write(note_turned_away, campaign_id=ids[0])
    assert [stage.read(count_turned_away, campaign_id=each) for each in ids] == [3, 0]
