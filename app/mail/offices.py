"""Letters to a member's staff: the way to a campaign's counts, and that it has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import exists, select

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Account, Office, OfficeStaff

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter

LINK_WORKS: Final = timedelta(days=14)


def _prepare_invitation(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    staff = session.get(OfficeStaff, letter.subject_id)
    if matter is None or key is None or staff is None or staff.state != "invited" or staff.email is None:
        return None
    office = session.get_one(Office, staff.office_id)
    if office.revoked_at is not None or office.expires_at <= desk.now:
        return None
    return Prepared(
        recipient=key.open("office_staff.email", staff.id, staff.email),
        context={
            **matter.context(),
            "organiser": matter.campaign.organiser_name,
            "office": office.name,
            "ends_at": office.expires_at,
        },
        links={"links": "/office/invitation/{office}"},
        secrets=(Secret("office", LINK_WORKS, office.expires_at),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _prepare_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    staff, account = session.get(OfficeStaff, letter.subject_id), session.get(Account, letter.account_id)
    if matter is None or key is None or staff is None or account is None or account.state != "active":
        return None
    is_back = exists().where(
        OfficeStaff.account_id == account.id,
        OfficeStaff.state == "joined",
        OfficeStaff.office_id == Office.id,
        Office.campaign_id == matter.campaign.id,
        Office.revoked_at.is_(None),
        Office.expires_at > desk.now,
    )
    if session.scalar(select(is_back)):
        return None
    return Prepared(
        recipient=key.open("accounts.email", account.id, account.email),
        context={**matter.context(), "office": session.get_one(Office, staff.office_id).name},
        links=matter.links(),
    )


# Neutral, as all subjects are: they name no campaign.
KINDS: Final[dict[str, Kind]] = {
    "office_invitation": Kind(message("Counts for your office"), _prepare_invitation),
    "office_notice": Kind(message("Your office’s way in has ended"), _prepare_notice),
}
