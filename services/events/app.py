"""Events, composed: `python -m services.events.app`."""

from services.events.api.archives import ArchivesApi
from services.events.api.clock import ClockApi
from services.events.api.sessions import SessionsApi
from services.events.consumers import listeners
from services.events.settings import Settings
from services.events.store import Archives, Sessions, StreamClock
from shared.bus.write_side import WriteSide
from shared.clock import Clock
from shared.settings import ServiceSettings
from shared.store.mongo import Store
from shared.web.auth import Verifier
from shared.web.checks import watch_write_side
from shared.web.health import Health
from shared.web.serve import run
from shared.web.service import ServiceApp, build_app
from shared.web.times import Times

NAME = "events"


def build(settings: ServiceSettings | None = None, database: str = "kairan_events") -> ServiceApp:
    """All wiring of the service. Settings come from the environment unless given."""
    settings = settings or Settings()
    store = Store(settings.mongo, database, app_name=settings.instance)
    clock = Clock(settings.clock)
    write_side = WriteSide(store, settings, NAME)
    times = Times(clock)
    apis = (
        SessionsApi(Sessions(store, write_side.commands), times),
        ArchivesApi(Archives(store, write_side.commands), times),
        ClockApi(StreamClock(write_side.commands), clock),
    )
    health = Health()
    health.add_ready("mongo", store.ready)
    watch_write_side(health, write_side, settings.outbox_limit)
    return build_app(
        settings,
        name=NAME,
        title="Kairan events",
        description="What happens: sessions, archives and publications.",
        routers=[api.routes() for api in apis],
        parts=[write_side, *listeners(clock, settings)],
        health=health,
        verifier=Verifier(settings),
    )


if __name__ == "__main__":
    run(build)
