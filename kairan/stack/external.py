"""Parts that somebody else runs: whether they can be reached, and are what a stack needs."""

import asyncio
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from kairan.stack.errors import StartFailed
from kairan.stack.wire import broker_count

REACH_TIMEOUT_S = 20.0


async def wait_for_kafka(bootstrap: str, timeout_s: float = REACH_TIMEOUT_S, brokers: int = 1) -> None:
    """Raises `StartFailed` when not so many brokers are alive within the time."""
    deadline = time.monotonic() + timeout_s
    while (alive := await broker_count(bootstrap)) < brokers:
        if time.monotonic() > deadline:
            found = f"{alive} of {brokers} brokers are" if alive else "no Kafka broker answers"
            raise StartFailed(f"{found} at {bootstrap} (KAIRAN_KAFKA)")
        await asyncio.sleep(0.2)


async def wait_for_mongo(uri: str, timeout_s: float = REACH_TIMEOUT_S) -> None:
    """Raises `StartFailed` when no replica set answers within the time. It never shows the URI (passwords)."""
    if problem := await asyncio.to_thread(_mongo_problem, uri, timeout_s):
        raise StartFailed(f"MongoDB at the address of KAIRAN_MONGO {problem}")


def _mongo_problem(uri: str, timeout_s: float) -> str | None:
    try:
        with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=int(timeout_s * 1000)) as client:
            hello = client.admin.command("hello")
    except (PyMongoError, ValueError) as error:
        return f"cannot be used ({type(error).__name__})"
    return None if "setName" in hello else "is no replica set: without one there are no transactions"
