"""The time of one update of the evidence: what the live service does per publication and hour."""

import time
from importlib import import_module

import numpy as np

UPDATES = 168


def update_ms(windows: int, repeats: int) -> list[float]:
    """CPU milliseconds of one update of one publication, `windows` of which are looked at together; one per repeat."""
    evidence = import_module("services.metrics.growth.evidence")
    prior = evidence.prior_of("magazine_issue")
    each = np.ones(windows)
    rng = np.random.default_rng(9)
    found = []
    for _ in range(repeats):
        before = evidence.Before(0 * each, 0 * each, 30 * each, 0.2 * each, 0.01 * each, 0 * each)
        watched = evidence.Evidence.start(prior, before)
        joins = rng.poisson(0.3, (UPDATES, windows)).astype(float)
        begun = time.process_time()
        for hour in range(UPDATES):
            watched.tick(joins[hour], 0.3 * each, 30 * each, np.full(windows, hour % 24 == 0))
        found.append(1000 * (time.process_time() - begun) / UPDATES / windows)
    return found
