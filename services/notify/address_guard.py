"""The SSRF guard: which targets may be dialled at all, checked when configured, when resolved and when connected."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address
from typing import Any, Final

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify.lookup import Lookup
from services.notify.networks import Address, Network, why_not_public
from services.notify.target import Forbidden, Stage, Target, parse

PORTS: Final = frozenset({443, 8443})
HIGHEST_PORT: Final = 65535
DNS_TIMEOUT_S: Final = 3.0
SPECIAL_NAMES: Final = (
    "alt",
    "arpa",
    "consul",
    "corp",
    "docker",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "svc",
    "test",
)
# Of a cloud's metadata service where its address is a public one; the others have a table's or a special name.
METADATA_NAMES: Final = frozenset({"metadata.packet.net", "metadata.platformequinix.com"})
_OURSELVES: Final = "our own address: a delivery would cause the next one"


@dataclass(frozen=True)
class Guard:
    """What may be dialled: https to public addresses on `ports`; anything else only inside `allow_private` networks.

    `self_hosts` are our own names and addresses, as `own_hosts` writes them.
    """

    allow_private: tuple[Network, ...] = ()
    ports: frozenset[int] = PORTS
    self_hosts: frozenset[str] = frozenset()

    def target(self, url: str) -> Target:
        """Where the URL leads. Raises Forbidden("parse", …) when its text alone already forbids it."""
        target = parse(url)
        if target.host in self.self_hosts:
            raise Forbidden("parse", _OURSELVES)
        private = self.needs_private(target)
        if private is not None and not self.allow_private:
            raise Forbidden("parse", private)
        if target.literal is not None:
            self.check(target.literal, private, "parse")
        return target

    def needs_private(self, target: Target) -> str | None:
        """Why the target is acceptable only inside an operator's own network; None for an ordinary public one."""
        if target.scheme != "https":
            return "plain http; only https is delivered to"
        if target.port not in self.ports:
            return f"port {target.port}; allowed are {', '.join(map(str, sorted(self.ports)))}"
        labels = target.host.split(".")
        if target.literal is None and (len(labels) == 1 or labels[-1] in SPECIAL_NAMES):
            return "not a name of the public internet"
        if target.host in METADATA_NAMES:
            return "a cloud's metadata service"
        return None

    def check(self, address: Address, private: str | None, stage: Stage) -> None:
        """Raises Forbidden(stage, …) unless the address may be dialled; `private` as `needs_private` gave it."""
        if str(address) in self.self_hosts:
            raise Forbidden(stage, _OURSELVES)
        if any(address in network for network in self.allow_private):
            return
        if private is not None:
            raise Forbidden("parse", private)
        why = why_not_public(address)
        if why is not None:
            raise Forbidden(stage, f"the address is {why}")

    async def addresses(self, target: Target, lookup: Lookup) -> tuple[Address, ...]:
        """The addresses to dial, from one lookup of which every answer is allowed.

        Raises Forbidden("resolve", …) for a bad answer and OSError when there is none.
        """
        if target.literal is not None:
            return (target.literal,)
        return await self.judged(target.host, self.needs_private(target), lookup)

    async def judged(self, host: str, private: str | None, lookup: Lookup) -> tuple[Address, ...]:
        """As `addresses`, for a host name alone."""
        answers = tuple(_address(text, "resolve") for text in await self._answers(host, lookup))
        if not answers:
            raise OSError(f"{host} has no address")
        for address in answers:
            self.check(address, private, "resolve")
        return answers

    async def _answers(self, host: str, lookup: Lookup) -> Sequence[str]:
        if host == "localhost" or host.endswith(".localhost"):
            loopback = IPv4Address("127.0.0.1")  # RFC 6761: never asked of a name server
            return [str(loopback)]
        try:
            async with asyncio.timeout(DNS_TIMEOUT_S):
                return await lookup(host)
        except TimeoutError as error:
            # Not a TimeoutError any more: aiohttp would take it for its own.
            raise OSError(f"no name server answered within {DNS_TIMEOUT_S:g} s") from error


def own_hosts(hosts: Iterable[str]) -> frozenset[str]:
    """The names and addresses as targets hold them, for `Guard.self_hosts`. Raises ValueError for what is neither."""
    return frozenset(_own_host(host) for host in hosts)


def _own_host(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    try:
        target = parse(f"https://{text}/")
    except Forbidden as refusal:
        raise ValueError(f"{text!r} is not a host name: {refusal.reason}") from None
    if target.url != f"https://{target.host}/":
        raise ValueError(f"{text!r} is not a host name alone")
    return target.host


def _address(text: str, stage: Stage) -> Address:
    try:
        return ip_address(text)
    except ValueError:
        raise Forbidden(stage, "an answer that is not an address") from None


class GuardedResolver(AbstractResolver):
    """What aiohttp dials for a name: the judged answers of one lookup, made when the connection is."""

    def __init__(self, guard: Guard, lookup: Lookup, private: str | None) -> None:
        self._guard, self._lookup, self._private = guard, lookup, private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        answers = await self._guard.judged(host, self._private, self._lookup)
        return [_result(host, port, address) for address in answers]

    async def close(self) -> None:
        """Nothing of its own to release."""


def _result(host: str, port: int, address: Address) -> ResolveResult:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=str(address), port=port, family=family, proto=0, flags=numeric)


def _dialled(family: int, address: tuple[Any, ...]) -> Address:
    """The address that a socket would connect to. Raises Forbidden for one that is not on the internet at all."""
    if family == socket.AF_INET6 and len(address) == 4 and address[3]:
        raise Forbidden("connect", "the address is link-local with a zone")
    if family not in (socket.AF_INET, socket.AF_INET6):
        raise Forbidden("connect", "not an address of the internet")
    return _address(address[0], "connect")


def guarded_connector(guard: Guard, lookup: Lookup, private: str | None, keepalive_s: float) -> TCPConnector:
    """A connector that dials only what the guard allows: names by `GuardedResolver`, every address at connect time.

    The socket factory sees IP literals too, which a resolver never does. TLS keeps the host as its server name.
    """

    def socket_for(info: tuple[Any, ...]) -> socket.socket:
        family, kind, proto, _, address = info
        guard.check(_dialled(family, address), private, "connect")
        made = socket.socket(family, kind, proto)
        made.setblocking(False)
        return made

    return TCPConnector(
        resolver=GuardedResolver(guard, lookup, private),
        use_dns_cache=False,
        socket_factory=socket_for,
        limit=0,  # a shared limit would let hung endpoints starve the others; lanes limit per endpoint
        limit_per_host=0,
        keepalive_timeout=keepalive_s,
    )
