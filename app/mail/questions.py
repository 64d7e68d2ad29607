"""Letters that carry visitors' questions to a team, and answers back; neither shows an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared
from app.models import Account, Member, Question
from app.rules.permissions import ALLOWED, Permission, Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter


def _prepare_question(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Return a visitor's question for somebody of the team who may answer it, as long as nobody has."""
    matter = desk.find_matter(session, letter)
    question = session.get(Question, letter.subject_id)
    if matter is None or question is None or question.state != "open" or not (question.name and question.text):
        return None
    recipient = _find_answerer(session, letter, desk)
    if recipient is None:
        return None
    return Prepared(
        recipient=recipient,
        context={
            **matter.context(),
            "name": matter.key.open("questions.name", question.id, question.name),
            "question": matter.key.open("questions.text", question.id, question.text),
        },
        links={"question_links": f"/workspace/campaigns/{matter.campaign.slug}/questions"},
    )


def _find_answerer(session: Session, letter: Letter, desk: Desk) -> str | None:
    """Return the address of an account that still works on the campaign and may answer, or None."""
    account = session.get(Account, letter.account_id)
    member = session.get(Member, (letter.campaign_id, letter.account_id))
    key = desk.account_key(session)
    if account is None or member is None or key is None or account.state != "active":
        return None
    if Permission.RESPOND not in ALLOWED[Role(member.role)]:
        return None
    return key.open("accounts.email", account.id, account.email)


def _prepare_answer(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Return the team's answer for whoever asked."""
    matter = desk.find_matter(session, letter)
    question = session.get(Question, letter.subject_id)
    if matter is None or question is None or not (question.email and question.text and question.answer):
        return None
    return Prepared(
        recipient=matter.key.open("questions.email", question.id, question.email),
        context={
            **matter.context(),
            "organiser": matter.campaign.organiser_name,
            "question": matter.key.open("questions.text", question.id, question.text),
            "answer": matter.key.open("questions.answer", question.id, question.answer),
        },
        links={**matter.links(), "ask_links": f"/campaigns/{matter.campaign.slug}/ask"},
        daily=DAILY_FROM_A_CAMPAIGN,
    )


KINDS: Final = {
    "question": Kind(message("A question for your team"), _prepare_question),
    "question_answer": Kind(message("A message about your question"), _prepare_answer),
}
