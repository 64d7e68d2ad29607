"""Letters about a campaign's life: moves, reviews, members who are asked to carry it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.models import Account, Member, Record, Sponsor
from app.rules.life import ASKING_LASTS
from app.rules.moves import PUBLIC_STATES
from app.rules.permissions import STAFF, StaffPermission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk, Matter
    from app.models import Letter

#: What an office is told, and in which states of its member that still holds.
OFFICE_NEWS: Final = {
    "accepted": ("accepted",),
    "opened": ("accepted",),
    "closed": ("accepted",),
    "stopped": ("accepted",),
    "resumed": ("accepted",),
    "withdrawn": ("withdrawn",),
    "left": ("left",),
}
#: Moves whose reason is kept with the campaign, and the state in which it is still that one.
_REASONS: Final = {
    "send_back": ("draft", "refused_because"),
    "refuse": ("refused", "refused_because"),
    "stop": ("stopped", "stopped_because"),
}


def _prepare_move_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell an owner of one line of the record."""
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    owner = session.get(Account, letter.account_id)
    line = None if letter.subject_id is None else session.get(Record, letter.subject_id.int)
    if matter is None or key is None or line is None or owner is None or owner.state != "active":
        return None
    member = session.get(Member, (matter.campaign.id, owner.id))
    if member is None or member.role != "owner":
        return None
    sponsor = _sponsor_of(session, line)
    context = {
        **matter.context(),
        "what": line.what,
        "member": None if sponsor is None else sponsor.name,
        "day": _day_of(line, "day"),
        "last_day": _day_of(line, "last_day"),
        "at": line.at,
        "reason": _reason_of(line, matter, sponsor),
    }
    return Prepared(
        recipient=key.open("accounts.email", owner.id, owner.email),
        context=context,
        links={"links": f"/workspace/campaigns/{matter.campaign.slug}/steps"},
    )


def _prepare_review_request(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Ask somebody who reviews to read a campaign; not once that is done or taken back."""
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    reviewer = session.get(Account, letter.account_id)
    if matter is None or key is None or reviewer is None or matter.campaign.state != "review":
        return None
    if reviewer.state != "active" or StaffPermission.REVIEW not in STAFF[reviewer.role]:
        return None
    return Prepared(
        recipient=key.open("accounts.email", reviewer.id, reviewer.email),
        context={**matter.context(), "organiser": matter.campaign.organiser_name},
        links={"links": f"/moderation/reviews/{matter.campaign.slug}"},
    )


def _prepare_sponsor_request(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Ask an office whether its member carries the petition."""
    matter = desk.find_matter(session, letter)
    sponsor = session.get(Sponsor, letter.subject_id)
    if matter is None or sponsor is None or sponsor.state != "asked" or sponsor.email is None:
        return None
    if sponsor.expires_at is not None and sponsor.expires_at <= desk.now:
        return None
    return Prepared(
        recipient=matter.key.open("sponsors.email", sponsor.id, sponsor.email),
        # The page of the team shows the same letter before it is sent: app/web/workspace/sponsor.py.
        context={**matter.context(), "member": sponsor.name, "organiser": matter.campaign.organiser_name},
        links={"links": "/sponsor/{sponsor}"},
        secrets=(Secret("sponsor", ASKING_LASTS, sponsor.expires_at),),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _prepare_sponsor_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell an office what became of a petition that its member carries, or was asked to carry."""
    matter = desk.find_matter(session, letter)
    sponsor = session.get(Sponsor, letter.subject_id)
    news = letter.dedupe_key.split(":")[1]
    if matter is None or sponsor is None or sponsor.email is None or sponsor.state not in OFFICE_NEWS[news]:
        return None
    has_page = matter.campaign.state in PUBLIC_STATES
    links = {**matter.links(), "links": "/sponsor/{sponsor}"} if sponsor.state == "accepted" else {}
    return Prepared(
        recipient=matter.key.open("sponsors.email", sponsor.id, sponsor.email),
        context={**matter.context(), "news": news, "member": sponsor.name, "has_page": has_page and bool(links)},
        links=links or {"links": "/about"},
        secrets=(Secret("sponsor"),) if sponsor.state == "accepted" else (),
    )


def _sponsor_of(session: Session, line: Record) -> Sponsor | None:
    sponsor_id = line.details.get("sponsor")
    return None if sponsor_id is None else session.get(Sponsor, UUID(sponsor_id))


def _day_of(line: Record, name: str) -> date | None:
    day = line.details.get(name)
    return None if day is None else date.fromisoformat(day)


def _reason_of(line: Record, matter: Matter, sponsor: Sponsor | None) -> str | None:
    if line.what in {"sponsor_declined", "sponsor_left"} and sponsor is not None:
        return sponsor.reason
    state, column = _REASONS.get(line.what, ("", ""))
    reason: str | None = getattr(matter.campaign, column) if matter.campaign.state == state else None
    return reason


# Neutral, as all subjects are: they name no campaign.
KINDS: Final[dict[str, Kind]] = {
    "move_notice": Kind(message("News about your campaign"), _prepare_move_notice),
    "review_request": Kind(message("A text is waiting for review"), _prepare_review_request),
    "sponsor_request": Kind(message("A petition and a question to the Member"), _prepare_sponsor_request),
    "sponsor_notice": Kind(message("News about a petition"), _prepare_sponsor_notice),
}
