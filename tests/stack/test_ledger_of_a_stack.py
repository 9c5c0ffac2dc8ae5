"""`kairan ledger` and `kairan audit` without files: what metrics answers in the running stack of a home."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kairan.cli.false_alarms import FalseAlarms
from kairan.stack.home import Home
from kairan.stack.status import StackStatus, StatusFile
from kairan.stack.tansu import Tansu
from shared.clock import JST
from tests.conftest import Missing, started
from tests.services.metrics.conftest import metrics_on
from tests.services.metrics.facts import joined, published, time_passed, year_of_joins
from tests.services.metrics.replicas import Replica, until
from tests.stack.conftest import Ended, Kairan

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
END = START + timedelta(days=150)
PUBLISHED = START + timedelta(days=120, hours=3, minutes=10)
UNLISTED = (50, 70, 90)  # days on which many join and nothing was published


@dataclass(frozen=True)
class Running:
    """Metrics with a history of its own, and the keys of the home that it belongs to."""

    keys: Path
    replica: Replica

    async def says(self, path: str) -> Any:
        answer = await self.replica.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
async def running(mongo_uri: str, tmp_path_factory: pytest.TempPathFactory, missing: Missing) -> AsyncIterator[Running]:
    """Five months in which a magazine and an article of the same series bring many, and three days nobody explains."""
    if missing.tansu:
        pytest.skip(missing.tansu)
    folder = tmp_path_factory.mktemp("stack")
    bursts = (START + timedelta(days=day, hours=hour) for day in UNLISTED for hour in range(24) for _ in range(3))
    joins = [
        *year_of_joins(1, 150, 7, START),
        *map(joined, bursts),
        *(joined(PUBLISHED + timedelta(hours=hour % 60)) for hour in range(75)),
    ]
    issues = [
        published("0190", PUBLISHED, title="Issue [one]", series_id="monthly"),
        published("0191", PUBLISHED + timedelta(hours=5), "article", series_id="monthly"),
    ]
    async with (
        started(Tansu(folder / "kafka", folder / "log")) as kafka,
        metrics_on(mongo_uri, kafka, folder) as metrics,
    ):
        replica = await metrics.replica(clock="stream")
        await metrics.send([*joins, *issues, time_passed(END)])
        running = Running(metrics.keys, replica)
        await until(
            lambda: running.says("/v1/ledger"),
            lambda said: said["joins"] == len(joins) and len(said["publications"]) == 2,
        )
        yield running


@contextmanager
def stack(place: Path, url: str) -> Iterator[None]:
    home = Home(place)
    with home.locked():
        StatusFile(home).write(StackStatus(ready=True, urls={"metrics": url}))
        yield


@pytest.fixture
def here(running: Running, tmp_path: Path) -> Iterator[Running]:
    """The same, as the stack of the test's own home."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "keys").symlink_to(running.keys)
    with stack(home, running.replica.url):
        yield running


async def run(kairan: Kairan, *words: str) -> Ended:
    """In a thread: who answers runs in this one."""
    return await asyncio.to_thread(kairan, *words)


async def both(kairan: Kairan, here: Running, *options: str) -> tuple[Any, str]:
    """What metrics says and what the command prints; asked again where a new revision came in between."""
    async with asyncio.timeout(60):
        while True:
            said = await here.says("/v1/ledger")
            done = await run(kairan, "ledger", *options)
            assert (done.code, done.err) == (0, "")
            if await here.says("/v1/ledger") == said:
                return said, done.out


async def test_the_ledger_of_the_stack_is_printed_as_metrics_gives_it(kairan: Kairan, here: Running) -> None:
    ledger, said = await both(kairan, here, "--json")
    assert json.loads(said) == ledger


async def test_the_ledger_of_the_stack_can_be_read(kairan: Kairan, here: Running) -> None:
    ledger, said = await both(kairan, here)
    issue = next(row for row in ledger["publications"] if row["id"] == "0190")
    assert (issue["verdict"], issue["joint_with"]) == ("clear", ["0191"])
    assert "Issue [one]" in said
    assert f"+{issue['extra']:.0f} ({issue['low']}-{issue['high']})" in said
    own = f"{issue['credit']:.0f} ({issue['credit_low']:.0f}-{issue['credit_high']:.0f})"
    assert f"{own} of {issue['joint_credit']:.0f} together  clear, alarm {tokyo(issue['alarm_at']):%m-%d %H:%M}" in said
    assert [tokyo(spike["from"]).date() for spike in ledger["unexplained"]] == [
        tokyo(f"{START + timedelta(days=day)}").date() for day in UNLISTED
    ]
    for spike in ledger["unexplained"]:
        when = f"{tokyo(spike['from']):%Y-%m-%d %H:%M} to {tokyo(spike['to']):%Y-%m-%d %H:%M}"
        assert f"{when}: {spike['extra']:.0f} extra joins ({spike['low']:.0f}-{spike['high']:.0f})" in said
    assert "what was published?" in said
    assert "monthly" in said
    assert FalseAlarms.of(ledger["audit"]).in_words() in " ".join(said.split())


def tokyo(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(JST)


async def test_the_audit_of_the_stack_comes_with_its_interval(kairan: Kairan, here: Running) -> None:
    said = await here.says("/v1/audit")
    found = json.loads((await run(kairan, "audit", "--json")).out)
    assert {name: found[name] for name in said} == said
    assert found["rate"] == pytest.approx(said["alarms"] / said["placebos"])
    assert 0 <= found["rate_low"] <= found["rate"] < found["rate_high"] < 1
    words = (await run(kairan, "audit")).out
    assert f"{found['rate']:.1%} (90 % range {found['rate_low']:.1%} to {found['rate_high']:.1%}" in words


def test_an_audit_has_the_exact_interval() -> None:
    found = FalseAlarms(250, 9, 812.5)
    assert found.rate == pytest.approx(0.036)
    assert found.interval == pytest.approx((0.0189, 0.0620), abs=5e-4)
    assert "3.6% (90 % range 1.9% to 6.2%" in found.in_words()
    assert "has to reach 812 instead of 100" in found.in_words()
    assert "went off 9 times: " in found.in_words()
    assert "went off once: " in FalseAlarms(250, 1, 100.0).in_words()


async def test_a_running_stack_has_one_as_of(kairan: Kairan, here: Running) -> None:
    done = await run(kairan, "ledger", "--as-of", "2022-01-01T00:00:00Z")
    assert (done.code, done.out) == (2, "")
    assert "go with files" in done.err


@pytest.mark.parametrize("command", ["ledger", "audit"])
def test_where_no_stack_runs_it_says_what_to_do(kairan: Kairan, command: str) -> None:
    done = kairan(command)
    assert (done.code, done.out) == (1, "")
    assert "kairan up" in done.err
    assert "--joins FILE" in done.err


def test_a_metrics_that_does_not_answer_is_named(kairan: Kairan, tmp_path: Path) -> None:
    with stack(tmp_path / "home", "http://127.0.0.1:9"):
        done = kairan("ledger")
    assert (done.code, done.out) == (1, "")
    assert "metrics at http://127.0.0.1:9 does not answer" in done.err
