"""One journey on the images: a join and a magazine reach a webhook's receiver and the publication ledger."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from kairan.stack.home import Home
from shared.web.tokens import ensure_keys, issue
from tests.containers.compose import is_ready
from tests.containers.conftest import started
from tests.containers.engine import SERVICES, image_of, why_no_images
from tests.journeys.talk import Visitor, until
from tests.services.notify.receiver import Receiver, receiving, verify

NOW = datetime.now(UTC).replace(microsecond=0)
PUBLISHED_AT, JOINED_AT = NOW - timedelta(hours=30), NOW - timedelta(hours=28)


@dataclass(frozen=True)
class Containers:
    """What a visitor needs of a stack."""

    home: Home
    urls: dict[str, str]
    gateway: str

    def token(self, *scopes: str) -> str:
        return issue(ensure_keys(self.home.keys), "visitor", scopes)


@pytest.fixture(scope="module")
async def containers(engine: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Containers]:
    """Broker, database and the four services on a network of their own."""
    if why := why_no_images(*map(image_of, SERVICES)):
        pytest.skip(why)
    from testcontainers.core.network import Network

    from kairan.stack.topics import apply_topics
    from tests.containers.parts import Kafka, Mongo, Service, gateway, readable_keys

    home = Home(tmp_path_factory.mktemp("home"))
    keys = readable_keys(home)
    async with AsyncExitStack() as exits:
        network = exits.enter_context(Network())
        around = gateway(network)
        kafka, mongo = Kafka(network), Mongo(network)
        for part in (kafka, mongo):
            await exits.enter_async_context(started(part))
        await apply_topics(kafka.bootstrap)
        services = {name: Service(name, network, keys, KAIRAN_NOTIFY_ALLOW_PRIVATE=f"{around}/32") for name in SERVICES}
        for one in services.values():
            await exits.enter_async_context(started(one))
        yield Containers(home, {name: one.url for name, one in services.items()}, around)


@pytest.fixture(scope="module")
async def visitor(containers: Containers) -> AsyncIterator[Visitor]:
    async with httpx.AsyncClient(timeout=30) as http:
        for url in containers.urls.values():
            await until(lambda url=url: is_ready(http, url), bool)
        yield Visitor(containers, http)  # type: ignore[arg-type]  it asks for urls and tokens only


@pytest.fixture(scope="module")
async def receiver(containers: Containers) -> AsyncIterator[Receiver]:
    async with receiving(host=containers.gateway) as receiver:
        yield receiver


async def test_a_join_reaches_the_receiver_and_the_ledger(visitor: Visitor, receiver: Receiver) -> None:
    wish = {"url": receiver.url, "event_types": ["member-joined", "archive-*"]}
    endpoint = await visitor.ask("POST", "notify", "/v1/endpoints", "endpoints:write", json=wish)
    member = await visitor.join(source="publication", occurred_at=JOINED_AT.isoformat())
    issue = {
        "kind": "magazine_issue",
        "title": {"ja": "回覧 夏号", "en": "Kairan, summer issue"},
        "occurred_at": PUBLISHED_AT.isoformat(),
    }
    scopes = ("archives:write", "history:write")
    magazine = await visitor.ask("POST", "events", "/v1/archives", *scopes, json=issue)

    answer = await until(
        lambda: visitor.ask("GET", "metrics", "/v1/publications", "growth:read"),
        lambda found: [row["observed"] for row in found["publications"]] == [1],
    )
    assert [row["id"] for row in answer["publications"]] == [magazine["id"]]

    received = await receiver.until(lambda found: len({one.id for one in found}) >= 2)
    for delivered in received:
        verify(endpoint["secret"], delivered)
    assert {one.event["type"] for one in received} == {"kairan.member-joined.v1", "kairan.archive-published.v1"}
    assert member not in json.dumps([one.event for one in received]), "pairwise by default"
