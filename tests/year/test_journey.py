"""A short year on a real stack, from the public APIs to the settled ledger."""

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

pytestmark = [
    pytest.mark.timeout(450),  # a stack takes its time to start where cores are few
    pytest.mark.usefixtures("a_stack_can_run"),
]
SHORT: dict[str, int] = {"seed": 3, "members_from": 40, "members_to": 640, "days": 70}


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
