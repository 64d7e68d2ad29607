"""A member who is asked to carry a petition: from the team's form to the office's answer, and to leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import time_machine
from sqlalchemy import insert, update

from app.core.clock import utc_now
from app.models import Campaign, Sponsor, TextPart
from app.queries.accounts import find_campaign_id
from app.queries.sponsoring import ASKINGS
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    import httpx

    from tests.stage import Organiser, Stage

PAGE = "/en/workspace/campaigns/libraries/sponsor"
OFFICE = "jenny@parl.example.org"
MEMBER = "Hon. Jenny O’Member"
GOOD = {
    "action": "propose",
    "name": MEMBER,
    "title_en": "Member of Parliament",
    "title_fr": "députée",
    "title_km": "",
    "district": "Port Moody–Coquitlam",
    "party": "",
    "email": OFFICE,
    "locale": "fr",
}


def told(stage: Stage, address: str) -> str:
    """Return every letter to an address so far, in whatever order those of one moment were sent."""
    return "\n".join(letter.text for letter in stage.letters_to(address))


class Asking:
    """A campaign whose owner asks a member."""

    def __init__(self, stage: Stage, *, is_draft: bool = False) -> None:
        self.stage = stage
        if is_draft:
            draft(stage, {}, sponsor=None)
        else:
            stage.campaign({name: value for name, value in small_campaign().items() if name != "sponsor"})
        self.owner = stage.organiser()
        stage.join("libraries", self.owner)

    def see(self, somebody: Organiser | None = None) -> Page:
        response = (somebody or self.owner).get(PAGE)
        assert response.status_code == 200, response.text
        return Page(response.text)

    @property
    def once(self) -> str:
        return self.see().fields["once"][0]

    def press(self, action: str, **fields: str) -> httpx.Response:
        return self.owner.post(PAGE, {"once": self.once, "action": action, **fields})

    def propose(self, **fields: str) -> httpx.Response:
        return self.owner.post(PAGE, {"once": self.once, **GOOD, **fields})

    def ask(self) -> str:
        """Ask the member, and return the office's address."""
        self.stage.deliver()
        assert self.propose().status_code == 303
        assert self.press("ask").status_code == 303
        return f"/fr/sponsor/{self.stage.letters_to(OFFICE)[-1].token('sponsor')}"

    def answer(self, address: str, action: str, **fields: Any) -> httpx.Response:  # noqa: ANN401 - form fields
        page = Page(self.stage.get(address).text)
        typed = {"action": action, "text": page.fields.get("text", [""])[0], "sure": "yes", **fields}
        return self.stage.post(address, {name: value for name, value in typed.items() if value is not None})

    def public_page(self) -> str:
        self.stage.house.shelf._entries.clear()
        self.stage.house.cache.forget("libraries")
        return self.stage.get("/en/campaigns/libraries").text

    def states(self) -> list[tuple[str, str | None]]:
        return self.stage.sql("SELECT state, reason FROM sponsors ORDER BY asked_at, state")


def test_a_member_is_proposed_asked_and_carries_it(stage: Stage) -> None:
    asking = Asking(stage)
    assert asking.propose().status_code == 303
    page = asking.see()
    assert "Whom you want to ask" in page.words
    assert "/fr/sponsor/…" in asking.owner.get(PAGE).text
    assert asking.press("ask").status_code == 303
    (letter,) = stage.letters_to(OFFICE)
    assert letter.mail["Content-Language"] == "fr"
    assert MEMBER in letter.text
    assert MEMBER not in asking.public_page()
    address = f"/fr/sponsor/{letter.token('sponsor')}"
    before = stage.get(address)
    assert (before.status_code, Page(before.text).lang) == (200, "fr")
    assert "Des livres khmers partout" in before.text
    response = asking.answer(address, "accept")
    assert (response.status_code, response.headers["location"]) == (303, address)
    assert asking.states() == [("accepted", None)]
    assert MEMBER in asking.public_page()
    assert "This Member carries it" in asking.see().words
    # A second press, and the button of an old page, change nothing.
    assert asking.answer(address, "accept").status_code == 303
    assert asking.answer(address, "decline").status_code == 409
    assert len(stage.letters_to(OFFICE)) == 2
    assert f"{MEMBER} agreed to carry it." in told(stage, "owner@example.org")


@on_one_database
def test_getting_the_link_changes_nothing(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    for _ in range(3):
        assert stage.get(f"{address}?action=accept&sure=yes").status_code == 200
        assert stage.run(stage.browser.head(address)).status_code == 200
    assert asking.states() == [("asked", None)]
    assert 'name="robots" content="noindex"' in stage.get(address).text


@on_one_database
def test_a_button_pressed_without_the_tick_does_nothing(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    for action in ("accept", "decline"):
        response = asking.answer(address, action, sure=None, reason="We are <busy>")
        assert response.status_code == 422
        assert Page(response.text).invalid == {"sure"}
        assert "We are &lt;busy&gt;</textarea>" in response.text
    long = asking.answer(address, "decline", reason="x" * 3000)
    assert long.status_code == 422
    for lines in ("x\n" * 300, f"{'x' * 1500}\n{'x' * 1500}"):
        assert asking.answer(address, "decline", reason=lines).status_code == 422
    assert asking.answer(address, "dance").status_code == 400
    assert asking.states() == [("asked", None)]


def test_declining_passes_the_reason_on_and_lets_another_be_asked(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    assert asking.answer(address, "decline", reason="Not this year").status_code == 303
    assert asking.answer(address, "decline").status_code == 303
    assert asking.states() == [("declined", "Not this year")]
    assert f"{MEMBER} will not carry it." in told(stage, "owner@example.org")
    assert "> Not this year" in told(stage, "owner@example.org")
    page = asking.see()
    assert "Not this year" in page.words
    assert "4 are left." in page.words
    assert asking.ask() != address
    assert "does not carry this petition" in stage.get(address.replace("/fr/", "/en/")).text


def test_a_draft_is_shown_to_the_office_and_a_changed_text_is_read_again(stage: Stage) -> None:
    asking = Asking(stage, is_draft=True)
    address = asking.ask()
    page = Page(stage.get(address).text)
    assert "Des livres khmers partout" in page.words
    renamed = update(TextPart).where(TextPart.name == "title", TextPart.locale == "fr").values(text="Un autre titre")
    stage.write(lambda session: session.execute(renamed))
    typed = {"action": "accept", "text": page.fields["text"][0], "sure": "yes"}
    response = stage.post(address, typed)
    assert response.status_code == 409
    assert "Un autre titre" in response.text
    assert asking.states() == [("asked", None)]
    assert asking.answer(address, "accept").status_code == 303


def test_a_request_that_is_taken_back_cannot_be_answered(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    open_page = Page(stage.get(address).text)
    assert asking.press("withdraw").status_code == 303
    assert asking.states() == [("withdrawn", None)]
    typed = {"action": "accept", "text": open_page.fields["text"][0], "sure": "yes"}
    response = stage.post(address.replace("/fr/", "/en/"), typed)
    assert response.status_code == 409
    assert "Nothing was done: this was answered, or taken back, in the meantime." in Page(response.text).words
    assert len(stage.letters_to(OFFICE)) == 2
    assert "Request taken back" in asking.see().words


def test_a_link_that_expired_says_nothing_of_the_petition(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    with time_machine.travel(utc_now() + timedelta(days=30, seconds=1)):
        for response in (stage.get(address), stage.post(address, {"action": "accept", "sure": "yes", "text": ""})):
            assert response.status_code == 410
            assert "livres" not in response.text
            assert MEMBER not in response.text
        stage.move_by_dates()
    assert asking.states() == [("expired", None)]
    assert "Did not answer in time" in asking.see().words


@on_one_database
def test_unknown_links_are_not_found(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    wrong = f"{address[:-1]}{'A' if address[-1] != 'A' else 'B'}"
    for each in (wrong, "/fr/sponsor/short", address.replace("/fr/", "/de/")):
        assert stage.get(each).status_code == 404
        assert stage.post(each, {"action": "accept", "sure": "yes"}).status_code == 404
    assert asking.states() == [("asked", None)]


def test_a_member_leaves_with_the_link_of_the_later_letter(stage: Stage) -> None:
    asking = Asking(stage)
    address = asking.ask()
    asking.answer(address, "accept")
    later = f"/en/sponsor/{stage.letters_to(OFFICE)[-1].token('sponsor')}"
    assert later.rpartition("/")[2] not in address
    with time_machine.travel(utc_now() + timedelta(days=60)):
        assert stage.get(address).status_code == 410
        assert asking.answer(later, "leave", reason="Another committee").status_code == 303
        assert asking.states() == [("left", "Another committee")]
        assert MEMBER not in asking.public_page()
        assert "no longer carries this petition" in stage.get(later).text
        assert "You can ask another Member." in told(stage, "owner@example.org")
    assert asking.ask()


def test_an_owner_records_that_a_member_left(stage: Stage) -> None:
    asking = Asking(stage)
    asking.answer(asking.ask(), "accept")
    stage.deliver()
    without = asking.press("release", reason=" ")
    assert without.status_code == 422
    assert Page(without.text).faults["reason"].endswith("Write the reason")
    assert asking.press("release", reason="Lost the election").status_code == 303
    assert asking.states() == [("left", "Lost the election")]
    assert MEMBER not in asking.public_page()
    assert "Lost the election" in asking.see().words
    assert len(stage.letters_to(OFFICE)) == 3


@on_one_database
def test_a_form_with_faults_keeps_what_was_typed(stage: Stage) -> None:
    asking = Asking(stage)
    response = asking.propose(name="", email="nobody", locale="km", district="x" * 300)
    page = Page(response.text)
    assert response.status_code == 422
    assert set(page.faults) == {"name", "email", "locale", "district"}
    assert page.fields["title_fr"] == ["députée"]
    assert page.fields["email"] == ["nobody"]
    assert asking.propose(name="x" * 300).status_code == 422
    assert asking.owner.post(PAGE, {**GOOD, "once": "short"}).status_code == 400
    assert asking.owner.post(PAGE, {"action": "dance"}).status_code == 400
    assert asking.states() == []


@on_one_database
def test_a_proposal_is_changed_and_removed_before_anybody_is_asked(stage: Stage) -> None:
    asking = Asking(stage)
    asking.propose(locale="en")
    page = Page(asking.owner.get(f"{PAGE}?change").text)
    assert page.fields["name"] == [MEMBER]
    assert page.fields["email"] == [OFFICE]
    asking.propose(name="Somebody Else", once=page.fields["once"][0])
    assert stage.sql("SELECT name FROM sponsors") == [("Somebody Else",)]
    assert stage.letters_to(OFFICE) == []
    assert asking.press("remove").status_code == 303
    assert asking.states() == []


def test_what_came_first_is_told(stage: Stage) -> None:
    asking = Asking(stage)
    asking.propose()
    old = asking.once
    asking.press("ask")
    again = asking.owner.post(PAGE, {"once": old, "action": "ask"})
    assert (again.status_code, "came first" in again.text) == (409, True)
    other = asking.owner.post(PAGE, {**GOOD, "once": "0" * 32})
    assert (other.status_code, "already." in other.text) == (409, True)
    stage.write(lambda session: session.execute(update(Campaign).values(state="presented")))
    late = asking.owner.post(PAGE, {**GOOD, "once": "1" * 32})
    assert (late.status_code, "any more" in late.text) == (409, True)


@on_one_database
def test_as_many_are_asked_as_the_house_allows(stage: Stage) -> None:
    asking = Asking(stage)
    for _ in range(5):
        asking.propose()
        asking.press("ask")
        asking.press("withdraw")
    asking.propose()
    assert "Send this email" not in asking.owner.get(PAGE).text
    assert asking.press("ask").status_code == 409


@on_one_database
def test_those_who_may_not_ask_see_who_carries_it(stage: Stage) -> None:
    asking = Asking(stage)
    for role, status in (("editor", 200), ("viewer", 200), ("translator", 404)):
        somebody = stage.organiser(f"{role}@example.org")
        stage.join("libraries", somebody, role, ["km"])
        assert somebody.get(PAGE).status_code == status
        assert somebody.post(PAGE, {**GOOD, "once": "0" * 32}).status_code == 404
    viewer = stage.organiser("viewer@example.org")
    assert "No Member was asked yet." in asking.see(viewer).words
    asking.ask()
    seen = asking.see(viewer)
    assert MEMBER in seen.words
    assert OFFICE not in seen.words
    stage.write(lambda session: session.execute(update(Campaign).values(state="answered")))
    assert MEMBER in asking.see(viewer).words


@on_one_database
def test_every_page_exists_in_three_languages(stage: Stage) -> None:
    asking = Asking(stage)

    def see_all(address: str = "") -> None:
        for locale in ("km", "en", "fr"):
            page = Page(asking.owner.get(PAGE.replace("/en/", f"/{locale}/")).text)
            assert page.lang == locale
            if address:
                assert Page(stage.get(address.replace("/fr/", f"/{locale}/")).text).lang == locale

    see_all()
    address = asking.ask()
    see_all(address)
    asking.answer(address, "accept")
    see_all(address)
    put = update(Campaign).values(state="presented")
    stage.write(lambda session: session.execute(put))
    assert asking.answer(address, "leave").status_code == 409
    assert stage.sql("SELECT state FROM sponsors") == [("accepted",)]


@on_one_database
def test_a_campaign_of_no_bodys_form_and_without_titles_has_a_page(stage: Stage) -> None:
    asking = Asking(stage, is_draft=True)
    stage.write(lambda session: session.execute(update(Campaign).values(form="free")))
    stage.write(lambda session: session.execute(update(TextPart).where(TextPart.name == "title").values(text="")))
    address = asking.ask()
    assert stage.get(address).status_code == 200
    asking.see()
    asking.press("withdraw")
    assert "The House of Commons lets" not in asking.see().words


@on_one_database
def test_a_member_named_in_a_file_is_not_asked_before_the_office_has_an_address(stage: Stage) -> None:
    asking = Asking(stage, is_draft=True)
    propose = insert(Sponsor).values(
        id=uuid4(), campaign_id=stage.read(find_campaign_id, slug="libraries"), state="proposed", name=MEMBER,
        titles={}, locale="en",
    )  # fmt: skip
    stage.write(lambda session: session.execute(propose))
    page = asking.see()
    assert MEMBER in page.words
    assert "The email address of the office is missing" in page.words
    assert "Send this email" not in page.words
    assert asking.propose().status_code == 303
    assert "Send this email" in asking.see().words


@on_one_database
def test_no_page_names_the_house_where_another_form_asked_too_many(stage: Stage) -> None:
    asking = Asking(stage)
    asking.propose()
    campaign_id = stage.read(find_campaign_id, slug="libraries")
    rows: list[dict[str, Any]] = [
        {"id": uuid4(), "campaign_id": campaign_id, "state": "withdrawn", "name": "x", "titles": {}, "locale": "en",
         "asked_at": utc_now(), "answered_at": utc_now()}
        for _ in range(ASKINGS)
    ]  # fmt: skip
    stage.write(lambda session: session.execute(insert(Sponsor), rows))
    stage.write(lambda session: session.execute(update(Campaign).values(form="free")))
    for words in (asking.see().words, Page(asking.press("ask").text).words):
        assert "As many Members were asked as may be asked." in words
        assert "House of Commons allows" not in words
