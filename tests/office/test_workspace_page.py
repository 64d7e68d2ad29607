"""The organiser's page of offices: asking, sending again, removing, ending, who looked; and the official count."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import time_machine

from app.core.clock import utc_now
from app.queries.official import find_official_count
from tests.office.test_inviting import STAFF, campaign_id, join, link_to, rows
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

AT = "/en/workspace/campaigns/libraries/office"


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Bring the only owner of a campaign that the House has a number for."""
    stage.campaign(reference="e-1746")
    return stage.organiser("organiser@example.org")


def ask(owner: Organiser, **changes: Any) -> httpx.Response:  # noqa: ANN401 - fields
    """Ask an office by its first person."""
    fields = {"do": "invite", "once": uuid4().hex, "name": "Office of A. Member, MP", "email": STAFF, "locale": "en",
              "days": "180", **changes}  # fmt: skip
    return owner.post(AT, fields)


def add(owner: Organiser, office: str, **changes: Any) -> httpx.Response:  # noqa: ANN401 - fields
    """Ask another person of an office."""
    fields = {"do": "add", "once": uuid4().hex, "office": office, "email": "colleague@parl.example", "locale": "fr"}
    return owner.post(AT, {**fields, **changes})


def states(stage: Stage) -> list[str]:
    return [staff.state for office in rows(stage) for staff in office.staff]


def test_an_office_is_asked_grows_and_is_ended(stage: Stage, owner: Organiser) -> None:
    # The member who carries the campaign is proposed as the office's name.
    assert Page(owner.get(AT).text).fields["name"] == ["Office of A. Member"]
    assert "No office has been asked" in Page(owner.get(AT).text).words
    once = uuid4().hex
    for _ in range(2):
        asked = ask(owner, once=once)
        assert (asked.status_code, asked.headers["location"]) == (303, AT)
    (office,) = rows(stage)
    assert (office.name, len(office.staff)) == ("Office of A. Member, MP", 1)
    assert timedelta(days=179) < office.expires_at - utc_now() <= timedelta(days=180)
    words = Page(owner.get(AT).text).words
    assert f"{STAFF} Invited, not joined yet" in words
    assert "An invitation was sent" in words
    # Whoever goes back and corrects the address asks somebody else of the same office.
    assert ask(owner, once=once, email="other@parl.example").status_code == 303
    assert add(owner, office.id.hex).status_code == 303
    assert len(rows(stage)[0].staff) == 3
    assert len(rows(stage)) == 1
    join(stage, link_to(stage))
    assert f"{STAFF} Has joined" in Page(owner.get(AT).text).words
    colleague = next(each for each in rows(stage)[0].staff if each.email == "colleague@parl.example")
    letters = len(stage.letters_to("colleague@parl.example"))
    assert owner.post(AT, {"do": "again", "staff": colleague.id.hex}).status_code == 303
    assert len(stage.letters_to("colleague@parl.example")) == letters + 1
    assert owner.post(AT, {"do": "remove", "staff": colleague.id.hex}).status_code == 303
    assert sorted(states(stage)) == ["invited", "joined", "removed"]
    assert "Somebody who was removed" in Page(owner.get(AT).text).words
    assert owner.post(AT, {"do": "revoke", "office": office.id.hex}).status_code == 303
    assert set(states(stage)) == {"removed"}
    page = Page(owner.get(AT).text)
    assert "You ended the way in on" in page.words
    assert "The way in of the office was ended" in page.words
    assert "office" not in page.fields


def test_what_is_over_says_so_and_keeps_no_buttons(stage: Stage, owner: Organiser) -> None:
    ask(owner, days="3")
    with time_machine.travel(utc_now() + timedelta(days=4)):
        page = Page(stage.organiser(owner.email).get(AT).text)
    assert "The way in ended on" in page.words
    assert "staff" not in page.fields


@on_one_database
def test_what_is_wrong_stands_beside_its_field_and_is_kept(stage: Stage, owner: Organiser) -> None:
    answer = ask(owner, name="", email="nobody", locale="", days="401")
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [field for field, _ in page.summary] == ["name", "email", "locale", "days"]
    assert page.fields["email"] == ["nobody"]
    assert page.title.startswith("Error:")
    assert rows(stage) == []
    ask(owner)
    (office,) = rows(stage)
    answer = add(owner, office.id.hex, email="nobody", locale="")
    page = Page(answer.text)
    assert answer.status_code == 422
    assert [field for field, _ in page.summary] == [f"email-{office.id.hex}", f"locale-{office.id.hex}"]
    assert "nobody" in page.fields["email"]
    assert len(rows(stage)[0].staff) == 1


@on_one_database
def test_what_names_nothing_of_this_campaign_does_nothing(stage: Stage, owner: Organiser) -> None:
    ask(owner)
    (office,) = rows(stage)
    stage.campaign(slug="another")
    at = "/en/workspace/campaigns/another/office"
    for fields in (
        {"do": "add", "office": office.id.hex, "email": STAFF, "locale": "en"},
        {"do": "revoke", "office": office.id.hex},
        {"do": "remove", "staff": office.staff[0].id.hex},
        {"do": "again", "staff": office.staff[0].id.hex},
    ):
        answer = owner.post(at, {"once": uuid4().hex, **fields})
        assert answer.status_code == 422, fields
        assert "taken off the list" in Page(answer.text).words
    assert states(stage) == ["invited"]
    assert owner.post(AT, {"do": "nothing"}).status_code == 400
    assert owner.post(AT, {"do": "revoke", "office": "x"}).status_code == 400


@on_one_database
def test_too_many_letters_to_one_person_are_refused(stage: Stage, owner: Organiser) -> None:
    ask(owner)
    staff = rows(stage)[0].staff[0].id.hex
    answers = [owner.post(AT, {"do": "again", "staff": staff}).status_code for _ in range(3)]
    assert answers == [303, 303, 422]


@on_one_database
def test_nobody_is_asked_before_publication_or_while_stopped(stage: Stage, owner: Organiser) -> None:
    ask(owner)
    for state in ("draft", "stopped"):
        stage.sql_write("UPDATE campaigns SET state = :state", state=state)
        page = Page(owner.get(AT).text)
        assert "Offices can be asked once the campaign is published" in page.words
        assert "days" not in page.fields
        answer = ask(owner, email="late@parl.example")
        assert answer.status_code == 422
        assert "Nobody can be asked as the campaign stands now" in Page(answer.text).words
    assert len(rows(stage)[0].staff) == 1


@on_one_database
def test_asking_wants_a_fresh_proof(stage: Stage, owner: Organiser) -> None:
    with time_machine.travel(utc_now() + timedelta(minutes=11)):
        answer = ask(owner)
        assert answer.status_code == 200
        assert owner.get(AT).status_code == 200
    assert rows(stage) == []
    # The form waits in the page that asks, and is sent again from it.
    assert 'value="Office of A. Member, MP"' in answer.text


@on_one_database
def test_only_owners_come_here(stage: Stage, owner: Organiser) -> None:
    assert f'href="{AT}"' in owner.get("/en/workspace/campaigns/libraries").text
    for role in ("editor", "translator", "viewer"):
        member = stage.organiser(f"{role}@example.org")
        stage.join("libraries", member, role, ["km"])
        assert member.get(AT).status_code == 404
        assert f'href="{AT}"' not in member.get("/en/workspace/campaigns/libraries").text


@on_one_database
def test_whoever_was_turned_away_is_not_named_unless_of_an_office(stage: Stage, owner: Organiser) -> None:
    ask(owner)
    join(stage, link_to(stage))
    stranger = stage.organiser("stranger@example.org")
    assert stranger.get("/en/office/campaigns/libraries").status_code == 404
    page = Page(owner.get(AT).text)
    assert "Somebody without a way in was turned away" in page.words
    assert "stranger@example.org" not in page.words
    staff = stage.organiser(STAFF)
    staff.get("/en/office/campaigns/libraries")
    words = Page(owner.get(AT).text).words
    assert f"Looked at the counts {STAFF}" in words


def test_the_official_count_is_kept_with_its_day(stage: Stage, owner: Organiser) -> None:
    def kept() -> tuple[int, str] | None:
        found = stage.read(find_official_count, campaign_id=campaign_id(stage))
        return None if found is None else (found.signatures, found.counted_on.isoformat())

    def keep(signatures: str, day: str) -> Page | None:
        fields = {"do": "official", "official_signatures": signatures, "official_counted_on": day}
        answer = owner.post(AT, fields)
        return None if answer.status_code == 303 else Page(answer.text)

    assert keep("១.២៣៤", "2026-01-31") is None
    assert kept() == (1234, "2026-01-31")
    page = Page(owner.get(AT).text)
    assert page.fields["official_signatures"] == ["1234"]
    assert page.fields["official_counted_on"] == ["2026-01-31"]
    assert "https://www.ourcommons.ca/petitions/en/Petition/Details?Petition=e-1746" in page.links
    for signatures, day, field in (
        ("many", "2026-01-31", "official_signatures"),
        ("12", "", "official_counted_on"),
        ("", "2026-01-31", "official_signatures"),
        ("12", "2199-01-01", "official_counted_on"),
    ):
        faulty = keep(signatures, day)
        assert faulty is not None
        assert [name for name, _ in faulty.summary] == [field]
        assert faulty.fields["official_signatures"] == [signatures]
    assert kept() == (1234, "2026-01-31")
    assert keep("", "") is None
    assert kept() is None
    found = stage.sql("SELECT details FROM records WHERE what = 'official_counted' ORDER BY id")
    assert len(found) == 2
    stage.sql_write("UPDATE campaigns SET reference = NULL")
    assert "official_signatures" not in Page(owner.get(AT).text).fields
    refused = keep("12", "2026-01-31")
    assert refused is not None
    assert "This campaign has no number of the House of Commons" in refused.words


@on_one_database
def test_the_page_speaks_three_languages(stage: Stage, owner: Organiser) -> None:
    ask(owner)
    for locale in ("km", "en", "fr"):
        page = Page(owner.get(AT.replace("/en/", f"/{locale}/")).text)
        assert page.lang == locale
        assert "Office of A. Member, MP" in page.words
