"""kill -9 of any process, the broker or the database, again and again under load: nothing lost, nothing twice."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Callable

import pytest

from kairan.stack.errors import StartFailed
from kairan.stack.stack import Stack
from tests.faults.crowd import Crowd
from tests.faults.proof import SCOPES, Receiver, holds, until

_VICTIMS = ("membership-1", "kafka", "metrics-1", "mongo", "notify-1")
_RATE = 200.0


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.timeout(1200)
async def test_kill_dash_nine_loses_nothing(
    stack: Stack, receiver: Receiver, full: bool, tell: Callable[[str], None]
) -> None:
    crowd = Crowd(lambda: stack.urls["membership"], stack.token(*SCOPES, expires_in_s=3600))
    seconds, least_kills = (300.0, 20) if full else (20.0, 3)
    killing = asyncio.create_task(_kill_for(stack, seconds, least_kills))
    await crowd.join_for(seconds, _RATE)
    kills = await killing
    await stack.wait_ready()
    figures = await holds(stack, crowd, receiver)
    tell(f"{kills} kills: {figures}")
    assert kills >= least_kills


async def _kill_for(stack: Stack, seconds: float, least: int) -> int:
    """Kills one after the other, the next as soon as the stack is ready again or after 10 s."""
    end = time.monotonic() + seconds
    kills = 0
    for name in itertools.cycle(_VICTIMS):
        if time.monotonic() > end and kills >= least:
            return kills
        pid = stack.pid(name)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
            kills += 1
            await _noticed(stack, name, pid)
        try:
            await stack.wait_ready(10)
        except StartFailed:
            continue
    return kills


async def _noticed(stack: Stack, name: str, pid: int) -> None:
    async def another() -> bool:
        return stack.pid(name) != pid

    await until(another, lambda: f"the supervisor saw {name} die", 60)
