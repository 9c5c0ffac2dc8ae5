"""Within a version only optional fields may come; everything else is named in a sentence and refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.catalogue import CATALOGUE
from shared.catalogue.evolution import breaking_changes
from shared.catalogue.generate import DOCS, GOLDEN, main, write
from shared.catalogue.schemas import JsonSchema, json_schema

JOINED = json_schema(CATALOGUE.by_name("member-joined"))
PUBLISHED = json_schema(CATALOGUE.by_name("archive-published"))
Change = Callable[[JsonSchema], object]


def changed(schema: JsonSchema, change: Change) -> JsonSchema:
    now = copy.deepcopy(schema)
    change(now)
    return now


@pytest.mark.parametrize(
    "change",
    [
        lambda schema: schema["properties"].update(mood={"type": "string", "default": "calm"}),
        lambda schema: schema["properties"]["source"].update(description="Better words.", unit="way"),
        lambda schema: schema.update(description="Better words."),
        lambda schema: schema.update({"$defs": {"New": {"type": "object"}}}),
    ],
    ids=["a new optional field", "better words for a field", "better words", "a new part"],
)
def test_what_may_change(change: Change) -> None:
    assert breaking_changes(JOINED, changed(JOINED, change)) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda s: s["properties"].pop("reason"), "reason was removed (or renamed)"),
        (lambda s: s["properties"].update(x={}) or s["required"].append("x"), "x is new and required"),
        (lambda s: s["required"].append("reason"), "reason became required"),
        (lambda s: s["required"].clear(), "source became optional: readers that are out rely on it"),
        (lambda s: s["properties"]["source"]["enum"].append("poster"), "source takes other values than before"),
        (
            lambda s: s["properties"]["joined_precision"].update(default="day"),
            "joined_precision takes other values than before",
        ),
    ],
)
def test_what_needs_a_new_version(change: Change, sentence: str) -> None:
    assert breaking_changes(JOINED, changed(JOINED, change)) == [sentence]


def test_a_part_is_held_to_the_same_rules() -> None:
    now = changed(PUBLISHED, lambda schema: schema["$defs"]["Title"]["properties"].pop("en"))
    assert breaking_changes(PUBLISHED, now) == ["Title.en was removed (or renamed)"]


@pytest.fixture
def copy_of_the_docs(tmp_path: Path) -> Path:
    (tmp_path / GOLDEN).mkdir(parents=True)
    write(tmp_path)
    return tmp_path


def _edit(path: Path, change: Change) -> None:
    path.write_text(json.dumps(changed(json.loads(path.read_text()), change)))


def test_the_check_is_silent_when_files_and_code_agree(copy_of_the_docs: Path) -> None:
    assert main(["--check"], copy_of_the_docs) == 0


def test_the_check_shows_a_diff_when_they_do_not(copy_of_the_docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy_of_the_docs / DOCS / "catalogue.md"
    path.write_text(path.read_text().replace("# The events", "# Old words"))
    assert main(["--check"], copy_of_the_docs) == 1
    shown = capsys.readouterr()
    assert "-# Old words\n+# The events\n" in shown.out
    assert "make generate" in shown.err
    assert main([], copy_of_the_docs) == 0
    assert main(["--check"], copy_of_the_docs) == 0


def test_neither_check_nor_generation_accepts_a_broken_promise(
    copy_of_the_docs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy_of_the_docs / DOCS / "schemas" / "member-joined.v1.json"
    _edit(path, lambda schema: schema["properties"].update(nickname={"type": "string"}))
    before = path.read_text()
    for arguments in ([], ["--check"]):
        assert main(arguments, copy_of_the_docs) == 1
        assert "member-joined.v1: nickname was removed (or renamed)" in capsys.readouterr().err
    assert path.read_text() == before


def test_a_type_cannot_disappear(copy_of_the_docs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (copy_of_the_docs / DOCS / "schemas" / "lamp-lit.v1.json").write_text("{}")
    assert main(["--check"], copy_of_the_docs) == 1
    assert "lamp-lit.v1 is gone" in capsys.readouterr().err
