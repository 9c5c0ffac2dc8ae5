"""Files of a small community, and `kairan` run on them as a process of its own."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

KAIRAN = (sys.executable, "-m", "kairan.cli.main")
START = datetime(2021, 4, 1, tzinfo=UTC)
DAYS = 70
HOUR = timedelta(hours=1)
JOINS, PUBLICATIONS = "occurred_at,joins", "id,kind,published_at,title_en,series_id"


def write(folder: Path, seed: int = 1, *, joins: str = "", publications: str = "") -> list[str]:
    """A small community's ten weeks, with a magazine that doubles its joins; or the given texts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "joins.csv").write_text(joins or joins_text(seed))
    (folder / "publications.csv").write_text(publications or publications_text())
    return ["--joins", str(folder / "joins.csv"), "--publications", str(folder / "publications.csv")]


def joins_text(seed: int, days: float = DAYS) -> str:
    rate = np.full(24 * DAYS, 0.6)
    rate[24 * 55 : 24 * 58] += 1.5
    counts = np.random.default_rng(seed).poisson(rate)[: int(24 * days)]
    rows = [f"{(START + hour * HOUR).isoformat()},{joins}" for hour, joins in enumerate(counts) if joins or hour == 0]
    end = START + (int(24 * days) - 1) * HOUR
    return "\n".join([JOINS, *rows, f"{end.isoformat()},0", ""])


def publications_text() -> str:
    days = {"回覧1": 44, "b": 44.5, "mag": 55, "d": 66}
    kinds = {"mag": "magazine_issue", "d": "session"}
    rows = [
        f"{name},{kinds.get(name, 'minutes')},{(START + timedelta(days=day, minutes=20)).isoformat()},Issue {name},s"
        for name, day in days.items()
    ]
    return "\n".join([PUBLICATIONS, *rows, ""])


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*KAIRAN, *words], capture_output=True, text=True, timeout=120, check=False, **more)
    assert "Traceback" not in done.stderr
    return done


def answer(*words: str) -> dict[str, Any]:
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found
