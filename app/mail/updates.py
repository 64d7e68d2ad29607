"""Letters with news: updates, and the responses of parliaments, to signers who asked for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.i18n import message
from app.mail.desk import Kind, Prepared, Secret
from app.models import Account, Response, Signature, Update
from app.rendering import choose_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.orm import Session

    from app.mail.desk import Desk, Matter
    from app.models import Letter

#: Campaigns that are or were public. From one that was stopped nothing more goes out.
SENDING_STATES: Final = frozenset({"open", "closed", "presented", "answered"})


@dataclass(frozen=True, slots=True)
class News:
    """An update as a reader of one language gets it; ``locale`` is the one that it is in."""

    locale: str
    title: str
    body: str


def choose_news(texts: Mapping[str, Mapping[str, str]], locale: str, source_locale: str) -> News:
    """Return an update in ``locale``, else as it was written; title and body are of one language."""
    body = choose_part({name: text["body"] for name, text in texts.items()}, locale, source_locale)
    return News(body.locale, texts[body.locale]["title"], body.value)


def _prepare_update(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    update = session.get(Update, letter.subject_id)
    if matter is None or update is None or update.state != "queued":
        return None
    return _to_signer(session, letter, matter, _say_update(matter, update, letter.locale))


def _prepare_trial(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter, key = desk.find_matter(session, letter), desk.account_key(session)
    update, account = session.get(Update, letter.subject_id), session.get(Account, letter.account_id)
    if matter is None or key is None or update is None or account is None or account.state != "active":
        return None
    return Prepared(
        recipient=key.open("accounts.email", account.id, account.email),
        context={**matter.context(), **_say_update(matter, update, letter.locale)},
        links=matter.links(),
    )


def _prepare_response(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    response = session.get(Response, letter.subject_id)
    if matter is None or response is None or response.removed_at is not None:
        return None
    said = {
        "body": response.body,
        "answered_on": response.answered_on,
        "language": response.language,
        "title": response.title,
        "text": response.text,
        "url": response.url,
    }
    return _to_signer(session, letter, matter, {"response": said})


def _say_update(matter: Matter, update: Update, locale: str) -> dict[str, Any]:
    news = choose_news(update.texts, locale, matter.campaign.source_locale)
    return {"news": news, "organiser": matter.campaign.organiser_name}


def _to_signer(session: Session, letter: Letter, matter: Matter, said: Mapping[str, Any]) -> Prepared | None:
    """Address a letter to its signer, if that person still counts and still wants news."""
    signature = _find_reader(session, letter.signature_id)
    if signature is None or signature.email is None or matter.campaign.state not in SENDING_STATES:
        return None
    return Prepared(
        recipient=matter.key.open("signatures.email", signature.id, signature.email),
        context={**matter.context(), **said},
        links={**matter.links(), "unsubscribe_links": "/unsubscribe/{unsubscribe}"},
        secrets=(Secret("unsubscribe"),),
        one_click="unsubscribe_links",
    )


def _find_reader(session: Session, signature_id: UUID | None) -> Signature | None:
    signature = session.get(Signature, signature_id)
    is_reader = signature is not None and signature.state == "confirmed" and signature.wants_updates
    return signature if is_reader else None


# Neutral: whoever sees the list of messages on a phone learns no campaign, and not that anything was signed.
_SUBJECT: Final = message("News you asked for")
KINDS: Final = {
    "update": Kind(_SUBJECT, _prepare_update),
    "update_trial": Kind(_SUBJECT, _prepare_trial),
    "response": Kind(_SUBJECT, _prepare_response),
}
