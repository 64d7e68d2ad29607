"""Publishing an edition and renewing a signature as actions, where many press at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from app.actions.editions import (
    DraftMoved,
    EditionMoved,
    NothingChanged,
    RenewalRefused,
    publish_edition,
    renew_signature,
)
from app.core.clock import utc_now
from app.jobs.fan_out import fan_out
from app.models import Campaign
from app.queries.editions import count_by_edition, count_present, find_correction, find_edition, list_editions
from tests.editions import NOTE, correct, write_part
from tests.web.people import Person

if TYPE_CHECKING:
    from uuid import UUID

    from app.queries.editions import Correction
    from tests.stage import Stage

SLUG = "libraries"


def campaign_of(stage: Stage) -> UUID:
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == SLUG)).one())


def correction_of(stage: Stage) -> Correction:
    found = stage.read(find_correction, campaign_id=campaign_of(stage))
    assert found is not None
    return found


def press(stage: Stage, email: str, **changes: Any) -> Any:  # noqa: ANN401 - a call waiting to be made
    """Return a press of the button by somebody who was shown the draft as it is now."""
    shown = correction_of(stage)
    values = {
        "campaign_id": campaign_of(stage),
        "shown_edition": shown.current.hash,
        "shown_draft": shown.hash,
        "is_substantive": False,
        "note": NOTE,
        "account_id": stage.organiser(email).account_id,
        "now": utc_now(),
        **changes,
    }
    return lambda: stage.database.write(publish_edition, **values)


async def _together(presses: list[Any]) -> list[Any]:
    return await asyncio.gather(*(each() for each in presses), return_exceptions=True)


def test_many_presses_of_one_person_make_one_edition(stage: Stage) -> None:
    stage.campaign()
    write_part(stage, SLUG, "request", "en", "more books")
    once = press(stage, "a@example.org")
    assert stage.run(_together([once] * 8)) == [2] * 8
    assert stage.sql("SELECT number FROM editions ORDER BY number") == [(1,), (2,)]
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'publish_edition'") == [(1,)]


def test_many_people_at_once_make_one_edition(stage: Stage) -> None:
    stage.campaign()
    write_part(stage, SLUG, "request", "en", "more books")
    presses = [press(stage, f"{number}@example.org") for number in range(6)]
    answers = stage.run(_together(presses))
    assert [each for each in answers if not isinstance(each, EditionMoved)] == [2]
    assert stage.sql("SELECT number FROM editions ORDER BY number") == [(1,), (2,)]


def test_what_was_not_shown_is_not_published(stage: Stage) -> None:
    stage.campaign()
    for fact, changes in (
        (NothingChanged, {}),
        (DraftMoved, {"shown_draft": "0" * 64}),
        (EditionMoved, {"shown_edition": "0" * 64}),
    ):
        with pytest.raises(fact):
            stage.run(press(stage, "a@example.org", **changes)())
    assert stage.sql("SELECT number FROM editions") == [(1,)]


def test_a_language_that_nobody_has_read_yet_comes_in_once_it_is_whole(stage: Stage) -> None:
    texts = {
        "en": {"title": "Books", "declaration": "We ask for:", "requests": ["books"]},
        "km": {"title": "សៀវភៅ", "declaration": "ពួកយើងខ្ញុំសូម៖", "requests": ["សៀវភៅ"]},
    }
    stage.campaign(texts=texts)

    def add(name: str, text: str) -> None:
        write = stage.write
        write(_add_part, campaign_id=campaign_of(stage), name=name, text=text)

    add("title", "Des livres")
    assert not correction_of(stage).is_change
    add("declaration", "Nous demandons")
    add("request", "des livres")
    shown = correction_of(stage)
    assert sorted(shown.texts) == ["en", "fr", "km"]
    assert shown.lost == ()
    assert stage.run(press(stage, "a@example.org")()) == 2


def _add_part(session: Any, *, campaign_id: UUID, name: str, text: str) -> None:  # noqa: ANN401 - a session
    from uuid import uuid4

    from app.models import TextItem, TextPart

    item_id = None
    if name == "request":
        item_id = session.scalars(select(TextItem.id).where(TextItem.campaign_id == campaign_id)).one()
    session.add(
        TextPart(
            id=uuid4(),
            campaign_id=campaign_id,
            item_id=item_id,
            name=name,
            locale="fr",
            text=text,
            is_ready=True,
            version=1,
            source_version=1,
            changed_at=utc_now(),
        )
    )


def _asked(stage: Stage, email: str) -> tuple[Person, str]:
    person = Person(stage, SLUG, email)
    person.sign()
    person.confirm()
    return person, email


def test_a_renewal_pressed_by_many_at_once_is_one(stage: Stage) -> None:
    stage.campaign()
    person, _ = _asked(stage, "a@example.org")
    newer = correct(stage, SLUG, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    token = person.letter().token("renew")

    async def all_at_once() -> list[int]:
        work = (stage.database.write(renew_signature, token=token, shown=newer, now=utc_now()) for _ in range(8))
        return await asyncio.gather(*work)

    assert stage.run(all_at_once()) == [2] * 8
    assert stage.sql("SELECT count(*) FROM renewals") == [(1,)]
    for wrong, fact in (
        ({"token": "x" * 43}, RenewalRefused),
        ({"now": utc_now() + timedelta(days=400)}, RenewalRefused),
        ({"shown": "0" * 64}, EditionMoved),
    ):
        with pytest.raises(fact):
            stage.write(renew_signature, **{"token": token, "shown": newer, "now": utc_now(), **wrong})  # type: ignore[arg-type]


def test_agreeing_to_the_text_that_was_signed_adds_nothing(stage: Stage) -> None:
    stage.campaign()
    person, _ = _asked(stage, "a@example.org")
    first = correction_of(stage).current.hash
    correct(stage, SLUG, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    token = person.letter().token("renew")
    assert correct(stage, SLUG, "books", is_substantive=True) == first
    assert stage.write(renew_signature, token=token, shown=first, now=utc_now()) == 3
    assert stage.sql("SELECT count(*) FROM renewals") == [(1,)]


def test_signatures_are_counted_for_each_text_and_for_the_present_one(stage: Stage) -> None:
    stage.campaign()
    people = [_asked(stage, f"{number}@example.org")[0] for number in range(3)]
    Person(stage, SLUG, "pending@example.org").sign()
    newer = correct(stage, SLUG, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    token = people[0].letter().token("renew")
    stage.write(renew_signature, token=token, shown=newer, now=utc_now())
    _asked(stage, "new@example.org")
    correct(stage, SLUG, "much money")
    _asked(stage, "newer@example.org")
    campaign_id = campaign_of(stage)
    editions = stage.read(list_editions, campaign_id=campaign_id)
    counts = stage.read(count_by_edition, campaign_id=campaign_id)
    assert [(each.number, counts[each.id].signatures, counts[each.id].renewals) for each in editions] == [
        (1, 3, 0),
        (2, 1, 1),
        (3, 1, 0),
    ]
    # Corrections since do not matter: who signed or renewed from the change of substance on is for the present text.
    assert stage.read(count_present, campaign_id=campaign_id, since=2) == 3
    assert stage.read(count_present, campaign_id=campaign_id, since=1) == 5
    current = stage.read(find_edition, campaign_id=campaign_id)
    assert current is not None
    assert (current.number, current.superseded_at) == (3, None)
    assert all(each.superseded_at is not None for each in editions[:2])


def test_crossings_and_the_total_stand_when_the_substance_changes(stage: Stage) -> None:
    stage.campaign()
    for number in range(3):
        _asked(stage, f"{number}@example.org")
    stage.roll_up()
    reached = stage.sql("SELECT reached_at FROM thresholds")
    assert reached[0][0] is not None
    correct(stage, SLUG, "money", is_substantive=True)
    stage.roll_up()
    assert stage.count(SLUG) == 3
    assert stage.sql("SELECT reached_at FROM thresholds") == reached
