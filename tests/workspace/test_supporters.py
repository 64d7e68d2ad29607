"""Supporters before publication: the private link, confirming, another wording, withdrawing, being told, forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import delete, select, update

from app.actions.drafts import freeze_edition
from app.actions.supporting import SupporterNotFound, confirm_support, forget_supporters, tell_supporters
from app.core.clock import utc_now
from app.jobs.retain import forget_all
from app.models import Campaign, CampaignKey, TextPart
from app.queries.drafts import find_draft
from app.queries.supporters import count_supporters, list_supporter_names
from app.rules.texts import CampaignText, substance_hash
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    import httpx

    from tests.stage import Letter, Organiser, Stage

MAILS = ("sokha@example.org", "dara@example.org", "marie@example.org")
LATER = timedelta(minutes=2)


class Gathering:
    """A draft, its owner and its private link."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.slug = draft(stage, {}, sponsor=None)
        self.id: UUID = stage.read(
            lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == self.slug)).one()
        )
        self.owner = stage.organiser()
        stage.join(self.slug, self.owner)
        self.team_path = f"/en/workspace/campaigns/{self.slug}/supporters"
        assert self.press(self.owner, "renew", link="").headers["location"] == f"{self.team_path}?done=made"

    def press(self, somebody: Organiser, action: str, **fields: str) -> httpx.Response:
        return somebody.post(self.team_path, {"action": action, **fields})

    def see_team_page(self, somebody: Organiser | None = None) -> Page:
        answer = (somebody or self.owner).get(self.team_path)
        assert answer.status_code == 200
        return Page(answer.text)

    @property
    def link(self) -> str:
        """The private link in English, without its host."""
        (address,) = (line for line in self.see_team_page_inputs() if "/en/support/" in line)
        return address.removeprefix(self.stage.settings.base_url)

    def see_team_page_inputs(self) -> list[str]:
        text = self.owner.get(self.team_path).text
        return [part.partition('"')[0] for part in text.split('value="') if part.startswith("http")]

    def link_id(self) -> str:
        return self.see_team_page().fields["link"][0]

    def ask(self, email: str = MAILS[0], **fields: str) -> httpx.Response:
        page = Page(self.stage.get(self.link).text)
        data = {"name": "សុខ សុភា", "email": email, "consent": "yes", "wording": page.fields["wording"][0], **fields}
        return self.stage.post(self.link, {name: value for name, value in data.items() if value != "-"})

    def letters(self, email: str = MAILS[0]) -> list[Letter]:
        return self.stage.letters_to(email)

    def own_path(self, email: str = MAILS[0]) -> str:
        return f"/en/support/confirm/{self.letters(email)[-1].token('support/confirm')}"

    def confirm(self, path: str, **fields: str) -> httpx.Response:
        page = Page(self.stage.get(path).text)
        wording = page.fields.get("wording", ["gone"])[0]
        data = {"action": "confirm", "reading": "yes", "wording": wording, **fields}
        return self.stage.post(path, {name: value for name, value in data.items() if value != "-"})

    def gather(self, *emails: str) -> None:
        for email in emails:
            self.ask(email)
            assert self.confirm(self.own_path(email)).status_code == 303

    def count(self) -> tuple[int, int, int]:
        return tuple(self.stage.read(count_supporters, campaign_id=self.id))  # type: ignore[return-value]  # three of them

    def rewrite(self, text: str, *, name: str = "declaration", locale: str = "en") -> None:
        change = update(TextPart).where(TextPart.name == name, TextPart.locale == locale).values(text=text)
        self.stage.write(lambda session: session.execute(change))

    def move(self, state: str, **values: object) -> None:
        change = update(Campaign).where(Campaign.id == self.id).values(state=state, **values)
        self.stage.write(lambda session: session.execute(change))

    def publish(self, state: str = "open", **values: object) -> None:
        self.move(state, **values)
        texts = self.stage.read(find_draft, campaign_id=self.id)
        self.stage.write(freeze_edition, campaign_id=self.id, texts=texts, now=utc_now())


@pytest.fixture
def gathering(stage: Stage) -> Gathering:
    return Gathering(stage)


def test_a_supporter_confirms_and_counts(gathering: Gathering) -> None:
    stage = gathering.stage
    shown = stage.get(gathering.link)
    page = Page(shown.text)
    assert "Khmer books in every library" in page.words
    assert 'name="robots" content="noindex"' in shown.text
    assert shown.headers["cache-control"] == "no-store"
    asked = gathering.ask()
    assert (asked.status_code, asked.headers["location"]) == (303, f"{gathering.link}?asked")
    assert "Look into your mailbox" in Page(stage.get(asked.headers["location"]).text).words
    assert gathering.count() == (0, 0, 0)
    (letter,) = gathering.letters()
    assert letter.mail["Subject"] == "A message about your request"
    assert "Khmer books" in letter.text
    path = gathering.own_path()
    for _ in range(3):
        assert "One last step" in Page(stage.get(path).text).words
    assert gathering.count() == (0, 0, 0)
    unticked = gathering.confirm(path, reading="-")
    assert unticked.status_code == 422
    assert "Tick the box to say that you have read the text" in unticked.text
    confirmed = gathering.confirm(path)
    assert (confirmed.status_code, confirmed.headers["location"]) == (303, f"{path}?done=confirm")
    assert "Your support is confirmed. Thank you." in Page(stage.get(confirmed.headers["location"]).text).words
    assert gathering.count() == (1, 0, 0)
    # Pressed again from a page that still had the button.
    wording = Page(stage.get(gathering.link).text).fields["wording"][0]
    assert stage.post(path, {"action": "confirm", "wording": wording, "reading": "yes"}).status_code == 303
    assert gathering.count() == (1, 0, 0)
    assert "You support this text" in Page(stage.get(path).text).words


@on_one_database
def test_the_page_and_the_letters_are_in_the_language_of_the_visitor(gathering: Gathering) -> None:
    stage = gathering.stage
    for locale, title in (("km", "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ"), ("fr", "Des livres khmers partout")):
        assert title in stage.get(gathering.link.replace("/en/", f"/{locale}/", 1)).text
    gathering.rewrite("", name="title", locale="fr")
    gathering.rewrite("", name="declaration", locale="fr")
    partial = Page(stage.get(gathering.link.replace("/en/", "/fr/", 1)).text)
    assert "Khmer books in every library" in partial.words
    page = Page(stage.get(gathering.link).text)
    data = {"name": "Dara", "email": MAILS[1], "consent": "yes", "wording": page.fields["wording"][0]}
    stage.post(gathering.link.replace("/en/", "/km/", 1), data)
    assert gathering.letters(MAILS[1])[0].mail["Content-Language"] == "km"
    assert "សៀវភៅ" in gathering.letters(MAILS[1])[0].html


@on_one_database
def test_a_text_without_source_title_can_still_be_read(gathering: Gathering) -> None:
    for locale in ("en", "fr", "km"):
        gathering.rewrite("", name="title", locale=locale)
    assert "(no title yet)" in Page(gathering.stage.get(gathering.link).text).words
    gathering.ask()
    assert "(no title yet)" in Page(gathering.stage.get(gathering.own_path()).text).words
    # The language of the page has nothing at all, and the text is shown in another.
    stage = gathering.stage
    stage.write(lambda session: session.execute(delete(TextPart).where(TextPart.locale == "en")))
    gathering.rewrite("Des livres", name="title", locale="fr")
    assert "It is shown in French." in Page(stage.get(gathering.link).text).words


@on_one_database
def test_every_fault_is_said_and_everything_is_kept(gathering: Gathering) -> None:
    answer = gathering.ask("not an address", name="www.example.org", consent="-")
    assert answer.status_code == 422
    page = Page(answer.text)
    assert set(page.faults) == {"name", "email", "consent"}
    assert page.fields["email"] == ["not an address"]
    switched = gathering.ask("half@", name="Dara", switch="fr")
    assert switched.status_code == 200
    assert Page(switched.text).fields["name"] == ["Dara"]
    assert gathering.letters() == []


def test_known_and_unknown_addresses_get_one_answer_and_the_letter_differs(gathering: Gathering) -> None:
    first = gathering.ask()
    with time_machine.travel(utc_now() + LATER, tick=True):
        again = gathering.ask(name="Somebody Else")
        assert (again.status_code, again.headers["location"]) == (first.status_code, first.headers["location"])
        assert len(gathering.letters()) == 2
        assert "សុខ សុភា" in gathering.stage.get(gathering.own_path()).text
        assert gathering.confirm(gathering.own_path()).status_code == 303
    with time_machine.travel(utc_now() + 2 * LATER, tick=True):
        known = gathering.ask()
        assert (known.status_code, known.headers["location"]) == (first.status_code, first.headers["location"])
        assert "You support this text already" in gathering.letters()[-1].text
        assert "You support this text already" in gathering.letters()[-1].html
    assert gathering.count() == (1, 0, 0)


def test_letters_are_a_minute_apart_and_five_for_a_wording(gathering: Gathering) -> None:
    for _ in range(3):
        gathering.ask()
    assert len(gathering.letters()) == 1
    start = utc_now()
    for day in range(1, 9):
        with time_machine.travel(start + timedelta(days=day), tick=True):
            gathering.ask()
            gathering.letters()
    assert len(gathering.letters()) == 5


def test_another_wording_is_not_supported_until_it_is_read(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(*MAILS)
    assert gathering.count() == (3, 0, 0)
    # A translation, and white space, change nothing.
    gathering.rewrite("Nous, soussignés, demandons :", locale="fr")
    gathering.rewrite("We, the undersigned,\n ask for:")
    assert gathering.count() == (3, 0, 0)
    gathering.rewrite("We, the undersigned, ask at once for:")
    assert gathering.count() == (0, 3, 0)
    page = gathering.see_team_page()
    assert "Earlier wording" in page.words
    pressed = [gathering.press(gathering.owner, "ask_again") for _ in range(2)]
    assert {answer.headers["location"] for answer in pressed} == {f"{gathering.team_path}?done=asked"}
    assert [len(gathering.letters(mail)) for mail in MAILS] == [2, 2, 2]
    letter = gathering.letters()[-1]
    assert "The text has changed since you supported it" in letter.text
    assert "The text has changed since you supported it" in letter.html
    path = gathering.own_path()
    assert "The text has changed since you supported it" in Page(stage.get(path).text).words
    assert gathering.confirm(path).status_code == 303
    assert gathering.count() == (1, 2, 0)
    assert stage.sql("SELECT details FROM records WHERE what = 'supporters_asked_again'")[0][0] in (
        {"letters": 3},
        '{"letters": 3}',
    )
    assert len(stage.sql("SELECT 1 FROM records WHERE what = 'supporters_asked_again'")) == 1
    # A third wording is another matter: once more, for each of them.
    gathering.rewrite("We ask for:")
    gathering.press(gathering.owner, "ask_again")
    # Whoever confirms before the letter leaves is not written to.
    assert gathering.confirm(path).status_code == 303
    assert [len(gathering.letters(mail)) for mail in MAILS] == [2, 3, 3]
    with time_machine.travel(utc_now() + LATER, tick=True):
        gathering.ask(MAILS[1])
        assert "The text has changed since you supported it" in gathering.letters(MAILS[1])[-1].text


@on_one_database
def test_a_text_that_changes_under_the_form_is_shown_again(gathering: Gathering) -> None:
    changed = gathering.ask(wording="another")
    assert changed.status_code == 422
    assert "The text has changed since you opened this page. Read it again." in Page(changed.text).words
    assert gathering.letters() == []
    gathering.ask()
    path = gathering.own_path()
    stale = gathering.confirm(path, wording="another")
    assert stale.status_code == 422
    assert "The text has changed since you opened this page. Read it again." in Page(stale.text).words
    assert gathering.count() == (0, 0, 0)


def test_withdrawing_asks_once_and_empties_what_is_held(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    path = gathering.own_path()
    asked = stage.post(path, {"action": "withdraw"})
    assert asked.status_code == 200
    assert "Withdraw your support?" in asked.text
    assert gathering.count() == (1, 0, 0)
    done = stage.post(path, {"action": "withdraw", "sure": "yes"})
    assert done.headers["location"] == f"{path}?done=withdraw"
    page = Page(stage.get(done.headers["location"]).text)
    assert "Your support is withdrawn, and your details are erased." in page.words
    assert "សុខ" not in page.words
    assert stage.sql("SELECT state, name, email FROM supporters") == [("withdrawn", None, None)]
    assert stage.post(path, {"action": "withdraw"}).status_code == 303
    assert gathering.confirm(path).status_code == 409
    assert stage.post(path, {"action": "other"}).status_code == 400
    # They may come again, as anybody.
    with time_machine.travel(utc_now() + LATER, tick=True):
        gathering.ask(name="Sokha Again")
        assert gathering.confirm(gathering.own_path()).status_code == 303
    assert gathering.count() == (1, 0, 0)
    assert stage.read(list_supporter_names, campaign_id=gathering.id, keyring=stage.keyring) == [("Sokha Again", True)]


def test_a_new_link_ends_the_old_one_once(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    old, shown = gathering.link, gathering.link_id()
    asked = gathering.press(gathering.owner, "renew", link=shown)
    assert "Make a new private link?" in asked.text
    assert gathering.link == old
    made = gathering.press(gathering.owner, "renew", link=shown, sure="yes")
    assert made.headers["location"] == f"{gathering.team_path}?done=renewed"
    new = gathering.link
    assert new != old
    stale = gathering.press(gathering.owner, "renew", link=shown, sure="yes")
    assert stale.headers["location"] == f"{gathering.team_path}?done=stale"
    assert gathering.link == new
    words_of = {"made": "is made", "renewed": "no longer works", "asked": "asked again", "stale": "Somebody else"}
    for done, said in words_of.items():
        assert said in gathering.owner.get(f"{gathering.team_path}?done={done}").text
    assert [stage.get(old).status_code, stage.get(new).status_code] == [404, 200]
    assert stage.post(old, {}).status_code == 404
    # Whoever confirmed stays, and their own link works.
    assert gathering.count() == (1, 0, 0)
    assert stage.get(gathering.own_path()).status_code == 200
    words = [row[0] for row in stage.sql("SELECT what FROM records WHERE what LIKE 'support_link%' ORDER BY id")]
    assert words == ["support_link_made", "support_link_renewed"]
    assert gathering.press(gathering.owner, "renew", link="no id").status_code == 400
    assert gathering.press(gathering.owner, "dance").status_code == 400


@on_one_database
def test_links_that_lead_nowhere_say_nothing(gathering: Gathering) -> None:
    gathering.ask()
    token, letter = gathering.link.rsplit("/", 1)[1], gathering.own_path().rsplit("/", 1)[1]
    for path in ("/en/support/x", f"/en/support/{letter}", "/en/support/confirm/x", f"/en/support/confirm/{token}"):
        assert gathering.stage.get(path).status_code == 404
        assert gathering.stage.post(path, {"action": "confirm"}).status_code == 404
    assert gathering.stage.get(f"/de/support/{token}").status_code == 404
    with pytest.raises(SupporterNotFound):
        gathering.stage.write(confirm_support, token=token, wording="", now=utc_now())


@on_one_database
def test_names_are_for_owners_and_addresses_for_nobody(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    gathering.ask(MAILS[1], name="Dara Chan")
    people = {role: stage.organiser(f"{role}@example.org") for role in ("editor", "translator", "viewer")}
    for role, somebody in people.items():
        stage.join(gathering.slug, somebody, role, ["fr"])
    page = gathering.see_team_page()
    assert "សុខ សុភា" in page.words
    assert "Dara Chan" not in page.words
    editor = gathering.see_team_page(people["editor"])
    assert "សុខ" not in editor.words
    assert "Only those responsible for the campaign see names." in editor.words
    assert "/support/" in people["editor"].get(gathering.team_path).text
    for page_text in (gathering.owner.get(gathering.team_path).text, people["editor"].get(gathering.team_path).text):
        assert not any(mail in page_text for mail in MAILS)
    for somebody in (people["translator"], people["viewer"], stage.organiser("stranger@example.org")):
        assert somebody.get(gathering.team_path).status_code == 404
        assert gathering.press(somebody, "renew").status_code == 404
    for locale in ("km", "fr"):
        assert gathering.owner.get(gathering.team_path.replace("/en/", f"/{locale}/", 1)).status_code == 200


@on_one_database
def test_counts_are_shown_beside_what_is_needed(gathering: Gathering) -> None:
    assert "None are needed before review." in gathering.see_team_page().words
    assert "Nobody has confirmed yet." in gathering.see_team_page().words
    gathering.move("draft", supporters_needed=5)
    assert "of 5 needed before review" in gathering.see_team_page().words
    gathering.gather(MAILS[0])
    count = gathering.stage.read(count_supporters, campaign_id=gathering.id)
    assert (count.confirmed, count.needed, count.is_enough) == (1, 5, False)


@on_one_database
def test_review_shows_the_text_and_takes_nobody(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    gathering.ask(MAILS[1])
    paths = [gathering.own_path(mail) for mail in MAILS[:2]]
    with time_machine.travel(utc_now() + LATER, tick=True):
        gathering.ask(MAILS[1])
        gathering.move("review")
        assert len(gathering.letters(MAILS[1])) == 1
    page = Page(stage.get(gathering.link).text)
    assert "No more supporters are gathered at present." in page.words
    assert "name" not in page.fields
    data = {"name": "Marie", "email": MAILS[2], "consent": "yes", "wording": "any"}
    assert stage.post(gathering.link, data).status_code == 409
    wording = substance_hash(stage.read(find_draft, campaign_id=gathering.id), "en")
    late = stage.post(paths[1], {"action": "confirm", "reading": "yes", "wording": wording})
    assert late.status_code == 409
    assert "Your support is not confirmed" in late.text
    assert gathering.count() == (1, 0, 0)
    for action in ("ask_again", "renew"):
        answer = gathering.press(gathering.owner, action, link=gathering_link_id(stage), sure="yes")
        assert answer.status_code == 409
        assert "only while the campaign is a draft" in answer.text
    # Withdrawing works as long as there is anything to withdraw.
    assert stage.post(paths[0], {"action": "withdraw", "sure": "yes"}).status_code == 303


def gathering_link_id(stage: Stage) -> str:
    return UUID(str(stage.sql("SELECT support_link_id FROM campaigns")[0][0])).hex


def test_supporters_are_told_once_when_it_opens(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(*MAILS[:2])
    gathering.ask(MAILS[2])
    gathering.own_path(MAILS[2])
    # Not before, and not by a campaign that stands still.
    stage.write(tell_supporters, campaign_id=gathering.id, now=utc_now())
    link, paths = gathering.link, [gathering.own_path(mail) for mail in MAILS]
    gathering.publish()
    for _ in range(2):
        stage.write(tell_supporters, campaign_id=gathering.id, now=utc_now())
    with time_machine.travel(utc_now() + timedelta(seconds=1), tick=True):
        assert [len(gathering.letters(mail)) for mail in MAILS] == [2, 2, 1]
    letter = gathering.letters()[-1]
    assert "is open for signature" in letter.text
    assert "is open for signature" in letter.html
    assert f"/en/campaigns/{gathering.slug}" in letter.text
    assert letter.mail["Subject"] == "A message about your request"
    for path in (link, f"{link}?asked"):
        led = stage.get(path)
        assert (led.status_code, led.headers["location"]) == (303, f"/en/campaigns/{gathering.slug}")
    assert stage.post(link, {}).status_code == 303
    for path in paths:
        page = Page(stage.get(path).text)
        assert f"/en/campaigns/{gathering.slug}" in page.links
    assert stage.post(gathering.own_path(), {"action": "withdraw", "sure": "yes"}).status_code == 303


def test_supporters_of_a_scheduled_campaign_are_told_when_it_opens(gathering: Gathering) -> None:
    stage, now = gathering.stage, utc_now()
    gathering.gather(*MAILS[:2])
    gathering.publish("scheduled", opens_at=now + timedelta(days=2))
    stage.write(tell_supporters, campaign_id=gathering.id, now=now)
    assert [len(gathering.letters(mail)) for mail in MAILS[:2]] == [1, 1]
    stage.post(gathering.own_path(), {"action": "withdraw", "sure": "yes"})
    with time_machine.travel(now + timedelta(days=2, minutes=1), tick=True):
        stage.write(tell_supporters, campaign_id=gathering.id, now=utc_now())
        assert [len(gathering.letters(mail)) for mail in MAILS[:2]] == [1, 2]


def test_one_that_is_stopped_before_it_opens_tells_nobody(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    gathering.publish()
    stage.write(tell_supporters, campaign_id=gathering.id, now=utc_now())
    gathering.move("stopped")
    assert len(gathering.letters()) == 1


def test_details_are_forgotten_on_schedule(gathering: Gathering) -> None:
    stage, now = gathering.stage, utc_now()
    gathering.gather(MAILS[0])
    gathering.ask(MAILS[1])
    assert stage.write(forget_supporters, now=now + timedelta(days=13)) == 0
    assert stage.write(forget_supporters, now=now + timedelta(days=14, minutes=1)) == 1
    states = "SELECT state, name IS NULL, email IS NULL FROM supporters ORDER BY state"
    assert [tuple(map(str, row)) for row in stage.sql(states)] in (
        [("confirmed", "0", "0"), ("withdrawn", "1", "1")],
        [("confirmed", "False", "False"), ("withdrawn", "True", "True")],
    )
    gathering.publish()
    stage.run(forget_all(stage.database, now=now + timedelta(days=29)))
    path = gathering.own_path()
    assert "សុខ សុភា" in stage.get(path).text
    stage.run(forget_all(stage.database, now=now + timedelta(days=30, minutes=1)))
    assert "សុខ" not in stage.get(path).text
    assert stage.read(list_supporter_names, campaign_id=gathering.id, keyring=stage.keyring) == []
    # One that opens later keeps them until it has been open for thirty days.
    assert stage.write(forget_supporters, now=now + timedelta(days=99)) == 0


def test_details_of_one_that_is_scheduled_wait_for_its_opening(gathering: Gathering) -> None:
    stage, now = gathering.stage, utc_now()
    gathering.gather(MAILS[0])
    gathering.publish("scheduled", opens_at=now + timedelta(days=60))
    assert stage.write(forget_supporters, now=now + timedelta(days=40)) == 0
    assert stage.write(forget_supporters, now=now + timedelta(days=91)) == 1


def test_a_campaign_whose_key_is_destroyed_knows_no_supporters(gathering: Gathering) -> None:
    stage = gathering.stage
    gathering.gather(MAILS[0])
    path, link = gathering.own_path(), gathering.link
    with time_machine.travel(utc_now() + LATER, tick=True):
        gathering.ask()
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    assert "សុខ" not in stage.get(path).text
    assert stage.read(list_supporter_names, campaign_id=gathering.id, keyring=stage.keyring) == []
    assert "No more supporters are gathered" in stage.get(link).text
    wording = substance_hash(stage.read(find_draft, campaign_id=gathering.id), "en")
    data = {"name": "Marie", "email": MAILS[2], "consent": "yes", "wording": wording}
    assert stage.post(link, data).status_code == 409
    with time_machine.travel(utc_now() + 2 * LATER, tick=True):
        assert len(gathering.letters()) == 1
    gathering.publish()
    stage.write(tell_supporters, campaign_id=gathering.id, now=utc_now())
    assert len(gathering.letters()) == 1


def test_the_substance_of_a_text_is_what_it_says_and_asks() -> None:
    text = CampaignText(title="Books", recitals=("One",), requests=("Two",), body="Three")
    name = substance_hash({"en": text}, "en")
    assert name == substance_hash({"en": text, "fr": CampaignText(title="Livres")}, "en")
    assert name != substance_hash({"en": text}, "fr")
    others = (
        CampaignText(title="Book", recitals=("One",), requests=("Two",), body="Three"),
        CampaignText(title="Books", recitals=("One", "Two"), body="Three"),
        CampaignText(title="Books", requests=("One", "Two"), body="Three"),
        CampaignText(title="Books", recitals=("One",), requests=("Two",)),
        CampaignText(title="Books", recitals=("One",), requests=("Two",), body="Three", declaration="We"),
    )
    assert len({substance_hash({"en": other}, "en") for other in others} | {name}) == 6
    extra = CampaignText(title=" Books\n", recitals=("One",), requests=("Two",), body="Three", call_to_sign="Sign!")
    assert substance_hash({"en": extra}, "en") == name
