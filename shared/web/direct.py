"""The short way into an operation that asks only for its request, its caller and text from its path.

FastAPI solves an operation's parameters anew for every request, which costs more than all other layers of a command
together. An operation whose parameters need no solving (no query, no header, no parsed body) is called directly.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.dependencies.models import Dependant
from starlette.requests import Request
from starlette.responses import Response

from shared.web.auth import Require

Direct = Callable[[Request], Awaitable[Response]]


def direct(dependant: Dependant) -> Direct | None:
    """The direct call of an operation; None for one that needs FastAPI's solver."""
    endpoint = dependant.call
    if not _is_plain(dependant) or not inspect.iscoroutinefunction(endpoint):
        return None
    returns = inspect.signature(endpoint, eval_str=True).return_annotation
    if not (isinstance(returns, type) and issubclass(returns, Response)):
        return None
    callers = [
        (part.name, part.call) for part in dependant.dependencies if part.name and isinstance(part.call, Require)
    ]
    path = [field.name for field in dependant.path_params]
    request_name = dependant.request_param_name

    async def call(request: Request) -> Response:
        values: dict[str, Any] = {name: await gate(request) for name, gate in callers}
        if request_name:
            values[request_name] = request
        for name in path:
            values[name] = request.path_params[name]
        answer: Response = await endpoint(**values)
        return answer

    return call


def _is_plain(dependant: Dependant) -> bool:
    solved = (*dependant.query_params, *dependant.header_params, *dependant.cookie_params, *dependant.body_params)
    injected = (
        dependant.background_tasks_param_name,
        dependant.response_param_name,
        dependant.security_scopes_param_name,
        dependant.http_connection_param_name,
        dependant.websocket_param_name,
    )
    return (
        not solved
        and not any(injected)
        and all(field.field_info.annotation is str and not field.field_info.metadata for field in dependant.path_params)
        and all(field.alias == field.name for field in dependant.path_params)
        and all(isinstance(part.call, Require) for part in dependant.dependencies)
    )
