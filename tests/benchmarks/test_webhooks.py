"""The load tool tells what was lost, repeated, skipped or out of order; each measure runs, small, on real parts."""

import asyncio
import json
import math
import os
import struct
import sys
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.webhooks import arrivals
from benchmarks.webhooks.__main__ import MEASURES
from benchmarks.webhooks.arrivals import Account, Notes
from benchmarks.webhooks.records import TYPES, Mould, key_of
from shared.catalogue import Event, decode
from tests.conftest import Missing

KEYS = 2
GOALS = {"cost": 14, "latency": 6, "sustained": 6, "one-hangs": 1, "waiting": 1, "hostile": 12} | {
    "search": 1,
    "ordered": 6,
}


def noted(*requests: tuple[int, int, int], status: int = 204) -> Notes:
    """(receiver, event number, sequence) of each request, in order; an id follows from receiver and number."""
    packed = [
        struct.pack(arrivals.NOTE, at, number, sequence, receiver * 1000 + number, receiver, 1, status)
        for at, (receiver, number, sequence) in enumerate(requests)
    ]
    return arrivals.read(b"".join(packed))


def account(notes: Notes, *numbers: int, receivers: Sequence[int] = (0,)) -> Account:
    return arrivals.reconcile(notes, {one: np.array(numbers) for one in receivers}, KEYS)


def test_what_came_once_and_in_order_has_no_fault() -> None:
    found = account(noted((0, 0, 1), (1, 0, 1), (0, 1, 2), (1, 1, 2)), 0, 1, receivers=(0, 1))
    assert found == Account(expected=4, taken=4, lost=0, twice=0, foreign=0, changed_ids=0, gaps=0, out_of_order=0)


def test_what_is_missing_repeated_or_unasked_for_is_counted() -> None:
    found = account(noted((0, 0, 1), (0, 0, 1), (0, 2, 4), (0, 7, 5)), 0, 1, 2)
    assert (found.lost, found.twice, found.foreign) == (1, 1, 1)
    assert found.gaps == 2


def test_a_refused_request_is_not_taken_but_its_number_was_seen() -> None:
    notes = np.concatenate([noted((0, 0, 1), status=500), noted((0, 0, 1), (0, 1, 2))])
    found = account(notes, 0, 1)
    assert (found.taken, found.twice, found.gaps) == (2, 0, 0)
    assert account(noted((0, 0, 1), status=500), 0).lost == 1


def test_order_counts_within_an_aggregate_alone() -> None:
    assert account(noted((0, 1, 1), (0, 0, 2), (0, 2, 3), (0, 3, 4)), 0, 1, 2, 3).out_of_order == 0
    assert account(noted((0, 2, 1), (0, 1, 2), (0, 0, 3)), 0, 1, 2).out_of_order == 1


def test_a_changed_id_or_number_of_one_event_shows() -> None:
    assert account(noted((0, 0, 1), (0, 0, 2)), 0).changed_ids == 1


def test_delays_count_to_the_first_arrival() -> None:
    notes = noted((0, 5, 1), (0, 5, 1), (1, 5, 1))
    assert sorted(arrivals.delays_s(notes, np.array([-1.0]), first=5)) == [1.0, 3.0]


@pytest.mark.parametrize("name", TYPES)
def test_every_moulded_event_is_one_of_the_catalogue(name: str) -> None:
    mould = Mould(name)
    event = decode(mould.topic, key_of(3), mould.value, mould.headers(41, key_of(3)), wanted=None)
    assert isinstance(event, Event)
    assert (event.envelope.aggregate_version, event.envelope.subject) == (42, key_of(3).decode())


@pytest.mark.prove
@pytest.mark.apache
@pytest.mark.skipif(os.environ.get("KAIRAN_PROVE") != "full", reason="minutes of work: make prove runs it")
@pytest.mark.parametrize("name", MEASURES)
async def test_a_measure_reports_its_figures(name: str, missing: Missing) -> None:
    if why := missing.apache or missing.mongo:
        pytest.skip(why)
    command = [sys.executable, "-m", "benchmarks.webhooks", "--only", name, "--json", "--share", "0.02"]
    measure = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, said = await measure.communicate()
    assert measure.returncode == 0, said.decode()
    (result,) = json.loads(output)["results"]
    assert all(math.isfinite(figure["value"]) for figure in result["figures"])
    assert sum("met" in figure for figure in result["figures"]) == GOALS[name]
