"""What is weighed, and what an honest crowd can never reach."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.integrity import CLEAN, QUARANTINED_FROM, REMOVAL_RULES, RULE_OF_SIGNAL, WEIGHTS, judge, rule_of
from app.rules.origins import NOWHERE, place_of

signals = st.sets(st.sampled_from(sorted(WEIGHTS)))
#: What people do by being many, by taking their time or none, or by living where they do not get their mail.
HONEST = ("quick_form", "old_form", "postal_mismatch")


def test_judge_of_nothing_is_clean() -> None:
    assert judge(()) == CLEAN


@given(signals, st.sampled_from(sorted(WEIGHTS)))
def test_judge_of_one_signal_more_is_never_milder(some: set[str], more: str) -> None:
    fewer, with_more = judge(some), judge(some | {more})
    assert with_more.score >= fewer.score
    assert not (fewer.outcome == "quarantined" and with_more.outcome == "counted")


@given(signals)
def test_judge_keeps_every_reason_once_and_the_weightiest_first(some: set[str]) -> None:
    judgement = judge([*some, *some])
    assert set(judgement.signals) == some
    assert judgement.score == sum(WEIGHTS[signal] for signal in some)
    assert [WEIGHTS[each] for each in judgement.signals] == sorted((WEIGHTS[each] for each in some), reverse=True)
    assert (judgement.outcome == "quarantined") == (judgement.score >= QUARANTINED_FROM)
    assert judge(some, can_ask=True).outcome == "ask_again"
    assert rule_of(judgement.signals) in REMOVAL_RULES


def test_judge_of_what_an_honest_crowd_does_is_counted() -> None:
    assert judge(HONEST).outcome == "counted"
    # Nor does any one of them more, such as a telephone that has no script.
    for more in ("no_proof", "odd_name", "throwaway_domain", "unmarked_form"):
        assert judge(more for more in (more,)).outcome == "counted"
        assert judge({"quick_form", "postal_mismatch", more}).outcome == "counted"


@pytest.mark.parametrize("alone", ["honeypot", "address_limit"])
def test_judge_of_what_no_person_does_is_quarantined(alone: str) -> None:
    assert judge({alone}).outcome == "quarantined"


def test_rule_of_every_signal_is_one_that_is_published() -> None:
    assert set(RULE_OF_SIGNAL) <= set(WEIGHTS)
    assert {rule_of([signal]) for signal in WEIGHTS} <= set(REMOVAL_RULES)
    assert rule_of(()) == "other"


@pytest.mark.parametrize(
    ("host", "address", "network"),
    [
        ("203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    ],
)
def test_place_of_an_address_is_what_one_household_has(host: str, address: str, network: str) -> None:
    place = place_of(host)
    assert (place.address, place.network) == (address, network)


@pytest.mark.parametrize("host", [None, "", "testclient", "1.2.3", "203.0.113.0/24"])
def test_place_of_what_is_no_address_is_nowhere(host: str | None) -> None:
    assert place_of(host) == NOWHERE


@given(st.ip_addresses())
def test_place_of_any_address_lies_in_its_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    place = place_of(str(address))
    assert place.address is not None
    assert place.network is not None
    inner, outer = ipaddress.ip_network(place.address), ipaddress.ip_network(place.network)
    assert type(inner) is type(outer)
    assert inner.network_address in outer
    assert place_of(str(inner.network_address)) == place
