"""Sheets in the workspace and on the public pages: typed, closed, removed; seen by those who type and nobody else."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest
import time_machine
from PIL import Image
from sqlalchemy import select, update

from app.core.clock import utc_now
from app.documents.tables import write_csv
from app.models import AccountSession, Campaign, PaperBatch, PaperLine, Record
from app.proofs.verifying import Options, Verifier, verify
from app.rules.paper import LINES
from tests.office.test_inviting import STAFF, invite, join, link_to
from tests.reporting import append, files_of, issue, sign, write_files
from tests.stage import on_one_database
from tests.web.html import Page

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.stage import Organiser, Stage

HERE: Final = "/en/workspace/campaigns/libraries/paper"
HOSTILE: Final = (
    "<script>alert(1)</script>", "{{ 7*7 }}", "#panic()", '#read("/etc/passwd")', "$x$ \\ @label <label>",
    "\u202eevil\x00\x07", "x" * 10_000,
)  # fmt: skip


def team(stage: Stage, *roles: str) -> list[Organiser]:
    """Bring a campaign, and somebody of its team for each role."""
    slug = stage.campaign(asks=["postal_code"])
    people = [stage.organiser(f"{role}{number}@example.org") for number, role in enumerate(roles)]
    for person, role in zip(people, roles, strict=True):
        stage.join(slug, person, role, ["fr"] if role == "translator" else [])
    return people


def batch_form(**changes: str) -> dict[str, str]:
    return {"kind": "free", "way": "entered", "edition": "1", "collected_on": "2026-01-05", "place": "A temple",
            "sheets": "2", "stated": "12", "sample": "0", **changes}  # fmt: skip


def register(person: Organiser, **changes: str) -> httpx.Response:
    once = Page(person.get(f"{HERE}/new").text).fields["once"][0]
    return person.post(f"{HERE}/new", {"once": once, **batch_form(**changes)})


def shown_of(page: httpx.Response) -> str:
    return Page(page.text).fields["shown"][0]


def grid(page: httpx.Response, *lines: tuple[str, str]) -> dict[str, str]:
    """Return what a browser sends of the grid that it was shown, the first lines typed over."""
    fields = Page(page.text).fields
    typed = {name: values[0] for name, values in fields.items() if re.fullmatch(r"[nc]\d+", name)}
    assert len(typed) == 2 * LINES
    for number, (name, code) in enumerate(lines, 1):
        typed |= {f"n{number}": name, f"c{number}": code}
    return {**typed, "shown": fields["shown"][0]}


def people(number: int, first: str = "Sok") -> list[tuple[str, str]]:
    return [(f"{first} {chr(65 + each)}a", "V3B 1A1") for each in range(number)]


def test_sheets_are_registered_typed_counted_and_told_apart(stage: Stage) -> None:
    (owner,) = team(stage, "owner")
    assert "No batch is registered yet." in owner.get(HERE).text
    said = register(owner)
    assert (said.status_code, said.headers["location"]) == (303, f"{HERE}/1")
    sheet = f"{HERE}/1/sheets/1"
    empty = owner.get(sheet)
    assert 'name="n1" value="" aria-label="Name, line 1"' in empty.text
    # Enter saves, and the next line has the focus; on a line without anything new it goes on to the next sheet.
    said = owner.post(sheet, grid(empty, *people(10), ("-", "")))
    assert said.headers["location"] == sheet
    after = owner.get(sheet)
    assert re.findall(r'name="(\w+)"[^>]* autofocus', after.text) == ["n12"]
    assert owner.post(sheet, grid(after)).headers["location"] == f"{HERE}/1/sheets/2"
    second = owner.get(f"{HERE}/1/sheets/2")
    twice = {**grid(second, ("sok aa", "v3b1a1"), ("New Person", "")), "next": "yes"}
    assert owner.post(f"{HERE}/1/sheets/2", twice).headers["location"] == f"{HERE}/1"
    flagged = Page(owner.get(f"{HERE}/1/sheets/2").text).words
    assert "On the sheets already Also on sheet 1, line 1. It counts once." in flagged
    page = owner.get(f"{HERE}/1").text
    assert "1 of them is not to count" in page
    unsure = owner.post(f"{HERE}/1/close")
    assert (unsure.status_code, list(Page(unsure.text).faults)) == (422, ["sure"])
    assert owner.post(f"{HERE}/1/close", {"sure": "yes"}).headers["location"] == f"{HERE}/1"
    closed = Page(owner.get(f"{HERE}/1").text).words
    assert "11 signatures" in closed
    assert "were destroyed when it was closed" in closed
    assert "Also on" not in closed
    assert owner.get(sheet).status_code == 404
    for locale, count in (("en", "11"), ("fr", "11"), ("km", "១១")):
        words = Page(stage.get(f"/{locale}/campaigns/libraries").text).words
        assert count in words
    api = stage.get("/api/v1/campaigns/libraries/count").json()
    assert (api["signatures"], api["paper"]) == (0, 11)
    whole = stage.get("/api/v1/campaigns/libraries").json()
    assert (whole["signatures"], whole["paper"]) == (0, 11)
    assert "They are not verified by us, and not part of the number above." in stage.get("/en/campaigns/libraries").text
    # Removed: gone from everywhere, and on record.
    assert owner.post(f"{HERE}/1/remove").status_code == 422
    assert owner.post(f"{HERE}/1/remove", {"because": "twice"}).status_code == 303
    assert stage.get("/api/v1/campaigns/libraries/count?x=1").json()["paper"] == 0
    stage.house.shelf._entries.clear()  # a second later
    assert "Signatures on paper" not in stage.get("/en/campaigns/libraries?x=1").text
    [line] = stage.read(lambda session: list(session.scalars(select(Record).where(Record.what == "paper_removed"))))
    assert line.details == {"batch": 1, "because": "twice", "was": "closed", "signatures": 11}
    assert owner.post(f"{HERE}/1/remove", {"because": "twice"}).status_code == 303  # pressed twice
    assert stage.sql("SELECT count(*) FROM paper_lines") == [(0,)]


def test_a_team_cannot_learn_from_a_sheet_who_signed_online(stage: Stage) -> None:
    """Nine invented names and one real one: all that an editor sees is the same, whether or not that one signed."""
    editor = stage.organiser("editor@example.org")
    signers = {"where-she-did": TARGET[0], "where-she-not": "Meas Bopha"}
    for slug in signers:
        stage.campaign(slug=slug, asks=["postal_code"])
        stage.join(slug, editor, "editor")
    views = []
    minute = utc_now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    for slug, signer in signers.items():
        with time_machine.travel(minute, tick=True):  # the same for both: pages say the minute
            stage.sign(slug, name=signer, email=f"{slug}@example.org", browser=stage.new_browser())
            (letter,) = stage.letters_to(f"{slug}@example.org")
            assert stage.post(f"/en/confirm/{letter.token('confirm')}", {"signing": "1"}).status_code < 400
            stage.roll_up()
            assert stage.count(slug) == 1
            views.append(see_everything(stage, editor, slug))
    one, other = views
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} == set()
    said = one["closed 1"]
    assert "10 signatures" in said
    assert one["signatures, duplicates"] == "[(10, 0), (0, 1), (1, 0)]"
    # What is the same is looked at: with the name of the one who signs in place of the target it is not.
    assert one["sheet 1"].count(TARGET[0]) == 1


TARGET: Final = ("Sophea Sok", "V3B 1A1")


def see_everything(stage: Stage, editor: Organiser, slug: str) -> dict[str, str]:
    """Type the target among invented names, again, and with another; return all that is to be seen of it."""
    here = HERE.replace("libraries", slug)
    seen: dict[str, str] = {}
    at = utc_now().replace(minute=0, second=0, microsecond=0)
    typed = ([*people(9, "Invented"), TARGET], [TARGET], [("Sok Sophea", "V3B 1A2")])
    for number, lines in enumerate(typed, 1):
        once = Page(editor.get(f"{here}/new").text).fields["once"][0]
        editor.post(f"{here}/new", {"once": once, **batch_form(sheets="1")})
        stage.write(lambda session: session.execute(update(PaperBatch).values(registered_at=at)))
        sheet = f"{here}/{number}/sheets/1"
        saved = editor.post(sheet, grid(editor.get(sheet), *lines))
        seen |= {f"saved {number}": f"{saved.status_code} {saved.headers} {saved.text}"}
        seen |= {f"sheet {number}": editor.get(sheet).text, f"open {number}": editor.get(f"{here}/{number}").text}
        closed = editor.post(f"{here}/{number}/close", {"sure": "yes"})
        seen |= {f"closing {number}": f"{closed.status_code} {closed.headers} {closed.text}"}
    stage.write(lambda session: session.execute(update(PaperBatch).values(closed_at=at)))
    seen |= {f"closed {number}": editor.get(f"{here}/{number}").text for number in (1, 2, 3)}
    seen["list"] = editor.get(here).text
    for path in ("", "/figures", "/check", "/history"):
        seen[path] = editor.get(f"/en/workspace/campaigns/{slug}{path}").text
    stage.house.shelf._entries.clear()  # a second later
    for path in ("", "/count", "/paper", "/letters"):
        seen[f"public {path}"] = stage.get(f"/en/campaigns/{slug}{path}?x=1").text
        seen[f"json {path}"] = stage.get(f"/api/v1/campaigns/{slug}{path}?x=1").text
    come_to = "SELECT b.signatures, b.duplicates FROM paper_batches b JOIN campaigns c ON c.id = b.campaign_id"
    rows = stage.sql(f"{come_to} WHERE c.slug = :slug ORDER BY b.number", slug=slug)
    seen["signatures, duplicates"] = str([tuple(row) for row in rows])
    chosen = select(Record.what, Record.details).join(Campaign, Campaign.id == Record.campaign_id)
    chosen = chosen.where(Campaign.slug == slug, Record.account_id == editor.account_id).order_by(Record.id)
    seen["record"] = str(stage.read(lambda session: [tuple(row) for row in session.execute(chosen)]))
    kept = select(PaperLine.sheet, PaperLine.line, PaperLine.verdict).join(
        Campaign, Campaign.id == PaperLine.campaign_id
    )
    kept = kept.where(Campaign.slug == slug).order_by(PaperLine.verdict, PaperLine.sheet, PaperLine.line)
    seen["lines"] = str(stage.read(lambda session: [tuple(row) for row in session.execute(kept)]))
    return {name: plain(text) for name, text in seen.items()}


def plain(text: str) -> str:
    """Return a page without what differs of itself: its address, random ids, fingerprints, moments to the second."""
    text = re.sub(r"[0-9a-f]{12,64}", "ID", re.sub(r"where-she-(did|not)", "SLUG", text))
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)?", "AT", text)


@on_one_database
def test_who_does_not_type_sees_nothing_of_it(stage: Stage) -> None:
    owner, editor, translator, viewer = team(stage, "owner", "editor", "translator", "viewer")
    stranger = stage.organiser("stranger@example.org")
    stage.join(stage.campaign(slug="another"), stranger, "owner")
    register(editor)
    sheet = f"{HERE}/1/sheets/1"
    editor.post(sheet, grid(editor.get(sheet), *people(2)))
    send_photo(editor, sheet, photo())
    given = editor.get(f"{sheet}/photo")
    assert (given.headers["content-type"], given.headers["cache-control"]) == ("image/jpeg", "no-store")
    assert given.headers["x-content-type-options"] == "nosniff"
    assert "Sok Aa" in owner.get(sheet).text
    assert "no-store" in owner.get(sheet).headers["cache-control"]
    for path in (HERE, f"{HERE}/1", sheet, f"{sheet}/photo", f"{HERE}/1/again", f"{HERE}/1/change"):
        for person in (translator, viewer, stranger):
            said = person.get(path)
            assert said.status_code == 404
            assert "Sok Aa" not in said.text
        assert stage.get(path).status_code == 404
        assert stranger.get(path.replace("libraries", "another")).status_code == (200 if path == HERE else 404)
    for person in (translator, viewer):
        assert f'href="{HERE}"' not in person.get("/en/workspace/campaigns/libraries").text
        assert person.post(sheet, {"n1": "Else"}).status_code == 404
    # What is sealed is not to be read in the database either.
    rows = stage.read(lambda session: session.execute(select(PaperLine.name, PaperLine.postal_code)).all())
    assert not any(b"Sok" in (row.name or b"") or b"V3B" in (row.postal_code or b"") for row in rows)
    editor.post(f"{sheet}/photo/remove")
    assert editor.get(f"{sheet}/photo").status_code == 404
    # Whoever loses the role in the meantime loses the sight of it.
    stage.join("libraries", editor, "viewer")
    assert editor.get(sheet).status_code == 404


def photo(size: tuple[int, int] = (64, 48)) -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", size, "white").save(drawn, format="JPEG", exif=Image.Exif())
    return drawn.getvalue()


def send_photo(person: Organiser, sheet: str, content: bytes, token: str | None = None) -> httpx.Response:
    return person.stage.run(
        person.browser.post(
            f"{sheet}/photo",
            data={"form_token": person.form_token if token is None else token},
            files={"photo": ("sheet.jpg", content, "image/jpeg")} if content else {"photo": ("", b"")},
        )
    )


@on_one_database
@pytest.mark.parametrize(
    "content",
    [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", photo()[:80], b"\xff\xd8\xff" + b"\0" * 999],
)
def test_what_is_no_picture_is_refused_in_words(stage: Stage, content: bytes) -> None:
    (owner,) = team(stage, "owner")
    register(owner, way="counted")
    sheet = f"{HERE}/1/sheets/1"
    said = send_photo(owner, sheet, content)
    assert said.status_code == 422
    assert "photo" in Page(said.text).faults
    assert send_photo(owner, sheet, photo(), token="another's").status_code == 403
    assert stage.sql("SELECT count(*) FROM paper_photos") == [(0,)]
    assert 'name="n1"' not in said.text  # nothing is typed of what is only counted
    assert owner.post(sheet, {"n1": "Sok"}).status_code == 404


def test_two_people_at_one_sheet_see_what_the_other_read(stage: Stage) -> None:
    one, other = team(stage, "owner", "editor")
    register(one)
    sheet = f"{HERE}/1/sheets/1"
    empty = other.get(sheet)
    one.post(sheet, grid(one.get(sheet), ("Sok Sophea", "V3B 1A1")))
    typed = grid(empty, ("Sok Sophia", "V3B 1A1"), ("Chan Dara", "bad code"), ("Kim Srey", ""))
    said = other.post(sheet, typed)
    assert said.status_code == 422
    words, fields = Page(said.text).words, Page(said.text).fields
    assert "Saved now: Sok Sophea – V3B 1A1" in words
    assert [fields[name][0] for name in ("n1", "n2", "c2", "n3")] == ["Sok Sophia", "Chan Dara", "bad code", "Kim Srey"]
    assert 'aria-invalid="true" aria-describedby="fault-2"' in said.text
    # What was right is saved; sent again from that page, all of it is.
    assert stage.sql("SELECT line FROM paper_lines ORDER BY line") == [(1,), (3,)]
    again = grid(said, ("Sok Sophia", "V3B 1A1"), ("Chan Dara", ""), ("Kim Srey", ""))
    assert other.post(sheet, again).status_code == 303
    assert Page(one.get(sheet).text).fields["n1"] == ["Sok Sophia"]
    # Emptied.
    assert one.post(sheet, grid(one.get(sheet), ("", ""))).status_code == 303
    assert stage.sql("SELECT line FROM paper_lines ORDER BY line") == [(2,), (3,)]


def test_what_is_typed_while_somebody_closes_is_shown_to_be_copied(stage: Stage) -> None:
    one, other = team(stage, "owner", "editor")
    register(one)
    sheet = f"{HERE}/1/sheets/1"
    one.post(sheet, grid(one.get(sheet), *people(3)))
    late, changing = other.get(sheet), other.get(f"{HERE}/1/change")
    assert changing.status_code == 200
    assert one.post(f"{HERE}/1/close", {"sure": "yes"}).status_code == 303
    said = other.post(sheet, grid(late, *people(3), ("Late Comer", "98101")))
    assert said.status_code == 409
    assert "Late Comer 98101" in Page(said.text).words
    assert "Somebody else has closed or removed this batch" in said.text
    for path, data in (
        ("again", {"n1.1": "Sok"}),
        ("settle", {"place": "1.1", "right": "0" * 12}),
        ("change", batch_form()),
        ("close", {"sure": "yes"}),
        ("sheets/1/photo/remove", {}),
    ):
        assert other.post(f"{HERE}/1/{path}", data).status_code == 409, path
    assert send_photo(other, sheet, photo()).status_code == 409
    assert stage.get("/api/v1/campaigns/libraries/count").json()["paper"] == 3


def test_a_second_reading_is_blind_and_what_differs_is_settled(stage: Stage) -> None:
    one, other = team(stage, "owner", "editor")
    register(one, sample="5")
    sheet = f"{HERE}/1/sheets/1"
    one.post(sheet, grid(one.get(sheet), *people(11)))
    assert "What is left was typed by you" in one.get(f"{HERE}/1").text
    assert "There is nothing for you" in one.get(f"{HERE}/1/again").text
    again = other.get(f"{HERE}/1/again")
    assert "Sok" not in again.text
    assert 'name="n1.5"' in again.text
    assert 'name="n1.10"' in again.text
    said = other.post(f"{HERE}/1/again", {"n1.5": "Sok Ea", "c1.5": "V3B 1A1", "n1.10": "<b>", "x": "y", "n0.1": "z"})
    assert (said.status_code, Page(said.text).fields["n1.10"]) == (422, ["<b>"])
    assert one.post(f"{HERE}/1/close", {"sure": "yes"}).status_code == 409
    assert other.post(f"{HERE}/1/again", {"n1.10": "Sok Jo", "c1.10": ""}).status_code == 303
    page = one.get(f"{HERE}/1")
    assert "Sheet 1, line 10" in page.text
    assert "This is right: <span translate" in page.text.replace("\n", "")
    settle = Page(page.text).fields
    assert settle["place"] == ["1.10", "1.10"]
    assert one.post(f"{HERE}/1/settle", {"place": "x"}).status_code == 400
    assert one.post(f"{HERE}/1/settle", {"place": "1.10", "right": "0" * 12}).status_code == 303
    right = {"place": "1.10", "right": settle["right"][0]}
    assert one.post(f"{HERE}/1/settle", right).status_code == 303
    assert other.post(f"{HERE}/1/again").headers["location"] == f"{HERE}/1"
    assert one.post(f"{HERE}/1/close", {"sure": "yes"}).status_code == 303
    assert stage.get("/api/v1/campaigns/libraries/count").json()["paper"] == 11


@on_one_database
def test_a_batch_counted_by_hand_says_its_number_at_the_end(stage: Stage) -> None:
    (owner,) = team(stage, "owner")
    register(owner, way="counted", kind="commons", sample="5")
    said = owner.post(f"{HERE}/1/close", {"counted": "-3", "sure": "yes"})
    assert (said.status_code, list(Page(said.text).faults)) == (422, ["counted"])
    assert owner.post(f"{HERE}/1/close", {"counted": "១១", "sure": "yes"}).status_code == 303
    assert stage.get("/api/v1/campaigns/libraries/count").json()["paper"] == 11
    assert owner.get(f"{HERE}/1/change").headers["location"] == f"{HERE}/1"


@on_one_database
def test_what_was_said_of_a_batch_can_be_corrected_over_what_is_typed(stage: Stage) -> None:
    (owner,) = team(stage, "owner")
    register(owner)
    sheet = f"{HERE}/1/sheets/2"
    owner.post(sheet, grid(owner.get(sheet), *people(1)))
    said = owner.post(f"{HERE}/1/change", batch_form(sheets="1"))
    assert (said.status_code, list(Page(said.text).faults)) == (422, ["sheets"])
    said = owner.post(f"{HERE}/1/change", batch_form(sheets="7", place="<b>A hall</b>", way="counted"))
    assert said.headers["location"] == f"{HERE}/1"
    page = owner.get(f"{HERE}/1").text
    assert "&lt;b&gt;A hall&lt;/b&gt;" in page
    assert "Sheet 7" in page
    assert owner.post(f"{HERE}/1/change", batch_form(edition="9")).status_code == 404
    assert owner.post(f"{HERE}/1/again", {"n1.5": "", "c1.5": ""}).headers["location"] == f"{HERE}/1"


@on_one_database
def test_nothing_typed_cannot_be_closed_and_removing_wants_a_fresh_proof(stage: Stage) -> None:
    (owner,) = team(stage, "owner")
    register(owner)
    said = owner.post(f"{HERE}/1/close", {"sure": "yes"})
    assert (said.status_code, Page(said.text).faults["sure"]) == (409, "Error: Nothing is typed of this batch yet")
    long_ago = update(AccountSession).values(proven_at=datetime(2025, 1, 1, tzinfo=UTC))
    stage.write(lambda session: session.execute(long_ago))
    said = owner.post(f"{HERE}/1/remove", {"because": "mistake"})
    assert said.status_code != 303 or "/paper/1" not in said.headers["location"]
    assert stage.sql("SELECT state FROM paper_batches") == [("open",)]


@on_one_database
@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "", "way": "", "sheets": "", "stated": "", "collected_on": "yesterday"},
         {"kind", "way", "sheets", "stated", "collected_on"}),
        ({"sheets": "0", "stated": "-1", "collected_on": "2999-01-01"}, {"sheets", "stated", "collected_on"}),
        ({"sheets": "201", "stated": "1" * 10_000, "place": "x" * 10_000}, {"sheets", "stated", "place"}),
        ({"kind": "#panic()", "way": "{{7*7}}", "sheets": "<b>"}, {"kind", "way", "sheets"}),
    ],
)  # fmt: skip
def test_a_wrong_form_comes_back_with_everything_kept(stage: Stage, changes: dict[str, str], wrong: set[str]) -> None:
    (owner,) = team(stage, "owner")
    said = register(owner, **changes)
    page = Page(said.text)
    assert said.status_code == 422
    assert set(page.faults) == wrong
    assert page.fields["place"][0] == changes.get("place", "A temple")
    assert register(owner, sheets="២", stated="១២").status_code == 303
    said = owner.post(f"{HERE}/1/change", batch_form(**{**changes, "sheets": ""}))
    assert said.status_code == 422


@on_one_database
def test_odd_addresses_and_odd_forms_are_answered(stage: Stage) -> None:
    (owner,) = team(stage, "owner")
    register(owner)
    for path in ("0", "2", "x", "1/sheets/3", "1/sheets/0", "1/sheets/x", "9" * 40, "1/sheets/1/photo", "1/sheets/999"):
        assert owner.get(f"{HERE}/{path}").status_code == 404, path
    assert owner.post(f"{HERE}/new", {"once": "x", **batch_form()}).status_code == 400
    once = Page(owner.get(f"{HERE}/new").text).fields["once"][0]
    assert owner.post(f"{HERE}/new", {"once": once, **batch_form(edition="7")}).status_code == 404
    sheet = f"{HERE}/1/sheets/1"
    lines = [(text, text) for text in HOSTILE]
    said = owner.post(sheet, grid(owner.get(sheet), *lines))
    assert said.status_code == 422
    assert "<script>alert" not in said.text
    assert "&lt;script&gt;" in said.text
    assert stage.sql("SELECT count(*) FROM paper_lines") == [(0,)]
    owner.post(sheet, {**grid(owner.get(sheet), ("Sok Sophea", "")), "shown": "1:zz, 99:" + "0" * 12})
    assert stage.sql("SELECT count(*) FROM paper_lines") == [(1,)]
    # With the key gone nothing can be typed or read any more.
    stage.sql_write("DELETE FROM campaign_keys")
    assert owner.get(sheet).status_code == 404
    assert owner.get(f"{HERE}/1").status_code == 200
    assert owner.post(f"{HERE}/1/close", {"sure": "yes"}).status_code == 409


@on_one_database
def test_where_to_bring_sheets_is_on_the_page_for_those_without_an_address(stage: Stage) -> None:
    one, other = team(stage, "owner", "editor")
    here = "/campaigns/libraries/paper"
    assert f'href="/fr{here}"' in stage.get("/fr/campaigns/libraries").text
    before = stage.get(f"/en{here}").text
    assert "have not said yet" in before
    assert f'href="/en{here}.pdf?kind=free"' in before
    assert f'href="/en{here}.pdf?kind=commons"' in before
    text = "Wat Khmer\r\n1 Main Street <script>\r\n\r\nSundays, 9 to 12"
    stale = shown_of(other.get(HERE))
    assert one.post(f"{HERE}/return", {"paper_return": text, "shown": shown_of(one.get(HERE))}).status_code == 303
    for locale in ("km", "en", "fr"):
        page = stage.get(f"/{locale}{here}?x=1")
        assert page.status_code == 200
        assert "Wat Khmer<br>1 Main Street &lt;script&gt;" in page.text
    said = other.post(f"{HERE}/return", {"paper_return": "Elsewhere", "shown": stale})
    assert said.status_code == 409
    assert "Wat Khmer" in said.text
    assert "Elsewhere" in said.text
    assert other.post(f"{HERE}/return", {"paper_return": "Elsewhere", "shown": shown_of(said)}).status_code == 303
    assert other.post(f"{HERE}/return", {"paper_return": "x" * 1001, "shown": "Elsewhere"}).status_code == 422
    assert "Elsewhere" in stage.get(f"/en{here}?x=2").text


@on_one_database
@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"state": "closed"}, 200, "Signing has ended."),
        ({"state": "scheduled", "opens_at": datetime(2999, 1, 1, tzinfo=UTC), "closes_at": None}, 200, "not open at"),
        ({"state": "stopped"}, 404, ""),
        ({"state": "draft"}, 404, ""),
        ({"signatories": "organisations"}, 404, ""),
    ],
)
def test_the_page_says_whether_sheets_are_taken(stage: Stage, values: dict[str, Any], status: int, words: str) -> None:
    (owner,) = team(stage, "owner")
    stage.write(lambda session: session.execute(update(Campaign).values(**values)))
    said = stage.get("/en/campaigns/libraries/paper")
    assert said.status_code == status
    assert words in said.text
    is_taken = values.get("state") in {"closed", "scheduled"}
    assert ("Register a batch" in owner.get(HERE).text) == is_taken
    assert register(owner).status_code == (303 if is_taken else 409)


def test_a_report_tells_of_paper_apart_and_still_holds(stage: Stage, tmp_path: Path) -> None:
    (owner,) = team(stage, "owner")
    sign(stage, "libraries", 60)
    append(stage, "libraries")
    register(owner, way="counted", sheets="4")
    owner.post(f"{HERE}/1/close", {"counted": "5037", "sure": "yes"})
    files = files_of(stage, "libraries", issue(stage, "libraries"))
    figures = json.loads(files["counts.json"])
    assert figures["paper"] == {"signatures": 5037, "batches": 1, "sheets": 4}
    assert figures["signatures"] == figures["way"][-1]["forms"] == 60
    assert files["counts.csv"].decode().splitlines()[-1].startswith("paper,signatures,")
    assert b"5097" not in write_csv(figures)
    with zipfile.ZipFile(io.BytesIO(files["counts.xlsx"])) as book:
        assert b"Signatures on paper, not verified" in book.read("xl/sharedStrings.xml")
    assert "counted by the organisers: 5,037 (sheets: 4, batches: 1)" in files["README.txt"].decode()
    write_files(tmp_path / "report", files)
    lines: list[str] = []
    keys = tuple(Verifier.parse(each) for each in figures["keys"])
    assert verify(tmp_path / "report", locale="en", options=Options(keys), tell=lines.append) == 0
    [told] = [line for line in lines if "ink" in line]
    assert told == "✓ Signatures in ink stand apart (5037): they are in no sum here, and nothing here verifies them."
    page = stage.get("/en/campaigns/libraries/reports/1")
    assert "counted by the organisers: 5,037" in page.text
    # The office reads the same.
    invite(stage)
    join(stage, link_to(stage))
    seen = stage.organiser(STAFF).get("/fr/office/campaigns/libraries")
    assert re.search(r"5\s037 \(", seen.text) or "5,037 (" in seen.text
    assert not re.search(r"5[\s,]097", seen.text)
    # No signature of a person came of it.
    assert stage.sql("SELECT count(*) FROM signatures") == [(60,)]
