"""A request's JSON whose nesting would end no parser."""

from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel

from shared.web import exchange
from shared.web.problems import Problem

MOST_DEPTH: Final = 64
Said = TypeVar("Said", bound=BaseModel)


async def said(request: Request, model: type[Said], *, optional: bool = False) -> Said:
    """As `shared.web.exchange.said`; Problem (400) for JSON that is nested too deep."""
    if await request.body():
        refuse_deep(await request.json())
    return await exchange.said(request, model, optional=optional)


def refuse_deep(found: Any) -> None:
    """Raises Problem (400)."""
    level, depth = [found], 0
    while level:
        if depth > MOST_DEPTH:
            raise Problem(400, "The body is nested too deep", f"At most {MOST_DEPTH} levels.", "ambiguous-json")
        level = [inner for one in level for inner in _inside(one)]
        depth += 1


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
