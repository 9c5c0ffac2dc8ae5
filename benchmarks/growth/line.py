"""A line of the table: what was asked, what was seen, how sure that is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np
from scipy.special import betaincinv

Unit = Literal["share", "h", "ms", "s"]
Met = Literal["met", "missed", "missed, interval touches", ""]
CONFIDENCE = 0.95
RESAMPLES = 2000
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Line:
    """`seen` of `n`, with its 95 % interval where it has one. Shares are 0 to 1. Without goals, a line only tells.

    Lines with a `column` are cells of a table of their own, in which `what` is the row.
    """

    row: str
    what: str
    seen: float
    n: int
    unit: Unit = "share"
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    column: str = ""

    @property
    def met(self) -> Met:
        if self.at_least is None and self.at_most is None:
            return ""
        if self._reaches(self.seen, self.seen):
            return "met"
        touches = self.low is not None and self.high is not None and self._reaches(self.low, self.high)
        return "missed, interval touches" if touches else "missed"

    def _reaches(self, low: float, high: float) -> bool:
        """Whether some value of [low, high] is good enough; nan is not."""
        enough = self.at_least is None or high >= self.at_least
        return enough and (self.at_most is None or low <= self.at_most)

    @property
    def goal(self) -> str:
        if self.at_least is not None and self.at_most is not None:
            return f"{self.shown(self.at_least)} to {self.shown(self.at_most)}"
        if self.at_least is not None:
            return f"≥ {self.shown(self.at_least)}"
        return "" if self.at_most is None else f"≤ {self.shown(self.at_most)}"

    @property
    def interval(self) -> str:
        return "" if self.low is None or self.high is None else f"{self.shown(self.low)} to {self.shown(self.high)}"

    def shown(self, value: float) -> str:
        if not np.isfinite(value):
            return "never" if value > 0 else "-"
        return f"{100 * value:.3g} %" if self.unit == "share" else f"{value:.3g} {self.unit}"

    def as_json(self) -> dict[str, Any]:
        said = {"row": self.row, "what": self.what, "seen": _finite(self.seen), "unit": self.unit, "n": self.n}
        more = {"low": self.low, "high": self.high, "at_least": self.at_least, "at_most": self.at_most}
        words = {"met": self.met, "column": self.column}
        numbers = {name: _finite(value) for name, value in more.items() if value is not None}
        return said | numbers | {name: word for name, word in words.items() if word}


def share(
    row: str, what: str, hits: Sequence[bool], *, at_least: float | None = None, at_most: float | None = None
) -> Line:
    """How many of `hits` are true, with the Clopper-Pearson interval (Clopper and Pearson 1934)."""
    n, k = len(hits), sum(map(bool, hits))
    low, high = clopper_pearson(k, n)
    return Line(row, what, k / n if n else float("nan"), n, "share", low, high, at_least, at_most)


def clopper_pearson(hits: int, n: int) -> tuple[float, float]:
    """Exact 95 % interval of a share; (0, 1) of nothing."""
    tail = (1 - CONFIDENCE) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def median(row: str, what: str, values: Sequence[float], *, at_most: float | None = None) -> Line:
    """Median hours, `inf` being never; the interval by order statistics (no assumption on the distribution)."""
    ordered = np.sort(np.asarray(values, dtype=float))
    n = len(ordered)
    reach = int(np.ceil(0.98 * np.sqrt(n)))  # 1.96 standard deviations of a Binomial(n, 1/2)
    at = np.clip([n // 2 - reach, (n - 1) // 2, n // 2 + reach], 0, n - 1)
    low, middle, high = (float(ordered[i]) for i in at)
    return Line(row, what, middle, n, "h", low, high, at_most=at_most)


def resampled(
    row: str,
    what: str,
    seen: Sequence[Seen],
    figure: Callable[[Sequence[Seen]], float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Line:
    """A figure of several independent things (years), with the bootstrap's percentile interval over them."""
    rng = np.random.default_rng(len(seen))
    picks = rng.integers(0, len(seen), (RESAMPLES, len(seen)))
    drawn = [figure([seen[i] for i in pick]) for pick in picks]
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Line(row, what, figure(seen), len(seen), "share", float(low), float(high), at_least, at_most)


def _finite(value: float) -> float | None:
    return round(float(value), 5) if np.isfinite(value) else None
