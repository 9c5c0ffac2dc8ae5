"""The time of one update of the evidence: what the live service does per publication and hour."""

import time
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from benchmarks.growth.single import published_at
from kairan.year.counts import World
from services.metrics.growth import Joins, Publication
from services.metrics.growth.effects import prior_of
from services.metrics.growth.evidence import Evidence
from services.metrics.growth.foreknowledge import foreknow
from services.metrics.growth.outlook import outlook
from services.metrics.growth.stream import Stream

WINDOW_H = 168
WORLD = World(90)
FIRST_H = 60 * 24  # of the publications, one an hour


def update_ms(windows: int, repeats: int) -> list[float]:
    """CPU milliseconds of one update of one publication, `windows` of which are looked at together; one per repeat."""
    stream = _stream([Publication(f"p{i}", "magazine_issue", published_at(WORLD, FIRST_H + i)) for i in range(windows)])
    seen = outlook(stream, foreknow(stream), stream.at, np.arange(windows))
    found = []
    for _ in range(repeats):
        watched = Evidence.start(prior_of("magazine_issue"), seen.before)
        begun = time.process_time()
        for h in range(WINDOW_H):
            watched.tick(seen.joins[:, h], seen.base[:, h], seen.frailty[:, h], seen.new_day[:, h], seen.others[:, h])
        found.append(1000 * (time.process_time() - begun) / WINDOW_H / windows)
    return found


def _stream(publications: Sequence[Publication]) -> Stream:
    counts = WORLD.joins([], np.random.default_rng(9))[:, 0]
    start = published_at(WORLD, 0)
    return Stream.of(Joins(start, counts), publications, start + timedelta(hours=counts.size))
