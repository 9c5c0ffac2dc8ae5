"""Streams and their ledgers over HTTP: all joins, the joins of one entrance, who named what, as JSON and as tables."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.metrics import growth
from services.metrics.growth.ledger import ledger as real_ledger
from services.metrics.growth.model import Joins, Ledger, Publication
from tests.services.metrics.facts import joined, published, time_passed, year_of_joins
from tests.services.metrics.replicas import Metrics, Replica, until

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
PUBLISHED = START + timedelta(days=50, hours=3)
END = START + timedelta(days=60)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Joins, Sequence[Publication]]]:
    """What the science was asked, beside its answer."""
    seen: list[tuple[Joins, Sequence[Publication]]] = []

    def ledger(joins: Joins, publications: Sequence[Publication], as_of: datetime) -> Ledger:
        seen.append((joins, publications))
        return real_ledger(joins, publications, as_of)

    monkeypatch.setattr(growth, "ledger", ledger)
    return seen


async def read(replica: Replica, path: str, **said: str) -> Any:
    answer = await replica.http.get(path, params=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def table(replica: Replica, path: str, **said: str) -> list[dict[str, str]]:
    answer = await replica.http.get(path, params={"format": "csv", **said})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8"))))


async def test_an_entrance_has_a_ledger_of_its_own(
    metrics: Metrics, asked: list[tuple[Joins, Sequence[Publication]]]
) -> None:
    replica = await metrics.replica(clock="stream")
    calm = year_of_joins(5, 60, 7, START)
    by_care = [
        joined(PUBLISHED + timedelta(hours=n % 9), theme="care", ref=["issue", "c0de"][n % 2]) for n in range(30)
    ]
    issue = published("issue", PUBLISHED, title="=1+1", theme_ids=("care",), series_id="s", link_code="c0de")
    await metrics.send([*calm, *by_care, issue, published("other", PUBLISHED + timedelta(hours=5)), time_passed(END)])
    streams = await until(
        lambda: read(replica, "/v1/streams"),
        lambda said: (
            [(one["id"], one["joins"]) for one in said["streams"]] == [("all", len(calm) + 30), ("theme:care", 30)]
        ),
    )
    assert [one["publications"] for one in streams["streams"]] == [2, 1]
    assert {one["as_of"] for one in streams["streams"]} == {"2021-12-31T15:00:00Z"}

    whole, care = await read(replica, "/v1/ledger"), await read(replica, "/v1/ledger", stream="theme:care")
    assert set(whole) == {
        *("stream", "from", "as_of", "revision", "joins", "organic"),
        *("publications", "unexplained", "audit", "series"),
    }
    for found in (whole, care):
        credited = sum(row["credit"] for row in found["publications"])
        assert abs(credited + found["organic"] - found["joins"]) < 1e-6
    assert (care["stream"], [row["id"] for row in care["publications"]]) == ("theme:care", ["issue"])
    assert care["publications"][0]["observed"] == 30

    named = [one for _, known in asked for one in known if one.id == "issue" and one.captured.any()]
    assert named[-1].captured.sum() == 30
    assert named[-1].series_id == "s"
    joins, known = next((joins, known) for joins, known in asked if any(one.captured.any() for one in known))
    assert all(one.captured.size in (0, joins.counts.size) for one in known)

    await _tables(replica, whole)
    assert (await replica.http.get("/v1/ledger", params={"stream": "theme:none"})).status_code == 404
    assert (await replica.http.get("/v1/ledger", params={"stream": "else"})).status_code == 422
    assert (await replica.http.get("/v1/ledger/none/history")).status_code == 404
    assert (await read(replica, "/v1/ledger/issue/history")) == {"id": "issue", "restated": []}


async def _tables(replica: Replica, whole: Any) -> None:
    rows = await table(replica, "/v1/ledger")
    assert [row["id"] for row in rows] == ["issue", "other"]
    assert rows[0]["title_en"] == "'=1+1"  # no formula in anybody's spreadsheet
    assert [float(row["credit"]) for row in rows] == [row["credit"] for row in whole["publications"]]
    assert [row["id"] for row in await table(replica, "/v1/streams")] == ["all", "theme:care"]
    (audit,) = await table(replica, "/v1/audit")
    assert audit == {name: str(value) for name, value in (await read(replica, "/v1/audit")).items()}
