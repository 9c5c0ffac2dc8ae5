"""`kairan up`: the whole stack in the foreground, under the supervisor, until Ctrl-C or SIGTERM."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from kairan.cli.options import DEFAULT, HomeOption, JsonOption, print_json
from kairan.stack.errors import StartFailed
from kairan.stack.stack import Stack


class ClockChoice(StrEnum):
    wall = "wall"
    stream = "stream"


def command(
    home: HomeOption = DEFAULT,
    replicas: Annotated[int, typer.Option(min=1, max=50, help="Processes of every service, sharing its address.")] = 1,
    clock: Annotated[
        ClockChoice, typer.Option(envvar="KAIRAN_CLOCK", help="Whose time rules the community's windows.")
    ] = ClockChoice.wall,
    as_json: JsonOption = False,
) -> None:
    """Start everything and keep it alive; what dies is started again. Ctrl-C or SIGTERM stops all of it.

    When the stack is ready, its addresses and a one-time link to the page are printed (with --json: the status).
    """
    asyncio.run(_run(home, replicas, clock.value, as_json))


async def _run(home: Path, replicas: int, clock: str, as_json: bool) -> None:
    _stop_on_signals()
    stack = Stack(home, clock="stream" if clock == "stream" else "wall", replicas=replicas, say=_say)
    try:
        async with stack:
            await _announce(stack, as_json)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        _say("stopped")


def _stop_on_signals() -> None:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    asked = False

    def stop() -> None:
        nonlocal asked
        if asked:
            os._exit(1)  # the second time the operator means it; what is left dies with this process, or is found later
        asked = True
        _say("stopping")
        task.cancel()

    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if sign is not signal.SIGHUP or signal.getsignal(sign) is not signal.SIG_IGN:  # nohup
            loop.add_signal_handler(sign, stop)


async def _announce(stack: Stack, as_json: bool) -> None:
    while not stack.ready:
        try:
            await stack.wait_ready()
        except StartFailed as error:
            _say(str(error))
    if as_json:
        print_json(stack.status().as_json())
        return
    lines = [f"Ready. Home {stack.home.root}; Ctrl-C stops everything."]
    lines += [f"  {name:<11}{url}" for name, url in stack.urls.items()]
    lines += [f"  {'kafka':<11}{stack.bootstrap} ({stack.kind})", f"  {'mongo':<11}{stack.mongo_uri}"]
    lines += [
        f"The page, by a link that works once within ten minutes (`kairan link` makes another):\n  {stack.page_link}"
    ]
    print("\n".join(lines), flush=True)


def _say(line: str) -> None:
    with suppress(OSError):  # a reader that went away must not end the supervision
        print(f"kairan: {line}", file=sys.stderr, flush=True)
