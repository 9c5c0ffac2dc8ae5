"""What demo and replay say in the end: the object of `--json`, and a table for people."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from shared.clock import JST

HEAD = ("organic", "unexplained", "audit", "series")
FIELDS = (
    *("id", "kind", "published_at", "window_from", "window_to", "complete", "observed", "expected", "extra"),
    *("low", "high", "credit", "credit_low", "credit_high", "joint_with", "joint_credit", "joint_low", "joint_high"),
    *("log_evidence", "alarm_at", "verdict"),
)
VERDICTS = {"clear": "clear", "likely": "likely", "unclear": "unclear", "too_little_data": "too little data"}


def answer(ledger: Mapping[str, Any], start: datetime) -> dict[str, Any]:
    """The object of `replay --json` from a settled ledger; `start` is the first moment of the stream.

    What the ledger does not say (of a stack with an older metrics) is left out.
    """
    return {
        "joins": ledger["joins"],
        "from": start.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "as_of": ledger["as_of"],
        "publications": [{name: row[name] for name in FIELDS if name in row} for row in ledger["publications"]],
        **{name: ledger[name] for name in HEAD if name in ledger},
    }


def beside_truth(
    found: Mapping[str, Any], truth: Mapping[str, int], members_from: int, members_to: int
) -> dict[str, Any]:
    """The same with what the simulator knows: members, and per row the joins that it brought, referrals included."""
    rows = [{**row, "truth": truth[row["id"]]} for row in found["publications"]]
    return {**found, "members_from": members_from, "members_to": members_to, "publications": rows}


def table(found: Mapping[str, Any]) -> Table:
    """One line per publication; with a column for the truth where it is known."""
    known = any("truth" in row for row in found["publications"])
    lines = Table(box=None, pad_edge=False)
    lines.add_column("in Tokyo", no_wrap=True)
    lines.add_column("publication", no_wrap=True)
    for name in ("joins", "expected", "extra (90 %)"):
        lines.add_column(name, justify="right", no_wrap=True)
    if known:
        lines.add_column("truth", justify="right", no_wrap=True)
    lines.add_column("verdict", no_wrap=True)
    for row in found["publications"]:
        truth = [str(row["truth"])] if known else []
        lines.add_row(*_cells(row), *truth, verdict_of(row))
    return lines


def verdict_in_words(found: Mapping[str, Any]) -> str:
    """How well the ranges hold the truth, and what was called clear."""
    rows = found["publications"]
    held = sum(row["low"] <= row["truth"] <= row["high"] for row in rows)
    idle = [row for row in rows if row["truth"] == 0]
    wrong = sum(row["verdict"] == "clear" for row in idle)
    clear = sum(row["verdict"] == "clear" for row in rows)
    return (
        f"{held} of {len(rows)} ranges hold the truth; {clear} publications are clear, "
        f"{wrong} of them among the {len(idle)} that brought nobody."
    )


def verdict_of(row: Mapping[str, Any]) -> str:
    """The verdict in words, with the hour of the alarm in Tokyo, and whether the window is still open."""
    alarm = f", alarm {datetime.fromisoformat(row['alarm_at']).astimezone(JST):%m-%d %H:%M}" if row["alarm_at"] else ""
    return VERDICTS[row["verdict"]] + alarm + ("" if row["complete"] else " (open)")


def _cells(row: Mapping[str, Any]) -> tuple[str | Text, ...]:
    published = datetime.fromisoformat(row["published_at"]).astimezone(JST)
    extra = f"{round(row['extra']):+d} ({row['low']}-{row['high']})"
    return f"{published:%Y-%m-%d %H:%M}", Text(row["id"]), str(row["observed"]), f"{row['expected']:.0f}", extra
