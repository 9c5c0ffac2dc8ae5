"""Rows 5 to 7: who gets the credit in whole years: error, cover, and idle publications called clear."""

from collections.abc import Sequence

from benchmarks.growth.line import Line, resampled, share
from benchmarks.growth.study import Study
from benchmarks.growth.year import Judged, Scenario, Year, YearSeen, look

ERROR_AT_MOST: dict[Scenario, float | None] = {"seed": 0.43, "overlap": 0.59, "shock": 0.58, "foreign": None}
IDLE: tuple[Scenario, ...] = ("null", "null, shock")
LARGE: tuple[Scenario, ...] = ("million", "5,000 an hour", "million, foreign")


def years(n: int, seed: int) -> Study:
    """`n` years of each scenario at about 7 joins a day."""
    names: tuple[Scenario, ...] = (*ERROR_AT_MOST, *IDLE)
    recipes = _recipes(names, n, seed, 5)

    def lines(seen: Sequence[YearSeen]) -> list[Line]:
        found = {name: seen[k * n : (k + 1) * n] for k, name in enumerate(names)}
        told = [
            resampled("5", f"credit error, {name} (years)", found[name], credit_error, at_most=goal)
            for name, goal in ERROR_AT_MOST.items()
        ]
        for name in names:
            idle = _idle_called_clear(found[name])
            told.append(share("6", f"idle publications called clear, {name}", idle, at_most=0.025))
        for name in names:
            goal = 0.88 if name != "foreign" else None
            held = [row.credit_held for row in _rows(found[name])]
            told.append(share("6", f"cover of the credit, {name}", held, at_least=goal))
        acting = [row for name in ERROR_AT_MOST for row in _rows(found[name]) if row.brought]
        told.append(share("6", "cover of the credit, those who brought somebody", [r.credit_held for r in acting]))
        told.append(share("6", "cover of the extra joins, those who brought somebody", [r.held for r in acting]))
        return told

    return Study("5, 6 credit", recipes, look, lines)


def large_years(n: int, seed: int) -> Study:
    """`n` years of the million scenario, of one with about 5,000 joins in every hour, and of the first with effects of
    other shapes than the estimator's."""
    recipes = _recipes(LARGE, n, seed, 7)

    def lines(seen: Sequence[YearSeen]) -> list[Line]:
        found = {name: seen[k * n : (k + 1) * n] for k, name in enumerate(LARGE)}
        told = []
        for name, these in found.items():
            error, least, most = (None, None, None) if "foreign" in name else (0.26, 0.88, 0.92)
            told.append(resampled("7", f"credit error, {name} (years)", these, credit_error, at_most=error))
            held = [row.credit_held for row in _rows(these)]
            told.append(share("7", f"cover of the credit, {name}", held, at_least=least, at_most=most))
            told.append(share("7", f"idle publications called clear, {name}", _idle_called_clear(these)))
            held = [row.held for row in _rows(these)]
            told.append(share("7", f"cover of the extra joins, {name}", held))
            slowest = max(year.ledger_s for year in these)
            told.append(Line("7", f"CPU time of the slowest ledger, {name}", slowest, n, "s", at_most=1.0))
        return told

    return Study("7 million", recipes, look, lines)


def credit_error(seen: Sequence[YearSeen]) -> float:
    """Sum of |credit - truth| over the sum of the truth."""
    rows = _rows(seen)
    return sum(abs(row.credit - row.brought) for row in rows) / max(sum(row.brought for row in rows), 1)


def _idle_called_clear(seen: Sequence[YearSeen]) -> list[bool]:
    return [row.verdict == "clear" for row in _rows(seen) if not row.brought]


def _recipes(names: Sequence[Scenario], n: int, seed: int, row: int) -> list[Year]:
    return [Year(name, (seed, row, k, number)) for k, name in enumerate(names) for number in range(n)]


def _rows(seen: Sequence[YearSeen]) -> list[Judged]:
    return [row for year in seen for row in year.rows if row.verdict != "too_little_data"]
