"""The editor: boxes in three languages, saved side by side, and nothing lost when two write in one."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.actions import drafts
from app.actions.drafts import BoxName, BoxNotFound, Conflict, Saved, save_box
from app.core.clock import utc_now
from app.models import Account, Campaign, TextPart, open_account_key
from app.queries.checks import find_check
from app.queries.drafts import find_board, find_draft
from tests.stage import Organiser, on_one_database, small_campaign
from tests.workspace.drafts import draft

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Stage

AT = "/en/workspace/campaigns/libraries/text"
#: What a page says does not hang on the database; what is written and raced for is tested on both.


@pytest.fixture
def owner(stage: Stage) -> Organiser:
    """Write the small campaign's draft as its owner."""
    slug = draft(stage, {})
    somebody = stage.organiser("sokha@example.org")
    stage.join(slug, somebody)
    return somebody


def _box(name: str, locale: str, text: str, version: int, **more: str) -> dict[str, str]:
    return {f"text.{name}.{locale}": text, f"version.{name}.{locale}": str(version), **more}


def _ready(name: str, locale: str) -> dict[str, str]:
    return {f"ready.{name}.{locale}": "yes"}


def _campaign_id(stage: Stage, slug: str = "libraries") -> UUID:
    return stage.read(lambda session: session.scalars(select(Campaign.id).where(Campaign.slug == slug)).one())


def _texts(stage: Stage) -> dict[str, Any]:
    return stage.read(find_draft, campaign_id=_campaign_id(stage))


def _records(stage: Stage, what: str) -> int:
    number: int = stage.sql("SELECT count(*) FROM records WHERE what = :what", what=what)[0][0]
    return number


def _parts(stage: Stage, name: str, locale: str) -> tuple[str, bool, int]:
    (row,) = stage.sql(
        "SELECT text, is_ready, version FROM text_parts WHERE name = :name AND locale = :locale",
        name=name,
        locale=locale,
    )
    return row[0], bool(row[1]), row[2]


@on_one_database
def test_each_box_is_shown_with_its_state(stage: Stage, owner: Organiser) -> None:
    page = owner.get(AT).text
    for text in ("Khmer books in every library", "Des livres khmers partout", "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ"):
        assert text in page
    assert "Request 1" in page
    assert 'id="part-title-km"' in page
    assert "3 of 3 parts ready" in page
    assert "Nothing is missing" in owner.get(f"{AT}?show=todo").text
    only_khmer = owner.get(f"{AT}?languages=km").text
    assert "សៀវភៅខ្មែរគ្រប់បណ្ណាល័យ" in only_khmer
    assert "Des livres khmers partout" not in only_khmer


def test_saving_keeps_words_state_and_history(stage: Stage, owner: Organiser) -> None:
    form = _box("title", "en", "  Books\r\nfor\tall\u202e\x00 ", 1, query="show=todo", place="group-title") | _ready(
        "title", "en"
    )
    answer = owner.post(AT, form)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{AT}?show=todo#group-title"
    assert _parts(stage, "title", "en") == ("Books for all", True, 2)
    # The same again is no new version, and no conflict where the answer was lost.
    for version in (2, 1):
        again = _box("title", "en", "Books for all", version) | _ready("title", "en")
        assert owner.post(AT, again).status_code == 303
    assert _parts(stage, "title", "en") == ("Books for all", True, 2)
    # What was made ready against the older title wants a look now.
    page = owner.get(f"{AT}?show=todo").text
    assert page.count("The source has changed") == 2
    assert page.count("[put in:] </span>all</ins>") == 2  # what has changed in the source since
    # A yes is enough where the translation is still right.
    seen = _box("title", "fr", "Des livres khmers partout", 1) | _ready("title", "fr") | {"reviewed.title.fr": "yes"}
    owner.post(AT, seen)
    assert owner.get(f"{AT}?show=todo").text.count("The source has changed") == 1
    # Taking the tick away is no new version either.
    owner.post(AT, _box("title", "en", "Books for all", 2))
    assert _parts(stage, "title", "en") == ("Books for all", False, 2)


def test_a_box_that_nobody_wrote_in_begins_and_can_be_emptied(stage: Stage, owner: Organiser) -> None:
    assert owner.post(AT, _box("closing", "fr", "", 0) | _ready("closing", "fr")).status_code == 303
    assert stage.sql("SELECT count(*) FROM text_parts WHERE name = 'closing'") == [(0,)]
    owner.post(AT, _box("closing", "fr", "Merci", 0) | _ready("closing", "fr"))
    assert _parts(stage, "closing", "fr") == ("Merci", True, 1)
    owner.post(AT, _box("closing", "fr", "", 1) | _ready("closing", "fr"))
    assert _parts(stage, "closing", "fr") == ("", False, 2)


def test_two_who_write_in_one_box_lose_nothing(stage: Stage, owner: Organiser) -> None:
    other = stage.organiser("dara@example.org")
    stage.join("libraries", other, "editor")
    owner.post(AT, _box("title", "en", "Books for everybody", 1))
    answer = other.post(AT, _box("title", "en", "Books for children", 1) | _box("title", "fr", "Des livres", 1))
    assert answer.status_code == 422
    # Sent again, and then emptied: nothing more is set aside.
    for text in ("Books for children", ""):
        assert other.post(AT, _box("title", "en", text, 1)).status_code == 422
    assert stage.sql("SELECT count(*) FROM part_revisions WHERE is_set_aside") == [(1,)]
    assert "<del>" in answer.text
    assert "everybody" in answer.text
    assert "Books for children" in answer.text
    # The other box of the same form was free.
    assert _parts(stage, "title", "fr") == ("Des livres", False, 2)
    assert _parts(stage, "title", "en") == ("Books for everybody", False, 2)
    assert stage.sql("SELECT text, is_set_aside FROM part_revisions WHERE text LIKE '%children'") in (
        [("Books for children", True)],
        [("Books for children", 1)],
    )
    # The choice that the page offers: mine, now that I have seen theirs.
    other.post(AT, _box("title", "en", "Books for children", 2))
    assert _parts(stage, "title", "en")[0] == "Books for children"


def test_many_at_once_and_every_word_is_kept(stage: Stage, owner: Organiser) -> None:
    campaign_id = _campaign_id(stage)
    written = [f"Books, as number {number} would have it" for number in range(20)]

    async def write(box: BoxName, text: str) -> Saved | Conflict:
        return await stage.database.write(
            save_box,
            campaign_id=campaign_id,
            box=box,
            text=text,
            is_ready=False,
            shown_version=0 if box.name == "closing" else 1,
            account_id=owner.account_id,
            now=utc_now(),
        )

    async def write_all(box: BoxName) -> list[Saved | Conflict]:
        return list(await asyncio.gather(*(write(box, text) for text in written)))

    for box in (BoxName("title", "en"), BoxName("closing", "km")):
        answers = stage.run(write_all(box))
        assert sum(isinstance(answer, Saved) for answer in answers) == 1
        kept = stage.sql(
            "SELECT part_revisions.text FROM part_revisions JOIN text_parts ON text_parts.id = part_id "
            "WHERE name = :name AND locale = :locale",
            name=box.name,
            locale=box.locale,
        )
        assert {row[0] for row in kept} >= set(written)


@on_one_database
def test_a_translator_writes_in_their_own_language_alone(stage: Stage, owner: Organiser) -> None:
    translator = stage.organiser("chan@example.org")
    stage.join("libraries", translator, "translator", ["km"])
    page = translator.get(AT).text
    assert 'name="text.title.km"' in page
    assert 'name="text.title.en"' not in page
    assert "Khmer books in every library" in page
    translator.post(AT, _box("title", "km", "សៀវភៅ", 1) | _box("title", "en", "Mine", 1))
    assert _parts(stage, "title", "km")[0] == "សៀវភៅ"
    assert _parts(stage, "title", "en")[0] == "Khmer books in every library"
    assert translator.post(f"{AT}/part", _box("title", "en", "Mine", 1)).status_code == 404
    assert translator.post(f"{AT}/items", {"arrange": "add", "kind": "request", "once": uuid4().hex}).status_code == 404


@on_one_database
def test_autosave_answers_in_json(stage: Stage, owner: Organiser) -> None:
    saved = owner.post(f"{AT}/part", _box("title", "en", "Books", 1))
    assert saved.status_code == 200
    assert saved.json()["version"] == 2
    assert saved.json()["message"].startswith("Saved at ")
    clash = owner.post(f"{AT}/part", _box("title", "en", "Libraries", 1))
    assert clash.status_code == 409
    assert clash.json()["text"] == "Books"
    assert clash.json()["version"] == 2
    assert owner.post(f"{AT}/part", _box("title", "en", "x" * 301, 2)).status_code == 422
    assert owner.post(f"{AT}/part", {"nothing": "at all"}).status_code == 404
    assert owner.post(f"{AT}/part", {"item": uuid4().hex, **_box("request", "en", "x", 0)}).status_code == 409
    assert owner.post(f"{AT}/part", {"item": "no uuid", **_box("request", "en", "x", 0)}).status_code == 404


@on_one_database
def test_too_long_is_said_beside_the_box_and_kept(stage: Stage, owner: Organiser) -> None:
    answer = owner.post(AT, _box("title", "en", "ក" * 301, 1) | _box("title", "fr", "Des livres", 1))
    assert answer.status_code == 422
    assert "301" in answer.text
    assert "ក" * 301 in answer.text
    assert _parts(stage, "title", "fr")[0] == "Des livres"


def test_items_are_added_moved_removed_and_brought_back(stage: Stage, owner: Organiser) -> None:
    once = uuid4().hex
    for _ in range(2):  # the back button
        owner.post(f"{AT}/items", {"arrange": "add", "kind": "request", "once": once})
    assert stage.sql("SELECT count(*) FROM text_items WHERE kind = 'request'") == [(2,)]
    assert _records(stage, "item_added") == 1
    page = owner.get(AT).text
    first, second = dict.fromkeys(re.findall(r'name="item" value="([0-9a-f-]{36})"', page))
    owner.post(AT, {"item": second, **_box("request", "en", "readers", 0), **_box("request", "km", "អ្នកអាន", 0)})
    # What was typed is saved before the item moves.
    owner.post(f"{AT}/items", {"item": second, **_box("request", "en", "more readers", 1), "arrange": "up"})
    assert _texts(stage)["en"].requests == ("more readers", "books")
    owner.post(f"{AT}/items", {"item": second, "arrange": "up"})
    owner.post(f"{AT}/items", {"item": second, "arrange": "down"})
    assert _texts(stage)["en"].requests == ("books", "more readers")
    owner.post(f"{AT}/items", {"item": first, "arrange": "remove"})
    assert _texts(stage)["en"].requests == ("more readers",)
    gone = owner.post(AT, {"item": first, **_box("request", "en", "late words", 1)})
    assert gone.status_code == 422
    assert "Removed parts" in gone.text
    for _ in range(2):
        owner.post(f"{AT}/items", {"item": first, "arrange": "bring_back"})
    assert _texts(stage)["en"].requests == ("more readers", "books")
    assert _records(stage, "item_restored") == 1
    for wrong in ({"item": first, "arrange": "fly"}, {"arrange": "up"}, {"item": uuid4().hex, "arrange": "up"}):
        assert owner.post(f"{AT}/items", wrong).status_code == 404
    for wrong in (
        {"arrange": "add", "kind": "poem", "once": uuid4().hex},
        {"arrange": "bring_back", "item": uuid4().hex},
    ):
        assert owner.post(f"{AT}/items", wrong).status_code == 404


def test_a_list_has_as_many_items_as_a_file_takes(
    stage: Stage, owner: Organiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "MAX_LIST", 2)
    removed, once = _item(stage), uuid4().hex
    for _ in range(2):  # the last that fits, and the back button
        assert owner.post(f"{AT}/items", {"arrange": "add", "kind": "request", "once": once}).status_code == 303
    more = {"arrange": "add", "kind": "request", "once": uuid4().hex}
    answer = owner.post(f"{AT}/items", more)
    assert answer.status_code == 422
    assert "This list is too long" in answer.text
    owner.post(f"{AT}/items", {"arrange": "remove", "item": removed})
    assert owner.post(f"{AT}/items", more).status_code == 303
    assert owner.post(f"{AT}/items", {"arrange": "bring_back", "item": removed}).status_code == 422
    assert stage.sql("SELECT count(*) FROM text_items WHERE removed_at IS NULL") == [(2,)]
    assert _records(stage, "item_restored") == 0


def test_two_who_arrange_at_once_leave_an_order(stage: Stage, owner: Organiser) -> None:
    for _ in range(4):
        owner.post(f"{AT}/items", {"arrange": "add", "kind": "recital", "once": uuid4().hex})
    items = [row[0] for row in stage.sql("SELECT id FROM text_items WHERE kind = 'recital'")]
    browsers = [stage.organiser("sokha@example.org") for _ in range(4)]
    tokens = [each.form_token for each in browsers]

    async def move_all() -> None:
        await asyncio.gather(
            *(
                each.browser.post(f"{AT}/items", data={"item": str(item), "arrange": "up", "form_token": token})
                for each, token, item in zip(browsers, tokens, items, strict=True)
            )
        )

    stage.run(move_all())
    positions = sorted(row[0] for row in stage.sql("SELECT position FROM text_items WHERE kind = 'recital'"))
    assert positions == [0, 1, 2, 3]


def test_history_says_who_wrote_what_and_restores(stage: Stage, owner: Organiser) -> None:
    owner.post(AT, _box("title", "en", "Books for all", 1))
    link = re.search(
        rf'"({AT}/[0-9a-f-]+/history)"[^>]*>History<span class="vh">, Title, <span lang="en"', owner.get(AT).text
    )
    assert link is not None
    page = owner.get(link[1])
    assert "Version 2" in page.text
    assert re.search(r"<ins>.*all", page.text)
    (old,) = stage.sql("SELECT id FROM part_revisions WHERE text = 'Khmer books in every library'")
    stale = owner.post(link[1], {"revision": str(old[0]), "version": "1"})
    assert stale.status_code == 422
    assert owner.post(link[1], {"revision": str(old[0]), "version": "2"}).status_code == 303
    assert _parts(stage, "title", "en") == ("Khmer books in every library", False, 3)
    for unknown in (uuid4().hex, "x"):
        assert owner.post(link[1], {"revision": unknown, "version": "3"}).status_code == 404
    # Who writes in another language restores nothing in this one.
    translator = stage.organiser("chan@example.org")
    stage.join("libraries", translator, "translator", ["km"])
    assert translator.post(link[1], {"revision": str(old[0]), "version": "3"}).status_code == 404
    assert owner.get(f"{AT}/{uuid4()}/history").status_code == 404
    assert owner.get(f"{AT}/x/history").status_code == 404
    assert owner.post(f"{AT}/x/history", {"revision": "x"}).status_code == 404
    stage.sql_write("UPDATE campaigns SET state = 'review'")
    assert owner.post(link[1], {"revision": str(old[0]), "version": "3"}).status_code in {404, 422}


@on_one_database
def test_nobody_writes_while_a_text_is_reviewed(stage: Stage, owner: Organiser) -> None:
    stage.sql_write("UPDATE campaigns SET state = 'review'")
    page = owner.get(AT).text
    assert "<textarea" not in page
    answer = owner.post(AT, _box("title", "en", "Too late, and kept on this page", 1))
    assert answer.status_code == 422
    assert _parts(stage, "title", "en")[2] == 1
    assert owner.post(f"{AT}/part", _box("title", "en", "Too late", 1)).status_code == 409
    assert owner.post(f"{AT}/items", {"arrange": "add", "kind": "faq", "once": uuid4().hex}).status_code == 422


@on_one_database
def test_an_open_campaign_is_written_on_without_changing_its_edition(stage: Stage) -> None:
    slug = stage.campaign(small_campaign("open"))
    owner = stage.organiser("sokha@example.org")
    stage.join(slug, owner)
    address = f"/en/workspace/campaigns/{slug}/text"
    assert "not public until it is published" in owner.get(address).text
    owner.post(address, _box("title", "en", "A better title", 1))
    assert "A better title" not in stage.get(f"/en/campaigns/{slug}").text


WORDS = "Words that were typed while others were at work on the same text"


def _state(stage: Stage, name: str, locale: str) -> str:
    board = stage.read(find_board, campaign_id=_campaign_id(stage), keyring=stage.keyring)
    return next(box.state for group in board.groups for box in group.boxes if (box.name, box.locale) == (name, locale))


def _item(stage: Stage, kind: str = "request") -> str:
    return str(stage.sql("SELECT id FROM text_items WHERE kind = :kind ORDER BY position", kind=kind)[0][0])


def _part_id(stage: Stage, name: str, locale: str) -> UUID:
    query = select(TextPart.id).where(TextPart.name == name, TextPart.locale == locale)
    return stage.read(lambda session: session.scalars(query).one())


@on_one_database
def test_what_was_typed_as_the_review_began_is_on_the_page(stage: Stage, owner: Organiser) -> None:
    stage.sql_write("UPDATE campaigns SET state = 'review'")
    answer = owner.post(AT, _box("title", "en", WORDS, 1))
    assert answer.status_code == 422
    assert WORDS in answer.text
    answer = owner.post(f"{AT}/items", {"item": _item(stage), "arrange": "up", **_box("request", "fr", WORDS, 1)})
    assert answer.status_code == 422
    assert WORDS in answer.text


@on_one_database
def test_what_was_typed_in_a_part_that_was_removed_is_on_the_page(stage: Stage, owner: Organiser) -> None:
    item = _item(stage)
    owner.post(f"{AT}/items", {"item": item, "arrange": "remove"})
    answer = owner.post(AT, {"item": item, **_box("request", "en", WORDS, 1)})
    assert answer.status_code == 422
    assert WORDS in answer.text


@on_one_database
def test_who_moves_a_part_that_was_removed_is_told(stage: Stage, owner: Organiser) -> None:
    item = _item(stage)
    for _ in range(2):  # the back button
        assert owner.post(f"{AT}/items", {"item": item, "arrange": "remove"}).status_code == 303
    assert _records(stage, "item_removed") == 1
    answer = owner.post(f"{AT}/items", {"item": item, "arrange": "up"})
    assert answer.status_code == 422
    assert "It can be brought back" in answer.text


@on_one_database
def test_a_clash_in_one_box_leaves_its_neighbours_as_they_were_saved(stage: Stage, owner: Organiser) -> None:
    owner.post(AT, _box("title", "en", "Theirs", 1))
    answer = owner.post(AT, _box("title", "en", "Mine", 1) | _box("title", "fr", "Le mien", 1))
    assert answer.status_code == 422
    assert re.findall(r'name="version\.title\.fr" value="(\d+)"', answer.text) == ["2"]
    # The box says what is there, and the words that met it have a form of their own.
    assert re.findall(r'name="text\.title\.en"[^>]*>([^<]*)<', answer.text) == ["Mine", "Theirs"]


def test_a_translation_follows_the_source_that_its_writer_saw(stage: Stage, owner: Organiser) -> None:
    assert 'name="source.title" value="1"' in owner.get(f"{AT}?languages=fr").text
    owner.post(AT, _box("title", "en", "Something else", 1))
    # Whoever has the older page before them translates what it says.
    late = _box("title", "fr", "Des livres", 1) | _ready("title", "fr") | {"source.title": "1"}
    assert owner.post(AT, late).status_code == 303
    assert _state(stage, "title", "fr") == "behind"
    seen = _box("title", "fr", "Autre chose", 2) | _ready("title", "fr") | {"source.title": "2"}
    assert owner.post(AT, seen).status_code == 303
    assert _state(stage, "title", "fr") == "ready"
    # Nobody sees more than there is.
    ahead = _box("title", "fr", "Autre chose !", 3) | _ready("title", "fr") | {"source.title": "9"}
    owner.post(AT, ahead)
    owner.post(AT, _box("title", "en", "Something else again", 2))
    assert _state(stage, "title", "fr") == "behind"
    # Whoever writes both at once knows both.
    both = _box("title", "en", "The last", 3) | _box("title", "fr", "Le dernier", 4) | _ready("title", "fr")
    owner.post(AT, both | {"source.title": "3"})
    assert _state(stage, "title", "fr") == "ready"


def test_a_translation_that_was_ready_before_its_source_is_behind_it(stage: Stage, owner: Organiser) -> None:
    owner.post(AT, _box("closing", "fr", "Merci", 0) | _ready("closing", "fr"))
    owner.post(AT, _box("closing", "km", "អរគុណ", 0))
    assert [_state(stage, "closing", each) for each in ("fr", "km")] == ["ready", "draft"]
    owner.post(AT, _box("closing", "en", "Thank you", 0))
    # The editor and the check say the same of it, and a tick settles it.
    assert [_state(stage, "closing", each) for each in ("fr", "km")] == ["behind", "draft"]
    assert _is_behind_in_check(stage, "closing", "fr")
    seen = _box("closing", "fr", "Merci", 1) | _ready("closing", "fr") | {"reviewed.closing.fr": "yes"}
    owner.post(AT, seen)
    assert _state(stage, "closing", "fr") == "ready"
    assert not _is_behind_in_check(stage, "closing", "fr")


def _is_behind_in_check(stage: Stage, name: str, locale: str) -> bool:
    check = stage.read(find_check, campaign_id=_campaign_id(stage), now=utc_now())
    return next(part.is_behind for part in check.parts if (part.name, part.locale) == (name, locale))


@on_one_database
def test_autosave_tells_what_the_other_changed(stage: Stage, owner: Organiser) -> None:
    owner.post(AT, _box("title", "en", "Khmer books in each library", 1))
    answer = owner.post(f"{AT}/part", _box("title", "en", "Khmer books in every school", 1)).json()
    assert answer["pieces"] == [
        ["same", "Khmer books in "],
        ["removed", "each"],
        ["added", "every"],
        ["same", " "],
        ["removed", "library"],
        ["added", "school"],
    ]
    assert answer["is_ready"] is False


@on_one_database
def test_a_long_letter_in_khmer_is_taken(stage: Stage, owner: Organiser) -> None:
    assert owner.post(f"{AT}/part", _box("body", "km", "ក" * 100_000, 0)).status_code == 200
    assert owner.post(f"{AT}/part", _box("body", "km", "ក" * 100_001, 1)).status_code == 422


def test_a_history_tells_what_each_sitting_came_to(stage: Stage, owner: Organiser) -> None:
    other = stage.organiser("dara@example.org")
    stage.join("libraries", other, "editor")
    for version in range(1, 6):
        owner.post(f"{AT}/part", _box("title", "en", f"Books {version}", version))
    other.post(f"{AT}/part", _box("title", "en", "Books of Dara", 6))
    other.post(f"{AT}/part", _box("title", "en", "Too late", 2))
    address = f"{AT}/{_part_id(stage, 'title', 'en')}/history"
    page = owner.get(address).text
    assert re.findall(r"Version (\d)|Set aside", page) == ["", "7", "6", "1"]
    whole = owner.get(f"{address}?show=all").text
    assert re.findall(r"Version (\d)|Set aside", whole) == ["", "7", "6", "5", "4", "3", "2", "1"]
    # What was set aside is told against what it met.
    assert "[taken out:] </span>Books</del>" in page.partition("Version 7")[0]
    assert "Older versions" not in page


def test_a_long_history_has_pages(stage: Stage, owner: Organiser) -> None:
    part_id, campaign_id = _part_id(stage, "title", "en"), _campaign_id(stage)

    def write_many(session: Session) -> None:
        for version in range(1, 61):
            save_box(
                session,
                campaign_id=campaign_id,
                box=BoxName("title", "en"),
                text=f"Books {version}",
                is_ready=False,
                shown_version=version,
                account_id=owner.account_id,
                now=utc_now() + timedelta(hours=version),
            )

    stage.write(write_many)
    address, found = f"{AT}/{part_id}/history", []
    while address:
        page = owner.get(address).text
        found += [int(each) for each in re.findall(r"<h2>Version (\d+)", page)]
        more = re.search(r'href="(\?before=\d+)">Older', page)
        address = f"{AT}/{part_id}/history{more[1]}" if more else ""
    assert found == list(range(61, 0, -1))
    # One from an older page can be restored too, and one of another part cannot.
    (old,) = stage.sql("SELECT id FROM part_revisions WHERE version = 2 AND text = 'Books 1'")
    elsewhere = f"{AT}/{_part_id(stage, 'title', 'fr')}/history"
    assert owner.post(elsewhere, {"revision": str(old[0]), "version": "1"}).status_code == 404
    assert owner.post(f"{AT}/{part_id}/history", {"revision": str(old[0]), "version": "61"}).status_code == 303
    assert _parts(stage, "title", "en")[0] == "Books 1"


@on_one_database
def test_a_box_that_no_text_has_is_not_written(stage: Stage, owner: Organiser) -> None:
    item = UUID(_item(stage))
    for box in (BoxName("request", "en"), BoxName("title", "en", item), BoxName("recital", "en", item)):
        with pytest.raises(BoxNotFound):
            stage.write(
                save_box,
                campaign_id=_campaign_id(stage),
                box=box,
                text=WORDS,
                is_ready=False,
                shown_version=0,
                account_id=owner.account_id,
                now=utc_now(),
            )


@on_one_database
def test_who_was_faster_is_named_to_their_team(stage: Stage, owner: Organiser) -> None:
    key = stage.read(open_account_key, keyring=stage.keyring)
    assert key is not None
    name = key.seal("accounts.name", owner.account_id, "សុខា")

    def write_name(session: Session) -> None:
        session.execute(update(Account).where(Account.id == owner.account_id).values(name=name))

    stage.write(write_name)
    other = stage.organiser("dara@example.org")
    stage.join("libraries", other, "editor")
    owner.post(AT, _box("title", "en", "Books for everybody", 1))
    assert "សុខា changed this part" in other.post(f"{AT}/part", _box("title", "en", WORDS, 1)).json()["message"]
