"""Letters to download: the same bytes for the same state, each recipient in their language, nothing that is private."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import update

from app.actions.lettering import issue_dated_edition
from app.core.clock import utc_now
from app.documents.letter import typeset_letter
from app.models import Addressee, Campaign, Delivery, Endorsement, Signature
from app.queries.letters import CampaignHasNoText, find_letter, find_letter_with_names
from app.web.public import standing
from tests.documents.reading import read_text, squeeze
from tests.editions import look_again
from tests.stage import on_one_database, small_campaign

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.i18n import Locale
    from app.rules.letters import Letter
    from tests.stage import Stage

HERE = "/en/campaigns/libraries"


def make_letter(stage: Stage, **changes: object) -> str:
    """Import a letter in three languages that organisations and people sign."""
    data: dict[str, Any] = {
        **small_campaign(),
        "kind": "open_letter",
        "signatories": "both",
        "thresholds": [],
        "sponsor": None,
        "addressees": [
            {"name": {"en": "The Parliament of Canada"}, "country": "CA"},
            {"name": {"en": "The Parliament of Japan"}, "country": "JP"},
        ],
        "endorsements": [{"name": "Friends of Books", "acronym": "FOB", "country": "CA"}, {"name": "សមាគមសៀវភៅ"}],
        **changes,
    }
    return stage.campaign({name: value for name, value in data.items() if value is not None})


def campaign_id(stage: Stage, slug: str = "libraries") -> UUID:
    found: UUID = stage.read(lambda session: session.query(Campaign.id).filter_by(slug=slug).one().id)
    return found


def endorse(stage: Stage, name: str, position: int) -> None:
    """Let an organisation have signed just now."""
    here = campaign_id(stage)

    def work(session: Session) -> None:
        first = session.query(Endorsement).filter_by(campaign_id=here).first()
        assert first is not None
        session.add(
            Endorsement(
                id=uuid4(), campaign_id=here, edition_id=first.edition_id, state="accepted", position=position,
                name=name, names={}, name_key=name.lower(), locale="en", asked_at=utc_now(), decided_at=utc_now(),
            )
        )  # fmt: skip

    stage.write(work)


def issue(stage: Stage, owner: Any) -> int:  # noqa: ANN401 - an organiser
    return stage.write(
        issue_dated_edition,
        campaign_id=campaign_id(stage),
        base_url=stage.settings.base_url,
        account_id=owner.account_id,
        now=utc_now(),
    )


@on_one_database
def test_letter_says_what_its_page_says_in_each_language(stage: Stage) -> None:
    make_letter(stage)
    for locale, title in (("en", "Khmer books in every library"), ("km", "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ")):
        found = stage.get(f"/{locale}/campaigns/libraries/letter.pdf")
        assert (found.status_code, found.headers["content-type"]) == (200, "application/pdf")
        said = read_text(found.content)
        assert squeeze(title) in said
        assert squeeze("Friends of Books (FOB)") in said
        assert squeeze("The Parliament of Japan") in said
    again = stage.get(f"/{locale}/campaigns/libraries/letter.pdf")
    assert again.content == found.content
    unchanged = stage.get(f"/{locale}/campaigns/libraries/letter.pdf", headers={"if-none-match": found.headers["etag"]})
    assert unchanged.status_code == 304


@on_one_database
def test_recipient_is_written_to_alone_and_in_their_language(stage: Stage) -> None:
    make_letter(stage)

    def greet(session: Session) -> None:
        _, second = session.query(Addressee).order_by(Addressee.position)
        second.salutations, second.locale = {"fr": "Mesdames et Messieurs,"}, "fr"

    stage.write(greet)
    first = read_text(stage.get(f"{HERE}/letter/to/1.pdf").content)
    assert squeeze("The Parliament of Canada") in first
    assert squeeze("The Parliament of Japan") not in first
    led = stage.get(f"{HERE}/letter/to/2.pdf")
    assert (led.status_code, led.headers["location"]) == (303, "/fr/campaigns/libraries/letter/to/2.pdf")
    second = read_text(stage.get(led.headers["location"]).content)
    assert squeeze("Mesdames et Messieurs,") in second
    assert squeeze("Des livres khmers partout") in second


@on_one_database
@pytest.mark.parametrize(
    "path",
    ["letter/to/3.pdf", "letter/to/0.pdf", "letter/to/x.pdf", "letters/1.pdf", "letters/0.pdf", "letters/1/to/1.pdf"],
)
def test_what_is_not_there_is_not_found(stage: Stage, path: str) -> None:
    make_letter(stage)
    assert stage.get(f"{HERE}/{path}").status_code == 404
    assert stage.get(f"/en/campaigns/unknown/{path}").status_code == 404


def test_dated_edition_stays_what_it_was_and_the_page_tells_what_came_later(stage: Stage) -> None:
    make_letter(stage)
    owner = stage.organiser()
    stage.join("libraries", owner)
    assert issue(stage, owner) == 1
    before = stage.get(f"{HERE}/letters/1.pdf")
    assert before.status_code == 200
    assert "immutable" in before.headers["cache-control"]
    endorse(stage, "Late Society", 3)
    stage.sql_write("UPDATE endorsements SET state = 'withdrawn' WHERE name = 'Friends of Books'")
    assert issue(stage, owner) == 2
    stage.house.printer.__init__(stage.database)  # type: ignore[misc]  # another process, which remembers nothing
    assert stage.get(f"{HERE}/letters/1.pdf").content == before.content
    assert "LateSociety" not in read_text(before.content)
    assert "LateSociety" in read_text(stage.get(f"{HERE}/letters/2.pdf").content)
    page = stage.get(f"{HERE}/letters").text
    assert page.index("Dated edition no. 2") < page.index("Dated edition no. 1") < page.index("Signed since then")
    assert page.count("Late Society") == 1
    assert page.index("No longer among the signatories") < page.index("Friends of Books")
    assert f"{HERE}/letters/2/to/1.pdf" in page


def test_deliveries_are_told_in_three_languages(stage: Stage) -> None:
    make_letter(stage)
    here, today = campaign_id(stage), utc_now().date()

    def deliver(session: Session) -> None:
        session.add(
            Delivery(
                id=uuid4(), campaign_id=here, recipient="Office <b>of</b> the Speaker", delivered_on=today,
                way="by_hand", acknowledged_on=today, answered_on=today, recorded_at=utc_now(),
            )
        )  # fmt: skip

    stage.write(deliver)
    for locale in ("km", "en", "fr"):
        page = stage.get(f"/{locale}/campaigns/libraries/letters")
        assert page.status_code == 200
        assert "Office &lt;b&gt;of&lt;/b&gt; the Speaker" in page.text


@on_one_database
def test_names_show_by_consent_alone_and_never_in_a_dated_edition(stage: Stage) -> None:
    make_letter(stage)
    stage.sign("libraries", name="Marie Tremblay", postal_code="V3B 1A1", show_name="yes", email="one@example.org")
    stage.sign("libraries", name="Chan Dara", postal_code="H2X 1Y4", subdivision="CA-QC", email="two@example.org")
    for address in ("one@example.org", "two@example.org"):
        (letter,) = stage.letters_to(address)
        stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
    first = stage.get(f"{HERE}/letter.pdf")
    assert squeeze("Signed by 2 people") in read_text(first.content)
    stage.sql_write("UPDATE signatures SET name_check = 'cleared', name_position = 1 WHERE is_name_shown")
    look_again(stage, "libraries")
    shown = stage.get(f"{HERE}/letter.pdf")
    assert "MarieTremblay" in read_text(shown.content)
    assert "ChanDara" not in read_text(shown.content)
    assert shown.headers["x-robots-tag"] == "noindex, noarchive"
    assert stage.get(f"{HERE}/letter.pdf").content == shown.content
    # What somebody may hide tomorrow is in no table in clear: only the letter of before, without names, is kept.
    assert stage.sql("SELECT count(*) FROM kept_documents WHERE name LIKE 'letter/%'") == [(1,)]
    assert stage.sql("SELECT content FROM kept_documents WHERE name LIKE 'letter/%'")[0][0] == first.content
    stage.sql_write("UPDATE signatures SET is_name_shown = :no", no=False)
    look_again(stage, "libraries")
    assert "MarieTremblay" not in read_text(stage.get(f"{HERE}/letter.pdf").content)
    stage.sql_write("UPDATE signatures SET is_name_shown = :yes WHERE name_position = 1", yes=True)
    look_again(stage, "libraries")
    owner = stage.organiser()
    stage.join("libraries", owner)
    issue(stage, owner)
    assert "MarieTremblay" not in read_text(stage.get(f"{HERE}/letters/1.pdf").content)
    stage.sql_write("UPDATE campaigns SET state = 'stopped'")
    look_again(stage, "libraries")
    assert "MarieTremblay" not in read_text(stage.get(f"{HERE}/letter.pdf").content)


def show_names(stage: Stage, *names: str, first: int = 1) -> None:
    """Let people have signed, in this order, whose names show."""
    for at, name in enumerate(names, first):
        email = f"{squeeze(name).lower()}@example.org"
        stage.sign("libraries", name=name, postal_code="V3B 1A1", show_name="yes", email=email)
        (letter,) = stage.letters_to(email)
        stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "yes"})
        stage.sql_write(
            "UPDATE signatures SET name_check = 'cleared', name_position = :at "
            "WHERE name_position IS NULL AND is_name_shown",
            at=at,
        )
    look_again(stage, "libraries")


@on_one_database
def test_letter_with_names_is_made_once_a_minute_but_for_names_and_organisations_that_go(stage: Stage) -> None:
    make_letter(stage)
    show_names(stage, "Marie Tremblay", "Sok Dara")
    first = stage.get(f"{HERE}/letter.pdf")
    assert first.headers["cache-control"] == "no-cache"
    show_names(stage, "Chan Thida", first=3)
    again = stage.get(f"{HERE}/letter.pdf", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    # Somebody hides a name: it is nowhere from now on, and not even remembered.
    stage.sql_write("UPDATE signatures SET is_name_shown = :no WHERE name_position = 1", no=False)
    look_again(stage, "libraries")
    fewer = read_text(stage.get(f"{HERE}/letter.pdf").content)
    assert [name in fewer for name in ("MarieTremblay", "SokDara", "ChanThida")] == [False, True, True]
    assert len([each for each in stage.house.printer._documents if each[1] == "letter/all/en"]) == 1
    stage.sql_write("UPDATE endorsements SET state = 'withdrawn' WHERE name = 'Friends of Books'")
    look_again(stage, "libraries")
    assert squeeze("Friends of Books") not in read_text(stage.get(f"{HERE}/letter.pdf").content)
    assert stage.sql("SELECT count(*) FROM kept_documents") == [(0,)]


@on_one_database
def test_a_letter_that_changed_while_it_waited_is_what_it_is_by_then(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_letter(stage)
    show_names(stage, "Marie Tremblay", "Sok Dara")
    shelved = stage.get(HERE)  # from now on this process knows both names, for a second
    assert shelved.status_code == 200
    find, meanwhile = find_letter_with_names, iter((False,))

    def find_later(session: Session, **order: Any) -> Any:  # noqa: ANN401 - as the query has it
        # Somebody who hides a name while the letter waits for the press.
        shows = next(meanwhile, None)
        if shows is not None:
            session.execute(update(Signature).where(Signature.name_position == 1).values(is_name_shown=shows))
        return find(session, **order)

    monkeypatch.setattr("app.web.public.letters.find_letter_with_names", find_later)
    answer = stage.get(f"{HERE}/letter.pdf")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
    assert "MarieTremblay" not in read_text(answer.content)
    assert "SokDara" in read_text(answer.content)
    # It is remembered as what it is: whoever has it has the letter of the next look, too.
    look_again(stage, "libraries")
    again = stage.get(f"{HERE}/letter.pdf", headers={"if-none-match": f'W/"old", {answer.headers["etag"]}'})
    assert again.status_code == 304
    assert stage.sql("SELECT count(*) FROM kept_documents") == [(0,)]


@on_one_database
def test_a_letter_that_grows_with_each_look_is_made_once_a_minute(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_letter(stage)
    show_names(stage, "Marie Tremblay")
    runs: list[int | None] = []

    def typeset(letter: Letter, locale: Locale, place: int | None = None, **more: str) -> bytes:
        runs.append(place)
        return typeset_letter(letter, locale, place, **more)

    monkeypatch.setattr("app.web.public.letters.typeset_letter", typeset)
    for at in range(5):
        email = f"reader-{at}@example.org"
        stage.sign("libraries", name="Chan Dara", postal_code="V3B 1A1", email=email)
        (mail,) = stage.letters_to(email)
        stage.post(f"/en/confirm/{mail.token('confirm')}", {"signing": "yes"})
        assert stage.get(f"{HERE}/letter.pdf").status_code == 200
    assert runs == [None]
    # A salutation that was corrected is in the next one all the same.
    stage.sql_write("UPDATE addressees SET salutations = :new", new='{"en": "Dear Senators,"}')
    look_again(stage, "libraries")
    assert squeeze("Dear Senators,") in read_text(stage.get(f"{HERE}/letter/to/1.pdf").content)
    stage.get(f"{HERE}/letter.pdf")
    assert runs == [None, 1, None]


@on_one_database
def test_more_names_than_a_document_holds_are_a_number_and_an_address(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_letter(stage)
    show_names(stage, "Marie Tremblay", "Sok Dara")
    monkeypatch.setattr(standing, "MOST_NAMES", 1)
    found = read_text(stage.get(f"{HERE}/letter.pdf").content)
    assert "MarieTremblay" not in found
    assert squeeze("Signed by 2 people") in found
    assert squeeze(f"{stage.settings.base_url}/en/campaigns/libraries/names") in found


@on_one_database
def test_anonymous_visitors_keep_no_more_files_of_a_dated_edition_than_it_has_recipients_and_languages(
    stage: Stage,
) -> None:
    make_letter(stage)
    owner = stage.organiser()
    stage.join("libraries", owner)
    issue(stage, owner)
    for locale in ("km", "en", "fr"):
        for path in ("letters/1.pdf", *(f"letters/1/to/{place}.pdf" for place in range(5)), "letters/2.pdf"):
            stage.get(f"/{locale}/campaigns/libraries/{path}?size={path}")
    assert stage.sql("SELECT count(*) FROM kept_documents") == [((2 + 1) * 3,)]


def test_page_tells_of_no_more_organisations_than_it_has_room_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_letter(stage)
    owner = stage.organiser()
    stage.join("libraries", owner)
    issue(stage, owner)
    for at in range(3):
        endorse(stage, f"Late Society {at}", 3 + at)
    monkeypatch.setattr("app.web.public.letters.MOST_TOLD", 1)
    page = stage.get(f"{HERE}/letters").text
    assert page.count("Late Society") == 1
    assert "And 2 more organisations." in page
    assert "2 organisations" in page


@on_one_database
def test_letter_without_a_frozen_text_is_none(stage: Stage) -> None:
    with pytest.raises(CampaignHasNoText):
        stage.read(find_letter, campaign_id=uuid4(), base_url="http://x", now=utc_now())
