"""Alarms, their end and milestones reach kairan.growth once, whoever leads and however often all is made anew."""

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from services.metrics.app import rebuild
from shared.catalogue import Event, GrowthSpikeClosed, GrowthSpikeDetected, MilestoneReached, decode
from tests.services.metrics.facts import joined, published, time_passed, voided, year_of_joins
from tests.services.metrics.replicas import ON_APACHE, Metrics, Replica, leader_of, ledger, until
from tests.services.world import read_topic

START = datetime(2021, 11, 1, 15, tzinfo=UTC)
PUBLISHED = START + timedelta(days=80, hours=3, minutes=20)
WINDOW = PUBLISHED.replace(minute=0), PUBLISHED.replace(minute=0) + timedelta(hours=168)
OPEN, END = PUBLISHED.replace(minute=0) + timedelta(hours=20), START + timedelta(days=100)


async def told(metrics: Metrics) -> list[Event]:
    """All growth events on the log, per subject in order."""
    events = []
    for record in await read_topic(metrics.bootstrap, "kairan.growth"):
        event = decode(record.topic, record.key, record.value, record.headers, wanted=None)
        assert isinstance(event, Event)
        events.append(event)
    return events


def kinds(events: list[Event]) -> Counter[str]:
    return Counter(type(event.data).__name__ for event in events)


def all_is_told(events: list[Event]) -> bool:
    return kinds(events)["GrowthSpikeClosed"] == 1 and kinds(events)["MilestoneReached"] == 3


def soon(moment: datetime) -> bool:
    """Whether an alarm rang in the first hours of the surge, in which five join an hour instead of seven a day."""
    return WINDOW[0] < moment <= WINDOW[0] + timedelta(hours=12)


def surge() -> list[Event]:
    return [joined(PUBLISHED + timedelta(hours=hour % 12), theme="care") for hour in range(60)]


@ON_APACHE
async def test_an_alarm_its_end_and_milestones_are_told_once(metrics: Metrics) -> None:
    replica = await metrics.replica(clock="stream")
    calm, extra = year_of_joins(1, 100, 7, START), surge()
    before = [event for event in calm if event.envelope.time < OPEN]
    await metrics.send([*before, *extra, published("issue", PUBLISHED), time_passed(OPEN)])
    events = await until(lambda: told(metrics), lambda said: kinds(said)["GrowthSpikeDetected"] == 1)
    (detected,) = [event for event in events if isinstance(event.data, GrowthSpikeDetected)]
    assert isinstance(detected.data, GrowthSpikeDetected)
    alarm_at = detected.envelope.time
    assert soon(alarm_at)
    assert detected.envelope.subject == "issue"
    assert (detected.envelope.recorded_time, detected.data.as_of) == (OPEN, OPEN)
    assert uuid.UUID(detected.envelope.id).version == 5

    await metrics.send([*calm[len(before) :], time_passed(END)])
    events = await until(lambda: told(metrics), all_is_told)
    (closed,) = [event for event in events if isinstance(event.data, GrowthSpikeClosed)]
    assert isinstance(closed.data, GrowthSpikeClosed)
    assert (closed.envelope.time, closed.data.alarm_at) == (WINDOW[1], alarm_at)
    assert closed.envelope.aggregate_version == 2
    assert closed.data.low <= closed.data.extra <= closed.data.high
    reached = [event.data.value for event in events if isinstance(event.data, MilestoneReached)]
    assert reached == [100, 250, 500]
    ids = {event.envelope.id for event in events}

    await replica.stop()
    metrics.replicas.remove(replica)
    heir = await metrics.replica(clock="stream")
    await rebuild(metrics.settings("rebuild"), database=metrics.store.name)
    late = [voided(join, END) for join in extra]
    await metrics.send(late)
    found = await until(lambda: ledger(heir), lambda said: said["joins"] == len(calm))
    (row,) = found["publications"]
    assert (row["verdict"], row["alarm_at"]) == ("unclear", alarm_at.isoformat().replace("+00:00", "Z"))
    restated = await until(lambda: history(heir, "issue"), lambda said: bool(said["restated"]))
    assert "voided" in restated["restated"][-1]["reasons"]
    after = await told(metrics)
    assert {event.envelope.id for event in after} == ids
    assert len(after) == len(events)


async def history(replica: Replica, publication: str) -> Any:
    return (await replica.http.get(f"/v1/ledger/{publication}/history")).json()


async def test_an_imported_history_is_told_with_its_own_times(metrics: Metrics) -> None:
    await metrics.replica()
    await metrics.send([*year_of_joins(1, 100, 7, START), *surge(), published("issue", PUBLISHED)])
    events = await until(lambda: told(metrics), all_is_told)
    (detected,) = [event for event in events if isinstance(event.data, GrowthSpikeDetected)]
    assert isinstance(detected.data, GrowthSpikeDetected)
    assert soon(detected.envelope.time)
    assert detected.data.as_of - detected.envelope.time > timedelta(days=365)
    assert detected.envelope.recorded_time >= detected.data.as_of


@ON_APACHE
async def test_an_heir_tells_what_the_leader_did_not_and_nothing_twice(metrics: Metrics) -> None:
    replicas = [await metrics.replica(clock="stream") for _ in range(2)]
    calm, extra = year_of_joins(1, 100, 7, START), surge()
    calm += [joined(START + timedelta(days=day, hours=5), theme="care") for day in range(0, 100, 3)]
    before = [event for event in calm if event.envelope.time < OPEN]
    later = [event for event in calm if event.envelope.time >= OPEN]
    await metrics.send([*before, *extra, published("issue", PUBLISHED, theme_ids=("care",)), time_passed(OPEN)])
    await until(lambda: ledger(replicas[0]), lambda said: bool(said["publications"]))
    leader = await leader_of(replicas)
    await leader.stop()
    metrics.replicas.remove(leader)
    await metrics.send([*later, time_passed(END)])
    events = await until(lambda: told(metrics), lambda said: kinds(said)["GrowthSpikeClosed"] == 2)
    spikes = [(getattr(event.data, "theme_id", ""), type(event.data).__name__) for event in events if is_spike(event)]
    assert Counter(spikes) == Counter(
        (theme, kind) for theme in (None, "care") for kind in ("GrowthSpikeDetected", "GrowthSpikeClosed")
    )
    assert sorted(event.envelope.aggregate_version for event in events if is_spike(event)) == [1, 2, 3, 4]
    assert len({event.envelope.id for event in events}) == len(events)


def is_spike(event: Event) -> bool:
    return isinstance(event.data, GrowthSpikeDetected | GrowthSpikeClosed)
