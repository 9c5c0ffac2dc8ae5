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
from shared.web.checks import watch_write_side
from shared.web.health import Health
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
    health = Health()
    health.add_ready("mongo", store.ready)
    watch_write_side(health, write_side, settings.outbox_limit)
    return build_app(
        settings,
        name=NAME,
        title="Kairan membership",
        description="Who belongs: members, how they came, and what they said about themselves.",
        routers=[api.routes()],
        parts=[write_side, *listeners(clock, settings)],
        health=health,
        verifier=Verifier(settings),
    )


if __name__ == "__main__":
    run(build)
