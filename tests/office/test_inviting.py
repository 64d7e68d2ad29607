"""Offices: asked in by mail, joined once, ended at once; what was used, too old or taken back opens nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
import time_machine
from sqlalchemy import select

from app.actions import offices
from app.actions.signing_in import Browser
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Campaign, OfficeStaff, open_account_key
from app.queries.offices import (
    find_office_link,
    list_office_campaigns,
    list_office_uses,
    list_offices,
)
from app.web.sessions import new_secret

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.queries.offices import OfficeRow
    from tests.stage import Stage

STAFF = "staff@parl.example"


def campaign_id(stage: Stage, slug: str = "libraries") -> UUID:
    return stage.read(lambda session: _id_of(session, slug))


def _id_of(session: Session, slug: str) -> UUID:
    return session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one()


def invite(stage: Stage, *, office_id: UUID | None = None, email: str = STAFF, **changes: Any) -> UUID:  # noqa: ANN401 - fields
    """Ask somebody to an office, of half a year."""
    chosen = office_id or uuid4()
    values: dict[str, Any] = {
        "campaign_id": campaign_id(stage),
        "staff_id": uuid4(),
        "name": "Office of A. Member, MP",
        "locale": "en",
        "expires_at": utc_now() + timedelta(days=180),
        "account_id": None,
        **changes,
    }
    stage.write(offices.invite_to_office, office_id=chosen, email=email, keyring=stage.keyring, now=utc_now(), **values)
    return chosen


def link_to(stage: Stage, email: str = STAFF) -> str:
    """Return the token of the latest invitation to an address."""
    letters = [each for each in stage.letters_to(email) if "/office/invitation/" in each.text]
    return letters[-1].token("invitation")


def join(stage: Stage, token: str) -> offices.Joined:
    browser = Browser(secret=new_secret(), device="test")
    return stage.write(offices.join_office, token=token, browser=browser, keyring=stage.keyring, now=utc_now())


def rows(stage: Stage) -> list[OfficeRow]:
    return stage.read(list_offices, campaign_id=campaign_id(stage), keyring=stage.keyring, now=utc_now())


def _list_removed(session: Session) -> list[tuple[bytes | None, bytes]]:
    statement = select(OfficeStaff.email, OfficeStaff.email_index).where(OfficeStaff.state == "removed")
    return [(row.email, row.email_index) for row in session.execute(statement)]


def sees(stage: Stage, account_id: UUID, slug: str = "libraries") -> bool:
    listed = stage.read(list_office_campaigns, account_id=account_id, now=utc_now())
    return slug in [each.slug for each in listed]


def test_somebody_is_asked_in_and_joins_once_with_their_own_mailbox(stage: Stage) -> None:
    stage.campaign()
    stage.campaign(slug="another")
    office_id = invite(stage)
    (letter,) = stage.letters_to(STAFF)
    assert "libraries" not in letter.mail["Subject"]
    assert "Khmer books" not in letter.mail["Subject"]
    assert "nothing about any person" in letter.text
    token = link_to(stage)
    link = stage.read(find_office_link, token=token, now=utc_now())
    assert link is not None
    assert (link.office_name, link.titles["en"]) == ("Office of A. Member, MP", "Khmer books in every library")
    joined = join(stage, token)
    assert (joined.slug, joined.is_signed_in) == ("libraries", True)
    assert sees(stage, joined.account_id)
    assert not sees(stage, joined.account_id, "another")
    # Used: it opens nothing any more, for anybody.
    assert stage.read(find_office_link, token=token, now=utc_now()) is None
    with pytest.raises(offices.OfficeLinkDead):
        join(stage, token)
    # A colleague comes by an address of their own.
    invite(stage, office_id=office_id, email="colleague@parl.example", name="ignored")
    assert join(stage, link_to(stage, "colleague@parl.example")).account_id != joined.account_id
    (office,) = rows(stage)
    assert [(each.email, each.state) for each in office.staff] == [
        (STAFF, "joined"),
        ("colleague@parl.example", "joined"),
    ]
    uses = stage.read(list_office_uses, campaign_id=campaign_id(stage), keyring=stage.keyring)
    assert [each.what for each in uses] == ["office_joined", "office_invited", "office_joined", "office_invited"]
    assert uses[-2].email == STAFF


def test_two_who_press_at_once_are_one(stage: Stage) -> None:
    stage.campaign()
    invite(stage)
    token = link_to(stage)

    async def press() -> offices.Joined | None:
        browser = Browser(secret=new_secret(), device="test")
        try:
            return await stage.database.write(
                offices.join_office, token=token, browser=browser, keyring=stage.keyring, now=utc_now()
            )
        except offices.OfficeLinkDead:
            return None

    async def press_all() -> list[offices.Joined | None]:
        return list(await asyncio.gather(*(press() for _ in range(8))))

    assert sum(each is not None for each in stage.run(press_all())) == 1
    assert stage.sql("SELECT count(*) FROM records WHERE what = 'office_joined'") == [(1,)]


def test_what_ends_ends_at_once(stage: Stage) -> None:
    stage.campaign()
    office_id = invite(stage)
    member, other = join(stage, link_to(stage)).account_id, "other@parl.example"
    invite(stage, office_id=office_id, email=other)
    waiting = link_to(stage, other)
    ((first, *_),) = [each.staff for each in rows(stage)]
    stage.write(offices.remove_staff, campaign_id=campaign_id(stage), staff_id=first.id, now=utc_now(), account_id=None)
    assert not sees(stage, member)
    assert "way in has ended" in stage.letters_to(STAFF)[-1].text
    key = stage.read(open_account_key, keyring=stage.keyring)
    assert key is not None
    ((email, index),) = stage.read(_list_removed)
    assert email is None
    assert index != key.index("email", STAFF)
    # Asked in again, they may come again; another one joins; then the whole office is shut.
    invite(stage, office_id=office_id)
    assert join(stage, link_to(stage)).account_id == member
    assert sees(stage, member)
    stage.write(
        offices.revoke_office, campaign_id=campaign_id(stage), office_id=office_id, now=utc_now(), account_id=None
    )
    assert not sees(stage, member)
    assert stage.read(find_office_link, token=waiting, now=utc_now()) is None
    with pytest.raises(offices.OfficeLinkDead):
        join(stage, waiting)
    with pytest.raises(offices.OfficeNotFound):
        invite(stage, office_id=office_id, email="third@parl.example")
    with pytest.raises(offices.OfficeNotFound):
        stage.write(
            offices.revoke_office, campaign_id=campaign_id(stage), office_id=office_id, now=utc_now(), account_id=None
        )


def test_links_and_offices_grow_too_old(stage: Stage) -> None:
    stage.campaign()
    invite(stage)
    token = link_to(stage)
    member = join(stage, token).account_id
    invite(stage, email="late@parl.example", expires_at=utc_now() + timedelta(days=4000))
    late = link_to(stage, "late@parl.example")
    with time_machine.travel(utc_now() + timedelta(days=14, minutes=1), tick=False):
        assert stage.read(find_office_link, token=late, now=utc_now()) is None
        assert sees(stage, member)
    with time_machine.travel(utc_now() + timedelta(days=181), tick=False):
        assert not sees(stage, member)
        assert [each.is_living for each in rows(stage)] == [True, False]
    with time_machine.travel(utc_now() + timedelta(days=offices.MOST_DAYS + 1), tick=False):
        assert [each.is_living for each in rows(stage)] == [False, False]


def test_another_letter_comes_three_times_and_each_link_works(stage: Stage) -> None:
    stage.campaign()
    office_id = invite(stage)
    for _ in range(2):
        invite(stage, office_id=office_id)
    with pytest.raises(offices.TooManyInvited):
        invite(stage, office_id=office_id)
    stage.deliver()
    (office,) = rows(stage)
    assert [each.state for each in office.staff] == ["invited"]
    tokens = {each.token("invitation") for each in stage.letters_to(STAFF)}
    assert len(tokens) == 3
    joined = [stage.read(find_office_link, token=token, now=utc_now()) for token in tokens]
    assert all(joined)
    join(stage, tokens.pop())
    assert [stage.read(find_office_link, token=token, now=utc_now()) for token in tokens] == [None, None]


def test_nobody_is_asked_to_what_is_not_published(stage: Stage) -> None:
    stage.campaign()
    stage.sql_write("UPDATE campaigns SET state = 'draft'")
    with pytest.raises(offices.CampaignNotPublished):
        invite(stage)
    assert stage.sql("SELECT count(*) FROM offices") == [(0,)]


def test_another_campaigns_office_and_staff_do_not_exist(stage: Stage) -> None:
    stage.campaign()
    office_id = invite(stage)
    (office,) = rows(stage)
    stage.campaign(slug="another")
    other = campaign_id(stage, "another")
    now = utc_now()
    with pytest.raises(offices.OfficeNotFound):
        invite(stage, office_id=office_id, campaign_id=other)
    who: dict[str, Any] = {"campaign_id": other, "now": now, "account_id": None}
    with pytest.raises(offices.OfficeNotFound):
        stage.write(offices.remove_staff, staff_id=office.staff[0].id, **who)
    with pytest.raises(offices.OfficeNotFound):
        stage.write(offices.resend_invitation, staff_id=office.staff[0].id, **who)
    with pytest.raises(offices.OfficeNotFound):
        stage.write(offices.revoke_office, office_id=office_id, **who)
    assert rows(stage) == [office]


def test_whoever_has_an_account_joins_and_signs_in_as_ever(stage: Stage) -> None:
    stage.campaign()
    moderator = stage.organiser(STAFF, role="moderator")
    ((sessions,),) = stage.sql("SELECT count(*) FROM account_sessions")
    invite(stage)
    joined = join(stage, link_to(stage))
    assert (joined.account_id, joined.is_signed_in) == (moderator.account_id, False)
    assert sees(stage, joined.account_id)
    assert stage.sql("SELECT count(*) FROM account_sessions") == [(sessions,)]


def test_the_same_form_twice_is_one_letter(stage: Stage) -> None:
    stage.campaign()
    office_id, staff_id = uuid4(), uuid4()
    for _ in range(2):
        invite(stage, office_id=office_id, staff_id=staff_id)
    assert len(stage.letters_to(STAFF)) == 1


def test_whoever_is_in_again_is_not_told_that_it_has_ended(stage: Stage) -> None:
    stage.campaign()
    office_id = invite(stage)
    join(stage, link_to(stage))
    ((first,),) = [each.staff for each in rows(stage)]
    stage.write(offices.remove_staff, campaign_id=campaign_id(stage), staff_id=first.id, now=utc_now(), account_id=None)
    invite(stage, office_id=office_id)
    stage.sql_write(
        "UPDATE office_staff SET state = 'joined', account_id = (SELECT account_id FROM office_staff WHERE account_id "
        "IS NOT NULL LIMIT 1) WHERE state = 'invited'"
    )
    assert not [each for each in stage.letters_to(STAFF) if "has ended" in each.text]


def test_addresses_go_when_an_office_ends_or_nobody_came(stage: Stage) -> None:
    stage.campaign()
    office_id = invite(stage)
    member = join(stage, link_to(stage)).account_id
    invite(stage, office_id=office_id, email="waiting@parl.example")
    with time_machine.travel(utc_now() + timedelta(days=31), tick=False):
        stage.run(forget_all(stage.database, now=utc_now()))
        assert [each.email for each in rows(stage)[0].staff] == [STAFF, None]
        assert sees(stage, member)
    with time_machine.travel(utc_now() + timedelta(days=200), tick=False):
        stage.run(forget_all(stage.database, now=utc_now()))
        assert [each.email for each in rows(stage)[0].staff] == [None, None]


def test_the_terminal_asks_the_sponsors_office_and_shuts_it(stage: Stage) -> None:
    stage.campaign()
    stage.sql_write("UPDATE sponsors SET state = 'accepted'")
    values: dict[str, Any] = {"slug": "libraries", "keyring": stage.keyring, "now": utc_now()}
    for email in (STAFF, "colleague@parl.example"):
        called = stage.write(offices.invite_from_terminal, email=email, name="", locale="fr", days=30, **values)
        assert called == "A. Member"
    (office,) = rows(stage)
    assert len(office.staff) == 2
    assert {each.locale for each in office.staff} == {"fr"}
    assert stage.write(offices.revoke_from_terminal, email="STAFF@parl.example", **values) == 1
    assert stage.write(offices.revoke_from_terminal, email="STAFF@parl.example", **values) == 0
    with pytest.raises(offices.CampaignNotPublished):
        stage.write(offices.revoke_from_terminal, **(values | {"slug": "nothing"}), email=STAFF)
