"""`kairan endpoints check` as people and scripts run it: addresses or a file in; stdout, stderr and exit code out."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.stack.conftest import Kairan
from tests.stack.own_files import run

CHECK = ("endpoints", "check")
CASES: list[dict[str, Any]] = [
    {"url": "https://hooks.example.com/名", "dns": {"hooks.example.com": [["93.184.215.14"]]}, "must": "refuse"},
    {"url": "https://hooks.example.com/", "dns": {"hooks.example.com": [["93.184.215.14"], ["10.0.0.1"]]}},
    {"url": "https://8.8.8.8/", "response": {"status": 302, "location": "https://8.8.4.4/"}},
    {"url": "https://a.example.com/\u2028\x85", "why": "what some take for the end of a line"},
    {"url": "https://a.example.com/\ud800"},
    {"url": "https://a.example.com/", "policy": "self_hosts=[a.example.com]"},
]
JUDGED = [("allow", "connect"), ("refuse", "resolve"), ("refuse", "redirect"), ("refuse", "parse")] + [
    ("refuse", "parse")
] * 2


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("KAIRAN_NOTIFY_")]:
        monkeypatch.delenv(name)


def test_addresses_are_judged_in_lines_that_can_be_read(kairan: Kairan) -> None:
    done = kairan(*CHECK, "https://8.8.8.8/hook", "https://127.0.0.1/", "https://a.example.com/\x1b[2J")
    assert (done.code, done.err) == (1, "")
    allowed, loopback, odd = done.out.splitlines()
    assert allowed == "allowed  https://8.8.8.8/hook  (8.8.8.8)"
    assert loopback == "refused  https://127.0.0.1/  at parse: the address is loopback"
    assert odd.startswith(r"refused  https://a.example.com/\x1b[2J  at parse: ")


def test_a_terminal_that_knows_ascii_alone_is_answered_too() -> None:
    done = run(*CHECK, "https://127.0.0.1/名", env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(r"refused  https://127.0.0.1/\u540d  at parse")


def test_with_json_each_is_an_object_of_four() -> None:
    done = run(*CHECK, "--json", "https://8.8.8.8/", "https://nobody-has-this-name.example/")
    allowed, unknown = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert allowed == {"url": "https://8.8.8.8/", "verdict": "allow", "stage": "connect", "reason": None}
    assert (unknown["verdict"], unknown["stage"]) == ("refuse", "resolve")
    assert unknown["reason"].startswith("no address to dial: ")


def test_where_all_are_allowed_it_ends_with_0(kairan: Kairan) -> None:
    assert kairan(*CHECK, "https://8.8.8.8/", "https://[2606:2800::1]:8443/").code == 0


def test_the_settings_of_the_service_count(kairan: Kairan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAIRAN_NOTIFY_ALLOW_PRIVATE", "10.0.0.0/8")
    monkeypatch.setenv("KAIRAN_NOTIFY_SELF_HOSTS", "8.8.8.8")
    assert kairan(*CHECK, "http://10.0.0.1:8080/").code == 0
    assert "our own" in kairan(*CHECK, "https://8.8.8.8/").out
    monkeypatch.setenv("KAIRAN_NOTIFY_PORTS", "all")
    wrong = kairan(*CHECK, "https://8.8.8.8/")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (1, "", 1)
    assert "KAIRAN_NOTIFY_PORTS" in wrong.err
    monkeypatch.setenv("KAIRAN_NOTIFY_PORTS", "443,65536")
    assert "KAIRAN_NOTIFY_PORTS" in kairan(*CHECK, "https://8.8.8.8/").err


def test_a_file_of_cases_is_judged_line_by_line_by_what_each_says(
    kairan: Kairan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAIRAN_NOTIFY_ALLOW_PRIVATE", "0.0.0.0/0")
    file = written(tmp_path, *map(json.dumps, CASES[:2]), "", *map(json.dumps, CASES[2:]))
    done = kairan(*CHECK, "--cases", str(file))
    assert (done.code, done.err) == (0, "")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [one["url"] for one in found] == [case["url"] for case in CASES]
    assert [(one["verdict"], one["stage"]) for one in found] == JUDGED
    assert all(list(one) == ["url", "verdict", "stage", "reason"] for one in found)
    assert [one["reason"] is None for one in found] == [True] + [False] * 5


def test_lines_that_are_no_cases_are_named_and_the_others_judged(kairan: Kairan, tmp_path: Path) -> None:
    file = written(tmp_path, json.dumps(CASES[0]), "nonsense", "", '{"url": 1}', json.dumps(CASES[2]))
    with file.open("ab") as more:
        more.write(b'{"url": "\xff"}')
    done = kairan(*CHECK, "--cases", str(file))
    assert done.code == 2
    assert [json.loads(line)["url"] for line in done.out.splitlines()] == [CASES[0]["url"], CASES[2]["url"]]
    faults = done.err.splitlines()
    assert [fault.split(": ")[2] for fault in faults] == ["line 2", "line 4", "line 6"]
    assert "not UTF-8" in faults[2]


def test_a_file_that_cannot_be_used_ends_with_2_and_its_name(kairan: Kairan, tmp_path: Path) -> None:
    empty = written(tmp_path, "")
    for file in (tmp_path / "none.jsonl", tmp_path, empty):
        done = kairan(*CHECK, "--cases", str(file))
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert str(file) in done.err


@pytest.mark.parametrize("words", [(), ("https://8.8.8.8/", "--cases", "cases.jsonl")])
def test_it_wants_addresses_or_a_file(kairan: Kairan, words: tuple[str, ...]) -> None:
    done = kairan(*CHECK, *words)
    assert (done.code, done.out) == (2, "")
    assert "--cases FILE" in done.err


def written(folder: Path, *lines: str) -> Path:
    file = folder / "cases.jsonl"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file
