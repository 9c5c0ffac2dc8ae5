"""Which operations are called without the framework's solver: only those for which it has nothing to solve."""

from typing import Annotated

import pytest
from fastapi import Depends, Header, Path, Query, Request, Response
from fastapi.dependencies.utils import get_dependant

from shared.web.auth import Caller, require
from shared.web.direct import direct

Reader = Annotated[Caller, require("members:read")]


async def of_request_and_caller(request: Request, caller: Reader) -> Response:
    return Response()


async def of_a_name_in_the_path(name: str, caller: Reader) -> Response:
    return Response()


async def of_nothing() -> Response:
    return Response()


async def of_a_number_in_the_path(name: int) -> Response:
    return Response()


async def of_a_bounded_name(name: Annotated[str, Path(max_length=3)]) -> Response:
    return Response()


async def of_a_query(q: Annotated[str, Query()] = "") -> Response:
    return Response()


async def of_a_header(key: Annotated[str | None, Header()] = None) -> Response:
    return Response()


async def of_another_dependency(it: Annotated[int, Depends(lambda: 5)]) -> Response:
    return Response()


async def of_a_body(body: dict[str, int]) -> Response:
    return Response()


async def that_answers_plain_data(request: Request) -> dict[str, int]:
    return {}


def that_does_not_await(request: Request) -> Response:
    return Response()


@pytest.mark.parametrize("operation", [of_request_and_caller, of_a_name_in_the_path, of_nothing])
def test_a_plain_operation_is_called_directly(operation: object) -> None:
    assert direct(get_dependant(path="/x/{name}", call=operation)) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "operation",
    [
        *(of_a_number_in_the_path, of_a_bounded_name, of_a_query, of_a_header, of_another_dependency, of_a_body),
        *(that_answers_plain_data, that_does_not_await),
    ],
)
def test_any_other_is_solved_by_the_framework(operation: object) -> None:
    assert direct(get_dependant(path="/x/{name}", call=operation)) is None  # type: ignore[arg-type]
