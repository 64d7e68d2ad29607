"""What moderators have switched on, as decisions see it; the kinds of switches, and what each may be set to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from app.i18n import Message, message
from app.rules.khmer import to_latin_digits
from app.rules.normalise import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

#: The scope of a switch that holds everywhere.
EVERYWHERE = ""
KINDS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "pause_signing": message("Pause signing"),
        "pause_creation": message("Pause the creation of campaigns"),
        "proof": message("Ask for a proof of work"),
        "slow_country": message("Slow one country"),
        "slow_network": message("Slow one network"),
    }
)
#: Those that may hold for one campaign alone; the others hold everywhere.
OF_ONE_CAMPAIGN: Final = frozenset({"pause_signing", "proof"})
#: The widest network that may be slowed, as a length of its prefix: wider would be whole countries at once.
WIDEST_IPV4: Final = 8
WIDEST_IPV6: Final = 20


@dataclass(frozen=True, slots=True)
class Switches:
    """Scopes (a campaign's id in hexadecimal, or EVERYWHERE) in which something is on, and what is slowed."""

    signing_paused: frozenset[str] = frozenset()
    is_creation_paused: bool = False
    proof_on: frozenset[str] = frozenset()
    slow_countries: frozenset[str] = frozenset()
    slow_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()

    def is_signing_paused(self, campaign_id: UUID) -> bool:
        """Tell whether a campaign takes no signatures for the time being."""
        return EVERYWHERE in self.signing_paused or campaign_id.hex in self.signing_paused

    def wants_proof(self, campaign_id: UUID) -> bool:
        """Tell whether moderators want a proof of work from whoever signs a campaign."""
        return EVERYWHERE in self.proof_on or campaign_id.hex in self.proof_on

    def is_slowed(self, *, country: str, address: str | None) -> bool:
        """Tell whether a form from this country (of residence), or this address, is held to a slower pace."""
        if country in self.slow_countries:
            return True
        if not self.slow_networks or address is None:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
        return any((mapped or parsed) in network for network in self.slow_networks)


NOTHING_ON = Switches()


def read_network(typed: str) -> str:
    """Return a network as it is kept, such as 203.0.113.0/24; an address alone is a network of one.

    Raises Refused where it is none, has bits beyond its prefix (which of two networks was meant, nobody knows), or is
    wider than a /8 (IPv4) or a /20 (IPv6).
    """
    try:
        network = ipaddress.ip_network(to_latin_digits(typed).strip())
    except ValueError:
        raise Refused(message("Enter a network, like 203.0.113.0/24 or 2001:db8::/48")) from None
    if isinstance(network, ipaddress.IPv6Network) and network.network_address.ipv4_mapped is not None:
        raise Refused(message("Enter a network, like 203.0.113.0/24 or 2001:db8::/48"))
    if network.prefixlen < (WIDEST_IPV4 if network.version == 4 else WIDEST_IPV6):  # noqa: PLR2004 - IPv4
        raise Refused(message("This is too wide: at most a /8 can be slowed, or a /20 of IPv6"))
    return str(network)
