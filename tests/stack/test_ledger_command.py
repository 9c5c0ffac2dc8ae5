"""`kairan ledger` and `kairan audit` as people and scripts run them: files in, stdout, stderr and exit code out."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import tty
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.clock import JST
from tests.stack.own_files import KAIRAN, PUBLICATIONS, START, answer, joins_text, publications_text, run, write


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


@pytest.mark.parametrize("columns", [70, 80, 100, 120])
def test_a_terminal_of_any_usual_width_shows_all_figures_whole(tmp_path: Path, columns: int) -> None:
    long_titles = publications_text().replace("Issue", "An issue with a title that no terminal has room for " * 3)
    files = write(tmp_path, publications=long_titles)
    rows = answer("ledger", *files)["publications"]
    shown = _in_a_terminal(columns, "ledger", *files)
    assert max(map(len, shown.splitlines())) <= columns
    for row in rows:
        assert f"({row['low']:,}-{row['high']:,})" in shown
        assert f"({row['credit_low']:,.0f}-{row['credit_high']:,.0f})" in shown
        assert not row["joint_with"] or f"of {row['joint_credit']:,.0f} together" in shown
        assert f"{datetime.fromisoformat(row['published_at']).astimezone(JST):%Y-%m-%d}" in shown


def _in_a_terminal(columns: int, *words: str) -> str:
    terminal, end = pty.openpty()
    tty.setraw(end)
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen([*KAIRAN, *words], stdout=end, env=plain | {"NO_COLOR": "1", "TERM": "xterm"}) as running:
        os.close(end)
        shown = bytearray()
        with suppress(OSError):  # what Linux says when the other end is closed
            while some := os.read(terminal, 65536):
                shown += some
    os.close(terminal)
    assert running.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())


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


def test_an_as_of_within_an_hour_of_the_stream_has_nothing_to_say(files: list[str]) -> None:
    done = run("ledger", *files, "--json", "--as-of", "2021-05-31T00:30:00Z")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["as_of"] == "2021-05-31T00:00:00Z"


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
        (f'{PUBLICATIONS}\n"a\x1b[2J",minutes,2021-05-01T00:00:00Z,x,\n', r"line 2: id: 'a\x1b[2J' is not one line"),
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


def test_the_audit_is_printed_in_words_and_as_an_object(files: list[str]) -> None:
    found = answer("audit", *files)
    assert list(found) == ["stream", "as_of", "placebos", "alarms", "rate", "rate_low", "rate_high", "threshold"]
    assert 0 <= found["rate_low"] <= (found["rate"] or 0) <= found["rate_high"] <= 1
    assert answer("ledger", *files)["audit"] == {name: found[name] for name in ("placebos", "alarms", "threshold")}
    assert "our town, as of 2021-06-10T00:00:00Z" in run("audit", *files).stdout


def test_without_a_stdout_it_ends_without_a_word(files: list[str]) -> None:
    script = 'exec "$0" "$@" >&-'
    done = subprocess.run(
        ["/bin/sh", "-c", script, *KAIRAN, "ledger", *files, "--json"],
        stderr=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    assert done.stderr == b""
