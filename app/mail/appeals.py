"""Letters about appeals: to those who may decide them, and the answer to the team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import Kind, Prepared
from app.models import Account, Appeal, Member
from app.rules.appeals import may_decide

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter


def _prepare_appeal_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell somebody who may decide an appeal that it waits; not once that is done."""
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    appeal, judge = session.get(Appeal, letter.subject_id), session.get(Account, letter.account_id)
    if matter is None or key is None or appeal is None or appeal.state != "open" or judge is None:
        return None
    if judge.state != "active" or not may_decide(judge.role, appeal.against):
        return None
    return Prepared(
        recipient=key.open("accounts.email", judge.id, judge.email),
        context={**matter.context(), "against": appeal.against, "organiser": matter.campaign.organiser_name},
        links={"links": f"/moderation/appeals/{appeal.id.hex}"},
    )


def _prepare_appeal_answer(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell an owner what became of their appeal."""
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    appeal, owner = session.get(Appeal, letter.subject_id), session.get(Account, letter.account_id)
    if matter is None or key is None or appeal is None or owner is None or owner.state != "active":
        return None
    member = session.get(Member, (matter.campaign.id, owner.id))
    if member is None or member.role != "owner":
        return None
    return Prepared(
        recipient=key.open("accounts.email", owner.id, owner.email),
        context={
            **matter.context(),
            "against": appeal.against,
            "is_granted": appeal.state == "granted",
            "answer": appeal.answer,
        },
        links={"links": f"/workspace/campaigns/{matter.campaign.slug}/appeal"},
    )


# Neutral, as all subjects are: they name no campaign.
KINDS: Final[dict[str, Kind]] = {
    "appeal_notice": Kind(message("An appeal is waiting"), _prepare_appeal_notice),
    "appeal_answer": Kind(message("The answer to your appeal"), _prepare_appeal_answer),
}
