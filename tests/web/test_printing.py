"""The printing house: what is asked for at once by many, in two processes, is made once."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from app.actions.keeping import CLAIM_LASTS, claim_document, keep_document
from app.core.clock import utc_now
from app.core.db import open_database
from app.models import Campaign, KeptDocument
from app.web.printing import MOST_WAITING, Printer, PrinterBusy
from tests.stage import on_one_database

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from sqlalchemy.orm import Session

    from tests.stage import Stage


class Press:
    """Makes a document, and counts how often it was asked to; it waits for ``gate`` where it has one."""

    def __init__(self, content: bytes = b"%PDF", gate: threading.Event | None = None) -> None:
        self.content, self.gate = content, gate
        self.runs = 0
        self.begun = threading.Event()

    def __call__(self) -> bytes:
        self.runs += 1
        self.begun.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        return self.content


def _campaign_id(session: Session) -> UUID:
    return session.scalars(select(Campaign.id)).one()


def _kept(session: Session) -> list[tuple[str, str]]:
    found = select(KeptDocument.name, KeptDocument.state).order_by(KeptDocument.name, KeptDocument.state)
    return [(name, state) for name, state in session.execute(found)]


def _order(stage: Stage, make: Callable[[], bytes], state: str = "a", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - as the printer takes them
    order = {"campaign_id": stage.read(_campaign_id), "name": "card/km", "media_type": "image/png"}
    return {**order, "state": state, "make": make, **changes}


def _unkept(stage: Stage, press: Press, state: str, *, made: str = "", **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - the same
    """Return an order for what is written down nowhere, which is in the state ``made`` once it is made."""
    order = {"campaign_id": stage.read(_campaign_id), "name": "card/km", "state": state}
    return {**order, "make": lambda: (made or state, press()), **changes}


def test_two_processes_asked_at_once_make_a_document_once(stage: Stage) -> None:
    stage.campaign()
    other = open_database(stage.settings.database_url)
    houses = [Printer(stage.database), Printer(other)]
    press = Press(b"\x89PNG")
    order = _order(stage, press)

    async def ask() -> list[bytes]:
        try:
            return await asyncio.gather(*(house.find(**order) for house in houses for _ in range(20)))
        finally:
            await other.close()

    assert stage.run(ask()) == [b"\x89PNG"] * 40
    assert press.runs == 1
    # A third that starts later finds it kept.
    assert stage.run(Printer(stage.database).find(**order)) == b"\x89PNG"
    assert press.runs == 1


def test_the_claim_of_a_maker_that_died_is_taken_over_after_a_while(stage: Stage) -> None:
    stage.campaign()
    press = Press()
    order = _order(stage, press)
    claim = {key: order[key] for key in ("campaign_id", "name", "state", "media_type")}
    long_ago = utc_now() - CLAIM_LASTS
    assert stage.write(claim_document, **claim, is_permanent=False, now=long_ago)
    assert not stage.write(claim_document, **claim, is_permanent=False, now=long_ago + CLAIM_LASTS / 2)
    assert stage.run(stage.house.printer.find(**order)) == press.content
    assert press.runs == 1


def test_whoever_waits_for_another_process_is_given_what_that_one_made(stage: Stage) -> None:
    stage.campaign()
    press = Press()
    order = _order(stage, press)
    where = {key: order[key] for key in ("campaign_id", "name", "state")}
    claim = {**where, "media_type": "image/png", "is_permanent": False}
    assert stage.write(claim_document, **claim, now=utc_now())

    async def ask() -> bytes:
        asked = asyncio.create_task(stage.house.printer.find(**order))
        await stage.database.write(keep_document, **where, content=b"theirs", now=utc_now())
        return await asked

    assert stage.run(ask()) == b"theirs"
    assert press.runs == 0
    # One that took the claim over and comes second keeps nothing, and hands out what is kept.
    assert stage.write(keep_document, **where, content=b"late", now=utc_now()) == b"theirs"


def test_a_newer_state_takes_the_place_of_older_ones_and_permanent_documents_stay(stage: Stage) -> None:
    stage.campaign()
    printer, press = stage.house.printer, Press()
    for state in ("a", "b", "c"):
        stage.run(printer.find(**_order(stage, press, state)))
    for state in ("a", "b"):
        stage.run(printer.find(**_order(stage, press, state, name="dated/1/en", is_permanent=True)))
    stage.run(printer.find(**_order(stage, press, "a", name="card/en")))
    assert stage.read(_kept) == [("card/en", "a"), ("card/km", "c"), ("dated/1/en", "a"), ("dated/1/en", "b")]


def test_a_newer_state_leaves_one_that_is_being_made_and_that_one_then_goes(stage: Stage) -> None:
    stage.campaign()
    order = _order(stage, Press())
    where = {key: order[key] for key in ("campaign_id", "name")}
    claim = {**where, "media_type": "image/png", "is_permanent": False}
    now = utc_now()
    for state, seconds in (("old", 0), ("new", 1)):
        assert stage.write(claim_document, **claim, state=state, now=now + timedelta(seconds=seconds))
    stage.write(keep_document, **where, state="new", content=b"new", now=now)
    assert stage.read(_kept) == [("card/km", "new"), ("card/km", "old")]
    assert stage.write(keep_document, **where, state="old", content=b"old", now=now) == b"old"
    assert stage.read(_kept) == [("card/km", "new")]


@on_one_database
def test_what_cannot_be_made_is_let_go_of_and_tried_again(stage: Stage) -> None:
    stage.campaign()

    def fail() -> bytes:
        raise ValueError("no glyph")

    with pytest.raises(ValueError, match="no glyph"):
        stage.run(stage.house.printer.find(**_order(stage, fail)))
    assert stage.read(_kept) == []
    assert stage.run(stage.house.printer.find(**_order(stage, Press(b"now")))) == b"now"


@on_one_database
def test_one_is_made_at_a_time_and_a_visitor_who_leaves_ends_nothing(stage: Stage) -> None:
    stage.campaign()
    gate = threading.Event()
    first, second = Press(b"first", gate), Press(b"second")
    orders = [_order(stage, first), _order(stage, second, name="card/en")]

    async def ask() -> list[bytes]:
        leaves = asyncio.create_task(stage.house.printer.find(**orders[0]))
        await asyncio.to_thread(first.begun.wait, 10)
        stays = [asyncio.create_task(stage.house.printer.find(**order)) for order in orders]
        leaves.cancel()
        await stage.database.read(_kept)
        assert second.runs == 0
        gate.set()
        return await asyncio.gather(*stays)

    assert stage.run(ask()) == [b"first", b"second"]
    assert (first.runs, second.runs) == (1, 1)


@on_one_database
def test_the_memory_of_a_process_is_bounded(stage: Stage) -> None:
    stage.campaign()
    printer = Printer(stage.database, memory=800)
    for number in range(20):
        stage.run(printer.find(**_order(stage, Press(b"x" * 100), str(number), name=f"n{number}")))
    stage.run(printer.find(**_order(stage, Press(b"x" * 101), "large", name="large")))
    held = printer._documents
    assert [name for _, name, _ in held] == [f"n{number}" for number in range(12, 20)]
    # What it no longer holds is still kept, and not made again.
    press = Press()
    assert stage.run(printer.find(**_order(stage, press, "0", name="n0"))) == b"x" * 100
    assert press.runs == 0


@on_one_database
def test_one_large_document_is_remembered_and_no_older_state_of_it(stage: Stage) -> None:
    stage.campaign()
    printer, press = Printer(stage.database, memory=800), Press(b"x" * 500)
    for state in ("a", "a", "b", "b"):
        assert stage.run(printer.find_unkept(**_unkept(stage, press, state))) == (state, press.content)
    assert press.runs == 2
    recall = partial(printer.recall, campaign_id=stage.read(_campaign_id), name="card/km")
    assert [recall(state=state) is not None for state in ("a", "b")] == [False, True]
    # By the time it was made, it was in another state than the one that was asked for.
    assert stage.run(printer.find_unkept(**_unkept(stage, Press(b"small"), "c", made="d"))) == ("d", b"small")
    assert [recall(state=state) for state in ("b", "c", "d")] == [None, None, b"small"]
    assert stage.read(_kept) == []


@on_one_database
def test_cards_do_not_wait_for_letters_with_names_and_too_many_are_refused(stage: Stage) -> None:
    stage.campaign()
    gate = threading.Event()
    slow, quick = Press(gate=gate), Press(b"card")
    order = _order(stage, quick)
    letters = [_unkept(stage, slow, "a", name=f"letter/{at}") for at in range(MOST_WAITING + 2)]

    async def ask() -> None:
        asked = [asyncio.create_task(stage.house.printer.find_unkept(**letter)) for letter in letters]
        await asyncio.to_thread(slow.begun.wait, 10)
        assert await stage.house.printer.find(**order) == b"card"
        gate.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, PrinterBusy) for each in answers] == [False] * (MOST_WAITING + 1) + [True]

    stage.run(ask())
    assert slow.runs == MOST_WAITING + 1
    # Refused for the moment, and not for good.
    assert stage.run(stage.house.printer.find_unkept(**letters[-1])) == ("a", slow.content)
