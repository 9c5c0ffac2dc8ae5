"""`kairan ledger` and `kairan audit` without files: what metrics answers in the running stack of a home."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest

from kairan.cli.main import main
from kairan.stack.home import Home
from kairan.stack.status import StackStatus, StatusFile

AUDIT = {"placebos": 250, "alarms": 9, "threshold": 812.5}
ROW = {
    "id": "0190",
    "kind": "magazine_issue",
    "published_at": "2022-03-01T00:10:00Z",
    "window_from": "2022-03-01T00:00:00Z",
    "window_to": "2022-03-08T00:00:00Z",
    "complete": True,
    "observed": 90,
    "expected": 50.2,
    "extra": 39.8,
    "low": 21,
    "high": 58,
    "credit": 41.5,
    "credit_low": 24.0,
    "credit_high": 60.1,
    "joint_with": ["0191"],
    "joint_credit": 48.0,
    "joint_low": 30.0,
    "joint_high": 66.0,
    "log_evidence": 9.1,
    "alarm_at": "2022-03-01T15:00:00Z",
    "verdict": "clear",
    "title": {"ja": "第1号", "en": "Issue [one]"},
}
LEDGER = {
    "stream": "all",
    "as_of": "2022-03-31T15:00:00Z",
    "revision": 7,
    "joins": 300,
    "organic": 258.5,
    "publications": [ROW],
    "unexplained": [
        {"from": "2022-03-20T00:00:00Z", "to": "2022-03-20T06:00:00Z", "extra": 12.0, "low": 5, "high": 20}
    ],
    "audit": AUDIT,
    "series": [{"series_id": "monthly", "extra": 80.0, "low": 40.0, "high": 120.0, "verdict": "likely"}],
}
DAYS = {"as_of": "2022-03-31T15:00:00Z", "rows": [{"from": "2022-03-01T00:00:00+09:00", "joins": 9}] * 31}
ANSWERS = {
    "/v1/ledger": LEDGER,
    "/v1/joins?by=day": DAYS,
    "/v1/audit": {"stream": "all", "as_of": LEDGER["as_of"], **AUDIT},
}


class Metrics(BaseHTTPRequestHandler):
    """Answers as metrics does, to whoever may read growth."""

    def do_GET(self) -> None:
        claims = jwt.decode(self.headers["Authorization"].removeprefix("Bearer "), options={"verify_signature": False})
        known = self.path in ANSWERS and claims["scope"] == "growth:read"
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps(ANSWERS.get(self.path)).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Into no test's output."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def kairan(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    monkeypatch.setenv("KAIRAN_HOME", str(tmp_path / "home"))

    def run(*words: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run


@contextmanager
def stack(place: Path, url: str) -> Iterator[None]:
    home = Home(place)
    with home.locked():
        StatusFile(home).write(StackStatus(ready=True, urls={"metrics": url}))
        yield


@pytest.fixture
def running(tmp_path: Path) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with stack(tmp_path / "home", f"http://127.0.0.1:{server.server_port}"):
        yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.usefixtures("running")
def test_the_ledger_of_the_stack_is_printed_as_metrics_gives_it(kairan: Callable[..., Ended]) -> None:
    done = kairan("ledger", "--json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == LEDGER


@pytest.mark.usefixtures("running")
def test_the_ledger_of_the_stack_can_be_read(kairan: Callable[..., Ended]) -> None:
    said = kairan("ledger").out
    assert "Issue [one]" in said
    assert "+40 (21-58)  42 (24-60) of 48 together  clear, alarm 03-02 00:00" in said
    assert "2022-03-20 09:00 to 2022-03-20 15:00: 12 extra joins (5-20)" in said
    assert "what was published?" in said
    assert "monthly" in said
    assert "has to reach 812 instead of 100" in said


@pytest.mark.usefixtures("running")
def test_the_audit_of_the_stack_comes_with_its_interval(kairan: Callable[..., Ended]) -> None:
    found = json.loads(kairan("audit", "--json").out)
    assert found["as_of"] == LEDGER["as_of"]
    assert {name: found[name] for name in AUDIT} == AUDIT
    assert found["rate"] == pytest.approx(0.036)
    assert (found["rate_low"], found["rate_high"]) == pytest.approx((0.0189, 0.0620), abs=5e-4)
    assert "3.6% (90 % range 1.9% to 6.2%" in kairan("audit").out


@pytest.mark.usefixtures("running")
def test_a_running_stack_has_one_as_of(kairan: Callable[..., Ended]) -> None:
    done = kairan("ledger", "--as-of", "2022-01-01T00:00:00Z")
    assert (done.code, done.out) == (2, "")
    assert "go with files" in done.err


@pytest.mark.parametrize("command", ["ledger", "audit"])
def test_where_no_stack_runs_it_says_what_to_do(kairan: Callable[..., Ended], command: str) -> None:
    done = kairan(command)
    assert (done.code, done.out) == (1, "")
    assert "kairan up" in done.err
    assert "--joins FILE" in done.err


def test_a_metrics_that_does_not_answer_is_named(kairan: Callable[..., Ended], tmp_path: Path) -> None:
    with stack(tmp_path / "home", "http://127.0.0.1:9"):
        done = kairan("ledger")
    assert (done.code, done.out) == (1, "")
    assert "metrics at http://127.0.0.1:9 does not answer" in done.err
