"""Would an address be accepted, and why not: the guard's answer at every stage, with nothing sent."""

from dataclasses import dataclass
from typing import Final, Literal

from services.notify.address_guard import Guard
from services.notify.check_cases import read_case
from services.notify.lookup import Lookup
from services.notify.networks import Address
from services.notify.outcome import Failure, failure_of
from services.notify.target import Forbidden, Stage

REDIRECTED: Final = "a redirect; none is followed, wherever it leads"


@dataclass(frozen=True)
class Judgement:
    """`stage` is where the address was refused, or `connect`, which an allowed one reaches: `addresses` are dialled.

    `reason` is None for an allowed one.
    """

    url: str
    verdict: Literal["allow", "refuse"]
    stage: Stage
    reason: str | None
    addresses: tuple[Address, ...] = ()


async def check_address(url: str, guard: Guard, lookup: Lookup, *, lookups: int = 1) -> Judgement:
    """Whether the URL would be dialled after so many lookups of its name, each of which must be allowed."""
    try:
        target = guard.target(url)
        private = guard.needs_private(target)
        for _ in range(lookups):
            addresses = await guard.addresses(target, lookup)
        for address in addresses:
            guard.check(address, private, "connect")
    except Forbidden as refusal:
        return Judgement(url, "refuse", refusal.stage, refusal.reason)
    except OSError as error:
        return Judgement(url, "refuse", "resolve", f"no address to dial: {error.strerror or error}")
    return Judgement(url, "allow", "connect", None, addresses)


async def check_case(line: str) -> Judgement:
    """The judgement of a line of a cases file: checked when configured and when dialled, and its answer heeded.

    Raises ValueError, in words, for a line that is no case.
    """
    case = read_case(line)
    found = await check_address(case.url, case.guard, case.dns, lookups=case.dns.lookups)
    if found.verdict == "allow" and case.status is not None and failure_of(case.status) is Failure.REDIRECT:
        return Judgement(case.url, "refuse", "redirect", REDIRECTED)
    return found
