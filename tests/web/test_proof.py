"""Proof of work: solved once, in time, for its campaign; whatever else is sent is refused without an error."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import altcha
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.clock import utc_now
from app.web.public import proof
from app.web.public.proof import LONGEST, VALID_FOR, check_proof

if TYPE_CHECKING:
    from uuid import UUID

    from tests.stage import Stage


@pytest.fixture(autouse=True)
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make riddles that take no time."""
    monkeypatch.setattr(proof, "ROUNDS", 2)
    monkeypatch.setattr(proof, "FEWEST_TRIES", 1)
    monkeypatch.setattr(proof, "MOST_TRIES", 3)


def ask(stage: Stage, slug: str) -> dict[str, Any]:
    answer = stage.get(f"/km/campaigns/{slug}/proof", browser=stage.new_browser())
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers
    riddle: dict[str, Any] = answer.json()
    return riddle


def solve(riddle: dict[str, Any], **options: Any) -> str:  # noqa: ANN401 - json's own
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(riddle))
    assert solution is not None
    solved = {"challenge": riddle, "solution": {"counter": solution.counter, "derivedKey": solution.derived_key}}
    return base64.b64encode(json.dumps(solved, **options).encode()).decode()


def check(stage: Stage, campaign_id: UUID, payload: str, *, later: timedelta = timedelta(0)) -> bool:
    return stage.run(check_proof(stage.house, campaign_id, payload, utc_now() + later))


def campaign_id_of(stage: Stage, slug: str) -> UUID:
    shelved = stage.run(stage.house.shelf.find(slug))
    assert shelved is not None
    return shelved.campaign.id


def test_proof_is_accepted_once_however_it_is_written(stage: Stage) -> None:
    slug = stage.campaign()
    campaign_id = campaign_id_of(stage, slug)
    riddle = ask(stage, slug)
    payload = solve(riddle)
    assert check(stage, campaign_id, payload)
    assert not check(stage, campaign_id, payload)
    assert not check(stage, campaign_id, solve(riddle, indent=1))
    assert len(stage.sql("SELECT 1 FROM used_challenges")) == 1


def test_proof_sent_many_times_at_once_is_accepted_once(stage: Stage) -> None:
    slug = stage.campaign()
    campaign_id, payload = campaign_id_of(stage, slug), solve(ask(stage, slug))

    async def scene() -> list[bool]:
        return await asyncio.gather(*(check_proof(stage.house, campaign_id, payload, utc_now()) for _ in range(20)))

    assert sum(stage.run(scene())) == 1


def test_proof_is_for_its_campaign_and_ten_minutes(site: Stage, slug: str) -> None:
    campaign_id, payload = campaign_id_of(site, slug), solve(ask(site, slug))
    assert not check(site, uuid4(), payload)
    assert not check(site, campaign_id, payload, later=VALID_FOR)
    assert check(site, campaign_id, payload, later=VALID_FOR - timedelta(seconds=2))


def test_proof_that_was_changed_is_refused(site: Stage, slug: str) -> None:
    campaign_id, riddle = campaign_id_of(site, slug), ask(site, slug)
    read = json.loads(base64.b64decode(solve(riddle)))
    changes: list[dict[str, Any]] = [
        {**read, "solution": {**read["solution"], "derivedKey": "00" * 32}},
        {**read, "challenge": {**riddle, "signature": "00" * 32}},
        {**read, "challenge": {**riddle, "signature": None}},
        *(
            {**read, "challenge": {**riddle, "parameters": {**riddle["parameters"], name: value}}}
            for name, value in (
                ("expiresAt", 9_999_999_999), ("expiresAt", float("nan")), ("expiresAt", 10**400), ("expiresAt", None),
                ("expiresAt", True), ("cost", 1), ("keyPrefix", ""), ("keySignature", None), ("algorithm", "SHA-256"),
            )
        ),
    ]  # fmt: skip
    for changed in changes:
        assert not check(site, campaign_id, base64.b64encode(json.dumps(changed).encode()).decode()), changed
    # What was refused is not used up.
    assert check(site, campaign_id, solve(riddle))


_WORDS = st.sampled_from(["challenge", "solution", "parameters", "signature", "expiresAt", "nonce", "salt", "cost"])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=st.text(max_size=40) | st.binary(max_size=40) | _VALUES, is_nested=st.booleans())
def test_proof_that_is_none_is_never_an_error(site: Stage, slug: str, sent: object, *, is_nested: bool) -> None:
    if isinstance(sent, str):
        payload = sent
    else:
        data = {"challenge": {"parameters": sent, "signature": "x"}, "solution": sent} if is_nested else sent
        text = sent if isinstance(sent, bytes) else json.dumps(data).encode()
        payload = base64.b64encode(text).decode()
    assert not check(site, campaign_id_of(site, slug), payload)


def test_proof_that_is_too_long_is_not_read(site: Stage, slug: str) -> None:
    nested = base64.b64encode(b"[" * (LONGEST // 2)).decode()
    for payload in ("A" * (LONGEST + 1), nested, ""):
        assert not check(site, campaign_id_of(site, slug), payload)
    assert len(solve(ask(site, slug), indent=1)) < LONGEST


def test_proof_of_an_unknown_campaign_or_language_is_not_found(site: Stage, slug: str) -> None:
    assert site.get("/km/campaigns/nothing/proof").status_code == 404
    assert site.get(f"/de/campaigns/{slug}/proof").status_code == 404
    assert site.post(f"/km/campaigns/{slug}/proof").status_code == 405
