"""`kairan replay` and `kairan demo` as they are typed: faults end in words and exit code 2 before anything starts."""

from pathlib import Path

import pytest

from kairan.cli.main import main

PUBLICATIONS = "id,kind,published_at,title_en\na,article,2021-01-01T05:30:00Z,First\n"
JOINS = "occurred_at,joins\n2021-01-01T00:00:00Z,3\n2021-01-02T09:00:00Z,1\n"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    def no_stack(*_: object, **__: object) -> None:
        raise AssertionError("a stack was started")

    monkeypatch.setattr("kairan.year.stages.Stack", no_stack)
    (tmp_path / "j.csv").write_text(JOINS)
    (tmp_path / "p.csv").write_text(PUBLICATIONS)
    return ["--joins", str(tmp_path / "j.csv"), "--publications", str(tmp_path / "p.csv")]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["replay", *arguments])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert not said.out
    assert "Traceback" not in said.err
    return said.err


def test_a_bad_row_is_named(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "j.csv").write_text(JOINS + "2021-01-02T09:00:00Z,many\n")
    assert f"{tmp_path / 'j.csv'}, line 4: joins: 'many'" in refused(capsys, *files)


def test_both_files_or_a_folder_are_needed(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--joins FILE and --publications FILE, or --streams DIR" in refused(capsys, *files[:2])
    assert "--joins FILE and --publications FILE, or --streams DIR" in refused(capsys, *files, "--streams", ".")
    assert "--joins FILE and --publications FILE, or --streams DIR" in refused(capsys)


def test_a_time_zone_must_be_one(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "'Japan/Kyoto' is not a time zone" in refused(capsys, *files, "--timezone", "Japan/Kyoto")


@pytest.mark.parametrize("as_of", ["soon", "2021-01-01T00:30:00Z", "2031-01-01T00:00:00Z", "2021-01-01T09:00:00"])
def test_an_as_of_must_be_an_hour_of_the_stream(
    files: list[str], capsys: pytest.CaptureFixture[str], as_of: str
) -> None:
    assert "kairan: " in refused(capsys, *files, "--as-of", as_of)


def test_a_home_that_holds_a_stack_is_left_alone(
    files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)
    assert "holds a stack already" in refused(capsys, *files, "--home", str(tmp_path / "home"))


@pytest.mark.parametrize("name", ["demo", "replay"])
def test_help_says_what_a_command_does(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert "ledger" in capsys.readouterr().out
