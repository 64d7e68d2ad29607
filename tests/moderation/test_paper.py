"""How many signed in ink and online: for operators who ask for it, on record, and never for the campaign's team."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from app.actions import paper
from app.models import Record
from app.rules.paper import Reading
from tests.actions.test_paper import CODE, Drive, sign_online
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from tests.stage import Stage

PAGE = "/en/moderation/campaigns/libraries"
LOOK = {"action": "overlap"}


def looks(stage: Stage) -> list[tuple[object, ...]]:
    wanted = select(Record.account_id, Record.details).where(Record.what == "paper_overlap_seen").order_by(Record.id)
    return stage.read(lambda session: [tuple(row) for row in session.execute(wanted)])


def test_an_operator_sees_one_figure_and_that_they_looked_is_on_record(stage: Stage) -> None:
    drive = Drive(stage, asks=["postal_code"])
    operator = stage.organiser("operator@example.org", role="operator")
    assert "On paper and online" not in operator.get(PAGE).text
    sign_online(stage, drive.slug, "Sok Sophea")
    number = drive.register()
    drive.save(number, ["Sophea Sok", "Chan Dara", "Meas Bopha"])
    drive.close(number)
    before = Page(operator.get(PAGE).text).words
    assert "On paper and online" in before
    assert "who have also signed online" not in before
    assert looks(stage) == []
    said = operator.post(PAGE, LOOK)
    assert said.status_code == 200
    words = Page(said.text).words
    assert "1 of the lines that count is of somebody who has also signed online. 3 lines were compared" in words
    assert "the two are never added" in words
    assert looks(stage) == [(operator.account_id, {})]
    assert "also signed online." not in Page(operator.get(PAGE).text).words
    # Nothing of anybody is held any more: nothing is said.
    stage.write(paper.forget_lines, campaign_id=drive.id)
    assert "Nothing can be compared" in Page(operator.post(PAGE, LOOK).text).words


@on_one_database
def test_whoever_is_of_the_team_and_everybody_else_is_told_nothing(stage: Stage) -> None:
    drive = Drive(stage, asks=["postal_code"])
    number = drive.register()
    drive.save(number, [], lines={1: Reading("Sok Sophea", CODE)})
    drive.close(number)
    people = [
        stage.organiser(f"{role}@example.net", role=role) for role in ("organiser", "moderator", "operator")
    ]  # fmt: skip
    for person in people:
        stage.join(drive.slug, person, "owner")
        assert "On paper and online" not in person.get(PAGE).text
        assert person.post(PAGE, LOOK).status_code == 404
    assert looks(stage) == []
