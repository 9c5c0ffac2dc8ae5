"""Profiles as ingest keeps them, one row a member who said something, and the sums over them that queries read."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from services.metrics.domain.profiles import Profile, counted, depths, merge
from services.metrics.store.sums import Added, add_sums
from shared.bus.generations import Tx
from shared.catalogue import Event
from shared.store.mongo import Document, ReplaceOne

PROFILES, REFERRALS, SPLITS = "profiles", "referrals", "splits"
_ROUNDS_MOST = 64


async def merge_profiles(tx: Tx, events: Iterable[Event], partition: int) -> None:
    """Merges what events say into profiles, and moves the sums of `partition` by the difference."""
    said: dict[str, list[Event]] = {}
    for event in events:
        said.setdefault(event.envelope.subject, []).append(event)
    if not said:
        return
    before = await _load(tx, said)
    after = {}
    for member, events in said.items():
        profile = before.get(member, Profile())
        for event in events:
            profile = merge(profile, event)
        after[member] = profile
    await _write_referrals(tx, before, after)
    changed = await _with_depths(tx, before, after)
    await _store(tx, changed)
    await _add(tx, before, changed, partition)


async def _with_depths(tx: Tx, before: dict[str, Profile], after: dict[str, Profile]) -> dict[str, Profile]:
    """The depths of `after`, and of all who came by those whose depth changed; adds their rows to `before`."""
    changed = dict(after)
    fresh = set(after)
    for _ in range(_ROUNDS_MOST):
        outside = {one.counted_referrer for one in changed.values()} - changed.keys() - {None}
        around = {member: profile.depth for member, profile in (await _load(tx, outside)).items()}
        found = depths(changed, around)
        changed = {member: profile._replace(depth=found[member]) for member, profile in changed.items()}
        deeper = [member for member in fresh if changed[member].depth != before.get(member, Profile()).depth]
        followers = await _load(tx, await _followers(tx, deeper) - changed.keys())
        if not followers:
            return changed
        before |= followers
        changed |= followers
        fresh = set(followers)
    return changed


async def _followers(tx: Tx, members: Iterable[str]) -> set[str]:
    ranges = [{"_id": {"$gte": f"{member}|", "$lt": f"{member}}}"}} for member in members]
    if not ranges:
        return set()
    return {row["by"] async for row in tx.collection(REFERRALS).find({"$or": ranges}, session=tx.session)}


async def _load(tx: Tx, members: Iterable[Any]) -> dict[str, Profile]:
    wanted = list(members)
    if not wanted:
        return {}
    found = tx.collection(PROFILES).find({"_id": {"$in": wanted}}, session=tx.session)
    return {row["_id"]: Profile(**{name: row[name] for name in Profile._fields}) async for row in found}


async def _store(tx: Tx, profiles: Mapping[str, Profile]) -> None:
    writes = [ReplaceOne({"_id": member}, profile._asdict(), upsert=True) for member, profile in profiles.items()]
    await tx.collection(PROFILES).bulk_write(writes, ordered=False, session=tx.session)


async def _write_referrals(tx: Tx, before: Mapping[str, Profile], after: Mapping[str, Profile]) -> None:
    """Who came by whom, found by the referrer: an erase takes it away."""
    old = {_referral(member, one) for member, one in before.items() if member in after} - {None}
    new = {_referral(member, one): member for member, one in after.items() if one.referrer is not None}
    gone = [row for row in old if row not in new]
    if gone:
        await tx.collection(REFERRALS).delete_many({"_id": {"$in": gone}}, session=tx.session)
    writes = [ReplaceOne({"_id": row}, {"by": member}, upsert=True) for row, member in new.items() if row not in old]
    if writes:
        await tx.collection(REFERRALS).bulk_write(writes, ordered=False, session=tx.session)


def _referral(member: str, profile: Profile) -> str | None:
    return f"{profile.referrer}|{member}" if profile.referrer is not None else None


async def _add(tx: Tx, before: Mapping[str, Profile], after: Mapping[str, Profile], partition: int) -> None:
    sums: Counter[str] = Counter()
    for member, profile in after.items():
        sums.subtract(counted(before.get(member, Profile())))
        sums.update(counted(profile))
    rows = []
    for name, people in sums.items():
        if people:
            about: Document = {"split": name.partition("|")[0], "key": name.partition("|")[2], "partition": partition}
            rows.append(Added(f"{name}|{partition}", about, {"people": people}))
    await add_sums(tx, SPLITS, rows)
