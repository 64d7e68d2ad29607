"""Drafts: texts as boxes and back, what a box takes, and the board that the editor shows."""

from __future__ import annotations

import unicodedata
from itertools import chain
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.rules.campaign_file import MAX_BODY, MAX_LINE, MAX_PARAGRAPH, MAX_TITLE
from app.rules.drafts import (
    LISTS,
    READING,
    SINGLE_PARTS,
    Box,
    DraftPart,
    arrange_board,
    clean_text,
    is_behind,
    limit_of,
    put_together,
    take_apart,
)
from app.rules.texts import CampaignText, Question

said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(str.strip)
maybe = st.one_of(st.just(""), said)
items = st.lists(said, max_size=3).map(tuple)
#: Texts as an editor can make them: no item is empty, since an empty box says nothing.
texts = st.builds(
    CampaignText,
    title=said,
    recitals=items,
    declaration=maybe,
    requests=items,
    body=maybe,
    salutation=maybe,
    closing=maybe,
    call_to_sign=maybe,
    faq=st.lists(st.builds(Question, said, said), max_size=3).map(tuple),
    how_to_sign=items,
)
drafts = st.dictionaries(st.sampled_from(LOCALES), texts, max_size=3)
#: Whole drafts are dear to make.
few = settings(max_examples=40)
LONG_LISTS = tuple(attribute for attribute, _ in LISTS.values())


@few
@given(drafts)
def test_a_draft_taken_apart_is_put_together_again(draft: dict[str, CampaignText]) -> None:
    parts = take_apart(draft)
    assert put_together(parts) == draft
    assert len({(each.name, each.locale, each.kind, each.position) for each in parts}) == len(parts)


@few
@given(drafts, st.randoms())
def test_the_order_in_which_boxes_are_read_makes_no_difference(draft: dict[str, CampaignText], dice: object) -> None:
    parts = take_apart(draft)
    dice.shuffle(parts)  # type: ignore[attr-defined]  # a Random
    assert put_together(parts) == draft


@few
@given(drafts)
def test_an_edition_has_no_list_in_part(draft: dict[str, CampaignText]) -> None:
    frozen = put_together(take_apart(draft), is_frozen=True)
    assert frozen.keys() == draft.keys()
    for attribute in LONG_LISTS:
        longest = max((len(getattr(text, attribute)) for text in draft.values()), default=0)
        for locale, text in draft.items():
            whole = getattr(text, attribute)
            assert getattr(frozen[locale], attribute) == (whole if len(whole) == longest else ())
    for locale, text in draft.items():
        assert [getattr(frozen[locale], name) for name in SINGLE_PARTS] == [
            getattr(text, name) for name in SINGLE_PARTS
        ]


def test_what_is_half_written_is_not_put_together() -> None:
    parts = [
        DraftPart("title", "en", "Title"),
        DraftPart("question", "en", "Who?", "faq", 0),
        DraftPart("question", "en", "Why?", "faq", 1),
        DraftPart("answer", "en", "Because.", "faq", 1),
        DraftPart("title", "fr", " \n"),
        DraftPart("closing", "km", "ដោយសេចក្តីគោរព"),
    ]
    assert put_together(parts) == {
        "en": CampaignText("Title", faq=(Question("Why?", "Because."),)),
        "km": CampaignText("", closing="ដោយសេចក្តីគោរព"),
    }
    # An edition takes no list in part, and no language without a title.
    assert put_together(parts, is_frozen=True) == {"en": CampaignText("Title")}
    assert put_together([]) == {}


# Words


@given(st.sampled_from(["title", "body", "request"]), st.text())
def test_what_was_cleaned_is_clean(name: str, raw: str) -> None:
    text = clean_text(name, raw)
    assert clean_text(name, text) == text
    assert text == text.strip()
    assert not set(text) & set("\r\t\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert all(each == "\n" or unicodedata.category(each) not in {"Cc", "Cs"} for each in text)
    assert name != "title" or "\n" not in text


@given(st.text(st.sampled_from("កខ្មែរសៀវភៅ។៖\u200b\u200c\u200dé« ")))
def test_an_author_s_spelling_stays(text: str) -> None:
    assert clean_text("body", f"ក{text}ក") == f"ក{text}ក"


@pytest.mark.parametrize(
    ("name", "raw", "text"),
    [
        ("title", "One\r\ntwo\rthree\n", "One two three"),
        ("body", "One\r\n\r\ntwo\rthree\n", "One\n\ntwo\nthree"),
        ("body", "a\tb\x00\x1b[1m\u202eevil\u2069\ufeff", "a b[1mevil"),
        ("body", "\ud800x", "x"),
        ("body", " ក\u200b ", "ក\u200b"),
        ("title", " \u200b \u2060", ""),
    ],
)
def test_cleaning_by_example(name: str, raw: str, text: str) -> None:
    assert clean_text(name, raw) == text


def test_each_box_takes_what_a_campaign_file_takes() -> None:
    assert {limit_of("title"), limit_of("question"), limit_of("body")} == {MAX_TITLE, MAX_LINE, MAX_BODY}
    assert limit_of("request") == limit_of("answer") == MAX_PARAGRAPH


# The board

uuids = st.integers(1, 2**64).map(lambda number: UUID(int=number))
listed = st.lists(st.tuples(uuids, st.sampled_from(sorted(LISTS))), max_size=6, unique_by=lambda item: item[0])


@st.composite
def boards(draw: st.DrawFn) -> tuple[str, list[Box], list[tuple[UUID, str]], list[tuple[UUID, str]]]:
    """Draw a draft: its kind, the boxes that were written in, the items of its lists and those that were removed."""
    every = draw(listed)
    cut = draw(st.integers(0, len(every)))
    places: list[tuple[UUID | None, str]] = [(None, name) for name in SINGLE_PARTS]
    places += [(item_id, name) for item_id, kind in every for name in LISTS[kind][1]]
    keys = [(item_id, name, locale) for item_id, name in places for locale in LOCALES]
    boxes = [
        Box(
            name,
            locale,
            draw(st.sampled_from(["", " ", "text"])),
            draw(st.booleans()),
            1,
            None,
            item_id,
            draw(st.booleans()),
        )
        for item_id, name, locale in draw(st.lists(st.sampled_from(keys), unique=True))
    ]
    return draw(st.sampled_from(sorted(READING))), boxes, every[:cut], every[cut:]


@few
@given(boards())
def test_every_box_stands_on_the_board_once(
    drawn: tuple[str, list[Box], list[tuple[UUID, str]], list[tuple[UUID, str]]],
) -> None:
    kind, boxes, kept, removed = drawn
    board = arrange_board(kind, boxes, kept, removed)
    groups = [*board.groups, *board.others, *board.removed]
    shown = [box for group in groups for box in group.boxes]
    keys = [(box.item_id, box.name, box.locale) for box in shown]
    expected: set[tuple[UUID | None, str]] = {(None, name) for name in SINGLE_PARTS}
    expected |= {(item_id, name) for item_id, of in [*kept, *removed] for name in LISTS[of][1]}
    assert sorted(map(str, keys)) == sorted(str((*each, locale)) for each in expected for locale in LOCALES)
    assert all(box in shown for box in boxes)
    assert len({box.key for box in shown}) == len(shown)
    assert all(group.is_empty for group in board.others)
    assert [group.item_id for group in board.removed] == [item_id for item_id, _ in removed]
    for part in LISTS:
        of_kind = [group for group in board.groups if group.kind == part]
        assert [group.item_id for group in of_kind] == [item_id for item_id, of in kept if of == part]
        assert [group.number for group in of_kind] == list(range(1, len(of_kind) + 1))
        assert [group.is_last for group in of_kind] == [False] * (len(of_kind) - 1) + [True] * bool(of_kind)


@few
@given(boards())
def test_the_numbers_of_a_language_add_up(
    drawn: tuple[str, list[Box], list[tuple[UUID, str]], list[tuple[UUID, str]]],
) -> None:
    kind, boxes, kept, removed = drawn
    board = arrange_board(kind, boxes, kept, removed)
    assert [each.locale for each in board.completeness] == list(LOCALES)
    assert len({each.total for each in board.completeness}) == 1
    for each in board.completeness:
        assert each.total == each.ready + each.missing + each.to_review
        assert each.total >= 1  # the title
        states = [
            box.state for box in chain.from_iterable(group.boxes for group in board.groups) if box.locale == each.locale
        ]
        assert each.ready == states.count("ready")
        assert each.to_review == states.count("draft") + states.count("behind")


@pytest.mark.parametrize("kind", sorted(READING))
def test_a_kind_s_own_parts_come_first_in_the_order_of_reading(kind: str) -> None:
    board = arrange_board(kind, [], [])
    assert [group.kind for group in board.groups] == [part for part in READING[kind] if part not in LISTS]
    assert {group.kind for group in board.others} == set(SINGLE_PARTS) - set(READING[kind])
    # A part of another kind that somebody did write is shown with the rest.
    name = board.others[0].kind
    written = arrange_board(kind, [Box(name, "km", "អត្ថបទ", version=1)], [])
    assert name in {group.kind for group in written.groups}
    assert name not in {group.kind for group in written.others}


def test_a_box_says_how_it_stands() -> None:
    item = uuid4()
    assert Box("title", "en").state == Box("title", "en", " \n", is_ready=True).state == "missing"
    assert Box("title", "fr", "Titre", is_ready=True, is_behind=True).state == "behind"
    assert Box("title", "fr", "Titre", is_ready=True).state == "ready"
    assert Box("title", "fr", "Titre").state == "draft"
    assert Box("title", "fr").key == "title-fr"
    assert Box("request", "km", item_id=item).key == f"{item}-request-km"


@pytest.mark.parametrize(
    ("newest", "followed", "is_ready", "expected"),
    [
        (2, 1, True, True),
        (2, 1, False, True),
        (2, 2, True, False),
        (None, None, True, False),
        (1, None, True, True),
        (1, None, False, False),
    ],
)
def test_a_translation_is_behind_what_it_does_not_follow(
    *, newest: int | None, followed: int | None, is_ready: bool, expected: bool
) -> None:
    assert is_behind(newest, followed, is_ready=is_ready) is expected
