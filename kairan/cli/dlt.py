"""`kairan dlt`: the dead letters of the consumer groups: what they are, what they say, give them back, go on."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from aiokafka.errors import KafkaError

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.cli.reach import Reached, reach
from kairan.stack.errors import BadSetting, StackError
from kairan.stack.home import Home
from shared.bus import breaker, deadletters
from shared.bus.deadletters import DeadLetter
from shared.bus.producer import Producer
from shared.bus.topics import GROUPS
from shared.store.mongo import Store, StoreError

app = typer.Typer()
T = TypeVar("T")

TopicOption = Annotated[str | None, typer.Option(help="Only of this topic (the dead-letter topic or its source).")]
GroupOption = Annotated[str | None, typer.Option(help=f"Only of this group: {', '.join(GROUPS)}.")]
PartitionOption = Annotated[int | None, typer.Option(help="Only of this partition of the dead-letter topic.")]
OffsetOption = Annotated[int | None, typer.Option(help="Only the one at this offset of the dead-letter topic.")]


@app.callback()
def dlt() -> None:
    """Dead letters: events that a consumer group could not apply, kept for 30 days with their bytes and the reason."""


@app.command("list")
def list_letters(
    topic: TopicOption = None,
    group: GroupOption = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """List what is kept, oldest first in each topic; payloads are not shown."""
    letters = _read(home, topic, group)
    if as_json:
        print_json([_summary(letter) for letter in letters])
    elif not letters:
        print("no dead letters")
    for letter in () if as_json else letters:
        print(f"{letter.topic} {letter.partition} {letter.offset}  {letter.reason}: {letter.error}")


@app.command("show")
def show(
    topic: Annotated[str, typer.Argument(help="The dead-letter topic, as `list` shows it.")],
    offset: Annotated[int, typer.Argument(help="Its offset there.")],
    partition: Annotated[int, typer.Option(help="Its partition there.")] = 0,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter whole: where it came from, why it is here, its headers and its value."""
    found = [one for one in _read(home, topic, None) if (one.partition, one.offset) == (partition, offset)]
    if not found:
        raise StackError(
            f"{topic} holds no dead letter at partition {partition}, offset {offset}; see `kairan dlt list`"
        )
    whole = _whole(found[0])
    if as_json:
        print_json(whole)
        return
    for name, value in whole.items():
        print(f"{name:<18}{value}")


@app.command("replay")
def replay(
    topic: TopicOption = None,
    group: GroupOption = None,
    partition: PartitionOption = None,
    offset: OffsetOption = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Give dead letters (all, or those chosen) to their group again; what was applied before is skipped there."""
    chosen = [
        letter
        for letter in _read(home, topic, group)
        if partition in (None, letter.partition) and offset in (None, letter.offset)
    ]
    replayed = _run(home, lambda reached: _replay(reached, chosen)) if chosen else 0
    if as_json:
        print_json({"replayed": replayed, "letters": [_summary(letter) for letter in chosen]})
    else:
        print(f"{replayed} given to their group again" if chosen else "no dead letters")


@app.command("resume")
def resume(
    group: Annotated[str | None, typer.Argument(help="The group; all of them when none is named.")] = None,
    home: HomeOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Let consumers go on that stopped because too much failed. Mend the cause first, or they stop again."""
    _check_group(group)
    resumed = _run(home, lambda reached: _resume(reached, [group] if group else list(GROUPS)), mongo=True)
    if as_json:
        print_json({"resumed": resumed})
    else:
        print(f"resumed: {', '.join(resumed)}" if resumed else "no consumer was stopped")


def _run(home: Any, work: Callable[[Reached], Awaitable[T]], *, mongo: bool = False) -> T:
    """Does `work` on what the home reaches; errors of Kafka and MongoDB become one line."""
    place = Home(home)
    reached = reach(place).need(place, mongo=mongo)

    async def do() -> T:
        return await work(reached)

    try:
        return asyncio.run(do())
    except KafkaError as error:
        raise StackError(f"Kafka at {reached.bootstrap}: {error}") from error
    except StoreError as error:
        raise StackError(f"MongoDB: {type(error).__name__}; is the stack up?") from error


def _check_group(group: str | None) -> None:
    if group is not None and group not in GROUPS:
        raise BadSetting(f"there is no consumer group {group!r}; there are: {', '.join(GROUPS)}")


def _read(home: Any, topic: str | None, group: str | None) -> list[DeadLetter]:
    _check_group(group)

    async def read(reached: Reached) -> list[DeadLetter]:
        return [letter async for letter in deadletters.read(reached.bootstrap, topic, group)]

    return _run(home, read)


async def _replay(reached: Reached, letters: list[DeadLetter]) -> int:
    producer = Producer(
        reached.bootstrap,
        idempotent=reached.kind == "apache",
        client_id="kairan-dlt-replay",
        max_bytes=deadletters.MAX_BYTES + 65_536,
    )
    try:
        return await deadletters.replay(producer, letters)
    finally:
        await producer.stop()


async def _resume(reached: Reached, groups: list[str]) -> list[str]:
    resumed = []
    for group in groups:
        store = Store(reached.mongo, f"kairan_{group}", app_name="kairan-dlt-resume")  # a group is named as its service
        try:
            if await breaker.resume(store, group):
                resumed.append(group)
        finally:
            await store.close()
    return resumed


def _summary(letter: DeadLetter) -> dict[str, Any]:
    return {
        "topic": letter.topic,
        "group": letter.group,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "error": letter.error,
        "source_topic": letter.source_topic,
        "source_partition": letter.source_partition,
        "source_offset": letter.source_offset,
    }


def _whole(letter: DeadLetter) -> dict[str, Any]:
    """With key, headers and value; bytes that are no text stand as `base64:…`."""
    return _summary(letter) | {
        "timestamp_ms": letter.timestamp_ms,
        "key": _text(letter.key),
        "headers": {name: _text(value) for name, value in letter.headers},
        "value": _text(letter.value),
    }


def _text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(raw).decode()
