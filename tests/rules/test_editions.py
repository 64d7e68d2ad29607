"""Editions: what binds and for how long, what changed, what is missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.rules.editions import BINDS_FOR, EditionLine, Lack, find_binding, list_changes, list_missing
from app.rules.texts import CampaignText, Question

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = st.text(alphabet="ab កខ្ម\n", max_size=12)
TEXTS = st.builds(
    CampaignText,
    title=WORDS,
    recitals=st.lists(WORDS, max_size=4).map(tuple),
    declaration=WORDS,
    requests=st.lists(WORDS, max_size=4).map(tuple),
    faq=st.lists(st.builds(Question, WORDS, WORDS), max_size=3).map(tuple),
)
EDITIONS = st.dictionaries(st.sampled_from(["km", "en", "fr"]), TEXTS, max_size=3)


def lines(*editions: tuple[str, bool]) -> list[EditionLine]:
    """Return editions, one a minute from noon on, the last the current one."""
    last = len(editions)
    return [
        EditionLine(
            UUID(int=number),
            number,
            name,
            None if number == last else NOON + timedelta(minutes=number),
            is_substantive,
        )
        for number, (name, is_substantive) in enumerate(editions, 1)
    ]


def test_the_current_edition_binds_whenever() -> None:
    found = find_binding(lines(("a", False), ("b", True)), "b", NOON + timedelta(days=900))
    assert found is not None
    assert found.number == 2


def test_a_superseded_edition_binds_for_an_hour_and_not_a_moment_longer() -> None:
    editions = lines(("a", False), ("b", False), ("c", False))
    end = NOON + timedelta(minutes=1) + BINDS_FOR
    found = find_binding(editions, "a", end - timedelta(microseconds=1))
    assert found is not None
    assert found.number == 1
    assert find_binding(editions, "a", end) is None


def test_a_change_of_substance_ends_it_at_once() -> None:
    at = NOON + timedelta(minutes=2)
    assert find_binding(lines(("a", False), ("b", True)), "a", at) is None
    assert find_binding(lines(("a", False), ("b", True), ("c", False)), "a", at) is None
    found = find_binding(lines(("a", False), ("b", True), ("c", False)), "b", at)
    assert found is not None
    assert found.number == 2


def test_unknown_texts_bind_nothing() -> None:
    assert find_binding([], "a", NOON) is None
    assert find_binding(lines(("a", False)), "b", NOON) is None


def test_a_text_that_came_back_binds_under_its_newest_number() -> None:
    found = find_binding(lines(("a", False), ("b", True), ("a", True)), "a", NOON)
    assert found is not None
    assert found.number == 3


@given(EDITIONS)
def test_nothing_differs_from_itself(texts: dict[str, CampaignText]) -> None:
    assert list_changes(texts, texts) == ()


@given(EDITIONS, EDITIONS)
def test_changes_say_what_there_was_and_what_there_is(
    old: dict[str, CampaignText], new: dict[str, CampaignText]
) -> None:
    nothing = CampaignText(title="")
    for change in list_changes(old, new):
        before = "".join(each.text for each in change.pieces if each.kind != "added")
        after = "".join(each.text for each in change.pieces if each.kind != "removed")
        assert before != after
        was, now = old.get(change.locale, nothing), new.get(change.locale, nothing)
        if change.number is None:
            assert (before, after) == (getattr(was, change.part), getattr(now, change.part))
        elif change.part in {"recital", "request"}:
            assert before in {"", *getattr(was, f"{change.part}s")}
            assert after in {"", *getattr(now, f"{change.part}s")}
    parts = ("title", "recitals", "declaration", "requests", "faq")
    differs = any(
        getattr(old.get(locale, nothing), name) != getattr(new.get(locale, nothing), name)
        for locale in ("km", "en", "fr")
        for name in parts
    )
    if not differs:
        assert list_changes(old, new) == ()


def test_an_item_that_goes_is_numbered_as_it_was_and_one_that_comes_as_it_is() -> None:
    old = {"en": CampaignText("t", requests=("one", "two", "three"))}
    new = {"en": CampaignText("t", requests=("one", "three", "four"))}
    found = [
        (each.part, each.number, [(piece.kind, piece.text) for piece in each.pieces]) for each in list_changes(old, new)
    ]
    assert found == [("request", 2, [("removed", "two")]), ("request", 3, [("added", "four")])]


def test_a_question_and_its_answer_are_two_parts() -> None:
    old = {"en": CampaignText("t", faq=(Question("Why?", "Because."),))}
    new = {"en": CampaignText("t", faq=(Question("Why?", "Therefore."),))}
    (change,) = list_changes(old, new)
    assert (change.part, change.number) == ("answer", 1)


def test_a_whole_language_that_comes_is_listed_part_by_part() -> None:
    new = {"fr": CampaignText("Titre", declaration="Nous"), "en": CampaignText("Title")}
    found = [(each.part, each.locale) for each in list_changes({"en": CampaignText("Title")}, new)]
    assert found == [("title", "fr"), ("declaration", "fr")]


def test_what_the_source_says_is_wanted_of_promised_languages() -> None:
    draft = {
        "en": CampaignText("Title", declaration="We", requests=("one", "two")),
        "fr": CampaignText("Titre", declaration="Nous", requests=("un",)),
        "km": CampaignText("ចំណងជើង", declaration="យើង", requests=("មួយ", "ពីរ"), closing="លា"),
    }
    frozen = {**draft, "fr": CampaignText("Titre", declaration="Nous")}
    assert list_missing(frozen, draft, ("km", "en", "fr"), "en") == (Lack("fr", "requests"),)
    assert list_missing(frozen, draft, ("km", "en"), "en") == ()
    del frozen["fr"]
    assert [each.part for each in list_missing(frozen, draft, ("fr",), "en")] == ["title", "declaration", "requests"]


def test_a_list_of_its_own_is_wanted_whole_even_where_the_source_has_none() -> None:
    draft = {"en": CampaignText("Title"), "fr": CampaignText("Titre", how_to_sign=("Signez",))}
    frozen = {"en": CampaignText("Title"), "fr": CampaignText("Titre")}
    assert list_missing(frozen, draft, ("en", "fr"), "en") == (Lack("fr", "how_to_sign"),)


def test_a_title_is_wanted_even_where_the_source_has_lost_its_own() -> None:
    assert list_missing({}, {}, ("km", "en"), "en") == (Lack("km", "title"), Lack("en", "title"))


def test_texts_that_have_little_in_common_are_shown_whole() -> None:
    old, new = {"en": CampaignText("t", body="one two " * 800)}, {"en": CampaignText("t", body="three four " * 800)}
    (change,) = list_changes(old, new)
    assert [each.kind for each in change.pieces] == ["removed", "added", "same"]
