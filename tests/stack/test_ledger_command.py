"""`kairan ledger` and `kairan audit` as people and scripts run them: files in, stdout, stderr and exit code out."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

KAIRAN = (sys.executable, "-m", "kairan.cli.main")
SHARED = Path(__file__).parents[3] / "shared" / "data" / "hn-github" / "replay"
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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own") / "our town"


@pytest.fixture(scope="module")
def files(folder: Path) -> list[str]:
    return write(folder)


def test_two_files_give_one_object(files: list[str], folder: Path) -> None:
    found = answer("ledger", *files)
    assert found["stream"] == "our town"
    assert (found["from"], found["as_of"]) == ("2021-04-01T00:00:00Z", "2021-06-10T00:00:00Z")
    rows = {row["id"]: row for row in found["publications"]}
    assert list(rows) == ["回覧1", "b", "mag", "d"]
    assert rows["mag"]["window_from"] == "2021-05-26T00:00:00Z"
    assert [row["complete"] for row in rows.values()] == [True, True, True, False]
    assert sum(row["credit"] for row in rows.values()) + found["organic"] == pytest.approx(found["joins"], abs=0.01)
    written = sum(int(line.split(",")[1]) for line in (folder / "joins.csv").read_text().split()[1:])
    assert found["joins"] == written


def test_without_json_it_can_be_read(files: list[str]) -> None:
    done = run("ledger", *files, env=os.environ | {"NO_COLOR": "1"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "our town: " in done.stdout
    assert "Joins a day" in done.stdout
    assert "magazine issue" in done.stdout
    assert "Issue 回覧1" in done.stdout
    assert "\x1b" not in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_a_stdout_that_knows_ascii_alone_gets_a_ledger_too(files: list[str]) -> None:
    ascii_only = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert "Issue ??1" in run("ledger", *files, env=ascii_only).stdout
    found = json.loads(run("ledger", *files, "--json", env=ascii_only).stdout)
    assert found["publications"][0]["id"] == "回覧1"


def test_as_of_an_hour_it_is_the_ledger_of_the_files_up_to_then(files: list[str], tmp_path: Path) -> None:
    then = START + timedelta(days=60)
    rows = publications_text().split("\n")
    known = [rows[0], *(row for row in rows[1:] if row and datetime.fromisoformat(row.split(",")[2]) <= then)]
    cut = write(tmp_path / "our town", joins=joins_text(1, 60), publications="\n".join([*known, ""]))
    expected = answer("ledger", *cut)
    assert answer("ledger", *files, "--as-of", then.isoformat()) == expected
    assert answer("ledger", *files, "--as-of", "2021-05-31T09:59:59+09:00") == expected
    assert answer("ledger", *files, "--as-of", "2021-05-31 09:00", "--timezone", "Asia/Tokyo") == expected


def test_an_as_of_after_the_end_says_so(files: list[str]) -> None:
    done = run("ledger", *files, "--json", "--as-of", "2031-01-01T00:00:00Z")
    assert done.returncode == 0
    assert json.loads(done.stdout)["as_of"] == "2021-06-10T00:00:00Z"
    assert "our town ends at 2021-06-10T00:00:00+00:00" in done.stderr


def test_times_without_a_zone_are_those_of_the_timezone(tmp_path: Path) -> None:
    files = write(
        tmp_path,
        joins="occurred_at,joins\n2021-04-01 09:00,3\n2021-04-03 09:00:00,0\n",
        publications="id,kind,published_at,title_en\na,article,2021-04-02T10:30,x\n",
    )
    assert "--timezone" in run("ledger", *files).stderr
    found = answer("ledger", *files, "--timezone", "Asia/Tokyo")
    assert (found["from"], found["publications"][0]["published_at"]) == ("2021-04-01T00:00:00Z", "2021-04-02T01:30:00Z")


BAD_ROWS = {
    "joins.csv": [
        ("occurred_at\n2021-04-01T00:00:00Z\n", "joins.csv, line 1: misses the column joins"),
        ("occurred_at,joins\n2021-04-01T00:00:00Z,1\n2021-04-02T00:00:00Z,-4\n", "joins.csv, line 3: joins: '-4'"),
    ],
    "publications.csv": [
        (
            f"{PUBLICATIONS}\na,podcast,2021-05-01T00:00:00Z,x,\n",
            "publications.csv, line 2: kind 'podcast' is not known",
        ),
        (f"{PUBLICATIONS}\na,minutes,2022-05-01T00:00:00Z,x,\n", "publications.csv, line 2: published_at"),
        (f"{PUBLICATIONS}\n" + "a,minutes,2021-05-01T00:00:00Z,x,\n" * 2, "line 3: the id 'a' stands in line 2"),
    ],
}


@pytest.mark.parametrize(("name", "text", "words"), [(n, *case) for n, cases in BAD_ROWS.items() for case in cases])
def test_a_fault_is_named_with_file_and_line(tmp_path: Path, name: str, text: str, words: str) -> None:
    files = write(tmp_path)
    (tmp_path / name).write_text(text)
    done = run("ledger", *files, "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{tmp_path}" in done.stderr
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_what_is_not_utf_8_or_not_there_is_named(tmp_path: Path) -> None:
    files = write(tmp_path)
    (tmp_path / "publications.csv").write_bytes(publications_text().encode("shift-jis"))
    done = run("audit", *files)
    assert (done.returncode, done.stdout) == (2, "")
    assert "publications.csv, line 2: is not UTF-8" in done.stderr
    (tmp_path / "publications.csv").unlink()
    done = run("ledger", *files)
    assert (done.returncode, done.stdout) == (2, "")
    assert "publications.csv: cannot be read: No such file" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as-of", "soon"), "--as-of 'soon' is not a time"),
        (("--as-of", "2021-05-01T00:00:00"), "has no time zone"),
        (("--as-of", "2021-04-01T00:30:00Z"), "leaves no hour of the stream"),
        (("--timezone", "Japan/Kyoto"), "'Japan/Kyoto' is not a time zone"),
        (("--jobs", "0"), "--jobs"),
        (("--streams", "."), "or --streams DIR"),
    ],
)
def test_options_that_make_no_sense_are_refused(files: list[str], words: Sequence[str], said: str) -> None:
    done = run("ledger", *files, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_of_many_streams_the_bad_one_is_named_and_the_others_are_printed_in_order(tmp_path: Path) -> None:
    for seed, name in enumerate(("c", "a", "d", "ぼ")):
        write(tmp_path / name, seed)
    (tmp_path / "a" / "joins.csv").write_text("occurred_at,joins\n2021-04-01T00:00:00Z,x\n")
    write(tmp_path / "half")
    (tmp_path / "half" / "joins.csv").unlink()
    (tmp_path / "a file").write_text("")
    done = run("ledger", "--streams", str(tmp_path), "--jobs", "3", "--json")
    assert done.returncode == 2
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["stream"] for one in found] == ["c", "d", "ぼ"]
    assert f"{tmp_path / 'a' / 'joins.csv'}, line 2: joins: 'x'" in done.stderr
    assert "1 of 4 streams could not be used" in done.stderr
    assert "streams: 4 of 4" in done.stderr
    alone = answer(
        "ledger", "--joins", str(tmp_path / "d/joins.csv"), "--publications", str(tmp_path / "d/publications.csv")
    )
    assert found[1] == alone
    assert run("ledger", "--streams", str(tmp_path), "--jobs", "1", "--json").stdout == done.stdout


@pytest.mark.parametrize("place", [".", "nowhere", "a file"])
def test_a_folder_without_streams_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").write_text("")
    done = run("ledger", "--streams", str(tmp_path / place), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert str(tmp_path / place) in done.stderr


def test_the_audit_is_printed_in_words_and_as_an_object(files: list[str]) -> None:
    found = answer("audit", *files)
    assert list(found) == ["stream", "as_of", "placebos", "alarms", "rate", "rate_low", "rate_high", "threshold"]
    assert 0 <= found["rate_low"] <= (found["rate"] or 0) <= found["rate_high"] <= 1
    assert answer("ledger", *files)["audit"] == {name: found[name] for name in ("placebos", "alarms", "threshold")}
    assert "our town, as of 2021-06-10T00:00:00Z" in run("audit", *files).stdout


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More streams than a test waits for: what is cut short must end long before them."""
    write(tmp_path / "one")
    for number in range(400):
        (tmp_path / "many" / f"{number:03d}").parent.mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number:03d}").symlink_to(tmp_path / "one")
    return tmp_path / "many"


@pytest.fixture
def running(many: Path) -> Iterator[subprocess.Popen[str]]:
    command = [*KAIRAN, "ledger", "--streams", str(many), "--jobs", "2", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_all_its_processes(running: subprocess.Popen[str], sign: signal.Signals) -> None:
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["stream"] == "000"
    children = children_of(running.pid)
    assert len(children) == 2
    running.send_signal(sign)
    out, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert len(out.splitlines()) < 399
    assert "Traceback" not in said
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_a_reader_that_goes_away_ends_it(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    assert running.stderr is not None
    assert json.loads(running.stdout.readline())["stream"] == "000"
    children = children_of(running.pid)
    running.stdout.close()
    assert running.wait(timeout=60) != 0
    assert "Traceback" not in running.stderr.read()
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def children_of(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def test_progress_is_drawn_on_a_terminal_and_stdout_holds_nothing_else(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name)
    terminal, other_end = pty.openpty()
    command = [*KAIRAN, "ledger", "--streams", str(tmp_path), "--json"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=other_end, text=True, env=environment) as process:
        os.close(other_end)
        drawn = b"".join(iter(lambda: read_terminal(terminal), b""))
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    os.close(terminal)
    assert [json.loads(line)["stream"] for line in lines] == ["a", "b"]
    assert b"2/2" in drawn
    assert b"{" not in drawn


def read_terminal(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real streams beside this repository are not there")
def test_the_real_streams_have_a_ledger_each() -> None:
    done = run("ledger", "--streams", str(SHARED), "--json")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["stream"] for one in found] == sorted(path.name for path in SHARED.iterdir())
    for one in found:
        shares = sum(row["credit"] for row in one["publications"])
        assert shares + one["organic"] == pytest.approx(one["joins"], abs=0.01)
