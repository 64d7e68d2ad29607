"""How many forms may come from one place before somebody should look: windows and thresholds, as data.

Counted is for each campaign by itself, so that people in a hall who sign three petitions in an evening count once in
each, and minute by minute, so that a window slides. What is looser errs in favour of people: the youngest minute of a
window is the present one, which is not over yet.

A hall of 200 people behind one address, ten a minute at the busiest, reaches 100 in ten minutes and 200 in six hours.
Whoever sends 1,000 from one address within a day crosses after 300 at the latest, 400 from each of fifty addresses too,
and what came before is then set aside as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from app.rules.mailboxes import RELAYS
from app.rules.origins import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Kind = Literal["address", "network", "domain"]


@dataclass(frozen=True, slots=True)
class Window:
    """More than ``most`` forms within ``minutes`` cross it."""

    minutes: int
    most: int


_ADDRESS: Final = (Window(10, 120), Window(360, 250), Window(1440, 300))
#: A network has up to 256 (IPv4) or 65,536 (IPv6) addresses: many halls, and whole towns behind one mobile carrier.
_ADDRESSES_OF_A_NETWORK: Final = 4
WINDOWS: Final[Mapping[Kind, tuple[Window, ...]]] = MappingProxyType(
    {
        "address": _ADDRESS,
        "network": tuple(Window(each.minutes, each.most * _ADDRESSES_OF_A_NETWORK) for each in _ADDRESS),
        "domain": (Window(60, 100), Window(1440, 400)),
    }
)
_LEAST: Final = MappingProxyType({kind: min(window.most for window in windows) for kind, windows in WINDOWS.items()})
#: Words of app/rules/integrity.py.
SIGNALS: Final[Mapping[Kind, str]] = MappingProxyType(
    {"address": "address_limit", "network": "network_limit", "domain": "domain_limit"}
)
SLOWED: Final = "slowed"
#: What a moderator has slowed may send this part of what others may.
SLOWED_PART: Final = 10
LONGEST_MINUTES: Final = max(window.minutes for windows in WINDOWS.values() for window in windows)

#: So many suspicious forms in so many minutes, and a campaign is under pressure; it stays so for an hour after.
PRESSURE: Final = Window(10, 20)
PRESSURE_STAYS_MINUTES: Final = 60

#: Providers of so many people that a crowd of their customers says nothing: worldwide ones, and those of the countries
#: where most Cambodians abroad live (Canada, the United States, France, Australia, New Zealand), with Cambodia's own.
LARGE_PROVIDERS: Final = frozenset(
    {
        *("gmail.com", "googlemail.com"),
        *("outlook.com", "outlook.fr", "outlook.com.au", "msn.com", "passport.com"),
        *("hotmail.com", "hotmail.ca", "hotmail.fr", "hotmail.co.uk", "hotmail.com.au", "hotmail.co.nz"),
        *("live.com", "live.ca", "live.fr", "live.co.uk", "live.com.au"),
        *("yahoo.com", "yahoo.ca", "yahoo.fr", "yahoo.co.uk", "yahoo.com.au", "yahoo.co.nz", "yahoo.com.kh"),
        *("ymail.com", "rocketmail.com", "aol.com", "aol.fr", "aim.com", "verizon.net"),
        *("icloud.com", "me.com", "mac.com"),
        *("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
        *("fastmail.com", "fastmail.fm", "zoho.com", "mail.com", "gmx.com", "gmx.net", "gmx.de", "gmx.fr", "web.de"),
        *("tutanota.com", "tuta.io", "tuta.com", "hey.com", "yandex.com", "qq.com", "163.com", "126.com", "naver.com"),
        *("rogers.com", "bell.net", "sympatico.ca", "videotron.ca", "shaw.ca", "telus.net", "cogeco.ca", "eastlink.ca"),
        *("sasktel.net", "mts.net"),
        *("comcast.net", "att.net", "sbcglobal.net", "bellsouth.net", "cox.net", "charter.net", "earthlink.net"),
        *("orange.fr", "wanadoo.fr", "free.fr", "sfr.fr", "neuf.fr", "laposte.net", "bbox.fr", "numericable.fr"),
        *("bigpond.com", "bigpond.net.au", "optusnet.com.au", "tpg.com.au", "iinet.net.au", "xtra.co.nz"),
        *("bluewin.ch", "skynet.be", "online.com.kh"),
    }
)

#: As ``place_of`` writes them: loopback, RFC 1918, link-local; ::1, unique local and link-local of IPv6.
_PRIVATE: Final = re.compile(
    r"127\.|10\.|192\.168\.|172\.(?:1[6-9]|2[0-9]|3[01])\.|169\.254\.|::/64|f[cd][0-9a-f]{2}:|fe80:"
)


def minute_of(moment: datetime) -> int:
    """Return how many minutes ``moment`` is after 1970 began."""
    return int(moment.timestamp()) // 60


def is_counted_by_domain(domain: str) -> bool:
    """Tell whether many forms of a mail domain say something: not of large providers, nor of private relays."""
    if domain in LARGE_PROVIDERS:
        return False
    while "." in domain:
        if domain in RELAYS:
            return False
        domain = domain.partition(".")[2]
    return True


def is_private(address: str) -> bool:
    """Tell whether an address, as ``place_of`` writes it, is of a private network.

    It is that of a proxy which TRUSTED_PROXIES does not name: everybody comes from there.
    """
    return _PRIVATE.match(address) is not None


def list_subjects(address: str | None, domain: str) -> list[tuple[Kind, str]]:
    """Return what a form is counted under: its address or /64, the network around that, and its mail domain."""
    place = place_of(address)
    subjects: list[tuple[Kind, str]] = []
    if place.address is not None and place.network is not None and not is_private(place.address):
        subjects = [("address", place.address), ("network", place.network)]
    return [*subjects, ("domain", domain)] if is_counted_by_domain(domain) else subjects


def list_crossed(kind: Kind, hits: Mapping[int, int], minute: int, *, part: int = 1) -> tuple[Window, ...]:
    """Return the windows of ``kind`` that ``hits``, by minute, cross now, the shortest first.

    ``part``: of each threshold only this part is allowed.
    """
    if sum(hits.values()) <= _LEAST[kind] // part:
        return ()
    return tuple(window for window in WINDOWS[kind] if count_hits(hits, minute, window.minutes) > window.most // part)


def is_pressed(hits: Mapping[int, int], minute: int) -> bool:
    """Tell whether suspicious ``hits``, by minute, put a campaign under pressure now or did so within the last hour."""
    if sum(hits.values()) < PRESSURE.most:
        return False
    # A window is fullest when one of its minutes with hits has just come.
    ends = (at for at in hits if minute - PRESSURE_STAYS_MINUTES <= at <= minute)
    return any(count_hits(hits, end, PRESSURE.minutes) >= PRESSURE.most for end in ends)


def count_hits(hits: Mapping[int, int], minute: int, minutes: int) -> int:
    """Return how many of ``hits``, by minute, lie in the window that ends with ``minute``."""
    return sum(number for at, number in hits.items() if minute - minutes < at <= minute)
