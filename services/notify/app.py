"""Notify, composed: `python -m services.notify.app`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from services.notify.address_check import Judgement, check_address, check_case
from services.notify.api.deliveries import DeliveriesApi
from services.notify.api.disclosures import DisclosuresApi
from services.notify.api.endpoints import EndpointsApi
from services.notify.api.events import EventsApi
from services.notify.api.replays import ReplaysApi
from services.notify.api.trials import TrialsApi
from services.notify.attempts import Office
from services.notify.challenger import Challenger
from services.notify.consumers import Planner, subscription
from services.notify.desk import Desk
from services.notify.disclosures import Disclosures
from services.notify.dispatcher import Dispatcher
from services.notify.endpoint import Endpoints
from services.notify.eraser import Eraser
from services.notify.fair_share import FairShare
from services.notify.guard_settings import GuardSettings
from services.notify.history import Records
from services.notify.log import Log
from services.notify.log_store import LogStore
from services.notify.lookup import SystemLookup, bounded
from services.notify.portal.delivery_pages import DeliveryPages
from services.notify.portal.endpoint_pages import EndpointPages
from services.notify.portal.once import Once
from services.notify.portal.pages import COOKIE
from services.notify.portal.replay_pages import ReplayPages
from services.notify.portal.routes import Chapter, portal
from services.notify.publications import Publications
from services.notify.quota import Quota
from services.notify.recent import Recent
from services.notify.registry import Registry
from services.notify.replay import Replays
from services.notify.replay_store import ReplayStore
from services.notify.replayer import Replayer
from services.notify.resealing import Resealing
from services.notify.results import Results
from services.notify.sender import HttpSender
from services.notify.settings import Settings
from services.notify.signing import new_secret, verifying_key
from services.notify.store import NotifyStore
from services.notify.trials import Trials
from services.notify.vault import Vault
from services.notify.verification import Fault, fault_of
from shared.bus.consumer import Consumer
from shared.bus.write_side import WriteSide
from shared.store.mongo import Store
from shared.web.auth import Verifier
from shared.web.checks import watch_consumer, watch_write_side
from shared.web.health import Check, Health
from shared.web.serve import run
from shared.web.service import ServiceApp, build_app
from shared.web.sessions import Sessions

__all__ = ["Fault", "Judgement", "build", "check_case", "checking", "new_secret", "verifying"]

NAME = "notify"


def build(settings: Settings | None = None, database: str = "kairan_notify") -> ServiceApp:
    """All wiring of the service. Settings come from the environment unless given."""
    settings = settings or Settings()
    vault = Vault.from_file(settings.notify_secrets_key_file)
    store = Store(settings.mongo, database, app_name=settings.instance)
    notify, endpoints = NotifyStore(store), Endpoints(vault)
    write_side = WriteSide(store, settings, NAME, listens=False)  # it writes a lot, and few of that are commands
    registry = Registry(write_side.commands)
    guard, lookup = settings.guard(), bounded(SystemLookup())
    results = Results(notify)
    sender = HttpSender(guard, lookup, total_s=settings.notify_timeout_s, idle_tls=settings.notify_idle_tls)
    eraser = Eraser(store, notify, notify.erasures, endpoints, settings.instance)
    share, schedule = FairShare(settings.notify_most_in_flight), settings.schedule()
    office = Office(
        sender, results, registry, schedule, eraser.to_send, share, settings.notify_in_flight, settings.breaker()
    )
    dispatcher = Dispatcher(store, notify, endpoints, office, settings.instance)
    consumer = Consumer(
        subscription(Planner(notify, endpoints, Publications(store), dispatcher.planned)),
        store,
        settings.kafka,
        kind=settings.kafka_kind,
        instance=settings.instance,
    )
    disclosures = Disclosures(store)
    quota = Quota(notify, settings.notify_most_endpoints)
    challenger = Challenger(notify, registry, endpoints, sender, required=settings.notify_challenge == "required")
    desk = Desk(notify, registry, vault, guard, lookup, quota, challenger, dispatcher.look_again)
    log = Log(LogStore(store, notify), vault, disclosures)
    replay_store, records = ReplayStore(store, notify), Records(settings.kafka)
    replays = Replays(replay_store, records, desk, log, endpoints, vault)
    replayer = Replayer(
        replay_store,
        records,
        endpoints,
        settings.notify_replay_per_s,
        leads=dispatcher.leads,
        wake=dispatcher.wake,
    )
    trials = Trials(desk, registry, notify, endpoints, Recent(settings.kafka))
    once, sessions = Once(store, vault), Sessions(store, frozenset())
    chapters: list[Chapter] = [
        EndpointPages(desk, trials, once),
        DeliveryPages(log, replays),
        ReplayPages(desk, replays),
    ]
    resealing = Resealing(notify, registry, vault)
    health = Health()
    health.add_ready("mongo", store.ready)
    watch_write_side(health, write_side, settings.outbox_limit)
    watch_consumer(health, consumer)
    health.add_stream("lanes", lambda: Check(True, dispatcher.report()))
    return build_app(
        settings,
        name=NAME,
        title="Kairan notify",
        description="Who hears of it: webhook endpoints, and the log of what was delivered to them.",
        routers=[
            EndpointsApi(desk).routes(),
            TrialsApi(trials).routes(),
            DeliveriesApi(log).routes(),
            EventsApi(desk, log).routes(),
            ReplaysApi(replays).routes(),
            DisclosuresApi(disclosures).routes(),
            portal(chapters, sessions, settings.jwks_file),
        ],
        parts=[
            *(write_side, sender, challenger, results, eraser, dispatcher, replayer, consumer),
            *(sessions, once, resealing),
        ],
        health=health,
        verifier=Verifier(settings),
        sessions=sessions.caller,
        cookie=COOKIE,
    )


def checking() -> Callable[[str], Awaitable[Judgement]]:
    """Judges addresses as this service would, sending nothing. Raises ValidationError for a wrong setting."""
    return partial(check_address, guard=GuardSettings().guard(), lookup=SystemLookup())


def verifying(secrets: Sequence[str]) -> Callable[[Mapping[str, str], bytes, float], Fault | None]:
    """What a receiver with these secrets asks of headers, body and time (Unix seconds). Raises ValueError for a bad
    secret."""
    return partial(fault_of, [verifying_key(secret) for secret in secrets])


if __name__ == "__main__":
    run(build)
