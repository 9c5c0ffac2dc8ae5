"""`check_case`: every shared case at its stage, and what a case can say about names, answers and policy."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.notify.address_check import Judgement, check_case

ROOT = Path(__file__).parents[3]
CASES = ROOT.parent / "shared" / "cases" / "ssrf.jsonl"
HOOK = "https://hooks.example.com/hook"
NAME = "hooks.example.com"
PUBLIC, ELSEWHERE, PRIVATE = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "10.0.0.1"


def shared_cases() -> list[Any]:
    if not CASES.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the shared cases (../shared/cases) are not here"))]
    found = [json.loads(line) for line in CASES.read_text(encoding="utf-8").split("\n") if line]
    return [pytest.param(case, id=f"{n:03} {case['why'][:40]}") for n, case in enumerate(found, start=1)]


@pytest.mark.parametrize("case", shared_cases())
async def test_shared_cases(case: dict[str, Any]) -> None:
    found = await check_case(json.dumps(case))
    assert (found.verdict, found.stage) == (case["must"], case["stage"])
    assert (found.reason is None) == (case["must"] == "allow")


async def judge(url: str = HOOK, **said: Any) -> Judgement:
    return await check_case(json.dumps({"url": url, **said}))


async def refusal(url: str = HOOK, **said: Any) -> tuple[str, str]:
    found = await judge(url, **said)
    assert found.verdict == "refuse"
    assert found.reason
    return found.stage, found.reason


async def test_an_allowed_address_reaches_the_connection_without_a_reason() -> None:
    found = await judge(dns={NAME: [[PUBLIC, ELSEWHERE]]})
    assert (found.verdict, found.stage, found.reason) == ("allow", "connect", None)
    assert [str(address) for address in found.addresses] == [PUBLIC, ELSEWHERE]


@pytest.mark.parametrize(
    "answers",
    [
        [[PUBLIC, PRIVATE]],
        [[PRIVATE, PUBLIC]],
        [[PUBLIC, ELSEWHERE, "::1"]],
        [[PUBLIC] * 30 + ["169.254.169.254"]],
        [[ELSEWHERE, "::ffff:93.184.215.14"]],
    ],
)
async def test_one_private_answer_among_public_ones_refuses_all(answers: list[list[str]]) -> None:
    assert (await refusal(dns={NAME: answers}))[0] == "resolve"


@pytest.mark.parametrize(
    "answers",
    [[[PUBLIC], [PRIVATE]], [[PUBLIC], [PUBLIC], ["::1"]], [[PUBLIC]] * 5 + [["64:ff9b::a00:1"]], [[PUBLIC], []]],
)
async def test_a_name_that_changes_its_answer_is_refused_at_the_lookup_that_says_so(answers: list[list[str]]) -> None:
    assert (await refusal(dns={NAME: answers}))[0] == "resolve"


@pytest.mark.parametrize(
    "dns", [{}, {NAME: []}, {NAME: [[]]}, {NAME: None}, {NAME: [[None]]}, {"b.example": [[PUBLIC]]}]
)
async def test_a_name_without_an_address_is_refused_in_words(dns: Any) -> None:
    stage, reason = await refusal(dns=dns)
    assert (stage, reason) == ("resolve", f"no address to dial: {NAME} does not resolve")


async def test_the_systems_resolver_is_never_asked() -> None:
    assert (await refusal("https://localtest.me/"))[0] == "resolve"


@pytest.mark.parametrize(
    "answer",
    [
        *("", "hooks.example.net", "93.184.215", "093.184.215.014", "2130706433", "0x5db8d70e", 1572394766),
        *("93.184.215.14/32", "93.184.215.14:443", "[2606:2800::1]", " 93.184.215.14", "٩٣.184.215.14"),
        *("fe80::1%eth0", "2606:2800::1%1"),
    ],
)
async def test_an_answer_that_is_not_one_plain_address_is_refused(answer: object) -> None:
    assert (await refusal(dns={NAME: [[answer]]}))[0] == "resolve"
    assert (await refusal(dns={NAME: [[PUBLIC, answer]]}))[0] == "resolve"


async def test_an_alias_is_followed_to_its_addresses() -> None:
    dns = {NAME: [["lb.example.net"]], "lb.example.net": [["Edge.Example.Net."]], "edge.example.net": [[PUBLIC]]}
    assert (await judge(dns=dns)).verdict == "allow"
    for leads_to in ([[PRIVATE]], [["redis.internal"]], [[PUBLIC], [PRIVATE]], [[NAME]]):
        assert (await refusal(dns=dns | {"edge.example.net": leads_to}))[0] == "resolve"


@pytest.mark.parametrize("name", [NAME, "HOOKS.example.com", "hooks.example.com."])
async def test_names_are_known_however_they_are_written(name: str) -> None:
    for url in (HOOK, "https://Hooks.Example.COM./hook"):
        assert (await judge(url, dns={name: [[PUBLIC]]})).verdict == "allow"
    assert (await judge("https://例え.テスト/", dns={"例え.テスト": [[PUBLIC]]})).verdict == "allow"


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_refused_wherever_it_leads(status: int) -> None:
    dns = {NAME: [[PUBLIC]]}
    for where in ({"location": "https://8.8.8.8/"}, {"location": HOOK}, {"location": "https://127.0.0.1/"}, {}):
        assert (await refusal(dns=dns, response={"status": status, **where}))[0] == "redirect"
    assert (await refusal(dns={NAME: [[PRIVATE]]}, response={"status": status}))[0] == "resolve"
    assert (await refusal("https://[::1]/", response={"status": status}))[0] == "parse"


@pytest.mark.parametrize("status", [200, 201, 204, 400, 404, 410, 500])
async def test_any_other_answer_is_no_refusal_of_the_address(status: int) -> None:
    assert (await judge(dns={NAME: [[PUBLIC]]}, response={"status": status, "location": "/"})).verdict == "allow"


async def test_our_own_hosts_are_refused_however_they_are_written() -> None:
    dns, ours = {NAME: [[PUBLIC]]}, "self_hosts=[api.example.net, Hooks.Example.Com., 93.184.215.15, 2606:2800::1]"
    for url in (HOOK, "https://HOOKS.example.com:8443/", "https://hooks.example.com./", "https://93.184.215.15/"):
        assert (await refusal(url, dns=dns, policy=ours))[0] == "parse"
    assert (await refusal("https://[2606:2800:0::1]/", policy=ours))[0] == "parse"
    assert (await refusal("https://b.example.com/", dns={"b.example.com": [["93.184.215.15"]]}, policy=ours))[
        0
    ] == "resolve"
    assert (
        await judge("https://not.hooks.example.com/", dns={"not.hooks.example.com": [[PUBLIC]]}, policy=ours)
    ).verdict == "allow"


async def test_a_policy_opens_ports_and_private_networks_and_nothing_beside_them() -> None:
    opened = "allow_private=[10.0.0.0/8, fd00::/8]; ports=[9443]"
    dns = {NAME: [[PRIVATE, "fd00::1"]], "kafka": [[PRIVATE]], "b.example.com": [[PRIVATE, "192.168.0.1"]]}
    for url in (HOOK, "http://kafka:8080/", "https://10.9.9.9/", "http://[fd12::1]:99/", "https://8.8.8.8:9443/"):
        assert (await judge(url, dns=dns, policy=opened)).verdict == "allow", url
    for url in ("https://b.example.com/", "https://127.0.0.1/", "http://8.8.8.8/", "https://8.8.8.8:9444/"):
        assert (await judge(url, dns=dns, policy=opened)).verdict == "refuse", url
    as_object = {"allow_private": ["10.0.0.0/8", "fd00::/8"], "ports": [9443]}
    assert (await judge("http://kafka:8080/", dns=dns, policy=as_object)).verdict == "allow"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "`url`"),
        ("{}", "`url`"),
        ('{"url": 1}', "`url`"),
        ('{"url": "x", "dns": []}', "`dns`"),
        ('{"url": "x", "dns": {"a": "8.8.8.8"}}', "`dns` of 'a'"),
        ('{"url": "x", "dns": {"a": ["8.8.8.8"]}}', "`dns` of 'a'"),
        ('{"url": "x", "response": 302}', "`response`"),
        ('{"url": "x", "response": {"status": "302"}}', "`response`"),
        ('{"url": "x", "policy": 1}', "`policy`"),
        ('{"url": "x", "policy": "anything goes"}', "`policy`"),
        ('{"url": "x", "policy": "allow_all=[true]"}', "allow_all"),
        ('{"url": "x", "policy": "allow_private=[10.0.0.1/8]"}', "10.0.0.1/8"),
        ('{"url": "x", "policy": "ports=[all]"}', "'all' is no port"),
        ('{"url": "x", "policy": {"ports": [65536]}}', "'65536' is no port"),
        ('{"url": "x", "policy": {"ports": [0]}}', "'0' is no port"),
        ('{"url": "https://8.8.8.8/", "url": "https://10.0.0.1/"}', "twice"),
        ('{"url": "x", "dns": {"a": [[NaN]]}}', "NaN"),
        ('{"url": "x", "policy": "self_hosts=[a b]"}', "a b"),
    ],
)
async def test_a_line_that_is_no_case_is_named_in_words(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        await check_case(line)
