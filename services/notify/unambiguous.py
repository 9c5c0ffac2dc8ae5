"""A request's JSON that every reader would read alike: no key twice, no nesting that would end another parser."""

import json
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel

from shared.strict_json import Ambiguous, once
from shared.web import exchange
from shared.web.problems import Problem

MOST_DEPTH: Final = 64
Said = TypeVar("Said", bound=BaseModel)


async def said(request: Request, model: type[Said], *, optional: bool = False) -> Said:
    """As `shared.web.exchange.said`; Problem (400) for JSON that two parsers could read two ways."""
    body = await request.body()
    if body:
        refuse_ambiguous(body)
    return await exchange.said(request, model, optional=optional)


def refuse_ambiguous(body: bytes) -> None:
    """Raises Problem (400). The body is JSON: that was judged before."""
    try:
        found = json.loads(body, object_pairs_hook=once)
    except RecursionError:
        raise _too_deep() from None
    except Ambiguous as twice:
        raise Problem(400, "The body is ambiguous", f"{twice}.".capitalize(), "ambiguous-json") from None
    level, depth = [found], 0
    while level:
        if depth > MOST_DEPTH:
            raise _too_deep()
        level = [inner for one in level for inner in _inside(one)]
        depth += 1


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> Problem:
    return Problem(400, "The body is nested too deep", f"At most {MOST_DEPTH} levels.", "ambiguous-json")
