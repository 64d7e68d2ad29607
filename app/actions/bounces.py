"""Bounces: a report that a letter came back, found by the address it came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from app.mail import outbox
from app.mail.reports import find_letter

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.core.keys import Keyring
    from app.mail.reports import Report

Outcome = Literal["bounced", "unchanged", "unknown"]


def take_report(session: Session, *, report: Report, keyring: Keyring) -> Outcome:
    """Mark the letter that came back.

    ``unknown``: no address of ours is in the report, or a forged one. ``unchanged``: it was not given up, or its letter
    is gone or marked already.
    """
    letter_id = find_letter(keyring, report.recipients)
    if letter_id is None:
        return "unknown"
    if report.status is None:
        return "unchanged"
    is_news = outbox.mark_bounced(session, letter_id=letter_id, fault=report.status)
    return "bounced" if is_news else "unchanged"
