"""Ingest: what metrics hears becomes counts and publications; every replica, one transaction a batch."""

from collections.abc import Sequence

from services.metrics.domain import counts, profiles, publications
from services.metrics.domain.captured import count_named
from services.metrics.domain.daily import count_daily
from services.metrics.store.accounts import add_daily
from services.metrics.store.profiles import merge_profiles
from services.metrics.store.read_model import GROUP, add_counts, add_named, merge_publications, pass_time
from shared.bus.batch import Received, Subscription
from shared.bus.generations import Tx
from shared.bus.topics import GROUPS
from shared.catalogue import CATALOGUE, Event, MemberErased, MemberProfile, TimePassed

_REPLAYED = -1
_MODELS = (*counts.HEARD, MemberErased, MemberProfile, *publications.HEARD, TimePassed)


async def apply(batch: Sequence[Received], tx: Tx) -> None:
    """Adds what the batch counts, merges what it says of publications, moves the clock; for live and rebuild alike."""
    facts = [(_partition(one), one.event) for one in batch]
    await add_counts(tx, counts.count(facts))
    await add_named(tx, count_named(facts))
    await add_daily(tx, count_daily(facts))
    await _merge_profiles([one for one in facts if profiles.concerns(one[1])], tx)
    await merge_publications(tx, (one.event for one in batch if publications.concerns(one.event)))
    passed = [one.event.data.until for one in batch if isinstance(one.event.data, TimePassed)]
    if passed:
        await pass_time(tx, passed)


async def _merge_profiles(facts: Sequence[tuple[int, Event]], tx: Tx) -> None:
    if facts:
        await merge_profiles(tx, [event for _, event in facts], facts[0][0])


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
