"""A line of a cases file: a URL, what its name resolves to, what is answered there, under which policy. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.notify.address_guard import HIGHEST_PORT, PORTS, Guard, own_hosts
from services.notify.networks import parse_networks
from services.notify.target import Forbidden, parse
from shared.strict_json import Ambiguous, strict_json

# An endpoint is looked up at least twice: when it is made and when it is dialled.
_LOOKUPS: Final = 2
_ALIASES: Final = 8
_POLICY: Final = re.compile(r"\s*(\w+)\s*=\s*(?:\[([^\[\]]*)\]|([^\s;\[\]]+))\s*[;,]?\s*")


@dataclass
class StubDns:
    """A Lookup that knows some names: the n-th lookup of a name gets its n-th answer, later ones the last.

    A name among the answers is an alias (a CNAME) if it is known too. Empty answers and unknown names have no address.
    """

    answers: Mapping[str, Sequence[Sequence[str]]]
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def lookups(self) -> int:
        """After how many lookups every answer was given."""
        return max(_LOOKUPS, *map(len, self.answers.values()), 0)

    async def __call__(self, host: str) -> Sequence[str]:
        found = self._found(host, _ALIASES)
        if not found:
            raise OSError(f"{host} does not resolve")
        return found

    def _found(self, host: str, aliases: int) -> Sequence[str]:
        answers = self.answers.get(host, ())
        if not answers or aliases < 0:
            return ()
        turn = self.asked.get(host, 0)
        self.asked[host] = turn + 1
        found: list[str] = []
        for one in answers[min(turn, len(answers) - 1)]:
            alias = _name(one)
            found += self._found(alias, aliases - 1) if alias in self.answers else (one,)
        return found


@dataclass(frozen=True)
class Case:
    """`status` is that of the answer, None where the case has none."""

    url: str
    guard: Guard
    dns: StubDns
    status: int | None


def read_case(line: str) -> Case:
    """The case in a JSON object with `url` and, where they matter, `dns`, `response` and `policy`.

    Raises ValueError, in words, for anything else; what must come out (`must`, `stage`) is not read.
    """
    try:
        said = strict_json(line)
    except Ambiguous:
        raise
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    if not isinstance(said, dict) or not isinstance(said.get("url"), str):
        raise ValueError("not an object with a `url`")
    return Case(said["url"], _guard(said.get("policy")), _dns(said.get("dns")), _status(said.get("response")))


def _dns(said: Any) -> StubDns:
    if said is None:
        return StubDns({})
    if not isinstance(said, dict):
        raise ValueError("`dns` is not an object of names")
    return StubDns({_name(name): _answers(name, answers) for name, answers in said.items()})


def _answers(name: str, said: Any) -> list[list[str]]:
    if said is None:
        return []
    if not isinstance(said, list) or not all(isinstance(one, list) for one in said):
        raise ValueError(f"`dns` of {name!r} is not a list of answers, each a list of addresses")
    return [[str(address) for address in one if address is not None] for one in said]


def _name(text: str) -> str:
    """The name as targets hold it; what is no name stays what it is."""
    try:
        return parse(f"https://{text}/").host
    except Forbidden:
        return text


def _status(said: Any) -> int | None:
    if said is None:
        return None
    status = said.get("status") if isinstance(said, dict) else None
    if not isinstance(status, int) or isinstance(status, bool):
        raise ValueError("`response` is not an object with a `status`")
    return status


def _guard(said: Any) -> Guard:
    policy = {name: [str(value) for value in values] for name, values in _policy(said).items()}
    unknown = policy.keys() - {"self_hosts", "allow_private", "ports"}
    if unknown:
        raise ValueError(
            f"`policy` names {', '.join(map(repr, sorted(unknown)))}; known are self_hosts, allow_private and ports"
        )
    try:
        return Guard(
            allow_private=parse_networks(",".join(policy.get("allow_private", ()))),
            ports=PORTS.union(map(_port, policy.get("ports", ()))),
            self_hosts=own_hosts(policy.get("self_hosts", ())),
        )
    except ValueError as error:
        raise ValueError(f"`policy`: {error}") from None


def _port(text: str) -> int:
    if not re.fullmatch("[0-9]{1,5}", text) or not 0 < int(text) <= HIGHEST_PORT:
        raise ValueError(f"{text!r} is no port: a number from 1 to {HIGHEST_PORT}")
    return int(text)


def _policy(said: Any) -> Mapping[str, list[Any]]:
    """`name=[a, b]; name=[c]`, or the same as an object."""
    if said is None:
        return {}
    if isinstance(said, dict):
        return {name: values if isinstance(values, list) else [values] for name, values in said.items()}
    if not isinstance(said, str):
        raise ValueError("`policy` is neither text nor an object")
    policy: dict[str, list[Any]] = {}
    end = 0
    while end < len(said):
        found = _POLICY.match(said, end)
        if found is None:
            raise ValueError(f"`policy` is not of the form name=[value, …]: {said[end:]!r}")
        values = (found[2] if found[2] is not None else found[3]).split(",")
        policy.setdefault(found[1], []).extend(value.strip() for value in values if value.strip())
        end = found.end()
    return policy
