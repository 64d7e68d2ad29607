"""What is unusual: attacks of each kind are seen, and honest crowds are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules import bursts
from app.rules.bursts import HALL, HOUR, Seen, bound_of, is_regular, look, script_of, variation
from app.rules.sets import parse_conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def mark(text: str) -> bytes:
    """Return what a keyed hash looks like."""
    return sha256(text.encode()).digest()


GMAIL = mark("gmail")


def people(
    number: int,
    *,
    seed: int = 1,
    within: timedelta = HOUR,
    ending: datetime = NOW,
    **fields: Any,  # noqa: ANN401 - of Seen
) -> list[Seen]:
    """Return people: each from somewhere else, at moments of chance, who take from half a minute to half an hour."""
    chance = Random(seed)
    found = []
    for count in range(number):
        confirmed_at = ending - chance.random() * within
        own = mark(f"{seed}-{count}")
        values = {
            "sent_at": confirmed_at - timedelta(seconds=30 + chance.expovariate(1 / 300)), "address": own,
            "network": own, "domain": GMAIL, "name": own, "signals": frozenset(), "has_province": True,
            "script": chance.choice(("khmer", "latin")),
        }  # fmt: skip
        found.append(Seen(**{**values, "confirmed_at": confirmed_at, **fields}))
    return found


def found_in(
    seen: Sequence[Seen], usual: Sequence[int] | None = None, now: datetime = NOW
) -> dict[str, bursts.Finding]:
    in_hour = sum(each.confirmed_at > now - HOUR for each in seen)
    findings = look(seen, now=now, usual=usual, in_hour=in_hour, large_domains=frozenset({GMAIL}))
    assert len({each.kind for each in findings}) == len(findings)
    for each in findings:
        assert parse_conditions(each.conditions.as_json()) == each.conditions
        assert 0 < each.count <= each.total
    return {each.kind: each for each in findings}


# Honest crowds


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 500))
def test_people_at_moments_of_chance_raise_nothing(seed: int, number: int) -> None:
    assert found_in(people(number, seed=seed, within=6 * HOUR), [100] * 5) == {}


def test_a_hall_raises_nothing() -> None:
    hall = people(HALL, within=3 * HOUR, address=mark("hall"), network=mark("hall"))
    assert found_in([*hall, *people(30, seed=2)]) == {}


def test_a_day_of_crowds_and_silence_is_not_a_drip() -> None:
    crowds = [each for hour in (20, 14, 9, 3) for each in people(60, seed=hour, ending=NOW - hour * HOUR)]
    assert found_in(crowds) == {}


# Attacks


def test_a_burst_is_told_from_what_is_usual_at_this_hour() -> None:
    many = people(300)
    assert found_in(many, [30, 35, 28, 31, 900])["burst"].more == {"usual": 31}
    assert found_in(many, [290, 280, 310, 300]) == {}
    assert "burst" not in found_in(many, [30, 30]), "two days say nothing"
    assert "burst" not in found_in(many, None)
    new = found_in(people(bursts.NEW_CAMPAIGN_BAR + 1), [])["burst"]
    assert (new.count, new.more) == (601, {})
    assert new.conditions.confirmed_from == NOW - HOUR


@given(st.lists(st.integers(0, 5000), min_size=3, max_size=14), st.integers(0, 10))
def test_a_bound_lies_above_what_is_usual_and_grows_with_it(usual: list[int], more: int) -> None:
    bound = bound_of(usual)
    assert bound > sorted(usual)[len(usual) // 2]
    assert bound <= bound_of([each + more for each in usual])
    assert bound_of([*usual, *usual]) == pytest.approx(bound, rel=1)


def test_many_addresses_are_one_finding_with_a_set_each() -> None:
    attack = [
        each for number in range(30) for each in people(HALL + 1 + number, seed=number, address=mark(f"a{number}"))
    ]
    finding = found_in([*attack, *people(100)])["address"]
    assert finding.count == HALL + 30
    assert finding.conditions.address == mark("a29").hex()
    assert (finding.more["of_groups"], len(finding.more["groups"])) == (30, bursts.GROUPS)
    assert finding.more["groups"][0] == [mark("a29").hex(), HALL + 30]


def test_a_network_is_found_without_its_loud_addresses() -> None:
    loud = people(HALL + 1, address=mark("loud"), network=mark("near"))
    assert set(found_in(loud)) == {"address"}
    spread = people(bursts.TOWN + 1, seed=2, network=mark("near"))
    assert found_in(spread)["network"].conditions.network == mark("near").hex()


def test_a_small_domain_is_told_by_its_share() -> None:
    small = people(50, domain=mark("small"))
    assert found_in([*small, *people(100, seed=2)])["domain"].count == 50
    assert found_in([*small, *people(400, seed=2)]) == {}
    assert "domain" in found_in([*people(160, domain=mark("small")), *people(2000, seed=2)], [2000] * 5)


def test_letters_are_not_opened_within_seconds() -> None:
    quick = [replace(each, sent_at=each.confirmed_at - 7 * SECOND) for each in people(40)]
    assert {"quick", "same_delay"} <= set(found_in([*quick, *people(30, seed=2)]))
    assert found_in([*quick[:20], *people(30, seed=2)]) == {}
    one = [replace(each, sent_at=each.confirmed_at - 100 * SECOND, network=mark("x")) for each in people(60)]
    finding = found_in([*one, *people(200, seed=2)])["same_delay"]
    assert (finding.conditions.network, finding.more["seconds"]) == (mark("x").hex(), 100)


def drip(number: int, gap: float, jitter: float = 0.0, **fields: Any) -> list[Seen]:  # noqa: ANN401 - of Seen
    chance = Random(3)
    rows = people(number, **fields)
    return [
        replace(each, sent_at=NOW - timedelta(seconds=gap * (place + 1 + jitter * chance.uniform(-0.5, 0.5))))
        for place, each in enumerate(rows)
    ]


def spread(rows: list[Seen]) -> list[Seen]:
    """Let each be confirmed some time after it was sent."""
    chance = Random(4)
    return [replace(each, confirmed_at=each.sent_at + timedelta(seconds=20 + 600 * chance.random())) for each in rows]


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_slow_drip_at_thirty_an_hour_is_found_within_two_hours(jitter: float) -> None:
    rows = spread(drip(60, 120, jitter))
    finding = found_in(rows, now=NOW + 700 * SECOND)["drip"]
    assert finding.more["seconds"] == pytest.approx(120, abs=3)


def test_a_drip_among_people_is_found_by_its_network_or_domain() -> None:
    later = NOW + 700 * SECOND
    honest = people(100, seed=5, within=8 * HOUR)
    by_network = found_in([*spread(drip(150, 120, 0.8, network=mark("drip"))), *honest], now=later)["drip"]
    assert by_network.conditions.network == mark("drip").hex()
    by_domain = found_in([*spread(drip(150, 120, 0.8, domain=mark("drip"))), *honest], now=later)
    assert by_domain["drip"].conditions.domain == mark("drip").hex()
    assert "drip" not in found_in([*spread(drip(150, 120, 0.8)), *people(400, seed=5, within=5 * HOUR)], now=later)


def test_confirmations_in_step_are_found() -> None:
    rows = [replace(each, confirmed_at=NOW - 40 * place * SECOND) for place, each in enumerate(people(60))]
    assert "steps" in found_in(rows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(42, 400))
def test_chance_is_hardly_ever_regular(seed: int, number: int) -> None:
    moments = sorted(each.confirmed_at for each in people(number, seed=seed, within=10 * HOUR))
    assert not is_regular(moments)
    assert 0.4 < variation(moments) < 2


def test_variation_of_one_moment_is_no_clock() -> None:
    assert variation([NOW, NOW, NOW]) > 1
    assert not is_regular([NOW] * 100)


def test_names_and_postal_codes_are_told_by_their_share() -> None:
    odd = frozenset({"odd_name"})
    finding = found_in([*people(12, signals=odd), *people(40, seed=2)])["odd_names"]
    assert finding.conditions.signal == "odd_name"
    assert found_in([*people(12, signals=odd), *people(100, seed=2)]) == {}
    away = people(12, signals=frozenset({"postal_mismatch"}))
    assert "postal" in found_in([*away, *people(40, seed=2), *people(100, seed=3, has_province=False)])
    same = found_in([*people(15, name=mark("one")), *people(100, seed=2)])["same_name"]
    assert (same.count, same.total) == (15, 115)
    foreign = found_in([*people(20, script="cyrillic"), *people(30, seed=2), *people(9, seed=3, script=None)])["script"]
    assert (foreign.count, foreign.total, foreign.more) == (20, 50, {"script": "cyrillic"})
    assert found_in([*people(20, script="cyrillic"), *people(60, seed=2)]) == {}


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("សុខ សុភា", "khmer"),
        ("Sok Sopha", "latin"),
        ("Nguyễn", "latin"),
        ("Иванов A", "cyrillic"),
        ("林", "cjk"),
        ("–", "none"),
    ],
)
def test_the_script_of_a_name(name: str, script: str) -> None:
    assert script_of(name) == script
