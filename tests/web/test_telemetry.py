"""Metrics, logs and traces: what is declared is served, what is private is left out, what came in goes on."""

import json
import logging
import re
from collections.abc import Iterator

import httpx
import pytest
import structlog
from opentelemetry import trace
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from shared.telemetry import logs, tracing
from shared.telemetry.metrics import ALL_METRICS
from tests.web.conftest import Tokens

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_metrics_are_served_as_they_are_declared(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    served = {family.name: family.type for family in text_string_to_metric_families(answer.text)}
    for metric in ALL_METRICS:
        assert served[metric.name.removesuffix("_total")] == metric.kind, metric.name


def test_names_follow_one_rule() -> None:
    assert len({metric.name for metric in ALL_METRICS}) == len(ALL_METRICS)
    for metric in ALL_METRICS:
        assert re.fullmatch(r"kairan_[a-z_]+", metric.name)
        assert metric.name.endswith("_total") == (metric.kind == "counter")
        assert metric.help.endswith(".")
        assert not {"id", "subject", "member", "endpoint"} & set(metric.labels)
    assert ALL_METRICS[2].kind != "histogram" or ALL_METRICS[2].series()[0].endswith("_bucket")


async def test_requests_are_timed_by_their_template(client: httpx.AsyncClient, bearer: Tokens) -> None:
    def count(route: str, status: str) -> float:
        labels = {"method": "GET", "route": route, "status": status}
        return REGISTRY.get_sample_value("kairan_http_request_seconds_count", labels) or 0.0

    known, nowhere = count("/v1/notes/{note_id}", "200"), count("unmatched", "404")
    await client.get("/v1/notes/known", headers=bearer("members:read"))
    await client.get("/v1/nowhere/of-a-person")
    assert count("/v1/notes/{note_id}", "200") == known + 1
    assert count("unmatched", "404") == nowhere + 1
    assert "of-a-person" not in (await client.get("/metrics")).text


async def test_the_trace_of_a_caller_reaches_the_operation(client: httpx.AsyncClient, bearer: Tokens) -> None:
    headers = bearer("members:write") | {"traceparent": PARENT}
    answer = await client.post("/v1/notes", json={"text": "a"}, headers=headers)
    assert answer.json()["traceparent"] == PARENT
    answer = await client.post("/v1/notes", json={"text": "a"}, headers=bearer("members:write"))
    assert answer.json()["traceparent"] is None


@pytest.mark.parametrize(
    "header", ["", "x", PARENT + "-more", PARENT.upper(), "ff" + PARENT[2:], f"00-{'0' * 32}-{'1' * 16}-01"]
)
def test_a_traceparent_that_is_none_is_not_followed(header: str) -> None:
    with tracing.span_from(header, "work"):
        assert tracing.current_traceparent() is None


def test_a_traceparent_of_a_later_version_is_followed() -> None:
    with tracing.span_from("01" + PARENT[2:] + "-more", "work"):
        assert tracing.current_traceparent() == PARENT


def test_a_block_continues_a_trace_and_leaves_it() -> None:
    with tracing.span_from(PARENT, "work"):
        assert tracing.current_traceparent() == PARENT
        with tracing.span_from(None, "inner"):
            assert tracing.current_traceparent() == PARENT
    assert tracing.current_traceparent() is None
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.fixture
def own_logging() -> Iterator[None]:
    """The test may set up the logging of the process; it is put back afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers = before[0]
    root.setLevel(before[1])
    logging.captureWarnings(False)
    structlog.reset_defaults()


@pytest.mark.usefixtures("own_logging")
def test_our_lines_and_those_of_libraries_are_one_json_each(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("membership", "membership-1", "info")
    structlog.stdlib.get_logger("ours").info("published", topic="kairan.member", offset=4, thing=object())
    logging.getLogger("theirs").warning("%s is away", "Kafka", extra={"topic": "t", "password": "p"})
    logging.getLogger("pymongo.command").debug("find {'name': 'Yamada'}")
    ours, theirs = map(json.loads, capsys.readouterr().out.splitlines())
    assert ours == ours | {"event": "published", "level": "info", "topic": "kairan.member", "offset": 4}
    assert ours == ours | {"service": "membership", "instance": "membership-1", "thing": "<object>"}
    assert theirs == theirs | {"event": "Kafka is away", "level": "warning", "logger": "theirs", "topic": "t"}
    assert "password" not in theirs


@pytest.mark.usefixtures("own_logging")
def test_an_error_is_told_by_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("membership", "membership-1", "info")
    try:
        raise ValueError("Yamada Hanako")
    except ValueError:
        structlog.stdlib.get_logger("ours").exception("failed")
        logging.getLogger("theirs").exception("failed too")
    try:
        raise ConnectionRefusedError(111, "Connection refused")
    except OSError as error:
        structlog.stdlib.get_logger("ours").warning("away", exc_info=error)
    said = capsys.readouterr().out
    assert "Yamada" not in said
    first, second, third = map(json.loads, said.splitlines())
    for line in (first, second):
        assert line["error"] == "ValueError"
        assert line["frames"][-1].endswith("test_an_error_is_told_by_type_and_place")
    assert third["why"] == "[Errno 111] Connection refused"
