"""All issues of a series together: what is invisible in one may be plain in twelve.

The sizes of a free fit (least squares, signed, without shrinkage, the level of every four weeks fitted beside them) are
added up, with their whole covariance. As the level is fitted from both sides, growth is not read as an effect; what
the baseline may still be wrong by in the hours of this series is a term of its own, one for all issues, so that it does
not average out. The range is the highest-density 90 % of a normal that is cut at 0.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri, ndtri_exp

from services.metrics.growth.audit import ENOUGH_H
from services.metrics.growth.fit import Fit
from services.metrics.growth.model import WINDOW_H, Floats, Publication, Series, Verdict
from services.metrics.growth.stream import Stream

BIAS = 0.01  # standard deviation of the baseline's own error in the hours of a series, as a share of it
CAREFUL = 1.15  # variance over that of the fit: referrals come together, kernels are not the truth
COVER = 0.90
CLEAR, LIKELY = 0.015, 0.16  # chance that so much comes when nothing was brought


def series(stream: Stream, fitted: Fit, known: Sequence[Publication]) -> tuple[Series, ...]:
    """One row for each series, in order of its name; issues with too little data before them are left out.

    `stream`: as given to the fit.
    """
    names = sorted({p.series_id for p in known if p.series_id is not None})
    window = stream.mass[:, :WINDOW_H].sum(1)
    return tuple(
        _pooled(name, np.array([p.series_id == name for p in known]), stream, fitted, window) for name in names
    )


def _pooled(name: str, member: NDArray[np.bool_], stream: Stream, fitted: Fit, window: Floats) -> Series:
    issue = np.flatnonzero(member & (stream.at >= ENOUGH_H))
    if not issue.size:
        return Series(name, 0, 0.0, 0.0, 0.0, "too_little_data")
    free = fitted.free
    extra = float(window[issue] @ free.size[issue])
    hourly = fitted.level[stream.hours.day] * fitted.shape
    base = sum(float(hourly[at : at + WINDOW_H].sum()) for at in stream.at[issue])
    variance = CAREFUL * window[issue] @ free.covariance[np.ix_(issue, issue)] @ window[issue] + (BIAS * base) ** 2
    named = int(stream.named(0, stream.counts.size)[issue].sum())
    error = float(np.sqrt(variance))
    low, high = _range(extra, error)
    chance = float(ndtr(-(extra + named) / error))
    word: Verdict = "clear" if chance <= CLEAR else "likely" if chance <= LIKELY else "unclear"
    if named:  # these came by it, whatever the rest of the fit would take away again
        extra = max(extra, 0.0)
    return Series(name, int(issue.size), round(extra + named, 2), round(low + named, 2), round(high + named, 2), word)


def _range(centre: float, error: float) -> tuple[float, float]:
    """Highest-density 90 % of a normal that is cut at 0."""
    above = float(ndtr(centre / error))
    half = float(ndtri((1 + COVER * above) / 2)) * error
    if centre - half > 0:
        return centre - half, centre + half
    beyond = np.log1p(-COVER) + log_ndtr(centre / error)  # in logarithms, for all but nothing of it may lie above 0
    return 0.0, max(centre - error * float(ndtri_exp(beyond)), 0.0)
