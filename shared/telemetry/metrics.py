"""Every Prometheus metric of the whole project, in one typed place.

Dashboards and alerts are tested against `ALL_METRICS`.
Labels have few values each: never an id of a person, an endpoint or an event. A service's process serves its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Declared:
    """One metric as it is declared: its name as scraped (a histogram's without `_bucket`), kind, labels and meaning."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str

    def series(self) -> tuple[str, ...]:
        """The names that a query may use."""
        if self.kind == "histogram":
            return (f"{self.name}_bucket", f"{self.name}_sum", f"{self.name}_count")
        return (self.name,)


disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series per counter that nobody reads

_declared: list[Declared] = []


def _declare(name: str, kind: Kind, labels: Sequence[str], text: str) -> tuple[str, str, tuple[str, ...]]:
    full = f"kairan_{name}"
    _declared.append(Declared(full, kind, tuple(labels), text))
    return full, text, tuple(labels)


def _counter(name: str, text: str, *labels: str) -> Counter:
    return Counter(*_declare(name, "counter", labels, text))


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(*_declare(name, "gauge", labels, text))


def _histogram(name: str, text: str, *labels: str, buckets: Sequence[float]) -> Histogram:
    full, text, names = _declare(name, "histogram", labels, text)
    return Histogram(full, text, names, buckets=buckets)


_FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_AGE_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0, 86_400.0)
_SIZE = (1, 2, 5, 10, 20, 50, 100, 150, 200)

# Commands
COMMANDS = _counter(
    "commands_total", "Commands answered, by outcome (done, replayed, refused, failed).", "service", "outcome"
)
COMMAND_BATCH_SIZE = _histogram("command_batch_size", "Commands that shared one transaction.", "service", buckets=_SIZE)
COMMAND_BATCH_ABORTS = _counter(
    "command_batch_aborts_total", "Shared transactions that aborted and were split.", "service"
)
COMMAND_SECONDS = _histogram("command_seconds", "Seconds that one shared transaction took.", "service", buckets=_FAST_S)

# Outbox and relay
OUTBOX_DEPTH = _gauge("outbox_depth", "Events waiting for Kafka.", "service")
OUTBOX_OLDEST_AGE_SECONDS = _gauge(
    "outbox_oldest_age_seconds", "Seconds that the oldest of them has waited.", "service"
)
RELAY_PUBLISHED = _counter("relay_published_total", "Events that Kafka acknowledged.", "service")
RELAY_ERRORS = _counter("relay_errors_total", "Publications that failed and are tried again.", "service")
RELAY_PUBLISH_SECONDS = _histogram(
    "relay_publish_seconds",
    "Seconds to publish a page of the outbox, to Kafka's acknowledgement.",
    "service",
    buckets=_FAST_S,
)
RELAY_LEADER = _gauge("relay_leader", "1 where this process leads the shard of the outbox.", "service", "shard")

# Consumers
CONSUMER_LAG = _gauge(
    "consumer_lag", "Records in the partition that are not applied yet.", "group", "topic", "partition"
)
CONSUMER_EVENT_AGE_SECONDS = _histogram(
    "consumer_event_age_seconds",
    "Seconds from a record's Kafka timestamp to its being applied.",
    "group",
    buckets=_AGE_S,
)
CONSUMER_RECORDS = _counter("consumer_records_total", "Records handled, by outcome (applied, …).", "group", "outcome")
CONSUMER_DUPLICATES = _counter("consumer_duplicates_total", "Records that had been applied before.", "group")
CONSUMER_SKIPPED = _counter("consumer_skipped_total", "Records not meant for the group, by reason.", "group", "reason")
CONSUMER_DEAD_LETTERS = _counter(
    "consumer_dead_letters_total", "Records that went to the dead letters, by reason.", "group", "topic", "reason"
)
CONSUMER_REBALANCES = _counter("consumer_rebalances_total", "Assignments that the group gave this process.", "group")
CONSUMER_STOPPED = _gauge(
    "consumer_stopped", "1 where the breaker has stopped the group; `kairan dlt resume`.", "group"
)
CONSUMER_BATCH_SECONDS = _histogram("consumer_batch_seconds", "Seconds to apply one batch.", "group", buckets=_FAST_S)

# HTTP
HTTP_SECONDS = _histogram(
    "http_request_seconds",
    "Seconds to answer, by route template; streams are left out.",
    "method",
    "route",
    "status",
    buckets=_FAST_S,
)
HTTP_STREAMS = _gauge("http_streams", "Server-sent event streams that are open.")
LOOP_LAG_SECONDS = _gauge("loop_lag_seconds", "By how much the event loop was late, at worst in the last half minute.")

# Notify
DELIVERIES = _counter(
    "deliveries_total", "Webhooks, by what became of them (delivered, exhausted, expired, …).", "outcome"
)
DELIVERY_SECONDS = _histogram("delivery_seconds", "Seconds that one attempt took.", buckets=_FAST_S)
ATTEMPTS = _counter(
    "attempts_total", "Attempts to deliver, by outcome (2xx, 4xx, 5xx, refused, timeout, …).", "outcome"
)
DELIVERIES_WAITING = _gauge("deliveries_waiting", "Webhooks that are due or wait for their next attempt.")
ENDPOINTS = _gauge("endpoints", "Webhook endpoints, by state (open, disabled, …).", "state")
BREAKERS = _gauge("breakers", "Endpoints that this process sends to, by breaker (closed, open, probing).", "state")
SUBJECTS_BLOCKED = _gauge("subjects_blocked", "Subjects of ordered endpoints that a failed delivery holds up.")
REQUESTS_IN_FLIGHT = _gauge("requests_in_flight", "Webhook requests that this process has under way.")
DELIVERY_AGE_SECONDS = _histogram("delivery_age_seconds", "Seconds from recorded to delivered.", buckets=_AGE_S)

# Metrics service
LEDGER_REVISION = _gauge("ledger_revision", "The revision of the publication ledger as this process knows it.")
EVALUATE_SECONDS = _histogram("evaluate_seconds", "Seconds to evaluate the ledger once.", buckets=_FAST_S)

ALL_METRICS: tuple[Declared, ...] = tuple(_declared)
"""All of the above, in order."""
