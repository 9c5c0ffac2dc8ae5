"""`kairan endpoints` against a running notify, as an operator types it: stdout, stderr and exit code out."""

import asyncio
import json
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from kairan.cli.main import main
from tests.journeys.talk import until
from tests.services.notify.receiver import receiving
from tests.services.notify.world import World, joined

Kairan = Callable[..., Any]


@pytest.fixture
async def url(notify: httpx.AsyncClient) -> AsyncIterator[str]:
    """The same process, on a port."""
    transport = notify._transport
    assert isinstance(transport, httpx.ASGITransport)
    server = uvicorn.Server(uvicorn.Config(transport.app, lifespan="off", log_level="error"))
    # Listens before the server runs, so that who calls at once only waits.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
def kairan(
    url: str, world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Kairan:
    """`await kairan(0, "list")` gives the lines that the command prints; with another code those of stderr."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "keys").symlink_to(world.folder)
    monkeypatch.setenv("KAIRAN_PORTAL_URL", url)

    def run(code: int, *words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(["endpoints", *words, "--home", str(home)])
        printed = capfd.readouterr()
        assert (ended.value.code or 0) == code, printed.err
        return printed.err if code else printed.out

    async def in_a_thread(code: int, *words: str) -> str:
        return await asyncio.to_thread(run, code, *words)

    return in_a_thread


async def test_an_operator_makes_changes_tries_and_deletes_an_endpoint(
    kairan: Kairan, world: World, tmp_path: Path
) -> None:
    condition = tmp_path / "filter.json"
    condition.write_text('{"path": "data.source", "equals": "search"}')
    async with receiving() as receiver:
        words = ("--filter", f"@{condition}", "--ordered", "--expires-after", "member-*=60", "--json")
        made = json.loads(await kairan(0, "create", receiver.url, "member-joined", "session-*", *words))
        receiver.secret = made["secret"]
        assert f"{made['id']}  active      {receiver.url}  member-joined, session-*" in await kairan(0, "list")
        sent = json.loads(await kairan(0, "test", made["id"], "--json"))
        (told,) = await receiver.until(lambda found: len(found) == 1)
        assert told.id == sent["delivery_id"]
    changes = ("--description", "説明\u3000", "--in-flight", "3", "--reset", "filter", "--unordered", "--json")
    shown = json.loads(await kairan(0, "update", made["id"], *changes))
    assert shown == json.loads(await kairan(0, "show", made["id"], "--json"))
    wanted = {"filter": None, "in_flight": 3, "ordered": False, "expires_after_s": {"member-*": 60}}
    assert shown | wanted == shown
    await world.publish(joined())
    never = ("--event-type", "member-*", "--filter", '{"all": [{"path": "id", "equals": 1}]}')
    await until(lambda: kairan(0, "dry-run", made["id"], *never), lambda said: "filter.all[0]" in said)
    assert "of the last" in await kairan(0, "dry-run", made["id"], "--no-filter")
    assert "paused" in await kairan(0, "pause", made["id"])
    assert "resumed" in await kairan(0, "resume", made["id"])
    assert "whsec_" in await kairan(0, "rotate", made["id"], "--overlap-s", "60")
    assert "state           active" in await kairan(0, "show", made["id"])
    assert "deleted" in await kairan(0, "delete", made["id"])
    lines = (await kairan(0, "audit", made["id"])).splitlines()
    operations = ["delete", "rotate", "resume", "pause", "update", "test", "create"]
    assert [line.split()[1] for line in lines] == operations


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", str(uuid.uuid4())), "There is no endpoint with this id."),
        (("show", "../deliveries"), "404"),
        (("create", "https://10.0.0.3/", "*"), "private"),
        (("create", "https://hooks.example.com/", "membr-*"), "membr-*"),
        (("create", "https://hooks.example.com/", "*", "--filter", '{"path": "a"}'), "filter: beside the path stands"),
        (("create", "https://hooks.example.com/", "*", "--filter", "{"), "--filter is not JSON"),
        (
            ("create", "https://hooks.example.com/", "*", "--filter", '{"path": "a", "path": "b"}'),
            "twice in one object",
        ),
        (("create", "https://hooks.example.com/", "*", "--expires-after", "x"), "PATTERN=SECONDS"),
        (("update", "x"), "nothing is named"),
        (("create", "http://127.0.0.1:9/"), "event_types is missing"),
        (("create", "http://127.0.0.1:9/", "*", "--identifiers", "real", "--disclosure", "x"), "FIELD=TEXT"),
        (("create", "http://127.0.0.1:9/", "*", "--identifiers", "real", "--disclosure", "country=JP"), "legal_basis"),
    ],
)
async def test_what_is_refused_is_said_in_a_line(kairan: Kairan, words: tuple[str, ...], said: str) -> None:
    told = await kairan(1, *words)
    assert said in told
    assert len(told.splitlines()) == 1
