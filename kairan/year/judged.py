"""A stream with its ledger: the object of `--json`, and what else a terminal shows of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from kairan.year.csv_streams import Stream
from shared.clock import JST

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Judged:
    """`answer`: the object of `--json`. `titles`: by id. `joins`: of every day in Tokyo from `first_day` on."""

    answer: Mapping[str, Any]
    titles: Mapping[str, str]
    first_day: date
    joins: Sequence[int]


def judge(stream: Stream) -> Judged:
    """The ledger as of the stream's end. Raises ValueError where it would hold a number that is none."""
    from kairan.year.quick_scipy import import_scipy_special  # here, as a fault in a file need not wait for numpy

    import_scipy_special()
    from kairan.year import own_ledger

    answer = own_ledger.as_object(own_ledger.ledger_of(stream), stream)
    json.dumps(answer, allow_nan=False)
    titles = {one.id: one.title_en for one in stream.published}
    first = _day(stream.start)
    joins = [0] * ((_day(stream.end - timedelta(hours=1)) - first) // DAY + 1)
    for one in stream.arrived:
        joins[(_day(one.hour) - first) // DAY] += one.joins
    return Judged(answer, titles, first, joins)


def _day(moment: datetime) -> date:
    return moment.astimezone(JST).date()
