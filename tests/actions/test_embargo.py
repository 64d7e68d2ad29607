"""Embargo on real databases: approved unseen, its very second, released, moved, called off; races; who is told when."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from sqlalchemy import insert

from app.actions import embargo, life
from app.actions.campaigns import CampaignCannotMove
from app.actions.embargo import (
    EmbargoChanged,
    postpone_embargo,
    renew_preview_link,
    request_in_private,
    set_embargo,
)
from app.actions.endorsing import Asked, TextMoved
from app.actions.life import move_by_dates
from app.actions.settings import SettingsChanged, save_settings
from app.core.clock import utc_now
from app.jobs.open_and_close import open_and_close
from app.models import Endorsement
from app.queries.campaigns import find_campaign, list_campaigns
from app.queries.editions import list_editions
from app.queries.previews import find_next_appearance, find_private_letter
from app.rules.moves import ClosingPast, DateRefused, Standing
from tests.actions.embargoes import private_link, under_embargo
from tests.actions.lives import (
    DAY,
    INSTANT,
    NOON,
    OWNER,
    SECOND,
    campaign_id,
    lines,
    owner_id,
    publish,
    put,
    row,
    told,
    who,
)
from tests.stage import on_one_database

if TYPE_CHECKING:
    from uuid import UUID

    import time_machine
    from sqlalchemy.orm import Session

    from tests.stage import Stage

UNTIL = NOON + DAY


def endorse(stage: Stage, state: str = "accepted") -> UUID:
    """Put an organisation under the present edition."""
    endorsement_id, own = uuid4(), campaign_id(stage)

    def work(session: Session) -> None:
        edition = list_editions(session, campaign_id=own)[-1]
        session.execute(
            insert(Endorsement),
            {
                "id": endorsement_id,
                "campaign_id": own,
                "edition_id": edition.id,
                "state": state,
                "name": "Khmer Society",
                "names": {},
                "name_key": "khmer society",
                "locale": "en",
                "asked_at": NOON,
                "position": 0,
            },
        )

    stage.write(work)
    return endorsement_id


def test_a_letter_under_embargo_appears_at_its_instant_and_not_before(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    slug = under_embargo(stage, UNTIL)
    assert (row(stage).state, row(stage).opens_at) == ("embargoed", UNTIL)
    clock.move_to(UNTIL - INSTANT)
    stage.write(move_by_dates, now=utc_now())
    assert stage.read(find_campaign, slug=slug) is None
    assert stage.read(list_campaigns) == []
    clock.move_to(UNTIL)
    assert stage.write(move_by_dates, now=utc_now()) == 1
    assert stage.write(move_by_dates, now=utc_now()) == 0
    assert (row(stage).state, row(stage).planned_opens_at, row(stage).planned_closes_at) == ("open", None, None)
    found = stage.read(find_campaign, slug=slug)
    assert found is not None
    assert set(found.texts) == {"km", "en", "fr"}
    assert lines(stage) == ["settings_saved", "submit", "approved_unseen", "embargo_ended"]


def test_one_that_opens_later_appears_as_scheduled_and_one_that_was_slow_as_closed(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    under_embargo(stage, UNTIL, opens_on="2026-03-10", closes_on="2026-03-20")
    opens_at = row(stage).opens_at
    clock.move_to(UNTIL)
    stage.write(move_by_dates, now=utc_now())
    assert (row(stage).state, row(stage).opens_at) == ("scheduled", opens_at)
    put(stage, state="embargoed")
    stage.write(move_by_dates, now=NOON + 60 * DAY)
    assert row(stage).state == "closed"


@on_one_database
def test_nobody_is_told_before_it_appears_and_owners_in_neutral_words(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    under_embargo(stage, UNTIL, signatories="both")
    letters = stage.deliver()
    assert {letter.mail["To"] for letter in letters} <= {OWNER, "moderator@example.org"}
    for letter in letters:
        assert "Khmer books" not in letter.mail["Subject"]
    assert "Nobody else sees it before its moment" in told(stage, OWNER)
    assert "is public" not in told(stage, OWNER)
    clock.move_to(UNTIL)
    stage.write(move_by_dates, now=utc_now())
    assert "Its moment came: it is public." in told(stage, OWNER)


def test_two_jobs_and_an_owner_at_the_very_second_make_one_move(stage: Stage) -> None:
    """Whoever comes first: the clock twice, and a release that is pressed just before."""
    for number in range(3):
        slug = f"letter-{number}"
        stage.campaign(kind="open_letter", slug=slug)
        moment = utc_now()
        put(stage, slug, state="embargoed", embargo_until=moment)
        who = {"campaign_id": campaign_id(stage, slug), "account_id": owner_id(stage, slug), "now": moment - INSTANT}

        async def press(values: dict[str, object] = who) -> str:
            try:
                await stage.database.write(life.release_campaign, **values)  # type: ignore[arg-type]  # by names
            except CampaignCannotMove:
                return "told"
            return "released"

        async def tick(moment: object = moment) -> str:
            await stage.database.write(move_by_dates, now=moment)  # type: ignore[arg-type]  # a moment
            return "ticked"

        async def all_at_once() -> list[str]:
            return list(await asyncio.gather(tick(), press(), tick(), press()))

        said = stage.run(all_at_once())
        assert row(stage, slug).state == "open"
        found = stage.sql(
            "SELECT what FROM records JOIN campaigns ON campaigns.id = records.campaign_id WHERE slug = :slug "
            "AND what IN ('release', 'embargo_ended')",
            slug=slug,
        )
        assert len(found) == 1, (said, found)
        assert said.count("released") == (found == [("release",)])


def test_an_owner_releases_it_early_or_calls_it_off(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    stage.write(life.call_off_campaign, **who(stage))
    assert (row(stage).state, row(stage).opens_at, row(stage).embargo_until) == ("draft", None, UNTIL)
    assert stage.read(list_editions, campaign_id=campaign_id(stage)) == []
    assert publish(stage) == "embargoed"
    stage.write(life.release_campaign, **who(stage))
    assert (row(stage).state, row(stage).opens_at, row(stage).embargo_until) == ("open", NOON, NOON)
    for work in (life.release_campaign, life.call_off_campaign):
        with pytest.raises(CampaignCannotMove, match="open"):
            stage.write(work, **who(stage))
    assert lines(stage)[-4:] == ["call_off", "submit", "approved_unseen", "release"]


def test_from_its_second_on_it_is_out_whatever_the_job_has_done(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    clock.move_to(UNTIL)
    for work in (life.release_campaign, life.call_off_campaign):
        with pytest.raises(CampaignCannotMove, match="open"):
            stage.write(work, **who(stage))
    with pytest.raises(CampaignCannotMove, match="open"):
        stage.write(postpone_embargo, shown=UNTIL, until=UNTIL + DAY, **who(stage))
    stage.write(life.move_campaign, name="close", **who(stage))
    assert lines(stage)[-2:] == ["embargo_ended", "close"]


def test_what_an_organisation_signed_stays_its_edition_after_calling_off(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    under_embargo(stage, UNTIL)
    endorse(stage)
    stage.write(life.call_off_campaign, **who(stage))
    assert publish(stage) == "embargoed"  # as it was: the same edition
    assert [each.number for each in stage.read(list_editions, campaign_id=campaign_id(stage))] == [1]
    stage.write(life.call_off_campaign, **who(stage))
    stage.sql_write("UPDATE text_parts SET text = 'Other words' WHERE name = 'body' AND locale = 'en'")
    assert publish(stage) == "embargoed"
    stage.write(life.release_campaign, **who(stage))
    found = stage.read(find_campaign, slug="libraries")
    assert found is not None
    assert (found.edition_number, found.present_since, found.texts["en"].body) == (2, 2, "Other words")
    assert [each.is_present for each in found.endorsements] == [False]


def test_another_moment_is_set_by_whoever_saw_the_present_one(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    stage.write(postpone_embargo, shown=UNTIL, until=UNTIL + DAY, **who(stage))
    assert (row(stage).embargo_until, row(stage).opens_at) == (UNTIL + DAY, UNTIL + DAY)
    with pytest.raises(EmbargoChanged):
        stage.write(postpone_embargo, shown=UNTIL, until=UNTIL + 3 * DAY, **who(stage))
    with pytest.raises(DateRefused):
        stage.write(postpone_embargo, shown=UNTIL + DAY, until=NOON, **who(stage))
    put(stage, planned_closes_at=UNTIL + 2 * DAY)
    with pytest.raises(ClosingPast):
        stage.write(postpone_embargo, shown=UNTIL + DAY, until=UNTIL + 2 * DAY, **who(stage))
    clock.move_to(UNTIL)
    assert stage.write(move_by_dates, now=utc_now()) == 0
    assert "It is now to appear on" in told(stage, OWNER)


def test_in_a_draft_it_is_a_setting_among_others(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    with pytest.raises(CampaignCannotMove, match="embargoed"):
        stage.write(set_embargo, shown=UNTIL, until=None, **who(stage))
    stage.write(life.call_off_campaign, **who(stage))
    version = row(stage).settings_version
    stage.write(set_embargo, shown=UNTIL, until=UNTIL + DAY, **who(stage))
    with pytest.raises(EmbargoChanged):
        stage.write(set_embargo, shown=UNTIL, until=None, **who(stage))
    for wrong in (NOON, NOON - SECOND, NOON + 366 * DAY):
        with pytest.raises(DateRefused):
            stage.write(set_embargo, shown=UNTIL + DAY, until=wrong, **who(stage))
    # Whoever saves another setting beside it is not in the way.
    saved = {**who(stage), "changes": {"reference": "x"}, "keyring": stage.keyring}
    stage.write(save_settings, version=version, **saved)
    with pytest.raises(SettingsChanged):
        stage.write(save_settings, version=version, **saved)
    stage.write(set_embargo, shown=UNTIL + DAY, until=None, **who(stage))
    assert publish(stage) == "open"


def test_the_private_link_lives_while_it_may(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    old = private_link(stage).rpartition("/")[2]
    assert stage.write(renew_preview_link, shown=None, tokens_key=stage.keyring.tokens, **who(stage)) is False
    token = private_link(stage).rpartition("/")[2]

    def find(token: str) -> bool | None:
        found = stage.read(find_private_letter, token=token, keyring=stage.keyring)
        return None if found is None else found.is_public

    assert (find(old), find(token)) == (None, False)
    stage.write(life.call_off_campaign, **who(stage))
    assert find(token) is None
    with pytest.raises(CampaignCannotMove, match="draft"):
        private_link(stage)
    publish(stage)
    stage.write(life.release_campaign, **who(stage))
    assert find(token) is True


@on_one_database
def test_the_job_hears_of_what_is_next(stage: Stage, clock: time_machine.Traveller) -> None:
    under_embargo(stage, UNTIL)
    assert stage.read(find_next_appearance, until=UNTIL - timedelta(seconds=2)) is None
    assert stage.read(find_next_appearance, until=UNTIL) == UNTIL


def test_the_job_waits_for_the_very_moment(stage: Stage) -> None:
    stage.campaign(kind="open_letter")
    moment = utc_now() + timedelta(seconds=0.3)
    put(stage, state="embargoed", embargo_until=moment)
    assert stage.run(open_and_close(stage.background)) is True
    assert utc_now() >= moment
    assert row(stage).state == "open"
    assert stage.run(open_and_close(stage.background)) is False


@on_one_database
def test_a_form_from_the_private_page_binds_to_the_text_that_was_shown(
    stage: Stage, clock: time_machine.Traveller
) -> None:
    under_embargo(stage, UNTIL)
    found = stage.read(find_private_letter, token=private_link(stage).rpartition("/")[2], keyring=stage.keyring)
    assert found is not None
    assert found.key is not None
    asked = Asked("Society", {}, "", "CA", None, "", "Chan Dara", "President", "a@example.org", "en")
    form = {"campaign_id": campaign_id(stage), "asked": asked, "key": found.key, "now": utc_now()}
    form |= {"address": None, "keyring": stage.keyring}
    with pytest.raises(TextMoved):
        stage.write(request_in_private, edition_id=uuid4(), **form)  # type: ignore[arg-type]  # by names
    stage.write(life.call_off_campaign, **who(stage))
    for work, values in (
        (request_in_private, {**form, "edition_id": found.campaign.edition_id}),
        (postpone_embargo, {**who(stage), "shown": UNTIL, "until": UNTIL + DAY}),
    ):
        with pytest.raises(CampaignCannotMove, match="draft"):
            stage.write(work, **values)  # type: ignore[arg-type]  # one of several kinds


def test_a_row_that_moved_between_reading_and_writing_stays(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.campaign(kind="open_letter")
    now = utc_now()
    stale = replace(Standing("embargoed", "America/Toronto"), embargo_until=now + DAY)
    put(stage, state="embargoed", embargo_until=now + 2 * DAY)
    monkeypatch.setattr(embargo, "standing_of", lambda _row: stale)
    with pytest.raises(EmbargoChanged):
        stage.write(postpone_embargo, shown=now + DAY, until=now + 3 * DAY, **who(stage))
    assert row(stage).embargo_until == now + 2 * DAY
