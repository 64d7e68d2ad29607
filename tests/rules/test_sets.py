"""Conditions of sets: read as people type them, kept and linked as data, said in three languages."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.i18n import LOCALES
from app.rules.integrity import REMOVAL_RULES, WEIGHTS
from app.rules.places import COUNTRIES
from app.rules.sets import (
    RULE_WORDS,
    SIGNAL_WORDS,
    STANDINGS,
    STATES,
    Conditions,
    ConditionsUnreadable,
    parse_conditions,
    read_conditions,
    say_conditions,
    say_rule,
    say_signals,
)

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
ANY = st.builds(
    Conditions,
    **{name: st.none() | MOMENTS for name in ("sent_from", "sent_to", "confirmed_from", "confirmed_to")},
    **{name: st.none() | HASHES for name in ("address", "network", "domain")},
    score_from=st.none() | st.integers(0, 1000),
    signal=st.none() | st.sampled_from(sorted(WEIGHTS)),
    edition=st.none() | st.integers(1, 10_000),
    locale=st.none() | st.sampled_from(LOCALES),
    standing=st.none() | st.sampled_from(STANDINGS),
    state=st.none() | st.sampled_from(STATES),
    country=st.none() | st.sampled_from(sorted(COUNTRIES)),
    subdivision=st.none(),
)


def index(purpose: str, text: str) -> bytes:
    return sha256(f"{purpose} {text}".encode()).digest()


@settings(max_examples=50, deadline=None)  # the first of all reads catalogues
@given(conditions=ANY)
def test_what_is_kept_is_what_was_asked_and_is_said_whole(conditions: Conditions) -> None:
    data = conditions.as_json()
    assert parse_conditions(data) == conditions
    assert bool(conditions) == bool(data)
    for locale in LOCALES:
        said = say_conditions(conditions, locale)
        assert len(said) == len(data)
        assert all(label and value for label, value in said)
    again, faults = read_conditions({name: str(value) for name, value in data.items()}, None)
    assert (again, faults) == (conditions, [])


@settings(deadline=None)  # the same
@given(name=st.sampled_from(sorted(Conditions.__slots__)), text=st.text(max_size=30))
def test_nothing_that_is_typed_is_a_crash(name: str, text: str) -> None:
    conditions, faults = read_conditions({name: text}, index)
    assert not (faults and conditions)
    if conditions:
        assert parse_conditions(conditions.as_json()) == conditions


@pytest.mark.parametrize(
    ("field", "typed", "plain"),
    [
        ("address", "203.0.113.7", "203.0.113.7"),
        ("address", " ២០៣.០.១១៣.៧ ", "203.0.113.7"),
        ("address", "203.0.113.7/32", "203.0.113.7"),
        ("address", "::ffff:203.0.113.7", "203.0.113.7"),
        ("address", "2001:DB8:0:1::7", "2001:db8:0:1::/64"),
        ("address", "2001:db8:0:1::/64", "2001:db8:0:1::/64"),
        ("network", "203.0.113.0/24", "203.0.113.0/24"),
        ("network", "203.0.113.7", "203.0.113.0/24"),
        ("network", "2001:db8:1:2::3", "2001:db8:1::/48"),
        ("network", "2001:db8:1::/48", "2001:db8:1::/48"),
        ("domain", "Example.ORG", "example.org"),
        ("domain", "somebody@example.org", "example.org"),
    ],
)
def test_origins_are_hashed_as_signing_hashes_them(field: str, typed: str, plain: str) -> None:
    conditions, faults = read_conditions({field: typed}, index)
    assert faults == []
    assert getattr(conditions, field) == index(field, plain).hex()
    assert read_conditions({field: f"#{index(field, plain).hex()}"}, None)[0] == conditions, "as a hash, without a key"
    without_key, refused = read_conditions({field: typed}, None)
    assert not without_key
    assert "key is gone" in refused[0][1].say("en")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("address", "203.0.113.0/24"), ("network", "203.0.0.0/16"), ("network", "2001:db8::/32"), ("network", "here"),
        ("domain", "localhost"), ("domain", "a@b@"), ("sent_from", "yesterday"), ("sent_to", "0001-01-01T00:00+14:00"),
        ("score_from", "1001"), ("score_from", "-1"), ("edition", "0"), ("edition", "9999999999"),
        ("signal", "rain"), ("locale", "tlh"), ("country", "XX"), ("subdivision", "CA-XX"), ("state", "on"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_told_at_its_field(field: str, typed: str) -> None:
    conditions, faults = read_conditions({field: typed}, index)
    assert not conditions
    assert [name for name, _ in faults] == [field]


def test_a_time_without_a_zone_is_utc() -> None:
    conditions, _ = read_conditions({"sent_from": "2026-03-01T18:30", "sent_to": "២០២៦-០៣-០២"}, None)
    assert conditions.sent_from == datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
    assert conditions.sent_to == datetime(2026, 3, 2, tzinfo=UTC)


def test_a_place_is_in_its_country() -> None:
    assert read_conditions({"country": "CA", "subdivision": "CA-QC"}, None)[1] == []
    assert [name for name, _ in read_conditions({"country": "US", "subdivision": "CA-QC"}, None)[1]] == ["subdivision"]
    assert say_conditions(Conditions(subdivision="KH-12"), "en")[0][1] == "KH-12"
    assert say_conditions(Conditions(subdivision="CA-QC"), "en")[0][1] == "Quebec"


def test_what_is_not_ours_is_not_read() -> None:
    for data in ({"weather": "fine"}, {"locale": "tlh"}):
        with pytest.raises(ConditionsUnreadable):
            parse_conditions(data)


def test_every_sign_and_rule_has_words() -> None:
    assert set(SIGNAL_WORDS) == set(WEIGHTS)
    assert set(RULE_WORDS) == set(REMOVAL_RULES)
    assert say_signals(["honeypot", "gone_since"], "en")[1] == "gone_since"
    assert say_rule("gone_since", "en") == "gone_since"
    assert say_rule("limits", "en") != "limits"
