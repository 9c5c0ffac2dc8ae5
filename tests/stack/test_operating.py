"""Dead letters, a stopped consumer and a rebuild, operated from the command line on a running stack."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer

from kairan.cli.main import main
from kairan.stack.stack import Stack

TOPIC = "kairan.member"
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_source", b"/kairan/membership"),
    ("ce_type", b"kairan.member-joined.v1"),
    ("ce_subject", b"7a3b7c9e-0000-4000-8000-000000000001"),
    ("ce_time", b"2022-03-01T00:00:00.000Z"),
    ("ce_recordedtime", b"2022-03-01T00:00:00.000Z"),
    ("ce_aggregateversion", b"1"),
    ("ce_dataschema", b"urn:kairan:schema:member-joined:v1"),
    ("content-type", b"application/json"),
]
Kairan = Callable[..., Any]


@pytest.fixture
async def stack(tmp_path: Path, missing) -> AsyncIterator[Stack]:
    if missing.apache:
        pytest.skip(missing.apache)
    async with Stack(tmp_path / "home", services=("metrics",), kafka="apache", mongo="") as running:
        await running.wait_ready()
        yield running


@pytest.fixture
def kairan(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Kairan:
    """`await kairan("dlt", "list")` gives the JSON that the command prints."""

    def run(words: Sequence[str]) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json", "--home", str(tmp_path / "home")])
        printed = capfd.readouterr()
        assert not ended.value.code, printed.err
        return json.loads(printed.out)

    async def in_a_thread(*words: str) -> Any:
        return await asyncio.to_thread(run, words)

    return in_a_thread


async def poison(stack: Stack, count: int, first: int = 0) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap)
    await producer.start()
    try:
        for number in range(first, first + count):
            identity = [("ce_id", f"7a3b7c9e-0000-4000-8000-{number:012}".encode())]
            await producer.send_and_wait(TOPIC, b"{ not JSON", key=b"a-key", headers=HEADERS + identity)
    finally:
        await producer.stop()


async def state_of_the_consumer(stack: Stack) -> str:
    url = stack.status().processes[0].url
    async with aiohttp.ClientSession() as http, http.get(f"{url}/health/stream") as answer:
        checks = (await answer.json())["checks"]
        return str(next(check["state"] for check in checks.values() if "assigned_since_start" in check))


async def until(condition: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    async with asyncio.timeout(60):
        while not wanted(found := await condition()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        return found


async def test_poison_is_listed_shown_and_replayed_a_stopped_consumer_resumes_a_rebuild_is_swapped_in(
    stack: Stack, kairan: Kairan
):
    await poison(stack, 1)
    (letter,) = await until(lambda: kairan("dlt", "list"), bool)
    assert (letter["topic"], letter["group"], letter["partition"]) == (f"{TOPIC}.metrics.dlt", "metrics", 0)
    assert letter["reason"]

    shown = await kairan("dlt", "show", letter["topic"], str(letter["offset"]))
    assert (shown["value"], shown["key"]) == ("{ not JSON", "a-key")
    assert shown["headers"]["ce_type"] == "kairan.member-joined.v1"

    chosen = ("--topic", TOPIC, "--group", "metrics", "--offset", str(letter["offset"]))
    assert (await kairan("dlt", "replay", *chosen))["replayed"] == 1
    again = await until(lambda: kairan("dlt", "list"), lambda found: len(found) > 1)
    assert [one["reason"] for one in again] == [letter["reason"]] * 2, "it is still not JSON"

    await poison(stack, 25, first=1)
    await until(lambda: state_of_the_consumer(stack), lambda state: state == "stopped")
    assert await kairan("dlt", "resume", "metrics") == {"resumed": ["metrics"]}
    await until(lambda: state_of_the_consumer(stack), lambda state: state == "caught_up")

    rebuilt = await kairan("rebuild", "metrics")
    assert rebuilt["generation"] == 2
    assert rebuilt["poison"] >= 26
    await until(lambda: state_of_the_consumer(stack), lambda state: state == "caught_up")
