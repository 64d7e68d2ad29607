"""What a signature is bound to while a text changes: what was shown, for an hour; and who is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from sqlalchemy import delete, update

from app.jobs.fan_out import fan_out
from app.models import Campaign, CampaignKey, Token
from app.web import house
from tests.editions import NOTE, correct, look_again
from tests.stage import on_one_database, small_campaign
from tests.web.html import Page
from tests.web.people import Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.stage import Letter, Stage

#: What a page says, and what this process keeps, does not hang on the database; what is bound and asked is on both.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BOUND = "SELECT e.number FROM signatures s JOIN editions e ON e.id = s.edition_id"
CHANGED = "The text has changed since you opened this page. Read it again, then sign."


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Stop the clock at a noon."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process keep a campaign for longer than a test takes, as if every step came within its second."""
    monkeypatch.setattr(house, "SHELF_SECONDS", 600.0)


def shown_edition(stage: Stage, slug: str) -> str:
    """Return the hash that the form holds."""
    return Page(stage.get(f"/en/campaigns/{slug}").text).fields["edition"][0]


# What a form binds to


def test_a_corrected_text_binds_as_it_was_shown_for_an_hour(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    shown = shown_edition(stage, slug)
    clock.shift(timedelta(minutes=5))
    corrected_at = NOON + timedelta(minutes=5)
    newer = correct(stage, slug, "good books")
    assert stage.sign(slug, edition=shown).status_code == 303
    assert stage.sql(BOUND) == [(1,)]
    clock.move_to(corrected_at + HOUR - timedelta(microseconds=1))
    look_again(stage, slug)
    assert stage.sign(slug, email="b@example.org", edition=shown).status_code == 303
    assert stage.sql(f"{BOUND} WHERE e.number = 2") == []
    clock.move_to(corrected_at + HOUR)
    look_again(stage, slug)
    refused = stage.sign(slug, email="c@example.org", edition=shown)
    page = Page(refused.text)
    assert refused.status_code == 422
    assert page.summary == [("edition", CHANGED)]
    assert "good books" in page.words
    assert page.fields["email"] == ["c@example.org"]
    assert page.fields["edition"] == [newer]
    assert stage.sign(slug, email="c@example.org", edition=newer).status_code == 303
    assert sorted(stage.sql(BOUND)) == [(1,), (1,), (2,)]


@on_one_database
def test_a_change_of_substance_is_read_before_it_is_signed(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    shown = shown_edition(stage, slug)
    newer = correct(stage, slug, "money", is_substantive=True)
    refused = stage.sign(slug, edition=shown)
    assert refused.status_code == 422
    assert "money" in Page(refused.text).words
    assert Page(refused.text).fields["edition"] == [newer]
    # A correction after it does not bring the first text back; the second is bound as it was shown.
    correct(stage, slug, "much money")
    assert stage.sign(slug, edition=shown).status_code == 422
    assert stage.sign(slug, edition=newer).status_code == 303
    assert stage.sql(BOUND) == [(2,)]


@on_one_database
def test_a_text_that_came_back_is_the_newest_of_its_words(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    shown = shown_edition(stage, slug)
    correct(stage, slug, "money", is_substantive=True)
    assert correct(stage, slug, "books", is_substantive=True) == shown
    assert stage.sign(slug, edition=shown).status_code == 303
    assert stage.sql(BOUND) == [(3,)]


@on_one_database
def test_a_text_newer_than_this_process_knows_is_signed(stage: Stage, behind: None) -> None:
    slug = stage.campaign()
    old = shown_edition(stage, slug)
    newer = correct(stage, slug, "good books", is_seen=False)
    assert stage.house.shelf._entries[slug][1].campaign.edition_hash == old
    assert stage.sign(slug, edition=newer).status_code == 303
    assert stage.sql(BOUND) == [(2,)]


@on_one_database
def test_a_refusal_shows_the_newest_text_even_where_this_process_is_behind(stage: Stage, behind: None) -> None:
    slug = stage.campaign()
    shown_edition(stage, slug)
    correct(stage, slug, "money", is_substantive=True, is_seen=False)
    refused = stage.sign(slug, edition="0" * 64)
    assert refused.status_code == 422
    assert "money" in Page(refused.text).words


@on_one_database
def test_a_hash_that_was_never_shown_is_refused(stage: Stage) -> None:
    slug = stage.campaign()
    for edition in ("0" * 64, "x", "0" * 65, "'"):
        assert stage.sign(slug, edition=edition).status_code == 422
    assert stage.sql(BOUND) == []


@on_one_database
def test_another_fault_keeps_the_text_that_was_read(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign()
    shown = shown_edition(stage, slug)
    correct(stage, slug, "good books")
    cases: tuple[tuple[dict[str, Any], int], ...] = (({"name": ""}, 422), ({"switch": "fr"}, 200))
    for fields, status in cases:
        answer = stage.sign(slug, edition=shown, **fields)
        assert answer.status_code == status
        assert Page(answer.text).fields["edition"] == [shown]
        assert "good books" not in answer.text


# Confirming what was read


def test_a_signature_confirmed_after_a_change_is_for_the_text_that_was_read(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    person.sign()
    correct(stage, slug, "money", is_substantive=True)
    path = f"/en/confirm/{person.letter().token('confirm')}"
    page = Page(person.get(path).text)
    assert "You are confirming the one that you read, edition 1, which stands below." in page.words
    assert "books" in page.words
    assert "money" not in page.words
    assert person.confirm().status_code == 303
    assert stage.sql(BOUND) == [(1,)]
    # Who had confirmed before would have been asked; this signer is asked now, and once.
    assert person.post(path, {"signing": "yes"}).status_code == 303
    assert [letter.mail["Subject"] for letter in person.letters()].count("A message about your request") == 2
    assert "/en/renew/" in person.letter().text


@on_one_database
def test_a_signature_of_the_present_text_is_confirmed_without_more_words(stage: Stage) -> None:
    slug = stage.campaign()
    correct(stage, slug, "money", is_substantive=True)
    person = Person(stage, slug, "a@example.org")
    person.sign()
    page = Page(person.get(f"/en/confirm/{person.letter().token('confirm')}").text)
    assert "edition" not in page.words
    person.confirm()
    assert len(person.letters()) == 1


@on_one_database
def test_a_process_that_is_behind_still_shows_the_text_that_was_read(stage: Stage, behind: None) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    shown_edition(stage, slug)
    newer = correct(stage, slug, "money", is_substantive=True, is_seen=False)
    person.sign(edition=newer)
    token = person.letter().token("confirm")
    page = Page(person.get(f"/en/confirm/{token}").text)
    assert "money" in page.words
    assert "You are confirming the one that you read" not in page.words


# Asking again


def changed(stage: Stage, *, clicks: int = 1, **fields: Any) -> tuple[str, Person]:  # noqa: ANN401 - form fields
    """Let somebody sign and confirm, then change the substance and ask all signers; return slug and person."""
    slug = stage.campaign(small_campaign())
    person = Person(stage, slug, "a@example.org")
    person.sign(**fields)
    for _ in range(clicks):
        person.confirm()
    correct(stage, slug, "money", is_substantive=True)
    while stage.run(fan_out(stage.background)):
        pass
    return slug, person


def renewal(letter: Letter, locale: str = "en") -> str:
    return f"/{locale}/renew/{letter.token('renew')}"


def agree(person: Person, path: str, **fields: str) -> httpx.Response:
    """Press the button, the box ticked."""
    hidden = Page(person.get(path).text).fields["edition"][0]
    return person.post(path, {"edition": hidden, "signing": "yes", **fields})


def test_signers_of_an_earlier_text_are_asked_whether_they_sign_the_new_one(stage: Stage) -> None:
    slug, person = changed(stage)
    other = Person(stage, slug, "b@example.org")
    other.sign()
    other.confirm()
    assert len(other.letters()) == 1  # signed the new text at once
    letter = person.letter()
    assert NOTE["en"] in letter.text
    assert "a@example.org" not in letter.text
    for part in (letter.text, letter.html):
        assert all(f"/{locale}/renew/" in part for locale in ("km", "en", "fr"))
    path = renewal(letter)
    page = Page(person.get(path).text)
    assert "You signed edition 1." in page.words
    assert "[taken out:] books [put in:] money" in page.words
    assert any("/signature/" in link for link in page.links)
    assert stage.count(slug) == 2
    assert "1 of them is for the present text" in Page(stage.get(f"/en/campaigns/{slug}").text).words
    assert agree(person, path).status_code == 303
    assert "You have signed the present text" in Page(person.get(path).text).words
    assert stage.sql("SELECT count(*) FROM renewals") == [(1,)]
    assert stage.sql(f"{BOUND} ORDER BY e.number") == [(1,), (2,)]
    assert "2 of them are for the present text" in Page(stage.get(f"/en/campaigns/{slug}").text).words
    assert stage.count(slug) == 2


@on_one_database
def test_agreeing_twice_is_agreeing_once(stage: Stage) -> None:
    _slug, person = changed(stage)
    path = renewal(person.letter())
    form = {"edition": Page(person.get(path).text).fields["edition"][0], "signing": "yes"}
    answers = [person.post(path, form) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {303}
    assert stage.sql("SELECT count(*) FROM renewals") == [(1,)]


@on_one_database
def test_looking_or_a_scanner_that_presses_buttons_renews_nothing(stage: Stage) -> None:
    _slug, person = changed(stage)
    path = renewal(person.letter())
    scanner = stage.new_browser()
    for method in ("GET", "HEAD"):
        stage.run(scanner.request(method, f"{path}?signing=yes"))
    hidden = Page(stage.get(path, browser=scanner).text).fields["edition"][0]
    answer = stage.post(path, {"edition": hidden}, browser=scanner)
    assert answer.status_code == 422
    assert [field for field, _ in Page(answer.text).summary] == ["signing"]
    assert stage.sql("SELECT count(*) FROM renewals") == [(0,)]
    # The browser that signed needs no box.
    assert "signing" not in person.get(path).text
    assert person.post(path, {"edition": hidden}).status_code == 303
    assert stage.sql("SELECT count(*) FROM renewals") == [(1,)]


def test_a_text_that_changed_once_more_is_read_before_it_is_agreed_to(stage: Stage) -> None:
    slug, person = changed(stage)
    path = renewal(person.letter())
    hidden = Page(person.get(path).text).fields["edition"][0]
    correct(stage, slug, "gold", is_substantive=True)
    answer = person.post(path, {"edition": hidden, "signing": "yes"})
    page = Page(answer.text)
    assert answer.status_code == 422
    assert page.summary == [("edition", CHANGED)]
    assert "gold" in page.words
    assert stage.sql("SELECT count(*) FROM renewals") == [(0,)]
    assert agree(person, path).status_code == 303
    assert stage.sql("SELECT e.number FROM renewals r JOIN editions e ON e.id = r.edition_id") == [(3,)]
    # Asked about the last change alone, and not at all once it is signed.
    before = len(person.letters())
    while stage.run(fan_out(stage.background)):
        pass
    assert len(person.letters()) == before


def test_a_second_change_is_asked_about_once_with_both_notes(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    person.sign()
    person.confirm()
    correct(stage, slug, "money", is_substantive=True)
    correct(stage, slug, "gold", is_substantive=True)
    while stage.run(fan_out(stage.background)):
        pass
    letters = [letter for letter in person.letters() if "/renew/" in letter.text]
    assert len(letters) == 1
    assert letters[0].text.count(NOTE["en"]) == 2


def test_a_correction_asks_nobody(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    person.sign()
    person.confirm()
    correct(stage, slug, "good books")
    while stage.run(fan_out(stage.background)):
        pass
    assert len(person.letters()) == 1
    assert "for the present text" not in Page(stage.get(f"/en/campaigns/{slug}").text).words


def test_the_own_page_leads_to_every_text_that_was_signed(stage: Stage) -> None:
    slug, person = changed(stage)
    assert agree(person, renewal(person.letter())).status_code == 303
    own = f"/en/signature/{person.letters()[0].token('signature')}"
    page = Page(person.get(own).text)
    assert f"/en/campaigns/{slug}/editions/1" in page.links
    assert f"/en/campaigns/{slug}/editions/2" in page.links
    held = person.get(f"{own}?download").json()
    assert [each["edition_number"] for each in held["renewals"]] == [2]
    assert held["source"] is None


def test_withdrawing_ends_the_question_and_leaves_the_count_right(stage: Stage) -> None:
    slug, person = changed(stage)
    path = renewal(person.letter())
    hidden = Page(person.get(path).text).fields["edition"][0]
    own = next(link for link in Page(person.get(path).text).links if "/signature/" in link)
    person.post(own, {"action": "withdraw", "sure": "yes"})
    assert "This signature was withdrawn" in Page(person.get(path).text).words
    answer = person.post(path, {"edition": hidden, "signing": "yes"})
    assert answer.status_code == 409
    assert stage.sql("SELECT count(*) FROM renewals") == [(0,)]
    assert stage.count(slug) == 0


@on_one_database
def test_a_withdrawn_signer_is_not_asked(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    person.sign()
    person.confirm()
    own = f"/en/signature/{person.letter().token('signature')}"
    correct(stage, slug, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    person.post(own, {"action": "withdraw", "sure": "yes"})
    assert len(person.letters()) == 1


@on_one_database
def test_nobody_is_asked_once_signing_is_over(stage: Stage) -> None:
    slug = stage.campaign()
    person = Person(stage, slug, "a@example.org")
    person.sign()
    person.confirm()
    correct(stage, slug, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    stage.write(lambda session: session.execute(update(Campaign).values(state="closed")))
    assert len(person.letters()) == 1
    assert stage.sql("SELECT state FROM letters WHERE kind = 'edition_changed'") == [("dropped",)]


@on_one_database
def test_letters_are_dropped_once_the_key_is_destroyed(stage: Stage) -> None:
    changed(stage)
    stage.write(lambda session: session.execute(delete(CampaignKey)))
    assert len(stage.deliver()) == 1
    assert stage.sql("SELECT state FROM letters WHERE kind = 'edition_changed'") == [("dropped",)]


@on_one_database
def test_a_page_without_an_own_page_to_lead_to_says_nothing_of_it(stage: Stage) -> None:
    slug, person = changed(stage)
    path = renewal(person.letter())
    stage.write(lambda session: session.execute(delete(Token).where(Token.purpose == "manage")))
    page = person.get(path)
    assert page.status_code == 200
    assert not any("/signature/" in link for link in Page(page.text).links)
    # A campaign that is not to be seen any more takes its links along.
    stage.write(lambda session: session.execute(update(Campaign).where(Campaign.slug == slug).values(state="refused")))
    assert person.get(path).status_code == 404


def test_the_link_works_for_thirty_days_and_not_beyond_the_end(stage: Stage, clock: time_machine.Traveller) -> None:
    slug = stage.campaign(open_for=90)
    person = Person(stage, slug, "a@example.org")
    person.sign()
    person.confirm()
    correct(stage, slug, "money", is_substantive=True)
    stage.run(fan_out(stage.background))
    path = renewal(person.letter())
    hidden = Page(person.get(path).text).fields["edition"][0]
    clock.move_to(NOON + timedelta(days=30) - timedelta(seconds=1))
    assert person.get(path).status_code == 200
    clock.move_to(NOON + timedelta(days=30))
    for answer in (person.get(path), person.post(path, {"edition": hidden, "signing": "yes"})):
        assert answer.status_code in {409, 410}
        assert "It is too late to sign the new text" in Page(answer.text).words
    assert stage.sql("SELECT count(*) FROM renewals") == [(0,)]


@on_one_database
def test_a_closed_campaign_takes_no_renewal(stage: Stage) -> None:
    _slug, person = changed(stage)
    path = renewal(person.letter())
    form = {"edition": Page(person.get(path).text).fields["edition"][0], "signing": "yes"}
    stage.write(lambda session: session.execute(update(Campaign).values(state="closed")))
    assert person.get(path).status_code == 410
    assert person.post(path, form).status_code == 410
    assert stage.sql("SELECT count(*) FROM renewals") == [(0,)]


@on_one_database
def test_links_that_were_never_sent_lead_nowhere(stage: Stage) -> None:
    _slug, person = changed(stage)
    confirm = person.letters()[0].token("confirm")
    for token in (confirm, "x" * 43, "short"):
        assert person.get(f"/en/renew/{token}").status_code == 404
        assert person.post(f"/en/renew/{token}", {"signing": "yes"}).status_code == 404
    assert person.get(f"/de/renew/{person.letter().token('renew')}").status_code == 404


# Pages


@on_one_database
def test_every_edition_can_be_read(stage: Stage) -> None:
    slug = stage.campaign()
    for locale in NOTE:
        assert "/editions" not in stage.get(f"/{locale}/campaigns/{slug}").text
    correct(stage, slug, "good books")
    for locale in NOTE:
        listed = stage.get(f"/{locale}/campaigns/{slug}/editions")
        assert listed.status_code == 200
        assert listed.headers["cache-control"].startswith("public")
        assert all(row[0] in listed.text for row in stage.sql("SELECT hash FROM editions"))
        assert NOTE[locale] in Page(listed.text).words
        assert f"/{locale}/campaigns/{slug}/editions" in Page(stage.get(f"/{locale}/campaigns/{slug}").text).links
        for number in (1, 2):
            assert stage.get(f"/{locale}/campaigns/{slug}/editions/{number}").status_code == 200
    for wrong in ("0", "3", "x", "-1", "123456", "1 OR 1", "²"):
        assert stage.get(f"/en/campaigns/{slug}/editions/{wrong}").status_code == 404
    assert stage.get("/en/campaigns/nothing/editions").status_code == 404


@on_one_database
def test_a_superseded_edition_says_so(stage: Stage) -> None:
    texts: dict[str, Any] = small_campaign()["texts"]
    texts["en"] |= {
        "call_to_sign": "Come all",
        "how_to_sign": ["Press the button"],
        "faq": [{"question": "Why?", "answer": "Because."}],
    }
    slug = stage.campaign(texts=texts)
    correct(stage, slug, "good books")
    old = Page(stage.get(f"/en/campaigns/{slug}/editions/1").text).words
    assert "Another text took its place on" in old
    assert "good books" not in old
    assert all(words in old for words in ("Come all", "Press the button", "Because."))
    assert "the present text" in Page(stage.get(f"/en/campaigns/{slug}/editions/2").text).words


# Where people came from


def source(stage: Stage) -> list[Any]:
    return [row[0] for row in stage.sql("SELECT source FROM signatures ORDER BY created_at")]


@on_one_database
def test_the_mark_of_a_link_is_kept_without_script_or_cookie(stage: Stage) -> None:
    slug = stage.campaign()
    for via in ("temple", "a" * 32, "2026-03-radio"):
        landed = stage.get(f"/c/{slug}?via={via}", headers={"accept-language": "en"})
        assert landed.headers["location"] == f"/en/campaigns/{slug}?via={via}"
        page = stage.get(landed.headers["location"])
        assert via not in page.text
        signed = stage.run(_post(stage, slug, page, landed.headers["location"], email=f"{via}@example.org"))
        assert signed.status_code == 303
    assert source(stage) == ["temple", "a" * 32, "2026-03-radio"]


@on_one_database
def test_a_form_that_comes_back_keeps_the_mark(stage: Stage) -> None:
    slug = stage.campaign()
    page = stage.get(f"/en/campaigns/{slug}?via=temple")
    again = stage.run(_post(stage, slug, page, f"/en/campaigns/{slug}?via=temple", name=""))
    assert Page(again.text).fields["via"] == ["temple"]
    assert stage.sign(slug, via="temple").status_code == 303
    assert source(stage) == ["temple"]


@on_one_database
def test_odd_marks_are_ignored(stage: Stage) -> None:
    slug = stage.campaign()
    page = stage.get(f"/en/campaigns/{slug}")
    referers = (
        "http://elsewhere.example/en/campaigns/libraries?via=temple",
        "http://127.0.0.1:8000/en/campaigns/other?via=temple",
        "http://127.0.0.1:8000/en/campaigns/libraries?via=Temple",
        "http://127.0.0.1:8000/en/campaigns/libraries?via=" + "a" * 33,
        "http://127.0.0.1:8000/en/campaigns/libraries?" + "&".join(f"a{number}=1" for number in range(99)) + "&via=t",
        "http://127.0.0.1:8000/en/campaigns/libraries",
        "http://[",
        "",
    )
    for number, referer in enumerate(referers):
        answer = stage.run(_post(stage, slug, page, referer, via="No Mark", email=f"{number}@example.org"))
        assert answer.status_code == 303
    assert source(stage) == [None] * len(referers)
    assert stage.get(f"/c/{slug}?via=No+Mark").headers["location"] == f"/en/campaigns/{slug}"


@on_one_database
def test_the_same_form_by_another_link_is_the_same_form(stage: Stage) -> None:
    slug = stage.campaign()
    stage.sign(slug, via="temple")
    stage.sign(slug, via="radio")
    assert source(stage) == ["temple"]


async def _post(stage: Stage, slug: str, page: httpx.Response, referer: str, **fields: str) -> httpx.Response:
    from tests.stage import good_form

    hidden = {name: Page(page.text).fields[name][0] for name in ("edition", "locale")}
    address = referer if "://" in referer or not referer else f"{stage.settings.base_url}{referer}"
    return await stage.browser.post(
        f"/en/campaigns/{slug}/sign", data={**good_form(), **hidden, **fields}, headers={"referer": address}
    )
