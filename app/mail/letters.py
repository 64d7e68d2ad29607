"""What letters say: text and HTML in the reader's language, with a line and a link for each of the others."""

from __future__ import annotations

from email.headerregistry import HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, parseaddr
from typing import TYPE_CHECKING, Any, Final

from app.i18n import LOCALES, as_locale
from app.mail.kinds import KINDS

if TYPE_CHECKING:
    from email.policy import Policy

    from app.mail.outbox import OwedLetter
    from app.rendering import Pages


class _AddressOfPage(UnstructuredHeader):
    """A header that holds one web address. Encoded and folded like words, as the library does, nobody could open it."""

    name: str

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> Policy:
    headers = HeaderRegistry()
    headers.map_to_type("List-Unsubscribe", _AddressOfPage)  # type: ignore[arg-type]  # it adds BaseHeader itself
    return SMTP.clone(header_factory=headers)


_POLICY: Final = _policy()


def write_letter(letter: OwedLetter, *, pages: Pages, base_url: str, sender: str) -> EmailMessage:
    """Return the letter: the same bytes each time for the same claim."""
    locale = as_locale(letter.locale)
    context = _context(letter, base_url)
    mail = EmailMessage(policy=_POLICY)
    name, address = parseaddr(sender)
    mail["From"] = formataddr((name, address))
    mail["To"] = letter.recipient
    mail["Subject"] = without_controls(KINDS[letter.kind].subject.say(locale))
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.id.hex}@{address.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    # Nothing in a letter is to be tracked, rewritten or answered by a machine.
    mail["X-Auto-Response-Suppress"] = "All"
    if letter.one_click is not None:
        mail["List-Unsubscribe"] = f"<{base_url}/{locale}{letter.one_click}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
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
    links = {name: {locale: f"{base_url}/{locale}{path}" for locale in LOCALES} for name, path in letter.links.items()}
    return {"base_url": base_url, **letter.context, **links}
