"""A letter beside its text: its head, its greetings, its dated editions, its deliveries; on real databases."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app import models as tables
from app.actions import lettering
from app.actions.lettering import Greeting, HandedOver
from app.core.clock import utc_now
from app.models import Addressee, Campaign, DatedEdition, Delivery, Record
from app.queries.letters import find_dated_letter, find_letter
from app.rules.dated import Difference, compare
from app.rules.letters import Letterhead, content_hash
from tests.stage import on_one_database
from tests.workspace.letters import add_endorsement, campaign_id, open_letter

if TYPE_CHECKING:
    from app.rules.letters import Letter
    from tests.stage import Stage

HEAD = Letterhead({"en": "Ottawa"}, date(2026, 1, 5), {"fr": "Des livres"}, "alphabetical", is_numbered=True)
DAY = date(2026, 1, 5)


def who(stage: Stage) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id(stage),
        "account_id": stage.organiser("team@example.org").account_id,
        "now": utc_now(),
    }


def issue(stage: Stage, **changes: Any) -> int:  # noqa: ANN401 - the action's own
    base_url = stage.settings.base_url
    return stage.write(lettering.issue_dated_edition, base_url=base_url, **{**who(stage), **changes})


def lines(stage: Stage) -> list[str]:
    """Return what is on record about the letter, oldest first."""
    kinds = ("letterhead_saved", "greeting_saved", "dated_edition", "delivery_recorded", "delivery_changed",
             "delivery_removed")  # fmt: skip
    return stage.read(
        lambda session: list(session.scalars(select(Record.what).where(Record.what.in_(kinds)).order_by(Record.id)))
    )


def today(stage: Stage) -> Letter:
    return stage.read(find_letter, campaign_id=campaign_id(stage), base_url=stage.settings.base_url, now=utc_now())


def newest(stage: Stage, number: int) -> Letter:
    letter = stage.read(find_dated_letter, slug="libraries", number=number)
    assert letter is not None
    return letter


def accept(stage: Stage, **changes: Any) -> UUID:  # noqa: ANN401 - its columns
    values = {"state": "accepted", "position": 7, "decided_at": utc_now(), **changes}
    return add_endorsement(stage, **values)


def handed(**changes: Any) -> HandedOver:  # noqa: ANN401 - its fields
    values = {"number": None, "recipient": "Office of the Speaker", "delivered_on": DAY, "way": "by_hand",
              "acknowledged_on": None, "answered_on": None}  # fmt: skip
    return HandedOver(**{**values, **changes})


def test_a_letterhead_is_saved_over_the_version_that_was_shown(stage: Stage) -> None:
    open_letter(stage)
    someone = who(stage)
    stage.write(lettering.save_letterhead, version=0, head=HEAD, **someone)
    stage.write(lettering.save_letterhead, version=0, head=HEAD, **someone)  # the same form, sent twice
    with pytest.raises(lettering.LetterheadChanged):
        stage.write(lettering.save_letterhead, version=0, head=Letterhead(), **someone)
    stage.write(lettering.save_letterhead, version=1, head=Letterhead(is_numbered=True), **someone)
    with pytest.raises(lettering.LetterheadChanged):
        stage.write(lettering.save_letterhead, version=1, head=HEAD, **someone)
    [kept] = stage.read(lambda session: list(session.scalars(select(tables.Letterhead))))
    assert (kept.version, kept.is_numbered, kept.places, kept.arrangement) == (2, True, {}, "as_signed")
    assert lines(stage) == ["letterhead_saved"] * 2


def test_a_greeting_is_saved_over_what_was_shown(stage: Stage) -> None:
    open_letter(stage)
    someone = who(stage)
    shown = lettering.fingerprint_recipient({"en": "European Parliament"}, {}, None)
    greeting = Greeting({"en": "Dear Madam President,"}, "en")
    save = {"position": 1, "shown": shown, **someone}
    stage.write(lettering.save_greeting, greeting=greeting, **save)
    stage.write(lettering.save_greeting, greeting=greeting, **save)
    for position, other in ((1, Greeting({}, None)), (0, greeting), (2, greeting)):
        with pytest.raises(lettering.RecipientsChanged):
            stage.write(lettering.save_greeting, greeting=other, **{**save, "position": position})
    rows = stage.read(lambda session: list(session.scalars(select(Addressee).order_by(Addressee.position))))
    assert [(each.salutations, each.locale) for each in rows] == [({}, None), (dict(greeting.salutations), "en")]
    assert lines(stage) == ["greeting_saved"]


def test_a_dated_edition_is_kept_once_for_what_it_says_and_never_changes(stage: Stage) -> None:
    slug = open_letter(stage)
    assert issue(stage) == 1
    first = newest(stage, 1)
    assert [each.name for each in first.organisations] == ["Khmer Canadian Association", "Amis du Cambodge"]
    assert compare(first, today(stage)) == Difference()
    # Nothing is new, whenever it is pressed again.
    assert issue(stage, now=utc_now() + timedelta(days=3)) == 1
    accept(stage)
    stage.write(lettering.save_letterhead, version=0, head=HEAD, **who(stage))
    stage.sql_write("UPDATE endorsements SET state = 'withdrawn' WHERE position = 0")
    found = compare(first, today(stage))
    assert [each.name for each in found.added] == ["Temple of the Lake"]
    assert [each.name for each in found.gone] == ["Khmer Canadian Association"]
    assert (found.is_head_new, found.is_text_new, found.are_recipients_new, found.is_any) == (True, False, False, True)
    assert issue(stage) == 2
    assert newest(stage, 1) == first
    assert [each.name for each in newest(stage, 2).organisations] == ["Amis du Cambodge", "Temple of the Lake"]
    rows = stage.read(lambda session: list(session.scalars(select(DatedEdition).order_by(DatedEdition.number))))
    assert [each.hash for each in rows] == [content_hash(each.content) for each in rows]
    assert lines(stage) == ["dated_edition", "letterhead_saved", "dated_edition"]
    assert slug == "libraries"


def test_what_was_corrected_in_an_organisation_is_something_new_to_keep(stage: Stage) -> None:
    open_letter(stage)
    issue(stage)
    stage.sql_write("UPDATE endorsements SET acronym = 'KC' WHERE position = 0")
    assert compare(newest(stage, 1), today(stage)) == Difference(is_other_new=True)


def test_two_presses_at_once_keep_one_dated_edition(stage: Stage) -> None:
    open_letter(stage)
    more = {"base_url": stage.settings.base_url, **who(stage)}

    async def both() -> list[int]:
        writing = (stage.database.write(lettering.issue_dated_edition, **more) for _ in range(4))
        return await asyncio.gather(*writing)

    assert stage.run(both()) == [1, 1, 1, 1]
    assert lines(stage) == ["dated_edition"]


@on_one_database
@pytest.mark.parametrize("state", ["stopped", "review", "embargoed", "refused"])
def test_what_is_not_public_or_was_stopped_gets_no_dated_edition(stage: Stage, state: str) -> None:
    open_letter(stage)
    stage.write(lambda session: session.execute(update(Campaign).values(state=state, embargo_until=utc_now())))
    with pytest.raises(lettering.NotDateable, match=state):
        issue(stage)


def test_a_delivery_is_noted_once_changed_over_what_was_shown_and_removed(stage: Stage) -> None:
    open_letter(stage)
    issue(stage)
    someone, once = who(stage), uuid4()
    first = {"delivery_id": once, "delivery": handed(number=1), **someone}
    stage.write(lettering.record_delivery, **first)
    stage.write(lettering.record_delivery, **first)
    with pytest.raises(lettering.DeliveryChanged):
        stage.write(lettering.record_delivery, **{**first, "delivery": handed(way="mail")})
    shown, later = lettering.fingerprint_delivery(handed(number=1)), handed(number=1, answered_on=DAY)
    change = {"delivery_id": once, "delivery": later, "shown": shown, **someone}
    stage.write(lettering.change_delivery, **change)
    stage.write(lettering.change_delivery, **change)
    with pytest.raises(lettering.DeliveryChanged):
        stage.write(lettering.change_delivery, **{**change, "delivery": handed()})
    stage.write(lettering.remove_delivery, delivery_id=once, **someone)
    with pytest.raises(lettering.DeliveryNotFound):
        stage.write(lettering.remove_delivery, delivery_id=once, **someone)
    with pytest.raises(lettering.DeliveryNotFound):
        stage.write(lettering.change_delivery, **change)
    with pytest.raises(lettering.DeliveryNotFound):
        stage.write(lettering.record_delivery, **first)
    [kept] = stage.read(lambda session: list(session.scalars(select(Delivery))))
    assert (kept.answered_on, kept.way, kept.removed_at is not None) == (DAY, "by_hand", True)
    assert lines(stage)[1:] == ["delivery_recorded", "delivery_changed", "delivery_removed"]


@on_one_database
def test_a_delivery_belongs_to_its_campaign_and_to_a_dated_edition_of_it(stage: Stage) -> None:
    open_letter(stage)
    another = stage.campaign(slug="another")
    someone, once = who(stage), uuid4()
    with pytest.raises(lettering.UnknownDatedEdition):
        stage.write(lettering.record_delivery, delivery_id=once, delivery=handed(number=1), **someone)
    stage.write(lettering.record_delivery, delivery_id=once, delivery=handed(), **someone)
    foreign = {**someone, "campaign_id": campaign_id(stage, another), "delivery_id": once}
    with pytest.raises(lettering.DeliveryNotFound):
        stage.write(lettering.remove_delivery, **foreign)
    with pytest.raises(lettering.DeliveryNotFound):
        stage.write(lettering.record_delivery, delivery=handed(), **foreign)
