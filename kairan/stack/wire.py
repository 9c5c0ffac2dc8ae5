"""Asks a Kafka-compatible broker for its brokers: the cheapest question that only a working broker answers.

The request is Metadata, version 1, with an empty list of topics (https://kafka.apache.org/protocol): four fields, so
that the supervisor needs no Kafka client to know whether one could connect.
"""

import asyncio
import struct

METADATA, VERSION, CLIENT = 3, 1, b"kairan-probe"
REQUEST = struct.pack(f">hhih{len(CLIENT)}si", METADATA, VERSION, 1, len(CLIENT), CLIENT, 0)
PROBE_TIMEOUT_S = 2.0


async def broker_count(bootstrap: str, timeout_s: float = PROBE_TIMEOUT_S) -> int:
    """How many brokers of the cluster are alive, asked of the first address that answers; 0 when none does."""
    for address in bootstrap.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes together with the result.
            async with asyncio.timeout(timeout_s):
                return await _ask(host.strip("[]"), int(port))
        except (OSError, TimeoutError, ValueError, EOFError, struct.error):
            continue
    return 0


async def _ask(host: str, port: int) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(struct.pack(">i", len(REQUEST)) + REQUEST)
        (size,) = struct.unpack(">i", await reader.readexactly(4))
        answer = await reader.readexactly(min(size, 1024))
        (brokers,) = struct.unpack_from(">i", answer, 4)
        return max(0, int(brokers))
    finally:
        writer.close()
