"""Visitors' questions: kept sealed, carried to the team by letter, answered once; neither side sees an address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from sqlalchemy import func, select, update

from app.actions.records import record
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Account, Campaign, Member, Question
from app.rules.normalise import canonical_email
from app.rules.permissions import ALLOWED, Permission

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

DAY: Final = timedelta(hours=24)
#: What an address may ask of one campaign in a day.
FROM_AN_ADDRESS: Final = 5
#: How many questions of a day are carried to a campaign's team by letter; further ones wait in the workspace.
WITH_LETTERS: Final = 200
#: How many a campaign keeps in a day at all.
FOR_A_CAMPAIGN: Final = 2000


class TooManyQuestions(Exception):
    """An address, or everybody together, has asked as much as a day holds."""


class QuestionSettled(Exception):
    """The question was answered or closed before, or is not of this campaign, or its text is gone."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a visitor typed, cleaned."""

    name: str
    email: str
    text: str


def ask_question(
    session: Session,
    *,
    question_id: UUID,
    campaign_id: UUID,
    asked: Asked,
    locale: str,
    key: DataKey,
    now: datetime,
) -> None:
    """Keep a question and owe it to those of the team who may answer. The same form again changes nothing.

    Raises TooManyQuestions.
    """
    # One at a time for a campaign, so that many at once do not slip through together. Signing goes on meanwhile.
    session.execute(select(Campaign.id).where(Campaign.id == campaign_id).with_for_update(key_share=True))
    if session.get(Question, question_id) is not None:
        return
    email_index = key.index("email", canonical_email(asked.email))
    today = select(func.count()).where(Question.campaign_id == campaign_id, Question.created_at > now - DAY)
    of_all = session.scalars(today).one()
    of_address = session.scalars(today.where(Question.email_index == email_index)).one()
    if of_address >= FROM_AN_ADDRESS or of_all >= FOR_A_CAMPAIGN:
        raise TooManyQuestions
    session.execute(
        insert_if_absent(cast("Table", Question.__table__), dialect_of(session)),
        {
            "id": question_id,
            "campaign_id": campaign_id,
            "email_index": email_index,
            "name": key.seal("questions.name", question_id, asked.name),
            "email": key.seal("questions.email", question_id, asked.email),
            "text": key.seal("questions.text", question_id, asked.text),
            "locale": locale,
            "state": "open",
            "created_at": now,
        },
    )
    if of_all < WITH_LETTERS:
        _owe_question(session, question_id=question_id, campaign_id=campaign_id, now=now)


def answer_question(
    session: Session,
    *,
    question_id: UUID,
    campaign_id: UUID,
    text: str,
    account_id: UUID,
    key: DataKey,
    now: datetime,
) -> None:
    """Keep the one answer to a question and owe it to the visitor. Pressed twice, it is one answer and one letter.

    Raises QuestionSettled where there is another answer, or none is wanted any more.
    """
    answered = session.execute(
        update(Question)
        .where(
            Question.id == question_id,
            Question.campaign_id == campaign_id,
            Question.state == "open",
            Question.email.is_not(None),
        )
        .values(
            state="answered",
            answer=key.seal("questions.answer", question_id, text),
            answered_at=now,
            answered_by=account_id,
        )
        .returning(Question.locale)
    ).first()
    if answered is None:
        if _find_answer(session, question_id, campaign_id, key) == text:
            return
        raise QuestionSettled
    owe_letter(
        session,
        kind="question_answer",
        dedupe_key=f"question_answer:{question_id}",
        locale=answered.locale,
        now=now,
        campaign_id=campaign_id,
        subject_id=question_id,
    )
    record(
        session,
        what="answer_question",
        now=now,
        account_id=account_id,
        campaign_id=campaign_id,
        details={"question": str(question_id)},
    )


def close_question(session: Session, *, question_id: UUID, campaign_id: UUID, account_id: UUID, now: datetime) -> None:
    """Put a question aside without an answer. Raises QuestionSettled where it was answered; closed twice is closed."""
    closed = session.scalar(
        update(Question)
        .where(Question.id == question_id, Question.campaign_id == campaign_id, Question.state == "open")
        .values(state="closed", answered_at=now, answered_by=account_id)
        .returning(Question.id)
    )
    if closed is not None:
        record(
            session,
            what="close_question",
            now=now,
            account_id=account_id,
            campaign_id=campaign_id,
            details={"question": str(question_id)},
        )
        return
    state = session.scalar(
        select(Question.state).where(Question.id == question_id, Question.campaign_id == campaign_id)
    )
    if state != "closed":
        raise QuestionSettled


def _owe_question(session: Session, *, question_id: UUID, campaign_id: UUID, now: datetime) -> None:
    roles = [role for role, allowed in ALLOWED.items() if Permission.RESPOND in allowed]
    team = session.execute(
        select(Account.id, Account.locale)
        .join(Member, Member.account_id == Account.id)
        .where(Member.campaign_id == campaign_id, Member.role.in_(roles), Account.state == "active")
    )
    for each in team:
        owe_letter(
            session,
            kind="question",
            dedupe_key=f"question:{question_id}:{each.id}",
            locale=each.locale,
            now=now,
            campaign_id=campaign_id,
            account_id=each.id,
            subject_id=question_id,
        )


def _find_answer(session: Session, question_id: UUID, campaign_id: UUID, key: DataKey) -> str | None:
    sealed = session.scalar(
        select(Question.answer).where(Question.id == question_id, Question.campaign_id == campaign_id)
    )
    return None if sealed is None else key.open("questions.answer", question_id, sealed)
