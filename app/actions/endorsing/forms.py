"""Forms for organisations, and the mailbox that confirms them, or that is to speak for one from now on."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy import delete, func, insert, or_, select, update

from app.actions.endorsing.rows import (
    KINDS_OF_LETTERS,
    LIVING,
    NO_DETAILS,
    Asked,
    EndorsementLinkExpired,
    EndorsementLinkUnknown,
    EndorsementMoved,
    NotConfirmable,
    end_links,
    find_by_token,
    lock_campaign,
    move_endorsement,
    read_endorsement,
    see_that_alone,
)
from app.actions.endorsing.telling import Addressed, note, notify, owe, tell_team
from app.actions.limiting import count_today
from app.models import AuthorityLetter, Campaign, Endorsement, Letter, open_campaign_key
from app.rules.limits import is_private
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import canonical_email
from app.rules.organisations import (
    can_confirm,
    find_resembled,
    is_shared,
    looks_of,
    organisation_key,
    proves_domain,
    website_domain,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.actions.endorsing.rows import FoundLink
    from app.core.keys import DataKey, Keyring

#: Letters that one form may cost its mailbox, how far apart they are, and how many forms that say something else wait
#: for one mailbox at a time (security.md).
LETTERS_EACH: Final = 5
LETTERS_APART: Final = timedelta(seconds=60)
VERSIONS: Final = 5
#: How long a version has its place for itself once its letter went out: made-up forms block nobody for longer.
VERSION_STANDS: Final = timedelta(hours=1)

#: Forms kept in a day of one address (of an office, perhaps) on a campaign, and from everywhere on it.
FORMS_FROM_AN_ADDRESS: Final = 20
FORMS_FOR_A_CAMPAIGN: Final = 500
_DAY: Final = timedelta(hours=24)


class _Known(NamedTuple):
    """An organisation that has signed: how its names look, and a domain that is its own."""

    looks: frozenset[str]
    name: str
    domain: str | None


def take_form(
    session: Session,
    *,
    campaign_id: UUID,
    edition_id: UUID,
    asked: Asked,
    key: DataKey,
    address: str | None,
    keyring: Keyring,
    now: datetime,
) -> None:
    """Keep a form that came from ``address``, unless the day is full; whoever sends it is told the same."""
    lately = select(func.count()).where(Endorsement.campaign_id == campaign_id, Endorsement.asked_at > now - _DAY)
    if session.scalars(lately.where(Endorsement.state == "asked")).one() >= FORMS_FOR_A_CAMPAIGN:
        return
    if address is not None and not is_private(address):
        forms = count_today(
            session, what=b"endorsement", campaign_id=campaign_id, address=address, keyring=keyring, now=now
        )
        if forms > FORMS_FROM_AN_ADDRESS:
            return
    request_endorsement(session, campaign_id=campaign_id, edition_id=edition_id, asked=asked, key=key, now=now)


def request_endorsement(
    session: Session,
    *,
    campaign_id: UUID,
    edition_id: UUID | None,
    asked: Asked,
    key: DataKey,
    now: datetime,
) -> None:
    """Keep a form as asked and owe the letter that asks its mailbox to confirm.

    Whoever sends it is told the same in every case. The same form again is no further letter within a minute; one that
    says something else is another version, confirmed by its own letter; and where the organisation has signed from
    this mailbox already, the letter says so. Nothing that was said before is overwritten: a form is no proof.
    """
    lock_campaign(session, campaign_id)
    email_index = key.index("email", canonical_email(asked.email))
    name_key = organisation_key(asked.organisation)
    beside = session.scalars(
        select(Endorsement)
        .where(
            Endorsement.campaign_id == campaign_id,
            Endorsement.email_index == email_index,
            Endorsement.state.in_(("asked", *LIVING)),
        )
        .order_by(Endorsement.asked_at, Endorsement.id)
        .execution_options(populate_existing=True)
    ).all()
    last = _last_letter_at(session, campaign_id, [each.id for each in beside])
    known = next((each for each in beside if each.state in LIVING and each.name_key == name_key), None) or next(
        (each for each in beside if each.state == "asked" and _says_the_same(each, asked, edition_id, key)), None
    )
    pending = [each for each in beside if each.state == "asked"]
    has_room = len(pending) < VERSIONS or (known is None and _give_up_oldest(session, pending, now))
    if known is None and has_room:
        row = _new_row(campaign_id, edition_id, asked, key, now)
        session.execute(insert(Endorsement), row)
        due_at = now if last is None else max(now, last + LETTERS_APART)
        _owe_ask(session, "ask", Addressed(row["id"], campaign_id, asked.locale), due_at)
        return
    known = known or pending[-1]
    about = "ask" if known.state == "asked" else "known"
    if last is None or last <= now - LETTERS_APART:
        _owe_ask(session, about, Addressed(known.id, campaign_id, asked.locale), now)


def confirm_endorsement(session: Session, *, token: str, keyring: Keyring, now: datetime) -> None:
    """Move what a mailbox was asked about to the team, or make whoever it was handed over to its representative.

    Pressed twice it is once. Raises EndorsementLinkUnknown, EndorsementLinkExpired, EndorsementMoved, NotConfirmable.
    """
    found = find_by_token(session, "endorse", token)
    campaign = lock_campaign(session, found.campaign_id)
    endorsement = read_endorsement(session, found.endorsement_id)
    key = open_campaign_key(session, campaign_id=campaign.id, keyring=keyring)
    if key is None:
        raise EndorsementLinkUnknown
    if found.about == "successor":
        _take_over(session, endorsement, found, key, now)
        return
    if endorsement.state in {"waiting", "accepted", "declined"}:
        return  # confirmed by this press before, or by another letter of the same form
    if endorsement.state != "asked" or endorsement.email is None:
        raise EndorsementMoved(endorsement.state)
    _see_that_lasting(found, now)
    if not can_confirm(campaign.state, campaign.closes_at, now):
        raise NotConfirmable(campaign.state)
    email = key.open("endorsements.email", endorsement.id, endorsement.email)
    see_that_alone(session, endorsement, endorsement.email_index)
    proof = "domain" if proves_domain(email, endorsement.website) else None
    session.execute(
        update(Endorsement)
        .where(Endorsement.id == endorsement.id, Endorsement.state == "asked")
        .values(state="waiting", proven_at=now, proof=proof, resembles=_find_resembled(session, endorsement))
    )
    # Other versions of the form end here: at most one of them is what the mailbox stands for.
    session.execute(
        update(Endorsement)
        .where(
            Endorsement.campaign_id == campaign.id,
            Endorsement.email_index == endorsement.email_index,
            Endorsement.name_key == endorsement.name_key,
            Endorsement.state == "asked",
        )
        .values(state="expired", ended_at=now, **NO_DETAILS)
        .execution_options(synchronize_session=False)
    )
    line = note(session, endorsement, "endorsement_confirmed", now=now)
    tell_team(session, endorsement, "unproven" if proof is None else "waiting", line, now)


def _take_over(session: Session, endorsement: Endorsement, found: FoundLink, key: DataKey, now: datetime) -> None:
    """Put the successor in the representative's place: the links of whoever spoke before lead nowhere any more."""
    if endorsement.state not in LIVING:
        raise EndorsementMoved(endorsement.state)
    if endorsement.successor is None:
        return  # pressed before: a link that was ended by another is not found
    successor = json.loads(key.open("endorsements.successor", endorsement.id, endorsement.successor))
    if successor["id"] != found.which:
        raise EndorsementLinkUnknown
    _see_that_lasting(found, now)
    email_index = key.index("email", canonical_email(successor["email"]))
    see_that_alone(session, endorsement, email_index)
    values: dict[str, Any] = {
        column: key.seal(f"endorsements.{column}", endorsement.id, successor[column])
        for column in ("representative", "role", "email")
    }
    is_at_domain = proves_domain(successor["email"], endorsement.website)
    if endorsement.state == "waiting":
        # What was shown of the one before shows nothing of the one after.
        values["proof"] = "domain" if is_at_domain else None
        session.execute(
            delete(AuthorityLetter)
            .where(AuthorityLetter.endorsement_id == endorsement.id, AuthorityLetter.state == "waiting")
            .execution_options(synchronize_session=False)
        )
    move_endorsement(session, endorsement, LIVING, **values, email_index=email_index, successor=None)
    end_links(session, endorsement.id, "endorsement")
    end_links(session, endorsement.id, "endorse", but=found.letter_id)
    # What was owed to the one before is not sent to the one after.
    session.execute(
        update(Letter)
        .where(
            Letter.campaign_id == endorsement.campaign_id,
            Letter.kind.in_(KINDS_OF_LETTERS),
            Letter.subject_id == endorsement.id,
            Letter.state == "queued",
            Letter.kind != "endorsement_again",
        )
        .values(state="dropped")
        .execution_options(synchronize_session=False)
    )
    line = note(session, endorsement, "endorsement_handed_over", now=now, details={"is_at_domain": is_at_domain})
    notify(session, endorsement, "handed_over", line, now)
    tell_team(session, endorsement, "handed_over" if is_at_domain else "handed_elsewhere", line, now)


def _give_up_oldest(session: Session, pending: Sequence[Endorsement], now: datetime) -> bool:
    """End the oldest version whose letter went out long enough ago; tell whether there was one."""
    letters: dict[UUID, bool] = {}
    for letter in session.execute(
        select(Letter.subject_id, Letter.state, Letter.created_at, Letter.sent_at).where(
            Letter.campaign_id == pending[0].campaign_id,
            Letter.kind == "endorse",
            Letter.subject_id.in_([each.id for each in pending]),
        )
    ):
        is_past = letter.state != "queued" and (letter.sent_at or letter.created_at) <= now - VERSION_STANDS
        letters[letter.subject_id] = letters.get(letter.subject_id, True) and is_past
    oldest = next((each for each in pending if letters.get(each.id)), None)
    if oldest is None:
        return False
    move_endorsement(session, oldest, ("asked",), state="expired", ended_at=now, **NO_DETAILS)
    return True


def _new_row(campaign_id: UUID, edition_id: UUID | None, asked: Asked, key: DataKey, now: datetime) -> dict[str, Any]:
    endorsement_id = uuid4()
    return {
        "id": endorsement_id,
        "campaign_id": campaign_id,
        "edition_id": edition_id,
        "state": "asked",
        **_said(asked),
        "name_key": organisation_key(asked.organisation),
        "domain": website_domain(asked.website),
        "locale": asked.locale,
        "representative": key.seal("endorsements.representative", endorsement_id, asked.representative),
        "role": key.seal("endorsements.role", endorsement_id, asked.role),
        "email": key.seal("endorsements.email", endorsement_id, asked.email),
        "email_index": key.index("email", canonical_email(asked.email)),
        "asked_at": now,
        "source": asked.source,
    }


def _said(asked: Asked) -> dict[str, Any]:
    return {
        "name": asked.organisation,
        "names": dict(asked.names),
        "acronym": asked.acronym or None,
        "country": asked.country or None,
        "kind": asked.kind or None,
        "website": asked.website or None,
    }


def _says_the_same(endorsement: Endorsement, asked: Asked, edition_id: UUID | None, key: DataKey) -> bool:
    if endorsement.edition_id != edition_id:
        return False
    if any(getattr(endorsement, column) != value for column, value in _said(asked).items()):
        return False
    return all(
        sealed is not None and key.open(f"endorsements.{column}", endorsement.id, sealed) == value
        for column, sealed, value in (
            ("representative", endorsement.representative, asked.representative),
            ("role", endorsement.role, asked.role),
            ("email", endorsement.email, asked.email),
        )
    )


def _find_resembled(session: Session, endorsement: Endorsement) -> str | None:
    """Return the domain, or the name, of an organisation that has signed here and that this one can be taken for.

    By any of its names, by a domain that was another's before, or by one that looks like another's. What has signed
    under an embargo elsewhere is told to nobody.
    """
    signed = session.execute(
        select(Endorsement.name, Endorsement.names, Endorsement.domain)
        .join(Campaign, Campaign.id == Endorsement.campaign_id)
        .where(
            Endorsement.state == "accepted",
            or_(Campaign.id == endorsement.campaign_id, Campaign.state.in_(PUBLIC_STATES)),
        )
    ).all()
    known = [_Known(looks_of(row.name, row.names), row.name, _own_domain(row.domain)) for row in signed]
    own, domain = looks_of(endorsement.name, endorsement.names), _own_domain(endorsement.domain)
    for look in sorted(own):
        namesakes = [each for each in known if look in each.looks]
        if namesakes and (domain is None or all(each.domain != domain for each in namesakes)):
            return min(each.domain or each.name for each in namesakes)
    if domain is None:
        return None
    there = [each for each in known if each.domain == domain]
    if there:
        return None if any(own & each.looks for each in there) else min(each.name for each in there)
    return find_resembled(domain, {each.domain for each in known if each.domain is not None})


def _own_domain(domain: str | None) -> str | None:
    return None if domain is None or is_shared(domain) else domain


def _see_that_lasting(found: FoundLink, now: datetime) -> None:
    if found.expires_at is not None and found.expires_at <= now:
        raise EndorsementLinkExpired


def _last_letter_at(session: Session, campaign_id: UUID, ids: Sequence[UUID]) -> datetime | None:
    return session.scalar(
        select(func.max(Letter.created_at)).where(
            Letter.campaign_id == campaign_id, Letter.kind == "endorse", Letter.subject_id.in_(ids)
        )
    )


def _owe_ask(session: Session, about: str, to: Addressed, now: datetime) -> None:
    """Owe a letter that a form causes, as long as there are not too many."""
    begins = f"endorse:{to.endorsement_id}:{about}:"
    sent = session.scalars(
        select(func.count()).where(
            Letter.campaign_id == to.campaign_id, Letter.kind == "endorse", Letter.dedupe_key.startswith(begins)
        )
    ).one()
    if sent < LETTERS_EACH:
        owe(session, kind="endorse", dedupe_key=f"{begins}{sent + 1}", to=to, now=now)
