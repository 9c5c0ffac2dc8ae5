"""Which IP addresses are the public internet: tables of our own; Python's `is_global` lets hostile ones through."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_V4: Final = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier-grade NAT",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "the Azure wire server",
    "169.254.0.0/16": "link-local and cloud metadata",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "IETF protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved or broadcast",
}
# Only 2000::/3 is assigned to the internet; the named ones outside it are for a better reason than "not assigned".
_V6_ASSIGNED: Final = IPv6Network("2000::/3")
_V6: Final = {
    "::/128": "unspecified",
    "::1/128": "loopback",
    "::ffff:0:0/96": "IPv4-mapped",
    "::ffff:0:0:0/96": "IPv4-translated",
    "::/96": "IPv4-compatible",
    "64:ff9b::/96": "NAT64",
    "64:ff9b:1::/48": "NAT64, local use",
    "100::/64": "discard only",
    "100:0:0:1::/64": "dummy prefix",
    "2001::/32": "Teredo",
    "2001:db8::/32": "documentation",
    "2001::/23": "IETF protocol assignments",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "AS112",
    "3ffe::/16": "6bone, returned",
    "3fff::/20": "documentation",
    "5f00::/16": "segment routing",
    "fc00::/7": "unique local",
    "fe80::/10": "link-local",
    "fec0::/10": "site-local",
    "ff00::/8": "multicast",
}
# RFC 5214: the interface id that embeds an IPv4 address a host may tunnel to, whatever the prefix.
_ISATAP_IDS: Final = frozenset({0x00005EFE, 0x02005EFE})

_V4_TABLE: Final = tuple((IPv4Network(network), why) for network, why in _V4.items())
_V6_TABLE: Final = tuple((IPv6Network(network), why) for network, why in _V6.items())


def why_not_public(address: Address) -> str | None:
    """Why the address is not the public internet, in words; None when it is."""
    if isinstance(address, IPv4Address):
        return next((why for network, why in _V4_TABLE if address in network), None)
    if address.scope_id is not None:
        return "link-local with a zone"
    for network, why in _V6_TABLE:
        if address in network:
            return why
    if address not in _V6_ASSIGNED:
        return "not assigned"
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP_IDS:
        return "ISATAP"
    return None


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks of a `CIDR,CIDR` setting. Raises ValueError on anything that is not a network."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())
