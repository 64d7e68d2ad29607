"""Signing again: what was held before is held again, and nobody is held for what somebody else sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.actions.own_signature import erase_signature, withdraw_signature
from app.actions.signing import confirm_by_token
from app.actions.standing import decide
from app.core.clock import utc_now
from tests.actions.signers import HELD, chains_are_whole
from tests.actions.test_sets import Room

if TYPE_CHECKING:
    from uuid import UUID

    from tests.stage import Stage


def withdraw(room: Room, number: int) -> None:
    room.stage.write(withdraw_signature, token=f"manage-{room.slug}-{number}", now=utc_now())


def judge_by_hand(room: Room, signature_id: UUID, seen: str, rule: str | None) -> None:
    who: dict[str, Any] = {"campaign_id": room.id, "signature_ids": [signature_id], "account_id": room.first}
    assert room.stage.write(decide, seen=seen, rule=rule, now=utc_now(), **who) == 1


def test_withdrawing_does_not_wash_a_mailbox_that_was_held(stage: Stage) -> None:
    room = Room(stage)
    room.sign(judgement=HELD)
    withdraw(room, 1)
    room.sign()
    assert room.count() == 1, "somebody else's mailbox is not held for it"
    withdraw(room, 2)
    again = room.sign(mailbox=1)
    assert room.count() == 0
    standing, score, signals, version = stage.sql(
        "SELECT standing, score, CAST(signals AS TEXT), version FROM signatures WHERE state = 'confirmed'"
    )[0]
    assert (standing, score, json.loads(signals), version) == ("quarantined", 60, ["held_before"], 1)
    days = "SELECT rule, held, restored FROM integrity_days ORDER BY rule"
    assert stage.sql(days) == [("limits", 1, 0), ("other", 1, 0)]
    judge_by_hand(room, again, "quarantined", None)
    assert room.count() == 1
    assert stage.sql(days) == [("limits", 1, 0), ("other", 1, 1)]
    # One that a moderator has looked at already is not held for it.
    withdraw(room, 3)
    third = room.sign(mailbox=1, is_confirmed=False)
    judge_by_hand(room, third, "counted", "other")
    judge_by_hand(room, third, "removed", None)
    stage.write(confirm_by_token, token=f"confirm-{room.slug}-4", now=utc_now())
    assert room.count() == 1
    assert stage.read(chains_are_whole)


def test_forms_that_somebody_else_sent_hold_nobody(stage: Stage) -> None:
    room = Room(stage)
    room.sign(judgement=HELD, name="Not Me", is_confirmed=False)
    room.sign(mailbox=1)
    assert room.count() == 1
    withdraw(room, 2)
    room.sign(mailbox=1)
    assert room.count() == 1


def test_a_version_takes_the_place_of_one_that_was_erased(stage: Stage) -> None:
    room = Room(stage)
    for number in range(1, 6):
        room.sign(mailbox=1, name=f"Sok {'abcde'[number - 1]}", is_confirmed=False)
    stage.write(erase_signature, token=f"manage-{room.slug}-3", now=utc_now())
    room.sign(mailbox=1, name="Sok f", is_confirmed=False)
    living = "SELECT version FROM signatures WHERE state = 'pending' ORDER BY created_at"
    assert stage.sql(living) == [(1,), (2,), (4,), (5,), (3,)]
    stage.write(confirm_by_token, token=f"confirm-{room.slug}-6", now=utc_now())
    assert room.count() == 1
    assert stage.sql("SELECT version FROM signatures WHERE state = 'confirmed'") == [(1,)]
