"""Ingest: what metrics hears becomes counts and publications; every replica, one transaction a batch."""

from collections.abc import Sequence

from services.metrics.domain import counts, publications
from services.metrics.domain.captured import count_named
from services.metrics.store.read_model import GROUP, add_counts, add_named, merge_publications, pass_time
from shared.bus.batch import Received, Subscription
from shared.bus.generations import Tx
from shared.bus.topics import GROUPS
from shared.catalogue import CATALOGUE, TimePassed

_REPLAYED = -1
_MODELS = (*counts.HEARD, *publications.HEARD, TimePassed)


async def apply(batch: Sequence[Received], tx: Tx) -> None:
    """Adds what the batch counts, merges what it says of publications, moves the clock; for live and rebuild alike."""
    facts = [(_partition(one), one.event) for one in batch]
    await add_counts(tx, counts.count(facts))
    await add_named(tx, count_named(facts))
    await merge_publications(tx, (one.event for one in batch if publications.concerns(one.event)))
    passed = [one.event.data.until for one in batch if isinstance(one.event.data, TimePassed)]
    if passed:
        await pass_time(tx, passed)


def _partition(received: Received) -> int:
    """A replayed dead letter is counted apart: its partition says nothing about who else writes that row."""
    return received.partition if received.topic in GROUPS[GROUP] else _REPLAYED


SUBSCRIPTION = Subscription(
    group=GROUP,
    topics=GROUPS[GROUP],
    wanted=frozenset(CATALOGUE.for_model(model).name for model in _MODELS),
    apply=apply,
    rebuildable=True,
)
