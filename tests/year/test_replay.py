"""`kairan replay` as it is typed: recorded streams on a real stack, from the public APIs to the settled ledgers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TIMEOUT_S = 420
FIELDS = {
    *("id", "kind", "published_at", "window_from", "window_to", "complete", "observed", "expected", "extra"),
    *("low", "high", "credit", "credit_low", "credit_high", "joint_with", "joint_credit", "joint_low", "joint_high"),
    *("log_evidence", "alarm_at", "verdict"),
}


@pytest.mark.usefixtures("a_stack_can_run")
@pytest.mark.timeout(TIMEOUT_S + 30)  # a stack takes its time to start where cores are few
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
