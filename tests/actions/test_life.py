"""The life of campaigns on real databases: guarded moves, letters, clocks to the second, sponsors, forgetting."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import delete, insert, update

from app.actions import life
from app.actions.campaigns import CampaignCannotMove, CampaignNotFound
from app.actions.retention import list_campaigns_to_forget
from app.core.clock import utc_now
from app.models import Account, AccountSession, Campaign, Member
from app.queries.campaigns import find_campaign
from app.queries.life import find_review_version, list_watched
from app.rules.life import days_left, last_day
from app.rules.moves import MOVES, STATES, Choice, ClosingPast, DateRefused
from tests.actions.lives import (
    DAY,
    INSTANT,
    NOON,
    OWNER,
    SECOND,
    campaign_id,
    lines,
    moderator,
    owner_id,
    publish,
    put,
    row,
    told,
    who,
)
from tests.stage import on_one_database
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from tests.stage import Stage


def test_each_state_takes_its_moves_and_no_others(stage: Stage, clock: time_machine.Traveller) -> None:
    """The table of the rules, held against real rows: whatever is not listed leaves the row as it is."""
    slug = draft(stage, {}, sponsor=None)
    publish(stage)
    calls: dict[str, tuple[Any, dict[str, Any]]] = {
        name: (life.move_campaign, {"name": name, **who(stage)})
        for name in ("recall", "rework", "close", "reopen", "unpresent", "unanswer")
    }
    more: dict[str, tuple[Any, dict[str, Any]]] = {
        "submit": (life.submit_campaign, who(stage)),
        "extend": (life.move_campaign, {"name": "extend", "choice": Choice(date(2026, 4, 20)), **who(stage)}),
        "present": (life.present_campaign, {"presented_on": date(2026, 3, 2), "presented_by": "A. M.", **who(stage)}),
        "answer": (life.record_answered, {"answered_on": date(2026, 3, 2), **who(stage)}),
        "stop": (life.stop_campaign, {"slug": slug, "because": "x", "now": NOON}),
        "resume": (life.resume_campaign, {"slug": slug, "now": NOON}),
        "release": (life.release_campaign, who(stage)),
        "call_off": (life.call_off_campaign, who(stage)),
    }
    calls |= more
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    judged: dict[str, tuple[Any, dict[str, Any]]] = {
        "approve": (life.approve_campaign, {"version": "", **reviewer}),
        "send_back": (life.send_back_campaign, {"because": "x", **reviewer}),
        "refuse": (life.refuse_campaign, {"because": "x", **reviewer}),
        "readmit": (life.grant_appeal, {"name": "readmit", **reviewer}),
    }
    calls |= judged
    assert set(calls) == set(MOVES)
    before = lines(stage)
    for state in sorted(STATES):
        opens_at = NOON + DAY if state == "scheduled" else NOON - DAY
        put(stage, state=state, opens_at=opens_at, closes_at=NOON + 20 * DAY, embargo_until=NOON + DAY)
        for name, (work, values) in calls.items():
            if state not in MOVES[name].leaves:
                # Each says the state that it finds: one that had moved it would be seen by the next.
                with pytest.raises(CampaignCannotMove, match=state):
                    stage.write(work, **values)
        assert (row(stage).state, lines(stage)) == (state, before)


def test_a_campaign_lives_from_draft_to_answered_on_record(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None, opens_on=None, closes_on=None)
    put(stage, open_for_days=30)
    stage.write(life.submit_campaign, **who(stage))
    assert row(stage).submitted_at == NOON
    stage.write(life.move_campaign, name="recall", **who(stage))
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    stage.write(life.submit_campaign, **who(stage))
    stage.write(life.send_back_campaign, because="Say more", **reviewer)
    assert (row(stage).state, row(stage).refused_because) == ("draft", "Say more")
    stage.write(life.submit_campaign, **who(stage))
    stage.write(life.refuse_campaign, because="It is not a request", **reviewer)
    stage.write(life.move_campaign, name="rework", **who(stage))
    assert publish(stage) == "open"
    assert (row(stage).refused_because, row(stage).opens_at) == (None, NOON)
    assert last_day(row(stage).closes_at or NOON, "America/Toronto") == date(2026, 4, 1)
    stage.write(life.move_campaign, name="extend", choice=Choice(date(2026, 5, 1)), **who(stage))
    stage.write(life.move_campaign, name="close", **who(stage))
    assert (row(stage).closes_at, row(stage).closed_early_at) == (NOON, NOON)
    stage.write(life.move_campaign, name="reopen", **who(stage))
    assert last_day(row(stage).closes_at or NOON, "America/Toronto") == date(2026, 5, 1)
    stage.write(life.move_campaign, name="close", **who(stage))
    given: dict[str, Any] = {"presented_on": date(2026, 3, 2), "presented_by": "A. Member"}
    stage.write(life.present_campaign, **given, **who(stage))
    assert (row(stage).presented_by, row(stage).answer_due_on) == ("A. Member", date(2026, 4, 16))
    stage.write(life.move_campaign, name="unpresent", **who(stage))
    assert (row(stage).presented_on, row(stage).presented_by, row(stage).answer_due_on) == (None, None, None)
    stage.write(life.present_campaign, **given, **who(stage))
    stage.write(life.set_answer_due, due_on=date(2026, 4, 20), **who(stage))
    assert row(stage).answer_due_on == date(2026, 4, 20)
    stage.write(life.record_answered, answered_on=date(2026, 3, 2), **who(stage))
    stage.write(life.move_campaign, name="unanswer", **who(stage))
    stage.write(life.record_answered, answered_on=date(2026, 3, 2), **who(stage))
    assert (row(stage).state, row(stage).answered_on) == ("answered", date(2026, 3, 2))
    assert lines(stage) == [
        "submit", "recall", "submit", "send_back", "submit", "refuse", "rework", "submit", "approve", "extend", "close",
        "reopen", "close", "present", "unpresent", "present", "answer_date", "answer", "unanswer", "answer",
    ]  # fmt: skip


def test_owners_are_told_of_each_move_in_their_own_language(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = draft(stage, {}, sponsor=None)
    second = stage.organiser("second@example.org", locale="fr")
    stage.join(slug, second)
    editor = stage.organiser("editor@example.org")
    stage.join(slug, editor, "editor")
    publish(stage)
    stage.write(life.move_campaign, name="close", **who(stage))
    first, other = stage.letters_to(OWNER), stage.letters_to("second@example.org")
    assert [len(first), len(other), len(stage.letters_to("editor@example.org"))] == [3, 3, 0]
    assert {letter.mail["Content-Language"] for letter in first} == {"en"}
    assert {letter.mail["Content-Language"] for letter in other} == {"fr"}
    assert "Signing was ended early." in told(stage, OWNER)
    assert f"/en/workspace/campaigns/{slug}/steps" in first[-1].text
    assert f"/fr/workspace/campaigns/{slug}/steps" in other[-1].text
    for letter in (*first, *other):
        assert "Khmer books" in letter.text or "livres khmers" in letter.text
        assert "<h1" in letter.html


def test_an_owner_who_left_or_was_disabled_gets_no_letter(stage: Stage) -> None:
    slug = stage.campaign()
    stage.write(life.stop_campaign, slug=slug, because="A forged mandate", now=utc_now())
    stage.write(lambda session: session.execute(update(Account).values(state="disabled")))
    assert stage.letters_to(OWNER) == []
    second = stage.organiser("second@example.org")
    stage.join(slug, second)
    stage.write(life.resume_campaign, slug=slug, now=utc_now())
    stage.join(slug, second, "viewer")
    assert stage.letters_to("second@example.org") == []


def test_reasons_reach_the_owners(stage: Stage) -> None:
    slug = stage.campaign()
    stage.write(life.stop_campaign, slug=slug, because="A forged mandate\nSee the complaint", now=utc_now())
    (letter,) = stage.letters_to(OWNER)
    assert "> A forged mandate\n> See the complaint" in letter.text
    assert "A forged mandate" in letter.html
    assert stage.sql("SELECT count(*) FROM records WHERE CAST(details AS TEXT) LIKE '%forged%'") == [(0,)]


def test_of_two_who_move_at_once_exactly_one_wins(stage: Stage) -> None:
    stage.campaign()
    values = who(stage)

    async def press(name: str, choice: Choice | None = None) -> str:
        try:
            await stage.database.write(life.move_campaign, name=name, choice=choice, **values)
        except (CampaignCannotMove, DateRefused):
            return "told"
        return "moved"

    async def both(*names: tuple[str, Choice | None]) -> list[str]:
        return sorted(await asyncio.gather(*(press(*each) for each in names)))

    later = Choice(utc_now().date() + 60 * DAY)
    put(stage, form="free")
    assert stage.run(both(("extend", later), ("extend", later))) == ["moved", "told"]
    assert stage.run(both(*[("close", None)] * 8)) == ["moved", *["told"] * 7]
    assert stage.run(both(("reopen", None), ("reopen", None))) == ["moved", "told"]
    assert lines(stage) == ["extend", "close", "reopen"]


def test_a_row_that_moved_between_reading_and_writing_is_not_moved_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.campaign()
    stale = row(stage)
    put(stage, state="stopped")
    monkeypatch.setattr(life, "_get_campaign", lambda _session, _id: stale)
    with pytest.raises(CampaignCannotMove, match="stopped"):
        stage.write(life.move_campaign, name="close", **who(stage))
    assert (row(stage).state, lines(stage)) == ("stopped", [])


def test_submitting_a_draft_that_lacks_something_says_what(stage: Stage) -> None:
    draft(stage, {"km": {"requests": []}}, sponsor=None)
    put(stage, supporters_needed=5)
    with pytest.raises(life.NotReady) as refusal:
        stage.write(life.submit_campaign, **who(stage))
    assert {each.place.page for each in refusal.value.lacks} == {"text", "supporters"}
    assert (row(stage).state, lines(stage)) == ("draft", [])


def test_moderators_and_operators_are_asked_to_review_once(stage: Stage) -> None:
    moderator(stage)
    stage.organiser("operator@example.org", role="operator")
    gone = stage.organiser("gone@example.org", role="moderator")
    draft(stage, {}, sponsor=None)
    stage.write(life.submit_campaign, **who(stage))
    stage.write(
        lambda session: session.execute(update(Account).where(Account.id == gone.account_id).values(state="disabled"))
    )
    (first,), (second,) = stage.letters_to("moderator@example.org"), stage.letters_to("operator@example.org")
    assert first.mail["Content-Language"] == "fr"
    assert "/en/moderation/reviews/libraries" in second.text
    assert stage.letters_to("gone@example.org") == []


def test_a_letter_that_asks_for_review_is_dropped_once_it_is_taken_back(stage: Stage) -> None:
    moderator(stage)
    draft(stage, {}, sponsor=None)
    stage.write(life.submit_campaign, **who(stage))
    stage.write(life.move_campaign, name="recall", **who(stage))
    assert stage.letters_to("moderator@example.org") == []


def test_approving_freezes_the_complete_languages_and_binds_what_was_signed_before(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    draft(stage, {"fr": {"declaration": ""}}, sponsor=None, endorsements=[{"name": "Friends"}], signatories="both")
    put(stage, promised_locales=["en", "km"], opens_at=None, closes_at=None, open_for_days=10)
    stage.write(lambda session: session.execute(update(Campaign).values(supporters_needed=0)))
    assert publish(stage) == "open"
    published = stage.read(find_campaign, slug="libraries")
    assert published is not None
    assert (set(published.texts), published.edition_number) == ({"en", "km"}, 1)
    assert stage.sql("SELECT count(*) FROM endorsements WHERE edition_id IS NOT NULL") == [(1,)]
    assert stage.get("/en/campaigns/libraries").status_code == 200
    assert stage.sign("libraries").status_code == 303


def test_approving_what_changed_since_it_was_read_is_refused(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    stage.write(life.submit_campaign, **who(stage))
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    read = stage.read(find_review_version, campaign_id=campaign_id(stage))
    put(stage, settings_version=7)
    with pytest.raises(life.ReviewChanged):
        stage.write(life.approve_campaign, version=read, **reviewer)
    assert row(stage).state == "review"


def test_approving_what_lacks_something_by_now_is_refused(stage: Stage) -> None:
    draft(stage, {}, sponsor=None)
    stage.write(life.submit_campaign, **who(stage))
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    put(stage, supporters_needed=5)
    version = stage.read(find_review_version, campaign_id=campaign_id(stage))
    with pytest.raises(life.NotReady):
        stage.write(life.approve_campaign, version=version, **reviewer)


def test_a_moderator_does_not_judge_their_own_team(stage: Stage) -> None:
    slug = draft(stage, {}, sponsor=None)
    stage.write(life.submit_campaign, **who(stage))
    judge = moderator(stage)
    stage.join(slug, judge, "viewer")
    reviewer = {**who(stage), "account_id": judge.account_id}
    for work, values in (
        (life.approve_campaign, {"version": ""}),
        (life.send_back_campaign, {"because": "x"}),
        (life.refuse_campaign, {"because": "x"}),
    ):
        with pytest.raises(life.ReviewerIsOfTeam):
            stage.write(work, **values, **reviewer)  # type: ignore[arg-type]  # one of several kinds


def test_a_set_opening_day_schedules_and_the_clock_opens(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None, opens_on="2026-03-10", closes_on="2026-03-20")
    assert publish(stage) == "scheduled"
    assert stage.sign("libraries").status_code == 409
    clock.move_to(datetime(2026, 3, 10, 4, tzinfo=UTC))  # midnight in Ottawa, in summer time since two days
    stage.house.shelf._entries.clear()
    assert stage.sign("libraries").status_code == 303
    stage.move_by_dates()
    stage.move_by_dates()
    assert row(stage).state == "open"
    clock.move_to(datetime(2026, 3, 21, 4, tzinfo=UTC))
    stage.move_by_dates()
    assert row(stage).state == "closed"
    assert lines(stage)[-2:] == ["opened_by_date", "closed_by_date"]
    assert "Its opening date came: signing is open." in told(stage, OWNER)
    assert "Its last day is over: signing has ended." in told(stage, OWNER)


def test_a_last_day_that_passed_during_review_cannot_be_approved(stage: Stage, clock: time_machine.Traveller) -> None:
    draft(stage, {}, sponsor=None, closes_on="2026-03-20")
    stage.write(life.submit_campaign, **who(stage))
    clock.move_to(NOON + 30 * DAY)
    version = stage.read(find_review_version, campaign_id=campaign_id(stage))
    reviewer = {**who(stage), "account_id": moderator(stage).account_id}
    with pytest.raises((ClosingPast, life.NotReady)):
        stage.write(life.approve_campaign, version=version, **reviewer)


def test_closing_happens_at_the_right_instant_on_each_database(stage: Stage) -> None:
    # The clocks of Ottawa go back at two in the night of 1 November, and forward in that of 14 March.
    _close_and_see(stage, "America/Toronto", "2026-11-01", datetime(2026, 11, 2, 5, tzinfo=UTC))


@on_one_database
@pytest.mark.parametrize(
    ("zone", "closes_on", "closes_at"),
    [
        ("America/Toronto", "2026-10-31", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("America/Toronto", "2027-03-14", datetime(2027, 3, 15, 4, tzinfo=UTC)),
        ("America/Toronto", "2027-03-13", datetime(2027, 3, 14, 5, tzinfo=UTC)),
        # Those of Phnom Penh never change: on the same two days, an ocean away.
        ("Asia/Phnom_Penh", "2026-11-01", datetime(2026, 11, 1, 17, tzinfo=UTC)),
        ("Asia/Phnom_Penh", "2027-03-14", datetime(2027, 3, 14, 17, tzinfo=UTC)),
    ],
)
def test_closing_happens_at_the_right_instant_of_the_right_zone(
    stage: Stage, zone: str, closes_on: str, closes_at: datetime
) -> None:
    _close_and_see(stage, zone, closes_on, closes_at)


def _close_and_see(stage: Stage, zone: str, closes_on: str, closes_at: datetime) -> None:
    with time_machine.travel(closes_at - 40 * DAY, tick=False) as clock:
        slug = draft(stage, {}, sponsor=None, timezone=zone, closes_on=closes_on)
        assert publish(stage) == "open"
        assert row(stage).closes_at == closes_at
        assert last_day(closes_at, zone) == date.fromisoformat(closes_on)

        def sign_at(moment: datetime, email: str) -> int:
            clock.move_to(moment)
            stage.house.shelf._entries.clear()
            return stage.sign(slug, email=email, browser=stage.new_browser()).status_code

        assert sign_at(closes_at - SECOND, "second@example.org") == 303
        assert sign_at(closes_at - INSTANT, "instant@example.org") == 303
        assert days_left(closes_at, zone, utc_now()) == 0
        assert days_left(closes_at, zone, closes_at - timedelta(hours=26)) == 1
        stage.move_by_dates()
        assert row(stage).state == "open"
        # The instant itself is refused, whether or not the job has been there.
        assert sign_at(closes_at, "late@example.org") == 409
        assert row(stage).state == "open"
        stage.move_by_dates()
        assert (row(stage).state, row(stage).closed_early_at) == ("closed", None)
        assert sign_at(closes_at, "late@example.org") == 409
        assert stage.sql("SELECT count(*) FROM signatures") == [(2,)]
        with pytest.raises(CampaignCannotMove, match="closed"):
            stage.write(life.move_campaign, name="reopen", **who(stage))


def test_closing_early_refuses_at_once_and_lets_confirm_for_a_day(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign(open_for=30)
    clock.shift(SECOND)
    stage.sign(slug)
    (letter,) = stage.letters_to("sokha@example.org")
    stage.write(life.move_campaign, name="close", **who(stage))
    stage.house.shelf._entries.clear()
    assert stage.sign(slug, email="late@example.org", browser=stage.new_browser()).status_code == 409
    clock.shift(DAY - INSTANT)
    assert stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"}).status_code == 303
    assert stage.count(slug) == 1


# Operators


def test_stopping_and_resuming_name_what_is_not_there(stage: Stage) -> None:
    for work, values in ((life.stop_campaign, {"because": "x"}), (life.resume_campaign, {})):
        with pytest.raises(CampaignNotFound):
            stage.write(work, slug="nowhere", now=utc_now(), **values)  # type: ignore[arg-type]  # one of two


def test_a_stopped_campaign_takes_no_signature_until_it_is_resumed(stage: Stage) -> None:
    slug = stage.campaign()
    stage.write(life.stop_campaign, slug=slug, because="A forged mandate", now=utc_now())
    stage.house.shelf._entries.clear()
    assert stage.sign(slug).status_code == 409
    assert stage.write(life.resume_campaign, slug=slug, now=utc_now()) == "open"
    assert (row(stage).stopped_because, row(stage).stopped_at) == (None, None)
    stage.house.shelf._entries.clear()
    assert stage.sign(slug).status_code == 303


def test_owners_who_are_gone_are_found(stage: Stage, clock: time_machine.Traveller) -> None:
    stage.campaign()

    def is_orphaned() -> bool:
        found = stage.read(list_watched, now=utc_now(), only_orphaned=True)
        assert [each.slug for each in found] in ([], ["libraries"])
        return bool(found)

    assert not is_orphaned()
    clock.shift(180 * DAY)
    assert is_orphaned()
    # Being here counts, and so does having done something, though the session is over and forgotten.
    session = {
        "id": uuid4(), "account_id": owner_id(stage), "hash": b"x", "device": "", "created_at": NOON,
        "seen_at": utc_now() - DAY, "proven_at": NOON, "expires_at": utc_now() + DAY,
    }  # fmt: skip
    stage.write(lambda work: work.execute(insert(AccountSession), session))
    assert not is_orphaned()
    stage.write(lambda work: work.execute(delete(AccountSession)))
    assert is_orphaned()
    clock.shift(-DAY)
    put(stage, closes_at=None)
    stage.write(life.move_campaign, name="close", **who(stage))
    clock.shift(100 * DAY)
    assert not is_orphaned()
    stage.write(lambda work: work.execute(update(Account).values(state="disabled")))
    assert is_orphaned()
    stage.write(lambda work: work.execute(delete(Member)))
    (found,) = stage.read(list_watched, now=utc_now(), search="សៀវភៅខ្មែរ")
    assert (found.owners, found.seen_at, found.is_orphaned) == (0, None, True)
    assert stage.read(list_watched, now=utc_now(), search="elephants") == []


def test_rehoming_gives_another_owner_and_tells_those_there_were(stage: Stage) -> None:
    slug = stage.campaign()
    editor = stage.organiser("editor@example.org")
    stage.join(slug, editor, "editor")
    values: dict[str, Any] = {"slug": slug, "locale": "en", "keyring": stage.keyring, "now": utc_now()}
    for email in ("new@example.org", "editor@example.org", "editor@example.org"):
        stage.write(life.rehome_campaign, email=email, **values)
    assert stage.sql("SELECT role, count(*) FROM members GROUP BY role") == [("owner", 3)]
    assert len(stage.letters_to(OWNER)) == 3
    assert "gave it another owner" in told(stage, "new@example.org")
    with pytest.raises(CampaignNotFound):
        stage.write(life.rehome_campaign, email="x@example.org", **{**values, "slug": "nowhere"})


def test_a_wished_closing_date_of_long_ago_forgets_no_draft(stage: Stage) -> None:
    """A petition of years ago, brought in a file to be worked on: its key seals the team's address and the office's."""
    draft(stage, {}, closes_on="2018-11-22")
    for state in ("draft", "review", "refused"):
        put(stage, state=state)
        assert stage.read(list_campaigns_to_forget, now=utc_now()) == []
    put(stage, state="closed")
    assert stage.read(list_campaigns_to_forget, now=utc_now()) == [campaign_id(stage)]


def test_names_are_forgotten_a_year_after_stopping_and_not_while_it_is_open(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = stage.campaign(open_for=None)
    assert row(stage).closes_at is None
    clock.shift(400 * DAY)
    assert stage.read(list_campaigns_to_forget, now=utc_now()) == []
    stage.write(life.stop_campaign, slug=slug, because="x", now=utc_now())
    stopped = utc_now()
    assert stage.read(list_campaigns_to_forget, now=stopped + 365 * DAY - SECOND) == []
    assert stage.read(list_campaigns_to_forget, now=stopped + 365 * DAY) == [campaign_id(stage)]
    stage.write(life.resume_campaign, slug=slug, now=utc_now())
    assert stage.read(list_campaigns_to_forget, now=stopped + 365 * DAY) == []
    clock.shift(SECOND)
    stage.write(life.move_campaign, name="close", **who(stage))
    closed = utc_now()
    assert stage.read(list_campaigns_to_forget, now=closed + 365 * DAY - SECOND) == []
    assert stage.read(list_campaigns_to_forget, now=closed + 365 * DAY) == [campaign_id(stage)]
