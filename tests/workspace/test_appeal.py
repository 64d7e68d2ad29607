"""Appeals: once against each refusal and stop, decided by another account, and the team is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from app.actions import life
from app.actions.appeals import AppealedBefore, AppealSettled, DecidedFirst, NothingToAppeal, decide_appeal, file_appeal
from app.core.clock import utc_now
from tests.actions.lives import campaign_id, lines, put, row
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

HERE = "/en/workspace/campaigns/libraries/appeal"


class Court:
    """A refused draft, or a stopped campaign: its owner, who decided first, and two others."""

    def __init__(self, stage: Stage, against: str) -> None:
        self.stage, self.against = stage, against
        if against == "refused":
            draft(stage, {}, sponsor=None, closes_on="2099-01-01")
        else:
            stage.campaign()
        self.owner = stage.organiser(locale="fr")
        stage.join("libraries", self.owner)
        self.first = stage.organiser("first@example.org", role="operator")
        self.other = stage.organiser("other@example.org", locale="km", role="operator")
        self.moderator = stage.organiser("moderator@example.org", role="moderator")
        self.decide_first()

    def decide_first(self) -> None:
        who: dict[str, Any] = {"account_id": self.first.account_id, "now": utc_now()}
        if self.against == "stopped":
            self.stage.write(life.stop_campaign, slug="libraries", because="It names\nsomebody", **who)
            return
        if row(self.stage).state == "draft":
            owner = {**who, "account_id": self.owner.account_id}
            self.stage.write(life.submit_campaign, campaign_id=campaign_id(self.stage), **owner)
        self.stage.write(
            life.refuse_campaign,
            campaign_id=campaign_id(self.stage),
            because="It names\nsomebody",
            rule="private_people",
            **who,
        )

    def send(self, text: str = "Nobody is named.\n\nLook again.") -> httpx.Response:
        once = Page(self.owner.get(HERE).text).fields["once"][0]
        return self.owner.post(HERE, {"text": text, "once": once})

    @property
    def appeal(self) -> str:
        (path,) = [link for link in Page(self.first.get("/en/moderation/appeals").text).links if "/appeals/" in link]
        return path

    def decide(self, somebody: Organiser, decision: str, answer: str = "It does name her.") -> httpx.Response:
        return somebody.post(self.appeal, {"decision": decision, "answer": answer})

    def file(self, appeal_id: UUID | None = None) -> None:
        self.stage.write(
            file_appeal,
            appeal_id=appeal_id or uuid4(),
            campaign_id=campaign_id(self.stage),
            text="Look again.",
            account_id=self.owner.account_id,
            now=utc_now(),
        )


@pytest.mark.parametrize("against", ["refused", "stopped"])
def test_another_than_who_decided_first_grants_it_and_the_team_is_told(stage: Stage, against: str) -> None:
    court = Court(stage, against)
    steps = court.owner.get("/en/workspace/campaigns/libraries/steps")
    assert HERE in Page(steps.text).links
    assert court.send(" ").status_code == 422
    sent = court.send()
    assert (sent.status_code, sent.headers["location"]) == (303, f"{HERE}?sent")
    assert "Your appeal is on its way." in court.owner.get(f"{HERE}?sent").text
    # Told are those who may decide, in their language, and not who decided first.
    (notice,) = stage.letters_to("other@example.org")
    assert notice.mail["Content-Language"] == "km"
    assert court.appeal.removeprefix("/en") in notice.text
    to_moderator = [each for each in stage.letters() if each.mail["To"] == "moderator@example.org"]
    assert len(to_moderator) == (against == "refused")
    assert "first@example.org" not in {each.mail["To"] for each in stage.letters()}
    # A stopped campaign takes somebody who may stop one; who decided first reads, and does not decide.
    assert court.moderator.get(court.appeal).status_code == (200 if against == "refused" else 404)
    assert "You decided first" in Page(court.first.get(court.appeal).text).words
    assert court.decide(court.first, "granted").status_code == 409
    assert row(stage).state == against
    page = Page(court.other.get(court.appeal).text).words
    for said in ("It names somebody", "Look again.", "Khmer books in every library"):
        assert said in page
    assert court.decide(court.other, "granted", "").headers["location"] == "/en/moderation/appeals?done=granted"
    after = row(stage)
    assert (after.state, after.stopped_because) == ("review" if against == "refused" else "open", None)
    assert lines(stage)[-3:] == ["appeal", "readmit" if against == "refused" else "resume", "appeal_granted"]
    to_owner = [each for each in stage.letters_to("owner@example.org") if "libraries/appeal" in each.text]
    assert [each.mail["Content-Language"] for each in to_owner] == ["fr"]
    assert "Granted" in Page(court.owner.get(HERE).text).words
    assert "somebody has decided it" in court.decide(court.other, "upheld").text


def test_a_decision_that_stands_is_answered_and_no_second_appeal_is_taken(stage: Stage) -> None:
    court = Court(stage, "refused")
    first = uuid4()
    court.file(first)
    court.file(first)
    with pytest.raises(AppealedBefore):
        court.file()
    assert court.decide(court.moderator, "upheld", " ").status_code == 422
    assert court.decide(court.moderator, "", "x").status_code == 422
    assert court.decide(court.moderator, "upheld").status_code == 303
    assert row(stage).state == "refused"
    page = Page(court.owner.get(HERE).text)
    assert "It does name her." in page.words
    assert "text" not in page.fields
    assert "> It does name her." in "".join(each.text for each in stage.letters_to("owner@example.org"))
    again = court.owner.post(HERE, {"text": "Please look a third time", "once": uuid4().hex})
    assert again.status_code == 409
    assert "Please look a third time" in again.text
    steps = Page(court.owner.get("/en/workspace/campaigns/libraries/steps").text).words
    assert "The decision was looked at again by somebody else, and stands." in steps
    # Another refusal is another decision.
    who: dict[str, Any] = {"campaign_id": campaign_id(stage), "account_id": court.owner.account_id, "now": utc_now()}
    stage.write(life.move_campaign, name="rework", **who)
    with pytest.raises(NothingToAppeal):
        court.file()
    court.decide_first()
    court.file()
    assert stage.sql("SELECT state FROM appeals ORDER BY created_at") == [("upheld",), ("open",)]


def test_an_appeal_lapses_where_the_campaign_moves_on_by_other_means(stage: Stage) -> None:
    court = Court(stage, "stopped")
    appeal_id = uuid4()
    court.file(appeal_id)
    stage.write(life.resume_campaign, slug="libraries", now=utc_now(), account_id=court.first.account_id)
    assert stage.sql("SELECT state FROM appeals") == [("lapsed",)]
    decision: dict[str, Any] = {"is_granted": True, "answer": "", "now": utc_now()}
    with pytest.raises(AppealSettled):
        stage.write(decide_appeal, appeal_id=appeal_id, account_id=court.other.account_id, **decision)
    with pytest.raises(AppealSettled):
        stage.write(decide_appeal, appeal_id=uuid4(), account_id=court.other.account_id, **decision)
    assert "No longer needed" in Page(court.owner.get(HERE).text).words
    # Stopped once more, by the other one: who may decide now is who stopped it then.
    later = utc_now() + timedelta(seconds=1)
    stage.write(life.stop_campaign, slug="libraries", because="x", now=later, account_id=court.other.account_id)
    second = uuid4()
    stage.write(
        file_appeal,
        appeal_id=second,
        campaign_id=campaign_id(stage),
        text="x",
        account_id=court.owner.account_id,
        now=later,
    )
    with pytest.raises(DecidedFirst):
        stage.write(decide_appeal, appeal_id=second, account_id=court.other.account_id, **decision)
    stage.write(decide_appeal, appeal_id=second, account_id=court.first.account_id, **decision)
    assert row(stage).state == "open"


def test_of_two_who_decide_or_appeal_at_once_one_does(stage: Stage) -> None:
    court = Court(stage, "refused")

    async def both(work: Any, *calls: dict[str, Any]) -> list[str]:  # noqa: ANN401 - an action
        runs = (stage.database.write(work, **call) for call in calls)
        return sorted(type(each).__name__ for each in await asyncio.gather(*runs, return_exceptions=True))

    filed = {"campaign_id": campaign_id(stage), "text": "x", "account_id": court.owner.account_id, "now": utc_now()}
    outcomes = stage.run(both(file_appeal, *({"appeal_id": uuid4(), **filed} for _ in range(2))))
    assert outcomes == ["AppealedBefore", "NoneType"]
    appeal_id = UUID(hex=court.appeal.rpartition("/")[2])
    decided = {"appeal_id": appeal_id, "answer": "x", "now": utc_now()}
    outcomes = stage.run(
        both(
            decide_appeal,
            {"is_granted": True, "account_id": court.other.account_id, **decided},
            {"is_granted": False, "account_id": court.moderator.account_id, **decided},
        )
    )
    assert outcomes == ["AppealSettled", "str"]
    (state,) = stage.sql("SELECT state FROM appeals")[0]
    assert row(stage).state == ("review" if state == "granted" else "refused")


@on_one_database
def test_only_what_is_refused_or_stopped_can_be_appealed_against(stage: Stage) -> None:
    court = Court(stage, "refused")
    appeal = court.send()
    assert appeal.status_code == 303
    put(stage, state="draft")
    stage.sql_write("DELETE FROM appeals")
    assert "There is nothing to appeal against" in court.owner.get(HERE).text
    assert court.owner.post(HERE, {"text": "x", "once": uuid4().hex}).status_code == 409
    assert court.owner.post(HERE, {"text": "x", "once": "1"}).status_code == 400
    # Whoever came by no move of the record, from the terminal perhaps: anybody who may decides.
    put(stage, state="refused")
    stage.sql_write("DELETE FROM records")
    court.file()
    stage.join("libraries", court.moderator, "viewer")
    assert "You are of its team" in Page(court.moderator.get(court.appeal).text).words
    assert court.decide(court.moderator, "granted").status_code == 409
    assert court.decide(court.first, "granted").status_code == 303
    assert "Granted" in Page(court.first.get("/en/moderation/appeals?done=granted").text).words
    for path in (f"/en/moderation/appeals/{uuid4().hex}", "/en/moderation/appeals/x"):
        assert court.first.get(path).status_code == 404
