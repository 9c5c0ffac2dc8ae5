"""A URL that an owner gives: taken as it will be dialled, or refused in words."""

from services.notify.address_guard import Guard
from services.notify.lookup import Lookup
from services.notify.target import Forbidden
from shared.web.problems import Problem


async def accepted_url(url: str, guard: Guard, lookup: Lookup) -> str:
    """The URL as it will be dialled; Problem (422) when refused. A public name without an address may get one."""
    try:
        target = guard.target(url)
        try:
            await guard.addresses(target, lookup)
        except Forbidden:
            raise
        except OSError:
            private = guard.needs_private(target)
            if private is not None:
                raise Forbidden("parse", private) from None
    except Forbidden as refusal:
        raise Problem(
            422,
            "The URL is not allowed",
            f"{refusal.reason[0].upper()}{refusal.reason[1:]}.",
            "forbidden-url",
            stage=refusal.stage,
            reason=refusal.reason,
        ) from None
    return target.url
