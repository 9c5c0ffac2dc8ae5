"""How often the ledger is right on simulated years; `make bench-growth` measures it in full."""

from collections.abc import Sequence

import numpy as np

from kairan.year.counts import World
from tests.growth.streams import Seen, single, years

SEED = 77  # not one that anything was tuned on


def share(seen: Sequence[bool]) -> float:
    return float(np.mean(seen))


def everything(found: list[list[Seen]]) -> tuple[list[Seen], list[Seen]]:
    seen = [one for year in found for one in year]
    return [one for one in seen if not one.truth], [one for one in seen if one.truth]


def test_idle_publications_are_seldom_called_clear() -> None:
    idle, _ = everything(list(years(6, idle=1.0, seed=SEED)))
    assert share([one.row.verdict == "clear" for one in idle]) <= 0.025
    assert share([one.held for one in idle]) >= 0.85


def test_ranges_hold_the_truth_among_neighbours_and_bunched() -> None:
    for bunched in (False, True):
        idle, acting = everything(list(years(4, bunched=bunched, seed=SEED)))
        assert share([one.row.verdict == "clear" for one in idle]) <= 0.025
        assert share([one.held for one in (*idle, *acting)]) >= 0.88


def test_unlisted_surges_are_seldom_credited() -> None:
    idle, _ = everything(list(years(6, surges=6, seed=SEED)))
    assert share([one.row.verdict == "clear" for one in idle]) <= 0.05  # 2.5 % and the noise of 130 rows


def test_large_effects_are_found_at_every_size_of_community() -> None:
    for per_day in (7, 60, 2000):
        seen = [single(World(70, per_day), 3.0, np.random.default_rng((SEED, i))) for i in range(15)]
        assert share([one.row.verdict == "clear" for one in seen]) >= 0.95
        assert share([one.held for one in seen]) >= 0.75
