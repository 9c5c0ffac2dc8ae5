"""Membership, composed: `python -m services.membership.app`."""

from services.membership.api import MembersApi
from services.membership.consumers import listeners
from services.membership.settings import Settings
from services.membership.store import Members
from shared.bus.write_side import WriteSide
from shared.clock import Clock
from shared.settings import ServiceSettings
from shared.store.mongo import Store
from shared.web.auth import Verifier
from shared.web.health import Check, Health
from shared.web.serve import run
from shared.web.service import ServiceApp, build_app
from shared.web.times import Times

NAME = "membership"


def build(settings: ServiceSettings | None = None, database: str = "kairan_membership") -> ServiceApp:
    """All wiring of the service. Settings come from the environment unless given."""
    settings = settings or Settings()
    store = Store(settings.mongo, database, app_name=settings.instance)
    clock = Clock(settings.clock)
    write_side = WriteSide(store, settings, NAME)
    api = MembersApi(Members(store, write_side.commands), Times(clock))
    return build_app(
        settings,
        name=NAME,
        title="Kairan membership",
        description="Who belongs: members, how they came, and what they said about themselves.",
        routers=[api.routes()],
        parts=[write_side, *listeners(clock, settings)],
        health=_health(store, write_side, settings),
        verifier=Verifier(settings),
    )


def _health(store: Store, write_side: WriteSide, settings: ServiceSettings) -> Health:
    def outbox() -> Check:
        waiting = write_side.relay.depth
        return Check(waiting <= settings.outbox_limit, {"waiting": waiting, "limit": settings.outbox_limit})

    def relay() -> Check:
        report = write_side.relay.report()
        return Check(bool(report["publishing"]), report)

    health = Health()
    health.add_ready("mongo", store.ready)
    health.add_ready("outbox", outbox)
    health.add_stream("relay", relay)
    return health


if __name__ == "__main__":
    run(build)
