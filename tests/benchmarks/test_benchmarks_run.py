"""Every benchmark runs, small, on real parts, and reports each of its figures; what they say is not judged here."""

import asyncio
import json
import math
import os
import sys

import pytest

from tests.conftest import Missing

GOALS = {"joins": 2, "projection": 1, "page": 1, "rebuild": 1}


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.skipif(os.environ.get("KAIRAN_PROVE") != "full", reason="minutes of work: make prove runs it")
@pytest.mark.parametrize("name", GOALS)
async def test_a_benchmark_reports_its_figures(name: str, missing: Missing) -> None:
    if why := missing.apache or missing.mongo:
        pytest.skip(why)
    command = [sys.executable, "-m", "benchmarks.run", name, "--json", "--seconds", "6", "--joins", "5000"]
    benchmark = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, said = await benchmark.communicate()
    assert benchmark.returncode == 0, said.decode()
    (result,) = json.loads(output)["results"]
    assert result["name"] == name
    assert all(math.isfinite(figure["value"]) and figure["value"] >= 0 for figure in result["figures"])
    assert sum("met" in figure for figure in result["figures"]) == GOALS[name]
