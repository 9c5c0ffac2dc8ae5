"""Metrics, composed: ingest and evaluate, the API and the page. `python -m services.metrics.app` runs it."""

from typing import Any

from services.metrics.accounting import Accounting
from services.metrics.api.accounts import accounting_routes
from services.metrics.api.figures import figures_routes
from services.metrics.api.ledgers import ledger_routes
from services.metrics.consumers import SUBSCRIPTION
from services.metrics.evaluate import Evaluator
from services.metrics.figures import Figures
from services.metrics.live import LiveBoard
from services.metrics.page.routes import page
from services.metrics.settings import Settings
from services.metrics.store.board import Boards
from services.metrics.store.history import History
from shared.bus.consumer import Consumer
from shared.bus.producer import Producer
from shared.bus.rebuild import Rebuild, RebuildReport
from shared.bus.relay import Relay
from shared.settings import ServiceSettings
from shared.store.mongo import Store
from shared.web.auth import Verifier
from shared.web.checks import watch_consumer
from shared.web.health import Check, Health
from shared.web.serve import run
from shared.web.service import ServiceApp, build_app
from shared.web.sessions import Sessions

DATABASE = "kairan_metrics"
DESCRIPTION = (
    "What publications brought: joins, members, and a ledger with a range and a verdict for every publication."
)


def build(settings: ServiceSettings | None = None, database: str = DATABASE) -> ServiceApp:
    """The composed service; called inside the event loop."""
    settings = settings or Settings()
    store = Store(settings.mongo, database, app_name=settings.instance)
    consumer = Consumer(
        SUBSCRIPTION,
        store,
        settings.kafka,
        kind=settings.kafka_kind,
        instance=settings.instance,
    )
    evaluator = Evaluator(store, settings.clock, settings.instance, settings.kafka)
    producer = Producer(settings.kafka, idempotent=settings.kafka_kind == "apache", client_id=settings.instance)
    relay = Relay(store, producer, "metrics", settings.instance)
    live = LiveBoard(store)
    sessions = Sessions(store, frozenset({"growth:read"}))
    return build_app(
        settings,
        name="metrics",
        title="Kairan metrics",
        description=DESCRIPTION,
        routers=[
            figures_routes(Figures(store, settings.clock), Boards(store), live),
            ledger_routes(Boards(store), History(store)),
            accounting_routes(Accounting(store, settings.clock)),
            page(live, sessions, settings.jwks_file),
        ],
        parts=[sessions, relay, consumer, evaluator, live],
        health=_health(store, consumer, evaluator, relay),
        verifier=Verifier(settings),
        sessions=sessions.caller,
    )


async def rebuild(settings: ServiceSettings, progress: Any = None, database: str = DATABASE) -> RebuildReport:
    """Fills a new generation of the read model from the log, beside the live one; returns when it serves."""
    store = Store(settings.mongo, database, app_name="rebuild-metrics")
    try:
        rebuilding = Rebuild(SUBSCRIPTION, store, settings.kafka)
        return await (rebuilding.run(progress) if progress else rebuilding.run())
    finally:
        await store.close()


def _health(store: Store, consumer: Consumer, evaluator: Evaluator, relay: Relay) -> Health:
    health = Health()
    health.add_ready("mongo", store.ready)
    watch_consumer(health, consumer)
    health.add_live("evaluate", evaluator.alive)
    health.add_stream("relay", lambda: Check(bool(relay.report()["publishing"]), relay.report()))
    health.add_stream("evaluate", lambda: Check(evaluator.alive(), evaluator.report()))
    return health


if __name__ == "__main__":
    run(build)
