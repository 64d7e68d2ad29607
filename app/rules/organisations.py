"""Organisations: what kinds there are, what shows that a mailbox is theirs, and whom a domain can be taken for."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from app.i18n import Message, message
from app.rules.khmer import caseless, comparison_key
from app.rules.life import CONFIRMING_GRACE
from app.rules.limits import LARGE_PROVIDERS
from app.rules.mailboxes import MAILBOXES, RELAYS, is_throwaway
from app.rules.normalise import Refused, clean_line, mail_domain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    import icu
    from publicsuffixlist import PublicSuffixList

#: What an organisation can say that it is, in the order of the form.
KINDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "ngo": message("Non-governmental organisation"),
        "community": message("Community association"),
        "union": message("Trade union"),
        "religious": message("Religious organisation"),
        "network": message("Network or coalition"),
        "academic": message("School or university"),
        "media": message("Media"),
        "party": message("Political party"),
        "business": message("Business"),
        "other": message("Another kind of organisation"),
    }
)
#: The states of a campaign in which an organisation's form may be confirmed. The dates end it as they end signing, but
#: do not hold it back: one that signed under embargo, before the opening, confirms when its letter comes.
CONFIRMABLE_STATES: Final = frozenset({"embargoed", "scheduled", "open", "closed"})
WEBSITE_LIMIT: Final = 500

_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_ENTER_WEBSITE: Final = message("Enter the address of its website, like www.example.org")
#: Labels shorter than this are one change away from too many others.
_LEAST_COMPARED: Final = 4
_TWO_CHANGES_FROM: Final = 8


def organisation_key(name: str) -> str:
    """Return a text that is equal for spellings of one organisation's name; never empty for a name that is not."""
    return comparison_key(name) or caseless(name)


def can_confirm(state: str, closes_at: datetime | None, now: datetime) -> bool:
    """Tell whether a form that an organisation sent in time may be confirmed at ``now``: until 24 hours after closing.

    Under embargo, too, where forms come from the private link alone. A campaign marked as closed that has no closing
    date was closed by hand, at once and without the grace.
    """
    if state == "embargoed":
        return True
    if state not in CONFIRMABLE_STATES or (state == "closed" and closes_at is None):
        return False
    return closes_at is None or now < closes_at + CONFIRMING_GRACE


def clean_website(raw: str) -> str:
    """Return the address of a website as it can be linked to, with its scheme, or an empty text where none was given.

    Raises Refused for what is no web address: another scheme, a name without a dot, a user, a port that is none.
    """
    typed = clean_line(raw, limit=WEBSITE_LIMIT)
    if not typed:
        return ""
    if not typed.casefold().startswith(("http://", "https://")):
        if _SCHEME.match(typed) and not re.match(r"[^:/]+:\d+(?:/|$)", typed):
            raise Refused(_ENTER_WEBSITE)
        typed = f"https://{typed}"
    try:
        parts = urlsplit(unicodedata.normalize("NFKC", typed))
        host, port = _ascii_host(parts.hostname or ""), parts.port
    except ValueError:
        raise Refused(_ENTER_WEBSITE) from None
    if host is None or parts.username is not None or re.search(r"[\s\"'<>\\^`{|}]", typed):
        raise Refused(_ENTER_WEBSITE)
    place = host if port is None else f"{host}:{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme.lower()}://{place}{parts.path}{query}"


def website_domain(website: str | None) -> str | None:
    """Return the part of a website's name that somebody registered, in lower-case ASCII; None where there is none.

    Where a host gives names away under its own, as github.io does, that is what somebody registered.
    """
    if not website:
        return None
    try:
        name = urlsplit(website if "//" in website else f"//{website}").hostname or ""
    except ValueError:
        return None
    return registrable(name)


def registrable(name: str) -> str | None:
    """Return the part of a host's name that somebody registered, by the public suffix list, or None."""
    host = _ascii_host(name)
    found = None if host is None else _suffixes().privatesuffix(host)
    return None if found is None else str(found)


def proves_domain(email: str, website: str | None) -> bool:
    """Tell whether a mailbox is at the domain of the website, and that domain gives no mailboxes to everybody."""
    mailbox = mail_domain(email)
    own = registrable(mailbox)
    if own is None or own != website_domain(website):
        return False
    return not (_gives_mailboxes(mailbox) or _gives_mailboxes(own))


def find_resembled(domain: str, others: Iterable[str]) -> str | None:
    """Return the first of ``others`` that ``domain`` can be taken for, or None; it is never taken for itself.

    Letters that look alike (Unicode's table), another ending, words added with hyphens, one or two letters changed.
    Somebody has to look at what this finds: two honest organisations may well have names like that.
    """
    label, ending = _split(domain)
    look = _skeleton(label)
    for other in sorted(set(others) - {domain}):
        known, known_ending = _split(other)
        if look == _skeleton(known):
            # The same word: elsewhere, or in letters that look the same here.
            return other
        if min(len(label), len(known)) < _LEAST_COMPARED:
            continue
        if _has_words_added(label, known) or _is_near(look, _skeleton(known)):
            return other
        if ending == known_ending and look.replace("-", "") == _skeleton(known).replace("-", ""):
            return other
    return None


def _gives_mailboxes(domain: str) -> bool:
    return domain in LARGE_PROVIDERS or domain in MAILBOXES or domain in RELAYS or is_throwaway(domain)


def _has_words_added(label: str, known: str) -> bool:
    words, fewer = sorted((label.split("-"), known.split("-")), key=len, reverse=True)
    return len(words) > len(fewer) and set(fewer) <= set(words)


def _is_near(one: str, other: str) -> bool:
    """Tell whether one or two letters changed, added, left out or exchanged make ``other`` of ``one``."""
    limit = 1 if min(len(one), len(other)) < _TWO_CHANGES_FROM else 2
    if abs(len(one) - len(other)) > limit:
        return False
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, 1):
        earlier, before, row = before, row, [place]
        for column, its in enumerate(other, 1):
            least = min(before[column] + 1, row[column - 1] + 1, before[column - 1] + (letter != its))
            if place > 1 and column > 1 and letter == other[column - 2] and one[place - 2] == its:
                least = min(least, earlier[column - 2] + 1)
            row.append(least)
        if min(row) > limit:
            return False
    return row[-1] <= limit


def _split(domain: str) -> tuple[str, str]:
    """Return a registered name without its ending, in the letters that people see, and the ending."""
    label, _, ending = domain.partition(".")
    if label.startswith("xn--"):
        import idna

        with suppress(idna.IDNAError):  # a label that nobody can see as letters
            label = idna.decode(label)
    return label, ending


def _skeleton(label: str) -> str:
    return str(_checker().getSkeleton(0, caseless(label)))


def _ascii_host(name: str) -> str | None:
    """Return a host's name in lower-case ASCII, or None for what is no name with a dot in it."""
    import idna

    try:
        host = idna.encode(name.strip().rstrip("."), uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return None
    last = host.rpartition(".")[2]
    return host if "." in host and not last.isdigit() else None


# Neither at the top of the module: reading them takes a tenth of a second, and only who looks at a domain waits for it.
@cache
def _suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


@cache
def _checker() -> icu.SpoofChecker:
    import icu

    return icu.SpoofChecker()
