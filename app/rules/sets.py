"""Sets of signatures: conditions as data, read from a form, a link or a table, and said in words.

A set is whatever fulfils every condition that is given. Addresses, networks and mail domains are never kept as typed,
but as the campaign's hashes of them, which are also what an alarm's link carries.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from app.i18n import LOCALES, Message, message
from app.i18n.formats import format_moment, format_number, language_name
from app.rules.integrity import WEIGHTS
from app.rules.khmer import to_latin_digits
from app.rules.normalise import mail_domain
from app.rules.origins import place_of
from app.rules.places import COUNTRIES, SUBDIVISIONS, country_name, country_of, is_subdivision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.i18n import Locale

#: From this many on it takes two moderators.
LARGE: Final = 100
STATES: Final = ("pending", "confirmed", "withdrawn", "expired", "disowned", "superseded")
#: What is held of a signature, whatever its signer did: only what is confirmed *and* counted is in the count.
STANDINGS: Final = ("counted", "quarantined", "removed")
#: What is done with a set, and where that leaves its signatures.
STANDING_AFTER: Final[Mapping[str, str]] = MappingProxyType(
    {"quarantine": "quarantined", "remove": "removed", "restore": "counted"}
)
SCORE_LIMIT: Final = 1000
EDITION_LIMIT: Final = 10_000
#: How much of a hash is shown: enough to see that two are the same.
MARK_LENGTH: Final = 6

SIGNAL_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "honeypot": message("A field that nobody sees was filled in"),
        "address_limit": message("Far too many forms from one internet address"),
        "held_before": message("The same mailbox withdrew one that was not counted, and signed again"),
        "network_limit": message("Far too many forms from one network"),
        "domain_limit": message("Far too many forms of one mail domain"),
        "slowed": message("Its country or network is slowed, and it came faster than that"),
        "throwaway_domain": message("A mail domain for throwing away"),
        "no_proof": message("It came without the proof of work that was asked for"),
        "odd_name": message("The name looks like keys pressed at random"),
        "unmarked_form": message("Not the form that we served"),
        "old_form": message("The form was very old"),
        "quick_form": message("The form was sent very quickly"),
        "postal_mismatch": message("The postal code is of another province"),
    }
)
RULE_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "limits": message("Too many from one source"),
        "scripted": message("Sent by a program"),
        "duplicate": message("The same person twice"),
        "not_eligible": message("Not somebody who can sign"),
        "mailbox": message("A mailbox that is not a person's own"),
        "other": message("Another reason"),
    }
)
STANDING_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "counted": message("Counted"),
        "quarantined": message("Set aside to be checked"),
        "removed": message("Taken out of the count"),
    }
)
STATE_WORDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "pending": message("Waiting to be confirmed"),
        "confirmed": message("Confirmed by its signer"),
        "withdrawn": message("Withdrawn by its signer"),
        "expired": message("Never confirmed in time"),
        "disowned": message("Sent by somebody else, says the owner of the address"),
        "superseded": message("Replaced by a later form"),
    }
)
LABELS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "sent_from": message("Sent at or after"),
        "sent_to": message("Sent before"),
        "confirmed_from": message("Confirmed at or after"),
        "confirmed_to": message("Confirmed before"),
        "address": message("Internet address"),
        "network": message("Network"),
        "domain": message("Mail domain"),
        "score_from": message("Score of at least"),
        "signal": message("What speaks against it"),
        "edition": message("Edition"),
        "locale": message("Language"),
        "standing": message("How it stands with us"),
        "state": message("What its signer did"),
        "country": message("Country"),
        "subdivision": message("Province, territory or state"),
    }
)

_HASH: Final = re.compile(r"#?([0-9a-f]{64})")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_MOMENT: Final = message("Enter a day, or a day and a time, like 2026-03-01 or 2026-03-01T18:30")
_ADDRESS: Final = message("Enter an internet address, like 203.0.113.7 or 2001:db8::7")
_NETWORK: Final = message("Enter a network, like 203.0.113.0/24 or 2001:db8::/48")
_MAIL_DOMAIN: Final = message("Enter a mail domain, like example.org")
_CHOOSE: Final = message("Choose one of the list")
_NUMBER: Final = message("Enter a whole number")
_NO_KEY: Final = message("This campaign's key is gone, so nothing can be looked for by it")

#: A campaign's keyed hash: purpose and text.
Index = Callable[[str, str], bytes]


class ConditionsUnreadable(Exception):
    """What is kept or linked is not a set of conditions."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which signatures; each that is None says nothing. Times are half-open; the three hashes are hexadecimal."""

    sent_from: datetime | None = None
    sent_to: datetime | None = None
    confirmed_from: datetime | None = None
    confirmed_to: datetime | None = None
    address: str | None = None
    network: str | None = None
    domain: str | None = None
    score_from: int | None = None
    signal: str | None = None
    edition: int | None = None
    locale: str | None = None
    standing: str | None = None
    state: str | None = None
    country: str | None = None
    subdivision: str | None = None

    def __bool__(self) -> bool:
        """Tell whether anything is asked for: without, it is every signature of the campaign."""
        return bool(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """Return what is asked for, as it is kept and linked; ``parse_conditions`` reads it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
            if value is not None
        }


FIELDS: Final = tuple(field.name for field in fields(Conditions))


def parse_conditions(data: Mapping[str, Any]) -> Conditions:
    """Read what ``as_json`` gave. Raises ConditionsUnreadable."""
    typed = {name: str(value) for name, value in data.items()}
    conditions, faults = read_conditions(typed, None)
    if faults or not set(data) <= set(FIELDS):
        raise ConditionsUnreadable(", ".join(name for name, _ in faults) or ", ".join(sorted(data)))
    return conditions


def read_conditions(typed: Mapping[str, str], index: Index | None) -> tuple[Conditions, list[tuple[str, Message]]]:
    """Return what a form or a link asks for, and what is wrong with it, field by field.

    Addresses, networks and domains are taken as a person types them, or as a hash. ``index`` is None where there is no
    key any more, and where only hashes are to be expected.
    """
    values: dict[str, Any] = {}
    faults: list[tuple[str, Message]] = []
    for name in FIELDS:
        text = to_latin_digits(typed.get(name, "")).strip()
        if not text:
            continue
        try:
            values[name] = _READERS[name](name, text, index)
        except _Fault as fault:
            faults.append((name, fault.words))
    country, subdivision = values.get("country"), values.get("subdivision")
    if country is not None and subdivision is not None and country_of(subdivision) != country:
        faults.append(("subdivision", message("Choose a place in that country, or leave the country open")))
    return Conditions(**values), faults


def say_conditions(conditions: Conditions, locale: Locale) -> list[tuple[str, str]]:
    """Return each condition as a label and what it has to be, in ``locale``."""
    return [
        (LABELS[name].say(locale), _say_value(name, value, locale))
        for name in FIELDS
        if (value := getattr(conditions, name)) is not None
    ]


def say_signals(signals: list[str], locale: Locale) -> list[str]:
    """Return the reasons of a signature in words, the weightiest first; a word that has gone out of use as it is."""
    return [SIGNAL_WORDS[signal].say(locale) if signal in SIGNAL_WORDS else signal for signal in signals]


def say_rule(rule: str, locale: Locale) -> str:
    """Return the rule under which something is published, in words."""
    return RULE_WORDS[rule].say(locale) if rule in RULE_WORDS else rule


def is_grave(size: int) -> bool:
    """Tell whether a set takes two moderators."""
    return size > LARGE


class _Fault(Exception):
    def __init__(self, words: Message) -> None:
        super().__init__(words.sentence)
        self.words = words


def _read_moment(_name: str, text: str, _index: Index | None) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Fault(_MOMENT) from None


def _read_hashed(name: str, text: str, index: Index | None) -> str:
    known = _HASH.fullmatch(text.lower())
    if known is not None:
        return known[1]
    try:
        plain = _HASHED_TEXTS[name](text)
    except ValueError:
        raise _Fault(_HASHED_FAULTS[name]) from None
    if index is None:
        raise _Fault(_NO_KEY)
    return index(name, plain).hex()


def _domain_text(text: str) -> str:
    domain = mail_domain(text) if "@" in text else text.lower()
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(text)
    return domain


def _address_text(text: str) -> str:
    address, slash, length = text.partition("/")
    place = place_of(address)
    if place.address is None or (slash and length not in {"32", "64", "128"}):
        raise ValueError(text)
    return place.address


def _network_text(text: str) -> str:
    address, slash, length = text.partition("/")
    network = place_of(address).network
    # A wider one would be taken for a part of itself.
    if network is None or (slash and not network.endswith(f"/{length}")):
        raise ValueError(text)
    return network


def _read_number(name: str, text: str, _index: Index | None) -> int:
    low, high = (0, SCORE_LIMIT) if name == "score_from" else (1, EDITION_LIMIT)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not low <= int(text) <= high:
        raise _Fault(_NUMBER)
    return int(text)


def _read_choice(name: str, text: str, _index: Index | None) -> str:
    is_known = is_subdivision(text) if name == "subdivision" else text in _CHOICES[name]
    if not is_known:
        raise _Fault(_CHOOSE)
    return text


_HASHED_TEXTS: Final[Mapping[str, Callable[[str], str]]] = {
    "address": _address_text,
    "network": _network_text,
    "domain": _domain_text,
}
_HASHED_FAULTS: Final = {"address": _ADDRESS, "network": _NETWORK, "domain": _MAIL_DOMAIN}
_CHOICES: Final[Mapping[str, Any]] = {
    "signal": WEIGHTS, "locale": LOCALES, "standing": STANDINGS, "state": STATES, "country": COUNTRIES,
}  # fmt: skip
_READERS: Final[Mapping[str, Callable[[str, str, Index | None], Any]]] = {
    **dict.fromkeys(("sent_from", "sent_to", "confirmed_from", "confirmed_to"), _read_moment),
    **dict.fromkeys(("address", "network", "domain"), _read_hashed),
    **dict.fromkeys(("score_from", "edition"), _read_number),
    **dict.fromkeys(("signal", "locale", "standing", "state", "country", "subdivision"), _read_choice),
}


def _say_value(name: str, value: Any, locale: Locale) -> str:  # noqa: ANN401, PLR0911 - whatever a condition holds
    if isinstance(value, datetime):
        return format_moment(value, "UTC", locale)
    if isinstance(value, int):
        return format_number(value, locale)
    if name in _HASHED_TEXTS:
        return f"#{value[:MARK_LENGTH]}"
    if name == "locale":
        return language_name(value, locale)
    if name == "country":
        return country_name(value, locale)
    if name == "subdivision":
        named = SUBDIVISIONS.get(country_of(value), {}).get(value)
        return value if named is None else named.say(locale)
    return {"signal": SIGNAL_WORDS, "standing": STANDING_WORDS, "state": STATE_WORDS}[name][value].say(locale)
