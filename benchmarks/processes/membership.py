"""Membership, composed otherwise, to compare with: the same HTTP server, checks and store, other parts of the bus.

`one-by-one`: every command has a transaction of its own, several in flight. `http`: the service without its relay;
`relay`: that relay, alone.
"""

import asyncio
import sys
from collections.abc import Callable

from services.membership.app import build
from shared.bus import write_side
from shared.bus.command import Overloaded
from shared.bus.commands import Commands, _answer_all
from shared.bus.producer import Producer
from shared.bus.relay import Relay
from shared.settings import ServiceSettings
from shared.store.mongo import Store
from shared.web.health import Check, Health
from shared.web.serve import run
from shared.web.service import ServiceApp, build_app

ONE_BY_ONE, APART = "bench_one_by_one", "bench_apart"
# Of 1, 4, 8, 16, 32 and 50 the best, within the noise of 8 to 32.
IN_FLIGHT = 16


class OneByOne(Commands):
    """One transaction per command; as many workers as serve it best take from the same queue."""

    async def _run(self) -> None:
        await self._prepare()
        await asyncio.gather(*(self._work() for _ in range(IN_FLIGHT)))

    async def _work(self) -> None:
        while True:
            one = await self._queue.get()
            try:
                await self._commit([one])
            except asyncio.CancelledError:
                _answer_all([one], Overloaded("the service is stopping"))
                raise
            except Exception as error:
                _answer_all([one], error)
            finally:
                self._queue.task_done()


class NoRelay(Relay):
    """Leaves the outbox to another process."""

    async def start(self) -> None:
        return


def one_by_one() -> ServiceApp:
    # The composition root makes the write side; to replace one name keeps the rest the same to the letter.
    setattr(write_side, "Commands", OneByOne)  # noqa: B010  for the type checker it is no assignment
    return build(database=ONE_BY_ONE)


def http_alone() -> ServiceApp:
    setattr(write_side, "Relay", NoRelay)  # noqa: B010
    return build(database=APART)


def relay_alone() -> ServiceApp:
    settings = ServiceSettings()
    store = Store(settings.mongo, APART, app_name=settings.instance)
    producer = Producer(settings.kafka, idempotent=True, client_id=settings.instance)
    relay = Relay(store, producer, "membership", settings.instance)
    health = Health()
    health.add_stream("relay", lambda: Check(True, relay.report()))
    return build_app(settings, name="membership", title="Relay", routers=[], parts=[relay], health=health)


VARIANTS: dict[str, Callable[[], ServiceApp]] = {"one-by-one": one_by_one, "http": http_alone, "relay": relay_alone}

if __name__ == "__main__":
    run(VARIANTS[sys.argv[1]])
