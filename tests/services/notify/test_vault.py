"""What is kept secret: sealed under a key from a file, which can be changed while everything goes on."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from kairan.stack.kafka import ApacheKafka
from services.notify.domain import sealed_values
from services.notify.vault import Vault, VaultError
from shared.bus import topics
from tests.journeys.talk import until
from tests.services.notify.receiver import receiving
from tests.services.notify.world import joined, new_world


def test_a_new_first_key_seals_and_the_old_one_still_opens() -> None:
    old, new = Fernet.generate_key(), Fernet.generate_key()
    sealed = Vault([old]).seal(b"secret")
    both = Vault([new, old])
    assert both.open(sealed) == b"secret"
    assert not both.is_first(sealed)
    again = both.reseal(sealed)
    assert both.is_first(again)
    assert Vault([new]).open(again) == b"secret"
    with pytest.raises(VaultError):
        Vault([new]).open(sealed)


async def test_after_a_restart_with_a_new_key_nothing_needs_the_old_one(
    mongo_uri: str, kafka: ApacheKafka, tmp_path: Path
) -> None:
    await topics.apply(kafka.bootstrap)
    async with new_world(mongo_uri, kafka.bootstrap, tmp_path) as world, receiving() as receiver, receiving() as chat:
        file = world.settings.notify_secrets_key_file
        old, new = file.read_bytes(), Fernet.generate_key()
        endpoints = world.store.collection("endpoints")

        async def under(key: bytes) -> bool:
            vault = Vault([key])
            values = [one for found in await endpoints.find().to_list(None) for one in sealed_values(found)]
            return len(values) == 4 and all(vault.is_first(one) for one in values)

        wish = {"event_types": ["member-joined"]}
        async with world.running("before") as notify:
            made = await notify.post("/v1/endpoints", json={**wish, "url": receiver.url})
            receiver.secret = made.json()["secret"]
            assert (await notify.post("/v1/endpoints", json={**wish, "url": chat.url, "kind": "slack"})).is_success
            shown = (await notify.get("/v1/endpoints")).json()
        assert await under(old)
        file.write_bytes(new + b"\n" + old)
        async with world.running("after") as notify:
            await until(lambda: under(new), bool)
            assert (await notify.get("/v1/endpoints")).json() == shown
        file.write_bytes(new)
        async with world.running("at last"):
            # Of all partitions some are this process's, whoever else of the group there is on the broker.
            await world.publish(*(joined() for _ in range(50)))
            await receiver.until(lambda found: len(found) >= 1)
            await chat.until(lambda found: len(found) >= 1, timeout_s=120)
