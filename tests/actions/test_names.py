"""Names in public: judged by the job, shown in groups that tell no time, out at once, decided by moderators."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import time_machine
from sqlalchemy import select, update

from app.actions.names import CHUNK, decide_names, keep_verdicts, show_names
from app.actions.own_signature import set_name_shown, withdraw_signature
from app.core.keys import SealBrokenError
from app.jobs.check_names import check_names
from app.models import Signature
from app.queries.names import has_names, judge_names, list_names, list_shown_places
from app.rules.name_check import GROUP
from tests.actions.signers import HELD, find_campaign, sign

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Stage

NOON = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


class Hall:
    """A campaign whose signers allow their names to be shown."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.slug = stage.campaign(open_for=None)
        self.campaign_id, self.key = stage.read(find_campaign, slug=self.slug, keyring=stage.keyring)
        self.signed = 0

    def sign(self, name: str, at: datetime = NOON, *, is_shown: bool = True, **how: object) -> UUID:
        self.signed += 1
        values = {"slug": self.slug, "number": self.signed, "keyring": self.stage.keyring, "now": at, "name": name}

        def work(session: Session) -> UUID:
            signature_id = sign(session, **values, **how)  # type: ignore[arg-type]  # as the action's
            session.execute(update(Signature).where(Signature.id == signature_id).values(is_name_shown=is_shown))
            return signature_id

        return self.stage.write(work)

    def run(self, at: datetime) -> None:
        with time_machine.travel(at, tick=False):
            while self.stage.run(check_names(self.stage.background)):
                pass

    def names(self, after: int = 0) -> list[str]:
        page = self.stage.read(list_names, campaign_id=self.campaign_id, key=self.key, after=after)
        return [each.name for each in page.names]

    def check(self, signature_id: UUID) -> str | None:
        statement = select(Signature.name_check).where(Signature.id == signature_id)
        return self.stage.read(lambda session: session.scalars(statement).one())


@pytest.fixture
def hall(stage: Stage) -> Hall:
    return Hall(stage)


def letters(number: int) -> str:
    """Return a family name of its own for a number."""
    return f"Sok {'Bopha' if number % 2 else 'Dara'} {chr(65 + number // 26)}{chr(97 + number % 26)}n"


def test_names_show_in_groups_that_say_nothing_of_who_came_when(hall: Hall) -> None:
    names = [letters(number) for number in range(GROUP)]
    for minute, name in enumerate(names[:-1]):
        hall.sign(name, NOON + timedelta(seconds=minute))
    hall.sign("Not Shown", is_shown=False)
    hall.sign("Set Aside", judgement=HELD)
    hall.sign("Not Confirmed", is_confirmed=False)
    held = hall.sign("Hun Sen")
    hall.run(NOON + timedelta(hours=1))
    assert hall.check(held) == "held"
    assert hall.names() == [], "nineteen are no group"
    hall.sign(names[-1], NOON + timedelta(minutes=1))
    hall.run(NOON + timedelta(minutes=20))
    assert hall.names() == [], "not within the hour in which they signed"
    hall.run(NOON + timedelta(minutes=31))
    shown = hall.names()
    assert sorted(shown) == sorted(names)
    assert shown != names, "one order of twenty in 2.4 times 10 to the 18th"
    late = hall.sign("Chan Thy", NOON + timedelta(hours=2))
    for hours in (3, 12, 30):  # the day after, before it is a whole day old at its beginning
        hall.run(NOON + timedelta(hours=hours))
        assert hall.names() == shown
    hall.run(datetime(2026, 11, 24, 0, 1, tzinfo=UTC))
    assert hall.names() == [*shown, "Chan Thy"], "those who came later come after"
    hall.stage.write(withdraw_signature, token=f"manage-{hall.slug}-{hall.signed}", now=NOON)
    assert hall.names() == shown
    assert hall.check(late) == "cleared"


def test_hiding_takes_a_name_out_at_once_and_showing_it_again_brings_it_back_to_its_place(hall: Hall) -> None:
    hall.sign("Sok Sopha", NOON - timedelta(days=5))
    hall.sign("Chan Thy", NOON - timedelta(days=5))
    hall.run(NOON)
    before = hall.names()
    for is_shown, expected in ((False, 1), (True, 2)):
        hall.stage.write(set_name_shown, token=f"manage-{hall.slug}-1", is_name_shown=is_shown)
        hall.run(NOON)
        assert len(hall.names()) == expected
    assert hall.names() == before


def test_a_page_is_a_hundred_places_and_no_other_address_says_where_a_name_stands(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.queries.names.PAGE", 2)
    for number in range(7):
        hall.sign(letters(number), NOON - timedelta(days=5))
    hall.run(NOON)
    assert [len(hall.names(after)) for after in range(8)] == [2, 0, 2, 0, 2, 0, 1, 0]
    third = (Signature.name_position > 2, Signature.name_position <= 4)
    hall.stage.write(lambda session: session.execute(update(Signature).where(*third).values(is_name_shown=False)))
    assert (len(hall.names()), hall.names(2)) == (2, [])
    assert hall.stage.read(list_names, campaign_id=hall.campaign_id, key=hall.key).after == 4, "over what is empty"


def test_a_moderator_decides_once_and_on_record(hall: Hall) -> None:
    account = hall.stage.organiser("moderator@example.org", role="moderator").account_id
    joke, namesake = hall.sign("Hun Sen", NOON - timedelta(days=5)), hall.sign("Sam Rainsy", NOON - timedelta(days=5))
    hall.run(NOON)
    assert hall.names() == []

    def decide(signature_id: UUID, seen: str, *, is_shown: bool) -> list[str]:
        return hall.stage.write(
            decide_names, signature_ids=[signature_id], seen=seen, is_shown=is_shown, account_id=account, now=NOON
        )

    assert decide(namesake, "held", is_shown=True) == [hall.slug]
    assert decide(joke, "held", is_shown=False) == [hall.slug]
    assert decide(joke, "held", is_shown=True) == [], "somebody was faster"
    hall.run(NOON)
    assert hall.names() == ["Sam Rainsy"]
    assert hall.stage.sql("SELECT what FROM records WHERE what LIKE 'name_%' ORDER BY id") == [
        ("name_cleared",), ("name_refused",),
    ]  # fmt: skip
    assert hall.stage.read(has_names, campaign_id=hall.campaign_id)
    assert decide(namesake, "cleared", is_shown=False) == [hall.slug]
    assert not hall.stage.read(has_names, campaign_id=hall.campaign_id)
    hall.run(NOON)
    assert hall.names() == [], "what was refused is not judged again"


def test_the_place_of_a_name_that_was_refused_is_never_another_s(hall: Hall) -> None:
    """Documents are named by the places in them: whoever got the place of a name would bring that name back."""
    account = hall.stage.organiser("moderator@example.org", role="moderator").account_id
    signed = {name: hall.sign(name, NOON - timedelta(days=5)) for name in ("Sok Sopha", "Chan Thy")}
    hall.run(NOON)
    last = hall.names()[-1]
    before = hall.stage.read(list_shown_places, campaign_id=hall.campaign_id)
    hall.stage.write(
        decide_names, signature_ids=[signed[last]], seen="cleared", is_shown=False, account_id=account, now=NOON
    )
    hall.sign("Keo Dara", NOON - timedelta(days=5))
    hall.run(NOON + timedelta(days=2))
    assert hall.names()[-1] == "Keo Dara"
    assert hall.stage.read(list_shown_places, campaign_id=hall.campaign_id) == (1, 3) != before


def test_what_the_rule_says_late_changes_no_decision(hall: Hall) -> None:
    signature_id = hall.sign("Hun Sen")
    verdicts = hall.stage.read(judge_names, keyring=hall.stage.keyring, most=10)
    assert verdicts == {signature_id: "held"}
    hall.stage.write(keep_verdicts, verdicts={signature_id: "refused"})
    hall.stage.write(keep_verdicts, verdicts=verdicts)
    hall.stage.write(keep_verdicts, verdicts={})
    assert hall.check(signature_id) == "refused"
    assert hall.stage.write(show_names, campaign_id=hall.campaign_id, now=NOON) is None


def test_names_that_cannot_be_opened_are_never_shown_and_hold_nobody_up(hall: Hall) -> None:
    broken = hall.sign("Sok Sopha", NOON - timedelta(days=5))
    hall.stage.sql_write("UPDATE signatures SET name = :name", name=b"no seal at all, and long enough to look like one")
    fine = hall.sign("Chan Thy", NOON - timedelta(days=5))
    with pytest.raises(SealBrokenError):
        hall.key.open("signatures.name", broken, b"no seal at all, and long enough to look like one")
    hall.run(NOON)
    assert (hall.check(broken), hall.check(fine)) == ("refused", "cleared")
    assert hall.names() == ["Chan Thy"]
    hall.sign("Sok Dara", NOON - timedelta(days=5))
    hall.stage.sql_write("DELETE FROM campaign_keys")
    hall.run(NOON)
    assert hall.names() == ["Chan Thy"]
    assert CHUNK > GROUP
