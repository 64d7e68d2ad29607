"""Letters about integrity: alarms to moderators, appeals, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import Kind, Prepared
from app.models import Account, Alarm
from app.rules.permissions import STAFF, StaffPermission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter


def _prepare_alarm(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Say that there is something to look at, and not where, what or how much: the letter passes other hands."""
    account, alarm, key = (
        session.get(Account, letter.account_id),
        session.get(Alarm, letter.subject_id),
        desk.account_key(session),
    )
    if account is None or key is None or alarm is None or alarm.state != "open":
        return None
    if account.state != "active" or StaffPermission.MODERATE not in STAFF[account.role]:
        return None
    return Prepared(
        recipient=key.open("accounts.email", account.id, account.email),
        context={},
        links={"links": "/moderation/alarms"},
    )


KINDS: Final[dict[str, Kind]] = {
    "alarm_notice": Kind(message("Something is waiting for you"), _prepare_alarm),
}
