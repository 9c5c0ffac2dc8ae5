"""Joins and members as asked for: straight from the counts of the serving generation."""

from typing import Any, Literal

from services.metrics.domain.counts import first_hour_of_day, hour_of, moment_of
from services.metrics.store.read_model import ReadModel, StreamTime
from services.metrics.times import Asked, ceil_hour, day_text, hour_after, hour_from, hour_to
from shared.clock import ClockKind, wall_now
from shared.store.mongo import Store
from shared.web.times import utc_text

ROWS_MOST = 100_000  # eleven years of hours


class TooManyRows(Exception):
    """More rows were asked for than one answer holds."""


class Figures:
    """Answers from counts; `clock` says whose now ends what is known."""

    def __init__(self, store: Store, clock: ClockKind) -> None:
        self._store = store
        self._clock = clock

    async def joins(self, by: Literal["hour", "day"], start: Asked, end: Asked) -> dict[str, Any]:
        """`{as_of, rows: [{from, joins}]}`, dense within what is asked for and known. Raises TooManyRows."""
        model = await ReadModel.serving(self._store)
        known = await self._known(model)
        by_day = by == "day"
        sums = await model.sums(
            hour_from(start, by_day=by_day) if start else None, hour_to(end, by_day=by_day) if end else None
        )
        counted = {hour: change.joins + change.day_joins if by_day else change.joins for hour, change in sums.items()}
        counted = {hour: joins for hour, joins in counted.items() if joins}
        first, last = await self._bounds(model, counted, start, end, known, by_day)
        step = 24 if by_day else 1
        if (last - first) / step > ROWS_MOST:
            raise TooManyRows(
                f"One answer holds at most {ROWS_MOST:,} rows: ask for a shorter time by `from` and `to`."
            )
        rows = dict.fromkeys(range(first, last, step), 0)
        for hour, joins in counted.items():
            rows[_row_hour(hour, by_day)] += joins
        text = day_text if by_day else utc_text
        return {
            "as_of": utc_text(known.until),
            "rows": [{"from": text(moment_of(h)), "joins": n} for h, n in rows.items()],
        }

    async def members(self, as_of: Asked) -> dict[str, Any]:
        """`{as_of, members}`: by what happened up to the end of the hour or day asked for, at most up to now."""
        model = await ReadModel.serving(self._store)
        now = (await self._known(model)).until
        end = hour_after(as_of) if as_of else None
        if end is None or (now is not None and end >= ceil_hour(now)):
            return {"as_of": utc_text(now), "members": await model.members(None)}
        return {"as_of": utc_text(moment_of(end)), "members": await model.members(end)}

    async def _known(self, model: ReadModel) -> StreamTime:
        return StreamTime(until=wall_now()) if self._clock == "wall" else await model.stream_time()

    async def _bounds(
        self, model: ReadModel, counted: dict[int, int], start: Asked, end: Asked, known: StreamTime, by_day: bool
    ) -> tuple[int, int]:
        """The first hour and the hour after the last: the known time, cut to what is asked for."""
        first_join = await model.first_join()
        if first_join is None:
            return 0, 0
        hours = [*counted, first_join, *(hour_of(moment) for moment in known if moment)]
        first_known, last_known = min(hours), max(hours)
        first, last = _row_hour(first_known, by_day), _row_hour(last_known, by_day) + (24 if by_day else 1)
        if start:
            first = max(first, hour_from(start, by_day=by_day))
        if end:
            last = min(last, hour_to(end, by_day=by_day))
        return first, max(first, last)


def _row_hour(hour: int, by_day: bool) -> int:
    """The hour at which the row that holds `hour` begins."""
    return first_hour_of_day(hour) if by_day else hour
