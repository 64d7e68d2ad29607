"""Organisations as rows: facts that doors translate, and how a row is found, held and moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, select, update

from app.core import tokens
from app.models import AuthorityLetter, Campaign, Endorsement, Letter, Logo, Token
from app.rules.organisations import is_shared, looks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.orm import Session

#: What is held of who speaks for an organisation, emptied.
NO_DETAILS: Final[dict[str, Any]] = {
    "representative": None, "role": None, "email": None, "email_index": None, "successor": None,
}  # fmt: skip
#: What a row says of its organisation, emptied. Whatever finds a row by a link passes those without a name by.
NOTHING_SAID: Final[dict[str, Any]] = {
    "name": "", "names": {}, "name_key": "", "acronym": None, "country": None, "kind": None, "website": None,
    "domain": None, "resembles": None, "because": None, "source": None,
}  # fmt: skip
#: The states in which an organisation's own page changes something.
LIVING: Final = ("waiting", "accepted")
KINDS_OF_LETTERS: Final = ("endorse", "endorsement_notice", "endorsement_again")


class EndorsementLinkUnknown(Exception):
    """No letter of ours holds this link, or another has taken its place."""


class EndorsementLinkExpired(Exception):
    """The link that confirms is older than seven days; the form can be sent again."""


class EndorsementMoved(Exception):
    """It does not stand where this can be done any more; the message is its state, or ``gone``."""


class NotConfirmable(Exception):
    """The campaign takes no organisations any more; the message is its state."""


class NotProven(Exception):
    """Nothing shows yet that the organisation speaks here: neither its domain nor a letter of authority."""


class SignedAlready(Exception):
    """An organisation of this name has signed this campaign."""


class RemovedBefore(Exception):
    """A moderator took it out, or one of its name, its domain or its mailbox, and has not brought it back."""


class HandedOverLately(Exception):
    """Somebody else was named a moment ago, or as often as a day allows."""


class TextMoved(Exception):
    """The text is not the one that was shown."""


class AuthorityMoved(Exception):
    """The letter of authority was decided, or another has taken its place, or there is none to decide."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an organisation's form says, cleaned. ``names`` by locale, beside the one that it writes itself.

    ``kind`` is a word of app/rules/organisations.py, ``website`` as its `clean_website` returns it (empty: none) and
    ``locale`` that of its letters.
    """

    organisation: str
    names: Mapping[str, str]
    acronym: str
    country: str
    kind: str | None
    website: str
    representative: str
    role: str
    email: str
    locale: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class FoundLink:
    """A link in a letter: of which row, and what the letter is ``about``: ask, known or successor, and ``which``."""

    endorsement_id: UUID
    campaign_id: UUID
    letter_id: UUID
    about: str
    which: str
    expires_at: datetime | None


def lock_campaign(session: Session, campaign_id: UUID) -> Campaign:
    """Return the campaign, holding its row: what is decided of its organisations takes turns. Signing goes on."""
    return session.scalars(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def read_endorsement(session: Session, endorsement_id: UUID, campaign_id: UUID | None = None) -> Endorsement:
    """Return a row as it stands now, of the campaign where one is given. Raises EndorsementMoved where it is gone."""
    statement = select(Endorsement).where(Endorsement.id == endorsement_id)
    if campaign_id is not None:
        statement = statement.where(Endorsement.campaign_id == campaign_id)
    found = session.scalars(statement.execution_options(populate_existing=True)).first()
    if found is None:
        raise EndorsementMoved("gone")
    return found


def find_by_token(session: Session, purpose: tokens.Purpose, token: str) -> FoundLink:
    """Return what a link in a letter about an organisation leads to. Raises EndorsementLinkUnknown."""
    row = session.execute(
        select(
            Endorsement.id, Endorsement.campaign_id, Letter.id.label("letter_id"), Letter.dedupe_key, Token.expires_at
        )
        .join(Letter, Letter.subject_id == Endorsement.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(
            Token.hash == tokens.hash_token(purpose, token),
            Token.purpose == purpose,
            Letter.kind.in_(KINDS_OF_LETTERS),
            Endorsement.name != "",
        )
    ).first()
    if row is None:
        raise EndorsementLinkUnknown
    about, which = row.dedupe_key.split(":")[2:4] if purpose == "endorse" else ("", "")
    return FoundLink(row.id, row.campaign_id, row.letter_id, about, which, row.expires_at)


def find_own(session: Session, token: str, states: Sequence[str] = ()) -> Endorsement:
    """Return what a link to the own page leads to, held, so that what is pressed there at once takes turns.

    Raises EndorsementLinkUnknown, and EndorsementMoved where it is in none of ``states``.
    """
    found = find_by_token(session, "endorsement", token)
    endorsement = session.scalars(
        select(Endorsement)
        .where(Endorsement.id == found.endorsement_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    if states and endorsement.state not in states:
        raise EndorsementMoved(endorsement.state)
    return endorsement


def see_that_alone(session: Session, endorsement: Endorsement, email_index: bytes | None) -> None:
    """Raise EndorsementMoved where another row of this mailbox and name is before the team, or has signed."""
    other = session.scalar(
        select(Endorsement.state).where(
            Endorsement.campaign_id == endorsement.campaign_id,
            Endorsement.id != endorsement.id,
            Endorsement.email_index == email_index,
            Endorsement.name_key == endorsement.name_key,
            Endorsement.state.in_(LIVING),
        )
    )
    if other is not None:
        raise EndorsementMoved(other)


def see_that_unsigned(session: Session, endorsement: Endorsement) -> None:
    """Raise SignedAlready where an organisation has signed under one of its names, or one that looks the same."""
    own = looks_of(endorsement.name, endorsement.names)
    signed = session.scalars(
        select(Endorsement).where(
            Endorsement.campaign_id == endorsement.campaign_id,
            Endorsement.state == "accepted",
            Endorsement.id != endorsement.id,
        )
    )
    if any(not own.isdisjoint(looks_of(each.name, each.names)) for each in signed):
        raise SignedAlready


def see_that_unremoved(session: Session, endorsement: Endorsement) -> None:
    """Raise RemovedBefore where a moderator took it out under another form."""
    own, domain = looks_of(endorsement.name, endorsement.names), endorsement.domain
    removed = session.scalars(
        select(Endorsement).where(
            Endorsement.campaign_id == endorsement.campaign_id,
            Endorsement.state == "removed",
            Endorsement.id != endorsement.id,
        )
    )
    for each in removed:
        is_there = domain is not None and domain == each.domain and not is_shared(domain)
        is_of_mailbox = endorsement.email_index is not None and endorsement.email_index == each.email_index
        if is_there or is_of_mailbox or not own.isdisjoint(looks_of(each.name, each.names)):
            raise RemovedBefore


def move_endorsement(session: Session, endorsement: Endorsement, leaves: Sequence[str], **values: object) -> None:
    """Change a row that is still in one of the states that it ``leaves``; EndorsementMoved otherwise."""
    moved = session.scalar(
        update(Endorsement)
        .where(Endorsement.id == endorsement.id, Endorsement.state.in_(leaves))
        .values(**values)
        .returning(Endorsement.id)
        .execution_options(synchronize_session=False)
    )
    if moved is None:
        raise EndorsementMoved(read_endorsement(session, endorsement.id).state)


def forget_pictures(session: Session, endorsement_id: UUID) -> None:
    """Delete an organisation's sign and its letters of authority."""
    session.execute(delete(Logo).where(Logo.endorsement_id == endorsement_id))
    session.execute(delete(AuthorityLetter).where(AuthorityLetter.endorsement_id == endorsement_id))


def end_links(session: Session, endorsement_id: UUID, purpose: str, *, but: UUID | None = None) -> None:
    """End the links of one purpose in every letter about an organisation, ``but`` those of one letter."""
    own = select(Letter.id).where(Letter.subject_id == endorsement_id, Letter.kind.in_(KINDS_OF_LETTERS))
    statement = delete(Token).where(Token.letter_id.in_(own), Token.purpose == purpose)
    if but is not None:
        statement = statement.where(Token.letter_id != but)
    session.execute(statement.execution_options(synchronize_session=False))
