"""The health checks that services have in common: the database, the way out through the outbox, a consumer."""

from typing import TYPE_CHECKING

from shared.web.health import Check, Health

if TYPE_CHECKING:  # named only: not every service has both
    from shared.bus.consumer import Consumer
    from shared.bus.write_side import WriteSide


def watch_write_side(health: Health, write_side: "WriteSide", outbox_limit: int) -> None:
    """Ready while the outbox is not above its limit; the stream flows while the relay publishes."""

    def outbox() -> Check:
        waiting = write_side.relay.depth
        return Check(waiting <= outbox_limit, {"waiting": waiting, "limit": outbox_limit})

    def relay() -> Check:
        report = write_side.relay.report()
        return Check(bool(report["publishing"]), report)

    health.add_ready("outbox", outbox)
    health.add_stream("relay", relay)


def watch_consumer(health: Health, consumer: "Consumer") -> None:
    """Alive unless it is stuck; its stream flows when it reads, or stands by for a replica that does."""

    def stream() -> Check:
        report = consumer.report()
        return Check(report["state"] in ("caught_up", "progressing", "standby"), report, report["state"])

    health.add_live("consumer", consumer.alive)
    health.add_stream(consumer.name, stream)
