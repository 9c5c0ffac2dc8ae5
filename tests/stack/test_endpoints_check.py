"""`kairan endpoints check` as people and scripts run it: addresses or a file in; stdout, stderr and exit code out."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

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


def test_addresses_are_judged_in_lines_that_can_be_read() -> None:
    done = run(*CHECK, "https://8.8.8.8/hook", "https://127.0.0.1/", "https://a.example.com/\x1b[2J", env=clean())
    assert (done.returncode, done.stderr) == (1, "")
    allowed, loopback, odd = done.stdout.splitlines()
    assert allowed == "allowed  https://8.8.8.8/hook  (8.8.8.8)"
    assert loopback == "refused  https://127.0.0.1/  at parse: the address is loopback"
    assert odd.startswith(r"refused  https://a.example.com/\x1b[2J  at parse: ")


def test_a_terminal_that_knows_ascii_alone_is_answered_too() -> None:
    done = run(*CHECK, "https://127.0.0.1/名", env=clean() | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"})
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith(r"refused  https://127.0.0.1/\u540d  at parse")


def test_with_json_each_is_an_object_of_four() -> None:
    done = run(*CHECK, "--json", "https://8.8.8.8/", "https://nobody-has-this-name.example/", env=clean())
    allowed, unknown = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 1
    assert allowed == {"url": "https://8.8.8.8/", "verdict": "allow", "stage": "connect", "reason": None}
    assert (unknown["verdict"], unknown["stage"]) == ("refuse", "resolve")
    assert unknown["reason"].startswith("no address to dial: ")


def test_where_all_are_allowed_it_ends_with_0() -> None:
    assert run(*CHECK, "https://8.8.8.8/", "https://[2606:2800::1]:8443/", env=clean()).returncode == 0


def test_the_settings_of_the_service_count() -> None:
    opened = clean() | {"KAIRAN_NOTIFY_ALLOW_PRIVATE": "10.0.0.0/8", "KAIRAN_NOTIFY_SELF_HOSTS": "8.8.8.8"}
    assert run(*CHECK, "http://10.0.0.1:8080/", env=opened).returncode == 0
    assert "our own" in run(*CHECK, "https://8.8.8.8/", env=opened).stdout
    wrong = run(*CHECK, "https://8.8.8.8/", env=clean() | {"KAIRAN_NOTIFY_PORTS": "all"})
    assert (wrong.returncode, wrong.stdout, wrong.stderr.count("\n")) == (1, "", 1)
    assert "KAIRAN_NOTIFY_PORTS" in wrong.stderr


def test_a_file_of_cases_is_judged_line_by_line_by_what_each_says(tmp_path: Path) -> None:
    file = written(tmp_path, *map(json.dumps, CASES[:2]), "", *map(json.dumps, CASES[2:]))
    done = run(*CHECK, "--cases", str(file), env=clean() | {"KAIRAN_NOTIFY_ALLOW_PRIVATE": "0.0.0.0/0"})
    assert (done.returncode, done.stderr) == (0, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["url"] for one in found] == [case["url"] for case in CASES]
    assert [(one["verdict"], one["stage"]) for one in found] == JUDGED
    assert all(list(one) == ["url", "verdict", "stage", "reason"] for one in found)
    assert [one["reason"] is None for one in found] == [True] + [False] * 5


def test_lines_that_are_no_cases_are_named_and_the_others_judged(tmp_path: Path) -> None:
    file = written(tmp_path, json.dumps(CASES[0]), "nonsense", "", '{"url": 1}', json.dumps(CASES[2]))
    with file.open("ab") as more:
        more.write(b'{"url": "\xff"}')
    done = run(*CHECK, "--cases", str(file), env=clean())
    assert done.returncode == 2
    assert [json.loads(line)["url"] for line in done.stdout.splitlines()] == [CASES[0]["url"], CASES[2]["url"]]
    faults = done.stderr.splitlines()
    assert [fault.split(": ")[2] for fault in faults] == ["line 2", "line 4", "line 6"]
    assert "not UTF-8" in faults[2]


def test_a_file_that_cannot_be_used_ends_with_2_and_its_name(tmp_path: Path) -> None:
    empty = written(tmp_path, "")
    for file in (tmp_path / "none.jsonl", tmp_path, empty):
        done = run(*CHECK, "--cases", str(file), env=clean())
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert str(file) in done.stderr


@pytest.mark.parametrize("words", [(), ("https://8.8.8.8/", "--cases", "cases.jsonl")])
def test_it_wants_addresses_or_a_file(words: tuple[str, ...]) -> None:
    done = run(*CHECK, *words, env=clean())
    assert (done.returncode, done.stdout) == (2, "")
    assert "--cases FILE" in done.stderr


def written(folder: Path, *lines: str) -> Path:
    file = folder / "cases.jsonl"
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("KAIRAN_NOTIFY_")}
