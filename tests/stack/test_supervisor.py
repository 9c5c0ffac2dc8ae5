"""The supervisor over the real broker and database: what dies comes back, a home has one master, nothing is left."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from kairan.stack.child import Child
from kairan.stack.down import bring_down
from kairan.stack.errors import HomeInUse, StartFailed
from kairan.stack.home import Home
from kairan.stack.keeper import backoff_s
from kairan.stack.leftovers import ProcessBook
from kairan.stack.proc import identity_of, wait_gone
from kairan.stack.stack import Stack
from kairan.stack.wire import broker_count
from shared.bus.topics import TOPICS, apply


def status_of(stack: Stack) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(stack.home.status_file.read_text())
    return status


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  a reader of files and lines has nothing else
            await asyncio.sleep(0.005)


async def until_status(stack: Stack, ready: bool) -> None:
    await until(lambda: status_of(stack)["ready"] is ready)


def kill(stack: Stack, name: str) -> int:
    pid = stack.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


async def remember(mongo_uri: str) -> None:
    client: Any = AsyncIOMotorClient(mongo_uri, serverSelectionTimeoutMS=20_000)
    await client.kept.get_collection("rows", write_concern=WriteConcern("majority", j=True)).insert_one({})
    client.close()


async def remembered(mongo_uri: str) -> int:
    client: Any = AsyncIOMotorClient(mongo_uri, serverSelectionTimeoutMS=20_000)
    try:
        return int(await client.kept.rows.count_documents({}))
    finally:
        client.close()


def seize(port: int) -> socket.socket:
    """Takes a port from a process that is just dying, before the supervisor can run again."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return socket.create_server(("127.0.0.1", port))
        except OSError:
            if time.monotonic() > deadline:
                raise


@pytest.fixture
def needs_apache(missing):
    if missing.apache:
        pytest.skip(missing.apache)


@pytest.mark.usefixtures("needs_apache")
async def test_a_killed_broker_and_database_come_back_with_their_data(tmp_path: Path):
    said: list[str] = []
    async with Stack(tmp_path / "home", services=(), kafka="apache", mongo="", say=said.append) as stack:
        await stack.wait_ready()
        await remember(stack.mongo_uri)
        for name in ("mongo", "kafka"):
            killed = kill(stack, name)
            await until_status(stack, ready=False)
            await until_status(stack, ready=True)
            assert stack.ready
            assert stack.pid(name) != killed
            assert stack.restarts(name) == 1
        assert await remembered(stack.mongo_uri) == 1
        assert await apply(stack.bootstrap) == [], "the topics were lost"
    assert [line.partition(" ")[0] for line in said] == ["mongo", "kafka"]
    assert all("SIGKILL" in line for line in said)


async def test_the_status_says_where_everything_is_and_afterwards_that_nothing_runs(tmp_path: Path):
    async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="") as stack:
        await stack.wait_ready()
        status = status_of(stack)
        assert status["ready"] is True
        assert status["kafka"] == {"bootstrap": stack.bootstrap, "kind": "tansu"}
        assert status["mongo"] == stack.mongo_uri
        assert [one["name"] for one in status["processes"]] == ["kafka", "mongo"]
        assert all(set(one) == {"name", "role", "pid", "url", "restarts"} for one in status["processes"])
        running = [identity_of(one["pid"]) for one in status["processes"]]
        assert all(one.alive for one in running)
        assert stack.home.status_file.stat().st_mode & 0o077 == 0, "it may hold the password of an external database"
    assert not any(one.alive for one in running)
    assert status_of(stack)["ready"] is False
    assert status_of(stack)["processes"] == []


async def test_a_home_has_one_supervisor(tmp_path: Path):
    async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="") as stack:
        await stack.wait_ready()
        with pytest.raises(HomeInUse, match=f"process {os.getpid()}"):
            async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo=""):
                pass
        assert stack.ready
        assert await broker_count(stack.bootstrap) == 1


async def test_stacks_live_side_by_side_and_keep_their_own_ports(tmp_path: Path):
    async with (
        Stack(tmp_path / "one", services=(), kafka="tansu", mongo="") as one,
        Stack(tmp_path / "two", services=(), kafka="tansu", mongo="") as two,
    ):
        addresses = {one.bootstrap, two.bootstrap, one.mongo_uri, two.mongo_uri}
        assert len(addresses) == 4
        before = one.bootstrap
    async with Stack(tmp_path / "one", services=(), kafka="tansu", mongo="") as again:
        assert again.bootstrap == before


async def test_a_port_that_was_taken_between_two_starts_is_replaced(tmp_path: Path):
    async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="") as stack:
        address = stack.bootstrap
    with socket.create_server(("127.0.0.1", int(address.partition(":")[2]))):
        async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="") as stack:
            assert stack.bootstrap != address
            await stack.wait_ready()


async def test_a_light_broker_that_dies_comes_back_with_topics_also_when_its_port_is_taken(tmp_path: Path):
    async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="") as stack:
        await stack.wait_ready()
        address = stack.bootstrap
        kill(stack, "kafka")
        with seize(int(address.partition(":")[2])):
            await until_status(stack, ready=False)
            await stack.wait_ready()
        assert stack.bootstrap != address
        assert status_of(stack)["kafka"]["bootstrap"] == stack.bootstrap
        assert await apply(stack.bootstrap) == []


async def test_under_the_light_broker_a_stack_starts_empty_and_says_so(tmp_path: Path):
    said: list[str] = []
    for _ in range(2):
        async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="", say=said.append) as stack:
            assert await remembered(stack.mongo_uri) == 0
            await remember(stack.mongo_uri)
    assert len([line for line in said if "keeps nothing" in line]) == 2


async def test_parts_of_others_are_used_and_given_their_topics(tmp_path: Path, own_kafka, mongo_uri):
    broker = await own_kafka("tansu")
    async with Stack(tmp_path / "home", services=(), kafka=broker.bootstrap, mongo=mongo_uri) as stack:
        await stack.wait_ready()
        assert stack.status().processes == ()
        assert (stack.bootstrap, stack.mongo_uri) == (broker.bootstrap, mongo_uri)
        assert await apply(broker.bootstrap, topics=TOPICS) == []


async def test_what_keeps_dying_is_named_with_its_last_words(tmp_path: Path):
    said: list[str] = []
    stack = Stack(tmp_path / "home", services=("missing",), kafka="tansu", mongo="", say=said.append)
    async with stack:
        with pytest.raises(StartFailed, match=r"missing-1[\s\S]*No module named"):
            await stack.wait_ready(3)
        await until(lambda: any("missing-1 keeps dying" in line and "No module named" in line for line in said))
        assert stack.restarts("missing-1") >= 3


def test_the_first_death_costs_no_pause_and_no_pause_is_longer_than_five_seconds():
    assert [backoff_s(deaths) for deaths in (1, 2, 3, 4)] == [0.0, 0.1, 0.2, 0.4]
    assert backoff_s(50) == 5.0


@pytest.fixture
def orphan(tmp_path: Path):
    """A process that a killed supervisor has written down, and that did not die with it."""
    home = Home(tmp_path / "home")
    home.prepare()
    command = ["sleep", "600"]
    child = subprocess.Popen(command, start_new_session=True)
    written = Child("membership-1", command, tmp_path / "unused.log")
    written._process.kill()
    written._process.wait()
    written._process = child
    ProcessBook(home.processes_file).add(written)
    yield child
    child.kill()
    child.wait()


async def test_the_next_start_stops_what_a_killed_supervisor_left_behind(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
):
    said: list[str] = []
    async with Stack(tmp_path / "home", services=(), kafka="tansu", mongo="", say=said.append):
        assert orphan.poll() == -signal.SIGTERM
    assert any("membership-1" in line for line in said)


def test_down_stops_what_a_killed_supervisor_left_behind(tmp_path: Path, orphan: subprocess.Popen[bytes]):
    done = bring_down(Home(tmp_path / "home"))
    assert (done.stopped, done.leftovers) == (False, ["membership-1"])
    assert orphan.poll() == -signal.SIGTERM
    assert bring_down(Home(tmp_path / "home")).leftovers == []


def test_a_stranger_who_got_the_process_id_is_left_alone(tmp_path: Path, orphan: subprocess.Popen[bytes]):
    home = Home(tmp_path / "home")
    book = json.loads(home.processes_file.read_text())
    book["membership-1"]["started"] = "1"
    home.processes_file.write_text(json.dumps(book))
    assert bring_down(home).leftovers == []
    assert orphan.poll() is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start finds what was left")
async def test_a_killed_supervisor_takes_its_processes_along_and_the_next_finds_the_data(tmp_path: Path, needs_apache):
    home = tmp_path / "home"
    script = (
        "import asyncio, sys\n"
        "from kairan.stack.stack import Stack\n"
        "async def main():\n"
        "    async with Stack(sys.argv[1], services=(), kafka='apache', mongo='') as stack:\n"
        "        await stack.wait_ready()\n"
        "        print('ready', flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(home), stdout=asyncio.subprocess.PIPE
    )
    assert supervisor.stdout is not None
    assert await supervisor.stdout.readline() == b"ready\n"
    status = json.loads((home / "run" / "status.json").read_text())
    processes = [identity_of(one["pid"]) for one in status["processes"]]
    await remember(status["mongo"])
    supervisor.kill()
    await supervisor.communicate()
    assert wait_gone(processes, 30)
    async with Stack(home, services=(), kafka="apache", mongo="") as stack:
        assert stack.mongo_uri == status["mongo"]
        assert await remembered(stack.mongo_uri) == 1
