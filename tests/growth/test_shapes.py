"""Effects whose shape is not their kind's: they are credited where joins tell, and left alone where they do not."""

import numpy as np
import pytest

from kairan.year.counts import Cause, World
from kairan.year.delays import Delay, Exponential, Square
from services.metrics.growth import Joins, Publication
from services.metrics.growth.fit import fit
from services.metrics.growth.kernels import REACH_H
from services.metrics.growth.shapes import LATE_H, library
from services.metrics.growth.stream import BLOCK_H, Stream
from services.metrics.growth.terms import PUBLISHED
from tests.growth.streams import START, at_hour, judged

DAY_H = 24
LARGE = World(196, per_day=2000.0, day_variance=0.03)


def fitted_shapes(counts: np.ndarray[tuple[int], np.dtype[np.int64]], hours: list[int]) -> tuple[Stream, Stream]:
    known = [Publication(f"p{i}", "article", at_hour(at)) for i, at in enumerate(hours)]
    stream = Stream.of(Joins(START, counts), known, at_hour(counts.size))
    return stream, fit(stream, np.zeros(len(hours), dtype=np.int64)).stream


def test_the_library_has_shapes_that_begin_before_a_surge_may() -> None:
    shapes = library()
    assert shapes.shape[1] == REACH_H
    assert (shapes >= 0).all()
    assert (shapes.sum(1) <= 1 + 1e-9).all()
    assert (shapes.sum(1) > 0.5).all()
    assert (np.argmax(shapes > 0, axis=1) <= max(LATE_H)).all()
    assert max(LATE_H) < PUBLISHED.stop * BLOCK_H


@pytest.mark.parametrize("hour", [0, 9, 17])
@pytest.mark.parametrize("delay", [Square(72), Exponential(9.0)], ids=["three even days", "a burst"])
def test_a_large_stream_credits_an_effect_of_any_shape_and_calls_it_clear(hour: int, delay: Delay) -> None:
    cause = Cause(181 * DAY_H + hour, 12_000.0, delay=delay)
    joins = LARGE.joins([cause], np.random.default_rng((7, hour)))
    row = judged(joins.sum(1), [("article", cause.at)]).rows[0]
    brought = int(joins[:, 1].sum())
    assert row.verdict == "clear"
    assert row.credit == pytest.approx(brought, rel=0.25)  # with the kind's own: nothing of the even days at midnight


def test_where_nothing_came_and_where_publications_are_less_than_a_day_apart_shapes_stay_as_they_are() -> None:
    calm = LARGE.joins([], np.random.default_rng(8)).sum(1)
    stream, found = fitted_shapes(calm, [100 * DAY_H, 120 * DAY_H, 181 * DAY_H])
    assert found.mass == pytest.approx(stream.mass)
    cause = Cause(181 * DAY_H, 12_000.0, delay=Square(72))
    joins = LARGE.joins([cause], np.random.default_rng(9)).sum(1)
    stream, found = fitted_shapes(joins, [cause.at, cause.at + 10])
    assert found.mass == pytest.approx(stream.mass)
    stream, found = fitted_shapes(joins, [cause.at - 40 * DAY_H, cause.at])
    assert found.mass != pytest.approx(stream.mass)
