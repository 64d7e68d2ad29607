"""What letters say: text and HTML in the reader's language, with a line and a link for each of the others."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import TYPE_CHECKING, Any, Final

from app.i18n import LOCALES, Message, as_locale, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.mail.outbox import OwedLetter
    from app.rendering import Pages

#: Neutral: whoever sees the list of messages on a phone learns no campaign, and not even that one was signed.
SUBJECTS: Final[dict[str, Message]] = {
    "confirm": message("A message about your request"),
    "already_signed": message("A message about your request"),
    "crossing_organiser": message("A campaign has reached its number"),
    "crossing_office": message("A campaign has reached its number"),
}


def write_letter(letter: OwedLetter, *, pages: Pages, base_url: str, sender: str) -> EmailMessage:
    """Return the letter: the same bytes each time for the same claim."""
    locale = as_locale(letter.locale)
    context = _context(letter, base_url)
    mail = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    mail["From"] = formataddr((name, address))
    mail["To"] = letter.recipient
    mail["Subject"] = without_controls(SUBJECTS[letter.kind].say(locale))
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.id.hex}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    # Nothing in a letter is to be tracked, rewritten or answered by a machine.
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(pages.render(f"mail/{letter.kind}.txt", locale, **context), cte="quoted-printable")
    mail.add_alternative(
        pages.render(f"mail/{letter.kind}.html", locale, **context), subtype="html", cte="quoted-printable"
    )
    mail.set_boundary(f"=_{letter.id.hex}")
    # Last, since adding an alternative moves what is said of the content into its first part.
    mail["Content-Language"] = locale
    return mail


def without_controls(text: str) -> str:
    """Return ``text`` fit for a header: no CR, LF, NUL or other control character."""
    return "".join(character for character in text if character.isprintable())


def _context(letter: OwedLetter, base_url: str) -> dict[str, Any]:
    def links(path: Callable[[str], str]) -> dict[str, str]:
        return {locale: f"{base_url}/{locale}{path(locale)}" for locale in LOCALES}

    context: dict[str, Any] = {
        "base_url": base_url,
        "campaign_links": links(lambda _: f"/campaigns/{letter.campaign_slug}"),
        "titles": letter.titles,
        "source_locale": letter.source_locale,
        "reference": letter.reference,
        "zone": letter.timezone,
    }
    if letter.links is not None:
        own = letter.links
        context |= {
            "links": links(lambda _: f"/confirm/{own.confirm}"),
            "manage_links": links(lambda _: f"/signature/{own.manage}"),
            "code": own.code,
            "valid_until": own.valid_until,
        }
    if letter.news is not None:
        news = letter.news
        context |= {
            "signatures": news.signatures,
            "threshold": news.threshold,
            "labels": news.labels,
            "reached_at": news.reached_at,
        }
    return context
