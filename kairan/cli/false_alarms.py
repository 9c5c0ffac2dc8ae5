"""The placebo audit in figures and in words: the rate of false alarms with its 90 % interval, and the threshold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kairan.year.quick_scipy import import_scipy_special

NOMINAL, USUAL_THRESHOLD = 0.01, 100.0
TAIL = 0.05


@dataclass(frozen=True)
class FalseAlarms:
    """`alarms` of `placebos`; `threshold` on the evidence E from now on."""

    placebos: int
    alarms: int
    threshold: float

    @classmethod
    def of(cls, audit: Mapping[str, Any]) -> "FalseAlarms":
        return cls(audit["placebos"], audit["alarms"], audit["threshold"])

    @property
    def rate(self) -> float | None:
        """None where there was no placebo."""
        return self.alarms / self.placebos if self.placebos else None

    @property
    def interval(self) -> tuple[float, float]:
        """90 %, exact (Clopper and Pearson 1934); without a placebo everything is possible."""
        import_scipy_special()
        from scipy.special import betaincinv

        n, k = self.placebos, self.alarms
        low = float(betaincinv(k, n - k + 1, TAIL)) if k else 0.0
        high = float(betaincinv(k + 1, n - k, 1 - TAIL)) if k < n else 1.0
        return low, high

    def as_json(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "placebos": self.placebos,
            "alarms": self.alarms,
            "rate": self.rate,
            "rate_low": low,
            "rate_high": high,
            "threshold": self.threshold,
        }

    def in_words(self) -> str:
        if self.rate is None:
            return "No placebo audit yet: there are too few weeks in which nothing was published."
        low, high = self.interval
        often = "once" if self.alarms == 1 else f"{self.alarms:,} times"
        seen = (
            f"At {self.placebos:,} past times without a publication the alarm went off {often}: "
            f"{self.rate:.1%} (90 % range {low:.1%} to {high:.1%}; meant are at most {NOMINAL:.0%})."
        )
        if self.threshold > USUAL_THRESHOLD:
            return f"{seen} That is too often, so the evidence now has to reach {self.threshold:,.0f} instead of 100."
        return f"{seen} The threshold on the evidence is {self.threshold:,.0f}."
