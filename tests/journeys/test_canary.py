"""What people say about themselves stays with the service that was told; after an erase it is nowhere.

A canary is planted in every free-text field of every API and looked for in everything that a stack keeps or shows.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from pymongo import MongoClient

from kairan.stack.service import SERVICES
from kairan.stack.stack import Stack
from shared.web.scopes import SCOPES
from tests.journeys import places
from tests.journeys.places import Found
from tests.journeys.planting import Planted, Planter
from tests.journeys.talk import Visitor, until
from tests.services.notify.receiver import Delivered, Receiver, receiving

PROFILES = "kairan.member-profile"
SINGLES_OUT = ("organisation", "prefecture")
REPLACED = {"/v1/archives", "/v1/endpoints"}
COMPACTION_PATIENCE_S = 150.0

pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Told:
    """Everything was said and has arrived everywhere; `receiver` heard all events, each only at the second attempt."""

    planter: Planter
    receiver: Receiver


async def _fails_once(delivered: Delivered) -> int:
    return 500 if delivered.attempt == 1 else 204


@pytest.fixture(scope="module")
async def told(stack: Stack, visitor: Visitor) -> AsyncIterator[Told]:
    with MongoClient(stack.mongo_uri) as client:
        client.admin.command({"profile": 0, "slowms": 0})  # what is slow would be logged: now everything is
    async with receiving(_fails_once) as receiver:
        disclosure = {"legal_basis": "consent", "recipient": "a receiver", "country": "JP", "purpose": "to test"}
        wish = {"url": receiver.url, "event_types": ["*"], "identifiers": "real", "disclosure": disclosure}
        await visitor.ask("POST", "notify", "/v1/endpoints", *SCOPES, json=wish)
        planter = Planter(visitor, receiver.url)
        for service in SERVICES:
            await planter.plant(service)
        await until(lambda: places.caught_up(stack), bool)
        await until(lambda: _waiting(visitor), lambda left: not left)
        yield Told(planter, receiver)


async def _waiting(visitor: Visitor) -> Any:
    answer = await visitor.ask("GET", "notify", "/v1/deliveries?state=waiting", *SCOPES)
    return answer["deliveries"]


@pytest.fixture(scope="module")
async def found(stack: Stack, visitor: Visitor, told: Told) -> Found:
    """Where canaries are before anybody is erased."""
    return await places.everywhere(stack, visitor)


def test_every_free_text_field_was_found(told: Told) -> None:
    """Fields to come are found by themselves; these must not get lost."""
    fields = {(one.operation, one.field) for one in told.planter.planted}
    member = {"name", "email", "introduction", "organisation", "prefecture"}
    assert fields >= {("/v1/members", name) for name in member} | {("/v1/members:import", name) for name in member}
    assert fields >= {("/v1/sessions", name) for name in ("title.ja", "title.en", "description", "place", "url")}
    for operation in ("/v1/archives", "/v1/archives/{archive_id}/correct"):
        assert fields >= {(operation, name) for name in ("title.ja", "title.en", "link")}
    assert ("/v1/endpoints", "url") in fields


def test_who_was_told_keeps_it(told: Told, found: Found) -> None:
    """So that finding nothing elsewhere means something. What a correction or a change replaced is gone."""
    for service in SERVICES:
        lost = told.planter.of(service) - found.get(f"database kairan_{service}", set())
        assert {one.operation for one in told.planter.planted if one.canary in lost} <= REPLACED


def test_nobody_else_learns_of_it(told: Told, found: Found) -> None:
    planter = told.planter
    titles = {one.canary for one in planter.planted if "archives" in one.operation and one.field.startswith("title")}
    allowed = {f"database kairan_{service}": planter.of(service) for service in SERVICES}
    allowed[f"topic {PROFILES}"] = planter.of("membership", *SINGLES_OUT)
    for place in ("topic kairan.archive", "database kairan_metrics", "database kairan_notify"):
        allowed[place] = allowed.get(place, set()) | titles  # an archive's title is public, and its form says so
    told_on = {place: _named(planter, seen - allowed.get(place, set())) for place, seen in found.items()}
    assert {place: fields for place, fields in told_on.items() if fields} == {}
    assert found[f"topic {PROFILES}"] == allowed[f"topic {PROFILES}"]
    assert found["topic kairan.archive"] == titles


def test_no_receiver_learns_of_it(told: Told) -> None:
    titles = told.planter.of("events", "title")
    heard = {canary for one in told.receiver.received for canary in places.CANARY.findall(one.body)}
    assert heard
    assert heard <= titles
    assert {one.attempt for one in told.receiver.received} == {1, 2}


async def test_after_an_erase_it_is_nowhere(stack: Stack, visitor: Visitor, told: Told, found: Found) -> None:
    members = {one.resource for one in told.planter.planted if one.service == "membership"}
    for member in members:
        await visitor.ask("POST", "membership", f"/v1/members/{member}/erase", *SCOPES)
        await visitor.ask("GET", "membership", f"/v1/members/{member}", *SCOPES, expected=410)
    await until(lambda: places.caught_up(stack), bool)
    erased = told.planter.of("membership")
    left = {place: seen & erased for place, seen in (await places.everywhere(stack, visitor)).items()}
    assert {place for place, seen in left.items() if seen} <= {f"topic {PROFILES}"}
    last = {record.key.decode(): record.value async for _, record in places.records(stack.bootstrap, PROFILES)}
    assert {member: last[member] for member in members} == dict.fromkeys(members), "a tombstone is each one's last word"
    await _compacted_soon(stack)

    async def still_there() -> set[bytes]:
        await visitor.join()  # the next record of a partition closes its segment, and only a closed one is compacted
        return (await places.topics(stack.bootstrap))[f"topic {PROFILES}"] & erased

    await until(still_there, lambda seen: not seen, COMPACTION_PATIENCE_S)


async def _compacted_soon(stack: Stack) -> None:
    """What takes a day by `max.compaction.lag.ms` is made to take a second."""
    soon = {
        ConfigResource(ResourceType.TOPIC, PROFILES): {"max.compaction.lag.ms": "1000", "segment.ms": "1000"},
        ConfigResource(ResourceType.BROKER, "1"): {"log.cleaner.backoff.ms": "500"},
    }
    for resource, settings in soon.items():
        for name, value in settings.items():
            entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
            resource.add_incremental_config(entry)
    admin = AdminClient({"bootstrap.servers": stack.bootstrap})
    for future in admin.incremental_alter_configs(list(soon)).values():
        await asyncio.wrap_future(future)


def _named(planter: Planter, canaries: set[bytes]) -> list[str]:
    """Which field each canary sat in, for who reads the failure."""
    sat: dict[bytes, Planted] = {one.canary: one for one in planter.planted}
    return sorted(
        f"{sat[one].operation} {sat[one].field}" if one in sat else "in a request that was refused" for one in canaries
    )
