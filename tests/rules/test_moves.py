"""The moves of a campaign's life: from any state only those that are listed, and each undo leads back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.rules.answers import Adjournment, answer_due_on, is_sitting_day
from app.rules.drafts import take_apart
from app.rules.life import closing_after, is_signing_open, last_day, local_day
from app.rules.moves import (
    COMMONS_DAYS,
    MOVES,
    STATES,
    Choice,
    ClosingPast,
    DateRefused,
    MoveRefused,
    Standing,
    can_move,
    extension_days,
    latest_last_day,
    list_moves,
    make_move,
    move_embargo,
    settle,
)
from app.rules.permissions import Permission, StaffPermission
from app.rules.publishing import complete_locales
from app.rules.texts import CampaignText

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
TORONTO = "America/Toronto"


def standing(state: str, **dates: object) -> Standing:
    """Return a campaign that opened ten days ago and closes in twenty, as far as its state allows."""
    made = Standing(state, TORONTO, opens_at=NOW - 10 * DAY, closes_at=NOW + 20 * DAY)
    if state == "scheduled":
        made = replace(made, opens_at=NOW + DAY)
    if state == "embargoed":
        made = replace(made, planned_opens_at=made.opens_at, planned_closes_at=made.closes_at)
        made = replace(made, opens_at=NOW + DAY, embargo_until=NOW + DAY)
    if state in {"closed", "presented", "answered"}:
        made = replace(made, closes_at=NOW - DAY)
    if state in {"presented", "answered"}:
        made = replace(made, presented_on=date(2026, 3, 1))
    if state == "answered":
        made = replace(made, answered_on=date(2026, 3, 2))
    return replace(made, **dates)  # type: ignore[arg-type]  # by names of its own


def choice(name: str) -> Choice:
    """Return the day that a move takes."""
    return Choice({"extend": date(2026, 4, 30), "present": date(2026, 3, 1), "answer": date(2026, 3, 2)}.get(name))


#: What may be done in each state, as the issue lists it; nothing else may.
TABLE = {
    "draft": {"submit"},
    "review": {"recall", "approve", "send_back", "refuse"},
    "embargoed": {"send_back", "release", "call_off"},
    "scheduled": {"close", "stop"},
    "open": {"close", "extend", "stop"},
    "closed": {"present", "stop"},
    "presented": {"unpresent", "answer", "stop"},
    "answered": {"unanswer", "stop"},
    "refused": {"rework", "readmit"},
    "stopped": {"resume"},
}


@pytest.mark.parametrize("state", sorted(STATES))
@pytest.mark.parametrize("name", sorted(MOVES))
def test_from_any_state_only_listed_moves_succeed(state: str, name: str) -> None:
    before = standing(state)
    assert can_move(name, before, NOW) is (name in TABLE[state])
    if name in TABLE[state]:
        after = make_move(name, before, NOW, choice(name))
        assert after.state in MOVES[name].reaches
        return
    with pytest.raises(MoveRefused, match=state):
        make_move(name, before, NOW, choice(name))


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (state, name)
        for state, names in TABLE.items()
        for name in sorted(names)
        # What undoes the others leads to another state, from which one goes on.
        if MOVES[name].undo and name not in {"send_back", "recall", "refuse"}
    ],
)
def test_undoing_a_move_leads_back(state: str, name: str) -> None:
    before = standing(state)
    undo = MOVES[name].undo
    assert undo is not None
    after = make_move(name, before, NOW, choice(name))
    again = Choice(before.presented_on or before.answered_on)
    if name == "unanswer":
        again = Choice(before.answered_on)
    assert make_move(undo, after, NOW + timedelta(hours=1), again) == before


def test_moves_of_one_permission_are_listed_and_no_others() -> None:
    assert [each.name for each in list_moves(standing("open"), Permission.MOVE, NOW)] == ["close", "extend"]
    assert [each.name for each in list_moves(standing("open"), StaffPermission.OPERATE, NOW)] == ["stop"]
    assert list_moves(standing("open"), StaffPermission.REVIEW, NOW) == []


def test_the_clock_opens_and_closes() -> None:
    scheduled = standing("scheduled")
    assert settle(scheduled, NOW).state == "scheduled"
    assert settle(scheduled, NOW + DAY).state == "open"
    assert settle(scheduled, NOW + 20 * DAY).state == "closed"
    assert settle(standing("open"), NOW + 20 * DAY - INSTANT).state == "open"
    assert settle(standing("stopped"), NOW + 20 * DAY).state == "stopped"
    assert settle(standing("open", opens_at=NOW + DAY), NOW).state == "open"


def test_a_late_job_does_not_let_a_closed_campaign_be_extended_or_keep_it_from_being_presented() -> None:
    late = standing("open")
    after = NOW + 20 * DAY
    assert not can_move("extend", late, after)
    assert not can_move("close", late, after)
    assert make_move("present", late, after, Choice(date(2026, 3, 22))).state == "presented"


def test_approving_opens_now_or_on_the_date_that_is_set() -> None:
    review = standing("review", opens_at=None)
    assert make_move("approve", review, NOW) == replace(review, state="open", opens_at=NOW)
    waits = standing("review", opens_at=NOW + DAY)
    assert make_move("approve", waits, NOW) == replace(waits, state="scheduled")
    past = standing("review", opens_at=NOW - DAY)
    assert make_move("approve", past, NOW).opens_at == NOW


def test_approving_counts_the_days_from_the_opening() -> None:
    review = standing("review", opens_at=None, closes_at=None, open_for_days=30)
    approved = make_move("approve", review, NOW)
    assert approved.closes_at is not None
    assert last_day(approved.closes_at, TORONTO) == local_day(NOW, TORONTO) + 30 * DAY
    waits = replace(review, opens_at=NOW + 5 * DAY)
    assert make_move("approve", waits, NOW).closes_at == approved.closes_at + 5 * DAY - timedelta(hours=0)
    assert make_move("approve", replace(review, open_for_days=None), NOW).closes_at is None


def test_a_letter_under_embargo_opens_no_sooner_than_it_ends() -> None:
    review = standing("review", opens_at=None, closes_at=None, open_for_days=30, embargo_until=NOW + 2 * DAY)
    unseen = make_move("approve", review, NOW)
    assert (unseen.state, unseen.opens_at) == ("embargoed", NOW + 2 * DAY)
    assert unseen.closes_at == closing_after(NOW + 2 * DAY, 30, TORONTO)
    assert settle(unseen, NOW + 2 * DAY - INSTANT) == unseen
    assert settle(unseen, NOW + 2 * DAY) == replace(unseen, state="open")
    later = make_move("approve", replace(review, opens_at=NOW + 5 * DAY), NOW)
    assert (later.state, later.opens_at) == ("embargoed", NOW + 5 * DAY)
    assert settle(later, NOW + 2 * DAY).state == "scheduled"
    assert make_move("approve", review, NOW + 2 * DAY).state == "open"
    with pytest.raises(ClosingPast):
        make_move("approve", replace(review, open_for_days=None, closes_at=NOW + 2 * DAY), NOW)


def test_an_embargo_ends_by_hand_moves_or_is_called_off() -> None:
    review = standing("review", opens_at=NOW + 5 * DAY, closes_at=NOW + 9 * DAY, embargo_until=NOW + 6 * DAY)
    unseen = make_move("approve", review, NOW)
    assert unseen.opens_at == NOW + 6 * DAY
    released = make_move("release", unseen, NOW + DAY)
    assert (released.state, released.opens_at, released.embargo_until) == ("scheduled", NOW + 5 * DAY, NOW + DAY)
    assert (released.planned_opens_at, released.planned_closes_at) == (None, None)
    assert move_embargo(unseen, NOW + DAY, NOW).opens_at == NOW + 5 * DAY  # as it was wished
    assert move_embargo(unseen, NOW + 7 * DAY, NOW).opens_at == NOW + 7 * DAY
    assert make_move("call_off", unseen, NOW) == replace(review, state="draft")
    assert make_move("send_back", unseen, NOW) == replace(review, state="draft")
    with pytest.raises(ClosingPast):
        move_embargo(unseen, NOW + 9 * DAY, NOW)
    for wrong in (NOW, NOW - DAY, NOW + 366 * DAY):
        with pytest.raises(DateRefused):
            move_embargo(unseen, wrong, NOW)
    # From its second on it is out, whatever the job has done so far.
    for move in ("release", "call_off", "send_back"):
        with pytest.raises(MoveRefused, match="open"):
            make_move(move, unseen, NOW + 6 * DAY)
    with pytest.raises(MoveRefused, match="open"):
        move_embargo(unseen, NOW + 8 * DAY, NOW + 6 * DAY)


def test_approving_with_a_last_day_that_is_past_is_refused() -> None:
    with pytest.raises(ClosingPast):
        make_move("approve", standing("review", closes_at=NOW), NOW)
    with pytest.raises(ClosingPast):
        make_move("approve", standing("review", opens_at=NOW + 30 * DAY), NOW)


def test_closing_early_keeps_the_plan_and_can_be_undone_for_a_day() -> None:
    closed = make_move("close", standing("open"), NOW)
    assert (closed.closes_at, closed.planned_closes_at) == (NOW, NOW + 20 * DAY)
    assert can_move("reopen", closed, NOW + DAY - INSTANT)
    assert not can_move("reopen", closed, NOW + DAY)
    assert make_move("reopen", closed, NOW + DAY - INSTANT) == standing("open")


def test_what_the_clock_closed_is_not_reopened() -> None:
    assert not can_move("reopen", settle(standing("open"), NOW + 20 * DAY), NOW + 20 * DAY)
    soon = standing("open", closes_at=NOW + timedelta(hours=1))
    closed = make_move("close", soon, NOW)
    assert can_move("reopen", closed, NOW + timedelta(hours=1) - INSTANT)
    assert not can_move("reopen", closed, NOW + timedelta(hours=1))


def test_closing_before_the_opening_keeps_both_dates_for_undoing() -> None:
    for opens_at in (NOW + DAY, NOW):
        before = standing("scheduled", opens_at=opens_at)
        closed = make_move("close", settle(before, NOW), NOW)
        assert (closed.state, closed.opens_at, closed.closes_at) == ("closed", None, NOW)
        assert make_move("reopen", closed, NOW) == settle(before, NOW)
    endless = standing("open", closes_at=None)
    assert make_move("reopen", make_move("close", endless, NOW), NOW) == endless


@given(days=st.integers(1, 120), zone=st.sampled_from([TORONTO, "Asia/Phnom_Penh", "UTC"]))
def test_a_house_campaign_is_extended_to_its_durations_alone(days: int, zone: str) -> None:
    opened = Standing("open", zone, "commons", opens_at=NOW, closes_at=closing_after(NOW, days, zone))
    offered = extension_days(opened, NOW)
    assert [each for each, _ in offered] == [each for each in COMMONS_DAYS if each > days]
    assert latest_last_day(opened, NOW) is None
    for each, day in offered:
        assert day == local_day(NOW, zone) + each * DAY
        extended = make_move("extend", opened, NOW, Choice(day))
        assert extended.closes_at == closing_after(NOW, each, zone)
        for wrong in (day + DAY, day - DAY, None):
            with pytest.raises(DateRefused):
                make_move("extend", opened, NOW, Choice(wrong))
    assert can_move("extend", opened, NOW) is bool(offered)


def test_a_house_campaign_without_dates_has_no_durations() -> None:
    assert extension_days(standing("open", form="commons", opens_at=None), NOW) == []
    assert extension_days(standing("open", form="commons", closes_at=None), NOW) == []
    assert not can_move("extend", standing("open", closes_at=None), NOW)


@given(days=st.integers(-400, 800))
def test_any_other_campaign_is_extended_to_a_later_day_within_a_year(days: int) -> None:
    opened = standing("open")
    assert opened.closes_at is not None
    current, today = last_day(opened.closes_at, TORONTO), local_day(NOW, TORONTO)
    day = today + days * DAY
    if current < day <= today + 365 * DAY:
        extended = make_move("extend", opened, NOW, Choice(day))
        assert extended.closes_at is not None
        assert last_day(extended.closes_at, TORONTO) == day
        assert extended.closes_at > opened.closes_at
        return
    with pytest.raises(DateRefused):
        make_move("extend", opened, NOW, Choice(day))


def test_a_campaign_that_lasts_longer_than_a_year_is_not_extended() -> None:
    assert not can_move("extend", standing("open", closes_at=NOW + 400 * DAY), NOW)


@pytest.mark.parametrize("day", [None, date(2026, 3, 3), date(2026, 2, 19)])
def test_a_presentation_to_come_or_before_the_opening_is_refused(day: date | None) -> None:
    with pytest.raises(DateRefused):
        make_move("present", standing("closed"), NOW, Choice(day))


def test_a_presentation_of_what_has_no_opening_may_be_any_past_day() -> None:
    long_ago = Choice(date(2018, 12, 7))
    assert make_move("present", standing("closed", opens_at=None), NOW, long_ago).presented_on == date(2018, 12, 7)


def test_an_answer_before_the_presentation_is_refused() -> None:
    with pytest.raises(DateRefused):
        make_move("answer", standing("presented"), NOW, Choice(date(2026, 2, 28)))


@pytest.mark.parametrize("state", ["scheduled", "open", "closed", "presented", "answered"])
def test_what_was_stopped_goes_on_as_it_stood(state: str) -> None:
    stopped = make_move("stop", standing(state), NOW)
    assert make_move("resume", stopped, NOW) == standing(state)
    later = make_move("resume", stopped, NOW + 30 * DAY)
    assert later.state == {"scheduled": "closed", "open": "closed"}.get(state, state)


class Campaigning(RuleBasedStateMachine):
    """A campaign whose team, moderators and operators try whatever they like, while time passes."""

    @initialize(
        form=st.sampled_from(["commons", "free"]),
        opens_in=st.none() | st.integers(-5, 40),
        days=st.none() | st.sampled_from(COMMONS_DAYS),
        closes_in=st.none() | st.integers(1, 200),
        zone=st.sampled_from([TORONTO, "Asia/Phnom_Penh", "America/Havana"]),
        embargo=st.none() | st.integers(0, 40),
    )
    def begin(
        self,
        *,
        form: str,
        opens_in: int | None,
        days: int | None,
        closes_in: int | None,
        zone: str,
        embargo: int | None,
    ) -> None:
        self.now = NOW
        opens_at = None if opens_in is None else NOW + opens_in * DAY
        closes_at = None if closes_in is None else NOW + closes_in * DAY
        until = None if embargo is None else NOW + embargo * DAY
        self.standing = Standing("draft", zone, form, opens_at, closes_at, days, embargo_until=until)

    @rule(hours=st.integers(0, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_job_runs(self) -> None:
        self.standing = settle(self.standing, self.now)

    @rule(name=st.sampled_from(sorted(MOVES)), days=st.none() | st.integers(-60, 400))
    def somebody_moves(self, name: str, days: int | None) -> None:
        day = None if days is None else local_day(self.now, self.standing.timezone) + days * DAY
        settled = settle(self.standing, self.now)
        if not can_move(name, self.standing, self.now):
            assert settled.state not in MOVES[name].leaves or name in {"extend", "reopen"}
            with pytest.raises(MoveRefused, match=settled.state):
                make_move(name, self.standing, self.now, Choice(day))
            return
        try:
            after = make_move(name, self.standing, self.now, Choice(day))
        except (DateRefused, ClosingPast):
            return
        assert settled.state in MOVES[name].leaves
        assert after.state in MOVES[name].reaches
        self.standing = after

    @precondition(lambda self: self.standing.state in {"scheduled", "open"})
    @invariant()
    def what_is_public_and_open_has_dates_in_order(self) -> None:
        opens_at, closes_at = self.standing.opens_at, self.standing.closes_at
        assert opens_at is not None
        assert closes_at is None or opens_at < closes_at

    @precondition(lambda self: self.standing.state == "embargoed")
    @invariant()
    def nothing_opens_under_embargo(self) -> None:
        assert self.standing.embargo_until is not None
        assert self.standing.opens_at is not None
        assert self.standing.opens_at >= self.standing.embargo_until

    @precondition(lambda self: self.standing.state not in {"scheduled", "open"})
    @invariant()
    def nothing_else_takes_signatures(self) -> None:
        dates = (self.standing.opens_at, self.standing.closes_at)
        assert not is_signing_open(self.standing.state, *dates, self.now)

    @precondition(lambda self: self.standing.state not in {"draft", "review", "refused"})
    @invariant()
    def the_database_would_take_its_dates(self) -> None:
        opens_at, closes_at = self.standing.opens_at, self.standing.closes_at
        assert closes_at is None or opens_at is None or opens_at < closes_at

    @invariant()
    def what_was_presented_says_when(self) -> None:
        if self.standing.state in {"presented", "answered"}:
            assert self.standing.presented_on is not None
        assert (self.standing.state == "answered") <= (self.standing.answered_on is not None)


TestCampaigning = Campaigning.TestCase


def test_the_answer_to_e1746_was_due_when_the_house_sat_again() -> None:
    assert answer_due_on(date(2018, 12, 7)) == date(2019, 1, 28)


def test_an_answer_is_due_after_45_days_or_on_the_next_weekday() -> None:
    assert answer_due_on(date(2026, 3, 2)) == date(2026, 4, 16)
    assert answer_due_on(date(2026, 3, 4)) == date(2026, 4, 20)  # the 45th day is a Saturday
    summer = (Adjournment(date(2026, 6, 19), date(2026, 9, 21), "a calendar"),)
    assert answer_due_on(date(2026, 6, 1), summer) == date(2026, 9, 21)


@given(day=st.dates(date(2018, 1, 1), date(2030, 1, 1)))
def test_an_answer_is_never_due_early_nor_on_a_day_without_a_sitting(day: date) -> None:
    due = answer_due_on(day)
    assert due >= day + 45 * DAY
    assert is_sitting_day(due)
    assert not any(is_sitting_day(day + count * DAY) for count in range(45, (due - day).days))


def test_a_language_is_complete_that_says_what_the_original_says() -> None:
    texts = {
        "en": CampaignText("Title", requests=("one", "two"), closing="End"),
        "fr": CampaignText("Titre", requests=("un", "deux"), closing="Fin", salutation="Mesdames"),
        "km": CampaignText("ចំណងជើង", requests=("មួយ",), closing="ចប់"),
    }
    assert complete_locales(take_apart(texts), "en") == {"en", "fr"}
    assert complete_locales(take_apart(texts), "km") == {"km"}  # a request more than the original would shorten it
    assert complete_locales(take_apart({"fr": texts["fr"]}), "en") == frozenset()
