"""Signatories under a letter: in the order, the groups and with the numbers that its team chose; kept as data."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.rules.letters import ARRANGEMENTS, Letter, Recipient, Signatory, arrange, content_hash, languages_of, shorten
from app.rules.organisations import KINDS
from app.rules.texts import CampaignText

COUNTRIES: Final = {"CA": "Canada", "KH": "Cambodia", "FR": "France"}
signatories = st.lists(
    st.builds(
        Signatory,
        name=st.text(min_size=1, max_size=12),
        acronym=st.none() | st.text(min_size=1, max_size=4),
        country=st.sampled_from([None, *COUNTRIES]),
        kind=st.sampled_from([None, *KINDS]),
        names=st.dictionaries(st.sampled_from(LOCALES), st.text(min_size=1, max_size=8)),
    ),
    max_size=12,
)


def _arrange(found: list[Signatory], **options: Any) -> Any:  # noqa: ANN401 - groups
    given_options = {"arrangement": "as_signed", "is_numbered": False, "locale": "en", "country_names": COUNTRIES}
    return arrange(found, **{**given_options, **options})


@given(signatories, st.sampled_from(ARRANGEMENTS), st.sampled_from(LOCALES))
def test_every_arrangement_lists_each_signatory_once_and_counts_through(
    found: list[Signatory], arrangement: str, locale: str
) -> None:
    groups = _arrange(found, arrangement=arrangement, is_numbered=True, locale=locale)
    listed = [each for group in groups for each in group.signatories]
    assert [each.number for each in listed] == list(range(1, len(found) + 1))
    assert sorted(map(repr, (each.signatory for each in listed))) == sorted(map(repr, found))
    assert all(each.number is None for group in _arrange(found) for each in group.signatories)


@given(signatories, st.sampled_from(ARRANGEMENTS), st.integers(0, 13))
def test_a_shorter_list_is_the_beginning_of_the_whole_and_says_how_many_are_left(
    found: list[Signatory], arrangement: str, most: int
) -> None:
    whole = _arrange(found, arrangement=arrangement, is_numbered=True)
    groups, left = shorten(whole, most)
    listed = [(group.heading, each) for group in whole for each in group.signatories]
    assert [(group.heading, each) for group in groups for each in group.signatories] == listed[:most]
    assert left == len(listed[most:])
    assert all(group.signatories for group in groups)


def test_groups_stand_by_country_or_kind_and_those_that_said_neither_come_last() -> None:
    found = [
        Signatory("Zeta", country="FR", kind="ngo"),
        Signatory("Élan", country=None, kind=None),
        Signatory("Eland", country="KH", kind="union"),
        Signatory("Alpha", country="FR", kind="union"),
    ]

    def names(arrangement: str) -> list[tuple[str | None, list[str]]]:
        groups = _arrange(found, arrangement=arrangement)
        return [(group.heading, [each.signatory.name for each in group.signatories]) for group in groups]

    assert names("as_signed") == [(None, ["Zeta", "Élan", "Eland", "Alpha"])]
    assert names("alphabetical") == [(None, ["Alpha", "Élan", "Eland", "Zeta"])]
    assert names("by_country") == [("KH", ["Eland"]), ("FR", ["Alpha", "Zeta"]), ("", ["Élan"])]
    assert names("by_kind") == [("ngo", ["Zeta"]), ("union", ["Alpha", "Eland"]), ("", ["Élan"])]
    assert _arrange([], arrangement="by_country") == ()


def test_readers_find_names_where_their_own_language_has_them() -> None:
    found = [Signatory("Angkor", names={"km": "អង្គរ"}), Signatory("Battambang", names={"km": "បាត់ដំបង"})]
    (group,) = _arrange(found, arrangement="alphabetical", locale="km")
    assert [each.signatory.name_in("km") for each in group.signatories] == [("បាត់ដំបង", "km"), ("អង្គរ", "km")]
    assert found[0].name_in("fr") == ("Angkor", None)


@given(signatories)
def test_what_a_dated_edition_keeps_is_the_letter_without_names_of_people(found: list[Signatory]) -> None:
    letter = Letter(
        slug="letter",
        kind="open_letter",
        reference=None,
        source_locale="en",
        timezone="UTC",
        organiser="Friends",
        url="https://example.org/c/letter",
        texts={"en": CampaignText(title="A letter", body="Words."), "km": CampaignText(title="លិខិត")},
        edition_number=2,
        edition_hash="0" * 64,
        signed_as_of=datetime(2026, 3, 1, 12, tzinfo=UTC),
        recipients=(Recipient({"en": "Parliament"}, "CA", {"en": "Your Honours,"}, "en"),),
        dated_on=date(2026, 2, 28),
        organisations=tuple(found),
        takes_individuals=True,
        individuals=3,
        names=("Somebody",),
    )
    data = letter.as_data()
    assert "Somebody" not in repr(data)
    kept = Letter.from_data(data, number=4)
    assert (kept.names, kept.number) == ((), 4)
    assert content_hash(kept.as_data()) == content_hash(data)
    assert languages_of(letter) == ("km", "en")
    assert languages_of(letter, letter.recipients[0]) == ("en",)
