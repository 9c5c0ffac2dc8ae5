"""The command line as people and scripts meet it: what is printed where, and the exit codes."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest

from kairan.cli.main import COMMANDS
from kairan.stack.proc import identity_of, wait_gone
from shared.web.scopes import SCOPES
from tests.stack.conftest import Ended


@asynccontextmanager
async def up(*words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """`kairan up` beside the test; what is still alive at the end is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kairan.cli.main", "up", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def answer(kairan: Any, *words: str) -> Ended:
    """In a thread, for commands that run an event loop of their own."""
    done: Ended = await asyncio.to_thread(kairan, *words)
    return done


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"demo", "replay"}))
def test_every_command_explains_itself(kairan, command):
    done = kairan(command, "--help")
    assert done.code == 0
    assert "Usage: kairan" in done.out


def test_help_names_every_command_without_loading_one(kairan):
    done = kairan("--help")
    assert done.code == 0
    assert all(f"  {name} " in done.out for name in COMMANDS)


def test_where_nothing_runs_status_says_so_and_down_finds_nothing_wrong(kairan, tmp_path: Path):
    status = kairan("status")
    assert (status.code, status.out) == (3, "")
    assert "nothing runs" in status.err
    assert json.loads(kairan("status", "--json").out)["ready"] is False
    assert kairan("down").code == 0
    assert not (tmp_path / "home").exists(), "asking makes no home"


@pytest.mark.parametrize(
    "words",
    [
        ("link",),
        ("link", "notify"),
        ("dlt", "list"),
        ("dlt", "resume"),
        ("dlt", "replay"),
        ("rebuild", "metrics"),
        ("topics", "apply"),
    ],
)
def test_what_needs_a_stack_says_in_one_line_how_to_start_it(kairan, words):
    done = kairan(*words)
    assert (done.code, done.out) == (1, "")
    assert "kairan up" in done.err
    assert done.err.count("\n") == 1


def test_a_token_is_printed_alone_and_holds_the_scopes_asked_for(kairan, tmp_path: Path):
    done = kairan("token", "--scope", "members:read", "--scope", "growth:read", "--expires-in", "60", "--subject", "me")
    claims = jwt.decode(done.out.strip(), options={"verify_signature": False})
    assert claims["sub"] == "me"
    assert set(claims["scope"].split()) == {"members:read", "growth:read"}
    assert 0 < claims["exp"] - claims["iat"] <= 61
    assert (tmp_path / "home" / "keys" / "signing.pem").stat().st_mode & 0o077 == 0


def test_a_scope_that_does_not_exist_is_answered_with_those_that_do(kairan):
    done = kairan("token", "--scope", "everything")
    assert done.code != 0
    assert done.out == ""
    assert all(scope in done.err for scope in SCOPES)


def test_doctor_finds_nothing_wrong_on_a_machine_that_can(kairan):
    done = kairan("doctor", "--json")
    assert done.code == 0, done.out
    assert json.loads(done.out)["ok"] is True


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("KAIRAN_KAFKA", "somewhere", "neither `apache` nor `tansu` nor HOST:PORT"),
        ("KAIRAN_KAFKA", "127.0.0.1:1", "no Kafka broker answers"),
        ("KAIRAN_MONGO", "postgres://x", "mongodb://"),
        ("KAIRAN_MONGO", "mongodb://127.0.0.1:1", "cannot be used"),
        ("KAIRAN_CLOCK", "moon", "KAIRAN_CLOCK"),
        ("KAIRAN_NOTIFY_ALLOW_PRIVATE", "home", "KAIRAN_NOTIFY_ALLOW_PRIVATE"),
    ],
)
def test_doctor_names_a_setting_that_cannot_work(kairan, monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    monkeypatch.setattr("kairan.stack.checkup.REACH_TIMEOUT_S", 0.5)
    done = kairan("doctor")
    assert done.code == 1
    assert words in done.out
    assert "would not start" in done.out


def test_doctor_says_what_to_install(kairan, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("KAIRAN_KAFKA", "apache")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = kairan("doctor")
    assert done.code == 1
    assert "install Java 17" in done.out
    monkeypatch.delenv("KAIRAN_KAFKA")
    done = kairan("doctor")
    assert done.code == 0, "without Java the light broker runs"
    assert "keeps nothing" in done.out


def test_doctor_refuses_an_old_java_and_a_missing_maven(kairan, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("KAIRAN_KAFKA", "apache")
    monkeypatch.setenv("KAIRAN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    java = tmp_path / "java"
    for version, words in (("11.0.2", "Java 11 is too old"), ("1.8.0_392", "Java 8 is too old"), ("21.0.1", "`mvn`")):
        java.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        java.chmod(0o755)
        done = kairan("doctor")
        assert done.code == 1
        assert words in done.out


def test_doctor_sees_that_a_home_cannot_be_made(kairan, tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = kairan("doctor", "--home", str(tmp_path / "file" / "home"))
    assert done.code == 1
    assert "--home" in done.out


async def test_up_runs_the_whole_stack_until_down(kairan, tmp_path: Path):
    async with up("--json", "--clock", "stream") as process:
        assert process.stdout is not None
        status = json.loads(await _json_text(process.stdout))
        assert status["ready"] is True
        assert set(status["urls"]) == {"membership", "events", "notify", "metrics"}
        running = [identity_of(one["pid"]) for one in status["processes"]]
        assert len(running) == 6

        assert (await answer(kairan, "status")).code == 0
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kairan.cli.main", "up", stderr=asyncio.subprocess.PIPE
        )
        _, said = await second.communicate()
        assert second.returncode == 2
        assert b"kairan down" in said

        link = await answer(kairan, "link")
        assert link.out.startswith(status["urls"]["metrics"] + "/enter?code=")
        portal = await answer(kairan, "link", "notify", "--subject", "alice", "--json")
        assert json.loads(portal.out)["link"].startswith(status["urls"]["notify"] + "/portal/enter?code=")
        assert (await answer(kairan, "topics", "apply")).out == "every topic exists\n"
        assert json.loads((await answer(kairan, "dlt", "list", "--json")).out) == []
        assert json.loads((await answer(kairan, "dlt", "resume", "--json")).out) == {"resumed": []}
        assert json.loads((await answer(kairan, "ledger", "--json")).out)["publications"] == []
        assert json.loads((await answer(kairan, "audit", "--json")).out)["placebos"] == 0
        assert (await answer(kairan, "ledger")).out == "No ledger yet: no time has passed.\n"
        refused = await answer(kairan, "rebuild", "metrics")
        assert (refused.code, "light broker" in refused.err) == (1, True)

        down = await answer(kairan, "down")
        assert (down.code, down.out) == (0, "stopped\n")
        assert await process.wait() == 0
        assert not any(one.alive for one in running)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_a_stack_that_is_only_starting(kairan, tmp_path: Path, sign):
    async with up() as process:
        file = tmp_path / "home" / "run" / "processes.json"
        async with asyncio.timeout(60):
            while not file.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        started = [identity_of(one["pid"]) for one in json.loads(file.read_text()).values()]
        process.send_signal(sign)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
        assert wait_gone(started, 0.1)


async def _json_text(stream: asyncio.StreamReader) -> str:
    lines = [await stream.readline()]
    while lines[-1] not in (b"}\n", b""):
        lines.append(await stream.readline())
    return b"".join(lines).decode()
