"""The letter in the workspace: its head, its recipients with their PDFs, dated editions, deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app.core.clock import utc_now
from app.models import Addressee, Campaign, Delivery, Letterhead
from tests.documents.reading import read_text, squeeze
from tests.stage import on_one_database
from tests.web.html import Page
from tests.workspace.drafts import draft
from tests.workspace.letters import add_endorsement, open_letter

if TYPE_CHECKING:
    from tests.stage import Organiser, Stage

HERE = "/en/workspace/campaigns/libraries/letter"
DELIVERIES = "/en/workspace/campaigns/libraries/deliveries"
BAD = (
    "<script>alert(1)</script>",
    "{{7*7}}",
    '#panic() #read("/etc/passwd") $ \\ @label <label>',
    "a\x00b\x1b",
    "\u202egnp.exe",
)


def owned(stage: Stage, role: str = "owner") -> Organiser:
    slug, somebody = open_letter(stage), stage.organiser()
    stage.join(slug, somebody, role)
    return somebody


def head(**changes: str | None) -> dict[str, str]:
    data = {"version": "0", "place_en": "Ottawa", "dated_on": "2026-01-05", "subject_fr": "Des livres",
            "arrangement": "by_country", "numbered": "yes", **changes}  # fmt: skip
    return {name: value for name, value in data.items() if value is not None}


def delivery(**changes: str) -> dict[str, str]:
    return {"once": uuid4().hex, "recipient": "Office of the Speaker", "number": "none", "delivered_on": "2026-01-05",
            "way": "by_hand", "acknowledged_on": "", "answered_on": "", **changes}  # fmt: skip


def deliveries(stage: Stage) -> list[Any]:
    return stage.read(lambda session: list(session.scalars(select(Delivery).order_by(Delivery.recorded_at))))


def test_every_recipient_has_a_pdf_in_each_of_its_languages(stage: Stage) -> None:
    owner = owned(stage)
    page = Page(owner.get(HERE).text)
    assert [link for link in page.links if "/letter/to/1.pdf" in link] == [
        f"/{locale}/campaigns/libraries/letter/to/1.pdf" for locale in ("km", "en", "fr")
    ]
    assert "/fr/campaigns/libraries/letter.pdf" in page.links
    form = Page(owner.get(f"{HERE}/to/2").text)
    assert form.fields["language"] == ["any", "km", "en", "fr"]
    greeting = {"salutation_en": "Dear Madam President,", "language": "en", "shown": form.fields["shown"][0]}
    said = owner.post(f"{HERE}/to/2", greeting)
    assert (said.status_code, said.headers["location"]) == (303, f"{HERE}?done=greeting")
    page = Page(owner.get(f"{HERE}?done=greeting").text)
    assert [link for link in page.links if "/letter/to/2.pdf" in link] == ["/en/campaigns/libraries/letter/to/2.pdf"]
    assert "Dear Madam President," in page.words


@on_one_database
def test_links_to_pdfs_lead_to_pdfs(stage: Stage) -> None:
    owner = owned(stage)
    assert owner.post(f"{HERE}/issue").headers["location"] == f"{HERE}?issued=1"
    links = [link for link in Page(owner.get(f"{HERE}?issued=1").text).links if link.endswith(".pdf")]
    assert len(links) == 3 * 4
    for link in links:
        answer = stage.get(link)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), link
    assert stage.get("/en/campaigns/libraries/letters").status_code == 200


def test_the_team_reads_its_draft_as_the_letter_that_it_will_be(stage: Stage) -> None:
    words = {"en": {"body": "Words of the draft"}, "fr": {"body": "Mots du brouillon"}}
    slug, owner = draft(stage, words, kind="open_letter", sponsor=None), stage.organiser()
    stage.join(slug, owner)
    page = Page(owner.get(HERE).text)
    assert "These PDFs show the draft as it is now" in page.words
    links = [link for link in page.links if link.endswith(".pdf")]
    assert f"{HERE}/copy/fr.pdf" in links
    assert f"{HERE}/to/1/copy/km.pdf" in links
    assert not [link for link in links if "/workspace/" not in link]
    for link in links:
        answer = owner.get(link)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf"), link
        assert answer.headers["cache-control"] == "no-store"
        assert stage.get(link).status_code == 404
    said = read_text(owner.get(f"{HERE}/copy/en.pdf").content)
    assert squeeze("Draft: this has not been published") in said
    assert squeeze("Words of the draft") in said
    for nowhere in ("copy/de.pdf", "to/0/copy/en.pdf", "to/9/copy/en.pdf", "to/x/copy/en.pdf", "copy/en"):
        assert owner.get(f"{HERE}/{nowhere}").status_code == 404, nowhere
    stranger = stage.organiser("stranger@example.org")
    assert stranger.get(f"{HERE}/copy/en.pdf").status_code == 404
    assert stage.sql("SELECT count(*) FROM kept_documents") == [(0,)]


def test_what_is_public_has_no_copies_of_the_team_s_own(stage: Stage) -> None:
    owner = owned(stage)
    for path, public in (("copy/fr.pdf", "letter.pdf"), ("to/2/copy/fr.pdf", "letter/to/2.pdf")):
        answer = owner.get(f"{HERE}/{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/fr/campaigns/libraries/{public}")


@on_one_database
def test_a_greeting_that_somebody_else_changed_is_shown_again(stage: Stage) -> None:
    owner = owned(stage)
    shown = Page(owner.get(f"{HERE}/to/1").text).fields["shown"][0]
    first = {"salutation_en": "Dear Senators,", "language": "any", "shown": shown}
    assert owner.post(f"{HERE}/to/1", first).status_code == 303
    said = owner.post(f"{HERE}/to/1", {**first, "salutation_en": "Honourable Senators,"})
    page = Page(said.text)
    assert (said.status_code, page.fields["salutation_en"]) == (409, ["Honourable Senators,"])
    assert "Dear Senators," in page.words
    again = {**first, "salutation_en": "Honourable Senators,", "shown": page.fields["shown"][0]}
    assert owner.post(f"{HERE}/to/1", again).status_code == 303
    for number in ("0", "3", "x", "1000"):
        assert owner.get(f"{HERE}/to/{number}").status_code == 404
    wrong = owner.post(f"{HERE}/to/1", {"salutation_en": "x" * 10_000, "language": "zz", "shown": shown})
    assert wrong.status_code == 422
    assert Page(wrong.text).faults.keys() == {"salutation_en", "language"}


def test_the_head_is_saved_unless_somebody_else_was_faster(stage: Stage) -> None:
    owner = owned(stage)
    assert Page(owner.get(f"{HERE}/head").text).fields["version"] == ["0"]
    assert owner.post(f"{HERE}/head", head()).headers["location"] == f"{HERE}?done=head"
    words = Page(owner.get(HERE).text).words
    for said in ("Ottawa", "5 January 2026", "Des livres", "By country , numbered"):
        assert said in words or said.replace(" ,", ",") in words, said
    late = owner.post(f"{HERE}/head", head(place_en="Montréal"))
    page = Page(late.text)
    assert (late.status_code, page.fields["place_en"]) == (409, ["Montréal"])
    assert "Ottawa" in page.words
    assert owner.post(f"{HERE}/head", head(place_en="Montréal", version=page.fields["version"][0])).status_code == 303
    [kept] = stage.read(lambda session: list(session.scalars(select(Letterhead))))
    assert (kept.places, kept.version) == ({"en": "Montréal"}, 2)


@on_one_database
def test_what_is_wrong_with_a_head_is_said_beside_its_field(stage: Stage) -> None:
    owner = owned(stage)
    wrong = {"place_km": "x" * 10_000, "dated_on": "yesterday", "subject_en": "y" * 201, "arrangement": "by_size"}
    said = owner.post(f"{HERE}/head", head(**wrong))
    page = Page(said.text)
    assert said.status_code == 422
    assert page.faults.keys() == {"place_km", "dated_on", "subject_en", "arrangement"}
    assert page.fields["subject_en"] == ["y" * 201]
    assert owner.post(f"{HERE}/head", head(version="none")).status_code == 422


@on_one_database
@pytest.mark.parametrize("text", BAD)
def test_what_looks_like_code_is_kept_as_text(stage: Stage, text: str) -> None:
    owner = owned(stage)
    shown = Page(owner.get(f"{HERE}/to/1").text).fields["shown"][0]
    assert owner.post(f"{HERE}/head", head(place_en=text, subject_en=text)).status_code == 303
    greeting = {"salutation_en": text, "language": "en", "shown": shown}
    assert owner.post(f"{HERE}/to/1", greeting).status_code == 303
    assert owner.post(DELIVERIES, delivery(recipient=text)).status_code == 303
    for address in (HERE, f"{HERE}/head", f"{HERE}/to/1", DELIVERIES):
        page = owner.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
    kept = stage.read(lambda session: session.scalars(select(Addressee).order_by(Addressee.position).limit(1)).one())
    said = kept.salutations["en"]
    assert not set(said) & set("\x00\x1b\u202e")
    assert stage.get("/en/campaigns/libraries/letter/to/1.pdf").status_code == 200


def test_the_page_says_what_the_next_dated_edition_would_add(stage: Stage) -> None:
    owner = owned(stage)
    assert "What the first one would hold 2 organisations" in Page(owner.get(HERE).text).words
    assert owner.post(f"{HERE}/issue").headers["location"] == f"{HERE}?issued=1"
    page = owner.get(f"{HERE}?issued=1")
    assert "Nothing: dated edition 1 says what the letter says today." in page.text
    assert "/issue" not in page.text
    add_endorsement(stage, state="accepted", position=7, decided_at=utc_now(), acronym="TL")
    stage.sql_write("UPDATE endorsements SET state = 'withdrawn' WHERE position = 0")
    owner.post(f"{HERE}/head", head())
    words = Page(owner.get(HERE).text).words
    assert "1 organisation that is not in the last one: Temple of the Lake (TL)" in words
    assert "1 organisation that no longer stands under the letter: Khmer Canadian Association (KCA)" in words
    assert "Place, date, subject or order as they are now" in words
    assert "Keep dated edition 2" in words
    assert owner.post(f"{HERE}/issue").headers["location"] == f"{HERE}?issued=2"
    assert "Dated edition 2 is kept. It never changes." in owner.get(f"{HERE}?issued=2").text


@on_one_database
def test_a_draft_and_a_stopped_letter_get_no_dated_edition(stage: Stage) -> None:
    slug, owner = draft(stage, {}), stage.organiser()
    stage.join(slug, owner)
    page = owner.get(f"/en/workspace/campaigns/{slug}/letter")
    assert page.status_code == 200
    assert "/issue" not in page.text
    assert owner.post(f"/en/workspace/campaigns/{slug}/letter/issue").status_code == 409
    another = open_letter(stage, slug="another")
    stage.join(another, owner)
    stage.write(lambda session: session.execute(update(Campaign).values(state="stopped", stopped_at=utc_now())))
    page = owner.get(f"/en/workspace/campaigns/{another}/letter")
    assert page.status_code == 200
    assert "/issue" not in page.text
    assert owner.post(f"/en/workspace/campaigns/{another}/letter/issue").status_code == 409


@on_one_database
def test_a_joint_statement_without_recipients_has_one_letter(stage: Stage) -> None:
    slug, owner = open_letter(stage, kind="joint_statement", addressees=[]), stage.organiser()
    stage.join(slug, owner)
    links = Page(owner.get(HERE).text).links
    assert [link for link in links if link.endswith(".pdf")] == [
        f"/{locale}/campaigns/libraries/letter.pdf" for locale in ("km", "en", "fr")
    ]


def test_a_delivery_is_noted_changed_and_taken_off_the_list(stage: Stage) -> None:
    owner = owned(stage, "editor")
    assert "No delivery is noted yet." in owner.get(DELIVERIES).text
    form = delivery(once=Page(owner.get(f"{DELIVERIES}/new").text).fields["once"][0])
    for _ in range(2):
        assert owner.post(DELIVERIES, form).headers["location"] == f"{DELIVERIES}?done=recorded"
    [kept] = deliveries(stage)
    one = f"{DELIVERIES}/{kept.id.hex}"
    page = Page(owner.get(one).text)
    assert (page.fields["recipient"], page.fields["delivered_on"]) == (["Office of the Speaker"], ["2026-01-05"])
    change = {**delivery(acknowledged_on="2026-01-07"), "shown": page.fields["shown"][0]}
    assert owner.post(one, change).headers["location"] == f"{DELIVERIES}?done=changed"
    words = Page(owner.get(f"{DELIVERIES}?done=changed").text).words
    assert "Acknowledged on 7 January 2026" in words
    late = owner.post(one, {**change, "way": "mail"})
    assert (late.status_code, Page(late.text).fields["way"][0]) == (409, "mail")
    assert owner.post(f"{one}/remove").headers["location"] == f"{DELIVERIES}?done=removed"
    assert owner.get(one).status_code == 404
    assert owner.post(DELIVERIES, form).status_code == 404


@on_one_database
def test_what_is_wrong_with_a_delivery_is_said_beside_its_field(stage: Stage) -> None:
    owner = owned(stage)
    wrong = (
        ({"recipient": " "}, "recipient"),
        ({"recipient": "x" * 10_000}, "recipient"),
        ({"delivered_on": "2999-01-01"}, "delivered_on"),
        ({"delivered_on": ""}, "delivered_on"),
        ({"way": "pigeon"}, "way"),
        ({"number": "1"}, "number"),
        ({"number": "x"}, "number"),
        ({"acknowledged_on": "2026-01-04"}, "acknowledged_on"),
        ({"answered_on": "soon"}, "answered_on"),
    )
    for changes, field in wrong:
        said = owner.post(DELIVERIES, delivery(**changes))
        assert (said.status_code, list(Page(said.text).faults)) == (422, [field]), changes
    assert deliveries(stage) == []
    owner.post(DELIVERIES, delivery())
    [kept] = deliveries(stage)
    shown = Page(owner.get(f"{DELIVERIES}/{kept.id.hex}").text).fields["shown"][0]
    for changes, field in (wrong[0], wrong[5]):
        said = owner.post(f"{DELIVERIES}/{kept.id.hex}", {**delivery(**changes), "shown": shown})
        assert (said.status_code, list(Page(said.text).faults)) == (422, [field])
    # The same form changed after going back is shown beside what is noted.
    assert owner.post(DELIVERIES, delivery(once=kept.id.hex, way="mail")).status_code == 409


@on_one_database
def test_a_translator_reads_and_changes_nothing(stage: Stage) -> None:
    translator = owned(stage, "translator")
    page = translator.get(HERE)
    assert page.status_code == 200
    assert f"{HERE}/head" not in page.text
    assert f"{HERE}/to/1" not in page.text
    assert f"{HERE}/issue" not in page.text
    assert f"{DELIVERIES}/new" not in translator.get(DELIVERIES).text
