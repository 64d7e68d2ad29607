"""The letter with the code for a receipt. The receipt itself is never mailed: it is evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.i18n import message
from app.mail.desk import Kind, Prepared, Secret
from app.models import Signature

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.mail.desk import Desk
    from app.models import Letter

CODE_WORKS: Final = timedelta(minutes=30)
#: Whoever asked that long ago has given up or asked again: a code that is late is noise.
WORTH_SENDING: Final = timedelta(hours=1)


def _prepare(session: Session, letter: Letter, desk: Desk) -> Prepared | None:
    matter = desk.find_matter(session, letter)
    signature = None if letter.signature_id is None else session.get(Signature, letter.signature_id)
    if matter is None or signature is None or letter.created_at <= desk.now - WORTH_SENDING:
        return None
    if signature.state != "confirmed" or signature.email is None:
        return None
    return Prepared(
        recipient=matter.key.open("signatures.email", signature.id, signature.email),
        context={},
        links={"links": "/verify"},
        secrets=(Secret("receipt_code", CODE_WORKS),),
    )


# Neutral, as the others to signers are; and the letter names no campaign either: it holds a code and nothing else.
KINDS: Final = {"receipt_code": Kind(message("A message about your request"), _prepare)}
