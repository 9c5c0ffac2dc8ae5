"""The chart of joins per day as SVG: bars, the expected line with its band, a mark per publication."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor, log10

from services.metrics.domain.board import DayBar, Row
from shared.clock import JST
from shared.web.dates import day_text, month_text, number
from shared.web.languages import Language

WIDTH, HEIGHT = 960, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 30, 28
PLOT_W, PLOT_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
BASE_Y = TOP + PLOT_H
A_DAY = timedelta(days=1)
MARK_W = 11


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in SVG units."""

    at: float
    label: str


@dataclass(frozen=True)
class Mark:
    """A publication above its day; marks that would touch stand in two rows."""

    x: float
    y: float
    verdict: str
    text: str


@dataclass(frozen=True)
class Chart:
    """Everything that the SVG template draws; coordinates in its viewBox."""

    bars: str
    line: str
    band: str
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]
    marks: tuple[Mark, ...]
    first: str
    last: str
    peak: str
    peak_day: str


def draw(days: Sequence[DayBar], rows: Sequence[Row], lang: Language, labels: dict[str, str]) -> Chart | None:
    """The chart of `days` (consecutive, oldest first); `labels` says a row's mark by its id. None for no days."""
    if not days:
        return None
    top = _ceiling(days)
    step = PLOT_W / len(days)
    peak = max(days, key=lambda day: day.joins)
    return Chart(
        bars=_bars(days, step, top),
        line=" ".join(_line(days, step, top)),
        band=" ".join(_bands(days, step, top)),
        y_ticks=tuple(Tick(_y(value, top), number(value)) for value in _nice_values(top)),
        x_ticks=tuple(_months(days, step, lang)),
        marks=tuple(_marks(days, rows, step, labels)),
        first=day_text(days[0].day, lang),
        last=day_text(days[-1].day, lang),
        peak=number(peak.joins),
        peak_day=day_text(peak.day, lang),
    )


def _ceiling(days: Sequence[DayBar]) -> float:
    return max(4.0, max(max(day.joins, day.high or 0) for day in days) * 1.05)


def _y(value: float, top: float) -> float:
    return round(BASE_Y - min(value, top) / top * PLOT_H, 1)


def _x(index: float, step: float) -> float:
    return round(LEFT + index * step, 1)


def _bars(days: Sequence[DayBar], step: float, top: float) -> str:
    """One path for all bars: a year of days stays light enough to send at every change."""
    width = round(max(0.8, min(step * 0.72, 26)), 2)
    return "".join(
        f"M{_x(index + 0.5, step) - width / 2:.1f} {BASE_Y}V{_y(day.joins, top)}h{width}V{BASE_Y}z"
        for index, day in enumerate(days)
        if day.joins > 0
    )


def _runs(days: Sequence[DayBar]) -> Iterator[list[tuple[int, DayBar]]]:
    """Stretches of days that have a band."""
    run: list[tuple[int, DayBar]] = []
    for index, day in enumerate(days):
        if day.expected is not None:
            run.append((index, day))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _line(days: Sequence[DayBar], step: float, top: float) -> Iterator[str]:
    for run in _runs(days):
        points = " ".join(f"{_x(index + 0.5, step)} {_y(day.expected or 0, top)}" for index, day in run)
        yield f"M{points}"


def _bands(days: Sequence[DayBar], step: float, top: float) -> Iterator[str]:
    for run in _runs(days):
        upper = [f"{_x(index + 0.5, step)} {_y(day.high or 0, top)}" for index, day in run]
        lower = [f"{_x(index + 0.5, step)} {_y(day.low or 0, top)}" for index, day in reversed(run)]
        yield f"M{' '.join(upper + lower)}z"


def _nice_values(top: float) -> list[float]:
    """Three to five round values from 0 up."""
    rough = top / 4
    power = 10 ** floor(log10(rough))
    unit = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    unit = max(1, unit)
    return [index * unit for index in range(ceil(top / unit)) if index * unit <= top]


def _months(days: Sequence[DayBar], step: float, lang: Language) -> Iterator[Tick]:
    """Labels at the first of a month, thinned so that they never touch; short spans get days instead."""
    if len(days) < 45:
        every = max(1, ceil(len(days) / 8))
        for index in range(0, len(days), every):
            yield Tick(_x(index + 0.5, step), f"{days[index].day.month}/{days[index].day.day}")
        return
    firsts = [(index, day.day) for index, day in enumerate(days) if day.day.day == 1]
    every = max(1, ceil(len(firsts) / 13))
    for index, day in firsts:
        if (day.month - 1) % every == 0:
            yield Tick(_x(index, step), month_text(day, lang))


def _marks(days: Sequence[DayBar], rows: Sequence[Row], step: float, labels: dict[str, str]) -> Iterator[Mark]:
    first, last = days[0].day, days[-1].day + A_DAY
    last_x = [-1.0 * MARK_W, -1.0 * MARK_W]  # of the lower and the upper row
    for row in sorted(rows, key=lambda row: (row.published_at, row.id)):
        local = row.published_at.astimezone(JST)
        if not first <= local.date() <= last:
            continue
        at = (local.date() - first).days + (local.hour + local.minute / 60) / 24
        x = min(_x(at, step), WIDTH - RIGHT)
        lift = 1 if x - last_x[0] < MARK_W < x - last_x[1] else 0
        last_x[lift] = x
        yield Mark(x, TOP - 10 - MARK_W * lift, row.verdict, labels[row.id])
