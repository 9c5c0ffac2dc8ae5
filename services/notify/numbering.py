"""Sequence numbers, dense per endpoint in the order of planning: a block for each, taken with one `$inc`."""

from collections.abc import Container, Mapping
from typing import Final

from shared.bus.outbox import shard_of
from shared.store.mongo import Collection, Document, Session, UpdateOne

NUMBER: Final = {"sequence": 1}


def take_numbers(
    lanes: Collection, counts: Mapping[str, int], ordered: Container[str], session: Session
) -> dict[str, int]:
    """Takes as many numbers as each endpoint needs, in the transaction; answers the last of each.

    Endpoints that need equally many share a statement; a lane without a document gets one. The lanes of `ordered`
    endpoints are marked as such.
    """
    if len(counts) == 1:
        ((endpoint, count),) = counts.items()
        lane = lanes.find_one_and_update(
            {"_id": endpoint},
            _first_too(endpoint, count, keyed=endpoint in ordered),
            upsert=True,
            return_document=True,
            session=session,
        )
        return {endpoint: int(lane["sequence"])}
    needing: dict[tuple[int, bool], list[str]] = {}
    for endpoint, count in counts.items():
        needing.setdefault((count, endpoint in ordered), []).append(endpoint)
    for (count, keyed), some in needing.items():
        lanes.update_many({"_id": {"$in": some}}, _taking(count, keyed=keyed), session=session)
    found = lanes.find({"_id": {"$in": list(counts)}}, NUMBER, session=session)
    last = {document["_id"]: int(document["sequence"]) for document in found}
    first_time = {endpoint: count for endpoint, count in counts.items() if endpoint not in last}
    if first_time:
        upserts = [
            UpdateOne({"_id": one}, _first_too(one, count, keyed=one in ordered), upsert=True)
            for one, count in first_time.items()
        ]
        lanes.bulk_write(upserts, ordered=False, session=session)
    return last | first_time


def _first_too(endpoint: str, count: int, *, keyed: bool) -> Document:
    return _taking(count, keyed=keyed) | {"$setOnInsert": {"shard": shard_of(endpoint)}}


def _taking(count: int, *, keyed: bool) -> Document:
    return {"$inc": {"sequence": count}} | ({"$set": {"keyed": True}} if keyed else {})
