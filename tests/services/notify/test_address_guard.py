"""What an operator may open, and the guard at resolve and connect time: what a name answers, what a socket dials."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from services.notify import address_guard
from services.notify.address_guard import Guard, GuardedResolver, guarded_connector, own_hosts
from services.notify.guard_settings import GuardSettings
from services.notify.lookup import Lookup
from services.notify.networks import parse_networks
from services.notify.target import Forbidden

HOOK = "https://hooks.example.com/"


def lookup_in(dns: dict[str, Sequence[Sequence[str]]]) -> Lookup:
    async def lookup(host: str) -> Sequence[str]:
        if host not in dns:
            raise OSError("no such name")
        return dns[host][0]

    return lookup


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


@pytest.mark.parametrize(
    "answer", ["", "hooks.example.net", "2130706433", "010.0.0.1", "8.8.8.8 ", "fe80::1%", "[::1]"]
)
async def test_an_answer_that_is_no_address_is_a_refusal_and_no_accident(answer: str) -> None:
    guard = Guard()
    with pytest.raises(Forbidden, match="not an address") as refusal:
        await guard.addresses(guard.target(HOOK), lookup_in({"hooks.example.com": [["93.184.215.14", answer]]}))
    assert refusal.value.stage == "resolve"


async def test_a_name_server_that_keeps_silent_is_waited_for_no_longer_than_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address_guard, "DNS_TIMEOUT_S", 0.05)

    async def silent(_: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    guard = Guard()
    with pytest.raises(OSError, match="no name server answered within") as error:
        await guard.addresses(guard.target(HOOK), silent)
    assert not isinstance(error.value, TimeoutError | Forbidden)


async def test_the_resolver_of_the_connection_asks_anew_and_judges_every_answer() -> None:
    answers = [["93.184.215.14"], ["93.184.215.14", "169.254.169.254"]]

    async def rebinding(_: str) -> Sequence[str]:
        return answers.pop(0)

    resolver = GuardedResolver(Guard(), rebinding, None)
    (found,) = await resolver.resolve("hooks.example.com", 443)
    assert (found["host"], found["hostname"]) == ("93.184.215.14", "hooks.example.com")
    with pytest.raises(Forbidden):
        await resolver.resolve("hooks.example.com", 443)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 443)),
        (socket.AF_INET, ("168.63.129.16", 443)),
        (socket.AF_INET6, ("::1", 443, 0, 0)),
        (socket.AF_INET6, ("::ffff:8.8.8.8", 443, 0, 0)),
        (socket.AF_INET6, ("fe80::1%1", 443, 0, 1)),
        (socket.AF_INET6, ("2606:2800::1", 443, 0, 1)),
        (socket.AF_INET, ("hooks.example.com", 443)),
        (socket.AF_INET, ("", 443)),
        (socket.AF_UNIX, "/run/docker.sock"),
        (socket.AF_UNIX, b"\0abstract"),
    ],
)
async def test_the_socket_itself_refuses_what_every_lookup_let_through(family: int, address: object) -> None:
    """The last guard; it also sees literals, which no resolver does."""
    assert await refused_by_the_socket(Guard(), family, address)
    assert not await refused_by_the_socket(Guard(), socket.AF_INET, ("93.184.215.14", 443))
    assert not await refused_by_the_socket(Guard(), socket.AF_INET6, ("2606:2800::1", 443, 0, 0))


async def refused_by_the_socket(guard: Guard, family: int, address: object) -> bool:
    connector = guarded_connector(guard, lookup_in({}), None, 4.0)
    factory: Any = connector._socket_factory
    try:
        factory((family, socket.SOCK_STREAM, 0, "", address)).close()
    except Forbidden as refusal:
        return refusal.stage == "connect"
    finally:
        await connector.close()
    return False


@pytest.mark.parametrize(
    "wrong", ["", "a b", "https://a.example", "a.example:8443", "a.example/x", "a@b.example", "a..b"]
)
def test_a_host_of_ours_that_is_no_host_is_refused_when_it_is_said(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a host name"):
        own_hosts([wrong])


def test_the_environment_says_what_the_guard_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRAN_NOTIFY_ALLOW_PRIVATE", "10.1.0.0/16, fd00::/8")
    monkeypatch.setenv("KAIRAN_NOTIFY_PORTS", "443,9443")
    monkeypatch.setenv("KAIRAN_NOTIFY_SELF_HOSTS", "Notify.Example.ORG., 例え.example.org, 93.184.215.14")
    assert GuardSettings().guard() == Guard(
        parse_networks("10.1.0.0/16,fd00::/8"),
        frozenset({443, 9443}),
        frozenset({"notify.example.org", "xn--r8jz45g.example.org", "93.184.215.14"}),
    )
