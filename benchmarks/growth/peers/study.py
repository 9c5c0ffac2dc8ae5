"""Peers and the ledger on the same streams: false alarms, power, and the size where they give one."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

import numpy as np

from benchmarks.growth import single
from benchmarks.growth.alarms import RATES, acting, null
from benchmarks.growth.line import Line, resampled, share
from benchmarks.growth.peers import dashboard, detectors, models
from benchmarks.growth.peers.sight import Opinion, Sight
from benchmarks.growth.single import WINDOW_H, Single
from benchmarks.growth.study import Study


@dataclass(frozen=True)
class Peer:
    """`module` must be installed for it; "" for what needs none."""

    module: str
    ask: Callable[[Sight], Opinion]


PEERS: Mapping[str, Peer] = {
    "mean + 3 sd, daily": Peer("", dashboard.daily),
    "mean + 3 sd, hourly": Peer("", dashboard.hourly),
    "statsmodels NB-GLM": Peer("statsmodels", models.negative_binomial),
    "statsmodels UCM": Peer("statsmodels", models.unobserved_components),
    "pycausalimpact": Peer("causalimpact", models.causal_impact),
    "ruptures PELT": Peer("ruptures", detectors.change_points),
    "adtk LevelShiftAD": Peer("adtk", detectors.level_shift),
    "adtk PersistAD": Peer("adtk", detectors.persistence),
    "river ADWIN, hourly": Peer("river", detectors.adaptive_window),
    "river GaussianScorer": Peer("river", detectors.gaussian),
}
OURS = "ledger"


@dataclass(frozen=True)
class Asked:
    """Opinions by name, and the truth: the joins that the publication brought in its window. Why not: `failed`."""

    opinions: Mapping[str, Opinion]
    failed: Mapping[str, str]
    truth: int


def peers(n: int, seed: int) -> Study:
    """`n` streams without an effect at three sizes, and with +100 % x 3 d at 7 and 60 joins a day."""
    cells = [("no effect", rate) for rate in RATES] + [("+100% x 3 d", rate) for rate in RATES[:2]]
    recipes = [
        null(rate, number, seed) if effect == "no effect" else acting(1.0, 3, number, seed, rate)
        for effect, rate in cells
        for number in range(n)
    ]

    def lines(seen: Sequence[Asked]) -> list[Line]:
        return [
            line
            for k, (effect, rate) in enumerate(cells)
            for name in (OURS, *installed())
            for line in _lines(name, effect, rate, seen[k * n : (k + 1) * n])
        ]

    return Study("peers", recipes, ask_all, lines, notes=_notes())


def installed() -> list[str]:
    return [name for name, peer in PEERS.items() if not peer.module or find_spec(peer.module)]


def ask_all(recipe: Single) -> Asked:
    joins = recipe.drawn()
    sight = Sight(joins.sum(1), recipe.at)
    seen = single.look(recipe)
    opinions = {OURS: Opinion(seen.alarmed, seen.extra, seen.low, seen.high)}
    failed = {}
    for name in installed():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                opinions[name] = PEERS[name].ask(sight)
            except Exception as error:  # a package's failure is a figure, not the end of the run
                failed[name] = f"{type(error).__name__}: {error}"
    return Asked(opinions, failed, int(joins[recipe.at : recipe.at + WINDOW_H, 1].sum()))


def _lines(name: str, effect: str, rate: int, seen: Sequence[Asked]) -> list[Line]:
    pairs = [(one.opinions[name], one.truth) for one in seen if name in one.opinions]
    cells: dict[str, Line] = {}
    if effect == "no effect":
        cells["false alarms"] = share("peers", name, [opinion.alarm for opinion, _ in pairs])
    elif rate == RATES[0]:
        cells["power"] = share("peers", name, [opinion.alarm for opinion, _ in pairs])
    if effect != "no effect" and pairs and not np.isnan(pairs[0][0].extra):
        cells["size error"] = resampled("peers", name, pairs, _size_error)
        cells["cover of 90 %"] = share("peers", name, [o.low <= truth <= o.high for o, truth in pairs])
    if failures := len(seen) - len(pairs):
        cells["failed"] = Line("peers", name, failures / len(seen), len(seen))
    where = f"{rate:,}/day" if effect == "no effect" else f"{effect}, {rate:,}/day"
    return [replace(line, column=f"{title}, {where}") for title, line in cells.items()]


def _size_error(pairs: Sequence[tuple[Opinion, int]]) -> float:
    return sum(abs(opinion.extra - truth) for opinion, truth in pairs) / max(sum(truth for _, truth in pairs), 1)


def _notes() -> list[str]:
    absent = sorted({peer.module for peer in PEERS.values() if peer.module and not find_spec(peer.module)})
    return (
        [f"not installed here: {', '.join(absent)} (make bench-growth installs them into .venv-bench)"]
        if absent
        else []
    )
