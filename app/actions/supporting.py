"""Supporters before publication: the private link, asking, confirming, withdrawing, telling, forgetting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, or_, select, update

from app.actions.records import record
from app.core import tokens
from app.core.db import dialect_of, insert_if_absent
from app.mail.outbox import owe_letter
from app.models import Campaign, Edition, Letter, Supporter, Token
from app.queries.supporters import find_wording
from app.rules.moves import PUBLIC_STATES
from app.rules.normalise import canonical_email

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.orm import Session

    from app.core.keys import DataKey

#: Letters that one wording may cost a supporter, and how far apart they are (security.md).
LETTERS_EACH: Final = 5
LETTERS_APART: Final = timedelta(seconds=60)
UNCONFIRMED_KEPT: Final = timedelta(days=14)
KEPT_AFTER_PUBLICATION: Final = timedelta(days=30)
NO_DETAILS: Final[dict[str, Any]] = {"name": None, "email": None}


class NotGathering(Exception):
    """The campaign takes no supporters any more, or not yet; the message is its state."""


class WordingChanged(Exception):
    """The text is not the one that was shown."""


class SupporterNotFound(Exception):
    """No such link was ever sent, or what it led to is withdrawn or forgotten."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form for supporters says, cleaned; ``wording`` names the text that stood above it."""

    name: str
    email: str
    locale: str
    wording: str


def renew_support_link(
    session: Session, *, campaign_id: UUID, shown: UUID | None, tokens_key: bytes, account_id: UUID, now: datetime
) -> bool:
    """Make the private link, or another one that ends it, and return whether this press made it.

    ``shown`` is what the link on the page was made from: pressed twice, one link is made. Raises NotGathering.
    """
    link_id = uuid4()
    hashed = tokens.hash_token("support", tokens.make_token(tokens_key, "support", link_id))
    made = session.scalar(
        update(Campaign)
        .where(
            Campaign.id == campaign_id,
            Campaign.state == "draft",
            Campaign.support_link_id.is_(None) if shown is None else Campaign.support_link_id == shown,
        )
        .values(support_link_id=link_id, support_hash=hashed)
        .returning(Campaign.id)
    )
    if made is None:
        _require_draft(session, campaign_id)
        return False
    what = "support_link_made" if shown is None else "support_link_renewed"
    record(session, what=what, now=now, account_id=account_id, campaign_id=campaign_id)
    return True


def request_support(session: Session, *, campaign_id: UUID, asked: Asked, key: DataKey, now: datetime) -> None:
    """Keep somebody as a pending supporter and owe the letter that asks to confirm.

    An address that is known already gets a letter that says so, and nothing that it said is overwritten: a form is no
    proof. Raises NotGathering, WordingChanged.
    """
    _require_draft(session, campaign_id)
    wording = find_wording(session, campaign_id=campaign_id)
    if asked.wording != wording:
        raise WordingChanged
    email_index = key.index("email", canonical_email(asked.email))
    supporter_id = uuid4()
    new = {**_sealed(key, supporter_id, asked), "locale": asked.locale, "state": "pending", "substance_hash": wording}
    session.execute(
        insert_if_absent(cast("Table", Supporter.__table__), dialect_of(session)),
        {"id": supporter_id, "campaign_id": campaign_id, "email_index": email_index, "created_at": now, **new},
    )
    kept = session.scalars(
        select(Supporter).where(Supporter.campaign_id == campaign_id, Supporter.email_index == email_index)
    ).one()
    if kept.state == "withdrawn":
        # Nothing is held of them any more: this is a first form again.
        session.execute(
            update(Supporter)
            .where(Supporter.id == kept.id, Supporter.state == "withdrawn")
            .values(
                **_sealed(key, kept.id, asked),
                locale=asked.locale,
                state="pending",
                substance_hash=wording,
                created_at=now,
                confirmed_at=None,
            )
        )
        _owe(session, campaign_id, kept.id, "ask", wording=wording, locale=asked.locale, now=now)
        return
    about = "ask" if kept.state == "pending" else "known" if kept.substance_hash == wording else "again"
    _owe(session, campaign_id, kept.id, about, wording=wording, locale=asked.locale, now=now)


def confirm_support(session: Session, *, token: str, wording: str, now: datetime) -> None:
    """Count a supporter for the wording that they were shown, once; the same when repeated.

    Raises SupporterNotFound, NotGathering, WordingChanged.
    """
    supporter = _find_by_token(session, token)
    if supporter.state == "withdrawn" or supporter.name is None:
        raise SupporterNotFound
    _require_draft(session, supporter.campaign_id)
    if wording != find_wording(session, campaign_id=supporter.campaign_id):
        raise WordingChanged
    session.execute(
        update(Supporter)
        .where(
            Supporter.id == supporter.id,
            or_(
                Supporter.state == "pending",
                (Supporter.state == "confirmed") & (Supporter.substance_hash != wording),
            ),
        )
        .values(state="confirmed", confirmed_at=now, substance_hash=wording)
    )


def withdraw_support(session: Session, *, token: str) -> None:
    """Withdraw a supporter and empty what is held of them; the same when repeated. Raises SupporterNotFound."""
    supporter = _find_by_token(session, token)
    session.execute(
        update(Supporter)
        .where(Supporter.id == supporter.id, Supporter.state != "withdrawn")
        .values(state="withdrawn", **NO_DETAILS)
    )


def ask_supporters_again(session: Session, *, campaign_id: UUID, account_id: UUID, now: datetime) -> int:
    """Owe a letter to everybody who confirmed an earlier wording, once a wording; return to how many.

    Raises NotGathering.
    """
    _require_draft(session, campaign_id)
    wording = find_wording(session, campaign_id=campaign_id)
    earlier = session.execute(
        select(Supporter.id, Supporter.locale).where(
            Supporter.campaign_id == campaign_id,
            Supporter.state == "confirmed",
            Supporter.substance_hash != wording,
            Supporter.email.is_not(None),
        )
    ).all()
    keys = {row.id: _letter_key(row.id, wording, "again") for row in earlier}
    letters = select(Letter.dedupe_key).where(Letter.campaign_id == campaign_id, Letter.kind == "supporter")
    asked = set(session.scalars(letters))
    due = [row for row in earlier if keys[row.id] not in asked]
    for row in due:
        _owe_keyed(session, campaign_id, row.id, keys[row.id], locale=row.locale, now=now)
    if due:
        details = {"letters": len(due)}
        record(
            session,
            what="supporters_asked_again",
            now=now,
            account_id=account_id,
            campaign_id=campaign_id,
            details=details,
        )
    return len(due)


def tell_supporters(session: Session, *, campaign_id: UUID, now: datetime) -> None:
    """Owe every confirmed supporter of a published campaign one letter that it is open; once, however often called.

    One that is scheduled is told when it opens.
    """
    campaign = session.get_one(Campaign, campaign_id)
    if campaign.state not in {"scheduled", "open"}:
        return
    rows = session.execute(
        select(Supporter.id, Supporter.locale).where(
            Supporter.campaign_id == campaign_id, Supporter.state == "confirmed", Supporter.email.is_not(None)
        )
    ).all()
    for row in rows:
        owe_letter(
            session,
            kind="supported_open",
            dedupe_key=f"supported_open:{row.id}",
            locale=row.locale,
            now=now,
            campaign_id=campaign_id,
            subject_id=row.id,
        )
    if campaign.opens_at is not None and campaign.opens_at > now:
        session.execute(
            update(Letter)
            .where(
                Letter.campaign_id == campaign_id,
                Letter.kind == "supported_open",
                Letter.state == "queued",
                Letter.attempts == 0,
            )
            .values(due_at=campaign.opens_at)
        )


def forget_supporters(session: Session, *, now: datetime) -> int:
    """Empty what is held of supporters who never confirmed, and of all of them 30 days after publication."""
    first = (
        select(Edition.campaign_id)
        .join(Campaign, Campaign.id == Edition.campaign_id)
        .where(
            Edition.number == 1,
            Edition.created_at <= now - KEPT_AFTER_PUBLICATION,
            Campaign.state.in_(PUBLIC_STATES),
            or_(Campaign.opens_at.is_(None), Campaign.opens_at <= now - KEPT_AFTER_PUBLICATION),
        )
    )
    unconfirmed = session.execute(
        update(Supporter)
        .where(Supporter.state == "pending", Supporter.created_at <= now - UNCONFIRMED_KEPT)
        .values(state="withdrawn", **NO_DETAILS)
    )
    published = session.execute(
        update(Supporter)
        .where(Supporter.campaign_id.in_(first), or_(Supporter.email.is_not(None), Supporter.name.is_not(None)))
        .values(**NO_DETAILS)
    )
    return cast("CursorResult[Any]", unconfirmed).rowcount + cast("CursorResult[Any]", published).rowcount


def _sealed(key: DataKey, supporter_id: UUID, asked: Asked) -> dict[str, bytes]:
    return {
        "name": key.seal("supporters.name", supporter_id, asked.name),
        "email": key.seal("supporters.email", supporter_id, asked.email),
    }


def _require_draft(session: Session, campaign_id: UUID) -> None:
    state = session.scalars(select(Campaign.state).where(Campaign.id == campaign_id)).one()
    if state != "draft":
        raise NotGathering(state)


def _find_by_token(session: Session, token: str) -> Supporter:
    supporter = session.scalars(
        select(Supporter)
        .join(Letter, Letter.subject_id == Supporter.id)
        .join(Token, Token.letter_id == Letter.id)
        .where(Token.hash == tokens.hash_token("support", token), Token.purpose == "support")
    ).first()
    if supporter is None:
        raise SupporterNotFound
    return supporter


def _owe(
    session: Session, campaign_id: UUID, supporter_id: UUID, about: str, *, wording: str, locale: str, now: datetime
) -> None:
    """Owe a letter that somebody asked for: five for a wording, a minute apart."""
    sent = session.scalars(
        select(Letter.created_at).where(
            Letter.campaign_id == campaign_id,
            Letter.kind == "supporter",
            Letter.subject_id == supporter_id,
            Letter.dedupe_key.startswith(_letter_key(supporter_id, wording, "")),
        )
    ).all()
    if len(sent) >= LETTERS_EACH or any(now - at < LETTERS_APART for at in sent):
        return
    _owe_keyed(
        session,
        campaign_id,
        supporter_id,
        f"{_letter_key(supporter_id, wording, about)}:{len(sent) + 1}",
        locale=locale,
        now=now,
    )


def _owe_keyed(
    session: Session, campaign_id: UUID, supporter_id: UUID, dedupe_key: str, *, locale: str, now: datetime
) -> None:
    owe_letter(
        session,
        kind="supporter",
        dedupe_key=dedupe_key,
        locale=locale,
        now=now,
        campaign_id=campaign_id,
        subject_id=supporter_id,
    )


def _letter_key(supporter_id: UUID, wording: str, about: str) -> str:
    """Return what makes a letter one: app/mail/supporters.py reads its last words."""
    return f"supporter:{supporter_id}:{wording[:16]}:{about}"
