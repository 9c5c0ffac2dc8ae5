"""`kairan ledger --streams`: many streams by several processes, and how they end when somebody ends them."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kairan.stack.proc import Identity, identity_of, wait_gone
from tests.stack.own_files import KAIRAN, answer, run, write

SHARED = Path(__file__).parents[3] / "shared" / "data" / "hn-github" / "replay"


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


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More streams than a test waits for: what is cut short must end long before them."""
    write(tmp_path / "one")
    for number in range(400):
        (tmp_path / "many" / f"{number:03d}").parent.mkdir(exist_ok=True)
        (tmp_path / "many" / f"{number:03d}").symlink_to(tmp_path / "one")
    return tmp_path / "many"


def _as_in_a_terminal() -> None:
    """Whoever was started in the background ignores SIGINT, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def running(many: Path) -> Iterator[subprocess.Popen[str]]:
    command = [*KAIRAN, "ledger", "--streams", str(many), "--jobs", "2", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_as_in_a_terminal
    ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_all_its_processes(running: subprocess.Popen[str], sign: signal.Signals) -> None:
    assert running.stdout is not None
    assert json.loads(running.stdout.readline())["stream"] == "000"
    children = children_of(running.pid)
    assert len(children) == 2
    running.send_signal(sign)
    out, said = running.communicate(timeout=120)
    assert running.returncode == 130
    assert len(out.splitlines()) < 399
    assert "Traceback" not in said
    assert wait_gone(children, 60)


def test_a_reader_that_goes_away_ends_it(running: subprocess.Popen[str]) -> None:
    assert running.stdout is not None
    assert running.stderr is not None
    assert json.loads(running.stdout.readline())["stream"] == "000"
    children = children_of(running.pid)
    running.stdout.close()
    assert running.wait(timeout=120) != 0
    assert "Traceback" not in running.stderr.read()
    assert wait_gone(children, 60)


def children_of(pid: int) -> list[Identity]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [identity_of(int(child)) for child in found]


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
