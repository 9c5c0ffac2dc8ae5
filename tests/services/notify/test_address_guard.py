"""The SSRF guard: the shared cases, properties of the tables, and what an operator may open."""

import ipaddress
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.address_guard import Guard
from services.notify.lookup import Lookup
from services.notify.networks import parse_networks, why_not_public
from services.notify.target import Forbidden, parse

ROOT = Path(__file__).parents[3]
CASES = ROOT.parent / "shared" / "cases" / "ssrf.jsonl"


def cases() -> list[Any]:
    if not CASES.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=f"{CASES} is not here"))]
    found = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
    return [pytest.param(case, id=f"{n:03} {case['why'][:40]}") for n, case in enumerate(found) if judged_here(case)]


def judged_here(case: dict[str, Any]) -> bool:
    """Redirects and the second answer of a rebinding name are for the sender's tests: the guard sees one lookup."""
    return (
        case["stage"] != "redirect" and max((len(answers) for answers in case.get("dns", {}).values()), default=1) < 2
    )


def lookup_in(dns: dict[str, Sequence[Sequence[str]]]) -> Lookup:
    async def lookup(host: str) -> Sequence[str]:
        if host not in dns:
            raise OSError("no such name")
        return dns[host][0]

    return lookup


@pytest.mark.parametrize("case", cases())
async def test_shared_cases(case: dict[str, Any]) -> None:
    guard = Guard(self_hosts=frozenset({"notify.community.example"}))
    lookup = lookup_in(case.get("dns", {}))
    if case["must"] == "allow":
        assert await guard.addresses(guard.target(case["url"]), lookup)
        return
    with pytest.raises(Forbidden) as refusal:
        await guard.addresses(guard.target(case["url"]), lookup)
    assert refusal.value.stage == case["stage"]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://hooks.example.com/名", "https://hooks.example.com/%E5%90%8D"),
        ("https://hooks.example.com/通知/嘍嘊?宛先=課長", None),
        ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah/"),
        ("HTTPS://Hooks.Example.COM:443/A%2fb#top", "https://hooks.example.com/A%2fb"),
        ("https://[2606:2800:21f:cb07::1]:8443/", "https://[2606:2800:21f:cb07::1]:8443/"),
    ],
)
def test_ordinary_urls_pass_and_are_sent_in_ascii(url: str, sent: str | None) -> None:
    target = Guard().target(url)
    assert target.url.isascii()
    assert sent is None or target.url == sent


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public_here(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if not address.is_global or address.is_multicast:
        assert why_not_public(address) is not None


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_is_public(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix in ("::ffff:0:0", "::", "64:ff9b::", "64:ff9b:1::", "::ffff:0:0:0"):
        embedded = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | number)
        assert why_not_public(embedded) is not None
    assert why_not_public(ipaddress.IPv6Address(0x2002 << 112 | number << 80)) == "6to4"
    assert why_not_public(ipaddress.IPv6Address(0x20010000 << 96 | number ^ 0xFFFFFFFF)) == "Teredo"


@given(st.text(max_size=60))
def test_whatever_follows_the_scheme_is_refused_or_has_one_reading(rest: str) -> None:
    try:
        target = parse("https://" + rest)
    except Forbidden:
        return
    assert target.url.isascii()
    assert parse(target.url) == target


async def test_an_operators_network_opens_http_ports_and_names_but_nothing_beside_it() -> None:
    guard = Guard(allow_private=parse_networks("127.0.0.0/8"))
    answers = lookup_in({"kafka": [["10.0.0.3"]], "hooks.example.com": [["93.184.215.14"]]})
    for url in ("http://127.0.0.1:9999/hook", "https://127.1.2.3/", "http://localhost:8080/", "http://a.localhost/"):
        assert await guard.addresses(guard.target(url), answers)
    for url in ("http://kafka/", "http://hooks.example.com/", "https://hooks.example.com:9092/"):
        with pytest.raises(Forbidden):
            await guard.addresses(guard.target(url), answers)
    for url in (
        "http://10.0.0.3/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "http://2130706433/",
        "http://8.8.8.8/",
    ):
        with pytest.raises(Forbidden):
            guard.target(url)


async def test_a_name_with_no_address_is_an_error_but_no_refusal() -> None:
    guard = Guard()
    with pytest.raises(OSError, match="no such name") as error:
        await guard.addresses(guard.target("https://hooks.example.com/"), lookup_in({}))
    assert not isinstance(error.value, Forbidden)
