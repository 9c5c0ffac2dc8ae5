"""`kairan` run in this process, in a home of the test's own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kairan.cli.main import main


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str


Kairan = Callable[..., Ended]


@pytest.fixture
def kairan(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kairan:
    """`kairan("status", "--json")` runs the command; on the light broker, unless a test says otherwise."""
    monkeypatch.setenv("KAIRAN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAIRAN_KAFKA", "tansu")

    def run(*words: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(words)
        printed = capsys.readouterr()
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run
