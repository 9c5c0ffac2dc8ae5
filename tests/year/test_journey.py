"""A short year and a recorded stream on a real stack, from the public APIs to the settled ledger."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kairan.stack.stack import Stack
from kairan.year.community import Join, Year
from kairan.year.player import play
from kairan.year.simulate import simulate
from kairan.year.stages import speaker_for, stage
from services.metrics.growth import Joins, Publication, ledger
from services.metrics.growth.model import Counts
from tests.conftest import Missing

TIMEOUT_S = 420
pytestmark = pytest.mark.timeout(TIMEOUT_S + 30)  # a stack takes its time to start where cores are few
SHORT: dict[str, int] = {"seed": 3, "members_from": 40, "members_to": 640, "days": 70}
FIELDS = {
    *("id", "kind", "published_at", "window_from", "window_to", "complete", "observed", "expected", "extra"),
    *("low", "high", "credit", "credit_low", "credit_high", "joint_with", "joint_credit", "joint_low", "joint_high"),
    *("log_evidence", "alarm_at", "verdict"),
}


@pytest.fixture(autouse=True)
def _parts(missing: Missing) -> None:
    if missing.mongo or (missing.apache and missing.tansu):
        pytest.skip(f"no stack can run here: {missing}")


async def test_a_short_year_ends_in_the_ledger_that_the_science_gives(tmp_path: Path) -> None:
    year = simulate(**SHORT)
    async with stage(tmp_path / "home", lambda line: None) as stack:
        found = await _played_twice(stack)
    counts = _by_hour(year, year.joins)
    place = {row["id"]: f"{number:03d}" for number, row in enumerate(found["publications"])}
    known = [  # those of one moment stand in the order of their ids, and in the stack these are random
        Publication(
            *(place[one.id], one.kind, one.published_at, one.series_id),
            _by_hour(year, [join for join in year.joins if join.source_ref == one.id]),
        )
        for one in (*year.archives, *year.sessions)
    ]
    expected = ledger(Joins(year.start, counts), known, year.end)
    assert found["joins"] == len(year.joins)
    assert {row["id"] for row in found["publications"]} == set(year.truth)
    for row in found["publications"]:
        other = expected.by_id()[place[row["id"]]]
        assert row["observed"] == other.observed
        assert row["verdict"] == other.verdict
        assert row["complete"] == other.complete
        assert row["credit"] == pytest.approx(other.credit)


def _by_hour(year: Year, joins: Sequence[Join]) -> Counts:
    counts = np.zeros(year.days * 24, dtype=np.int64)
    for join in joins:
        counts[(join.occurred_at - year.start) // timedelta(hours=1)] += 1
    return counts


async def _played_twice(stack: Stack) -> dict[str, Any]:
    """The second run repeats every command; nothing may happen twice."""
    year = simulate(**SHORT)
    for _ in range(2):
        async with speaker_for(stack, "a-short-year-in-tests") as speaker:
            found = await play(year, speaker)
            members = await speaker.read("metrics", "/v1/members")
            assert members["members"] == year.members_to
    return found


def test_streams_are_replayed_one_after_another_on_one_stack(tmp_path: Path) -> None:
    for name, extra in (("a", 40), ("b", 0)):
        folder = tmp_path / "streams" / name
        folder.mkdir(parents=True)
        hours = [f"2021-{1 + d // 28:02d}-{1 + d % 28:02d}T12:00:00,{2 + extra * (d == 50)}" for d in range(60)]
        (folder / "joins.csv").write_text("\n".join(["occurred_at,joins", *hours, ""]))
        (folder / "publications.csv").write_text(
            "id,kind,published_at,title_en\n号外,article,2021-02-23T11:15:00,Extra\nheld,session,2021-02-25T21:00:00,S\n"
        )
    run = subprocess.run(
        [
            *(sys.executable, "-m", "kairan.cli.main", "replay", "--streams", str(tmp_path / "streams")),
            *("--timezone", "Asia/Tokyo", "--home", str(tmp_path / "home"), "--json"),
        ],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env=os.environ | {"KAIRAN_KAFKA": "", "KAIRAN_MONGO": ""},
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout)
    assert list(found) == ["a", "b"]
    assert (found["a"]["joins"], found["b"]["joins"]) == (160, 120)
    for one in found.values():
        assert set(one) == {"joins", "from", "as_of", "organic", "publications", "unexplained", "audit", "series"}
        assert one["as_of"] == "2021-03-04T04:00:00Z"
        assert [row["id"] for row in one["publications"]] == ["号外", "held"]
        assert [row["kind"] for row in one["publications"]] == ["article", "session"]
        assert all(set(row) == FIELDS for row in one["publications"])
    assert found["a"]["publications"][0]["verdict"] == "clear"
    assert found["b"]["publications"][0]["verdict"] == "unclear"
