"""Where a form came from, in the two sizes that are kept (hashed) and counted: an address, and its neighbourhood."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

ADDRESS_BITS: Final = {4: 32, 6: 64}
NETWORK_BITS: Final = {4: 24, 6: 48}


@dataclass(frozen=True, slots=True)
class Place:
    """``address``: an IPv4 address or an IPv6 /64; ``network``: an IPv4 /24 or an IPv6 /48; as text."""

    address: str | None = None
    network: str | None = None


NOWHERE: Final = Place()


def place_of(host: str | None) -> Place:
    """Return where ``host``, an address as a socket tells it, is; nothing for what is none.

    One household or one telephone has a whole /64 of IPv6, so nothing finer says anything. An IPv4 address inside an
    IPv6 one is that IPv4 address.
    """
    try:
        parsed = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return NOWHERE
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    address = mapped or parsed
    if address.version == 4:  # noqa: PLR2004 - the fourth version of the protocol
        # Most are, and a network object costs ten times what cutting a text does.
        text = str(address)
        return Place(text, f"{text.rpartition('.')[0]}.0/24")
    around = (ipaddress.ip_network((address, bits), strict=False) for bits in (ADDRESS_BITS[6], NETWORK_BITS[6]))
    return Place(*(str(network) for network in around))
