"""Fan-out: everybody who is to get a letter is owed one, once, whatever happens between two chunks."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from app.actions import fan_out as owing
from app.actions.drafts import freeze_edition
from app.actions.updates import UpdateTooSoon, queue_update, try_update
from app.core.clock import utc_now
from app.jobs.fan_out import fan_out
from app.models import Campaign, Response, Signature, Update
from app.rules.texts import CampaignText
from tests.signers import insert_signers

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.stage import Stage


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owing, "CHUNK", 4)


class Campaigner:
    """A campaign with signers, and an update that is sent off."""

    def __init__(self, stage: Stage, signers: int = 10) -> None:
        self.stage = stage
        self.slug = stage.campaign()
        ((found,),) = stage.sql("SELECT id FROM campaigns")
        self.id = UUID(str(found))
        self.account_id = stage.organiser().account_id
        self.signers = self.add(signers)

    def add(self, number: int, **how: Any) -> list[UUID]:  # noqa: ANN401 - as insert_signers takes it
        emails = [f"{uuid4().hex}@example.org" for _ in range(number)]
        keyring = self.stage.keyring
        return self.stage.write(
            insert_signers, slug=self.slug, emails=emails, **{"keyring": keyring, "now": utc_now(), **how}
        )

    def send_off(self) -> UUID:
        return self.stage.write(_send_off, campaign_id=self.id, account_id=self.account_id)

    def step(self, subject_id: UUID, kind: str = "update") -> int:
        return self.stage.write(owing.fan_out, kind=kind, subject_id=subject_id, now=utc_now())

    def owed(self, kind: str = "update") -> list[UUID]:
        rows = self.stage.sql("SELECT signature_id FROM letters WHERE kind = :kind", kind=kind)
        return sorted(UUID(str(signature_id)) for (signature_id,) in rows)


def _send_off(session: Session, *, campaign_id: UUID, account_id: UUID) -> UUID:
    update_id = uuid4()
    now = utc_now()
    session.add(
        Update(
            id=update_id,
            campaign_id=campaign_id,
            texts={"en": {"title": "News", "body": "All is well."}},
            state="draft",
            version=1,
            created_at=now,
            recipients=0,
        )
    )
    session.flush()
    common: dict[str, Any] = {
        "update_id": update_id,
        "campaign_id": campaign_id,
        "version": 1,
        "account_id": account_id,
        "now": now,
    }
    try_update(session, once="test", **common)
    queue_update(session, **common)
    return update_id


@pytest.fixture
def campaigner(stage: Stage) -> Campaigner:
    return Campaigner(stage)


def test_chunks_follow_each_other_to_the_end_and_no_further(campaigner: Campaigner) -> None:
    subject = campaigner.send_off()
    sizes = [campaigner.step(subject) for _ in range(5)]
    assert sizes == [4, 4, 2, 0, 0]
    assert campaigner.owed() == sorted(campaigner.signers)
    assert campaigner.stage.read(owing.list_fan_outs) == []


def test_an_even_number_of_chunks_ends_too(stage: Stage) -> None:
    campaigner = Campaigner(stage, signers=8)
    subject = campaigner.send_off()
    assert [campaigner.step(subject) for _ in range(4)] == [4, 4, 0, 0]
    assert stage.read(owing.list_fan_outs) == []


def test_only_confirmed_signers_who_wanted_news_by_then_are_owed_one(campaigner: Campaigner) -> None:
    stage = campaigner.stage
    campaigner.add(3, wants_updates=False)
    subject = campaigner.send_off()
    campaigner.add(3, now=utc_now() + timedelta(seconds=5))
    withdrawn = campaigner.signers[0]
    stage.write(lambda session: session.execute(_set(withdrawn, state="withdrawn")))
    stage.run(fan_out(stage.background))
    while campaigner.step(subject):
        pass
    assert campaigner.owed() == sorted(set(campaigner.signers) - {withdrawn})


def _set(signature_id: UUID, **values: object) -> Any:  # noqa: ANN401 - a statement
    return update(Signature).where(Signature.id == signature_id).values(**values)


def test_a_cursor_that_was_not_kept_owes_nothing_twice(campaigner: Campaigner) -> None:
    subject = campaigner.send_off()
    while campaigner.step(subject):
        pass
    campaigner.stage.write(lambda session: session.execute(update(Update).values(reached_id=None)))
    while campaigner.step(subject):
        pass
    assert campaigner.owed() == sorted(campaigner.signers)


def test_workers_side_by_side_do_no_harm(campaigner: Campaigner) -> None:
    subject = campaigner.send_off()
    stage = campaigner.stage

    async def race() -> None:
        work = {"kind": "update", "subject_id": subject, "now": utc_now()}
        for _ in range(6):
            await asyncio.gather(*(stage.database.write(owing.fan_out, **work) for _ in range(6)))  # type: ignore[arg-type]  # as named

    stage.run(race())
    assert campaigner.owed() == sorted(campaigner.signers)


def test_two_updates_sent_off_at_once_are_one(campaigner: Campaigner) -> None:
    stage = campaigner.stage

    async def race() -> list[Any]:
        work = {"campaign_id": campaigner.id, "account_id": campaigner.account_id}
        return await asyncio.gather(
            *(stage.database.write(_send_off, **work) for _ in range(4)), return_exceptions=True
        )

    answers = stage.run(race())
    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert sum(isinstance(answer, UpdateTooSoon) for answer in answers) == 3


def test_the_job_waits_while_the_outbox_is_full_and_ends_what_has_left(campaigner: Campaigner) -> None:
    stage = campaigner.stage
    campaigner.send_off()
    assert stage.run(fan_out(stage.background)) is True
    assert stage.run(fan_out(stage.background)) is False, "as many as a chunk wait already"
    assert len(campaigner.owed()) == 4
    for _ in range(4):
        stage.deliver()
        stage.run(fan_out(stage.background))
    assert stage.sql("SELECT state, recipients FROM updates") == [("sent", 10)]
    assert stage.sql("SELECT count(*) FROM letters WHERE kind = 'update' AND state = 'sent'") == [(10,)]
    assert stage.run(fan_out(stage.background)) is False


def test_whoever_waits_for_a_link_goes_before_those_who_get_news(campaigner: Campaigner) -> None:
    stage = campaigner.stage
    campaigner.send_off()
    stage.run(fan_out(stage.background))
    stage.sign(campaigner.slug, email="waiting@example.org")
    first = [str(letter.mail["To"]) for letter in stage.deliver()]
    assert "waiting@example.org" in first[:4], "one of four connections at once"


def test_a_response_is_told_to_those_who_want_news_unless_it_is_taken_back(campaigner: Campaigner) -> None:
    stage = campaigner.stage
    campaigner.add(2, wants_updates=False)
    ids = [stage.write(_respond, campaign_id=campaigner.id, is_told=is_told) for is_told in (True, False, True)]
    stage.write(
        lambda session: session.execute(update(Response).where(Response.id == ids[2]).values(removed_at=utc_now()))
    )
    assert stage.read(owing.list_fan_outs) == [("response", ids[0])]
    while campaigner.step(ids[0], "response"):
        pass
    assert campaigner.step(ids[1], "response") == 0
    assert campaigner.owed("response") == sorted(campaigner.signers)
    while stage.run(fan_out(stage.background)):
        pass
    letters = stage.deliver()
    assert len(letters) == 10
    assert all("There will be books." in letter.text for letter in letters)


def _respond(session: Session, *, campaign_id: UUID, is_told: bool) -> UUID:
    response = Response(
        id=uuid4(),
        campaign_id=campaign_id,
        kind="government",
        body="Minister of Books",
        answered_on=utc_now().date(),
        language="en",
        title="The government agrees",
        text="There will be books.",
        created_at=utc_now(),
        told_at=utc_now() if is_told else None,
    )
    session.add(response)
    return response.id


@pytest.mark.parametrize("is_substantive", [True, False])
def test_a_new_edition_is_told_to_signers_of_earlier_ones_where_it_asks_them(
    campaigner: Campaigner, *, is_substantive: bool
) -> None:
    stage = campaigner.stage
    signers = campaigner.signers + campaigner.add(2, wants_updates=False)
    texts = {"en": CampaignText(title="Khmer books in every school")}
    edition = stage.write(
        freeze_edition,
        campaign_id=campaigner.id,
        texts=texts,
        now=utc_now(),
        is_substantive=is_substantive,
    )
    campaigner.add(2)
    assert stage.read(owing.list_fan_outs) == ([("edition_changed", edition)] if is_substantive else [])
    while campaigner.step(edition, "edition_changed"):
        pass
    assert campaigner.owed("edition_changed") == (sorted(signers) if is_substantive else [])
    assert stage.sql("SELECT asked_at IS NOT NULL FROM editions WHERE number = 2") == [(is_substantive,)]


def test_letters_of_a_destroyed_campaign_are_dropped(campaigner: Campaigner) -> None:
    stage = campaigner.stage
    campaigner.send_off()
    stage.run(fan_out(stage.background))
    stage.write(lambda session: session.connection().exec_driver_sql("DELETE FROM campaign_keys"))
    assert stage.deliver() == []
    states = stage.sql("SELECT DISTINCT state FROM letters")
    assert states == [("dropped",)]
    assert stage.read(lambda session: session.scalars(select(Campaign.state)).one()) == "open"
