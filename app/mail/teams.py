"""Letters to teams: invitations, who came or left, and to whoever was removed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Account, Invitation, Member, open_account_name

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.core.keys import DataKey
    from app.mail.desk import Desk
    from app.models import Letter

LINK_WORKS: Final = timedelta(days=7)


def _prepare_invitation(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    invitation = session.get(Invitation, letter.subject_id)
    if matter is None or key is None or invitation is None:
        return None
    if invitation.state != "sent" or invitation.expires_at <= desk.now:
        # Answered or taken back while this letter waited.
        return None
    context = {
        **matter.context(),
        "role": invitation.role,
        "role_locales": invitation.locales,
        "inviter": _name_of(session, invitation.invited_by, key),
    }
    return Prepared(
        recipient=key.open("invitations.email", invitation.id, invitation.email),
        context=context,
        links={"links": "/workspace/invitation/{invitation}"},
        secrets=(Secret("invitation", LINK_WORKS, invitation.expires_at),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _prepare_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    account = session.get(Account, letter.account_id)
    if matter is None or key is None or account is None or account.state != "active":
        return None
    member = session.get(Member, (matter.campaign.id, account.id))
    path, news = f"/workspace/campaigns/{matter.campaign.slug}/team", None
    if letter.subject_id == account.id:
        # About the recipient, who was removed, and may be in the team again by now.
        path, news = "/workspace", None if member is not None else ("removed", "")
    elif member is not None and member.role == "owner":
        # Who came and left is told to owners alone.
        news = _news_of(session, letter, key)
    if news is None:
        return None
    event, who = news
    return Prepared(
        recipient=key.open("accounts.email", account.id, account.email),
        context={**matter.context(), "event": event, "who": who},
        links={"team_links": path},
    )


def _news_of(session: Session, letter: Letter, key: DataKey) -> tuple[str, str] | None:
    """Return what happened and to whom: about an invitation, or about somebody who left."""
    invitation = session.get(Invitation, letter.subject_id)
    if invitation is not None:
        return invitation.state, key.open("invitations.email", invitation.id, invitation.email)
    leaver = session.get(Account, letter.subject_id)
    if leaver is None:
        return None
    return "left", _name_of(session, leaver.id, key) or key.open("accounts.email", leaver.id, leaver.email)


def _name_of(session: Session, account_id: UUID, key: DataKey) -> str | None:
    account = session.get(Account, account_id)
    return None if account is None else open_account_name(key, account.id, account.name)


# Neutral, as all subjects are: they name no campaign.
KINDS: Final[dict[str, Kind]] = {
    "invitation": Kind(message("An invitation to work together"), _prepare_invitation),
    "team_notice": Kind(message("News about your team"), _prepare_notice),
}
