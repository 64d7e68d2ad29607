"""Letters about organisations that sign: to who speaks for them, to the team, to moderators."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from app.i18n import message
from app.mail.desk import DAILY_FROM_A_CAMPAIGN, Kind, Prepared, Secret
from app.mail.signing import LINK_WORKS
from app.models import Account, AuthorityLetter, Edition, Endorsement, EndorsementRenewal, Member
from app.rules.life import CONFIRMING_GRACE
from app.rules.moves import PUBLIC_STATES
from app.rules.organisations import can_confirm
from app.rules.permissions import STAFF, StaffPermission

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk, Matter
    from app.models import Letter

_LIVING: Final = ("waiting", "accepted")
#: What a representative is told, and in which states of the row that still holds.
NEWS: Final = {
    "accepted": ("accepted",),
    "declined": ("declined",),
    "removed": ("removed",),
    "restored": _LIVING,
    "disputed": ("accepted",),
    "letter_accepted": ("waiting",),
    "letter_refused": ("waiting",),
    "handing_over": _LIVING,
    "handed_over": _LIVING,
}
#: What owners are told, likewise.
TEAM_NEWS: Final = {
    "waiting": ("waiting",),
    "unproven": ("waiting",),
    "withdrawn": ("withdrawn",),
    "removed": ("removed",),
    "handed_over": _LIVING,
    "handed_elsewhere": _LIVING,
}
#: News a day that one mailbox gets about one organisation; more wait for the next day.
_DAILY_NEWS: Final = 5


def _prepare_endorse(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Ask a mailbox to confirm a form; or a successor; or say that the form was confirmed before.

    Nothing that the form said is in the letter: anybody can send it to anybody's address. The page behind it shows all.
    """
    matter, endorsement = desk.find_matter(session, letter), session.get(Endorsement, letter.subject_id)
    if matter is None or endorsement is None:
        return None
    about, which = letter.dedupe_key.split(":")[2:4]
    recipient = _recipient(endorsement, matter, about, which)
    if recipient is None:
        return None
    if about == "ask" and not can_confirm(matter.campaign.state, matter.campaign.closes_at, desk.now):
        return None
    closes_at = matter.campaign.closes_at
    latest = None if closes_at is None or about != "ask" else closes_at + CONFIRMING_GRACE
    links = {"own_links": "/endorsement/{endorsement}", "links": "/endorsement/confirm/{endorse}"}
    secrets = [Secret("endorsement"), Secret("endorse", LINK_WORKS, latest)]
    if about == "known":
        links, secrets = {"links": "/endorsement/{endorsement}"}, secrets[:1]
    elif about == "successor":
        # What the organisation's own page can do is not theirs before they confirm.
        del links["own_links"], secrets[0]
    return Prepared(
        recipient=recipient,
        context={**matter.context(), "organiser": matter.campaign.organiser_name, "about": about},
        links=links,
        secrets=tuple(secrets),
        daily=DAILY_FROM_A_CAMPAIGN,
    )


def _recipient(endorsement: Endorsement, matter: Matter, about: str, which: str) -> str | None:
    if about == "successor":
        if endorsement.successor is None or endorsement.state not in _LIVING:
            return None
        sealed = matter.key.open("endorsements.successor", endorsement.id, endorsement.successor)
        successor: dict[str, str] = json.loads(sealed)
        # Somebody else was named meanwhile: their letter is another one.
        return successor["email"] if successor["id"] == which else None
    wanted = ("asked",) if about == "ask" else _LIVING
    return _address(endorsement, matter) if endorsement.state in wanted else None


def _address(endorsement: Endorsement, matter: Matter) -> str | None:
    if endorsement.email is None:
        return None
    return matter.key.open("endorsements.email", endorsement.id, endorsement.email)


def _prepare_notice(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell a representative of something that still holds."""
    matter, endorsement = desk.find_matter(session, letter), session.get(Endorsement, letter.subject_id)
    if matter is None or endorsement is None:
        return None
    news = letter.dedupe_key.split(":")[2]
    recipient = _address(endorsement, matter)
    if recipient is None or endorsement.state not in NEWS[news] or _is_over(endorsement, news):
        return None
    context = {
        **_organisation(matter, endorsement),
        "news": news,
        "reason": _reason(session, endorsement, news),
        "is_public": matter.campaign.state in PUBLIC_STATES,
    }
    return replace(_to_own_page(recipient, context), daily=_DAILY_NEWS, pool=endorsement.id)


def _is_over(endorsement: Endorsement, news: str) -> bool:
    if news == "disputed":
        return endorsement.disputed_at is None
    return news == "handing_over" and endorsement.successor is None


def _reason(session: Session, endorsement: Endorsement, news: str) -> str | None:
    if news in {"declined", "removed"}:
        return endorsement.because
    if news != "letter_refused":
        return None
    return session.scalar(
        select(AuthorityLetter.because)
        .where(AuthorityLetter.endorsement_id == endorsement.id, AuthorityLetter.state == "refused")
        .order_by(AuthorityLetter.decided_at.desc())
        .limit(1)
    )


def _prepare_again(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Ask a representative about a text that says something else by now."""
    matter, endorsement = desk.find_matter(session, letter), session.get(Endorsement, letter.subject_id)
    if matter is None or endorsement is None or endorsement.state != "accepted":
        return None
    recipient = _address(endorsement, matter)
    unsigned = _list_unsigned_changes(session, endorsement)
    if recipient is None or not unsigned or str(unsigned[-1].id) != letter.dedupe_key.split(":")[1]:
        # Signed in the meantime, or the text has changed once more, and there is another letter about that.
        return None
    notes = [edition.note for edition in unsigned if edition.note]
    return _to_own_page(recipient, {**_organisation(matter, endorsement), "notes": notes})


def _list_unsigned_changes(session: Session, endorsement: Endorsement) -> list[Edition]:
    """Return the editions that changed the substance after the last one that it said yes to, oldest first."""
    own = select(func.coalesce(func.max(Edition.number), 0)).where(Edition.id == endorsement.edition_id)
    renewed = (
        select(func.coalesce(func.max(Edition.number), 0))
        .join(EndorsementRenewal, EndorsementRenewal.edition_id == Edition.id)
        .where(EndorsementRenewal.endorsement_id == endorsement.id)
    )
    return list(
        session.scalars(
            select(Edition)
            .where(
                Edition.campaign_id == endorsement.campaign_id,
                Edition.is_substantive.is_(True),
                Edition.number > 1,
                Edition.number > own.scalar_subquery(),
                Edition.number > renewed.scalar_subquery(),
            )
            .order_by(Edition.number)
        )
    )


def _prepare_waiting(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Tell an owner of an organisation that waits, or of what one did that had signed."""
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    owner, endorsement = session.get(Account, letter.account_id), session.get(Endorsement, letter.subject_id)
    if matter is None or key is None or owner is None or endorsement is None or owner.state != "active":
        return None
    member = session.get(Member, (matter.campaign.id, owner.id))
    news = letter.dedupe_key.split(":")[2]
    if member is None or member.role != "owner" or endorsement.state not in TEAM_NEWS[news]:
        return None
    if news == "unproven" and endorsement.proof is not None:
        return None  # shown meanwhile; there is another letter about that
    return Prepared(
        recipient=key.open("accounts.email", owner.id, owner.email),
        context={
            **_organisation(matter, endorsement),
            "news": news,
            "resembles": endorsement.resembles,
            "has_signed": endorsement.state == "accepted",
        },
        links={"links": f"/workspace/campaigns/{matter.campaign.slug}/endorsements"},
    )


def _prepare_authority(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    """Say that there is a letter of authority to read, and not whose: the letter passes other hands."""
    account, key = session.get(Account, letter.account_id), desk.account_key(session)
    if account is None or key is None or account.state != "active":
        return None
    waiting = session.scalar(
        select(AuthorityLetter.id)
        .join(Endorsement, Endorsement.id == AuthorityLetter.endorsement_id)
        .where(Endorsement.campaign_id == letter.campaign_id, AuthorityLetter.state == "waiting")
        .limit(1)
    )
    if waiting is None or StaffPermission.MODERATE not in STAFF[account.role]:
        return None
    return Prepared(
        recipient=key.open("accounts.email", account.id, account.email),
        context={},
        links={"links": "/moderation/authority"},
    )


def _organisation(matter: Matter, endorsement: Endorsement) -> dict[str, Any]:
    return {**matter.context(), "organisation": endorsement.name, "organisation_names": endorsement.names}


def _to_own_page(recipient: str, context: dict[str, Any]) -> Prepared:
    # The link works for as long as the organisation has a page of its own.
    return Prepared(
        recipient=recipient,
        context=context,
        links={"links": "/endorsement/{endorsement}"},
        secrets=(Secret("endorsement"),),
    )


# Neutral: a list of messages tells nobody which text an organisation signs.
KINDS: Final[dict[str, Kind]] = {
    "endorse": Kind(message("A message about your request"), _prepare_endorse),
    "endorsement_notice": Kind(message("A message about your request"), _prepare_notice),
    "endorsement_again": Kind(message("A message about your request"), _prepare_again),
    "endorsement_waiting": Kind(message("News about your campaign"), _prepare_waiting),
    "authority_waiting": Kind(message("Something is waiting for you"), _prepare_authority),
}
