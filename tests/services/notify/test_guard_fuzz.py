"""The guard against an oracle: `ipaddress` plus the registries as they are published, and any text there is."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.notify.address_guard import Guard
from services.notify.networks import Address, Network, why_not_public
from services.notify.target import Forbidden, parse

# The IANA special-purpose registries (IPv4 and IPv6, all rows), multicast, and what no registry knows: an address
# of Azure that is in no table, former special ranges, and forms that embed an IPv4 address.
SPECIAL_V4 = [
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32"),
        *("192.0.0.171/32", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32"),
        *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"),
        *("255.255.255.255/32", "224.0.0.0/4", "168.63.129.16/32"),
    )
]
SPECIAL_V6 = [
    IPv6Network(text)
    for text in (
        *("::1/128", "::/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64"),
        *("2001::/23", "2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32"),
        *("2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16"),
        *("2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10"),
        *("::/96", "::ffff:0:0:0/96", "fec0::/10", "ff00::/8", "3ffe::/16"),
    )
]
SPECIAL: list[Network] = [*SPECIAL_V4, *SPECIAL_V6]
GLOBAL_UNICAST = IPv6Network("2000::/3")


def public(address: Address) -> bool:
    """The oracle's word."""
    if isinstance(address, IPv6Address) and (address not in GLOBAL_UNICAST or isatap(address)):
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in SPECIAL)


def isatap(address: IPv6Address) -> bool:
    return address.packed[8:12] in (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


def inside(network: Network) -> st.SearchStrategy[Address]:
    first, last = int(network[0]), int(network[-1])
    return st.one_of(st.sampled_from((first, last)), st.integers(first, last)).map(type(network[0]))


def around(network: Network) -> st.SearchStrategy[Address]:
    """The last address before a network and the first after it."""
    most = 2**network.max_prefixlen - 1
    beside = [n for n in (int(network[0]) - 1, int(network[-1]) + 1) if 0 <= n <= most]
    return st.sampled_from(beside).map(type(network[0]))


SPECIALS = st.sampled_from(SPECIAL).flatmap(inside)
ADDRESSES = st.one_of(st.ip_addresses(), SPECIALS, st.sampled_from(SPECIAL).flatmap(around), inside(GLOBAL_UNICAST))


def literal(address: Address) -> str:
    return f"https://[{address}]/" if address.version == 6 else f"https://{address}/"


def accepted(url: str) -> bool:
    try:
        Guard().target(url)
    except Forbidden:
        return False
    return True


@settings(max_examples=1000)
@given(ADDRESSES)
def test_an_address_is_allowed_where_the_oracle_calls_it_public_and_nowhere_else(address: Address) -> None:
    assert (why_not_public(address) is None) == public(address)
    assert accepted(literal(address)) == public(address)


@given(SPECIALS)
def test_nothing_in_a_special_purpose_registry_is_allowed(address: Address) -> None:
    assert why_not_public(address)
    assert not accepted(literal(address))


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_is_allowed_be_it_public(address: IPv4Address) -> None:
    number = int(address)
    for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::", "64:ff9b:1::"):
        assert why_not_public(IPv6Address(int(IPv6Address(prefix)) | number))
    assert why_not_public(IPv6Address(0x2002 << 112 | number << 80)) == "6to4"
    assert why_not_public(IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF)) == "Teredo"
    assert why_not_public(IPv6Address(0x26062800 << 96 | 0x5EFE << 32 | number)) == "ISATAP"


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_has_one_notation_only(address: IPv4Address) -> None:
    number, (a, b, c, d) = int(address), address.packed
    others = [
        f"{number}",
        f"{number:#x}",
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{c << 8 | d}",
        f"{address}.",
    ]
    others += [
        f"{a:#x}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.{d:#x}",
        f"0{a:o}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.0{d}",
        f"{a + 256}.{b}.{c}.{d}",
    ]
    others += [
        "".join(chr(0xFF10 + int(one)) if one.isdigit() else one for one in str(address)),
        str(address).replace(".", "。"),
    ]
    assert [other for other in others if accepted(f"https://{other}/")] == []


@given(st.lists(ADDRESSES, min_size=1, max_size=5))
async def test_a_name_is_allowed_where_every_one_of_its_answers_is(answers: list[Address]) -> None:
    async def lookup(_: str) -> Sequence[str]:
        return [str(address) for address in answers]

    guard = Guard()
    target = guard.target("https://hooks.example.com/")
    if all(map(public, answers)):
        assert await guard.addresses(target, lookup) == tuple(answers)
        return
    with pytest.raises(Forbidden) as refusal:
        await guard.addresses(target, lookup)
    assert refusal.value.stage == "resolve"


PIECES = st.sampled_from(
    [
        *(
            "https://",
            "http://",
            "//",
            "/",
            "\\",
            "@",
            ":",
            "443",
            "8443",
            "[",
            "]",
            "[::1]",
            "[2606:2800::1]",
            "::",
            "%25",
        ),
        *(
            "127.0.0.1",
            "8.8.8.8",
            "0x7f",
            "017",
            "1.",
            ".",
            "。",
            "．",
            "xn--",
            "xn--a",
            "xn--r8jz45g",
            "例え",
            "テスト",
            "名",
        ),
        *(
            "localhost",
            "kafka",
            "internal",
            "hooks",
            "example",
            "com",
            ".com",
            "-",
            "--",
            "%",
            "%41",
            "%0d",
            "%e5%90%8d",
        ),
        *(
            "?",
            "#",
            "ß",
            "ς",
            "İ",
            "ı",
            "ſ",
            "\u200d",
            "\u0301",
            "\u00ad",
            "\u202e",
            "א",
            "١",
            "１",
            "①",
            "😀",
            "℀",
            "／",
            "＠",
        ),
        *("\0", "\r\n", "\t", " ", "\x7f", "\x85", "\u2028", "\ud800", "a" * 64, "名" * 300),
    ]
)
ANY_TEXT = st.text(st.characters(), max_size=80)
ALMOST_URLS = st.lists(st.one_of(PIECES, st.text(st.characters(), max_size=3)), max_size=12).map("".join)
NAMED = st.lists(st.text(st.characters(exclude_characters="/?#"), min_size=1, max_size=12), min_size=1, max_size=4)


@settings(max_examples=1000)
@given(
    st.one_of(
        ANY_TEXT,
        ALMOST_URLS,
        ALMOST_URLS.map("https://".__add__),
        NAMED.map(lambda found: f"https://{'.'.join(found)}/"),
    )
)
@example("httpſ://hooks.example.com/")
@example("https://hooks.example.com/" + "名" * 1000)
@example("https://hooks.example.com?" + "a" * (2048 - 26))
def test_any_text_is_one_target_which_reads_as_itself_or_is_refused_in_words(text: str) -> None:
    try:
        target = parse(text)
    except Forbidden as refusal:
        assert (refusal.stage, bool(refusal.reason)) == ("parse", True)  # noqa: PT017
        return
    assert target.url.isascii()
    assert target.url.isprintable()
    assert " " not in target.url
    assert parse(target.url) == target
