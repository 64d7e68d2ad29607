"""Members who carry petitions, on real databases: proposed, asked, gone quiet, dissolved, told of the end."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.actions import life, sponsoring
from app.actions.campaigns import CampaignCannotMove
from app.core.clock import utc_now
from app.models import Sponsor
from app.queries.sponsoring import count_askings_left
from tests.actions.lives import DAY, NOON, OWNER, SECOND, campaign_id, lines, put, told, who
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    import time_machine

    from tests.stage import Stage


def proposal(**changes: Any) -> sponsoring.Proposal:  # noqa: ANN401 - its fields
    values = {
        "name": "Jenny Member", "titles": {"en": "Member of Parliament"}, "district": "Port Moody", "party": "",
        "email": "office@parl.example.org", "locale": "fr",
    }  # fmt: skip
    return sponsoring.Proposal(**{**values, **changes})


def propose(stage: Stage, sponsor_id: UUID | None = None, **changes: Any) -> UUID:  # noqa: ANN401 - its fields
    chosen = sponsor_id or uuid4()
    stage.write(
        sponsoring.propose_sponsor,
        sponsor_id=chosen,
        proposal=proposal(**changes),
        keyring=stage.keyring,
        **who(stage),
    )
    return chosen


def ask(stage: Stage) -> tuple[UUID, str]:
    """Ask a member, and return its id and the token of the office's link."""
    sponsor_id = propose(stage)
    stage.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who(stage))
    return sponsor_id, stage.letters_to("office@parl.example.org")[-1].token("sponsor")


def sponsors(stage: Stage) -> list[tuple[str, str | None]]:
    rows = select(Sponsor.state, Sponsor.reason).order_by(Sponsor.asked_at, Sponsor.id)
    return [(each.state, each.reason) for each in stage.read(lambda session: session.execute(rows).all())]


def test_a_proposal_sent_twice_is_one_and_another_takes_its_place(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    first = propose(stage)
    propose(stage, first, name="J. Member")
    assert stage.sql("SELECT name FROM sponsors") == [("J. Member",)]
    second = propose(stage, name="Somebody Else")
    assert stage.sql("SELECT name FROM sponsors") == [("Somebody Else",)]
    stage.write(sponsoring.ask_sponsor, sponsor_id=second, **who(stage))
    propose(stage, second, name="Too Late")
    assert stage.sql("SELECT name, state FROM sponsors") == [("Somebody Else", "asked")]
    with pytest.raises(sponsoring.SponsorStands):
        propose(stage)
    with pytest.raises(sponsoring.SponsorMoved, match="asked"):
        stage.write(sponsoring.ask_sponsor, sponsor_id=second, **who(stage))
    with pytest.raises(sponsoring.SponsorMoved, match="gone"):
        stage.write(sponsoring.ask_sponsor, sponsor_id=uuid4(), **who(stage))


def test_a_proposal_is_removed_once(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    propose(stage)
    for _ in range(2):
        stage.write(sponsoring.remove_proposal, **who(stage))
    assert (sponsors(stage), lines(stage)) == ([], ["sponsor_proposed", "sponsor_removed"])


def test_nobody_is_proposed_once_the_key_is_destroyed_or_it_was_presented(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    stage.write(lambda session: session.connection().exec_driver_sql("DELETE FROM campaign_keys"))
    with pytest.raises(CampaignCannotMove):
        propose(stage)
    put(stage, state="presented")
    with pytest.raises(CampaignCannotMove, match="presented"):
        propose(stage)


def test_five_members_may_be_asked_for_the_form_of_the_house(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None)
    for count in range(5):
        clock.shift(DAY)
        left = stage.read(count_askings_left, campaign_id=campaign_id(stage), form="commons")
        assert left == 5 - count
        sponsor_id = propose(stage)
        stage.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who(stage))
        stage.write(sponsoring.withdraw_asking, sponsor_id=sponsor_id, **who(stage))
    sponsor_id = propose(stage)
    with pytest.raises(sponsoring.TooManyAskings):
        stage.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who(stage))
    put(stage, form="free")
    stage.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who(stage))


def test_an_asking_lapses_after_thirty_days(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None)
    _, token = ask(stage)
    clock.move_to(NOON + 30 * DAY - SECOND)
    stage.move_by_dates()
    assert sponsors(stage) == [("asked", None)]
    clock.move_to(NOON + 30 * DAY)
    with pytest.raises(sponsoring.SponsorLinkUnknown):
        stage.write(sponsoring.accept_sponsorship, token=token, text_hash="", now=utc_now())
    stage.move_by_dates()
    assert sponsors(stage) == [("expired", None)]
    assert "did not answer in 30 days" in told(stage, OWNER)


def test_a_letter_to_an_office_is_dropped_once_nobody_is_asked(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None)
    sponsor_id = propose(stage)
    stage.write(sponsoring.ask_sponsor, sponsor_id=sponsor_id, **who(stage))
    clock.shift(31 * DAY)
    assert stage.letters_to("office@parl.example.org") == []
    assert stage.sql("SELECT state FROM letters WHERE kind = 'sponsor_request'") == [("dropped",)]
    stage.move_by_dates()
    second = propose(stage)
    stage.write(sponsoring.ask_sponsor, sponsor_id=second, **who(stage))
    stage.write(sponsoring.withdraw_asking, sponsor_id=second, **who(stage))
    (letter,) = stage.letters_to("office@parl.example.org")
    assert "ne demande plus" in letter.text or "no longer ask" in letter.text


def test_a_dissolution_ends_what_is_not_presented(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.campaign()  # a file's sponsor has accepted
    other = {"slug": "presented", "state": "presented", "presented_on": date(2026, 3, 1)}
    stage.campaign(slug="presented")
    put(stage, "presented", state=other["state"], presented_on=other["presented_on"])
    stage.campaign(slug="abroad", addressees=[{"name": {"en": "Senate"}, "country": "KH"}])
    assert stage.write(sponsoring.dissolve_parliament, dissolved_on=date(2026, 3, 1), now=utc_now()) == 0
    assert stage.write(sponsoring.dissolve_parliament, dissolved_on=date(2026, 3, 2), now=utc_now()) == 1
    assert stage.write(sponsoring.dissolve_parliament, dissolved_on=date(2026, 3, 2), now=utc_now()) == 0
    states = stage.sql("SELECT slug, s.state FROM sponsors s JOIN campaigns c ON c.id = campaign_id ORDER BY slug")
    assert states == [("abroad", "accepted"), ("libraries", "left"), ("presented", "accepted")]
    assert "Parliament was dissolved on 2 March 2026" in told(stage, OWNER)
    stage.house.shelf._entries.clear()
    assert stage.sign("libraries").status_code == 303
    clock.shift(DAY)
    ask(stage)
    assert stage.write(sponsoring.dissolve_parliament, dissolved_on=date(2026, 3, 2), now=utc_now()) == 0


def test_the_member_who_carries_it_is_told_of_the_end(stage: Stage) -> None:
    slug = stage.campaign()
    stage.write(life.move_campaign, name="close", **who(stage))
    (letter,) = stage.letters_to("office@example.org")
    assert "Signing of the petition that A. Member carries has ended." in letter.text
    token = letter.token("sponsor")
    assert stage.write(sponsoring.leave_sponsorship, token=token, because="", now=utc_now()) == slug
    assert stage.write(sponsoring.leave_sponsorship, token=token, because="", now=utc_now()) == slug
    stage.write(life.move_campaign, name="reopen", **who(stage))
    assert len(stage.letters_to("office@example.org")) == 1
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'sponsor_notice'") == [(1,)]


def test_a_notice_to_a_member_who_left_meanwhile_is_dropped(stage: Stage) -> None:
    stage.campaign()
    stage.write(life.move_campaign, name="close", **who(stage))
    stage.write(lambda session: session.execute(update(Sponsor).values(state="left")))
    assert stage.letters_to("office@example.org") == []
