"""Sends a recorded stream through the public APIs: joins as lists, in order of time, publications before them."""

import asyncio
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from kairan.year.csv_streams import Arrived, Published, Stream
from kairan.year.player import Tell, nobody
from kairan.year.settled import Sent, named_as, settle
from kairan.year.speaker import Speaker

CHUNK_JOINS = 5_000
SESSION_LASTS = timedelta(hours=1)  # a file says only when one ended
SOURCES = {"session": "session", "broadcast": "broadcast"}


async def play_stream(stream: Stream, speaker: Speaker, tell: Tell = nobody) -> dict[str, Any]:
    """Plays a stream and returns the settled ledger of metrics, its ids those of the file.

    Repeatable, like `player.play`. Raises `NotAccepted`, `NotSettled`.
    """
    await _clock(speaker, stream.start)
    ids: dict[str, str] = {}
    chunks = list(_chunks(stream))
    done, starts = 0, [chunk[0].hour for chunk in chunks]
    bounds = [stream.start, *starts[1:], stream.end] if chunks else [stream.start, stream.end]
    for number, (begins, ends) in enumerate(pairwise(bounds)):
        last = number == len(bounds) - 2
        due = [one for one in stream.published if begins <= one.published_at and (last or one.published_at < ends)]
        found = await asyncio.gather(*(_publish(speaker, one) for one in due))
        ids |= {one.id: name for one, name in zip(due, found, strict=True)}
        if chunks:
            table = _table(chunks[number], ids, {one.id: one.kind for one in stream.published})
            await speaker.bring("membership", "/v1/members:import", table, f"joins-{number:06d}-{_digest(table)}")
            done += sum(one.joins for one in chunks[number])
        await _clock(speaker, ends)
        tell("the joins", done, stream.joins)
    sent = Sent(stream.end, stream.joins, len(stream.published))
    ledger = await settle(speaker, sent, lambda joins: tell("the ledger", joins, sent.joins))
    return named_as(ledger, {theirs: name for name, theirs in ids.items()})


def _chunks(stream: Stream) -> Iterator[list[Arrived]]:
    """Runs of rows with about `CHUNK_JOINS` joins; an hour with more is split."""
    chunk: list[Arrived] = []
    size = 0
    for row in stream.arrived:
        left = row.joins
        while left:
            part = min(left, CHUNK_JOINS - size)
            chunk.append(Arrived(row.hour, part, row.source_ref))
            size, left = size + part, left - part
            if size == CHUNK_JOINS:
                yield chunk
                chunk, size = [], 0
    if chunk:
        yield chunk


def _table(chunk: list[Arrived], ids: dict[str, str], kinds: dict[str, str]) -> str:
    lines = ["source,source_ref,joined_precision,occurred_at"]
    for row in chunk:
        source = "unknown" if row.source_ref is None else SOURCES.get(kinds.get(row.source_ref, ""), "publication")
        ref = "" if row.source_ref is None else ids.get(row.source_ref, row.source_ref)
        lines += [f"{source},{ref},hour,{_text(row.hour)}"] * row.joins
    return "\n".join(lines) + "\n"


async def _publish(speaker: Speaker, one: Published) -> str:
    title = {"ja": one.title_ja, "en": one.title_en}
    themes = [one.theme] if one.theme else []
    when = _text(one.published_at)
    key = _digest(one.id)
    if one.kind != "session":
        body = {"kind": one.kind, "title": title, "series_id": one.series_id, "theme_ids": themes, "occurred_at": when}
        return await speaker.say("events", "/v1/archives", body, f"publish-{key}")
    starts = _text(one.published_at - SESSION_LASTS)
    plan = {
        "title": title,
        "starts_at": starts,
        "ends_at": when,
        "theme_ids": themes,
        "series_id": one.series_id,
        "occurred_at": starts,
    }
    found = await speaker.say("events", "/v1/sessions", plan, f"schedule-{key}")
    await speaker.say("events", f"/v1/sessions/{found}/hold", {"started_at": starts, "ended_at": when}, f"hold-{key}")
    return found


async def _clock(speaker: Speaker, until: datetime) -> None:
    await speaker.say("events", "/v1/clock", {"until": _text(until)}, f"clock-{until:%Y-%m-%dT%H:%M:%SZ}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _text(moment: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond where there are any."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond else "seconds").replace("+00:00", "Z")
