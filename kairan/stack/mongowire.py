"""One command to one mongod over one short connection (OP_MSG), without a driver's threads and pools.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import asyncio
import struct
from typing import Any

import bson

OP_MSG = 2013
HEADER = struct.Struct("<iiii")
TIMEOUT_S = 2.0


class CommandFailed(Exception):
    """The server refused the command; `code` is MongoDB's error code."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer.get("errmsg", "no reason given"))
        self.code = int(answer.get("code", 0))


async def command(host: str, port: int, body: dict[str, Any], *, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """The server's answer; `$db` in `body` names the database.

    Raises `OSError`, `EOFError`, `TimeoutError`, `CommandFailed`.
    """
    async with asyncio.timeout(timeout_s):
        answer = await _exchange(host, port, body)
    if not answer.get("ok"):
        raise CommandFailed(answer)
    return answer


async def _exchange(host: str, port: int, body: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        section = struct.pack("<iB", 0, 0) + bson.encode(body)
        writer.write(HEADER.pack(HEADER.size + len(section), 1, 0, OP_MSG) + section)
        size, _, _, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
        answer = await reader.readexactly(size - HEADER.size)
        return dict(bson.decode(answer[5:]))
    finally:
        writer.close()
