"""A ledger from files has two seconds: what it never uses is never loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from kairan.cli.judging import Asked
from kairan.cli.main import build
from kairan.cli.quick_words import quick_call

HEAVY = {"fastapi", "aiokafka", "aiohttp", "faststream", "motor", "pymongo", "structlog", "pydantic_settings", "jwt"}
HEAVY |= {
    "pydantic",
    "cryptography",
    "rich",
    "scipy.stats",
    "scipy.signal",
    "scipy.optimize",
    "numpy.f2py",
    "numpy.testing",
}
LEDGER = """
import sys
from kairan.cli.main import main
try:
    main(["ledger", "--json", "--joins", sys.argv[1], "--publications", sys.argv[2]])
except SystemExit as ended:
    print("loaded:", *sys.modules, file=sys.stderr)
    sys.exit(ended.code)
"""
AFTERWARDS = """
from kairan.year.quick_scipy import import_scipy_special
import numpy
before = dir(numpy), numpy.__all__
import_scipy_special()
import_scipy_special()
assert (dir(numpy), numpy.__all__) == before
from scipy.special import gammaln
assert abs(gammaln(5.0) - numpy.log(24)) < 1e-12
assert numpy.ma.masked_array([1]).sum() == 1
assert numpy.testing.assert_allclose
"""


def test_a_ledger_loads_no_framework(tmp_path: Path) -> None:
    (tmp_path / "j.csv").write_text("occurred_at,joins\n2021-01-01T00:00:00Z,1\n2021-03-01T00:00:00Z,1\n")
    (tmp_path / "p.csv").write_text("id,kind,published_at,title_en\na,session,2021-02-20T00:00:00Z,x\n")
    files = str(tmp_path / "j.csv"), str(tmp_path / "p.csv")
    done = subprocess.run(
        [sys.executable, "-c", LEDGER, *files], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stderr.partition("loaded:")[2].split())
    assert "services.metrics.growth" in loaded
    assert not loaded & HEAVY


def test_numpy_is_whole_after_the_quick_start() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", AFTERWARDS], check=True, timeout=60)


@pytest.mark.parametrize("command", ["ledger", "audit"])
@pytest.mark.parametrize(
    "options",
    [
        "--joins a --publications b",
        "--publications b/c.csv --json --joins a --as-of 2021-04-01T00:00:00Z",
        "--joins a --publications b --timezone Asia/Tokyo --as-of x",
    ],
)
def test_what_is_understood_quickly_is_what_the_parser_understands(
    monkeypatch: pytest.MonkeyPatch, command: str, options: str
) -> None:
    monkeypatch.delenv("KAIRAN_HOME", raising=False)
    asked: list[Asked] = []
    monkeypatch.setattr(f"kairan.cli.{command}.print_asked", lambda one, _: asked.append(one))
    quick = quick_call([command, *options.split()])
    assert quick is not None
    quick()
    build(command)([command, *options.split()], standalone_mode=False)
    assert asked[0] == asked[1]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "status --json",
        "ledger",
        "ledger --joins a",
        "ledger --help",
        "ledger --joins a --publications b --help",
        "ledger --joins a --publications",
        "ledger --joins a --publications b --json --json",
        "ledger --joins=a --publications b",
        "ledger --joins --json --publications b",
        "ledger --joins a --publications b c",
        "ledger --joins a --publications b --home c",
        "ledger --streams a --jobs 2",
        "--json ledger --joins a --publications b",
    ],
)
def test_all_else_is_left_to_the_parser(words: str) -> None:
    assert quick_call(words.split()) is None
