"""Mail domains as data: which addresses reach one mailbox, which are private relays, which are thrown away after use.

Two addresses are held to be one person's only where the provider itself says that one mailbox holds both: taking two
people for one costs one of them a signature, and taking one person for two costs the count its worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """How a provider reads an address: all that it delivers to one mailbox is one signer.

    ``domain`` is the one of its domains that stands for all that reach the same mailbox. What follows a plus sign
    reaches it too.
    """

    domain: str
    ignores_dots: bool = False


# Gmail: "Dots don't matter in Gmail addresses" and "Use Gmail aliases" (support.google.com/mail/answer/7436150 and
# /12096); Google Mail was its name in Germany and the United Kingdom, and both names reach one mailbox.
# Outlook.com: plus addressing since 2013, but each domain has people of its own: sok@outlook.com and sok@hotmail.com
# may be two, so its domains are not folded.
# iCloud: support.apple.com/118230, "About your @icloud.com, @me.com, and @mac.com email addresses": who has the older
# address has the newer ones too, under one name.
# Proton: proton.me/support/addresses-and-aliases and /pm-me-addresses: a name belongs to one account, which alone can
# activate it at the other domains.
# Yandex: yandex.com/support/id/authorization/email.html: "addresses using your username on all Yandex domains are
# linked to you when you register".
# Fastmail: fastmail.help, "Plus addressing and subdomain addressing". Its many domains are not folded: each is given
# out by itself.
# Left out on purpose: Yahoo (its "-keyword" hangs on a made-up base name and not on the mailbox's own), and dots at
# Proton (security.md: dots for Gmail alone).
MAILBOXES: Final[Mapping[str, Mailboxes]] = MappingProxyType(
    {domain: Mailboxes("gmail.com", ignores_dots=True) for domain in ("gmail.com", "googlemail.com")}
    | {domain: Mailboxes("icloud.com") for domain in ("icloud.com", "me.com", "mac.com")}
    | {domain: Mailboxes("proton.me") for domain in ("proton.me", "protonmail.com", "protonmail.ch", "pm.me")}
    | {
        domain: Mailboxes("yandex.com")
        for domain in ("yandex.com", "yandex.ru", "yandex.by", "yandex.kz", "yandex.ua", "ya.ru")
    }
    | {
        domain: Mailboxes(domain)
        for domain in (
            *("outlook.com", "outlook.fr", "outlook.com.au", "msn.com"),
            *("hotmail.com", "hotmail.ca", "hotmail.fr", "hotmail.co.uk", "hotmail.com.au"),
            *("live.com", "live.ca", "live.fr", "live.co.uk", "live.com.au"),
            *("fastmail.com", "fastmail.fm"),
        )
    }
)

#: Whose ``anything@name.domain`` reaches ``name@domain`` (Fastmail, as above).
NAMED_SUBDOMAINS: Final = ("fastmail.com", "fastmail.fm")

#: Services that forward to a real mailbox of somebody who would rather not show it. That speaks against nobody: these
#: are never held to be throwaway domains, whatever a list says. People of some have a subdomain of their own.
#: Apple, "Hide My Email" (support.apple.com/105078); Firefox Relay (support.mozilla.org, "What is Firefox Relay");
#: DuckDuckGo Email Protection (duckduckgo.com/duckduckgo-help-pages/email-protection); SimpleLogin and Proton Pass
#: (simplelogin.io/docs; proton.me/support/pass-hide-my-email-aliases); addy.io, once AnonAddy (addy.io/faq).
RELAYS: Final = frozenset(
    {
        "privaterelay.appleid.com",
        *("mozmail.com", "relay.firefox.com"),
        "duck.com",
        *("simplelogin.com", "simplelogin.co", "simplelogin.fr", "simplelogin.io", "aleeas.com"),
        *("slmails.com", "slmail.me", "silomails.com", "8alias.com", "8shield.net", "dralias.com"),
        *("passmail.net", "passmail.com", "passinbox.com", "passfwd.com"),
        *("addy.io", "anonaddy.com", "anonaddy.me", "addymail.com"),
    }
)


def is_throwaway(domain: str) -> bool:
    """Tell whether mailboxes at ``domain``, or at what it is part of, are known to be thrown away after use."""
    while "." in domain:
        if domain in RELAYS:
            return False
        if domain in _throwaway_domains():
            return True
        domain = domain.partition(".")[2]
    return False


@cache
def _throwaway_domains() -> frozenset[str]:
    # Not at the top of the module: ten thousand names, and only who weighs a form needs them.
    from disposable_email_domains import blocklist

    return frozenset(blocklist)
