"""The write side of a service, wired: commands ring the relay, the relay's measure of the outbox bounds commands."""

from shared.bus.commands import Commands
from shared.bus.producer import Producer
from shared.bus.relay import Relay
from shared.settings import ServiceSettings
from shared.store.mongo import Store


class WriteSide:
    """Commands and relay of one service process; start it after the HTTP server can answer, stop it last."""

    name = "write-side"

    def __init__(self, store: Store, settings: ServiceSettings, service: str, *, listens: bool = True) -> None:
        """`listens` as of `Relay`."""
        producer = Producer(settings.kafka, idempotent=settings.kafka_kind == "apache", client_id=settings.instance)
        self.relay = Relay(store, producer, service, settings.instance, listens=listens)
        self.commands = Commands(
            store,
            f"/kairan/{service}",
            outbox_limit=settings.outbox_limit,
            on_commit=self.relay.ring,
            stream_clock=settings.clock == "stream",
        )
        self.relay.on_depth = self.commands.measured

    async def start(self) -> None:
        await self.commands.start()
        await self.relay.start()

    async def stop(self) -> None:
        await self.commands.stop()
        await self.relay.stop()
